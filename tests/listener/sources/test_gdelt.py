from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import ValidationError

from listener.errors import RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress
from listener.mention import Brand, Forecasts, Page, Rechecks
from listener.sources import gdelt
from tests.listener.sources.conftest import NOW
from tests.servers.gdelt import START, TOO_FAST, TOO_SHORT, News, article, page
from tests.servers.web import Answer, Web, serving

ONE = (Brand("nitido", "Nítido", names=("Nitido Móvil", "Oi"), handles=("NitidoPE",), hashtags=("nitido",)),)


class Watch:
    """Tell the time, and let it pass where somebody waits."""

    def __init__(self) -> None:
        self.at = NOW
        self.waited: list[float] = []

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def watch() -> Watch:
    return Watch()


def source(web: Web, egress: Egress, watch: Watch, **settings: Any) -> gdelt.Source:
    chosen = gdelt.Settings(base_url=web.url, **settings)
    return gdelt.Source("gdelt", chosen, egress, now=watch.now, wait=watch.wait)


def titles(pages: list[Page]) -> list[str]:
    return [post.text for one in pages for post in one.posts]


# ---- one article


def test_an_article_becomes_a_post() -> None:
    raw = article(15, "Nítido &amp; la\tregulación", domain="www.elcomercio.example", new_field=[1])
    post = gdelt.post_from(raw, source="gdelt")
    assert post.text == "Nítido & la regulación"
    assert post.published_at == START + timedelta(minutes=15)
    assert (post.lang, post.country) == ("es", "PE")
    assert (post.author.handle, post.author.url) == ("elcomercio.example", "https://elcomercio.example")
    assert post.url == "https://diario.example/nota/15"
    assert len(post.native_id) == 64
    assert post.metrics.likes is None
    assert post.raw["new_field"] == [1]


def test_what_is_not_told_is_none() -> None:
    post = gdelt.post_from(article(1, domain=None, language="Klingon", sourcecountry=""), source="gdelt")
    assert (post.lang, post.country, post.author.handle) == (None, None, "diario.example")


BAD: list[Any] = [None, 7, "x", [], {}, article(1, url=None), article(1, title=" "), article(1, seendate="soon")]
BAD += [article(1, seendate=None), article(1, url="javascript:alert(1)")]


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_article_is_kept_aside_and_the_rest_of_its_page_goes_on(
    local: Egress, collect: Any, watch: Watch, bad: Any
) -> None:
    with serving(lambda asked: page([article(1), bad, article(2)])) as web:
        assert collect(source(web, local, watch), ONE) == 2
    assert (collect.error, len(collect.rejected())) == (None, 1)


# ---- asking


def test_names_that_are_long_enough_are_asked_for_in_one_query(local: Egress, collect: Any, watch: Watch) -> None:
    with serving(News()) as web:
        collect(source(web, local, watch, languages=["es", "pt"], countries=["PE"]), ONE)
    (asked,) = web.asked
    assert asked.path == "/api/v2/doc/doc"
    query = '("Nítido" OR "Nitido Móvil") (sourcelang:spanish OR sourcelang:portuguese) sourcecountry:peru'
    assert asked.query == {
        "query": query,
        "mode": "artlist",
        "format": "json",
        "sort": "dateasc",
        "maxrecords": "250",
        "startdatetime": f"{NOW - timedelta(days=1):%Y%m%d%H%M%S}",
        "enddatetime": f"{NOW:%Y%m%d%H%M%S}",
    }


def test_a_single_name_stands_without_brackets_and_a_short_one_is_not_asked_for(
    local: Egress, collect: Any, watch: Watch
) -> None:
    with serving(News()) as web:
        collect(source(web, local, watch), (Brand("n", "Nítido"), Brand("oi", "Oi")))
        assert [asked.query["query"] for asked in web.asked] == ['"Nítido"']
        assert collect(source(web, local, watch), (Brand("oi", "Oi"),)) == 0
        assert len(web.asked) == 1


def test_many_names_make_several_queries_that_take_turns(local: Egress, collect: Any, watch: Watch) -> None:
    brands = tuple(Brand(f"b{n}", f"Marca número {n} de la lista") for n in range(60))
    with serving(News()) as web:
        reading = source(web, local, watch, max_requests=3)
        collect(reading, brands)
        assert len(web.asked) == 3
        for _ in range(5):
            collect(reading, brands)
    queries = [asked.query["query"] for asked in web.asked]
    assert max(map(len, queries)) <= 250
    assert all(any(f'"{brand.name}"' in query for query in queries) for brand in brands)


def test_a_burst_is_read_completely_and_keeps_nobody_waiting(local: Egress, collect: Any, watch: Watch) -> None:
    brands = (Brand("a", "Primera marca larga " * 7), Brand("b", "Segunda marca larga " * 7))
    news = News([article(15 * minute) for minute in range(20)])
    with serving(news) as web:
        reading = source(web, local, watch, page_size=4, max_requests=4)
        collect(reading, brands)
        assert len({asked.query["query"] for asked in web.asked}) == 2
        for _ in range(12):
            collect(reading, brands)
        assert len(collect.ids()) == 20
        assert collect.error is None


def test_an_article_that_reaches_the_index_late_is_read(local: Egress, collect: Any, watch: Watch) -> None:
    news = News([article(60)])
    with serving(news) as web:
        collect(source(web, local, watch), ONE)
        news.articles.append(article(15))
        assert collect(source(web, local, watch), ONE) == 1
        assert collect(source(web, local, watch), ONE) == 0


def test_a_search_that_finds_nothing_does_not_drift_into_the_past(local: Egress, collect: Any, watch: Watch) -> None:
    with serving(News()) as web:
        for _ in range(4):
            collect(source(web, local, watch), ONE)
        starts = [asked.query["startdatetime"] for asked in web.asked[1:]]
    assert all(start >= f"{NOW - timedelta(hours=2):%Y%m%d%H%M%S}" for start in starts)


def test_a_quarter_that_holds_more_than_an_answer_is_told_as_a_hole(local: Egress, collect: Any, watch: Watch) -> None:
    crowd = [article(15, url=f"https://d.example/{number}") for number in range(9)]
    with serving(News([article(0), *crowd, article(60)])) as web:
        collect(source(web, local, watch, page_size=4), ONE)
    (hole,) = [hole for one in collect.pages for hole in one.holes]
    assert (hole.start, hole.end) == (START + timedelta(minutes=15), START + timedelta(minutes=30))
    assert len(collect.ids()) == 6
    assert collect.error is None


def test_what_lies_beyond_three_months_is_told_as_a_hole(local: Egress, collect: Any, watch: Watch) -> None:
    with serving(News([article(15)])) as web:
        collect(source(web, local, watch), ONE)
        watch.at += timedelta(days=120)
        collect(source(web, local, watch), ONE)
    (hole,) = [hole for one in collect.pages for hole in one.holes]
    assert hole.start == START + timedelta(minutes=15) - timedelta(hours=1)
    assert watch.at - hole.end >= timedelta(days=89)


def test_a_server_that_sends_the_same_page_for_ever_is_stopped(local: Egress, collect: Any, watch: Watch) -> None:
    with serving(lambda asked: page([article(1), article(2)])) as web:
        collect(source(web, local, watch, page_size=2, max_requests=50), ONE)
        assert isinstance(collect.error, Unreadable)
        assert len(web.asked) < 6


# ---- five seconds


def test_two_requests_are_five_seconds_apart_over_questions_polls_and_restarts(
    local: Egress, collect: Any, watch: Watch
) -> None:
    brands = tuple(Brand(f"b{n}", f"Marca número {n} " * 9) for n in range(4))
    times: list[datetime] = []

    def answer(asked: Any) -> Answer:
        times.append(watch.at)
        return page([])

    with serving(answer) as web:
        for _ in range(3):
            collect(source(web, local, watch), brands)
            watch.at += timedelta(seconds=1)
    assert len(times) > 6
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(times)]
    assert min(gaps) >= 5
    assert watch.waited[0] <= 5


def test_a_program_that_dies_after_a_request_still_waits(local: Egress, watch: Watch) -> None:
    with serving(News([article(1)])) as web:
        pages = source(web, local, watch).collect(ONE, None)
        noted = next(pages).cursor  # stored before the request is made
        assert web.asked == []
        next(pages)
        list(source(web, local, watch).collect(ONE, noted))
    assert watch.waited == [5.0]


@pytest.mark.parametrize("asked", ["2031-01-01T00:00:00+00:00", "soon", None, 5])
def test_a_clock_that_was_set_back_or_a_damaged_note_waits_five_seconds_at_most(
    local: Egress, watch: Watch, asked: Any
) -> None:
    with serving(News()) as web:
        list(source(web, local, watch).collect(ONE, json.dumps({"clock": {"asked": asked}})))
        assert len(web.asked) == 1
    assert sum(watch.waited) <= 5


def test_without_a_wait_of_its_own_it_waits_by_the_clock(local: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(gdelt, "pause", waited.append)
    with serving(News()) as web:
        reading = gdelt.Source("gdelt", gdelt.Settings(base_url=web.url), local, now=lambda: NOW)
        list(reading.collect(ONE, json.dumps({"clock": {"asked": (NOW - timedelta(seconds=2)).isoformat()}})))
    assert waited == [3.0]


# ---- faults


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"", 429, {"Retry-After": "30"}), RateLimited),
        (Answer(TOO_FAST, 429), RateLimited),
        (Answer(TOO_FAST), RateLimited),
        (Answer(TOO_SHORT), Unreadable),
        (Answer(b"down", 500), Unreachable),
        (Answer(b"", 404), Unreachable),
        (Answer(b"<html>hola</html>"), Unreadable),
        (Answer(b""), Unreadable),
        (Answer(b"\xef\xbb\xbf \n"), Unreadable),
        (Answer(b"[]"), Unreadable),
        (Answer(b'{"error": "x"}'), Unreadable),
        (Answer(b'{"articles": 5}'), Unreadable),
        (Answer(b'{"articles": [{"url"'), Unreadable),
        (Answer(b'{"articles": ' + b"[" * 50_000), Unreadable),
        (Answer(b"x" * 1000, fault="reset"), Unreachable),
        (Answer(b"x" * 1000, fault="short"), Unreachable),
        (Answer(b"", 302, {"Location": "http://10.0.0.1/"}), Refused),
        (Answer(b"{}"), None),
        (Answer(b'\xef\xbb\xbf{"articles": []}'), None),
    ],
)
def test_every_fault_is_one_of_our_own_errors_and_the_place_stays(
    local: Egress, collect: Any, watch: Watch, answer: Answer, error: type[Exception] | None
) -> None:
    with serving(lambda asked: answer) as web:
        collect(source(web, local, watch), ONE)
    assert isinstance(collect.error, error) if error else collect.error is None
    state = json.loads(collect.cursor("gdelt"))
    assert (state.keys() == {"clock"}) == (error is not None)
    assert len(web.asked) == 1


def test_a_limit_that_is_told_in_plain_english_waits_a_minute(local: Egress, collect: Any, watch: Watch) -> None:
    with serving(lambda asked: Answer(TOO_FAST)) as web:
        collect(source(web, local, watch), ONE)
    assert isinstance(collect.error, RateLimited)
    assert collect.error.until == NOW + timedelta(minutes=1)


def test_json_as_gdelt_writes_it_is_read(local: Egress, collect: Any, watch: Watch) -> None:
    body = json.dumps({"articles": [article(1, "TITLE")]}).replace(
        "TITLE", "Un\ttítulo \\'raro\\' con \\\"comillas\\\""
    )
    with serving(lambda asked: Answer(body.encode())) as web:
        collect(source(web, local, watch), ONE)
    assert collect.error is None
    assert titles(collect.pages) == ["Un título \\'raro\\' con \"comillas\""]


def test_a_question_that_is_declined_does_not_stop_the_others(local: Egress, collect: Any, watch: Watch) -> None:
    brands = (Brand("a", "Primera marca larga " * 7), Brand("b", "Segunda marca larga " * 7))
    with serving(lambda asked: Answer(TOO_SHORT) if "Primera" in asked.query["query"] else page([article(1)])) as web:
        assert collect(source(web, local, watch), brands) == 1
    assert isinstance(collect.error, Unreadable)


def test_a_fault_in_the_middle_loses_nothing(local: Egress, collect: Any, watch: Watch) -> None:
    news = News([article(15 * number) for number in range(10)])
    broken = [True]
    with serving(lambda asked: Answer(b"", 503) if broken[0] and len(web.asked) == 2 else news(asked)) as web:
        reading = source(web, local, watch, page_size=4)
        collect(reading, ONE)
        assert isinstance(collect.error, Unreachable)
        assert len(collect.ids()) == 4
        broken[0] = False
        collect(reading, ONE)
        assert (collect.error, len(collect.ids())) == (None, 10)


# ---- the rest


def test_probe_cost_and_hosts(local: Egress, watch: Watch) -> None:
    with serving(News()) as web:
        reading = source(web, local, watch)
        reading.probe()
        assert reading.cost(ONE).facts == {"requests": 6, "seconds": 5}
        assert reading.hosts() == {"127.0.0.1"}
        assert not isinstance(reading, Rechecks)
        assert not isinstance(reading, Forecasts)
    with serving(lambda asked: Answer(TOO_FAST)) as web, pytest.raises(RateLimited):
        source(web, local, watch).probe()


@pytest.mark.parametrize(
    "wrong",
    [{"base_url": "x"}, {"languages": ["spanish"]}, {"countries": ["XX"]}, {"page_size": 251}, {"unknown": 1}],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        gdelt.Settings(**wrong)


def test_every_setting_stands_in_the_page(request: pytest.FixtureRequest) -> None:
    text = (request.config.rootpath / "docs" / "sources" / "gdelt.md").read_text("utf-8")
    assert [name for name in gdelt.Settings.model_fields if f"\n{name} = " not in text] == []
