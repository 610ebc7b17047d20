"""Limit a store to what some departments may see: their cases and those copied to them, and what belongs to these.

The limit is put into every statement where it leaves for the database (Store.guarded_by), as row-level security would:
each table of `_SEEN` is read through its visible rows, wherever it stands in a query. A table that is named in none of
the two lists below cannot be read at all, so that a new one is closed until somebody has thought about it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.sql import visitors

from listener.database import Store
from listener.errors import EscuchaError
from listener.store import authors, mentions, posts, quarantine
from listener.taxonomy import Department
from sentiment.store import verdicts
from stakeholders.store import (
    alerts,
    case_mentions,
    cases,
    decisions,
    digests,
    drafts,
    events,
    presences,
    saved_views,
    seen,
    spikes,
    spoken,
)

__all__ = ["OPEN_TABLES", "NotVisible", "Scope", "limit", "tell_hidden"]

log = logging.getLogger(__name__)

_WORDS = frozenset({"post_words", "case_words"})  # full-text indexes
# Nothing of a person, a post or a case stands in these; pages of sources and silences need them.
_HIDDEN: dict[sa.Table, frozenset[str]] = {quarantine: frozenset({"body"})}  # counted by all, read by none
OPEN_TABLES = frozenset(
    {
        "alembic_version",
        "cursor",
        "hole",
        "job",
        "post_place",
        "run",
        "run_habit",
        "run_pause",
        "silence",
        "spending",
        "tombstone",
    }
)


class NotVisible(EscuchaError):
    """Say that a statement asks for something that this view may not read or change; no value stands in the words."""


@dataclass(frozen=True)
class Scope:
    """Name the departments whose work may be seen."""

    departments: frozenset[Department]

    @cached_property
    def _case(self) -> sa.ColumnElement[bool]:
        copied = [cases.c.copies.cast(sa.Text).contains(f'"{name}"') for name in sorted(self.departments)]
        return sa.or_(cases.c.department.in_(sorted(self.departments)), *copied)

    @cached_property
    def _mention_ids(self) -> sa.Select[Any]:
        decided = sa.select(decisions.c.mention_id).where(decisions.c.department.in_(sorted(self.departments)))
        gathered = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id.in_(self._case_ids))
        return sa.union_all(decided, gathered).subquery("seen").select()

    @cached_property
    def _case_ids(self) -> sa.Select[Any]:
        return sa.select(cases.c.id).where(self._case)

    @cached_property
    def rules(self) -> Mapping[sa.Table, sa.ColumnElement[bool]]:
        """Give for each table which of its rows may be seen."""
        post_ids = sa.select(mentions.c.post_id).where(mentions.c.id.in_(self._mention_ids))
        own = sorted(self.departments)
        scoped = [digests.c.scope.cast(sa.Text).contains(f'"departments":["{name}"]') for name in own]
        return {
            cases: self._case,
            case_mentions: case_mentions.c.case_id.in_(self._case_ids),
            events: events.c.case_id.in_(self._case_ids),
            drafts: drafts.c.case_id.in_(self._case_ids),
            alerts: sa.and_(alerts.c.case_id.in_(self._case_ids), alerts.c.department.in_(own)),
            spikes: spikes.c.case_id.in_(self._case_ids),
            decisions: decisions.c.mention_id.in_(self._mention_ids),
            spoken: spoken.c.mention_id.in_(self._mention_ids),  # what was recognised in them
            mentions: mentions.c.id.in_(self._mention_ids),
            verdicts: verdicts.c.mention_id.in_(self._mention_ids),
            posts: posts.c.id.in_(post_ids),
            authors: authors.c.id.in_(sa.select(posts.c.author_id).where(posts.c.id.in_(post_ids))),
            quarantine: sa.true(),
            seen: seen.c.case_id.in_(self._case_ids),
            presences: presences.c.case_id.in_(self._case_ids),
            # Filters of the inbox that colleagues named; whoever opens one sees the own departments' cases through it.
            saved_views: sa.true(),
            digests: sa.or_(sa.false(), *scoped),  # a digest of one department; those for directors count all
        }

    def apply(self, statement: Any) -> Any:
        """Give the statement limited to what may be seen; raises NotVisible for what cannot be limited."""
        if isinstance(statement, sa.Insert):
            return self._limit_insert(statement)
        if isinstance(statement, (sa.Update, sa.Delete)):
            table = statement.table
            rule = self.rules.get(table) if isinstance(table, sa.Table) else None
            if rule is None:
                raise self._refuse(str(table))
            return statement.where(rule)  # what it reads besides is read by the rules of the case that was locked
        if isinstance(statement, (sa.Select, sa.CompoundSelect)):
            return self._limit_select(statement)
        raise self._refuse(type(statement).__name__)

    def _limit_insert(self, statement: sa.Insert) -> sa.Insert:
        # What a member of a department writes: the history, notes, drafts, corrections and letters of a case it sees,
        # what it has seen, and its own views.
        written = (events, drafts, alerts, verdicts, cases, case_mentions, decisions, seen, presences, saved_views)
        if statement.table in written:
            return statement
        raise self._refuse(str(statement.table))

    def _limit_select(self, statement: Any) -> Any:
        views: dict[Any, sa.FromClause] = {}

        def view_of(source: sa.Table, name: str, key: Any) -> sa.FromClause:
            if key not in views:
                rule = self.rules.get(source)
                if rule is None:
                    raise self._refuse(source.name)
                hidden = _HIDDEN.get(source, frozenset())
                shown = [sa.literal("").label(c.name) if c.name in hidden else c for c in source.c]
                views[key] = sa.select(*shown).where(rule).subquery(name)
            return views[key]

        def replace(element: Any, **_: Any) -> Any:
            if isinstance(element, sa.TextClause) and element is statement:
                raise self._refuse("text")
            if isinstance(element, sa.Table):
                return None if element.name in OPEN_TABLES else view_of(element, element.name, element)
            if isinstance(element, sa.Alias) and isinstance(element.element, sa.Table):
                table = element.element
                return None if table.name in OPEN_TABLES else view_of(table, element.name, element)
            if isinstance(element, sa.TableClause):
                # Full-text words stand beside posts and cases and are joined to them; no word of them is read out.
                return None if element.name in _WORDS else self._closed(element.name)
            owner = getattr(element, "table", None) if isinstance(element, sa.ColumnClause) else None
            source = owner.element if isinstance(owner, sa.Alias) else owner
            if owner is not None and isinstance(source, sa.Table) and source.name not in OPEN_TABLES:
                return view_of(source, owner.name, owner).c[element.key]
            return None

        return visitors.replacement_traverse(statement, {}, replace)

    def _closed(self, name: str) -> None:
        raise self._refuse(name)

    def tell(self, what: str) -> None:
        """Log that this view asked for what it may not see; `what` is a name of ours, never a stranger's word."""
        log.warning("a view limited to %s asked for %s: refused", ", ".join(sorted(self.departments)), what)

    def _refuse(self, what: str) -> NotVisible:
        self.tell(what)
        return NotVisible(f"this view is limited to some departments, and {what} is not part of it")


def limit(store: Store, departments: Collection[Department]) -> Store:
    """Give a store that shows the work of these departments and nothing else."""
    guard: Callable[[sa.Executable], sa.Executable] = Scope(frozenset(departments)).apply
    return store.guarded_by(guard)


def tell_hidden(connection: Connection, what: str) -> None:
    """Log that something was asked for by its number and not shown, if the view of the connection is limited.

    A limited view cannot tell what is not there from what belongs to others, and neither can its log.
    """
    scope = getattr(connection.get_execution_options().get("guard"), "__self__", None)
    if isinstance(scope, Scope):
        scope.tell(what)
