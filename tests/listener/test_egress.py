from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from listener.errors import Refused, Unreachable
from listener.fetch import Egress, egress_of, fetch, open_session
from tests.servers.web import Answer, Asked, serving

LOCAL = Egress(frozenset({"127.0.0.1"}), frozenset({"127.0.0.1"}))


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with open_session(LOCAL, "test") as opened:
        yield opened


# ---- who may be reached


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/feed",
        "http://EXAMPLE.org/feed",
        "https://example.org./feed",
        "https://a.b.press.example/x?q=1",
        "https://press.example/",
    ],
)
def test_listed_hosts_may_be_reached(url: str) -> None:
    Egress(frozenset({"example.org", ".press.example"})).check(url, "test")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "https://www.example.org/",
        "https://example.org.evil.example/",
        "https://evilpress.example/",
        "https://user:pass@example.org/",
        "https://evil.example\\@example.org/",
        "https://example.org@evil.example/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "/etc/passwd",
        "https://",
        "https://example.org:port/",
        "https://example.org/\r\nX: y",
        "https://[::1",
        "",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        Egress(frozenset({"example.org", ".press.example"})).check(url, "test")


INSIDE = [
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://[::1]:PORT/",
    "http://2130706433:PORT/",
    "http://127.1:PORT/",
    "http://0x7f.0.0.1:PORT/",
    "http://0.0.0.0:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://224.0.0.1/",
    "http://[64:ff9b::7f00:1]/",
]


@pytest.mark.parametrize("url", INSIDE)
def test_an_address_inside_the_network_is_refused_even_when_its_host_is_listed(url: str) -> None:
    with serving(lambda asked: Answer(b"secret")) as web:
        url = url.replace("PORT", web.url.rpartition(":")[2])
        host = requests.utils.urlparse(url).hostname or ""
        with open_session(Egress(frozenset({host})), "test") as session, pytest.raises((Refused, Unreachable)) as told:
            fetch(session, url, "test")
        assert web.asked == []
        # Only a name that this machine cannot resolve may end another way than in a refusal.
        assert isinstance(told.value, Refused) or "://[" in url or "0x" in url


@pytest.mark.parametrize("url", [*INSIDE[1:], "file:///etc/passwd", "https://evil.example/", "//evil.example/x"])
def test_a_redirect_is_checked_like_any_address(url: str) -> None:
    answers = Answer(status=302, headers={"Location": url})
    everywhere = Egress(
        frozenset({"127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "::1", "127.1"}), LOCAL.inside
    )
    with serving(lambda asked: answers) as web:
        answers.headers["Location"] = url.replace("PORT", web.url.rpartition(":")[2])
        with open_session(everywhere, "test") as session, pytest.raises((Refused, Unreachable)):
            fetch(session, web.url, "test")
        assert len(web.asked) == 1


def test_five_redirects_are_followed_and_a_sixth_is_not(session: requests.Session) -> None:
    def serve(asked: Asked) -> Answer:
        left = int(asked.path[1:])
        return Answer(status=302, headers={"Location": f"/{left - 1}"}) if left else Answer(b"there")

    with serving(serve) as web:
        assert fetch(session, web.url + "/5", "test").body == b"there"
        with pytest.raises(Unreachable):
            fetch(session, web.url + "/6", "test")


def test_proxies_and_netrc_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    with (
        serving(lambda asked: Answer(b"ok", headers={"Set-Cookie": "id=1"})) as web,
        open_session(LOCAL, "t") as session,
    ):
        fetch(session, web.url, "t")
        fetch(session, web.url, "t")
        assert "Authorization" not in web.asked[0].headers
        assert "Cookie" not in web.asked[1].headers


def test_rewriting_moves_an_address_and_the_check_is_on_the_new_one() -> None:
    with serving(lambda asked: Answer(b"ok")) as web:
        with open_session(LOCAL, "t", rewrite={"https://api.example": web.url}) as session:
            assert fetch(session, "https://api.example/2/x?q=1", "t").body == b"ok"
            assert (web.asked[0].path, web.asked[0].query) == ("/2/x", {"q": "1"})
            with pytest.raises(Refused):
                fetch(session, "https://api.example.evil.example/", "t")
        listed = Egress(frozenset({"api.example"}))
        with open_session(listed, "t", rewrite={"https://api.example": web.url}) as session, pytest.raises(Refused):
            fetch(session, "https://api.example/", "t")


def test_the_hosts_of_a_configuration_are_those_of_its_sources_and_of_egress() -> None:
    from listener.config import parse

    table = {
        "brands": {"nitido": {"name": "Nítido"}},
        "sources": {
            "news": {"kind": "rss", "feeds": ["https://Diario.example/rss"]},
            "x": {"bearer_token": "t"},
            "off": {"kind": "rss", "enabled": False, "feeds": ["https://off.example/rss"]},
        },
        "egress": {"hosts": [".press.example"], "inside": ["feeds.intranet"]},
        "departments": {"communications": {"alert": ["mail:a@nitido.example"]}},
    }
    egress = egress_of(parse(table, Path(), {}))
    assert egress.hosts == {"diario.example", "api.x.com", ".press.example", "feeds.intranet"}
    assert egress.inside == {"feeds.intranet"}
