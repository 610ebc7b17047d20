"""The hourly sums are what GROUP BY gives, whatever was written, corrected, moved or erased, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import permutations, product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from bench.archive import NOW, build
from bench.pages import check_room, differences
from listener.database import Store, add_new
from listener.store import mentions, posts, runs
from listener.sums.addends import DAY_ONLY
from listener.sums.localday import day_sql, kept_zone
from listener.sums.rollup import fold, install, install_cases, keep_days, recount, rollup_changes, rollup_days, rollups
from sentiment.store import save_verdicts, verdicts
from sentiment.verdict import Label, Verdict
from stakeholders import insight
from stakeholders.counting.bodies import count_bodies
from stakeholders.counting.counts import honest_counts
from stakeholders.counting.crosstab import AXES, count_cells, count_days
from stakeholders.counting.period import Period, midnight
from stakeholders.counting.reckoning import mention_fates
from stakeholders.spikes.drivers import most_heard
from stakeholders.store import case_mentions, cases, decisions
from tests.race import race
from tests.stakeholders.weeks import open_case, say

START = datetime(2026, 11, 9, 5, 30, tzinfo=UTC)
SANTIAGO = ZoneInfo("America/Santiago")
BRANDS = ("nitido", "brisatel")
MOODS = ("negative", "neutral", "positive")
HOWS = ("opened", "thread", "repeat", "merged")
EPOCH = date(1970, 1, 1).toordinal()
ZONES = (SANTIAGO, ZoneInfo("Asia/Kolkata"), ZoneInfo("UTC"))
SUMS = ("mentions", "negative", "neutral", "positive", "unsure")


def kept(connection: Connection) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Give the sums as a reader adds them up, without those that came back to nothing."""
    keys = ("facet", "brand", "hour", "name")
    both = sa.union_all(
        *(sa.select(*(table.c[name] for name in (*keys, *SUMS))) for table in (rollups, rollup_changes))
    ).subquery()
    query = sa.select(*(both.c[key] for key in keys), *(sa.func.sum(both.c[name]) for name in SUMS))
    rows = connection.execute(query.group_by(*(both.c[key] for key in keys)))
    return {tuple(row[:4]): tuple(map(int, row[4:])) for row in rows if any(row[4:]) and row.facet not in DAY_ONLY}


def kept_days(connection: Connection) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Give the sums by day, with what was not folded yet, without those that came back to nothing."""
    columns = ", ".join(("facet", "brand", "{0}", "name", *SUMS))
    days = columns.format("day")
    late = columns.format(day_sql("rollup_change.hour"))
    totals = ", ".join(f"sum({name})" for name in SUMS)
    rows = connection.exec_driver_sql(
        f"SELECT facet, brand, day, name, {totals} FROM (SELECT {days} FROM rollup_day UNION ALL "
        f"SELECT {late} FROM rollup_change) t GROUP BY facet, brand, day, name"
    )
    return {tuple(row[:4]): tuple(map(int, row[4:])) for row in rows if any(row[4:])}


def counted_by_hand(connection: Connection, zone: ZoneInfo | None = None) -> dict[tuple[Any, ...], tuple[int, ...]]:
    """Count the same in Python from every row: by hour, or by local day of a zone and by two labels at once."""
    found: dict[tuple[Any, ...], list[int]] = {}

    def add(facet: str, brand: str, hour: int, name: str, verdict: Any = None) -> None:
        if zone is not None:
            hour = datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone).date().toordinal() - EPOCH
        sums = found.setdefault((facet, brand, hour, name), [0] * 5)
        sums[0] += 1
        if verdict is not None:
            sums[1 + MOODS.index(verdict.sentiment)] += 1
            sums[4] += bool(verdict.unsure)

    judged = {row.mention_id: row for row in connection.execute(sa.select(verdicts).where(verdicts.c.current))}
    routed = {row.mention_id: row for row in connection.execute(sa.select(decisions))}
    heads = set(
        connection.scalars(sa.select(posts.c.id).where(sa.func.coalesce(posts.c.cluster, posts.c.id) == posts.c.id))
    )
    joined = {row.mention_id: row.how for row in connection.execute(sa.select(case_mentions))}
    for row in connection.execute(sa.select(mentions)):
        at = (row.brand, row.hour)
        add("heard", *at, "")
        verdict = judged.get(row.id)
        if verdict is None:
            continue
        if verdict.by == "person":
            add("corrected", *at, "")
        if not verdict.relevant:
            add("excluded", *at, "")
            continue
        add("kind", *at, row.kind, verdict)
        add("source", *at, row.source, verdict)
        add("dimension", *at, verdict.dimension, verdict)
        decision = routed.get(row.id)
        who = decision.stakeholder if decision else ""
        add("stakeholder", *at, who, verdict)
        if row.post_id in heads:
            add("text", *at, "")
        if zone is not None:
            add("dimension/source", *at, f"{verdict.dimension}/{row.source}", verdict)
            add("stakeholder/dimension", *at, f"{who}/{verdict.dimension}", verdict)
            add("stakeholder/source", *at, f"{who}/{row.source}", verdict)
            if decision and decision.entry is not None:
                add("body", *at, f"{who}/{decision.entry}", verdict)
        if (how := joined.get(row.id)) is not None:
            add("case", *at, how if decision else f"{how}/unrouted")
    for at, source in connection.execute(sa.select(posts.c.published_at, posts.c.source)):
        add("collected", "", int(at.timestamp() // 3600), source)
    for at, source, new in connection.execute(sa.select(runs.c.started_at, runs.c.source, runs.c.new)):
        for _ in range(new):
            add("brought", "", int(at.timestamp() // 3600), source)
    return {key: tuple(sums) for key, sums in found.items()}


def one_of(connection: Connection, draw: random.Random, column: sa.Column[Any]) -> Any:
    known = connection.scalars(sa.select(column).order_by(column)).all()
    return draw.choice(known) if known else None


def judge(connection: Connection, draw: random.Random, mention_id: int) -> None:
    labels = [Label(name, 0.9) for name in (draw.choice(("true", "false")), draw.choice(MOODS))]
    dimension = Label(draw.choice(("governance", "innovation")), 0.9)
    given = Verdict(*labels, dimension, Label("other", 0.9), "test", draw.choice(("model", "person")))
    save_verdicts(connection, [(mention_id, given)], START, "Ana")


def decide(connection: Connection, mention_id: int) -> None:
    row = connection.execute(sa.select(mentions).where(mentions.c.id == mention_id)).one()
    line = {"mention_id": row.id, "at": START, "brand": row.brand, "kind": row.kind, "hour": row.hour}
    line |= {"stakeholder": "press", "priority": "routine", "department": "sales", "rule": "matrix", "detail": {}}
    add_new(connection, decisions, [line], ("mention_id",))


def change(connection: Connection, draw: random.Random) -> None:
    """Do one random thing that the program does, and some that it may do one day."""
    mention_id = one_of(connection, draw, mentions.c.id)
    kind = draw.randrange(17)
    if kind < 4 or mention_id is None:
        at = START + timedelta(minutes=draw.randrange(300))
        say(
            connection, at, draw.choice(BRANDS), sentiment=draw.choice((*MOODS, None)), relevant=draw.random() < 0.8,
            unsure=draw.random() < 0.3, by=draw.choice(("model", "person")), source=draw.choice(("x", "news")),
            stakeholder=draw.choice(("customer", "press", None)),
        )  # fmt: skip
    elif kind in (4, 5):
        judge(connection, draw, mention_id)
    elif kind == 6:  # the judge is asked again
        connection.execute(verdicts.update().where(verdicts.c.mention_id == mention_id).values(current=False))
    elif kind == 7:
        routed = decisions.c.mention_id == mention_id
        if draw.random() < 0.3:
            connection.execute(decisions.delete().where(routed))
        else:
            who = draw.choice(("customer", "regulator"))
            connection.execute(decisions.update().where(routed).values(stakeholder=who, department="sales"))
    elif kind == 8:
        held = connection.scalar(sa.select(case_mentions.c.case_id).where(case_mentions.c.mention_id == mention_id))
        mine = case_mentions.c.mention_id == mention_id
        if held is None:
            open_case(connection, [mention_id], START, how="repeat")
            connection.execute(case_mentions.update().where(mine).values(how=draw.choice(HOWS)))
        elif draw.random() < 0.5:
            connection.execute(case_mentions.update().where(mine).values(how=draw.choice(HOWS)))
        else:
            connection.execute(cases.delete().where(cases.c.id == held))
    elif kind == 9:  # erased at the source: everything goes by cascade
        connection.execute(posts.delete().where(posts.c.id == one_of(connection, draw, posts.c.id)))
    elif kind == 10:
        connection.execute(mentions.delete().where(mentions.c.id == mention_id))
    elif kind == 11:
        values = draw.choice(({"brand": "brisatel"}, {"hour": 7}, {"source": "news"}, {"terms": []}))
        connection.execute(mentions.update().where(mentions.c.id == mention_id).values(**values))
    elif kind in (13, 14):  # placed with what says the same, or on its own; edited texts are compared anew
        post_id, other = (one_of(connection, draw, posts.c.id) for _ in range(2))
        values = {"cluster": draw.choice((None, post_id, other))}
        connection.execute(posts.update().where(posts.c.id == post_id).values(**values))
    elif kind == 16:  # decided while it stands in a case already, or not
        decide(connection, mention_id)
    elif kind == 15:
        routed = decisions.c.mention_id == mention_id
        connection.execute(decisions.update().where(routed).values(entry=draw.choice((None, "Diario/Uno", "ARTEL"))))
    else:
        at, post_id = START + timedelta(minutes=draw.randrange(300)), one_of(connection, draw, posts.c.id)
        connection.execute(posts.update().where(posts.c.id == post_id).values(published_at=at))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 40), folded=st.floats(0, 0.5))
def test_sums_are_what_a_count_of_the_rows_gives_after_any_writes(
    store: Store, seed: int, steps: int, folded: float
) -> None:
    draw = random.Random(seed)
    with store.write() as connection:
        for table in (cases, posts):
            connection.execute(table.delete())
        assert kept(connection) == kept_days(connection) == {}
        zone = draw.choice(ZONES)
        keep_days(connection, zone)
    for _ in range(steps):
        with store.write() as connection:
            change(connection, draw)
            if draw.random() < folded:
                fold(connection)
            if draw.random() < 0.03:
                zone = draw.choice(ZONES)
                keep_days(connection, zone)
    with store.read() as connection:
        assert kept(connection) == counted_by_hand(connection)
        assert kept_days(connection) == counted_by_hand(connection, zone)
    with store.write() as connection:
        before, days = kept(connection), kept_days(connection)
        fold(connection)
        assert (kept(connection), kept_days(connection)) == (before, days)
        assert connection.scalar(sa.select(sa.func.count()).select_from(rollup_changes)) == 0
        recount(connection)
        assert (kept(connection), kept_days(connection)) == (before, days)


def test_figures_from_kept_sums_are_those_counted_from_the_rows(store: Store) -> None:
    """A guard that lets everything through makes a reader count from the rows."""
    draw = random.Random(5)
    with store.write() as connection:
        for _ in range(250):
            change(connection, draw)
        known = decisions.c.stakeholder != "customer"
        connection.execute(decisions.update().where(known).values(entry="Diario/Uno"))
        for at in (START, START + timedelta(hours=20)):  # decided or not, in cases or not
            say(connection, at, stakeholder=None)
            open_case(connection, [say(connection, at) for _ in range(3)], at, how="thread")
            open_case(connection, [say(connection, at, stakeholder=None) for _ in range(2)], at, how="repeat")
    whole = Period(midnight(date(2026, 11, 8), SANTIAGO), midnight(date(2026, 11, 10), SANTIAGO), SANTIAGO)
    cut = Period(START + timedelta(hours=1), START + timedelta(hours=30), SANTIAGO)
    figures: list[Any] = [
        insight.net_sentiment, insight.voices, insight.dimensions, insight.sources_of, honest_counts, mention_fates,
        *(partial(count_days, axis=axis) for axis in AXES), most_heard,
        *(partial(count_cells, rows=one, columns=two) for one, two in permutations(AXES, 2)),
        partial(count_bodies, known=frozenset({"Diario/Uno", "ARTEL"})),
    ]  # fmt: skip
    for zone, period in product((SANTIAGO, ZoneInfo("UTC")), (whole, cut)):
        with store.write() as connection:
            keep_days(connection, zone)
        with store.read() as kept_sums, store.guarded_by(lambda statement: statement).read() as rows:
            assert kept_zone(kept_sums) == str(zone)
            for figure, brand in product(figures, (None, *BRANDS)):
                assert figure(kept_sums, period, brand) == figure(rows, period, brand), figure
            assert insight.shares(kept_sums, period) == insight.shares(rows, period)
            days = insight.volume_by_day(kept_sums, period)
            assert days == insight.volume_by_day(rows, period)
            told = honest_counts(kept_sums, period, None)
            assert told.reconciles()
            assert told.relevant == sum(day.mentions or 0 for day in days) > 0
            went = mention_fates(kept_sums, period, None)
            assert went.reconciles()
            assert min(went.opened, went.joined, went.alone, went.waiting) > 0
            assert went.relevant == told.relevant
            early = [one for one in kept(kept_sums) if one[0] == "case" and one[3].endswith("/unrouted")]
            assert early  # in a case and not decided: it does not wait
            assert sum(cell.mentions for cell in count_cells(kept_sums, period, None, "source", "dimension")) > 0
            assert period is cut or count_bodies(kept_sums, period, None, frozenset({"Diario/Uno"}))


@pytest.mark.parametrize("zone", ["America/Santiago", "UTC"])
def test_days_are_cut_where_clocks_change(store: Store, zone: str) -> None:
    first = datetime(2026, 9, 3, tzinfo=SANTIAGO).date()  # clocks go forward at midnight of 6 September
    edge = midnight(first, SANTIAGO)
    period = Period(edge - timedelta(hours=7), midnight(first + timedelta(days=6), SANTIAGO), SANTIAGO)
    assert {day.end - day.first for day in period.days} == {7, 23, 24}
    with store.write() as connection:
        keep_days(connection, ZoneInfo(zone))
        for hour in range(period.first_hour, period.end_hour):
            say(connection, datetime.fromtimestamp(hour * 3600, UTC))
    with store.read() as connection:
        counted = {day.day: day.mentions for day in insight.volume_by_day(connection, period, ["nitido"])}
    assert counted == {day.date: day.end - day.first for day in period.days}


def test_two_who_change_one_mention_at_once_keep_the_sums_right(store: Store) -> None:
    with store.write() as connection:
        ids = [say(connection, START, sentiment="negative") for _ in range(12)]

    def work(change: Any) -> None:
        for mention_id in ids:
            with store.write() as connection:
                connection.execute(change(mention_id))

    def judge_again(one: int) -> Any:
        return verdicts.update().where(verdicts.c.mention_id == one).values(sentiment="positive")

    def route_again(one: int) -> Any:
        return decisions.update().where(decisions.c.mention_id == one).values(stakeholder="press")

    def join(one: int) -> Any:
        return decisions.update().where(decisions.c.mention_id == one).values(stakeholder="regulator")

    race(*(partial(work, one) for one in (judge_again, route_again, join)))
    with store.write() as connection:
        fold(connection)
        assert kept(connection) == counted_by_hand(connection)


def test_the_sums_are_counted_once_for_an_archive_that_was_there_before(store: Store) -> None:
    with store.write() as connection:
        for name in ("x", "news"):
            say(connection, START, source=name, sentiment="negative")
        connection.execute(rollups.delete())
        connection.execute(rollup_changes.delete())
        assert kept(connection) != counted_by_hand(connection)
        install(connection)
        assert kept(connection) == counted_by_hand(connection)
        say(connection, START)
        assert kept(connection) == counted_by_hand(connection)  # each trigger stands once


def test_what_stands_in_a_case_is_told_apart_while_nobody_decided_of_it(store: Store) -> None:
    period = Period(START - timedelta(hours=1), START + timedelta(hours=1), SANTIAGO)
    with store.write() as connection:

        def cases_by_name() -> dict[str, int]:
            assert kept(connection) == counted_by_hand(connection)
            went = mention_fates(connection, period, None)
            assert (went.relevant, went.opened, went.joined, went.waiting) == (3, 1, 1, 1)
            return {key[3]: sums[0] for key, sums in kept(connection).items() if key[0] == "case"}

        one, two, _ = (say(connection, START, stakeholder=None) for _ in range(3))
        open_case(connection, [one, two], START, how="thread")
        assert cases_by_name() == {"opened/unrouted": 1, "thread/unrouted": 1}
        decide(connection, one)
        assert cases_by_name() == {"opened": 1, "thread/unrouted": 1}
        decide(connection, two)
        assert cases_by_name() == {"opened": 1, "thread": 1}
        connection.execute(decisions.delete().where(decisions.c.mention_id == one))
        assert cases_by_name() == {"opened/unrouted": 1, "thread": 1}


def test_what_stands_in_cases_is_counted_once_where_copies_alone_were_kept(store: Store) -> None:
    draw = random.Random(12)
    with store.write() as connection:
        for _ in range(80):
            change(connection, draw)
        wanted, days = kept(connection), kept_days(connection)
        assert any(one[0] == "case" for one in wanted)
        fold(connection)
        copies = {"facet": "repeat", "brand": "nitido", "name": "", **dict.fromkeys(SUMS, 0), "mentions": 2}
        for table, time in ((rollups, "hour"), (rollup_days, "day"), (rollup_changes, "hour")):
            if table is not rollup_changes or store.engine.dialect.name == "postgresql":
                connection.execute(table.delete().where(table.c.facet == "case"))
                connection.execute(table.insert().values({**copies, time: 5}))
        install_cases(connection)
        assert (kept(connection), kept_days(connection)) == (wanted, days)
        for _ in range(20):
            change(connection, draw)
        assert kept(connection) == counted_by_hand(connection)  # each trigger stands once
        assert kept_days(connection) == counted_by_hand(connection, ZoneInfo("UTC"))


def test_the_archive_of_the_benchmark_has_the_sums_that_a_count_of_its_rows_gives(tmp_path: Path) -> None:
    archive = build(f"sqlite:///{tmp_path}/archive.db", 3_000)
    with archive.read() as connection:
        assert kept(connection) == counted_by_hand(connection)
        assert insight.needing_cases(connection, None, NOW, 5)
    assert differences(archive, 60) == 0
    with archive.write() as connection:
        connection.execute(rollups.update().where(rollups.c.facet == "kind").values(negative=rollups.c.negative + 1))
    assert differences(archive, 0) > 0
    archive.close()


def test_an_archive_for_which_there_is_no_room_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not enough room"):
        check_room(tmp_path, (1_000, 10**12), "sqlite")
    check_room(tmp_path, (1_000,), "sqlite")
