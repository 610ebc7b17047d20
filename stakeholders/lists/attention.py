"""Know what each person has seen of the cases, and who has one open now; no line of a case's history tells of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_or_update
from listener.mention import aware
from listener.store import clean
from stakeholders.store import presences, seen

__all__ = ["LINGERS", "Unread", "arrange", "look", "looking", "mark_seen", "unread"]

LINGERS = timedelta(seconds=60)  # without a sign for so long, nobody looks any more

Unread = Literal["new", "changed"]  # never opened by this person; changed since it was


def mark_seen(connection: Connection, who: str, versions: Mapping[int, int], now: datetime) -> None:
    """Keep that a person looked at these cases (id → version); nobody's look is kept without a name."""
    name = clean(who) or ""
    if name:
        at = aware(now)
        rows = [{"case_id": one, "who": name, "version": versions[one], "at": at} for one in sorted(versions)]
        add_or_update(connection, seen, rows, ("case_id", "who"))


def unread(connection: Connection, who: str, versions: Mapping[int, int]) -> dict[int, Unread]:
    """Tell which of these cases (id → version) a person has not seen as they are; without a name, none."""
    name = clean(who) or ""
    if not name or not versions:
        return {}
    wanted = sa.select(seen.c.case_id, seen.c.version).where(seen.c.who == name, seen.c.case_id.in_(list(versions)))
    known = {row.case_id: row.version for row in connection.execute(wanted)}
    found: dict[int, Unread] = {}
    for case_id, version in versions.items():
        if case_id not in known:
            found[case_id] = "new"
        elif known[case_id] < version:
            found[case_id] = "changed"
    return found


def look(connection: Connection, who: str, case_id: int, version: int, now: datetime) -> None:
    """Say that a person has a case open at this version: it is seen, and others are told for a minute."""
    name = clean(who) or ""
    if not name:
        return
    mark_seen(connection, name, {case_id: version}, now)
    # Where a person was is nobody's business: only the last minute is kept.
    old = sa.and_(presences.c.who == name, presences.c.at < aware(now) - LINGERS)
    connection.execute(presences.delete().where(old))
    row = {"case_id": case_id, "who": name, "at": aware(now)}
    add_or_update(connection, presences, [row], ("case_id", "who"))


def looking(connection: Connection, who: str, case_ids: Sequence[int], now: datetime) -> dict[int, tuple[str, ...]]:
    """Name who else has these cases open now, in order of name; cases that nobody else looks at are left out."""
    if not case_ids:
        return {}
    wanted = (
        sa.select(presences.c.case_id, presences.c.who)
        .where(presences.c.case_id.in_(list(case_ids)), presences.c.at >= aware(now) - LINGERS)
        .where(presences.c.who != (clean(who) or ""))
        .order_by(presences.c.who)
    )
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(wanted):
        found[row.case_id] = (*found.get(row.case_id, ()), row.who)
    return found


def arrange(shown: Sequence[int], fresh: Sequence[int]) -> tuple[tuple[int, ...], int]:
    """Keep rows where they stand: give the shown ones that are still there, then what follows them, and how many wait.

    `fresh` is the list as it is now, in its order. What would come between the rows that are shown waits until it is
    asked for; when nothing of the shown is left, all of the fresh list is shown.
    """
    places = {one: place for place, one in enumerate(fresh)}
    kept = [one for one in shown if one in places]
    if not kept:
        return tuple(fresh), 0
    last = max(places[one] for one in kept)
    waiting = last + 1 - len(kept)
    return (*kept, *fresh[last + 1 :]), waiting
