"""Find telephone numbers in a text, and tell a company's (free of charge, shared cost) from a person's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from stakeholders.privacy.identity import Find

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

__all__ = ["free_phones", "phones", "told_phones"]

_TOLD_PHONE: Final = re.compile(
    r"(?i)(?<!\w)(?:cel(?:ular)?|m[oó]vil|tel(?:[eé]fono|efone)?|telf|fono|fone|whats?app|wsp|wasap|guasap|zap|wpp|"
    r"phone|mobile|call me(?: at| on)?|text me(?: at| on)?|ll[aá]m(?:a|e|en|ar)(?:me|nos)?(?: al)?|ligue(?: para)?|"
    r"escr[ií]b(?:a|e|an|ir)(?:me|nos)?(?: al)?|contacto|contato|anexo)\.?[\s:.;=#-]{0,4}"
    r"(?:(?:es|is|é|al|no|nro|n[uú]mero|n[°º])[\s:.]{1,3}){0,2}(\+?\(?\d[\d\s().-]{4,18}\d)(?!\w)"
)
_PLUS: Final = re.compile(r"(?<![\w+])\+\s?\(?\d[\d\s().-]{6,18}\d(?!\w)")


def free_phones(text: str, regions: tuple[str, ...]) -> Iterator[Find]:
    """Find numbers that are a company's by their kind: free of charge, shared cost, premium; they stay."""
    from phonenumbers import PhoneNumberType, number_type

    business = {
        PhoneNumberType.TOLL_FREE, PhoneNumberType.SHARED_COST, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.UAN
    }  # fmt: skip
    for start, end, number in _matches(text, regions):
        if number_type(number) in business:
            yield Find(start, end, "phone")


def told_phones(text: str) -> Iterator[Find]:
    """Find numbers after a word that says what they are, and those with a + before them."""
    for found in _TOLD_PHONE.finditer(text):
        digits = sum(sign.isdecimal() for sign in found[1])
        if 6 <= digits <= 15 and not re.fullmatch(r"\d+[.,]\d{2}", found[1]):
            yield Find(found.start(1), found.end(1), "phone")
    for found in _PLUS.finditer(text):
        yield Find(found.start(), found.end(), "phone")


def phones(text: str, regions: tuple[str, ...]) -> Iterator[Find]:
    """Find what is a valid number in one of the countries, as people there write it."""
    for start, end, _ in _matches(text, regions):
        yield Find(start, end, "phone")


def _matches(text: str, regions: tuple[str, ...]) -> Iterator[tuple[int, int, PhoneNumber]]:
    """Find what is a phone number in one of the countries (Google's libphonenumber, ported as phonenumbers)."""
    from phonenumbers import PhoneNumberMatcher

    for region in regions:
        for match in PhoneNumberMatcher(text, region):
            yield match.start, match.end, match.number
