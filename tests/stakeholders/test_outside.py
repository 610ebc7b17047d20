"""What a stranger wrote leaves the house masked in digests too, on every channel and in every form of the letter."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.config import Config
from listener.database import Store
from stakeholders import digest
from stakeholders.letters.quote import quote, veil_quote, veil_words
from stakeholders.store import alerts
from tests.stakeholders.test_digest import MONDAY, WEEK, heard
from tests.stakeholders.weeks import config_of, open_case, say

CARD = "Nítido, soy @ana.ruiz y mi DNI 4567-8912 salió en tu recibo; vivo en Av. Larco 345 dpto 12, son S/ 89.90"
PRIVATE = ("@ana", "ruiz", "4567", "Larco 345")
READERS = ("mail:jefa@nitido.example", "mail:agencia@otra.example", "slack:care", "slack:agency")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(
        tmp_path,
        digest={"to": list(READERS)},
        mail={"sender": "escucha@nitido.example"},
        channels={
            name: {"kind": "slack", "url": f"https://hooks.slack.com/services/{name}", "internal": name == "care"}
            for name in ("care", "agency")
        },
    )


def letters(store: Store, config: Config) -> dict[str, tuple[Any, str]]:
    """Queue the week's digest; give each reader's message, and all that it says in any form."""
    with store.write() as connection:
        heard(connection)
        said = say(connection, WEEK.start, sentiment="negative", text=CARD)
        open_case(connection, [said], WEEK.start, priority="alert", due=WEEK.start + timedelta(hours=1))
        digest.queue_due(connection, config, MONDAY + timedelta(hours=3))
        rows = connection.execute(sa.select(alerts).where(alerts.c.kind == "digest")).all()
        found = {}
        for row in rows:
            message = digest.write_letter(connection, config, row, MONDAY)
            found[f"{row.channel}:{row.recipient}"] = (
                message, " ".join((message.text, message.html or "", *message.lines)).replace("\u2060", "")
            )  # fmt: skip
    return found


def test_inside_the_house_a_digest_quotes_as_it_was_said_and_outside_nobody_is_named(
    store: Store, config: Config
) -> None:
    told = letters(store, config)
    assert told.keys() == set(READERS)
    for reader in ("mail:jefa@nitido.example", "slack:care"):
        assert "@ana.ruiz" in told[reader][1]
        assert "Larco 345" in told[reader][1]
    for reader in ("mail:agencia@otra.example", "slack:agency"):
        message, words = told[reader]
        assert not [part for part in PRIVATE if part in words]
        assert "[cuenta]" in words
        assert "S/ 89.90" in words, "what the team works with stays"
        # The figures are the same, and so is their seal.
        assert message.subject == told["mail:jefa@nitido.example"][0].subject
        assert message.lines == told["mail:jefa@nitido.example"][0].lines


def test_a_test_letter_and_the_pdf_of_an_outsider_are_masked_too(store: Store, config: Config) -> None:
    import pypdfium2

    letters(store, config)
    with store.read() as connection:
        outside = sa.select(alerts).where(alerts.c.recipient == "agencia@otra.example")
        row = connection.execute(outside).one()
        letter = digest.letter_for(connection, config, row)
        written = digest._asked(connection, config, row)
    assert not [part for part in PRIVATE if part in letter.html + letter.text]
    pdf = pypdfium2.PdfDocument(digest.render_pdf(written))
    words = " ".join(page.get_textpage().get_text_range() for page in pdf)
    assert "[cuenta]" in words
    assert not [part for part in PRIVATE if part in words]


def test_a_veil_sees_through_the_joiners_of_a_quote_and_leaves_our_own_figures_alone() -> None:
    seen: list[str] = []

    def veil(text: str) -> str:
        seen.append(text)
        return text.replace("ana.ruiz", "[account]")

    shown = quote("escribe a @ana.ruiz ya")
    assert "\u2060" in shown
    assert veil_quote(shown, veil) == "escribe a @[account] ya"
    assert seen == ["escribe a @ana.ruiz ya"]
    assert (
        veil_words("12345678 posts say «@ana.ruiz» of 87654321", veil) == "12345678 posts say «@[account]» of 87654321"
    )
    assert seen[1:] == ["«@ana.ruiz»"]
