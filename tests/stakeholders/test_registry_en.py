"""The registries of Brazil, the United States and the United Kingdom: what each holds, and who answers when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from stakeholders.registry import COUNTRIES, STATE_SUFFIXES, Entry, Registry, load, read_entries

FOLDER = Path(__file__).resolve().parents[2] / "stakeholders" / "registry"
IN_2026 = datetime(2026, 5, 4, 15, tzinfo=UTC)
PLACES = ("BR", "GB", "US")


def entries(country: str) -> tuple[Entry, ...]:
    told, rows = read_entries(FOLDER / f"{country.lower()}.toml")
    assert told == country
    return rows


@pytest.fixture(scope="module")
def known() -> Registry:
    return load(PLACES)


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


@pytest.mark.parametrize("country", PLACES)
def test_a_registry_holds_every_kind_that_speaks_of_companies(country: str) -> None:
    rows = entries(country)
    assert len(rows) >= 30
    kinds = [one.kind for one in rows]
    assert kinds.count("regulator") >= 12
    assert kinds.count("media") >= 12
    assert min(kinds.count(kind) for kind in ("consumer body", "legislature", "ministry", "operator", "bank")) >= 3
    assert {"central bank", "court", "police", "municipality", "utility", "union", "exchange"} <= set(kinds)
    assert {"rating agency", "business body", "ngo", "university"} <= set(kinds)
    assert all(one.outlet == (one.kind == "media") for one in rows)
    assert all(one.stakeholder == "employee" for one in rows if one.kind == "union")


@pytest.mark.parametrize("country", PLACES)
def test_nobody_shares_an_account_or_an_address_at_one_time(country: str) -> None:
    for one, other in combinations(entries(country), 2):
        together = one.since < (other.until or other.since.max) and other.since < (one.until or one.since.max)
        if together:
            assert not {name.casefold() for name in one.handles} & {name.casefold() for name in other.handles}
            assert not set(one.domains) & set(other.domains)


@pytest.mark.parametrize("country", PLACES)
def test_a_predecessor_ends_where_its_successor_begins(country: str) -> None:
    rows = entries(country)
    ended = [one for one in rows if one.until is not None]
    assert len(ended) >= 4
    for one in ended:
        (heir,) = (other for other in rows if other.name == one.successor)
        assert one.until is not None
        assert heir.since <= one.until
        # A body that was there long before may inherit; a new one begins on the day the old one ends.
        assert heir.since == one.until or heir.since.year <= one.until.year - 5, one.name


@pytest.mark.parametrize("country", PLACES)
def test_the_date_of_a_body_is_not_in_the_future(country: str) -> None:
    assert all(one.since < IN_2026.date() for one in entries(country))


@pytest.mark.parametrize(
    ("asked", "when", "name", "stakeholder"),
    [
        ({"handle": "Anatel_Informa"}, "2024-03-01", "Anatel", "regulator"),
        ({"url": "https://www.gov.br/anatel/pt-br/assuntos"}, "2024-03-01", "Anatel", "regulator"),
        ({"url": "https://www.gov.br/anpd/pt-br"}, "2021-03-01", "ANPD", "regulator"),
        ({"name": "Agência Nacional de Proteção de Dados"}, "2026-03-01", "ANPD", "regulator"),
        ({"url": "https://www.procon.sp.gov.br/multas"}, "2024-03-01", "Procon-SP", "regulator"),
        ({"url": "https://www.consumidor.gov.br"}, "2024-03-01", "Senacon", "regulator"),
        ({"url": "https://www.bcb.gov.br"}, "2024-03-01", "Banco Central do Brasil", "regulator"),
        ({"url": "https://g1.globo.com/economia/x"}, "2024-03-01", "g1", "press"),
        ({"url": "https://www1.folha.uol.com.br/mercado"}, "2024-03-01", "Folha de S.Paulo", "press"),
        ({"name": "Ministério da Economia"}, "2021-03-01", "Ministério da Economia", "government"),
        ({"name": "Ministério da Fazenda"}, "2024-03-01", "Ministério da Fazenda", "government"),
        ({"url": "https://www.camara.leg.br/x"}, "2024-03-01", "Câmara dos Deputados", "government"),
        ({"url": "https://idec.org.br"}, "2024-03-01", "Idec", "consumer_association"),
        ({"url": "https://www.vivo.com.br"}, "2024-03-01", "Vivo Brasil", "peer_company"),
        ({"handle": "FCC"}, "2024-03-01", "FCC", "regulator"),
        ({"url": "https://docs.fcc.gov/public"}, "2024-03-01", "FCC", "regulator"),
        ({"url": "https://consumer.ftc.gov/x"}, "2024-03-01", "FTC", "regulator"),
        ({"url": "https://www.justice.gov/atr/x"}, "2024-03-01", "Antitrust Division", "regulator"),
        ({"url": "https://www.justice.gov/opa"}, "2024-03-01", "U.S. Department of Justice", "government"),
        ({"url": "https://oag.ca.gov/consumers"}, "2024-03-01", "California Attorney General", "regulator"),
        ({"name": "NYDFS"}, "2024-03-01", "New York State Department of Financial Services", "regulator"),
        ({"url": "https://www.puc.texas.gov"}, "2024-03-01", "Public Utility Commission of Texas", "regulator"),
        ({"name": "MSNBC"}, "2025-11-14", "MSNBC", "press"),
        ({"url": "https://www.ms.now"}, "2025-11-15", "MS NOW", "press"),
        ({"url": "https://www.ranking.senate.gov"}, "2024-03-01", "United States Senate", "government"),
        ({"url": "https://www.bbb.org/us"}, "2024-03-01", "Better Business Bureau", "consumer_association"),
        ({"handle": "VerizonSupport"}, "2024-03-01", "Verizon", "peer_company"),
        ({"name": "Communications Workers of America"}, "2024-03-01", "CWA Union", "employee"),
        ({"handle": "Ofcom"}, "2003-12-29", "Ofcom", "regulator"),
        ({"url": "http://www.oftel.gov.uk"}, "2003-12-28", "Oftel", "regulator"),
        ({"url": "https://www.fca.org.uk/news"}, "2013-04-01", "FCA", "regulator"),
        ({"name": "Financial Services Authority"}, "2013-03-31", "Financial Services Authority", "regulator"),
        ({"url": "https://www.gov.uk/cma"}, "2014-04-01", "CMA", "regulator"),
        ({"name": "Competition Commission"}, "2014-03-31", "Competition Commission", "regulator"),
        ({"url": "https://www.bankofengland.co.uk"}, "2024-03-01", "Bank of England", "regulator"),
        ({"url": "https://committees.parliament.uk/x"}, "2024-03-01", "UK Parliament", "government"),
        ({"url": "https://www.bbc.co.uk/news/x"}, "2024-03-01", "BBC News", "press"),
        ({"name": "Which?"}, "2024-03-01", "Which?", "consumer_association"),
        ({"url": "https://www.birmingham.gov.uk"}, "2024-03-01", "Birmingham City Council", "government"),
        ({"handle": "@VodafoneUK"}, "2024-03-01", "Vodafone UK", "peer_company"),
    ],
)  # fmt: skip
def test_a_body_is_found_by_what_it_signs_with_at_its_time(
    known: Registry, asked: dict[str, str], when: str, name: str, stakeholder: str
) -> None:
    match = known.find(**asked, at=at(when))
    assert match is not None
    assert (match.name, match.stakeholder) == (name, stakeholder)


@pytest.mark.parametrize(
    ("asked", "when"),
    [
        ({"name": "Ofcom"}, "2003-12-28"),
        ({"name": "Oftel"}, "2003-12-29"),
        ({"name": "OFT"}, "2014-04-01"),
        ({"handle": "TheFCA"}, "2013-03-31"),
        ({"name": "NASD"}, "2007-07-30"),
        ({"name": "Ministério da Infraestrutura"}, "2023-01-01"),
        ({"handle": "MSNBC"}, "2025-11-15"),
        ({"name": "Ana"}, "2024-03-01"),  # a first name, and what the water agency is called
        ({"name": "Cade"}, "2024-03-01"),
        ({"name": "Light"}, "2024-03-01"),
        ({"url": "https://fcc.gov.example.com"}, "2024-03-01"),
        ({"url": "https://www.gov.uk.example.org/cma"}, "2024-03-01"),
    ],
)
def test_nobody_answers_out_of_time_or_by_a_word_of_every_day(
    known: Registry, asked: dict[str, str], when: str
) -> None:
    assert known.find(**asked, at=at(when)) is None


@pytest.mark.parametrize(
    "address",
    [
        "https://www.niteroi.rj.gov.br", "https://www.trt2.jus.br", "https://www.al.es.leg.br", "https://www.mpba.mp.br",
        "https://www.tce.pa.tc.br", "https://dmv.state.pa.us", "https://www.fs.fed.us",
        "https://www.maine.gov", "https://www.army.mil", "https://www.gov.uk/government/x", "https://www.nhs.uk/x",
        "https://www.raf.mod.uk", "https://www.kent.police.uk", "https://www.transport.gov.scot", "https://cadw.gov.wales",
        "https://www.rosario.gob.ar", "https://www.afip.gov.ar", "https://www.arica.gob.cl", "https://www.cali.gov.co",
        "https://www.ine.gob.es", "https://www.puebla.gob.mx", "https://www.munipuno.gob.pe",
    ],
)  # fmt: skip
def test_a_state_address_of_any_of_the_nine_countries_is_government(address: str) -> None:
    match = Registry().find(url=address, at=IN_2026)
    assert match is not None
    assert (match.stakeholder, match.by) == ("government", "suffix")


@pytest.mark.parametrize(
    "address", ["https://acme.us", "https://pa.us", "https://acme.uk", "https://acme.br", "uk", "scot"]
)
def test_a_country_alone_is_no_state(known: Registry, address: str) -> None:
    assert known.find(url=address, at=IN_2026) is None


def test_no_entry_of_ours_swallows_a_whole_state() -> None:
    for country in COUNTRIES:
        shared = {domain for one in entries(country) for domain in one.domains} & STATE_SUFFIXES
        assert shared <= {"parliament.uk", "judiciary.uk", "gov.scot", "gov.wales"}, country  # one body each


def test_the_history_of_a_name_tells_who_held_it_when(known: Registry) -> None:
    (told,) = known.history(name="Oftel")
    assert (told[0].name, told[0].successor, told[1]) == ("Oftel", "Ofcom", "GB")
    assert known.history(domain="https://www.oftel.gov.uk/x") == (told,)
    assert known.history(handle="@nobody_at_all") == ()
    assert known.find(name="Oftel", at=at("2003-12-29") - timedelta(days=1)) is not None
