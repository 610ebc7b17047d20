from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from listener.errors import MissingLibrary, NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress, install
from listener.mention import Brand, Forecasts, Rechecks
from listener.platforms import blueskyclient
from listener.platforms.blueskypost import post_from, read_commit
from listener.sources import bluesky
from tests.listener.sources.conftest import NOW
from tests.servers.bluesky import (
    DID,
    HANDLE,
    PASSWORD,
    AppView,
    Jetstream,
    at,
    event,
    iso,
    micros,
    serving_appview,
    serving_events,
    told,
    uri,
    view,
)
from tests.servers.web import Answer, Web, serving

BRAND = (Brand("nitido", "Nítido", names=("Nitido Móvil",), handles=("nitido.bsky.social",), hashtags=("nitido",)),)
ONE = (Brand("nitido", "Nítido"),)


@pytest.fixture(autouse=True)
def _no_session() -> None:
    blueskyclient._SESSIONS.clear()


def searching(web: Web, egress: Egress, **settings: Any) -> bluesky.Source:
    password = SecretStr(settings.pop("password", PASSWORD))
    chosen = bluesky.Settings(
        mode="search", handle=HANDLE, app_password=password, base_url=web.url, public_url=web.url, **settings
    )
    return bluesky.Source("bluesky", chosen, egress, now=lambda: NOW)


def hearing(stream: Jetstream, egress: Egress, public: str = "http://127.0.0.1:9", **settings: Any) -> bluesky.Source:
    chosen = bluesky.Settings(stream_url=stream.url, public_url=public, **settings)
    if "listen" not in settings:
        chosen = chosen.model_copy(update={"listen": timedelta(seconds=0.3)})  # less than a person may write
    return bluesky.Source("bluesky", chosen, egress, now=lambda: NOW)


# ---- real input


def recorded_views(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for one in value:
            yield from recorded_views(one)
    elif isinstance(value, dict):
        if {"uri", "record", "author"} <= value.keys() and "/app.bsky.feed.post/" in value["uri"]:
            yield value
        for one in value.values():
            yield from recorded_views(one)


def test_every_recorded_post_is_stored_once_and_a_second_run_adds_nothing(
    shared: Path, local: Egress, collect: Any
) -> None:
    folder = shared / "payloads" / "bluesky" / "atrrr"
    found = {
        one["uri"]: one
        for path in sorted(folder.glob("*.json"))
        for one in recorded_views(json.loads(path.read_text("utf-8")))
    }
    assert len(found) > 240
    pages = [list(found.values())[start : start + 90] for start in range(0, len(found), 90)]

    def answer(asked: Any) -> Answer:
        if "createSession" in asked.path:
            return AppView()(asked)
        place = int(asked.query.get("cursor", 0))
        return told({"posts": pages[place]} | ({"cursor": str(place + 1)} if place + 1 < len(pages) else {}))

    with serving(answer) as web:
        reading = searching(web, local)
        assert collect(reading, ONE) == len(found)
        assert collect.error is None
        assert set(collect.ids()) == set(found)
        assert not collect.rejected()
        posts = [post for page in collect.pages for post in page.posts]
        assert collect(reading, ONE) == 0
    for post in posts:
        raw = found[post.native_id]
        assert post.text == raw["record"]["text"]
        assert post.metrics.likes == raw.get("likeCount")
        assert post.author.native_id == raw["author"]["did"]
        assert post.url is not None
        assert post.url.startswith(f"https://bsky.app/profile/{post.author.handle or post.author.native_id}/post/")


def test_every_recorded_post_reads_the_same_off_the_stream(shared: Path) -> None:
    folder = shared / "payloads" / "bluesky" / "atrrr"
    for path in sorted(folder.glob("*.json")):
        for one in recorded_views(json.loads(path.read_text("utf-8"))):
            did, _, key = one["uri"].removeprefix("at://").partition("/app.bsky.feed.post/")
            seen = int(datetime.fromisoformat(one["indexedAt"]).timestamp() * 1_000_000)
            commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": key, "record": one["record"]}
            told = {"did": did, "time_us": seen, "kind": "commit", "commit": commit}
            heard = read_commit(told, source="bluesky").post
            shown = post_from(one, source="bluesky")
            assert heard is not None
            assert (heard.native_id, heard.text, heard.lang, heard.thread, heard.in_reply_to) == (
                *(shown.native_id, shown.text, shown.lang, shown.thread, shown.in_reply_to),
            )
            assert abs(heard.published_at - shown.published_at) < timedelta(milliseconds=1)


# ---- one post


def test_a_view_becomes_a_post() -> None:
    raw = view(3, "sin señal")
    raw["author"] |= {"followersCount": 9, "description": "de Lima", "verification": {"verifiedStatus": "valid"}}
    raw["record"]["reply"] = {"parent": {"uri": uri(1)}, "root": {"uri": uri(0)}}
    post = post_from(raw, source="bluesky")
    assert (post.native_id, post.text, post.lang) == (uri(3), "sin señal", "es")
    assert (post.in_reply_to, post.thread) == (uri(1), uri(0))
    assert (post.author.handle, post.author.name, post.author.native_id) == ("ana.bsky.social", "Ana", DID)
    assert (post.author.bio, post.author.followers, post.author.verified) == ("de Lima", 9, True)
    assert (post.metrics.likes, post.metrics.replies, post.metrics.shares) == (3, 1, 6)
    assert post.url == "https://bsky.app/profile/ana.bsky.social/post/k00003"


def test_a_post_dated_back_or_ahead_has_the_earlier_time() -> None:
    for created, indexed, expected in ((9, 3, 3), (3, 9, 3)):
        raw = view(1, indexedAt=iso(indexed))
        raw["record"]["createdAt"] = iso(created)
        assert post_from(raw, source="b").published_at == at(expected)
    for broken in ("soon", None, 5e300, "0001-01-01T00:00:00Z"):
        raw["record"]["createdAt"] = broken
        assert post_from(raw, source="b").published_at == at(9)


def test_several_languages_are_not_taken_for_one() -> None:
    raw = view(1)
    for langs, expected in ((["pt-BR"], "pt"), (["es", "en"], None), ([], None), ("es", None), ([None], None)):
        raw["record"]["langs"] = langs
        assert post_from(raw, source="b").lang == expected


BAD: list[Any] = [
    None,
    7,
    "x",
    [],
    {},
    {"uri": uri(5)},
    view(5, uri=None),
    view(5, record=None),
    view(5, uri="https://x/y"),
]
BAD += [
    view(5, author=None, uri="at://x/y/z"),
    view(5, record={"text": 5}),
    view(5, record={"text": ""}, indexedAt="x"),
]


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_post_is_kept_aside_and_the_rest_of_its_page_goes_on(local: Egress, collect: Any, bad: Any) -> None:
    with serving_appview(AppView()) as web:
        web.answer.search = lambda asked: told({"posts": [view(2), bad, view(4)]})  # type: ignore[attr-defined]
        assert collect(searching(web, local), ONE) == 2
    assert (collect.error, len(collect.rejected())) == (None, 1)


# ---- search


def test_every_name_tag_and_handle_is_a_search_of_its_own_after_one_login(local: Egress, collect: Any) -> None:
    appview = AppView([view(1, "Nítido no anda"), view(2, "nada")])
    with serving_appview(appview) as web:
        reading = searching(web, local)
        assert collect(reading, BRAND) == 1
        queries = [asked.query for asked in web.asked if asked.path.endswith("searchPosts")]
        collect(searching(web, local), BRAND)
        assert appview.logins == 1
    assert [query["q"] for query in queries] == ['"Nítido"', '"Nitido Móvil"', '"@nitido.bsky.social"', "#nitido"]
    assert {(query["sort"], query["limit"]) for query in queries} == {("latest", "100")}
    quota = collect.pages[0].quota
    assert quota is not None
    assert (quota.left, quota.limit) == (2990, 3000)
    assert quota.resets_at is not None


def test_the_next_poll_begins_a_little_before_the_last_post(local: Egress, collect: Any) -> None:
    appview = AppView([view(30, "Nítido")])
    with serving_appview(appview) as web:
        collect(searching(web, local), ONE)
        appview.views.append(view(25, "Nítido tarde"))
        assert collect(searching(web, local), ONE) == 1
        assert web.asked[-1].query["since"] == iso(20)


def test_a_burst_is_read_completely_over_the_next_polls(local: Egress, collect: Any) -> None:
    appview = AppView([view(number, "Nítido") for number in range(3)])
    with serving_appview(appview) as web:
        reading = searching(web, local, page_size=4, max_pages=2)
        collect(reading, ONE)
        appview.views += [view(number, "Nítido") for number in range(3, 50)]
        for _ in range(15):
            collect(reading, ONE)
            assert collect.error is None
        assert len(collect.ids()) == 50
        before = len(web.asked)
        collect(reading, ONE)
        assert len(web.asked) - before == 1
        assert not [hole for page in collect.pages for hole in page.holes]


def test_a_fault_in_the_middle_loses_nothing(local: Egress, collect: Any) -> None:
    appview = AppView([view(number, "Nítido") for number in range(10)])
    with serving_appview(appview) as web:
        reading = searching(web, local, page_size=4)
        good = appview.search
        web.answer.search = lambda asked: Answer(b"", 502) if asked.query.get("cursor") == "4" else good(asked)  # type: ignore[attr-defined]
        collect(reading, ONE)
        assert isinstance(collect.error, Unreachable)
        assert (len(collect.ids()), collect.cursor("bluesky")) == (4, None)
        web.answer.search = good  # type: ignore[attr-defined]
        collect(reading, ONE)
        assert (len(collect.ids()), collect.error) == (10, None)


def test_a_server_that_sends_the_same_page_for_ever_is_stopped(local: Egress, collect: Any) -> None:
    with serving_appview(AppView()) as web:
        web.answer.search = lambda asked: told({"posts": [view(1)], "cursor": "1"})  # type: ignore[attr-defined]
        collect(searching(web, local, max_pages=50), ONE)
        assert isinstance(collect.error, Unreadable)
        assert len(web.asked) < 6


# ---- sessions


def test_a_token_that_has_ended_is_renewed_by_one_login(local: Egress, collect: Any) -> None:
    appview = AppView([view(1, "Nítido")])
    with serving_appview(appview) as web:
        collect(searching(web, local), ONE)
        appview.access = "ended on the server, whatever the clock here says"
        appview.views.append(view(2, "Nítido"))
        assert collect(searching(web, local), ONE) == 1
        assert (collect.error, appview.logins) == (None, 2)


def test_a_token_that_is_about_to_end_is_renewed_without_a_login(local: Egress, collect: Any) -> None:
    appview = AppView([view(1, "Nítido")])
    appview.lives = 60
    with serving_appview(appview) as web:
        collect(searching(web, local), ONE)
        assert (collect.error, appview.logins) == (None, 1)
        assert appview.renewals >= 1


def test_a_wrong_password_stops_the_source_at_once(local: Egress, collect: Any) -> None:
    with serving_appview(AppView()) as web:
        collect(searching(web, local, password="wrong"), ONE)
        assert isinstance(collect.error, NotAllowed)
        assert len(web.asked) == 1


def test_a_token_that_is_never_good_is_not_asked_for_again_and_again(local: Egress, collect: Any) -> None:
    appview = AppView()
    with serving_appview(appview) as web:
        web.answer.search = lambda asked: told({"error": "InvalidToken", "message": "bad"}, 401)  # type: ignore[attr-defined]
        collect(searching(web, local), ONE)
        assert isinstance(collect.error, NotAllowed)
        assert appview.logins == 1
        collect(searching(web, local), ONE)
        assert appview.logins == 2


# ---- faults


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"", 429, {"ratelimit-reset": "4000000000"}), RateLimited),
        (Answer(b"", 429), RateLimited),
        (Answer(b"down", 500), Unreachable),
        (Answer(b"<html>", 503), Unreachable),
        (Answer(b"", 404), Unreachable),
        (told({"error": "InvalidRequest", "message": "q"}, 400), Unreadable),
        (told({"error": "ExpiredToken"}, 400), NotAllowed),
        (told({"error": "AuthMissing"}, 401), NotAllowed),
        (Answer(b"<html>hola</html>", headers={"Content-Type": "text/html"}), Unreadable),
        (Answer(b"", headers={"Content-Type": "application/json"}), Unreadable),
        (Answer(b""), Unreadable),
        (told({"error": "oops"}), Unreadable),
        (told([1]), Unreadable),
        (Answer(b'{"posts": [', headers={"Content-Type": "application/json"}), Unreadable),
        (Answer(b'{"posts": ' + b"[" * 9000, headers={"Content-Type": "application/json"}), Unreadable),
        (Answer(b"x" * 1000, fault="reset"), Unreachable),
        (Answer(b"x" * 1000, fault="short"), Unreachable),
        (Answer(b"", 302, {"Location": "http://10.0.0.1/"}), Refused),
        (told({"posts": []}), None),
    ],
)
def test_every_fault_is_one_of_our_own_errors_and_the_cursor_stays(
    local: Egress, collect: Any, answer: Answer, error: type[Exception] | None
) -> None:
    with serving_appview(AppView()) as web:
        web.answer.search = lambda asked: answer  # type: ignore[attr-defined]
        collect(searching(web, local), ONE)
    assert isinstance(collect.error, error) if error else collect.error is None
    assert (collect.cursor("bluesky") is None) == (error is not None)


def test_no_log_and_no_error_holds_password_token_or_post(
    local: Egress, collect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    install([])
    caplog.set_level(logging.DEBUG)
    appview = AppView([view(1, "palabras secretas")])
    said = ""
    with serving_appview(appview) as web, serving_events(event(1, "Nítido palabras secretas"), "{palabras") as stream:
        collect(searching(web, local), ONE)
        web.answer.search = lambda asked: told({"error": "oops", "message": PASSWORD}, 403)  # type: ignore[attr-defined]
        collect(searching(web, local), ONE)
        said += str(collect.error)
        collect(hearing(stream, local, web.url), ONE)
        said += str(collect.error)
    assert collect.error is None
    for secret in (PASSWORD, appview.access, "palabras secretas"):
        assert secret not in caplog.text + said


# ---- Jetstream


def test_what_names_a_brand_is_kept_with_edits_and_deletions(local: Egress, collect: Any) -> None:
    script = (
        event(1, "Nítido no anda"),
        event(2, "nada que ver"),
        event(3, "con @nitido.bsky.social"),
        event(4, None, "delete"),
        event(1, "Nítido ya anda", "update") | {"time_us": micros(5)},
        event(6, None)
        | {"commit": {"operation": "create", "collection": "app.bsky.feed.like", "rkey": "z", "record": {}}},
        {"did": DID, "time_us": micros(7), "kind": "account", "account": {"active": False, "status": "deleted"}},
        {"did": DID, "time_us": micros(8), "kind": "something new"},
    )
    with serving_events(*script) as stream:
        collect(hearing(stream, local), BRAND)
        assert collect.error is None
        assert stream.asked == [{"wantedCollections": "app.bsky.feed.post"}]
    assert collect.ids() == [uri(1), uri(3)]
    texts = [post.text for page in collect.pages for post in page.posts]
    assert texts == ["Nítido no anda", "con @nitido.bsky.social", "Nítido ya anda"]
    assert [one for page in collect.pages for one in page.gone] == [uri(4)]
    assert json.loads(collect.cursor("bluesky"))["jetstream"]["time_us"] == micros(8)
    assert not collect.rejected()
    (first, *_) = [post for page in collect.pages for post in page.posts]
    assert (first.author.native_id, first.author.handle) == (DID, None)
    assert first.url == f"https://bsky.app/profile/{DID}/post/k00001"


def test_a_post_that_is_taken_away_at_once_is_not_brought(local: Egress, collect: Any) -> None:
    with serving_events(event(1, "Nítido"), event(1, None, "delete")) as stream:
        assert collect(hearing(stream, local), ONE) == 0
    assert [one for page in collect.pages for one in page.gone] == [uri(1)]


def test_the_next_poll_hears_the_last_seconds_again_and_nothing_twice(local: Egress, collect: Any) -> None:
    with serving_events(*(event(number / 60, f"Nítido {number}") for number in range(60))) as stream:
        stream.script = [
            {**step, "commit": {**step["commit"], "rkey": f"r{n}"}} for n, step in enumerate(stream.script)
        ]
        assert collect(hearing(stream, local), ONE) == 60
        assert collect(hearing(stream, local), ONE) == 0
        assert int(stream.asked[1]["cursor"]) == micros(59 / 60) - 5_000_000
        assert sum(len(page.posts) for page in collect.pages) == 6
        assert not [hole for page in collect.pages for hole in page.holes]


def test_what_lies_beyond_the_streams_memory_is_told_as_a_hole(local: Egress, collect: Any) -> None:
    with serving_events(event(1, "Nítido")) as stream:
        collect(hearing(stream, local), ONE)
        stream.script = [event(50, "Nítido"), event(51, "nada")]
        collect(hearing(stream, local), ONE)
        (hole,) = [hole for page in collect.pages for hole in page.holes]
        assert (hole.start, hole.end) == (at(1), at(50))


@pytest.mark.parametrize("end", ["end", "reset"])
def test_a_line_that_breaks_ends_the_poll_and_the_next_one_goes_on(local: Egress, collect: Any, end: str) -> None:
    with serving_events(event(1, "Nítido uno"), end, event(2, "Nítido dos")) as stream:
        collect(hearing(stream, local, listen="20 seconds"), ONE)
        assert isinstance(collect.error, Unreachable)
        assert len(stream.asked) == 1
        stream.script.remove(end)
        collect(hearing(stream, local), ONE)
        assert (collect.error, collect.ids()) == (None, [uri(1), uri(2)])


BROKEN: list[Any] = ["{", "[]", "null", b"\x00\xff", '{"did": "did:x"}', event(1, "x") | {"time_us": 5}]
BROKEN += [event(1, "x") | {"time_us": 10**18}, event(1) | {"commit": {"collection": "app.bsky.feed.post"}}]
BROKEN += [event(2) | {"commit": {"collection": "app.bsky.feed.post", "operation": "create", "rkey": "k", "record": 5}}]


@pytest.mark.parametrize("broken", BROKEN)
def test_one_bad_event_is_kept_aside_and_the_stream_goes_on(local: Egress, collect: Any, broken: Any) -> None:
    with serving_events(event(1, "Nítido"), broken, event(3, "Nítido")) as stream:
        assert collect(hearing(stream, local), ONE) == 2
    assert (collect.error, len(collect.rejected())) == (None, 1)
    assert json.loads(collect.cursor("bluesky"))["jetstream"]["time_us"] == micros(3)


def test_a_stream_of_something_else_is_a_failure(local: Egress, collect: Any) -> None:
    with serving_events(*(f"<html>{number}" for number in range(60))) as stream:
        collect(hearing(stream, local), ONE)
    assert isinstance(collect.error, Unreadable)
    assert collect.cursor("bluesky") is None


def test_an_event_from_the_future_does_not_stop_the_stream(local: Egress, collect: Any) -> None:
    with serving_events(event(60 * 24 * 30, "Nítido")) as stream:
        collect(hearing(stream, local), ONE)
    at = json.loads(collect.cursor("bluesky"))["jetstream"]["time_us"]
    assert at == int((NOW + timedelta(minutes=1)).timestamp() * 1_000_000)


def test_an_empty_page_comes_every_two_seconds(local: Egress) -> None:
    with serving_events() as stream:
        pages = list(hearing(stream, local, listen="3 seconds").collect(ONE, None))
    assert len(pages) == 2
    assert all(page.cursor is None and not page.posts for page in pages)


@pytest.mark.parametrize(
    ("status", "error"), [(429, RateLimited), (503, Unreachable), (404, Unreachable), (403, NotAllowed)]
)
def test_a_stream_that_is_refused_is_one_of_our_own_errors(
    local: Egress, collect: Any, status: int, error: type[Exception]
) -> None:
    with serving_events() as stream:
        stream.status = status
        collect(hearing(stream, local), ONE)
    assert isinstance(collect.error, error)


def test_a_stream_at_a_host_that_is_not_listed_is_refused(collect: Any) -> None:
    with serving_events() as stream:
        collect(hearing(stream, Egress(frozenset({"other.example"}))), ONE)
        assert isinstance(collect.error, Refused)
        collect(hearing(stream, Egress(frozenset({"127.0.0.1"}))), ONE)  # listed, but inside the network
        assert isinstance(collect.error, Refused)
        assert stream.asked == []


def test_those_who_name_a_brand_are_looked_up(local: Egress, collect: Any) -> None:
    appview = AppView()
    appview.profiles[DID] = {"did": DID, "handle": "ana.bsky.social", "displayName": "Ana", "followersCount": 7}
    script = (
        event(1, "Nítido"),
        event(2, "Nítido", did="did:plc:eva"),
        {"did": "did:plc:eva", "time_us": micros(3), "kind": "identity",
         "identity": {"did": "did:plc:eva", "handle": "eva.example"}},
        event(4, "nada", did="did:plc:nobody"),
    )  # fmt: skip
    with serving_appview(appview) as web, serving_events(*script) as stream:
        collect(hearing(stream, local, web.url), ONE)
        (asked,) = [asked for asked in web.asked if asked.path.endswith("getProfiles")]
        assert "Authorization" not in asked.headers
    posts = [post for page in collect.pages for post in page.posts]
    told = [(post.author.handle, post.author.name, post.author.followers) for post in posts]
    assert told == [("ana.bsky.social", "Ana", 7), ("eva.example", None, None)]
    with serving_events(*script) as stream:
        collect(hearing(stream, local, web.url, profiles=False), ONE)
        assert collect.error is None


# ---- what is still there


@pytest.mark.parametrize("mode", ["search", "jetstream"])
def test_a_recheck_tells_what_is_gone_and_how_the_rest_reads_now(local: Egress, mode: str) -> None:
    appview = AppView([view(number, "editado") for number in range(0, 60, 2)])
    with serving_appview(appview) as web, serving_events() as stream:
        reading = searching(web, local) if mode == "search" else hearing(stream, local, web.url)
        assert isinstance(reading, Rechecks)
        assert not isinstance(reading, Forecasts)
        pages = list(reading.recheck([*(uri(number) for number in range(60)), "no uri"]))
        assert sum(asked.path.endswith("getPosts") for asked in web.asked) == 3
    assert sorted(post.native_id for page in pages for post in page.posts) == [
        uri(number) for number in range(0, 60, 2)
    ]
    assert sorted(one for page in pages for one in page.gone) == [uri(number) for number in range(1, 60, 2)]


def test_a_post_that_is_there_but_cannot_be_read_is_not_gone(local: Egress) -> None:
    with serving_appview(AppView([view(1, record={"text": 5})])) as web:
        (page,) = searching(web, local).recheck([uri(1)])
    assert (page.gone, len(page.rejected)) == ((), 1)


def test_an_answer_that_is_no_list_of_posts_erases_nothing(local: Egress) -> None:
    with serving(lambda asked: told({"error": "x"})) as web, serving_events() as stream, pytest.raises(Unreadable):
        list(hearing(stream, local, web.url).recheck([uri(1)]))


# ---- the rest


def test_probe_and_cost_and_hosts(local: Egress) -> None:
    with serving_appview(AppView()) as web, serving_events() as stream:
        searching(web, local).probe()
        hearing(stream, local).probe()
        assert searching(web, local, max_pages=3).cost(BRAND).facts == {"requests": 12}
        assert not hearing(stream, local).cost(BRAND).facts
        stream.status = 503
        with pytest.raises(Unreachable):
            hearing(stream, local).probe()
        with pytest.raises(NotAllowed):
            searching(web, local, password="wrong").probe()
    default = bluesky.Source("b", bluesky.Settings(), local)
    assert default.hosts() == {"jetstream2.us-east.bsky.network", "public.api.bsky.app"}
    keyed = bluesky.Settings(mode="search", handle="a.b", app_password=SecretStr("x"))
    assert bluesky.Source("b", keyed, local).hosts() == {"bsky.social", ".host.bsky.network"}


def test_without_brands_nothing_is_asked(local: Egress, collect: Any) -> None:
    with serving_events(event(1, "x")) as stream:
        assert collect(hearing(stream, local), ()) == 0
        assert stream.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "bsky.social"},
        {"stream_url": "https://x.example"},
        {"stream_url": "wss://user:pass@x.example/"},
        {"stream_url": "wss://x.example/?cursor=1"},
        {"mode": "search"},
        {"mode": "search", "handle": "a.b"},
        {"page_size": 101},
        {"unknown": 1},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        bluesky.Settings(**wrong)


@pytest.mark.parametrize(("mode", "module"), [("jetstream", "websockets.sync.client"), ("search", "atproto_client")])
def test_without_the_library_the_first_use_says_what_to_install(
    local: Egress, collect: Any, monkeypatch: pytest.MonkeyPatch, mode: str, module: str
) -> None:
    with serving_appview(AppView()) as web, serving_events() as stream:
        monkeypatch.setitem(__import__("sys").modules, module, None)
        collect(searching(web, local) if mode == "search" else hearing(stream, local), ONE)
    assert isinstance(collect.error, MissingLibrary)
    assert "escucha[bluesky]" in str(collect.error)


def test_every_setting_stands_in_the_page(request: pytest.FixtureRequest) -> None:
    page = (request.config.rootpath / "docs" / "sources" / "bluesky.md").read_text("utf-8")
    assert [name for name in bluesky.Settings.model_fields if f"\n{name} = " not in page] == []
