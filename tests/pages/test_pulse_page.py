"""The pulse says only what can be measured, draws gaps as gaps and brands on one scale; bodies stand by authority."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.interval import wilson
from stakeholders import insight
from stakeholders.counting.bodies import Body
from stakeholders.counting.change import Growth, before
from stakeholders.counting.period import last_days
from stakeholders.insight import DayCount, Net, Part, Share, Voice, net_of
from stakeholders.lists.postlist import Heard
from stakeholders.pages import charts, figures, marks, rises
from stakeholders.pages.bodies import draw as draw_bodies
from stakeholders.pages.lead import foremost, lead
from stakeholders.pages.scene import Scene
from stakeholders.pages.span import Span
from stakeholders.spikes.spike import Spike
from stakeholders.spikes.unusual import Unusual
from tests.pages.test_pages import draw, markup
from tests.stakeholders.weeks import config_of

DAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 12, 15, tzinfo=UTC)
NEVER = Growth(100, None, None, None, None, "unknown")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(config_of(tmp_path), None, "en", "")  # type: ignore[arg-type]  # these functions read no store


def week(counts: Sequence[int | None], brand: str = "nitido") -> list[DayCount]:
    """Give days with as many mentions, all of them harmful; None is a day that nobody heard."""
    return [
        DayCount(DAY + timedelta(days=place), brand, count, *((None,) * 4 if count is None else (count, 0, 0, 0)))
        for place, count in enumerate(counts)
    ]


def words_of(shown: str) -> str:
    return html.unescape(re.sub("<[^>]+>", "", shown)).strip()


def said(scene: Scene, net: Net | None, **more: Any) -> str:
    told: dict[str, Any] = {
        "share": None,
        "earlier": figures.Earlier(NEVER, None, None, 0),
        "spoke": [],
        "about": [],
        "days": week([3] * 7),
        "found": [],
    }
    told |= more
    return words_of(
        lead(
            scene, "Nítido", net, told["share"], told["earlier"], told["spoke"], told["about"], told["days"],
            told["found"],
        )
    )  # fmt: skip


def test_the_first_sentence_takes_a_side_only_where_the_interval_does(scene: Scene) -> None:
    assert said(scene, net_of(100, 60, 20, 20)).startswith("More harms Nítido than helps it: of 100 mentions 60 harm")
    assert said(scene, net_of(100, 20, 20, 60)).startswith("More helps Nítido than harms it: of 100 mentions 60 help")
    assert said(scene, net_of(10, 5, 1, 4)).startswith("Harm and help for Nítido cannot be told apart")
    assert said(scene, None) == "Nobody mentioned Nítido where it was listened to."


def test_a_change_is_said_where_it_can_be_measured_and_else_that_there_is_none(scene: Scene) -> None:
    net = net_of(100, 40, 20, 40)
    same = figures.Earlier(Growth(100, 90, 1.1, 0.8, 1.5, "same"), net, None, 0)
    assert "Nothing changed measurably since the period before." in said(scene, net, earlier=same)
    assert "There is no period before to compare with." in said(scene, net)
    share, earlier = Share("nitido", "own", 10, 0.2, 0.15, 0.25), Share("nitido", "own", 80, 0.8, 0.75, 0.85)
    fell = figures.Earlier(Growth(100, 20, 5.0, 3.0, 8.0, "up"), net, earlier, 0)
    told = said(scene, net, share=share, earlier=fell)
    assert "Measurably changed since the period before: ▲ mentions 20 → 100, ▼ share of voice 80 % → 20 %." in (
        told.replace("\u00a0", " ")
    )
    assert "net sentiment" not in told


def test_the_source_of_harm_is_named_only_where_it_stands_out(scene: Scene) -> None:
    net = net_of(100, 90, 5, 5)
    clear = [Voice("customer", 80, 80, 0, 0, 0), Voice("press", 10, 10, 0, 0, 0)]
    even = [Part("workplace", 46, 46, 0, 0, 0), Part("governance", 44, 44, 0, 0, 0)]
    told = said(scene, net, spoke=clear, about=even)
    assert "Harm comes above all from: customer (80 of 90)." in told
    assert "above all about" not in told


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 400)))
def test_nothing_is_foremost_that_chance_may_have_put_first(counts: dict[str, int]) -> None:
    found, total = foremost(counts), sum(counts.values())
    if found is None:
        ordered = sorted(counts.values(), reverse=True)
        assert len(ordered) < 2 or not total or wilson(ordered[0], total)[0] <= wilson(ordered[1], total)[1]
    else:
        name, number = found
        assert all(wilson(number, total)[0] > wilson(n, total)[1] for key, n in counts.items() if key != name)


def odd(day: date, words: tuple[str, ...] = ("<b>multa</b>", "cobros")) -> Unusual:
    return Unusual(day, "nitido", 61, 50, 9.0, 0.0, 21.4, 4, 12.0, words, "press")


def test_days_that_nobody_heard_and_the_loudest_day_are_said(scene: Scene) -> None:
    found = rises.peaks(scene, [], [odd(DAY)])
    shown = lead(
        scene, "Nítido", net_of(61, 50, 6, 5), None, figures.Earlier(NEVER, None, None, 0), [], [],
        week([61, None, None]), found,
    )  # fmt: skip
    assert "<b>multa" not in shown, "a stranger's words are text"
    assert "The loudest day was 2 Nov: 61 mentions, 0 to 22 are usual; new in it: <b>multa</b>, cobros." in (
        words_of(shown)
    )
    assert "On 2 of 3 days nobody listened: what was said then is unknown." in words_of(shown)


def look(scene: Scene, days: Sequence[DayCount], running: date | None = None) -> charts.Look:
    return charts.Look(
        words={"negative": "harms", "neutral": "neutral", "positive": "helps"},
        inks=dict.fromkeys(("ink", "muted", "line", "ground", "gap", "negative", "neutral", "positive"), "#123456"),
        days={
            one.day: marks.day(scene, datetime(one.day.year, one.day.month, one.day.day, 12, tzinfo=UTC))
            for one in days
        },
        number=lambda number: marks.number(scene, number),
        thousands=".",
        unknown="not heard: unknown, not zero",
        unheard="not heard",
        titles={"day": "day", "mentions": "mentions", "all": "all"},
        running=running,
    )


def drawn(chart: Mapping[str, Any]) -> tuple[dict[str, Any], list[list[dict[str, Any]]]]:
    """Give the specification of a chart and the rows of its layers."""
    layers = [layer.get("data", chart.get("data")) for layer in chart["layer"]]  # one alone has its data above it
    return dict(chart), [data["values"] for data in layers]


def test_a_gap_is_a_band_with_words_and_never_a_bar_of_zero(scene: Scene) -> None:
    days = week([4, None, None, 1234, 0])
    told, layers = drawn(
        charts.daily_polarity(days, look(scene, days, days[-1].day), lambda day, mood: f"{day} {mood}")
    )
    band, words, bars = layers
    unheard = {days[1].day.isoformat(), days[2].day.isoformat()}
    assert {row["day"] for row in band} == unheard
    assert [row["word"] for row in words] == ["not heard"], "one for both days"
    assert not unheard & {row["day"] for row in bars}
    assert {row["day"] for row in bars if row["full"] < 1} == {days[-1].day.isoformat()}, "today is pale"
    (high,) = [row for row in bars if row["n"] == 1234]
    assert (high["when"], high["count"], high["url"]) == ("5 Nov", "1,234", "2026-11-05 negative")
    assert "replace(format(datum.value, ',d'), /,/g, '.')" in str(told)
    assert "20261" not in str([row["when"] for row in bars])


def test_what_stood_out_stands_on_the_chart_in_words_that_do_not_run_into_each_other(scene: Scene) -> None:
    days = week([9] * 20)
    words = {2: "multa", 3: "corte", 4: "baja", 19: "portabilidad"}
    signs = {days[place].day: charts.Mark(str(n), word) for n, (place, word) in enumerate(words.items(), 1)}
    _, layers = drawn(charts.daily_polarity(days, look(scene, days), lambda day, mood: f"{day} {mood}", signs))
    points = layers[1]
    assert [(row["words"], row["left"]) for row in points] == [
        ("multa", True),  # a sign stands to the right
        ("", False),  # a sign stands on either side
        ("baja", False),
        ("portabilidad", True),  # the edge is to the right
    ]
    assert points[0]["url"] == f"{days[2].day} None"
    assert "corte" in points[1]["told"], "who hears the page is told the words"
    assert [row["words"] for rows in layers[3:] for row in rows] == ["multa", "portabilidad", "baja"]


def test_brands_beside_each_other_share_one_scale(scene: Scene) -> None:
    ours, theirs = week([60, 20]), week([2, 1], "brisatel")
    top = charts.top_of([*ours, *theirs])
    scales = []
    for days in (ours, theirs):
        told, _ = drawn(charts.daily_polarity(days, look(scene, days), lambda day, mood: "", top=top))
        scales.append([layer["encoding"]["y"]["scale"] for layer in told["layer"] if "stack" in layer["encoding"]["y"]])
    assert scales[0] == scales[1] == [{"domain": [0, 60], "nice": False}]


def test_a_spike_and_an_unusual_day_of_one_date_are_one_thing_that_stood_out(scene: Scene) -> None:
    onset = datetime(2026, 11, 2, 18, tzinfo=UTC)
    spike = Spike(
        1, "nitido", "all", onset, onset, None, 40, 9.0, 4.0, 15.0, 30, (), ("ARTEL",), 30, 20, 25, False, 7
    )  # fmt: skip
    later = odd(DAY + timedelta(days=3))
    found = rises.peaks(scene, [spike], [odd(DAY, ()), later])
    assert [(one.sign, len(one.spikes)) for one in found] == [("1", 1), ("2", 0)]
    assert rises.signs(found)[DAY].words == "ARTEL"
    shown = rises.causes(scene, found, None, lambda day, words: f'<a href="{day}">{words}</a>')
    assert shown.count("<li>") == 2
    assert 'href="case?id=7&amp;lang=en"' in shown
    assert "still on" in shown
    assert '<a href="2026-11-05">5 Nov</a>' in shown
    assert "<b>multa" not in shown


def test_the_page_shows_each_brand_with_both_intervals_and_its_lead_holds_the_same_figures(instance: Any) -> None:
    test = draw("pulse", str(instance.folder), {"days": "7"}).run()
    shown, now = markup(test), datetime.now(UTC)
    scene = Scene(instance.config, instance.store, "en", "")
    period = last_days(7, now, instance.config.zone)
    with instance.store.read() as connection:
        net = insight.net_sentiment(connection, before(period, now)[0], "nitido")
        shares = insight.shares(connection, period, instance.config.brands)
    assert net is not None
    first = shown[shown.index('class="e-lead"') :].split("</p>")[0]
    assert f"of {net.mentions} mentions {net.negative} harm and {net.positive} help" in words_of(first)
    assert shown.index("e-lead") < shown.index("e-first") < shown.index("by day"), "the sentence is read first"
    table = shown[shown.index("e-rivals") :].split("</table>")[0]
    for one in shares:
        assert one.low is not None
        assert f"{marks.percent(scene, one.low)} … {marks.percent(scene, one.high)}" in table
        assert f">{scene.brand(one.brand)}<" in table
    assert f"{marks.signed(net.low)} … {marks.signed(net.high)}" in table
    assert len(test.get("arrow_vega_lite_chart") or test.get("vega_lite_chart")) == 1 + len(shares)


def test_bodies_stand_by_authority_reach_reactions_or_mentions_and_what_is_not_told_is_no_zero(scene: Scene) -> None:
    def heard(number: int, followers: int | None, reactions: int | None) -> Heard:
        return Heard(
            number, "nitido", "<i>hola</i>", (), None, "x", None, NOW, "neutral", False, "workplace", "press", None,
            False, followers, reactions,
        )  # fmt: skip

    bodies = [
        Body("Diario", "press", 9, 9, 0, 0, (1, 2)),
        Body("ARTEL", "regulator", 1, 0, 1, 0, (3,)),
        Body("Radio", "press", 2, 0, 0, 2, (4,)),
    ]
    latest = {1: heard(1, 10, 5), 2: heard(2, 12, 6), 3: heard(3, None, None), 4: heard(4, 90_000, 2)}
    brand = scene.config.brands[0]
    span = Span(brand, 30, None, NOW, last_days(30, NOW, scene.config.zone))
    orders = {
        "authority": ["ARTEL", "Diario", "Radio"],
        "reach": ["Radio", "Diario", "ARTEL"],
        "reactions": ["Diario", "Radio", "ARTEL"],
        "mentions": ["Diario", "Radio", "ARTEL"],
    }
    for order, names in orders.items():
        shown = draw_bodies(scene, span, bodies, latest, order)
        assert re.findall(r'scope="row"><b>(.*?)</b>', shown) == names, order
        assert f'e-chip on">{order}<' in shown
    (regulator,) = [row for row in shown.split("<tr>") if "ARTEL" in row]
    assert re.findall(r'data-name="(?:followers|reactions)">(.*?)</td>', regulator) == ["—", "—"]
    (paper,) = [row for row in shown.split("<tr>") if "Diario" in row]
    assert re.findall(r'data-name="(?:followers|reactions)">(.*?)</td>', paper) == ["12", "11"]
    assert "<i>hola" not in shown


def test_a_post_that_names_two_brands_says_of_which_its_labels_are(instance: Any) -> None:
    shown = markup(draw("posts", str(instance.folder), {}).run())
    both = [card for card in shown.split('<div class="e-card">') if "pedí la portabilidad" in card]
    assert {re.findall(r'class="e-tag">(.*?)<', card)[0] for card in both} == {"Nítido", "Brisatel"}
    narrowed = markup(draw("posts", str(instance.folder), {"brand": "nitido"}).run())
    assert "e-tag" not in narrowed


def test_the_net_of_an_empty_brand_draws_nothing() -> None:
    assert figures.balance(None) == ""
    told = net_of(100, 90, 5, 5)
    assert told is not None
    assert "dot negative" in figures.balance(told)
    assert "dot neutral" in figures.balance(replace(told, low=-0.2, high=0.1))


def test_a_chart_is_drawn_once_for_the_same_figures_and_anew_for_others(scene: Scene) -> None:
    def link(day: date, mood: str | None) -> str:
        return f"posts?since={day}&sentiment={mood}"

    days = week([4, 5, 6])
    first = charts.daily_polarity(days, look(scene, days), link)
    assert charts.daily_polarity(week([4, 5, 6]), look(scene, days), link) is first
    others = (
        charts.daily_polarity(week([4, 5, 7]), look(scene, days), link),
        charts.daily_polarity(days, look(scene, days, days[2].day), link),
        charts.daily_polarity(days, look(scene, days), lambda day, mood: link(day, mood) + "&lang=es"),
        charts.daily_polarity(days, look(scene, days), link, {days[1].day: charts.Mark("1", "multa")}),
        charts.daily_polarity(days, look(scene, days), link, top=90),
    )
    assert all(one is not first for one in others)
    assert len({str(one) for one in (first, *others)}) == 6
