"""Tell which companies speak of which in public, for good or ill: us of them, them of us, them of each other.

An exchange is one mention whose speaker is a company, or somebody who speaks for one, and whose brand is another. A
post that names two brands makes two. docs/peers.md tells the rules; stakeholders/letters/peerlines.py words them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.fold import fold
from listener.match import Matcher
from listener.mention import Author, Brand, Mention
from listener.reason import N_, Reason, reason
from listener.settings import Settings
from listener.store import mentions, posts
from listener.taxonomy import Sentiment
from stakeholders.companies.company import Companies, Company
from stakeholders.companies.occasion import Occasion, find_occasion
from stakeholders.companies.person import People, Person
from stakeholders.companies.recall import Recall, heard_in, select_spoken, spoken_in
from stakeholders.counting.period import Period
from stakeholders.deciding.decision import speaker_of
from stakeholders.deciding.facts import Speaker
from stakeholders.store import cases

__all__ = ["DIRECTIONS", "Direction", "Exchange", "Peers", "Total", "exchanges", "peers_of", "totals"]

Direction = Literal["us_to_them", "them_to_us", "them_to_them"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

_READ: Recall[tuple[_Read | None, tuple[str, ...]]] = Recall()
_SHARED = re.compile(r"\s*(?:RT|🔁|Repost(?:ed)? from|vía|via)\s*@(\w{1,40})", re.IGNORECASE)
_SPEAKS = {
    ("own", "care"): N_("Our customer-care account @{quote_who} speaks of {quote_brand}"),
    ("own", "sales"): N_("Our sales account @{quote_who} speaks of {quote_brand}"),
    ("own", "corporate"): N_("Our corporate account @{quote_who} speaks of {quote_brand}"),
    ("own", "other"): N_("Our account @{quote_who} speaks of {quote_brand}"),
    ("own", None): N_("{quote_who}, who speaks for us, speaks of {quote_brand}"),
}
_RIVAL = N_("{quote_who}, who speaks for the competitor {quote_company}, speaks of {quote_brand}")
_PEER = N_("The company {quote_who} speaks of {quote_brand}")
_POLARITY: dict[str, str] = {
    "positive": N_("What it says helps {quote_brand}"),
    "neutral": N_("What it says neither helps nor harms {quote_brand}"),
    "negative": N_("What it says harms {quote_brand}"),
}
_PERSON: dict[str, str] = {
    "positive": N_("It speaks well of {quote_person}, who speaks for {quote_brand}"),
    "neutral": N_("It names {quote_person}, who speaks for {quote_brand}"),
    "negative": N_("It speaks ill of {quote_person}, who speaks for {quote_brand}"),
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold one time that a company spoke of another in public."""

    mention_id: int
    post_id: int
    at: datetime  # published, UTC
    direction: Direction
    speaker: Company
    handle: str | None
    brand: str  # key of the brand spoken of
    brand_name: str
    sentiment: Sentiment  # reputational, toward `brand`
    unsure: bool  # the sentiment is the best guess
    people: tuple[Person, ...]  # who speak for `brand` and are named
    event: Occasion | None
    shared: str | None  # the account whose post is passed on as it is, without the @
    text: str
    url: str | None
    cluster: int  # posts that say the same share it
    because: tuple[Reason, ...]  # direction, people, polarity, event, in this order
    case_id: int | None = None
    department: str | None = None  # of the case, else of the decision
    copies: tuple[str, ...] = ()

    @property
    def praised(self) -> tuple[Person, ...]:
        """Give the people it speaks well of."""
        return self.people if self.sentiment == "positive" else ()

    @property
    def quoted(self) -> tuple[Person, ...]:
        """Give the people whose words it passes on."""
        return tuple(person for person in self.people if person.quoted)


@dataclass(frozen=True, slots=True)
class Total:
    """Count the exchanges of a direction: negative + neutral + positive; unsure ones stand under their best label."""

    direction: Direction
    exchanges: int
    negative: int
    neutral: int
    positive: int
    unsure: int
    texts: int  # different texts: copies and reposts count once
    companies: int  # different speakers
    at_events: int  # of the exchanges: said at an event, or about one


class Peers:
    """Read exchanges from mentions; built once from what is watched, then pure."""

    def __init__(self, settings: Settings) -> None:
        self.brands: dict[str, Brand] = {brand.key: brand for brand in settings.watched()}
        self.events = tuple(settings.events)
        self.zone = ZoneInfo(settings.instance.timezone)
        every = tuple(self.brands.values())
        self.people = People(every)
        self.names = Matcher(every)
        self.companies = Companies(every)
        self.made_of = self.describe(settings)

    @staticmethod
    def describe(settings: Settings) -> str:
        """Write down all of the configuration that exchanges are read by."""
        return repr((tuple(settings.watched()), tuple(settings.events), settings.instance.timezone))

    def people_in(self, mention: Mention) -> tuple[Person, ...]:
        """Find who is named in a post as speaking for the brand that is mentioned."""
        text = mention.post.text
        found = self.people.find(text, self.names.find(text) | {mention.brand: mention.terms})
        return tuple(person for person in found if person.brand == mention.brand)

    def read(self, mention: Mention, speaker: Speaker, sentiment: Sentiment, *, unsure: bool = False) -> _Read | None:
        """Read a mention as an exchange; None when no company speaks, or it speaks of itself."""
        about = self.brands.get(mention.brand)
        if about is None or (speaker.label.name != "peer_company" and not speaker.own_account):
            return None
        post = mention.post
        company = self.companies.speaks_for(post.author, speaker)
        if company.key == about.key or (company.side == "own" and about.kind == "own"):
            return None
        direction: Direction = (
            "us_to_them" if company.side == "own" else "them_to_us" if about.kind == "own" else "them_to_them"
        )
        people = self.people_in(mention)
        event = find_occasion(post.text, post.published_at, self.events, self.zone)
        shared = _SHARED.match(post.text)
        because = [_speaks(company, post.author, about)]
        if shared:
            because.append(reason(N_("It passes on a post of @{quote_who} as it is"), quote_who=shared[1]))
        for person in people:
            facts = {"quote_person": person.name, "quote_brand": about.name}
            because.append(reason(_PERSON[sentiment], **facts))
            if person.cue is not None:
                sentence = N_("It passes on what {quote_person} said: the post says «{quote_words}»")
                because.append(reason(sentence, quote_person=person.name, quote_words=person.cue))
        if not people:
            because.append(reason(_POLARITY[sentiment], quote_brand=about.name))
        if unsure:
            because.append(
                reason(N_("The verdict is unsure: «{sentiment}» is only the likeliest"), sentiment=sentiment)
            )
        if event is not None:
            because.append(event.because)
        return _Read(direction, company, about, people, event, shared[1] if shared else None, tuple(because))


def peers_of(settings: Settings) -> Peers:
    """Give who knows the companies that are watched; built again only when these change."""
    made_of = Peers.describe(settings)
    if made_of not in _BUILT:
        _BUILT.clear()  # one configuration is in use
        _BUILT[made_of] = Peers(settings)
    return _BUILT[made_of]


_BUILT: dict[str, Peers] = {}


@dataclass(frozen=True, slots=True)
class _Read:
    """Hold what a post alone tells of an exchange."""

    direction: Direction
    speaker: Company
    about: Brand
    people: tuple[Person, ...]
    event: Occasion | None
    shared: str | None
    because: tuple[Reason, ...]


def _speaks(company: Company, author: Author, about: Brand) -> Reason:
    if company.side == "own":
        who = (author.handle or author.name or company.name) if company.account else (author.name or author.handle)
        return reason(_SPEAKS[company.side, company.account], quote_who=who or company.name, quote_brand=about.name)
    if company.side == "competitor":
        who = f"@{author.handle}" if author.handle else author.name or company.name
        return reason(_RIVAL, quote_who=who, quote_company=company.name, quote_brand=about.name)
    return reason(_PEER, quote_who=company.name, quote_brand=about.name)


def exchanges(
    connection: Connection,
    settings: Settings,
    period: Period,
    brand: str | None,
    peers: Peers | None = None,
    *,
    among: Collection[int] | None = None,
) -> list[Exchange]:
    """Read the exchanges of a period, the newest first; `brand`, one of ours, keeps those that it is a side of.

    What they say of each other (them_to_them) is kept for every brand. A mention counts as everywhere: when its
    current verdict says that it is about the brand. `peers` spares building one; `among` asks for some mentions alone.
    """
    peers = peers or peers_of(settings)
    found = []
    for row in connection.execute(_query(among is not None), spoken_in(period, peers.brands, among)):
        said = (row.brand, row.kind, row.text, row.published_at, row.terms, row.handle, row.name, row.bio)
        judged = (row.detail, row.sentiment, row.unsure)
        read, copies = _READ.read((peers.made_of, *said, *judged), partial(_read, peers, row))
        if read is None or (brand is not None and not _takes_part(read, brand)):
            continue
        found.append(
            Exchange(
                mention_id=row.mention_id,
                post_id=row.post_id,
                at=row.published_at,
                direction=read.direction,
                speaker=read.speaker,
                handle=row.handle,
                brand=read.about.key,
                brand_name=read.about.name,
                sentiment=row.sentiment,
                unsure=row.unsure,
                people=read.people,
                event=read.event,
                shared=read.shared,
                text=row.text,
                url=row.url,
                cluster=row.cluster or row.post_id,
                because=read.because,
                case_id=row.case_id,
                department=row.case_department or row.department,
                copies=tuple(row.case_copies) if row.case_id is not None else copies,
            )
        )
    return found


@cache
def _query(among: bool) -> sa.Select[Any]:
    query = select_spoken("peer_company", among=among).add_columns(cases.c.copies.label("case_copies"))
    return query.order_by(posts.c.published_at.desc(), mentions.c.id.desc())


def _read(peers: Peers, row: sa.Row[Any]) -> tuple[_Read | None, tuple[str, ...]]:
    detail = json.loads(row.detail)
    read = peers.read(heard_in(row), speaker_of(detail), row.sentiment, unsure=row.unsure)
    return read, tuple(detail.get("copies", ()))


def _takes_part(read: _Read, brand: str) -> bool:
    return read.direction == "them_to_them" or brand in (read.about.key, read.speaker.key)


def totals(found: Sequence[Exchange]) -> tuple[Total, ...]:
    """Count exchanges by direction, all three always there, so that a zero is told as one."""
    given = []
    for direction in DIRECTIONS:
        mine = [one for one in found if one.direction == direction]
        moods = {mood: sum(one.sentiment == mood for one in mine) for mood in ("negative", "neutral", "positive")}
        given.append(
            Total(
                direction,
                len(mine),
                **moods,
                unsure=sum(one.unsure for one in mine),
                texts=len({one.cluster for one in mine}),
                companies=len({one.speaker.key or fold(one.speaker.name) for one in mine}),
                at_events=sum(one.event is not None for one in mine),
            )
        )
    return tuple(given)
