"""Open one crisis case for a harmful spike of ours, tell it, and say which mentions and cases are part of it.

A mention stands in one case: those that have a case of their own keep it, since each author is owed an answer; they
are members of the crisis by brand and time. Only what stands in no case is put into the crisis case itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_new
from listener.reason import N_, Reason, from_json, reason, to_json
from listener.store import authors, mentions, posts
from listener.taxonomy import DEPARTMENTS, STAKEHOLDERS, Department, Stakeholder
from sentiment.store import verdicts
from stakeholders.case import PROGRAM, read_case, record
from stakeholders.counting.counts import counted
from stakeholders.deciding.priority import RANKS
from stakeholders.sla import due_at
from stakeholders.spikes.drivers import HARMFUL
from stakeholders.store import alerts, case_mentions, cases, decisions
from stakeholders.store import spikes as table

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.spikes.spike import Spike

__all__ = ["Members", "crisis_of", "is_crisis", "members_of", "note_end", "reasons_of", "settle_crisis"]

HOW = "spike"  # how a mention without a case of its own came into the crisis case
ENDED = N_("the rise was over at {quote_time}; the case stays open until somebody closes it")
_MOST = 2000  # mentions put into a case in one cycle
_OVER = ("closed", "dismissed")


@dataclass(frozen=True, slots=True)
class Members:
    """Count what a crisis consists of; `cases` are the ids of the single cases that it speaks for, oldest first."""

    mentions: int
    harmful: int
    people: int
    cases: tuple[int, ...]


def is_crisis(config: Config, spike: Spike) -> bool:
    """Tell whether a spike harms: its measure is harm, or enough of what is said complains or harms."""
    if spike.measure == "negative":
        return True
    return spike.harmful >= config.settings.spikes.harm * max(1, spike.observed)


def settle_crisis(connection: Connection, config: Config, current: Sequence[Spike], now: datetime) -> int | None:
    """Open the crisis case of the spikes that are on for one brand, or go on with theirs; give its id, None without.

    In the caller's transaction. The case's key is the brand and the hour of the onset, so it is opened once; what a
    person closed or dismissed stays so.
    """
    if not config.settings.spikes.crisis:
        return None
    case_id = next((one.case_id for one in current if one.case_id is not None), None)
    harmful = [one for one in current if is_crisis(config, one)]
    if case_id is None:
        if not harmful:
            return None
        # The larger one tells more of what happens.
        first = max(harmful, key=lambda one: (one.observed, one.measure == "all"))
        case_id = _open(connection, config, first, min(one.onset for one in harmful), now)
        if case_id is None:
            return None
    ours = [one.id for one in current if one.case_id is None and (one in harmful or one.measure == "all")]
    if ours:
        connection.execute(table.update().where(table.c.id.in_(ours)).values(case_id=case_id))
    _gather(connection, case_id, now)
    return case_id


def _open(connection: Connection, config: Config, spike: Spike, onset: datetime, now: datetime) -> int | None:
    hour = int(onset.timestamp() // 3600)
    shown = _shown(connection, spike.brand, hour)
    if shown is None:
        return None  # nothing of it is decided yet; the next cycle opens it
    department: Department = "communications"
    if spike.department in DEPARTMENTS:
        department = next(one for one in DEPARTMENTS if one == spike.department)
    elif spike.intent == "outage_report":
        department = "network_quality"
    stakeholder: Stakeholder = next((one for one in STAKEHOLDERS if one == spike.stakeholder), "public")
    row = {
        "key": f"crisis:{spike.brand}:{hour}",
        "brand": spike.brand,
        "department": department,
        "copies": [] if department == "communications" else ["communications"],
        "priority": "alert",
        "rank": RANKS["alert"],
        "stakeholder": stakeholder,
        "status": "new",
        "kind": "crisis",
        "opened_at": now,
        "due_at": due_at("alert", department, config.settings, now, stakeholder),
        "version": 1,
    }
    made = add_new(connection, cases, [row], ("key",))
    case_id = int(connection.execute(sa.select(cases.c.id).where(cases.c.key == row["key"])).scalar_one())
    if not made:
        return case_id
    line = {"mention_id": shown, "case_id": case_id, "how": "opened"}
    add_new(connection, case_mentions, [line], ("mention_id",))  # not when it stands in a case of its own
    after = {"mention": shown, "department": department, "priority": "alert", "rule": HOW}
    record(connection, case_id, now, PROGRAM, "opened", after=after)
    for one in spike.because:
        record(connection, case_id, now, PROGRAM, "note", after={"note": to_json([one])[0]})
    _tell(connection, config, case_id, shown, spike.because, now)
    return case_id


def _tell(
    connection: Connection,
    config: Config,
    case_id: int,
    shown: int,
    because: Sequence[Reason],
    now: datetime,
) -> None:
    """Queue the alerts as for any case; what they give as the reason is the rise."""
    from stakeholders.alerts import queue_case
    from stakeholders.letters.letter import ANSWERS

    case = read_case(connection, case_id)
    if case is None:
        return
    queue_case(connection, config, case, shown, False, now)
    told = sa.select(alerts.c.id, alerts.c.reason).where(alerts.c.case_id == case_id, alerts.c.state == "pending")
    for row in connection.execute(told).all():
        if because and row.reason["sentence"] == ANSWERS:
            connection.execute(alerts.update().where(alerts.c.id == row.id).values(reason=to_json(because)[0]))


def _part(brand: str, hour: int, end: datetime | None) -> sa.ColumnElement[bool]:
    """Give the condition for a brand's mentions from an hour on."""
    found = sa.and_(mentions.c.brand == brand, mentions.c.hour >= hour)
    return found if end is None else sa.and_(found, mentions.c.published_at < end)


_HARMS = sa.or_(verdicts.c.sentiment == "negative", verdicts.c.intent.in_(HARMFUL))


def _shown(connection: Connection, brand: str, hour: int) -> int | None:
    """Give the harmful mention with the largest reach: what a message about the crisis quotes."""
    query = (
        sa.select(mentions.c.id)
        .select_from(
            counted()
            .join(posts, posts.c.id == mentions.c.post_id)
            .join(decisions, decisions.c.mention_id == mentions.c.id)
            .outerjoin(authors, authors.c.id == posts.c.author_id)
        )
        .where(_part(brand, hour, None), _HARMS, decisions.c.rule != "own account")
        .order_by(sa.func.coalesce(authors.c.followers, -1).desc(), mentions.c.id)
        .limit(1)
    )
    return connection.scalar(query)


def _gather(connection: Connection, case_id: int, now: datetime) -> None:
    """Put the harmful mentions that stand in no case into the crisis case, each with its line in the history."""
    case = connection.execute(sa.select(cases).where(cases.c.id == case_id)).one()
    if case.status in _OVER or case.merged_into is not None:
        return
    rows = connection.execute(sa.select(table.c.hour, table.c.ended_at).where(table.c.case_id == case_id)).all()
    hour = min(row.hour for row in rows)
    free = (
        sa.select(mentions.c.id)
        .select_from(
            counted()
            .join(decisions, decisions.c.mention_id == mentions.c.id)
            .outerjoin(case_mentions, case_mentions.c.mention_id == mentions.c.id)
        )
        .where(_part(case.brand, hour, None), _HARMS, case_mentions.c.case_id.is_(None))
        .where(decisions.c.rule != "own account")
        .order_by(mentions.c.id)
        .limit(_MOST)
    )
    ids = connection.scalars(free).all()
    held = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == case_id).limit(1)
    empty = connection.scalar(held) is None
    made = [
        {"mention_id": one, "case_id": case_id, "how": "opened" if empty and place == 0 else HOW}
        for place, one in enumerate(ids)
    ]
    for row in add_new(connection, case_mentions, made, ("mention_id",)):
        record(connection, case_id, now, PROGRAM, "joined", after={"mention": row.mention_id, "how": HOW})


def note_end(connection: Connection, config: Config, case_id: int, brand: str, ended: datetime, now: datetime) -> None:
    """Write into a crisis case's history that the rise is over, once all its spikes are."""
    on = sa.select(table.c.id).where(table.c.case_id == case_id, table.c.ended_at.is_(None), table.c.brand == brand)
    if connection.scalar(on.limit(1)) is None:
        local = ended.astimezone(config.zone)
        why = reason(ENDED, quote_time=f"{local:%Y-%m-%d %H:%M}")
        record(connection, case_id, now, PROGRAM, "note", after={"note": to_json([why])[0]})


def crisis_of(connection: Connection, mention_id: int) -> int | None:
    """Give the open crisis case that a mention is part of: the same brand, said while the spike was on; None without.

    This is what an inhibition of single alerts asks ([[inhibit]]).
    """
    one = connection.execute(
        sa.select(mentions.c.brand, mentions.c.hour, mentions.c.published_at).where(mentions.c.id == mention_id)
    ).one_or_none()
    if one is None:
        return None
    query = (
        sa.select(cases.c.id)
        .join(table, table.c.case_id == cases.c.id)
        .where(table.c.brand == one.brand, table.c.hour <= one.hour, cases.c.status.not_in(_OVER))
        .where(sa.or_(table.c.ended_at.is_(None), table.c.ended_at > one.published_at), cases.c.merged_into.is_(None))
        .order_by(table.c.hour.desc())
        .limit(1)
    )
    return connection.scalar(query)


def members_of(connection: Connection, case_id: int) -> Members | None:
    """Count the mentions of a crisis and name the single cases among them; None when the case is no crisis."""
    rows = connection.execute(sa.select(table).where(table.c.case_id == case_id)).all()
    if not rows:
        return None
    ended = None if any(row.ended_at is None for row in rows) else max(row.ended_at for row in rows)
    part = _part(rows[0].brand, min(row.hour for row in rows), ended)
    tables = counted().join(posts, posts.c.id == mentions.c.post_id)
    told: Any = connection.execute(
        sa.select(
            sa.func.count().label("mentions"),
            sa.func.count().filter(_HARMS).label("harmful"),
            sa.func.count(posts.c.author_id.distinct()).label("people"),
        )
        .select_from(tables)
        .where(part)
    ).one()
    single = (
        sa.select(cases.c.id)
        .select_from(
            counted()
            .join(case_mentions, case_mentions.c.mention_id == mentions.c.id)
            .join(cases, cases.c.id == case_mentions.c.case_id)
        )
        .where(part, _HARMS, cases.c.kind == "case", cases.c.merged_into.is_(None))
        .distinct()
        .order_by(cases.c.id)
    )
    return Members(told.mentions, told.harmful, told.people, tuple(connection.scalars(single)))


def reasons_of(connection: Connection, case_id: int) -> tuple[Reason, ...]:
    """Give why a crisis case was opened: the parts of its largest spike's sentence, for `outbreak.say_cause`."""
    query = sa.select(table.c.cause).where(table.c.case_id == case_id).order_by(table.c.observed.desc(), table.c.id)
    cause = connection.scalar(query.limit(1))
    return from_json((cause or {}).get("parts", ()))
