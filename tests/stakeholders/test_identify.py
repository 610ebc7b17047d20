"""Who speaks: every layer, the finer points, and what hostile profiles do."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.mention import Author, Brand, Post
from listener.reason import reason
from listener.taxonomy import STAKEHOLDERS
from sentiment.verdict import Label
from stakeholders.deciding.facts import Speaker
from stakeholders.identify import identify
from stakeholders.registry import load

DEMO = Path(__file__).resolve().parents[2] / "listener" / "demo" / "registry.toml"
NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
OWN = Brand("nitido", "Nítido", country="PE", handles=("nitidope",), own_handles=("nitidope", "nitidoayuda"))
RIVAL = Brand("brisatel", "Brisatel", kind="competitor", country="PE", own_handles=("brisatel",))


def speak(text: str = "Nítido", *, source: str = "x", at: datetime = NOW, **author: Any) -> Speaker:
    """Ask every layer but the model, whose answers are no promise."""
    post = Post(source, "1", text, at, Author(**author))
    return identify(post, OWN, (OWN, RIVAL), load(("PE", "MX"), [DEMO]), None)


def why(speaker: Speaker) -> str:
    return " ".join(one.say("en") for one in speaker.label.because)


def test_our_own_account_is_known_as_ours() -> None:
    speaker = speak("Gracias por tu paciencia", handle="NitidoAyuda")
    assert speaker.own_account
    assert speaker.label.name == "peer_company"
    assert "our own" in why(speaker)


def test_our_own_account_is_ours_also_when_the_mention_is_of_a_rival() -> None:
    post = Post("x", "1", "Bien dicho, Brisatel", NOW, Author(handle="nitidope"))
    assert identify(post, RIVAL, (OWN, RIVAL), load(("PE",)), None).own_account


def test_a_competitors_account_is_a_peer_company() -> None:
    speaker = speak("Gracias", handle="brisatel")
    assert (speaker.label.name, speaker.own_account) == ("peer_company", False)
    assert "competitor" in why(speaker)


def test_osiptel_is_the_regulator_and_the_reason_names_the_entry_and_its_date() -> None:
    speaker = speak("Multa de 3 millones", handle="OSIPTEL")
    assert (speaker.label.name, speaker.entry) == ("regulator", "Osiptel")
    assert speaker.label.confidence > 0.95
    assert all(part in why(speaker) for part in ("Osiptel", "PE", "1991-07-11"))


def test_the_answer_is_that_of_the_posts_own_time() -> None:
    assert speak(handle="IFT_MX", at=datetime(2024, 5, 4, tzinfo=UTC)).entry == "IFT"
    assert speak(handle="IFT_MX").entry is None
    assert speak(name="Comisión Reguladora de Telecomunicaciones").entry == "CRT"


def test_a_news_item_is_known_by_its_outlets_address_and_counts_as_reach() -> None:
    speaker = speak("Nítido: apagón en el sur", source="news", handle="lavereda.example", name="La Vereda")
    assert (speaker.label.name, speaker.outlet, speaker.entry) == ("press", True, "La Vereda")
    unknown = speak("Nítido: apagón en el sur", source="google_news", name="El Clarín de Ninguna Parte")
    assert (unknown.label.name, unknown.outlet) == ("press", True)


@pytest.mark.parametrize(
    ("who", "profile"),
    [
        ("press", {"bio": "Periodista en Radio Tal"}),
        ("press", {"bio": "reportera de economía. Opiniones mías"}),
        ("press", {"bio": "Jornalista. Brasília"}),
        ("press", {"bio": "Business journalist at The Morning Ledger"}),
        ("press", {"name": "Radio Litoral"}),
        ("government", {"bio": "Congresista por Apurímac"}),
        ("government", {"bio": "Diputada federal, distrito 7"}),
        ("government", {"bio": "Alcaldesa de Villa Nueva"}),
        ("government", {"bio": "Vereadora. Mandato popular"}),
        ("government", {"name": "Ministerio de Minas"}),
        ("government", {"name": "Ellie Tarnwick MP"}),
        ("government", {"bio": "MP for Eskwater"}),
        ("government", {"name": "Trámites", "url": "https://muniquillay.gob.pe"}),
        ("regulator", {"name": "Superintendencia de Aguas"}),
        ("regulator", {"name": "Procon Campinas", "url": "procon.campinas.sp.gov.br"}),
        ("regulator", {"bio": "Agência Nacional de Telecomunicações", "url": "anatel.gov.br"}),
        ("consumer_association", {"bio": "Asociación de consumidores y usuarios del sur"}),
        ("consumer_association", {"name": "Unión de Consumidores", "bio": "Por los derechos de los usuarios"}),
        ("employee", {"name": "Sindicato Único de Trabajadores de Nítido"}),
        ("employee", {"bio": "Asesor comercial en Nítido, papá"}),
        ("employee", {"bio": "SRE. ex Nítido"}),
        ("peer_company", {"bio": "Directora de comunicaciones en Brisatel"}),
        ("peer_company", {"bio": "Cuenta corporativa"}),
        ("regulator", {"bio": "Presidenta de ARTEL"}),
        ("press", {"bio": "conductora, Canal Andes"}),
        ("investor", {"bio": "Inversionista minoritario y terco"}),
        ("investor", {"bio": "Sell-side notes on LatAm telecom"}),
        ("partner", {"bio": "Distribuidor autorizado, Gamarra"}),
        ("partner", {"bio": "punto de venta autorizado Nítido"}),
        ("civil_society", {"name": "Junta Vecinal Las Gardenias"}),
        ("civil_society", {"bio": "ONG. Residuos, agua y territorio"}),
        ("civil_society", {"name": "Universidad del Valle Alto"}),
    ],
)
def test_a_profile_says_who_speaks(who: str, profile: dict[str, str]) -> None:
    speaker = speak("Sobre Nítido hoy", handle="una_cuenta", **profile)
    assert speaker.label.name == who, why(speaker)
    assert not speaker.label.unsure


@pytest.mark.parametrize(
    "bio",
    ["ex periodista", "estudiante de periodismo", "futura periodista", "abogada, derecho del consumidor", "mamá de 2"],
)
def test_a_profile_that_only_touches_a_trade_says_nothing(bio: str) -> None:
    speaker = speak("Sobre Nítido hoy", bio=bio)
    assert speaker.label.name == "public"
    assert speaker.label.unsure


def test_a_parody_is_the_public_even_under_the_regulators_own_name() -> None:
    speaker = speak("Multamos a todos", handle="osiptel_jaja", name="OSIPTEL", bio="Cuenta parodia 🤡", followers=90000)
    assert speaker.label.name == "public"
    assert "parodia" in why(speaker)


def test_whoever_calls_himself_osiptel_is_not_osiptel() -> None:
    fake = speak("Gane un celular", handle="osiptel_premios7", name="OSIPTEL", followers=12)
    assert fake.entry is None
    big = speak("Aviso", handle="osiptel_region", name="OSIPTEL", followers=50000)
    assert big.label.confidence <= 0.7
    assert "weak proof" in why(big)


def test_a_handle_on_reddit_proves_nothing() -> None:
    assert speak("hola", source="reddit", handle="OSIPTEL").entry is None


def test_a_journalist_who_complains_about_their_own_bill_is_a_customer() -> None:
    text = "Nítido me cobró dos veces el mes y nadie contesta"
    for profile in ({"bio": "Periodista deportivo"}, {"handle": "dsalcedo_tv", "bio": "periodista en Canal Andes"}):
        speaker = speak(text, **profile)
        assert speaker.label.name == "customer"
        assert "me cobró" in why(speaker)


def test_a_journalist_who_quotes_a_victim_stays_press() -> None:
    speaker = speak(
        "«Me cobraron una línea muerta», dice una vecina. Nítido no responde", bio="Reportera de investigación"
    )
    assert speaker.label.name == "press"


def test_a_congressman_who_complains_about_his_bill_stays_government() -> None:
    assert speak("Nítido, mi recibo subió sin aviso", handle="raulibanezs").label.name == "government"


def test_a_customer_who_quotes_a_regulator_stays_a_customer() -> None:
    speaker = speak(
        "Osiptel dice que tengo derecho, pero Nítido no me devuelve mi saldo", name="Rosa", handle="rosa_mq"
    )
    assert speaker.label.name == "customer"
    assert "mi saldo" in why(speaker)


@pytest.mark.parametrize(
    ("who", "text"),
    [
        ("employee", "trabajo en el call de Nítido y me da vergüenza"),
        ("employee", "Me entrevistaron tres veces en Nítido y silencio total"),
        ("employee", "Trabalhei na Nítido cinco anos"),
        ("employee", "I worked for Nítido until March"),
        ("partner", "Somos proveedores de Nítido y no nos pagan"),
        ("partner", "¿cómo me vuelvo punto autorizado?"),
        ("customer", "otra vez sin señal, no tengo internet @nitidope"),
        ("customer", "Nítido: my bill doubled overnight"),
        ("customer", "Nítido, minha conta veio errada"),
    ],
)
def test_the_text_says_who_writes_it(who: str, text: str) -> None:
    assert speak(text).label.name == who


def test_working_from_home_without_signal_makes_no_employee() -> None:
    assert speak("trabajo en casa y mi internet de Nítido se cae").label.name == "customer"


def test_an_app_review_comes_from_a_customer() -> None:
    assert speak("Se cuelga siempre", source="app_reviews").label.name == "customer"


def test_nothing_known_is_the_public_and_unsure() -> None:
    speaker = speak("vi un cartel", handle="x7", name=None)
    assert (speaker.label.name, speaker.label.unsure) == ("public", True)
    assert "tells who speaks" in why(speaker)


def test_the_reason_quotes_the_words_as_they_were_written() -> None:
    speaker = speak("NO TENGO SEÑAL en Nítido 😡")
    assert "«NO TENGO SEÑAL»" in why(speaker)


@pytest.mark.parametrize(
    "author",
    [
        {},
        {"handle": "", "name": "", "bio": "", "url": ""},
        {"bio": "periodista en " * 8000},
        {
            "bio": "director de , en , " * 6000,
            "name": "ministerio " * 9000,
            "handle": "a" * 100_000,
            "url": "http://" + "a." * 50_000,
        },
        {"bio": "\u202e\u2066ONG\u2069 \u200b" * 4000, "name": "\u202eLETPISO"},
        {"name": "\x00\ud7ff\uffff", "bio": "{quote1} {0} %s", "followers": -5},
        {"handle": "@", "url": "http://[::1", "bio": "🤡" * 30000},
    ],
)
def test_no_profile_breaks_or_stalls_it(author: dict[str, Any]) -> None:
    began = time.process_time()
    for text in ("", "mi " * 60_000, "«" * 50_000, "@" * 9000 + " Nítido", "me " * 9000 + "{x}"):
        post = Post("x", "1", text, NOW, Author(**author))
        speaker = identify(post, OWN, (OWN, RIVAL), load(("PE", "MX")), None)
        assert speaker.label.name in STAKEHOLDERS
        assert all(one.say("es") is not None for one in speaker.label.because)
    assert time.process_time() - began < 5


def heard(who: str, confidence: float, *quotes: str, unsure: bool = False) -> Label:
    because = tuple(reason("{quote}", quote=one) for one in quotes)
    return Label(who, confidence, because, {who: confidence}, unsure)


def listen(label: Label, text: str = "Nítido", **author: Any) -> Speaker:
    post = Post("x", "1", text, NOW, Author(**author))
    return identify(post, OWN, (OWN, RIVAL), load(("PE", "MX"), [DEMO]), label)


def test_what_the_model_hears_counts_where_nobody_is_known() -> None:
    speaker = listen(heard("investor", 0.8, "margen"), "Nítido baja su margen")
    assert (speaker.label.name, speaker.label.confidence) == ("investor", 0.8)
    assert "margen" in why(speaker)


def test_a_registered_account_outweighs_the_model() -> None:
    speaker = listen(heard("customer", 0.99), "hola", handle="OSIPTEL")
    assert (speaker.label.name, speaker.entry) == ("regulator", "Osiptel")


def test_where_the_profile_says_the_same_its_words_are_the_reason() -> None:
    speaker = listen(heard("press", 0.7, "cobertura"), "Nítido y su cobertura", name="Ana", bio="Periodista. Limeña")
    assert speaker.label.name == "press"
    assert speaker.label.confidence >= 0.7
    assert "eriodista" in why(speaker)


def test_a_doubtful_ear_gives_way_to_plain_words_of_the_profile() -> None:
    speaker = listen(heard("customer", 0.3, unsure=True), "Nítido", name="Ana", bio="Periodista. Limeña")
    assert speaker.label.name == "press"


def test_importing_it_pulls_in_no_heavy_library() -> None:
    heavy = "('torch', 'streamlit', 'numpy', 'sklearn', 'scipy')"
    code = f"import sys, stakeholders.identify; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("who", "text"),
    [
        ("press", "Soy periodista de RPP, ¿con quién hablo de prensa en Nítido?"),
        ("press", "Hola Nítido, soy reportera y busco una vocería"),
        ("press", "Sou jornalista, quem fala pela Nítido?"),
        ("press", "I'm a journalist, who speaks for Nítido?"),
        ("employee", "Trabajo en Nítido y esto es un caos"),
        ("employee", "Trabajé en Nítido tres años"),
        ("customer", "Soy periodista y mi recibo de Nítido llegó doble"),
    ],
)
def test_who_presents_himself_in_the_text_is_believed(who: str, text: str) -> None:
    assert speak(text).label.name == who


@pytest.mark.parametrize(
    "text",
    [
        "ARTEL multa a Nítido con S/ 3 millones",
        "OSIPTEL inicia procedimiento sancionador a Nítido por cobros indebidos",
    ],
)
def test_who_only_retells_what_an_institution_did_is_never_surely_a_customer(text: str) -> None:
    post = Post("x", "1", text, NOW, Author(handle="cuenta_nueva"))
    label = identify(post, OWN, (OWN, RIVAL), load(("PE",), [DEMO])).label
    assert label.name != "customer" or label.unsure
