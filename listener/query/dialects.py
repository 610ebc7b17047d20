"""Describe how each platform's own search is asked: its operators, its limits, and what it cannot be asked.

X: docs.x.com, «Build a query» (512 characters; conditions such as lang: only beside a word). Reddit: Lucene-like
(reddithelp.com, «search features»). Mastodon: docs.joinmastodon.org, user/network (no OR). Bluesky: lexicon
app.bsky.feed.searchPosts (no OR promised). YouTube: search.list, parameter q (| is OR, - is NOT). GDELT: «GDELT DOC 2.0
API debuts» (brackets for OR only, near, sourcelang, sourcecountry). Hacker News: Algolia's advanced syntax (no OR).
Google News: the operators of Google's search, at most 32 words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

from listener.query.tree import Day, Fact

__all__ = ["DIALECTS", "Dialect"]


def _never(_: object) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Dialect:
    """Hold how one platform is asked."""

    name: str  # as people read it
    limit: int  # characters of one query
    most_words: int | None = None  # of one query
    either: str | None = " OR "  # what joins alternatives; None: each one is a query of its own
    nested: bool = True  # groups may stand in groups
    minus: bool = False  # -word; where a platform bends words (Reddit, Google), leaving one out would lose others
    signs: bool = True  # @handles and #tags are asked for as such; else their bare word is
    tagged: bool = True  # it knows the language of every post that it holds
    near: str | None = None  # how two words near each other are asked for
    fact: Callable[[Fact], str | None] = field(default=_never)
    day: Callable[[Day], str | None] = field(default=_never)


def _x(fact: Fact) -> str | None:
    if fact.name == "lang" and "-" not in fact.value:
        return f"lang:{fact.value}"
    return f"from:{fact.value}" if fact.name == "from" and fact.value.isidentifier() else None


def _reddit(fact: Fact) -> str | None:
    return f"author:{fact.value}" if fact.name == "from" else None


def _mastodon(fact: Fact) -> str | None:
    if fact.name == "lang":
        return f"language:{fact.value}"
    return f"from:{fact.value}" if fact.name == "from" else None


def _bluesky(fact: Fact) -> str | None:
    return f"{fact.name}:{fact.value}" if fact.name in ("lang", "from") else None


def _gdelt(fact: Fact) -> str | None:
    if fact.name == "lang":
        named = _GDELT_LANGUAGES.get(fact.value)
        return f"sourcelang:{named}" if named else None
    return None  # sourcecountry: is where the outlet is, which is not where a post is placed


_GDELT_LANGUAGES = {"es": "spanish", "pt": "portuguese", "en": "english", "fr": "french", "it": "italian"}


def _days(since: str, until: str) -> Callable[[Day], str]:
    """Make the words for a first and a last day; a day more on either side, since platforms count in other zones."""

    def say(day: Day) -> str:
        if day.name == "since":
            return f"{since}:{_shifted(day.day, -1)}"
        return f"{until}:{_shifted(day.day, 2)}"

    return say


def _shifted(day: date, days: int) -> str:
    try:
        return (day + timedelta(days=days)).isoformat()
    except OverflowError:
        return day.isoformat()


DIALECTS: MappingProxyType[str, Dialect] = MappingProxyType(
    {
        "x": Dialect("X", 512, minus=True, tagged=False, fact=_x),
        "reddit": Dialect("Reddit", 512, signs=False, fact=_reddit),
        "mastodon": Dialect(
            "Mastodon", 500, either=None, tagged=False, fact=_mastodon, day=_days("after", "before")
        ),
        "bluesky": Dialect(
            "Bluesky", 500, either=None, minus=True, tagged=False, fact=_bluesky,
            day=_days("since", "until"),
        ),
        "youtube": Dialect("YouTube", 500, either="|", nested=False, signs=False),
        "gdelt": Dialect(
            "GDELT", 250, nested=False, minus=True, signs=False, near='near{n}:"{words}"', fact=_gdelt
        ),
        "hacker_news": Dialect("Hacker News", 500, either=None, signs=False),
        "google_news": Dialect(
            "Google News", 1000, most_words=32, signs=False, day=_days("after", "before")
        ),
    }
)  # fmt: skip
