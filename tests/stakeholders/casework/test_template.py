"""The template that suits a case comes first, a team's own before ours, and a stranger's name stays a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.tables.reply import read_templates
from listener.taxonomy import INTENTS, LANGUAGES, STAKEHOLDERS
from stakeholders.casework.template import HERE, Template, blanks, fill, find, load, suggest
from tests.stakeholders.newsroom import make_config

OURS = tuple(Template(lang, reply) for lang in LANGUAGES for reply in read_templates(HERE / f"{lang}.toml")[1])


def first(lang: str, *facts: str | None, department: str | None = None) -> str:
    stakeholder, intent, *_ = (*facts, None)
    assert stakeholder is not None
    return suggest(OURS, lang, stakeholder, intent, None, department)[0].reply.name


def test_what_ships_has_no_fault_and_the_same_templates_in_three_languages() -> None:
    for lang in LANGUAGES:
        assert read_templates(HERE / f"{lang}.toml")[2] == ()
    names = [[one.reply.name for one in OURS if one.lang == lang] for lang in LANGUAGES]
    assert names[0] == names[1] == names[2]
    for name in names[0]:
        shapes = {
            one.reply.model_copy(update={"title": "", "text": ""}).model_dump_json()
            for one in OURS
            if one.reply.name == name
        }
        assert len(shapes) == 1, name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_stakeholder_and_intent_has_a_template(lang: str) -> None:
    for stakeholder in STAKEHOLDERS:
        for intent in (None, *INTENTS):
            assert suggest(OURS, lang, stakeholder, intent), (stakeholder, intent)
        general = suggest(OURS, lang, stakeholder)[0].reply
        assert stakeholder in general.stakeholder, "somebody who just speaks gets words of their own"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_closest_template_comes_first(lang: str) -> None:
    assert first(lang, "customer", "complaint") == "customer_complaint"
    assert first(lang, "customer", "outage_report", department="security_fraud") == "fraud"
    assert first(lang, "customer", "safety") == "safety"
    assert first(lang, "regulator", "question") == "regulator_request"
    assert first(lang, "regulator", "other") == "regulator"
    assert first(lang, "press", "media_request") == "press_media_request"
    assert first(lang, "peer_company", "praise") == "peer_praise"
    assert first(lang, "public", "job") == "job"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_apology_stands_only_where_somebody_was_let_down(lang: str) -> None:
    sorry = {"es": ("sentimos", "lamentamos"), "en": ("sorry", "apolog"), "pt": ("sentimos", "lamentamos", "desculp")}[
        lang
    ]
    sad = {one.reply.name for one in OURS if one.lang == lang and any(word in one.reply.text.lower() for word in sorry)}
    assert sad == {"customer_complaint", "customer_outage", "customer_leaving", "fraud"}


def test_the_own_folder_goes_first_and_the_same_name_takes_the_place_of_ours(tmp_path: Path) -> None:
    own = tmp_path / "ours"
    own.mkdir()
    (own / "es.toml").write_text(
        '[[reply]]\nname = "saludo"\ntitle = "Saludo"\ntext = "Hola, {author}, le saluda {brand}."\n'
        '[[reply]]\nname = "press"\ntitle = "Nuestra prensa"\nstakeholder = ["press"]\ntext = "Prensa: gracias."\n',
        "utf-8",
    )
    config = make_config(tmp_path, "sqlite:///x.db", templates={"folder": "ours"})
    found = load(config)
    assert [one.key for one in suggest(found, "es", "press", "other")][:2] == ["es/press", "es/saludo"]
    assert find(found, "es/press") == suggest(found, "es", "press")[0]
    assert sum(one.key == "es/press" for one in found) == 1
    assert suggest(found, "en", "press", "other")[0].own is False
    assert find(found, "es/gone") is None
    (own / "es.toml").write_text("broken [", "utf-8")
    assert suggest(load(config), "es", "press")[0].own is False, "broken later: ours serve"


def test_a_name_that_nobody_told_leaves_no_hole() -> None:
    for one in OURS:
        text = fill(one, None, "Nítido", 7, "customer_care")
        assert "{" not in text
        assert " ." not in text
        assert ",." not in text
        assert " ," not in text
    greeting = fill(OURS[0], "@rosa", "Nítido", 7, "customer_care")
    assert greeting.startswith("Hola, @rosa. ")
    assert "caso 7" in greeting


@given(st.text(max_size=200))
def test_a_stranger_who_calls_themselves_a_placeholder_stays_a_name(name: str) -> None:
    for author in (name, "{brand}", "{author.__class__}", "{{case}}"):
        text = fill(OURS[0], author, "Nítido", 7, "customer_care")
        kept = "".join(sign for sign in " ".join(author.split()) if sign.isprintable())[:80].strip()
        assert text.startswith(f"Hola, {kept}. " if kept else "Hola. ")
        assert "\u202e" not in text


def test_what_a_person_still_has_to_write_is_found() -> None:
    assert blanks("Hola. [Escribe aquí la respuesta.] Gracias [1] [].") == ("[Escribe aquí la respuesta.]",)
    asking = find(OURS, "es/customer_question")
    assert asking is not None
    assert blanks(fill(asking, "@a", "Nítido", 1, "sales"))
