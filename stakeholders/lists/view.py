"""Keep views of the inbox under a name, for oneself or for everybody; a view is nothing but the address of a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlencode

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.reason import N_, reason
from listener.store import clean
from stakeholders.casework.step import NotPossible
from stakeholders.inbox import NOBODY, Filters
from stakeholders.store import saved_views

__all__ = ["MOST", "SavedView", "list_views", "read_filters", "remove_view", "save_view", "usual_views"]

MOST = 30  # views of one person
_LONGEST = 60  # characters of a name


@dataclass(frozen=True, slots=True)
class SavedView:
    """Hold a view that somebody named."""

    id: int
    owner: str
    name: str
    query: str
    shared: bool

    def filters(self, zone: str = "UTC") -> Filters:
        """Read what the view shows; days of its search are those of the zone."""
        return read_filters(self.query, zone)


def read_filters(query: str, zone: str = "UTC") -> Filters:
    """Read filters from the query part of an address; what nobody knows is left out."""
    return Filters.from_query(parse_qs(query), zone)


def usual_views(who: str) -> tuple[tuple[str, Filters], ...]:
    """Give the views that everybody needs, each with a sentence of the catalogue; "mine" only with a name."""
    views = [(N_("Urgent"), Filters(priority=("alert",)))]
    if who:
        views.append((N_("Mine"), Filters(owner=who)))
    views += [
        (N_("Unassigned"), Filters(owner=NOBODY)),
        (N_("Overdue"), Filters(overdue=True)),
        (N_("Press and regulators"), Filters(stakeholder=("regulator", "government", "press"))),
        (N_("Snoozed"), Filters(status="snoozed")),
        (N_("Noise"), Filters(status="dismissed")),
    ]
    return tuple(views)


def list_views(connection: Connection, who: str) -> tuple[SavedView, ...]:
    """List the views of a person and those that others share, one's own first, by name."""
    mine = saved_views.c.owner == who if who else sa.false()
    wanted = sa.select(saved_views).where(sa.or_(mine, saved_views.c.shared)).order_by(saved_views.c.name)
    found = [SavedView(row.id, row.owner, row.name, row.query, row.shared) for row in connection.execute(wanted)]
    return tuple(sorted(found, key=lambda one: (one.owner != who, one.name.casefold())))


def save_view(
    connection: Connection, who: str, name: str, filters: Filters, now: datetime, *, shared: bool = False
) -> SavedView:
    """Keep filters under a name; a view of one's own with that name is replaced. Raises NotPossible without a name."""
    owner, title = clean(who) or "", " ".join((clean(name) or "").split())[:_LONGEST]
    if not owner:
        raise NotPossible(reason(N_("Say who you are first: a view belongs to a person")))
    if not title:
        raise NotPossible(reason(N_("Give the view a name")))
    if filters == Filters():
        raise NotPossible(reason(N_("Choose a filter or a search first: this is the whole inbox")))
    own = saved_views.c.owner == owner
    held = {row.name: row.id for row in connection.execute(sa.select(saved_views.c.name, saved_views.c.id).where(own))}
    if title not in held and len(held) >= MOST:
        raise NotPossible(reason(N_("You have {count} views already: remove one first"), count=MOST))
    query = urlencode(sorted(filters.to_query().items()), doseq=True)
    values = {"query": query, "shared": shared}
    if title in held:
        connection.execute(saved_views.update().where(saved_views.c.id == held[title]).values(**values))
        return SavedView(held[title], owner, title, query, shared)
    row = saved_views.insert().values(owner=owner, name=title, created_at=aware(now), **values)
    number = connection.execute(row.returning(saved_views.c.id)).scalar_one()
    return SavedView(number, owner, title, query, shared)


def remove_view(connection: Connection, who: str, view_id: int) -> bool:
    """Forget a view of one's own; False when it is gone already or belongs to another person."""
    mine = sa.and_(saved_views.c.id == view_id, saved_views.c.owner == (clean(who) or ""))
    return connection.execute(saved_views.delete().where(mine)).rowcount > 0
