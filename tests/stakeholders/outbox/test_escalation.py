"""Quiet hours, the rota and the climb: who is told at night, and who while nobody acknowledges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.config import Config
from listener.database import Store
from listener.errors import ConfigError
from stakeholders.alerts import queue_case, queue_mention, send_due
from stakeholders.case import acknowledge, answer, close, history, join, note
from stakeholders.casework.snooze import snooze, wake_due
from stakeholders.lists.batch import take_all, take_back
from stakeholders.outbox.escalation import escalate_due
from stakeholders.outbox.quiet import quiet_until
from stakeholders.outbox.rota import on_duty
from stakeholders.store import alerts, cases
from tests.servers.smtp import Inbox, free_port, smtp
from tests.stakeholders.newsroom import NOW, hear, make_config, make_route, open_one, open_store

LIMA = ZoneInfo("America/Lima")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NIGHT = datetime(2026, 5, 5, 23, 0, tzinfo=LIMA).astimezone(UTC)  # a Tuesday
MORNING = datetime(2026, 5, 6, 7, 0, tzinfo=LIMA).astimezone(UTC)
CARE = "customer_care@nitido.example"
EVERY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture
def post() -> Iterator[tuple[int, Inbox]]:
    port = free_port()
    with smtp(port) as inbox:
        yield port, inbox


def team(folder: Path, url: str, port: int = 1025, *, grouping: bool = False, **care: Any) -> Config:
    own = {"alert": [f"mail:{CARE}"], **care}
    return make_config(folder, url, port, departments={"customer_care": own}, alerts={"grouping": grouping})


def night_team(folder: Path, url: str, port: int = 1025, **more: Any) -> Config:
    rota = {
        "people": {"Rocío": ["mail:rocio@nitido.example"], "Iván": ["mail:ivan@nitido.example"]},
        "weekly": [
            {"days": ["mon", "tue", "wed", "thu", "fri"], "hours": "22:00-07:00", "who": "Rocío"},
            {"days": ["sat", "sun"], "hours": "22:00-07:00", "who": "Iván"},
        ],
        "dated": [{"since": "2026-05-07T20:00:00", "until": "2026-05-08T09:00:00", "who": "Iván"}],
    }
    return team(folder, url, port, quiet=["22:00-07:00"], rota=rota, **more)


def queue(store: Store, config: Config, at: datetime = NOW, **more: Any) -> int:
    with store.write() as connection:
        case, mention_id = open_one(connection, config, now=at, **more)
        queue_case(connection, config, case, mention_id, False, at)
    return case.id


def rows(store: Store, kind: str = "escalated") -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(sa.select(alerts).where(alerts.c.kind == kind).order_by(alerts.c.id)))


# ---- quiet hours and the rota


def test_at_night_an_alert_goes_to_whoever_is_on_duty_and_the_rest_waits_until_morning(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = night_team(tmp_path, store.url, port, grouping=True)
    queue(store, config, NIGHT)
    urgent = queue(store, config, NIGHT, route=make_route(priority="alert"))
    send_due(store, config, NIGHT + MINUTE)
    assert inbox.recipients == ["rocio@nitido.example"]
    send_due(store, config, MORNING - MINUTE)
    assert len(inbox.letters) == 1
    with store.write() as connection:
        other = hear(connection, now=MORNING)
        joined = join(connection, config.settings, urgent, other, "thread", "alert", MORNING)
        assert queue_case(connection, config, joined, other, True, MORNING) == 0, "told at night is told"
    send_due(store, config, MORNING)
    assert inbox.recipients == ["rocio@nitido.example", CARE]


def test_what_rises_to_an_alert_at_night_is_told_to_whoever_is_on_duty_at_once(tmp_path: Path, post: Any) -> None:
    port, inbox = post
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    config = night_team(tmp_path, store.url, port)
    case_id = queue(store, config, NIGHT)
    with store.write() as connection:
        other = hear(connection, now=NIGHT)
        risen = join(connection, config.settings, case_id, other, "thread", "alert", NIGHT)
        assert queue_case(connection, config, risen, other, True, NIGHT) == 1
    send_due(store, config, NIGHT)
    assert inbox.recipients == ["rocio@nitido.example"]
    store.close()


@pytest.mark.parametrize(
    ("day", "hour", "who"),
    [
        (4, 22, "Rocío"),
        (5, 6, "Rocío"),
        (5, 7, None),
        (9, 23, "Iván"),
        (11, 3, "Iván"),
        (7, 23, "Iván"),
        (8, 8, "Iván"),
    ],
)
def test_the_rota_is_read_by_the_clock_on_the_wall_and_dated_turns_go_first(
    tmp_path: Path, day: int, hour: int, who: str | None
) -> None:
    config = night_team(tmp_path, "sqlite://")
    duty = on_duty(config.settings, "customer_care", datetime(2026, 5, day, hour, tzinfo=LIMA))
    assert (duty.who if duty else None) == who


def test_quiet_hours_end_when_the_calendar_opens_over_a_weekend_and_a_holiday(tmp_path: Path) -> None:
    config = team(tmp_path, "sqlite://", quiet=["closed"])
    friday = datetime(2026, 7, 24, 19, tzinfo=LIMA)  # the 28th and 29th of July are holidays in Peru
    assert quiet_until(config.settings, "customer_care", friday) == datetime(2026, 7, 27, 9, tzinfo=LIMA)
    monday = datetime(2026, 7, 27, 19, tzinfo=LIMA)
    assert quiet_until(config.settings, "customer_care", monday) == datetime(2026, 7, 30, 9, tzinfo=LIMA)
    assert quiet_until(config.settings, "customer_care", datetime(2026, 7, 27, 10, tzinfo=LIMA)) is None
    assert quiet_until(config.settings, "legal_regulatory", friday) is None


@settings(max_examples=60, deadline=None)
@given(minute=st.integers(0, 366 * 1440), opens=st.integers(0, 1439), long=st.integers(1, 1439))
def test_quiet_hours_hold_exactly_by_the_wall_across_clock_changes(minute: int, opens: int, long: int) -> None:
    zone = ZoneInfo("America/Santiago")
    closes = (opens + long) % 1440
    shift = f"{opens // 60:02d}:{opens % 60:02d}-{closes // 60:02d}:{closes % 60:02d}"
    calendar = {"santiago": {"timezone": "America/Santiago", "country": "CL"}}
    own = {"customer_care": {"alert": [f"mail:{CARE}"], "quiet": [shift], "calendar": "santiago"}}
    config = make_config(Path("/"), "sqlite://", departments=own, calendars=calendar)
    now = datetime(2026, 1, 1, tzinfo=UTC) + minute * MINUTE
    wall = now.astimezone(zone)
    place = (60 * wall.hour + wall.minute - opens) % 1440
    end = quiet_until(config.settings, "customer_care", now)
    changes = wall.utcoffset() != (now + timedelta(days=1)).astimezone(zone).utcoffset()
    changes = changes or wall.utcoffset() != (now - timedelta(days=1)).astimezone(zone).utcoffset()
    if not changes:
        assert (end is not None) == (place < long)
    if end is not None and not changes:
        assert end - now == timedelta(minutes=long - place)


def test_a_department_that_is_always_quiet_is_told_all_the_same(tmp_path: Path) -> None:
    config = team(tmp_path, "sqlite://", quiet=["00:00-24:00"])
    assert quiet_until(config.settings, "customer_care", NOW) is None


@pytest.mark.parametrize(
    ("care", "said"),
    [
        ({"rota": {"weekly": [{"hours": "00:00-12:00", "who": "mail:a@x.pe"}]}}, "mon 12:00: nobody is on duty"),
        ({"rota": {"weekly": [{"who": "Rosa"}]}}, "nobody knows 'Rosa'"),
        (
            {"rota": {"weekly": [
                {"who": "mail:a@x.pe"}, {"days": ["tue"], "hours": "23:00-01:00", "who": "mail:b@x.pe"},
            ]}},
            "tue 23:00: both mail:a@x.pe and mail:b@x.pe are on duty",
        ),
        ({"quiet": ["20:00-08:00"], "rota": {"weekly": [{"hours": "22:00-08:00", "who": "mail:a@x.pe"}]}}, "mon 20:00"),
        ({"rota": {"people": {"Rosa": ["slack:none"]}}}, "there is no [channels.none]"),
        (
            {"rota": {"dated": [
                {"since": "2026-05-01T00:00:00", "until": "2026-05-03T00:00:00", "who": "mail:a@x.pe"},
                {"since": "2026-05-02T00:00:00", "until": "2026-05-04T00:00:00", "who": "mail:b@x.pe"},
            ]}},
            "2026-05-02 00:00: both",
        ),
        ({"escalation": [{"after": "1 hour", "to": ["rota"]}]}, "there is none"),
        ({"escalation": [{"after": "1 hour", "to": ["mail:a@x.pe"]}, {"after": "1 hour", "to": ["log:"]}]}, "step 2"),
        ({"escalation": [{"after": "1 hour", "to": ["pigeon:a"]}]}, "there is no channel 'pigeon'"),
        ({"quiet": ["22-7"]}, "is not a shift"),
    ],
)  # fmt: skip
def test_a_rota_or_chain_that_cannot_hold_is_a_fault(tmp_path: Path, care: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as told:
        team(tmp_path, "sqlite://", **care)
    assert said in str(told.value)


# ---- the climb

CHAIN = [
    {"after": "30 minutes", "to": ["mail:lead@nitido.example"]},
    {"after": "1 hour", "to": ["mail:boss@nitido.example", "mail:lead@nitido.example"]},
]


def test_silence_climbs_step_by_step_each_once_and_ends_when_somebody_acknowledges(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = team(tmp_path, store.url, port, escalation=CHAIN)
    case_id = queue(store, config, route=make_route(priority="alert"))
    assert escalate_due(store, config, NOW + 29 * MINUTE) == 0
    assert escalate_due(store, config, NOW + 30 * MINUTE) == 1
    assert escalate_due(store, config, NOW + 31 * MINUTE) == 0
    send_due(store, config, NOW + 31 * MINUTE)
    assert inbox.recipients[-1] == "lead@nitido.example"
    assert "Nobody has acknowledged this case" in inbox.letters[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    with store.write() as connection:
        acknowledge(connection, case_id, "Ana", NOW + 40 * MINUTE)
    assert escalate_due(store, config, NOW + 5 * HOUR) == 0
    with store.read() as connection:
        told = [(one.what, one.after) for one in history(connection, case_id) if one.what == "escalated"]
        assert told == [("escalated", {"level": 1, "recipients": ["lead@nitido.example"]})]
        assert connection.scalar(sa.select(cases.c.escalated)) == 1


def test_after_a_downtime_every_step_that_fell_due_is_told_once_and_a_new_process_tells_none_again(
    store: Store, tmp_path: Path
) -> None:
    config = team(tmp_path, store.url, escalation=CHAIN)
    queue(store, config, route=make_route(priority="alert"))
    assert escalate_due(store, config, NOW + 9 * HOUR) == 2
    again = Store(store.url)
    assert escalate_due(again, config, NOW + 10 * HOUR) == 0
    again.close()
    assert [(row.level, row.recipient.partition("@")[0]) for row in rows(store)] == [
        (1, "lead"), (2, "boss"), (2, "lead"),
    ]  # fmt: skip


def test_an_important_case_climbs_in_working_hours_unless_the_step_says_otherwise(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    evening = datetime(2026, 5, 8, 17, 45, tzinfo=LIMA).astimezone(UTC)  # a Friday, a quarter before the end
    config = team(tmp_path, store.url, escalation=CHAIN)
    queue(store, config, evening)
    assert escalate_due(store, config, evening + 2 * HOUR) == 0
    assert escalate_due(store, config, datetime(2026, 5, 11, 9, 15, tzinfo=LIMA)) == 1
    always = team(tmp_path, store.url, escalation=[{**CHAIN[0], "working": False}])
    queue(store, always, evening)
    assert escalate_due(store, always, evening + 31 * MINUTE) == 1
    store.close()


@pytest.mark.parametrize("deed", ["answer", "close", "snooze", "acknowledge"])
def test_whatever_a_person_does_ends_the_climb_and_a_reopened_or_woken_case_climbs_anew(
    tmp_path: Path, deed: str
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    config = team(tmp_path, store.url, escalation=CHAIN)
    case_id = queue(store, config, route=make_route(priority="alert"))
    assert escalate_due(store, config, NOW + 30 * MINUTE) == 1
    later = NOW + 35 * MINUTE
    with store.write() as connection:
        if deed == "snooze":
            snooze(connection, case_id, "Ana", later, later + 2 * HOUR)
        else:
            {"answer": answer, "close": close, "acknowledge": acknowledge}[deed](connection, case_id, "Ana", later)  # type: ignore[operator]
    assert escalate_due(store, config, NOW + 2 * HOUR) == 0
    begins = NOW + 3 * HOUR
    with store.write() as connection:
        if deed == "snooze":
            assert wake_due(connection, config, begins) == 1
        elif deed != "acknowledge":
            join(connection, config.settings, case_id, hear(connection), "thread", "alert", begins)
        else:
            return
    assert escalate_due(store, config, begins + 29 * MINUTE) == 0
    assert escalate_due(store, config, begins + 31 * MINUTE) == 1
    assert [row.level for row in rows(store)] == [1, 1]
    store.close()


@pytest.mark.parametrize("step", ["acknowledge", "close", "snooze"])
def test_a_step_that_is_undone_neither_restarts_the_climb_nor_tells_a_step_again(tmp_path: Path, step: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    config = team(tmp_path, store.url, escalation=CHAIN)
    case_id = queue(store, config, route=make_route(priority="alert"))
    assert escalate_due(store, config, NOW + 30 * MINUTE) == 1
    later = NOW + 50 * MINUTE
    with store.write() as connection:
        (version,) = connection.scalars(sa.select(cases.c.version))
        until = later + 9 * HOUR
        done = take_all(connection, step, {case_id: version}, "Ana", later, until=lambda _: until)
        assert len(take_back(connection, done, "Ana", later + MINUTE).done) == 1
    assert escalate_due(store, config, NOW + 59 * MINUTE) == 0
    assert escalate_due(store, config, NOW + 61 * MINUTE) == 1
    assert [row.level for row in rows(store)] == [1, 2, 2]
    store.close()


def test_two_processes_tell_a_step_once(store: Store, tmp_path: Path) -> None:
    import threading

    config = team(tmp_path, store.url, escalation=CHAIN, grouping=True)
    for _ in range(6):
        queue(store, config, route=make_route(priority="alert"))
    together, told = threading.Barrier(2), []

    def work() -> None:
        together.wait()
        told.append(escalate_due(store, config, NOW + 30 * MINUTE))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(told) == 6
    assert len(rows(store)) == 6


def test_many_cases_climb_in_one_message_and_the_rota_is_told_where_the_step_names_it(
    tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    config = night_team(tmp_path, store.url, port, grouping=True, escalation=[{"after": "30 minutes", "to": ["rota"]}])
    for _ in range(4):
        queue(store, config, NIGHT, route=make_route(priority="alert"))
    escalate_due(store, config, NIGHT + 30 * MINUTE)
    send_due(store, config, NIGHT + 32 * MINUTE)
    assert inbox.recipients == ["rocio@nitido.example"] * 2
    assert "Nobody has acknowledged 4 cases" in str(inbox.letters[-1]["Subject"])
    store.close()


# ---- a colleague who is named


def test_a_colleague_whom_a_note_names_is_told_once_with_the_note(tmp_path: Path, post: Any) -> None:
    port, inbox = post
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    config = team(tmp_path, store.url, port)
    case_id = queue(store, config)
    with store.write() as connection:
        note(connection, case_id, "Ana", NOW, "@Rosa ¿puedes verlo? <b>gracias</b>")
        line = history(connection, case_id)[-1].id
        for _ in range(2):
            queue_mention(connection, config, case_id, "Rosa", "rosa@nitido.example", "Ana", line, NOW)
        queue_mention(connection, config, case_id, "Rosa", "mail:rosa@nitido.example", "Ana", line, NOW)
    send_due(store, config, NOW)
    letter = inbox.letters[inbox.recipients.index("rosa@nitido.example")]
    assert inbox.recipients.count("rosa@nitido.example") == 1
    assert letter["Subject"] == f"[Case {case_id}] Ana named you in a note · Nítido"
    text, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "¿puedes verlo? <b>gracias</b>" in text.get_content()
    assert "<b>" not in page.get_content()
    store.close()
