"""Keep the legal clock of a case: set by what its posts say, changed or dropped by a person, each in the history.

The program never overrules a person, never moves a running clock later, and a second call changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.reason import N_, reason, to_json
from listener.settings import Settings
from listener.store import mentions, posts, read_mention, select_mentions
from sentiment.store import read_verdict
from stakeholders.case import PROGRAM, NotPossible, record
from stakeholders.casework.dossier import Event, history
from stakeholders.deciding.decision import facts_of, read_decision
from stakeholders.deciding.facts import Facts
from stakeholders.regulation import RegulatoryClock, clock_of, clock_on, rules_of, told_by
from stakeholders.store import case_mentions, cases

__all__ = ["LegalLine", "choose", "legal_lines", "mark", "read_clock", "settle"]

_OVER = ("answered", "closed", "dismissed")


@dataclass(frozen=True, slots=True)
class LegalLine:
    """Hold one open case that the law has set a clock on."""

    case_id: int
    department: str
    brand: str
    rule: str
    resolve_by: datetime
    overdue: bool


def mark(
    connection: Connection, settings: Settings, case_id: int, mention_id: int, facts: Facts, now: datetime
) -> RegulatoryClock | None:
    """Set, replace or withdraw a case's legal clock after one of its mentions was decided; give what it set, if any.

    The clock counts from when the post was heard. What a person chose stays; of two posts the earlier clock counts; a
    corrected mention takes back only what it had set itself.
    """
    if not settings.sla.regulation and not settings.sla.rules:
        return None
    row = connection.execute(sa.select(cases).where(cases.c.id == case_id)).one_or_none()
    if row is None:
        return None
    clock = clock_of(facts, settings, _heard(connection, mention_id) or now)
    if clock is None and row.regulatory_rule is None:
        return None  # nearly every post: the history need not be asked
    last = _last(connection, case_id)
    if last is not None and last.who != PROGRAM:
        return None
    mine = last is not None and (last.after or {}).get("mention") == mention_id
    if clock is None:
        if mine and row.regulatory_rule is not None:
            _write(connection, row, None, PROGRAM, now, {"mention": mention_id, "rule": None})
        return None
    same = (row.regulatory_rule, row.regulatory_due_at) == (clock.rule, clock.resolve_by)
    later = row.regulatory_due_at is not None and not mine and row.regulatory_due_at <= clock.resolve_by
    if same or later:
        return None
    after = {"mention": mention_id, "rule": clock.rule, "because": to_json(clock.because)}
    _write(connection, row, clock, PROGRAM, now, after)
    return clock


def settle(connection: Connection, settings: Settings, case_id: int, now: datetime) -> None:
    """Set a case's legal clock to what the posts that stand in it now say, once some came or went; a person's stays."""
    if not settings.sla.regulation and not settings.sla.rules:
        return
    row = connection.execute(sa.select(cases).where(cases.c.id == case_id)).one_or_none()
    last = _last(connection, case_id)
    if row is None or (last is not None and last.who != PROGRAM):
        return
    clocks = []
    for mention_id, facts in _facts(connection, case_id):
        clock = clock_of(facts, settings, _heard(connection, mention_id) or now)
        if clock is not None:
            clocks.append((clock.resolve_by, mention_id, clock))
    _, mention, first = min(clocks, key=lambda one: one[:2], default=(None, None, None))
    if first is None and row.regulatory_rule is not None:
        gone = (last.after or {}).get("mention") if last is not None else None
        _write(connection, row, None, PROGRAM, now, {"mention": gone, "rule": None})
    elif first is not None and (row.regulatory_rule, row.regulatory_due_at) != (first.rule, first.resolve_by):
        after = {"mention": mention, "rule": first.rule, "because": to_json(first.because)}
        _write(connection, row, first, PROGRAM, now, after)


def _facts(connection: Connection, case_id: int) -> Iterator[tuple[int, Facts]]:
    """Give what is known of each post of a case that was judged and decided, by its mention."""
    mine = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == case_id)
    rows = connection.execute(select_mentions().where(mentions.c.id.in_(mine)).order_by(mentions.c.id)).all()
    for row in rows:
        decision, verdict = read_decision(connection, row.mention_id), read_verdict(connection, row.mention_id)
        if decision is not None and verdict is not None:
            yield row.mention_id, facts_of(read_mention(row), verdict, decision.speaker)


def _heard(connection: Connection, mention_id: int) -> datetime | None:
    heard = sa.select(posts.c.collected_at).join_from(mentions, posts).where(mentions.c.id == mention_id)
    return connection.scalar(heard)


def choose(
    connection: Connection, settings: Settings, case_id: int, rule_id: str | None, who: str, now: datetime
) -> RegulatoryClock | None:
    """Let a person choose another legal clock for a case, or none with None; it counts from the case's opening.

    Raises NotPossible for a case or a rule that is not there.
    """
    row = connection.execute(sa.select(cases).where(cases.c.id == case_id).with_for_update()).one_or_none()
    if row is None:
        raise NotPossible(reason(N_("There is no case {number}"), number=case_id))
    clock = None
    if rule_id is not None:
        rule = next((one for one in rules_of(settings) if one.id == rule_id), None)
        if rule is None:
            raise NotPossible(reason(N_("config.toml holds no legal clock «{quote_rule}»"), quote_rule=rule_id))
        clock = clock_on(rule, settings, row.opened_at)
    after = {"rule": rule_id} | ({"because": to_json(clock.because)} if clock is not None else {})
    _write(connection, row, clock, who, now, after)
    return clock


def read_clock(connection: Connection, settings: Settings, case_id: int) -> RegulatoryClock | None:
    """Read a case's legal clock with the reasons that were written when it was set; None when it has none."""
    from listener.reason import from_json

    row = connection.execute(
        sa.select(cases.c.regulatory_rule, cases.c.regulatory_due_at).where(cases.c.id == case_id)
    ).one_or_none()
    if row is None or row.regulatory_rule is None or row.regulatory_due_at is None:
        return None
    last = _last(connection, case_id)
    because = from_json((last.after or {}).get("because", ())) if last is not None else ()
    rule = next((one for one in rules_of(settings) if one.id == row.regulatory_rule), None)
    notify_by = told_by(rule, settings, row.regulatory_due_at) if rule is not None else None
    return RegulatoryClock(row.regulatory_rule, row.regulatory_due_at, notify_by, because)


def legal_lines(connection: Connection, brand: str | None, now: datetime, within: timedelta) -> list[LegalLine]:
    """List the open cases whose legal clock has run out or does within a span, the most urgent first."""
    query = (
        sa.select(cases.c.id, cases.c.department, cases.c.brand, cases.c.regulatory_rule, cases.c.regulatory_due_at)
        .where(
            cases.c.regulatory_due_at <= aware(now) + within,
            cases.c.answered_at.is_(None),
            cases.c.status.not_in(_OVER),
            sa.true() if brand is None else cases.c.brand == brand,
        )
        .order_by(cases.c.regulatory_due_at, cases.c.id)
    )
    return [
        LegalLine(
            row.id, row.department, row.brand, row.regulatory_rule, row.regulatory_due_at, row.regulatory_due_at < now
        )
        for row in connection.execute(query)
    ]


def _last(connection: Connection, case_id: int) -> Event | None:
    return next((one for one in reversed(history(connection, case_id)) if one.what == "clocked"), None)


def _write(
    connection: Connection,
    row: sa.Row[Any],
    clock: RegulatoryClock | None,
    who: str,
    now: datetime,
    after: dict[str, Any],
) -> None:
    values = {
        "regulatory_rule": clock.rule if clock is not None else None,
        "regulatory_due_at": clock.resolve_by if clock is not None else None,
    }
    connection.execute(cases.update().where(cases.c.id == row.id).values(**values))
    before = {"rule": row.regulatory_rule} if row.regulatory_rule is not None else None
    record(connection, row.id, now, who, "clocked", before, after)
