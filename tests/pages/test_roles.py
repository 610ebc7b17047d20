"""Every role on every page, export, step and API call: nothing of others is readable, every refusal is logged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from listener.database import Store
from listener.errors import EscuchaError
from listener.query.parse import parse
from listener.query.search import search
from listener.store import authors
from stakeholders import case, digest
from stakeholders.api import make_api
from stakeholders.archive import list_digests
from stakeholders.casework import draft, merging, snooze
from stakeholders.casework.correction import confirm, correct
from stakeholders.casework.export import FORMS, export_case
from stakeholders.casework.step import NotPossible
from stakeholders.counting.period import week_name
from stakeholders.desk import Desk
from stakeholders.edition import written_for
from stakeholders.links import ACTIONS, sign
from stakeholders.lists import batch, view
from stakeholders.lists.filters import Filters
from stakeholders.pages.frame import PAGES
from stakeholders.scope import NotVisible, limit
from stakeholders.store import case_mentions, cases, decisions, events
from stakeholders.viewer import Viewer
from tests.pages.readers import DIRECTOR, MEMBERS, canaries, draw, hidden_from, plant, visible_cases

NAMES = [name for name, _, _ in PAGES if name not in ("case", "settings")]

# What an address may ask of each page, besides nothing; {hidden} is a case of another department, {digest} one for
# the directors.
ASKED: dict[str, list[dict[str, str]]] = {
    "inbox": [
        {"status": "all"},
        {"status": "all", "q": "Nítido"},
        {"status": "all", "owner": "canario{hidden}canario-dueno"},
        {"status": "all", "department": "legal_regulatory"},
    ],
    "pulse": [{"days": "90", "rows": "stakeholder", "columns": "source"}],
    "voices": [{"days": "90"}],
    "departments": [{"days": "90"}],
    "posts": [{"days": "90"}, {"days": "90", "stakeholder": "regulator"}, {"days": "90", "q": "Nítido"}],
    "sources": [{"source": "social"}, {"source": "broken"}],
    "accuracy": [{"label": "sentiment"}],
    "letters": [{"digest": "{digest}"}, {"draft": "-", "brand": "nitido"}],
}


def refused(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if "refused" in line]


def refusal(viewer: Viewer, number: int) -> str:
    own = ", ".join(sorted(viewer.departments or ()))
    return f"a view limited to {own} asked for case {number}: refused"


@pytest.fixture
def planted(instance: Any) -> tuple[Any, dict[int, str]]:
    """Give an instance in which every case holds a word of its own, and these words by the cases' numbers.

    It keeps a digest for the directors.
    """
    now = datetime.now(UTC)
    with instance.store.write() as connection:
        digest.keep(connection, instance.config, written_for(instance.config, None, None, "nitido", now), now)
    return instance, plant(instance, now)


def digest_of(instance: Any) -> str:
    """Give the key of the digest that is kept for the directors."""
    with instance.store.read() as connection:
        (kept,) = list_digests(connection)
        assert digest.read_digest(connection, instance.config, kept.key).outline
    return kept.key


def test_every_page_of_the_menu_is_in_the_matrix() -> None:
    assert set(ASKED) == set(NAMES)


@pytest.mark.parametrize("role", MEMBERS)
def test_no_page_shows_a_word_of_another_department(planted: Any, role: str) -> None:
    instance, words = planted
    viewer, folder = MEMBERS[role], str(planted[0].folder)
    ours, theirs = visible_cases(instance, viewer)
    assert len(theirs) >= 2
    forbidden = canaries(hidden_from(instance, viewer)) | {words[number] for number in theirs}
    kept, read = digest_of(instance), ""
    for name in NAMES:
        for asked in [{}, *ASKED[name]] if role in ("care", "people") else ASKED[name][:1]:
            told = {key: value.format(hidden=theirs[0], digest=kept) for key, value in asked.items()}
            shown = draw(name, folder, viewer, told)
            typed = set(told.values())  # what the reader wrote into the address may be repeated
            found = [one for one in forbidden if one in shown and not any(one in value for value in typed)]
            assert found == [], (name, asked)
            read += shown
    # The words are where this looks for them: what the reader may see is found.
    assert bool(ours) == any(words[number] in read for number in ours)


@pytest.mark.parametrize("role", MEMBERS)
def test_a_case_of_another_department_reads_as_unknown_on_its_page_and_is_logged(
    planted: Any, role: str, caplog: pytest.LogCaptureFixture
) -> None:
    instance, words = planted
    viewer, folder = MEMBERS[role], str(planted[0].folder)
    ours, theirs = visible_cases(instance, viewer)
    for number in theirs[:3]:
        caplog.clear()
        shown = draw("case", folder, viewer, {"id": str(number), "status": "all"})
        assert "There is no such case" in shown
        assert not any(words[other] in shown for other in theirs)
        assert refused(caplog) == [refusal(viewer, number)]
    caplog.clear()
    for number in ours[:2]:
        shown = draw("case", folder, viewer, {"id": str(number), "status": "all"})
        assert words[number] in shown
        assert not any(words[other] in shown for other in theirs)
    assert not any("refused" in line for line in caplog.messages)


def test_a_director_sees_every_case_and_not_the_settings(planted: Any, caplog: pytest.LogCaptureFixture) -> None:
    instance, words = planted
    _, theirs = visible_cases(instance, DIRECTOR)
    assert theirs == []
    number = min(words)
    assert words[number] in draw("case", str(instance.folder), DIRECTOR, {"id": str(number)})
    for viewer in (DIRECTOR, *MEMBERS.values()):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            shown = _framed(instance, viewer, "settings")
        assert "whoever runs Escucha" in shown
        assert "mail:director@example.org" not in shown
        assert refused(caplog) == [f"login: a {viewer.role} asked for the page settings: refused"]


def _framed(instance: Any, viewer: Viewer, page: str) -> str:
    """Open a page by its address through the frame's own list of pages."""
    from streamlit.testing.v1 import AppTest

    def run(page: str, folder: str, role: str, departments: list[str] | None) -> None:
        from pathlib import Path

        import streamlit as st

        from listener.config import load
        from listener.database import Store
        from stakeholders.pages import frame
        from stakeholders.pages.scene import Scene
        from stakeholders.viewer import Viewer

        config = load(Path(folder) / "config.toml", {}, secrets=False)
        own = None if departments is None else frozenset(departments)
        viewer = Viewer("Ana", None, role, own)  # type: ignore[arg-type]
        store = Store(config.store_url)
        pages = frame.list_pages(Scene(config, viewer.see(store), "en", "Ana", viewer))
        st.navigation([next(one for one in pages if one.url_path == page)], position="hidden").run()
        store.close()

    own = None if viewer.departments is None else sorted(viewer.departments)
    test = AppTest.from_function(run, default_timeout=60, args=(page, str(instance.folder), viewer.role, own)).run()
    assert not test.exception, test.exception
    return "\n".join(str(one.proto) for one in test.main) + "\n".join(str(one.proto.body) for one in test.get("html"))


@pytest.mark.parametrize("role", MEMBERS)
def test_no_export_or_search_reaches_another_departments_case(planted: Any, role: str) -> None:
    instance, words = planted
    viewer = MEMBERS[role]
    ours, theirs = visible_cases(instance, viewer)
    forbidden = canaries(hidden_from(instance, viewer)) | {words[number] for number in theirs}
    now = datetime.now(UTC)
    with viewer.see(instance.store).read() as connection:
        for form in FORMS:
            with pytest.raises(EscuchaError):
                export_case(connection, instance.config, theirs[0], form, now)
            for number in ours[:2]:
                assert export_case(connection, instance.config, number, form, now)
        told = [export_case(connection, instance.config, number, "json", now).decode() for number in ours]
        assert [one for one in forbidden for text in told if one in text] == []
        assert [number for number, text in zip(ours, told, strict=True) if words[number] not in text] == []
        assert list_digests(connection) == []  # the directors' week is kept, and is nobody's of one department
        with pytest.raises(LookupError):
            digest.read_digest(connection, instance.config, digest_of(instance))
        written = str(digest.build(connection, instance.config, week_name(now.date()), "nitido", "en", now))
        assert [one for one in forbidden if one in written] == []
        texts = {one.post.text for one in search(connection, parse("source:social"), limit=500).found}
        handles = set(connection.scalars(sa.select(authors.c.handle)))
    assert not texts & hidden_from(instance, viewer)
    with instance.store.read() as connection:
        assert handles < set(connection.scalars(sa.select(authors.c.handle)))


Step = Callable[[sa.Connection, Any, int, int, datetime], object]
STEPS: dict[str, Step] = {
    "acknowledge": lambda c, _, __, one, now: case.acknowledge(c, one, "Ana", now),
    "answer": lambda c, _, __, one, now: case.answer(c, one, "Ana", now),
    "assign": lambda c, _, __, one, now: case.assign(c, one, "Ana", now, "Ana"),
    "note": lambda c, _, __, one, now: case.note(c, one, "Ana", now, "hola"),
    "close": lambda c, _, __, one, now: case.close(c, one, "Ana", now),
    "dismiss": lambda c, _, __, one, now: case.dismiss(c, one, "Ana", now, "ruido"),
    "reopen": lambda c, config, _, one, now: case.reopen(c, config.settings, one, "Ana", now),
    "snooze": lambda c, _, __, one, now: snooze.snooze(c, one, "Ana", now, now + timedelta(days=1)),
    "merge theirs into ours": lambda c, _, ours, one, now: merging.merge(c, one, ours, "Ana", now),
    "merge ours into theirs": lambda c, _, ours, one, now: merging.merge(c, ours, one, "Ana", now),
    "draft": lambda c, _, __, one, now: draft.write(c, one, "Ana", now, "hola", "es"),
}


@pytest.mark.parametrize("role", ["care", "people"])
@pytest.mark.parametrize("step", STEPS)
def test_no_step_changes_another_departments_case_and_each_refusal_is_logged_once(
    instance: Any, role: str, step: str, caplog: pytest.LogCaptureFixture
) -> None:
    viewer, now = MEMBERS[role], datetime.now(UTC)
    ours, theirs = visible_cases(instance, viewer)
    everything = _everything(instance.store)
    with (
        viewer.see(instance.store).write() as connection,
        caplog.at_level(logging.WARNING),
        pytest.raises(NotPossible, match="There is no case"),
    ):
        STEPS[step](connection, instance.config, ours[0], theirs[0], now)
    assert refused(caplog) == [refusal(viewer, theirs[0])]
    assert _everything(instance.store) == everything


@pytest.mark.parametrize("role", ["care", "people"])
def test_steps_with_many_cases_and_corrections_leave_the_others_alone(instance: Any, role: str) -> None:
    viewer, now = MEMBERS[role], datetime.now(UTC)
    _, theirs = visible_cases(instance, viewer)
    with instance.store.read() as connection:
        versions = {row.id: row.version for row in connection.execute(sa.select(cases.c.id, cases.c.version))}
        wanted = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id.in_(theirs))
        decided = sa.select(decisions.c.mention_id).where(decisions.c.department.in_(viewer.departments or ()))
        mention = connection.scalar(wanted.where(case_mentions.c.mention_id.not_in(decided)))
    everything, desk = _everything(instance.store), Desk(instance.config)
    chosen = {number: versions[number] for number in theirs}
    with viewer.see(instance.store).write() as connection:
        for one in batch.STEPS:
            asked: dict[str, Any] = {"owner": "Ana"} if one == "assign" else {}
            asked |= {"why": "ruido"} if one == "dismiss" else {}
            asked |= {"until": lambda _: now + timedelta(days=1)} if one == "snooze" else {}
            done = batch.take_all(connection, one, chosen, "Ana", now, **asked)
            assert (done.done, len(done.left)) == ((), len(theirs))
        for change in (
            lambda: correct(desk, connection, mention, "sentiment", "positive", "Ana", now),
            lambda: confirm(desk, connection, mention, "sentiment", "Ana", now),
        ):
            with pytest.raises((EscuchaError, LookupError)):
                change()
    assert _everything(instance.store) == everything


def _everything(store: Store) -> list[Any]:
    with store.read() as connection:
        return [list(connection.execute(sa.select(table).order_by(table.c.id))) for table in (cases, events)]


def test_a_view_that_a_colleague_shared_shows_each_reader_its_own_cases(planted: Any) -> None:
    instance, words = planted
    now = datetime.now(UTC)
    with instance.store.write() as connection:
        view.save_view(connection, "Renzo", "Todo", Filters(status="all"), now, shared=True)
    for viewer in MEMBERS.values():
        _, theirs = visible_cases(instance, viewer)
        with viewer.see(instance.store).read() as connection:
            assert [one.name for one in view.list_views(connection, viewer.name)] == ["Todo"]
        shown = draw("inbox", str(instance.folder), viewer, {"status": "all"})
        assert not any(words[number] in shown for number in theirs)


def test_the_api_tells_nobody_a_word_of_a_case(planted: Any) -> None:
    """The API knows no roles: what it answers without a login holds nothing of any case, whatever the token."""
    instance, words = planted
    now = datetime.now(UTC)
    forbidden = canaries(hidden_from(instance, MEMBERS["idle"])) | set(words.values())
    api = make_api(instance.config, instance.store)
    asked = []
    with TestClient(api, raise_server_exceptions=False, follow_redirects=False) as client:
        for path, methods in api.openapi()["paths"].items():
            action = next((one for one in ACTIONS if f"/{one}/" in path), "acknowledge")
            number = max(words)
            good, old = (
                sign(instance.config, number, "care@example.org", action, now=at).rpartition("/")[2]
                for at in (now, now - timedelta(days=900))
            )
            for token in ("x", "../case", "social", good[:-3], old, good):
                address = path
                for name in ("{token}", "{source}", "{name}"):
                    address = address.replace(name, token.replace("/", "%2F"))
                assert "{" not in address, path
                # Whoever holds a good link of a case learns who took it, and no more.
                known = forbidden - {words[number]} | {f"{words[number]}-nota", f"{words[number]}-borrador"}
                for method in methods:
                    answer = client.request(method.upper(), address)
                    asked.append((method, path, answer.status_code))
                    told = answer.text + str(answer.headers)
                    assert [one for one in known if one in told] == [], (method, path)
    assert {path for _, path, _ in asked} >= {"/api/health", "/api/acknowledge/{token}"}
    assert {status for _, path, status in asked if path == "/api/acknowledge/{token}"} >= {200, 404, 410}


def test_every_refused_statement_is_logged_and_quotes_nobody(instance: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), limit(instance.store, ["customer_care"]).read() as connection:
        for statement in (sa.text("SELECT text FROM post"), sa.select(sa.table("suppression"))):
            with pytest.raises(NotVisible):
                connection.execute(statement)
    assert caplog.text.count("limited to customer_care") == 2


def test_a_table_that_nobody_has_thought_about_is_closed(instance: Any) -> None:
    unknown = sa.Table("diary", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("words", sa.Text))
    with instance.store.write() as connection:
        unknown.create(connection)
        connection.execute(unknown.insert().values(id=1, words="secreto"))
    with limit(instance.store, ["customer_care"]).write() as connection:
        for statement in (
            sa.select(unknown),
            sa.select(cases.c.id).where(cases.c.id.in_(sa.select(unknown.c.id))),
            sa.select(cases.c.id, sa.select(unknown.c.words).scalar_subquery()),
            unknown.insert().values(id=2),
            unknown.update().values(words=""),
            unknown.delete(),
        ):
            with pytest.raises(NotVisible):
                connection.execute(statement)
