from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from listener.errors import NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress, install
from listener.mention import Author, Hole
from listener.sources import telegram
from tests.servers.telegram import CHANNEL, GROUP, TOKEN, Updates, message, ok, posted, refused, two_pages
from tests.servers.web import Answer, Asked, Web, serving

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def source(web: Web, egress: Egress, *, now: Any = None, **settings: Any) -> telegram.Source:
    token = SecretStr(settings.pop("token", TOKEN))
    made = telegram.Settings(token=token, base_url=web.url, **settings)
    return telegram.Source("telegram", made, egress, now=now or (lambda: NOW))


def answering(*answers: Answer) -> Any:
    """Give these answers, then empty ones."""
    given = iter(answers)
    return lambda asked: next(given, ok([]))


def posts(collect: Any) -> list[Any]:
    return [post for page in collect.pages for post in page.posts]


# ---- reading


def test_posts_of_channels_and_groups_are_stored_once_and_confirmed_only_after_they_were(
    local: Egress, collect: Any
) -> None:
    server = two_pages()
    with serving(server) as web:
        reading = source(web, local)
        assert collect(reading) == 3
        assert collect.error is None
        assert [asked.query.get("offset") for asked in web.asked] == [None, "13", "14"]
        assert collect(reading) == 0
        assert web.asked[-1].query["offset"] == "14"
    assert collect.ids() == ["-1001/1", "-1002/2", "-1002/3"]


def test_what_was_not_committed_is_given_again(local: Egress) -> None:
    server = two_pages()
    with serving(server) as web:
        reading = source(web, local)
        first = next(iter(reading.collect((), None)))  # killed before the commit
        again = next(iter(reading.collect((), None)))
    assert (
        [post.native_id for post in first.posts] == [post.native_id for post in again.posts] == ["-1001/1", "-1002/2"]
    )


def test_only_the_updates_that_are_read_are_asked_for(local: Egress, collect: Any) -> None:
    with serving(two_pages()) as web:
        collect(source(web, local))
        asked = web.asked[0].query
    assert json.loads(asked["allowed_updates"]) == ["message", "edited_message", "channel_post", "edited_channel_post"]
    assert asked["timeout"] == "2"


def test_what_a_channel_post_says_arrives(local: Egress, collect: Any) -> None:
    raw = posted(5, author_signature="Redacción", views=9)
    with serving(Updates([{"update_id": 1, "channel_post": raw}])) as web:
        collect(source(web, local, about="nitido"))
    (post,) = posts(collect)
    assert (post.native_id, post.url) == ("-1001/5", "https://t.me/avisosperu/5")
    assert post.author == Author("avisosperu", "Avisos Perú", "-1001", url="https://t.me/avisosperu")
    assert post.published_at == datetime.fromtimestamp(1_777_900_005, UTC)
    assert post.about == "nitido"
    assert post.raw == raw


def test_what_a_person_writes_in_a_group_arrives_with_its_thread(local: Egress, collect: Any) -> None:
    raw = message(6, reply_to_message=message(5))
    with serving(Updates([{"update_id": 1, "message": raw}])) as web:
        collect(source(web, local))
    (post,) = posts(collect)
    assert post.author == Author("ana", "Ana Torres", "7", url="https://t.me/ana")
    assert (post.in_reply_to, post.thread) == ("-1002/5", "-1002/5")


def test_a_members_link_is_given_where_a_supergroup_has_no_name(local: Egress, collect: Any) -> None:
    raw = message(6, chat={**GROUP, "id": -1001234567890})
    with serving(Updates([{"update_id": 1, "message": raw}])) as web:
        collect(source(web, local))
    assert posts(collect)[0].url == "https://t.me/c/1234567890/6"


def test_an_edited_post_comes_again_with_its_new_text(local: Egress, collect: Any) -> None:
    edit = {"update_id": 2, "edited_channel_post": posted(5, "Nítido ya tiene señal", edit_date=1_777_900_900)}
    with serving(Updates([{"update_id": 1, "channel_post": posted(5)}, edit])) as web:
        collect(source(web, local))
    assert [(post.native_id, post.text) for post in posts(collect)] == [
        ("-1001/5", "Nítido sin señal"),
        ("-1001/5", "Nítido ya tiene señal"),
    ]


def test_captions_are_read_and_messages_without_words_private_ones_and_other_chats_are_passed_over(
    local: Egress, collect: Any
) -> None:
    updates = [
        {"update_id": 1, "message": message(1, None, caption="foto de Nítido")},
        {"update_id": 2, "message": message(2, None, new_chat_members=[{"id": 1}])},
        {"update_id": 3, "message": message(3, chat={"id": 7, "type": "private"})},
        {"update_id": 4, "channel_post": posted(4, chat={**CHANNEL, "id": -1009, "username": "otro"})},
        {"update_id": 5, "poll": {"id": "1"}},
        {"update_id": 6, "channel_post": posted(6)},
    ]
    with serving(Updates(updates)) as web:
        assert collect(source(web, local, chats=("@AvisosPeru", "-1002"))) == 2
    assert [post.text for post in posts(collect)] == ["foto de Nítido", "Nítido sin señal"]
    assert collect.rejected() == []
    assert json.loads(collect.cursor("telegram") or "")["update"]["id"] == 6


# ---- listening


def test_a_poll_ends_at_once_when_the_server_does_not_hold_the_question_open(local: Egress, collect: Any) -> None:
    with serving(lambda asked: ok([])) as web:
        collect(source(web, local, listen="10 minutes"))
        assert len(web.asked) == 1
    assert len(collect.pages) == 1  # an empty page too, so that a poll can be stopped


def test_a_poll_ends_when_its_time_is_over_and_the_next_one_goes_on(local: Egress, collect: Any) -> None:
    numbers = iter(range(1, 10_000))
    with serving(lambda asked: ok([{"update_id": (n := next(numbers)), "channel_post": posted(n)}])) as web:
        reading = source(web, local, listen="1 second")
        collect(reading)
        first = len(collect.ids())
        collect(reading)
        assert web.asked[-1].query["offset"] == str(len(web.asked))
    assert first > 1
    assert len(collect.ids()) == len(web.asked)


def test_more_than_a_day_without_a_poll_is_a_hole(local: Egress, collect: Any) -> None:
    moment = [NOW]
    with serving(lambda asked: ok([])) as web:
        reading = source(web, local, now=lambda: moment[0])
        collect(reading)
        moment[0] = NOW + timedelta(hours=23)
        collect(reading)
        assert collect.pages[0].holes == ()
        moment[0] = NOW + timedelta(hours=23 + 30)
        collect(reading)
    assert collect.pages[0].holes == (
        Hole(NOW + timedelta(hours=23), moment[0] - timedelta(hours=24), telegram._EXPIRED),
    )


def test_numbers_that_begin_anew_after_a_quiet_week_lose_nothing(local: Egress, collect: Any) -> None:
    moment = [NOW]
    server = Updates([{"update_id": 900, "channel_post": posted(1)}])
    with serving(server) as web:
        reading = source(web, local, now=lambda: moment[0])
        assert collect(reading) == 1
        moment[0] += timedelta(days=8)
        server.updates = [{"update_id": 20, "channel_post": posted(2)}]
        assert collect(reading) == 1
        server.updates.append({"update_id": 21, "channel_post": posted(3)})
        assert collect(reading) == 1
        assert web.asked[-1].query["offset"] == "22"


# ---- faults


@pytest.mark.parametrize(
    "bad",
    [
        {"update_id": 2, "message": 5},
        {"update_id": 2, "message": {}},
        {"update_id": 2, "message": {**message(2), "date": "ayer"}},
        {"update_id": 2, "message": {**message(2), "message_id": None}},
        5,
        "x",
    ],
)
def test_a_strange_update_is_kept_aside_and_the_rest_of_its_page_goes_on(bad: Any, local: Egress, collect: Any) -> None:
    with serving(
        answering(ok([{"update_id": 1, "message": message(1)}, bad, {"update_id": 3, "message": message(3)}]))
    ) as web:
        assert collect(source(web, local)) == 2
    assert collect.error is None
    assert len(collect.rejected()) == 1


WHOLE = ok([{"update_id": 9, "message": message(9)}]).body
FAULTS = {
    "429 with header": (Answer(status=429, headers={"Retry-After": "30"}), RateLimited),
    "429 without header": (refused(429, "Too Many Requests: retry after 17", retry_after=17), RateLimited),
    "400": (refused(400, "Bad Request"), Unreadable),
    "401": (refused(401, "Unauthorized"), NotAllowed),
    "404, no such bot": (refused(404, "Not Found"), NotAllowed),
    "404, another server": (Answer(b"<html>", 404), Unreachable),
    "409, a webhook": (
        refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"),
        NotAllowed,
    ),
    "409, another reader": (refused(409, "Conflict: terminated by other getUpdates request"), Unreachable),
    "500": (Answer(b"oops", 500), Unreachable),
    "502": (Answer(b"oops", 502), Unreachable),
    "reset mid-body": (Answer(WHOLE, fault="reset"), Unreachable),
    "short body": (Answer(WHOLE, fault="short"), Unreachable),
    "truncated JSON": (Answer(WHOLE[:-20]), Unreadable),
    "HTML 200": (Answer(b"<html>Maintenance</html>"), Unreadable),
    "empty 200": (Answer(b""), Unreadable),
    "empty object": (Answer(b"{}"), Unreadable),
    "not ok with 200": (Answer(b'{"ok": false, "result": []}'), Unreadable),
    "ok without result": (Answer(b'{"ok": true}'), Unreadable),
    "another result": (ok({"a": 1}), Unreadable),
    "a list": (Answer(b"[]"), Unreadable),
    "updates without numbers": (ok([{"message": message(1)}]), Unreadable),
    "deep nesting": (Answer(b"[" * 100_000), Unreadable),
    "redirect elsewhere": (Answer(status=302, headers={"Location": "http://example.org/"}), Refused),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_after_a_good_page_keeps_that_page_and_its_place(
    fault: str, local: Egress, collect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    answer, kind = FAULTS[fault]
    former = logging.getLogRecordFactory()
    install([TOKEN])
    try:
        logging.getLogger("urllib3").setLevel(logging.DEBUG)  # it writes every address that is asked
        caplog.set_level(logging.DEBUG)
        with serving(answering(ok([{"update_id": 8, "message": message(1)}]), answer)) as web:
            assert collect(source(web, local)) == 1
    finally:
        install()
        logging.setLogRecordFactory(former)
    assert type(collect.error) is kind
    assert json.loads(collect.cursor("telegram") or "")["update"]["id"] == 8
    assert "getUpdates" in caplog.text
    assert TOKEN not in caplog.text
    assert TOKEN.partition(":")[2] not in caplog.text
    assert TOKEN not in str(collect.error)


def test_how_long_to_wait_is_read_off_the_body() -> None:
    source = telegram.Source(
        "telegram", telegram.Settings(token=SecretStr(TOKEN)), Egress(frozenset()), now=lambda: NOW
    )
    told = RateLimited("telegram", "wait")
    told.body = refused(429, "Too Many Requests", retry_after=17).body
    assert source._limited(told).until == NOW + timedelta(seconds=17)
    told.body = b"<html>"
    assert source._limited(told).until is None


def test_the_conflict_is_explained(local: Egress, collect: Any) -> None:
    with serving(answering(refused(409, "Conflict: can't use getUpdates method while webhook is active"))) as web:
        collect(source(web, local))
    assert "remove the webhook" in str(collect.error)


def test_a_server_that_gives_the_same_updates_again_is_stopped(local: Egress, collect: Any) -> None:
    with serving(lambda asked: ok([{"update_id": 8, "message": message(1)}])) as web:
        collect(source(web, local))
        assert len(web.asked) == 2
    assert type(collect.error) is Unreadable


def test_the_token_goes_to_the_configured_host_only(collect: Any) -> None:
    with serving(two_pages()) as web:
        collect(source(web, Egress(frozenset({"api.telegram.org"}))))
        assert type(collect.error) is Refused
        assert web.asked == []


def test_probe_tells_a_good_token_from_a_bad_one(local: Egress) -> None:
    def paths(asked: list[Asked]) -> list[str]:
        return [one.path.rpartition("/")[2] for one in asked]

    with serving(two_pages()) as web:
        source(web, local).probe()
        assert paths(web.asked) == ["getMe"]  # which confirms nothing
        with pytest.raises(NotAllowed):
            source(web, local, token="1:another").probe()


@pytest.mark.parametrize(
    "wrong", [{"token": "abc"}, {"token": "1:a/../b"}, {"base_url": "ftp://x"}, {"listen": "x"}, {"y": 1}]
)
def test_settings_refuse_what_cannot_be_asked(wrong: Any) -> None:
    with pytest.raises(ValidationError) as told:
        telegram.Settings.model_validate({"token": TOKEN, **wrong})
    assert "a/../b" not in str(told.value)
    assert TOKEN not in repr(telegram.Settings(token=SecretStr(TOKEN)))
