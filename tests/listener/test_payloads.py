"""Every post in every recording that we hold, found by its shape alone, is parsed and stored once on both databases."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml

from listener.database import Store
from listener.intake import save_page
from listener.mention import Post
from listener.store import posts as post_table

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
FILES = (".json", ".jsonl", ".yml", ".yaml")


def values(folder: Path) -> Iterator[Any]:
    """Give every JSON value of the recordings: whole files, lines, and the bodies that cassettes hold."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in FILES:
            continue
        text = path.read_text("utf-8")
        if path.suffix in (".yml", ".yaml"):
            tape = yaml.load(text, yaml.CSafeLoader)
            turns = tape.get("http_interactions") or tape.get("interactions") or ()
            texts = [_body(turn["response"].get("body")) for turn in turns]
        else:
            texts = [text] if _json(text) is not None else text.splitlines()
        yield from (value for one in texts if (value := _json(one)) is not None)


def _body(body: Any) -> str:
    told = body.get("string") if isinstance(body, dict) else body
    if isinstance(told, bytes):
        told = (gzip.decompress(told) if told[:2] == b"\x1f\x8b" else told).decode("utf-8", "replace")
    return told if isinstance(told, str) else ""


def _json(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if isinstance(value, dict):  # praw's cassettes are JSON
        for turn in value.get("http_interactions") or value.get("interactions") or ():
            turn["response"]["body"] = _json(_body(turn["response"].get("body")))
    return value


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Give every object inside a value, however deep it stands."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(part)


@dataclass(frozen=True)
class Recording:
    """Say where recordings lie, which objects in them are posts (by their keys alone), and how a post is read."""

    folder: str
    least: int
    id_of: Callable[[dict[str, Any]], str | None]
    read: Callable[[dict[str, Any]], Post]


def _tweet(one: dict[str, Any]) -> str | None:
    message = {"event_type", "dm_conversation_id"} & set(one)
    told = isinstance(one.get("id"), str) and one["id"].isdigit() and isinstance(one.get("text"), str)
    # Before November 2010 an id holds no time, so that one which was recorded without its time cannot be placed.
    timeless = "created_at" not in one and told and int(one["id"]) < 10**11
    return one["id"] if told and not message and not timeless else None


def _read_tweet(one: dict[str, Any]) -> Post:
    from listener.platforms.tweet import post_from

    return post_from(one, source="x")


def _thing(one: dict[str, Any]) -> str | None:
    data = one.get("data")
    if one.get("kind") not in ("t1", "t3") or not isinstance(data, dict) or "created_utc" not in data:
        return None
    return f"{one['kind']}_{data['id']}"


def _read_thing(one: dict[str, Any]) -> Post:
    from listener.platforms.redditpost import post_from

    return post_from(one, source="reddit")


def _status(one: dict[str, Any]) -> str | None:
    return one["id"] if {"id", "account", "content", "created_at", "visibility"} <= set(one) else None


def _read_status(one: dict[str, Any]) -> Post:
    from listener.platforms.toot import post_from

    return post_from(one, source="mastodon", host="server.example")


def _view(one: dict[str, Any]) -> str | None:
    told = {"uri", "cid", "record", "author", "indexedAt"} <= set(one)
    return one["uri"] if told and "/app.bsky.feed.post/" in one["uri"] else None


def _read_view(one: dict[str, Any]) -> Post:
    from listener.platforms.blueskypost import post_from

    return post_from(one, source="bluesky")


def _comment(one: dict[str, Any]) -> str | None:
    return one["id"] if one.get("kind") == "youtube#comment" and "snippet" in one else None


def _read_comment(one: dict[str, Any]) -> Post:
    from listener.platforms.youtubecomment import post_from

    return post_from(one, source="youtube")


RECORDINGS = {
    "x": Recording("x", 1_000, _tweet, _read_tweet),
    "reddit": Recording("reddit", 2_500, _thing, _read_thing),
    "mastodon": Recording("mastodon", 300, _status, _read_status),
    "bluesky": Recording("bluesky", 240, _view, _read_view),
    "youtube": Recording("youtube", 20, _comment, _read_comment),
}
# Read whole by the tests of their sources, since what is a post there depends on the edge or the call that brings it.
ELSEWHERE = {"feeds": "test_rss.py", "meta": "test_facebook.py and test_instagram.py", "whatsapp": "test_whatsapp.py"}


def _richest(found: Iterable[dict[str, Any]], id_of: Callable[[dict[str, Any]], str | None]) -> dict[str, Any]:
    """Choose, of several recordings of a post, the one that tells most."""
    best: dict[str, dict[str, Any]] = {}
    for one in found:
        key = id_of(one)
        if key is not None and len(json.dumps(one)) > len(json.dumps(best.get(key, {}))):
            best[key] = one
    return best


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recorded_post_is_parsed_and_stored_once(name: str, shared: Path, store: Store) -> None:
    recording = RECORDINGS[name]
    found = [one for value in values(shared / "payloads" / recording.folder) for one in objects(value)]
    expected = _richest(found, recording.id_of)
    assert len(expected) >= recording.least
    read = [recording.read(one) for one in expected.values()]
    again = [recording.read(one) for one in found if recording.id_of(one) is not None]
    assert len(again) > len(read) or name == "youtube"
    for batch, new in ((read, len(expected)), (read, 0), (again, 0)):
        added = 0
        for start in range(0, len(batch), 500):
            with store.write() as connection:
                added += save_page(connection, name, batch[start : start + 500], [], [], None, NOW).new
        assert added == new
    with store.read() as connection:
        assert set(connection.scalars(sa.select(post_table.c.native_id))) == set(expected)


def test_the_recorded_counts_rules_and_compliance_results_are_understood(shared: Path) -> None:
    """What the stream, the forecast and the sweep read of X is checked against recordings too."""
    told = list(values(shared / "payloads" / "x"))
    counts = [one["meta"]["total_tweet_count"] for one in told if "total_tweet_count" in (one.get("meta") or {})]
    assert counts
    assert all(isinstance(count, int) for count in counts)
    jobs = [one for value in told for one in objects(value) if "upload_url" in one]
    assert jobs
    assert {"id", "status", "created_at", "upload_url", "download_url"} <= set.intersection(*(set(one) for one in jobs))
    gone = [one for value in told for one in objects(value) if one.get("action") == "delete" and "reason" in one]
    assert gone
    assert all(one["id"].isdigit() for one in gone)


def test_every_folder_of_recordings_is_read(shared: Path) -> None:
    folders = {path.name for path in (shared / "payloads").iterdir() if path.is_dir()}
    assert folders == set(ELSEWHERE) | {recording.folder for recording in RECORDINGS.values()}
