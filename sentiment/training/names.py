"""Exchange the names of brands in a question, so that the encoder learns no opinion of a name."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from listener.match import fold
from listener.mention import Brand, Term
from sentiment.postfile import brand_of
from sentiment.tokens import Namer
from sentiment.verdict import Item

__all__ = ["swapped"]

# Real and invented ones side by side: the encoder must not tell them apart either.
_NAMES = [
    "Claro",
    "Movistar",
    "Entel",
    "Bitel",
    "Tigo",
    "WOM",
    "Telcel",
    "Vodafone",
    "Orange",
    "MásMóvil",
    "Personal",
    "Vivo",
    "TIM",
    "Oi",
    "Verizon",
    "Izzi",
    "Totalplay",
    "Latam",
    "Avianca",
    "Iberia",
    "BCP",
    "BBVA",
    "Interbank",
    "Santander",
    "Itaú",
    "Bradesco",
    "Nubank",
    "Falabella",
    "Ripley",
    "Walmart",
    "Tesco",
    "Gloria",
    "Bimbo",
    "Nestlé",
    "Rappi",
    "Glovo",
    "iFood",
    "Enel",
    "Naturgy",
    "Mapfre",
    "Rimac",
    "Pacífico",
    "Telmex",
    "Yoigo",
    "Digi",
    "Comcast",
    "Virgin",
    "Lidl",
    "Coppel",
    "Oxxo",
    "Soriana",
    "Éxito",
    "Bancolombia",
    "Davivienda",
    "Sura",
    "Scotiabank",
    "Banorte",
    "Volaris",
    "Ryanair",
    "JetBlue",
    "Delta",
    "Gol",
    "Azul",
    "Ocado",
    "Sainsbury",
    "Kroger",
    "Costco",
    "Andina",
    "Nubia",
    "Lumbra",
    "Cóndor",
    "Vértice",
    "Marfil",
    "Tundra",
    "Kalpa",
    "Rivela",
    "Ostra",
    "Zentra",
    "Puma",
    "Norte",
    "Sol",
    "Alba",
    "Faro",
]


def swapped(item: Item, chance: random.Random) -> Item:
    """Give the same question with other names for the brand and its rivals, in text, name, account and bio."""
    brands = (item.brand, *item.rivals)
    namer = Namer(brands)
    names = chance.sample(_NAMES, len(brands))
    new = dict(zip(brands, names, strict=True))

    def told(text: str | None, account: bool = False) -> str | None:
        if not text:
            return text
        reading = namer.read(f"@{text}" if account else text, item.brand, item.rivals)
        base = reading.text
        by_brand: list[tuple[Term, Brand]] = [(term, item.brand) for term in reading.brand]
        found = namer.find(base)
        for rival in item.rivals:
            own = {(t.start, t.end) for t in found.get(namer.places[rival], ())}
            by_brand += [(t, rival) for t in reading.rivals if (t.start, t.end) in own]
        if len(item.rivals) == 1:
            by_brand += [(t, item.rivals[0]) for t in reading.rivals if (t, item.rivals[0]) not in by_brand]
        out, done = "", 0
        for term, brand in sorted(by_brand, key=lambda pair: pair[0].start):
            if term.start < done:
                continue
            out += base[done : term.start] + _like(base[term.start : term.end], brand, new[brand])
            done = term.end
        out += base[done:]
        return out.removeprefix("@") if account else out

    author = item.post.author
    post = replace(
        item.post,
        text=told(item.post.text) or item.post.text,
        author=replace(author, name=told(author.name), bio=told(author.bio), handle=told(author.handle, account=True)),
    )
    made = {one: brand_of(new[one], one.country, one.sector, one.kind) for one in brands}
    return Item(post, made[item.brand], tuple(made[one] for one in item.rivals))


def _like(found: str, brand: Brand, name: str) -> str:
    """Write a new name in the manner in which the old one stood: account, hashtag, capitals, small letters."""
    plain = re.sub(r"\W", "", fold(name))
    if found[0] in "@#":
        rest = re.sub(r"[\W_]", "", fold(brand.name))
        tail = fold(found[1:]).removeprefix(rest) if fold(found[1:]).startswith(rest) else ""
        return found[0] + (plain if found[1:].islower() else name.replace(" ", "")) + tail
    if found.islower():
        return name.lower()
    return name.upper() if found.isupper() and len(found) > 3 else name
