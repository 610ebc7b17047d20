"""The registries of Colombia, Chile, Argentina and Spain: whole, clash-free, found by account, address and date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

from stakeholders.registry import Entry, Registry, read_entries

FOLDER = Path(__file__).resolve().parents[2] / "stakeholders" / "registry"
OURS = ("AR", "CL", "CO", "ES")
IN_2026 = datetime(2026, 5, 4, 15, tzinfo=UTC)
GOVERNMENT = {"authority", "central bank", "court", "legislature", "ministry", "municipality", "ombudsman", "police"}
TELECOM = {"AR": "ENACOM", "CL": "Subtel", "CO": "CRC Colombia", "ES": "CNMC"}


@cache
def entries_of(country: str) -> tuple[Entry, ...]:
    told, entries = read_entries(FOLDER / f"{country.lower()}.toml")
    assert told == country
    return entries


@cache
def known() -> Registry:
    """Give one registry of our four countries beside Peru and Mexico, whose accounts must stay theirs."""
    return Registry((one, country, 1) for country in (*OURS, "MX", "PE") for one in entries_of(country))


@pytest.mark.parametrize("country", OURS)
def test_every_country_has_the_bodies_a_desk_meets_first(country: str) -> None:
    entries = entries_of(country)
    assert len(entries) >= 45
    kinds = {one.kind for one in entries}
    assert {"regulator", "consumer body", "legislature", "ministry", "central bank", "court", "police"} <= kinds
    assert {"municipality", "ombudsman", "operator", "bank", "utility", "union", "exchange", "rating agency"} <= kinds
    assert {"business body", "ngo", "university"} <= kinds
    regulator = next(one for one in entries if one.name == TELECOM[country])
    assert regulator.kind == "regulator"
    assert regulator.until is None


@pytest.mark.parametrize("country", OURS)
def test_news_outlets_count_as_reach_and_companies_as_peers(country: str) -> None:
    entries = entries_of(country)
    media = [one for one in entries if one.kind == "media"]
    assert len(media) >= 20
    assert all(one.outlet and one.stakeholder == "press" and one.domains for one in media)
    for one in entries:
        if one.kind in GOVERNMENT:
            assert one.stakeholder == "government", one.name
        if one.kind in ("operator", "bank", "utility"):
            assert one.stakeholder == "peer_company", one.name
        if one.kind == "union":
            assert one.stakeholder == "employee", one.name
    assert sum(one.kind == "operator" for one in entries) >= 4
    assert sum(one.kind == "bank" for one in entries) >= 5


@pytest.mark.parametrize("country", OURS)
def test_no_account_and_no_address_stands_in_two_entries_of_a_country(country: str) -> None:
    for one, other in combinations(entries_of(country), 2):
        assert not {name.casefold() for name in one.handles} & {name.casefold() for name in other.handles}, one.name
        assert not set(one.domains) & set(other.domains), one.name


@pytest.mark.parametrize("country", OURS)
def test_every_entry_is_found_again_by_all_that_it_signs_with(country: str) -> None:
    for one in entries_of(country):
        at = datetime.combine(one.since, datetime.min.time(), UTC) + timedelta(hours=12)
        found = [known().find(handle=f"@{handle.upper()}", at=at) for handle in one.handles]
        found += [known().find(url=f"https://www.{domain}/x", at=at) for domain in one.domains]
        found += [known().find(name=name.upper(), at=at, country=country) for name in (one.name, *one.aliases)]
        assert {match.name if match else None for match in found} == {one.name}


@pytest.mark.parametrize("country", OURS)
def test_a_predecessor_ends_no_earlier_than_its_successor_begins(country: str) -> None:
    by_name = {one.name: one for one in entries_of(country)}
    ended = [one for one in by_name.values() if one.until is not None and one.successor is not None]
    assert ended
    for one in ended:
        assert one.successor is not None
        assert one.until is not None
        assert one.until >= by_name[one.successor].since, one.name
        assert by_name[one.successor].holds(one.until), one.name


@pytest.mark.parametrize(
    ("country", "before", "after", "first"),
    [
        ("CO", "Comisión de Regulación de Telecomunicaciones", "CRC Colombia", date(2009, 7, 30)),
        ("CO", "Ministerio de Comunicaciones de Colombia", "MinTIC", date(2009, 7, 30)),
        ("CO", "Superintendencia Bancaria de Colombia", "Superfinanciera", date(2005, 11, 1)),
        ("CL", "Superintendencia de Valores y Seguros", "CMF Chile", date(2018, 1, 16)),
        ("CL", "Onemi", "Senapred", date(2023, 1, 1)),
        ("AR", "AFTIC", "ENACOM", date(2016, 1, 4)),
        ("AR", "AFSCA", "ENACOM", date(2016, 1, 4)),
        ("AR", "AFIP", "Agencia de Recaudación y Control Aduanero", date(2024, 10, 25)),
        ("ES", "Comisión del Mercado de las Telecomunicaciones", "CNMC", date(2013, 10, 7)),
        ("ES", "Ministerio de Consumo", "Ministerio de Derechos Sociales, Consumo y Agenda 2030", date(2023, 11, 21)),
    ],
)
def test_a_body_ends_on_the_day_its_successor_begins(country: str, before: str, after: str, first: date) -> None:
    by_name = {one.name: one for one in entries_of(country)}
    old, new = by_name[before], by_name[after]
    assert (old.until, old.successor, new.since) == (first, after, first)
    day = datetime.combine(first, datetime.min.time(), UTC)
    assert known().find(name=before, at=day - timedelta(seconds=1), country=country) is not None
    assert known().find(name=before, at=day, country=country) is None
    assert known().find(name=after, at=day - timedelta(seconds=1), country=country) is None
    assert known().find(name=after, at=day, country=country) is not None


@pytest.mark.parametrize(
    ("handle", "name", "stakeholder"),
    [
        ("@CRCCol", "CRC Colombia", "regulator"),
        ("sicsuper", "SIC Colombia", "regulator"),
        ("Ministerio_TIC", "MinTIC", "government"),
        ("SenadoGovCo", "Senado de la República de Colombia", "government"),
        ("NoticiasCaracol", "Noticias Caracol", "press"),
        ("ClaroColombia", "Claro Colombia", "peer_company"),
        ("SERNAC", "SERNAC", "regulator"),
        ("Carabdechile", "Carabineros de Chile", "government"),
        ("latercera", "La Tercera", "press"),
        ("MovistarChile", "Movistar Chile", "peer_company"),
        ("ENACOMArgentina", "ENACOM", "regulator"),
        ("DiputadosAR", "Diputados Argentina", "government"),
        ("LANACION", "La Nación Argentina", "press"),
        ("PersonalAr", "Personal Argentina", "peer_company"),
        ("CNMC_ES", "CNMC", "regulator"),
        ("facua", "FACUA", "consumer_association"),
        ("Congreso_Es", "Congreso de los Diputados", "government"),
        ("el_pais", "El País", "press"),
        ("CCOO", "CCOO", "employee"),
    ],
)
def test_a_body_is_found_by_its_account(handle: str, name: str, stakeholder: str) -> None:
    match = known().find(handle=handle, at=IN_2026)
    assert match is not None
    assert (match.name, match.stakeholder, match.by) == (name, stakeholder, "handle")


@pytest.mark.parametrize(
    ("address", "name", "country"),
    [
        ("https://www.crcom.gov.co/es/noticias", "CRC Colombia", "CO"),
        ("ccconsumidores.org.co", "Confederación Colombiana de Consumidores", "CO"),
        ("https://www.infobae.com/colombia/2026/05/04/x", "Infobae Colombia", "CO"),
        ("https://tramites.subtel.gob.cl", "Subtel", "CL"),
        ("https://www.conadecus.cl/x", "CONADECUS", "CL"),
        ("https://radio.uchile.cl/2026/x", "Diario UChile", "CL"),
        ("https://www.argentina.gob.ar/aaip/datospersonales", "AAIP", "AR"),
        ("https://www.argentina.gob.ar/otra-cosa", "Argentina.gob.ar", "AR"),
        ("https://www.infobae.com/politica/x", "Infobae", "AR"),
        ("https://dgsfp.mineco.gob.es", "Dirección General de Seguros y Fondos de Pensiones", "ES"),
        (
            "https://avance.digital.gob.es/x",
            "Secretaría de Estado de Telecomunicaciones e Infraestructuras Digitales",
            "ES",
        ),
        ("https://cincodias.elpais.com/companias/x", "Cinco Días", "ES"),
    ],
)
def test_a_body_is_found_by_the_longest_address_that_is_its_own(address: str, name: str, country: str) -> None:
    match = known().find(url=address, at=IN_2026)
    assert match is not None
    assert (match.name, match.country, match.by) == (name, country, "domain")


@pytest.mark.parametrize(
    ("name", "at", "country", "found"),
    [
        ("Comisión Nacional de Comunicaciones", datetime(2010, 3, 1, tzinfo=UTC), "AR", True),
        ("Comisión Nacional de Comunicaciones", IN_2026, "AR", False),
        ("Agencia Télam", datetime(2024, 6, 30, tzinfo=UTC), "AR", True),
        ("Agencia Télam", IN_2026, "AR", False),
        ("Agencia de Protección de Datos Personales", IN_2026, "CL", False),
        ("Agencia de Protección de Datos Personales", datetime(2026, 12, 1, tzinfo=UTC), "CL", True),
        ("SBIF", datetime(2019, 5, 31, tzinfo=UTC), "CL", True),
        ("SBIF", datetime(2019, 6, 1, tzinfo=UTC), "CL", False),
        ("Bankia", datetime(2020, 5, 4, tzinfo=UTC), "ES", True),
        ("Bankia", IN_2026, "ES", False),
        ("ANTV", datetime(2018, 5, 4, tzinfo=UTC), "CO", True),
        ("ANTV", IN_2026, "CO", False),
    ],
)
def test_an_entry_answers_only_for_posts_of_its_own_time(name: str, at: datetime, country: str, found: bool) -> None:
    assert (known().find(name=name, at=at, country=country) is not None) is found


@pytest.mark.parametrize(
    ("country", "name"), [("CO", "Defensoría del Pueblo de Colombia"), ("PE", "Defensoría del Pueblo")]
)
def test_the_country_of_the_post_decides_between_two_bodies_of_one_name(country: str, name: str) -> None:
    match = known().find(name="Defensoría del Pueblo", at=IN_2026, country=country)
    assert match is not None
    assert (match.country, match.name) == (country, name)


@pytest.mark.parametrize(
    "name", ["El Tiempo", "Perfil", "Personal", "Semana", "Portafolio", "Mundo", "Claro", "Crónica", "Público", "Andi"]
)
def test_an_everyday_word_is_nobody(name: str) -> None:
    assert all(known().find(name=name, at=IN_2026, country=country) is None for country in OURS)
