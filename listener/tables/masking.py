"""Describe the table [masking] of config.toml: who reads a stranger's words whole."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Final

from pydantic import Field

from listener.tables.table import Table

__all__ = ["PUBLIC_MAIL", "Masking"]

# Anybody has an address there, so it says nothing of who reads.
PUBLIC_MAIL: Final = frozenset(
    (
        *(
            "aol.com",
            "bol.com.br",
            "fastmail.com",
            "gmail.com",
            "gmx.com",
            "googlemail.com",
            "hotmail.com",
            "hotmail.es",
        ),
        *("icloud.com", "live.com", "mail.com", "me.com", "msn.com", "outlook.com", "outlook.es", "proton.me"),
        *("protonmail.com", "terra.com.br", "uol.com.br", "yahoo.com", "yahoo.com.ar", "yahoo.com.br", "yahoo.com.mx"),
        *("yahoo.es", "ymail.com", "zoho.com"),
    )
)


class Masking(Table):
    """Say which mail addresses show personal data in quotes; chats say it by `internal` in their own table."""

    domains: list[str] | None = Field(
        None,
        description="mail domains that only your own people read, with all below them; left out: that of [mail] "
        "sender; []: every mail is masked",
    )

    def inside(self, sender: str) -> tuple[str, ...]:
        """Give the domains whose mail is not masked, `sender` being the address we write from."""
        told = self.domains if self.domains is not None else [parseaddr(sender)[1].rpartition("@")[2]]
        folded = (one.strip().lstrip("@").casefold() for one in told)
        return tuple(one for one in folded if one and one not in PUBLIC_MAIL)
