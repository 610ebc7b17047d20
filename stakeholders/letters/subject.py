"""Tell what an alert is about, so that it can be gathered, silenced and inhibited by the same words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions, posts, read_mention, select_mentions
from listener.tables.alerting import Label, Matchers
from sentiment.store import verdicts
from stakeholders.store import cases, decisions

__all__ = ["Subject", "case_subjects", "fits", "said", "shares", "subjects_of"]

K = TypeVar("K")

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Subject:
    """Hold what is known of the case behind an alert and of the post that it shows; None: not known."""

    case_id: int
    mention_id: int | None
    kind: str  # case | crisis
    status: str
    department: str  # who is told; for a copy not who answers
    brand: str
    priority: str
    stakeholder: str
    opened_at: datetime
    acknowledged_at: datetime | None
    merged: bool
    legal: bool  # a legal clock runs, or a regulator speaks
    source: str | None = None
    rule: str | None = None
    intent: str | None = None
    dimension: str | None = None
    cluster: int | None = None

    def label(self, name: Label) -> str:
        """Give what the subject is by one label; empty where it is not known."""
        if name == "case":
            return str(self.case_id)
        value = getattr(self, name)
        return "" if value is None else str(value)


def subjects_of(connection: Connection, rows: Iterable[sa.Row[Any]]) -> dict[int, Subject]:
    """Read what outbox rows are about, by the row's id; rows that belong to no case are left out."""
    told = [row for row in rows if row.case_id is not None]
    shown = {row.id: (row.payload or {}).get("mention_id") for row in told}
    found = case_subjects(connection, [(row.case_id, shown[row.id]) for row in told])
    subjects = {}
    for row in told:
        one = found.get((row.case_id, shown[row.id]))
        if one is not None:
            subjects[row.id] = replace(one, department=row.department or one.department)
    return subjects


def case_subjects(
    connection: Connection, pairs: Sequence[tuple[int, int | None]]
) -> dict[tuple[int, int | None], Subject]:
    """Read what cases are about, each with the mention that is shown of it; a case that is gone is left out."""
    held = {row.id: row for row in _in(connection, sa.select(cases), cases.c.id, {case for case, _ in pairs})}
    asked = (
        sa.select(
            mentions.c.id, mentions.c.source, decisions.c.rule, verdicts.c.intent, verdicts.c.dimension, posts.c.cluster
        )
        .select_from(mentions.join(posts, posts.c.id == mentions.c.post_id))
        .outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
        .outerjoin(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
    )
    said = {row.id: row for row in _in(connection, asked, mentions.c.id, {one for _, one in pairs if one is not None})}
    found = {}
    for case_id, mention_id in dict.fromkeys(pairs):
        case, mention = held.get(case_id), said.get(mention_id) if mention_id is not None else None
        if case is None:
            continue
        found[case_id, mention_id] = Subject(
            case_id=case.id,
            mention_id=mention_id,
            kind=case.kind,
            status=case.status,
            department=case.department,
            brand=case.brand,
            priority=case.priority,
            stakeholder=case.stakeholder,
            opened_at=case.opened_at,
            acknowledged_at=case.acknowledged_at,
            merged=case.merged_into is not None,
            legal=case.regulatory_due_at is not None or case.stakeholder == "regulator",
            **({} if mention is None else {name: getattr(mention, name) for name in _OF_THE_POST}),
        )
    return found


_OF_THE_POST = ("source", "rule", "intent", "dimension", "cluster")


def _in(connection: Connection, statement: sa.Select[Any], column: sa.Column[Any], ids: set[int]) -> Iterator[Any]:
    wanted = sorted(ids)
    for start in range(0, len(wanted), _CHUNK):
        yield from connection.execute(statement.where(column.in_(wanted[start : start + _CHUNK])))


def fits(matchers: Matchers, subject: Subject, *, source: bool = False) -> bool:
    """Tell whether a subject is meant by matchers, their query aside; what has a legal clock only when named so.

    `source` asks whether it may mute others, for which no clock is an obstacle.
    """
    if subject.legal and not source and not matchers.legal:
        return False
    named = ("kind", "department", "brand", "stakeholder", "priority", "source", "rule", "intent", "dimension")
    return all(not getattr(matchers, name) or getattr(subject, name) in getattr(matchers, name) for name in named)


def shares(one: Subject, other: Subject, labels: Iterable[Label]) -> bool:
    """Tell whether two subjects are the same by every one of the labels; what is not known is shared with nothing."""
    return all(one.label(name) == other.label(name) != "" for name in labels)


def said(connection: Connection, query: str, subjects: Mapping[K, Subject]) -> set[K]:
    """Give the keys of the subjects whose post fits a query; a query that cannot be read fits none."""
    from listener.query import QueryError
    from listener.query.match import Reading, compile_test, facts_of

    try:
        asked = _parse(query)
    except QueryError:
        return set()
    test = compile_test(asked.tree)
    wanted = {one.mention_id for one in subjects.values() if one.mention_id is not None}
    fitting = set()
    for row in _in(connection, select_mentions(), mentions.c.id, wanted):
        if test(Reading(facts_of(read_mention(row).post, (row.brand,)))):
            fitting.add(row.mention_id)
    return {key for key, one in subjects.items() if one.mention_id in fitting}


@lru_cache(maxsize=64)
def _parse(query: str) -> Any:
    from listener.query import parse

    return parse(query)
