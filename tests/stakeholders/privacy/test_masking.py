"""Masking: what names a private person is taken out, what the team works with stays, in three languages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from listener.errors import ConfigError
from stakeholders.letters.chat import spoken
from stakeholders.privacy.masking import LONGEST, MARKS, is_shown_whole, known_accounts, mask, masked_for
from tests.stakeholders.newsroom import make_config

OURS = frozenset({"nitido"})

# country, text, what must be gone, as what
HIDDEN = (
    ("PE", "mi DNI es 45678912 y nadie responde", "mi DNI es [identity document] y nadie responde"),
    ("PE", "DNI: 45678912", "DNI: [identity document]"),
    ("PE", "RUC 20131312955", "RUC [identity document]"),
    ("PE", "mi ruc 10456789125", "mi ruc [identity document]"),
    ("PE", "20131312955 facture mal", "[identity document] facture mal"),
    ("PE", "llámenme al 987 654 321", "llámenme al [phone number]"),
    ("PE", "mi cel 987654321", "mi cel [phone number]"),
    ("PE", "987-654-321 es mi número", "[phone number] es mi número"),
    ("PE", "+51 987 654 321", "[phone number]"),
    ("PE", "tel. 01 445 6789", "tel. [phone number]"),
    ("PE", "vivo en Av. Larco 1234, dpto 501, Miraflores", "vivo en [address], Miraflores"),
    ("PE", "Jr. Cusco 245 sin internet", "[address] sin internet"),
    ("PE", "Calle Los Pinos 456", "[address]"),
    ("PE", "Mz. C Lt. 12 Villa El Salvador", "[address] Villa El Salvador"),
    ("PE", "escriban a ana.ruiz@gmail.com", "escriban a [e-mail]"),
    ("PE", "ana.ruiz arroba gmail punto com", "[e-mail]"),
    ("PE", "tarjeta 4111 1111 1111 1111", "tarjeta [card number]"),
    ("PE", "cci 00219100123456789012", "cci [bank account]"),
    ("PE", "carnet de extranjería 001234567", "carnet de extranjería [identity document]"),
    ("PE", "@juanperez88 me estafó", "[account] me estafó"),
    ("PE", "https://instagram.com/juanperez88", "[link]"),
    ("PE", "wa.me/51987654321", "[link]"),
    ("PE", "en la av. javier prado este 2345", "en la [address]"),
    ("PE", "4111111111111111", "[card number]"),
    ("PE", "pasaporte AB123456", "pasaporte [identity document]"),
    ("MX", "CURP GOMC900101HDFRRR09 x", "CURP [identity document]"),
    ("MX", "RFC GODE561231GR8", "RFC [identity document]"),
    ("MX", "GODE561231GR8 facturen", "[identity document] facturen"),
    ("MX", "mi número 55 1234 5678", "mi número [phone number]"),
    ("MX", "Av. Insurgentes Sur 1234, Col. Del Valle", "[address]"),
    ("MX", "CLABE 032180000118359719", "CLABE [bank account]"),
    ("MX", "INE 1234567890123", "INE [identity document]"),
    ("CL", "mi RUT es 12.345.678-5", "mi RUT es [identity document]"),
    ("CL", "12345678-5", "[identity document]"),
    ("CL", "rut 9876543-3", "rut [identity document]"),
    ("CL", "+56 9 8765 4321", "[phone number]"),
    ("CL", "calle Huérfanos 1234", "[address]"),
    ("AR", "CUIT 20-12345678-6", "CUIT [identity document]"),
    ("AR", "mi DNI 30.123.456", "mi DNI [identity document]"),
    ("AR", "cuil 20123456786", "cuil [identity document]"),
    ("AR", "11 4321-5678", "[phone number]"),
    ("AR", "Av. Corrientes 1234, piso 3", "[address]"),
    ("CO", "C.C. 1.020.304.050", "C.C. [identity document]"),
    ("CO", "cédula 1020304050", "cédula [identity document]"),
    ("CO", "NIT 900.123.456-8", "NIT [identity document]"),
    ("CO", "Calle 100 # 7-33", "[address]"),
    ("CO", "Carrera 7 No. 72-41 apto 301", "[address]"),
    ("CO", "cel 300 123 4567", "cel [phone number]"),
    ("ES", "DNI 12345678Z", "DNI [identity document]"),
    ("ES", "12345678Z", "[identity document]"),
    ("ES", "NIE X1234567L", "NIE [identity document]"),
    ("ES", "X-1234567-L", "[identity document]"),
    ("ES", "C/ Mayor 12, 3º B", "[address], 3º B"),
    ("ES", "ES91 2100 0418 4502 0005 1332 gracias", "[bank account] gracias"),
    ("ES", "llama al 612 345 678", "llama al [phone number]"),
    ("ES", "Calle Mayor, 12", "[address]"),
    ("BR", "meu CPF é 529.982.247-25", "meu CPF é [identity document]"),
    ("BR", "52998224725", "[identity document]"),
    ("BR", "CNPJ 11.222.333/0001-81", "CNPJ [identity document]"),
    ("BR", "me ligue (11) 98765-4321", "me ligue [phone number]"),
    ("BR", "Rua das Flores, 123, apto 4", "[address]"),
    ("BR", "CEP 01310-100", "[address]"),
    ("BR", "moro na rua augusta 1500", "moro na [address]"),
    ("BR", "RG 12.345.678-9", "RG [identity document]"),
    ("BR", "meu whatsapp 11987654321", "meu whatsapp [phone number]"),
    ("US", "my SSN is 536-22-1234", "my SSN is [identity document]"),
    ("US", "536-22-1234", "[identity document]"),
    ("US", "call me at 415-555-2671", "call me at [phone number]"),
    ("US", "I live at 742 Evergreen Terrace", "I live at [address]"),
    ("US", "12 Main St, Apt 4", "[address]"),
    ("US", "card 5555 5555 5555 4444", "card [card number]"),
    ("US", "john (at) gmail (dot) com", "[e-mail]"),
    ("GB", "AB123456C", "[identity document]"),
    ("GB", "AB 12 34 56 C", "[identity document]"),
    ("GB", "020 7946 0018", "[phone number]"),
    ("GB", "10 Downing Street", "[address]"),
    ("GB", "SW1A 2AA", "[address]"),
    ("GB", "NHS 943 476 5919", "NHS [identity document]"),
    ("GB", "GB82 WEST 1234 5698 7654 32", "[bank account]"),
    ("GB", "u/some_redditor said", "[account] said"),
)
KEPT = (
    ("PE", "pagué S/ 1,234.50 y nada"),
    ("PE", "me cobraron S/129.90 dos veces"),
    ("PE", "en 2023 y 2024 pasó igual"),
    ("PE", "2023-2024"),
    ("PE", "el 22/11/2024 a las 10:30"),
    ("PE", "2026-11-22 10:30"),
    ("PE", "caso 12345678"),
    ("PE", "reclamo N° 20231234567"),
    ("PE", "pedido 998123450"),
    ("PE", "orden n.º 99812345"),
    ("PE", "ticket #12345678"),
    ("PE", "mi expediente es 2023-0012345"),
    ("PE", "código de reclamo: 998877665"),
    ("PE", "llamé al 104"),
    ("PE", "llamo al 0800-10-123 y nadie contesta"),
    ("PE", "12.000.000 de usuarios"),
    ("PE", "subió a 1,500,000"),
    ("PE", "la calle me cobraron 300 soles"),
    ("PE", "en la avenida cerrada desde las 5"),
    ("PE", "toda la av. Javier Prado sin señal"),
    ("PE", "calle 3 horas sin luz"),
    ("PE", "plan de 100 GB a 69.90"),
    ("PE", "@nitido respondan"),
    ("PE", "velocidad 200 Mbps"),
    ("PE", "compré un Galaxy S23 Ultra"),
    ("PE", "iPhone 15 Pro Max 256GB"),
    ("PE", "factura F001-00012345"),
    ("PE", "https://nitido.example/planes/12345678901"),
    ("PE", "99.9% del tiempo"),
    ("PE", "tengo 2 celulares 3 meses"),
    ("PE", "hace 10 años"),
    ("PE", "Calle 13 cantó"),
    ("PE", "plaza Vea 2x1"),
    ("PE", "DNI electrónico no funciona"),
    ("PE", "perdí mi tarjeta"),
    ("PE", "mi celular 1299.90 soles"),
    ("PE", "nota 20 de 20"),
    ("MX", "me cobraron $1,299.00 MXN"),
    ("MX", "folio 2024001234567"),
    ("MX", "plan de $12.000.000"),
    ("CO", "son 12.345.678 pesos"),
    ("CO", "radicado caso 1020304050"),
    ("BR", "paguei R$ 1.299,90"),
    ("BR", "protocolo 20241234567890"),
    ("BR", "protocolo nº 2024.1234567"),
    ("BR", "pedido 52998224725"),
    ("BR", "5G em 2024"),
    ("BR", "na rua não tem sinal"),
    ("GB", "order 12345678901"),
    ("GB", "case number 123456789"),
    ("GB", "£1,234.56"),
    ("GB", "Galaxy A12 4GB"),
    ("GB", "from 9am to 5pm"),
    ("GB", "500 Mbps"),
    ("GB", "invoice INV-2024-00123"),
    ("GB", "see you @ 5pm"),
    ("GB", "reference 536221234"),
    ("US", "booking ABC123456"),
    ("US", "$1234567.89"),
    ("US", "1-800-275-2273 never answers"),
    ("US", "2,000,000 users"),
    ("ES", "12 de enero de 2024"),
    ("ES", "factura 2024/0001234"),
    ("ES", "a las 12:30"),
    ("ES", "900 123 456 no contestan"),
    ("CL", "$45.990 al mes"),
    ("CL", "pago 1.234.567"),
    ("AR", "0800-333-1234 no atiende"),
    ("AR", "$ 1.234.567,89"),
)

OTHER = (  # written otherwise, and what must be gone
    ("PE", "mi número es ９８７６５４３２１", "９８７６５４３２１"),
    ("PE", "DNI\u00a045678912", "45678912"),
    ("PE", "987\u2013654\u2013321", "654"),
    ("BR", "CPF 529.982.247\u201325", "247"),
    ("US", "john ＠gmail.com", "gmail"),
    ("PE", "sigue a @ana@mastodon.example", "ana"),
    ("PE", "https://nitido.example/r?email=ana%40gmail.com&x=1", "ana"),
    ("PE", "Nítido: pedido 99812345, mi DNI es 45678912 y mi cel 987654321", "45678912"),
    ("ES", "gb82west12345698765432 es mi cuenta", "12345698765432"),
)


@pytest.mark.parametrize(("country", "text", "shown"), HIDDEN)
def test_what_names_a_person_is_taken_out_and_the_rest_stays(country: str, text: str, shown: str) -> None:
    masked = mask(text, country, known=OURS)
    assert masked.text == shown
    assert masked.found
    assert not any(run in masked.text for run in text.split() if run.isdigit() and len(run) > 4)


@pytest.mark.parametrize(("country", "text"), KEPT)
def test_a_look_alike_stays(country: str, text: str) -> None:
    for asked in (country, None):
        masked = mask(text, asked, known=OURS)
        assert masked.text == text
        assert masked.found == ()


@pytest.mark.parametrize(("country", "text", "gone"), OTHER)
def test_other_ways_to_write_it_hide_nothing_from_the_mask(country: str, text: str, gone: str) -> None:
    assert gone not in mask(text, country).text


def test_a_number_with_wrong_check_digits_is_no_document_and_a_long_one_is_masked_all_the_same() -> None:
    assert mask("mi ruc 20131312955", "PE").found == ("document",)
    assert mask("20131312956", "PE").found == ("number",)
    assert mask("pedido 20131312955", "PE").found == ()
    assert mask("4111 1111 1111 1112", "PE").found == ()
    assert mask("4111 1111 1111 1111", "PE").found == ("card",)


def test_what_was_found_is_told_in_the_order_of_the_text() -> None:
    told = mask("ana@x.example, @juanp, DNI 45678912, cel 987654321, Av. Larco 1234", "PE")
    assert told.found == ("mail", "account", "document", "phone", "address")
    assert told.text == "[e-mail], [account], DNI [identity document], cel [phone number], [address]"


def test_accounts_of_brands_and_institutions_stay_and_private_ones_go(tmp_path: Path) -> None:
    config = make_config(
        tmp_path,
        "sqlite://",
        instance={"country": "PE"},
        brands={"nitido": {"name": "Nítido", "own_handles": ["NitidoPeru"], "handles": ["nitido"]}},
        competitors={"brisatel": {"name": "Brisatel", "handles": ["brisatel"]}},
    )
    text = "@NitidoPeru @brisatel @osiptel ayuden a @juanperez88"
    assert "osiptel" in known_accounts(config)
    assert masked_for(text, "slack:care", config) == "@NitidoPeru @brisatel @osiptel ayuden a [account]"


@pytest.mark.parametrize("lang", ["en", "es", "pt"])
def test_the_marks_are_worded_and_masking_twice_changes_nothing(lang: str) -> None:
    for country, text, _ in HIDDEN:
        once = mask(text, country, lang=lang)
        assert mask(once.text, country, lang=lang) == type(once)(once.text, ())


@pytest.mark.parametrize(
    ("channel", "recipient", "whole"),
    [
        ("mail", "ana@nitido.example", True),
        ("mail", "ana@care.nitido.example", True),
        ("mail", "ANA@NITIDO.EXAMPLE", True),
        ("mail", "agency@other.example", False),
        ("mail", "ana@notnitido.example", False),
        ("mail", "ana", False),
        ("slack", "inside", True),
        ("slack", "outside", False),
        ("teams", "inside", False),  # the name of another kind's table
        ("log", "", False),
    ],
)
def test_only_our_own_people_read_a_quote_whole(channel: str, recipient: str, whole: bool, tmp_path: Path) -> None:
    slack = {"kind": "slack", "url": "https://hooks.slack.example/x"}
    channels = {"inside": slack | {"internal": True}, "outside": slack}
    config = make_config(tmp_path, "sqlite://", channels=channels)
    assert is_shown_whole(config, channel, recipient) is whole
    shown = masked_for("mi DNI es 45678912", channel, config, recipient)
    assert shown == masked_for("mi DNI es 45678912", f"{channel}:{recipient}", config)
    assert ("45678912" in shown) is whole


def test_mail_at_a_public_provider_is_never_inside(tmp_path: Path) -> None:
    config = make_config(tmp_path, "sqlite://", mail={"sender": "nitido@gmail.com"})
    assert not is_shown_whole(config, "mail", "boss@gmail.com")
    told = make_config(tmp_path, "sqlite://", masking={"domains": ["agency.example"]})
    assert is_shown_whole(told, "mail", "ana@agency.example")
    assert not is_shown_whole(told, "mail", "ana@nitido.example")
    assert not is_shown_whole(make_config(tmp_path, "sqlite://", masking={"domains": []}), "mail", "a@nitido.example")


@pytest.mark.parametrize(
    ("domain", "said"), [("gmail.com", "anybody has an address"), ("not a domain", "not a domain")]
)
def test_a_domain_that_would_show_data_to_strangers_is_a_fault(domain: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        make_config(tmp_path, "sqlite://", masking={"domains": [domain]})


def test_a_chat_outside_shows_a_masked_quote_and_one_inside_the_whole(tmp_path: Path) -> None:
    told = {
        "lang": "es",
        "chip": "Alerta",
        "crumbs": "Nítido · cliente",
        "headline": "Responder antes de las 15:00",
        "subline": "",
        "quote": {"lines": ["Nítido, mi cel es", "987654321"]},
        "lists": [("Por qué", ["el perfil dice «ana@x.example»"])],
        "button": None,
        "link": ("https://e.example/case", "Abrir el caso"),
    }
    outside, inside = spoken(told, internal=False), spoken(told, internal=True)
    assert "987654321" not in outside["quote"]
    assert outside["quote"].startswith("Nítido, mi cel es\n[")
    assert "ana@x.example" not in " ".join(outside["lines"])
    assert inside["quote"] == "Nítido, mi cel es\n987654321"
    assert "ana@x.example" in " ".join(inside["lines"])


@given(st.text(max_size=400), st.sampled_from(["PE", "BR", "US", "xx", None]))
@example("[" * 50, None)
@example("\x1f45678912\x1f", "PE")
def test_any_text_is_masked_and_stays_masked(text: str, country: str | None) -> None:
    once = mask(text, country)
    assert mask(once.text, country).text == once.text
    if not once.found:
        assert once.text == text


@given(
    st.sampled_from(["45678912", "987654321", "20131312955", "4111111111111111", "52998224725"]),
    st.text(alphabet=st.characters(categories=("Ll", "Zs", "Po"), exclude_characters="@/.,#-"), max_size=30),
    st.text(alphabet=st.characters(categories=("Ll", "Zs", "Po"), exclude_characters="@/.,#-"), max_size=30),
)
def test_a_document_is_found_wherever_it_stands_in_a_sentence(number: str, before: str, after: str) -> None:
    assert number not in mask(f"{before} — DNI {number} — {after}", "PE").text


def test_a_hostile_text_costs_little_and_a_long_one_is_cut() -> None:
    began = time.process_time()
    for part in (
        "a",
        "1 ",
        "av. ",
        "a.a@",
        "calle a ",
        "4-",
        "(",
        "@a",
        "https://",
        "DNI ",
        "Rua A ",
        "12 Bb ",
        "a at ",
    ):
        mask(part * 20_000)
    assert time.process_time() - began < 8
    assert len(mask("palabra " * 5_000).text) <= LONGEST + 2


def test_every_mark_is_a_sentence_of_the_catalogue_without_a_digit() -> None:
    assert all(
        mark.startswith("[") and mark.endswith("]") and not any(map(str.isdigit, mark)) for mark in MARKS.values()
    )
