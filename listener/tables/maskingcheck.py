"""Check the table [masking]: a domain that is none, or that everybody shares, would show personal data to strangers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from listener.errors import Fault
from listener.tables.masking import PUBLIC_MAIL

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["check_masking"]

_DOMAIN = re.compile(r"(?i)[a-z0-9-]+(\.[a-z0-9-]+)*")


def check_masking(settings: Settings) -> Iterator[Fault]:
    """Find domains of [masking] that are none, and those where anybody has a mailbox."""
    for domain in settings.masking.domains or ():
        bare = domain.strip().lstrip("@").casefold()
        if not _DOMAIN.fullmatch(bare):
            yield Fault("masking", f"domains: '{domain}' is not a domain", "write acme.example")
        elif bare in PUBLIC_MAIL:
            yield Fault("masking", f"domains: anybody has an address at {bare}", "name a domain of your own")
