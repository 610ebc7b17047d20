from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.errors import NotAllowed
from listener.fetch import Egress
from listener.mention import Pushed, Rechecks
from listener.platforms.calls import Call
from listener.sources import instagram
from tests.listener.sources.conftest import NOW
from tests.servers.graph import ACCOUNT, TOKEN, Edges, failing, good_instagram, keys, reply, stamp
from tests.servers.web import Answer, Asked, Web, serving

HOUR = timedelta(hours=1)
SAID = {"id": "17905", "text": "sigue sin señal", "from": {"id": "77", "username": "ana"}, "media": {"id": "17801"}}


def source(egress: Egress, web: Web | None = None, now: Any = lambda: NOW, **more: Any) -> instagram.Source:
    base = {"base_url": web.url} if web else {}
    return instagram.Source("ig", instagram.Settings(account_id=ACCOUNT, **keys(**base, **more)), egress, now=now)


def call(*changes: tuple[str, Any], account: str = ACCOUNT) -> bytes:
    told = [{"field": field, "value": value} for field, value in changes]
    entry = {"id": account, "time": int(NOW.timestamp()), "changes": told}
    return json.dumps({"object": "instagram", "entry": [entry]}).encode()


def heard(reading: instagram.Source, *changes: tuple[str, Any]) -> Call:
    page = reading.receive(call(*changes))
    assert isinstance(page, Call)
    return page


# ---- real input


def test_every_recorded_comment_answer_and_tagged_post_is_stored_once(
    shared: Path, local: Egress, collect: Any
) -> None:
    folder = shared / "payloads" / "meta" / "instagram" / "apidata"
    names = ("medias/comments_p1", "medias/comments_p2", "comments/replies", "users/tagged_medias")
    names += ("users/medias_p1", "users/medias_p2")
    read = {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in names}
    recorded = json.loads((shared / "payloads/meta/instagram/models/ig_comment.json").read_text("utf-8"))
    comments = [*read["medias/comments_p1"]["data"], *read["medias/comments_p2"]["data"], recorded]
    comments[0]["replies"] = read["comments/replies"]
    own = [*read["users/medias_p1"]["data"], *read["users/medias_p2"]["data"]]
    own[0]["comments"] = {"data": comments}
    tagged = read["users/tagged_medias"]["data"]
    wanted = {item["id"] for item in (*comments, *read["comments/replies"]["data"], *recorded["replies"]["data"])}
    wanted |= {f"mention:{item['id']}" for item in tagged}
    with serving(Edges({f"{ACCOUNT}/media": [own], f"{ACCOUNT}/tags": [tagged]})) as web:
        reading = source(local, web, now=lambda: NOW.replace(year=2021, month=8, day=14))
        new = collect(reading)
        assert collect.error is None
        assert collect.rejected() == []
        assert new == len(wanted)
        assert set(collect.ids()) == wanted
        assert collect(reading) == 0
    posts = {post.native_id: post for page in collect.pages for post in page.posts}
    assert posts["17892250648466172"].author.handle == "ikroskun"
    assert posts["17892250648466172"].thread == "17846368219941692"
    assert posts["mention:17978630677077508"].text == "[image]"  # posted without words


# ---- catching up


def test_every_page_is_stored_and_a_second_poll_adds_nothing(local: Egress, collect: Any) -> None:
    world = good_instagram(NOW)
    with serving(world) as web:
        assert collect(source(local, web)) == len(world.ids) == 13
        assert set(collect.ids()) == world.ids
        assert collect(source(local, web)) == 0
        assert TOKEN not in json.dumps([asked.query for asked in web.asked])
    post = next(post for page in collect.pages for post in page.posts if post.native_id == "1790000")
    assert (post.author.handle, post.thread, post.about) == ("persona000", "178000", "nitido")
    assert post.url == "https://www.instagram.com/p/C00/"


def test_many_comments_and_answers_are_read_to_the_end(local: Egress, collect: Any) -> None:
    answers = [reply(f"7{n}", NOW - n * HOUR, parent_id="17900") for n in range(6)]
    many = [reply(n, NOW - n * HOUR) for n in range(40)]
    world = Edges(
        {
            f"{ACCOUNT}/media": [[]],
            f"{ACCOUNT}/tags": [[]],
            "17801/comments": [many[n : n + 10] for n in range(0, 40, 10)],
            "17900/replies": [answers[:3], answers[3:]],
        }
    )
    many[0]["replies"] = world.page("17900/replies")
    media = {"id": "17801", "timestamp": stamp(NOW - 50 * HOUR), "comments": world.page("17801/comments")}
    world.edges[f"{ACCOUNT}/media"] = [[media]]
    with serving(world) as web:
        assert collect(source(local, web)) == 46
        answer = next(post for page in collect.pages for post in page.posts if post.native_id == "179070")
        assert answer.in_reply_to == "17900"
        asked = len(web.asked)
        assert collect(source(local, web)) == 0
        assert len(web.asked) - asked == 3  # the roots and the answers; older comments are known


def test_the_accounts_own_words_are_left_out_unless_wanted(local: Egress, collect: Any) -> None:
    own = [reply(1, NOW, user={"id": ACCOUNT}), reply(2, NOW, **{"from": {"id": "5", "self_ig_scoped_id": "5"}})]
    media = {"id": "17801", "caption": "Oferta", "timestamp": stamp(NOW), "comments": {"data": [*own, reply(3, NOW)]}}
    with serving(Edges({f"{ACCOUNT}/media": [[media]], f"{ACCOUNT}/tags": [[]]})) as web:
        assert collect(source(local, web)) == 1
        assert collect(source(local, web, own_posts=True)) == 3


# ---- calls


def test_a_comment_is_read_from_its_call_alone(local: Egress) -> None:
    page = heard(source(local), ("comments", SAID), ("story_insights", {"media_id": "1"}))
    (post,) = page.posts
    assert (post.native_id, post.text, post.thread, post.published_at) == ("17905", "sigue sin señal", "17801", NOW)
    assert (post.author.handle, post.about) == ("ana", "nitido")
    assert (page.first, page.again, page.rejected) == (frozenset({"17905"}), False, ())


def test_a_mention_is_looked_up_by_its_id(local: Egress, shared: Path) -> None:
    folder = shared / "payloads" / "meta" / "instagram" / "apidata" / "users"
    found = {name: (folder / f"mentioned_{name}.json").read_bytes() for name in ("comment", "media")}

    def serve(asked: Asked) -> Answer:
        if asked.path != f"/{ACCOUNT}":
            return failing(100, 33)
        return Answer(found["comment" if asked.query["fields"].startswith("mentioned_comment") else "media"])

    with serving(serve) as web:
        page = heard(
            source(local, web),
            ("mentions", {"media_id": "17889114512354744"}),
            ("mentions", {"media_id": "17", "comment_id": "17967008497439572"}),
        )
        assert {asked.query["fields"].partition("{")[0] for asked in web.asked if asked.path == f"/{ACCOUNT}"} == {
            "mentioned_media.media_id(17889114512354744)",
            "mentioned_comment.comment_id(17967008497439572)",
        }
    assert [(post.native_id, post.text) for post in page.posts] == [
        ("mention:17889114512354744", "@ikroskun hey"),
        ("mention:17967008497439572", "@ikroskun good"),
    ]
    assert page.posts[1].thread == "17"


def test_a_mention_under_our_own_post_is_the_comment_itself(local: Egress) -> None:
    with serving(Edges({}, {"17905": reply("5", NOW), ACCOUNT: {}})) as web:
        (post,) = heard(source(local, web), ("mentions", {"media_id": "17801", "comment_id": "17905"})).posts
    assert post.native_id == "17905"


@pytest.mark.parametrize(
    ("answer", "again", "aside"),
    [
        (Answer(b"", 503), True, 0),
        (failing(4, None, 403), True, 0),
        (failing(190, 463, 401), False, 1),
        (failing(100, 33), False, 1),
        (Answer(b"<html>"), False, 1),
        (Answer(b"{}"), False, 1),
    ],
)
def test_a_mention_that_cannot_be_looked_up_is_asked_for_again_or_kept_aside(
    local: Egress, answer: Answer, again: bool, aside: int
) -> None:
    with serving(lambda asked: answer) as web:
        page = heard(source(local, web), ("mentions", {"media_id": "17"}), ("comments", SAID))
    assert [post.native_id for post in page.posts] == ["17905"]  # what came with it is kept at once
    assert (page.again, len(page.rejected)) == (again, aside)


@pytest.mark.parametrize("known", ["../me", "17){access_token}", "1 2", {"a": 1}, None])
def test_an_id_that_is_none_is_never_asked_for(local: Egress, known: Any) -> None:
    with serving(lambda asked: Answer(b"{}")) as web:
        page = heard(source(local, web), ("mentions", {"media_id": known}))
        assert web.asked == []
    assert len(page.rejected) == 1


def test_a_strange_comment_and_another_account_are_kept_aside(local: Egress) -> None:
    page = heard(source(local), ("comments", {"id": "1"}), ("comments", {"text": "x"}), ("comments", SAID))
    assert (len(page.posts), len(page.rejected)) == (1, 2)
    other = source(local).receive(call(("comments", SAID), account="9"))
    assert (other.posts, other.rejected[0].position) == ((), "account 9")


# ---- still there?


def test_what_is_gone_is_told_and_mentions_elsewhere_are_not_known(local: Egress) -> None:
    objects = {"17901": reply(1, NOW, "sigue aquí")}
    with serving(Edges({f"{ACCOUNT}/media": [[]]}, objects)) as web:
        pages = list(source(local, web).recheck(["17901", "17902", "mention:17903"]))
    assert [(post.native_id, post.text, post.thread) for page in pages for post in page.posts] == [
        ("17901", "sigue aquí", None)
    ]
    assert [one for page in pages for one in page.gone] == ["17902"]


def test_a_key_that_may_no_longer_read_the_account_declares_nothing_gone(local: Egress) -> None:
    with serving(lambda asked: failing(100, 33)) as web, pytest.raises(NotAllowed):
        list(source(local, web).recheck(["17901"]))


def test_it_offers_what_calls_and_sweeps_need_and_its_manual_names_every_key(local: Egress) -> None:
    assert isinstance(source(local), Pushed)
    assert isinstance(source(local), Rechecks)
    manual = (Path(__file__).parents[3] / "docs/sources/instagram.md").read_text("utf-8")
    assert [key for key in instagram.Settings.model_fields if f"\n{key} = " not in manual] == []
