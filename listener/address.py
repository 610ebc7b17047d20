"""Check the web addresses that stand in config.toml."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

__all__ = ["WebAddress", "host_of"]


def host_of(url: str) -> str:
    """Give the host of an address, lower case, "" when it has none."""
    return urlsplit(url).hostname or ""


def _check(url: str) -> str:
    if not url.startswith(("https://", "http://")) or not host_of(url):
        raise ValueError(f"'{url}' is not an address that starts with https://")
    return url.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_check)]  # of an API or a proxy, without the last slash
