"""Say what drives a rise: the words that are new, who speaks, where, and how many different texts and people it is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions, posts
from sentiment.store import verdicts
from stakeholders.counting.counts import counted, named
from stakeholders.counting.period import Period, midnight
from stakeholders.counting.tally import date_of, day_of, is_limited, sums_by
from stakeholders.spikes.traffic import Measure
from stakeholders.store import decisions

__all__ = ["HARMFUL", "Drivers", "find_drivers", "loudest_of", "most_heard", "new_words"]

HARMFUL = ("complaint", "outage_report", "safety", "legal_threat", "churn_threat")  # wishes that count as harm

_KNOWN: dict[tuple[bytes, bool], tuple[str, ...]] = {}  # digest of texts → the words that were named of them
_MOST = 2_000
_READ = 400  # posts read to name the words of a stretch, and as many of the time before
_WORD = re.compile(r"[^\W\d_]{4,}")
_ANY = re.compile(r"[^\W\d_]+")
_SLACK = 130  # of a hundred: mentions looked at in the first place for the posts wanted, as some are not relevant
_LIFT = 0.1  # more of the texts hold the word than before
_OFTEN = 0.6  # of the texts with a word have the same word beside it: then both are named
_MAJOR = 0.5
# Words that carry no news, for the time when there is nothing yet to compare with.
_NEVER = frozenset(
    word
    for line in (
        "para pero como esta este esto están porque cuando donde desde hasta también todo toda todos todas solo sólo",
        "tiene tienen hace hacer aquí ahora siempre nada algo otra otro sobre entre será sido gracias hola https",
        "that this with from have they your what when just been will would there their about were",
        "você isso esse essa está mais muito quando pela pelo ainda",
    )
    for word in line.split()
)


@dataclass(frozen=True, slots=True)
class Drivers:
    """Hold what a rise consists of; names only where at least half of it share them, None where nothing does so."""

    mentions: int
    harmful: int  # negative, or a complaint, an outage report, a threat
    texts: int  # different ones: copies and reposts are one
    people: int  # distinct authors told
    words: tuple[str, ...]
    stakeholder: str | None
    source: str | None
    country: str | None
    intent: str | None
    department: str | None  # of those routed, where at least half go there


def find_drivers(connection: Connection, period: Period, earlier: Period, brand: str, measure: Measure) -> Drivers:
    """Name what the mentions of a stretch share, against the time before it."""
    wanted = _of(period, brand, measure)
    tables = counted().join(posts, posts.c.id == mentions.c.post_id)
    harm = sa.or_(verdicts.c.sentiment == "negative", verdicts.c.intent.in_(HARMFUL))
    row: Any = connection.execute(
        sa.select(
            sa.func.count().label("mentions"),
            sa.func.count().filter(harm).label("harmful"),
            sa.func.count(sa.func.coalesce(posts.c.cluster, posts.c.id).distinct()).label("texts"),
            sa.func.count(posts.c.author_id.distinct()).label("people"),
        )
        .select_from(tables)
        .where(wanted)
    ).one()
    before = _of(earlier, brand, measure)
    return Drivers(
        mentions=row.mentions,
        harmful=row.harmful,
        texts=row.texts,
        people=row.people,
        words=new_words(connection, period, earlier, brand, measure, pairs=True),
        stakeholder=most_heard(connection, period, brand, measure, least=row.mentions * _MAJOR),
        source=_major(connection, mentions.c.source, wanted, row.mentions, before),
        country=_major(connection, posts.c.country, wanted, row.mentions, before),
        intent=_major(connection, verdicts.c.intent, wanted, row.mentions),
        department=_department(connection, wanted, row.mentions),
    )


def _of(period: Period, brand: str | None, measure: Measure) -> sa.ColumnElement[bool]:
    found = named(period, brand)
    return found if measure == "all" else sa.and_(found, verdicts.c.sentiment == "negative")


def _major(
    connection: Connection,
    label: sa.Column[Any],
    wanted: sa.ColumnElement[bool],
    total: int,
    before: sa.ColumnElement[bool] | None = None,
) -> str | None:
    """Give the label that at least half share; with `before`, not where it is the only one anybody ever has."""
    tables = counted().join(posts, posts.c.id == mentions.c.post_id)
    found = (
        sa.select(label, sa.func.count().label("number"))
        .select_from(tables)
        .where(wanted, label.is_not(None))
        .group_by(label)
        .order_by(sa.desc("number"), label)
        .limit(1)
    )
    first = connection.execute(found).one_or_none()
    if first is None or first[1] < max(1, total * _MAJOR) or first[0] in ("other", "undefined"):
        return None
    if before is not None:
        others = sa.select(mentions.c.id).select_from(tables).where(sa.or_(wanted, before), label != first[0]).limit(1)
        if connection.scalar(others) is None:
            return None
    return str(first[0])


def _department(connection: Connection, wanted: sa.ColumnElement[bool], total: int) -> str | None:
    tables = counted().join(decisions, decisions.c.mention_id == mentions.c.id)
    number = sa.func.count().label("number")
    found = sa.select(decisions.c.department, number).select_from(tables).where(wanted)
    rows = connection.execute(found.group_by(decisions.c.department).order_by(number.desc()).limit(1)).all()
    return rows[0][0] if rows and rows[0].number >= total * _MAJOR else None


def most_heard(
    connection: Connection, period: Period, brand: str | None, measure: Measure = "all", least: float = 1
) -> str | None:
    """Name the stakeholder that spoke most in a stretch; None when nothing is routed, or it has fewer than `least`."""
    sums = sums_by(connection, period, brand, "stakeholder")
    number = sa.func.sum(sums.c.mentions if measure == "all" else sums.c.negative)
    query = sa.select(sums.c.name, number.label("number")).where(sums.c.name != "").group_by(sums.c.name)
    row = connection.execute(query.having(number > 0).order_by(number.desc(), sums.c.name).limit(1)).one_or_none()
    return str(row.name) if row is not None and row.number >= least else None


def loudest_of(connection: Connection, days: Collection[date], zone: ZoneInfo, brand: str | None) -> dict[date, str]:
    """Name for some local days the stakeholder that spoke most on each, as `most_heard` does; absent where none did."""
    if is_limited(connection):  # it counts rows: only those of these days
        parts = {day: most_heard(connection, _between(day, day, zone), brand) for day in days}
        return {day: who for day, who in parts.items() if who is not None}
    if not days:
        return {}
    sums = sums_by(connection, _between(min(days), max(days), zone), brand, "stakeholder")
    number = sa.func.sum(sums.c.mentions)
    query = sa.select(sums.c.day, sums.c.name, number.label("number")).group_by(sums.c.day, sums.c.name)
    query = query.where(sums.c.day.in_([day_of(day) for day in days]), sums.c.name != "").having(number > 0)
    found: dict[date, tuple[int, str]] = {}
    for row in connection.execute(query):
        here = date_of(row.day)
        found[here] = min(found.get(here, (0, "")), (-int(row.number), row.name))
    return {day: name for day, (_, name) in found.items()}


def _between(first: date, last: date, zone: ZoneInfo) -> Period:
    return Period(midnight(first, zone), midnight(last + timedelta(days=1), zone), zone)


def new_words(
    connection: Connection,
    period: Period,
    earlier: Period,
    brand: str | None,
    measure: Measure = "all",
    *,
    pairs: bool = False,
    most: int = _READ,
) -> tuple[str, ...]:
    """Name the words said by many in a stretch and by few before, strongest first, four at most.

    With `pairs`, a word that nearly always has the same neighbour is given with it: «sin señal». Of each of the two
    times the newest `most` posts are read.
    """
    texts, own = _texts(connection, period, brand, measure, most)
    others, _ = _texts(connection, earlier, brand, measure, most)
    told = sha256(json.dumps([texts, others, sorted(own)]).encode()).digest()
    key = told, pairs
    if key not in _KNOWN:  # the texts of a day that is over stay as they are: looking at them costs more than reading
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        _KNOWN[key] = _name_words(texts, others, own, pairs=pairs)
    return _KNOWN[key]


def _name_words(texts: Sequence[str], others: Sequence[str], own: frozenset[str], *, pairs: bool) -> tuple[str, ...]:
    here, there = _spread(texts), _spread(others)
    lift = {
        word: number / len(texts) - there[word] / max(len(others), 1)
        for word, number in here.items()
        if number >= 3 and word not in own and word not in _NEVER
    }
    words = sorted((word for word in lift if lift[word] > _LIFT), key=lambda word: (-lift[word], word))[:4]
    folded = [(text, text.casefold()) for text in texts] if words else []
    written = [_as_written(word, (text for text, low in folded if word in low)) for word in words]
    if not pairs:
        return tuple(written)
    joined: list[str] = []
    for word in written:
        if not any(word.casefold() in one.casefold().split() for one in joined):
            joined.append(_with_neighbour(word, texts, own))
    return tuple(joined)


@cache
def _newest(every: bool, measure: Measure) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Give the queries of the newest posts of a stretch, and of the hour down to which they were looked for.

    An hour of a loud day holds far more than are wanted. So an index tells in which hour the mention `reach` lies: of
    the later ones all are looked at, of that one the first, and texts are read of those that are left. Built once, as a
    page asks it twice for each day that it explains.
    """
    time, most = mentions.c.hour, sa.bindparam("most", type_=sa.Integer)
    mine: sa.ColumnElement[bool] = sa.true() if every else mentions.c.brand == sa.bindparam("brand")
    inside = sa.and_(mine, time >= sa.bindparam("first"), time < sa.bindparam("end"))
    hour = sa.select(time).where(inside).order_by(time.desc()).limit(1).offset(sa.bindparam("reach"))
    edge = sa.func.coalesce(hour.scalar_subquery(), sa.bindparam("first") - 1)
    relevant = sa.select(mentions.c.id, time).select_from(counted()).where(mine)
    if measure != "all":
        relevant = relevant.where(verdicts.c.sentiment == "negative")
    later = relevant.where(time > edge, time < sa.bindparam("end"))
    there = relevant.where(time == edge).order_by(mentions.c.id).limit(most).subquery()
    both = sa.union_all(later, sa.select(there)).subquery()
    ids = sa.select(both.c.id).order_by(both.c.hour.desc(), both.c.id).limit(most).subquery()
    tables = ids.join(mentions, mentions.c.id == ids.c.id).join(posts, posts.c.id == mentions.c.post_id)
    return sa.select(posts.c.text, sa.type_coerce(mentions.c.terms, sa.Text).label("terms")).select_from(tables), hour


def _texts(
    connection: Connection, period: Period, brand: str | None, measure: Measure, most: int
) -> tuple[list[str], frozenset[str]]:
    """Read the newest posts of a stretch, in no order of time, and the words by which they name the brand."""
    newest, hour = _newest(brand is None, measure)
    told: dict[str, Any] = {"first": period.first_hour, "brand": brand, "reach": most * _SLACK // 100}
    rows: list[Any] = []
    end: int | None = period.end_hour
    while end is not None and len(rows) < most:
        told |= {"end": end, "most": most - len(rows)}
        rows += connection.execute(newest, told).all()
        end = connection.scalar(hour, told) if len(rows) < most else None
        told["reach"] *= 2
    every = {row.terms for row in rows}  # the same few ways to write a name, over and over
    terms = frozenset(
        word for one in every for term in json.loads(one) for word in _WORD.findall(str(term[2]).casefold())
    )
    return sorted(row.text for row in rows), terms


def _spread(texts: Iterable[str]) -> Counter[str]:
    """Count in how many texts each word stands."""
    return Counter(word for text in texts for word in set(_WORD.findall(text.casefold())))


def _as_written(word: str, texts: Iterable[str]) -> str:
    """Give a word as most people wrote it, so that a place keeps its capital."""
    forms = Counter(form for text in texts for form in _WORD.findall(text) if form.casefold() == word)
    return min(forms, key=lambda form: (-forms[form], form), default=word)


def _with_neighbour(word: str, texts: Iterable[str], own: frozenset[str]) -> str:
    holding = 0
    beside: Counter[str] = Counter()
    for text in texts:
        words = _ANY.findall(text.casefold())
        if word.casefold() not in words:
            continue
        holding += 1
        place = words.index(word.casefold())
        if place > 0 and words[place - 1] not in own:
            beside[f"{words[place - 1]} {word}"] += 1
    if not beside:
        return word
    pair, number = min(beside.items(), key=lambda item: (-item[1], item[0]))
    # An article or a preposition says nothing: only words that turn the meaning are worth a place.
    return pair if number >= _OFTEN * holding and pair.split()[0] in _TURNS else word


_TURNS = frozenset(("sin", "no", "mala", "mal", "nunca", "doble", "without", "not", "bad", "sem", "não", "ruim", "má"))
