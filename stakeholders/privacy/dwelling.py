"""Find where somebody lives in a text: street and number as Spanish, Portuguese and English write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stakeholders.privacy.identity import Find

__all__ = ["addresses"]

_STREETS = (
    r"av(?:da|enida)?|calle|c/|jr|jir[oó]n|psje?|pasaje|prol(?:ongaci[oó]n)?|carrera|cra|kra|cll|diagonal|transversal|"
    r"paseo|plaza|camino|carretera|callej[oó]n|blvd|bulevar|boulevard|urb(?:anizaci[oó]n)?|malec[oó]n|alameda|ronda|rua|"
    r"travessa|pra[cç]a|estrada|rodovia|largo"
)
_INSIDE = (
    r"dpto|depto|departamento|dep|apto|apartamento|apt|piso|int(?:erior)?|of(?:icina)?|casa|bloco|bloque|torre|mz|"
    r"manzana|lt|lote|col(?:onia)?|urb|flat|c\.?p|cep|c[oó]digo postal"
)
_UNITS = (
    r"veces|vezes|times|horas?|hours?|h|hrs|d[ií]as?|dias|days|minutos?|min|minutes|meses|semanas|soles|pesos|reais|euros|"
    r"d[oó]lares|dollars|mil|%|años|anos|years|personas|pessoas|people|megas|mbps|gb|mb|cuadras|km|am|pm|°|de la|da"
)
# Words that make a sentence of it, so that «la calle me cobraron 300» is no address.
_TALK = frozenset(
    re.findall(
        r"\w+",
        "a al con desde durante en es esta está están estuve fue ha hace hasta hay me no nos para pero por porque que "
        "se sin son te tengo tiene tuve ya cerrada cobran cobraron pagué perdí há com em foi não sem são the to was is "
        "from for with and since my",
    )
)
_TAIL = rf"(?:\s*[,-]?\s*(?:{_INSIDE})\.?\s*(?:de(?:l| la)?\s+)?[\"']?[\w-]{{1,12}}[\"']?){{0,4}}"
_STREET: Final = re.compile(
    rf"(?i)(?<!\w)(?:{_STREETS})\.?\s+(?P<name>(?:[^\W\d][\w'.]*\s*){{1,6}}|\d{{1,2}} de [a-zç]+\s*),?\s*"
    rf"(?P<sign>n[.º°o]+|nro\.?|n[uú]m(?:ero)?\.?|#)?\s*(?P<number>\d{{1,5}}[a-z]?)(?![\w:/]|[.,]\d)"
    rf"(?!\s*(?:{_UNITS})(?!\w)){_TAIL}"
)
_GRID: Final = re.compile(  # Colombia: «Calle 100 # 7-33», «Cra 7 No. 72 - 41 sur»
    r"(?i)(?<!\w)(?:calle|cll?|carrera|cra|kra?|cr|diagonal|diag|dg|transversal|tv|transv|av(?:enida)?)\.?"
    r"\s*\d{1,3}\s?[a-z]{0,2}(?:\s+(?:sur|norte|bis|este|oeste)){0,2}\s*(?:#|n[o°º.]{1,2}|n[uú]mero)\s*\d{1,3}\s?[a-z]{0,2}\s*-\s*\d{1,3}"
    + _TAIL
)
_BLOCK: Final = re.compile(
    r"(?i)(?<!\w)(?:mz|mza|manzana)\.?\s*[\"']?\w{1,3}[\"']?\s*,?\s*(?:lt|lote)\.?\s*\d{1,3}\w?(?!\w)"
)
_ENGLISH: Final = re.compile(
    r"(?<![\w.,$€£/-])\d{1,5}[A-Za-z]?,?\s+(?:[A-Z][\w'.-]*\s+){1,4}"
    r"(?i:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|terrace|way|close|crescent|gardens|"
    r"grove|mews|square)(?!\w)(?:\.)?(?:,?\s+(?i:apt|apartment|flat|unit|suite|#)\.?\s*\w{1,6})?"
)
_POSTCODE: Final = re.compile(r"(?<!\w)(?:[A-Z]{1,2}\d[A-Z\d]?) ?\d(?!GB|TB|MB|GH|MP)[ABD-HJLNP-UW-Z]{2}(?!\w)")
_CEP: Final = re.compile(r"(?i)(?<!\w)(?:cep\s*:?\s*)(\d{5}-?\d{3})(?!\d)|(?<![\w.-])(\d{5}-\d{3})(?![\w-])")


def addresses(text: str) -> Iterator[Find]:
    """Find streets with a number, blocks with a lot, and the post codes that name one street."""
    for pattern in (_GRID, _BLOCK, _ENGLISH, _POSTCODE, _CEP):
        for found in pattern.finditer(text):
            yield Find(found.start(), found.end(), "address")
    for found in _STREET.finditer(text):
        if _is_place(found["name"], found["number"], told=found["sign"] is not None):
            yield Find(found.start(), len(found[0].rstrip()) + found.start(), "address")


def _is_place(name: str, number: str, *, told: bool) -> bool:
    """Tell a street's name from talk about a street: no verbs in it, and a number that is not a year by itself."""
    words = [word.strip(".,'") for word in name.split()]
    if any(word.casefold() in _TALK for word in words):
        return False
    proper = any(word[:1].isupper() for word in words)
    digits = number.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return told or (proper and len(digits) > 1) or (len(digits) > 1 and not re.fullmatch(r"(?:19|20)\d\d", digits))
