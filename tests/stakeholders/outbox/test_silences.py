"""Silences and inhibition: what they mute is kept with its reason, told when it may be; never what the law times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.config import parse
from listener.database import Store
from listener.errors import ConfigError
from listener.tables.alerting import Matchers
from stakeholders.alerts import muted, queue_case, send_due, told
from stakeholders.case import NotPossible, acknowledge, close, history
from stakeholders.counting.period import last_days
from stakeholders.outbox.silences import active_silences, add_silence, end_silence, preview_silence, read_silences
from stakeholders.store import alerts, cases, spikes
from tests.servers.smtp import Inbox, free_port, smtp
from tests.stakeholders.newsroom import NOW, make_config, make_route, open_one, open_store

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def post() -> Iterator[tuple[int, Inbox]]:
    port = free_port()
    with smtp(port) as inbox:
        yield port, inbox


def queue(store: Store, config: Any, at: Any = NOW, **more: Any) -> int:
    values = {name: more.pop(name) for name in ("kind", "regulatory_due_at") if name in more}
    with store.write() as connection:
        case, mention_id = open_one(connection, config, now=at, **more)
        if values:
            connection.execute(cases.update().where(cases.c.id == case.id).values(**values))
        queue_case(connection, config, case, mention_id, False, at)
    return case.id


def hush(store: Store, config: Any, hours: float = 2, start: Any = NOW, **matchers: Any) -> int:
    with store.write() as connection:
        ends = start + hours * HOUR
        made = add_silence(connection, config, "Ana Torres", "mantenimiento", Matchers(**matchers), start, ends, NOW)
    return made.id


def rows(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(sa.select(alerts).order_by(alerts.c.id)))


def states(store: Store) -> list[str]:
    return [row.state for row in rows(store)]


@pytest.mark.parametrize("grouping", [False, True])
def test_what_a_silence_mutes_is_kept_with_its_reason_and_told_when_it_ends(
    store: Store, tmp_path: Path, post: Any, grouping: bool
) -> None:
    port, inbox = post
    config = make_config(tmp_path, store.url, port, alerts={"grouping": grouping})
    hush(store, config, brand="nitido", intent="complaint")
    left, seen, shut = (queue(store, config) for _ in range(3))
    send_due(store, config, NOW + MINUTE)
    assert inbox.letters == []
    assert states(store) == ["muted"] * 3
    assert rows(store)[0].muted_by["facts"] == {
        "number": 1, "quote_author": "Ana Torres", "quote_why": "mantenimiento",
    }  # fmt: skip
    with store.write() as connection:
        acknowledge(connection, seen, "Rosa", NOW + HOUR)
        close(connection, shut, "Rosa", NOW + HOUR)
    send_due(store, config, NOW + HOUR)
    assert inbox.letters == []
    send_due(store, config, NOW + 2 * HOUR)
    send_due(store, config, NOW + 2 * HOUR + MINUTE)
    assert len(inbox.letters) == 1
    text = inbox.letters[0].get_body(("plain",))
    assert text is not None
    assert f"/case?id={left}" in text.get_content()
    assert states(store) == ["sent", "muted", "muted"]
    assert all(row.muted_by is None for row in rows(store) if row.state == "sent")
    with store.read() as connection:
        assert [one.what for one in history(connection, left)] == ["opened", "muted", "told"]
        period = last_days(3, NOW + timedelta(days=1), config.zone)
        assert (muted(connection, period), told(connection, period)) == (2, 1)


def test_ending_a_silence_by_hand_tells_what_waits(store: Store, tmp_path: Path, post: Any) -> None:
    port, inbox = post
    config = make_config(tmp_path, store.url, port)
    number = hush(store, config, brand="nitido")
    queue(store, config)
    send_due(store, config, NOW)
    with store.write() as connection:
        assert end_silence(connection, number, "Rosa", NOW + MINUTE).ended_by == "Rosa"
        with pytest.raises(NotPossible, match="ended already"):
            end_silence(connection, number, "Rosa", NOW + 2 * MINUTE)
        assert active_silences(connection, NOW + MINUTE) == []
    send_due(store, config, NOW + MINUTE)
    assert len(inbox.letters) == 1


def test_what_has_a_legal_clock_or_comes_from_a_regulator_is_silenced_only_when_named_so(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = make_config(tmp_path, store.url, port)
    hush(store, config, brand="nitido")
    queue(store, config, stakeholder="regulator")
    queue(store, config, regulatory_due_at=NOW + timedelta(days=3))
    send_due(store, config, NOW)
    assert len(inbox.letters) == 2
    hush(store, config, brand="nitido", legal=True)
    queue(store, config, stakeholder="regulator")
    send_due(store, config, NOW)
    assert len(inbox.letters) == 2


@pytest.mark.parametrize(
    ("matchers", "mutes"),
    [
        ({"query": "cobró AND NOT devolvió"}, True),
        ({"query": "apagón"}, False),
        ({"query": "cobró", "source": "y"}, False),
        ({"department": ["customer_care", "sales"], "priority": "important"}, True),
        ({"rule": "matrix", "dimension": "products_services", "source": "x"}, True),
        ({"stakeholder": "press"}, False),
        ({"rule": "other"}, False),
    ],
)
def test_matchers_must_all_hold_and_a_query_reads_the_post(
    tmp_path: Path, post: Any, matchers: dict[str, Any], mutes: bool
) -> None:
    port, _ = post
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    sources = {"x": {"kind": "file", "path": "a"}, "y": {"kind": "file", "path": "b"}}
    config = make_config(tmp_path, store.url, port, sources=sources)
    hush(store, config, **matchers)
    queue(store, config)
    with store.read() as connection:
        seen = preview_silence(connection, Matchers(**matchers), NOW)
    assert seen.cases == ((1,) if mutes else ())
    send_due(store, config, NOW)
    assert states(store) == (["muted"] if mutes else ["sent"])
    store.close()


def test_a_preview_counts_what_it_would_have_muted_and_what_it_spares(tmp_path: Path, post: Any) -> None:
    port, _ = post
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    config = make_config(tmp_path, store.url, port)
    queue(store, config)
    queue(store, config, stakeholder="regulator")
    send_due(store, config, NOW)
    with store.read() as connection:
        seen = preview_silence(connection, Matchers(brand=["nitido"]), NOW + MINUTE)
        assert (seen.cases, seen.told, seen.spared) == ((1,), 1, 1)
        assert read_silences(connection, NOW) == []
    store.close()


def test_a_silence_without_author_reason_end_or_sense_is_refused_in_words(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/escucha.db")
    config = make_config(tmp_path, store.url)
    good: dict[str, Any] = {"author": "Ana", "why": "x", "matchers": Matchers(brand=["nitido"]), "ends_at": NOW + HOUR}
    for wrong, said in (
        ({"author": " "}, "needs an author"),
        ({"why": ""}, "needs a reason"),
        ({"ends_at": NOW}, "must end after"),
        ({"ends_at": NOW + timedelta(days=8)}, "168 hours at most"),
        ({"matchers": Matchers()}, "would mean everything"),
        ({"matchers": Matchers(brand=["nítido"])}, "there is no 'nítido'"),
        ({"matchers": Matchers(query="(a")}, "cannot be silenced"),
    ):
        with store.write() as connection, pytest.raises(NotPossible, match=said):
            add_silence(connection, config, starts_at=NOW, now=NOW, **(good | wrong))
    store.close()


def test_a_crisis_speaks_for_its_single_complaints_until_it_is_over(store: Store, tmp_path: Path, post: Any) -> None:
    port, inbox = post
    config = crisis_config(tmp_path, store.url, port)
    crisis = queue(store, config, kind="crisis", route=make_route(priority="alert"))
    other = queue(store, config, kind="crisis", route=make_route(priority="alert"))
    single = queue(store, config, NOW + MINUTE)
    legal = queue(store, config, NOW + MINUTE, regulatory_due_at=NOW + timedelta(days=3))
    send_due(store, config, NOW + MINUTE)
    assert [row.state for row in rows(store)] == ["sent", "sent", "muted", "sent"], "two crises do not mute each other"
    assert rows(store)[2].muted_by["facts"]["number"] == crisis
    with store.write() as connection:
        close(connection, crisis, "Ana", NOW + HOUR)
    send_due(store, config, NOW + HOUR)
    assert len(inbox.letters) == 3
    with store.write() as connection:
        close(connection, other, "Ana", NOW + HOUR)
    send_due(store, config, NOW + HOUR)
    assert {row.case_id: row.state for row in rows(store)}[single] == "sent"
    assert legal


def crisis_config(folder: Path, url: str, port: int, **rule: Any) -> Any:
    table: dict[str, Any] = {"source": {"kind": "crisis"}, "target": {"intent": "complaint"}, "equal": ["brand"]} | rule
    base = make_config(folder, url, port)
    told = base.settings.model_dump(mode="python", exclude_unset=True)
    secret = base.settings.server.secret
    told["server"] = {"secret": secret.get_secret_value() if secret else "", "url": "http://127.0.0.1:8501"}
    return parse(told | {"inhibit": [table]}, folder, {})


def test_a_crisis_of_another_brand_or_department_speaks_for_nobody_else(
    store: Store, tmp_path: Path, post: Any
) -> None:
    port, inbox = post
    config = crisis_config(tmp_path, store.url, port, equal=["brand", "department"])
    queue(store, config, kind="crisis", route=make_route("legal_regulatory", "alert"))
    queue(store, config, NOW + MINUTE)
    send_due(store, config, NOW + MINUTE)
    assert len(inbox.letters) == 2


def test_without_a_rule_of_ones_own_a_crisis_mutes_the_outage_reports_that_are_part_of_it(
    store: Store, tmp_path: Path, post: Any
) -> None:
    from sentiment.store import verdicts

    port, inbox = post
    config = make_config(tmp_path, store.url, port)
    crisis = queue(store, config, kind="crisis", route=make_route(priority="alert"))
    inside = queue(store, config)
    hour = int(NOW.timestamp() // 3600) - 1
    spike = {"brand": "nitido", "measure": "negative", "hour": hour, "found_at": NOW, "observed": 84, "expected": 9.0}
    spike |= {"low": 5.0, "high": 22.0, "sample": 8, "cause": {}, "case_id": crisis}
    with store.write() as connection:
        connection.execute(spikes.insert().values(**spike))
        connection.execute(verdicts.update().values(intent="outage_report"))
    send_due(store, config, NOW)
    assert {row.case_id: row.state for row in rows(store)} == {crisis: "sent", inside: "muted"}
    with store.write() as connection:
        connection.execute(spikes.update().values(ended_at=NOW - timedelta(minutes=30)))
    send_due(store, config, NOW + MINUTE)
    assert len(inbox.letters) == 2, "what was said after the rise is no part of it"


def test_rules_that_mean_everything_or_nothing_are_faults(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        crisis_config(tmp_path, "sqlite://", 1025, target={}, source={"brand": "nobody"})
    said = str(told.value)
    assert "target: says nothing" in said
    assert "there is no 'nobody'" in said


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("case"), st.sampled_from(["important", "alert"])),
        st.tuples(st.just("hush"), st.sampled_from(["customer_care", "legal_regulatory"])),
        st.tuples(st.just("crisis"), st.just("")),
        st.tuples(st.just("acknowledge"), st.integers(1, 8)),
        st.tuples(st.just("close"), st.integers(1, 8)),
        st.tuples(st.just("pass"), st.integers(1, 400)),
        st.tuples(st.just("send"), st.just("")),
    ),
    min_size=3,
    max_size=14,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_message_is_both_sent_and_muted_and_each_ends_in_one_state(
    tmp_path_factory: pytest.TempPathFactory, post: Any, steps: list[Any]
) -> None:
    port, inbox = post
    inbox.letters.clear()
    folder = tmp_path_factory.mktemp("any")
    store = open_store(f"sqlite:///{folder}/escucha.db")
    base = crisis_config(folder, store.url, port)
    config = parse({**raw(base), "alerts": {"grouping": True}}, folder, {})
    now, opened = NOW, 0
    for what, part in steps:
        if what in ("case", "crisis"):
            opened += 1
            kind = {"kind": "crisis"} if what == "crisis" else {}
            queue(store, config, now, route=make_route(priority=part or "alert"), **kind)
        elif what == "hush":
            with store.write() as connection:
                add_silence(connection, config, "A", "b", Matchers(department=[part]), now, now + HOUR, now)
        elif what in ("acknowledge", "close") and part <= opened:
            with store.write() as connection, suppress(NotPossible):
                (acknowledge if what == "acknowledge" else close)(connection, part, "Ana", now)
        elif what == "pass":
            now += part * MINUTE
        elif what == "send":
            send_due(store, config, now)
    for later in (2 * HOUR, 3 * HOUR, 4 * HOUR):  # every silence is over
        send_due(store, config, now + later)
    with store.read() as connection:
        crises = sa.select(cases.c.id).where(cases.c.kind == "crisis", cases.c.status.in_(("new", "acknowledged")))
        speaks = connection.scalar(crises.limit(1)) is not None
        status = dict(connection.execute(sa.select(cases.c.id, cases.c.status)).all())
    sent = {row.key for row in rows(store) if row.state == "sent"}
    for row in rows(store):
        assert row.state in {"sent", "withdrawn", "muted"}
        assert (row.muted_by is not None) == (row.state == "muted")
        assert (row.sent_at is not None) == (row.state == "sent")
        if row.state == "muted":
            assert speaks or status[row.case_id] != "new", "muted only while something mutes it, or somebody saw to it"
    ids = {str(one)[1:].partition("@")[0] for one in inbox.ids}
    assert len(ids) == len(inbox.ids)
    assert ids <= sent
    store.close()


def raw(config: Any) -> dict[str, Any]:
    told = dict(config.settings.model_dump(mode="python", exclude_unset=True))
    told["server"] = {"secret": config.settings.server.secret.get_secret_value(), "url": "http://127.0.0.1:8501"}
    return told
