"""Spoil good JSON as strangers spoil it: keys that are missing, of another type, huge, nested, no Unicode, no time."""

from __future__ import annotations

import copy
from collections.abc import Callable
from random import Random
from typing import Any

LARGEST = 2_000_000  # characters; our gate lets no answer of more than 10 MB in
LONG = "".join(chr(33 + (n * n * 31 + n // 7) % 90) for n in range(20_000))  # no compression makes it short


def _nested(depth: int) -> Any:
    value: Any = "x"
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value


VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 2**200, -(2**63), 0.5, 1e308, float("nan"), float("inf"), -0.0),
    *("", " ", "x", "0", "-1", "1e9", "NaN", "null", "true", "\x00", "a\x00b", "\ud800", "\udc00x", "😀" * 50, "‮abc"),
    *("9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2026-02-30"),
    *("2026-05-04T09:12:00+99:99", "yesterday", "2026-05-04", "1e30", "Mon, 04 May 2026 25:61:61 GMT", "9" * 400),
    *([], {}, [[]], {"": ""}, [None], {"id": None}, [1, "a", {}], "x" * 200_000, LONG, "\n" * 5_000),
    *("javascript:alert(1)", "http://[", "http://a b/", "https://x.example/" + "a" * 5_000, "<" * 3_000, "&#x" * 3_000),
    *("<p>" * 2_000, "%" * 100, "{}" * 50, "../../etc/passwd", b"bytes".decode(), list(range(2_000))),
)


def _value(chance: Random) -> Any:
    """Choose something that is wrong nearly everywhere; what can be changed is made anew each time."""
    return _nested(700) if chance.random() < 0.03 else copy.deepcopy(chance.choice(VALUES))


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List the way to every part, the whole included."""
    found = [path]
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        if len(path) < 8:
            found += _places(part, (*path, key))
    return found


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _drop(holder: Any, key: Any, chance: Random) -> None:
    del holder[key]


def _replace(holder: Any, key: Any, chance: Random) -> None:
    holder[key] = _value(chance)


def _stretch(holder: Any, key: Any, chance: Random) -> None:
    part = holder[key]
    if isinstance(part, str) and part:
        holder[key] = part * chance.choice((2, 1_000, 50_000 // len(part) + 1))
    elif isinstance(part, list):
        holder[key] = part * chance.choice((0, 2, 200))
    else:
        holder[key] = [part] * 3


def _wrap(holder: Any, key: Any, chance: Random) -> None:
    holder[key] = chance.choice(([holder[key]], {"value": holder[key]}, str(holder[key])))


def _cut(holder: Any, key: Any, chance: Random) -> None:
    part = holder[key]
    holder[key] = part[: len(part) // 2] if isinstance(part, (str, list)) else None


def _sprinkle(holder: Any, key: Any, chance: Random) -> None:
    part = holder[key]
    if isinstance(part, str):
        at = chance.randrange(len(part) + 1)
        holder[key] = part[:at] + chance.choice(("\x00", "\ud83d", "​", "\n", '"', "\\", "<", "́" * 50)) + part[at:]
    else:
        holder[key] = -part if isinstance(part, (int, float)) else None


def _add(holder: Any, key: Any, chance: Random) -> None:
    if isinstance(holder, dict):
        holder[chance.choice(("new", "", "\x00", "\ud800", "id", "text", "a" * 1_000))] = _value(chance)
    else:
        holder.insert(0, _value(chance))


_BYTES = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\r\n",
        b"=?utf-8?b?",
        b"boundary=",
        b"<" * 500,
        b"\xed\xa0\x80",
        b"A" * 5_000,
        b"&",
        b"]]>",
    ),
)
_WAYS: tuple[Callable[[Any, Any, Random], None], ...] = (
    *(_drop, _drop, _replace, _replace, _replace, _replace),
    *(_stretch, _wrap, _cut, _sprinkle, _add),
)


def _weigh(value: Any, left: int) -> int:
    """Take the size of a value, in characters, off what is left; stop when nothing is."""
    if isinstance(value, str):
        return left - len(value)
    left -= 8
    for part in [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else ():
        if left < 0:
            break
        left = _weigh(part, left)
    return left


def mutate(item: Any, chance: Random) -> Any:
    """Give a copy of an item that is spoiled in one to four places, no larger than an answer may be."""
    holder = {"item": copy.deepcopy(item)}
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        places = _places(holder)[1:]
        if not places:
            break
        place = chance.choice(places)
        owner, key = _at(holder, place[:-1]), place[-1]
        if len(place) > 1 or chance.random() < 0.1:
            chance.choice(_WAYS)(owner, key, chance)
        if _weigh(holder, LARGEST) < 0:
            return chance.choice((None, "x" * LARGEST))
    return holder.get("item")


def mutate_bytes(body: bytes, chance: Random) -> bytes:
    """Give bytes that are spoiled in one to four places."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(body) + 1)
        end = min(len(body), at + chance.choice((1, 1, 4, 50)))
        noise = bytes(chance.randrange(256) for _ in range(20))
        bad = chance.choice((b"", noise, body[at:end] * 50, *_BYTES))
        body = body[:at] + bad + body[end:]
    return body
