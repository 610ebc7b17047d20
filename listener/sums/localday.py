"""Keep in which zone sums by day are cut, and from which hour on which shift holds: triggers know no zone themselves.

A zone's rules change by law, so the shifts are written out hour by hour into a table that SQL can read, from 2000 to
2039; what lies outside is read from hours instead. Source of the shifts: the IANA time zones (PEP 615).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import metadata

__all__ = ["FIRST_HOUR", "LAST_HOUR", "UTC_ZONE", "day_sql", "kept_zone", "shifts_of", "write_zone", "zones"]

UTC_ZONE = "UTC"  # until somebody says otherwise
FIRST_HOUR = int(datetime(2000, 1, 2, tzinfo=UTC).timestamp()) // 3600
LAST_HOUR = int(datetime(2039, 12, 31, tzinfo=UTC).timestamp()) // 3600
_EVER = -(2**31)  # the first shift holds for all that is older

zones = sa.Table(
    "rollup_zone",
    metadata,
    sa.Column("first_hour", sa.BigInteger, primary_key=True, autoincrement=False),  # UTC, since 1970
    sa.Column("seconds", sa.Integer, nullable=False),  # local time is UTC and so much
    sa.Column("zone", sa.Text, nullable=False),
)

_known: WeakKeyDictionary[Connection, str] = WeakKeyDictionary()  # a page asks for a dozen figures on one connection


def day_sql(hour: str) -> str:
    """Give the SQL of the local day, since 1970, in which a UTC hour begins; `hour` is a column or an expression."""
    shift = f"SELECT z.seconds FROM rollup_zone z WHERE z.first_hour <= {hour} ORDER BY z.first_hour DESC LIMIT 1"  # noqa: S608 - constants of the program
    return f"(({hour} * CAST(3600 AS BIGINT) + ({shift})) / 86400)"


def kept_zone(connection: Connection) -> str:
    """Give the key of the zone by which days are kept."""
    known = _known.get(connection)
    if known is None:
        known = connection.scalar(sa.select(zones.c.zone).where(zones.c.first_hour == _EVER)) or ""
        _known[connection] = known
    return known


def write_zone(connection: Connection, zone: ZoneInfo) -> bool:
    """Write the shifts of a zone in place of the last ones, in the caller's transaction; tell whether they differ."""
    wanted = [(hour, seconds, str(zone)) for hour, seconds in shifts_of(zone)]
    known = connection.execute(
        sa.select(zones.c.first_hour, zones.c.seconds, zones.c.zone).order_by(zones.c.first_hour)
    )
    if [tuple(row) for row in known] == wanted:
        return False
    _known.pop(connection, None)
    connection.execute(zones.delete())
    names = ("first_hour", "seconds", "zone")
    connection.execute(zones.insert(), [dict(zip(names, row, strict=True)) for row in wanted])
    return True


@lru_cache(maxsize=8)
def shifts_of(zone: ZoneInfo) -> Sequence[tuple[int, int]]:
    """Give each first UTC hour, since 1970, and the seconds by which local time is ahead of UTC from then on."""
    found = [(_EVER, _shift(zone, FIRST_HOUR))]
    hour = FIRST_HOUR
    while hour < LAST_HOUR:
        after = min(hour + 7 * 24, LAST_HOUR)  # no zone changes twice within a week and comes back
        for step in range(hour + 1, after + 1) if _shift(zone, after) != found[-1][1] else ():
            if (seconds := _shift(zone, step)) != found[-1][1]:
                found.append((step, seconds))
        hour = after
    return tuple(found)


def _shift(zone: ZoneInfo, hour: int) -> int:
    moment = datetime.fromtimestamp(hour * 3600, UTC)
    return int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())
