"""The registry: dated entries, found by account, address and exact name."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.errors import ConfigError
from stakeholders.registry import COUNTRIES, Registry, load, read_entries

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "stakeholders" / "registry"
DEMO = ROOT / "listener" / "demo" / "registry.toml"
IN_2024 = datetime(2024, 5, 4, 15, tzinfo=UTC)
IN_2026 = datetime(2026, 5, 4, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def known() -> Registry:
    return load(("PE", "MX"))


def write(folder: Path, *entries: str, head: str = 'country = "PE"') -> Path:
    path = folder / "own.toml"
    path.write_text(head + "\n" + "\n".join(f"[[entry]]\n{entry}" for entry in entries), encoding="utf-8")
    return path


def entry(name: str = "Body", **more: str) -> str:
    fields = {"name": f'"{name}"', "stakeholder": '"regulator"', "kind": '"regulator"', "since": "2001-01-01", **more}
    return "\n".join(f"{key} = {value}" for key, value in fields.items())


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_has_forty_five_entries_of_every_main_kind(country: str) -> None:
    told, entries = read_entries(FOLDER / f"{country.lower()}.toml")
    assert told == country
    assert len(entries) >= 45
    kinds = {one.kind for one in entries}
    assert {
        "regulator",
        "ministry",
        "legislature",
        "court",
        "police",
        "municipality",
        "media",
        "operator",
        "bank",
    } <= kinds
    assert {"consumer body", "ngo", "university", "rating agency"} <= kinds
    assert sum(one.kind == "media" for one in entries) >= 12
    assert all(one.outlet for one in entries if one.kind == "media")
    assert all(one.stakeholder == "peer_company" for one in entries if one.kind in ("operator", "bank"))
    assert all(one.handles or one.domains or one.name for one in entries)


@pytest.mark.parametrize("path", [*sorted(FOLDER.glob("*.toml")), DEMO], ids=lambda path: path.name)
def test_no_two_entries_of_a_file_claim_the_same_account_or_address(path: Path) -> None:
    with path.open("rb") as lines:
        rows = tomllib.load(lines)["entry"]
    for field in ("handles", "domains"):
        claimed = [value.casefold() for row in rows for value in row.get(field, [])]
        assert len(claimed) == len(set(claimed))
    assert all(not handle.startswith("@") for row in rows for handle in row.get("handles", []))


def test_every_entry_is_found_again_by_all_that_it_signs_with() -> None:
    known = load(COUNTRIES)
    for one in known.entries:
        at = datetime.combine(one.since, datetime.min.time(), UTC) + timedelta(hours=12)
        for handle in one.handles:
            assert (match := known.find(handle=handle.upper(), at=at)) is not None
            assert match.name == one.name
        for domain in one.domains:
            assert (match := known.find(url=f"https://www.{domain}/x", at=at)) is not None
            assert match.name == one.name


def test_the_ift_answers_in_2024_and_the_crt_in_2026(known: Registry) -> None:
    then = known.find(name="Instituto Federal de Telecomunicaciones", at=IN_2024)
    assert then is not None
    assert (then.name, then.stakeholder) == ("IFT", "regulator")
    assert known.find(name="IFT", at=IN_2026) is None
    assert known.find(handle="IFT_MX", at=IN_2026) is None
    now = known.find(url="https://www.gob.mx/crt", at=IN_2026)
    assert now is not None
    assert (now.name, now.since) == ("CRT", "2025-10-17")
    assert known.find(name="Comisión Reguladora de Telecomunicaciones", at=IN_2024) is None


def test_an_entry_ends_on_the_day_its_successor_begins(known: Registry) -> None:
    first = datetime(2025, 10, 17, tzinfo=UTC)
    assert known.find(name="IFT", at=first - timedelta(seconds=1)) is not None
    assert known.find(name="IFT", at=first) is None
    assert known.find(name="CRT", at=first) is not None


def test_a_date_is_said_no_more_exactly_than_it_is_known(known: Registry) -> None:
    sure = known.find(handle="OSIPTEL", at=IN_2026)
    month = known.find(handle="IndecopiOficial", at=IN_2026)
    year = known.find(domain="bbva.pe", at=IN_2026)
    assert sure is not None
    assert month is not None
    assert year is not None
    assert (sure.since, month.since, year.since) == ("1991-07-11", "1992-11", "2019")


@pytest.mark.parametrize("handle", ["OSIPTEL", "@osiptel", "Osiptel", "OSI\u200bPTEL", "\u202eOSIPTEL"])
def test_an_account_is_found_however_it_is_written(known: Registry, handle: str) -> None:
    match = known.find(handle=handle, at=IN_2026)
    assert match is not None
    assert match.stakeholder == "regulator"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://www.osiptel.gob.pe/noticias", "Osiptel"),
        ("HTTPS://NOTICIAS.ELCOMERCIO.PE:443/x?y#z", "El Comercio"),
        ("gob.mx/profeco", "Profeco"),
        ("www.infobae.com/peru/2026/x", "Infobae Perú"),
    ],
)
def test_an_address_is_found_by_host_parent_and_first_folder(known: Registry, address: str, name: str) -> None:
    match = known.find(url=address, at=IN_2026)
    assert match is not None
    assert (match.name, match.by) == (name, "domain")


@pytest.mark.parametrize(
    "address", ["munipuno.gob.pe", "https://tramites.puebla.gob.mx", "trt2.jus.br", "camara.leg.br", "x.gov.br"]
)
def test_a_state_address_without_an_entry_is_still_government(known: Registry, address: str) -> None:
    match = known.find(url=address, at=IN_2026)
    assert match is not None
    assert (match.stakeholder, match.by) == ("government", "suffix")


@pytest.mark.parametrize(
    "address",
    [
        "https://osiptel.gob.pe.evil.com",
        "http://[",
        "",
        "javascript:alert(1)",
        "//",
        "gob",
        "http://1.2.3.4/osiptel.gob.pe",
        "a" * 9000,
    ],
)
def test_an_address_that_only_looks_official_is_nobody(known: Registry, address: str) -> None:
    assert known.find(url=address, at=IN_2026) is None


@pytest.mark.parametrize(
    "name", ["María Osiptel Quispe", "Claro Rodríguez", "Ana (Reforma)", "Amigos de Osiptel", "Win"]
)
def test_a_name_inside_a_longer_private_name_is_never_matched(known: Registry, name: str) -> None:
    assert known.find(name=name, at=IN_2026) is None


def test_a_name_counts_only_after_account_and_address(known: Registry) -> None:
    match = known.find(handle="MEF_Peru", url="https://elcomercio.pe", name="OSIPTEL", at=IN_2026)
    assert match is not None
    assert (match.name, match.by) == ("Ministerio de Economía y Finanzas", "handle")


def test_the_country_decides_between_two_bodies_of_one_name(tmp_path: Path) -> None:
    other = write(tmp_path, entry("CNBV", since="2001-01-01"), head='country = "PE"')
    both = load(("MX",), [other])
    assert (found := both.find(name="CNBV", at=IN_2026, country="MX")) is not None
    assert found.country == "PE"  # a team's own file goes before ours, whatever the country


def test_the_same_files_are_read_once(tmp_path: Path) -> None:
    assert load(("PE", "MX")) is load(["mx", "pe"])
    assert load(("PE",), [write(tmp_path, entry())]) is load(("PE",), [tmp_path / "own.toml"])


def test_a_country_without_a_registry_is_left_out() -> None:
    assert load(("CL",)).find(handle="OSIPTEL", at=IN_2026) is None


def test_the_bodies_of_the_demo_are_found_beside_those_of_peru() -> None:
    both = load(("PE",), [DEMO])
    bodies = {
        "regulator": "artel_regula prodecon_pe OSIPTEL",
        "government": "minconectividad yolandaccori raulibanezs munisantelmo",
        "consumer_association": "usuariosunidospe defensamovil",
        "press": "lavereda_pe radiocumbre canalandes elmuelle pulsoeconomico tecnollama dsalcedo_tv carlanunezr",
        "civil_society": "redsurambiental",
        "peer_company": "bancomirador",
    }
    for who, handles in bodies.items():
        for handle in handles.split():
            assert (match := both.find(handle=handle, at=IN_2026)) is not None, handle
            assert match.stakeholder == who


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (entry(stakeholder='"watchdog"'), "stakeholder"),
        (entry(kind='"guild of dragons"'), "kind"),
        (entry(handles='["@body"]'), "handles"),
        (entry(domains='["https://body.pe"]'), "domains"),
        (entry(until="2000-01-01"), "until must be later"),
        (entry(since="2001-05-09", since_precision='"year"'), "day 1"),
        (entry(outlet="true"), "only press"),
        (entry(until="2002-01-01", successor='"Nobody"'), "has no entry"),
        (entry(colour='"red"'), "colour"),
        ("name = 'X'", "name"),
    ],
)
def test_a_faulty_entry_is_named_with_its_file(tmp_path: Path, row: str, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        load((), [write(tmp_path, row)])
    assert "own.toml" in str(error.value)
    assert says in str(error.value)


def test_all_faults_of_all_files_come_together(tmp_path: Path) -> None:
    bad = write(tmp_path, entry("One", kind='"x"'), entry("Two", stakeholder='"y"'), head='land = "PE"')
    with pytest.raises(ConfigError) as error:
        load((), [bad, tmp_path / "absent.toml"])
    text = str(error.value)
    assert all(part in text for part in ("entry 1 «One»", "entry 2 «Two»", "country", "«land»", "absent.toml"))


def test_two_entries_may_share_an_account_one_after_the_other_but_not_at_once(tmp_path: Path) -> None:
    old, new = (
        entry("Old", handles='["desk"]', until="2020-01-01"),
        entry("New", handles='["desk"]', since="2020-01-01"),
    )
    later = load((), [write(tmp_path, old, new)])
    assert (match := later.find(handle="desk", at=IN_2024)) is not None
    assert match.name == "New"
    clash = tmp_path / "clash"
    clash.mkdir()
    with pytest.raises(ConfigError, match="already stands"):
        load((), [write(clash, entry("Old", handles='["desk"]'), entry("New", handles='["DESK"]'))])


def test_broken_toml_is_a_clear_fault(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xff\xfe not toml")
    with pytest.raises(ConfigError, match=r"own\.toml"):
        load((), [path])
