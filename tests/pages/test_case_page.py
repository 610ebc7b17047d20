"""The case page: every step is there, a reply is written, signed and copied, notes name colleagues, posts move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from listener.config import load
from stakeholders.case import history, join, read_case
from stakeholders.casework import draft as replies
from stakeholders.pages.moves import until_choices
from stakeholders.store import alerts, case_mentions, drafts
from tests.pages.test_pages import case_of, draw, markup

PEOPLE = """
[departments.legal_regulatory]
people = ["Claudia Reyes"]
[people."Jorge Huamán"]
mail = "jorge@example.org"
"""


@pytest.fixture
def house(instance: Any) -> Any:
    """Give the instance with a signer and a colleague who has an address."""
    path = instance.folder / "config.toml"
    path.write_text(path.read_text("utf-8") + PEOPLE, "utf-8")
    return instance


def page(instance: Any, number: int, who: str = "Ana Flores", lang: str = "en") -> AppTest:
    return draw("case", str(instance.folder), {"id": str(number)}, lang, who).run()


def press(test: AppTest, key: str) -> str:
    test.button(key=key).click().run()
    return unescape(markup(test))


def words_of(test: AppTest, number: int) -> str:
    return str(test.text_area(key=f"draft-{number}").value)


def keys(test: AppTest) -> set[str]:
    return {str(one.key) for one in test.button}


def read(instance: Any, number: int) -> Any:
    with instance.store.read() as connection:
        return read_case(connection, number)


def told(instance: Any, number: int) -> list[str]:
    with instance.store.read() as connection:
        return [event.what for event in history(connection, number)]


def test_a_reply_to_a_regulator_is_drafted_signed_and_posted_through_the_page(house: Any) -> None:
    number = case_of(house, "p0")
    test = page(house, number)
    assert "Legal and regulatory signs first" in unescape(markup(test))
    assert test.button(key="answer").disabled
    assert test.selectbox(key=f"template-{number}-es").value == "es/regulator"
    assert words_of(test, number).startswith("Saludos, @artel_regula. Nítido tomó conocimiento")
    press(test, "draft-save")
    assert not test.get("code"), "what is not signed is not offered to copy"
    shown = press(test, "draft-submit")
    assert "To be signed by Legal and regulatory: Claudia Reyes" in shown
    assert "draft-sign" not in keys(test)
    legal = page(house, number, "Claudia Reyes")
    legal.text_area(key="return-note").set_value("Cita el expediente <b>12</b>").run()
    shown = str(markup(legal))
    press(legal, "draft-return")
    test = page(house, number)
    assert "Claudia Reyes returned it: <b><bdi>Cita el expediente &lt;b&gt;12&lt;/b&gt;" in markup(test)
    test.text_area(key=f"draft-{number}").set_value("Saludos. Expediente 12.").run()
    press(test, "draft-save")
    press(test, "draft-submit")
    legal = page(house, number, "Claudia Reyes")
    press(legal, "draft-sign")
    assert [getattr(one, "value", None) for one in legal.get("code")] == ["Saludos. Expediente 12."]
    test = page(house, number)
    assert not test.button(key="answer").disabled
    press(test, "draft-use")
    assert read(house, number).status == "answered"
    assert told(house, number)[-2:] == ["answered", "used"]


def test_a_signature_that_went_while_the_page_stood_open_answers_nothing(house: Any) -> None:
    number, now = case_of(house, "p0"), datetime.now(UTC)
    with house.store.write() as connection:
        replies.write(connection, number, "Ana Flores", now, "Saludos cordiales.", "es")
        replies.submit(connection, house.config, number, "Ana Flores", now)
        replies.sign(connection, load(house.folder / "config.toml").settings, number, "Claudia Reyes", now)
    test = page(house, number)
    with house.store.write() as connection:
        replies.write(connection, number, "Jorge Huamán", datetime.now(UTC), "Otra cosa.", "es")
    assert "Jorge Huamán changed this draft meanwhile" in press(test, "answer")
    assert read(house, number).status == "new"


def test_a_template_is_chosen_in_another_language_and_own_words_come_back(house: Any) -> None:
    number = case_of(house, "p1")
    test = page(house, number)
    assert test.selectbox(key=f"template-{number}-es").value == "es/customer_complaint"
    test.text_area(key=f"draft-{number}").set_value("Mis propias palabras").run()
    test.selectbox(key=f"template-{number}-es").set_value("es/customer_other").run()
    assert "Gracias por escribirnos" in words_of(test, number)
    press(test, "draft-mine")
    assert words_of(test, number) == "Mis propias palabras"
    test.button_group(key=f"lang-{number}").set_value("pt").run()
    assert "reclamação" in test.selectbox(key=f"template-{number}-pt").options[0]
    assert words_of(test, number).startswith("Olá, @rosa_mqp. ")


def test_a_draft_that_a_colleague_wrote_meanwhile_is_shown_and_ones_own_words_stay(house: Any) -> None:
    number = case_of(house, "p1")
    test = page(house, number)
    test.text_area(key=f"draft-{number}").set_value("Lo que escribí yo").run()
    with house.store.write() as connection:
        replies.write(connection, number, "Jorge Huamán", datetime.now(UTC), "Lo que escribió Jorge", "es", seen="none")
    shown = press(test, "draft-save")
    assert "Jorge Huamán changed this draft meanwhile" in shown
    assert "As it stands now, by Jorge Huamán:" in shown
    assert "Lo que escribió Jorge" in shown
    assert words_of(test, number) == "Lo que escribí yo"


def test_a_text_with_something_to_fill_in_is_not_posted(house: Any) -> None:
    number = case_of(house, "p2")
    test = page(house, number)
    assert "[Escribe aquí la respuesta.]" in words_of(test, number)
    assert "Still to fill in: [Escribe aquí la respuesta.]" in press(test, "draft-save")
    assert test.button(key="draft-use").disabled


def test_an_employee_is_greeted_without_a_name(house: Any) -> None:
    number = case_of(house, "p4")
    test = page(house, number)
    assert words_of(test, number).startswith("Hola. ")


def test_a_note_names_a_colleague_and_one_mail_waits(house: Any) -> None:
    number = case_of(house, "p1")
    test = page(house, number)
    test.text_area(key="words").set_value("mira esto").run()
    test.multiselect(key="tell").set_value(["Jorge Huamán"]).run()
    assert "Jorge Huamán is told by mail" in press(test, "note")
    assert "mira esto @Jorge Huamán" in unescape(markup(test))
    assert test.multiselect(key="tell").value == []
    test.text_area(key="words").set_value("@Lucía ¿la ves?").run()
    assert "No mail address is known of Lucía Campos" in press(test, "note")
    with house.store.read() as connection:
        rows = connection.execute(sa.select(alerts.c.recipient).where(alerts.c.kind == "mention")).all()
    assert [row.recipient for row in rows] == ["jorge@example.org"]


def test_a_case_is_put_off_and_taken_up_again(house: Any) -> None:
    number = case_of(house, "p1")
    test = page(house, number)
    shown = press(test, "snooze-0")
    case = read(house, number)
    assert case.status == "snoozed"
    assert timedelta(minutes=55) < case.snoozed_until - datetime.now(UTC) < timedelta(minutes=61)
    assert "snoozed" in shown
    test.date_input(key="snooze-day").set_value(datetime.now(ZoneInfo("America/Lima")).date() + timedelta(days=9)).run()
    press(test, "snooze-then")
    local = read(house, number).snoozed_until.astimezone(ZoneInfo("America/Lima"))
    assert (local.hour, local.minute) == (9, 0)
    press(test, "wake")
    assert read(house, number).status == "new"


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        # a Tuesday evening in Lima, already Wednesday in UTC
        ("2026-03-04T01:30+00:00", "America/Lima", ["2026-03-04T02:30", "2026-03-04T14:00", "2026-03-09T14:00"]),
        # the Saturday before the clocks of Madrid go forward: nine o'clock is an hour earlier in UTC
        ("2026-03-28T10:00+00:00", "Europe/Madrid", ["2026-03-28T11:00", "2026-03-29T07:00", "2026-03-30T07:00"]),
        ("2026-03-08T15:00+00:00", "America/Lima", ["2026-03-08T16:00", "2026-03-09T14:00"]),
        ("2026-03-09T12:00+00:00", "America/Lima", ["2026-03-09T13:00", "2026-03-10T14:00", "2026-03-16T14:00"]),
    ],
)
def test_times_to_put_a_case_off_to_are_those_of_who_answers(now: str, zone: str, expected: list[str]) -> None:
    found = until_choices(datetime.fromisoformat(now), ZoneInfo(zone))
    assert [until.astimezone(UTC).isoformat()[:16] for _, until in found] == expected


def test_noise_is_dismissed_with_a_reason_and_opened_again(house: Any) -> None:
    number = case_of(house, "p1")
    test = page(house, number)
    assert "Say in a few words why this is noise" in press(test, "dismiss")
    test.text_input(key="why-noise").set_value("habla de otra Nítido").run()
    assert "habla de otra Nítido" in press(test, "dismiss")
    assert read(house, number).status == "dismissed"
    assert not {"dismiss", "close", "answer", "snooze-0"} & keys(test)
    press(test, "reopen")
    assert read(house, number).status == "new"


def test_a_case_is_merged_after_the_other_is_shown_and_leads_to_it(house: Any) -> None:
    number, other = case_of(house, "p1"), case_of(house, "p3")
    test = page(house, number)
    for given, shown in (("abc", "There is no such case"), (str(number), "That is this case"), ("9" * 16, "no such")):
        test.text_input(key="merge-into").set_value(given).run()
        assert shown in unescape(markup(test))
        assert "merge" not in keys(test)
    test.text_input(key="merge-into").set_value(f"#{other}").run()
    assert "me voy de <mark>Nítido</mark>" in markup(test)
    press(test, "merge")
    assert read(house, number).merged_into == other
    shown = markup(page(house, number))
    assert f'href="case?id={other}"' in shown
    assert "merge-into" not in {one.key for one in page(house, number).text_input}
    assert "Other posts · 1" in [one.label for one in page(house, other).tabs]


def test_ticked_posts_are_taken_out_into_a_case_of_their_own(house: Any) -> None:
    number, other = case_of(house, "p1"), case_of(house, "p3")
    with house.store.write() as connection:
        moved = connection.scalar(sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == other))
        connection.execute(case_mentions.delete().where(case_mentions.c.mention_id == moved))
        settings, now = house.config.settings, datetime.now(UTC)
        join(connection, settings, number, moved, "thread", "important", now)
    test = page(house, number)
    assert "split" not in keys(test)
    test.toggle(key="splitting").set_value(True).run()
    assert test.button(key="split").disabled
    test.checkbox(key=f"split-{number}-{moved}").check().run()
    press(test, "split")
    with house.store.read() as connection:
        now_in = connection.scalar(sa.select(case_mentions.c.case_id).where(case_mentions.c.mention_id == moved))
    assert now_in != number


def test_a_ticket_is_kept_and_linked_and_a_bad_address_refused(house: Any) -> None:
    number = case_of(house, "p1")
    test = page(house, number)
    test.text_input(key=f"ticket-id-{number}").set_value("INC-7").run()
    test.text_input(key=f"ticket-url-{number}").set_value("javascript:alert(1)").run()
    press(test, "ticket")
    assert read(house, number).ticket_id is None
    test.text_input(key=f"ticket-url-{number}").set_value("https://crm.example/7").run()
    press(test, "ticket")
    assert 'href="https://crm.example/7" target="_blank" rel="noopener noreferrer nofollow">INC-7</a>' in markup(test)


def test_what_was_typed_for_one_case_does_not_follow_to_the_next(house: Any) -> None:
    test = page(house, case_of(house, "p1"))
    test.text_area(key="words").set_value("solo para este caso").run()
    test.query_params["id"] = str(case_of(house, "p3"))
    test.run()
    assert not test.text_area(key="words").value


def test_a_stale_step_names_who_and_how_long_ago(house: Any) -> None:
    from stakeholders.case import acknowledge

    number = case_of(house, "p1")
    test = page(house, number, lang="es")
    with house.store.write() as connection:
        acknowledge(connection, number, "Jorge Huamán", datetime.now(UTC) - timedelta(seconds=20))
    shown = press(test, "close")
    assert "Jorge Huamán" in shown
    assert "20 s" in shown or "21 s" in shown
    assert read(house, number).status == "acknowledged"


def test_every_page_of_a_case_draws_in_three_languages_and_nothing_is_kept_by_looking(house: Any) -> None:
    for lang in ("es", "en", "pt"):
        for native in ("p0", "p2", "p4", "p90"):
            markup(page(house, case_of(house, native), lang=lang))
    with house.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(drafts)) == 0
