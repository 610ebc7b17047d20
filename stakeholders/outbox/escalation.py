"""Climb the chain while nobody acknowledges: each step of a department's escalation is told once, then the next.

Anything a person does with a case ends the climb: its status is then no longer "new". The level stands in the case and
in its history, so a restart climbs on where it was, and two processes never tell a step twice.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store, add_new
from listener.reason import N_, reason
from listener.tables.alertcheck import ON_DUTY
from listener.tables.alerting import EscalationStep
from listener.taxonomy import Department
from stakeholders.alerts import addresses_of, outbox_row
from stakeholders.case import PROGRAM, record
from stakeholders.casework.step import TAKEN_BACK
from stakeholders.channels import split_address
from stakeholders.clocks.worktime import due
from stakeholders.letters.subject import case_subjects
from stakeholders.outbox.grouping import enter
from stakeholders.outbox.rota import on_duty
from stakeholders.sla import hours_of
from stakeholders.store import alerts, case_mentions, cases, events

__all__ = ["escalate_due"]

log = logging.getLogger("escucha.stakeholders")

UNSEEN = N_("nobody has acknowledged this case: step {level} of the escalation of {department}")
_BEGINS = ("opened", "reopened", "woke")  # the clock of the chain starts with the last of these


def escalate_due(store: Store, config: Config, now: datetime) -> int:
    """Queue every step that is due at `now`, one commit a case; give how many steps were told.

    Steps that fell due while the program was away are told one after the other in this round.
    """
    chains = {name: table.escalation for name, table in config.settings.departments.items() if table.escalation}
    if not chains:
        return 0
    waits = sa.and_(cases.c.status == "new", cases.c.merged_into.is_(None), cases.c.department.in_(chains))
    with store.read() as connection:
        found = connection.execute(sa.select(cases.c.id, cases.c.department, cases.c.opened_at).where(waits)).all()
    # The last start may be later than the opening, never earlier: most cases are left out without asking for it.
    late = [row.id for row in found if chains[row.department][0].after <= now - row.opened_at]
    climbed = 0
    for case_id in late:
        with store.write() as connection:
            climbed += _climb(connection, config, case_id, now)
    if climbed:
        log.info("escalate: %d steps told", climbed)
    return climbed


def _climb(connection: Connection, config: Config, case_id: int, now: datetime) -> int:
    held = sa.select(cases).where(cases.c.id == case_id, cases.c.status == "new", cases.c.merged_into.is_(None))
    case = connection.execute(held.with_for_update()).one_or_none()
    table = config.settings.departments.get(case.department) if case is not None else None
    if case is None or table is None:
        return 0
    start, opening, level = _since(connection, case)
    told = 0
    for step in table.escalation[level:]:
        round_the_clock = (case.priority == "alert") if step.working is None else not step.working
        at = due(start, step.after, hours_of(config.settings, case.department), round_the_clock)
        if at > now:
            break
        level += 1
        told += 1
        _tell(connection, config, case, opening, level, step, now)
    if told or case.escalated != level:
        connection.execute(cases.update().where(cases.c.id == case.id).values(escalated=level))
    return told


def _since(connection: Connection, case: sa.Row[Any]) -> tuple[datetime, int, int]:
    """Tell when the chain of a case began, how often it was begun, and how far it was climbed since then."""
    rows = connection.execute(
        sa.select(events.c.at, events.c.what, events.c.after)
        .where(events.c.case_id == case.id, events.c.what.in_((*_BEGINS, "escalated")))
        .order_by(events.c.id)
    )
    start, opening, level = case.opened_at, 0, 0
    for row in rows:
        if row.what == "escalated":
            level += 1
        elif not (row.after or {}).get(TAKEN_BACK):  # a step that was undone was never taken: the climb goes on
            start, level = row.at, 0
            opening += 1
    return start, opening, level


def _tell(
    connection: Connection,
    config: Config,
    case: sa.Row[Any],
    opening: int,
    level: int,
    step: EscalationStep,
    now: datetime,
) -> None:
    department: Department = case.department
    mention_id = connection.scalar(
        sa.select(case_mentions.c.mention_id)
        .where(case_mentions.c.case_id == case.id)
        .order_by(case_mentions.c.mention_id.desc())
        .limit(1)
    )
    subject = case_subjects(connection, [(case.id, mention_id)])[case.id, mention_id]
    subject = replace(subject, department=department)
    rows = []
    readers = _readers(config, department, step.to, now)
    for channel, recipient in readers:
        about = f"{channel}:{recipient.casefold()}/{case.opened_at.timestamp():.3f}"
        key = f"escalated.{case.id}.{opening}.{level}.{hashlib.sha256(about.encode()).hexdigest()[:16]}"
        why = reason(UNSEEN, level=level, department=department)
        row = outbox_row(key, "escalated", channel, recipient, why, now)
        row |= {"case_id": case.id, "department": department, "level": level, "payload": {"mention_id": mention_id}}
        row["group_key"] = enter(connection, config, "escalated", channel, recipient, subject, now, now, level)
        rows.append(row)
    add_new(connection, alerts, rows, ("key",))
    before, after = {"level": level - 1}, {"level": level, "recipients": [recipient for _, recipient in readers]}
    record(connection, case.id, now, PROGRAM, "escalated", before, after)


def _readers(config: Config, department: Department, to: Sequence[str], now: datetime) -> list[tuple[str, str]]:
    """Give where a step is told; when nobody is on duty, the department's own addresses stand in."""
    found: list[tuple[str, str]] = []
    for address in to:
        if address != ON_DUTY:
            found.extend(split_address([address]))
            continue
        duty = on_duty(config.settings, department, now)
        found.extend(duty.addresses if duty is not None else addresses_of(config, department)[0])
    return list({(channel, recipient.casefold()): (channel, recipient) for channel, recipient in found}.values())
