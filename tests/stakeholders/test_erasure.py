"""Erasure above the store: letters, histories and waiting messages lose the post's words, and cases stay honest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from listener.mention import Author
from listener.reason import reason
from listener.store import mentions, posts, tombstones
from sentiment.store import verdicts
from stakeholders.alerts import outbox_row, queue_case, send_due
from stakeholders.case import answer, history, join, note, read_case
from stakeholders.casework.dossier import case_mentions_of
from stakeholders.erasure import erase
from stakeholders.inbox import Filters, read_inbox
from stakeholders.letters.letter import write_letter
from stakeholders.store import alerts, decisions, digests, drafts
from tests.stakeholders.newsroom import NOW, hear, make_config, open_one

LATER = NOW + timedelta(hours=1)
TEXT = "Nítido me cobró dos veces la factura de marzo y nadie contesta"


@pytest.fixture
def config(tmp_path: Path, store_url: str) -> Config:
    return make_config(tmp_path, store_url)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store.write() as opened:
        yield opened


def native_id(connection: Connection, mention_id: int) -> str:
    query = sa.select(posts.c.native_id).join(mentions).where(mentions.c.id == mention_id)
    return str(connection.scalar(query))


def gone(connection: Connection, mention_id: int, why: Any = "deleted") -> None:
    assert len(erase(connection, "x", [native_id(connection, mention_id)], why, LATER)) == 1


def rows(connection: Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_verdict_and_decision_go_with_the_post(connection: Connection, config: Config) -> None:
    _, mention_id = open_one(connection, config, text=TEXT)
    kept = hear(connection, "Nítido otra vez")
    gone(connection, mention_id)
    assert list(connection.scalars(sa.select(verdicts.c.mention_id))) == [kept]
    assert list(connection.scalars(sa.select(decisions.c.mention_id))) == [kept]


@pytest.mark.parametrize(("why", "words"), [("deleted", "removed at the source"), ("erased", "removed on request")])
def test_a_case_without_any_post_stays_in_the_history_closed_and_says_why(
    connection: Connection, config: Config, why: Any, words: str
) -> None:
    case, mention_id = open_one(connection, config, text=TEXT)
    gone(connection, mention_id, why)
    left = read_case(connection, case.id)
    assert left is not None
    assert (left.status, left.closed_at, left.mentions, left.people) == ("closed", LATER, 0, 0)
    last = history(connection, case.id)[-1]
    assert (last.who, last.what, last.after["note"]["sentence"]) == ("escucha", "closed", words)  # type: ignore[index]
    assert case_mentions_of(connection, case.id) == []


def test_a_case_goes_on_with_the_posts_that_are_left_and_the_inbox_shows_the_oldest_of_them(
    connection: Connection, config: Config
) -> None:
    case, first = open_one(connection, config, text=TEXT)
    second, third = hear(connection, "Nítido, a mí también"), hear(connection, "Nítido, y a mí")
    for mention_id in (second, third):
        join(connection, config.settings, case.id, mention_id, "thread", "important", NOW)
    gone(connection, first)
    left = read_case(connection, case.id)
    assert left is not None
    assert (left.status, left.mentions) == ("new", 2)
    (row,) = read_inbox(connection, Filters(), LATER).rows
    assert (row.case.id, row.mention_id, row.snippet) == (case.id, second, "Nítido, a mí también")
    said = history(connection, case.id)[-1]
    assert said.after["note"]["sentence"] == "a post of this case was removed at the source"  # type: ignore[index]


def test_a_message_that_waits_and_would_show_the_post_is_not_sent(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.write() as connection:
        case, mention_id = open_one(connection, config, text=TEXT)
        assert queue_case(connection, config, case, mention_id, False, NOW) == 1
        gone(connection, mention_id)
        assert list(connection.scalars(sa.select(alerts.c.state))) == ["withdrawn"]
    done = send_due(store, config, LATER + timedelta(hours=1))
    assert (done.sent, done.waiting, done.refused) == (0, 0, 0)


def test_a_message_that_waits_shows_another_post_of_the_case_instead(connection: Connection, config: Config) -> None:
    case, first = open_one(connection, config, text=TEXT)
    second = hear(connection, "Nítido, a mí también")
    join(connection, config.settings, case.id, second, "thread", "important", NOW)
    queue_case(connection, config, case, first, False, NOW)
    gone(connection, first)
    (row,) = connection.execute(sa.select(alerts)).all()
    assert (row.state, row.payload["mention_id"]) == ("pending", second)


def test_a_note_that_repeats_the_post_or_names_its_author_is_withheld_and_others_stay(
    connection: Connection, config: Config
) -> None:
    case, mention_id = open_one(connection, config, text=TEXT, author=Author("ana_ruiz", "Ana Ruiz Soto"))
    told = ["dice: «cobró dos veces la factura DE marzo»", "llamé a Ana Ruiz Soto", "@ana_ruiz ya pagó", "abono hecho"]
    for words in told:
        note(connection, case.id, "Rosa", NOW, words)
    answer(connection, case.id, "Rosa", NOW, "Se le devolvió el importe")
    gone(connection, mention_id)
    written = [(event.after or {}).get("note") for event in history(connection, case.id) if event.who == "Rosa"]
    assert [one if isinstance(one, str) else None for one in written] == [
        None, None, None, "abono hecho", "Se le devolvió el importe",
    ]  # fmt: skip


def test_drafts_lose_what_repeats_the_post_and_a_signed_text_is_signed_no_longer(
    connection: Connection, config: Config
) -> None:
    case, mention_id = open_one(connection, config, text=TEXT)
    said = "Hola. Dice: «me cobró dos veces la factura de marzo»"
    row = {"case_id": case.id, "at": NOW, "who": "Rosa", "lang": "es", "signer": "Ana", "signed_at": NOW}
    for state in ("signed", "used"):
        connection.execute(drafts.insert().values(**row, text=said, state=state))
    connection.execute(drafts.insert().values(**row, text="Hola, lo revisamos.", state="signed"))
    gone(connection, mention_id)
    left = connection.execute(sa.select(drafts).order_by(drafts.c.id)).all()
    assert [(one.state, one.signer) for one in left] == [("draft", None), ("used", "Ana"), ("signed", "Ana")]
    assert not any("factura" in one.text for one in left)
    assert left[2].text == "Hola, lo revisamos."


@pytest.mark.parametrize("state", ["pending", "muted"])
def test_no_message_that_may_still_go_out_shows_a_post_that_was_erased(
    connection: Connection, config: Config, state: str
) -> None:
    case, mention_id = open_one(connection, config, text=TEXT)
    other = hear(connection, "Nítido otra vez")
    join(connection, config.settings, case.id, other, "thread", "important", NOW)
    alone, lonely = open_one(connection, config, text=TEXT, author=Author("luis"))
    for one, shown in ((case, mention_id), (alone, lonely)):
        queue_case(connection, config, one, shown, False, NOW)
    connection.execute(alerts.update().values(state=state))
    gone(connection, mention_id)
    gone(connection, lonely)
    left = connection.execute(sa.select(alerts).order_by(alerts.c.id)).all()
    assert [(row.case_id, row.state) for row in left] == [(case.id, state), (alone.id, "withdrawn")]
    assert left[0].payload == {"mention_id": other}
    assert "factura" not in write_letter(connection, config, left[0], LATER).text


def test_a_letter_about_many_cases_is_written_without_what_was_erased(connection: Connection, config: Config) -> None:
    cases_told = [open_one(connection, config, text=f"{TEXT} {n}", author=Author(f"a{n}")) for n in range(3)]
    for one, shown in cases_told:
        queue_case(connection, config, one, shown, False, NOW)
    row = outbox_row("group.1", "group", "mail", "care@nitido.example", reason("x"), NOW)
    connection.execute(alerts.insert().values(**row | {"group_key": "group.1", "payload": {"kind": "case"}}))
    connection.execute(alerts.update().values(group_key="group.1"))
    gone(connection, cases_told[0][1])
    letter = connection.execute(sa.select(alerts).where(alerts.c.kind == "group")).one()
    words = write_letter(connection, config, letter, LATER).text
    assert "marzo y nadie contesta 0" not in words
    assert "marzo y nadie contesta 1" in words


def test_archived_letters_lose_the_quote_and_keep_every_figure(connection: Connection, config: Config) -> None:
    from stakeholders.counting.figures import Figures, gather
    from stakeholders.counting.period import week_name
    from stakeholders.counting.sealed import from_json, seal, to_json

    case, mention_id = open_one(connection, config, text=TEXT)
    other, _ = open_one(connection, config, text="Nítido sin señal en Ate")
    figures = gather(connection, config, week_name(NOW.date()), "nitido", NOW)
    assert [line.quote for line in figures.largest] == [TEXT, "Nítido sin señal en Ate"]
    row = {"key": "k", "week": figures.week, "brand": "nitido", "lang": "en", "created_at": NOW}
    connection.execute(digests.insert().values(figures=to_json(figures), hash=seal(figures), **row))
    gone(connection, mention_id)
    kept = from_json(Figures, connection.scalar(sa.select(digests.c.figures)) or {})
    assert [(line.id, line.quote) for line in kept.largest] == [(case.id, ""), (other.id, "Nítido sin señal en Ate")]
    assert (kept.honest, kept.cases, kept.net) == (figures.honest, figures.cases, figures.net)


def test_the_number_of_a_mention_that_is_given_again_opens_a_case_of_its_own(
    connection: Connection, config: Config
) -> None:
    case, mention_id = open_one(connection, config, text=TEXT)
    gone(connection, mention_id)
    connection.execute(tombstones.delete())  # the newsroom numbers its posts by what is there
    again, _ = open_one(connection, config, text="Nítido, otra cosa")
    assert again.id != case.id
    assert again.status == "new"


def test_erasing_what_is_not_there_changes_nothing(connection: Connection, config: Config) -> None:
    case, _ = open_one(connection, config, text=TEXT)
    assert erase(connection, "x", ["nothing"], "deleted", LATER) == ()
    assert erase(connection, "reddit", ["1"], "deleted", LATER) == ()
    assert read_case(connection, case.id) == case
