"""The page of digests: what was kept, in three languages, as PDF; drafts; a test only to addresses that are known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from listener.config import Config, load
from listener.database import Store
from stakeholders import digest
from stakeholders.archive import NotKnown, known_readers, list_digests, queue_test
from stakeholders.store import alerts
from tests.pages.test_pages import draw, markup

TEAM = """
[[digests]]
name = "care"
to = ["mail:care.lead@example.org"]
cadence = "daily"
departments = ["customer_care"]
"""


@pytest.fixture
def sent(instance: Any) -> Any:
    """Give an instance whose digests of today were queued."""
    path = instance.folder / "config.toml"
    path.write_text(path.read_text("utf-8") + TEAM, "utf-8")
    with instance.store.write() as connection:
        _keep(connection, load(path, {}, secrets=False))
    return instance


def _keep(connection: sa.Connection, config: Config) -> None:
    from stakeholders.edition import running

    for name in (None, "care"):
        edition = running(config, name, None, datetime.now(UTC))
        digest.keep(connection, config, edition, datetime.now(UTC))


def test_the_archive_lists_each_digest_by_its_reader_and_drafts_of_all(sent: Any) -> None:
    shown = markup(draw("letters", str(sent.folder), {}).run())
    for words in ("The directors&#x27; week", "care: Customer care", "Preview of what would be sent", "0 of 0 sent"):
        assert words in shown
    assert "draft=care" in shown


def test_a_kept_digest_is_shown_in_the_language_asked_for_and_as_a_pdf(sent: Any) -> None:
    with sent.store.read() as connection:
        kept = list_digests(connection)
    assert [one.name for one in kept] == ["care", ""]
    for one, words in zip(kept, ("Atención al cliente", "Nítido"), strict=True):
        test = draw("letters", str(sent.folder), {"digest": one.key, "as": "es"}).run()
        shown = markup(test)
        assert words in shown
        assert one.hash[:12] in shown
        assert len(test.get("download_button")) == 1


def test_what_is_not_kept_and_who_is_not_known_are_said_in_words(sent: Any) -> None:
    assert "not kept any more" in markup(draw("letters", str(sent.folder), {"digest": "2020-W01/nitido/es"}).run())
    told = markup(draw("letters", str(sent.folder), {"draft": "<b>nobody</b>"}).run())
    assert "there is no digest" in told
    assert "<b>nobody" not in told


def test_a_draft_is_counted_now_and_kept_nowhere(sent: Any) -> None:
    with sent.store.read() as connection:
        before = len(list_digests(connection))
    shown = markup(draw("letters", str(sent.folder), {"draft": "care"}).run())
    assert "kept nowhere and sent to nobody" in shown
    with sent.store.read() as connection:
        assert len(list_digests(connection)) == before


def test_a_test_goes_once_a_minute_and_only_to_an_address_of_the_configuration(sent: Any) -> None:
    config = load(sent.folder / "config.toml", {}, secrets=False)
    now = datetime.now(UTC).replace(second=5)
    assert "care.lead@example.org" in known_readers(config)
    store: Store = sent.store
    with store.write() as connection:
        key = list_digests(connection)[0].key
        assert queue_test(connection, config, key, "care.lead@example.org", "en", now)
        assert not queue_test(connection, config, key, "care.lead@example.org", "en", now)
        for address, digest_key in (("stranger@example.org", key), ("care.lead@example.org", "gone")):
            with pytest.raises(NotKnown):
                queue_test(connection, config, digest_key, address, "en", now)
        row = connection.execute(sa.select(alerts).where(alerts.c.key.startswith("digest-test/"))).one()
        message = digest.write_letter(connection, config, row, now)
        assert list_digests(connection)[0].readers == 0, "a test is no reader"
    assert message.subject.startswith("Test: Customer care")
    assert message.lang == "en"


def test_the_button_queues_the_test(sent: Any) -> None:
    with sent.store.read() as connection:
        key = list_digests(connection)[0].key
    test = draw("letters", str(sent.folder), {"digest": key}).run()
    test.button[0].click().run()
    assert "Queued" in markup(test)
    with sent.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(alerts.c.key.startswith("digest-test/"))) == 1
