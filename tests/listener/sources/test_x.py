from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from listener.errors import NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress, install
from listener.mention import Brand
from listener.platforms.tweet import id_at, moment_of, post_from
from listener.platforms.xsearch import HISTORY
from listener.sources import x
from tests.servers.web import Answer, Asked, Web, serving
from tests.servers.x import TOKEN, Pages, Search

TWEET = {
    "id": "1790000000000000001",
    "text": "otra vez sin señal",
    "created_at": "2026-05-04T09:12:00.000Z",
    "author_id": "7",
}


def source(web: Web, egress: Egress, **settings: Any) -> x.Source:
    token = settings.pop("token", TOKEN)
    return x.Source("x", x.Settings(bearer_token=SecretStr(token), base_url=web.url, **settings), egress)


def answering(*answers: Answer) -> Any:
    given = iter(answers)
    return lambda asked: next(given)


def page(*tweets: Any, **more: Any) -> Answer:
    return Answer(json.dumps({"data": list(tweets), "meta": {"result_count": len(tweets)}, **more}).encode())


# ---- real input


def recorded_pages(folder: Path) -> Iterator[dict[str, Any]]:
    """Give every page of the recorded files, whatever their shape: pages, streamed posts, one flat post a line."""
    for path in sorted(folder.glob("*.json*")):
        flat: list[Any] = []
        for line in path.read_text("utf-8").splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue  # the stream file has a broken line on purpose
            if isinstance(one.get("data"), list):
                yield one
            elif isinstance(one.get("data"), dict):
                yield {**one, "data": [one["data"]]}
            elif "id" in one:
                flat.append(one)
        if flat:
            yield {"data": flat}


def test_every_recorded_post_is_stored_once_and_a_second_run_adds_nothing(
    shared: Path, local: Egress, collect: Any
) -> None:
    pages = list(recorded_pages(shared / "payloads" / "x" / "twarc-csv"))
    items = [item for one in pages for item in one["data"]]
    expected = {item["id"] for item in items if "id" in item and "text" in item}
    assert len(pages) > 30
    assert len(expected) > 900
    with serving(Pages(pages)) as web:
        reading = source(web, local, max_pages=100)
        new = collect(reading)
        assert collect.error is None
        assert set(collect.ids()) == expected
        assert new == len(collect.ids()) == len(expected)
        # Users, lists and counts are no posts: each is kept aside, none is lost.
        strange = sum(1 for item in items if "id" not in item or "text" not in item)
        assert sum(len(one.rejected) for one in collect.pages) == strange
        assert sum(len(one.posts) + len(one.rejected) for one in collect.pages) == len(items)
        asked = len(web.asked)
        assert collect(reading) == 0
        assert len(web.asked) > asked


def test_recorded_authors_and_counts_arrive(shared: Path, local: Egress, collect: Any) -> None:
    (line,) = (shared / "payloads" / "x" / "twarc-csv" / "brexit.jsonl").read_text("utf-8").splitlines()
    recorded = json.loads(line)
    with serving(Pages([recorded])) as web:
        collect(source(web, local))
    users = {user["id"]: user for user in recorded["includes"]["users"]}
    tweets = {tweet["id"]: tweet for tweet in recorded["data"]}
    posts = [post for one in collect.pages for post in one.posts]
    assert len(posts) == 100
    for post in posts:
        tweet, user = tweets[post.native_id], users[tweets[post.native_id]["author_id"]]
        assert (post.author.handle, post.author.name, post.author.bio) == (
            user["username"],
            user["name"],
            user["description"] or None,
        )
        assert post.author.followers == user["public_metrics"]["followers_count"]
        assert post.metrics.likes == tweet["public_metrics"]["like_count"]
        assert post.thread == tweet["conversation_id"]
        assert post.published_at.isoformat()[:19] == tweet["created_at"][:19]


# ---- asking


def test_names_handles_and_hashtags_are_asked_for_without_reposts(local: Egress, collect: Any) -> None:
    with serving(Pages([{}])) as web:
        collect(source(web, local))
    asked = web.asked[0].query["query"]
    assert asked == '("Nítido" OR "Nitido Móvil" OR @NitidoPE OR #nitido) -is:retweet'


def test_many_names_make_several_searches_of_at_most_512_characters(local: Egress, collect: Any) -> None:
    brands = tuple(Brand(f"b{n}", f"Marca número {n} de la lista") for n in range(60))
    with serving(Pages([{}])) as web:
        collect(source(web, local), brands)
    queries = [asked.query["query"] for asked in web.asked]
    assert len(queries) > 3
    assert max(map(len, queries)) <= 512
    assert all(any(f'"{brand.name}"' in query for query in queries) for brand in brands)


def test_without_brands_nothing_is_asked(local: Egress, collect: Any) -> None:
    with serving(Pages([{}])) as web:
        assert collect(source(web, local), ()) == 0
        assert web.asked == []


def test_a_burst_larger_than_a_poll_is_read_completely_over_the_next_polls(local: Egress, collect: Any) -> None:
    server = Search()
    start = id_at(datetime.now(UTC)) - (int(HISTORY.total_seconds() * 1000) << 21)
    server.ids = [start + (n << 30) for n in range(5)]
    with serving(server) as web:
        reading = source(web, local, page_size=10, max_pages=2)
        collect(reading)
        assert len(collect.ids()) == 5
        server.ids += [start + (n << 30) for n in range(1000, 1090)]  # 90 posts, 20 fit into a poll
        polls = 0
        while len(collect.ids()) < len(server.ids) and polls < 30:
            server.ids.append(start + ((2000 + polls) << 30))  # life goes on
            collect(reading)
            polls += 1
        assert sorted(map(int, collect.ids())) == sorted(server.ids)
        assert collect(reading) == 0


def test_a_poll_never_costs_more_than_it_said(local: Egress, collect: Any, brands: Any) -> None:
    server = Search()
    start = id_at(datetime.now(UTC)) - (int(HISTORY.total_seconds() * 1000) << 21)
    server.ids = [start + (n << 30) for n in range(500)]
    with serving(server) as web:
        reading = source(web, local, page_size=10, max_pages=3)
        assert "up to 30 posts, 0.45 US dollars" in reading.cost(brands).say("en")
        for _ in range(3):
            web.asked.clear()
            collect(reading)
            assert len(web.asked) <= 3


# ---- reading


def test_a_long_post_is_read_whole_and_entities_are_characters() -> None:
    raw = {**TWEET, "note_tweet": {"text": "largo &amp; completo &lt;3"}}
    assert post_from(raw, source="x").text == "largo & completo <3"


def test_the_website_of_a_profile_is_the_real_one() -> None:
    user = {
        "id": "7",
        "username": "osiptel",
        "url": "https://t.co/abc",
        "entities": {"url": {"urls": [{"expanded_url": "https://www.osiptel.gob.pe"}]}},
    }
    assert post_from(TWEET, source="x", users={"7": user}).author.url == "https://www.osiptel.gob.pe"


def test_what_x_did_not_tell_is_none_and_not_zero() -> None:
    post = post_from(TWEET, source="x")
    assert (post.metrics.likes, post.metrics.shares, post.author.followers, post.author.verified) == (None,) * 4


def test_a_post_without_a_time_gets_it_from_its_id() -> None:
    raw = {"id": "1457380573217034242", "text": "hola"}
    assert post_from(raw, source="x").published_at.isoformat().startswith("2021-11-07T16:")


@pytest.mark.parametrize("bad", [None, 5, "text", [], {"id": "9"}, {"text": "sin id"}, {"id": {"a": 1}, "text": "x"}])
def test_a_strange_post_is_kept_aside_and_the_rest_of_its_page_goes_on(bad: Any, local: Egress, collect: Any) -> None:
    with serving(answering(page(TWEET, bad))) as web:
        assert collect(source(web, local)) == 1
    assert collect.error is None
    assert len(collect.rejected()) == 1


# ---- faults: never "no mentions", never a moved cursor, never a secret in a log


WHOLE = page(TWEET).body
FAULTS = {
    "429 with reset": (Answer(status=429, headers={"x-rate-limit-reset": "1"}), RateLimited),
    "429 without reset": (Answer(status=429), RateLimited),
    "429 with absurd reset": (Answer(status=429, headers={"x-rate-limit-reset": "9" * 15}), RateLimited),
    "429 with malformed reset": (Answer(status=429, headers={"x-rate-limit-reset": "soon"}), RateLimited),
    "500": (Answer(b"oops", 500), Unreachable),
    "503": (Answer(b"oops", 503), Unreachable),
    "400": (Answer(b'{"errors": [{"message": "bad"}]}', 400), Unreadable),
    "401": (Answer(b'{"title": "Unauthorized"}', 401), NotAllowed),
    "402": (Answer(b'{"title": "CreditsDepleted"}', 402), NotAllowed),
    "403": (Answer(b'{"title": "client-not-enrolled"}', 403), NotAllowed),
    "reset mid-body": (Answer(WHOLE, fault="reset"), Unreachable),
    "short body": (Answer(WHOLE, fault="short"), Unreachable),
    "truncated JSON": (Answer(WHOLE[:-20]), Unreadable),
    "HTML 200": (Answer(b"<html><body>Maintenance</body></html>"), Unreadable),
    "empty 200": (Answer(b""), Unreadable),
    "errors only": (Answer(b'{"errors": [{"title": "Not Found Error"}]}'), Unreadable),
    "empty object": (Answer(b"{}"), Unreadable),
    "a list": (Answer(b"[]"), Unreadable),
    "deep nesting": (Answer(b"[" * 100_000), Unreadable),
    "redirect elsewhere": (Answer(status=302, headers={"Location": "http://example.org/"}), Refused),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_after_a_good_page_keeps_that_page_and_the_cursor(
    fault: str, local: Egress, collect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    answer, kind = FAULTS[fault]
    former = logging.getLogRecordFactory()
    install([TOKEN])
    try:
        for name in ("tweepy", "urllib3"):
            logging.getLogger(name).setLevel(logging.DEBUG)  # somebody looks for a fault
        caplog.set_level(logging.DEBUG)
        first = page(TWEET, meta={"result_count": 1, "next_token": "page1"})
        with serving(answering(first, answer)) as web:
            assert collect(source(web, local)) == 1
    finally:
        install()
        logging.setLogRecordFactory(former)
    assert type(collect.error) is kind
    assert collect.cursor("x") is None
    assert caplog.records
    assert TOKEN not in caplog.text
    assert TOKEN not in str(collect.error)
    assert "query" not in str(collect.error)


def test_a_platform_that_repeats_its_page_token_is_stopped(local: Egress, collect: Any) -> None:
    with serving(lambda asked: page(TWEET, meta={"result_count": 1, "next_token": "again"})) as web:
        collect(source(web, local, max_pages=50))
        assert len(web.asked) <= 3
    assert type(collect.error) is Unreadable


def test_the_token_goes_to_the_configured_host_only(collect: Any) -> None:
    with serving(Pages([{}])) as web:
        collect(source(web, Egress(frozenset({"api.x.com"}))))
        assert type(collect.error) is Refused
        assert web.asked == []


def test_probe_tells_a_good_key_from_a_bad_one(local: Egress) -> None:
    with serving(Pages([{}])) as web:
        source(web, local).probe()
        with pytest.raises(NotAllowed):
            source(web, local, token="another-token").probe()


def test_settings_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError):
        x.Settings.model_validate({"bearer_token": "t", "pages": 3})
    with pytest.raises(ValidationError):
        x.Settings.model_validate({"bearer_token": "t", "base_url": "ftp://x"})
    assert TOKEN not in repr(x.Settings(bearer_token=SecretStr(TOKEN)))


# ---- what is charged, what is left, what is lost


def test_a_page_tells_what_it_is_charged_and_how_many_requests_are_left(local: Egress, collect: Any) -> None:
    users = [{"id": "7", "username": "ana"}, {"id": "8", "username": "eva"}]
    other = {**TWEET, "id": "1790000000000000002", "author_id": "8"}
    headers = {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "12", "x-rate-limit-reset": "1900000000"}
    answer = page(TWEET, other, includes={"users": users})
    answer.headers = headers
    with serving(lambda asked: answer) as web:
        reading = source(web, local)
        collect(reading)
        (first,) = collect.pages
        assert first.billed == {"post": 2, "user": 2}
        assert first.quota is not None
        assert (first.quota.left, first.quota.limit) == (12, 450)
        assert first.quota.resets_at == datetime.fromtimestamp(1_900_000_000, UTC)
        collect(reading)
        assert collect.pages[0].billed == {}  # the same posts on the same day
        assert reading.dearest_page == {"post": 100, "user": 100}
    assert "referenced_tweets.id" not in web.asked[0].query["expansions"]


def test_without_authors_none_is_asked_for_nor_charged(local: Egress, collect: Any) -> None:
    with serving(Pages([{"data": [TWEET]}])) as web:
        reading = source(web, local, authors=False)
        collect(reading)
        assert "author_id" not in web.asked[0].query["expansions"]
        assert "user.fields" not in web.asked[0].query
        assert reading.dearest_page == {"post": 100}
        assert "0.50" not in reading.cost(()).say("en")
    assert collect.pages[0].billed == {"post": 1}


def test_a_burst_that_is_not_read_within_seven_days_is_told_as_a_hole(local: Egress, collect: Any) -> None:
    server = Search()
    moment = [datetime.now(UTC)]
    start = id_at(moment[0] - timedelta(hours=1))
    server.ids = [start]
    with serving(server) as web:
        filled = x.Settings(bearer_token=SecretStr(TOKEN), base_url=web.url, page_size=10, max_pages=1)
        reading = x.Source("x", filled, local, now=lambda: moment[0])
        collect(reading)
        server.ids += [start + (n << 30) for n in range(1000, 1030)]
        collect(reading)
        assert [one.holes for one in collect.pages if one.holes] == []  # nothing is lost yet
        missing = sorted(set(server.ids) - set(map(int, collect.ids())))
        moment[0] += timedelta(days=6, hours=23, minutes=30)
        server.ids = []
        collect(reading)
        moment[0] += timedelta(hours=1)
        filled = filled.model_copy(update={"max_pages": 5})
        collect(x.Source("x", filled, local, now=lambda: moment[0]))
    holes = [hole for one in collect.pages for hole in one.holes]
    assert len(holes) == 1
    assert holes[0].start <= moment_of(missing[0]) <= moment_of(missing[-1]) <= holes[0].end  # type: ignore[operator]
    assert '"holes": []' in (collect.cursor("x") or "")


def test_a_brand_of_which_nobody_speaks_has_no_hole_and_an_absence_of_ten_days_has_one(
    local: Egress, collect: Any
) -> None:
    server = Search()
    moment = [datetime.now(UTC)]
    server.ids = [id_at(moment[0] - timedelta(hours=1))]
    with serving(server) as web:
        filled = x.Settings(bearer_token=SecretStr(TOKEN), base_url=web.url)
        reading = x.Source("x", filled, local, now=lambda: moment[0])
        for _ in range(10):
            collect(reading)
            assert [one.holes for one in collect.pages if one.holes] == []
            moment[0] += timedelta(days=1)
        left = moment[0] - timedelta(days=1)
        moment[0] += timedelta(days=9)
        collect(reading)
    (hole,) = (hole for one in collect.pages for hole in one.holes)
    assert (hole.start, hole.end) == (left, moment[0] - HISTORY)


def test_a_forecast_counts_a_week_and_says_what_the_counting_costs(local: Egress, brands: Any) -> None:
    def serve(asked: Asked) -> Answer:
        assert asked.path == "/2/tweets/counts/recent"
        return Answer(b'{"data": [], "meta": {"total_tweet_count": 700}}')

    with serving(serve) as web:
        told = source(web, local).forecast(brands)
    assert told.units == {"post": 3000, "user": 3000}
    assert told.billed == {"count": 1}
    assert told.until - told.since == timedelta(days=7)
    with serving(lambda asked: Answer(b'{"data": []}')) as web, pytest.raises(Unreadable):
        source(web, local).forecast(brands)


def test_a_stream_says_that_only_its_budget_limits_it(local: Egress, brands: Any) -> None:
    with serving(Pages([{}])) as web:
        assert "budget" in source(web, local, mode="stream").cost(brands).say("en")
