"""Measure the judges on what people of this instance corrected or confirmed; docs/figures.md says what that is worth.

What the program had said is the last verdict of the model, and for who speaks the label that stood before a person
changed it; what is right is the last thing that a person said of that label.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

import sentiment
from listener.store import mentions, posts
from sentiment.store import verdicts
from stakeholders.casework.correction import LABELS_OF
from stakeholders.deciding.decision import Correction, decision_from_row
from stakeholders.store import CORRECTED, case_mentions, decisions

__all__ = ["Checks", "Mistake", "checked_rows", "count_checks", "list_mistakes", "shipped_figures"]


@dataclass(frozen=True, slots=True)
class Checks:
    """Count what people checked: posts, and labels that they corrected or confirmed, in all and by label."""

    posts: int
    corrected: Mapping[str, int]
    confirmed: Mapping[str, int]
    engines: Mapping[str, int]  # posts by who had judged them, the most first


@dataclass(frozen=True, slots=True)
class Mistake:
    """Hold one mistake that people corrected: what was said, what is right, how often, in which cases (newest first).

    A post that stands in no case counts and names none.
    """

    head: str
    said: str
    gold: str
    count: int
    cases: tuple[int, ...]


def checked_rows(connection: Connection) -> list[dict[str, Any]]:
    """Read the posts of which people corrected or confirmed a label, as rows that sentiment.evaluate takes.

    Each holds `labels` (what is right) and `verdict` (what was said) of these labels alone, with `lang`, `source`,
    `mention`, `case` (None without one) and `engine`; neither text nor author.
    """
    judged = verdicts.alias()
    last = (
        sa.select(sa.func.max(judged.c.id))
        .where(judged.c.mention_id == decisions.c.mention_id, judged.c.by == "model")
        .scalar_subquery()
    )
    found = connection.execute(
        sa.select(
            decisions, mentions.c.source, posts.c.lang, verdicts.c.detail.label("judged"), verdicts.c.engine,
            case_mentions.c.case_id,
        )
        .select_from(
            decisions.join(mentions, mentions.c.id == decisions.c.mention_id)
            .join(posts, posts.c.id == mentions.c.post_id)
            .outerjoin(verdicts, verdicts.c.id == last)
            .outerjoin(case_mentions, case_mentions.c.mention_id == decisions.c.mention_id)
        )
        .where(sa.text(f"decision.{CORRECTED}"))  # as the partial index is written, so that it serves
        .order_by(decisions.c.mention_id)
    )  # fmt: skip
    return [_row(row) for row in found]


def _row(row: sa.Row[Any]) -> dict[str, Any]:
    labels: dict[str, str] = {}
    said: dict[str, dict[str, Any]] = {}
    for one in decision_from_row(row).corrections:
        if one.head not in said:  # later ones changed what a person had said
            said[one.head] = _said(one, row.judged or {})
        labels[one.head] = one.after
    return {
        "mention": row.mention_id,
        "case": row.case_id,
        "engine": row.engine,
        "source": row.source,
        "lang": row.lang,
        "labels": {head: labels[head] for head in LABELS_OF if head in labels},
        "verdict": said,
    }


def _said(first: Correction, judged: Mapping[str, Any]) -> dict[str, Any]:
    if first.head != "stakeholder" and first.head in judged:
        return dict(judged[first.head])
    return {"is": first.before, "confidence": first.confidence, "unsure": first.unsure}


def count_checks(rows: Iterable[Mapping[str, Any]]) -> Checks:
    """Count the labels that people corrected (what is right was not said) and confirmed (it was)."""
    number, engines = 0, Counter[str]()
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for row in rows:
        number += 1
        if row["engine"]:
            engines[row["engine"]] += 1
        for head, said, gold in _answers(row):
            counts[said == gold][head] += 1
    return Checks(number, counts[False], counts[True], dict(engines.most_common()))


def list_mistakes(rows: Sequence[Mapping[str, Any]], limit: int = 12) -> list[Mistake]:
    """List the mistakes that people corrected, the most frequent first."""
    found: dict[tuple[str, str, str], list[int | None]] = {}
    for row in rows:
        for head, said, gold in _answers(row):
            if said != gold:
                found.setdefault((head, said, gold), []).append(row["case"])
    told = [
        Mistake(*key, len(cases), tuple(sorted({case for case in cases if case is not None}, reverse=True)))
        for key, cases in found.items()
    ]
    order = list(LABELS_OF)
    return sorted(told, key=lambda one: (-one.count, order.index(one.head), one.said, one.gold))[:limit]


def _answers(row: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for head, gold in row["labels"].items():
        yield head, str(row["verdict"][head]["is"]), gold


def shipped_figures(folder: Path | None = None) -> Mapping[str, Mapping[str, Any]]:
    """Read what the shipped model reached on held-out posts, by head; nothing where the file is absent or damaged."""
    path = (folder or Path(sentiment.__file__).parent / "model") / "figures.json"
    try:
        return _figures(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return {}


@lru_cache(maxsize=2)
def _figures(path: Path, changed: int) -> Mapping[str, Mapping[str, Any]]:  # noqa: ARG001 - it names the version
    read = json.loads(path.read_text("utf-8"))
    test = read.get("test") if isinstance(read, dict) else None
    heads = test if isinstance(test, dict) else {}
    wanted = ("macro_f1", "accuracy", "items")
    return {
        head: told
        for head, told in heads.items()
        if isinstance(told, dict) and all(isinstance(told.get(name), (int, float)) for name in wanted)
    }
