from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from listener.errors import NotAllowed, RateLimited, SourceError
from listener.fetch import Egress
from listener.mention import Post, Pushed, Rechecks
from listener.platforms.calls import Call
from listener.sources import facebook
from tests.listener.sources.conftest import NOW
from tests.servers.graph import PAGE, TOKEN, Edges, comment, failing, good_facebook, keys, sign, stamp
from tests.servers.web import Answer, Web, serving

HOUR = timedelta(hours=1)


def source(egress: Egress, web: Web | None = None, now: Any = lambda: NOW, **more: Any) -> facebook.Source:
    base = {"base_url": web.url} if web else {}
    return facebook.Source("page", facebook.Settings(page_id=PAGE, **keys(**base, **more)), egress, now=now)


def call(*changes: Any, account: str = PAGE) -> bytes:
    told = [{"field": "feed", "value": value} if "field" not in value else value for value in changes]
    entry = {"id": account, "time": int(NOW.timestamp()), "changes": told}
    return json.dumps({"object": "page", "entry": [entry]}).encode()


SAID = {
    "item": "comment",
    "verb": "add",
    "from": {"id": "77", "name": "Ana Ruiz"},
    "post_id": f"{PAGE}_900",
    "parent_id": f"{PAGE}_900",
    "comment_id": "900_5",
    "created_time": int(NOW.timestamp()) - 60,
    "message": "otra vez sin señal",
    "post": {"id": f"{PAGE}_900", "permalink_url": "https://www.facebook.com/nitido/posts/900"},
}


def heard(egress: Egress, *changes: Any, **more: Any) -> Call:
    page = source(egress, **more).receive(call(*changes))
    assert isinstance(page, Call)
    return page


# ---- real input


def recorded(folder: Path) -> Iterator[dict[str, Any]]:
    """Give every post and comment of the recorded answers: what has a time and words, or hangs on a post."""
    for name in ("comments/*.json", "posts/*.json", "groups/feed_*.json"):
        for path in sorted(folder.glob(name)):
            told = json.loads(path.read_text("utf-8"))
            items = told["data"] if "data" in told else list(told.values()) if "id" not in told else [told]
            yield from (item for item in items if "created_time" in item)


def test_every_recorded_post_and_comment_is_read_and_stored_once(shared: Path, local: Egress, collect: Any) -> None:
    items = list(recorded(shared / "payloads" / "meta" / "facebook" / "apidata"))
    below = [one for item in items for one in item.get("comments", {}).get("data", ())]
    known = {item.get("id") or item["permalink_url"] for item in (*items, *below)}
    assert len(items) > 50
    assert len(below) > 10
    half = len(items) // 2
    world = Edges({f"{PAGE}/feed": [items[:half], items[half:]]})
    with serving(world) as web:
        # They are of 2021; the page was young then.
        reading = source(local, web, days=90, now=lambda: NOW.replace(year=2021, month=8, day=20))
        new = collect(reading)
        assert collect.error is None
        wordless = [item for item in (*items, *below) if not item.get("message") and "attachments" not in item]
        assert sum(len(page.rejected) for page in collect.pages) == len(wordless) == 2
        assert new == len(collect.ids()) == len(known) - len(wordless)
        assert collect(reading) == 0


def test_a_comment_without_an_id_is_named_by_its_address(shared: Path) -> None:
    told = json.loads((shared / "payloads/meta/facebook/apidata/comments/comments_p1.json").read_text("utf-8"))["data"]
    ids = [facebook.post_from(item, source="page").native_id for item in told]
    assert len(set(ids)) == len(ids) == len(told)
    assert ids[0] == "10158407654328553_10158407835073553"
    assert "10158407654328553_10158409983033553" in ids  # an answer to a comment


def test_the_recorded_comment_keeps_its_words_author_and_counts(shared: Path) -> None:
    told = json.loads((shared / "payloads/meta/facebook/models/comment.json").read_text("utf-8"))
    post = facebook.post_from(told, source="page", about="nitido", thread="1_2")
    assert (post.text, post.author.name, post.author.native_id) == ("My Nice Car ", "Kun Liu", "2711636948859886")
    assert (post.metrics.likes, post.metrics.replies, post.metrics.shares) == (0, 0, None)
    assert (post.thread, post.in_reply_to, post.about) == ("1_2", "1_2", "nitido")
    assert "attachment" not in post.raw


# ---- catching up


def test_every_page_is_stored_and_a_second_poll_adds_nothing(local: Egress, collect: Any) -> None:
    world = good_facebook(NOW)
    with serving(world) as web:
        reading = source(local, web)
        assert collect(reading) == len(world.ids) == 18
        assert set(collect.ids()) == world.ids
        assert [page.cursor is not None for page in collect.pages] == [True, True]
        assert collect(reading) == 0
        assert {asked.path for asked in web.asked} == {f"/{PAGE}/feed"}
        assert all(TOKEN not in json.dumps(asked.query) for asked in web.asked)
    posts = {post.native_id: post for page in collect.pages for post in page.posts}
    assert {post.about for post in posts.values()} == {"nitido"}
    assert posts["900_001"].thread == f"{PAGE}_00"
    assert TOKEN not in json.dumps([dict(post.raw) for post in posts.values()])
    assert TOKEN not in (collect.cursor("page") or "")


def test_a_post_with_many_comments_is_read_back_to_what_is_known(local: Egress, collect: Any) -> None:
    many = [comment(n, NOW - n * HOUR) for n in range(60)]
    post = {"id": f"{PAGE}_900", "message": "¿Qué plan quieres?", "created_time": stamp(NOW - 70 * HOUR)}
    world = Edges({f"{PAGE}/feed": [[]], f"{PAGE}_900/comments": [many[n : n + 10] for n in range(0, 60, 10)]})
    world.edges[f"{PAGE}/feed"] = [[{**post, "comments": world.page(f"{PAGE}_900/comments")}]]
    with serving(world) as web:
        assert collect(source(local, web, days=30)) == 61
        assert len(web.asked) == 6
        assert collect(source(local, web, days=30)) == 0
        assert len(web.asked) == 7  # the newest ten were known already, so nobody asked for the older ones


def test_a_poll_stops_at_its_ceiling_and_the_next_goes_on(local: Egress, collect: Any) -> None:
    world = good_facebook(NOW)
    with serving(world) as web:
        assert collect(source(local, web, max_pages=1)) == 9
        assert collect(source(local, web, max_pages=1)) == 9
        assert [asked.query.get("after") for asked in web.asked] == [None, "page1"]
    assert set(collect.ids()) == world.ids


def test_one_strange_item_is_kept_aside_and_its_page_goes_on(local: Egress, collect: Any) -> None:
    odd: list[Any] = [None, 5, {"id": "1_1"}, {"id": "1_2", "message": "sin hora"}, {"message": {"a": 1}}, []]
    good = {"id": "1_3", "message": "bien", "created_time": stamp(NOW)}
    with serving(Edges({f"{PAGE}/feed": [[*odd, good]]})) as web:
        assert collect(source(local, web)) == 1
    assert len(collect.rejected()) == len(odd)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(failing(4, None, 403), RateLimited), (failing(190, 463), NotAllowed), (failing(10, None, 403), NotAllowed)],
)
def test_a_refusal_stores_nothing_and_keeps_the_place(
    local: Egress, collect: Any, answer: Answer, kind: type[SourceError]
) -> None:
    with serving(lambda asked: answer) as web:
        assert collect(source(local, web)) == 0
    assert type(collect.error) is kind
    assert collect.cursor("page") is None


def test_what_the_page_itself_writes_is_left_out_unless_wanted(local: Egress, collect: Any) -> None:
    own = comment(1, NOW, **{"from": {"id": PAGE, "name": "Nítido"}})
    post = {
        "id": f"{PAGE}_900",
        "message": "Oferta",
        "created_time": stamp(NOW),
        "from": {"id": PAGE, "name": "Nítido"},
    }
    world = Edges({f"{PAGE}/feed": [[{**post, "comments": {"data": [own, comment(2, NOW)]}}]]})
    with serving(world) as web:
        assert collect(source(local, web)) == 1
        assert collect(source(local, web, own_posts=True)) == 2


# ---- calls


def test_a_comment_that_is_called_in_is_the_same_post_as_the_one_caught_up(local: Egress, collect: Any) -> None:
    (post,) = heard(local, SAID).posts
    assert (post.native_id, post.text, post.thread) == ("900_5", "otra vez sin señal", f"{PAGE}_900")
    assert (post.author.name, post.author.native_id, post.author.handle) == ("Ana Ruiz", "77", None)
    assert post.published_at == NOW - timedelta(minutes=1)
    assert (post.about, post.in_reply_to) == ("nitido", f"{PAGE}_900")
    same = {"id": "900_5", "message": "otra vez sin señal", "created_time": stamp(NOW)}
    feed = {"id": f"{PAGE}_900", "message": "x", "created_time": stamp(NOW), "comments": {"data": [same]}}
    with serving(Edges({f"{PAGE}/feed": [[feed]]})) as web:
        collect(source(local, web))
    caught = {one.native_id: one for page in collect.pages for one in page.posts}
    assert caught["900_5"].thread == post.thread


def test_an_edit_a_removal_and_a_new_comment_are_told_apart(local: Egress) -> None:
    new = heard(local, SAID)
    assert (new.first, new.gone) == (frozenset({"900_5"}), ())
    edit = heard(local, {**SAID, "verb": "edited", "message": "ya volvió"})
    assert ([post.text for post in edit.posts], edit.first) == (["ya volvió"], frozenset())
    removal = heard(local, {"item": "comment", "verb": "remove", "comment_id": "900_5", "post_id": f"{PAGE}_900"})
    assert (removal.posts, removal.gone) == ((), ("900_5",))
    post = heard(local, {"item": "status", "verb": "remove", "post_id": f"{PAGE}_901"})
    assert post.gone == (f"{PAGE}_901",)


def test_likes_drafts_hidden_posts_and_the_pages_own_words_are_no_posts(local: Egress) -> None:
    own = {**SAID, "from": {"id": PAGE, "name": "Nítido"}}
    draft = {**SAID, "item": "status", "published": 0}
    quiet = [{**SAID, "item": "reaction", "reaction_type": "angry"}, {**SAID, "verb": "hide"}, own, draft]
    page = heard(local, *quiet, {"field": "ratings", "value": {"rating": 1}})
    assert (page.posts, page.rejected, page.gone) == ((), (), ())
    assert len(heard(local, own, own_posts=True).posts) == 1


def test_what_came_without_words_or_author_is_kept_so(local: Egress) -> None:
    photo = {**SAID, "message": "", "photo": "https://scontent.example/1.jpg"}
    unknown = {**SAID, "from": None, "comment_id": "900_6"}
    one, two = heard(local, photo, unknown).posts
    assert one.text == "[photo]"
    assert two.author.name is two.author.native_id is two.author.handle is None


def test_a_mention_on_another_page_is_named_apart_since_nobody_can_tell_when_it_goes(local: Egress) -> None:
    told = {
        "item": "post",
        "verb": "add",
        "post_id": "555_1",
        "sender_id": "9",
        "sender_name": "Eva",
        "message": "@Nítido",
    }
    (post,) = heard(local, {"field": "mention", "value": told}).posts
    assert (post.native_id, post.author.name, post.thread) == ("mention:555_1", "Eva", "555_1")
    (ours,) = heard(local, {"field": "mention", "value": {**told, "post_id": f"{PAGE}_1"}}).posts
    assert ours.native_id == f"{PAGE}_1"


def test_a_call_about_another_page_is_kept_aside_without_its_words(local: Egress) -> None:
    page = source(local).receive(call(SAID, account="999"))
    assert page.posts == ()
    (aside,) = page.rejected
    assert (aside.position, "señal" in aside.body) == ("account 999", False)


def test_a_strange_change_is_kept_aside_and_the_rest_of_its_call_goes_on(local: Egress) -> None:
    odd = [{**SAID, "comment_id": None, "post_id": None}, {**SAID, "verb": ["add"]}, {**SAID, "message": {"a": "b"}}]
    page = heard(local, *odd, SAID)
    assert [post.native_id for post in page.posts] == ["900_5"]
    assert len(page.rejected) == len(odd)


def test_it_offers_what_calls_and_sweeps_need(local: Egress) -> None:
    one = source(local)
    assert isinstance(one, Pushed)
    assert isinstance(one, Rechecks)
    assert one.signed(call(SAID), sign(call(SAID)))
    assert not one.signed(call(SAID), {})
    assert one.hosts() == {"graph.facebook.com"}


# ---- still there?


def test_what_is_gone_is_told_and_what_changed_is_read(local: Egress) -> None:
    objects = {
        "900_1": comment(1, NOW, "editado"),
        f"{PAGE}_5": {"id": f"{PAGE}_5", "message": "sigue", "created_time": stamp(NOW)},
    }
    with serving(Edges({f"{PAGE}/feed": [[]]}, objects)) as web:
        pages = list(source(local, web).recheck(["900_1", "900_2", f"{PAGE}_5", f"{PAGE}_6", "mention:5_1"]))
    posts: list[Post] = [post for page in pages for post in page.posts]
    assert {post.native_id: post.text for post in posts} == {"900_1": "editado", f"{PAGE}_5": "sigue"}
    assert {post.thread for post in posts} == {None}
    assert sorted(one for page in pages for one in page.gone) == [f"{PAGE}_6", "900_2"]


def test_a_key_that_may_no_longer_read_the_page_declares_nothing_gone(local: Egress) -> None:
    with serving(lambda asked: failing(100, 33)) as web, pytest.raises(NotAllowed):
        list(source(local, web).recheck(["900_1"]))


# ---- settings


def test_probing_asks_for_the_page_and_says_when_the_key_is_bad(local: Egress) -> None:
    with serving(good_facebook(NOW)) as web:
        source(local, web).probe()
        with pytest.raises(NotAllowed):
            source(local, web, access_token="another").probe()


@pytest.mark.parametrize(
    "bad", [{"page_id": "nitido"}, {"app_secret": ""}, {"verify_token": ""}, {"base_url": "x"}, {"a": 1}]
)
def test_settings_that_would_open_the_door_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        facebook.Settings(**{"page_id": PAGE, **keys(), **bad})


def test_every_key_stands_on_its_page_of_the_manual() -> None:
    manual = (Path(__file__).parents[3] / "docs/sources/facebook.md").read_text("utf-8")
    assert [key for key in facebook.Settings.model_fields if f"\n{key} = " not in manual] == []
