"""Guard the way out: only listed hosts are reached, none inside the network, with limits of time and size."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from listener.errors import Refused, SourceError, Unreachable, Unreadable
from listener.failure import BAD_ADDRESS, TOO_SLOW, classify, judge
from listener.reason import N_

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["LIMIT", "TIMEOUT", "Egress", "Gate", "egress_of", "open_session", "read_body"]

TIMEOUT = (5.0, 30.0)  # seconds to connect, seconds of silence while reading
_HOPS = 5
LIMIT = 10_000_000  # bytes of a body after decompression
_SECONDS = 60.0  # for a whole answer that a client library asked for

_UNLISTED = N_("this host is not on the list of those that may be reached")
_CREDENTIALS = N_("the address carries a password")
_TOO_LARGE = N_("the answer is larger than allowed")


@dataclass(frozen=True)
class Egress:
    """List the hosts that may be reached: exact names, or ".example.org" for a domain and all below it.

    Names in `inside` may stand at private or loopback addresses: a local server, a feed of the intranet.
    """

    hosts: frozenset[str]
    inside: frozenset[str] = frozenset()

    def allows(self, host: str) -> bool:
        """Tell whether a host is listed."""
        return _listed(host, self.hosts)

    def check(self, url: str, source: str) -> None:
        """Raise Refused for an address that must not be asked: another scheme, a host not listed, credentials in it."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".")
            _ = parts.port  # a port that is no number raises here
        except ValueError:
            raise Refused(source, BAD_ADDRESS) from None
        if parts.scheme not in ("http", "https") or not host or "\\" in url or any(sign <= " " for sign in url):
            raise Refused(source, BAD_ADDRESS)
        if "@" in parts.netloc:
            raise Refused(source, _CREDENTIALS)
        if not self.allows(host):
            raise Refused(source, f"{host}: {_UNLISTED}")


def _listed(host: str, names: frozenset[str]) -> bool:
    host = host.casefold().rstrip(".")
    parts = host.split(".")
    return host in names or any("." + ".".join(parts[at:]) in names for at in range(len(parts)))


def egress_of(config: Config) -> Egress:
    """Give the hosts that a configuration allows: those its sources name, and those of [egress]."""
    from listener.sources import load

    table = config.settings.egress
    hosts = {host.casefold() for host in (*table.hosts, *table.inside)}
    for name, settings in config.sources.items():
        hosts |= load(name, settings, Egress(frozenset())).hosts()
    return Egress(frozenset(hosts), frozenset(host.casefold() for host in table.inside))


def read_body(response: requests.Response, source: str, limit: int, deadline: float) -> bytes:
    """Read a streamed body up to `limit` decoded bytes and until `deadline` (time.monotonic()).

    Raises Unreadable when it is larger, Unreachable when it is late, short or broken.
    """
    parts: list[bytes] = []
    size = 0
    try:
        # read1 returns what has come, so that a body that drips is noticed; it decompresses no more than it returns.
        while chunk := response.raw.read1(65536, decode_content=True):
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                raise Unreadable(source, _TOO_LARGE, body=b"".join(parts)[:1000])
            if time.monotonic() > deadline:
                raise Unreachable(source, TOO_SLOW)
    except (Unreadable, Unreachable):
        raise
    except Exception as error:  # noqa: BLE001 - urllib3, http.client and zlib each have their own
        raise classify(error, source) from None
    finally:
        response.close()
    return b"".join(parts)


class _Checked(IPFilterAdapter):  # type: ignore[misc]
    """Connect only to the public address that was checked: it is pinned, so DNS cannot change its mind."""


class Gate(BaseAdapter):
    """Let a request of any library out only after its address, and each redirect's, was checked; cap what comes back.

    A 429 and a 5xx are raised as our own errors, so that no client library sleeps or retries on its own.
    """

    def __init__(self, egress: Egress, source: str, rewrite: Mapping[str, str]) -> None:
        super().__init__()
        self.egress = egress
        self.source = source
        self.rewrite = dict(rewrite)
        self._inside = HTTPAdapter()
        self._outside = {scheme: _Checked(is_https_proto=scheme == "https") for scheme in ("http", "https")}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send one request; raises a SourceError."""
        began = time.monotonic()
        request = self._rewritten(request)
        url = request.url or ""
        self.egress.check(url, self.source)
        parts = urlsplit(url)
        known = _listed(parts.hostname or "", self.egress.inside)
        adapter = self._inside if known else self._outside[parts.scheme]
        try:
            response = adapter.send(
                request, stream=True, timeout=timeout or TIMEOUT, verify=verify, cert=cert, proxies={}
            )
        except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets one of our own errors
            raise classify(error, self.source) from None
        if response.is_redirect:
            response.close()
            _fill(response, b"")  # nobody reads the page behind a redirect, so nobody can fill memory with it
        elif (status := response.status_code) == 429 or status >= 500:
            body = _told(response, self.source, began + _SECONDS)
            response.close()
            failure = judge(status, response.headers, self.source, body=body)
            if failure is not None:
                failure.body = body  # some platforms say in the body how long to wait
                raise failure
        elif not stream:
            _fill(response, read_body(response, self.source, LIMIT, began + _SECONDS))
        return response

    def close(self) -> None:
        """Close every connection."""
        self._inside.close()
        for adapter in self._outside.values():
            adapter.close()

    def _rewritten(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        for start, other in self.rewrite.items():
            rest = (request.url or "").removeprefix(start)
            if rest != request.url and (not rest or rest[0] in "/?#"):
                request = request.copy()
                request.url = other.rstrip("/") + rest
                break
        return request


def _told(response: requests.Response, source: str, deadline: float) -> bytes:
    """Read what stands in a refusal; one that asks us to wait counts even when its body breaks."""
    try:
        return read_body(response, source, 65536, deadline)
    except SourceError:
        if response.status_code != 429:
            raise
        return b""


def _fill(response: requests.Response, body: bytes) -> None:
    response._content = body
    response._content_consumed = True  # type: ignore[attr-defined]


def open_session(egress: Egress, source: str, *, rewrite: Mapping[str, str] | None = None) -> requests.Session:
    """Open a session whose every request passes the Gate, also when tweepy or prawcore makes it.

    `rewrite` maps the start of an address ("https://api.twitter.com") to another one; the check is on the other one.
    Proxies and .netrc of the environment are ignored, cookies are not kept.
    """
    from http.cookiejar import DefaultCookiePolicy

    session = requests.Session()
    session.trust_env = False
    session.max_redirects = _HOPS
    session.headers["User-Agent"] = "Escucha (reputation monitor)"
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    session.mount("", Gate(egress, source, rewrite or {}))
    return session
