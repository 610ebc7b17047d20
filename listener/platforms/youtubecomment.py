"""Read what YouTube's Data API says of comments and threads (developers.google.com/youtube/v3/docs/comments)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from listener.errors import Unreadable
from listener.feed import plain
from listener.mention import Author, Metrics, Page, Post, Rejected
from listener.raw import dump, read_count, read_flag, read_moment, read_text, scrub, within
from listener.reason import N_

__all__ = ["Reading", "post_from", "questions", "read_comments", "read_items", "read_threads"]

_LONGEST_QUERY = 200
_WATCH = "https://www.youtube.com/watch?v="

_NO_TIME = N_("an item without id or time")
_NO_TEXT = N_("a post without id or text")
_NO_LIST = N_("the answer is not a list of comments")


class Reading:
    """Hold what a video or channel told so far: how many replies each thread had before and has now, the newest."""

    def __init__(self, known: Mapping[str, Any], about: str | None) -> None:
        self.known = known
        self.about = about
        self.seen: dict[str, int] = {}
        self.newest = 0  # seconds since 1970


def post_from(
    raw: Mapping[str, Any],
    *,
    source: str,
    video: str | None = None,
    thread: str | None = None,
    about: str | None = None,
) -> Post:
    """Make a Post of a comment (developers.google.com/youtube/v3/docs/comments); ValueError says what it lacks.

    `video` and `thread` come from the thread that holds it, since a comment does not always name them itself.
    """
    facts = raw.get("snippet")
    native_id = read_text(raw.get("id"))
    text = read_text(within(facts, "textOriginal")) or plain(within(facts, "textDisplay"))
    if native_id is None or not text:
        raise ValueError(_NO_TEXT)
    try:
        published = read_moment(within(facts, "publishedAt"))
    except ValueError:
        published = None
    if published is None:
        raise ValueError(_NO_TIME)
    name = read_text(within(facts, "authorDisplayName"))
    page = read_text(within(facts, "authorChannelUrl"))
    parent = read_text(within(facts, "parentId"))
    video = read_text(within(facts, "videoId")) or video
    return Post(
        source=source,
        native_id=native_id,
        text=text,
        published_at=published,
        author=Author(
            handle=name[1:] if name is not None and name.startswith("@") else None,  # handles since 2022, names before
            name=name,
            native_id=read_text(within(facts, "authorChannelId", "value")),
            url=page if page is not None and page.startswith(("https://", "http://")) else None,
            verified=read_flag(within(facts, "authorIsVerified")),
        ),
        url=f"{_WATCH}{quote(video)}&lc={quote(native_id)}" if video is not None else None,
        in_reply_to=parent,
        thread=thread or parent or native_id,
        metrics=Metrics(likes=read_count(within(facts, "likeCount"))),
        about=about,
        raw=scrub(raw),
    )


def read_threads(
    answer: Any, source: str, reading: Reading, *, replies: bool
) -> tuple[Page, list[int], list[tuple[str, str | None]]]:
    """Read a page of threads: its posts, when each thread began, and the threads that have more replies."""
    posts: list[Post] = []
    rejected: list[Rejected] = []
    moments: list[int] = []
    longer: list[tuple[str, str | None]] = []
    for number, item in enumerate(read_items(answer, source), 1):
        top = within(item, "snippet", "topLevelComment")
        video = read_text(within(item, "snippet", "videoId"))
        thread = read_text(within(item, "id")) or read_text(within(top, "id"))
        included = within(item, "replies", "comments")
        included = included if isinstance(included, list) else []
        for place, raw in enumerate([top, *(included if replies else ())]):
            try:
                post = post_from(raw, source=source, video=video, thread=thread, about=reading.about)
            except Exception as error:  # noqa: BLE001 - a strange comment is kept aside, the rest goes on
                why = str(error) if str(error) in (_NO_TIME, _NO_TEXT) else _NO_TEXT
                rejected.append(Rejected(f"thread {number}", why, dump(raw if place else item)))
            else:
                posts.append(post)
                moments += [int(post.published_at.timestamp())] if place == 0 else []
        total = read_count(within(item, "snippet", "totalReplyCount")) or 0
        if thread is not None and total:
            reading.seen[thread] = total
            if replies and total > len(included) and reading.known.get(thread) != total:
                longer.append((thread, video))
    reading.newest = max([reading.newest, *moments])
    return Page(tuple(posts), None, tuple(rejected), billed={"unit": 1}), moments, longer


def read_comments(answer: Any, source: str, **more: str | None) -> tuple[tuple[Post, ...], tuple[Rejected, ...]]:
    """Read a list of comments or replies; `more` is what `post_from` should know of their thread."""
    posts: list[Post] = []
    rejected: list[Rejected] = []
    for number, raw in enumerate(read_items(answer, source), 1):
        try:
            posts.append(post_from(raw, source=source, **more))
        except Exception as error:  # noqa: BLE001 - as above
            why = str(error) if str(error) in (_NO_TIME, _NO_TEXT) else _NO_TEXT
            rejected.append(Rejected(f"comment {number}", why, dump(raw)))
    return tuple(posts), tuple(rejected)


def read_items(answer: Any, source: str) -> list[Any]:
    """Give the items of an answer; Unreadable when it is no list of YouTube's."""
    kind = read_text(within(answer, "kind")) or ""
    items = within(answer, "items")
    if not kind.endswith("ListResponse") or not isinstance(items, list):
        raise Unreadable(source, _NO_LIST, body=dump(answer).encode())
    return items


def questions(names: Sequence[str]) -> list[str]:
    """Join names by | (YouTube's OR) into questions of a length that its search takes."""
    asked: list[str] = []
    for name in names:
        term = f'"{name[:_LONGEST_QUERY]}"'
        if asked and len(asked[-1]) + len(term) < _LONGEST_QUERY:
            asked[-1] += f"|{term}"
        else:
            asked.append(term)
    return asked
