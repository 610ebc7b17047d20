from __future__ import annotations

import codecs
import re
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from pydantic import ValidationError

from listener.errors import NotAllowed, RateLimited, Unreachable, Unreadable
from listener.feed import plain
from listener.fetch import Egress
from listener.mention import Brand, Post
from listener.sources import rss
from tests.servers.web import Answer, Asked, Web, serving


def source(web: Web, egress: Egress, *paths: str, searches: tuple[str, ...] = (), **more: Any) -> rss.Source:
    feeds = tuple(web.url + path for path in paths)
    return rss.Source("press", rss.Settings(feeds=feeds, searches=searches), egress, **more)


def feed(*items: str, title: str = "Diario de prueba", language: str = "es-PE") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{title}</title>'
        f"<link>https://www.diario.example/</link><language>{language}</language>{''.join(items)}</channel></rss>"
    ).encode()


def item(number: int, title: str | None = None, text: str = "Primeras líneas.", more: str = "") -> str:
    return (
        f"<item><title>{title or f'Noticia {number}'}</title><link>https://www.diario.example/{number}</link>"
        f"<guid>https://www.diario.example/?p={number}</guid><description>{text}</description>"
        f"<pubDate>Mon, 04 May 2026 09:00:{number % 60:02} GMT</pubDate>{more}</item>"
    )


WHOLE = feed(*(item(n) for n in range(20)))


def paths(**answers: Any) -> Callable[[Asked], Answer]:
    def serve(asked: Asked) -> Answer:
        given = answers[asked.path.strip("/")]
        return given(asked) if callable(given) else given

    return serve


# ---- real input


def recorded_feeds(shared: Path) -> dict[str, bytes]:
    with tarfile.open(shared / "payloads" / "feeds" / "wellformed.tar.gz") as packed:
        files = {member.name: packed.extractfile(member) for member in packed.getmembers() if member.isfile()}
        return {name: stream.read() for name, stream in files.items() if stream is not None and name.endswith(".xml")}


def entries_of(name: str, body: bytes) -> list[str]:
    """Read with another parser what names each item of a feed: guid, else link, else its words within the feed."""
    root = ElementTree.fromstring(body)
    named: list[str] = []
    for element in root.iter():
        if not isinstance(element.tag, str) or element.tag.rsplit("}", 1)[-1].casefold() not in ("item", "entry"):
            continue
        parts = {child.tag.rsplit("}", 1)[-1].casefold(): child for child in element if isinstance(child.tag, str)}
        guid = next((parts[name].text for name in ("guid", "id") if name in parts and parts[name].text), None)
        about = next((value for key, value in element.attrib.items() if key.endswith("}about")), None)
        link = parts.get("link")
        where = None if link is None else link.text or link.get("href")
        words = " ".join(sorted("".join(element.itertext()).split()))
        named.append((guid or about or (where if where and ":" in where else f"{name} {where or words}")).strip())
    return named


def test_every_recorded_feed_is_read_and_a_second_run_adds_nothing(shared: Path, local: Egress, collect: Any) -> None:
    feeds = recorded_feeds(shared)
    assert len(feeds) == 1749
    named = {name: entries_of(name, body) for name, body in feeds.items()}
    with serving(lambda asked: Answer(feeds[asked.path.removeprefix("/")])) as web:
        reading = source(web, local, *(f"/{name}" for name in sorted(feeds)))
        new = collect(reading)
        assert collect.error is None
        assert {asked.path.removeprefix("/") for asked in web.asked} == set(feeds)
        read: dict[str, list[Any]] = {name: [] for name in feeds}
        for one in collect.pages:
            for post in one.posts:
                read[post.raw["feed"].removeprefix(web.url + "/")].append(post)
            for bad in one.rejected:
                read[bad.position.partition(" ")[0].removeprefix("127.0.0.1/")].append(bad)
        # None lost: every feed brought as many entries as the other parser counts, with text or without.
        assert {name: len(items) for name, items in read.items()} == {name: len(items) for name, items in named.items()}
        # None twice: one post for each name that the other parser finds among entries with text.
        keys = set()
        for name, items in read.items():
            for post, key in zip(items, named[name], strict=True):
                if isinstance(post, Post):
                    keys.add(key)
        assert new == len(collect.ids()) == len(keys)
        assert collect(reading) == 0


# ---- asking


def test_each_name_is_searched_once_and_an_article_found_twice_is_one_post(local: Egress, collect: Any) -> None:
    with serving(lambda asked: Answer(feed(item(1)))) as web:
        searching = source(web, local, searches=(web.url + "/rss/search?q={query}&hl=es-419",))
        brands = (Brand("a", "Nítido", names=("Nítido", "Nítido Móvil")), Brand("b", "Otra", kind="competitor"))
        assert collect(searching, brands) == 1
        assert [asked.query["q"] for asked in web.asked] == ['"Nítido"', '"Nítido Móvil"', '"Otra"']
        assert {asked.query["hl"] for asked in web.asked} == {"es-419"}


def test_an_unchanged_feed_is_not_read_again(local: Egress, collect: Any) -> None:
    def serve(asked: Asked) -> Answer:
        if asked.headers.get("If-None-Match") == '"v1"' and asked.headers.get("If-Modified-Since") == "Mon":
            return Answer(status=304)
        return Answer(WHOLE, headers={"ETag": '"v1"', "Last-Modified": "Mon"})

    with serving(serve) as web:
        reading = source(web, local, "/a")
        assert collect(reading) == 20
        assert collect(reading) == 0
        assert collect.pages == []
        assert len(web.asked) == 2


def test_a_feed_of_many_entries_comes_in_pages_and_the_cursor_with_the_last(local: Egress, collect: Any) -> None:
    body = feed(*(item(n) for n in range(1200)))
    with serving(lambda asked: Answer(body, headers={"ETag": "e"})) as web:
        assert collect(source(web, local, "/a")) == 1200
    assert [one.cursor is None for one in collect.pages] == [True, True, False]


# ---- reading


def one_post(collect: Any, local: Egress, body: bytes, **more: Any) -> Any:
    with serving(lambda asked: Answer(body)) as web:
        collect(source(web, local, "/a", **more))
    assert collect.error is None
    (post,) = (post for one in collect.pages for post in one.posts)
    return post


def test_the_author_of_an_article_is_the_outlet(local: Egress, collect: Any) -> None:
    post = one_post(collect, local, feed(item(1)))
    assert (post.author.handle, post.author.name, post.lang) == ("diario.example", "Diario de prueba", "es")
    assert post.url == "https://www.diario.example/1"
    assert post.published_at.isoformat() == "2026-05-04T09:00:01+00:00"


def test_an_aggregator_names_the_outlet_and_repeats_nothing(local: Egress, collect: Any) -> None:
    text = "&lt;a href='https://news.example/1'&gt;Multan a Nítido&lt;/a&gt;&amp;nbsp;&lt;font&gt;El Mundo&lt;/font&gt;"
    source_tag = '<source url="https://www.elmundo.example">El Mundo</source>'
    post = one_post(collect, local, feed(item(1, "Multan a Nítido - El Mundo", text, source_tag)))
    assert post.text == "Multan a Nítido"
    assert (post.author.handle, post.author.name) == ("elmundo.example", "El Mundo")


def test_an_entry_without_a_date_is_of_now_and_none_is_of_tomorrow(local: Egress, collect: Any, clock: Any) -> None:
    undated = "<item><title>sin fecha</title></item>"
    tomorrow = "<item><title>mañana</title><pubDate>Mon, 04 May 2099 09:00:00 GMT</pubDate></item>"
    with serving(lambda asked: Answer(feed(undated, tomorrow))) as web:
        collect(source(web, local, "/a", now=clock))
    assert [post.published_at for one in collect.pages for post in one.posts] == [clock(), clock()]


def test_no_markup_and_no_dangerous_link_survives(local: Egress, collect: Any) -> None:
    hostile = (
        "<item><title>&lt;script&gt;alert(1)&lt;/script&gt;hola &lt;img src=x onerror=a()&gt;</title>"
        "<link>javascript:alert(1)</link>"
        "<description>&lt;p&gt;uno&lt;/p&gt;&lt;p&gt;dos &amp;amp; tres&lt;/p&gt;</description></item>"
    )
    post = one_post(collect, local, feed(hostile))
    assert post.text == "hola\nuno dos & tres"
    assert post.url is None


def test_the_same_article_in_two_sections_is_one_post_and_two_feeds_may_both_have_a_number_one(
    local: Egress, collect: Any
) -> None:
    bare = "<item><title>{}</title><guid>1</guid></item>"
    with serving(paths(a=Answer(feed(item(1))), b=Answer(feed(item(1))), c=Answer(feed(bare.format("x"))))) as web:
        assert collect(source(web, local, "/a", "/b", "/c")) == 2
    entry = {"id": "1", "title": "x"}
    ids = {
        rss.post_from(entry, source="s", feed={}, url=url, now=rss._now()).native_id
        for url in ("https://a.example/f", "https://b.example/f")
    }
    assert len(ids) == 2


def test_an_entry_without_words_is_kept_aside(local: Egress, collect: Any) -> None:
    with serving(lambda asked: Answer(feed(item(1), "<item><guid>https://x.example/9</guid></item>"))) as web:
        assert collect(source(web, local, "/a")) == 1
    assert collect.rejected() == [("127.0.0.1/a entry 2", rss.NO_TEXT)]


def test_a_badly_written_but_complete_feed_is_no_failure(local: Egress, collect: Any) -> None:
    body = feed(item(1, "Claro & Entel"), item(2))
    with serving(lambda asked: Answer(body, headers={"ETag": "e"})) as web:
        assert collect(source(web, local, "/a")) == 2
    assert collect.error is None
    assert collect.cursor("press")


# ---- faults

FAULTS = {
    "429": (Answer(status=429), Unreachable),
    "500": (Answer(b"oops", 500), Unreachable),
    "404": (Answer(b"oops", 404), Unreachable),
    "403": (Answer(b"oops", 403), Unreachable),
    "reset mid-body": (Answer(WHOLE, fault="reset"), Unreachable),
    "short body": (Answer(WHOLE, fault="short"), Unreachable),
    "HTML 200": (Answer(b"<!DOCTYPE html><html><body><p>Acceso denegado</body></html>"), Unreadable),
    "empty 200": (Answer(b""), Unreadable),
    "blank 200": (Answer(b" \r\n"), Unreadable),
    "BOM only": (Answer(codecs.BOM_UTF8), Unreadable),
    "JSON 200": (Answer(b'{"error": "no"}'), Unreadable),
    "binary 200": (Answer(bytes(range(256)) * 20), Unreadable),
    "redirect elsewhere": (Answer(status=301, headers={"Location": "https://example.org/feed"}), Unreachable),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_feed_that_fails_is_named_and_the_others_are_read(fault: str, local: Egress, collect: Any) -> None:
    answer, kind = FAULTS[fault]
    with serving(paths(bad=answer, good=Answer(WHOLE))) as web:
        assert collect(source(web, local, "/bad?key=canary", "/good")) == 20
    assert type(collect.error) is kind
    assert str(collect.error).startswith("127.0.0.1/bad: ")
    assert "canary" not in str(collect.error)
    assert collect.cursor("press") == "{}"


def test_a_truncated_feed_gives_what_it_has_and_is_asked_again(local: Egress, collect: Any) -> None:
    answers = [Answer(WHOLE[: len(WHOLE) // 2], headers={"ETag": "e"}), Answer(WHOLE, headers={"ETag": "e"})]
    with serving(lambda asked: answers[min(len(web.asked), 2) - 1]) as web:
        reading = source(web, local, "/a")
        first = collect(reading)
        assert 5 <= first < 20
        assert type(collect.error) is Unreadable
        assert collect.cursor("press") is None
        assert collect(reading) == 20 - first
        assert "If-None-Match" not in web.asked[1].headers


def test_a_feed_that_asks_to_wait_is_left_alone_and_the_others_are_not(local: Egress, collect: Any) -> None:
    limited = Answer(status=429, headers={"Retry-After": "600"})
    with serving(paths(bad=limited, good=Answer(WHOLE))) as web:
        reading = source(web, local, "/bad", "/good")
        collect(reading)
        collect(reading)
        assert [asked.path for asked in web.asked] == ["/bad", "/good", "/good"]
        assert collect.error is not None
        alone = source(web, local, "/bad")
        collect(alone)
        assert isinstance(collect.error, RateLimited)
        assert collect.error.until is not None


def test_only_when_every_feed_refuses_the_source_is_not_allowed(local: Egress, collect: Any) -> None:
    with serving(lambda asked: Answer(status=403)) as web:
        collect(source(web, local, "/a", "/b"))
    assert type(collect.error) is NotAllowed


def test_hostile_feeds_take_less_than_a_few_seconds(local: Egress, collect: Any) -> None:
    comment, nested = "<!--" * 200_000, "<div>" * 40_000
    bodies = {
        "comments": feed(item(1, text=f"<![CDATA[{comment}]]>")),
        "nested": feed(item(1, text=f"<![CDATA[{nested}]]>")),
        "open": b"<rss>" + b"<!--" * 200_000,
        "laughs": b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9))
        + b"]><rss><channel><item><title>&j;</title></item></channel></rss>",
        "outside": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + feed(item(1, "&x;"))[39:],
    }
    with serving(lambda asked: Answer(bodies[asked.path[1:]])) as web:
        for name in bodies:
            began = time.monotonic()
            collect(source(web, local, f"/{name}"))
            assert time.monotonic() - began < 5, name
    assert not any("root:" in text for text in collect.texts())


def test_plain_reads_entities_and_drops_scripts() -> None:
    assert plain("<p>a &amp; b</p><script>x()</script><style>y</style>c") == "a & b c"
    assert plain("5 < 6 &aacute;") == "5 < 6 á"
    assert plain(None) == plain({}) == plain("  ") == ""


def test_probe_names_what_does_not_answer(local: Egress) -> None:
    with serving(paths(good=Answer(WHOLE), bad=Answer(b"<html>"))) as web:
        source(web, local, "/good").probe()
        with pytest.raises(Unreadable, match=re.escape("127.0.0.1/bad")):
            source(web, local, "/good", "/bad").probe()


def test_settings_refuse_what_they_do_not_know() -> None:
    for wrong in (
        {},
        {"feed": ["https://a.example"]},
        {"feeds": ["file:///etc/passwd"]},
        {"searches": ["https://a.example/?q=x"]},
        {"searches": ["https://{query}.example/"]},
    ):
        with pytest.raises(ValidationError):
            rss.Settings.model_validate(wrong)
