"""A case can be taken away as one file, with everything that proves it and nothing that must stay hidden."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.cli.cases import export, verify
from listener.cli.output import Fatal
from listener.database import Store
from listener.mention import Author
from stakeholders.case import NotPossible, acknowledge, answer, assign, dismiss, history, join, note, snooze
from stakeholders.casework.chronicle import HAPPENED, details, what_happened
from stakeholders.casework.dossier import Event
from stakeholders.casework.export import export_case
from stakeholders.casework.merging import merge
from stakeholders.casework.step import TRANSITIONS
from stakeholders.casework.ticket import set_ticket
from stakeholders.store import events
from stakeholders.wording import Wording
from tests.stakeholders.newsroom import NOW, hear, make_config, make_route, open_one, open_store

SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(hours=1)
HOSTILE = "Nítido <script>alert(1)</script> 💥 **no** me responde\n[x](https://evil.example) عربي"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = open_store(f"sqlite:///{tmp_path}/escucha.db")
    yield opened
    opened.close()


def write_case(store: Store, folder: Path) -> int:
    """Give a case with two people, another case merged into it and most kinds of lines."""
    config = make_config(folder, store.url)
    with store.write() as connection:
        case, _ = open_one(connection, config, make_route(copies=("communications",)), text=HOSTILE)
        other, _ = open_one(connection, config, author=Author("luis", "Luis Paz"))
        mention = hear(connection, "Nítido sigue sin responder", author=Author("eva"))
        join(connection, config.settings, case.id, mention, "thread", "alert", SOON)
        acknowledge(connection, case.id, "Rosa", SOON)
        assign(connection, case.id, "Rosa", SOON, "Luis")
        note(connection, case.id, "Luis", SOON, "llamar mañana")
        merge(connection, other.id, case.id, "Luis", SOON)
        set_ticket(connection, case.id, "4711", "https://desk.example/4711", "Luis", SOON)
        snooze(connection, case.id, "Luis", SOON, LATER)
        answer(connection, case.id, "Luis", LATER, note="por mensaje")
    return case.id


def words_of(pdf: bytes) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def test_the_file_as_json_holds_the_case_whole(store: Store, tmp_path: Path) -> None:
    case_id = write_case(store, tmp_path)
    config = make_config(tmp_path, store.url)
    with store.read() as connection:
        body = export_case(connection, config, case_id, "json", LATER)
        assert body == export_case(connection, config, case_id, "json", LATER)
        assert body == export_case(connection, config, case_id + 1, "json", LATER)  # merged into it
        lines = history(connection, case_id, merged=True)
    told = json.loads(body)
    assert (told["format"], told["case"]["status"], told["case"]["ticket_id"]) == (1, "answered", "4711")
    assert told["posts"][0]["text"] == HOSTILE
    assert {one["author"] for one in told["posts"]} == {"ana", "luis", "eva"}
    assert [one["seal"] for one in told["history"]] == [line.seal for line in lines]
    assert told["verified"] == [
        {"case": number, "whole": True, "line": None, "why": None} for number in (case_id, case_id + 1)
    ]


@pytest.mark.parametrize("lang", ["es", "en", "pt"])
def test_the_file_as_pdf_says_it_in_words_and_shows_a_stranger_s_text_as_text(
    store: Store, tmp_path: Path, lang: Any
) -> None:
    case_id = write_case(store, tmp_path)
    config = make_config(tmp_path, store.url)
    with store.read() as connection:
        body = export_case(connection, config, case_id, "pdf", LATER, lang)
        assert body == export_case(connection, config, case_id, "pdf", LATER, lang)
        last = history(connection, case_id)[-1].seal or ""
    words = words_of(body)
    assert body.startswith(b"%PDF")
    assert "<script>alert(1)</script>" in words
    assert "llamar mañana" in words
    assert last in words.replace("\r\n", "")
    assert "@eva" in words
    assert b"/URI (https://evil.example" not in body


def test_a_history_that_does_not_fit_says_so_in_both_files(store: Store, tmp_path: Path) -> None:
    case_id = write_case(store, tmp_path)
    config = make_config(tmp_path, store.url)
    with store.write() as connection:
        changed = history(connection, case_id)[3].id
        connection.execute(events.update().where(events.c.id == changed).values(who="Ana"))
        told = json.loads(export_case(connection, config, case_id, "json", LATER))["verified"][0]
        assert (told["whole"], told["line"]) == (False, changed)
        assert "does not fit its seals, from line 4" in words_of(
            export_case(connection, config, case_id, "pdf", LATER)
        )  # fmt: skip


@pytest.mark.parametrize("form", ["json", "pdf"])
def test_an_employee_is_named_in_no_file_for_human_resources(store: Store, tmp_path: Path, form: Any) -> None:
    config = make_config(tmp_path, store.url)
    with store.write() as connection:
        author = Author("empleada_x", "Empleada Equis", bio="trabajo en Nítido")
        case, _ = open_one(
            connection, config, make_route("human_resources"), stakeholder="employee", author=author,
            url="https://x.example/empleada_x/1",
        )  # fmt: skip
        body = export_case(connection, config, case.id, form, LATER)
    words = body.decode() if form == "json" else words_of(body)
    assert "cobr" in words
    for name in ("empleada_x", "Empleada", "trabajo en"):
        assert name not in words


def test_there_is_no_file_of_a_case_that_is_not_there(store: Store, tmp_path: Path) -> None:
    with store.read() as connection, pytest.raises(NotPossible, match="no case 404"):
        export_case(connection, make_config(tmp_path, store.url), 404, "pdf", NOW)


def test_every_step_has_words_and_a_strange_line_is_shown_as_it_is() -> None:
    assert set(TRANSITIONS) <= set(HAPPENED)
    w = Wording("es", "PE")
    strange = Event(1, 1, NOW, "Rosa", "xyzzy", {"status": 3}, {"note": {"facts": 1}, "until": "2026-13-45T99:00:00"})
    assert what_happened(strange, w) == "xyzzy"
    assert [line.split(": ")[-1] for line in details(strange, w)] == ["3", "–", "2026-13-45T99:00:00"]
    moved = Event(2, 1, NOW, "Rosa", "assigned", {"owner": None}, {"owner": "Luis {x}"})
    assert [line.split(": ", 1)[1] for line in details(moved, w)] == ["– → Luis {x}"]


CONFIG = """
[instance]
language = "en"
[store]
url = "{store}"
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["log:x"]
[channels.x]
kind = "log"
"""


@pytest.fixture
def written(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    monkeypatch.setenv("ESCUCHA_LANG", "en")
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(store=store.url), encoding="utf-8")
    return str(path), write_case(store, tmp_path)


def test_the_terminal_verifies_and_names_what_does_not_fit(
    store: Store, written: tuple[str, int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config, case_id = written
    verify(None, None, config, json=False)
    assert "2 histories fit" in capsys.readouterr().err
    kept = tmp_path / "case.json"
    export(case_id, kept, None, force=False, config=config)
    verify(case_id, kept, config, json=False)
    with store.write() as connection:
        last = history(connection, case_id)[-1].id
        connection.execute(events.update().where(events.c.id == last).values(who="Ana"))
    with pytest.raises(Fatal, match="1"):
        verify(None, None, config, json=True)
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (row["case"], row["event"]) == (case_id, last)
    with store.write() as connection:
        connection.execute(sa.delete(events).where(events.c.id == last))
    with pytest.raises(Fatal, match="1"):
        verify(case_id, kept, config, json=False)
    assert "the seal of line" in capsys.readouterr().out


def test_the_terminal_writes_a_case_and_refuses_what_it_cannot(
    store: Store, written: tuple[str, int], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config, case_id = written
    out = tmp_path / "case.PDF"
    export(case_id, out, "es", force=False, config=config)
    assert out.read_bytes().startswith(b"%PDF")
    for number, path, language in (
        (case_id, out, None),
        (case_id, tmp_path / "case.txt", None),
        (case_id, tmp_path / "other.pdf", "fr"),
        (case_id, tmp_path / "no" / "case.pdf", None),
    ):
        with pytest.raises(Fatal, match="2"):
            export(number, path, language, force=False, config=config)
    with pytest.raises(Fatal, match="1"):
        export(404, tmp_path / "other.pdf", None, force=False, config=config)
    assert "There is no case 404" in capsys.readouterr().err
    for text in ("[]", "{", '{"history": [{"case": "x"}]}'):
        broken = tmp_path / "broken.json"
        broken.write_text(text, encoding="utf-8")
        with pytest.raises(Fatal, match="2"):
            verify(None, broken, config, json=False)
    with pytest.raises(Fatal, match="1"):
        verify(404, None, config, json=False)


def test_a_dismissed_case_tells_when(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)
    with store.write() as connection:
        case, _ = open_one(connection, config)
        dismiss(connection, case.id, "Rosa", LATER, "publicidad")
        words = words_of(export_case(connection, config, case.id, "pdf", LATER, "en"))
    assert words.count("dismissed as noise") >= 2
    assert "«publicidad»" in words
