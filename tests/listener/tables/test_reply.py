"""Files of reply templates, who signs and who is named are checked before anything runs, each fault at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.config import parse
from listener.errors import ConfigError
from listener.tables.reply import PLACEHOLDERS, read_templates

TEXT = "Hola, {author}. Gracias por escribir a {brand}."


def written(folder: Path, text: str, name: str = "es.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def reply(name: str = "own", text: str = TEXT, more: str = "") -> str:
    return f'[[reply]]\nname = "{name}"\ntitle = "Propia"\n{more}\ntext = "{text}"\n'


def faults(path: Path) -> str:
    return "\n".join(map(str, read_templates(path)[2]))


def settings(folder: Path, **more: Any) -> Any:
    table = {
        "brands": {"nitido": {"name": "Nítido"}},
        "departments": {"communications": {"alert": ["mail:a@nitido.example"]}},
    }
    return parse({**table, **more}, folder, {}).settings


def told(folder: Path, **more: Any) -> str:
    with pytest.raises(ConfigError) as error:
        settings(folder, **more)
    return str(error.value)


def test_a_file_gives_its_language_by_its_name_or_by_a_key(tmp_path: Path) -> None:
    assert read_templates(written(tmp_path, reply()))[0] == "es"
    lang, found, wrong = read_templates(written(tmp_path, 'language = "pt"\n' + reply(), "ours.toml"))
    assert (lang, [one.name for one in found], wrong) == ("pt", ["own"], ())
    assert "the language 'ours' is not one of es, en, pt" in faults(written(tmp_path, reply(), "ours.toml"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Hola, {autor}. Gracias.", "there is no placeholder {autor}; did you mean 'author'?"),
        ("Hola, {author.name}. Gracias.", "there is no placeholder {author.name}; write {author}"),
        ("Hola, {author!r}. Gracias.", "{author} takes nothing after its name"),
        ("Hola, {brand:>99}. Gracias.", "{brand} takes nothing after its name"),
        ("Hola, {}. Gracias por todo.", "there is no placeholder {}"),
        ("Hola, {author. Gracias.", "a brace stands alone"),
        ("corto", "at least 10 characters"),
    ],
)
def test_words_that_cannot_be_filled_are_refused_at_their_place(tmp_path: Path, text: str, what: str) -> None:
    path = written(tmp_path, reply() + reply("other", text))
    assert what in faults(path)
    assert "reply 2 «other»" in faults(path)
    assert [one.name for one in read_templates(path)[1]] == ["own"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[[reply]", "is not valid TOML"),
        ("", "holds no template"),
        ("reply = 3", "reply must be a list of tables"),
        ('templates = "x"\n' + reply(), "has no 'templates'"),
        (reply() + reply(), "stands in this file twice"),
        (reply(more='stakeholder = ["regulador"]'), "'regulador' is not known; did you mean 'regulator'?"),
        (reply(more='stakeholders = ["customer"]'), "has no 'stakeholders'; did you mean 'stakeholder'?"),
        ('[[reply]]\ntitle = "Sin nombre"\ntext = "Gracias por escribirnos"', "'name' is missing"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_what(tmp_path: Path, text: str, what: str) -> None:
    assert what in faults(written(tmp_path, text))


@given(st.binary(max_size=200))
def test_no_file_makes_the_reader_fall(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "es.toml"
    path.write_bytes(body)
    _, found, wrong = read_templates(path)
    assert found or wrong


def test_every_placeholder_passes_and_doubled_braces_are_braces(tmp_path: Path) -> None:
    text = " ".join(f"{{{name}}}" for name in PLACEHOLDERS) + " {{literal}}"
    assert faults(written(tmp_path, reply(text=text))) == ""


def test_a_faulty_template_of_the_own_folder_stops_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    written(folder, reply(text="Hola, {handle}. Gracias."))
    assert "[templates es.toml, reply 1 «own»] text: there is no placeholder {handle}" in told(
        tmp_path, templates={"folder": "ours"}
    )
    written(folder, reply())
    assert settings(tmp_path, templates={"folder": "ours"}).templates.folder == "ours"
    written(folder, 'language = "es"\n' + reply(), "more.toml")
    assert "«own» stands in es.toml too" in told(tmp_path, templates={"folder": "ours"})
    assert "there is no folder 'nowhere'" in told(tmp_path, templates={"folder": "nowhere"})


def test_a_department_that_must_sign_has_somebody_who_can(tmp_path: Path) -> None:
    assert settings(tmp_path).signoff == {"regulator": "legal_regulatory"}
    what = told(tmp_path, signoff={"press": "legal_regulatory"})
    assert "press: nobody is named in legal_regulatory" in what
    people = {"Ana Torres": {"department": "legal_regulatory"}}
    assert settings(tmp_path, signoff={"press": "legal_regulatory"}, people=people).signoff == {
        "press": "legal_regulatory"
    }
    assert settings(tmp_path, signoff={}).signoff == {}


def test_people_have_names_that_differ_and_addresses_that_work(tmp_path: Path) -> None:
    what = told(tmp_path, people={"Ana Torres": {"mail": "ana"}, "ANA TORRÉS": {}, "@x": {}, "José": {"mial": "a@b"}})
    assert "mail 'ana' is not an address" in what
    assert 'reads the same as [people."Ana Torres"]' in what
    assert '[people."@x"] is not a name' in what
    assert "did you mean 'mail'?" in what
