"""Ask a Mastodon server through Mastodon.py: every request passes our gate, its errors become ours, no wait of its own.

API: docs.joinmastodon.org/methods. Answers are read as the JSON that came, so that one odd item loses nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from listener.errors import NotAllowed, SourceError, Unreachable, Unreadable
from listener.extras import require
from listener.failure import TOO_SLOW, classify, judge, wait_until
from listener.mention import Quota
from listener.raw import read_count, within
from listener.reason import N_

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["SILENCE", "Event", "MastodonClient"]

Event = tuple[str, Any]  # name of the event (update, status.update, delete) and what it carries

_CONNECT = 5.0
SILENCE = 45.0  # seconds; the server sends a heartbeat every fifteen

_NOT_PROMISED = N_("the answer is not what the platform promises")
_TOKEN_NEEDED = N_("this server asks for a token")


class MastodonClient:
    """Hold one connection to a server; close it when done (or use `with`)."""

    def __init__(self, egress: Egress, source: str, base_url: str, token: str | None) -> None:
        from listener.fetch import open_session

        library = require("mastodon", "mastodon", source)
        self.source = source
        self.answer: requests.Response | None = None
        self._library = library
        self._session = open_session(egress, source)
        self._session.hooks["response"] = [self._keep]
        self._stopped = False
        self.api: Any = library.Mastodon(
            api_base_url=base_url,
            access_token=token,
            version_check_mode="none",
            ratelimit_method="throw",
            request_timeout=None,  # the gate's own
            session=self._session,
            user_agent="Escucha (reputation monitor)",
        )

    def _keep(self, response: requests.Response, **_: Any) -> None:
        self.answer = response
        if self._stopped:
            response.close()

    def ask(self, call: Callable[[Any], Any]) -> Any:
        """Make one call of the library's and give the JSON that came; raises a SourceError."""
        self.answer = None
        try:
            call(self.api)
        except Exception as error:  # noqa: BLE001 - the library lets AttributeError and others through
            failure = self._why(error)
            if failure is not None:
                raise failure from None
        body = self._body()
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise Unreadable(self.source, _NOT_PROMISED, body=body) from None

    def quota(self, now: datetime) -> Quota | None:
        """Give what the last answer told of the requests that are left."""
        if self.answer is None:
            return None
        told = self.answer.headers
        left, limit = (read_count(told.get(f"X-RateLimit-{name}")) for name in ("Remaining", "Limit"))
        resets_at = wait_until({"x-ratelimit-reset": told.get("X-RateLimit-Reset") or ""}, now)
        return None if left is None else Quota(left, limit, resets_at)

    def is_missing(self) -> bool:
        """Tell whether the last answer was the API's own «no such record», and not another 404."""
        if self.answer is None or self.answer.status_code not in (404, 410):
            return False
        try:
            return isinstance(within(json.loads(self.answer.content), "error"), str)
        except (ValueError, RecursionError):
            return False

    def _why(self, error: Exception) -> SourceError | None:
        """Give what lies behind an error of the library's; None when only its own reading of a good answer failed."""
        link: BaseException | None = error
        while link is not None:
            if isinstance(link, SourceError):
                return link
            if type(link).__module__.partition(".")[0] in ("requests", "urllib3") and isinstance(link, Exception):
                return classify(link, self.source)
            link = link.__cause__ or link.__context__
        if self.answer is None:
            return classify(error, self.source)
        status = self.answer.status_code
        if status == 422:
            return NotAllowed(self.source, _TOKEN_NEEDED)
        return judge(status, self.answer.headers, self.source, body=self._body())

    def _body(self) -> bytes:
        """Give the body of the last answer as far as the gate has read it; of a stream it has read nothing."""
        content = getattr(self.answer, "_content", None)
        return content if isinstance(content, bytes) else b""

    def listen(self, call: Callable[[Any, Any], Any], put: Callable[[Event], None]) -> None:
        """Run one stream of the library's until it ends; each event is given to `put`. Raises a SourceError."""
        library, source = self._library, self.source

        class Ear(library.StreamListener):  # type: ignore[misc, name-defined]
            def on_any_event(self, name: str, data: Any = None) -> None:
                put((name, data))

            def on_unknown_event(self, name: str, unknown_event: Any = None) -> None:
                pass

        self.api.request_timeout = _CONNECT
        try:
            call(self.api, Ear())  # which gives the library SILENCE as its time-out
        except Exception as error:
            if self._stopped or type(error).__module__.startswith("listener.platforms.live"):
                raise
            if isinstance(error, library.MastodonMalformedEventError):
                body = next((part for part in error.args[1:] if isinstance(part, str)), "")
                raise Unreadable(source, _NOT_PROMISED, body=body.encode("utf-8", "replace")) from None
            if type(error).__name__ == "MastodonReadTimeout":  # which the library does not export
                raise Unreachable(source, TOO_SLOW) from None
            raise (self._why(error) or classify(OSError(), source)) from None
        finally:
            if self.answer is not None:
                self.answer.close()  # the library leaves it open when it is refused
        raise classify(OSError(), source)  # a stream has no end of its own

    def stop(self) -> None:
        """End a stream that another thread reads."""
        self._stopped = True
        answer = self.answer
        if answer is not None:
            with suppress(ValueError, RuntimeError, OSError):  # it has ended meanwhile
                answer.raw.shutdown()  # a mere close would leave the reading thread where it waits

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def __enter__(self) -> MastodonClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
