"""Groups: one message for a burst, updates by the interval, an alert never behind the rest, nothing lost or mixed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.database import Store
from listener.pipeline import Flow
from listener.store import mentions
from sentiment.verdict import Label, Verdict
from stakeholders.alerts import Sent, queue_case, send_due
from stakeholders.case import acknowledge, close, history
from stakeholders.store import alert_groups, alerts, cases
from tests.servers.smtp import Inbox, free_port, smtp
from tests.stakeholders.newsroom import NOW, hear, make_config, make_route, open_one, open_store

CARE = "customer_care@nitido.example"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def post() -> Iterator[tuple[int, Inbox]]:
    port = free_port()
    with smtp(port) as inbox:
        yield port, inbox


def grouped(folder: Path, url: str, port: int = 1025, **more: Any) -> Any:
    alerts_table = {"grouping": True} | more.pop("alerts", {})
    return make_config(folder, url, port, alerts=alerts_table, **more)


def queue(store: Store, config: Any, at: Any = NOW, many: int = 1, **more: Any) -> list[int]:
    found = []
    with store.write() as connection:
        for _ in range(many):
            case, mention_id = open_one(connection, config, now=at, **more)
            queue_case(connection, config, case, mention_id, False, at)
            found.append(case.id)
    return found


def states(store: Store) -> dict[str, int]:
    with store.read() as connection:
        return dict(connection.execute(sa.select(alerts.c.state, sa.func.count()).group_by(alerts.c.state)).all())


def subjects(inbox: Inbox) -> list[str]:
    return [str(letter["Subject"]) for letter in inbox.letters]


class Judge:
    """Stand for the engine: every post is the same complaint."""

    def judge(self, items: Any) -> list[Verdict]:
        told = (Label("true", 1.0), Label("negative", 0.9), Label("products_services", 0.8), Label("complaint", 0.9))
        return [Verdict(*told, "test") for _ in items]


def test_a_burst_of_a_thousand_mentions_is_one_message_and_the_updates_that_are_configured(
    store: Store, tmp_path: Path, post: tuple[int, Inbox]
) -> None:
    """Real stages: judged, decided, filed and sent every five seconds while a thousand posts come in a minute."""
    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    flow = Flow(config, store)
    flow.__dict__["classifier"] = Judge()
    heard = 0
    for tick in range(12):
        at = NOW + tick * 5 * SECOND
        save_many(store, heard, 84 if tick < 11 else 76, at)
        heard += 84 if tick < 11 else 76
        flow.classify(at)
        flow.route(at)
        flow.send(at)
    with store.read() as connection:
        opened = connection.scalar(sa.select(sa.func.count()).select_from(cases)) or 0
        queued = connection.scalar(sa.select(sa.func.count()).where(alerts.c.kind == "case")) or 0
        assert connection.scalar(sa.select(sa.func.count()).select_from(mentions)) == 1000
    assert opened == queued == 1000
    assert len(inbox.letters) == 1, "exactly one within the burst"
    for minute in range(1, 20):
        flow.send(NOW + minute * MINUTE)
    assert len(inbox.letters) == 2, "and the rest in one update after the interval"
    assert states(store) == {"sent": 1002}
    told = [int(subject.split("] ")[1].split(" ")[0]) for subject in subjects(inbox)]
    assert sum(told) == 1000
    with store.read() as connection:
        case_id = connection.scalar(sa.select(sa.func.max(cases.c.id))) or 0
        assert [one.what for one in history(connection, case_id)] == ["opened", "told"]


def save_many(store: Store, first: int, many: int, at: Any) -> None:
    """Store posts that say different things of one brand, as a source does."""
    from listener.intake import save_page
    from listener.mention import Author, Mention, Post, Term

    posts = [
        Post(
            "x", f"burst-{number}", f"Nítido {number:04d} {(number * 7919) % 9973:04d} {(number * 104729) % 99991:05d}",
            at, Author(f"u{number}", f"User {number}"), url=f"https://x.example/{number}", lang="es",
        )
        for number in range(first, first + many)
    ]  # fmt: skip
    heard = [Mention(one, "nitido", "own", (Term(0, 6, "Nítido"),)) for one in posts]
    with store.write() as connection:
        save_page(connection, "x", posts, heard, [], None, at)


def test_one_case_alone_is_its_own_letter_after_the_wait(store: Store, tmp_path: Path, post: Any) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    queue(store, config)
    assert send_due(store, config, NOW + 29 * SECOND) == Sent(0, 1, 0)
    assert send_due(store, config, NOW + 30 * SECOND) == Sent(1, 0, 0)
    assert subjects(inbox)[0].startswith("[Important] Nítido · customer · ")


def test_a_group_letter_counts_shows_the_most_urgent_with_links_and_says_how_many_more(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    queue(store, config, many=12)
    (urgent,) = queue(store, config, NOW + SECOND, route=make_route(priority="alert"), text="Nítido: <b>ojo</b>")
    assert send_due(store, config, NOW + 30 * SECOND) == Sent(1, 0, 0)
    (letter,) = inbox.letters
    assert letter["Subject"].startswith("[Alert] 13 cases need Customer care · Nítido — the first before")
    text, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert page is not None
    said, html = text.get_content(), page.get_content()
    assert said.index(f"/case?id={urgent}") < said.index("/case?id=1\r\n")
    assert said.count("/api/acknowledge/") == html.count("/api/acknowledge/") == 10
    assert "And 3 more" in said
    assert "&lt;b&gt;ojo" in html
    assert "<b>" not in html
    assert "/?department=customer_care&brand=nitido" in said


def test_an_alert_does_not_wait_behind_a_message_that_told_of_nothing_urgent_and_a_second_one_does(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    queue(store, config)
    send_due(store, config, NOW + 30 * SECOND)
    queue(store, config, NOW + 40 * SECOND)
    assert send_due(store, config, NOW + 71 * SECOND).sent == 0, "an important case waits for the interval"
    queue(store, config, NOW + 50 * SECOND, route=make_route(priority="alert"))
    assert send_due(store, config, NOW + 80 * SECOND).sent == 1, "an alert is told within its wait, with what waits"
    assert len(inbox.letters) == 2
    queue(store, config, NOW + 90 * SECOND, route=make_route(priority="alert"))
    assert send_due(store, config, NOW + 130 * SECOND).sent == 0, "the next alert is an update"
    assert send_due(store, config, NOW + 381 * SECOND).sent == 1


def test_cases_of_different_labels_and_readers_never_share_a_message(store: Store, tmp_path: Path, post: Any) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port, alerts={"group_by": ["stakeholder"]})
    for who in ("customer", "press", "customer"):
        queue(store, config, stakeholder=who, route=make_route("customer_care", "alert", ("communications",)))
    send_due(store, config, NOW + MINUTE)
    assert sorted(inbox.recipients) == [
        "communications@nitido.example", "communications@nitido.example", CARE, CARE,
    ]  # fmt: skip


def test_a_message_that_is_frozen_keeps_its_key_and_its_cases_whatever_comes_meanwhile(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    queue(store, config, many=3)

    class Killed(BaseException):
        pass

    def kill(name: str) -> None:
        if name == "mail sent":
            raise Killed

    with pytest.raises(Killed):
        send_due(store, config, NOW + MINUTE, kill)
    queue(store, config, NOW + 2 * MINUTE, many=2)
    send_due(store, config, NOW + 3 * MINUTE)
    later = NOW + 7 * MINUTE
    send_due(store, config, later)
    assert len(inbox.ids) == 3
    assert inbox.ids.count(inbox.ids[0]) == 2, "the killed one went out once more, under the same key"
    assert sorted(subject.split(" cases")[0][-1] for subject in subjects(inbox)) == ["2", "3", "3"]
    assert states(store) == {"sent": 7}


@pytest.mark.parametrize("at", ["group sealed", "mail claimed"])
def test_killed_between_the_steps_of_a_group_nothing_is_lost_or_twice(
    store: Store, tmp_path: Path, post: Any, at: str
) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    queue(store, config, many=3)

    class Killed(BaseException):
        pass

    def kill(name: str) -> None:
        if name == at:
            raise Killed

    with pytest.raises(Killed):
        send_due(store, config, NOW + MINUTE, kill)
    send_due(store, config, NOW + 10 * MINUTE)
    assert len(inbox.ids) == 1
    assert states(store) == {"sent": 4}


def test_a_refused_group_refuses_its_cases_and_says_why(store: Store, tmp_path: Path, post: Any) -> None:
    port, inbox = post
    inbox.refuse[CARE] = "550 5.1.1 no such user"
    config = grouped(tmp_path, store.url, port)
    queue(store, config, many=3)
    assert send_due(store, config, NOW + MINUTE) == Sent(0, 0, 1)
    assert states(store) == {"refused": 4}


def test_what_somebody_saw_to_before_the_message_goes_is_left_out_of_it(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    first, second, third = queue(store, config, many=3)
    with store.write() as connection:
        acknowledge(connection, first, "Ana", NOW + SECOND)
        close(connection, second, "Ana", NOW + SECOND)
    assert send_due(store, config, NOW + MINUTE) == Sent(1, 0, 0)
    assert states(store) == {"sent": 1, "withdrawn": 2}
    assert "/case?id=" + str(third) in str(inbox.letters[0].get_body(("plain",)))


def test_what_nobody_acknowledged_is_repeated_after_the_interval_and_what_somebody_did_is_not(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port, alerts={"repeat_interval": "4 hours"})
    first, *_ = queue(store, config, many=3)
    send_due(store, config, NOW + MINUTE)
    assert send_due(store, config, NOW + timedelta(hours=4)).sent == 0
    with store.write() as connection:
        acknowledge(connection, first, "Ana", NOW + timedelta(hours=1))
    assert send_due(store, config, NOW + timedelta(hours=4, minutes=2)).sent == 1
    assert send_due(store, config, NOW + timedelta(hours=5)).sent == 0
    assert "2 cases still wait" in subjects(inbox)[1]
    with store.write() as connection:
        connection.execute(cases.update().values(status="closed"))
    assert send_due(store, config, NOW + timedelta(hours=9)).sent == 0
    assert len(set(inbox.ids)) == 2


def test_a_group_without_news_is_forgotten_and_the_next_message_has_another_key(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    queue(store, config, many=2)
    send_due(store, config, NOW + MINUTE)
    later = NOW + timedelta(days=2)
    send_due(store, config, later)
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(alert_groups)) == 0
    queue(store, config, later, many=2)
    send_due(store, config, later + MINUTE)
    assert len(set(inbox.ids)) == 2


def test_two_senders_at_once_tell_each_group_once(store: Store, tmp_path: Path, post: Any) -> None:
    import threading

    port, inbox = post
    config = grouped(tmp_path, store.url, port)
    for department in ("customer_care", "legal_regulatory", "communications", "human_resources"):
        queue(store, config, many=3, route=make_route(department))
    together = threading.Barrier(2)

    def work() -> None:
        together.wait()
        send_due(store, config, NOW + MINUTE)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(inbox.ids) == len(set(inbox.ids)) == 4
    assert states(store) == {"sent": 16}


def test_a_case_that_rises_while_its_group_waits_is_told_once(tmp_path: Path, post: Any) -> None:
    from stakeholders.case import join

    port, inbox = post
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    config = grouped(tmp_path, store.url, port)
    (case_id,) = queue(store, config)
    with store.write() as connection:
        other = hear(connection)
        risen = join(connection, config.settings, case_id, other, "thread", "alert", NOW)
        assert queue_case(connection, config, risen, other, True, NOW) == 1
    send_due(store, config, NOW + MINUTE)
    assert states(store) == {"sent": 1, "withdrawn": 1}
    assert subjects(inbox)[0].startswith("[Alert]")
    store.close()


def schedule(arrivals: list[int]) -> list[int]:
    """Tell by hand when messages of important cases go: half a minute after the first, then five minutes apart."""
    flushes: list[int] = []
    for arrival in sorted(arrivals):
        if flushes and arrival <= flushes[-1]:
            continue  # the flush that is ahead takes it along
        flushes.append(max(arrival + 30, flushes[-1] + 300) if flushes else arrival + 30)
    return flushes


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=st.lists(st.integers(0, 1500), min_size=1, max_size=8))
def test_messages_go_exactly_when_the_schedule_says(
    tmp_path_factory: pytest.TempPathFactory, post: Any, arrivals: list[int]
) -> None:
    port, inbox = post
    inbox.letters.clear()
    folder = tmp_path_factory.mktemp("any")
    store = open_store(f"sqlite:///{folder}/escucha.db")
    config = grouped(folder, store.url, port)
    waiting, told = sorted(arrivals), 0
    for flush in schedule(arrivals):
        while waiting and waiting[0] <= flush:
            queue(store, config, NOW + waiting.pop(0) * SECOND)
        assert send_due(store, config, NOW + (flush - 1) * SECOND).sent == 0
        assert send_due(store, config, NOW + flush * SECOND).sent == 1
        told += 1
    assert len(inbox.ids) == len(set(inbox.ids)) == told
    assert "pending" not in states(store)
    store.close()
