"""Tell whether one of our own accounts took up what was said of us, and whether these accounts are heard at all.

A post of ours takes something up when it stands in its conversation, passes on its link or its words, speaks of the
same event, or names the person or the account that spoke. Everything else of ours that day is about something else.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.fold import fold
from listener.gaps import find_gaps, heard_spans
from listener.likeness import Likeness
from listener.mention import Brand
from listener.query.sql import is_called
from listener.reason import N_, Reason, reason
from listener.store import authors, posts
from stakeholders.companies.occasion import Occasion

__all__ = ["Heard", "OwnPost", "Praise", "Subjects", "event_key", "hear_own", "links_of", "own_handles", "takes_up"]

_LOOK_BACK = timedelta(days=28)  # an account that was not heard for so long is not listened to, as far as we know
_LINK = re.compile(r"https?://[^\s<>\"'«»]+", re.IGNORECASE)
_NOISE = ("utm_", "fbclid", "gclid", "igsh", "ref", "s", "t", "si")  # of an address: who passed it on
_LIKE = timedelta(days=30)

Subjects = tuple[str | None, frozenset[str]]  # the `event_key` of a post, and the folded names of our people in it


@dataclass(frozen=True, slots=True)
class OwnPost:
    """Hold a post of one of our own accounts."""

    post_id: int
    source: str
    handle: str
    at: datetime
    text: str
    url: str | None
    in_reply_to: str | None
    thread: str | None
    cluster: int | None


@dataclass(frozen=True, slots=True)
class Praise:
    """Hold what was said of us, with its copies: all that a post of ours could take up."""

    text: str
    threads: frozenset[tuple[str, str]]  # source and native id or thread id
    links: frozenset[str]
    handles: frozenset[str]  # folded, of who said it
    clusters: frozenset[int]
    people: frozenset[str]  # folded names
    event: str | None


@dataclass(frozen=True, slots=True)
class Heard:
    """Hold what our own accounts said, where they are heard, and when they were not."""

    posts: tuple[OwnPost, ...]  # oldest first
    accounts: tuple[str, ...]  # @handles heard lately
    gaps: tuple[tuple[str, datetime, datetime], ...]  # source, from, to
    why_not: Reason | None = None  # why nothing can be told; None: it can

    def between(self, start: datetime, end: datetime) -> tuple[OwnPost, ...]:
        """Give the posts of start ≤ t ≤ end, oldest first."""
        first = bisect_left(self.posts, start, key=lambda post: post.at)
        return self.posts[first : bisect_right(self.posts, end, first, key=lambda post: post.at)]

    def gap_in(self, start: datetime, end: datetime) -> tuple[str, datetime, datetime] | None:
        """Give the first stretch of start ≤ t < end in which a source of our accounts was not heard."""
        return next((gap for gap in self.gaps if gap[1] < end and gap[2] > start), None)


def own_handles(brands: Iterable[Brand]) -> dict[str, str]:
    """Give the accounts that speak for our brands, folded → as configured."""
    ours = (brand for brand in brands if brand.kind == "own")
    every = [handle.removeprefix("@") for brand in ours for handle in brand.own_handles or brand.handles]
    return {fold(handle): handle for handle in every}


def event_key(event: Occasion | None) -> str | None:
    """Give what two ways to write one event share: «#CumbreDigital2026», «Cumbre Digital 2026»."""
    if event is None or event.name is None:
        return None
    return re.sub(r"[^\w]", "", fold(event.name))


def hear_own(connection: Connection, brands: Sequence[Brand], start: datetime, end: datetime, now: datetime) -> Heard:
    """Read what our own accounts published from start to end, and whether and when they were heard."""
    known = own_handles(brands)
    if not known:
        return Heard((), (), (), reason(N_("No account of our own is in the configuration: it cannot be told")))
    mine = posts.c.author_id.in_(_accounts(connection, known))
    base = sa.select(posts.c.source, authors.c.handle).select_from(posts.join(authors)).where(mine)
    listened = base.where(posts.c.published_at >= start - _LOOK_BACK, posts.c.published_at < end).distinct()
    rows = connection.execute(listened.order_by(posts.c.source, authors.c.handle)).all()
    if not rows:
        sentence = N_("None of our own accounts ({quote_accounts}) was heard in these weeks: it cannot be told")
        accounts = ", ".join(f"@{handle}" for handle in known.values())
        return Heard((), (), (), reason(sentence, quote_accounts=accounts))
    sources = {row.source for row in rows}
    within = sa.and_(mine, posts.c.published_at >= start, posts.c.published_at < end)
    told = sa.select(
        posts.c.id,
        posts.c.source,
        authors.c.handle,
        posts.c.published_at,
        posts.c.text,
        posts.c.url,
        posts.c.in_reply_to,
        posts.c.thread,
        posts.c.cluster,
    )
    told = told.select_from(posts.join(authors)).where(within)
    found = tuple(OwnPost(*row) for row in connection.execute(told.order_by(posts.c.published_at, posts.c.id)))
    handles = dict.fromkeys(f"@{row.handle.removeprefix('@')}" for row in rows)
    return Heard(found, tuple(handles), tuple(_unheard(connection, sources, start, end, now)))


def _accounts(connection: Connection, known: Iterable[str]) -> list[int]:
    """Find the authors with such handles, on every source, by the index of handles."""
    named = [*known, *(f"@{handle}" for handle in known)]
    condition: sa.ColumnElement[bool] = sa.func.lower(authors.c.handle).in_(
        named
    )  # for letters that the index does not put into small ones
    if all(one.isascii() for one in named):
        postgres = connection.dialect.name == "postgresql"
        condition = sa.or_(*(is_called(authors, one, postgres=postgres) for one in named))
    return list(connection.scalars(sa.select(authors.c.id).where(condition)))


def _unheard(
    connection: Connection, sources: set[str], start: datetime, end: datetime, now: datetime
) -> list[tuple[str, datetime, datetime]]:
    """Give when the sources of our accounts were not heard; what an import did not reach was not heard either."""
    until = max(start, min(end, now))
    gaps = [(gap.source, gap.start, gap.end) for gap in find_gaps(connection, start, end, now) if gap.source in sources]
    heard = heard_spans(connection, start, end)
    for source, spans in heard.items():
        if source in sources and spans and all(one == two for one, two in spans) and spans[-1][1] < until:
            gaps.append((source, max(start, spans[-1][1]), until))  # asked once or twice: nobody listens since
    never = sources - set(heard)
    gaps.extend((source, start, until) for source in never if start < until)
    return sorted(gaps, key=lambda gap: (gap[1], gap[0]))


def links_of(*texts: str | None) -> frozenset[str]:
    """Give the addresses in texts, without what tells who passed them on; a bare host is none."""
    found = set()
    for text in texts:
        for hit in _LINK.finditer(text or ""):
            try:
                parts = urlsplit(hit[0].rstrip(".,;:!?)]}…"))
            except ValueError:
                continue
            host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("amp.")
            query = sorted(
                one for one in parse_qsl(parts.query) if not one[0].startswith("utm_") and one[0] not in _NOISE
            )
            path = parts.path.rstrip("/")
            if host and (path or query):
                found.add(host + path + ("?" + "&".join("=".join(one) for one in query) if query else ""))
    return frozenset(found)


def takes_up(post: OwnPost, praise: Praise, subjects: Callable[[OwnPost], Subjects]) -> Reason | None:
    """Tell by what a post of ours takes up what was said of us, the surest first; None when it is about another thing.

    `subjects` is asked last: reading events and people costs more than the rest.
    """
    facts = {"quote_account": f"@{post.handle.removeprefix('@')}"}
    if any((post.source, one) in praise.threads for one in (post.in_reply_to, post.thread) if one):
        return reason(N_("{quote_account} answered in its conversation"), **facts)
    if links_of(post.text, post.url) & praise.links:
        return reason(N_("{quote_account} passed on its link"), **facts)
    if post.cluster in praise.clusters or _alike(post, praise):
        return reason(N_("{quote_account} said the same words"), **facts)
    folded = fold(post.text)
    for handle in praise.handles:
        if re.search(rf"@{re.escape(handle)}(?!\w)", folded):
            return reason(N_("{quote_account} named @{quote_handle}"), **facts, quote_handle=handle)
    event, people = subjects(post) if praise.event or praise.people else (None, frozenset())
    if event is not None and event == praise.event:
        return reason(N_("{quote_account} spoke of the same event"), **facts)
    if people & praise.people:
        return reason(N_("{quote_account} named the same person"), **facts)
    return None


def _alike(post: OwnPost, praise: Praise) -> bool:
    if post.cluster is not None and praise.clusters:
        return False  # both were compared when they came
    memory = Likeness(_LIKE)
    memory.add(1, praise.text, post.at)
    return bool(memory.matches(post.text, post.at))
