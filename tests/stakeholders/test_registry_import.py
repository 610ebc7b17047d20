"""A team's own table becomes a registry file, or every fault of it is named; a name is looked up on the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stakeholders.registry import COUNTRIES, Entry, load, read_entries
from stakeholders.registry.document import write_document
from stakeholders.registry.headings import KIND_OF, STAKEHOLDER_OF, heading, kind_named, kind_word, stakeholder_named
from stakeholders.registry.sheet import Sheet, read_sheet

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "stakeholders" / "registry"
INSTANCE = """[instance]
country = "PE"
[brands.x]
name = "X"
[departments.communications]
alert = ["mail:a@b.example"]
"""
SPANISH = """Nombre;Tipo;Cuentas;Dominios;Alias;Desde;Hasta;Sucesor
Agencia Ñandú;regulador;@nandu_ag, https://x.com/NanduAg;https://www.nandu.example/;Oficina Ñandú|Nandú, la oficina;\
10/09/2013;;
Vieja Agencia;regulador;vieja_ag;vieja.example;;2001;10/09/2013;Agencia Ñandú
Diario La Vereda;prensa;laveredatest;lavereda.example/lima;;2001-05;;
"""


def table(folder: Path, text: str, encoding: str = "utf-8", name: str = "own.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def said(sheet: Sheet) -> str:
    return "\n".join(f"{fault.line}: {'; '.join(fault.say('en'))}" for fault in sheet.faults)


def escucha(*words: str, folder: Path, lang: str = "en") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ESCUCHA_LANG": lang}
    environment.pop("ESCUCHA_CONFIG", None)
    return subprocess.run(
        [sys.executable, "-m", "listener", "registry", *words],
        cwd=folder, capture_output=True, text=True, timeout=60, env=environment,
    )  # fmt: skip


def test_a_spanish_table_is_read_with_accounts_addresses_and_dates(tmp_path: Path) -> None:
    sheet = read_sheet(table(tmp_path, SPANISH))
    assert said(sheet) == ""
    agency, old, paper = sheet.entries
    assert (agency.handles, agency.domains) == (("nandu_ag", "NanduAg"), ("nandu.example",))
    assert agency.aliases == ("Oficina Ñandú", "Nandú, la oficina")  # a comma is part of a name
    assert (agency.since, agency.since_precision) == (date(2013, 9, 10), "day")
    assert (old.until, old.successor, old.began()) == (date(2013, 9, 10), "Agencia Ñandú", "2001")
    assert (paper.kind, paper.outlet, paper.domains, paper.began()) == (
        "media",
        True,
        ("lavereda.example/lima",),
        "2001-05",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_the_same_table_is_read_in_every_encoding_and_with_every_separator(
    tmp_path: Path, encoding: str, sign: str
) -> None:
    text = SPANISH.replace("Ñandú|Nandú", "Ñandú").replace(";", sign).replace("\n", "\r\n")
    assert [one.name for one in read_sheet(table(tmp_path, text, encoding)).entries] == [
        "Agencia Ñandú", "Vieja Agencia", "Diario La Vereda",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "headings",
    [
        "name,stakeholder,handles,since",
        "Nombre,Tipo,Cuentas,Desde",
        "NOME,Tipo,Contas,Desde",
        "entidade,kind,conta,Início",
    ],
)
def test_headings_are_known_in_three_languages_whatever_their_case_and_accents(tmp_path: Path, headings: str) -> None:
    (one,) = read_sheet(table(tmp_path, f"{headings}\nAgência Azul,regulador,azul_ag,2020-02-03\n")).entries
    assert (one.name, one.stakeholder, one.handles, one.since) == (
        "Agência Azul", "regulator", ("azul_ag",), date(2020, 2, 3),
    )  # fmt: skip
    assert heading("até") == "until"
    assert heading("Hasta") == "until"
    assert heading("notas") is None


@pytest.mark.parametrize(
    ("word", "who", "kind"),
    [
        ("regulator", "regulator", "regulator"), ("Gobierno", "government", "authority"),
        ("imprensa", "press", "media"),
        ("peer_company", "peer_company", "company"), ("Empresa par", "peer_company", "company"),
        ("operadora", "peer_company", "operator"), ("banco central", "government", "central bank"),
        ("Asociación de consumidores", "consumer_association", "consumer body"), ("sindicato", "employee", "union"),
        ("SOCIEDAD CIVIL", "civil_society", "ngo"), ("prefeitura", "government", "municipality"),
        ("bolsa", "investor", "exchange"), ("medio", "press", "media"), ("proveedor", "partner", "supplier"),
    ],
)  # fmt: skip
def test_one_word_tells_who_it_is_and_of_what_kind(tmp_path: Path, word: str, who: str, kind: str) -> None:
    (one,) = read_sheet(table(tmp_path, f"nombre,tipo\nCasa Azul,{word}\n")).entries
    assert (one.stakeholder, one.kind, one.began()) == (who, kind, "2000")


def test_the_kind_may_stand_beside_who_speaks(tmp_path: Path) -> None:
    text = "name,stakeholder,kind\nAzul,regulator,central bank\nVerde,,universidad\n"
    first, second = read_sheet(table(tmp_path, text)).entries
    assert (first.stakeholder, first.kind) == ("regulator", "central bank")
    assert (second.stakeholder, second.kind) == ("civil_society", "university")


def test_every_kind_has_words_in_three_languages_and_means_itself() -> None:
    for kind, who in STAKEHOLDER_OF.items():
        assert all(kind_named(kind_word(kind, lang)) is not None for lang in ("es", "en", "pt"))
        assert kind_named(kind) == kind
        assert stakeholder_named(who) == who
    assert all(STAKEHOLDER_OF[kind] == who for who, kind in KIND_OF.items())


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("Azul,dragón,,,,,", "who it is, «dragón», is not known"),
        ("Azul,,,,,,", "it is not said who it is"),
        ("Azul,customer,,,,,", "a kind is needed"),
        (",regulador,,,,,", "the name is missing"),
        ("A,regulador,,,,,", "is not a name"),
        ("Azul,regulador,@a b,,,,", "«@a» is not an account"),
        ("Azul,regulador,https://azul.example/x,,,,", "is not an account"),
        ("Azul,regulador,https://x.com/,,,,", "is not an account"),
        ("Azul,regulador,,https://facebook.com/azul,,,", "belongs to many"),
        ("Azul,regulador,,m.facebook.com,,,", "belongs to many"),
        ("Azul,regulador,,azul.blogspot.com,,,", "belongs to many"),
        ("Azul,regulador,,gob.pe,,,", "belongs to many"),
        ("Azul,regulador,,azul,,,", "is not a domain"),
        ("Azul,regulador,,http://[,,,", "is not a domain"),
        ("Azul,regulador,,gob.mx/azul/x/y,,,", "gob.mx or gob.mx/azul"),
        ("Azul,regulador,,,31/02/2001,,", "is not a date"),
        ("Azul,regulador,,,ayer,,", "is not a date"),
        ("Azul,regulador,,,2001,2000,", "ends (2000-01-01) before it begins (2001-01-01)"),
        ("Azul,regulador,,,,,quizás", "neither yes nor no"),
        ("Azul,regulador,,,,,sí", "only press is an outlet"),
        ("Azul,regulador,,,,,,,", ""),
        ("Azul,regulador,,,,,,más", "more cells than headings"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_what_to_do(tmp_path: Path, row: str, says: str) -> None:
    text = f"nombre,tipo,cuentas,dominios,desde,hasta,outlet\nVerde,prensa,,,,,sí\n\n{row}\n"
    sheet = read_sheet(table(tmp_path, text))
    assert "Verde" in [one.name for one in sheet.entries]
    if says:
        assert {fault.line for fault in sheet.faults} == {4}
        assert says in said(sheet)
        assert all(todo for _, todo in (fault.say("en") for fault in sheet.faults))
    else:
        assert len(sheet.entries) == 2


def test_all_faults_come_together_and_the_good_rows_are_kept_apart(tmp_path: Path) -> None:
    text = 'name,stakeholder,domains,since\nOne,x,y,z\n"Two\nlines",press,two.example,2001\nThree,press,,never\n'
    sheet = read_sheet(table(tmp_path, text))
    assert [one.name for one in sheet.entries] == ["Two lines"]
    assert [fault.line for fault in sheet.faults] == [2, 2, 2, 5]


def test_a_date_with_strokes_is_read_only_where_its_order_is_sure(tmp_path: Path) -> None:
    english = read_sheet(table(tmp_path, "name,type,since\nA one,press,09/10/2013\nB two,press,09/25/2013\n"))
    assert "can be read as two dates" in said(english)
    assert [one.since for one in english.entries] == [date(2013, 9, 25)]
    (spanish,) = read_sheet(table(tmp_path, "nombre,tipo,desde\nA uno,prensa,09/10/2013\n")).entries
    assert spanish.since == date(2013, 10, 9)
    (excel,) = read_sheet(table(tmp_path, "nombre,tipo,desde\nA uno,prensa,2013-10-09 00:00:00\n")).entries
    assert excel.since == date(2013, 10, 9)


def test_of_two_rows_that_claim_one_account_the_later_is_at_fault(tmp_path: Path) -> None:
    text = "name,type,handles,until\nOld,regulator,desk,2020\nNew,regulator,DESK,\n"
    sheet = read_sheet(table(tmp_path, text))
    assert [one.name for one in sheet.entries] == ["Old"]
    assert "3: the account «desk» stands already in line 2, at «Old»" in said(sheet)
    follows = text.replace("name,type,handles,until", "name,type,handles,until,since").replace("DESK,", "DESK,,2020")
    assert len(read_sheet(table(tmp_path, follows)).entries) == 2


def test_a_row_whose_successor_is_bad_is_bad_too(tmp_path: Path) -> None:
    text = "name,type,until,successor,since\nOld,regulator,2020,New,\nNew,regulator,,,never\nMore,press,,,\n"
    sheet = read_sheet(table(tmp_path, text))
    assert [one.name for one in sheet.entries] == ["More"]
    assert "2: the successor «New» has no row" in said(sheet)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"name,type\n", "no row"),
        (b"a,b\n1,2\n", "is missing"),
        (b"name,notes\nx,y\n", "is missing"),
        (b"name,type,nombre\nx,press,y\n", "two columns mean"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"name,type\0\n", "not a text"),
        (b'name,type\nAzul,press\n"Open,press\nx,y\n', "cannot be read"),
        (b"\xff\xfe\x00", "not a text"),
        (b"name,type\n" + b"x" * 200_000 + b",press\n", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_said_so(tmp_path: Path, body: bytes, says: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(body)
    assert says in said(read_sheet(path))
    assert "not there" in said(read_sheet(tmp_path / "absent.csv"))


@settings(max_examples=60, deadline=None)
@given(
    body=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: ("name,type,web\n" + text).encode()))
)
def test_no_bytes_make_it_fail(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "own.csv"
    path.write_bytes(body)
    sheet = read_sheet(path)
    assert sheet.entries or sheet.faults


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=2, max_size=30)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda text: text.casefold()), until=st.booleans())
def test_what_is_written_is_read_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], until: bool
) -> None:
    rows = [
        Entry(
            name=f"{number} {name}\x7f\u2028\"'\\",
            stakeholder="press",
            kind="media",
            handles=(f"account_{number}",),
            domains=(f"d{number}.example/x_y",),
            aliases=(f"other {number} {name}",),
            outlet=True,
            since=date(2001, 5, 1),
            since_precision="month",
            until=date(2020, 1, 2) if until else None,
        )
        for number, name in enumerate(names)
    ]
    path = tmp_path_factory.mktemp("any") / "own.toml"
    path.write_text(write_document("PE", rows, "made here\nby hand"), encoding="utf-8")
    assert read_entries(path) == ("PE", tuple(rows))


@pytest.mark.parametrize("country", COUNTRIES)
def test_our_own_files_survive_being_written_again(tmp_path: Path, country: str) -> None:
    told = read_entries(FOLDER / f"{country.lower()}.toml")
    (tmp_path / "own.toml").write_text(write_document(*told), encoding="utf-8")
    assert read_entries(tmp_path / "own.toml") == told


def test_import_writes_a_file_that_the_registry_opens_and_says_the_line_for_config(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(INSTANCE + '[registry]\nfiles = ["before.toml"]\n')
    (tmp_path / "before.toml").write_text('country = "PE"\n')
    table(tmp_path, SPANISH, "latin-1")
    done = escucha("import", "own.csv", "--output", "my.toml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'files = ["before.toml", "my.toml"]' in done.stderr
    assert read_entries(tmp_path / "my.toml")[0] == "PE"
    known = load(("PE",), [tmp_path / "my.toml"])
    match = known.find(handle="nandu_ag", at=datetime(2024, 5, 4, tzinfo=UTC))
    assert match is not None
    assert (match.name, match.stakeholder) == ("Agencia Ñandú", "regulator")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before.toml", "config.toml", "my.toml", "own.csv"]


def test_import_writes_nothing_with_a_bad_row_unless_told_to_skip_it(tmp_path: Path) -> None:
    table(tmp_path, "nombre,tipo,notas\nAzul,regulador,\nVerde,dragón,\n")
    done = escucha("import", "own.csv", "--country", "pe", folder=tmp_path, lang="en")
    assert done.returncode == 2
    assert "line 3" in done.stderr
    assert "«notas» is not read" in done.stderr
    assert not (tmp_path / "own.toml").exists()
    done = escucha("import", "own.csv", "--country", "pe", "--skip", folder=tmp_path)
    assert done.returncode == 1  # what could be read is done
    assert [one.name for one in read_entries(tmp_path / "own.toml")[1]] == ["Azul"]


def test_import_never_overwrites_without_force(tmp_path: Path) -> None:
    table(tmp_path, "nombre,tipo\nAzul,regulador\n")
    (tmp_path / "own.toml").write_text("mine")
    done = escucha("import", "own.csv", "--country", "PE", folder=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "own.toml").read_text() == "mine"
    assert escucha("import", "own.csv", "--country", "PE", "--force", folder=tmp_path).returncode == 0
    assert read_entries(tmp_path / "own.toml")[0] == "PE"


def test_import_never_writes_over_the_table_itself(tmp_path: Path) -> None:
    path = table(tmp_path, "nombre,tipo\nAzul,regulador\n")
    done = escucha("import", "own.csv", "--country", "PE", "--output", "./own.csv", "--force", folder=tmp_path)
    assert done.returncode == 2
    assert path.read_text().startswith("nombre")


@pytest.mark.parametrize("country", [(), ("--country", "Peru"), ("--country", "ñu")])
def test_import_asks_for_the_country_when_nothing_tells_it(tmp_path: Path, country: tuple[str, ...]) -> None:
    table(tmp_path, "nombre,tipo\nAzul,regulador\n")
    done = escucha("import", "own.csv", *country, folder=tmp_path)
    assert done.returncode == 2
    assert "--country PE" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["@OSIPTEL"], 0, "Osiptel: regulator (regulator), in the registry of PE since 1991-07-11"),
        (["https://www.gov.uk/cma"], 0, "by the address gov.uk/cma"),
        (["IFT", "--at", "2024-05-04"], 0, "IFT: regulator"),
        (["IFT", "--at", "2026-05-04"], 1, "held from 2013-09-10 until 2025-10-17; then CRT"),
        (["Ministério das Comunicações"], 0, "by its exact name"),
        (["munipuno.gob.pe"], 0, "gob.pe: government (authority)"),
        (["nobody at all"], 1, "No registry knows «nobody at all»"),
    ],
)
def test_find_says_which_entry_answers_and_why(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    done = escucha("find", *words, folder=tmp_path)
    assert done.returncode == code, done.stderr
    assert says in done.stdout


def test_find_says_when_the_instance_does_not_ask_that_registry(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(INSTANCE)
    assert "asks PE" in escucha("find", "Ofcom", folder=tmp_path).stderr
    assert escucha("find", "Osiptel", folder=tmp_path).stderr == ""
    told = json.loads(escucha("find", "@OSIPTEL", "--json", folder=tmp_path).stdout)
    assert (told["name"], told["by"], told["country"]) == ("Osiptel", "handle", "PE")


def test_the_verbs_are_documented() -> None:
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert "`escucha registry import " in text
    assert "`escucha registry find " in text
