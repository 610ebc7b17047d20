"""Let Google's API client out through our own gate: it is written for httplib2, our gate for requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from listener.egress import TIMEOUT
from listener.errors import RateLimited, Refused, SourceError, Unreadable
from listener.extras import require
from listener.failure import LIMITED, classify, judge
from listener.raw import read_text, within
from listener.reason import N_

if TYPE_CHECKING:
    import requests

__all__ = ["Declined", "GoogleHTTP", "ask", "open_client"]

_DAY_OF_QUOTA = ZoneInfo("America/Los_Angeles")  # a day's units come back at midnight there
_SPENT = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
_HURRIED = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"})
_BAD_KEY = frozenset({"keyInvalid", "keyExpired", "API_KEY_INVALID", "API_KEY_EXPIRED"})

_ELSEWHERE = N_("the platform points to another address, which a key must not follow")
_NOT_PROMISED = N_("the answer is not what the platform promises")


class Declined(Exception):
    """Say that Google refused a request: `reason` is its own word for why, `failure` ours for the whole source."""

    def __init__(self, reason: str, failure: SourceError) -> None:
        self.reason = reason
        self.failure = failure
        super().__init__(reason)


class GoogleHTTP:
    """Stand in for httplib2.Http: the session's gate checks, times and caps each request; nothing is retried.

    The key travels in a header (X-Goog-Api-Key), so that no address, log line or error text can hold it.
    """

    def __init__(self, session: requests.Session, source: str, key: str, *, now: Callable[[], datetime]) -> None:
        self._session = session
        self.source = source
        self._key = key
        self._now = now

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> tuple[Any, bytes]:
        """Send one request as googleapiclient asks it; raises a SourceError, or Declined for 400 to 499."""
        httplib2 = require("httplib2", "youtube", self.source)

        try:
            answer = self._session.request(
                method,
                uri,
                data=body,
                headers={**(headers or {}), "X-Goog-Api-Key": self._key},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except Exception as error:  # noqa: BLE001 - the caller gets one of our own errors, whatever a library raised
            raise classify(error, self.source) from None
        if answer.is_redirect:
            raise Refused(self.source, _ELSEWHERE)
        if answer.status_code >= 400:
            raise self._declined(answer.status_code, answer.headers, answer.content)
        told = httplib2.Response({key.casefold(): value for key, value in answer.headers.items()})
        told.status = answer.status_code
        return told, answer.content

    def close(self) -> None:
        """Do nothing: the session belongs to the source."""

    def _declined(self, status: int, headers: Mapping[str, str], body: bytes) -> Declined:
        reasons = _reasons(body)
        failure = judge(status, headers, self.source, body=body) or Unreadable(self.source, _NOT_PROMISED, body=body)
        if reasons & _SPENT:
            failure = RateLimited(self.source, LIMITED, until=_next_day(self._now()))
        elif reasons & _HURRIED:
            failure = RateLimited(self.source, LIMITED)
        elif reasons & _BAD_KEY:
            failure = judge(401, {}, self.source) or failure
        return Declined(min(reasons, default=""), failure)


def _reasons(body: bytes) -> set[str]:
    """Collect Google's words for what went wrong, whichever of its two forms of error came."""
    try:
        error = within(json.loads(body), "error")
    except (ValueError, RecursionError):
        return set()
    found: set[str] = set()
    for name in ("errors", "details"):
        parts = within(error, name)
        found |= {read_text(within(part, "reason")) or "" for part in parts} if isinstance(parts, list) else set()
    return (found - {""}) or ({status} if (status := read_text(within(error, "status"))) else set())


def _next_day(now: datetime) -> datetime:
    local = now.astimezone(_DAY_OF_QUOTA)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight.astimezone(UTC)


def open_client(name: str, version: str, http: GoogleHTTP, base_url: str, *, extra: str) -> Any:
    """Build the client of one of Google's APIs from the description that ships inside the library.

    Raises MissingLibrary when the library is not installed.
    """
    discovery = require("googleapiclient.discovery", extra, http.source)
    try:
        return discovery.build(
            name,
            version,
            http=http,
            client_options={"api_endpoint": base_url},
            static_discovery=True,
            cache_discovery=False,
        )
    except Exception as error:  # noqa: BLE001 - the library reads the environment and has errors of its own
        raise classify(error, http.source) from None


def ask(place: Any, params: Mapping[str, Any], source: str) -> Any:
    """Ask a place of an API (`client.comments()`) for one list; raises Declined when Google says no."""
    try:
        return place.list(**params).execute(num_retries=0)
    except Declined:
        raise
    except Exception as error:  # noqa: BLE001 - googleapiclient lets AttributeError, ValueError and others through
        raise classify(error, source) from None
