"""Every fault of a rule or of a line of the grid is told with its place, before anything starts."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.config import parse
from listener.errors import ConfigError
from listener.tables.gridfile import ASKED, GridRow, bits, read_grid
from listener.taxonomy import SENTIMENTS


def table(**more: Any) -> dict[str, Any]:
    return {
        "brands": {"nitido": {"name": "Nítido"}},
        "competitors": {"brisatel": {"name": "Brisatel"}},
        "departments": {"communications": {"alert": ["mail:team@nitido.example"]}},
        **more,
    }


def faults(folder: Path, **more: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(table(**more), folder, {})
    return [str(fault) for fault in caught.value.faults]


def rule(**more: Any) -> dict[str, Any]:
    return {"name": "a", "when": {"stakeholder": "press"}, "department": "sales"} | more


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        ({"when": {"query": "roaming AND"}}, "when.query: "),
        ({"when": {"query": "(roaming"}}, "this bracket is never closed"),
        ({"when": {"query": "brand:brisatl roaming"}}, "did you mean 'brisatel'?"),
        ({"when": {"query": "source:x roaming"}}, "when.query: source:x names nothing here"),
        ({"when": {"query": "roaming since:2026-01-01"}}, "when.query: a rule holds on any day"),
        ({"unless": {"query": "roaming OR"}}, "unless.query: "),
        ({"unless": {"brand": "brisatl"}}, "unless.brand: there is no brand 'brisatl'"),
        ({"unless": {"words": []}}, "unless.words is an empty list"),
        ({"unless": {"stakeholder": ["press", "public"]}}, "never applies: unless takes all that when gives"),
        ({"unless": {}}, "never applies"),
        ({"department": None}, "'department' is missing"),
        ({"continue": True}, 'continues, so another rule says who answers; write copies = ["sales"]'),
        ({"continue": True, "department": None}, "continues and adds nothing"),
        ({"name": "matrix"}, "is the name of a step of the taxonomy"),
        ({"name": " "}, "name is empty"),
        ({"goes_on": True}, "has no 'goes_on'"),
        ({"when": {"stakholder": "press"}}, "did you mean 'stakeholder'?"),
    ],
)
def test_a_spoiled_rule_is_told_with_what_to_do(tmp_path: Path, spoiled: dict[str, Any], told: str) -> None:
    row = {key: value for key, value in rule(**spoiled).items() if value is not None}
    found = faults(tmp_path, routes=[row])
    assert len(found) == 1
    assert told in found[0]


def test_two_rules_of_one_name_and_one_that_is_never_reached_are_faults(tmp_path: Path) -> None:
    narrow = rule(when={"stakeholder": "press", "query": "roaming"})
    assert "two rules have this name" in " ".join(faults(tmp_path, routes=[narrow, rule()]))
    assert faults(tmp_path, routes=[rule(), narrow | {"name": "b"}]) == [
        "[routes «b»] is never reached: «a» takes all of it; move it up or narrow the other"
    ]


def test_a_rule_that_goes_on_or_has_exceptions_hides_no_other(tmp_path: Path) -> None:
    adds = {"name": "a", "when": {"stakeholder": "press"}, "copies": ["sales"], "continue": True}
    parse(table(routes=[adds, rule(name="b")]), tmp_path, {})
    parse(table(routes=[rule(unless={"words": ["roaming"]}), rule(name="b")]), tmp_path, {})


HEAD = "stakeholder,dimension,intent,sentiment,priority,department,copies,becomes\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "pres,*,*,*,*,sales,,\n", "line 2] stakeholder: 'pres' is not known; did you mean 'press'?"),
        (HEAD + "\n# a note\npress,*,*,*,*,sals,,\n", "line 4] department: 'sals' is not known"),
        (HEAD + "press,*,*,*,*,sales|communications,,\n", "line 2] department names more than one"),
        (HEAD + "press,*,*,*,*,sales,salez,\n", "line 2] copies: 'salez' is not known"),
        (HEAD + "press,*,*,*,*,sales,,urgent\n", "line 2] becomes: 'urgent' is not known"),
        (HEAD + "press,*,*,*,*,sales,,,,\n", "line 2] has more cells than headings"),
        (HEAD + "*,*,*,*,*,sales,,\npress,*,*,*,*,sales,,\n", "line 3] is never reached: line 2 takes all of it"),
        (
            HEAD + "".join(f"*,*,*,{one},*,sales,,\n" for one in SENTIMENTS) + "press,*,*,*,*,sales,,\n",
            "line 5] is never reached: the lines before it take all of it",
        ),
        ("stakeholder,departament\npress,sales\n", "line 1] there is no column 'departament'; did you mean"),
        ("stakeholder,department,department\npress,sales,sales\n", "stands twice"),
        ("stakeholder\npress\n", "no column is named department"),
        (HEAD, "holds no row"),
        ("", "holds no row"),
    ],
)
def test_a_spoiled_grid_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "routes.csv").write_text(text, encoding="utf-8")
    assert told in " ".join(faults(tmp_path, routing={"grid": "routes.csv"}))


def test_a_grid_that_is_not_there_or_no_text_is_a_fault(tmp_path: Path) -> None:
    assert "is not there" in faults(tmp_path, routing={"grid": "none.csv"})[0]
    (tmp_path / "routes.csv").write_bytes(b"stakeholder;department\npress;ventas \xf3\n")
    assert "is not UTF-8" in faults(tmp_path, routing={"grid": "routes.csv"})[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_grid_may_be_parted_as_a_spreadsheet_parts_it_and_leave_columns_out(tmp_path: Path, delimiter: str) -> None:
    text = "\ufeffdepartment,stakeholder,copies\r\nsales,press|public,human_resources|communications\r\n*,,\r\n"
    (tmp_path / "routes.csv").write_text(text.replace(",", delimiter), encoding="utf-8", newline="")
    rows, told = read_grid(tmp_path / "routes.csv")
    assert told == ()
    assert rows == (
        GridRow(2, {"stakeholder": frozenset({"press", "public"})}, "sales", ("human_resources", "communications")),
        GridRow(3, {}, None),
    )


def test_a_grid_may_be_toml(tmp_path: Path) -> None:
    path = tmp_path / "routes.toml"
    path.write_text('[[rows]]\nstakeholder = ["press", "public"]\ndepartment = "sales"\nbecomes = "alert"\n', "utf-8")
    assert read_grid(path) == (
        (GridRow(1, {"stakeholder": frozenset({"press", "public"})}, "sales", (), "alert"),),
        (),
    )
    for text, told in (("[[rows]]\nwho = 1\n", "has no 'who'"), ("rows = 3", "[[rows]]"), ("a = [", "not valid TOML")):
        path.write_text(text, "utf-8")
        assert told in " ".join(map(str, read_grid(path)[1]))


def test_a_row_of_the_matrix_that_the_grid_leaves_nothing_is_a_fault(tmp_path: Path) -> None:
    grid = tmp_path / "routes.csv"
    grid.write_text("stakeholder,department\npress,sales\npartner,*\n", "utf-8")
    parse(table(routing={"grid": "routes.csv"}, matrix={"partner": "sales"}), tmp_path, {})
    told = faults(tmp_path, routing={"grid": "routes.csv"}, matrix={"press": "sales"})
    assert len(told) == 1
    assert told[0].startswith("[matrix] press is never reached: the grid takes all of it")


@given(st.binary(max_size=300) | st.text(alphabet='ab,;*|"\n\ufeff', max_size=80).map(str.encode), st.booleans())
def test_no_file_whatever_breaks_the_reading_of_a_grid(tmp_path_factory: Any, data: bytes, toml: bool) -> None:
    path = tmp_path_factory.getbasetemp() / ("any.toml" if toml else "any.csv")
    path.write_bytes(data)
    rows, told = read_grid(path)
    assert rows or told


@given(st.dictionaries(st.sampled_from(["stakeholder", "sentiment"]), st.sampled_from(["press", "neutral"])))
def test_the_bits_of_a_row_are_its_cases(asked: dict[str, str]) -> None:
    asks = {name: frozenset({value}) for name, value in asked.items()}
    fitting = sum(
        all(name not in asks or case[place] in asks[name] for place, name in enumerate(ASKED))
        for case in product(*ASKED.values())
    )
    assert bits(asks).bit_count() == fitting
