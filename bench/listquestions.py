"""Ask what the pages ask of the database that gives rows or counts of rows: inbox, case, search, posts, sources."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from bench.archive import BRANDS, NOW, Archive
from listener.config import Config
from listener.health import read_cycle_error, read_health, read_quarantine
from listener.query import parse
from listener.query.search import search
from listener.taxonomy import DEPARTMENTS, STAKEHOLDERS
from stakeholders.archive import list_digests
from stakeholders.casework import draft as replies
from stakeholders.casework.dossier import case_mentions_of, history, read_case
from stakeholders.casework.merging import resolve
from stakeholders.casework.thread import cases_of
from stakeholders.counting.accuracy import checked_rows
from stakeholders.counting.period import Period, last_days
from stakeholders.inbox import NOBODY, Filters, Key, follow, list_inbox, read_rows
from stakeholders.lists.attention import looking, unread
from stakeholders.lists.caseline import needing_cases, top_cases
from stakeholders.lists.facet import count_choices, count_some
from stakeholders.lists.postlist import UNROUTED, Place, Wanted, read_counted, read_heard, read_some
from stakeholders.lists.postlist import count_some as count_posts
from stakeholders.lists.view import list_views, usual_views
from stakeholders.outbox.silences import active_silences
from stakeholders.regulation.mark import read_clock
from stakeholders.spikes.surge import read_surge

__all__ = ["list_questions"]

Question = Callable[[Connection, random.Random], object]
_WHO = "Rosa Quispe"
_PAGE = 50


def list_questions(config: Config, archive: Archive, known: int) -> Mapping[str, Question]:
    """Give every question by name; `known` is the highest id of a case."""
    asked: dict[str, Question] = {}
    views = {
        "open": Filters(),
        "of a department": Filters(department=("legal_regulatory", "sales")),
        "of two labels": Filters(stakeholder=("press", "regulator"), priority=("important",)),
        "of a source": Filters(source=("facebook",)),
        "negative": Filters(sentiment=("negative",)),
        "unsure": Filters(unsure=True),
        "nobody's": Filters(owner=NOBODY),
        "mine": Filters(owner=_WHO),
        "overdue": Filters(overdue=True),
        "of a brand": Filters(brand=(BRANDS[2],)),
        "new": Filters(status="new"),
        "snoozed": Filters(status="snoozed"),
        "noise": Filters(status="dismissed"),
        "answered": Filters(status="answered"),
        "answered of a source": Filters(status="answered", source=("facebook",)),
        "answered of a label": Filters(status="answered", stakeholder=("press",)),
        "answered, mine": Filters(status="answered", owner=_WHO),
        "all": Filters(status="all"),
        "all unsure": Filters(status="all", unsure=True),
    }
    for name, filters in views.items():
        asked |= _inbox(name, filters)
    asked |= _searches(archive) | _cases(config, known) | _posts(config, archive) | _rest(config)
    return asked


def _inbox(name: str, filters: Filters) -> dict[str, Question]:
    def page(connection: Connection, after: Key | None) -> object:
        keys = list_inbox(connection, filters, NOW, after, 2 * _PAGE)
        rows = read_rows(connection, [key.id for key in keys[:_PAGE]], NOW)
        ids = {row.case.id: row.case.version for row in rows}
        return rows, unread(connection, _WHO, ids), looking(connection, _WHO, list(ids), NOW)

    def deep(connection: Connection, draw: random.Random) -> object:
        at = NOW - timedelta(days=draw.randrange(365), minutes=draw.randrange(1440))
        return page(connection, Key(draw.choice((0, 1)), at, draw.randrange(10_000)))

    return {
        f"inbox, {name}": lambda c, _: page(c, None),
        f"inbox page in the middle, {name}": deep,
        f"inbox count, {name}": lambda c, _: count_some(c, filters, NOW),
        f"inbox choices, {name}": lambda c, _: count_choices(c, filters, NOW),
    }


def _searches(archive: Archive) -> dict[str, Question]:
    shapes = {
        "one word": "{0}",
        "beginnings": "{0}*",
        "two words": "{0} {1}",
        "either word": "{0} OR {1}",
        "a phrase": '"{0} {1}"',
        "two near": "{0} NEAR/5 {1}",
        "a brand's name": BRANDS[1],
        "a word without another": f"{{0}} -{BRANDS[0]}",
        "a word from a source": "{0} source:news",
        "a word since a day": "{0} since:2026-10-01",
        "a word and reach": "{0} reach>50000",
        "an author": "from:u77",
        "a word of an author": "{0} from:u78",
    }

    def text(draw: random.Random, shape: str) -> str:
        return shape.format(*draw.sample(archive.words, 2))

    asked: dict[str, Question] = {}
    for name, shape in shapes.items():

        def newest(connection: Connection, draw: random.Random, shape: str = shape) -> object:
            return search(connection, parse(text(draw, shape)))

        def second(connection: Connection, draw: random.Random, shape: str = shape) -> object:
            at = NOW - timedelta(days=draw.randrange(365))
            return search(connection, parse(text(draw, shape)), after=(at, 1))

        def live(connection: Connection, draw: random.Random, shape: str = shape) -> object:
            q = text(draw, shape)
            every = Filters(status="all", q=q)
            return count_some(connection, Filters(q=q), NOW), count_some(connection, every, NOW)

        def listed(connection: Connection, draw: random.Random, shape: str = shape) -> object:
            keys = list_inbox(connection, Filters(q=text(draw, shape)), NOW, None, 2 * _PAGE)
            return read_rows(connection, [key.id for key in keys[:_PAGE]], NOW)

        def listed_of_all(connection: Connection, draw: random.Random, shape: str = shape) -> object:
            keys = list_inbox(connection, Filters(status="all", q=text(draw, shape)), NOW, None, 2 * _PAGE)
            return read_rows(connection, [key.id for key in keys[:_PAGE]], NOW)

        def choices(connection: Connection, draw: random.Random, shape: str = shape) -> object:
            return count_choices(connection, Filters(q=text(draw, shape)), NOW)

        asked |= {
            f"search, {name}": newest,
            f"search from the middle, {name}": second,
            f"inbox search, {name}": listed,
            f"inbox search in all, {name}": listed_of_all,
            f"inbox search choices, {name}": choices,
            f"live count, {name}": live,
        }
    return asked


def _cases(config: Config, known: int) -> dict[str, Question]:
    def page(connection: Connection, draw: random.Random) -> object:
        one = draw.randint(1, known)
        case = read_case(connection, one)
        if case is None:
            return None
        told = history(connection, one, merged=True), case_mentions_of(connection, one)
        clock, draft = read_clock(connection, config.settings, one), replies.current(connection, one)
        why_not = replies.answer_allowed(connection, config.settings, case)
        return told, clock, draft, why_not, read_surge(connection, one), looking(connection, _WHO, [one], NOW)

    def following(connection: Connection, draw: random.Random, status: str) -> object:
        return follow(connection, Filters(status=status), draw.randint(1, known), NOW)

    def to_merge(connection: Connection, draw: random.Random) -> object:
        one = resolve(connection, draw.randint(1, known))
        return read_case(connection, one), case_mentions_of(connection, one)

    return {
        "case": page,
        "next case": lambda c, d: following(c, d, "open"),
        "next case of all": lambda c, d: following(c, d, "all"),
        "case to merge": to_merge,
        "cases of a conversation": lambda c, d: cases_of(c, f"x/n{d.randrange(10**6)}", d.choice(BRANDS)),
    }


def _posts(config: Config, archive: Archive) -> dict[str, Question]:
    zone = config.zone

    def wanted(draw: random.Random, days: int) -> Wanted:
        until = (NOW - timedelta(days=draw.randrange(60))).date()
        return Wanted(until - timedelta(days=days - 1), until, draw.choice(BRANDS))

    labels: dict[str, Callable[[random.Random], dict[str, str]]] = {
        "": lambda _: {},
        " of a speaker": lambda d: {"stakeholder": d.choice(STAKEHOLDERS)},
        " not routed": lambda _: {"stakeholder": UNROUTED},
        " of a dimension": lambda _: {"dimension": "governance"},
        " of a source": lambda _: {"source": "facebook"},
        " negative": lambda _: {"sentiment": "negative"},
        " of a cell": lambda d: {"stakeholder": d.choice(STAKEHOLDERS[:6]), "dimension": "leadership"},
        " of three labels": lambda _: {"stakeholder": "press", "dimension": "leadership", "source": "news"},
    }
    asked: dict[str, Question] = {}
    for days in (1, 30, 90):
        for name, label in labels.items():

            def page(c: Connection, d: random.Random, days: int = days, label: Callable[..., Any] = label) -> object:
                return read_heard(c, replace(wanted(d, days), **label(d)), zone)

            def counted(c: Connection, d: random.Random, days: int = days, label: Callable[..., Any] = label) -> object:
                return count_posts(c, replace(wanted(d, days), **label(d)), zone)

            asked |= {f"posts{name}, {days} days": page, f"posts count{name}, {days} days": counted}

    def deep(connection: Connection, draw: random.Random) -> object:
        one = wanted(draw, 90)
        after = Place(NOW - timedelta(days=draw.randrange(61, 80)), draw.randrange(1_000_000))
        return read_heard(connection, one, zone, None, after)

    def worded(connection: Connection, draw: random.Random) -> object:
        one, query = wanted(draw, 30), parse(draw.choice(archive.words))
        return read_counted(connection, one, zone, query)

    def named(connection: Connection, draw: random.Random) -> object:
        return read_some(connection, [draw.randint(1, archive.size) for _ in range(30)])

    return asked | {"posts, deep page": deep, "posts with a word, 30 days": worded, "posts by their ids": named}


def _rest(config: Config) -> dict[str, Question]:
    def period(draw: random.Random, days: int) -> Period:
        return last_days(days, NOW - timedelta(days=draw.randrange(60)), config.zone)

    def views(connection: Connection, _: random.Random) -> object:
        usual = [count_some(connection, one, NOW) for _, one in usual_views(_WHO)]
        return usual, list_views(connection, _WHO)

    asked: dict[str, Question] = {
        "views beside the inbox": views,
        "views of one department": lambda c, d: count_some(c, Filters(department=(d.choice(DEPARTMENTS),)), NOW),
        "needing cases": lambda c, d: needing_cases(c, d.choice(BRANDS), NOW, 10),
        "accuracy": lambda c, _: checked_rows(c),
        "sources": lambda c, _: (read_health(c, config, NOW), read_cycle_error(c)),
        "quarantine": lambda c, _: read_quarantine(c, 100),
        "digests kept": lambda c, _: list_digests(c),
        "silences": lambda c, _: active_silences(c, NOW),
    }
    for days in (7, 30, 90):

        def top(connection: Connection, draw: random.Random, days: int = days) -> object:
            return top_cases(connection, period(draw, days), draw.choice(BRANDS), 5, NOW)

        asked[f"top cases, {days} days"] = top
    return asked
