"""Every role on every page, export and API call: nothing of another department is readable, refusals are logged."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from listener.errors import EscuchaError
from listener.query.parse import parse
from listener.query.search import search
from listener.store import authors, mentions, posts
from stakeholders.case import NotPossible, acknowledge, assign, close, dismiss, note, snooze
from stakeholders.digest import build
from stakeholders.export import export_case
from stakeholders.merging import merge
from stakeholders.period import week_name
from stakeholders.scope import NotVisible, limit
from stakeholders.store import case_mentions, cases, decisions
from stakeholders.viewer import Viewer

ROLES: dict[str, Viewer] = {
    "care": Viewer("Lucía", None, "member", frozenset({"customer_care"})),
    "people": Viewer("Rosa", None, "member", frozenset({"human_resources"})),
    "both": Viewer("Ana", None, "member", frozenset({"customer_care", "human_resources"})),
}
PAGES = ("inbox", "pulse", "sources", "accuracy", "letters", "exchanges")


def draw(name: str, folder: str, role: str, query: dict[str, str]) -> str:
    """Draw a page as a role sees it; give all that the page composed and every widget's words."""

    def page(name: str, folder: str, departments: list[str], who: str) -> None:
        from importlib import import_module
        from pathlib import Path

        from listener.config import load
        from listener.database import Store
        from stakeholders.pages.scene import Scene
        from stakeholders.viewer import Viewer

        config = load(Path(folder) / "config.toml", {}, secrets=False)
        viewer = Viewer(who, None, "member", frozenset(departments))  # type: ignore[arg-type]
        store = Store(config.store_url)
        import_module(f"stakeholders.pages.{name}").show(Scene(config, viewer.see(store), "en", who, viewer))
        store.close()

    viewer = ROLES[role]
    test = AppTest.from_function(
        page, default_timeout=60, args=(name, folder, sorted(viewer.departments or ()), viewer.name)
    )
    for key, value in query.items():
        test.query_params[key] = value
    test.run()
    assert not test.exception, (name, role, test.exception)
    return "\n".join(str(one.proto) for one in test.main) + "\n".join(str(one.proto.body) for one in test.get("html"))


def hidden_from(instance: Any, viewer: Viewer) -> set[str]:
    """Give the native ids of posts that this viewer may not see, worked out row by row."""
    own = viewer.departments or frozenset()
    shown: set[str] = set()
    every: set[str] = set()
    with instance.store.read() as connection:
        tables = (
            posts.join(mentions)
            .outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
            .outerjoin(case_mentions, case_mentions.c.mention_id == mentions.c.id)
            .outerjoin(cases, cases.c.id == case_mentions.c.case_id)
        )
        wanted = sa.select(
            posts.c.text, decisions.c.department, cases.c.department.label("holder"), cases.c.copies
        ).select_from(tables)
        for row in connection.execute(wanted):
            every.add(row.text)
            if row.department in own or row.holder in own or own & set(row.copies or ()):
                shown.add(row.text)
    return every - shown


def canaries(texts: set[str]) -> set[str]:
    """Give a stretch of each text that stands in no markup: five words without signs that HTML would change."""
    found = set()
    for text in texts:
        words = [word for word in text.split() if word.isalpha()]
        plain = [run for run in (" ".join(words[k : k + 4]) for k in range(len(words) - 3)) if run in text]
        found |= set(plain[:1])
    return found


@pytest.mark.parametrize("role", ROLES)
def test_no_page_shows_a_word_of_another_department(instance: Any, role: str) -> None:
    texts = canaries(hidden_from(instance, ROLES[role]))
    assert len(texts) >= 3
    for name in PAGES:
        shown = draw(name, str(instance.folder), role, {"days": "90", "status": "all"})
        assert [one for one in texts if one in shown] == [], name


@pytest.mark.parametrize("role", ROLES)
def test_a_case_of_another_department_reads_as_unknown_on_its_page(instance: Any, role: str) -> None:
    own = ROLES[role].departments or frozenset()
    with instance.store.read() as connection:
        rows = connection.execute(sa.select(cases.c.id, cases.c.department, cases.c.copies)).all()
    theirs = [row.id for row in rows if not own & {row.department, *row.copies}]
    ours = [row.id for row in rows if own & {row.department, *row.copies}]
    assert theirs
    assert ours
    for case_id in theirs[:3]:
        assert "There is no such case" in draw("case", str(instance.folder), role, {"id": str(case_id)})
    assert "There is no such case" not in draw("case", str(instance.folder), role, {"id": str(ours[0])})


@pytest.mark.parametrize("role", ROLES)
def test_no_export_search_or_step_reaches_another_departments_case(instance: Any, role: str) -> None:
    viewer = ROLES[role]
    own = viewer.departments or frozenset()
    with instance.store.read() as connection:
        rows = connection.execute(sa.select(cases.c.id, cases.c.department, cases.c.copies, cases.c.opened_at)).all()
        everything = connection.scalar(sa.select(sa.func.count()).select_from(cases))
    theirs = next(row for row in rows if not own & {row.department, *row.copies})
    ours = next(row for row in rows if own & {row.department, *row.copies})
    now = theirs.opened_at
    limited = limit(instance.store, own)
    with limited.read() as connection:
        for form in ("pdf", "json"):
            with pytest.raises(EscuchaError):
                export_case(connection, instance.config, theirs.id, form, now)  # type: ignore[arg-type]
            assert export_case(connection, instance.config, ours.id, form, now)  # type: ignore[arg-type]
        texts = {one.post.text for one in search(connection, parse("source:social"), limit=500).found}
        handles = set(connection.scalars(sa.select(authors.c.handle)))
    assert not texts & hidden_from(instance, viewer)
    with instance.store.read() as connection:
        assert handles < set(connection.scalars(sa.select(authors.c.handle)))
    with limited.write() as connection:
        for step in (
            lambda c: acknowledge(c, theirs.id, viewer.name, now),
            lambda c: assign(c, theirs.id, viewer.name, now, viewer.name),
            lambda c: note(c, theirs.id, viewer.name, now, "hola"),
            lambda c: close(c, theirs.id, viewer.name, now),
            lambda c: dismiss(c, theirs.id, viewer.name, now, "ruido"),
            lambda c: snooze(c, theirs.id, viewer.name, now, now.replace(year=now.year + 1)),
            lambda c: merge(c, ours.id, theirs.id, viewer.name, now),
        ):
            with pytest.raises(NotPossible):
                step(connection)
    with instance.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(cases)) == everything


def test_a_directors_letter_cannot_be_written_from_a_limited_view_with_more_than_its_own(instance: Any) -> None:
    viewer = ROLES["care"]
    with viewer.see(instance.store).read() as connection:
        texts = canaries(hidden_from(instance, viewer))
        now = connection.scalar(sa.select(sa.func.max(cases.c.opened_at)))
        built = str(build(connection, instance.config, week_name(now.date()), "nitido", "en", now))
    assert [one for one in texts if one in built] == []


def test_every_refusal_is_logged_and_quotes_nobody(instance: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), limit(instance.store, ["customer_care"]).read() as connection:
        for statement in (sa.text("SELECT text FROM post"), sa.select(sa.table("suppression"))):
            with pytest.raises(NotVisible):
                connection.execute(statement)
    assert caplog.text.count("limited to customer_care") == 2
