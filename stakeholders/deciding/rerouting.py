"""Send open cases where today's rules lead, on a person's request: each in a commit of its own, kept in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store
from listener.store import mentions, read_mention, select_mentions
from listener.taxonomy import Department, Priority
from sentiment.store import read_verdict
from stakeholders.case import reroute
from stakeholders.casework.dossier import read_case
from stakeholders.casework.step import UNFINISHED, hold
from stakeholders.deciding.decision import Decision, read_decision, renew_decision
from stakeholders.deciding.facts import Case, Route
from stakeholders.deciding.priority import RANKS
from stakeholders.store import case_mentions, cases

if TYPE_CHECKING:
    from stakeholders.desk import Desk

__all__ = ["Move", "reroute_open"]

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Move:
    """Hold what today's rules make of one open case."""

    case_id: int
    department: tuple[Department, Department]  # before, after
    priority: tuple[Priority, Priority]
    copies: tuple[tuple[Department, ...], tuple[Department, ...]]
    rule: str
    told: int = 0  # new messages in the outbox
    moot: bool = False  # none of its posts needs an answer under today's rules: it stays, a person closes it


def reroute_open(
    store: Store,
    desk: Desk,
    who: str,
    now: datetime,
    days: int | None = None,
    dry: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Move]:
    """Yield every open case that today's rules send elsewhere, and move it unless `dry`; `days` limits by its opening.

    Killed anywhere, what was moved stays moved, and the next call goes on with the rest. A case of which no post needs
    an answer under today's rules stays where it is, since only a person closes it.
    """
    which = sa.and_(cases.c.status.in_(UNFINISHED), cases.c.kind == "case", cases.c.merged_into.is_(None))
    if days is not None:
        which = sa.and_(which, cases.c.opened_at >= now - timedelta(days=days))
    desk.warm()
    with store.read() as connection:
        whole = connection.scalar(sa.select(sa.func.count()).select_from(cases).where(which)) or 0
    last = done = 0
    while True:
        with store.read() as connection:
            query = sa.select(cases.c.id).where(which, cases.c.id > last).order_by(cases.c.id).limit(_BATCH)
            ids = list(connection.scalars(query))
        for case_id in ids:
            # A plan needs no lock; a move is decided again inside its own transaction.
            with store.read() if dry else store.write() as connection:
                move = _move(desk, connection, case_id, who, now, dry=dry)
            done += 1
            if progress is not None:
                progress(done, max(whole, done))
            if move is not None:
                yield move
        if len(ids) < _BATCH:
            return
        last = ids[-1]


def _move(desk: Desk, connection: Connection, case_id: int, who: str, now: datetime, *, dry: bool) -> Move | None:
    if not dry:
        desk.lock(connection)
        hold(connection, case_id)  # nobody closes it between the reading and the move
    case = read_case(connection, case_id)
    if case is None or case.status not in UNFINISHED:
        return None  # somebody finished it meanwhile
    found = list(_decide(desk, connection, case_id))
    needing = [(old, route) for old, route in found if route.opens_case]
    if not needing:
        return _plan(case, None, case.priority, moot=True) if found else None
    first = needing[0]
    urgent = min((route.priority for _, route in needing), key=RANKS.__getitem__)
    move = _plan(case, first[1], urgent)
    if (
        move.department[0] == move.department[1]
        and urgent == case.priority
        and set(move.copies[0]) == set(move.copies[1])
    ):
        return None
    if dry:
        return move
    for old, route in found:
        if route != old.route:
            renew_decision(connection, old, route, now)
    speaking = first[0].speaker.label.name
    moved = reroute(connection, desk.config.settings, case_id, first[1], speaking, urgent, who, now)  # type: ignore[arg-type]
    from stakeholders.alerts import queue_case

    told = queue_case(connection, desk.config, moved, first[0].mention_id, False, now)
    return _plan(case, first[1], urgent, told=told)


def _plan(case: Case, route: Route | None, priority: Priority, *, told: int = 0, moot: bool = False) -> Move:
    department = case.department if route is None else route.department
    copies = case.copies if route is None else route.copies
    rule = "" if route is None else route.rule
    moved = (case.department, department), (case.priority, priority), (case.copies, copies)
    return Move(case.id, *moved, rule, told, moot)


def _decide(desk: Desk, connection: Connection, case_id: int) -> Iterator[tuple[Decision, Route]]:
    """Decide the posts of a case anew, the one that opened it first; stored verdicts and speakers stand."""
    rows = connection.execute(
        select_mentions()
        .join(case_mentions, case_mentions.c.mention_id == mentions.c.id)
        .where(case_mentions.c.case_id == case_id)
        .order_by(mentions.c.id)
    ).all()
    # After a merge several posts once opened a case: the one that this case is named after leads.
    key = connection.scalar(sa.select(cases.c.key).where(cases.c.id == case_id))
    for row in sorted(rows, key=lambda row: f"mention:{row.mention_id}" != key):
        old, verdict = read_decision(connection, row.mention_id), read_verdict(connection, row.mention_id)
        if old is None or verdict is None or row.brand not in desk.brands:
            continue
        yield old, desk.decide(read_mention(row), verdict, old.speaker)[2]
