"""Answer what a page shows of opportunities: how many stand how, and the first of them in full.

The answer is that of `opportunities`, which reads every post; here only what is shown is read, and what was not looked
at since it changed, and what was not compared with our own posts before.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from heapq import nsmallest
from itertools import accumulate
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.reason import Reason
from listener.settings import Settings
from listener.spoken import PRAISE
from stakeholders.companies.kept import hours_of, in_hours, pending_in
from stakeholders.companies.opportunity import (
    LATE,
    STATES,
    Opportunity,
    Row,
    State,
    find_answer,
    opportunities,
    reach_of,
    read_groups,
    subjects_of,
    tell_opportunity,
    tell_state,
)
from stakeholders.companies.peer import Peers, peers_of
from stakeholders.companies.recall import Recall
from stakeholders.companies.recognition import moment_of, ticks_of
from stakeholders.companies.uptake import Heard, OwnPost, hear_own
from stakeholders.counting.period import Period
from stakeholders.store import spoken

__all__ = ["Outlook", "survey_opportunities"]

_AT_ONCE = 1000  # texts whose posts are read by one question
_Answer = tuple[OwnPost, Reason] | None
_ANSWERED: Recall[tuple[int, Reason] | None] = Recall(100_000)
# What is read of a mention before its post is: when it was heard and published, its number, its seal. By the text.
_Kept = tuple[int, int, int, int | None]
_Groups = dict[int, list[_Kept]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """Hold how many opportunities of a period stand how, and the first of them; as `Opportunities` else."""

    items: tuple[Opportunity, ...]
    counts: Mapping[State, int]
    within: timedelta
    accounts: tuple[str, ...]
    why_not: Reason | None = None

    @property
    def count(self) -> int:
        """Count all of them."""
        return sum(self.counts.values())


def survey_opportunities(
    connection: Connection,
    settings: Settings,
    period: Period,
    brand: str,
    now: datetime,
    most: int,
    peers: Peers | None = None,
) -> Outlook:
    """Count the opportunities of a period for one of our brands by how they stand at `now`, the first `most` in full.

    `peers` spares building one.
    """
    now, within = aware(now), settings.opportunities.within
    peers = peers or peers_of(settings)
    pending = pending_in(connection, period, brand, peers)
    if pending is None:
        told = opportunities(connection, settings, period, brand, now, peers)
        counts = {state: len(told.of(state)) for state in STATES}
        return Outlook(told.items[:most], counts, within, told.accounts, told.why_not)
    given = {"brand": brand, **hours_of(period)}
    fresh = _fresh(connection, period, brand, peers, pending)
    first, last = _reach(connection.execute(_bounds(), given).one(), fresh, period)
    last += within
    heard = hear_own(connection, tuple(peers.brands.values()), first - within, max(last, min(now, last + LATE)), now)
    counts = dict.fromkeys(STATES, 0)
    groups, answers = fresh, dict[int, _Answer]()
    if heard.why_not is not None:  # then all stand alike, and those without a copy need only be counted
        given |= {"fresh": list(fresh), "most": most}
        chosen = connection.execute(_first_alone(), given).all()
        counts["untold"] = (connection.scalar(_count_alone(), given) or 0) - len(chosen)
        chosen = [*chosen, *connection.execute(_copied(), given).all()]
    else:
        chosen = list(connection.execute(_praised(), given).all())
    for cluster, *one in chosen:
        groups.setdefault(cluster, []).append(tuple(one))
    if heard.why_not is None:
        answers = _answers(connection, period, brand, peers, groups, heard, within, now)
    places = []
    for cluster, rows in groups.items():
        heard_at, at, mention_id, _ = min(rows)
        state: State = "untold"
        if heard.why_not is None:
            state, _ = tell_state(moment_of(at), moment_of(heard_at), heard, within, now, answers.get(cluster))
        counts[state] += 1
        places.append((STATES.index(state), -at, heard_at, mention_id, cluster))
    shown = [place[-1] for place in nsmallest(most, places)]
    told_of = _read(connection, period, brand, peers, [groups[cluster] for cluster in shown])
    items = (
        tell_opportunity(told_of[cluster], heard, within, now, answers.get(cluster))
        for cluster in shown
        if cluster in told_of
    )
    return Outlook(tuple(items), counts, within, heard.accounts, heard.why_not)


def _fresh(connection: Connection, period: Period, brand: str, peers: Peers, pending: Collection[int]) -> _Groups:
    """Read of what was not looked at yet what could be taken up, copies together."""
    groups: _Groups = {}
    for rows in read_groups(connection, period, brand, peers, among=pending) if pending else ():
        for row, *_ in rows:
            one = ticks_of(row.collected_at), ticks_of(row.published_at), row.mention_id, None
            groups.setdefault(row.cluster or row.post_id, []).append(one)
    return groups


def _reach(kept: Sequence[int | None], fresh: _Groups, period: Period) -> tuple[datetime, datetime]:
    """Give when the first was published and the last was heard; the ends of the period where there is none."""
    new = [one for rows in fresh.values() for one in rows]
    published = [at for at in (kept[0], *(at for _, at, _, _ in new)) if at is not None]
    heard = [at for at in (kept[1], *(at for at, _, _, _ in new)) if at is not None]
    first = moment_of(min(published)) if published else period.start
    return first, moment_of(max(heard)) if heard else period.end


def _praise_of(*columns: Any) -> sa.Select[Any]:
    """Give the query of columns of what could be taken up; it is asked with a brand and `hours_of` a period."""
    return sa.select(*columns).where(sa.text(PRAISE), spoken.c.brand == sa.bindparam("brand"), in_hours())


@cache
def _praised() -> sa.Select[Any]:
    c = spoken.c
    return _praise_of(c.cluster, c.heard_at, c.at, c.mention_id, c.seal)


@cache
def _bounds() -> sa.Select[Any]:
    return _praise_of(sa.func.min(spoken.c.at), sa.func.max(spoken.c.heard_at))


def _alone() -> sa.ColumnElement[bool]:
    """Give the condition for what no other post says, of those that were looked at and of the `fresh` ones."""
    return sa.and_(spoken.c.copied.is_(None), spoken.c.cluster.not_in(sa.bindparam("fresh", expanding=True)))


@cache
def _copied() -> sa.Select[Any]:
    return _praised().where(sa.not_(_alone()))


@cache
def _count_alone() -> sa.Select[Any]:
    return _praise_of(sa.func.count()).where(_alone())


@cache
def _first_alone() -> sa.Select[Any]:
    c = spoken.c
    order = (c.hour.desc(), c.at.desc(), c.heard_at, c.mention_id)
    return _praised().where(_alone()).order_by(*order).limit(sa.bindparam("most"))


def _answers(
    connection: Connection,
    period: Period,
    brand: str,
    peers: Peers,
    groups: _Groups,
    heard: Heard,
    within: timedelta,
    now: datetime,
) -> dict[int, _Answer]:
    """Find which post of ours took up which text; what was compared before and did not change is remembered."""
    ours, companies = {post.post_id: post for post in heard.posts}, _ANSWERED.digest(peers.made_of)
    at_ticks = [ticks_of(post.at) for post in heard.posts]
    # Of any stretch of our posts the difference of two sums is a digest.
    sums = list(accumulate((int.from_bytes(_ANSWERED.digest(post), "big") for post in heard.posts), initial=0))
    asked: dict[int, tuple[bytes | None, slice]] = {}
    for cluster, rows in groups.items():
        heard_at, at, _, _ = min(rows)
        begin, end = reach_of(moment_of(at), moment_of(heard_at), within, now)
        start = bisect_left(at_ticks, ticks_of(begin))
        stop = bisect_right(at_ticks, ticks_of(end), start)
        if start < stop:
            about = sorted((mention_id, seal) for _, _, mention_id, seal in rows if seal is not None)
            made_of = companies, about, stop - start, sums[stop] - sums[start]
            asked[cluster] = (_ANSWERED.digest(made_of) if len(about) == len(rows) else None), slice(start, stop)
    answers: dict[int, _Answer] = {}
    unknown = {}
    for cluster, (key, posts) in asked.items():
        if key is not None and _ANSWERED.knows(key):
            known = _ANSWERED.get(key)
            answers[cluster] = known and (ours[known[0]], known[1])
        else:
            unknown[cluster] = key, heard.posts[posts]
    told_of = _read(connection, period, brand, peers, [groups[cluster] for cluster in unknown])
    subjects = subjects_of(peers)
    for cluster, told in told_of.items():
        key, compared = unknown[cluster]
        answers[cluster] = found = find_answer(told, compared, subjects)
        if key is not None and len(told) == len(groups[cluster]):  # none went while we read
            _ANSWERED.keep(key, found and (found[0].post_id, found[1]))
    return answers


def _read(
    connection: Connection, period: Period, brand: str, peers: Peers, groups: Sequence[Sequence[_Kept]]
) -> dict[int, list[Row]]:
    """Read the posts of some groups in full, by their text."""
    told: dict[int, list[Row]] = {}
    for start in range(0, len(groups), _AT_ONCE):
        ids = [one[2] for rows in groups[start : start + _AT_ONCE] for one in rows]
        for rows in read_groups(connection, period, brand, peers, among=ids):
            row = rows[0][0]
            told[row.cluster or row.post_id] = rows
    return told
