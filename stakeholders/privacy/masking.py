"""Mask what names a private person in a quote: documents, cards, phones, mails, addresses, accounts.

What the team works with stays: prices, dates, numbers of cases and orders, brands' and institutions' own accounts.
Where a long number could be either, it is masked; the whole text stands on the case's page, behind the login.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from listener.reason import N_, say
from stakeholders.privacy.dwelling import addresses
from stakeholders.privacy.identity import Find, Kind, bare, formal, named
from stakeholders.privacy.telephone import free_phones, phones, told_phones

if TYPE_CHECKING:
    from pathlib import Path

    from listener.config import Config

__all__ = ["Masked", "is_shown_whole", "known_accounts", "mask", "masked_for"]

COUNTRIES: Final = ("PE", "MX", "CL", "AR", "CO", "ES", "BR", "US", "GB")
LONGEST: Final = 4_000  # characters that are looked through; no quote is longer, and the rest is left out

MARKS: Final[dict[Kind, str]] = {
    "account": N_("[account]"),
    "address": N_("[address]"),
    "bank": N_("[bank account]"),
    "card": N_("[card number]"),
    "document": N_("[identity document]"),
    "link": N_("[link]"),
    "mail": N_("[e-mail]"),
    "number": N_("[number]"),
    "phone": N_("[phone number]"),
}


@dataclass(frozen=True, slots=True)
class Masked:
    """Hold a text that may leave the house, and what was taken out of it, in the order of the text."""

    text: str
    found: tuple[Kind, ...]


def masked_for(text: str, channel: str, config: Config, recipient: str = "") -> str:
    """Give a stranger's text as an address may show it: whole inside the house, else masked.

    `channel` is "slack" with its `recipient`, or the whole address "slack:care". For the author's country see `mask`.
    """
    kind, _, rest = channel.partition(":")
    if is_shown_whole(config, kind, recipient or rest):
        return text
    countries = (config.settings.instance.country, *(brand.country for brand in config.brands if brand.country))
    return mask(text, countries, known=known_accounts(config), lang=config.language).text


def is_shown_whole(config: Config, channel: str, recipient: str) -> bool:
    """Tell whether only our own people read an address.

    A channel's table says so by `internal`; mail is read inside when its domain is one of [masking] domains (left out:
    that of [mail] sender), or below it.
    """
    from stakeholders.channels import is_internal

    if channel != "mail":
        return is_internal(config, channel, recipient)
    domain = recipient.rpartition("@")[2].strip().casefold()
    inside = config.settings.masking.inside(config.settings.mail.sender)
    return any(domain == one or domain.endswith(f".{one}") for one in inside)


def known_accounts(config: Config) -> frozenset[str]:
    """Name the accounts that are no private person's, folded: those of every brand watched and of the registry."""
    ours = {
        handle.casefold()
        for brand in config.brands
        for handle in (*brand.handles, *brand.own_handles)
        if handle.strip()
    }
    countries = {config.settings.instance.country, *(brand.country for brand in config.brands if brand.country)}
    files = tuple(config.folder / name for name in config.settings.registry.files)
    wanted = tuple(sorted({*config.settings.registry.countries} or countries))
    return frozenset(ours | _registered(wanted, files))


@lru_cache(maxsize=16)
def _registered(countries: tuple[str, ...], files: tuple[Path, ...]) -> frozenset[str]:
    from stakeholders.registry import COUNTRIES as WRITTEN
    from stakeholders.registry import load

    registry = load([one for one in countries if one in WRITTEN], files)
    return frozenset(handle.casefold() for entry in registry.entries for handle in entry.handles)


def mask(
    text: str,
    country: str | Iterable[str] | None = None,
    *,
    known: frozenset[str] = frozenset(),
    lang: str = "en",
) -> Masked:
    """Take personal data out of a text; `country` (two letters, or several) says whose phones are written without a +.

    Left out, those of every country we know. `known` holds folded accounts that may be named. Masking a masked text
    changes nothing. Never raises.
    """
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(None, 1)[0] + " …"
    asked = (country,) if isinstance(country, str) else tuple(country or COUNTRIES)
    regions = tuple(dict.fromkeys(one.upper() for one in asked))
    shadow = _shadow(text)
    found: list[Find] = []
    for find, hides in _steps(regions, known):
        for one in find(shadow):
            if "\x1f" in shadow[one.start : one.end]:
                continue  # a surer rule took a part of it
            shadow = shadow[: one.start] + "\x1f" * (one.end - one.start) + shadow[one.end :]
            if hides:
                found.append(one)
    told, last = [], 0
    for one in sorted(found, key=lambda one: one.start):
        told += [text[last : one.start], say(MARKS[one.kind], lang)]
        last = one.end
    return Masked("".join((*told, text[last:])), tuple(one.kind for one in sorted(found, key=lambda one: one.start)))


_Finder = Callable[[str], Iterable[Find]]


def _steps(regions: tuple[str, ...], known: frozenset[str]) -> Iterator[tuple[_Finder, bool]]:
    """List what is looked for, the surest first; what a step finds is hidden, or kept from the steps after it."""
    yield _marks, False
    yield _mails, True
    yield lambda text: _links(text, known), True
    yield _other_links, False
    yield lambda text: _accounts(text, known), True
    yield lambda text: _known(text, known), False
    yield lambda text: free_phones(text, regions), False
    yield formal, True
    yield named, True
    yield told_phones, True
    yield addresses, True
    yield _plain_numbers, False
    yield bare, True
    yield lambda text: phones(text, regions), True
    yield _long_numbers, True


def _shadow(text: str) -> str:
    """Give a text of the same length in which digits, blanks and dashes of every script are the plain ones."""
    return "".join(_plain(sign) for sign in text)


def _plain(sign: str) -> str:
    if sign.isascii():
        return " " if sign in "\t\r\x1f" else sign
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    if sign == "\N{FULLWIDTH COMMERCIAL AT}":
        return "@"
    kind = unicodedata.category(sign)
    return "-" if kind == "Pd" else " " if kind in ("Zs", "Cf") else sign


_MARK: Final = re.compile(r"\[[^\[\]\d@]{1,40}\]")
_MAIL: Final = re.compile(r"(?<![\w.+@-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_SPELT: Final = re.compile(
    r"(?i)(?<![\w.+-])[\w.+-]{2,64}\s{0,2}(?:[(\[]\s?(?:at|arroba)\s?[)\]]|\s(?:at|arroba)\s)\s{0,2}[\w-]{2,63}"
    r"(?:\s{0,2}(?:[(\[]\s?(?:dot|punto|ponto)\s?[)\]]|\s(?:dot|punto|ponto)\s|\.)\s{0,2}[\w-]{2,20}){1,3}(?!\w)"
)
_URL: Final = re.compile(r"(?i)(?:https?://|(?<![\w.@])www\.)[^\s<>\"»]{1,2000}")
_PERSONAL_HOST: Final = re.compile(
    r"(?i)(?<![\w.@])(?:https?://)?(?:[\w-]{1,20}\.)?(?:x|twitter|facebook|fb|instagram|tiktok|linkedin|threads|t|wa|"
    r"whatsapp|reddit|youtube|bsky)\.(?:com|me|net|app)/(?P<path>[^\s<>\"»]{1,500})"
)
_TELLS: Final = re.compile(r"(?i)[?&;](?:tel|phone|cel|celular|dni|rut|cpf|doc|documento|e?mail|nombre|name)=|tel:|%40")
_ACCOUNT: Final = re.compile(r"(?<![\w@./])@(?=[\w.-]{0,60}[^\W\d])(\w(?:[\w.-]{0,58}\w)?)(@[\w-]+(?:\.[\w-]+)+)?")
_REDDIT: Final = re.compile(r"(?<![\w/])/?u/([\w-]{3,20})(?!\w)")
_COINS: Final = r"s/\.?|us\$|r\$|[$€£]|usd|pen|mxn|cop|clp|ars|eur|brl|gbp"
_UNITS: Final = (
    r"soles|pesos|d[oó]lares|d[oó]lars|dollars|reais|euros?|libras|pounds|usd|mil(?:lones|h[oõ]es|lion)?|%|€|£|[gmkt]b(?:ps)?|"
    r"km|kg|veces|vezes|times|a[nñ]os|years|usuarios|users|clientes|seguidores|followers|views"
)
_ORDERS: Final = (
    r"pedido|orden|ordem|caso|ticket|reclamo|reclama[cç][aã]o|queja|reporte|solicitud|solicita[cç][aã]o|expediente|"
    r"tr[aá]mite|folio|c[oó]digo|referencia|refer[eê]ncia|ref|factura|fatura|boleta|recibo|gu[ií]a|seguimiento|"
    r"tracking|rastreio|incidencia|protocolo|chamado|ocorr[eê]ncia|nota fiscal|processo|order|case|complaint|"
    r"reference|invoice|booking|claim|incident|request|receipt|atenci[oó]n|averia|aver[ií]a|operaci[oó]n"
)
_IS: Final = r"(?:\s*(?:del?|es|is|é|id|[:.#°º-]|n[°º.o]*|nro|num|n[uú]mero|number|no)(?![a-z])){0,4}"
_PLAIN: Final = tuple(
    re.compile(one)
    for one in (
        rf"(?i)(?<!\w)(?:{_ORDERS})(?!\w){_IS}\s*[a-z]{{0,5}}-?\d[\da-z]*(?:[/-][\da-z]+){{0,4}}",
        rf"(?i)(?<!\w)(?:{_COINS})\s?\d{{1,15}}(?:[.,' ]\d{{3}})*(?:[.,]\d{{1,2}})?(?!\d)",
        rf"(?i)(?<![\w.,])\d{{1,15}}(?:[.,]\d{{3}})*(?:[.,]\d{{1,2}})?\s?(?:{_UNITS})(?!\w)",
        r"(?<![\w.,-])\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*(?:[.,]\d{1,2})?(?![\w-]|[.,]\d)",
        r"(?<!\d)(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?:[T ]\d\d?:\d\d(?::\d\d)?)?(?!\d)",
        r"(?<!\d)(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|1[0-2])[-/.](?:19|20)?\d\d(?!\d)",
        r"(?<!\d)(?:19|20)\d\d(?:\s?[-/,y]\s?(?:19|20)\d\d)+(?!\d)",
        r"#\d{1,15}(?!\w)",
    )
)
_LONG: Final = re.compile(r"(?<![\w.,#])\d{8,}(?![\w]|[.,]\d)")


def _marks(text: str) -> Iterator[Find]:
    return (Find(found.start(), found.end(), "link") for found in _MARK.finditer(text))


def _mails(text: str) -> Iterator[Find]:
    for pattern in (_MAIL, _SPELT):
        for found in pattern.finditer(text):
            yield Find(found.start(), found.end(), "mail")


def _links(text: str, known: frozenset[str]) -> Iterator[Find]:
    """Find addresses of a person's page, and those that carry personal data."""
    for found in _PERSONAL_HOST.finditer(text):
        account = next((part for part in re.split(r"[/?#]", found["path"]) if part), "").lstrip("@").rstrip(".,;:!)")
        if account.casefold() not in known:
            yield Find(found.start(), found.start() + len(found[0].rstrip(".,;:!)")), "link")
    for found in _URL.finditer(text):
        if _TELLS.search(found[0]):
            yield Find(found.start(), found.end(), "link")


def _other_links(text: str) -> Iterator[Find]:
    return (Find(found.start(), found.end(), "link") for found in _URL.finditer(text))


def _accounts(text: str, known: frozenset[str]) -> Iterator[Find]:
    for pattern in (_ACCOUNT, _REDDIT):
        for found in pattern.finditer(text):
            if found[1].casefold() not in known or (pattern is _ACCOUNT and found[2]):
                yield Find(found.start(), found.end(), "account")


def _known(text: str, known: frozenset[str]) -> Iterator[Find]:
    """Find accounts that may be named, so that digits in them are not taken for a phone."""
    for found in _ACCOUNT.finditer(text):
        if found[1].casefold() in known:
            yield Find(found.start(), found.end(), "account")


def _plain_numbers(text: str) -> Iterator[Find]:
    for pattern in _PLAIN:
        for found in pattern.finditer(text):
            yield Find(found.start(), found.end(), "number")


def _long_numbers(text: str) -> Iterator[Find]:
    """Find eight digits and more that nothing explains: better one too many than a document in a chat."""
    return (Find(found.start(), found.end(), "number") for found in _LONG.finditer(text))
