"""Recognise what posts of the press and of companies are, once, and keep it for the pages (listener/spoken.py).

What is new, or was changed, is looked at in every cycle. When the configuration or the rules changed by which anything
is recognised, all is looked at anew, as much in a cycle as there is time for; until that is done, whoever asks reads
the posts themselves (stakeholders.companies.survey).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store, add_or_update
from listener.fold import fold
from listener.mention import Mention
from listener.store import authors, cursors, mentions, posts
from stakeholders.companies.company import Company
from stakeholders.companies.peer import Direction, Peers
from stakeholders.companies.recall import heard_in
from stakeholders.deciding.decision import speaker_of
from stakeholders.deciding.facts import Speaker
from stakeholders.store import decisions, spoken

__all__ = ["digest_of", "is_kept", "moment_of", "recognise", "ticks_of", "voice_of"]

log = logging.getLogger("escucha.companies")

_RULES = 1  # raise it when what is recognised in the same words changes between two releases
_STATE = "/companies"  # a row of the cursor table: the digest of what all was recognised by; "DIGEST ID": up to there
_LOCK = 7_021_999  # an arbitrary number that only this asks PostgreSQL for
_HELD = ("55P03", "40P01")  # of PostgreSQL: lock not available, deadlock detected
_BATCH = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def recognise(
    store: Store,
    peers: Peers,
    now: datetime,
    longest: timedelta | None = None,
    step: Callable[[str], None] = lambda _: None,
) -> int:
    """Look at the posts that wait for it, a commit a batch, for `longest` at most; give how many mentions were.

    Another process at the same work, or a lock of PostgreSQL that is long in coming, ends it until the next time.
    """
    began, looked, last = monotonic(), 0, -1
    while longest is None or not looked or monotonic() - began < longest.total_seconds():
        with store.read() as connection:
            if not _waits(connection, peers, last):
                break
        try:
            with store.write() as connection:
                found, last = _look(connection, peers, now, last)
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _HELD:
                raise
            log.info("companies: somebody else is writing there; the rest waits for the next cycle")
            break
        if found is None:
            break
        looked += found
        step("companies recognised")
    if looked:
        log.info("companies: %d mentions of press and companies looked at", looked)
    return looked


def is_kept(connection: Connection, peers: Peers) -> bool:
    """Tell whether all was recognised by these companies and rules, but for what is marked as waiting."""
    return connection.scalar(sa.select(cursors.c.value).where(cursors.c.source == _STATE)) == digest_of(peers)


def digest_of(peers: Peers) -> str:
    """Give a digest of everything but the posts that decides what is recognised."""
    return sha256(f"{_rules()}\n{peers.made_of}".encode("utf-8", "surrogatepass")).hexdigest()


def voice_of(company: Company) -> int:
    """Give the number that stands for a company: the same for the same, and no name."""
    return _number(company.key or fold(company.name))


def ticks_of(moment: datetime) -> int:
    """Give a moment as it is kept: microseconds since 1970."""
    return (moment - _EPOCH) // _TICK


def moment_of(ticks: int) -> datetime:
    """Give the moment that was kept, in UTC."""
    return _EPOCH + ticks * _TICK


@cache
def _rules() -> str:
    words = (Path(__file__).parent / "occasions.toml").read_text("utf-8")
    try:
        release = version("escucha")
    except PackageNotFoundError:  # run from a folder that was never installed
        release = ""
    return f"{_RULES}\n{release}\n{words}"


def _waits(connection: Connection, peers: Peers, last: int) -> bool:
    """Tell whether there is anything to look at, before anybody is kept from writing."""
    some = sa.select(spoken.c.mention_id).where(sa.text("seal IS NULL"), spoken.c.mention_id > last).limit(1)
    return not is_kept(connection, peers) or connection.scalar(some) is not None


def _look(connection: Connection, peers: Peers, now: datetime, last: int) -> tuple[int | None, int]:
    """Look at one batch behind mention `last`: how many there were, None at the end, and the last of them."""
    postgresql = connection.dialect.name == "postgresql"
    if postgresql:
        # Whoever writes a post here waits for us a moment; we never wait so long that both would wait for each other.
        connection.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    digest = digest_of(peers)
    known = connection.scalar(sa.select(cursors.c.value).where(cursors.c.source == _STATE)) or ""
    if known == digest:
        waiting = sa.select(spoken.c.mention_id).where(sa.text("seal IS NULL"), spoken.c.mention_id > last)
        ids = _first(connection, waiting.with_for_update(skip_locked=True) if postgresql else waiting)
        if not ids:
            return None, last
        _recognise(connection, peers, ids)
        return len(ids), ids[-1]
    under_way, _, upto = known.partition(" ")
    if under_way != digest:
        log.info("companies: all is looked at anew, since what it is recognised by has changed")
        upto = "-1"
    every = sa.select(spoken.c.mention_id).where(spoken.c.mention_id > int(upto))
    ids = _first(connection, every.with_for_update() if postgresql else every)
    _recognise(connection, peers, ids)
    state = {"source": _STATE, "value": f"{digest} {ids[-1]}" if ids else digest, "updated_at": now}
    add_or_update(connection, cursors, [state], ("source",))
    return len(ids), last


def _first(connection: Connection, query: sa.Select[Any]) -> list[int]:
    return list(connection.scalars(query.order_by(spoken.c.mention_id).limit(_BATCH)))


def _recognise(connection: Connection, peers: Peers, ids: Sequence[int]) -> None:
    if not ids:
        return
    rows = connection.execute(
        sa.select(
            mentions.c.id.label("mention_id"),
            mentions.c.brand,
            mentions.c.hour,
            mentions.c.kind,
            sa.type_coerce(mentions.c.terms, sa.Text).label("terms"),
            posts.c.id.label("post_id"),
            posts.c.source,
            posts.c.native_id,
            posts.c.url,
            posts.c.thread,
            posts.c.text,
            posts.c.published_at,
            posts.c.collected_at,
            posts.c.cluster,
            authors.c.handle,
            authors.c.name,
            authors.c.bio,
            decisions.c.stakeholder,
            decisions.c.brand.label("decided_brand"),
            decisions.c.hour.label("decided_hour"),
            sa.type_coerce(decisions.c.detail, sa.Text).label("detail"),
        )
        .select_from(mentions.join(posts).join(decisions, decisions.c.mention_id == mentions.c.id).outerjoin(authors))
        .where(mentions.c.id.in_(ids))
    ).all()
    given = [values for row in rows if (values := _values(peers, row)) is not None]
    if not given:
        return
    mine = spoken.c.mention_id == sa.bindparam("of")
    kept: dict[str, Any] = {name: sa.bindparam(name) for name in given[0] if name != "of"}
    connection.execute(spoken.update().where(mine).values(kept), given)
    for name, twin in (("cluster", "copied"), ("company", "voiced")):
        _note_twins(connection, name, twin, sorted({one[name] for one in given if one[name] is not None}))


def _note_twins(connection: Connection, name: str, twin: str, values: Sequence[int]) -> None:
    """Mark the rows whose value stands in another row too; a mark that is no longer needed does no harm."""
    other = spoken.alias()
    shared = sa.exists().where(other.c[name] == spoken.c[name], other.c.mention_id != spoken.c.mention_id)
    chosen = spoken.update().where(spoken.c[name].in_(values), spoken.c[twin].is_(None), shared)
    connection.execute(chosen.values({twin: spoken.c[name]}))


def _values(peers: Peers, row: sa.Row[Any]) -> dict[str, Any] | None:
    """Give what is kept of a mention; None for one that must be read every time, as no program of ours writes it."""
    at, heard_at = ticks_of(row.published_at), ticks_of(row.collected_at)
    if (row.decided_brand, row.decided_hour) != (row.brand, row.hour) or row.hour != at // 3_600_000_000:
        return None
    mention, speaker = heard_in(row), speaker_of(json.loads(row.detail))
    read = peers.read(mention, speaker, "neutral") if row.stakeholder == "peer_company" else None
    made_of = (row.source, row.native_id, row.url, row.thread, row.text, row.terms, row.handle, row.name, row.bio)
    return {
        "of": row.mention_id,
        "seal": _number(repr((*made_of, row.detail, row.stakeholder, at, heard_at, row.cluster))),
        "direction": read and read.direction,
        "ours": read and _side_of(read.direction, read.speaker.key, row.brand),
        "at_event": read is not None and read.event is not None,
        "praise": _praise(peers, mention, speaker),
        "at": at,
        "heard_at": heard_at,
        "cluster": row.cluster or row.post_id,
        "company": read and voice_of(read.speaker),
        "copied": None,
        "voiced": None,
    }


def _side_of(direction: Direction, speaker: str | None, about: str) -> str | None:
    """Give the brand of ours that is a side of an exchange; "" where none is."""
    return {"us_to_them": speaker, "them_to_us": about, "them_to_them": ""}[direction]


def _praise(peers: Peers, mention: Mention, speaker: Speaker) -> int:
    about = peers.brands.get(mention.brand)
    if about is None or about.kind != "own":
        return 0
    if peers.companies.speaks_for(mention.post.author, speaker).side == "own":
        return 0
    return 2 if any(person.quoted for person in peers.people_in(mention)) else 1


def _number(text: str) -> int:
    """Give a digest as a number that either database holds."""
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big", signed=True)
