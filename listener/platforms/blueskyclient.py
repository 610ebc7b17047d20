"""Ask Bluesky's API through atproto: our gate beneath it, the plain JSON out of it, one login when a token has ended.

API: docs.bsky.app/docs/category/http-reference. Logins are scarce (300 a day), so a session is kept while the program
runs, in memory only.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from listener.dial import open_transport
from listener.errors import NotAllowed, SourceError, Unreadable
from listener.extras import require
from listener.failure import classify, wait_until
from listener.mention import Quota
from listener.raw import dump, read_count
from listener.reason import N_

if TYPE_CHECKING:
    from collections.abc import Iterator

    from listener.egress import Egress

__all__ = ["BlueskyClient", "open_bluesky"]

_SESSIONS: dict[tuple[str, str, str], str] = {}  # server, account and password → session

_NOT_PROMISED = N_("the answer is not what the platform promises")


class BlueskyClient:
    """Ask one server, as an account or as nobody."""

    def __init__(
        self, egress: Egress, source: str, base_url: str, handle: str | None = None, password: str | None = None
    ) -> None:
        library = require("atproto_client", "bluesky", source)
        requests = require("atproto_client.request", "bluesky", source)
        self._models = library.models
        self.source = source
        self._who = (base_url, handle, password) if handle is not None and password is not None else None
        self._headers: Mapping[str, str] = {}
        self._known = False  # whether the library holds a session
        self._request = requests.Request(transport=open_transport(egress, source), trust_env=False, max_redirects=5)
        self._client: Any = library.Client(base_url=base_url, request=self._request)
        self._client.on_session_change(self._keep)

    def get(self, name: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask one query by its name (app.bsky.feed.searchPosts) and give its JSON; raises a SourceError."""
        fresh = False
        if self._who is not None and not self._known:
            fresh = self._log_in(again=False)
        try:
            return self._ask(name, asked)
        except NotAllowed:
            if self._who is None or fresh:
                raise
        # The library renews a token by its own clock only: one that ended earlier is answered by a login, once.
        self._log_in(again=True)
        return self._ask(name, asked)

    def _ask(self, name: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            kind = getattr(self._models, "".join(part[0].upper() + part[1:] for part in name.split(".")))
            answer = self._client.invoke_query(name, params=kind.Params(**asked), output_encoding="application/json")
        except Exception as error:  # noqa: BLE001 - atproto lets ValueError, httpx and pydantic errors through
            raise self._why(error) from None
        self._headers = answer.headers
        if not isinstance(answer.content, dict):
            body = answer.content if isinstance(answer.content, bytes) else dump(answer.content).encode()
            raise Unreadable(self.source, _NOT_PROMISED, body=body)
        return answer.content

    def _log_in(self, *, again: bool) -> bool:
        """Take up the session that is kept, or log in; tell whether it was a login."""
        if self._who is None:
            return False
        kept = None if again else _SESSIONS.get(self._who)
        try:
            if kept is not None:
                self._client.login(session_string=kept, fetch_bsky_profile=False)
            else:
                _SESSIONS.pop(self._who, None)
                self._client.login(self._who[1], self._who[2], fetch_bsky_profile=False)
        except Exception as error:  # noqa: BLE001 - as in _ask
            raise self._why(error) from None
        self._known = True
        return kept is None

    def _keep(self, event: Any, session: Any) -> None:
        if self._who is not None:
            _SESSIONS[self._who] = session.export()

    def _why(self, error: Exception) -> SourceError:
        link: BaseException | None = error
        while link is not None:
            if isinstance(link, SourceError):
                return link
            link = link.__cause__ or link.__context__
        return classify(error, self.source)

    def quota(self, now: datetime) -> Quota | None:
        """Give what the last answer told of the requests that are left."""
        left, limit = (read_count(self._headers.get(f"ratelimit-{name}")) for name in ("remaining", "limit"))
        return None if left is None else Quota(left, limit, wait_until(self._headers, now))

    def close(self) -> None:
        """Close every connection."""
        self._request.close()


@contextmanager
def open_bluesky(
    egress: Egress, source: str, base_url: str, handle: str | None = None, password: str | None = None
) -> Iterator[BlueskyClient]:
    """Open a client and close it in the end; without a handle it asks as nobody. Raises MissingLibrary."""
    client = BlueskyClient(egress, source, base_url, handle, password)
    try:
        yield client
    finally:
        client.close()
