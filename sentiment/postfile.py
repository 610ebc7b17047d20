"""Read post files (docs: formats) into questions for a classifier, and write the answers beside each post."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from listener.match import Matcher, fold
from listener.mention import Brand, Post, Rejected
from listener.postfile import BadRow, read_rows
from listener.raw import dump, read_text
from listener.sources.file import post_from
from sentiment.lexicon import COMMON_NAMES, PREPOSITIONS
from sentiment.places import COUNTRY_WORDS
from sentiment.verdict import HEADS, Item, Label, Verdict

__all__ = ["Answer", "answered", "brand_of", "item_of", "label_row", "read_posts", "short_names"]

Answer = Callable[[Item, Verdict], Mapping[str, Any]]

# Words of a trade that people leave out: "Banco Sumapaz" is called "Sumapaz".
_LEFT_OUT = """
    banco banca bank caja seguros seguro insurance mutua universidad university universidade movil mobile wireless
    cell air airlines airways aerolineas lineas aereas tiendas almacenes lojas loja comercial muebles lacteos
    refrescos galletas sorveteria cafe foods food aguas broadband telecom telecomunicaciones cable energia energy
    grupo group company sa inc supermercados farmacias hiper
    """
_GENERIC = frozenset(_LEFT_OUT.split())
_NEVER = datetime.min.replace(tzinfo=UTC)  # stands in for "now" where only the faults of an object are asked


def read_posts(path: Path) -> tuple[list[dict[str, Any]], list[Rejected]]:
    """Read the objects of a post file (JSONL, CSV, XLSX); what is none is set aside with its place and reason.

    Raises Unreachable when the file cannot be opened, Unreadable when it is no table or workbook.
    """
    rows: list[dict[str, Any]] = []
    rejected: list[Rejected] = []
    for row in read_rows(path, path.name):
        if isinstance(row, BadRow):
            rejected.append(Rejected(row.position, row.reason, row.body))
        elif fault := _fault(row.raw):
            rejected.append(Rejected(row.position, fault, dump(row.raw)))
        else:
            rows.append(dict(row.raw))
    return rows, rejected


def _fault(row: Mapping[str, Any]) -> str:
    try:
        post_from(row, source="file", now=_NEVER)
    except ValueError as error:
        return str(error)
    for key, kind in (("author", dict), ("labels", dict), ("competitors", list), ("brand", str)):
        if row.get(key) is not None and not isinstance(row[key], kind):
            return f"{key} is no {'object' if kind is dict else 'list' if kind is list else 'text'}"
    return ""


def item_of(row: Mapping[str, Any], brands: Sequence[Brand], now: datetime) -> Item | None:
    """Turn an object of a post file into a question about its brand; None without a text or a brand that is told.

    A brand that `brands` (the configuration) knows is taken from there, with its handles and exclusions; any other is
    built from the object. `now` stands in where the file does not say when a post was published, or says no time.
    """
    post = _post(row, now)
    if post is None:
        return None
    named = post.about
    country = read_text(row.get("watched_country"))
    brand = _known(brands, named, country) if named else None
    if brand is None and named:
        brand = brand_of(named, country, read_text(row.get("sector")))
    if brand is None:
        found = Matcher(brands).find(post.text) if brands else {}
        brand = next((one for one in brands if one.key in found), brands[0] if brands else None)
    if brand is None:
        return None
    rivals = [
        _known(brands, str(name), brand.country) or brand_of(str(name), brand.country, brand.sector, "competitor")
        for name in row.get("competitors") or ()
        if isinstance(name, str) and name.strip()
    ]
    if not rivals:
        rivals = [other for other in brands if other.key != brand.key]
    return Item(post, brand, tuple(one for one in rivals if one != brand))


def _post(row: Mapping[str, Any], now: datetime) -> Post | None:
    source = read_text(row.get("source")) or "file"
    for told in (row, {**row, "published_at": None}):
        try:
            return post_from(told, source=source, now=now)
        except ValueError:
            continue  # without its time it may still be judged; without a text it may not
    return None


def _known(brands: Sequence[Brand], name: str | None, country: str | None) -> Brand | None:
    if name is None:
        return None
    wanted = fold(name)
    for brand in brands:
        if wanted in (fold(brand.key), fold(brand.name)) and country in (None, brand.country):
            return brand
    return None


def brand_of(name: str, country: str | None, sector: str | None, kind: Any = "own") -> Brand:
    """Make the record of a brand that only a file knows; its short names are found too."""
    names = (name, *short_names(name))
    return Brand(f"{fold(name)}|{country or ''}", name, kind, country, sector, names)


def short_names(name: str) -> tuple[str, ...]:
    """Give what people call a brand when they leave out its trade and country: "Banco Sumapaz" → "Sumapaz"."""
    words = name.split()
    while len(words) > 1 and (fold(words[-1]) in _GENERIC or fold(words[-1]) in COUNTRY_WORDS):
        words.pop()
    while len(words) > 1 and (fold(words[0]) in _GENERIC or fold(words[0]) in PREPOSITIONS):
        words.pop(0)
    short = " ".join(words)
    plain = re.sub(r"\W", "", fold(short))
    if short == name or len(plain) < 3:
        return ()
    trimmed_country = name.startswith(short)  # "Claro Perú" is called Claro, common word or not
    return (short,) if trimmed_country or plain not in COMMON_NAMES else ()


def label_row(label: Label, lang: str, *, boolean: bool = False) -> dict[str, Any]:
    """Write one label as post files show it: `is`, `confidence`, `because` in words, `scores`, `unsure` when it is."""
    row: dict[str, Any] = {
        "is": label.name == "true" if boolean else label.name,
        "confidence": round(label.confidence, 4),
        "because": [one.say(lang) for one in label.because],
    }
    if label.scores:
        row["scores"] = {name: round(score, 4) for name, score in label.scores.items()}
    if label.unsure:
        row["unsure"] = True
    return row


def answered(
    row: Mapping[str, Any], item: Item, verdict: Verdict, lang: str = "es", answer: Answer | None = None
) -> dict[str, Any]:
    """Give the object back with its verdict; `answer` adds who speaks, how urgent it is and who must answer."""
    said: dict[str, Any] = {
        head: label_row(getattr(verdict, head), lang, boolean=head == "relevant") for head in ("relevant", "sentiment")
    }
    more = dict(answer(item, verdict)) if answer else {}
    if "stakeholder" in more:
        said["stakeholder"] = more.pop("stakeholder")
    said |= {head: label_row(getattr(verdict, head), lang) for head in HEADS if head not in said}
    return {**row, "verdict": {**said, **more, "engine": verdict.engine}}
