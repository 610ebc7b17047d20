"""The outbox: queued with its cause, told once, sent then marked, waiting while a server is away."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.store import runs
from stakeholders.alerts import Sent, queue_case, queue_source, send_due
from stakeholders.case import close, history, join
from stakeholders.store import alerts
from tests.servers.smtp import Inbox, free_port, smtp
from tests.stakeholders.newsroom import NOW, hear, make_config, make_route, open_one


@pytest.fixture
def port() -> int:
    return free_port()


def rows(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(sa.select(alerts).order_by(alerts.c.id)))


def queue(store: Store, config: Any, **more: Any) -> Any:
    with store.write() as connection:
        case, mention_id = open_one(connection, config, **more)
        queue_case(connection, config, case, mention_id, False, NOW)
    return case


def test_the_department_is_told_and_those_copied_hear_for_information(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)
    queue(store, config, route=make_route("legal_regulatory", "alert", ("communications",)))
    assert [(row.kind, row.recipient, row.state, row.tries) for row in rows(store)] == [
        ("case", "legal_regulatory@nitido.example", "pending", 0),
        ("copy", "communications@nitido.example", "pending", 0),
    ]


def test_copies_can_be_switched_off(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url, alerts={"copies": False})
    queue(store, config, route=make_route("legal_regulatory", "alert", ("communications",)))
    assert [row.kind for row in rows(store)] == ["case"]


def test_a_department_without_address_is_answered_for_by_communications_and_the_reason_says_so(
    store: Store, tmp_path: Path
) -> None:
    config = make_config(tmp_path, store.url)
    queue(store, config, route=make_route("investor_relations", "alert"))
    (row,) = rows(store)
    assert row.recipient == "communications@nitido.example"
    assert row.department == "investor_relations"
    assert row.reason["sentence"] == "{department} has no address for alerts, so {other} is told"


def test_one_address_of_two_departments_is_told_once(store: Store, tmp_path: Path) -> None:
    same = {"alert": ["mail:Team@nitido.example"]}
    departments = {"legal_regulatory": same, "communications": {"alert": ["mail:team@nitido.example"]}}
    config = make_config(tmp_path, store.url, departments=departments)
    queue(store, config, route=make_route("legal_regulatory", "alert", ("communications",)))
    assert [row.kind for row in rows(store)] == ["case"]


def test_the_same_cause_never_queues_twice_and_a_joined_mention_is_silent(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)
    case = queue(store, config)
    with store.write() as connection:
        other = hear(connection)
        joined = join(connection, config.settings, case.id, other, "thread", "important", NOW)
        assert queue_case(connection, config, joined, other, True, NOW) == 0
        assert queue_case(connection, config, joined, other, True, NOW) == 0
    assert len(rows(store)) == 1


def test_a_case_that_becomes_more_urgent_is_told_again_once_and_never_for_less(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)
    case = queue(store, config)
    with store.write() as connection:
        other = hear(connection)
        risen = join(connection, config.settings, case.id, other, "thread", "alert", NOW)
        assert queue_case(connection, config, risen, other, True, NOW) == 1
        assert queue_case(connection, config, risen, other, True, NOW) == 0
        assert queue_case(connection, config, replace(risen, priority="important"), other, True, NOW) == 0
        assert queue_case(connection, config, replace(risen, priority="routine"), other, False, NOW) == 0
    assert "more urgent" in rows(store)[-1].reason["sentence"]


def test_a_case_opened_again_is_told_again_once(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)
    case = queue(store, config)
    with store.write() as connection:
        close(connection, case.id, "Ana", NOW)
        other = hear(connection)
        again = join(connection, config.settings, case.id, other, "thread", "important", NOW)
        assert queue_case(connection, config, again, other, True, NOW) == 1
        assert queue_case(connection, config, again, other, True, NOW) == 0
    assert rows(store)[-1].reason["sentence"] == "the case was opened again"


def test_a_copied_department_that_now_owes_the_answer_is_told_so(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)
    case = queue(store, config, route=make_route("legal_regulatory", "alert", ("communications",)))
    with store.write() as connection:
        moved = replace(case, department="communications", copies=("legal_regulatory",))
        assert queue_case(connection, config, moved, 1, False, NOW) == 1
    assert [(row.kind, row.recipient.partition("@")[0]) for row in rows(store)][-1] == ("case", "communications")


def test_a_rollback_takes_the_alert_with_its_cause(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)

    def fail_half_way() -> None:
        with store.write() as connection:
            case, mention_id = open_one(connection, config)
            queue_case(connection, config, case, mention_id, False, NOW)
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert rows(store) == []


def test_a_failing_source_is_told_once_an_outage(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)

    def run(minutes: int, outcome: str) -> int:
        with store.write() as connection:
            at = NOW + timedelta(minutes=minutes)
            connection.execute(runs.insert().values(source="feeds", started_at=at, outcome=outcome))
            if outcome == "ok":
                return 0
            return queue_source(connection, config, "feeds", outcome, "GET failed, key=canary-secret", at)

    told = [run(n, outcome) for n, outcome in enumerate(["ok", "unreachable", "unreadable", "ok", "unreachable"])]
    assert told == [0, 1, 0, 0, 1]
    assert "canary-secret" not in str([row.payload for row in rows(store)])


def test_what_is_due_is_sent_marked_and_written_into_the_history(store: Store, tmp_path: Path, port: int) -> None:
    config = make_config(tmp_path, store.url, port)
    case = queue(store, config, route=make_route("legal_regulatory", "alert", ("communications",)))
    steps: list[str] = []
    with smtp(port) as inbox:
        assert send_due(store, config, NOW, steps.append) == Sent(2, 0, 0)
        assert send_due(store, config, NOW) == Sent(0, 0, 0)
    assert inbox.recipients == ["legal_regulatory@nitido.example", "communications@nitido.example"]
    assert inbox.sessions == 1
    assert steps == ["mail claimed", *["mail sent", "mail marked"] * 2]
    assert [(row.state, row.sent_at, row.error) for row in rows(store)] == [("sent", NOW, None)] * 2
    with store.read() as connection:
        told = [event for event in history(connection, case.id) if event.what == "told"]
    assert [(event.who, event.after) for event in told] == [
        ("escucha", {"recipient": "legal_regulatory@nitido.example", "kind": "case"}),
        ("escucha", {"recipient": "communications@nitido.example", "kind": "copy"}),
    ]


def test_while_the_server_is_dead_all_wait_and_go_out_once_when_it_is_back(
    store: Store, tmp_path: Path, port: int
) -> None:
    config = make_config(tmp_path, store.url, port)
    for _ in range(3):
        queue(store, config)
    assert send_due(store, config, NOW) == Sent(0, 3, 0)
    waiting = rows(store)
    assert [row.tries for row in waiting] == [1, 0, 0]  # one was tried, the others were not
    assert all(row.error and NOW < row.next_try <= NOW + timedelta(minutes=2) for row in waiting)
    assert send_due(store, config, NOW) == Sent(0, 3, 0)
    assert [row.tries for row in rows(store)] == [1, 0, 0]  # nothing is due yet
    with smtp(port) as inbox:
        later = NOW + timedelta(minutes=2)
        assert send_due(store, config, later) == Sent(3, 0, 0)
        assert send_due(store, config, later) == Sent(0, 0, 0)
    assert len(inbox.letters) == len(set(inbox.ids)) == 3


def test_the_wait_doubles_up_to_an_hour_and_is_the_same_for_the_same_history(
    store: Store, tmp_path: Path, port: int
) -> None:
    config = make_config(tmp_path, store.url, port)
    queue(store, config)
    now, waits = NOW, []
    for _ in range(12):
        send_due(store, config, now)
        (row,) = rows(store)
        waits.append(row.next_try - now)
        now = row.next_try
    assert row.tries == 12
    for tried, wait in enumerate(waits):
        assert timedelta(seconds=1) <= wait <= min(timedelta(minutes=2) * 2**tried, timedelta(hours=1))
    assert max(waits) > timedelta(minutes=10)


def test_a_recipient_that_cannot_take_it_now_waits_and_the_others_go_out(
    store: Store, tmp_path: Path, port: int
) -> None:
    config = make_config(tmp_path, store.url, port)
    queue(store, config, route=make_route("legal_regulatory", "alert", ("communications",)))
    with smtp(port) as inbox:
        inbox.refuse["legal_regulatory@nitido.example"] = "451 4.7.1 greylisted"
        assert send_due(store, config, NOW) == Sent(1, 1, 0)
        inbox.refuse.clear()
        assert send_due(store, config, NOW + timedelta(minutes=2)) == Sent(1, 0, 0)
    assert len(inbox.letters) == 2


def test_a_refused_recipient_stays_visible_and_is_not_tried_again(store: Store, tmp_path: Path, port: int) -> None:
    config = make_config(tmp_path, store.url, port)
    queue(store, config)
    with smtp(port) as inbox:
        inbox.refuse["customer_care@nitido.example"] = "550 5.1.1 no such user"
        assert send_due(store, config, NOW) == Sent(0, 0, 1)
        inbox.refuse.clear()
        assert send_due(store, config, NOW + timedelta(days=1)) == Sent(0, 0, 0)
    (row,) = rows(store)
    assert (row.state, row.tries, row.sent_at) == ("refused", 1, None)
    assert "550 5.1.1 no such user" in row.error


def test_a_line_that_breaks_after_the_letter_gives_one_repeat_with_the_same_message_id(
    store: Store, tmp_path: Path, port: int
) -> None:
    config = make_config(tmp_path, store.url, port)
    for _ in range(3):
        queue(store, config)
    with smtp(port) as inbox:
        inbox.data = ["250 OK", "abort"]
        assert send_due(store, config, NOW) == Sent(2, 1, 0)
        assert send_due(store, config, NOW + timedelta(minutes=2)) == Sent(1, 0, 0)
    assert len(inbox.ids) == 4
    assert len(set(inbox.ids)) == 3


class Killed(BaseException):
    """Stand for SIGKILL: nothing of ours may catch it."""


@pytest.mark.parametrize(("at", "repeats"), [("mail claimed", 0), ("mail sent", 1), ("mail marked", 0)])
def test_killed_anywhere_nothing_is_lost_and_only_the_unmarked_repeats(
    store: Store, tmp_path: Path, port: int, at: str, repeats: int
) -> None:
    config = make_config(tmp_path, store.url, port)
    for _ in range(4):
        queue(store, config)

    def kill(name: str) -> None:
        if name == at:
            raise Killed

    with smtp(port) as inbox:
        with pytest.raises(Killed):
            send_due(store, config, NOW, kill)
        # What the killed sender held is due again when its claim ends, not before.
        assert send_due(store, config, NOW + timedelta(minutes=4)).sent == 0
        send_due(store, config, NOW + timedelta(minutes=6))
    assert len(set(inbox.ids)) == 4
    assert len(inbox.ids) == 4 + repeats


def test_two_senders_at_once_double_nothing(store: Store, tmp_path: Path, port: int) -> None:
    config = make_config(tmp_path, store.url, port)
    for _ in range(60):
        queue(store, config)
    together = threading.Barrier(2)
    sent: list[Sent] = []

    def work() -> None:
        together.wait()
        sent.append(send_due(store, config, NOW))

    with smtp(port) as inbox:
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(one.sent for one in sent) == 60
    assert len(inbox.ids) == len(set(inbox.ids)) == 60


@pytest.mark.slow
def test_a_thousand_alerts_are_a_thousand_mails(store: Store, tmp_path: Path, port: int) -> None:
    config = make_config(tmp_path, store.url, port)
    with store.write() as connection:
        case, mention_id = open_one(connection, config)
        queue_case(connection, config, case, mention_id, False, NOW)
        (row,) = connection.execute(sa.select(alerts)).mappings()
        more = [{**row, "id": 1000 + n, "key": f"{row['key']}.{n}", "recipient": f"u{n}@x.example"} for n in range(999)]
        connection.execute(alerts.insert(), more)
    with smtp(port) as inbox:
        rounds = [send_due(store, config, NOW).sent for _ in range(6)]
    assert rounds == [200, 200, 200, 200, 200, 0]
    assert len(set(inbox.ids)) == len(inbox.ids) == 1000


def test_a_letter_that_cannot_be_written_does_not_hold_up_the_others(
    store: Store, tmp_path: Path, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(tmp_path, store.url, port)
    queue(store, config)
    queue(store, config)
    with store.write() as connection:
        connection.execute(alerts.update().where(alerts.c.id == rows(store)[0].id).values(kind="digest", payload={}))
    with smtp(port) as inbox:
        assert send_due(store, config, NOW) == Sent(1, 1, 0)
    assert len(inbox.letters) == 1
    assert "cannot be written" in rows(store)[0].error


def test_an_unknown_channel_is_refused_and_said(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)
    queue(store, config)
    with store.write() as connection:
        connection.execute(alerts.update().values(channel="pigeon"))
    assert send_due(store, config, NOW) == Sent(0, 0, 1)
    assert "there is no channel 'pigeon'" in rows(store)[0].error


def test_no_log_line_holds_a_post_an_address_or_a_secret(
    store: Store, tmp_path: Path, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    config = make_config(tmp_path, store.url, port)
    queue(store, config)
    with caplog.at_level("DEBUG", logger="escucha"), smtp(port):
        send_due(store, config, NOW)
    assert "1 sent" in caplog.text
    for canary in ("cobró", "nitido.example", "a-secret", "Ana"):
        assert canary not in caplog.text


def test_the_oldest_goes_first(store: Store, tmp_path: Path, port: int) -> None:
    config = make_config(tmp_path, store.url, port)

    def at(moment: datetime, department: str) -> None:
        with store.write() as connection:
            case, mention_id = open_one(connection, config, make_route(department))
            queue_case(connection, config, case, mention_id, False, moment)

    at(NOW, "customer_care")
    at(NOW - timedelta(minutes=1), "legal_regulatory")
    inbox = Inbox()
    with smtp(port, inbox):
        send_due(store, config, NOW, limit=1)
    assert inbox.recipients == ["legal_regulatory@nitido.example"]


def test_a_chat_is_told_by_when_why_and_where_to_press_and_a_strangers_words_only_inside() -> None:
    from stakeholders.letters.chat import spoken

    told = {
        "chip": "Alert",
        "crumbs": "Nítido · regulator",
        "headline": "Answer before 15:00",
        "subline": "Legal",
        "quote": {"lines": ["call 999 888 777", "words"]},
        "lists": [("Why", ["one", "two", "three"]), ("Else", ["four"])],
        "button": {"url": "https://e.example/ack", "label": "Acknowledge"},
        "link": ("https://e.example/case", "Open the case"),
    }
    shown = spoken(told, internal=False)
    assert shown["title"] == "Alert · Nítido · regulator"
    assert shown["lines"] == ("Answer before 15:00", "Legal", "one", "two")
    assert shown["links"] == (("Acknowledge", "https://e.example/ack"), ("Open the case", "https://e.example/case"))
    assert "words" in shown["quote"]
    assert "888" not in shown["quote"]
    assert spoken(told, internal=True)["quote"] == "call 999 888 777\nwords"
