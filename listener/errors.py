"""Draw the whole tree of what can go wrong; each message says what, where, what is safe and what to do next.

EscuchaError
├── ConfigError(faults)        config.toml: every fault at once
├── StoreError                 the database cannot be opened or is of another version
├── SourceError(source)
│   ├── RateLimited(until)     the clock waits; not a failure
│   ├── NotAllowed             key wrong or plan too small; stop this source and say so
│   ├── Unreachable            no answer, 5xx, a broken line: try again later
│   ├── Unreadable             an answer that is not what the platform promises (HTML, empty, truncated)
│   ├── Refused                an address that the egress list does not allow
│   └── MissingLibrary         the source's own library is an extra that is not installed
├── ClassifierError            a model is missing or damaged
└── DeliveryError(retry, until) a channel did not take the message; retry says whether later may help, and from when
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

__all__ = [
    "ClassifierError",
    "ConfigError",
    "DeliveryError",
    "EscuchaError",
    "Fault",
    "MissingLibrary",
    "NotAllowed",
    "RateLimited",
    "Refused",
    "SourceError",
    "StoreError",
    "Unreachable",
    "Unreadable",
]


class EscuchaError(Exception):
    """Stand above every error that this program raises on purpose."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Hold one fault of a configuration: where it stands, what is wrong, what to do."""

    where: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"[{self.where}] {self.what}" + (f"; {self.hint}" if self.hint else "")


class ConfigError(EscuchaError):
    """Report every fault of a configuration together."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class StoreError(EscuchaError):
    """Say that the database cannot be used as it is."""


class SourceError(EscuchaError):
    """Say that a source brought nothing, or not all; the cursor stays where it was."""

    kind = "failed"

    def __init__(self, source: str, message: str, *, body: bytes = b"") -> None:
        self.source = source
        self.body = body[:65536]  # kept in quarantine, so that a person can see what came
        super().__init__(message)


class RateLimited(SourceError):
    """Say that the platform asked to wait; `until` is aware UTC or None when it did not say."""

    kind = "limited"

    def __init__(self, source: str, message: str, *, until: datetime | None = None) -> None:
        self.until = until
        super().__init__(source, message)


class NotAllowed(SourceError):
    """Say that the key is wrong, expired, or the plan too small."""

    kind = "not allowed"


class Unreachable(SourceError):
    """Say that no usable answer came; the next poll tries again."""

    kind = "unreachable"


class Unreadable(SourceError):
    """Say that what came is not what the platform promises: a failure, never «no mentions»."""

    kind = "unreadable"


class Refused(SourceError):
    """Say that the address is not on the egress list, or points inside the network."""

    kind = "refused"


class MissingLibrary(SourceError):
    """Say which extra brings the library that a source of this kind works with."""

    kind = "not installed"

    def __init__(self, source: str, library: str, extra: str) -> None:
        self.extra = extra
        super().__init__(source, f"source '{source}' needs {library}: pip install 'escucha[{extra}]'")


class ClassifierError(EscuchaError):
    """Say that a model is missing or damaged, and what is used meanwhile."""


class DeliveryError(EscuchaError):
    """Say that a channel did not take a message; `retry` tells whether a later try may help.

    `until` (aware UTC) is the time before which the channel asked not to be tried; None when it did not say.
    """

    def __init__(self, message: str, *, retry: bool = True, until: datetime | None = None) -> None:
        self.retry = retry
        self.until = until
        super().__init__(message)
