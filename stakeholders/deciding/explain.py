"""Explain a text without storing it: what would be judged, who speaks, who would answer and what would change that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from listener.match import Matcher
from listener.mention import Author, Brand, Mention, Post
from sentiment.verdict import Classifier, Item, Verdict
from stakeholders.deciding.facts import Facts, Route, Speaker

if TYPE_CHECKING:
    from stakeholders.desk import Desk
    from stakeholders.registry import Registry

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
    named: bool  # whether the text names it
    watched: bool  # whether config.toml watches it; else it is a company of the registry that the text names
    mention: Mention
    verdict: Verdict
    speaker: Speaker
    facts: Facts
    route: Route


def explain(
    desk: Desk, text: str, classifier: Classifier, now: datetime, profile: Profile, brand: str | None = None
) -> Explanation:
    """Judge and decide a text about the brand it names (the first found, ours before competitors).

    `brand` (a key) chooses one. A text that names none is read as about the company of the registry that it names, as
    if that were ours, else as about our first brand. Raises KeyError for a key that is not watched.
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
    chosen = desk.brands[brand] if brand else next((one for one in watched if one.key in found), None)
    chosen = chosen or _company_in(text, desk.registry, desk.config.settings.instance.country) or watched[0]
    own = chosen.key in desk.brands
    terms = found.get(chosen.key, ()) if own else Matcher([chosen]).find(text).get(chosen.key, ())
    if not terms:
        post = replace(post, about=chosen.key)  # read as if it did name it
    mention = Mention(post, chosen.key, chosen.kind, terms)
    rivals = tuple(one for one in watched if one.key != chosen.key) if own else ()
    verdict = classifier.judge([Item(post, chosen, rivals)], closely=True)[0]
    speaker, facts, route = desk.decide(mention, verdict, among=(chosen, *rivals))
    return Explanation(chosen, bool(terms), own, mention, verdict, speaker, facts, route)


def _company_in(text: str, registry: Registry, country: str) -> Brand | None:
    """Find the operator or bank of the registry that a text names; its short name counts ("Claro Perú" is Claro)."""
    from sentiment.postfile import short_names

    companies = {entry.name: entry for entry in registry.entries if entry.kind in ("operator", "bank")}
    brands = [
        Brand(f"registry/{name}", name, "own", country, None, (name, *short_names(name), *entry.aliases), entry.handles)
        for name, entry in companies.items()
    ]
    found = Matcher(brands).find(text)
    return next((brand for brand in brands if brand.key in found), None)
