"""Ask X through tweepy on our guarded session: its own waiting is off, and what it raises becomes our own errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from listener.failure import classify, judge
from listener.mention import Quota
from listener.raw import read_count

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["XClient"]

_TWEEPY_BASE = "https://api.twitter.com"  # written into tweepy 4.17
_PULSE = (5.0, 30.0)  # seconds to connect, seconds of silence: X sends a sign of life every 20


class XClient:
    """Hold one session with X: `quota` is what its last answer told of the requests left."""

    def __init__(self, name: str, token: str, base_url: str, egress: Egress) -> None:
        from listener.fetch import open_session

        self.name = name
        self.base_url = base_url
        self.quota: Quota | None = None
        self.session = open_session(egress, name, rewrite={_TWEEPY_BASE: base_url})
        self.session.hooks["response"] = [self._read_quota]
        self._token = token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def ask(self, method: str, *args: Any, **params: Any) -> Any:
        """Call a method of tweepy's Client and give its JSON; raises a SourceError."""
        import tweepy

        return self._call(tweepy.Client, method, *args, **params)

    def ask_rules(self, method: str, *args: Any, **params: Any) -> Any:
        """Call one of the methods with which tweepy's StreamingClient keeps the rules of the stream."""
        import tweepy

        return self._call(tweepy.StreamingClient, method, *args, **params)

    def _call(self, kind: Any, method: str, *args: Any, **params: Any) -> Any:
        client = kind(self._token, return_type=dict, wait_on_rate_limit=False)
        client.session.close()
        client.session = self.session
        try:
            answer = getattr(client, method)(*args, **params)
            return answer.json() if hasattr(answer, "json") else answer
        except Exception as error:  # noqa: BLE001 - tweepy lets ValueError, RecursionError and others through
            raise classify(error, self.name) from None

    def open_stream(self, path: str, params: dict[str, str]) -> requests.Response:
        """Open an endless answer; whoever reads it closes it. Raises a SourceError.

        tweepy's own stream is not used: it connects again without a pause and dies of one broken line.
        """
        headers = {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}
        try:
            response = self.session.get(
                _TWEEPY_BASE + path, params=params, headers=headers, stream=True, timeout=_PULSE
            )
        except Exception as error:  # noqa: BLE001 - as above
            raise classify(error, self.name) from None
        failure = judge(response.status_code, response.headers, self.name)
        if failure is not None:
            response.close()
            raise failure
        return response

    def authorized(self, url: str) -> dict[str, str]:
        """Give the header with the key for an address of X itself, and none for any other place."""
        return {"Authorization": f"Bearer {self._token}"} if url.startswith(self.base_url + "/") else {}

    def _read_quota(self, response: requests.Response, **_: Any) -> None:
        left = read_count(response.headers.get("x-rate-limit-remaining"))
        reset = read_count(response.headers.get("x-rate-limit-reset"))
        if left is not None:
            moment = datetime.fromtimestamp(reset, UTC) if reset is not None and reset < 10**11 else None
            self.quota = Quota(left, read_count(response.headers.get("x-rate-limit-limit")), moment)
