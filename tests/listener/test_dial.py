from __future__ import annotations

import gzip
import resource
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from listener.dial import check_host, connect, open_httpx
from listener.egress import Egress
from listener.errors import RateLimited, Refused, SourceError, Unreachable, Unreadable
from tests.servers.web import Answer, Asked, serving

LOCAL = Egress(frozenset({"127.0.0.1"}), frozenset({"127.0.0.1"}))
INSIDE = [
    *("127.0.0.1", "localhost", "::1", "2130706433", "127.1", "0x7f.0.0.1", "0.0.0.0", "::ffff:127.0.0.1"),
    *("169.254.169.254", "10.0.0.1", "100.64.0.1", "192.168.1.1", "fe80::1", "fd00::1", "224.0.0.1"),
    *("64:ff9b::7f00:1", "240.0.0.1", "::", "2002:7f00:1::"),
]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with open_httpx(LOCAL, "test") as opened:
        yield opened


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Answer each look-up of a name with the next list of addresses; give the names asked for."""
    given, asked = iter(answers), []

    def look_up(host: str, port: Any, *args: Any, **more: Any) -> list[Any]:
        asked.append(host)
        family = {False: socket.AF_INET, True: socket.AF_INET6}
        return [(family[":" in one], socket.SOCK_STREAM, 6, "", (one, port)) for one in next(given)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


# ---- who may be reached


@pytest.mark.parametrize("host", INSIDE)
def test_an_address_inside_the_network_is_refused_even_when_it_is_listed(host: str) -> None:
    with serving(lambda asked: Answer(b"secret")) as web:
        port = int(web.url.rpartition(":")[2])
        listed = Egress(frozenset({host}))
        with pytest.raises(Refused):
            check_host(listed, host, port, "test")
        with pytest.raises(Refused):
            connect(listed, host, port, "test")
        url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
        with open_httpx(listed, "test") as client, pytest.raises(Refused):
            client.get(url)
        assert web.asked == []


@pytest.mark.parametrize("host", [*INSIDE[1:], "evil.example"])
def test_a_redirect_is_checked_like_any_address(host: str) -> None:
    answer = Answer(b"x" * 10, 302)
    everywhere = Egress(LOCAL.hosts | frozenset(INSIDE), LOCAL.inside)
    with serving(lambda asked: answer) as web:
        port = web.url.rpartition(":")[2]
        answer.headers["Location"] = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
        with open_httpx(everywhere, "test") as client, pytest.raises(Refused):
            client.get(web.url)
        assert len(web.asked) == 1


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x"])
def test_another_scheme_is_refused_also_behind_a_redirect(client: httpx.Client, url: str) -> None:
    with serving(lambda asked: Answer(status=302, headers={"Location": url})) as web:
        for start in (url, web.url):
            with pytest.raises((Refused, httpx.UnsupportedProtocol)):
                client.get(start)
        assert len(web.asked) == 1


@pytest.mark.parametrize("host", ["", "evil.example", "127.0.0.1.evil.example", "a b", "127.0.0.1/x", "u@127.0.0.1"])
def test_a_host_that_is_not_listed_or_none_at_all_is_refused(host: str) -> None:
    with pytest.raises(Refused):
        check_host(LOCAL, host, 80, "test")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(Refused):
        check_host(LOCAL, "127.0.0.1", port, "test")


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Egress(frozenset({"mail.example"}))
    resolving(monkeypatch, ["93.184.215.14"], ["93.184.215.14", "10.0.0.1"])
    assert check_host(listed, "mail.example", 993, "test") == ((socket.AF_INET, ("93.184.215.14", 993)),)
    with pytest.raises(Refused):
        check_host(listed, "mail.example", 993, "test")


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that changes its mind between check and connection gets nobody inside."""
    reached: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, place: reached.append(place))
    listed = Egress(frozenset({"rebind.example"}))
    asked = resolving(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    connect(listed, "rebind.example", 80, "test").close()
    assert (reached, asked) == ([("93.184.215.14", 80)], ["rebind.example"])


def test_httpx_too_connects_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda asked: Answer(b"there")) as web:
        port = int(web.url.rpartition(":")[2])
        egress = Egress(frozenset({"pinned.example"}), frozenset({"pinned.example"}))
        real = socket.getaddrinfo
        asked: list[str] = []

        def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else host
            asked.append(name)
            return real("127.0.0.1" if name == "pinned.example" else name, port, *args, **more)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        with open_httpx(egress, "test") as client:
            assert client.get(f"http://pinned.example:{port}/a?b=1").content == b"there"
        assert asked.count("pinned.example") == 1
        assert web.asked[0].headers["Host"] == f"pinned.example:{port}"
        assert (web.asked[0].path, web.asked[0].query) == ("/a", {"b": "1"})


def test_a_name_that_nobody_knows_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **more: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable):
        check_host(Egress(frozenset({"gone.example"})), "gone.example", 80, "test")


# ---- sockets


def test_a_socket_speaks_and_keeps_its_time_out() -> None:
    with (
        serving(lambda asked: Answer(b"hello")) as web,
        connect(LOCAL, "127.0.0.1", int(web.url.rpartition(":")[2]), "test", 2.5) as opened,
    ):
        assert opened.gettimeout() == 2.5
        opened.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := opened.recv(4096):
            answer += part
        assert answer.endswith(b"hello")


def test_a_closed_port_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable):
            connect(LOCAL, "127.0.0.1", taken.getsockname()[1], "test")


# ---- httpx


def test_what_is_sent_arrives_and_what_comes_back_is_read(client: httpx.Client) -> None:
    with serving(lambda asked: Answer(b'{"a": 1}', headers={"Content-Type": "application/json", "X-Y": "z"})) as web:
        answer = client.post(web.url + "/xrpc/x", json={"k": "ñ"}, headers={"Authorization": "Bearer t"})
        assert (answer.status_code, answer.json(), answer.headers["x-y"]) == (200, {"a": 1}, "z")
        assert web.asked[0].method == "POST"
        assert web.asked[0].body.decode() == '{"k":"ñ"}'
        assert web.asked[0].headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize("pack", ["gzip", "deflate"])
def test_a_packed_answer_is_unpacked(client: httpx.Client, pack: str) -> None:
    body = b"palabras " * 100_000
    packed = gzip.compress(body) if pack == "gzip" else zlib.compress(body)
    with serving(lambda asked: Answer(packed, headers={"Content-Encoding": pack})) as web:
        assert client.get(web.url).content == body


def test_a_bomb_is_refused_quickly_and_in_little_memory(client: httpx.Client) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()
    with serving(lambda asked: Answer(bomb, headers={"Content-Encoding": "gzip"})) as web:
        before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        with pytest.raises(Unreadable):
            client.get(web.url)
        assert time.monotonic() - began < 5
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"x" * 10_000_001), Unreadable),
        (Answer(b"x", headers={"Content-Encoding": "br"}), Unreadable),
        (Answer(b"not gzip at all", headers={"Content-Encoding": "gzip"}), SourceError),
        (Answer(gzip.compress(b"abc" * 100)[:-12], headers={"Content-Encoding": "gzip"}), Unreachable),
        (Answer(b"x" * 100, fault="reset"), Unreachable),
        (Answer(b"x" * 100, fault="short"), Unreachable),
        (Answer(b"down", 503), Unreachable),
        (Answer(b"down", 500), Unreachable),
        (Answer(b"wait", 429), RateLimited),
    ],
)
def test_every_fault_is_one_of_our_own_errors(client: httpx.Client, answer: Answer, error: type[Exception]) -> None:
    with serving(lambda asked: answer) as web, pytest.raises(error):
        client.get(web.url)


def test_a_limit_says_until_when_to_wait(client: httpx.Client) -> None:
    reset = int(datetime.now(UTC).timestamp()) + 120
    for headers in ({"Retry-After": "120"}, {"RateLimit-Reset": str(reset)}):
        with serving(lambda asked, told=headers: Answer(b"", 429, told)) as web, pytest.raises(RateLimited) as limit:
            client.get(web.url)
        assert limit.value.until is not None
        assert timedelta(seconds=100) < limit.value.until - datetime.now(UTC) < timedelta(seconds=125)


def test_an_answer_that_drips_is_cut_off_at_its_deadline() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            line, _ = server.accept()
            with line:
                line.recv(4096)
                line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not stop.wait(0.02):
                    try:
                        line.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with open_httpx(LOCAL, "test", seconds=0.3) as client:
                began = time.monotonic()
                with pytest.raises(Unreachable):
                    client.get(f"http://127.0.0.1:{server.getsockname()[1]}/")
                assert time.monotonic() - began < 5
        finally:
            stop.set()
            thread.join()


def test_five_redirects_are_followed_and_a_sixth_is_not(client: httpx.Client) -> None:
    def serve(asked: Asked) -> Answer:
        left = int(asked.path[1:])
        return Answer(status=302, headers={"Location": f"/{left - 1}"}) if left else Answer(b"there")

    with serving(serve) as web:
        assert client.get(web.url + "/5").content == b"there"
        with pytest.raises(httpx.TooManyRedirects):
            client.get(web.url + "/6")


def test_proxies_and_netrc_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    with serving(lambda asked: Answer(b"ok")) as web, open_httpx(LOCAL, "test") as client:
        assert client.get(web.url).content == b"ok"
        assert "Authorization" not in web.asked[0].headers


def test_a_certificate_that_nobody_trusts_is_said_to_be_one(tmp_path: Path, client: httpx.Client) -> None:
    where = ("-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem"))
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=x", *where)
    made = subprocess.run(command, capture_output=True, check=False)
    if made.returncode:
        pytest.skip("this machine has no openssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with serving(lambda asked: Answer(b"secret")) as web:
        web.server.socket = context.wrap_socket(web.server.socket, server_side=True)
        with pytest.raises(Unreachable, match="certificate"):
            client.get(web.url.replace("http:", "https:"))
        assert web.asked == []
