"""Turn whatever goes wrong on the wire, in any client library, into one of our own errors in plain words."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError

from listener.errors import NotAllowed, RateLimited, Refused, SourceError, Unreachable, Unreadable
from listener.reason import N_, say, words

__all__ = ["BAD_ADDRESS", "LIMITED", "TOO_SLOW", "classify", "judge", "wait_until", "worded"]

_SHORTEST = timedelta(seconds=1)
_LONGEST = timedelta(hours=1)

LIMITED = N_("the platform asks to wait")
_KEY_REFUSED = N_("the platform does not accept the key")
_PLAN_REFUSED = N_("the platform does not allow this with the present plan or permissions")
_NO_CREDIT = N_("the platform's credit is used up")
_SERVER_FAILED = N_("the platform has a fault of its own")
_NOT_THERE = N_("nothing stands at this address")
_QUESTION_REFUSED = N_("the platform did not understand the question")
TOO_SLOW = N_("the answer took too long")
_NO_CONNECTION = N_("no connection, or it broke in the middle of the answer")
_NO_TRUST = N_("the connection is not safe: the certificate cannot be trusted")
_TOO_MANY_HOPS = N_("the address points from one place to the next too often")
BAD_ADDRESS = N_("the address is not one that can be fetched")
_INSIDE = N_("the address points inside the network, which is not allowed")
_NOT_PROMISED = N_("the answer is not what the platform promises")


def wait_until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Tell until when a platform asks to wait; None if it does not say (Retry-After of RFC 9110, 10.2.3, or a reset).

    The time lies between one second and one hour after `now`, however absurd the header is.
    """
    told = {name.lower(): str(value) for name, value in headers.items()}
    seconds = _seconds(told.get("retry-after"), now)
    if seconds is None and (reset := _whole(told.get("x-rate-limit-reset"))) is not None:  # X: seconds since 1970
        seconds = reset - int(now.timestamp())
    for name in ("x-ratelimit-reset", "ratelimit-reset"):  # Reddit: from now; Bluesky: since 1970; Mastodon: ISO 8601
        seconds = _seconds(told.get(name), now) if seconds is None else seconds
    if seconds is None:
        return None
    return now + min(max(timedelta(seconds=max(min(seconds, 10**6), 0)), _SHORTEST), _LONGEST)


def _seconds(text: str | None, now: datetime) -> int | None:
    """Read a wait as whole seconds from now, seconds since 1970, a date of HTTP or one of ISO 8601."""
    text = (text or "").strip()
    if not text:
        return None
    if (number := _whole(text)) is not None:
        return number - int(now.timestamp()) if number >= 10**9 else number
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            return int((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def worded(message: str, lang: str) -> str:
    """Word the message of a SourceError in a language: "place: sentence; place: sentence", as sources write it."""
    return "; ".join(_worded(part, lang) for part in message.split("; "))


def _worded(part: str, lang: str) -> str:
    place = ""
    while part not in words(lang) and ": " in part:
        start, _, part = part.partition(": ")
        place += f"{start}: "
    return place + (say(part, lang) if part in words(lang) else part)


def _whole(text: str | None) -> int | None:
    text = (text or "").strip().partition(".")[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def judge(status: int, headers: Mapping[str, str], source: str, *, body: bytes = b"") -> SourceError | None:
    """Give the error that an HTTP status stands for, or None when the answer may be read."""
    if status == 429 or (status == 503 and "retry-after" in {name.lower() for name in headers}):
        return RateLimited(source, LIMITED, until=wait_until(headers, datetime.now(UTC)))
    if status >= 500:
        return Unreachable(source, _SERVER_FAILED, body=body)
    if status == 401:
        return NotAllowed(source, _KEY_REFUSED)
    if status == 402:
        return NotAllowed(source, _NO_CREDIT)
    if status in (403, 451):
        return NotAllowed(source, _PLAN_REFUSED)
    if status in (404, 410):
        return Unreachable(source, _NOT_THERE)
    if status >= 400:
        return Unreadable(source, _QUESTION_REFUSED, body=body)
    if status >= 300 and status != 304:
        return Unreachable(source, _TOO_MANY_HOPS)
    return None


def classify(error: Exception, source: str) -> SourceError:
    """Give our own error for any exception of a client library, of requests and its kin, or of Python itself.

    The message is a catalogue sentence: it carries no token, no query string and nothing that a stranger wrote.
    """
    if isinstance(error, SourceError):
        return error
    original = getattr(error, "original_exception", None)  # prawcore wraps what requests raised
    if isinstance(original, Exception):
        return classify(original, source)
    library = type(error).__module__.partition(".")[0]
    if library in ("tweepy", "prawcore", "praw"):
        return _from_client(error, source)
    if library in ("requests", "urllib3", "requests_hardened"):
        return _from_requests(error, source)
    if library in _OTHERS or isinstance(error, HTTPError):
        return _from_others(error, source)
    if isinstance(error, TimeoutError):
        return Unreachable(source, TOO_SLOW)
    if isinstance(error, (OSError, http.client.HTTPException)):
        return Unreachable(source, _NO_CONNECTION)
    body = error.doc.encode("utf-8", "replace") if isinstance(error, json.JSONDecodeError) else b""
    return Unreadable(source, _NOT_PROMISED, body=body)


_OTHERS = frozenset(
    (
        *(
            "atproto",
            "atproto_client",
            "atproto_core",
            "google_play_scraper",
            "googleapiclient",
            "httpcore",
            "httplib2",
        ),
        *("httpx", "imap_tools", "imaplib", "mastodon", "websockets"),
    )
)
_SPENT = (b"quotaExceeded", b"rateLimitExceeded", b"dailyLimitExceeded", b"userRateLimitExceeded")  # Google's 403
_KEYS = ("Login", "Unauthorized", "ExpiredToken", "InvalidToken")
_LINES = ("Network", "Connect", "Closed", "Transport", "Socket", "ServerNotFound", "Read", "Write", "Remote", "abort")
_ADDRESSES = ("InvalidURI", "InvalidURL", "UnsupportedProtocol")


def _from_others(error: Exception, source: str) -> SourceError:
    """Judge by the HTTP answer where the error carries one, else by the name of its class.

    These libraries are extras: naming their classes here would import them.
    """
    name = " ".join(kind.__name__ for kind in type(error).__mro__ if kind.__module__ not in ("builtins", "abc"))
    status, headers, body = _answer_of(error)
    if status is not None:
        if status == 400 and any(word.encode() in body for word in _KEYS):  # atproto: a token that is no longer good
            return NotAllowed(source, _KEY_REFUSED)
        if status == 403 and any(word in body for word in _SPENT):
            return RateLimited(source, LIMITED, until=wait_until(headers, datetime.now(UTC)))
        judged = judge(status, headers, source, body=body)
        return judged or Unreadable(source, _NOT_PROMISED, body=body)
    if "Ratelimit" in name or "RateLimit" in name:
        return RateLimited(source, LIMITED)
    if "NotFoundError" in name and "google_play" in type(error).__module__:
        return Unreachable(source, _NOT_THERE)
    if any(word in name for word in _KEYS):
        return NotAllowed(source, _KEY_REFUSED)
    if "Timeout" in name:
        return Unreachable(source, TOO_SLOW)
    if "TooManyRedirects" in name:
        return Unreachable(source, _TOO_MANY_HOPS)
    if any(word in name for word in _ADDRESSES):
        return Refused(source, BAD_ADDRESS)
    if any(word in name for word in _LINES) or "ExtraHTTPError" in name:
        return Unreachable(source, _NO_CONNECTION)
    return Unreadable(source, _NOT_PROMISED)


def _answer_of(error: Any) -> tuple[int | None, Mapping[str, str], bytes]:
    """Give status, headers and body of the HTTP answer that an error carries; None without one."""
    answer = getattr(error, "response", None) or getattr(error, "resp", None) or error
    told = (getattr(answer, name, None) for name in ("status_code", "status"))
    args = error.args[1:2] if type(error).__module__.partition(".")[0] == "mastodon" else ()
    status = next((one for one in (*told, *args) if type(one) is int and 100 <= one < 600), None)
    headers: Any = answer if isinstance(answer, Mapping) else getattr(answer, "headers", None)
    body = getattr(error, "content", None) or getattr(answer, "content", None) or getattr(answer, "body", None)
    if body is not None and not isinstance(body, bytes):  # atproto reads it into a record of its own
        body = f"{getattr(body, 'error', '')}".encode("utf-8", "replace")
    plain = {str(key): str(value) for key, value in headers.items()} if hasattr(headers, "items") else {}
    return status, plain, body or b""


def _from_client(error: Exception, source: str) -> SourceError:
    """Judge by the HTTP answer that the library's error carries."""
    answer: Any = getattr(error, "response", None)
    status = getattr(answer, "status_code", None)
    if type(error).__name__ in ("OAuthException", "InvalidToken", "InsufficientScope"):
        return NotAllowed(source, _KEY_REFUSED)
    if not isinstance(status, int):
        return Unreadable(source, _NOT_PROMISED)
    body = getattr(answer, "content", b"") or b""
    return judge(status, answer.headers, source, body=body) or Unreadable(source, _NOT_PROMISED, body=body)


def _from_requests(error: Exception, source: str) -> SourceError:
    from requests import exceptions as web
    from requests_hardened.ip_filter import InvalidIPAddress
    from urllib3 import exceptions as wire

    if isinstance(error, InvalidIPAddress):
        return Refused(source, _INSIDE)
    if isinstance(error, (web.InvalidSchema, web.InvalidURL, web.MissingSchema, wire.LocationValueError)):
        return Refused(source, BAD_ADDRESS)
    if isinstance(error, web.JSONDecodeError):
        return Unreadable(source, _NOT_PROMISED, body=str(error.doc).encode("utf-8", "replace"))
    if isinstance(error, (web.ContentDecodingError, wire.DecodeError)):
        return Unreadable(source, _NOT_PROMISED)
    if isinstance(error, web.TooManyRedirects):
        return Unreachable(source, _TOO_MANY_HOPS)
    if isinstance(error, (web.SSLError, wire.SSLError)):
        return Unreachable(source, _NO_TRUST)
    if isinstance(error, (web.Timeout, wire.TimeoutError)):
        return Unreachable(source, TOO_SLOW)
    return Unreachable(source, _NO_CONNECTION)
