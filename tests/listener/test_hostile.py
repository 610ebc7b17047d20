"""Hostile feeds and addresses: each is refused or read in under five seconds with less than 50 MB of memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from tests.servers.web import Answer, Asked, Web, serving

ROOT = Path(__file__).resolve().parents[2]
SECONDS, MEMORY = 5.0, 50_000_000
SIZE = 4_900_000

# Markup on which parsers have been found to take quadratic time: as much of each as a feed may be large.
MARKUP = {
    "open comments": "<!--",
    "nested elements": "<div>",
    "open tags": "<a ",
    "open attributes": "<a b='",
    "entities without end": "&#x",
    "open declarations": "<!DOCTYPE ",
    "open sections": "<![CDATA[ ",
    "processing instructions": "<?",
    "scripts": "<script>",
    "half comments": "<!-",
    "lone ampersands": "&",
}

LAUGHS = (
    b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9))
    + b"]><rss><channel><item><title>&j;</title></item></channel></rss>"
)
BLOWUP = (
    b'<!DOCTYPE r [<!ENTITY a "' + b"a" * 100_000 + b'">]><rss><channel><item><title>'
    + b"&a;" * 20_000
    + b"</title></item></channel></rss>"
)  # fmt: skip


def feed(text: str, *, aside: str = "", head: str = "") -> bytes:
    return (
        f"{head}<rss version='2.0'><channel><title>x</title>{aside}<item><title>uno</title>"
        f"<description><![CDATA[{text}]]></description></item></channel></rss>"
    ).encode()


def markup(part: str) -> str:
    return part * (SIZE // len(part))


ENTITY = '<!DOCTYPE r [<!ENTITY x SYSTEM "{}">]>'
BODIES: dict[str, bytes] = {
    **{f"{name} in a text": feed(markup(part).replace("]]>", "")) for name, part in MARKUP.items()},
    **{f"{name} in a feed": feed("dos", aside=markup(part)) for name, part in MARKUP.items()},
    **{f"{name} alone": b"<rss>" + markup(part).encode() for name, part in MARKUP.items()},
    "billion laughs": LAUGHS,
    "quadratic blowup": BLOWUP,
    "a file as an entity": feed("dos", head=ENTITY.format("file:///etc/passwd")).replace(b"uno", b"&x;"),
    "an address as an entity": feed("dos", head=ENTITY.format("TRAP/entity")).replace(b"uno", b"&x;"),
    "a type definition elsewhere": feed("dos", head='<!DOCTYPE rss SYSTEM "TRAP/dtd">'),
    "a parameter entity": feed("dos", head='<!DOCTYPE r [<!ENTITY % x SYSTEM "TRAP/parameter"> %x;]>'),
    "a thousand attributes and more": feed("dos", aside="<a " + "b='c' " * 800_000 + "/>"),
    "many entries": feed("dos", aside="<item/>" * 100_000),
    "deep XML": b"<rss><channel>" + b"<a>" * 300_000,
}

ZEROS = b"\0" * 200_000_000
ENCODED = {
    "a gzip bomb": (gzip.compress(ZEROS, 1), "gzip"),
    "a gzip bomb in a gzip": (gzip.compress(gzip.compress(ZEROS, 1), 9), "gzip, gzip"),
    "a deflate bomb": (zlib.compress(ZEROS, 1), "deflate"),
    "a feed that unpacks to 200 MB": (gzip.compress(b"<rss><channel>" + b"<item/>" * 28_000_000, 1), "gzip"),
}

# Twelve ways to write an address inside the network; {port} is a server's that must never be asked.
INSIDE = (
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://[::1]:{port}/",
    "http://2130706433:{port}/",
    "http://127.1:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://100.64.0.1/",
    "file:///etc/passwd",
)
NAMES = ("127.0.0.1", "localhost", "::1", "2130706433", "127.1", "0x7f.0.0.1", "0.0.0.0", "::ffff:127.0.0.1",
         "169.254.169.254", "10.0.0.1", "100.64.0.1", "")  # fmt: skip


class Reader:
    """Give cases to a process of its own; see hostile_driver.py."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, name: str, url: str, hosts: tuple[str, ...], inside: tuple[str, ...]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        case = {"name": name, "url": url, "hosts": hosts, "inside": inside}
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert told["seconds"] < SECONDS, told
        assert told["grown"] < MEMORY, told
        return told


@pytest.fixture(scope="module")
def read() -> Iterator[Reader]:
    command = [sys.executable, str(Path(__file__).with_name("hostile_driver.py"))]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        reader = Reader(process)
        with serving(lambda asked: Answer(feed("hola"))) as web:
            reader(
                "warm up", web.url, ("127.0.0.1",), ("127.0.0.1",)
            )  # libraries are loaded before anything is measured
        yield reader
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def trap() -> Iterator[Web]:
    """Serve what nobody may ask for."""
    with serving(lambda asked: Answer(feed("root: trapped"))) as web:
        yield web


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_feed_is_read_or_refused_quickly_and_cheaply(name: str, read: Reader, trap: Web) -> None:
    body = BODIES[name].replace(b"TRAP", trap.url.encode())
    with serving(lambda asked: Answer(body)) as web:
        told = read(name, web.url, ("127.0.0.1",), ("127.0.0.1",))
    assert told["outcome"] in ("ok", "unreadable"), told
    assert told["longest"] <= 70_000, told
    if name.endswith("in a text"):
        assert (told["outcome"], told["entries"]) == ("ok", 1), told
    assert trap.asked == []


@pytest.mark.parametrize("name", ENCODED)
def test_a_body_that_unpacks_to_hundreds_of_megabytes_is_refused(name: str, read: Reader) -> None:
    body, coding = ENCODED[name]
    with serving(lambda asked: Answer(body, headers={"Content-Encoding": coding})) as web:
        told = read(name, web.url, ("127.0.0.1",), ("127.0.0.1",))
    assert (told["outcome"], told["entries"]) == ("unreadable", 0), told


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_the_network_is_never_asked_even_when_it_is_listed(
    address: str, read: Reader, trap: Web
) -> None:
    url = address.format(port=trap.url.rpartition(":")[2])
    told = read(address, url, NAMES, ())
    assert (told["outcome"], told["entries"]) == ("refused", 0), told
    assert trap.asked == []


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not listed"])
@pytest.mark.parametrize("address", INSIDE)
def test_a_redirect_to_an_address_inside_the_network_is_never_followed(
    address: str, listed: bool, read: Reader, trap: Web
) -> None:
    target = address.format(port=trap.url.rpartition(":")[2])
    # The server that redirects is one of the intranet's; where it points to is not.
    own = "localhost" if "localhost" not in address else "127.0.0.1"

    def point(asked: Asked) -> Answer:
        return Answer(status=302, headers={"Location": unquote(asked.query["to"])})

    with serving(point) as web:
        url = f"http://{own}:{web.url.rpartition(':')[2]}/?to={quote(target, safe='')}"
        told = read(f"to {address}", url, (*NAMES, own) if listed else (own,), (own,))
        assert len(web.asked) == 1
    assert (told["outcome"], told["entries"]) == ("refused", 0), told
    assert trap.asked == []
