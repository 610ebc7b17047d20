"""What drove an unusual day is told from few questions, with the answers of a look at each day by itself."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store
from listener.store import mentions, posts
from listener.sums.rollup import keep_days
from sentiment.store import verdicts
from stakeholders.counting.period import Period, midnight
from stakeholders.spikes.drivers import loudest_of, most_heard, new_words
from stakeholders.store import decisions
from tests.stakeholders.weeks import say

SANTIAGO = ZoneInfo("America/Santiago")
_LETTERS = str.maketrans("0123456789", "abcdefghij")  # words hold no digits
FIRST = date(2026, 9, 2)  # clocks go forward at midnight of 6 September
START = datetime(2026, 9, 4, 9, tzinfo=UTC)


def a_day(day: date) -> Period:
    return Period(midnight(day, SANTIAGO), midnight(day + timedelta(days=1), SANTIAGO), SANTIAGO)


def by_hand(connection: Connection, day: date, brand: str | None) -> str | None:
    """Count who spoke on a day in Python, from every row."""
    query = sa.select(mentions.c.published_at, mentions.c.brand, decisions.c.stakeholder).join_from(mentions, decisions)
    relevant = query.join(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
    count: dict[str, int] = {}
    for at, of, who in connection.execute(relevant.where(verdicts.c.relevant)):
        if at.astimezone(SANTIAGO).date() == day and brand in (None, of):
            count[who] = count.get(who, 0) + 1
    return min(count, key=lambda who: (-count[who], who), default=None)


def test_who_spoke_most_on_some_days_is_what_each_day_asked_by_itself_tells(store: Store) -> None:
    draw = random.Random(8)
    begin = midnight(FIRST, SANTIAGO)
    with store.write() as connection:
        for _ in range(150):
            at = begin + timedelta(minutes=draw.randrange(7 * 24 * 60))
            who = draw.choice(("customer", "press", "regulator", None))
            say(connection, at, draw.choice(("nitido", "brisatel")), stakeholder=who, relevant=draw.random() < 0.8)
    wanted = [FIRST + timedelta(days=place) for place in (-1, 0, 3, 4, 5, 40)]  # two of them with nothing said
    for zone in ("America/Santiago", "UTC"):
        with store.write() as connection:
            keep_days(connection, ZoneInfo(zone))
        with store.read() as sums, store.guarded_by(lambda statement: statement).read() as rows:
            for connection, brand in product((sums, rows), ("nitido", "brisatel", None)):
                found = loudest_of(connection, wanted, SANTIAGO, brand)
                alone = {day: most_heard(connection, a_day(day), brand) for day in wanted}
                assert found == {day: who for day, who in alone.items() if who is not None}
                assert {day: found.get(day) for day in wanted} == {
                    day: by_hand(connection, day, brand) for day in wanted
                }
                assert len(found) == 4
            assert loudest_of(sums, [], SANTIAGO, None) == {}


def test_words_are_those_of_the_newest_posts_however_these_lie_in_hours(store: Store) -> None:
    """Each word stands in three posts, so which words are named tells which posts were read."""
    draw = random.Random(3)
    words = [f"palabra{one}{two}".translate(_LETTERS) for one, two in product(range(4), range(5))]
    with store.write() as connection:
        for word in words * 3:
            at = START + timedelta(hours=int(draw.random() ** 3 * 12))
            say(connection, at, text=word, terms=("Nítido",))
            for _ in range(draw.randrange(4)):
                say(connection, at, text=draw.choice(words), relevant=False)
        day, before = a_day(START.date()), a_day(START.date() - timedelta(days=9))
        query = (
            sa.select(posts.c.text).join_from(mentions, posts).join(verdicts, verdicts.c.mention_id == mentions.c.id)
        )
        newest = query.where(verdicts.c.relevant).order_by(mentions.c.hour.desc(), mentions.c.id)
        texts = list(connection.scalars(newest))
        named = set()
        for most in range(3, 30):
            count = Counter(texts[:most])
            wanted = sorted(word for word in count if count[word] >= 3 and count[word] / most > 0.1)[:4]
            assert list(new_words(connection, day, before, "nitido", most=most)) == wanted, most
            named |= {*wanted}
        assert len(named) > 1


def say_all(connection: Connection, at: datetime, texts: Sequence[str], **labels: str) -> None:
    for text in texts:
        say(connection, at, text=text, terms=("Nítido",), **labels)


def test_words_are_named_of_the_posts_of_the_latest_hours_and_of_an_hour_the_first(store: Store) -> None:
    with store.write() as connection:
        say_all(connection, START + timedelta(hours=2), ["hay apagón"] * 3 + ["gran demora"] * 9)
        say_all(connection, START + timedelta(hours=2), ["mucha lluvia"] * 9, brand="brisatel")
        say_all(connection, START + timedelta(hours=1), ["bonita fiesta"] * 30)
        for _ in range(40):
            say(connection, START + timedelta(hours=3), text="falsa alarma", relevant=False)
        say_all(connection, START - timedelta(days=2), ["nada nuevo"] * 9)
        stretch, before = a_day(START.date()), a_day(START.date() - timedelta(days=2))
        for most, words in ((3, {"apagón"}), (12, {"apagón", "demora", "gran"})):
            assert set(new_words(connection, stretch, before, "nitido", most=most)) == words
        every = new_words(connection, stretch, before, None, most=21)
        assert set(every) == {"demora", "gran", "lluvia", "mucha"}  # four at most
