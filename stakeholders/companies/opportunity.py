"""Tell where press or a peer spoke well of us, or passed on our people's words, and none of our accounts took it up.

Only where our own accounts are listened to: else it cannot be told, which is not zero. Until the hours of
[opportunities] are over it is a to-do, later it was missed. docs/peers.md tells the rules; peerlines.py words them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.fold import fold
from listener.mention import aware
from listener.reason import N_, Reason, reason
from listener.settings import Settings
from listener.store import mentions, posts
from listener.taxonomy import Sentiment, Stakeholder
from sentiment.store import verdicts
from stakeholders.companies.occasion import Occasion, find_occasion
from stakeholders.companies.peer import Peers, peers_of
from stakeholders.companies.person import Person
from stakeholders.companies.recall import Recall, heard_in, select_spoken, spoken_in
from stakeholders.companies.uptake import Heard, OwnPost, Praise, Subjects, event_key, hear_own, links_of, takes_up
from stakeholders.counting.period import Period
from stakeholders.deciding.decision import speaker_of
from stakeholders.store import decisions

__all__ = [
    "LATE",
    "STATES",
    "Opportunities",
    "Opportunity",
    "Row",
    "State",
    "find_answer",
    "opportunities",
    "reach_of",
    "read_groups",
    "subjects_of",
    "tell_opportunity",
    "tell_state",
]

State = Literal["missed", "open", "taken", "untold"]
STATES: tuple[State, ...] = ("open", "missed", "untold", "taken")  # in the order in which they are listed
LATE = timedelta(days=7)  # what we say after that is about something else
Row = tuple[Any, str, tuple[Person, ...], Occasion | None]  # of `read_groups`: the post, who, people, event


@dataclass(frozen=True, slots=True)
class Opportunity:
    """Hold one good word of press or a peer, with its copies, and what our own accounts made of it."""

    mention_id: int
    post_id: int
    case_id: int | None
    brand: str
    at: datetime  # published
    heard_at: datetime  # when we first heard it
    due_at: datetime  # heard_at and the hours of [opportunities]
    state: State
    hours: float  # from hearing it to our own post, else until now; 0 where ours came first
    stakeholder: Stakeholder
    who: str  # the outlet, company or account that spoke
    handle: str | None
    sentiment: Sentiment
    unsure: bool
    people: tuple[Person, ...]  # ours, named in it
    event: Occasion | None
    text: str
    url: str | None
    copies: int  # other posts that say the same
    because: tuple[Reason, ...]  # why it is one, and what became of it
    wanted: tuple[Reason, ...]  # what would have counted as taking it up
    answer: OwnPost | None = None  # our own post about it, in time (taken) or too late (missed)


@dataclass(frozen=True, slots=True)
class Opportunities:
    """Hold those of a period, to-dos first, then the missed; `why_not` is told where nothing can be."""

    items: tuple[Opportunity, ...]
    within: timedelta
    accounts: tuple[str, ...]  # our own accounts that are heard
    why_not: Reason | None = None

    def of(self, state: State) -> tuple[Opportunity, ...]:
        """Give those of a state."""
        return tuple(one for one in self.items if one.state == state)

    @property
    def missed(self) -> int | None:
        """Count the missed; None where it cannot be told of any."""
        return None if self.why_not is not None else len(self.of("missed"))


def opportunities(
    connection: Connection,
    settings: Settings,
    period: Period,
    brand: str | None,
    now: datetime,
    peers: Peers | None = None,
) -> Opportunities:
    """Find the opportunities of a period, for one of our brands or all, as they stand at `now`.

    One is a post of press or a peer that helps the brand, or that passes on what our people said without harming it;
    copies count once. `peers` spares building one.
    """
    now, within = aware(now), settings.opportunities.within
    peers = peers or peers_of(settings)
    groups = read_groups(connection, period, brand, peers)
    first = min((row.published_at for rows in groups for row, *_ in rows), default=period.start) - within
    last = max((row.collected_at for rows in groups for row, *_ in rows), default=period.end) + within
    heard = hear_own(connection, tuple(peers.brands.values()), first, max(last, min(now, last + LATE)), now)
    subjects = subjects_of(peers)
    found = []
    for rows in groups:
        row = rows[0][0]
        answer = find_answer(rows, heard.between(*reach_of(row.published_at, row.collected_at, within, now)), subjects)
        found.append(tell_opportunity(rows, heard, within, now, answer))
    found.sort(key=lambda one: (STATES.index(one.state), -one.at.timestamp()))
    return Opportunities(tuple(found), within, heard.accounts, heard.why_not)


def subjects_of(peers: Peers) -> Callable[[OwnPost], Subjects]:
    """Give what tells the event and our people in a post of ours; it remembers them."""
    ours = {key for key, one in peers.brands.items() if one.kind == "own"}

    @lru_cache(maxsize=4096)
    def subjects(post: OwnPost) -> Subjects:
        terms = peers.names.find(post.text)
        people = [one for one in peers.people.find(post.text, terms) if one.brand in ours]
        # Who praises a competitor's speech at the same event has not taken up ours.
        elsewhere = terms and not people and not ours.intersection(terms)
        event = None if elsewhere else find_occasion(post.text, post.at, peers.events, peers.zone)
        return event_key(event), frozenset(fold(person.name) for person in people)

    return subjects


_Read = tuple[str, tuple[Person, ...], Occasion | None]
_READ: Recall[_Read | None] = Recall()


def read_groups(
    connection: Connection,
    period: Period,
    brand: str | None,
    peers: Peers,
    *,
    among: Collection[int] | None = None,
) -> list[list[Row]]:
    """Read what could be taken up, copies together, each group by the time we heard it; `among` some mentions alone."""
    ours = [key for key, one in peers.brands.items() if one.kind == "own" and brand in (None, key)]
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in connection.execute(_query(among is not None), spoken_in(period, ours, among)):
        said = (row.brand, row.source, row.text, row.published_at, row.terms, row.handle, row.name, row.bio)
        judged = (row.detail, row.stakeholder, row.sentiment)
        read = _READ.read((peers.made_of, *said, *judged), partial(_read, peers, row))
        if read is not None:
            groups.setdefault((row.brand, row.cluster or row.post_id), []).append((row, *read))
    return list(groups.values())


@cache
def _query(among: bool) -> sa.Select[Any]:
    return (
        select_spoken("press", "peer_company", among=among)
        .where(verdicts.c.sentiment != "negative")
        .order_by(posts.c.collected_at, posts.c.published_at, mentions.c.id)
        .add_columns(posts.c.native_id, posts.c.thread, posts.c.collected_at, decisions.c.stakeholder)
    )


def _read(peers: Peers, row: sa.Row[Any]) -> _Read | None:
    """Read what a post alone tells of an opportunity: who spoke, who is named, at which event; None when it is none."""
    mention, speaker = heard_in(row), speaker_of(json.loads(row.detail))
    company = peers.companies.speaks_for(mention.post.author, speaker)
    if company.side == "own":
        return None
    people = peers.people_in(mention)
    if row.sentiment != "positive" and not any(person.quoted for person in people):
        return None
    event = find_occasion(row.text, row.published_at, peers.events, peers.zone)
    who = company.name if row.stakeholder == "peer_company" else speaker.entry or row.name or row.handle or row.source
    return who, people, event


def reach_of(published: datetime, heard_at: datetime, within: timedelta, now: datetime) -> tuple[datetime, datetime]:
    """Give from when until when, both included, a post of ours could be about what was published and heard then."""
    return published - within, min(now, heard_at + within + LATE)


def find_answer(
    rows: Sequence[Row], ours: Iterable[OwnPost], subjects: Callable[[OwnPost], Subjects]
) -> tuple[OwnPost, Reason] | None:
    """Find the first of some posts of ours that takes up what was said, and by what; None when none does."""
    praise = _praise(rows)
    answers = ((post, how) for post in ours if (how := takes_up(post, praise, subjects)) is not None)
    return next(answers, None)


def _praise(rows: Sequence[Row]) -> Praise:
    row, _, people, event = rows[0]
    return Praise(
        text=row.text,
        threads=frozenset((one.source, key) for one, *_ in rows for key in (one.native_id, one.thread) if key),
        links=links_of(*(text for one, *_ in rows for text in (one.url, one.text))),
        handles=frozenset(fold(one.handle.removeprefix("@")) for one, *_ in rows if one.handle),
        clusters=frozenset(one.cluster for one, *_ in rows if one.cluster is not None),
        people=frozenset(fold(person.name) for person in people),
        event=event_key(event),
    )


def tell_opportunity(
    rows: Sequence[Row], heard: Heard, within: timedelta, now: datetime, found: tuple[OwnPost, Reason] | None
) -> Opportunity:
    """Tell what was said of us and what became of it; `found` is what `find_answer` gives."""
    row, who, people, event = rows[0]
    state, outcome = tell_state(row.published_at, row.collected_at, heard, within, now, found)
    answer = found[0] if found else None
    return Opportunity(
        mention_id=row.mention_id,
        post_id=row.post_id,
        case_id=row.case_id,
        brand=row.brand,
        at=row.published_at,
        heard_at=row.collected_at,
        due_at=row.collected_at + within,
        state=state,
        hours=_hours(row.collected_at, now, found),
        stakeholder=row.stakeholder,
        who=who,
        handle=row.handle,
        sentiment=row.sentiment,
        unsure=row.unsure,
        people=people,
        event=event,
        text=row.text,
        url=row.url,
        copies=len(rows) - 1,
        because=(*_why(row, who, people, event), *outcome),
        wanted=_wanted(_praise(rows), people, event, heard.accounts),
        answer=answer,
    )


def _hours(heard_at: datetime, now: datetime, found: tuple[OwnPost, Reason] | None) -> float:
    return max(0.0, ((found[0].at if found else now) - heard_at) / timedelta(hours=1))


def tell_state(
    published: datetime,
    heard_at: datetime,
    heard: Heard,
    within: timedelta,
    now: datetime,
    found: tuple[OwnPost, Reason] | None,
) -> tuple[State, tuple[Reason, ...]]:
    """Tell what became of something, in the order in which it can be known, and why it is said so."""
    due = heard_at + within
    told = {"hours": f"{_hours(heard_at, now, found):.0f}"}
    if heard.why_not is not None:
        return "untold", (heard.why_not,)
    if found is not None and found[0].at <= due:
        return "taken", (found[1],)
    if now < due:
        left = max(0.0, (due - now) / timedelta(hours=1))
        sentence = N_("None of our accounts has taken it up yet: {hours} h are left")
        return "open", (reason(sentence, hours=f"{left:.0f}" if left >= 1 else "<1"),)
    gap = heard.gap_in(published, due)
    if found is None and gap is not None:
        sentence = N_("It cannot be told whether we took it up: {quote_source} was not heard all that time")
        return "untold", (reason(sentence, quote_source=gap[0].removeprefix("demo-")),)
    if found is not None:
        sentence = N_("It was taken up only {hours} h after we heard it, too late")
        return "missed", (reason(sentence, **told), found[1])
    return "missed", (reason(N_("{hours} h after we heard it, none of our accounts had taken it up"), **told),)


def _why(row: Any, who: str, people: Sequence[Person], event: Occasion | None) -> tuple[Reason, ...]:
    because = []
    if row.sentiment == "positive":
        sentence = N_("{quote_who} ({stakeholder}) speaks well of us")
    else:
        sentence = N_("{quote_who} ({stakeholder}) passes on what our people said")
    because.append(reason(sentence, quote_who=who, stakeholder=row.stakeholder))
    for person in people:
        if person.cue is not None:
            sentence = N_("It passes on what {quote_person} said: the post says «{quote_words}»")
            because.append(reason(sentence, quote_person=person.name, quote_words=person.cue))
        else:
            because.append(reason(N_("It names {quote_person}, one of ours"), quote_person=person.name))
    if row.unsure:
        because.append(
            reason(N_("The verdict is unsure: «{sentiment}» is only the likeliest"), sentiment=row.sentiment)
        )
    return (*because, event.because) if event is not None else tuple(because)


def _wanted(
    praise: Praise, people: Sequence[Person], event: Occasion | None, accounts: Sequence[str]
) -> tuple[Reason, ...]:
    if not accounts:
        return ()
    told = [reason(N_("a post of {quote_accounts} in its conversation"), quote_accounts=", ".join(accounts))]
    told.append(reason(N_("… or one that passes on its link or its words")))
    if praise.handles:
        handles = ", ".join(f"@{handle}" for handle in sorted(praise.handles)[:3])
        told.append(reason(N_("… or that names {quote_handles}"), quote_handles=handles))
    if people:
        names = ", ".join(person.name for person in people[:3])
        told.append(reason(N_("… or that names {quote_handles}"), quote_handles=names))
    if event is not None and event.name is not None:
        told.append(reason(N_("… or that speaks of {quote_event}"), quote_event=event.name))
    return tuple(told)
