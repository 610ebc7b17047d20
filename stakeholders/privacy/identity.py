"""Find the numbers that name a person in a text: identity and tax documents, payment cards, bank accounts.

A number is told from a look-alike by its check digits (python-stdnum knows each authority's rule, and the rule of
Luhn, ISO/IEC 7812, and of ISO 13616 for IBAN), by its written form, or by the word before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

__all__ = ["Find", "Kind", "bare", "formal", "named"]

Kind = Literal["account", "address", "bank", "card", "document", "link", "mail", "number", "phone"]


@dataclass(frozen=True, slots=True)
class Find:
    """Hold where something personal stands in a text, and what it is."""

    start: int
    end: int
    kind: Kind


# The word before a number says that it is a document, whatever its digits.
_WORDS = (
    r"d\.?n\.?i\.?|documento(?:\s+de\s+identidad)?|identidad|identidade|c[eé]dula(?:\s+de\s+ciudadan[ií]a)?|"
    r"c\.\s?c\.|cc|c\.\s?e\.|carn[eé]t?(?:\s+de\s+extranjer[ií]a)?|pasaporte|passaporte|passport|r\.?u\.?t\.?|"
    r"r\.?u\.?n\.?|r\.?u\.?c\.?|c\.?u\.?r\.?p\.?|r\.?f\.?c\.?|cuit|cuil|n\.?i\.?e\.?|n\.?i\.?f\.?|nit|cpf|cnpj|rg|cnh|"
    r"ine|ssn|itin|social\s+security(?:\s+number)?|national\s+insurance(?:\s+number)?|nino|nhs(?:\s+number)?|"
    r"driver'?s?\s+licen[cs]e|id\s+(?:card|number)"
)
_LEAD = r"(?:\s*(?:es|is|é|:|\.|#|-|=|n[°º.o]*|nro|n[uú]mero|number|no)(?![a-z])){0,3}\s*"
_NAMED: Final = re.compile(
    rf"(?i)(?<!\w)(?:{_WORDS})(?!\w){_LEAD}((?:[a-z]{{1,4}}-?)?\d(?:[ .-]?[\da-z]){{4,17}})(?!\w)"
)
_BANK: Final = re.compile(
    rf"(?i)(?<!\w)(?:cuenta|cta\.?|cci|clabe|cbu|conta|account)(?:\s+(?:de\s+)?(?:ahorros|corriente|bancaria|number|"
    rf"corrente|bcp|bbva|interbank|banco|sueldo))?(?!\w){_LEAD}(\d(?:[ -]?\d){{8,23}})(?!\w)"
)
_IBAN: Final = re.compile(r"(?i)(?<!\w)[a-z]{2}\d{2}(?: ?[a-z0-9]){11,30}(?!\w)")
_CARD: Final = re.compile(r"(?<![\w.,])(?:\d[ -]?){12,18}\d(?![\w]|[.,]\d)")
_GB: Final = re.compile(
    r"(?i)(?<!\w)(?!bg|gb|nk|kn|tn|nt|zz)[abceghj-prstw-z][abceghj-nprstw-z](?: ?\d\d){3} ?[a-d](?!\w)"
)

# (form, the rule's modules in stdnum): written so, it is no look-alike
_FORMAL: Final = (
    (r"[a-z]{4}\d{6}[hmx][a-z]{5}[a-z0-9]\d", ("mx.curp",)),
    (r"\d{1,2}\.\d{3}\.\d{3}-[\dk]", ("cl.rut",)),
    (r"\d{2}-\d{8}-\d", ("ar.cuit",)),
    (r"\d{3}\.\d{3}\.\d{3}-\d", ("co.nit",)),
    (r"\d{3}\.\d{3}\.\d{3}-\d{2}", ("br.cpf",)),
    (r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}", ("br.cnpj",)),
    (r"\d{3}-\d{2}-\d{4}", ("us.ssn", "us.itin")),
)
# Written so, it may be the number of an order too: the word before decides.
_LOOSE: Final = (
    (r"[a-zñ&]{3,4}-?\d{6}-?[a-z0-9]{3}", ("mx.rfc",)),
    (r"\d{7,8}-?[\dk]", ("cl.rut",)),
    (r"\d{9}-\d", ("co.nit",)),
    (r"\d{8}[ -]?[a-z]", ("es.dni",)),
    (r"[xyz][ -]?\d{7}[ -]?[a-z]", ("es.nie",)),
    (r"\d{9}-\d{2}", ("br.cpf",)),
)
# Digits alone: their check digits speak, unless the word before says that it is an order.
_BARE: Final[dict[int, tuple[tuple[str, Kind], ...]]] = {
    11: (("pe.ruc", "document"), ("ar.cuit", "document"), ("br.cpf", "document")),
    14: (("br.cnpj", "document"),),
    22: (("ar.cbu", "bank"),),
}


def named(text: str) -> Iterator[Find]:
    """Find numbers after a word that says what they are: «DNI 45678912», «cuenta 191-…»; dates and prices are none."""
    for found in _NAMED.finditer(text):
        number = _without_tail(found[1])
        if _digits(number) >= 5:
            yield Find(found.start(1), found.start(1) + len(number), "document")
    for found in _BANK.finditer(text):
        yield Find(found.start(1), found.end(1), "bank")


def formal(text: str) -> Iterator[Find]:
    """Find numbers whose form and check digits leave no doubt."""
    for found in _IBAN.finditer(text):
        if (end := _iban_end(found[0])) is not None:
            yield Find(found.start(), found.start() + end, "bank")
    for found in _CARD.finditer(text):
        if _is_card(re.sub(r"[ -]", "", found[0])):
            yield Find(found.start(), found.end(), "card")
    for found in _GB.finditer(text):
        yield Find(found.start(), found.end(), "document")
    yield from _formed(text, _FORMAL)


def bare(text: str) -> Iterator[Find]:
    """Find what only check digits tell, where no word said that it is the number of a case or an order."""
    yield from _formed(text, _LOOSE)
    for found in re.finditer(r"(?<![\w.,-])\d{11,22}(?![\w-]|[.,]\d)", text):
        kind = next((kind for rule, kind in _BARE.get(len(found[0]), ()) if _rule(rule)(found[0])), None)
        if kind is not None:
            yield Find(found.start(), found.end(), kind)


def _formed(text: str, forms: tuple[tuple[str, tuple[str, ...]], ...]) -> Iterator[Find]:
    for form, rules in forms:
        for found in re.finditer(rf"(?i)(?<![\w.-])(?:{form})(?![\w-])", text):
            if any(_rule(rule)(found[0].upper()) for rule in rules):
                yield Find(found.start(), found.end(), "document")


def _digits(text: str) -> int:
    return sum(sign.isdecimal() for sign in text)


def _without_tail(number: str) -> str:
    """Take back the words that follow a number: «45678912 y mi» ends at the 2, «12345678 Z» at the Z."""
    parts = number.split(" ")
    while len(parts) > 1 and not any(sign.isdecimal() for sign in parts[-1]) and len(parts[-1]) != 1:
        parts.pop()
    while len(parts) > 1 and parts[-1].casefold() in ("y", "e", "o", "a", "i"):  # «and», «or», «to» are no letter
        parts.pop()
    return " ".join(parts)


def _iban_end(text: str) -> int | None:
    """Say where the IBAN ends of which a text is the beginning; the words after it may look like its groups."""
    check = _rule("iban")
    for end in range(len(text), 14, -1):
        if text[end - 1] != " " and check(text[:end].upper()):
            return end
    return None


def _is_card(digits: str) -> bool:
    """Tell whether digits are a payment card: an issuer's first digits, and Luhn."""
    issuer = digits[0] in "3456" or "2221" <= digits[:4] <= "2720"
    return issuer and len(set(digits)) > 1 and _rule("luhn")(digits)


@cache
def _rule(name: str) -> Callable[[str], bool]:
    from importlib import import_module

    valid: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return valid
