"""Choose the posts whose check would teach most: those between two labels, spread over the labels that they got."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions, posts
from sentiment.store import verdicts
from stakeholders.store import case_mentions, cases, decisions

__all__ = ["Question", "list_questions"]

_NEWEST = 400  # cases that are looked through
_EACH = 3  # questions of which the program said the same


@dataclass(frozen=True, slots=True)
class Question:
    """Hold one post to check: its case, what the program said and came close to, and how near both were (0..1)."""

    case_id: int
    text: str
    brand: str
    said: str
    rival: str | None
    margin: float


def list_questions(connection: Connection, head: str, limit: int = 6) -> list[Question]:
    """List the posts of the newest cases whose label `head` nobody has checked, the least certain first.

    Least margin between the two likeliest labels (Scheffer, Decomain, Wrobel, "Active hidden Markov models for
    information extraction", IDA 2001), at most three of a label, so that one kind of doubt does not fill the list. Who
    speaks has no second label kept: there it is how sure the program was.
    """
    newest = sa.select(cases.c.id).order_by(cases.c.id.desc()).limit(_NEWEST).subquery()
    rows = connection.execute(
        sa.select(newest.c.id, decisions.c.mention_id, decisions.c.detail, verdicts.c.detail.label("judged"))
        .select_from(
            newest.join(case_mentions, case_mentions.c.case_id == newest.c.id)
            .join(decisions, decisions.c.mention_id == case_mentions.c.mention_id)
            .join(verdicts, sa.and_(verdicts.c.mention_id == decisions.c.mention_id, verdicts.c.current))
        )
        .where(case_mentions.c.how == "opened", verdicts.c.by == "model")
    )
    found: list[tuple[float, str, str | None, int, int]] = []
    for row in rows:
        if any(one.get("head") == head for one in row.detail.get("corrections", ())):
            continue
        label = row.detail.get("speaker") if head == "stakeholder" else row.judged.get(head)
        if isinstance(label, Mapping):
            found.append((*_doubt(label), row.id, row.mention_id))
    found.sort(key=lambda one: (one[0], -one[3]))
    chosen: list[tuple[float, str, str | None, int, int]] = []
    told = Counter[str]()
    for one in found:
        if len(chosen) < limit and told[one[1]] < _EACH:
            told[one[1]] += 1
            chosen.append(one)
    return _with_texts(connection, chosen)


def _doubt(label: Mapping[str, Any]) -> tuple[float, str, str | None]:
    """Give the margin of a label over the next, its name, and the next."""
    said, scores = str(label["is"]), label.get("scores") or {}
    others = sorted(((score, name) for name, score in scores.items() if name != said), reverse=True)
    if not others:
        return float(label["confidence"]), said, None
    return float(scores.get(said, label["confidence"])) - float(others[0][0]), said, str(others[0][1])


def _with_texts(connection: Connection, chosen: list[tuple[float, str, str | None, int, int]]) -> list[Question]:
    query = sa.select(mentions.c.id, mentions.c.brand, posts.c.text).join(posts, posts.c.id == mentions.c.post_id)
    rows = connection.execute(query.where(mentions.c.id.in_([one[4] for one in chosen])))
    texts = {row.id: (row.text, row.brand) for row in rows}
    return [
        Question(case_id, *texts[mention_id], said, rival, margin)
        for margin, said, rival, case_id, mention_id in chosen
        if mention_id in texts
    ]
