"""Every figure against a recount by hand, on both databases; what is unknown is never zero."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.database import Store
from listener.mention import Brand
from stakeholders import insight
from stakeholders.counting.period import Period, midnight, week
from stakeholders.letters.quote import quote
from tests.stakeholders.weeks import ask, ask_every, open_case, reject, say

LIMA = ZoneInfo("America/Lima")
WEEK = week("2026-W46", LIMA)
NOW = WEEK.end + timedelta(hours=8)
WATCHED = (
    Brand("nitido", "Nítido"),
    Brand("brisatel", "Brisatel", kind="competitor"),
    Brand("ondavia", "Ondavía", kind="competitor"),
)


@dataclass(frozen=True)
class Told:
    """Remember what was written, to count it again by hand."""

    at: datetime
    brand: str
    sentiment: str | None
    relevant: bool
    unsure: bool
    by: str
    stakeholder: str | None
    dimension: str
    source: str


def fill(store: Store, seed: int) -> list[Told]:
    """Write five random weeks around the one counted."""
    draw = random.Random(seed)
    told = []
    start = WEEK.start - timedelta(days=9)
    with store.write() as connection:
        ask_every(connection, "x", timedelta(minutes=20), start, WEEK.end)
        for _ in range(400):
            one = Told(
                at=start + timedelta(minutes=draw.randrange(18 * 24 * 60)),
                brand=draw.choice([brand.key for brand in WATCHED]),
                sentiment=draw.choice(["negative", "neutral", "positive", None]),
                relevant=draw.random() < 0.8,
                unsure=draw.random() < 0.2,
                by=draw.choice(["model", "person"]),
                stakeholder=draw.choice(["customer", "press", "regulator", None]),
                dimension=draw.choice(["governance", "innovation"]),
                source=draw.choice(["x", "news"]),
            )
            told.append(one)
            say(
                connection,
                one.at,
                one.brand,
                sentiment=one.sentiment,
                relevant=one.relevant,
                unsure=one.unsure,
                by=one.by,
                stakeholder=one.stakeholder,
                dimension=one.dimension,
                source=one.source,
            )
    return told


def of(told: list[Told], brand: str | None, period: Period = WEEK) -> list[Told]:
    return [one for one in told if period.start <= one.at < period.end and brand in (None, one.brand)]


def counts(told: list[Told]) -> tuple[int, int, int, int, int]:
    kept = [one for one in told if one.sentiment is not None and one.relevant]
    by = Counter(one.sentiment for one in kept)
    return len(kept), by["negative"], by["neutral"], by["positive"], sum(one.unsure for one in kept)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_figure_is_what_a_recount_by_hand_gives(store: Store, seed: int) -> None:
    told = fill(store, seed)
    with store.read() as connection:
        days = insight.volume_by_day(connection, WEEK, [brand.key for brand in WATCHED])
        assert len(days) == 21
        for day in days:
            here = [one for one in of(told, day.brand) if one.at.astimezone(LIMA).date() == day.day]
            assert (day.mentions, day.negative, day.neutral, day.positive, day.unsure) == counts(here)
        shares = insight.shares(connection, WEEK, WATCHED)
        total = counts(of(told, None))[0]
        assert {share.brand: share.mentions for share in shares} == {
            brand.key: counts(of(told, brand.key))[0] for brand in WATCHED
        }
        assert sum(share.share or 0 for share in shares) == pytest.approx(1)
        assert shares == insight.shares(connection, WEEK)
        for brand in (None, "nitido", "ondavia"):
            mine = of(told, brand)
            net = insight.net_sentiment(connection, WEEK, brand)
            assert net is not None
            assert (net.mentions, net.negative, net.neutral, net.positive, net.unsure) == counts(mine)
            assert net.net == (net.positive - net.negative) / net.mentions
            assert -1 <= net.low < net.net < net.high <= 1
            for voice in insight.voices(connection, WEEK, brand):
                spoke = counts([one for one in mine if one.stakeholder == voice.stakeholder])
                assert (voice.mentions, voice.negative, voice.neutral, voice.positive, voice.unsure) == spoke
            for parts, label in (
                (insight.dimensions(connection, WEEK, brand), "dimension"),
                (insight.sources_of(connection, WEEK, brand), "source"),
            ):
                assert len(parts) == 2
                for part in parts:
                    same = counts([one for one in mine if getattr(one, label) == part.name])
                    assert (part.mentions, part.negative, part.neutral, part.positive, part.unsure) == same
            honest = insight.honest_counts(connection, WEEK, brand)
            assert honest.collected == len(of(told, None))
            assert honest.mentions == len(mine)
            assert honest.waiting == sum(one.sentiment is None for one in mine)
            assert honest.excluded == sum(one.sentiment is not None and not one.relevant for one in mine)
            assert honest.corrected == sum(one.sentiment is not None and one.by == "person" for one in mine)
            assert (honest.relevant, honest.negative, honest.neutral, honest.positive, honest.unsure) == counts(mine)
            assert honest.reconciles()
            assert honest.relevant == net.mentions == sum(v.mentions for v in insight.voices(connection, WEEK, brand))
        assert total == insight.honest_counts(connection, WEEK, None).relevant


def test_a_correction_counts_at_once_and_the_older_verdict_no_more(store: Store) -> None:
    from listener.store import mentions
    from sentiment.store import save_verdicts
    from sentiment.verdict import Label, Verdict

    with store.write() as connection:
        mention_id = say(connection, WEEK.start, sentiment="negative")
        sure = Label("products_services", 0.9)
        corrected = Verdict(Label("true", 1.0), Label("positive", 1.0), sure, sure, "test", "person")
        save_verdicts(connection, [(mention_id, corrected)], NOW, "Ana")
        assert connection.scalar(mentions.select().with_only_columns(mentions.c.id)) == mention_id
        net = insight.net_sentiment(connection, WEEK, "nitido")
        honest = insight.honest_counts(connection, WEEK, "nitido")
    assert net is not None
    assert (net.mentions, net.net) == (1, 1.0)
    assert (honest.mentions, honest.corrected, honest.positive) == (1, 1, 1)


def test_a_day_that_nobody_heard_is_unknown_and_a_quiet_day_is_zero(store: Store) -> None:
    with store.write() as connection:
        ask_every(
            connection, "x", timedelta(minutes=15), WEEK.start + timedelta(days=2), WEEK.start + timedelta(days=4)
        )
        ask_every(connection, "x", timedelta(minutes=15), WEEK.start + timedelta(days=6), WEEK.end)
        say(connection, WEEK.start + timedelta(days=2, hours=3))
        say(connection, WEEK.start + timedelta(hours=3))  # an import: nobody listened that day, yet it is known
        days = insight.volume_by_day(connection, WEEK, ["nitido"])
        gaps = insight.gaps(connection, WEEK)
    assert [day.mentions for day in days] == [1, None, 1, 0, None, None, 0]
    assert all((day.mentions is None) == (day.negative is None) for day in days)
    assert [(gap.why, gap.start, gap.end) for gap in gaps] == [
        ("before", WEEK.start, WEEK.start + timedelta(days=2)),
        ("silent", WEEK.start + timedelta(days=4) - timedelta(minutes=15), WEEK.start + timedelta(days=6)),
    ]


def test_posts_about_a_rival_make_a_day_known_also_for_us(store: Store) -> None:
    with store.write() as connection:
        say(connection, WEEK.start, "brisatel")
        assert [day.mentions for day in insight.volume_by_day(connection, WEEK, ["nitido"])] == [0, *[None] * 6]


def test_before_the_first_run_nothing_is_known(store: Store) -> None:
    with store.write() as connection:
        ask_every(connection, "x", timedelta(minutes=15), WEEK.end, WEEK.end + timedelta(days=1))
        days = insight.volume_by_day(connection, WEEK, ["nitido"])
        assert [day.mentions for day in days] == [None] * 7
        assert insight.gaps(connection, WEEK) == []
        assert insight.net_sentiment(connection, WEEK, "nitido") is None
        assert all(share.share is None for share in insight.shares(connection, WEEK, WATCHED))


def test_a_source_that_failed_is_a_gap_that_says_why(store: Store) -> None:
    with store.write() as connection:
        ask_every(
            connection, "x", timedelta(minutes=15), WEEK.start - timedelta(days=2), WEEK.start + timedelta(days=1)
        )
        for hour in range(24, 72):
            ask(connection, "x", WEEK.start + timedelta(hours=hour), "not allowed")
        ask_every(connection, "news", timedelta(hours=1), WEEK.start - timedelta(days=2), WEEK.end)
        gaps = insight.gaps(connection, WEEK, WEEK.start + timedelta(days=3))
        days = insight.volume_by_day(connection, WEEK, ["nitido"])
    assert [(gap.source, gap.why) for gap in gaps] == [("x", "not allowed")]
    assert gaps[0].end == WEEK.start + timedelta(days=3)
    assert [day.mentions for day in days] == [0] * 7, "the other source was heard"


def test_a_slow_source_has_no_gaps_between_its_own_steps(store: Store) -> None:
    with store.write() as connection:
        ask_every(connection, "news", timedelta(hours=12), WEEK.start - timedelta(days=9), WEEK.end)
        ask(connection, "import", WEEK.start + timedelta(days=1))
        assert insight.gaps(connection, WEEK) == []


@pytest.mark.parametrize("seed", [3, 4])
def test_cases_are_counted_as_by_hand_and_add_up(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    made = []
    with store.write() as connection:
        for _ in range(60):
            at = WEEK.start + timedelta(minutes=draw.randrange(-2000, 9 * 24 * 60))
            due = at + timedelta(hours=8) if draw.random() < 0.8 else None
            acknowledged = at + timedelta(seconds=draw.randrange(9000)) if draw.random() < 0.7 else None
            answered = at + timedelta(seconds=draw.randrange(80000)) if acknowledged and draw.random() < 0.7 else None
            closed = (answered or at) + timedelta(hours=1) if draw.random() < (0.5 if answered else 0.2) else None
            facts = {
                "department": draw.choice(["customer_care", "sales", "legal_regulatory"]),
                "priority": draw.choice(["alert", "important"]),
                "stakeholder": draw.choice(["customer", "press"]),
                "due": due, "acknowledged": acknowledged, "answered": answered, "closed": closed,
            }  # fmt: skip
            open_case(connection, [say(connection, at)], at, **facts)
            made.append(facts | {"at": at})
        found = insight.case_counts(connection, WEEK, "nitido", NOW)
        times = insight.response_times(connection, WEEK, "nitido")
        everything = insight.open_now(connection, "nitido", NOW)
        cases_by_voice = sum(voice.cases for voice in insight.voices(connection, WEEK, "nitido"))
    mine = [one for one in made if WEEK.start <= one["at"] < WEEK.end]
    open_ones = [one for one in mine if not one["answered"] and not one["closed"]]
    dropped = [one for one in mine if one["closed"] and not one["answered"]]
    assert found.opened == len(mine) == cases_by_voice == sum(line.cases for line in times)
    assert found.reconciles()
    assert found.closed_unanswered == len(dropped) == sum(line.closed_unanswered for line in times) > 0
    assert found.open == sum(line.open for line in times)
    assert found.alerts == sum(one["priority"] == "alert" for one in mine)
    assert found.acknowledged == sum(one["acknowledged"] is not None for one in mine)
    assert found.answered == sum(one["answered"] is not None for one in mine)
    assert found.closed == sum(one["closed"] is not None for one in mine)
    assert found.open == len(open_ones)
    assert found.overdue == sum(one["due"] is not None and one["due"] < NOW for one in open_ones)
    in_time = [one for one in mine if one["answered"] and one["due"] and one["answered"] <= one["due"]]
    assert found.answered_in_time == len(in_time) == sum(line.within_clock for line in times)
    clocked = [one for one in mine if one["answered"] and one["due"]]
    assert found.answered_late == len(clocked) - len(in_time)
    waiting = [one for one in made if not one["answered"] and not one["closed"]]
    assert everything.open == len(waiting)
    late = [one for one in waiting if one["due"] is not None and one["due"] < NOW]
    assert everything.overdue == len(late)
    assert everything.needing == sum(one["priority"] == "alert" or one in late for one in waiting)
    for line in times:
        here = [one for one in mine if one["department"] == line.department]
        taken = [(one["answered"] - one["at"]).total_seconds() for one in here if one["answered"]]
        assert (line.cases, line.measured) == (len(here), len(taken))
        assert line.median_answer is not None
        assert line.median_answer.total_seconds() == pytest.approx(median(taken), abs=1)


def test_a_median_of_nothing_is_unknown_and_says_how_many_were_not_measured(store: Store) -> None:
    with store.write() as connection:
        open_case(connection, [say(connection, WEEK.start)], WEEK.start)
        (line,) = insight.response_times(connection, WEEK, "nitido")
    assert (line.median_answer, line.median_acknowledge, line.measured, line.cases) == (None, None, 0, 1)


def test_the_largest_case_counts_people_not_posts(store: Store) -> None:
    at = WEEK.start + timedelta(hours=5)
    with store.write() as connection:
        loud = open_case(connection, [say(connection, at, author="uno") for _ in range(9)], at)
        wide = open_case(connection, [say(connection, at, author=name) for name in "abc"], at)
        untold = open_case(connection, [say(connection, at), say(connection, at)], at)
        top = insight.top_cases(connection, WEEK, "nitido", 5)
    assert [(line.id, line.people, line.mentions) for line in top] == [(wide, 3, 3), (loud, 1, 9), (untold, 1, 2)]


def test_the_most_urgent_cases_come_first_whenever_they_were_opened(store: Store) -> None:
    before = WEEK.start - timedelta(days=30)
    with store.write() as connection:
        late = open_case(connection, [say(connection, before)], before, due=before + timedelta(hours=1))
        alert = open_case(connection, [say(connection, before)], before, priority="alert", due=NOW + timedelta(hours=1))
        open_case(connection, [say(connection, before)], before, due=NOW + timedelta(hours=1))
        open_case(connection, [say(connection, before)], before, priority="alert", answered=before)
        found = insight.needing_cases(connection, "nitido", NOW, 5)
    assert [(line.id, line.overdue) for line in found] == [(alert, False), (late, True)]


def test_institutions_are_named_and_private_people_are_not(store: Store) -> None:
    with store.write() as connection:
        for stakeholder in ("regulator", "customer", "employee", "public"):
            heard = say(connection, WEEK.start, author=f"Name {stakeholder}", stakeholder=stakeholder)
            open_case(connection, [heard], WEEK.start, stakeholder=stakeholder)
        guess = say(connection, WEEK.start, author="Perhaps Press", stakeholder="press", speaker_unsure=True)
        open_case(connection, [guess], WEEK.start, stakeholder="press")
        top = insight.top_cases(connection, WEEK, None, 9)
    assert {line.stakeholder: line.who for line in top} == {
        "regulator": "Name regulator", "customer": None, "employee": None, "public": None, "press": None
    }  # fmt: skip


def test_an_unusual_day_is_found_with_its_range_its_words_and_who_drove_it(store: Store) -> None:
    draw = random.Random(5)
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=1), WEEK.start - timedelta(days=30), WEEK.end)
        for back in range(-28, 7):
            for _ in range(draw.randrange(8, 13)):
                at = WEEK.start + timedelta(days=back, minutes=draw.randrange(24 * 60))
                say(connection, at, text="buen plan de Nítido para todos", terms=("Nítido",))
        outage = WEEK.start + timedelta(days=2, hours=9)
        for place in range(60):
            say(
                connection,
                outage,
                sentiment="negative",
                text=f"Nítido sin señal en Trujillo {place}",
                terms=("Nítido",),
            )
        found = insight.unusual_days(connection, WEEK, "nitido")
        assert insight.unusual_days(connection, WEEK, "brisatel") == []
    (day,) = found
    assert (day.day, day.sample, day.stakeholder) == (date(2026, 11, 11), 4, "customer")
    assert day.mentions >= 68
    assert day.low < day.expected < day.high < day.mentions
    assert set(day.words) == {"señal", "Trujillo"}


def test_a_day_is_not_unusual_when_there_is_nothing_to_compare_it_with(store: Store) -> None:
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=1), WEEK.start, WEEK.end)
        for _ in range(50):
            say(connection, WEEK.start)
        assert insight.unusual_days(connection, WEEK, "nitido") == []


def test_a_week_in_mexico_city_counts_other_hours_than_one_in_lima(store: Store) -> None:
    with store.write() as connection:
        say(connection, datetime(2026, 11, 9, 5, 30, tzinfo=UTC))  # Monday in Lima, still Sunday in Mexico City
        for zone, number in (("America/Lima", 1), ("America/Mexico_City", 0)):
            period = week("2026-W46", ZoneInfo(zone))
            assert insight.honest_counts(connection, period, "nitido").mentions == number


def test_items_put_aside_are_counted(store: Store) -> None:
    with store.write() as connection:
        for at in (WEEK.start, WEEK.start, WEEK.end):
            reject(connection, at)
        assert insight.honest_counts(connection, WEEK, None).rejected == 2


def test_a_repeat_counts_as_a_mention_and_is_shown_as_a_repeat(store: Store) -> None:
    with store.write() as connection:
        open_case(connection, [say(connection, WEEK.start) for _ in range(3)], WEEK.start, how="repeat")
        honest = insight.honest_counts(connection, WEEK, "nitido")
    assert (honest.relevant, honest.repeats) == (3, 2)


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_wilson_holds_its_proportion_and_stays_within_zero_and_one(hits: int, total: int) -> None:
    hits = min(hits, total)
    low, high = insight.wilson(hits, total)
    assert 0 <= low <= hits / total <= high <= 1
    assert low < high


def test_wilson_is_what_the_literature_gives() -> None:
    low, high = insight.wilson(10, 100)  # Newcombe 1998: 0.0552 to 0.1744
    assert (low, high) == (pytest.approx(0.0552, abs=1e-4), pytest.approx(0.1744, abs=1e-4))


def test_a_quote_is_one_short_line_without_anything_to_click_or_to_call() -> None:
    hostile = (
        "Hola\u202e\x00\n<b>x</b> http://malo.example/?a=1 www.otro.example yo@correo.example 987 654 321 malo.com"
    )
    assert quote(hostile) == "Hola <b>x</b> […] […] […] […] malo.\u2060com"
    assert quote("multa de 12.000.000 de soles a 12 000 usuarios") == "multa de 12.000.000 de soles a 12 000 usuarios"
    assert quote("DNI 45678912") == "DNI […]"
    long = quote("palabra " * 400)
    assert len(long) <= 160
    assert long.endswith("…")


@given(st.text(max_size=400))
def test_a_quote_of_anything_is_short_and_one_line(text: str) -> None:
    found = quote(text).replace("\u2060", "")
    assert len(found) <= 160
    assert found.splitlines() in ([found], [])


def test_midnight_belongs_to_the_day_that_begins() -> None:
    assert midnight(date(2026, 11, 9), LIMA) == WEEK.start
