"""Tell who speaks in a post: our own accounts, the registry, the source, then the model with the profile's own words.

The first layer that knows answers, and says by which words. What nobody knows is «public» with low confidence, shown
as unsure. Classes and finer points: docs/labels.md; the layers: docs/registry.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from listener.match import fold
from listener.mention import Brand, Post
from listener.reason import N_, Reason, reason
from listener.taxonomy import Stakeholder
from sentiment.verdict import Label
from stakeholders.deciding.cues import Cue, affiliations, is_parody, profile_cue, text_cue
from stakeholders.deciding.facts import Speaker
from stakeholders.registry import Match, Registry

__all__ = ["UNSURE_BELOW", "identify", "names_of"]

UNSURE_BELOW = 0.5
NEWS_SOURCES = ("news", "noticia", "rss", "prensa", "feed", "gdelt")
REVIEW_SOURCES = ("review", "resena", "playstore", "appstore")
# A journalist, an analyst or a professor has a phone bill too; a member of congress who complains stays government.
PRIVATE_LIVES: frozenset[Stakeholder] = frozenset({"press", "investor", "civil_society"})
SURE = {"handle": 0.99, "domain": 0.96, "name": 0.85, "suffix": 0.85}


def identify(
    post: Post,
    brand: Brand,
    brands: Sequence[Brand],
    registry: Registry,
    heard: Label | None = None,
    *,
    unsure_below: float = UNSURE_BELOW,
) -> Speaker:
    """Tell who speaks in a post about a brand, with confidence and reasons; never raises for what a post holds.

    `brands` are all watched brands (our own and competitors); `heard` is what the model makes of text and profile
    (Verdict.stakeholder), None where it was not asked. A label under `unsure_below` carries `unsure`.
    """
    speaker = (
        _company_account(post, brand, brands)
        or _registered(post, brand, registry)
        or _by_source(post, NEWS_SOURCES)
        or _affiliated(post, brand, brands, registry)
        or _heard(post, brand, registry, heard)
        or _profile(post, brand, registry)
        or _words(post, brand)
        or _by_source(post, REVIEW_SOURCES)
        or _speaker("public", 0.3, reason("nothing in name, profile or text tells who speaks"))
    )
    if speaker.label.confidence < unsure_below:
        return replace(speaker, label=replace(speaker.label, unsure=True))
    return speaker


def names_of(brand: Brand) -> tuple[str, ...]:
    """Give the folded names under which a brand is spoken of, the longest first."""
    every = {fold(name) for name in (brand.name, *brand.names, *brand.handles, *brand.hashtags, *brand.own_handles)}
    return tuple(sorted((name for name in every if len(name) > 2), key=len, reverse=True))


def _speaker(who: Stakeholder, confidence: float, *because: Reason, outlet: bool = False) -> Speaker:
    return Speaker(Label(who, confidence, because), outlet=outlet)


def _company_account(post: Post, brand: Brand, brands: Sequence[Brand]) -> Speaker | None:
    """Know the accounts that speak for a watched brand."""
    if not post.author.handle:
        return None
    handle = fold(post.author.handle.removeprefix("@"))
    for one in (brand, *brands):
        speaking = one.own_handles or one.handles
        if handle not in {fold(account.removeprefix("@")) for account in speaking}:
            continue
        if one.kind == "own":
            why = reason("the account @{quote1} is our own: {quote2}", quote1=post.author.handle, quote2=one.name)
            return Speaker(Label("peer_company", 0.99, (why,)), own_account=True)
        why = reason(
            "the account @{quote1} speaks for the competitor {quote2}", quote1=post.author.handle, quote2=one.name
        )
        return _speaker("peer_company", 0.99, why)
    return None


def _registered(post: Post, brand: Brand, registry: Registry) -> Speaker | None:
    """Ask the registry: the account, then the profile's address, then the exact name (a weak proof on its own)."""
    author, at, country = post.author, post.published_at, post.country or brand.country
    on_reddit = "reddit" in post.source.casefold()  # names are taken there by whoever comes first
    match = registry.find(handle=None if on_reddit else author.handle, at=at, country=country)
    if match is None and (joke := is_parody(author)):
        return _speaker(
            "public", 0.9, reason("the profile calls itself a parody or unofficial: «{quote1}»", quote1=joke)
        )
    if match is None:
        match = registry.find(domain=author.url, url=post.url, at=at, country=country)
        if match is None or match.by == "suffix":  # news come with the outlet's address as their account
            match = registry.find(domain=author.handle, at=at, country=country)
            match = None if match is not None and match.by == "suffix" else match
    if match is None:
        match = registry.find(name=author.name, at=at, country=country)
    if match is None:
        return None
    confidence = SURE[match.by]
    because = [_registry_reason(match)]
    if match.by == "name" and match.handles and author.handle and not _is_source(post, NEWS_SOURCES):
        if not author.verified and (author.followers or 0) < 1000:
            return None  # whoever likes may call himself so
        confidence = 0.7
        because.append(
            reason("the name alone is weak proof: @{quote1} is not the registered account", quote1=author.handle)
        )
    cue = _own_bill(post, brand) if match.kind == "journalist" else None
    if cue is not None:
        return _speaker("customer", 0.8, because[0], _bill_reason(cue))
    label = Label(match.stakeholder, confidence, tuple(because))
    return Speaker(label, outlet=match.outlet, entry=match.name)


def _registry_reason(match: Match) -> Reason:
    sentence = {
        "handle": N_("the account @{quote1} is {quote2}, in the registry of {quote3} since {quote4}"),
        "domain": N_("the address {quote1} is that of {quote2}, in the registry of {quote3} since {quote4}"),
        "name": N_("the name «{quote1}» is exactly that of {quote2}, in the registry of {quote3} since {quote4}"),
    }[match.by]
    return reason(sentence, quote1=match.found, quote2=match.name, quote3=match.country or "", quote4=match.since or "")


def _affiliated(post: Post, brand: Brand, brands: Sequence[Brand], registry: Registry) -> Speaker | None:
    """Read «periodista en Canal Andes», «presidenta de ARTEL», «asesora en <brand>» from the bio."""
    names = {one.key: set(names_of(one)) for one in (brand, *brands)}
    for quote, employer, leads in affiliations(post.author.bio):
        for one in (brand, *brands):
            if employer not in names[one.key]:
                continue
            why = reason("the profile says «{quote1}»", quote1=quote)
            if leads:
                return _speaker("peer_company", 0.85, why)
            if one.key == brand.key:
                return _speaker("employee", 0.85, why)
        match = registry.find(
            handle=employer, name=employer, at=post.published_at, country=post.country or brand.country
        )
        if match is None or not (leads or match.stakeholder in ("press", "civil_society")):
            continue
        sentence = N_("the profile says «{quote1}»; {quote2} is in the registry of {quote3} since {quote4}")
        facts = {"quote2": match.name, "quote3": match.country or "", "quote4": match.since or ""}
        why = reason(sentence, quote1=quote, **facts)
        if match.stakeholder in PRIVATE_LIVES and (cue := _own_bill(post, brand)):
            return _speaker("customer", 0.8, why, _bill_reason(cue))
        return _speaker(match.stakeholder, 0.9, why)
    return None


def _profile(post: Post, brand: Brand, registry: Registry) -> Speaker | None:
    """Read the name and the bio; an address that only states hand out counts after a supervisor's own words."""
    cue = profile_cue(post.author)
    if cue is None or cue.stakeholder != "regulator":
        match = registry.find(domain=post.author.url, at=post.published_at)
        if match is not None and match.by == "suffix":
            sentence = {
                "government": N_("the address ends in {quote1}, which only the state hands out"),
                "civil_society": N_("the address ends in {quote1}, which only universities get"),
            }[match.stakeholder]
            return _speaker(match.stakeholder, SURE["suffix"], reason(sentence, quote1=match.found))
    if cue is None:
        return None
    why = reason("the profile says «{quote1}»", quote1=cue.quote)
    if cue.person and cue.stakeholder in PRIVATE_LIVES and (bill := _own_bill(post, brand)):
        return _speaker("customer", 0.8, why, _bill_reason(bill))
    return _speaker(cue.stakeholder, cue.confidence, why)


def _own_bill(post: Post, brand: Brand) -> Cue | None:
    """Find the words in which a person speaks of their own line, bill or order."""
    cue = text_cue(post.text, names_of(brand))
    return cue if cue is not None and cue.stakeholder == "customer" else None


def _bill_reason(cue: Cue) -> Reason:
    return reason("but here they speak as a customer: «{quote1}»", quote1=cue.quote)


def _words(post: Post, brand: Brand) -> Speaker | None:
    """Read from the text itself who writes it."""
    cue = text_cue(post.text, names_of(brand))
    if cue is None:
        return None
    return _speaker(cue.stakeholder, cue.confidence, reason("the text says «{quote1}»", quote1=cue.quote))


def _is_source(post: Post, kinds: Sequence[str]) -> bool:
    source = fold(post.source)
    return any(kind in source for kind in kinds)


def _by_source(post: Post, kinds: tuple[str, ...]) -> Speaker | None:
    """Take what a whole source tells: news are written by the press, reviews by customers."""
    if not _is_source(post, kinds):
        return None
    if kinds == NEWS_SOURCES:
        return _speaker("press", 0.85, reason("it came from the news source {quote1}", quote1=post.source), outlet=True)
    return _speaker("customer", 0.75, reason("it came as a review from {quote1}", quote1=post.source))


def _heard(post: Post, brand: Brand, registry: Registry, heard: Label | None) -> Speaker | None:
    """Take what the model heard; where the profile or the text says the same in plain words, these are the reason."""
    if heard is None:
        return None
    told = _profile(post, brand, registry) or _words(post, brand)
    if told is not None and told.label.name == heard.name:
        sure = max(told.label.confidence, heard.confidence)
        return Speaker(replace(heard, confidence=sure, because=told.label.because, unsure=False))
    if heard.unsure and told is not None:
        return told
    because = reason("text and profile as a whole resemble: {who}", who=heard.name)
    words = [str(one.facts["quote"]) for one in heard.because if "quote" in one.facts]
    if words:
        sentence = N_("the words «{quote1}» speak for: {who}")
        because = reason(sentence, quote1="», «".join(words), who=heard.name)
    return Speaker(replace(heard, because=(because,)))
