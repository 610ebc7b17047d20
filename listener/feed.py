"""Read the bytes of a feed (RSS, Atom, RDF, CDF) as entries of plain text, safely and in bounded time."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from listener.errors import Unreadable
from listener.raw import read_text
from listener.reason import N_

__all__ = ["LARGEST", "Feed", "field", "parse_feed", "plain"]

_FIELD = 32_000  # characters of a field that are read: nh3 takes seconds for deeply nested megabytes
LARGEST = 5_000_000  # bytes of a feed: the largest of the press have some hundred thousand
_MOST_SIGNS = 120_000  # feedparser takes some 20 µs and a third of a kilobyte an element: seconds for hostile megabytes
_DEEPEST = 2_000  # real feeds have a dozen levels, and badly written HTML in them some hundred that are never closed
_LONGEST_TAG = 250_000  # bytes: a picture may stand in one, a hundred thousand attributes may not
_ROOTS = ("rss", "feed", "rdf", "channel")

_EMPTY = N_("the answer is empty")
_TOO_MUCH = N_("the feed holds more elements than can be read safely")
_NOT_A_FEED = N_("the answer is not a feed but something else, perhaps a web page")

_BLOCK = re.compile(r"<(?=/?(?:p|div|br|li|h[1-6]|tr|td|th|ul|ol|blockquote|table|figure|hr)\b)", re.IGNORECASE)
_LAST = re.compile(rb"(?is)</(?:[\w.-]{1,20}:)?(?:rss|feed|rdf|channel)\s*>\s*(?:<!--.{0,500}?-->\s*)*$")
_TAG = re.compile(r"<(?:[\w.-]{1,20}:)?([a-zA-Z][\w-]{0,20})")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Feed:
    """Hold what feedparser made of a feed; `truncated` says that its end is missing."""

    channel: Mapping[str, Any]
    entries: tuple[Mapping[str, Any], ...]
    truncated: bool


def parse_feed(body: bytes, source: str) -> Feed:
    """Parse a feed; raises Unreadable for an empty body and for anything that is no feed.

    feedparser's own sanitiser is off because it is quadratic (20 s for a hostile megabyte); `plain` cleans every field.
    """
    import feedparser

    if not body.strip(b"\x00 \t\r\n\xef\xbb\xbf\xfe\xff"):
        raise Unreadable(source, _EMPTY)
    if _is_too_much(body):
        raise Unreadable(source, _TOO_MUCH, body=body[:2000])
    try:
        parsed = feedparser.parse(body, sanitize_html=False, resolve_relative_uris=False)
    except Exception as error:
        raise Unreadable(source, _NOT_A_FEED, body=body) from error
    if not parsed.get("version") and _root(body) not in _ROOTS:
        raise Unreadable(source, _NOT_A_FEED, body=body)
    # A feed that is complete but badly written (a lone &) is read by feedparser's second parser and is no failure.
    truncated = bool(parsed.get("bozo")) and not _LAST.search(body.replace(b"\x00", b"")[-2000:])
    return Feed(parsed.feed, tuple(parsed.entries), truncated)


def _is_too_much(body: bytes) -> bool:
    """Tell whether there are more elements, deeper in one another or larger, than in any feed; one look at each.

    What stands inside a comment or a CDATA section is text and costs nothing.
    """
    at = depth = signs = 0
    while depth <= _DEEPEST and signs <= _MOST_SIGNS and (at := body.find(b"<", at)) != -1:
        signs += 1
        if body.startswith(b"<!--", at):
            end = body.find(b"-->", at)
        elif body.startswith(b"<![CDATA[", at):
            end = body.find(b"]]>", at)
        else:
            end = body.find(b">", at)
            if end - at > _LONGEST_TAG:
                return True
            if body[at + 1 : at + 2] == b"/":
                depth = max(depth - 1, 0)
            elif body[at + 1 : at + 2] not in (b"!", b"?") and body[end - 1 : end] != b"/":
                depth += 1
        if end == -1:  # never closed: what follows may be read as elements again
            return signs + body.count(b"<", at) > _MOST_SIGNS
        at = end
    return depth > _DEEPEST or signs > _MOST_SIGNS


def _root(body: bytes) -> str:
    """Name the first element, skipping declarations and comments (without backtracking: the text is a stranger's)."""
    text = body[:20_000].replace(b"\x00", b"").decode("utf-8", "replace")
    at = 0
    while (at := text.find("<", at)) != -1:
        if text.startswith("<!--", at):
            at = text.find("-->", at)
        elif text[at + 1 : at + 2] in ("!", "?"):
            at = text.find(">", at)
        else:
            match = _TAG.match(text, at)
            return match.group(1).casefold() if match else ""
        if at == -1:
            break
    return ""


def field(entry: Mapping[str, Any], name: str) -> str:
    """Give a field of an entry as plain text, cut at 32,000 characters; "" when it has none."""
    return plain(entry.get(name))


def plain(markup: Any) -> str:
    """Turn HTML into text on one line: no tag, script or style survives, entities are read."""
    import nh3

    text = read_text(markup, _FIELD)
    if text is None:
        return ""
    if "<" in text:
        text = nh3.clean(_BLOCK.sub(" <", text), tags=set(), attributes={})
    if "&" in text:
        text = html.unescape(text)
    return _SPACE.sub(" ", text).strip()
