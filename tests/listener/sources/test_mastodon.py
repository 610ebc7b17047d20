from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr, ValidationError

from listener.errors import MissingLibrary, NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress, install
from listener.mention import Brand, Forecasts, Rechecks
from listener.platforms.toot import earlier, moment_of, post_from
from listener.sources import mastodon
from tests.listener.sources.conftest import NOW
from tests.servers.mastodon import START, TOKEN, Server, id_at, serving_statuses, status, told
from tests.servers.web import Answer, Web, serving

BRAND = (Brand("nitido", "Nítido", names=("Nitido Móvil",), handles=("NitidoPE",), hashtags=("Nítido",)),)


def source(web: Web, egress: Egress, mode: str = "hashtags", **settings: Any) -> mastodon.Source:
    token = settings.pop("token", None if mode == "hashtags" else TOKEN)
    told = {"access_token": SecretStr(token)} if token else {}
    chosen = mastodon.Settings(base_url=web.url, mode=mode, **told, **settings)
    return mastodon.Source("mastodon", chosen, egress, now=lambda: NOW)


def ids(*statuses: dict[str, Any]) -> list[str]:
    return sorted(one["id"] for one in statuses)


# ---- real input


def recorded_statuses(value: Any) -> Iterator[dict[str, Any]]:
    """Give every status in recorded answers, however deep it stands."""
    if isinstance(value, list):
        for one in value:
            yield from recorded_statuses(one)
    elif isinstance(value, dict):
        if "account" in value and "content" in value and "created_at" in value:
            yield value
        for one in value.values():
            yield from recorded_statuses(one)


def recordings(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.glob("*.yml")):
        for part in yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)["http_interactions"]:
            text = part["response"]["body"].get("string")
            try:
                yield json.loads(text)
            except (ValueError, TypeError):
                continue  # an error page, or a page without a body


def test_every_recorded_status_is_stored_once_and_a_second_run_adds_nothing(
    shared: Path, local: Egress, collect: Any
) -> None:
    found = {one["id"]: one for one in recorded_statuses(list(recordings(shared / "payloads" / "mastodon" / "rtoot")))}
    public = {key for key, one in found.items() if one["visibility"] in ("public", "unlisted") and not one["reblog"]}
    assert len(found) > 300
    assert len(public) > 250
    with serving_statuses(list(found.values())) as server:
        reading = source(server, local, max_pages=100)
        assert collect(reading, BRAND) == len(public)
        assert collect.error is None
        assert set(collect.ids()) == public
        assert not collect.rejected()
        assert collect(reading, BRAND) == 0
    for post in (post for page in collect.pages for post in page.posts):
        raw = found[post.native_id]
        assert post.metrics.likes == raw["favourites_count"]
        assert post.published_at.isoformat()[:19] == raw["created_at"][:19]
        assert "<" not in post.text or "&lt;" in raw["content"]


def test_boosts_are_posts_of_their_own_when_they_are_wanted(local: Egress, collect: Any) -> None:
    boost = status(2, "", reblog=status(1, "original"), account={"id": "8", "acct": "eva@otro.example"})
    with serving_statuses([status(0), boost]) as server:
        assert collect(source(server, local), BRAND) == 1
        assert collect(source(server, local, reposts=True), BRAND) == 1
    assert "original" in collect.texts()


# ---- one post


def test_a_status_becomes_a_post() -> None:
    raw = status(
        3,
        'sin señal <span class="h-card"><a href="https://x.example/@NitidoPE">@<span>NitidoPE</span></a></span> '
        '<a href="https://n.example/a/b"><span class="invisible">https://</span><span>n.example/a</span>'
        '<span class="invisible">/b</span></a></p><p>&lt;b&gt; &amp; adiós',
        spoiler_text="  avería\n grande ",
        in_reply_to_id="5",
        language="es-PE",
        quotes_count=4,
    )
    post = post_from(raw, source="mastodon", host="server.example")
    assert post.text == "avería grande\nsin señal @NitidoPE https://n.example/a/b <b> & adiós"
    assert (post.native_id, post.in_reply_to, post.lang) == (raw["id"], "5", "es")
    assert post.published_at == START + timedelta(minutes=3)
    assert (post.author.handle, post.author.name, post.author.bio) == ("ana@server.example", "Ana", "de Lima")
    assert (post.metrics.likes, post.metrics.replies, post.metrics.shares) == (1, 2, 7)
    assert post.raw["content"] == raw["content"]


def test_what_is_not_told_is_none() -> None:
    bare = {
        "id": "1",
        "content": "",
        "created_at": "2026-05-04T12:00:00Z",
        "url": "javascript:alert(1)",
        "new_field": 1,
    }
    post = post_from(bare, source="mastodon", host="h")
    assert (post.url, post.lang, post.author.handle, post.author.followers) == (None, None, None, None)
    assert (post.metrics.likes, post.metrics.shares) == (None, None)


def test_an_id_that_holds_time_can_be_moved_and_another_cannot() -> None:
    assert moment_of(id_at(START)) == START
    assert moment_of(earlier(id_at(START), timedelta(minutes=10))) == START - timedelta(minutes=10)
    for other in ("01HXYZABCDEF", "12345", "9" * 30):
        assert moment_of(other) is None
        assert earlier(other, timedelta(minutes=10)) == other


@pytest.mark.parametrize(
    "bad", [None, 7, "x", [], {}, {"id": "5"}, status(1, created_at="soon"), status(1, content=None)]
)
def test_one_bad_status_is_kept_aside_and_the_rest_of_its_page_goes_on(local: Egress, collect: Any, bad: Any) -> None:
    good = [status(2), status(4)]
    with serving(lambda asked: told({}) if "instance" in asked.path else told([good[0], bad, good[1]])) as web:
        assert collect(source(web, local), BRAND) == 2
    assert (collect.error, len(collect.rejected())) == (None, 1)


def test_posts_that_are_not_public_are_left_out(local: Egress, collect: Any) -> None:
    kinds = ("public", "unlisted", "private", "direct")
    statuses = [status(number, visibility=kind) for number, kind in enumerate(kinds)]
    with serving_statuses(statuses) as server:
        collect(source(server, local), BRAND)
    assert collect.ids() == ids(*statuses[:2])
    assert not collect.rejected()


# ---- hashtags


def test_the_hashtags_of_brands_and_settings_are_read_without_a_token(local: Egress, collect: Any) -> None:
    brands = (*BRAND, Brand("b", "B", hashtags=("#osiptel", "dos palabras")))
    with serving_statuses([status(1)]) as server:
        collect(source(server, local, hashtags=["#sutran", "NÍTIDO"]), brands)
    assert collect.error is None
    paths = [asked.path for asked in server.asked if "timelines" in asked.path]
    assert paths == [f"/api/v1/timelines/tag/{tag}" for tag in ("n%C3%ADtido", "osiptel", "sutran")]
    assert not any("Authorization" in asked.headers for asked in server.asked)


def test_without_hashtags_nothing_is_asked(local: Egress, collect: Any) -> None:
    with serving_statuses([status(1)]) as server:
        assert collect(source(server, local), (Brand("b", "B"),)) == 0
        assert server.asked == []


def test_a_burst_is_read_completely_over_the_next_polls_also_when_the_program_dies(local: Egress, collect: Any) -> None:
    with serving_statuses([status(number) for number in range(5)]) as server:
        reading = source(server, local, page_size=3, max_pages=2)
        collect(reading, BRAND)
        server.statuses += [status(number) for number in range(5, 40)]
        collect(reading, BRAND)
        assert collect.cursor("mastodon") is not None
        assert len(collect.ids()) < 40
        for _ in range(10):
            collect(reading, BRAND)
        assert collect.ids() == ids(*server.statuses)
        assert collect.error is None


def test_a_post_of_another_server_that_arrives_late_is_read(local: Egress, collect: Any) -> None:
    with serving_statuses([status(20)]) as server:
        reading = source(server, local)
        collect(reading, BRAND)
        server.statuses.append(status(15))
        assert collect(reading, BRAND) == 1


def test_each_page_moves_the_cursor_so_that_a_fault_loses_no_page(local: Egress, collect: Any) -> None:
    with serving_statuses([status(0)]) as server:
        reading = source(server, local, page_size=2, max_pages=9)
        collect(reading, BRAND)
        server.statuses += [status(number) for number in range(1, 7)]
        speak, calls = server.speak, []

        def fail_third(asked: Any) -> Answer:
            calls.append(asked.path)
            return Answer(b"down", 503) if sum("timelines" in one for one in calls) == 3 else speak(asked)

        server.answer = fail_third
        collect(reading, BRAND)
        assert isinstance(collect.error, Unreachable)
        assert collect.ids() == ids(*server.statuses[:4])
        server.answer = speak
        collect(reading, BRAND)
        assert collect.error is None
        assert collect.ids() == ids(*server.statuses)


def test_a_server_that_sends_the_same_page_for_ever_is_stopped(local: Egress, collect: Any) -> None:
    page = [status(2), status(1)]
    for cursor in (None, json.dumps({"tag nítido": {"last": id_at(START + timedelta(hours=1))}})):
        with serving(lambda asked: told({}) if "instance" in asked.path else told(page)) as web:
            reading = source(web, local, page_size=2, max_pages=50)
            with pytest.raises(Unreadable, match="again and again"):
                list(reading.collect(BRAND, cursor))
            assert len(web.asked) < 6


def test_what_is_left_of_the_allowance_is_told(local: Egress, collect: Any) -> None:
    at = (NOW + timedelta(minutes=5)).isoformat()
    answer = told([status(1)], **{"X-RateLimit-Reset": at})
    with serving(lambda asked: told({}) if "instance" in asked.path else answer) as web:
        collect(source(web, local), BRAND)
    quota = collect.pages[0].quota
    assert quota is not None
    assert (quota.left, quota.limit, quota.resets_at) == (291, 300, NOW + timedelta(minutes=5))


# ---- faults


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"", 429, {"Retry-After": "30"}), RateLimited),
        (Answer(b"", 429), RateLimited),
        (Answer(b"down", 500), Unreachable),
        (Answer(b"<html>", 502), Unreachable),
        (Answer(b"", 404), Unreachable),
        (told({"error": "The access token is invalid"}, 401), NotAllowed),
        (told({"error": "This method requires an authenticated user"}, 422), NotAllowed),
        (Answer(b"<html>hola</html>"), Unreadable),
        (Answer(b""), Unreadable),
        (told([status(1)]), None),
        (Answer(json.dumps([status(1)]).encode()[:-20]), Unreadable),
        (told({"error": "oops"}), Unreadable),
        (told("hola"), Unreadable),
        (Answer(b"[" * 50_000), Unreadable),
        (Answer(json.dumps([status(1)]).encode(), fault="reset"), Unreachable),
        (Answer(json.dumps([status(1)]).encode(), fault="short"), Unreachable),
    ],
)
def test_every_fault_is_one_of_our_own_errors_and_the_cursor_stays(
    local: Egress, collect: Any, answer: Answer, error: type[Exception] | None
) -> None:
    with serving(lambda asked: told({}) if "instance" in asked.path else answer) as web:
        collect(source(web, local), BRAND)
    assert isinstance(collect.error, error) if error else collect.error is None
    assert (collect.cursor("mastodon") is None) == (error is not None)
    assert sum("timelines" in asked.path for asked in web.asked) == 1


def test_a_limit_waits_as_long_as_the_server_says(local: Egress, collect: Any) -> None:
    with serving(lambda asked: Answer(b"", 429, {"Retry-After": "90"})) as web:
        collect(source(web, local), BRAND)
    assert isinstance(collect.error, RateLimited)
    assert collect.error.until is not None


def test_a_redirect_to_a_host_that_is_not_listed_is_refused(local: Egress, collect: Any) -> None:
    with serving(lambda asked: Answer(b"", 302, {"Location": "http://10.0.0.1/"})) as web:
        collect(source(web, local), BRAND)
    assert isinstance(collect.error, Refused)


def test_no_log_and_no_error_holds_token_or_post(local: Egress, collect: Any, caplog: pytest.LogCaptureFixture) -> None:
    install([])
    caplog.set_level(logging.DEBUG)
    with serving_statuses([status(1, "palabras secretas")], [("update", 3), b"data: palabras secretas\n\n"]) as server:
        for mode in ("hashtags", "search", "stream"):
            collect(source(server, local, mode, token=TOKEN, listen="5 seconds"), BRAND)
        assert isinstance(collect.error, Unreadable)
    with serving(lambda asked: told({"error": TOKEN}, 401)) as web:
        collect(source(web, local, "search"), BRAND)
    text = caplog.text + str(collect.error)
    assert TOKEN not in text
    assert "palabras secretas" not in text


# ---- search


def test_every_name_tag_and_handle_is_a_search_of_its_own(local: Egress, collect: Any) -> None:
    with serving_statuses([status(1, "Nítido no anda"), status(2, "nada")]) as server:
        assert collect(source(server, local, "search"), BRAND) == 1
    queries = [asked.query["q"] for asked in server.asked if asked.path == "/api/v2/search"]
    assert queries == ['"Nítido"', '"Nitido Móvil"', "@NitidoPE", "#Nítido"]


def test_a_burst_in_a_search_is_read_completely_over_the_next_polls(local: Egress, collect: Any) -> None:
    brand = (Brand("n", "Nítido"),)
    with serving_statuses([status(number, "Nítido") for number in range(3)]) as server:
        reading = source(server, local, "search", page_size=4, max_pages=2)
        collect(reading, brand)
        server.statuses += [status(number, "Nítido") for number in range(3, 30)]
        for _ in range(12):
            collect(reading, brand)
            assert collect.error is None
        assert collect.ids() == ids(*server.statuses)
        before = len(server.asked)
        assert collect(reading, brand) == 0
        assert sum(asked.path == "/api/v2/search" for asked in server.asked[before:]) <= 2


def test_a_second_that_holds_more_than_a_poll_may_read_is_told_as_a_hole(local: Egress, collect: Any) -> None:
    brand = (Brand("n", "Nítido"),)
    crowd = [{**status(20, "Nítido"), "id": id_at(START + timedelta(minutes=20), number)} for number in range(9)]
    with serving_statuses([status(0, "Nítido"), *crowd]) as server:
        state = {'search "Nítido"': {"last": id_at(START + timedelta(minutes=15))}}
        reading = source(server, local, "search", page_size=2, max_pages=2)
        cursor, holes = json.dumps(state), 0
        for _ in range(6):
            for page in reading.collect(brand, cursor):
                cursor, holes = page.cursor or cursor, holes + len(page.holes)
        assert holes >= 1
        assert json.loads(cursor)['search "Nítido"']["left"] == []


@pytest.mark.parametrize("answer", [told([]), told({"accounts": []}), told({"statuses": None})])
def test_a_search_without_statuses_is_a_failure(local: Egress, collect: Any, answer: Answer) -> None:
    version = told({"version": "4.4.2", "api_versions": {"mastodon": 6}})
    with serving(lambda asked: version if "instance" in asked.path else answer) as web:
        collect(source(web, local, "search"), BRAND)
    assert isinstance(collect.error, Unreadable)


# ---- streams


def listening(server: Server, egress: Egress, mode: str = "stream", **settings: Any) -> mastodon.Source:
    return source(server, egress, mode, **{"listen": "3 seconds", **settings})


def test_what_is_said_while_it_listens_is_heard_with_edits_and_deletions(local: Egress) -> None:
    edited = {**status(5, "después"), "edited_at": "2026-05-04T12:00:00Z"}
    script = [
        b":thump\n\n",
        ("update", status(5, "antes")),
        ("status.update", edited),
        ("update", status(6, "adiós")),
        ("delete", int(status(6)["id"])),
        ("delete", 106692867363994015),
        ("announcement", {"id": "1"}),
    ]
    with serving_statuses([status(1, "anterior")], script) as server:
        pages = []
        for page in listening(server, local).collect(BRAND, None):
            pages.append(page)
            if page.gone:
                break
    posts = [post for page in pages for post in page.posts]
    assert [post.text for post in posts] == ["anterior", "antes", "después"]
    assert [one for page in pages for one in page.gone] == [status(6)["id"], "106692867363994015"]
    streams = [asked for asked in server.asked if "streaming" in asked.path]
    assert [asked.path for asked in streams] == ["/api/v1/streaming/hashtag?tag=n%C3%ADtido"]
    assert streams[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_an_empty_page_comes_at_least_every_two_seconds_and_a_poll_ends_by_itself(local: Egress) -> None:
    with serving_statuses([status(1)]) as server:
        pages = list(listening(server, local).collect(BRAND, None))
        assert server.heard.is_set()
    assert len(pages) >= 3
    assert sum(len(page.posts) for page in pages) == 1


@pytest.mark.parametrize(
    ("step", "error"), [("reset", Unreachable), ("end", Unreachable), (b"event: update\ndata: {\n\n", Unreadable)]
)
def test_a_stream_that_breaks_ends_the_poll_and_the_next_one_catches_up(
    local: Egress, collect: Any, step: Any, error: type[Exception]
) -> None:
    with serving_statuses([status(1)], [("update", status(5, "en vivo")), step]) as server:
        reading = listening(server, local, listen="20 seconds")
        collect(reading, BRAND)
        assert isinstance(collect.error, error)
        assert sum("streaming" in asked.path for asked in server.asked) == 1
        # Reset, the wire may lose what had not been read: the next poll asks for it.
        server.statuses += [status(5, "en vivo"), status(7)]
        collect(reading, BRAND)
    assert collect.ids() == ids(status(1), status(5), status(7))


def test_a_token_that_is_not_good_stops_the_stream(local: Egress, collect: Any) -> None:
    with serving_statuses([status(1)]) as server:
        collect(listening(server, local, token="wrong", listen="20 seconds"), BRAND)
    assert isinstance(collect.error, NotAllowed)


def test_of_a_whole_server_only_what_names_a_brand_is_kept(local: Egress, collect: Any) -> None:
    script = [("update", status(50, "Nítido va mal")), ("update", status(51, "nada")), ("delete", 5)]
    with serving_statuses([status(1, "con #Nítido"), status(2, "otra cosa")], script) as server:
        reading = listening(server, local, "public")
        collect(reading, BRAND)
        assert collect.error is None
        assert sorted(collect.texts()) == ["Nítido va mal", "con #Nítido"]
        assert json.loads(collect.cursor("mastodon"))["public"]["last"] == status(51)["id"]
        assert [one for page in collect.pages for one in page.gone] == ["5"]


def test_a_whole_server_that_is_too_busy_leaves_a_hole_and_goes_on_from_now(local: Egress, collect: Any) -> None:
    with serving_statuses([status(0, "Nítido")]) as server:
        reading = listening(server, local, "public", page_size=2, max_pages=2, listen="1 second")
        collect(reading, BRAND)
        server.statuses += [status(number, "Nítido") for number in range(1, 30)]
        collect(reading, BRAND)
        (hole,) = [hole for page in collect.pages for hole in page.holes]
        assert (hole.start, hole.end) == (START + timedelta(minutes=4), NOW)
        assert json.loads(collect.cursor("mastodon"))["public"]["last"] == id_at(NOW)


# ---- what is still there


def test_a_recheck_tells_what_is_gone_what_is_hidden_and_how_the_rest_reads_now(local: Egress) -> None:
    there, hidden = status(1, "editado"), status(2, visibility="private")
    with serving_statuses([there, hidden]) as server:
        reading = source(server, local)
        assert isinstance(reading, Rechecks)
        assert not isinstance(reading, Forecasts)
        pages = list(reading.recheck([there["id"], hidden["id"], "404", "../../x?y"]))
    assert [post.text for page in pages for post in page.posts] == ["editado"]
    assert [one for page in pages for one in page.gone] == [hidden["id"], "404", "../../x?y"]


@pytest.mark.parametrize("answer", [Answer(b"<h1>Not Found</h1>", 404), Answer(b"", 404), Answer(b"{}", 404)])
def test_a_404_that_is_not_the_servers_own_word_never_erases_a_post(local: Egress, answer: Answer) -> None:
    with serving(lambda asked: answer) as web, pytest.raises(Unreachable):
        list(source(web, local).recheck(["1"]))


# ---- the rest


def test_probe_and_cost_and_hosts(local: Egress) -> None:
    with serving_statuses([]) as server:
        for mode in ("hashtags", "search", "stream", "public"):
            source(server, local, mode).probe()
        with pytest.raises(NotAllowed):
            source(server, local, "search", token="wrong").probe()
        said = source(server, local, "search", max_pages=3).cost(BRAND)
        assert said.facts == {"requests": 12}
        assert source(server, local).hosts() == {"127.0.0.1"}
        assert source(server, local, "stream").hosts() == {"127.0.0.1", "streaming.127.0.0.1"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "mastodon.social"},
        {"mode": "search"},
        {"mode": "all", "access_token": "t"},
        {"hashtags": ["dos palabras"]},
        {"page_size": 41},
        {"listen": "soon"},
        {"unknown": 1},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        mastodon.Settings(**wrong)


def test_without_the_library_the_first_use_says_what_to_install(
    local: Egress, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mastodon", None)
    with serving_statuses([]) as server:
        reading = source(server, local)
        collect(reading, BRAND)
        assert isinstance(collect.error, MissingLibrary)
        assert "escucha[mastodon]" in str(collect.error)


def test_every_setting_stands_in_the_page(request: pytest.FixtureRequest) -> None:
    page = (request.config.rootpath / "docs" / "sources" / "mastodon.md").read_text("utf-8")
    assert [name for name in mastodon.Settings.model_fields if f"\n{name} = " not in page] == []
