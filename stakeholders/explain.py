"""Explain a text without storing it: what would be judged, who speaks, who would answer and what would change that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from listener.match import Matcher
from listener.mention import Author, Brand, Mention, Post
from sentiment.verdict import Classifier, Item, Verdict
from stakeholders.facts import Facts, Route, Speaker

if TYPE_CHECKING:
    from stakeholders.desk import Desk

__all__ = ["Explanation", "Profile", "explain"]


@dataclass(frozen=True, slots=True)
class Profile:
    """Hold what is told of a text's author and place; None = not told."""

    handle: str | None = None
    name: str | None = None
    bio: str | None = None
    url: str | None = None
    verified: bool | None = None
    followers: int | None = None
    source: str = "explain"
    lang: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Hold everything that was found; `named` tells whether the text names the brand at all."""

    brand: Brand
    named: bool
    mention: Mention
    verdict: Verdict
    speaker: Speaker
    facts: Facts
    route: Route


def explain(
    desk: Desk, text: str, classifier: Classifier, now: datetime, profile: Profile, brand: str | None = None
) -> Explanation:
    """Judge and decide a text about the brand it names (the first found, ours before competitors).

    `brand` (a key) chooses one; a text that names none is read as about our first brand. Raises KeyError for a key that
    is not watched.
    """
    handle = profile.handle.removeprefix("@") if profile.handle else None
    post = Post(
        source=profile.source,
        native_id="explain",
        text=text,
        published_at=now,
        author=Author(handle, profile.name, None, profile.bio, profile.url, profile.verified, profile.followers),
        lang=profile.lang,
        country=profile.country,
    )
    watched = list(desk.brands.values())
    found = Matcher(watched).find(text)
    chosen = desk.brands[brand] if brand else next((one for one in watched if one.key in found), watched[0])
    mention = Mention(post, chosen.key, chosen.kind, found.get(chosen.key, ()))
    rivals = tuple(one for one in watched if one.key != chosen.key)
    verdict = classifier.judge([Item(post, chosen, rivals)])[0]
    speaker, facts, route = desk.decide(mention, verdict)
    return Explanation(chosen, chosen.key in found, mention, verdict, speaker, facts, route)
