"""Guard the way out of libraries that do not use requests: sockets and httpx, by the rules of listener/egress.py."""

from __future__ import annotations

import ipaddress
import socket
import time
import zlib
from typing import TYPE_CHECKING, Any

from listener.egress import LIMIT, TIMEOUT, Egress
from listener.errors import Refused, SourceError, Unreachable, Unreadable
from listener.failure import BAD_ADDRESS, TOO_SLOW, classify, judge
from listener.reason import N_

if TYPE_CHECKING:
    import httpx

__all__ = ["check_host", "connect", "open_httpx", "open_transport"]

_SECONDS = 60.0  # for a whole answer, from the first byte sent to the last byte read
_HOPS = 5
_CHUNK = 65536
_CODINGS = {"": None, "identity": None, "gzip": 31, "x-gzip": 31, "deflate": 47}  # zlib's wbits

_UNLISTED = N_("this host is not on the list of those that may be reached")
_INSIDE = N_("the address points inside the network, which is not allowed")
_TOO_LARGE = N_("the answer is larger than allowed")
_NO_TRUST = N_("the connection is not safe: the certificate cannot be trusted")
_NOT_PROMISED = N_("the answer is not what the platform promises")

Address = tuple[int, tuple[Any, ...]]  # family and socket address, as getaddrinfo gives them


def check_host(egress: Egress, host: str, port: int, source: str) -> tuple[Address, ...]:
    """Give the addresses of a host that may be reached: it is listed, and every address is public or it is `inside`.

    Raises Refused, or Unreachable when the name cannot be resolved.
    """
    plain = host.strip("[]").rstrip(".")
    if not plain or any(sign <= " " or sign in "/\\@?#" for sign in plain) or not 0 < port < 65536:
        raise Refused(source, BAD_ADDRESS)
    if not egress.allows(plain):
        raise Refused(source, f"{plain}: {_UNLISTED}")
    try:
        found = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise classify(OSError(), source) from None
    places = tuple((int(family), tuple(place)) for family, _, _, _, place in found)
    known = Egress(egress.inside).allows(plain)
    # Every address must be public: a name with one public and one private address may be meant to get past a check.
    if not known and any(_is_inside(str(place[0])) for _, place in places):
        raise Refused(source, _INSIDE)
    return places


def _is_inside(text: str) -> bool:
    from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES

    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return (
        address.is_private
        or address.is_multicast
        or address.is_reserved
        or any(address in net for net in EXTRA_BLOCKED_NET_RANGES if net.version == address.version)
    )


def connect(egress: Egress, host: str, port: int, source: str, timeout: float = TIMEOUT[0]) -> socket.socket:
    """Open a TCP connection to one of the addresses that were checked, so that DNS cannot change its mind between.

    The socket keeps `timeout` (seconds) until its owner sets another. Raises Refused or Unreachable.
    """
    failure: OSError = OSError()
    for family, place in check_host(egress, host, port, source):
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(timeout)
            opened.connect(place)
        except OSError as error:
            opened.close()
            failure = error
        else:
            return opened
    raise classify(failure, source) from None


def open_transport(egress: Egress, source: str, *, seconds: float = _SECONDS) -> httpx.BaseTransport:
    """Give the transport of `open_httpx` alone, for a library that makes its own httpx.Client."""
    import httpx

    inner: dict[str, httpx.HTTPTransport] = {}  # one a host: two hosts at one address must not share a TLS connection

    class Gate(httpx.BaseTransport):
        """Let a request out only after its address was checked, to that address; cap size and time of the answer."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            began = time.monotonic()
            egress.check(str(request.url), source)
            host = request.url.raw_host.decode("ascii")
            port = request.url.port or (443 if request.url.scheme == "https" else 80)
            addresses = check_host(egress, host, port, source)
            request.read()
            request.headers["Accept-Encoding"] = "gzip"  # what this file can unpack piece by piece
            sent = httpx.Request(
                request.method,
                # The name stays in the Host header and in the TLS handshake; the connection goes to the address.
                request.url.copy_with(host=str(addresses[0][1][0])),
                headers=request.headers,
                content=request.content,
                extensions={**request.extensions, "sni_hostname": host, "timeout": _timeout().as_dict()},
            )
            if host not in inner:
                inner[host] = httpx.HTTPTransport(trust_env=False, retries=0)
            try:
                answer = inner[host].handle_request(sent)
                try:
                    body = b"" if answer.has_redirect_location else _read(answer, source, began + seconds)
                finally:
                    answer.close()
            except SourceError:
                raise
            except Exception as error:  # noqa: BLE001 - httpx, httpcore, h11, ssl and zlib each have their own
                raise _classify(error, source) from None
            if answer.status_code == 429 or answer.status_code >= 500:
                failure = judge(answer.status_code, answer.headers, source, body=body)
                raise failure or Unreadable(source, _NOT_PROMISED, body=body)
            dropped = ("content-encoding", "content-length", "transfer-encoding")
            headers = [(key, value) for key, value in answer.headers.multi_items() if key.lower() not in dropped]
            return httpx.Response(answer.status_code, headers=headers, content=body, request=request)

        def close(self) -> None:
            for one in inner.values():
                one.close()

    return Gate()


def open_httpx(egress: Egress, source: str, *, seconds: float = _SECONDS, redirects: bool = True) -> httpx.Client:
    """Open an httpx client whose every request, and redirect, passes the gate: 10 MB decoded, `seconds` an answer.

    Raises RateLimited on 429, Unreachable on 5xx, on silence and on broken answers, Refused and Unreadable; proxies
    and .netrc of the environment are ignored.
    """
    import httpx

    return httpx.Client(
        transport=open_transport(egress, source, seconds=seconds),
        timeout=_timeout(),
        trust_env=False,
        follow_redirects=redirects,
        max_redirects=_HOPS,
        headers={"User-Agent": "Escucha (reputation monitor)"},
    )


def _timeout() -> httpx.Timeout:
    import httpx

    return httpx.Timeout(TIMEOUT[1], connect=TIMEOUT[0])


def _read(answer: httpx.Response, source: str, deadline: float) -> bytes:
    """Read a body up to LIMIT decoded bytes; it is unpacked by pieces, so that a bomb is noticed before it is large."""
    coding = answer.headers.get("content-encoding", "").strip().lower()
    if coding not in _CODINGS:
        raise Unreadable(source, _NOT_PROMISED)
    bits = _CODINGS[coding]
    unpacker = zlib.decompressobj(bits) if bits is not None else None
    body = bytearray()
    for chunk in answer.iter_raw():  # as it comes; a chunk size would wait until so much has come
        rest = chunk
        while rest:
            body += unpacker.decompress(rest, _CHUNK) if unpacker is not None else rest
            rest = unpacker.unconsumed_tail if unpacker is not None else b""
            if len(body) > LIMIT:
                raise Unreadable(source, _TOO_LARGE, body=bytes(body[:1000]))
        if time.monotonic() > deadline:
            raise Unreachable(source, TOO_SLOW)
    if unpacker is not None and body and not unpacker.eof:
        raise classify(OSError(), source)  # the end is missing
    return bytes(body)


def _classify(error: Exception, source: str) -> SourceError:
    import httpx

    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Unreachable(source, _NO_TRUST)
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(source, TOO_SLOW)
    if isinstance(error, httpx.TransportError):
        return classify(OSError(), source)
    return classify(error, source)
