"""A query is read as people mean it; what cannot be read is shown with a caret and a way out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.query import QueryError, check_query, parse
from listener.query.tree import And, Day, Fact, Near, Not, Or, Phrase, Reach, Word, leaves

CLARO, WIFI, RED = Word("claro"), Word("wifi"), Word("red")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("Claro", CLARO),
        ("CLARÓ wifi", And((CLARO, WIFI))),
        ("claro AND wifi", And((CLARO, WIFI))),
        ("claro OR wifi red", Or((CLARO, And((WIFI, RED))))),
        ("(claro OR wifi) red", And((Or((CLARO, WIFI)), RED))),
        ("claro -wifi", And((CLARO, Not(WIFI)))),
        ("claro –wifi", And((CLARO, Not(WIFI)))),
        ("claro AND NOT (wifi OR red)", And((CLARO, Not(Or((WIFI, RED)))))),
        ("NOT NOT claro", CLARO),
        ("claro claro", CLARO),
        ('"Sin  señal"', Phrase((Word("sin"), Word("senal")))),
        ("“sin señal”", Phrase((Word("sin"), Word("senal")))),
        ("«sin señal»", Phrase((Word("sin"), Word("senal")))),
        ("wi-fi", Phrase((Word("wi"), Word("fi")))),
        ('"ban* de cred*"', None),
        ("port*", Word("port", prefix=True)),
        ("@ClaroPeru #Señal", And((Word("@claroperu"), Word("#senal")))),
        ("claro NEAR/3 wifi", Near(CLARO, WIFI, 3)),
        ("(claro OR red) NEAR/0 wifi", Near(Or((CLARO, RED)), WIFI, 0)),
        ("NOT claro NEAR/3 wifi", Not(Near(CLARO, WIFI, 3))),
        ("lang:ES", Fact("lang", "es")),
        ("from:@Osiptel", Fact("from", "osiptel")),
        ("from:ana@mastodon.social", Fact("from", "ana@mastodon.social")),
        ("country:PE", Fact("country", "pe")),
        ('source:"mi fuente"', Fact("source", "mi fuente")),
        ("reach>1000", Reach(">", 1000)),
        ("reach>=10k", Reach(">=", 10_000)),
        ("reach:<1.500.000", Reach("<", 1_500_000)),
        ("android", Word("android")),
        ("notorio", Word("notorio")),
        ('"or"', Phrase((Word("or"),))),
        ("no funciona", And((Word("no"), Word("funciona")))),
    ],
)
def test_what_people_write_is_read_as_they_mean_it(text: str, tree: object) -> None:
    read = parse(text).tree
    wanted = tree or Phrase((Word("ban", True), Word("de"), Word("cred", True)))
    assert read == wanted


def test_days_are_whole_days_of_the_zone_and_the_last_one_is_included() -> None:
    since, until = leaves(parse("since:2026-01-31 until:2026-01-31", zone="America/Lima").tree)
    assert isinstance(since, Day)
    assert isinstance(until, Day)
    assert since.at == datetime(2026, 1, 31, 5, tzinfo=UTC)
    assert until.at == datetime(2026, 2, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        ("", 0, "empty", "write a word"),
        ("   ", 0, "empty", "write a word"),
        ("claro or wifi", 6, "«or» looks like an operator", "write OR"),
        ("claro y wifi", 6, "«y» looks like", "write AND"),
        ("claro O wifi", 6, "«O» looks like", "write OR"),
        ("claro NO wifi", 6, "«NO» looks like", "write NOT"),
        ("claro AND", 6, "nothing stands after AND", ""),
        ("OR claro", 0, "nothing stands before OR", ""),
        ("claro AND OR wifi", 10, "nothing stands before OR", ""),
        ("(claro AND) wifi", 7, "nothing stands after AND", ""),
        ("claro NOT", 6, "nothing stands after NOT", ""),
        ('claro "sin señal', 6, "never closed", 'write "'),
        ("claro (wifi", 6, "never closed", "write )"),
        ("claro) wifi", 5, "closes nothing", "take it away"),
        ("claro ()", 6, "nothing stands between", ""),
        ("claro NEAR wifi", 6, "NEAR needs a number", "NEAR/5"),
        ("claro near/3 wifi", 6, "NEAR needs a number", "NEAR/5"),
        ("claro NEAR/x wifi", 6, "NEAR needs a number", "NEAR/5"),
        ("claro NEAR/101 wifi", 11, "at most 100", ""),
        ("a1 NEAR/3 b1 NEAR/3 c1", 13, "two sides", "(a NEAR/5 b)"),
        ("a1 NEAR/3 (b1 c1)", 3, "beside NEAR", ""),
        ("a1 NEAR/3 -b1", 10, "beside NEAR", ""),
        ("a1 NEAR/3 lang:es", 3, "beside NEAR", ""),
        ("lan:es", 0, "no condition «lan:»", "did you mean lang:es"),
        ("idioma:es", 0, "no condition", "did you mean lang:es"),
        ("followers>10", 0, "no condition", "did you mean reach>1000"),
        ("https://claro.pe", 0, "no condition «https:»", "quotation marks"),
        ("lang: es", 4, "nothing stands after «lang:»", "without a blank"),
        ("lang:español", 5, "not a language", "lang:es"),
        ("country:Peru", 8, "not a country", "country:PE"),
        ("since:2026-02-30", 6, "not a day", "since:2026-01-31"),
        ("until:31/01/2026", 6, "not a day", "until:2026-01-31"),
        ("until:9999-12-31", 6, "not a day", ""),
        ("reach>muchos", 6, "not a number", "reach>1000"),
        ("reach=10", 5, "compared with", "reach>1000"),
        ("reach:10", 0, "compared with", "reach>1000"),
        ("*laro", 0, "stands at the end", "port*"),
        ("cl*ro", 2, "stands at the end", "port*"),
        ("cl*", 2, "at least 3 letters", "port*"),
        ("@cl*", 3, "at least 3 letters", "port*"),
        ("😡", 0, "no letters or digits", ""),
        ("claro - wifi", 6, "no letters or digits", ""),
        ("correo@claro", 6, "inside a word", "blank"),
        ("x" * 200, 0, "longer than 127", ""),
        ("(" * 60 + "claro" + ")" * 60, 50, "more than 50 brackets", ""),
        ("NOT " * 60 + "claro", 200, "more than 50", ""),
        (" ".join(f"w{number}" for number in range(1001)), 0, "more than 1000", "two queries"),
        ("claro " * 5000, 19_999, "longer than 20000", "two queries"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_pointed_at_with_a_way_out(text: str, place: int, message: str, hint: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    error = caught.value
    assert error.position == place
    assert message in error.message.say("en")
    assert hint in (error.suggestion.say("en") if error.suggestion else "")


def test_the_caret_stands_under_the_character_also_in_a_later_line_and_a_long_one() -> None:
    with pytest.raises(QueryError) as caught:
        parse("claro OR\nwifi and red")
    assert caught.value.show("en").splitlines()[:2] == ["wifi and red", "     ^"]
    with pytest.raises(QueryError) as caught:
        parse("claro OR " * 30 + "red and wifi")
    line, caret, _ = caught.value.show("en").splitlines()
    assert line[len(caret) - 1 :].startswith("and wifi")


PIECES = [
    *("claro", "AND", "OR", "NOT", "NEAR/3", "NEAR", "(", ")", '"', "«", "-", "*", "@", "#", "lang:", "reach>"),
    *("since:2026-01-01", "a", "o", ":", ">", "=", "/", " ", "\n"),
]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join))
def test_any_text_is_a_query_or_an_error_that_points_into_it(text: str) -> None:
    place, told = 0, "a query"
    try:
        query = parse(text)
    except QueryError as error:
        place, told = error.position, error.show("es")
    else:
        assert list(leaves(query.tree))
    assert 0 <= place <= max(len(text), 1)
    assert told


def test_a_configuration_learns_what_is_wrong_with_a_query() -> None:
    assert check_query("claro lang:es", "brands.claro") == []
    (fault,) = check_query("claro or wifi", "brands.claro")
    assert fault.where == "brands.claro"
    assert "      ^" in fault.what
    (fault,) = check_query("source:reddt claro", "brands.claro", known={"source": ("reddit", "x"), "brand": ("acme",)})
    assert "reddit" in fault.hint


def test_everything_that_the_page_says_can_be_written_can_be_read() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "query.md").read_text("utf-8")
    table = page.split("## What you can write")[1].split("## What a word is")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    shown = [code for row in rows for code in re.findall(r"`([^`]+)`", row) if code != "( )"]
    assert len(shown) > 15
    for code in shown:
        parse(code)
