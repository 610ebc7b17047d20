"""The law's clocks: which complaint sets one running, until when, why, and who changed it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.settings import Named, Settings
from listener.tables.sla import PRESETS, Calendar, RegulatoryRule, Sla
from stakeholders.case import NotPossible, history
from stakeholders.deciding.facts import Facts
from stakeholders.regulation import clock_of, clock_on, describe, rules_of, shipped
from stakeholders.regulation.mark import choose, legal_lines, mark, read_clock
from stakeholders.store import cases
from stakeholders.wording import Wording
from tests.stakeholders.weeks import open_case, say

LIMA = ZoneInfo("America/Lima")
NOW = datetime(2026, 3, 30, 15, tzinfo=UTC)  # the Monday of a week with Maundy Thursday and Good Friday


def settings_of(*presets: Any, rules: dict[str, RegulatoryRule] | None = None, **more: Any) -> Settings:
    sla = Sla(regulation=list(presets), rules=rules or {})
    return Settings(sla=sla, brands={"nitido": Named(name="Nítido", country="PE")}, **more)


OSIPTEL = settings_of("PE.osiptel")


def facts(text: str = "tres días sin señal y nadie responde", **changes: Any) -> Facts:
    told: dict[str, Any] = {
        "lang": "es", "brand": "nitido", "kind": "own", "stakeholder": "customer", "sentiment": "negative",
        "dimension": "products_services", "intent": "complaint",
    }  # fmt: skip
    return Facts(text, **told | changes)


def last_minute(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 23, 59, tzinfo=LIMA)


@pytest.mark.parametrize(
    ("text", "rule", "resolve", "notify"),
    [
        # Tuesday 31, Wednesday 1, then Monday 6 after the holidays; five more to Monday 13
        ("tres días sin señal", "PE.osiptel.quality", (2026, 4, 6), (2026, 4, 13)),
        ("me cobraron dos veces el recibo", "PE.osiptel.billing", (2026, 4, 22), (2026, 4, 29)),
        ("mi apelación al TRASU sigue sin moverse", "PE.osiptel.appeal", (2026, 4, 8), None),
    ],
)
def test_a_complaint_sets_the_clock_of_its_matter(
    text: str, rule: str, resolve: tuple[int, int, int], notify: tuple[int, int, int] | None
) -> None:
    clock = clock_of(facts(text), OSIPTEL, NOW)
    assert clock is not None
    assert (clock.rule, clock.resolve_by) == (rule, last_minute(*resolve))
    assert clock.notify_by == (last_minute(*notify) if notify else None)


def test_of_two_clocks_that_fit_the_one_that_runs_out_first_counts() -> None:
    clock = clock_of(facts("sin señal y encima me cobraron el recibo entero"), OSIPTEL, NOW)
    assert clock is not None
    assert clock.rule == "PE.osiptel.quality"


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "competitor"},
        {"own_account": True},
        {"relevant": False},
        {"stakeholder": "press"},
        {"sentiment": "positive"},
        {"intent": "praise"},
        {"dimension": "workplace"},
        {"text": "la tienda estaba cerrada"},
        {"brand": "other"},
    ],
)
def test_what_is_no_complaint_of_a_customer_of_ours_about_it_sets_none(changes: dict[str, Any]) -> None:
    chilean = {"other": Named(name="Nítido", country="CL")}
    settings = OSIPTEL.model_copy(update={"brands": OSIPTEL.brands | chilean})
    assert clock_of(facts("tres días sin señal"), settings, NOW) is not None
    assert clock_of(facts(**{"text": "tres días sin señal"} | changes), settings, NOW) is None


def test_a_rule_holds_only_between_its_days() -> None:
    ends = settings_of("PE.osiptel", rules={"PE.osiptel.quality": RegulatoryRule(until=date(2026, 3, 30))})
    assert clock_of(facts(), ends, NOW) is not None
    assert clock_of(facts(), ends, NOW + timedelta(days=1)) is None
    assert clock_of(facts(), OSIPTEL, datetime(2020, 1, 1, tzinfo=UTC)) is None


def test_the_reasons_say_who_when_and_by_which_words() -> None:
    clock = clock_of(facts(doubtful_intent=41), OSIPTEL, NOW)
    assert clock is not None
    told = " · ".join(one.say("en") for one in clock.because)
    assert "Osiptel sets a clock: 3 business days to resolve, until 2026-04-06" in told
    assert "5 business days more to tell the customer, until 2026-04-13" in told
    assert "It says «sin señal»" in told
    assert "(unsure, 41 %)" in told
    assert all(Wording("en").reason(one) for one in clock.because)


def test_config_changes_a_rule_key_by_key_leaves_one_out_and_adds_its_own() -> None:
    mine = RegulatoryRule(country="PE", body="Contrato marco", source="cláusula 7", resolve=1, words=["fibra oscura"])
    settings = settings_of(
        "PE.osiptel",
        rules={
            "PE.osiptel.quality": RegulatoryRule(resolve=2),
            "PE.osiptel.billing": RegulatoryRule(enabled=False),
            "marco.fibra": mine,
        },
    )
    changed = clock_of(facts(), settings, NOW)
    assert changed is not None
    assert (changed.resolve_by, changed.notify_by) == (last_minute(2026, 4, 1), last_minute(2026, 4, 10))
    assert clock_of(facts("me cobraron dos veces el recibo"), settings, NOW) is None
    own = clock_of(facts("la fibra oscura está cortada"), settings, NOW)
    assert own is not None
    assert (own.rule, own.resolve_by) == ("marco.fibra", last_minute(2026, 3, 31))
    assert rules_of(Settings()) == ()


def test_business_days_may_be_those_of_a_calendar_of_the_team() -> None:
    closed = Calendar(extra_holidays=[date(2026, 3, 31)])
    settings = settings_of(
        "PE.osiptel", rules={"PE.osiptel.quality": RegulatoryRule(calendar="office")}, calendars={"office": closed}
    )
    clock = clock_of(facts(), settings, NOW)
    assert clock is not None
    assert clock.resolve_by == last_minute(2026, 4, 7)


def test_a_post_of_the_late_evening_counts_from_the_local_day() -> None:
    late = datetime(2026, 3, 31, 3, tzinfo=UTC)  # still the 30th in Lima
    clock = clock_of(facts(), OSIPTEL, late)
    assert clock is not None
    assert clock.resolve_by == last_minute(2026, 4, 6)


def test_every_rule_that_ships_is_named_dated_sourced_and_worded() -> None:
    assert tuple(shipped()) == tuple(name for names in PRESETS.values() for name in names)
    for name, table in shipped().items():
        preset = next(key for key in PRESETS if name.startswith(f"{key}."))
        assert name in PRESETS[preset]
        assert table.country == preset.partition(".")[0]
        assert table.body
        assert table.source
        assert re.search(r"\d", table.source)
        assert table.since is not None
        assert table.resolve
        assert table.timezone
        assert set(table.about) == {"en", "es", "pt"}
        assert set(table.note) in ({"en", "es", "pt"}, set())


def test_osiptels_days_are_those_of_the_norm() -> None:
    days = {name: (table.resolve, table.notify) for name, table in shipped().items() if "osiptel" in name}
    assert days == {
        "PE.osiptel.quality": (3, 5),
        "PE.osiptel.billing": (15, 5),
        "PE.osiptel.billing_large": (20, 5),
        "PE.osiptel.appeal": (5, None),
    }


@pytest.mark.parametrize(
    ("country", "preset", "zone", "until"),
    [
        ("CL", "CL.subtel", "America/Santiago", date(2026, 9, 23)),  # the 18th is free
        ("CO", "CO.crc", "America/Bogota", date(2026, 10, 6)),
        ("PE", "PE.indecopi", "America/Lima", date(2026, 10, 6)),
    ],
)
def test_every_country_counts_its_own_business_days(country: str, preset: str, zone: str, until: date) -> None:
    home = {"nitido": Named(name="Nítido", country=country)}
    settings = settings_of(preset).model_copy(update={"brands": home})
    clock = clock_of(facts(), settings, datetime(2026, 9, 15, 15, tzinfo=UTC))
    assert clock is not None
    assert clock.resolve_by.astimezone(ZoneInfo(zone)) == datetime(
        until.year, until.month, until.day, 23, 59, tzinfo=ZoneInfo(zone)
    )


def test_a_clock_is_worded_for_the_case_page_in_three_languages() -> None:
    clock = clock_of(facts(), OSIPTEL, NOW)
    assert clock is not None
    lines = describe(clock.rule, clock.resolve_by, OSIPTEL, Wording("en", "PE", LIMA))
    assert lines[0] == (
        "Osiptel, quality of the service, or no service: to be resolved by Monday 6 April (3 business days)"
    )
    assert lines[1] == "The customer is to be told by Monday 13 April (5 business days more)"
    assert lines[-1].startswith("Source: Reglamento para la Atención de Gestiones y Reclamos")
    for lang in ("es", "pt"):
        assert len(describe(clock.rule, clock.resolve_by, OSIPTEL, Wording(lang, "PE", LIMA))) == len(lines)
    (gone,) = describe("PE.osiptel.quality", clock.resolve_by, Settings(), Wording("en", "PE", LIMA))
    assert "no longer holds (PE.osiptel.quality): resolve by 6 Apr, 23:59" in gone


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


def state(connection: sa.Connection, case_id: int) -> tuple[str | None, datetime | None]:
    row = connection.execute(sa.select(cases).where(cases.c.id == case_id)).one()
    return row.regulatory_rule, row.regulatory_due_at


def clocked(connection: sa.Connection, case_id: int) -> int:
    return [event.what for event in history(connection, case_id)].count("clocked")


def test_a_case_carries_its_clock_and_a_second_look_changes_nothing(connection: sa.Connection) -> None:
    mention = say(connection, NOW)
    case_id = open_case(connection, [mention], NOW)
    for _ in range(2):
        mark(connection, OSIPTEL, case_id, mention, facts(), NOW + timedelta(hours=1))
    assert state(connection, case_id) == ("PE.osiptel.quality", last_minute(2026, 4, 6))
    assert clocked(connection, case_id) == 1
    read = read_clock(connection, OSIPTEL, case_id)
    assert read is not None
    assert read.notify_by == last_minute(2026, 4, 13)
    assert any("sin señal" in one.say("en") for one in read.because)


def test_the_clock_counts_from_when_the_post_was_heard(connection: sa.Connection) -> None:
    mention = say(connection, NOW - timedelta(days=7))
    case_id = open_case(connection, [mention], NOW)
    mark(connection, OSIPTEL, case_id, mention, facts(), NOW)
    assert state(connection, case_id)[1] == last_minute(2026, 3, 26)


def test_a_later_post_never_moves_a_running_clock_later_and_may_move_it_earlier(connection: sa.Connection) -> None:
    first, second, third = (say(connection, NOW + timedelta(days=days)) for days in (0, 1, 2))
    case_id = open_case(connection, [first, second, third], NOW)
    mark(connection, OSIPTEL, case_id, first, facts("me cobraron dos veces el recibo"), NOW)
    assert state(connection, case_id)[0] == "PE.osiptel.billing"
    mark(connection, OSIPTEL, case_id, second, facts(), NOW)
    assert state(connection, case_id) == ("PE.osiptel.quality", last_minute(2026, 4, 7))
    mark(connection, OSIPTEL, case_id, third, facts(), NOW)
    assert state(connection, case_id) == ("PE.osiptel.quality", last_minute(2026, 4, 7))
    assert clocked(connection, case_id) == 2


def test_a_corrected_mention_takes_back_what_it_had_set_and_nothing_else(connection: sa.Connection) -> None:
    first, second = say(connection, NOW), say(connection, NOW)
    case_id = open_case(connection, [first, second], NOW)
    mark(connection, OSIPTEL, case_id, first, facts(), NOW)
    mark(connection, OSIPTEL, case_id, second, facts(stakeholder="press"), NOW)
    assert state(connection, case_id)[0] == "PE.osiptel.quality"
    mark(connection, OSIPTEL, case_id, first, facts(stakeholder="press"), NOW)
    assert state(connection, case_id) == (None, None)
    assert read_clock(connection, OSIPTEL, case_id) is None
    assert clocked(connection, case_id) == 2


def test_what_a_person_chose_stays(connection: sa.Connection) -> None:
    mention = say(connection, NOW)
    case_id = open_case(connection, [mention], NOW)
    mark(connection, OSIPTEL, case_id, mention, facts("me cobraron dos veces el recibo"), NOW)
    chosen = choose(connection, OSIPTEL, case_id, "PE.osiptel.billing_large", "Claudia Reyes", NOW)
    assert chosen is not None
    assert state(connection, case_id) == ("PE.osiptel.billing_large", last_minute(2026, 4, 29))
    mark(connection, OSIPTEL, case_id, mention, facts(), NOW)
    assert state(connection, case_id)[0] == "PE.osiptel.billing_large"
    choose(connection, OSIPTEL, case_id, None, "Claudia Reyes", NOW)
    mark(connection, OSIPTEL, case_id, mention, facts(), NOW)
    assert state(connection, case_id) == (None, None)
    event = history(connection, case_id)[-1]
    assert (event.who, event.before, event.after) == (
        "Claudia Reyes", {"rule": "PE.osiptel.billing_large"}, {"rule": None}
    )  # fmt: skip


def test_a_rule_or_a_case_that_is_not_there_cannot_be_chosen(connection: sa.Connection) -> None:
    case_id = open_case(connection, [say(connection, NOW)], NOW)
    with pytest.raises(NotPossible, match="no legal clock «PE-nothing»"):
        choose(connection, OSIPTEL, case_id, "PE-nothing", "Claudia", NOW)
    with pytest.raises(NotPossible, match="no case 999"):
        choose(connection, OSIPTEL, 999, None, "Claudia", NOW)


def test_without_regulation_nothing_is_read_or_written(connection: sa.Connection) -> None:
    mention = say(connection, NOW)
    case_id = open_case(connection, [mention], NOW)
    assert mark(connection, Settings(), case_id, mention, facts(), NOW) is None
    assert (state(connection, case_id), clocked(connection, case_id)) == ((None, None), 0)


def test_the_list_of_legal_clocks_shows_what_is_open_the_most_urgent_first(connection: sa.Connection) -> None:
    ids = []
    for text in ("me cobraron dos veces el recibo", "sin señal", "sin señal"):
        mention = say(connection, NOW)
        ids.append(open_case(connection, [mention], NOW))
        mark(connection, OSIPTEL, ids[-1], mention, facts(text), NOW)
    connection.execute(cases.update().where(cases.c.id == ids[2]).values(status="answered", answered_at=NOW))
    later = NOW + timedelta(days=10)
    lines = legal_lines(connection, "nitido", later, timedelta(days=30))
    assert [(line.case_id, line.overdue) for line in lines] == [(ids[1], True), (ids[0], False)]
    assert legal_lines(connection, "brisatel", later, timedelta(days=30)) == []
    assert [line.case_id for line in legal_lines(connection, None, later, timedelta(0))] == [ids[1]]


def test_a_negative_or_empty_count_of_days_is_the_day_itself() -> None:
    (rule, *_) = rules_of(settings_of("PE.osiptel", rules={"PE.osiptel.quality": RegulatoryRule(resolve=0, notify=0)}))
    clock = clock_on(rule, OSIPTEL, NOW)
    assert (clock.resolve_by, clock.notify_by) == (last_minute(2026, 3, 30), None)
