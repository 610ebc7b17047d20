"""Rehearse a changed configuration on the stored mentions: who would be told, who no longer; nothing is written.

Stored verdicts and speakers are taken as they are, no model is asked. Both configurations decide anew, so that only
the change itself is told and not what another version of the program would say.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store
from listener.mention import Mention
from listener.reason import Reason
from listener.store import mentions, read_mention, select_mentions
from listener.taxonomy import Department, Priority
from sentiment.store import verdict_from_row, verdicts
from sentiment.verdict import Verdict
from stakeholders.alerts import addresses_of
from stakeholders.casework.step import UNFINISHED
from stakeholders.deciding.decision import Decision, decision_from_row
from stakeholders.deciding.facts import Facts, Route
from stakeholders.store import case_mentions, cases, decisions

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.desk import Desk

__all__ = ["Change", "Decided", "Rehearsal", "decided_since", "rehearse"]

EXAMPLES = 20  # of each kind
_BATCH = 500  # mentions held in memory at a time


@dataclass(frozen=True, slots=True)
class Decided:
    """Hold a stored mention with its decision and verdict, and the case in which it stands, if any."""

    id: int
    mention: Mention
    decision: Decision
    verdict: Verdict
    case_id: int | None
    leads: bool  # it opened that case
    open: bool  # an answer to that case may still be owed


@dataclass(frozen=True, slots=True)
class Change:
    """Hold one mention that the change decides otherwise; `text` is what was written, for the person who asks."""

    mention_id: int
    case_id: int | None
    published_at: datetime
    brand: str
    text: str
    department: tuple[Department, Department]  # before, after
    priority: tuple[Priority, Priority]
    copies: tuple[tuple[Department, ...], tuple[Department, ...]]
    rule: tuple[str, str]
    because: tuple[Reason, ...]  # of the changed configuration


@dataclass(slots=True)
class Rehearsal:
    """Count what the change does; the examples of each kind are its latest, by the number of the mention."""

    mentions: int = 0
    unwatched: int = 0  # of brands that the changed configuration no longer watches
    same: int = 0
    counts: Counter[str] = field(default_factory=Counter)  # department, priority, copies, rule, opened, spared
    open_cases: Counter[str] = field(default_factory=Counter)  # open cases that change department, priority
    before: Counter[str] = field(default_factory=Counter)  # address → cases told of
    after: Counter[str] = field(default_factory=Counter)
    examples: dict[str, deque[Change]] = field(default_factory=dict)

    def told(self) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
        """Give the addresses that would be told of more cases and those of fewer, with the counts before and after."""
        every = sorted({*self.before, *self.after})
        both = {address: (self.before[address], self.after[address]) for address in every}
        more = {address: pair for address, pair in both.items() if pair[1] > pair[0]}
        return more, {address: pair for address, pair in both.items() if pair[1] < pair[0]}


def rehearse(
    store: Store,
    old: Config,
    new: Config,
    now: datetime,
    days: int = 30,
    progress: Callable[[int, int], None] | None = None,
) -> Rehearsal:
    """Decide the mentions of the last `days` under both configurations and tell what differs.

    An address counts once a case: a post that joined a case tells nobody again and is left out of that count.
    """
    from stakeholders.desk import Desk

    found = Rehearsal()
    desks = Desk(old), Desk(new)
    for done, whole, one in decided_since(store, now - timedelta(days=days)):
        found.mentions += 1
        if one.mention.brand not in desks[1].brands:
            found.unwatched += 1
        elif one.mention.brand in desks[0].brands:
            before, after = (_route(desk, one) for desk in desks)
            _compare(found, one, before, after)
            _tell(found, one, (old, new), (before, after))
        if progress is not None and (done % _BATCH == 0 or done == whole):
            progress(done, whole)
    return found


def decided_since(store: Store, since: datetime) -> Iterator[tuple[int, int, Decided]]:
    """Yield every decided mention published since then, by its number, with how many of how many have been given.

    Each batch is read in a transaction of its own, so that nothing is held while a person looks on.
    """
    recent = mentions.c.published_at >= since
    with store.read() as connection:
        counted = sa.select(sa.func.count()).select_from(mentions.join(decisions)).where(recent)
        whole = connection.scalar(counted) or 0
    last = done = 0
    while True:
        with store.read() as connection:
            query = sa.select(mentions.c.id).join(decisions).where(recent, mentions.c.id > last)
            ids = list(connection.scalars(query.order_by(mentions.c.id).limit(_BATCH)))
            batch = list(_read(connection, ids))
        for one in batch:
            done += 1
            yield done, max(whole, done), one
        if len(ids) < _BATCH:
            return
        last = ids[-1]


def _read(connection: Connection, ids: Sequence[int]) -> Iterator[Decided]:
    current = sa.and_(verdicts.c.mention_id.in_(ids), verdicts.c.current)
    judged = {row.mention_id: row for row in connection.execute(sa.select(verdicts).where(current))}
    settled = {
        row.mention_id: row for row in connection.execute(sa.select(decisions).where(decisions.c.mention_id.in_(ids)))
    }
    standing = {
        row.mention_id: row
        for row in connection.execute(
            sa.select(case_mentions.c.mention_id, case_mentions.c.case_id, cases.c.key, cases.c.status)
            .join(cases, cases.c.id == case_mentions.c.case_id)
            .where(case_mentions.c.mention_id.in_(ids))
        )
    }
    for row in connection.execute(select_mentions().where(mentions.c.id.in_(ids)).order_by(mentions.c.id)):
        key = row.mention_id
        if key not in judged or key not in settled:
            continue
        case = standing.get(key)
        yield Decided(
            key,
            read_mention(row),
            decision_from_row(settled[key]),
            verdict_from_row(judged[key]),
            case.case_id if case is not None else None,
            case is not None and case.key == f"mention:{key}",
            case is not None and case.status in UNFINISHED,
        )


def _route(desk: Desk, one: Decided) -> tuple[Facts, Route]:
    _, facts, route = desk.decide(one.mention, one.verdict, one.decision.speaker, explained=False)
    return facts, route


def _compare(found: Rehearsal, one: Decided, before: tuple[Facts, Route], after: tuple[Facts, Route]) -> None:
    old, new = before[1], after[1]
    kinds = [
        name
        for name in ("department", "priority", "copies", "rule")
        if (set(old.copies) != set(new.copies) if name == "copies" else getattr(old, name) != getattr(new, name))
    ]
    if old.opens_case != new.opens_case:
        kinds.append("opened" if new.opens_case else "spared")
    if not kinds:
        found.same += 1
        return
    found.counts.update(kinds)
    if one.open and one.leads:
        found.open_cases.update(name for name in kinds if name in ("department", "priority"))
    for name in kinds:
        found.examples.setdefault(name, deque(maxlen=EXAMPLES)).append(_change(one, old, new))


def _change(one: Decided, old: Route, new: Route) -> Change:
    post = one.mention.post
    return Change(
        one.id,
        one.case_id,
        post.published_at,
        one.mention.brand,
        post.text,
        (old.department, new.department),
        (old.priority, new.priority),
        (old.copies, new.copies),
        (old.rule, new.rule),
        new.because,
    )


def _tell(
    found: Rehearsal,
    one: Decided,
    configs: tuple[Config, Config],
    decided: tuple[tuple[Facts, Route], tuple[Facts, Route]],
) -> None:
    if one.case_id is not None and not one.leads:
        return
    for counter, config, (_, route) in zip((found.before, found.after), configs, decided, strict=True):
        if not route.opens_case:
            continue
        departments = [route.department, *(route.copies if config.settings.alerts.copies else ())]
        addresses = {f"{kind}:{to}" for name in departments for kind, to in addresses_of(config, name)[0]}
        counter.update(addresses)
