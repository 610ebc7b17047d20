"""Which company speaks of which: direction, people, event and mood, with reasons, in figures that add up."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from listener.config import Config
from listener.database import Store
from listener.mention import Author, Brand, Mention, Post, Term
from listener.store import authors, posts
from listener.tables.occasion import EventTable
from sentiment.store import verdicts
from sentiment.verdict import Label
from stakeholders.companies.company import Companies
from stakeholders.companies.occasion import find_occasion
from stakeholders.companies.peer import Exchange, Peers, exchanges, totals
from stakeholders.companies.person import People
from stakeholders.deciding.facts import Speaker
from stakeholders.letters.peerlines import exchange_lines
from stakeholders.scope import limit
from stakeholders.store import cases, decisions
from tests.stakeholders.business import AUTHORS, NOW, a_config, a_day, tell

LIMA = ZoneInfo("America/Lima")
STORY = (
    "Qué lujo escuchar a Lucía Ferreyros, directora de Brisatel, en #CADE2026: "
    "«la conectividad rural es país». Aplausos"
)


def test_our_care_account_that_praises_a_rivals_director_at_a_conference_is_understood(
    store: Store, tmp_path: Path
) -> None:
    config = a_config(tmp_path)
    with store.write() as connection:
        tell(connection, config, "care", STORY, "positive", url="https://x.example/1")
        (found,) = exchanges(connection, config.settings, a_day(), "nitido")
    assert (found.direction, found.sentiment, found.unsure) == ("us_to_them", "positive", False)
    assert (found.speaker.account, found.speaker.key, found.brand) == ("care", "nitido", "brisatel")
    assert [one.name for one in found.praised] == [one.name for one in found.quoted] == ["Lucía Ferreyros"]
    assert found.event is not None
    assert (found.event.name, found.event.configured) == ("CADE 2026", True)
    assert (found.department, found.copies) == ("communications", ("customer_care",))
    english = [one.say("en") for one in found.because]
    assert english == [
        "Our customer-care account @nitidoayuda speaks of Brisatel",
        "It speaks well of Lucía Ferreyros, who speaks for Brisatel",
        "It passes on what Lucía Ferreyros said: the post says «la conectividad rural es país»",
        "The event is CADE 2026, one of yours: the post says «#CADE2026»",
    ]
    for lang in ("es", "pt"):
        assert all("{" not in one.say(lang) for one in found.because)


def test_our_account_that_praises_a_rival_opens_a_case_for_communications_with_its_copy(
    store: Store, tmp_path: Path
) -> None:
    config = a_config(tmp_path)
    with store.write() as connection:
        tell(connection, config, "care", STORY, "positive")
        row = connection.execute(sa.select(cases)).one()
        (found,) = exchanges(connection, config.settings, a_day(), None)
    assert (row.department, row.copies, row.priority) == ("communications", ["customer_care"], "important")
    assert found.case_id == row.id


@pytest.mark.parametrize(
    ("who", "text", "wanted"),
    [
        ("us", "Felicitamos a Brisatel por su red", [("us_to_them", "brisatel")]),
        ("rival", "Otra caída de Nítido", [("them_to_us", "nitido")]),
        ("third", "Brisatel subió sus precios", [("them_to_them", "brisatel")]),
        ("bank", "Gracias a Nítido, gran socio", [("them_to_us", "nitido")]),
        ("third", "Nítido y Brisatel suben precios", [("them_to_them", "brisatel"), ("them_to_us", "nitido")]),
        ("us", "En Nítido cumplimos diez años", []),
        ("rival", "En Brisatel cumplimos diez años", []),
        ("ana", "Nítido y Brisatel son iguales", []),
        ("rival", "RT @nitidope: Nítido llega a la selva", [("them_to_us", "nitido")]),
        ("us", "Gracias @brisatel por los postes", [("us_to_them", "brisatel")]),
    ],
)
def test_who_speaks_of_whom_gives_the_direction_and_nobody_speaks_of_himself(
    tmp_path: Path, who: str, text: str, wanted: list[tuple[str, str]]
) -> None:
    config = a_config(tmp_path)
    store = Store(config.store_url)
    store.migrate()
    try:
        with store.write() as connection:
            tell(connection, config, who, text)
            found = exchanges(connection, config.settings, a_day(), None)
    finally:
        store.close()
    assert sorted((one.direction, one.brand) for one in found) == wanted


def test_a_brand_keeps_only_the_exchanges_it_is_a_side_of_and_those_between_others(
    tmp_path: Path, store: Store
) -> None:
    own = {"name": "Otra", "own_handles": ["@otrape"]}
    config = a_config(tmp_path)
    config = a_config(tmp_path, brands={**_brands(config), "otra": own})
    with store.write() as connection:
        tell(connection, config, "rival", "Felicitaciones a Otra", "positive")
        tell(connection, config, "third", "Brisatel miente", "negative")
        tell(connection, config, Author("otrape", "Otra"), "Brisatel es un gran rival", "positive")
        given = {key: exchanges(connection, config.settings, a_day(), key) for key in ("nitido", "otra", None)}
    assert {key: sorted(one.direction for one in found) for key, found in given.items()} == {
        "nitido": ["them_to_them"],
        "otra": ["them_to_them", "them_to_us", "us_to_them"],
        None: ["them_to_them", "them_to_us", "us_to_them"],
    }


def test_an_exchange_is_read_anew_when_its_text_its_author_its_decision_or_the_configuration_changes(
    store: Store, tmp_path: Path
) -> None:
    plain, config = a_config(tmp_path, events=[]), a_config(tmp_path)
    with store.write() as connection:
        (mention,) = tell(connection, config, "bank", "Brisatel estuvo en CADE Ejecutivos", "positive")

        def look(given: Config = config) -> Exchange | None:
            return next(iter(exchanges(connection, given.settings, a_day(), None)), None)

        first = look()
        assert first is not None
        assert (first.speaker.name, first.event and first.event.configured) == ("Banco Mirador", True)
        assert look() == first
        other = look(plain)
        assert other is not None
        assert not (other.event and other.event.configured)
        connection.execute(authors.update().where(authors.c.handle == "bancomirador").values(name="Banco Sol"))
        renamed = look()
        assert renamed is not None
        assert renamed.speaker.name == "Banco Sol"
        connection.execute(posts.update().values(text="Brisatel cumple años"))
        edited = look()
        assert edited is not None
        assert (edited.text, edited.event) == ("Brisatel cumple años", None)
        connection.execute(verdicts.update().where(verdicts.c.current).values(sentiment="negative"))
        judged = look()
        assert judged is not None
        assert (judged.sentiment, judged.because[-1].say("en")) == ("negative", "What it says harms Brisatel")
        mine = decisions.c.mention_id == mention
        connection.execute(decisions.update().where(mine).values(stakeholder="customer"))
        assert look() is None


def test_a_department_is_told_of_the_exchanges_that_went_to_it_and_of_no_other(store: Store, tmp_path: Path) -> None:
    config = a_config(tmp_path)
    with store.write() as connection:
        tell(connection, config, "care", STORY, "positive")
    for department, number in (("communications", 1), ("customer_care", 1), ("sales", 0)):  # the second is copied
        with limit(store, {department}).read() as connection:  # type: ignore[arg-type]  # departments by name
            assert len(exchanges(connection, config.settings, a_day(), None)) == number


def _brands(config: object) -> dict[str, dict[str, object]]:
    return {"nitido": {"name": "Nítido", "own_handles": ["@nitidope"]}}


def test_totals_count_every_direction_with_what_they_stand_on(tmp_path: Path, store: Store) -> None:
    config = a_config(tmp_path)
    with store.write() as connection:
        for text, mood in (("Gran red la de Nítido", "positive"), ("Nítido cayó otra vez en Lima", "negative")):
            tell(connection, config, "rival", text, mood)
        tell(connection, config, "bank", "Nítido en CADE Ejecutivos habló de su red rural", "neutral")
        found = exchanges(connection, config.settings, a_day(), "nitido")
        after = exchanges(connection, config.settings, a_day(NOW + timedelta(days=1)), "nitido")
    told = {one.direction: one for one in totals(found)}
    of_us = told["them_to_us"]
    assert (of_us.exchanges, of_us.negative, of_us.neutral, of_us.positive) == (3, 1, 1, 1)
    assert (of_us.companies, of_us.at_events, of_us.texts, of_us.unsure) == (2, 1, 3, 0)
    assert told["us_to_them"].exchanges == told["them_to_them"].exchanges == 0
    assert after == []
    assert exchange_lines(after) == ()
    (line,) = exchange_lines(found)
    assert "3" in line.reason.say("es")
    assert line.urgent
    assert len(line.items) == 3
    assert line.items[-1].who == "Banco Mirador", "what helps or harms comes before what does neither"


def test_a_person_who_is_no_company_and_a_parody_make_no_exchange(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    peers = Peers(config.settings)
    post = Post("x", "1", "Brisatel es lo máximo", NOW, Author("brisatel_parodia", "Brisatel parodia"))
    mention = Mention(post, "brisatel", "competitor", (Term(0, 8, "Brisatel"),))
    assert peers.read(mention, Speaker(Label("public", 0.9)), "positive") is None
    assert peers.read(mention, Speaker(Label("press", 0.9)), "positive") is None


@pytest.mark.parametrize(
    ("author", "side", "account"),
    [
        (AUTHORS["care"], "own", "care"),
        (AUTHORS["us"], "own", "other"),
        (AUTHORS["rival"], "competitor", "other"),
        (Author("lf", "Lucía Ferreyros"), "competitor", None),
        (Author("mq", "M. Quispe", bio="Gerente general de Nítido"), "own", None),
        (Author("mqt", "M. Q. Tello", bio="Gerenta general de Nítido. Ingeniera."), "own", None),
        (Author("x", "X", bio="ex gerente de Nítido, hoy socio de Alfa"), "other", None),
        (Author("ondavia_intl", "Ondavía Wholesale"), "competitor", None),
        (Author("bancomirador", "Banco Mirador", bio="aliado de Nítido"), "other", None),
    ],
)
def test_an_account_speaks_for_its_company(tmp_path: Path, author: Author, side: str, account: str | None) -> None:
    companies = Companies(a_config(tmp_path).brands)
    told = companies.speaks_for(author, Speaker(Label("peer_company", 0.9)))
    assert (told.side, told.account) == (side, account)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Gran jornada en #CADE2026", "CADE 2026"),
        ("hablamos en cade ejecutivos", "CADE 2026"),
        ("en el XX Congreso Latinoamericano de Redes de Lima", "XX Congreso Latinoamericano de Redes de Lima"),
        ("At the Andean Telecom Summit 2026 we heard", "Andean Telecom Summit 2026"),
        ("durante el foro Telecom Perú 2026", "foro Telecom Perú 2026"),
        ("na Cúpula Digital 2026 vimos", "Cúpula Digital 2026"),
        ("nos vemos #CumbreFibra2026", "#CumbreFibra2026"),
        ("En el Mobile World Congress", "Mobile World Congress"),
        ("en su ponencia dijo que sí", None),
        ("great keynote today", None),
        ("na palestra de hoje", None),
    ],
)
def test_an_event_is_named_with_the_words_that_tell_it(text: str, name: str | None) -> None:
    events = [EventTable(name="CADE 2026", hashtags=["#CADE2026"], names=["CADE Ejecutivos"])]
    found = find_occasion(text, NOW, events, LIMA)
    assert found is not None
    assert found.name == name
    assert all(word in text for word in found.words)
    assert found.words


@pytest.mark.parametrize(
    "text",
    [
        "El Congreso de la República aprobó la ley",
        "El Congreso citó a Nítido",
        "conferencia de prensa de Nítido",
        "me instalaron un panel solar",
        "en el foro de ayuda nadie contesta",
        "buen fin de semana, Semana Santa sin señal",
        "qué buena idea, una cumbre de emociones",
        "Semana Económica publica un ranking",
        "la feria de mi barrio",
        "#FelizSemana a todos",
        "agarra Radio Cumbre toda la noche",
        "los comerciantes de Gamarra y Mesa Redonda",
        "Nítido encontró una manera barata",
        "At the regional forum the Vice-Minister thanked them",
        "no encuentro Nítido en mi barrio",
        "Third week of waiting for a technician",
    ],
)
def test_what_only_sounds_like_an_event_is_none(text: str) -> None:
    assert find_occasion(text, NOW, [], LIMA) is None


def test_a_configured_event_holds_on_its_days_of_the_instance_only() -> None:
    event = EventTable.model_validate({"name": "CADE", "from": date(2026, 11, 20), "to": date(2026, 11, 20)})
    midnight = NOW.replace(hour=5, minute=0)  # 00:00 in Lima

    def is_it(at: object) -> bool:
        found = find_occasion("vamos a cade", at, [event], LIMA)  # type: ignore[arg-type]
        return found is not None and found.configured

    assert is_it(midnight)
    assert is_it(midnight + timedelta(hours=23, minutes=59))
    assert not is_it(midnight - timedelta(minutes=1))
    assert not is_it(midnight + timedelta(days=1))


BRISATEL = Brand("brisatel", "Brisatel", "competitor", executives=("Lucía Ferreyros",))


@pytest.mark.parametrize(
    ("text", "name", "quoted"),
    [
        ("Óscar Tafur Leiva, director de tecnología de Brisatel, dijo que habrá red", "Óscar Tafur Leiva", True),
        ("Brisatel's CTO Oscar Tafur on stage", "Oscar Tafur", False),
        ("la directora comercial de Brisatel, Rosa de la Cruz, abrió el acto", "Rosa de la Cruz", False),
        ("Según Carlos Ruiz, gerente de marketing de Brisatel", "Carlos Ruiz", True),
        ("Ferreyros fue clara. Brisatel invertirá", "Lucía Ferreyros", False),
        ("LUCIA FERREYROS afirmó que Brisatel crece", "Lucía Ferreyros", True),
        ("Hoy Lucía Ferreyros (Brisatel): “vamos a llegar a todos”", "Lucía Ferreyros", True),
        ("Ana Ferreyros compra en Brisatel", None, False),
        ("Brisatel está en el Mall Plaza", None, False),
        ("gerente de Brisatel malísimo, Juan Pérez lo dice", None, False),
    ],
)
def test_who_speaks_for_a_company_is_known_by_name_or_by_title(text: str, name: str | None, quoted: bool) -> None:
    from listener.match import Matcher

    found = People([BRISATEL]).find(text, Matcher([BRISATEL]).find(text))
    assert [(one.name, one.quoted) for one in found] == ([(name, quoted)] if name else [])
    assert all(one.words in text for one in found)


@given(st.text(max_size=400), st.integers(-5, 400), st.integers(-5, 400))
def test_no_text_and_no_offsets_of_it_break_the_reading(text: str, start: int, end: int) -> None:
    terms = {"brisatel": (Term(start, end, "Brisatel"),)}
    for person in People([BRISATEL]).find(text, terms):
        assert person.name
        assert person.brand == "brisatel"
    found = find_occasion(text, NOW, [EventTable(name="CADE", hashtags=["#c"])], LIMA)
    assert found is None or found.words


@pytest.mark.parametrize("part", ["Foro ", "Ana de la ", "director de ", "A ", "#foro", "congreso de la ", "«", "A. "])
def test_a_hostile_text_costs_no_more_than_a_long_one(part: str) -> None:
    import time

    text = (part * 3000)[:20_000] + " Brisatel " + part * 300
    place = text.index("Brisatel")
    begun = time.process_time()
    find_occasion(text, NOW, [], LIMA)
    People([BRISATEL]).find(text, {"brisatel": (Term(place, place + 8, "Brisatel"),)})
    assert time.process_time() - begun < 1.0
