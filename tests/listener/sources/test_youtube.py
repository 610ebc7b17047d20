from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from listener.errors import MissingLibrary, NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress, install
from listener.mention import Rechecks
from listener.platforms.youtubecomment import post_from
from listener.sources import youtube
from tests.servers.web import Answer, Asked, Web, serving
from tests.servers.youtube import KEY, Threads, comment, listed, refusal, thread, two_pages

VIDEO = "video1-abcd"
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def source(web: Web, egress: Egress, *, now: Any = None, **settings: Any) -> youtube.Source:
    settings = {"videos": (VIDEO,), **settings}
    key = SecretStr(settings.pop("key", KEY))
    made = youtube.Settings(api_key=key, base_url=web.url, **settings)
    return youtube.Source("youtube", made, egress, now=now or (lambda: NOW))


def answering(*answers: Answer) -> Any:
    given = iter(answers)
    return lambda asked: next(given)


# ---- real input


def recorded(folder: Path) -> tuple[list[Any], list[Any]]:
    """Give every thread and every other comment of the recorded files, as the API gives them."""
    threads: dict[str, Any] = {}
    comments: dict[str, Any] = {}

    def walk(value: Any, inside: bool) -> None:
        if isinstance(value, dict):
            kind = value.get("kind")
            if kind == "youtube#commentThread":
                threads.setdefault(value["id"], value)
            elif kind == "youtube#comment" and not inside:
                comments.setdefault(value["id"], value)
            for part in value.values():
                walk(part, inside or kind == "youtube#commentThread")
        elif isinstance(value, list):
            for part in value:
                walk(part, inside)

    for path in sorted(folder.rglob("*.json")):
        walk(json.loads(path.read_text("utf-8")), inside=False)
    return list(threads.values()), list(comments.values())


def test_every_recorded_comment_is_stored_once_and_a_second_run_adds_nothing(
    shared: Path, local: Egress, collect: Any
) -> None:
    threads, comments = recorded(shared / "payloads" / "youtube")
    replies = {one["id"]: one for item in threads for one in item.get("replies", {}).get("comments", ())}
    expected = {item["id"] for item in threads} | set(replies) | {one["id"] for one in comments}
    assert len(threads) > 15
    assert len(expected) > 20
    parent = thread("recorded-comments", total=len(comments) + 1)
    server = Threads({VIDEO: [[*threads[:9], parent], [*threads[9:], *threads[:3]]]}, {"recorded-comments": [comments]})
    with serving(server) as web:
        reading = source(web, local)
        new = collect(reading)
        assert collect.error is None
        assert set(collect.ids()) == expected | {"recorded-comments"}
        assert new == len(collect.ids())
        assert collect.rejected() == []
        assert collect(reading) == 0


def test_what_a_recorded_comment_says_arrives(shared: Path) -> None:
    path = shared / "payloads" / "youtube" / "apidata" / "comment_threads" / "comment_thread_single.json"
    (item,) = json.loads(path.read_text("utf-8"))["items"]
    raw = item["snippet"]["topLevelComment"]
    post = post_from(raw, source="youtube", about="nitido")
    assert post.text == raw["snippet"]["textOriginal"]
    assert post.author.name == raw["snippet"]["authorDisplayName"]
    assert post.author.handle is None  # recorded before YouTube had handles
    assert post.author.native_id == raw["snippet"]["authorChannelId"]["value"]
    assert post.metrics.likes == 0
    assert post.published_at.isoformat() == "2019-04-20T01:03:39+00:00"
    assert post.url == f"https://www.youtube.com/watch?v={raw['snippet']['videoId']}&lc={raw['id']}"
    assert (post.thread, post.about) == (raw["id"], "nitido")


# ---- asking


def test_replies_that_a_page_leaves_out_are_asked_for_and_counted_as_units(local: Egress, collect: Any) -> None:
    with serving(two_pages()) as web:
        assert collect(source(web, local)) == 5
        assert collect.ids() == ["t1", "t2", "t2.r1", "t3", "t4"]
        assert sum(page.billed.get("unit", 0) for page in collect.pages) == len(web.asked) == 3
    (reply,) = [post for page in collect.pages for post in page.posts if post.native_id == "t2.r1"]
    assert (reply.in_reply_to, reply.thread) == ("t2", "t2")
    assert reply.url == f"https://www.youtube.com/watch?v={VIDEO}&lc=t2.r1"


def test_replies_are_read_again_only_when_their_number_changed(local: Egress, collect: Any) -> None:
    server = two_pages()
    with serving(server) as web:
        reading = source(web, local)
        collect(reading)
        web.asked.clear()
        collect(reading)
        assert [asked.path for asked in web.asked if asked.path.endswith("/comments")] == []
        server.pages[VIDEO] = [[thread("t2", total=2, at="2026-05-04T09:00:00Z")]]
        server.replies["t2"] = [[comment("t2.r1", parentId="t2")], [comment("t2.r2", parentId="t2")]]
        assert collect(reading) == 1
    assert "t2.r2" in collect.ids()


def test_reading_stops_where_threads_are_older_than_the_time_in_which_they_are_revisited(
    local: Egress, collect: Any
) -> None:
    days = [(NOW - timedelta(days=n)).isoformat() for n in range(40)]
    server = Threads({VIDEO: [[thread(f"t{n}", at=days[n])] for n in range(40)]})
    with serving(server) as web:
        reading = source(web, local, max_pages=100)
        assert collect(reading) == 40
        web.asked.clear()
        collect(reading)
        assert 4 <= len(web.asked) <= 6


def test_a_burst_larger_than_a_poll_is_read_completely_over_the_next_polls(local: Egress, collect: Any) -> None:
    moments = [(NOW - timedelta(hours=n)).isoformat() for n in range(40)]
    server = Threads({VIDEO: [[thread("old", at=(NOW - timedelta(days=9)).isoformat())]]})
    with serving(server) as web:
        reading = source(web, local, max_pages=4)
        collect(reading)
        server.pages[VIDEO] = [[thread(f"n{n}", at=moments[n])] for n in range(40)] + server.pages[VIDEO]
        for _ in range(25):
            web.asked.clear()
            collect(reading)
            assert collect.error is None
            assert len(web.asked) <= 4
        assert len(collect.ids()) == 41


def test_a_place_to_go_on_from_that_youtube_forgot_is_recorded_as_a_hole(local: Egress, collect: Any) -> None:
    server = Threads({VIDEO: [[thread("old", at=(NOW - timedelta(days=9)).isoformat())]]})
    with serving(lambda asked: refuse_old_token(asked, server)) as web:
        reading = source(web, local, max_pages=2)
        collect(reading)
        server.pages[VIDEO] = [[thread(f"n{n}", at=(NOW - timedelta(hours=n)).isoformat())] for n in range(9)]
        collect(reading)
        collect(reading)
        assert collect.error is None
        holes = [hole for page in collect.pages for hole in page.holes]
    assert [(hole.start, hole.end) for hole in holes] == [(NOW - timedelta(days=9), NOW - timedelta(hours=1))]


def refuse_old_token(asked: Asked, server: Threads) -> Answer:
    return refusal(400, "invalidPageToken") if asked.query.get("pageToken") == "page2" else server(asked)


def test_comments_of_a_channel_and_of_videos_that_a_search_found_are_read(
    local: Egress, collect: Any, brands: Any
) -> None:
    server = Threads(
        {"UCchannel": [[thread("c1")]], "found-video": [[thread("f1", video="found-video")]]}, found=["found-video"]
    )
    moment = [NOW]
    with serving(server) as web:
        reading = source(
            web, local, now=lambda: moment[0], videos=(), channels=("UCchannel",), searches=4, about="nitido"
        )
        assert collect(reading, brands) == 2
        posts = {post.native_id: post for page in collect.pages for post in page.posts}
        assert posts["c1"].about == "nitido"
        assert posts["f1"].about is None  # a video that names a brand is not the brand's own
        asked = [one.query["q"] for one in web.asked if one.path.endswith("/search")]
        assert asked == ['"Nítido"|"Nitido Móvil"']
        assert sum(page.billed.get("search", 0) for page in collect.pages) == 1
        collect(reading, brands)
        assert sum(page.billed.get("search", 0) for page in collect.pages) == 0
        moment[0] += timedelta(hours=6)
        collect(reading, brands)
        assert sum(page.billed.get("search", 0) for page in collect.pages) == 1


def test_used_up_searches_do_not_stop_the_comments(local: Egress, collect: Any, brands: Any) -> None:
    server = Threads({VIDEO: [[thread("t1")]]})

    def answer(asked: Asked) -> Answer:
        return refusal(403, "quotaExceeded") if asked.path.endswith("/search") else server(asked)

    with serving(answer) as web:
        assert collect(source(web, local, searches=4), brands) == 1
        assert collect.error is None


# ---- rechecking


def test_deleted_comments_are_told_and_those_that_one_call_left_out_are_not(local: Egress) -> None:
    server = Threads({})
    names = [f"Ugx{n:040}.reply{n:020}" for n in range(60)]
    server.there = {name: comment(name, text=f"edited {name}") for name in names if not name.endswith("7")}
    server.most = 20
    with serving(server) as web:
        reading = source(web, local)
        assert isinstance(reading, Rechecks)
        pages = list(reading.recheck(names))
        assert len(web.asked) == sum(page.billed["unit"] for page in pages)
        assert any(asked.method == "POST" for asked in web.asked)  # too long for an address
    assert sorted(one for page in pages for one in page.gone) == [name for name in names if name.endswith("7")]
    assert {post.native_id for page in pages for post in page.posts} == set(server.there)


# ---- faults


def test_comments_turned_off_or_a_video_gone_are_no_failure_of_the_source(local: Egress, collect: Any) -> None:
    def answer(asked: Asked) -> Answer:
        place = asked.query.get("videoId")
        return {
            "closed-video": refusal(403, "commentsDisabled"),
            "gone-video": refusal(404, "videoNotFound"),
        }.get(place or "", listed("commentThread", [thread("t1")]))

    with serving(answer) as web:
        assert collect(source(web, local, videos=("closed-video", "gone-video", VIDEO))) == 1
        assert collect.error is None
    assert [place for place, _ in collect.rejected()] == ["video closed-video", "video gone-video"]


@pytest.mark.parametrize("bad", [None, 5, "x", [], {}, {"snippet": {}}, {"snippet": {"topLevelComment": {"id": "z"}}}])
def test_a_strange_thread_is_kept_aside_and_the_rest_of_its_page_goes_on(bad: Any, local: Egress, collect: Any) -> None:
    with serving(answering(listed("commentThread", [bad, thread("t1")]))) as web:
        assert collect(source(web, local)) == 1
    assert collect.error is None
    assert len(collect.rejected()) == 1


WHOLE = listed("commentThread", [thread("t9")]).body
FAULTS = {
    "429 with retry": (Answer(status=429, headers={"Retry-After": "30"}), RateLimited),
    "429 without": (Answer(status=429), RateLimited),
    "quota used up": (refusal(403, "quotaExceeded"), RateLimited),
    "hurried": (refusal(403, "userRateLimitExceeded"), RateLimited),
    "wrong key": (refusal(400, "keyInvalid"), NotAllowed),
    "400": (refusal(400, "badRequest"), Unreadable),
    "401": (Answer(b"{}", 401), NotAllowed),
    "403 forbidden": (refusal(403, "forbidden"), NotAllowed),
    "403 without JSON": (Answer(b"<html>no</html>", 403), NotAllowed),
    "403 with words": (Answer(b'{"error": "no"}', 403), NotAllowed),
    "500": (Answer(b"oops", 500), Unreachable),
    "502": (Answer(b"oops", 502), Unreachable),
    "503": (Answer(b"oops", 503), Unreachable),
    "504": (Answer(b"oops", 504), Unreachable),
    "reset mid-body": (Answer(WHOLE, fault="reset"), Unreachable),
    "short body": (Answer(WHOLE, fault="short"), Unreachable),
    "truncated JSON": (Answer(WHOLE[:-20]), Unreadable),
    "HTML 200": (Answer(b"<html>Maintenance</html>"), Unreadable),
    "empty 200": (Answer(b""), Unreadable),
    "empty object": (Answer(b"{}"), Unreadable),
    "error with 200": (Answer(b'{"error": {"code": 500}}'), Unreadable),
    "a list": (Answer(b"[]"), Unreadable),
    "another list": (Answer(b'{"kind": "youtube#searchListResponse"}'), Unreadable),
    "not UTF-8": (Answer(b"\xff\xfe{}"), Unreadable),
    "deep nesting": (Answer(b"[" * 100_000), Unreadable),
    "redirect elsewhere": (Answer(status=302, headers={"Location": "http://example.org/"}), Refused),
    "redirect to itself": (Answer(status=302, headers={"Location": "/"}), Refused),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_after_a_good_page_keeps_that_page_and_the_cursor(
    fault: str, local: Egress, collect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    answer, kind = FAULTS[fault]
    former = logging.getLogRecordFactory()
    install()  # even without being told the key: it is in no address
    try:
        for name in ("googleapiclient", "urllib3"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        caplog.set_level(logging.DEBUG)
        with serving(answering(listed("commentThread", [thread("t1")], "page1"), answer)) as web:
            assert collect(source(web, local)) == 1
    finally:
        install()
        logging.setLogRecordFactory(former)
    assert type(collect.error) is kind
    assert collect.cursor("youtube") is None
    assert caplog.records
    assert KEY not in caplog.text
    assert KEY not in str(collect.error)
    assert KEY not in repr([asked.query for asked in web.asked])


def test_the_units_of_a_day_come_back_at_midnight_in_california(local: Egress, collect: Any) -> None:
    with serving(answering(refusal(403, "quotaExceeded"))) as web:
        collect(source(web, local))
    assert isinstance(collect.error, RateLimited)
    assert collect.error.until == datetime(2026, 5, 5, 7, 0, tzinfo=UTC)


def test_a_platform_that_repeats_its_page_token_is_stopped(local: Egress, collect: Any) -> None:
    with serving(lambda asked: listed("commentThread", [thread("t1")], "again")) as web:
        collect(source(web, local, max_pages=50))
        assert len(web.asked) <= 3
    assert type(collect.error) is Unreadable


def test_an_answer_that_cannot_be_read_does_not_stop_the_other_videos(local: Egress, collect: Any) -> None:
    with serving(answering(Answer(b"{}"), listed("commentThread", [thread("t1")]))) as web:
        assert collect(source(web, local, videos=("first-video", VIDEO))) == 1
    assert type(collect.error) is Unreadable
    assert list(json.loads(collect.cursor("youtube") or "{}")) == [f"video {VIDEO}"]


def test_the_key_goes_to_the_configured_host_only(collect: Any) -> None:
    with serving(two_pages()) as web:
        collect(source(web, Egress(frozenset({"youtube.googleapis.com"}))))
        assert type(collect.error) is Refused
        assert web.asked == []


def test_probe_tells_a_good_key_from_a_bad_one(local: Egress) -> None:
    with serving(two_pages()) as web:
        source(web, local).probe()
        with pytest.raises(NotAllowed):
            source(web, local, key="another-key").probe()


def test_without_the_library_the_sentence_names_the_extra(
    local: Egress, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "googleapiclient", None)
    monkeypatch.delitem(sys.modules, "googleapiclient.discovery", raising=False)
    with serving(two_pages()) as web:
        collect(source(web, local))
    assert isinstance(collect.error, MissingLibrary)
    assert "escucha[youtube]" in str(collect.error)


def test_settings_refuse_what_cannot_be_asked() -> None:
    for wrong in ({}, {"videos": ["https://youtu.be/x"]}, {"videos": [VIDEO], "base_url": "ftp://x"}, {"pages": 1}):
        with pytest.raises(ValidationError):
            youtube.Settings.model_validate({"api_key": "k", **wrong})
    assert KEY not in repr(youtube.Settings(api_key=SecretStr(KEY), videos=(VIDEO,)))
