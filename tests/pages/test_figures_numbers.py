"""The figures of the pages agree with their one source and the digest, and no change is told that chance explains."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from listener.query import parse
from listener.query.index import index_all
from stakeholders import insight
from stakeholders.case import record
from stakeholders.counting.bodies import count_bodies, institutions
from stakeholders.counting.change import before, direction, growth, median_interval, part_direction, span_direction
from stakeholders.counting.crosstab import AXES, count_cells, count_days, sum_by
from stakeholders.counting.figures import gather
from stakeholders.counting.load import gather_load
from stakeholders.counting.period import last_days
from stakeholders.counting.reckoning import case_fates
from stakeholders.counting.response import case_counts, response_times
from stakeholders.counting.workload import count_routed, count_waiting, read_work
from stakeholders.edition import Edition
from stakeholders.inbox import Filters, count_inbox
from stakeholders.insight import net_of
from stakeholders.lists.postlist import UNROUTED, Wanted, count_heard, read_heard
from stakeholders.registry import Entry
from stakeholders.scope import limit
from stakeholders.store import cases, decisions
from tests.stakeholders.test_digest import MONDAY, SOURCES, WEEK
from tests.stakeholders.weeks import ask_every, config_of, open_case, say

ZONE = WEEK.zone
HOUR = timedelta(hours=1)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path, sources=SOURCES)


def a_loud_week(connection: Connection) -> None:
    """Write mentions with all labels mixed, some unsure, not routed, of a rival, or not about the brand."""
    dice = random.Random(7)
    ask_every(connection, "x", HOUR, WEEK.start - timedelta(days=35), WEEK.end)
    for _ in range(150):
        say(
            connection,
            WEEK.start + timedelta(minutes=dice.randrange(7 * 24 * 60)),
            dice.choice(("nitido", "nitido", "brisatel")),
            sentiment=dice.choice(("negative", "negative", "neutral", "positive", None)),
            relevant=dice.random() < 0.9,
            unsure=dice.random() < 0.1,
            dimension=dice.choice(("products_services", "governance", "workplace")),
            stakeholder=dice.choice(("customer", "customer", "press", "regulator", None)),
            source=dice.choice(("x", "news", "reddit")),
            author=dice.choice((None, "ana", "luis")),
        )


def work_of_a_week(connection: Connection) -> list[int]:
    made = []
    for place in range(14):
        at = WEEK.start + timedelta(hours=10 * place)
        answered = at + (1 + place) * HOUR if place % 3 else None
        made.append(
            open_case(
                connection,
                [say(connection, at)],
                at,
                department="customer_care" if place % 4 else "network_quality",
                priority="alert" if place == 5 else "important",
                due=None if place == 4 else at + 6 * HOUR,
                acknowledged=at + HOUR if place % 5 else None,
                answered=answered,
                closed=at + 90 * HOUR if place in (1, 3) else None,
            )
        )
    connection.execute(cases.update().where(cases.c.id == made[9]).values(status="snoozed", answered_at=None))
    connection.execute(cases.update().where(cases.c.id == made[11]).values(status="dismissed", answered_at=None))
    connection.execute(cases.update().where(cases.c.id == made[13]).values(status="closed", merged_into=made[10]))
    connection.execute(cases.update().where(cases.c.id == made[6]).values(owner="Lucía Campos"))
    moved = {"department": "customer_care"}, {"department": "network_quality"}
    record(connection, made[8], MONDAY, "Ana", "rerouted", *moved)
    return made


def test_every_cell_of_the_table_adds_up_to_the_figures_of_insight_and_to_the_list_it_opens(store: Store) -> None:
    with store.write() as connection:
        a_loud_week(connection)
    asked = Wanted(WEEK.first_day, WEEK.last_day, "nitido")
    with store.read() as connection:
        margins: dict[str, Counter[Any]] = {
            "stakeholder": Counter(
                {one.stakeholder: one.mentions for one in insight.voices(connection, WEEK, "nitido")}
            ),
            "dimension": Counter({one.name: one.mentions for one in insight.dimensions(connection, WEEK, "nitido")}),
            "source": Counter({one.name: one.mentions for one in insight.sources_of(connection, WEEK, "nitido")}),
        }
        relevant = insight.honest_counts(connection, WEEK, "nitido").relevant
        for rows, columns in permutations(AXES, 2):
            cells = count_cells(connection, WEEK, "nitido", rows, columns)
            assert {name: cell.mentions for name, cell in sum_by(cells, "row").items()} == margins[rows]
            assert {name: cell.mentions for name, cell in sum_by(cells, "column").items()} == margins[columns]
            assert sum(cell.mentions for cell in cells) == relevant == count_heard(connection, asked, ZONE)
        for cell in count_cells(connection, WEEK, "nitido", "stakeholder", "source"):
            who = UNROUTED if cell.row is None else cell.row
            wanted = Wanted(WEEK.first_day, WEEK.last_day, "nitido", who, source=cell.column)
            assert count_heard(connection, wanted, ZONE) == cell.mentions
        by_day = count_days(connection, WEEK, "nitido", "stakeholder")
        for day in insight.volume_by_day(connection, WEEK, ["nitido"]):
            assert sum(days.get(day.day, 0) for days in by_day.values()) == day.mentions
            one = Wanted(day.day, day.day, "nitido", sentiment="negative")
            assert count_heard(connection, one, ZONE) == day.negative
        with pytest.raises(ValueError, match="two different"):
            count_cells(connection, WEEK, "nitido", "source", "source")


def test_pages_of_posts_show_each_mention_once_newest_first_and_words_narrow_them(store: Store) -> None:
    with store.write() as connection:
        a_loud_week(connection)
        say(connection, WEEK.start + HOUR, text="Se cayó el enlace de Tacna, tres horas")
        index_all(connection)
    wanted = Wanted(WEEK.first_day, WEEK.last_day)
    with store.read() as connection:
        seen, after = [], None
        while True:
            page = read_heard(connection, wanted, ZONE, after=after, limit=7)
            seen += page.rows
            after = page.next
            if after is None:
                break
        assert len(seen) == len({one.mention_id for one in seen}) == count_heard(connection, wanted, ZONE)
        assert [one.published_at for one in seen] == sorted((one.published_at for one in seen), reverse=True)
        found = read_heard(connection, wanted, ZONE, parse('"enlace de Tacna" -cable'))
        assert [one.text for one in found.rows] == ["Se cayó el enlace de Tacna, tres horas"]
        assert count_heard(connection, wanted, ZONE, parse("Tacna")) == 1


def test_the_work_of_departments_is_that_of_responses_the_inbox_and_the_teams_digest(
    store: Store, config: Config
) -> None:
    with store.write() as connection:
        work_of_a_week(connection)
    with store.read() as connection:
        works = {one.department: one for one in read_work(connection, WEEK, "nitido", MONDAY)}
        assert [one.response for one in works.values()] == response_times(connection, WEEK, "nitido")
        late = case_counts(connection, WEEK, "nitido", MONDAY)
        assert sum(one.broken for one in works.values()) == late.answered_late + late.overdue
        for name, work in works.items():
            team = Edition("nitido", "en", WEEK, "weekly", "team", (name,))
            told = gather_load(connection, config, team, MONDAY)
            assert work.response is not None
            assert told.came == (work.response,)
            assert (told.waiting, told.routed) == (work.waiting, work.routed)
            assert work.waiting.overdue == count_inbox(
                connection, Filters(brand=("nitido",), department=(name,), overdue=True), MONDAY
            )
            fates = case_fates(connection, WEEK, "nitido", (name,))
            assert sum(work.came.values()) == work.response.cases == fates.made - fates.merged
            assert len(work.answer) == work.response.measured
            assert len(work.acknowledge) == work.response.acknowledged
            kept, over = work.clocks
            assert kept == work.response.within_clock <= over <= work.response.clocked
            for spans, median in (
                (work.answer, work.response.median_answer),
                (work.acknowledge, work.response.median_acknowledge),
            ):
                assert median is not None
                middle = (spans[(len(spans) - 1) // 2] + spans[len(spans) // 2]) / 2
                assert abs(middle - median) <= timedelta(seconds=1)
                interval = median_interval(spans)
                assert interval is None or interval[0] <= median <= interval[1]
        everyone = gather_load(connection, config, Edition("nitido", "en", WEEK, "weekly", "team", ()), MONDAY)
        assert everyone.waiting == count_waiting(connection, "nitido", (), MONDAY)
        assert everyone.routed == count_routed(connection, WEEK, "nitido", ())
        assert sum(one.waiting.open for one in works.values()) == everyone.waiting.open
        assert sum(one.routed.first for one in works.values()) == everyone.routed.first
        assert works["customer_care"].routed.moved == 1


def test_the_digest_says_what_the_pulse_says(store: Store, config: Config) -> None:
    with store.write() as connection:
        a_loud_week(connection)
    with store.read() as connection:
        told = gather(connection, config, "2026-W46", "nitido", MONDAY)
        now, then = before(WEEK, MONDAY)
        assert (now, then) == (WEEK, WEEK.previous())
        assert told.net == insight.net_sentiment(connection, now, "nitido")
        assert told.net_before == insight.net_sentiment(connection, then, "nitido")
        whole = sum_by(count_cells(connection, now, "nitido", "source", "dimension"), "row")
        assert {one.name: one.mentions for one in told.sources} == {name: one.mentions for name, one in whole.items()}
        assert told.net is not None
        assert told.net == net_of(
            told.net.mentions, told.net.negative, told.net.neutral, told.net.positive, told.net.unsure
        )


def test_a_department_sees_the_posts_and_figures_of_its_own_work_only(store: Store) -> None:
    with store.write() as connection:
        a_loud_week(connection)
        connection.execute(decisions.update().where(decisions.c.stakeholder == "press").values(department="sales"))
        index_all(connection)
    wanted = Wanted(WEEK.first_day, WEEK.last_day, "nitido")
    with store.read() as connection:
        press = count_heard(connection, Wanted(WEEK.first_day, WEEK.last_day, "nitido", "press"), ZONE)
        assert 0 < press < count_heard(connection, wanted, ZONE)
    with limit(store, ["sales"]).read() as connection:
        assert count_heard(connection, wanted, ZONE) == press
        assert count_heard(connection, wanted, ZONE, parse('"sin señal"')) == press
        assert {one.stakeholder for one in read_heard(connection, wanted, ZONE).rows} == {"press"}
        assert {cell.row for cell in count_cells(connection, WEEK, "nitido", "stakeholder", "source")} == {"press"}
        assert count_bodies(connection, WEEK, "nitido", frozenset({"x"})) == []
        assert read_work(connection, WEEK, "nitido", MONDAY) == []


def test_an_employee_is_not_named_where_human_resources_read(store: Store) -> None:
    with store.write() as connection:
        say(connection, WEEK.start + HOUR, stakeholder="employee", author="tecnico_1")
        connection.execute(decisions.update().values(department="human_resources"))
    with store.read() as connection:
        (row,) = read_heard(connection, Wanted(WEEK.first_day, WEEK.last_day), ZONE).rows
    assert (row.author, row.url, row.masked) == (None, None, True)


def test_bodies_are_those_of_a_registry_and_never_a_person_or_a_guess(store: Store) -> None:
    def entry(name: str, kind: Any, who: Any = "press") -> Entry:
        return Entry(name=name, stakeholder=who, kind=kind, since=date(2000, 1, 1))

    known = institutions(
        [
            entry("Canal «Ñandú»", "media"),
            entry("Rosa Pérez", "journalist"),
            entry("Yolanda Ccori", "legislator", "government"),
            entry("ARTEL", "regulator", "regulator"),
        ]
    )
    assert known == {"Canal «Ñandú»", "ARTEL"}
    said = [
        ("Canal «Ñandú»", "press", False), ("Canal «Ñandú»", "press", False), ("Rosa Pérez", "press", False),
        ("Yolanda Ccori", "government", False), ("ARTEL", "regulator", True), (None, "press", False),
    ]  # fmt: skip
    with store.write() as connection:
        for place, (name, who, unsure) in enumerate(said):
            number = say(connection, WEEK.start + place * HOUR, stakeholder=who, sentiment="negative")
            detail = {"speaker": {"is": who, "unsure": unsure}, "entry": name}
            told = {
                "detail": detail,
                "entry": None if unsure else name,
            }  # as stakeholders.deciding.decision writes them
            connection.execute(decisions.update().where(decisions.c.mention_id == number).values(**told))
    with store.read() as connection:
        (body,) = count_bodies(connection, WEEK, "nitido", known)
        wanted = Wanted(WEEK.first_day, WEEK.last_day, "nitido", body=body.name)
        assert (body.name, body.mentions, body.negative) == ("Canal «Ñandú»", 2, 2)
        assert [one.mention_id for one in read_heard(connection, wanted, ZONE).rows] == list(body.latest)
        assert count_heard(connection, wanted, ZONE) == body.mentions
        assert count_heard(connection, Wanted(WEEK.first_day, WEEK.last_day, body='%"_'), ZONE) == 0


@given(st.dictionaries(st.sampled_from(["since", "until", "stakeholder", "brand", "sentiment", "body"]), st.text()))
def test_whatever_an_address_says_becomes_a_list_of_some_days(query: dict[str, str]) -> None:
    wanted = Wanted.from_query(query, date(2026, 11, 22))
    assert timedelta() <= wanted.until - wanted.since <= timedelta(days=400)
    assert Wanted.from_query(wanted.to_query(), date(2001, 1, 1)) == wanted


def test_a_running_period_is_compared_up_to_the_same_hour() -> None:
    period = last_days(7, MONDAY, ZONE)
    now, then = before(period, MONDAY)
    assert (now.start, now.end) == (period.start, MONDAY)
    assert then.start == period.previous().start
    assert now.end - now.start == then.end - then.start
    assert before(WEEK, MONDAY) == (WEEK, WEEK.previous())


@given(st.lists(st.one_of(st.none(), st.integers(0, 400)), max_size=60))
def test_the_same_days_are_never_a_change(days: list[int | None]) -> None:
    assert growth(days, days).direction in ("same", "unknown")
    assert growth(days, []).direction == "unknown"


def test_a_change_of_volume_is_told_rarely_where_there_is_none_and_mostly_where_there_is() -> None:
    dice = np.random.default_rng(11)

    def month(mean: float) -> list[int | None]:  # days differ by more than chance: negative binomial, dispersion 3
        return [int(number) for number in dice.negative_binomial(mean / 2, 1 / 3, 30)]

    false = sum(growth(month(12), month(12)).direction != "same" for _ in range(400))
    right = sum(growth(month(24), month(12)).direction == "up" for _ in range(100))
    assert false / 400 <= 0.075
    assert right >= 95
    assert growth([10] * 29 + [200], [10] * 30).direction == "same", "one loud day is no month that grew"
    assert growth([5, 0, 0], [50, 50, 50]).direction == "unknown", "of three days nothing can be told"


def test_the_interval_of_a_median_holds_it_in_95_of_100_sets_and_more() -> None:
    dice = np.random.default_rng(5)
    for size in (6, 9, 25, 240):
        drawn = np.sort(dice.exponential(3600, (600, size)), axis=1)
        spans = [[timedelta(seconds=float(one)) for one in row] for row in drawn]
        middle = timedelta(seconds=3600 * float(np.log(2)))
        held = 0
        for row in spans:
            found = median_interval(row)
            assert found is not None
            held += found[0] <= middle <= found[1]
        assert held / 600 >= 0.93, size
    assert median_interval([HOUR] * 5) is None
    slow, quick = [n * HOUR for n in range(20, 30)], [n * HOUR for n in range(1, 11)]
    assert span_direction(slow, quick) == "up"
    assert span_direction(quick, slow) == "down"
    assert span_direction(quick, quick) == "same"
    assert span_direction(quick, slow[:5]) == "unknown"


def test_a_part_changed_only_where_the_intervals_do_not_meet() -> None:
    assert part_direction((9, 10), (7, 10)) == "same"
    assert part_direction((95, 100), (60, 100)) == "up"
    assert part_direction((1, 100), (60, 100)) == "down"
    assert part_direction((0, 0), (60, 100)) == "unknown"
    assert direction(net_of(100, 90, 5, 5), net_of(100, 5, 5, 90)) == "down"
    assert direction(None, net_of(100, 5, 5, 90)) == "unknown"
