"""Ask Meta's Graph API: one gated request at a time, its errors in our words, its usage as a quota.

Source: https://developers.facebook.com/docs/graph-api (paging, error handling, rate limits). The key travels in a
header, never in an address. A page names the next one by an address that holds the key: only its paging token is
taken, never the address itself.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from listener.address import WebAddress
from listener.errors import SourceError, Unreadable
from listener.failure import classify, judge
from listener.mention import Quota
from listener.raw import read_count, read_text, within
from listener.reason import N_

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["GONE", "NOT_PROMISED", "Answer", "Graph", "GraphSettings", "failure_of", "next_of"]

GONE = frozenset({(100, 33), (803, None)})  # codes of an object that is not there, or that this key may not see
_TOKENS = ("after", "until", "since", "offset", "__paging_token")
_USAGES = ("x-app-usage", "x-page-usage", "x-ad-account-usage", "x-business-use-case-usage")

NOT_PROMISED = N_("the answer is not what the platform promises")


class GraphSettings(BaseModel):
    """Say with which keys an account of Meta's is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    app_secret: SecretStr = Field(
        min_length=1, description='the secret of your Meta app, which signs every call: "env:META_APP_SECRET"'
    )
    verify_token: SecretStr = Field(
        min_length=1, description='a word of your own that Meta repeats at the handshake: "env:META_VERIFY_TOKEN"'
    )
    access_token: SecretStr = Field(min_length=1, description='the page\'s long-lived key: "env:META_PAGE_TOKEN"')
    brand: str = Field(min_length=1, description="the key of the brand whose account this is")
    own_posts: bool = Field(default=False, description="true: what the account itself writes is kept too")
    days: int = Field(7, ge=1, le=90, description="how old a post may be for its comments to be caught up")
    page_size: int = Field(25, ge=1, le=100, description="posts a request of the catch-up")
    max_pages: int = Field(40, ge=1, le=1000, description="requests a poll; what is left is read at the next one")
    base_url: WebAddress = Field(
        "https://graph.facebook.com/v24.0", description="the API and its version; a test server"
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold a readable answer; `code` is the (code, subcode) of an error that the caller wanted to see itself."""

    body: Mapping[str, Any]
    quota: Quota | None = None
    code: tuple[int, int | None] | None = None


def next_of(edge: Any, source: str) -> tuple[tuple[str, str], ...] | None:
    """Give the token of the page after this one, None at the end; Unreadable when there is one that cannot be read."""
    link = read_text(within(edge, "paging", "next"), 16384)
    if link is None:
        return None
    after = read_text(within(edge, "paging", "cursors", "after"), 4096)
    try:
        told = dict(parse_qsl(urlsplit(link).query))
    except ValueError:
        told = {}
    token = (("after", after),) if after else tuple((name, told[name]) for name in _TOKENS if name in told)
    if not token:
        raise Unreadable(source, NOT_PROMISED)
    return token


class Graph:
    """Ask the Graph API with one key; use it as a context manager, so that its connections are closed.

    `timeout` (seconds to connect, of silence) is for who cannot wait as long as a poll may.
    """

    def __init__(
        self, source: str, settings: Any, egress: Egress, *, timeout: tuple[float, float] | None = None
    ) -> None:
        from listener.egress import open_session

        self.source = source
        self._base: str = settings.base_url
        self._token: str = settings.access_token.get_secret_value()
        self._secret: str = settings.app_secret.get_secret_value()
        self._timeout = timeout
        self._session: requests.Session = open_session(egress, source)

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def get(self, path: str, params: Mapping[str, str | int], *, spare: frozenset[int] = frozenset()) -> Answer:
        """Ask for an object or edge; an error whose code is in `spare` is given back, every other one is raised.

        Raises RateLimited, NotAllowed, Unreachable, Unreadable or Refused.
        """
        # A stolen key alone is of no use where the app asks for this proof, and some edges want it.
        proof = hmac.new(self._secret.encode(), self._token.encode(), hashlib.sha256).hexdigest()
        try:
            response = self._session.get(
                f"{self._base}/{path}",
                params={**params, "appsecret_proof": proof},
                headers={"Authorization": f"Bearer {self._token}"},
                timeout=self._timeout,
            )
        except Exception as raised:  # noqa: BLE001 - whatever a library raised, the caller gets one of our own errors
            raise self.clean(classify(raised, self.source)) from None
        try:
            told = json.loads(response.content)
        except (ValueError, RecursionError):
            told = None
        error = within(told, "error")
        if isinstance(error, Mapping):
            code = (read_count(error.get("code")) or 0, read_count(error.get("error_subcode")))
            if code[0] in spare:
                return Answer({}, None, code)
            raise self.clean(failure_of(code[0], code[1], response, self.source))
        failure = judge(response.status_code, response.headers, self.source, body=response.content)
        if failure is None and not isinstance(told, Mapping):
            failure = Unreadable(self.source, NOT_PROMISED, body=response.content)
        if failure is not None:
            raise self.clean(failure)
        assert isinstance(told, Mapping)
        return Answer(told, _quota(response.headers))

    def clean(self, failure: SourceError) -> SourceError:
        """Take the key out of a body for the quarantine: Graph repeats it in the address of the next page."""
        from listener.redaction import redact

        if failure.body:
            text = redact(failure.body.decode("utf-8", "replace"), (self._token, self._secret))
            failure.body = text.encode()[:65536]
        return failure

    def look_up(self, ids: Sequence[str], fields: str) -> tuple[dict[str, Any], list[str]]:
        """Ask for many objects at once; give those that are there by id, and the ids of those that are not."""
        if not ids:
            return {}, []
        answer = self.get("", {"ids": ",".join(ids), "fields": fields}, spare=frozenset({100, 803}))
        if answer.code is None:
            there = {one: answer.body[one] for one in ids if isinstance(answer.body.get(one), Mapping)}
            return there, []  # what is left out without an error is not known to be gone
        if len(ids) == 1:
            return {}, list(ids) if answer.code in GONE or answer.code[0] == 803 else []
        half = len(ids) // 2  # one that is gone spoils the whole answer, so it is found by halving
        one, two = self.look_up(ids[:half], fields), self.look_up(ids[half:], fields)
        return one[0] | two[0], one[1] + two[1]


def failure_of(code: int, subcode: int | None, response: Any, source: str) -> SourceError:
    """Turn an error of the Graph API into one of ours (https://developers.facebook.com/docs/graph-api/guides/error-handling)."""
    headers = {} if response is None else dict(response.headers)
    status = 400
    if code in (4, 17, 32, 341, 613) or 80000 <= code <= 80014:
        status = 429
        if (wait := _regain(headers)) is not None:
            headers["Retry-After"] = str(wait * 60)
    elif code in (102, 190):
        status = 401
    elif code in (3, 10, 368) or 200 <= code <= 299 or (code, subcode) in GONE:
        status = 403
    elif code in (1, 2):
        status = 500
    body = b"" if response is None or status in (401, 403, 429) else response.content
    failure = judge(status, headers, source, body=body)
    assert failure is not None
    return failure


def _usages(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Give the objects of the usage headers: percentages of what may be asked, and minutes until one may ask again."""
    for name, text in headers.items():
        if name.casefold() not in _USAGES:
            continue
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            continue
        parts = [told, *(told.values() if isinstance(told, Mapping) else ())]
        for part in parts:
            yield from (one for one in (part if isinstance(part, list) else [part]) if isinstance(one, Mapping))


def _quota(headers: Mapping[str, str]) -> Quota | None:
    """Give what is left of the hour's requests, in percent; None when Graph does not say (it is little used)."""
    names = ("call_count", "total_time", "total_cputime", "acc_id_util_pct")
    used = [count for one in _usages(headers) for name in names if (count := read_count(one.get(name))) is not None]
    if not used:
        return None
    wait = _regain(headers)
    reset = None if not wait else datetime.now(UTC) + timedelta(minutes=min(wait, 1440))
    return Quota(max(0, 100 - max(used)), 100, reset)


def _regain(headers: Mapping[str, str]) -> int | None:
    waits = [read_count(one.get("estimated_time_to_regain_access")) for one in _usages(headers)]
    return max((wait for wait in waits if wait), default=None)
