"""Hold a small world of each platform that is asked over HTTP: five posts in two pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.servers import reddit as reddit_server
from tests.servers.faults import Platform, x_waits
from tests.servers.web import Answer, Asked

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
CANARY = "canary-secret-0123456789"


def when(number: int) -> datetime:
    return BEGAN - timedelta(minutes=number)


def iso(number: int) -> str:
    return when(number).strftime("%Y-%m-%dT%H:%M:%SZ")


def halves(items: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any]]:
    return items[:3], items[3:]


def named(*names: str) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(names[:3]), frozenset(names[3:])


def told(value: Any, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), headers={"Content-Type": "application/json", **headers})


def number_in(token: str | None) -> int:
    return int(token.removeprefix("page")) if token else 0


# ---- X


def _x() -> Platform:
    ids = [str(((int(when(n).timestamp() * 1000) - 1288834974657) << 22) + n) for n in range(5)]
    items = [{"id": one, "text": f"Nítido {one}", "author_id": "7", "created_at": iso(n)} for n, one in enumerate(ids)]

    def body(items: Sequence[Any], place: int, after: int | None) -> Answer:
        more = {"next_token": f"page{after}"} if after is not None else {}
        return told({"data": list(items), "meta": {"result_count": len(items), **more}})

    return Platform(
        kind="x",
        settings=lambda url: {"bearer_token": CANARY, "base_url": url},
        items=halves(items),
        ids=named(*ids),
        page_of=lambda asked: number_in(asked.query.get("next_token")),
        body=body,
        bad={"id": "5", "text": None},
        errors_only=b'{"errors": [{"title": "Not Found Error", "type": "about:blank"}]}',
        secrets=(CANARY,),
        waits=x_waits,
    )


# ---- Reddit


def _reddit() -> Platform:
    names = [f"t3_s{n}" for n in range(5)]
    items = [
        {
            "kind": "t3",
            "data": {
                "id": name[3:],
                "name": name,
                "title": f"Nítido {name}",
                "selftext": "",
                "author": "ana",
                "created_utc": when(n).timestamp(),
            },
        }
        for n, name in enumerate(names)
    ]

    def page_of(asked: Asked) -> int | Answer:
        if asked.path == "/api/v1/access_token":
            return reddit_server.token()
        return number_in((asked.query.get("after") or "").removeprefix("t3_"))

    def body(items: Sequence[Any], place: int, after: int | None) -> Answer:
        token = f"t3_page{after}" if after is not None else None
        return told({"kind": "Listing", "data": {"children": list(items), "after": token}})

    return Platform(
        kind="reddit",
        settings=lambda url: {
            "client_id": "canary-client-id",
            "client_secret": CANARY,
            "user_agent": "test:escucha:1.0",
            "base_url": url,
        },
        items=halves(items),
        ids=named(*names),
        page_of=page_of,
        body=body,
        bad={"kind": "t3", "data": {"title": "Nítido"}},
        errors_only=b'{"error": 500, "message": "Internal Server Error"}',
        secrets=(CANARY, "canary-access-token"),
        unauthorized=Answer(b'{"message": "Unauthorized", "error": 401}', 401),
    )


# ---- feeds


def _rss() -> Platform:
    items = [
        f"<item><guid>urn:nitido:{n}</guid><title>Nítido {n}</title>"
        f"<pubDate>{when(n):%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for n in range(5)
    ]

    def body(items: Sequence[Any], place: int, after: int | None) -> Answer:
        text = f"<rss version='2.0'><channel><title>Prensa</title>{''.join(items)}</channel></rss>"
        return Answer(text.encode(), headers={"Content-Type": "application/rss+xml"})

    return Platform(
        kind="rss",
        settings=lambda url: {"feeds": [f"{url}/feed?key={CANARY}"]},
        items=halves(items),
        ids=named(*(hashlib.sha256(f"urn:nitido:{n}".encode()).hexdigest() for n in range(5))),
        page_of=lambda asked: 0,
        body=body,
        bad="<item><guid>urn:nitido:bad</guid></item>",
        errors_only=b'{"error": "the feed is not available"}',
        secrets=(CANARY,),
        paged=False,
    )


# ---- YouTube


def _youtube() -> Platform:
    from tests.servers.youtube import listed, thread

    names = [f"t{n}" for n in range(5)]

    def page_of(asked: Asked) -> int | Answer:
        query = asked.query | {key: values[-1] for key, values in parse_qs(asked.body.decode()).items()}
        return number_in(query.get("pageToken"))

    return Platform(
        kind="youtube",
        settings=lambda url: {"api_key": CANARY, "videos": ["video1-abcd"], "base_url": url},
        items=halves([thread(name, text="Nítido", at=iso(n)) for n, name in enumerate(names)]),
        ids=named(*names),
        page_of=page_of,
        body=lambda items, place, after: listed("commentThread", items, f"page{after}" if after is not None else None),
        bad={"kind": "youtube#commentThread", "id": "bad", "snippet": {"topLevelComment": {"snippet": {}}}},
        errors_only=b'{"error": {"code": 500, "message": "backend", "errors": [{"reason": "backendError"}]}}',
        secrets=(CANARY,),
    )


# ---- store reviews


def _app_store() -> Platform:
    names = [str(9000 + n) for n in range(5)]
    items = [
        {
            "id": {"label": name},
            "title": {"label": "Nítido"},
            "content": {"label": f"falla {name}"},
            "updated": {"label": iso(n)},
            "im:rating": {"label": "1"},
            "author": {"name": {"label": "ana"}},
        }
        for n, name in enumerate(names)
    ]

    def body(items: Sequence[Any], place: int, after: int | None) -> Answer:
        return told({"feed": {"author": {}, "id": {}, "link": [], "entry": list(items)}})

    return Platform(
        kind="app_store",
        settings=lambda url: {"apps": {"nitido": "123456789"}, "countries": ["pe"], "base_url": url},
        items=halves(items),
        ids=named(*names),
        page_of=lambda asked: int(asked.path.partition("/page=")[2].partition("/")[0]) - 1,
        body=body,
        bad={"id": {"label": "bad"}, "im:rating": {"label": "1"}},
        errors_only=b'{"errorMessage": "unavailable"}',
    )


def _google_play() -> Platform:
    names = [f"gp-{n}" for n in range(5)]

    def item(name: Any, text: Any, at: Any) -> list[Any]:
        return [name, ["ana", [None, None, None, [None, None, ""]]], 1, None, text, [at], 0, None, None, None, "1.0"]

    def page_of(asked: Asked) -> int | Answer:
        sent = unquote(asked.body.decode())
        return number_in("page" + sent.partition("page")[2][:1]) if "page" in sent else 0

    def body(items: Sequence[Any], place: int, after: int | None) -> Answer:
        inner = json.dumps([list(items), [None, f"page{after}"] if after is not None else [None, None], None])
        frame = json.dumps([["wrb.fr", "oCPfdb", inner, None]])
        return Answer(f")]}}'\n\n{frame}".encode())

    return Platform(
        kind="google_play",
        settings=lambda url: {"apps": {"nitido": "pe.nitido.mi"}, "base_url": url},
        items=halves([item(name, "Nítido falla", int(when(n).timestamp())) for n, name in enumerate(names)]),
        ids=named(*names),
        page_of=page_of,
        body=body,
        bad=item("bad", None, 1),
        errors_only=b')]}\'\n\n[["wrb.fr", "oCPfdb", null, null, null, [5]]]',
    )


# ---- Meta


def _graph(kind: str) -> Platform:
    own = "777"
    field, moment = ("message", "created_time") if kind == "facebook" else ("text", "timestamp")
    names = [f"{own}_{n}" if kind == "facebook" else f"9{n}" for n in range(5)]
    edge = f"{own}/feed" if kind == "facebook" else f"{own}/tags"
    items = [{"id": name, field: f"Nítido {name}", moment: iso(n)} for n, name in enumerate(names)]
    if kind == "instagram":
        items = [{**item, "caption": item["text"], "username": "ana"} for item in items]
    account = {"page_id": own} if kind == "facebook" else {"account_id": own}

    def page_of(asked: Asked) -> int | Answer:
        if not asked.path.endswith(edge):
            return told({"data": []})
        return number_in(asked.query.get("after"))

    def body(items: Sequence[Any], place: int, after: int | None) -> Answer:
        token = f"page{after}"
        paging = {"cursors": {"after": token}, "next": f"https://graph.example/x?after={token}&access_token={CANARY}"}
        return told({"data": list(items), **({"paging": paging} if after is not None else {})})

    return Platform(
        kind=kind,
        settings=lambda url: {
            "app_secret": CANARY + "-app",
            "verify_token": CANARY + "-verify",
            "access_token": CANARY,
            "brand": "nitido",
            "base_url": url,
            **account,
        },
        items=halves(items),
        ids=named(*(names if kind == "facebook" else [f"mention:{name}" for name in names])),
        page_of=page_of,
        body=body,
        bad={field: "Nítido sin id"},
        errors_only=b'{"error": {"message": "unknown", "type": "OAuthException", "code": 2}}',
        secrets=(CANARY, CANARY + "-app", CANARY + "-verify"),
        steps=True,
        unauthorized=Answer(b'{"error": {"message": "Session has expired", "code": 190, "error_subcode": 463}}', 400),
    )


# ---- Telegram


def _telegram() -> Platform:
    token = "123456:" + CANARY
    chat = {"id": -1001, "type": "channel", "title": "Canal"}
    said = [{"message_id": n, "date": int(when(n).timestamp()), "text": f"Nítido {n}", "chat": chat} for n in range(5)]
    items = [{"update_id": 500 + n, "channel_post": post} for n, post in enumerate(said)]

    def page_of(asked: Asked) -> int | Answer:
        offset = int(asked.query.get("offset", 0))
        return 0 if offset <= 500 else 1 if offset <= 503 else told({"ok": True, "result": []})

    return Platform(
        kind="telegram",
        settings=lambda url: {"token": token, "base_url": url, "listen": "1 second"},
        items=halves(items),
        ids=named(*(f"-1001/{n}" for n in range(5))),
        page_of=page_of,
        body=lambda items, place, after: told({"ok": True, "result": list(items)}),
        bad={"update_id": 503, "channel_post": {"text": "Nítido"}},
        errors_only=b'{"ok": false, "error_code": 500, "description": "Internal Server Error"}',
        secrets=(token, CANARY),
        steps=True,
        unauthorized=Answer(b'{"ok": false, "error_code": 401, "description": "Unauthorized"}', 401),
    )


# ---- Mastodon


def _mastodon() -> Platform:
    ids = [str((int(when(n).timestamp() * 1000) << 16) + n) for n in range(5)]
    items = [
        {"id": one, "created_at": iso(n), "content": "<p>Nítido</p>", "visibility": "public", "reblog": None,
         "account": {"id": "7", "acct": "ana", "username": "ana", "display_name": "Ana"}}
        for n, one in enumerate(ids)
    ]  # fmt: skip

    def page_of(asked: Asked) -> int | Answer:
        if "/timelines/tag/" not in asked.path:
            return told({"version": "4.4.2", "uri": "x", "urls": {}})
        if "min_id" in asked.query or int(asked.query.get("max_id", 2**62)) <= int(ids[-1]):
            return told([])
        return 1 if "max_id" in asked.query else 0

    def body(items_: Sequence[Any], place: int, after: int | None) -> Answer:
        return told(list(items[:3] if after == place else items_))  # its pages are full or the last

    return Platform(
        kind="mastodon",
        settings=lambda url: {"base_url": url, "page_size": 3, "access_token": CANARY},
        items=halves(items),
        ids=named(*ids),
        page_of=page_of,
        body=body,
        bad={"id": ids[4], "created_at": None, "content": "<p>Nítido</p>", "visibility": "public"},
        errors_only=b'{"error": "This method requires an authenticated user"}',
        secrets=(CANARY,),
        waits=lambda seconds: {"X-RateLimit-Reset": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()},
    )


# ---- Bluesky


def _bluesky() -> Platform:
    from tests.servers.bluesky import HANDLE, PASSWORD, AppView, uri

    view = AppView()
    ids = [uri(n) for n in range(5)]
    items = [
        {"uri": one, "cid": f"bafy{n}", "author": {"did": "did:plc:ana", "handle": "ana.bsky.social"},
         "record": {"$type": "app.bsky.feed.post", "text": "Nítido #nitido", "createdAt": iso(n)}, "indexedAt": iso(n)}
        for n, one in enumerate(ids)
    ]  # fmt: skip

    def page_of(asked: Asked) -> int | Answer:
        if "com.atproto.server." in asked.path:
            view.url = f"http://{asked.headers['Host']}"
            return view(asked)
        return number_in(asked.query.get("cursor"))

    def body(items: Sequence[Any], place: int, after: int | None) -> Answer:
        return told({"posts": list(items), **({"cursor": f"page{after}"} if after is not None else {})})

    return Platform(
        kind="bluesky",
        settings=lambda url: {"mode": "search", "handle": HANDLE, "app_password": PASSWORD, "base_url": url},
        items=halves(items),
        ids=named(*ids),
        page_of=page_of,
        body=body,
        bad={"uri": "at://did:plc:ana/app.bsky.feed.post/bad", "record": {"text": "Nítido"}},
        errors_only=b'{"error": "InternalServerError", "message": "Internal Server Error"}',
        secrets=(PASSWORD,),
        waits=lambda seconds: {"ratelimit-reset": str(int(datetime.now(UTC).timestamp()) + seconds)},
        unauthorized=Answer(b'{"error": "ExpiredToken", "message": "Token has expired"}', 401),
    )


# ---- Hacker News


def _hackernews() -> Platform:
    items = [
        {"objectID": str(4000 + n), "created_at_i": int(when(n).timestamp()), "author": "ana", "comment_text": "Nítido"}
        for n in range(5)
    ]

    def body(items: Sequence[Any], place: int, after: int | None) -> Answer:
        return told({"hits": list(items), "nbHits": 5, "nbPages": 2, "page": place})

    return Platform(
        kind="hackernews",
        settings=lambda url: {"base_url": url},
        items=halves(items),
        ids=named(*(item["objectID"] for item in items)),
        page_of=lambda asked: int(asked.query["page"]),
        body=body,
        bad={"objectID": "bad", "comment_text": "Nítido"},
        errors_only=b'{"message": "Unreachable hosts", "status": 500}',
    )


# ---- GDELT


def _gdelt() -> Platform:
    urls = [f"https://diario.example/nota/{n}" for n in range(5)]
    seen = [when(4 - n) for n in range(5)]  # the oldest first
    items = [
        {"url": url, "title": "Nítido", "seendate": f"{moment:%Y%m%dT%H%M%SZ}", "domain": "diario.example"}
        for url, moment in zip(urls, seen, strict=True)
    ]

    def page_of(asked: Asked) -> int | Answer:
        start = asked.query["startdatetime"]
        times = [f"{moment:%Y%m%d%H%M%S}" for moment in seen]
        return 0 if start <= times[0] else 1 if start < times[4] else told({})

    return Platform(
        kind="gdelt",
        settings=lambda url: {"base_url": url, "page_size": 3},
        items=halves(items),
        ids=named(*(hashlib.sha256(url.encode()).hexdigest() for url in urls)),
        page_of=page_of,
        body=lambda items, place, after: told({"articles": list(items)}),
        bad={"url": "https://diario.example/bad", "title": "Nítido"},
        errors_only=b"The specified phrase is too short.\n",
        steps=True,
    )


PLATFORMS: dict[str, Platform] = {
    platform.kind: platform
    for platform in (
        _x(),
        _reddit(),
        _rss(),
        _youtube(),
        _app_store(),
        _google_play(),
        _graph("facebook"),
        _graph("instagram"),
        _telegram(),
        _mastodon(),
        _bluesky(),
        _hackernews(),
        _gdelt(),
    )
}
