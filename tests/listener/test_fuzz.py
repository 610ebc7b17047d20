"""Ten thousand spoiled items for each source's parser: stored or kept aside, none uncaught, none over a second.

Each spoiled item stands between two good ones, which must come through. In CI every parser gets all ten thousand; on a
desk a tenth of them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from listener.database import Store
from listener.egress import Egress
from listener.intake import save_page
from listener.mention import Author, Page, Post, Rejected
from listener.raw import scrub
from listener.sources import kinds
from listener.store import posts as post_table
from listener.store import quarantine
from tests.conftest import IN_CI
from tests.mutations import mutate, mutate_bytes

pytestmark = pytest.mark.slow
# Of each parser. Ten thousand were met when the parsers were made: ESCUCHA_MUTATIONS=10000 asks for as many again.
MUTATIONS = int(os.environ.get("ESCUCHA_MUTATIONS", 4_000 if IN_CI else 1_000))
A_TIME = 10  # mutations in one example of Hypothesis
NOWHERE = Egress(frozenset())
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
AT = "2026-05-04T09:12:00Z"


def now() -> datetime:
    return NOW


Read = Callable[[Sequence[Any]], Page]


@dataclass(frozen=True)
class Parser:
    """`item(number)` makes a good item, `read` reads a page of items, `quiet`: an item may say nothing at all."""

    item: Callable[[int], Any]
    read: Read
    spoil: Callable[[Any, Random], Any] = mutate
    quiet: bool = False
    good: int = 2  # posts that two good items make
    share: float = 1.0  # of the mutations


def _x() -> Parser:
    from listener.platforms.tweet import read_tweets

    def item(number: int) -> Any:
        return {
            "id": str(1790000000000000000 + number),
            "text": f"otra vez sin señal {number}",
            "created_at": AT,
            "author_id": "7",
            "lang": "es",
            "conversation_id": "1",
            "geo": {"place_id": "p"},
            "note_tweet": {"text": f"otra vez sin señal {number} y más"},
            "referenced_tweets": [{"type": "replied_to", "id": "5"}],
            "public_metrics": {"like_count": 1, "retweet_count": 2, "quote_count": 3, "impression_count": 4},
        }

    user = {
        "id": "7",
        "username": "ana",
        "name": "Ana",
        "description": "de Lima",
        "verified": True,
        "entities": {"url": {"urls": [{"expanded_url": "https://ana.example"}]}},
        "public_metrics": {"followers_count": 9},
    }

    def read(items: Sequence[Any]) -> Page:
        answer = {"data": list(items), "includes": {"users": [user], "places": [{"id": "p", "country_code": "PE"}]}}
        told = read_tweets(answer, "x")
        return Page(told.posts, None, told.rejected)

    return Parser(item, read)


def _x_users() -> Parser:
    """Spoil what comes beside the posts: authors and places."""
    from listener.platforms.tweet import read_tweets

    def read(items: Sequence[Any]) -> Page:
        tweet = {"id": "1790000000000000001", "text": "hola", "author_id": "7", "geo": {"place_id": "7"}}
        answer = {"data": [tweet, {**tweet, "id": "1790000000000000002"}], "includes": {"users": list(items)}}
        answer["includes"]["places"] = list(items)
        told = read_tweets(answer, "x")
        return Page(told.posts, None, told.rejected)

    user = {
        "id": "7",
        "username": "ana",
        "name": "Ana",
        "description": "bio",
        "country_code": "PE",
        "url": "https://a.b",
    }
    return Parser(lambda number: {**user, "public_metrics": {"followers_count": number}}, read, quiet=True)


def _x_stream() -> Parser:
    from listener.platforms.xstream import Line, listen

    def item(number: int) -> Any:
        return {
            "data": {"id": str(1790000000000000000 + number), "text": f"hola {number}", "author_id": "7"},
            "includes": {"users": [{"id": "7", "username": "ana"}]},
            "matching_rules": [{"id": "1", "tag": "escucha x 1"}],
        }

    def read(items: Sequence[Any]) -> Page:
        lines = SimpleNamespace(ended=True, take=lambda seconds, most: [Line(one) for one in items])
        return next(iter(listen(lines, "x", {"1": "key"}, {}, 60.0, now)))  # type: ignore[arg-type]

    return Parser(item, read, quiet=True)


def _reddit() -> Parser:
    from listener.platforms.redditpost import is_gone
    from listener.sources import reddit

    keys = {"client_id": "a", "client_secret": "b", "user_agent": "test:escucha:1.0"}
    source = reddit.Source("reddit", reddit.Settings.model_validate(keys), NOWHERE)

    def item(number: int) -> Any:
        data = {"created_utc": 1_700_000_000.0 + number, "author": "ana", "author_fullname": "t2_a", "score": 3}
        if number % 2:
            more = {
                "id": f"c{number}",
                "name": f"t1_c{number}",
                "body": "pésimo",
                "parent_id": "t3_a",
                "link_id": "t3_a",
            }
            return {"kind": "t1", "data": {**data, **more}}
        more = {"id": f"s{number}", "name": f"t3_s{number}", "title": "título", "selftext": "cuerpo", "num_comments": 2}
        return {"kind": "t3", "data": {**data, **more, "permalink": "/r/PERU/1", "removed_by_category": None}}

    def read(items: Sequence[Any]) -> Page:
        for one in items:
            if isinstance(one, dict):
                is_gone(one)
        posts, rejected = source._read({"data": {"children": list(items)}})
        return Page(posts, None, rejected)

    return Parser(item, read, quiet=True)  # other kinds of things are passed over


def _rss() -> Parser:
    from listener.feed import Feed
    from listener.sources import rss

    source = rss.Source("rss", rss.Settings(feeds=("https://a.example/f",)), NOWHERE)

    def item(number: int) -> Any:
        return {
            "id": f"https://a.example/{number}",
            "title": f"Noticia {number} - El Mundo",
            "title_detail": {"language": "es", "value": "x"},
            "summary": "<p>Primeras &amp; líneas</p>",
            "link": f"https://a.example/{number}",
            "links": [{"href": "https://a.example"}],
            "source": {"title": "El Mundo", "href": "https://elmundo.example"},
            "content": [{"value": "texto"}],
            "published": AT,
            "published_parsed": [2026, 5, 4, 9, 12, 0, 0, 124, 0],
            "tags": [{"term": "x"}],
        }

    def read(items: Sequence[Any]) -> Page:
        feed = Feed({"title": "Diario", "language": "es-PE", "link": "https://a.example"}, tuple(items), False)
        posts, rejected = source._read(feed, items, 0, "https://a.example/f", NOW)
        return Page(posts, None, rejected)

    return Parser(item, read)


def _rss_bytes() -> Parser:
    """Spoil the bytes of a feed, with feedparser in between."""
    from listener.errors import Unreadable
    from listener.feed import parse_feed
    from listener.sources import rss

    source = rss.Source("rss", rss.Settings(feeds=("https://a.example/f",)), NOWHERE)

    def item(number: int) -> bytes:
        return (
            f"<item><title>Noticia {number}</title><link>https://a.example/{number}</link><guid>{number}</guid>"
            "<description><![CDATA[<p>Primeras &amp; líneas</p>]]></description><dc:creator>Ana</dc:creator>"
            "<pubDate>Mon, 04 May 2026 09:00:00 GMT</pubDate></item>"
        ).encode()

    def read(items: Sequence[bytes]) -> Page:
        body = (
            b"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>Diario</title>%s</channel></rss>"
        )
        try:
            feed = parse_feed(body % b"".join(items), "rss")
        except Unreadable:
            return Page(())
        posts, rejected = source._read(feed, feed.entries, 0, "https://a.example/f", NOW)
        return Page(posts, None, rejected)

    return Parser(item, read, mutate_bytes, quiet=True, good=0, share=0.3)  # one broken tag may swallow its neighbours


def _youtube() -> Parser:
    from listener.platforms.youtubecomment import Reading, read_threads
    from tests.servers.youtube import comment, thread

    def item(number: int) -> Any:
        return thread(f"t{number}", comment(f"t{number}.r", parentId=f"t{number}"), total=3)

    def read(items: Sequence[Any]) -> Page:
        return read_threads(
            {"kind": "youtube#commentThreadListResponse", "items": list(items)},
            "youtube",
            Reading({}, None),
            replies=True,
        )[0]

    return Parser(item, read, good=4)


def _app_store() -> Parser:
    from listener.sources import app_store

    source = app_store.Source("apps", app_store.Settings(apps={"a": "1"}), NOWHERE)

    def item(number: int) -> Any:
        return {
            "id": {"label": str(number)},
            "title": {"label": "Nítido"},
            "content": {"label": "falla"},
            "updated": {"label": AT},
            "im:rating": {"label": "1"},
            "im:voteSum": {"label": "3"},
            "author": {"name": {"label": "ana"}, "uri": {"label": "https://a.example"}},
            "link": {"attributes": {"href": "https://a.example"}},
        }

    def read(items: Sequence[Any]) -> Page:
        for one in items:
            app_store._mark(one)
        posts, rejected = source._read(items, "pe", "a")
        return Page(posts, None, rejected)

    return Parser(item, read)


def _google_play() -> Parser:
    from listener.sources import google_play
    from tests.servers.play import review

    source = google_play.Source("play", google_play.Settings(apps={"a": "pe.a"}), NOWHERE)
    library = google_play._Library("play")

    def read(items: Sequence[Any]) -> Page:
        posts, rejected, _ = source._read(library, items, "pe.a", "a")
        return Page(posts, None, rejected)

    return Parser(lambda number: review(f"gp-{number}"), read)


META = {"app_secret": "s", "verify_token": "v", "access_token": "t", "brand": "a"}


def _facebook() -> Parser:
    from listener.platforms.catchup import Ask
    from listener.sources import facebook

    source = facebook.Source("fb", facebook.Settings(**META, page_id="1"), NOWHERE, now=now)

    def item(number: int) -> Any:
        comment = {"id": f"2_{number}", "message": "pésimo", "created_time": AT, "from": {"id": "7", "name": "Ana"}}
        comments = {
            "data": [{**comment, "parent": {"id": "2_0"}, "like_count": 1}],
            "paging": {"cursors": {"after": "x"}},
        }
        return {
            "id": f"1_{number}",
            "message": "hola",
            "created_time": AT,
            "from": {"id": "9", "name": "Eva"},
            "permalink_url": "https://facebook.com/1",
            "shares": {"count": 2},
            "attachments": {"data": [{"type": "photo"}]},
            "comments": comments,
        }

    def read(items: Sequence[Any]) -> Page:
        found = source._read(Ask("1/feed"), {"data": list(items)}, NOW - timedelta(days=7))
        return Page(tuple(found.posts), None, tuple(found.rejected))

    return Parser(item, read, good=4, quiet=True)


def _facebook_calls() -> Parser:
    from listener.sources import facebook

    source = facebook.Source("fb", facebook.Settings(**META, page_id="1"), NOWHERE, now=now)

    def item(number: int) -> Any:
        value = {"item": "comment", "verb": "add", "comment_id": f"2_{number}", "post_id": "1_2", "parent_id": "1_2"}
        value |= {"message": "pésimo", "created_time": 1777896000, "from": {"id": "7", "name": "Ana"}}
        value["post"] = {"permalink_url": "https://facebook.com/1"}
        return {"id": "1", "time": 1777896000, "changes": [{"field": "feed", "value": value}]}

    return Parser(item, _calls("page", source.receive), quiet=True)


def _instagram() -> Parser:
    from listener.platforms.catchup import Ask
    from listener.sources import instagram

    source = instagram.Source("ig", instagram.Settings(**META, account_id="1"), NOWHERE, now=now)

    def item(number: int) -> Any:
        reply = {"id": f"8{number}", "text": "sí", "timestamp": AT, "username": "eva"}
        comment = {"id": f"9{number}", "text": "pésimo", "timestamp": AT, "username": "ana", "like_count": 1}
        comments = {"data": [{**comment, "replies": {"data": [reply]}}]}
        return {
            "id": f"7{number}",
            "caption": "x",
            "timestamp": AT,
            "permalink": "https://i.example",
            "comments": comments,
        }

    def read(items: Sequence[Any]) -> Page:
        found = source._read(Ask("1/media"), {"data": list(items)}, NOW - timedelta(days=7))
        return Page(tuple(found.posts), None, tuple(found.rejected))

    return Parser(item, read, good=4, quiet=True)


def _instagram_calls() -> Parser:
    from listener.sources import instagram

    source = instagram.Source("ig", instagram.Settings(**META, account_id="1"), NOWHERE, now=now)

    def item(number: int) -> Any:
        value = {"id": f"9{number}", "text": "pésimo", "from": {"id": "7", "username": "ana"}, "media": {"id": "5"}}
        return {"id": "1", "time": 1777896000, "changes": [{"field": "comments", "value": value}]}

    return Parser(item, _calls("instagram", source.receive), quiet=True)


def _whatsapp() -> Parser:
    from listener.sources import whatsapp

    table = {"app_secret": "s", "verify_token": "v", "brand": "a"}
    source = whatsapp.Source("wa", whatsapp.Settings(**table), NOWHERE, now=now)

    def item(number: int) -> Any:
        message = {"from": "51999", "id": f"wamid.{number}", "timestamp": "1777896000", "type": "text"}
        message |= {"text": {"body": "sin señal"}, "context": {"id": "wamid.0"}}
        value = {"metadata": {"phone_number_id": "1"}, "messages": [message]}
        value["contacts"] = [{"profile": {"name": "Ana"}, "wa_id": "51999"}]
        value["user_preferences"] = [{"wa_id": "51999", "value": "stop", "timestamp": 1777896000}]
        return {"id": "1", "changes": [{"field": "messages", "value": value}]}

    return Parser(item, _calls("whatsapp_business_account", source.receive), quiet=True)


def _calls(kind: str, receive: Callable[[bytes], Page]) -> Read:
    def read(items: Sequence[Any]) -> Page:
        return receive(json.dumps({"object": kind, "entry": list(items)}).encode())

    return read


def _telegram() -> Parser:
    from listener.sources import telegram

    source = telegram.Source("tg", telegram.Settings.model_validate({"token": "1:a"}), NOWHERE, now=now)

    def item(number: int) -> Any:
        chat = {"id": -1001, "type": "channel", "title": "Canal", "username": "canal"}
        who = {"id": 7, "first_name": "Ana", "username": "ana"}
        post = {
            "message_id": number,
            "date": 1777896000,
            "text": "hola",
            "chat": chat,
            "from": who,
            "sender_chat": chat,
        }
        post["reply_to_message"] = {"message_id": 1}
        return {"update_id": 500 + number, "channel_post": post}

    def read(items: Sequence[Any]) -> Page:
        return source._read(items, 0, {})

    return Parser(item, read, quiet=True)


def _mastodon() -> Parser:
    from listener.platforms.toot import read_toots
    from tests.servers.mastodon import status

    def read(items: Sequence[Any]) -> Page:
        told = read_toots(items, source="mastodon", host="server.example", reposts=False)
        return Page(told.posts, None, told.rejected)

    return Parser(status, read, quiet=True)  # boosts and private posts are passed over


def _bluesky() -> Parser:
    from listener.sources import bluesky
    from tests.servers.bluesky import view

    keys = {"mode": "search", "handle": "a.b", "app_password": "x"}
    source = bluesky.Source("bluesky", bluesky.Settings.model_validate(keys), NOWHERE)
    client: Any = SimpleNamespace(quota=lambda now: None)
    return Parser(view, lambda items: source._page({"posts": list(items)}, client))


def _bluesky_stream() -> Parser:
    from listener.sources import bluesky
    from tests.servers.bluesky import event

    source = bluesky.Source("bluesky", bluesky.Settings(), NOWHERE)

    def read(items: Sequence[Any]) -> Page:
        commits, rejected = source._commits([json.dumps(one) for one in items])
        return Page(tuple(commit.post for commit in commits if commit.post is not None), None, rejected)

    return Parser(lambda number: event(number, "hola"), read, quiet=True)


def _hackernews() -> Parser:
    from listener.sources import hackernews
    from tests.servers.hackernews import hit

    source = hackernews.Source("hn", hackernews.Settings(), NOWHERE)
    return Parser(hit, lambda items: source._page(items))


def _gdelt() -> Parser:
    from listener.sources import gdelt
    from tests.servers.gdelt import article

    source = gdelt.Source("gdelt", gdelt.Settings(), NOWHERE)
    return Parser(article, lambda items: source._page(items))


def _file() -> Parser:
    from listener.postfile import Row
    from listener.sources import file

    def item(number: int) -> Any:
        return {
            "id": f"r{number}",
            "native_id": str(number),
            "url": "https://x.com/a",
            "lang": "es",
            "country": "PE",
            "published_at": "2026-05-04T09:12:00-05:00",
            "text": "otra vez sin señal",
            "author": {"handle": "@ana", "name": "Ana", "verified": False, "followers": 83},
            "metrics": {"likes": 0, "replies": 2},
        }

    def read(items: Sequence[Any]) -> Page:
        rows = [Row(f"line {place}", one) for place, one in enumerate(items, 1) if isinstance(one, dict)]
        told = [file._read(row, "file", NOW, UTC) for row in rows]
        posts = tuple(one for one in told if isinstance(one, Post))
        return Page(posts, None, tuple(one for one in told if isinstance(one, Rejected)))

    return Parser(item, read, quiet=True)


def _imap() -> Parser:
    from listener.sources import imap

    def item(number: int) -> bytes:
        return (
            f"Message-ID: <{number}@a.example>\r\nFrom: Ana <ana@a.example>\r\n"
            f"Subject: =?utf-8?q?reclamo_{number}?=\r\n"
            "Date: Mon, 04 May 2026 09:12:00 -0500\r\nReferences: <0@a.example>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\n"
            "otra vez sin señal\r\n\r\n> antes\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>otra vez sin se=C3=B1al</p>\r\n--b--\r\n"
        ).encode()

    def read(items: Sequence[bytes]) -> Page:
        posts, rejected = [], []
        for body in items:
            try:
                post = imap.post_from(body, source="imap", now=NOW)
            except Exception:  # noqa: BLE001 - as the source does
                rejected.append(Rejected("letter", "", ""))
            else:
                posts += [post] if post is not None else []
        return Page(tuple(posts), None, tuple(rejected))

    return Parser(item, read, mutate_bytes, quiet=True)


PARSERS: dict[str, Parser] = {
    "x": _x(),
    "x, authors": _x_users(),
    "x, stream": _x_stream(),
    "reddit": _reddit(),
    "rss": _rss(),
    "rss, bytes": _rss_bytes(),
    "youtube": _youtube(),
    "app_store": _app_store(),
    "google_play": _google_play(),
    "facebook": _facebook(),
    "facebook, calls": _facebook_calls(),
    "instagram": _instagram(),
    "instagram, calls": _instagram_calls(),
    "whatsapp": _whatsapp(),
    "telegram": _telegram(),
    "mastodon": _mastodon(),
    "bluesky": _bluesky(),
    "bluesky, stream": _bluesky_stream(),
    "hackernews": _hackernews(),
    "gdelt": _gdelt(),
    "file": _file(),
    "imap": _imap(),
}


def check(parser: Parser, seed: int, number: int = 2) -> Page:
    """Read a spoiled item between two good ones; give what came of all three."""
    chance = Random(seed)
    first, last = parser.item(1), parser.item(number + 1)
    spoiled = parser.spoil(parser.item(number), chance)
    began = time.process_time()
    page = parser.read([first, spoiled, last])
    assert time.process_time() - began < 1
    whole = parser.read([first, last])
    texts = {post.native_id for post in page.posts}
    assert len(whole.posts) == parser.good or not parser.good
    if parser.good:
        assert {post.native_id for post in whole.posts} <= texts
    if not parser.quiet:
        assert len(page.posts) + len(page.rejected) > parser.good
    for post in page.posts:
        _check_post(post)
    for item in page.rejected:
        assert isinstance(item.position + item.reason + item.body, str)
    return page


def _check_post(post: Post) -> None:
    """See that any database can hold a post."""
    assert post.native_id
    assert post.published_at.utcoffset() == timedelta(0)
    author = post.author
    assert "\x00" not in post.native_id + post.text  # from the rest the intake takes it out
    for text in (post.native_id, post.text, post.url, post.lang, author.handle, author.name, author.bio, author.url):
        assert text is None or isinstance(text, str)
        (text or "").encode("utf-8")
    counts = (post.metrics.likes, post.metrics.replies, post.metrics.shares, post.metrics.views, author.followers)
    assert all(count is None or 0 <= count < 2**63 for count in counts)
    json.dumps(scrub(post.raw), allow_nan=False).encode()


@pytest.mark.parametrize("name", PARSERS)
def test_a_spoiled_item_is_stored_or_kept_aside_and_its_neighbours_come_through(name: str) -> None:
    parser = PARSERS[name]
    met = 0

    @settings(
        max_examples=int(MUTATIONS * parser.share) // A_TIME,
        derandomize=IN_CI,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.integers(0, 2**64 - 1), min_size=A_TIME, max_size=A_TIME))
    def spoil(seeds: list[int]) -> None:
        nonlocal met
        for seed in seeds:
            check(parser, seed)
            met += 1

    spoil()
    assert met >= MUTATIONS * parser.share * 0.9


def test_what_came_of_spoiled_items_can_be_stored(store: Store) -> None:
    stored = kept = 0
    for name, parser in PARSERS.items():
        pages = [check(parser, seed, 2 * seed + 2) for seed in range(150)]
        found = [post for page in pages for post in page.posts]
        with store.write() as connection:
            saved = save_page(connection, name, found, [], [one for page in pages for one in page.rejected], None, NOW)
        stored, kept = stored + saved.new, kept + len({post.native_id for post in found if len(post.native_id) <= 500})
    assert stored == kept > 1_000
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(post_table)) == stored


def test_an_id_that_no_index_holds_is_kept_aside_and_loses_no_other_post(store: Store) -> None:
    chance = Random(1)
    too_long = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(20_000))
    found = [
        Post("x", too_long, "uno", NOW, raw={"id": "too long"}),
        Post("x", "2", "dos", NOW, Author(native_id=too_long)),
        Post("x", "3", "tres", NOW, Author(handle=too_long)),
        Post("x", "4", too_long, NOW),
    ]
    for new in (3, 0):
        with store.write() as connection:
            assert save_page(connection, "x", found, [], [], None, NOW).new == new
    with store.read() as connection:
        assert set(connection.scalars(sa.select(post_table.c.native_id))) == {"2", "3", "4"}
        assert len(list(connection.scalars(sa.select(quarantine.c.position)))) == 1


def test_every_source_that_parses_is_spoiled() -> None:
    assert {name.partition(",")[0] for name in PARSERS} == set(kinds())
