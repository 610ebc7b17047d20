"""Word numbers, dates and sentences for a reader: the language's words, the country's way of writing figures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any

from listener.reason import Reason, label, say

if TYPE_CHECKING:
    from babel import Locale

__all__ = ["Wording"]


@dataclass(frozen=True)
class Wording:
    """Hold a reader's language and country; figures and dates through Babel (Unicode CLDR)."""

    lang: str
    country: str = ""
    zone: tzinfo = UTC

    @cached_property
    def locale(self) -> Locale:
        """Give the locale: language and country where CLDR knows the pair, else the language alone."""
        from babel import Locale, UnknownLocaleError

        try:
            return Locale(self.lang, self.country.upper() or None)
        except (UnknownLocaleError, ValueError):
            return Locale(self.lang)

    def say(self, sentence: str, **facts: Any) -> str:
        """Word a sentence of ours; whole numbers are grouped, dates and spans worded, label keys translated."""
        return say(sentence, self.lang, **{name: self._fact(fact) for name, fact in facts.items()})

    def reason(self, one: Reason) -> str:
        """Word a reason; a fact named day… is an ISO date, net… are points with a sign, share… is a proportion."""
        facts: dict[str, Any] = {}
        for name, fact in one.facts.items():
            if name.startswith("day"):
                facts[name] = self.day(date.fromisoformat(str(fact)))
            elif name.startswith("net") and isinstance(fact, int | float):
                facts[name] = self.points(float(fact))
            elif name.startswith("share") and isinstance(fact, int | float):
                facts[name] = self.percent(float(fact))
            else:
                facts[name] = fact
        return self.say(one.sentence, **facts)

    def label(self, key: str) -> str:
        """Word a label key of the taxonomy."""
        return label(key, self.lang)

    def number(self, number: float) -> str:
        """Write a number, grouped."""
        from babel.numbers import format_decimal

        return format_decimal(number, format="#,##0.#", locale=self.locale)

    def percent(self, share: float) -> str:
        """Write a proportion as a whole percentage; what is not quite all or nothing is not rounded to it."""
        if 0 < share < 0.01 or 0.99 < share < 1:
            low = share < 0.5
            return f"{'<' if low else '>'}\u00a0{self._percent(0.01 if low else 0.99)}"
        return self._percent(share)

    def _percent(self, share: float) -> str:
        from babel.numbers import format_percent

        plain = format_percent(round(share, 2), locale=self.locale)
        # CLDR leaves the space out for some countries; Spanish sentences have it everywhere (RAE, Ortografía).
        return re.sub(r"\s?%", "\u00a0%", plain) if self.lang == "es" else plain

    def points(self, net: float) -> str:
        """Write net sentiment as points with a true sign: −12, 0, +8."""
        whole = round(net * 100)
        return f"{'−' if whole < 0 else '+' if whole > 0 else ''}{abs(whole)}"

    def day(self, day: date) -> str:
        """Write a day: «martes 10 de noviembre»."""
        return self._date(day, "EEEE d 'de' MMMM", "EEEE d MMMM")

    def short_day(self, day: date) -> str:
        """Write a day for an axis: «mar 10»."""
        from babel.dates import format_date

        return f"{format_date(day, 'EEE', locale=self.locale).rstrip('.')} {day.day}"

    def moment(self, moment: datetime) -> str:
        """Write a moment in the instance's zone: «10 nov, 14:05»."""
        local = moment.astimezone(self.zone)
        return f"{self._date(local.date(), 'd MMM', 'd MMM').rstrip('.')}, {local:%H:%M}"

    def days(self, first: date, last: date) -> str:
        """Write a stretch of days: «9–15 de noviembre de 2026»."""
        whole = self._date(last, "d 'de' MMMM 'de' y", "d MMMM y")
        if (first.year, first.month) == (last.year, last.month):
            return whole if first == last else f"{first.day}–{whole}"
        if first.year == last.year:
            return self._date(first, "d 'de' MMMM", "d MMMM") + f" – {whole}"
        return self._date(first, "d 'de' MMMM 'de' y", "d MMMM y") + f" – {whole}"

    def _date(self, day: date, pattern: str, english: str) -> str:
        from babel.dates import format_date

        return format_date(day, english if self.lang == "en" else pattern, locale=self.locale)

    def span(self, span: timedelta) -> str:
        """Write a time taken: «2 d 3 h», «1 h 20 min», «45 min»."""
        minutes = round(span.total_seconds() / 60)
        if minutes < 60:
            return f"{minutes}\u00a0min"
        hours, minutes = divmod(minutes, 60)
        if hours < 48:
            return f"{hours}\u00a0h" + (f"\u00a0{minutes}\u00a0min" if minutes and hours < 10 else "")
        days, hours = divmod(hours, 24)
        return f"{days}\u00a0d" + (f"\u00a0{hours}\u00a0h" if hours else "")

    def list(self, words: Iterable[str]) -> str:
        """Join words as a language does: «a, b y c»."""
        from babel.lists import format_list

        return format_list([*words], locale=self.locale)

    def _fact(self, fact: Any) -> Any:
        if isinstance(fact, bool):
            return fact
        if isinstance(fact, int | float):
            return self.number(fact)
        if isinstance(fact, timedelta):
            return self.span(fact)
        if isinstance(fact, datetime):
            return self.moment(fact)
        return self.day(fact) if isinstance(fact, date) else fact
