from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from listener.errors import NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress, install
from listener.mention import Author
from listener.sources import reddit
from tests.servers.reddit import CLIENT_ID, SECRET, Listings, token
from tests.servers.web import Answer, Asked, Web, serving

SEARCH = "/r/all/search"


def source(web: Web, egress: Egress, **settings: Any) -> reddit.Source:
    filled = reddit.Settings(
        client_id=CLIENT_ID,
        client_secret=SecretStr(SECRET),
        user_agent="test:escucha:1.0",
        base_url=web.url,
        **settings,
    )
    return reddit.Source("reddit", filled, egress)


def submission(number: int, **more: Any) -> dict[str, Any]:
    data = {
        "id": f"s{number}",
        "name": f"t3_s{number}",
        "title": f"título {number}",
        "selftext": "cuerpo",
        "created_utc": 1_700_000_000.0 + number,
        "author": "ana",
        "permalink": f"/r/PERU/comments/s{number}/x/",
        "score": 3,
    }
    return {"kind": "t3", "data": {**data, **more}}


# ---- real input


def recorded_items(folder: Path) -> list[dict[str, Any]]:
    """Give every child of every listing in the cassettes, replies of replies included."""
    found: list[dict[str, Any]] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("kind") == "Listing":
                found.extend(value["data"]["children"])
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    for path in sorted(folder.glob("*.json")):
        tape = json.loads(path.read_text("utf-8"))
        for turn in tape.get("http_interactions") or tape.get("interactions") or ():
            body = turn["response"].get("body")
            text = body.get("string") if isinstance(body, dict) else body
            try:
                walk(json.loads(text))
            except (ValueError, TypeError):
                continue
    return [child for child in found if isinstance(child, dict)]


def test_every_recorded_item_is_stored_once_and_a_second_run_adds_nothing(
    shared: Path, local: Egress, collect: Any, brands: Any
) -> None:
    items = recorded_items(shared / "payloads" / "reddit" / "praw")
    published = [item for item in items if item.get("kind") in ("t1", "t3")]
    expected = {f"{item['kind']}_{item['data']['id']}" for item in published}
    assert len(published) > 4000
    chunks = [items[start : start + 100] for start in range(0, len(items), 100)]
    assert len(chunks) <= 90
    listings: dict[str, Any] = {SEARCH: chunks[:10]}
    names = [f"sub{n}" for n in range((len(chunks) - 1) // 10)]
    for n, name in enumerate(names):
        listings[f"/r/{name}/new"] = chunks[(n + 1) * 10 : (n + 2) * 10]
    with serving(Listings(listings)) as web:
        web.answer = _search_everywhere(web.answer, names)
        reading = source(web, local, max_pages=10, subreddits=tuple(names), all_new=True)
        new = collect(reading, brands)
        assert collect.error is None
        assert collect.rejected() == []
        assert set(collect.ids()) == expected
        assert new == len(collect.ids()) == len(expected)
        assert collect(reading, brands) == 0


def _search_everywhere(answer: Any, names: list[str]) -> Any:
    """Serve the search over the chosen subreddits what the search over all would give."""

    def serve(asked: Asked) -> Answer:
        if asked.path.rstrip("/") == f"/r/{'+'.join(names)}/search":
            asked.path = SEARCH
        given: Answer = answer(asked)
        return given

    return serve


def test_recorded_texts_and_authors_arrive(shared: Path) -> None:
    items = recorded_items(shared / "payloads" / "reddit" / "praw")
    gone = 0
    for item in items:
        if item.get("kind") not in ("t1", "t3"):
            continue
        data, post = item["data"], reddit.post_from(item, source="reddit")
        body = data.get("body") if item["kind"] == "t1" else data.get("selftext")
        if data.get("author") in (None, "[deleted]"):
            gone += 1
            assert post.author == Author()
        else:
            assert post.author.handle == data["author"]
        if body and body.strip() and body not in ("[removed]", "[deleted]"):
            assert body in post.text
        assert "[removed]" not in post.text.splitlines()
        assert post.published_at.timestamp() == data["created_utc"]
    assert gone > 0


# ---- asking


def test_names_are_searched_and_nothing_else_is_asked(local: Egress, collect: Any, brands: Any) -> None:
    with serving(Listings({SEARCH: [[submission(1)]]})) as web:
        assert collect(source(web, local), brands) == 1
        paths = [asked.path for asked in web.asked]
    assert paths == ["/api/v1/access_token", "/r/all/search/"]
    asked = web.asked[1].query
    assert asked["q"] == '("Nítido" OR "Nitido Móvil")'
    assert asked["sort"] == "new"


def test_paging_ends_where_everything_is_known(local: Egress, collect: Any, brands: Any) -> None:
    pages = [[submission(10**6 - n - 100 * at * 1000) for n in range(100)] for at in range(10)]
    with serving(Listings({SEARCH: pages})) as web:
        reading = source(web, local, max_pages=10)
        collect(reading, brands)
        assert len(collect.ids()) == 1000
        web.asked.clear()
        assert collect(reading, brands) == 0
        assert sum("search" in asked.path for asked in web.asked) == 2


def test_a_praw_ini_in_the_current_folder_changes_nothing(
    local: Egress, collect: Any, brands: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("praw_username", "somebody")
    monkeypatch.setenv("praw_password", "else")
    with serving(Listings({SEARCH: [[submission(1)]]})) as web:
        assert collect(source(web, local), brands) == 1
        assert b"somebody" not in b"".join(asked.body for asked in web.asked)


# ---- reading


def test_a_removed_text_leaves_the_title() -> None:
    post = reddit.post_from(submission(1, selftext="[removed]", author="[deleted]"), source="reddit")
    assert post.text == "título 1"
    assert post.author == Author()


def test_a_comment_knows_what_it_answers() -> None:
    data = {
        "id": "c1",
        "name": "t1_c1",
        "body": "pésimo",
        "created_utc": 1_700_000_000,
        "parent_id": "t1_c0",
        "link_id": "t3_s1",
    }
    post = reddit.post_from({"kind": "t1", "data": data}, source="reddit")
    assert (post.in_reply_to, post.thread, post.text) == ("t1_c0", "t3_s1", "pésimo")
    assert post.author == Author()


@pytest.mark.parametrize("bad", [None, 5, [], {"kind": "t3"}, {"kind": "t3", "data": {"title": "x"}}, {"data": {}}])
def test_a_strange_item_is_kept_aside_and_the_rest_goes_on(bad: Any, local: Egress, collect: Any, brands: Any) -> None:
    with serving(Listings({SEARCH: [[submission(1), bad, submission(2)]]})) as web:
        assert collect(source(web, local), brands) == 2
    assert collect.error is None
    assert len(collect.rejected()) == 1


# ---- faults

WHOLE = json.dumps({"kind": "Listing", "data": {"children": [submission(9)], "after": None}}).encode()
FAULTS = {
    "429": (Answer(status=429), RateLimited),
    "429 with retry-after": (Answer(status=429, headers={"Retry-After": "17"}), RateLimited),
    "429 with absurd retry-after": (Answer(status=429, headers={"Retry-After": "9" * 30}), RateLimited),
    "429 with malformed retry-after": (Answer(status=429, headers={"Retry-After": "soon"}), RateLimited),
    "500": (Answer(b"oops", 500), Unreachable),
    "503": (Answer(b"oops", 503), Unreachable),
    "403": (Answer(b'{"message": "Forbidden", "error": 403}', 403), NotAllowed),
    "404": (Answer(b'{"message": "Not Found", "error": 404}', 404), Unreachable),
    "401 for ever": (Answer(b'{"message": "Unauthorized", "error": 401}', 401), NotAllowed),
    "reset mid-body": (Answer(WHOLE, fault="reset"), Unreachable),
    "short body": (Answer(WHOLE, fault="short"), Unreachable),
    "truncated JSON": (Answer(WHOLE[:-9]), Unreadable),
    "HTML 200": (Answer(b"<html>blocked</html>"), Unreadable),
    "empty 200": (Answer(b""), Unreadable),
    "empty object": (Answer(b"{}"), Unreadable),
    "empty list": (Answer(b"[]"), Unreadable),
    "error in a 200": (Answer(b'{"error": 500, "message": "oops"}'), Unreadable),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_after_a_good_page_keeps_that_page_and_the_cursor(
    fault: str,
    local: Egress,
    collect: Any,
    brands: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("prawcore.sessions.time.sleep", lambda seconds: None)
    answer, kind = FAULTS[fault]
    first = Answer(json.dumps({"kind": "Listing", "data": {"children": [submission(1)], "after": "t3_next"}}).encode())

    def serve(asked: Asked) -> Answer:
        if asked.path == "/api/v1/access_token":
            return token()
        return answer if asked.query.get("after") else first

    former = logging.getLogRecordFactory()
    install([SECRET])
    try:
        for name in ("prawcore", "urllib3"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        caplog.set_level(logging.DEBUG)
        with serving(serve) as web:
            assert collect(source(web, local), brands) == 1
    finally:
        install()
        logging.setLogRecordFactory(former)
    assert type(collect.error) is kind
    assert collect.cursor("reddit") is None
    for secret in (SECRET, "canary-access-token"):
        assert secret not in caplog.text
        assert secret not in str(collect.error)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b'{"error": "invalid_grant"}'), NotAllowed),
        (Answer(b'{"message": "Unauthorized", "error": 401}', 401), NotAllowed),
        (Answer(b"<html>", 200), Unreadable),
        (Answer(b"", 200), Unreadable),
        (Answer(b"{}", 200), Unreadable),
        (Answer(b"oops", 502), Unreachable),
    ],
)
def test_a_token_that_is_not_given_is_an_error_of_ours(
    answer: Answer, kind: type, local: Egress, collect: Any, brands: Any
) -> None:
    with serving(lambda asked: answer) as web:
        assert collect(source(web, local), brands) == 0
    assert type(collect.error) is kind


def test_a_used_up_allowance_stops_the_poll_instead_of_sleeping(local: Egress, collect: Any, brands: Any) -> None:
    pages = [[submission(1)], [submission(2)]]
    listings = Listings({SEARCH: pages})

    def serve(asked: Asked) -> Answer:
        answer = listings(asked)
        if "search" in asked.path:
            answer.headers = {
                "x-ratelimit-remaining": "0.0",
                "x-ratelimit-used": "100.0",
                "x-ratelimit-reset": "315360000",
            }
        return answer

    with serving(serve) as web:
        reading = source(web, local)
        assert collect(reading, brands) == 1
    assert isinstance(collect.error, RateLimited)
    assert collect.error.until is not None
    assert (collect.error.until - reading._now()).total_seconds() <= 3600


def test_a_platform_that_repeats_its_page_token_is_stopped(local: Egress, collect: Any, brands: Any) -> None:
    again = json.dumps({"kind": "Listing", "data": {"children": [submission(1)], "after": "t3_again"}}).encode()
    with serving(lambda asked: token() if "token" in asked.path else Answer(again)) as web:
        collect(source(web, local, max_pages=10), brands)
        assert len(web.asked) <= 4
    assert type(collect.error) is Unreadable


def test_the_secret_goes_to_the_configured_host_only(collect: Any, brands: Any) -> None:
    with serving(Listings({})) as web:
        collect(source(web, Egress(frozenset({"www.reddit.com"}))), brands)
        assert type(collect.error) is Refused
        assert web.asked == []


def test_probe_asks_for_one_post(local: Egress) -> None:
    with serving(Listings({"/r/all/new": [[submission(1)]]})) as web:
        source(web, local).probe()
        assert web.asked[-1].query["limit"] == "1"


def test_settings_refuse_what_they_do_not_know() -> None:
    good = {"client_id": "a", "client_secret": "b", "user_agent": "test:escucha:1.0"}
    with pytest.raises(ValidationError):
        reddit.Settings.model_validate({**good, "subreddit": "PERU"})
    with pytest.raises(ValidationError):
        reddit.Settings.model_validate({**good, "subreddits": ["../api"]})
    assert reddit.Settings.model_validate({**good, "subreddits": ["r/PERU"]}).subreddits == ("PERU",)


# ---- what is gone, what is lost, what is left


class Stored:
    """Answer /api/info from what is still there; `newest` is what r/all/new shows."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = {item["data"]["name"]: item for item in items}
        self.asked: list[list[str]] = []
        self.newest: dict[str, Any] | None = submission(999)
        self.blind = False

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/api/v1/access_token":
            return token()
        if asked.path.rstrip("/") == "/api/info":
            self.asked.append(asked.query["id"].split(","))
            children = [] if self.blind else [self.items[one] for one in self.asked[-1] if one in self.items]
        else:
            children = [self.newest] if self.newest else []
        headers = {"x-ratelimit-remaining": "97.0", "x-ratelimit-used": "3", "x-ratelimit-reset": "60"}
        return Answer(json.dumps({"kind": "Listing", "data": {"children": children}}).encode(), headers=headers)


def comment(number: int, body: str = "pésimo", **more: Any) -> dict[str, Any]:
    data = {"id": f"c{number}", "name": f"t1_c{number}", "body": body, "created_utc": 1_700_000_000, "author": "ana"}
    return {"kind": "t1", "data": {**data, **more}}


def test_what_was_deleted_removed_or_is_missing_is_gone_and_an_edit_comes_as_it_reads_now(local: Egress) -> None:
    server = Stored(
        submission(1),
        submission(2, selftext="otro texto"),
        submission(3, selftext="[removed]"),
        submission(4, removed_by_category="moderator"),
        submission(5, author="[deleted]", selftext="[deleted]"),
        comment(1),
        comment(2, "[deleted]"),
        comment(3, author="[deleted]"),
    )
    asked = [f"t3_s{n}" for n in range(1, 7)] + [f"t1_c{n}" for n in range(1, 5)]
    with serving(server) as web:
        (page,) = source(web, local).recheck([*asked, "1790", "t5_abc", "t3_../x"])
    assert server.asked == [asked]
    assert {post.native_id: post.text for post in page.posts} == {
        "t3_s1": "título 1\ncuerpo",
        "t3_s2": "título 2\notro texto",
        "t1_c1": "pésimo",
    }
    assert sorted(page.gone) == ["t1_c2", "t1_c3", "t1_c4", "t3_s3", "t3_s4", "t3_s5", "t3_s6"]
    assert page.quota is not None
    assert (page.quota.left, page.quota.limit) == (97, 100)


def test_posts_are_rechecked_a_hundred_at_a_time(local: Egress) -> None:
    server = Stored(*(submission(n) for n in range(250)))
    with serving(server) as web:
        pages = list(source(web, local).recheck([f"t3_s{n}" for n in range(250)]))
    assert [len(ids) for ids in server.asked] == [100, 100, 50]
    assert sum(len(page.posts) for page in pages) == 250
    assert not any(page.gone for page in pages)


def test_an_answer_without_any_post_erases_nothing_until_a_post_that_is_there_was_found(local: Egress) -> None:
    server = Stored(submission(999))
    ids = [f"t3_s{n}" for n in range(100)]
    with serving(server) as web:
        reading = source(web, local)
        assert sorted(one for page in reading.recheck(ids) for one in page.gone) == sorted(ids)
        server.blind = True  # Reddit finds nothing at all, not even what it has just shown
        with pytest.raises(Unreadable):
            list(reading.recheck(ids))
        server.newest = None
        with pytest.raises(Unreadable):
            list(reading.recheck(ids))


def test_an_item_that_cannot_be_read_erases_nothing(local: Egress) -> None:
    bad = submission(2)
    del bad["data"]["created_utc"]
    with serving(Stored(submission(1), bad)) as web:
        (page,) = source(web, local).recheck(["t3_s1", "t3_s2"])
    assert page.gone == ()
    assert len(page.rejected) == 1


def test_more_new_items_than_a_poll_reads_are_told_as_a_hole(local: Egress, collect: Any, brands: Any) -> None:
    pages = [[submission(10**6)]]
    with serving(Listings({SEARCH: pages})) as web:
        reading = source(web, local, max_pages=2)
        collect(reading, brands)
        assert not any(page.holes for page in collect.pages)
        pages[:] = [[submission(2 * 10**6 - n - 100 * at) for n in range(100)] for at in range(5)]
        collect(reading, brands)
        (hole,) = (hole for page in collect.pages for hole in page.holes)
        assert hole.start.timestamp() == 1_700_000_000 + 10**6
        assert hole.end.timestamp() == 1_700_000_000 + 2 * 10**6 - 199
        collect(reading, brands)
        assert not any(page.holes for page in collect.pages)
