"""The page of settings: who is on duty and who is next, silences begun and ended by name, faults in their place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from listener.config import load
from listener.tables.alerting import Matchers
from stakeholders.outbox.rota import next_change, on_duty
from stakeholders.outbox.silences import add_silence, read_silences
from tests.pages.test_pages import draw, markup

ROTA = """
[departments.network_quality]
alert = ["mail:red@example.org"]
[departments.network_quality.rota]
timezone = "America/Lima"
people = { "Óscar Vilca" = ["mail:oscar@example.org"], "Rosa Díaz" = ["mail:rosa@example.org"] }
weekly = [
    { days = ["mon", "tue", "wed", "thu", "fri"], who = "Óscar Vilca" },
    { days = ["sat", "sun"], who = "Rosa Díaz" },
]
dated = [{ since = 2026-12-24T18:00:00, until = 2026-12-26T09:00:00, who = "Rosa Díaz" }]
"""
LIMA = ZoneInfo("America/Lima")


@pytest.fixture
def house(instance: Any) -> Any:
    """Give the instance with a rota."""
    path = instance.folder / "config.toml"
    path.write_text(path.read_text("utf-8") + ROTA, "utf-8")
    return instance


def page(instance: Any, query: dict[str, str] | None = None, who: str = "Ana Flores", lang: str = "en") -> AppTest:
    return draw("settings", str(instance.folder), query or {}, lang, who).run()


@pytest.mark.parametrize(
    ("now", "present", "change", "following"),
    [
        # a Wednesday; the weekend begins on Saturday at midnight of Lima
        ("2026-03-04T15:00+00:00", "Óscar Vilca", "2026-03-07T00:00-05:00", "Rosa Díaz"),
        ("2026-03-08T15:00+00:00", "Rosa Díaz", "2026-03-09T00:00-05:00", "Óscar Vilca"),
        # the dated turn goes before the weekly one, and holds through Christmas into the weekend
        ("2026-12-24T20:00+00:00", "Óscar Vilca", "2026-12-24T18:00-05:00", "Rosa Díaz"),
        ("2026-12-25T20:00+00:00", "Rosa Díaz", "2026-12-28T00:00-05:00", "Óscar Vilca"),
    ],
)
def test_the_next_change_of_a_rota_is_when_another_person_comes(
    house: Any, now: str, present: str, change: str, following: str
) -> None:
    settings, at = load(house.folder / "config.toml", {}, secrets=False).settings, datetime.fromisoformat(now)
    duty = on_duty(settings, "network_quality", at)
    found = next_change(settings, "network_quality", at)
    assert duty is not None
    assert found is not None
    assert found[1] is not None
    assert (duty.who, found[0], found[1].who) == (present, datetime.fromisoformat(change), following)
    assert next_change(settings, "communications", at) is None


def test_the_page_names_who_is_on_duty_and_who_is_next(house: Any) -> None:
    shown = unescape(markup(page(house)))
    weekend = datetime.now(LIMA).weekday() >= 5
    here, after = ("Rosa Díaz", "Óscar Vilca") if weekend else ("Óscar Vilca", "Rosa Díaz")
    assert f"<b><bdi>{here}</bdi></b>" in shown
    assert f"00:00: {after}" in shown


def test_a_silence_is_listed_with_its_reason_its_person_and_both_its_ends_and_ended_by_name(instance: Any) -> None:
    now = datetime.now(UTC)
    with instance.store.write() as connection:
        matchers = Matchers(brand=["nitido"], query="sorteo <b>")
        add_silence(
            connection, instance.config, "Jorge Huamán", "<i>corte</i>", matchers, now, now + timedelta(hours=3), now
        )
        late = now + timedelta(hours=5)
        one = Matchers(department=["sales"])
        add_silence(connection, instance.config, "Ana Flores", "feria", one, late, late + timedelta(hours=1), now)
    test = page(instance)
    shown = markup(test)
    for words in ("silent now", "to come", "Jorge Huamán", "feria", "&lt;i&gt;corte", "«sorteo &lt;b&gt;»", "Nítido"):
        assert words in shown
    test.button(key="silence-end-1").click().run()
    assert "Silence 1 has ended" in markup(test)
    with instance.store.read() as connection:
        left = read_silences(connection, datetime.now(UTC))
    assert [one.id for one in left] == [2]


def test_a_silence_is_begun_with_a_reason_after_its_meaning_was_told(instance: Any) -> None:
    test = page(instance)
    assert test.button(key="silence-start").disabled
    test.multiselect(key="silence-department").set_value(["customer_care"]).run()
    assert "1 open case is like this." in markup(test)
    test.button(key="silence-start").click().run()
    assert "A silence needs a reason" in markup(test)
    test.text_input(key="silence-why").set_value("mudanza").run()
    test.button(key="silence-start").click().run()
    assert "mudanza" in markup(test)
    with instance.store.read() as connection:
        (one,) = read_silences(connection, datetime.now(UTC))
    assert (one.author, one.why, one.matchers.department) == ("Ana Flores", "mudanza", ["customer_care"])
    assert timedelta(minutes=115) < one.ends_at - datetime.now(UTC) < timedelta(minutes=121)


def test_without_a_name_nothing_is_silenced(instance: Any) -> None:
    test = page(instance, who="")
    test.multiselect(key="silence-brand").set_value(["nitido"]).run()
    test.text_input(key="silence-why").set_value("mudanza").run()
    test.button(key="silence-start").click().run()
    assert "Say who you are first" in markup(test)
    with instance.store.read() as connection:
        assert read_silences(connection, datetime.now(UTC)) == []


def test_a_fault_stands_on_top_and_beside_its_table_while_the_last_good_file_goes_on(instance: Any) -> None:
    test = page(instance)
    assert "The file has no faults." in markup(test)
    path = instance.folder / "config.toml"
    good = path.read_text("utf-8")
    config = load(path, {}, secrets=False)
    from stakeholders.pages import settings as drawn

    path.write_text(good.replace('kind = "file"', 'kind = "fil<b>e"', 1), "utf-8")
    from stakeholders.pages.scene import Scene

    scene = Scene(config, instance.store, "en", "Ana Flores")
    faults = drawn._read_faults(scene)
    assert faults
    shown = drawn._sections(scene, faults)
    mine = shown[shown.index('<details class="e-toml" open>') :].split("</details>")[0]
    assert "[sources]" in mine
    assert "fil&lt;b&gt;e" in mine
    assert shown.count('e-toml" open') == 1


def test_what_is_looked_for_in_the_registry_stands_in_the_address(instance: Any) -> None:
    test = page(instance, {"registry": "osiptel"})
    assert "osiptel.gob.pe" in markup(test)
    test.text_input(key="_registry").set_value("nobody-at-all").run()
    assert "No entry answers to this" in markup(test)
    assert test.query_params["registry"] in ("nobody-at-all", ["nobody-at-all"])
