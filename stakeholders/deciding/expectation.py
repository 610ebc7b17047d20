"""Hold a team's own expectations of its rules: posts with labels, who should answer each, and what comes out instead.

A file is a post file (docs/formats.md) with `expect` beside the labels, or TOML with one [[posts]] table a post. No
model is asked: the labels are given, as in a unit test of the rules. After Alertmanager's `amtool config routes test`
(https://prometheus.io/docs/alerting/latest/alertmanager/).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from listener.config import Config
from listener.errors import Unreadable
from listener.match import Matcher, fold
from listener.postfile import NO_FILE, BadRow, read_rows
from listener.raw import read_text, within
from listener.reason import N_, Reason, reason
from listener.taxonomy import DEPARTMENTS, DIMENSIONS, INTENTS, PRIORITIES, SENTIMENTS, STAKEHOLDERS
from stakeholders.deciding.facts import Facts, Route
from stakeholders.deciding.rules import Rules
from stakeholders.route import decide

__all__ = ["Expectation", "Miss", "Outcome", "Problem", "compare", "read_expectations"]

_LABELS: Mapping[str, tuple[tuple[str, ...], str]] = {  # what may stand there, and what is read where nothing does
    "stakeholder": (STAKEHOLDERS, "public"),
    "sentiment": (SENTIMENTS, "neutral"),
    "dimension": (DIMENSIONS, "undefined"),
    "intent": (INTENTS, "other"),
}
_EXPECTED = ("department", "priority", "copies", "rule", "opens_case")
_TRUE, _FALSE = ("true", "1", "yes", "sí", "si", "sim"), ("false", "0", "no", "não")

_UNKNOWN = N_("{quote_key}: «{quote_value}» is not known; {quote_hint}")
_NOTHING = N_("it says nothing of what is expected: write expect with {quote_keys}")
_NO_BRAND = N_("there is no brand {quote}")
_NOT_TOML = N_("not valid TOML, or no [[posts]] table stands in it")
_NOT_A_NUMBER = N_("followers: «{quote_value}» is no number")


@dataclass(frozen=True, slots=True)
class Expectation:
    """Hold one post: where it stands, what is known of it, and what should come out (by the names of a route)."""

    place: str
    name: str
    facts: Facts
    wanted: Mapping[str, Any]  # copies as a frozenset


@dataclass(frozen=True, slots=True)
class Problem:
    """Hold one row that is no expectation, and why."""

    place: str
    what: Reason


@dataclass(frozen=True, slots=True)
class Miss:
    """Hold one thing that came out otherwise."""

    what: str  # department, priority, copies, rule or opens_case
    wanted: Any
    got: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what the rules make of an expectation, and what of it is not as expected."""

    expectation: Expectation
    route: Route
    misses: tuple[Miss, ...]


def compare(expectation: Expectation, rules: Rules) -> Outcome:
    """Decide a post by the rules and tell what is not as expected."""
    route = decide(expectation.facts, rules)
    misses = []
    for what, wanted in expectation.wanted.items():
        got = frozenset(route.copies) if what == "copies" else getattr(route, what)
        if what == "rule" and wanted in route.added:
            continue  # it applied and let others decide
        if got != wanted:
            misses.append(Miss(what, wanted, got))
    return Outcome(expectation, route, tuple(misses))


def read_expectations(path: Path, config: Config) -> Iterator[Expectation | Problem]:
    """Yield every expectation of a file, and every row that is none; never raises for what a row holds.

    Raises Unreachable when the file cannot be opened, Unreadable when it is no table, workbook or TOML.
    """
    for place, raw in _rows(path):
        if isinstance(raw, Problem):
            yield raw
            continue
        problems: list[Reason] = []
        wanted = _wanted(raw, problems)
        facts = _facts(raw, config, problems)
        if not wanted and not problems:
            problems.append(reason(_NOTHING, quote_keys=", ".join(_EXPECTED)))
        if problems or facts is None:
            yield from (Problem(place, one) for one in problems)
            continue
        yield Expectation(place, read_text(raw.get("name")) or " ".join(facts.text.split())[:60], facts, wanted)


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any] | Problem]]:
    if path.suffix.casefold() != ".toml":
        for row in read_rows(path, path.name):
            yield row.position, Problem(row.position, Reason(row.reason)) if isinstance(row, BadRow) else row.raw
        return
    try:
        posts = tomllib.loads(path.read_text("utf-8-sig")).get("posts")
    except OSError as error:
        from listener.errors import Unreachable

        raise Unreachable(path.name, f"{path.name}: {NO_FILE}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(path.name, f"{path.name}: {_NOT_TOML}") from error
    if not isinstance(posts, list) or not all(isinstance(one, dict) for one in posts):
        raise Unreadable(path.name, f"{path.name}: {_NOT_TOML}")
    yield from ((f"{path.name} [[posts]] {number}", one) for number, one in enumerate(posts, 1))


def _wanted(raw: Mapping[str, Any], problems: list[Reason]) -> dict[str, Any]:
    """Read what is expected: `expect`, columns named expect.…, else what a person decided in `labels`."""
    given = raw.get("expect")
    told = dict(given) if isinstance(given, Mapping) else {}
    told |= {key[7:]: value for key, value in raw.items() if key.startswith("expect.")}
    if not told:
        labels = raw.get("labels")
        told = {key: labels[key] for key in ("department", "priority") if isinstance(labels, Mapping) and key in labels}
    wanted: dict[str, Any] = {}
    for key, value in told.items():
        if value is None:
            continue
        if key in ("department", "priority"):
            wanted[key] = _known(key, value, DEPARTMENTS if key == "department" else PRIORITIES, problems)
        elif key == "copies":
            many = value if isinstance(value, list) else [part for part in str(value).split("|") if part.strip()]
            wanted[key] = frozenset(_known(key, one, DEPARTMENTS, problems) for one in many)
        elif key == "rule":
            wanted[key] = str(value)
        elif key == "opens_case":
            wanted[key] = _flag(key, value, problems)
        else:
            problems.append(_unknown("expect", key, _EXPECTED))
    return wanted


def _facts(raw: Mapping[str, Any], config: Config, problems: list[Reason]) -> Facts | None:
    text = read_text(raw.get("text")) or ""
    watched = {brand.key: brand for brand in config.brands}
    named = read_text(raw.get("brand"))
    if named:
        brand = next((one for one in watched.values() if fold(named) in (fold(one.key), fold(one.name))), None)
    else:
        found = Matcher(list(watched.values())).find(text)
        brand = next((one for one in watched.values() if one.key in found), next(iter(watched.values())))
    labels = raw.get("labels")
    told = labels if isinstance(labels, Mapping) else {}
    read = {key: _known(key, told.get(key) or default, known, problems) for key, (known, default) in _LABELS.items()}
    followers = within(raw, "author", "followers")
    count = str(followers).strip() if followers is not None else ""
    if count and not (count.isascii() and count.isdigit()):
        problems.append(reason(_NOT_A_NUMBER, quote_value=count))
    flags: dict[str, Any] = {
        key: _flag(key, raw[key], problems) for key in ("outlet", "own_account", "unsure") if raw.get(key) is not None
    }
    relevant = told.get("relevant")
    if relevant is not None:
        flags["relevant"] = _flag("relevant", relevant, problems)
    if brand is None:
        problems.append(reason(_NO_BRAND, quote=named or ""))
    if problems or brand is None:
        return None
    handle = (read_text(within(raw, "author", "handle")) or "").lstrip("@") or None
    return Facts(
        text=text,
        lang=read_text(raw.get("lang")),
        brand=brand.key,
        kind=brand.kind,
        **read,
        **flags,
        source=read_text(raw.get("source")),
        country=read_text(raw.get("country")),
        handle=handle,
        followers=int(count) if count else None,
    )


def _known(key: str, value: Any, known: tuple[str, ...], problems: list[Reason]) -> Any:
    word = str(value).strip()
    if word not in known:
        problems.append(_unknown(key, word, known))
    return word


def _unknown(key: str, word: str, known: tuple[str, ...]) -> Reason:
    from listener.faults import did_you_mean

    return reason(_UNKNOWN, quote_key=key, quote_value=word, quote_hint=did_you_mean(word, known))


def _flag(key: str, value: Any, problems: list[Reason]) -> bool:
    word = str(value).strip().casefold()
    if word not in (*_TRUE, *_FALSE):
        problems.append(_unknown(key, word, ("true", "false")))
    return word in _TRUE
