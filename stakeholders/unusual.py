"""Find the days on which far more was said than such a day usually brings, and say what drove them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions, posts
from stakeholders.counts import counted, named
from stakeholders.period import Period, midnight
from stakeholders.store import decisions
from stakeholders.volume import DayCount, volume_by_day

__all__ = ["Unusual", "unusual_days"]

_BAR = 3.5  # of the modified z-score (Iglewicz and Hoaglin 1993)
_LEAST = 20  # mentions: below, a day is not worth a director's minute
_WEEKS = 4
_READ = 400  # posts read to name the words of a day, and as many of the days before
_WORD = re.compile(r"[^\W\d_]{4,}")
# Words that carry no news, for the time when there is nothing yet to compare a day with.
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
class Unusual:
    """Hold one unusual day: what came, what was expected of such a day, and what drove it."""

    day: date
    brand: str | None
    mentions: int
    negative: int
    expected: float  # median of the same weekday in the four weeks before
    low: float  # the range in which a day is usual
    high: float
    sample: int  # how many such days were heard: 3 or 4
    score: float  # modified z-score
    words: tuple[str, ...]  # what is said that day and not before, strongest first
    stakeholder: str | None  # who spoke most, None when not routed yet


def unusual_days(connection: Connection, period: Period, brand: str | None) -> list[Unusual]:
    """Find days whose volume is over the median of the same weekday in the four weeks before by a robust z above 3.5.

    The scale is 1.4826 × MAD, and never less than what chance alone gives a count (√median); days with fewer than 20
    mentions or fewer than three such days to compare with are left out. Source: Iglewicz and Hoaglin, "How to Detect
    and Handle Outliers", 1993.
    """
    start = midnight(period.first_day - timedelta(weeks=_WEEKS), period.zone)
    long = Period(start, period.end, period.zone)
    counts = _by_day(volume_by_day(connection, long, None if brand is None else [brand]))
    found = []
    for day in (one.date for one in period.days):
        before = [counts.get(day - timedelta(weeks=back)) for back in range(1, _WEEKS + 1)]
        told = [number[0] for number in before if number is not None]
        now = counts.get(day)
        if now is None or now[0] < _LEAST or len(told) < _WEEKS - 1:
            continue
        middle = median(told)
        spread = 1.4826 * median(abs(number - middle) for number in told)
        scale = max(spread, math.sqrt(max(middle, 1.0)))
        score = (now[0] - middle) / scale
        if score > _BAR:
            low, high = max(0.0, middle - _BAR * scale), middle + _BAR * scale
            words, who = _drivers(connection, period, brand, day)
            found.append(Unusual(day, brand, *now, middle, low, high, len(told), score, words, who))
    return found


def _by_day(rows: Iterable[DayCount]) -> dict[date, tuple[int, int]]:
    """Add brands together; days that nobody heard are absent."""
    sums: dict[date, tuple[int, int]] = {}
    for row in rows:
        if row.mentions is not None and row.negative is not None:
            mentioned, negative = sums.get(row.day, (0, 0))
            sums[row.day] = (mentioned + row.mentions, negative + row.negative)
    return sums


def _drivers(
    connection: Connection, period: Period, brand: str | None, day: date
) -> tuple[tuple[str, ...], str | None]:
    """Name the words said that day by many and before by few, and the stakeholder that spoke most."""
    starts, ends = midnight(day, period.zone), midnight(day + timedelta(days=1), period.zone)
    today = Period(starts, ends, period.zone)
    earlier = Period(midnight(day - timedelta(weeks=_WEEKS), period.zone), starts, period.zone)
    texts, own = _texts(connection, today, brand)
    others, _ = _texts(connection, earlier, brand)
    here, there = _spread(texts), _spread(others)
    lift = {
        word: number / len(texts) - there[word] / max(len(others), 1)
        for word, number in here.items()
        if number >= 3 and word not in own and word not in _NEVER
    }
    words = sorted((word for word in lift if lift[word] > 0.1), key=lambda word: (-lift[word], word))[:4]
    speakers = (
        sa.select(decisions.c.stakeholder, sa.func.count().label("number"))
        .select_from(counted().join(decisions, decisions.c.mention_id == mentions.c.id))
        .where(named(today, brand))
        .group_by(decisions.c.stakeholder)
        .order_by(sa.desc("number"), decisions.c.stakeholder)
        .limit(1)
    )
    return tuple(_as_written(word, texts) for word in words), connection.scalar(speakers)


def _texts(connection: Connection, period: Period, brand: str | None) -> tuple[list[str], frozenset[str]]:
    """Read the newest posts of a period, and the words by which they name the brand."""
    query = (
        sa.select(posts.c.text, mentions.c.terms)
        .select_from(counted().join(posts, posts.c.id == mentions.c.post_id))
        .where(named(period, brand))
        .order_by(mentions.c.hour.desc(), mentions.c.id)
        .limit(_READ)
    )
    rows = connection.execute(query).all()
    terms = frozenset(word for row in rows for term in row.terms for word in _WORD.findall(str(term[2]).casefold()))
    return [row.text for row in rows], terms


def _spread(texts: Iterable[str]) -> Counter[str]:
    """Count in how many texts each word stands."""
    return Counter(word for text in texts for word in set(_WORD.findall(text.casefold())))


def _as_written(word: str, texts: Iterable[str]) -> str:
    """Give a word as most people wrote it, so that a place keeps its capital."""
    forms = Counter(form for text in texts for form in _WORD.findall(text) if form.casefold() == word)
    return min(forms, key=lambda form: (-forms[form], form), default=word)
