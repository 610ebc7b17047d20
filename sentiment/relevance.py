"""Decide whether a post means the watched brand in the watched country: evidence first, then the context head.

Filtering as in RepLab 2012 and 2013; the rules only speak where a person would not hesitate, a name that is also a
common word is left to its context.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from listener.entity import is_namesake
from listener.match import Matcher, fold
from listener.mention import Author, Brand, Post, Term
from listener.reason import N_, Reason, reason
from sentiment.lexicon import IDIOMS, TRADES, is_ambiguous
from sentiment.places import COUNTRY_WORDS, PLACES, countries_in, country_at, origins_in
from sentiment.tokens import BRAND, Reading
from sentiment.verdict import Label

__all__ = ["by_evidence", "certain_terms", "elsewhere", "leaning"]

_PAGE, _NAME, _WORD = 0.5, 1.5, 1.0  # log odds; chosen on validation and held-out posts

_HERE = re.compile(
    r"\b(?:aca en|aqui en|aqui no|aca|aqui|desde|vivo en|soy de|estoy en|here in|moro em|moro no|sou de|vim de)\s+"
    r"(?:el |la |los |las |o |a )?(?P<rest>\w.*)"
)
_ACCOUNT = re.compile(r"(?<![\w@#])@([\w.]*\w)")
_LINK = r"\s*(?:de\s+|en\s+|do\s+|no\s+|in\s+)?\(?"  # "Claro Chile", "Claro de Chile", "Claro (Chile)"


def by_evidence(reading: Reading, post: Post, brand: Brand, rivals: Sequence[Brand] = ()) -> Label | None:
    """Give the answer where evidence decides, None where the context must (see `leaning`).

    `rivals` are the other brands watched: those of the same name in another country count against this one where they
    are named or their country is.
    """
    if not reading.brand:
        if _about(post, brand):
            return None
        if brand.query and _fits(post, brand, tuple(rivals)):
            fits = _yes(0.9, reason("the post fits the query of {brand}", brand=brand.name))
            return elsewhere(reading, post, brand) or fits
        phrase = next((one for one in brand.exclude if fold(one).strip() in fold(reading.text)), None)
        if phrase is not None:
            return _no(0.97, reason("“{quote}” is on the list of what is not meant", quote=phrase))
        return _no(0.9, reason("the text does not name {brand}", brand=brand.name))
    away = elsewhere(reading, post, brand) or _namesake(reading, post, brand, rivals)
    if away is not None:
        return away
    other = _other_firm(reading, post.author, brand)
    if other is not None:
        return other
    certain = certain_terms(reading, brand)
    if not certain:
        return _idiom(reading)
    term = certain[0]
    if term.text[0] == "@":
        return _yes(0.98, reason("account {quote}", quote=term.text))
    if term.text[0] == "#":
        return _yes(0.98, reason("hashtag {quote}", quote=term.text))
    return None


def leaning(
    reading: Reading, brand: Brand, post: Post | None = None, rivals: Sequence[Brand] = ()
) -> tuple[float, Reason | None]:
    """Give what speaks for the brand before its surroundings are read: log odds, and why.

    A name that is no common word usually means the brand, but it may be a surname, a city or another firm: the context
    can overrule it. A post on the brand's own page that does not name it usually means it too. Where others of the name
    are watched in other countries, the reason is what places the post, or that nothing does.
    """
    if not reading.brand:
        return _PAGE, reason("the post stands on a page or file about {brand}", brand=brand.name)
    certain = certain_terms(reading, brand)
    if post is not None and any(is_namesake(brand, other) for other in rivals):
        return (_NAME if certain else _WORD), _placed(reading, post, brand)
    if certain:
        return _NAME, reason("the name “{quote}” is no common word", quote=certain[0].text)
    return _WORD, None


def _about(post: Post, brand: Brand) -> bool:
    return bool(post.about) and fold(post.about or "") in {fold(brand.key), fold(brand.name)}


def certain_terms(reading: Reading, brand: Brand) -> Sequence[Term]:
    """Give the terms that can mean only the brand: accounts first, then names that are no common word."""
    tags = {fold(tag) for tag in brand.hashtags}
    accounts, names = [], []
    for term in reading.brand:
        if term.text[0] == "@":
            accounts.append(term)
        elif term.text[0] == "#":
            bare = fold(term.text[1:])
            if bare in tags or not is_ambiguous(bare):
                accounts.append(term)
        elif not is_ambiguous(term.text):
            names.append(term)
    return accounts + names


def elsewhere(reading: Reading, post: Post, brand: Brand) -> Label | None:
    """Give a "not relevant" when text, account, bio or platform place the post in another country than the brand's."""
    home = brand.country
    if home is None:
        return None
    named = [_behind(reading.text, term) for term in reading.brand]
    if home in named or home in countries_in(reading.text) | origins_in(reading.text):
        return None
    for term, country in zip(reading.brand, named, strict=True):
        if country is not None:
            quote = reading.text[term.start : term.end + 24].split("\n")[0].strip()
            return _no(
                0.95, reason("“{quote}” is the brand of another country ({country})", quote=quote, country=country)
            )
    if post.country is not None:
        if post.country == home:
            return None
        return _no(0.9, reason("the platform places the post in {country}", country=post.country))
    places = [place for hit in _HERE.finditer(fold(reading.text)) if (place := country_at(hit["rest"]))]
    if places:
        return _no(0.9, reason("the text places itself in {country}", country=places[0]))
    placed = _author_places(post.author, home)
    if placed:
        return _no(0.85, reason("the author's profile is placed in {country}", country=min(placed)))
    return None


def _namesake(reading: Reading, post: Post, brand: Brand, rivals: Sequence[Brand]) -> Label | None:
    """Give a "not relevant" where the text names the account, or only the country, of a namesake watched too."""
    others = [other for other in rivals if is_namesake(brand, other)]
    accounts = {fold(handle): other for other in others for handle in (*other.handles, *other.own_handles)}
    named = [term for term in reading.brand if term.text[0] == "@"]
    mine = {fold(handle) for handle in (*brand.handles, *brand.own_handles)}
    if not others or any(fold(term.text[1:]) in mine for term in named):
        return None
    for hit in _ACCOUNT.finditer(reading.text):
        other = accounts.get(fold(hit[1]))
        if other is not None and fold(hit[1]) not in mine:
            sentence = N_("“{quote}” is the account of {brand} in another country ({country})")
            return _no(0.95, reason(sentence, quote=hit[0], brand=other.name, country=other.country or ""))
    places = countries_in(reading.text)
    if brand.country in places | origins_in(reading.text) or post.country == brand.country:
        return None
    for other in others:
        if other.country in places:
            sentence = N_("the text speaks of {country}, where another {brand} is watched")
            return _no(0.85, reason(sentence, country=other.country or "", brand=other.name))
    return None


def _placed(reading: Reading, post: Post, brand: Brand) -> Reason:
    country = brand.country or ""
    if country in countries_in(reading.text) | origins_in(reading.text):
        return reason("the text speaks of {country}", country=country)
    if post.country == country:
        return reason("the platform places the post in {country}", country=country)
    return reason("nothing tells which country's {brand} is meant: it counts for each", brand=brand.name)


def _fits(post: Post, brand: Brand, rivals: tuple[Brand, ...]) -> bool:
    from listener.query.fault import QueryError
    from listener.query.match import facts_of, fits
    from listener.query.parse import parse

    try:  # few posts come here, and few brands have a query
        return fits(parse(brand.query or ""), facts_of(post, _matcher((brand, *rivals)).find(post.text)))
    except QueryError:  # a file brought it; those of config.toml are checked when it is read
        return False


@lru_cache(maxsize=16)
def _matcher(brands: tuple[Brand, ...]) -> Matcher:
    return Matcher(brands)


def _author_places(author: Author, home: str) -> frozenset[str]:
    bio = author.bio or ""
    handle = fold(author.handle or "")
    by_handle = {country for name, country in COUNTRY_WORDS.items() if len(name) > 4 and handle.endswith(name)}
    placed = countries_in(bio) | by_handle
    return frozenset() if home in placed | origins_in(bio) else placed


def _behind(text: str, term: Term) -> str | None:
    """Give the country that stands inside or right behind a term: "@ClaroChile", "Claro de Chile", "Claro CL"."""
    if term.text[0] in "@#":
        bare = re.sub(r"[\W_]", "", fold(term.text))
        endings = (bare[place:] for place in range(4, len(bare) - 1))
        return next((COUNTRY_WORDS[end] for end in endings if len(end) > 2 and end in COUNTRY_WORDS), None) or (
            COUNTRY_WORDS.get(fold(term.text).rpartition("_")[2]) if "_" in term.text else None
        )
    rest = text[term.end : term.end + 40]
    code = re.match(r"\s*\(?([A-Z]{2})\b", rest)
    if code and code[1].lower() in COUNTRY_WORDS:
        return COUNTRY_WORDS[code[1].lower()]
    hit = _names().match(fold(rest))
    return COUNTRY_WORDS[hit["name"].replace(" ", "")] if hit else None


@lru_cache(maxsize=1)
def _names() -> re.Pattern[str]:
    spelled = {name for names in PLACES.values() for name in names if name.replace(" ", "") in COUNTRY_WORDS}
    return re.compile(_LINK + r"(?P<name>" + "|".join(sorted(map(re.escape, spelled), key=len, reverse=True)) + r")\b")


def _other_firm(reading: Reading, author: Author, brand: Brand) -> Label | None:
    """Give a "not relevant" when a trade stands before the name ("Óptica Nítido") that is not the brand's own."""
    sector = fold(brand.sector or "")
    for place, word in enumerate(reading.words):
        if word == BRAND and place and (trade := reading.words[place - 1]) in TRADES and trade not in sector:
            quote = reading.text[reading.starts[place - 1] : reading.ends[place]]
            return _no(0.93, reason("“{quote}” is another firm of that name", quote=quote))
    words = fold(author.name or "").split()
    called = {fold(name) for name in (brand.name, *brand.names)}
    for trade, name in pairwise(words):
        if trade in TRADES and name in called and trade not in sector:
            return _no(0.93, reason("“{quote}” is another firm of that name", quote=author.name or ""))
    return None


def _idiom(reading: Reading) -> Label | None:
    """Give a "not relevant" when each time the name stands in a fixed phrase ("claro que sí", "en vivo")."""
    text = fold(reading.text)
    if len(text) != len(reading.text):  # offsets hold only where folding keeps every character
        return None
    phrase = ""
    for term in reading.brand:
        before = reading.text[: term.start].rstrip()
        if term.text[0].isupper() and before and before[-1] not in ".!?¡¿:…\"'«“":
            return None  # "el técnico de Claro que vino": a name, whatever follows
        around = text[max(term.start - 12, 0) : term.end + 12]
        name = fold(term.text)
        phrase = next((one for one in _idioms_with(name) if re.search(rf"\b{re.escape(one)}\b", around)), "")
        if not phrase:
            return None
    return _no(0.93, reason("“{quote}” is a fixed phrase", quote=phrase))


@lru_cache(maxsize=256)
def _idioms_with(name: str) -> tuple[str, ...]:
    return tuple(phrase for phrase in IDIOMS if re.search(rf"\b{re.escape(name)}\b", phrase))


def _yes(confidence: float, why: Reason) -> Label:
    return Label("true", confidence, (why,), {"true": confidence, "false": 1 - confidence})


def _no(confidence: float, why: Reason) -> Label:
    return Label("false", confidence, (why,), {"true": 1 - confidence, "false": confidence})
