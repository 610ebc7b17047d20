"""Listen to X's filtered stream: keep the rules that say what is asked for, and read the endless answer line by line.

API: docs.x.com, "Filtered stream". A stream is never connected again from here: it ends, and the clock decides when
the next poll may try.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from listener.errors import Unreachable, Unreadable
from listener.mention import Hole, Page, Post, Rejected
from listener.platforms.tweet import fields, read_list
from listener.platforms.xclient import XClient
from listener.platforms.xsearch import billed, read_charged, write_charged
from listener.raw import dump, read_count, read_moment, read_text, within
from listener.reason import N_

if TYPE_CHECKING:
    import requests

__all__ = ["Line", "Lines", "ensure_rules", "gap", "listen", "open_lines"]

_LONGEST_LINE = 1_000_000  # bytes: a post has some kilobytes
_MOST_WAITING = 2_000  # lines read but not yet stored: then the reader waits, and X with it

_PULSE = 2.0  # seconds after which a page is given, whatever has come
_PAGE = 100
_MOST_PAID = 1_000
_SHORT = 30.0  # a stream that breaks sooner is a failure, and the clock waits longer each time

_RULE_REFUSED = N_("the platform did not take a rule of the stream")
_NO_RULES = N_("the answer is not a list of rules")
_NO_POST = N_("a line of the stream that is no post")
_BROKE = N_("the stream broke as soon as it was connected")
_DEAF = N_("the stream was not connected")


def ensure_rules(client: XClient, name: str, queries: Mapping[str, str]) -> dict[str, str]:
    """Make the rules of the stream fit the queries (key → text); give rule id → key.

    Only rules of this source (their tag says so) are taken away; those of other programs stay as they are.
    """
    import tweepy

    mine = f"escucha {name} "
    kept: dict[str, str] = {}
    old: list[str] = []
    missing = dict(queries)
    for rule in _rules_of(client.ask_rules("get_rules"), name):
        value, tag, number = (read_text(within(rule, part)) or "" for part in ("value", "tag", "id"))
        key = next((key for key, query in queries.items() if query == value), None)
        if key is not None and number:  # somebody else's rule with the same words serves us as well
            kept[number] = key
            missing.pop(key, None)
        elif tag.startswith(mine) and number:
            old.append(number)
    if old:
        client.ask_rules("delete_rules", old)
    if missing:
        rules = [tweepy.StreamRule(value=query, tag=mine + key) for key, query in missing.items()]
        answer = client.ask_rules("add_rules", rules)
        for rule in _rules_of(answer, name):
            tag, given = (read_text(within(rule, "tag")) or "").removeprefix(mine), read_text(within(rule, "id"))
            if given and missing.pop(tag, None):
                kept[given] = tag
        if missing:
            raise Unreadable(name, _RULE_REFUSED, body=dump(answer).encode())
    return kept


def _rules_of(answer: Any, name: str) -> list[Any]:
    rules = within(answer, "data")
    if rules is None and isinstance(within(answer, "meta"), Mapping):
        return []
    if not isinstance(rules, list):
        raise Unreadable(name, _NO_RULES, body=dump(answer).encode())
    return rules


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line of the stream: what it says as JSON, or its bytes when it is none."""

    said: Any = None
    broken: bytes = b""


class Lines:
    """Read an endless answer in a thread of its own, so that the caller is never held up by a silent platform."""

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._lines: Queue[bytes] = Queue(_MOST_WAITING)
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._read, name="escucha-stream", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Tell whether the platform has ended the answer and every line of it was taken."""
        return not self._thread.is_alive() and self._lines.empty()

    def take(self, seconds: float, most: int) -> list[Line]:
        """Give the lines that come within `seconds`, or fewer when there are enough or the answer ends.

        Empty lines are signs of life and are left out.
        """
        taken: list[Line] = []
        until = time.monotonic() + seconds
        while len(taken) < most and (left := until - time.monotonic()) > 0 and not self.ended:
            try:
                text = self._lines.get(timeout=min(left, 0.1))
            except Empty:
                continue
            if text.strip():
                taken.append(_line(text))
        return taken

    def close(self) -> None:
        """Hang up, whatever the reader is doing."""
        self._leave.set()
        with suppress(Exception):  # the answer may have ended meanwhile, and then nothing is there to shut
            self._response.raw.shutdown()
        self._thread.join(5)
        self._response.close()

    def _read(self) -> None:
        rest = b""
        try:
            while not self._leave.is_set() and (part := self._response.raw.read1(65536, decode_content=True)):
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    self._put(line)
                if len(rest) > _LONGEST_LINE:
                    self._put(rest[:_LONGEST_LINE])
                    rest = b""
        except Exception:  # noqa: BLE001 - however the line broke, the stream has ended; the next poll connects again
            return

    def _put(self, line: bytes) -> None:
        while not self._leave.is_set():
            try:
                self._lines.put(line, timeout=0.2)
            except Full:
                continue
            return


def _line(text: bytes) -> Line:
    try:
        return Line(json.loads(text))
    except (ValueError, RecursionError):
        return Line(broken=text)


def open_lines(client: XClient, authors: bool) -> Lines:
    """Connect to the stream; raises a SourceError when X does not let us."""
    asked = {name.replace("_fields", ".fields"): ",".join(parts) for name, parts in fields(authors).items()}
    return Lines(client.open_stream("/2/tweets/search/stream", asked))


def gap(state: Mapping[str, Mapping[str, Any]], now: datetime) -> tuple[Hole, ...]:
    """Tell since when nothing was heard, where nothing is searched for afterwards."""
    try:
        heard = read_moment(state.get("stream", {}).get("heard"))
    except ValueError:
        heard = None
    return (Hole(heard, now, _DEAF),) if heard is not None and heard < now else ()


def listen(
    lines: Lines,
    name: str,
    rules: Mapping[str, str],
    state: dict[str, dict[str, Any]],
    seconds: float,
    now: Callable[[], datetime],
    missed: tuple[Hole, ...] = (),
) -> Iterator[Page]:
    """Yield a page at least every two seconds until the time is over or X ends the stream.

    `rules` is rule id → key of the search; the newest id goes into every search of `state`, so that a later search
    goes on from there. Raises Unreachable when the stream breaks at once.
    """
    began = time.monotonic()
    paid = {one for key in rules.values() for one in state.get(key, {}).get("paid", ())}  # the search had them just now
    users = read_charged(state, now().date().isoformat())
    while (left := began + seconds - time.monotonic()) > 0:
        posts: list[Post] = []
        rejected: list[Rejected] = []
        charged: dict[str, int] = {}
        for line in lines.take(min(_PULSE, left), _PAGE):
            data = within(line.said, "data")
            if not isinstance(data, Mapping):
                if line.broken or not within(line.said, "errors"):
                    body = line.broken.decode("utf-8", "replace") if line.broken else dump(line.said)
                    rejected.append(Rejected("stream", _NO_POST, body))
                continue
            told = read_list([data], line.said, name)
            for unit, count in billed(told, paid, users).items():
                charged[unit] = charged.get(unit, 0) + count
            if _is_ours(line.said, rules):
                posts += told.posts
                rejected += told.rejected
                _go_on(state, rules, told.ids)
        moment = now()
        write_charged(state, users, moment.date().isoformat())
        for key in rules.values():  # what the stream brought, the next search finds again in its overlap
            told_of = {
                "asked": moment.isoformat(),
                "day": moment.date().isoformat(),
                "paid": sorted(paid)[-_MOST_PAID:],
            }
            state[key] = {**state.get(key, {}), **told_of}
        state["stream"] = {"heard": moment.isoformat()}
        yield Page(tuple(posts), json.dumps(state), tuple(rejected), holes=missed, billed=charged)
        missed = ()
        if lines.ended:
            if time.monotonic() - began < min(_SHORT, seconds / 2):
                raise Unreachable(name, _BROKE)
            return


def _go_on(state: dict[str, dict[str, Any]], rules: Mapping[str, str], ids: Sequence[int]) -> None:
    """Let every search go on from here: a stream brings the posts of all rules in about their order."""
    for key in rules.values():
        newest = max((read_count(state.get(key, {}).get("newest")) or 0, *ids))
        state[key] = {**state.get(key, {}), "newest": newest}


def _is_ours(said: Any, rules: Mapping[str, str]) -> bool:
    """Tell whether a rule of this source brought a post; an answer that names no rule is taken."""
    matching = within(said, "matching_rules")
    if not isinstance(matching, list) or not matching:
        return True
    return any(read_text(within(rule, "id")) in rules for rule in matching)
