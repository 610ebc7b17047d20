"""Hold what a Facebook page and an Instagram account have in common: handshake, signature, one key, one price."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from listener.mention import Brand, Rejected
from listener.platforms.calls import answer_challenge, is_signed
from listener.platforms.graph import Graph, GraphSettings
from listener.raw import dump, read_text, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from listener.egress import Egress

__all__ = ["NO_TEXT", "NO_TIME", "GraphAccount", "set_aside"]

NO_TEXT = N_("a post without id or text")
NO_TIME = N_("a post without a readable time")
_COST = N_("Meta charges nothing for this; a poll asks at most {requests} times of what your app may ask in an hour.")

S = TypeVar("S", bound=GraphSettings)


def _now() -> datetime:
    return datetime.now(UTC)


class GraphAccount(Generic[S]):
    """Answer for an account of Meta's; whoever inherits says what is read, and how."""

    def __init__(self, name: str, settings: S, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def handshake(self, query: Mapping[str, str]) -> str | None:
        """Give the challenge back when Meta knows our word."""
        return answer_challenge(query, self.settings.verify_token.get_secret_value())

    def signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Tell whether the raw body carries the signature of our app."""
        return is_signed(body, headers, self.settings.app_secret.get_secret_value())

    def hosts(self) -> frozenset[str]:
        """Name the host of the API."""
        return frozenset({urlsplit(self.settings.base_url).hostname or ""})

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say what a poll costs, as a reason that can be worded in any language."""
        return reason(_COST, requests=self.settings.max_pages)

    def _graph(self, timeout: tuple[float, float] | None = None) -> Graph:
        return Graph(self.name, self.settings, self._egress, timeout=timeout)


def set_aside(raw: Any, error: Exception, place: str, kept: Sequence[str]) -> Rejected:
    """Give the rejected item of a raw one that could not be read: its id or place, why, and the fields `kept` of it."""
    known = read_text(within(raw, "id"), 200)
    why = str(error) if str(error) in (NO_TEXT, NO_TIME) else NO_TEXT
    told = {name: raw[name] for name in kept if name in raw} if isinstance(raw, Mapping) else raw
    return Rejected(f"id {known}" if known else place, why, dump(told))
