"""A note tells the colleagues it names, once each, and nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from listener.config import Config
from listener.database import Store
from stakeholders.case import NotPossible, history
from stakeholders.casework.mentioning import colleagues, mentioned_in, write_note
from stakeholders.store import alerts
from tests.stakeholders.newsroom import NOW, make_config, open_one

PEOPLE: dict[str, Any] = {
    "Ana Torres": {"mail": "ana.torres@nitido.example"},
    "Ana María Ríos": {"mail": "amrios@nitido.example", "department": "legal_regulatory"},
    "Óscar Vilca": {},
}


def config_of(folder: Path, url: str = "sqlite:///x.db") -> Config:
    table = {
        "customer_care": {"people": ["Rocío Paredes", "Ana Torres"], "lead": "Atención al cliente"},
        "communications": {"alert": ["mail:a@nitido.example"], "lead": "Hugo Arrieta"},
    }
    return make_config(folder, url, people=PEOPLE, departments=table)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return config_of(tmp_path_factory.mktemp("mentioning"))


def named(text: str, config: Config) -> list[str]:
    return [one.name for one in mentioned_in(text, config.settings)]


def test_everybody_that_the_configuration_names_is_known_once(config: Config) -> None:
    found = {one.name: (one.mail, one.department) for one in colleagues(config.settings)}
    assert found == {
        "Ana Torres": ("ana.torres@nitido.example", "customer_care"),
        "Ana María Ríos": ("amrios@nitido.example", "legal_regulatory"),
        "Óscar Vilca": (None, None),
        "Rocío Paredes": (None, "customer_care"),
        "Hugo Arrieta": (None, "communications"),
    }


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("@Ana Torres mira esto", ["Ana Torres"]),
        ("mira esto, @ana torres.", ["Ana Torres"]),
        ("(@AnaTorres)", ["Ana Torres"]),
        ("@ana.torres, @ana_torres y @ANA TORRES", ["Ana Torres"]),
        ("@rocio ¿puedes?", ["Rocío Paredes"]),
        ("@Óscar y @Ana María Ríos", ["Óscar Vilca", "Ana María Ríos"]),
        ("@oscar\n@hugo", ["Óscar Vilca", "Hugo Arrieta"]),
        ("@Ana", []),  # two are called so
        ("@Anastasia Torres", []),
        ("@Ana Torresano", []),
        ("ana.torres@nitido.example", []),
        ("rocio@rocio.example", []),
        ("https://x.example/@rocio", []),
        ("@ Rocío", []),
        ("@@rocio", []),
        ("sin nadie", []),
    ],
)
def test_a_colleague_is_named_in_the_ways_people_write(config: Config, text: str, who: list[str]) -> None:
    assert named(text, config) == who


@given(st.text(alphabet="@anoscrlitevhug ._ÁÓ\n", max_size=120))
def test_any_text_names_only_colleagues_and_each_once(config: Config, text: str) -> None:
    found = named(text, config)
    assert len(found) == len(set(found))
    assert set(found) <= {one.name for one in colleagues(config.settings)}


def test_a_note_tells_each_colleague_by_one_mail_and_says_who_has_no_address(store: Store, tmp_path: Path) -> None:
    config = config_of(tmp_path, "sqlite:///x.db")
    with store.write() as connection:
        case, _ = open_one(connection, config)
        text = "  @ana torres @Ana Torres @oscar @Rocío Paredes: ¿quién lo ve?\x00 "
        noted = write_note(connection, config, case.id, "Rocío Paredes", NOW, text)
        with pytest.raises(NotPossible):
            write_note(connection, config, case.id, "Rocío Paredes", NOW, " \n")
        with pytest.raises(NotPossible):
            write_note(connection, config, 999, "Rocío Paredes", NOW, "hola")
    assert [one.name for one in noted.told] == ["Ana Torres"]
    assert [one.name for one in noted.unreached] == ["Óscar Vilca"]
    with store.read() as connection:
        rows = connection.execute(sa.select(alerts).where(alerts.c.kind == "mention")).all()
        last = history(connection, case.id)[-1]
    assert [(row.recipient, row.case_id, row.state) for row in rows] == [
        ("ana.torres@nitido.example", case.id, "pending")
    ]
    assert (last.id, last.what, last.who) == (noted.event_id, "note", "Rocío Paredes")
    assert last.after == {
        "note": "@ana torres @Ana Torres @oscar @Rocío Paredes: ¿quién lo ve?",
        "named": ["Ana Torres", "Óscar Vilca"],
    }
