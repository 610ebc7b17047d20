"""Errors of the wire and of every client library become our own, in plain words and without a secret."""

from __future__ import annotations

import imaplib
from datetime import UTC, datetime, timedelta
from email.message import Message
from types import SimpleNamespace
from typing import Any
from urllib.error import HTTPError

import pytest

from listener.errors import NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.failure import classify, judge, wait_until

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
SECRET = "canary-secret"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30),
        ({"retry-after": "30"}, 30),
        ({"Retry-After": "Mon, 04 May 2026 15:02:00 GMT"}, 120),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "9" * 15}, 3600),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "soon", "x-rate-limit-reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 315_360_000)}, 3600),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) - 10)}, 1),
        ({"x-rate-limit-reset": "never"}, None),
        ({"x-ratelimit-reset": "45.7"}, 45),  # Reddit: seconds from now
        ({"X-RateLimit-Reset": "2026-05-04T15:05:00.000Z"}, 300),  # Mastodon
        ({"RateLimit-Reset": str(int(NOW.timestamp()) + 60)}, 60),  # Bluesky
        ({"X-RateLimit-Reset": "2026-99-99"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_read_however_a_platform_writes_it(headers: dict[str, str], seconds: int | None) -> None:
    told = wait_until(headers, NOW)
    assert (told and told - NOW) == (None if seconds is None else timedelta(seconds=seconds))


def test_a_503_with_a_wait_in_small_letters_is_a_limit() -> None:
    assert isinstance(judge(503, {"retry-after": "5"}, "one"), RateLimited)
    assert isinstance(judge(503, {}, "one"), Unreachable)


def mastodon(name: str, *args: Any) -> Exception:
    import mastodon.errors as errors

    return getattr(errors, name)(*args)  # type: ignore[no-any-return]


def atproto(name: str, status: int | None, content: Any = None, **headers: str) -> Exception:
    import atproto_client.exceptions as errors

    answer = SimpleNamespace(status_code=status, headers=headers, content=content) if status else None
    return getattr(errors, name)(answer)  # type: ignore[no-any-return]


def google(status: int, content: bytes, **headers: str) -> Exception:
    import httplib2
    from googleapiclient.errors import HttpError

    return HttpError(httplib2.Response({"status": str(status), **headers}), content, uri=f"https://x/?key={SECRET}")


def websocket(name: str, **more: Any) -> Exception:
    import websockets.exceptions as errors
    from websockets.datastructures import Headers
    from websockets.http11 import Response

    if name == "InvalidStatus":
        return errors.InvalidStatus(Response(more["status"], "x", Headers({"Retry-After": "20"})))
    if name == "ConnectionClosedError":
        return errors.ConnectionClosedError(None, None)
    return getattr(errors, name)("wss://x", SECRET)  # type: ignore[no-any-return]


def httpx(name: str) -> Exception:
    import httpx

    return getattr(httpx, name)(SECRET)  # type: ignore[no-any-return]


def play(name: str) -> Exception:
    import google_play_scraper.exceptions as errors

    return getattr(errors, name)(SECRET)  # type: ignore[no-any-return]


def mailbox(name: str) -> Exception:
    import imap_tools.errors as errors

    return getattr(errors, name)(("NO", [SECRET.encode()]), "OK")  # type: ignore[no-any-return]


def expired(error: str) -> Any:
    from atproto_client.models.common import XrpcError

    return XrpcError(error=error, message=SECRET)


CASES: list[tuple[Any, type[Exception]]] = [
    (lambda: mastodon("MastodonRatelimitError", "Hit rate limit."), RateLimited),
    (lambda: mastodon("MastodonUnauthorizedError", "Mastodon API returned error", 401, "x", SECRET), NotAllowed),
    (lambda: mastodon("MastodonAPIError", "Mastodon API returned error", 422, "x", SECRET), Unreadable),
    (lambda: mastodon("MastodonServiceUnavailableError", "Mastodon API returned error", 503, "x", ""), Unreachable),
    (lambda: mastodon("MastodonNotFoundError", "Mastodon API returned error", 404, "x", ""), Unreachable),
    (lambda: mastodon("MastodonNetworkError", f"Could not complete request: {SECRET}"), Unreachable),
    (lambda: mastodon("MastodonMalformedEventError", SECRET), Unreadable),
    (lambda: atproto("RateLimitExceededError", 429, None, **{"ratelimit-reset": "9999999999"}), RateLimited),
    (lambda: atproto("UnauthorizedError", 401), NotAllowed),
    (lambda: atproto("BadRequestError", 400, expired("ExpiredToken")), NotAllowed),
    (lambda: atproto("BadRequestError", 400, expired("InvalidRequest")), Unreadable),
    (lambda: atproto("NetworkError", 502), Unreachable),
    (lambda: atproto("NetworkError", None), Unreachable),
    (lambda: atproto("InvokeTimeoutError", None), Unreachable),
    (lambda: google(403, b'{"error": {"errors": [{"reason": "quotaExceeded"}]}}'), RateLimited),
    (lambda: google(403, b'{"error": {"errors": [{"reason": "forbidden"}]}}'), NotAllowed),
    (lambda: google(429, b"", **{"retry-after": "7"}), RateLimited),
    (lambda: google(500, b""), Unreachable),
    (lambda: websocket("InvalidStatus", status=429), RateLimited),
    (lambda: websocket("InvalidStatus", status=502), Unreachable),
    (lambda: websocket("ConnectionClosedError"), Unreachable),
    (lambda: websocket("InvalidURI"), Refused),
    (lambda: httpx("ConnectError"), Unreachable),
    (lambda: httpx("ReadTimeout"), Unreachable),
    (lambda: httpx("RemoteProtocolError"), Unreachable),
    (lambda: httpx("UnsupportedProtocol"), Refused),
    (lambda: httpx("TooManyRedirects"), Unreachable),
    (lambda: play("NotFoundError"), Unreachable),
    (lambda: play("ExtraHTTPError"), Unreachable),
    (lambda: mailbox("MailboxLoginError"), NotAllowed),
    (lambda: mailbox("MailboxFolderSelectError"), Unreadable),
    (lambda: imaplib.IMAP4.abort(SECRET), Unreachable),
    (lambda: HTTPError(f"https://x/{SECRET}", 503, SECRET, Message(), None), Unreachable),
    (lambda: HTTPError(f"https://x/{SECRET}", 404, SECRET, Message(), None), Unreachable),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_an_error_of_any_library_is_one_of_ours_and_tells_no_secret(number: int) -> None:
    make, kind = CASES[number]
    error = classify(make(), "one")
    assert type(error) is kind
    assert SECRET not in str(error)
    assert error.source == "one"


def test_a_wait_that_a_library_carries_is_kept() -> None:
    error = classify(websocket("InvalidStatus", status=429), "one")
    assert isinstance(error, RateLimited)
    assert error.until is not None
    assert timedelta(seconds=15) < error.until - datetime.now(UTC) <= timedelta(seconds=20)
