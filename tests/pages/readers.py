"""Give readers of every role, draw a page as one of them sees it, and leave words of its own in every case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from listener.store import mentions, posts
from stakeholders.case import assign, note
from stakeholders.casework.draft import write
from stakeholders.store import case_mentions, cases, decisions
from stakeholders.viewer import Viewer

MEMBERS: dict[str, Viewer] = {
    "care": Viewer("Lucía", None, "member", frozenset({"customer_care"})),
    "people": Viewer("Rosa", None, "member", frozenset({"human_resources"})),
    "both": Viewer("Ana", None, "member", frozenset({"customer_care", "human_resources"})),
    "idle": Viewer("Iván", None, "member", frozenset({"sustainability"})),  # a department that has no case
}
DIRECTOR = Viewer("Renzo", None, "director")


def draw(name: str, folder: str, viewer: Viewer, query: dict[str, str]) -> str:
    """Draw a page as a reader sees it; give all that the page composed, every widget's words and every chart's data."""

    def page(name: str, folder: str, role: str, departments: list[str] | None, who: str) -> None:
        from importlib import import_module
        from pathlib import Path

        from listener.config import load
        from listener.database import Store
        from stakeholders.pages.scene import Scene
        from stakeholders.viewer import Viewer

        config = load(Path(folder) / "config.toml", {}, secrets=False)
        own = None if departments is None else frozenset(departments)
        viewer = Viewer(who, None, role, own)  # type: ignore[arg-type]
        store = Store(config.store_url)
        import_module(f"stakeholders.pages.{name}").show(Scene(config, viewer.see(store), "en", who, viewer))
        store.close()

    own = None if viewer.departments is None else sorted(viewer.departments)
    test = AppTest.from_function(page, default_timeout=60, args=(name, folder, viewer.role, own, viewer.name))
    for key, value in query.items():
        test.query_params[key] = value
    test.run()
    assert not test.exception, (name, viewer, test.exception)
    # The raw protobuf: a chart's rows and a table's cells are in it too.
    return "\n".join(str(one.proto) for one in test.main) + "\n".join(str(one.proto.body) for one in test.get("html"))


def visible_cases(instance: Any, viewer: Viewer) -> tuple[list[int], list[int]]:
    """Give the numbers of the cases that a reader may see and of those it may not, worked out row by row."""
    with instance.store.read() as connection:
        rows = connection.execute(sa.select(cases.c.id, cases.c.department, cases.c.copies).order_by(cases.c.id)).all()
    own = viewer.departments
    ours = [row.id for row in rows if own is None or own & {row.department, *row.copies}]
    return ours, [row.id for row in rows if row.id not in ours]


def hidden_from(instance: Any, viewer: Viewer) -> set[str]:
    """Give the texts of posts that this reader may not see, worked out row by row."""
    own = viewer.departments
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
            if own is None or row.department in own or row.holder in own or own & set(row.copies or ()):
                shown.add(row.text)
    return every - shown


def canaries(texts: set[str]) -> set[str]:
    """Give a stretch of each text that stands in no markup: four words without signs that HTML would change."""
    found = set()
    for text in texts:
        words = [word for word in text.split() if word.isalpha()]
        plain = [run for run in (" ".join(words[k : k + 4]) for k in range(len(words) - 3)) if run in text]
        found |= set(plain[:1])
    return found


def plant(instance: Any, now: datetime) -> dict[int, str]:
    """Leave a word of its own in each case: a note, a draft, its owner; give the words by the cases' numbers."""
    words: dict[int, str] = {}
    with instance.store.write() as connection:
        for row in connection.execute(sa.select(cases.c.id, cases.c.status)).all():
            words[row.id] = f"canario{row.id}canario"
            note(connection, row.id, f"{words[row.id]}-quien", now, f"{words[row.id]}-nota")
            assign(connection, row.id, f"{words[row.id]}-quien", now, f"{words[row.id]}-dueno")
            write(connection, row.id, "Ana", now, f"{words[row.id]}-borrador", "es")
    return words
