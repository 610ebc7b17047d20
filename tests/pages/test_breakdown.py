"""Parts of a label's accuracy add up to the whole, and what to check next is what the program wavers on most."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from listener.store import mentions, posts
from sentiment.interval import wilson
from stakeholders.casework.correction import confirm
from stakeholders.counting.breakdown import FEWEST, break_down
from stakeholders.counting.lesson import list_questions
from stakeholders.desk import Desk

VALUES = ("negative", "neutral", "positive")
ITEMS = st.lists(
    st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES), st.sampled_from(("es", None)), st.sampled_from("ab"))
)


def _rows(items: list[tuple[str, str, str | None, str]]) -> list[dict[str, Any]]:
    return [
        {"labels": {"sentiment": gold}, "verdict": {"sentiment": {"is": said}}, "lang": lang, "source": source}
        for said, gold, lang, source in items
    ]


@given(ITEMS)
def test_the_parts_of_every_cut_add_up_to_all_items_and_all_right_ones(
    items: list[tuple[str, str, str | None, str]],
) -> None:
    found = break_down([*_rows(items), {"labels": {}, "verdict": {}, "lang": "es", "source": "a"}], "sentiment")
    assert set(found) == ({"said", "gold", "lang", "source"} if items else set())
    for parts in found.values():
        assert sum(part.items for part in parts) == len(items)
        assert sum(part.right for part in parts) == sum(said == gold for said, gold, *_ in items)
        assert [part.items for part in parts] == sorted((part.items for part in parts), reverse=True)
        for part in parts:
            assert part.interval == (wilson(part.right, part.items) if part.items >= FEWEST else None)
    said = Counter(said for said, *_ in items)
    assert {part.name: part.items for part in found.get("said", [])} == dict(said)


def test_the_least_certain_come_first_three_of_a_label_and_none_that_was_checked(tmp_path: Path, filled: Any) -> None:
    made = filled(tmp_path, more=6)
    with made.store.read() as connection:
        found = list_questions(connection, "sentiment", limit=20)
        chip = sa.select(mentions.c.id).join(posts).where(posts.c.native_id == "p2")
        doubtful = int(connection.scalars(chip).first() or 0)
    assert [one.margin for one in found] == sorted(one.margin for one in found)
    assert found[0].said == "neutral"
    assert "chip" in found[0].text
    assert max(Counter(one.said for one in found).values()) == 3
    with made.store.write() as connection:
        confirm(Desk(made.config), connection, doubtful, "sentiment", "Ana Flores", datetime.now(UTC))
    with made.store.read() as connection:
        assert "chip" not in list_questions(connection, "sentiment")[0].text
        assert any("chip" in one.text for one in list_questions(connection, "intent", limit=20))
        assert len(list_questions(connection, "stakeholder", limit=2)) == 2
    made.store.close()
