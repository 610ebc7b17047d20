"""Tell for which company an account speaks: a watched brand by its account or its executive, or another by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from listener.fold import fold
from listener.match import Matcher
from listener.mention import Author, Brand
from stakeholders.companies.person import leads
from stakeholders.deciding.cues import BIO_LIMIT, affiliations
from stakeholders.deciding.facts import Speaker
from stakeholders.identify import names_of

__all__ = ["Account", "Companies", "Company"]

Account = Literal["care", "sales", "corporate", "other"]


@dataclass(frozen=True, slots=True)
class Company:
    """Hold for which company an account speaks: a watched brand, or another by its name."""

    name: str
    key: str | None = None  # of the watched brand
    side: Literal["own", "competitor", "other"] = "other"
    account: Account | None = None  # of a watched brand's own accounts: which kind; None: a person, another company


class Companies:
    """Know the accounts, executives and names of the brands watched; built once, then pure."""

    def __init__(self, every: Sequence[Brand]) -> None:
        self.brands = {brand.key: brand for brand in every}
        self._accounts = {
            fold(handle.removeprefix("@")): brand
            for brand in reversed(every)
            for handle in brand.own_handles or brand.handles
        }
        self._employers = {name: brand for brand in reversed(every) for name in names_of(brand)}
        self._executives = {fold(name): brand for brand in reversed(every) for name in brand.executives}
        self._every = Matcher(every)
        self._rivals = Matcher([brand for brand in every if brand.kind == "competitor"])

    def speaks_for(self, author: Author, speaker: Speaker) -> Company:
        """Tell for which company an account speaks, once it is known to speak for one."""
        handle = fold((author.handle or "").removeprefix("@"))
        brand = self._accounts.get(handle)
        if brand is not None:
            return Company(brand.name, brand.key, brand.kind, _account(brand, handle))
        brand = self._executives.get(fold(author.name or "").strip())
        if brand is None:
            told = list(affiliations(author.bio))
            left = {name for quote, name, _ in told if fold(quote).startswith(("ex ", "antes "))}
            employers = (self._employers.get(name) for _, name, heads in told if heads and name not in left)
            brand = next((one for one in employers if one is not None), None) or self._led(author.bio or "")
        if brand is None and not speaker.own_account and speaker.entry is None:
            # «Ondavía Wholesale»: an account of a rival that config.toml does not list.
            found = self._rivals.find(f"{author.name or ''} · {author.bio or ''}")
            brand = self.brands[next(iter(found))] if found else None
        if brand is None and speaker.own_account:
            brand = next((one for one in self.brands.values() if one.kind == "own"), None)
        if brand is not None:
            return Company(brand.name, brand.key, brand.kind)
        return Company(speaker.entry or author.name or (f"@{author.handle}" if author.handle else "—"))

    def _led(self, bio: str) -> Brand | None:
        """Find the brand beside whose name a profile writes a title: «Gerenta general de Nítido»."""
        for key, terms in self._every.find(bio[:BIO_LIMIT]).items():
            if any(leads(bio[: term.start]) for term in terms):
                return self.brands[key]
        return None


def _account(brand: Brand, handle: str) -> Account:
    for kind, handles in (
        ("care", brand.care_handles),
        ("sales", brand.sales_handles),
        ("corporate", brand.corporate_handles),
    ):
        if handle in {fold(one.removeprefix("@")) for one in handles}:
            return kind  # type: ignore[return-value]  # the three names stand in the line above
    return "other"
