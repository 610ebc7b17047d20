"""A burst of complaints becomes one crisis: one case, one alert that tells of the rise, single alerts held back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.config import Config
from listener.database import Store
from listener.mention import Author, Page, Post
from listener.pipeline import Flow
from listener.reason import reason, to_json
from listener.store import mentions
from stakeholders.alerts import outbox_row
from stakeholders.case import close, history, read_case, record
from stakeholders.casework.seal import verify
from stakeholders.deciding.priority import RANKS
from stakeholders.desk import Desk
from stakeholders.erasure import erase
from stakeholders.inbox import Filters, read_inbox
from stakeholders.letters.caseletter import word_case
from stakeholders.letters.letter import write_letter
from stakeholders.spikes.crisis import members_of
from stakeholders.spikes.outbreak import say_cause, word_surge
from stakeholders.spikes.surge import read_surge, single_cases
from stakeholders.store import alerts, case_mentions, cases, decisions, spikes
from tests.servers.smtp import Inbox, free_port, smtp
from tests.stakeholders.spikes.test_spike import usual
from tests.stakeholders.test_desk import NOW as OFFICE
from tests.stakeholders.test_desk import Office, make_config
from tests.stakeholders.weeks import ask_every, config_of

NOW = datetime(2026, 11, 12, 20, 50, tzinfo=UTC)  # a Thursday, 15:50 in Lima
PLACES = (
    "Miraflores", "Surco", "Comas", "Ate", "Barranco", "Lince", "Breña", "Chorrillos", "San Borja", "La Molina",
)  # fmt: skip
SAID = (
    "Nítido, estoy sin señal en {place} desde hace una hora, ¿qué pasa?",
    "Otra vez se cayó el internet de Nítido en {place}, no puedo trabajar así",
    "Hay avería de Nítido por {place}, nadie de mi cuadra tiene datos",
    "En {place} el celular de Nítido no agarra línea y mi mamá está enferma",
    "Llevo la tarde sin servicio de Nítido en {place}. Pésimo.",
)  # fmt: skip


_ROUTED = {
    "stakeholder": "customer",
    "priority": "routine",
    "department": "communications",
    "rule": "matrix",
    "detail": '{"speaker": {"is": "customer", "confidence": 0.9, "because": []}}',
}


def burst(now: datetime) -> tuple[Post, ...]:
    """Write fifty complaints of fifty people within the hour before."""
    return tuple(
        Post(
            "x",
            f"b{number}",
            SAID[number % len(SAID)].format(place=PLACES[number // len(SAID)]),
            now - timedelta(minutes=1 + number * 0.8),
            Author(f"vecino{number}", f"Vecino {number}", followers=10 * number),
            url=f"https://x.example/b{number}",
            lang="es",
        )
        for number in range(50)
    )


def config_for(folder: Path, port: int) -> Config:
    return config_of(
        folder,
        departments={
            name: {"alert": [f"mail:{name}@nitido.example"]}
            for name in ("communications", "network_quality", "customer_care")
        },
        mail={"host": "127.0.0.1", "port": port, "sender": "escucha@nitido.example"},
        digest={"to": []},
    )


def crisis_of_two(office: Office) -> tuple[int, int, int]:
    """Put two posts that owe no answer of their own into a crisis; give its number and theirs."""
    said = [office.hear(f"Nítido, ¿{one}?", "neutral products_services other") for one in ("y el internet", "qué hay")]
    office.settle()
    with office.store.write() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(cases)) == 0
        row = {
            "key": "crisis:nitido:1", "brand": "nitido", "department": "network_quality", "copies": ["communications"],
            "priority": "alert", "rank": 0, "stakeholder": "customer", "status": "new", "kind": "crisis",
            "opened_at": OFFICE, "due_at": OFFICE + timedelta(hours=1), "version": 1,
        }  # fmt: skip
        number = connection.execute(cases.insert().values(**row).returning(cases.c.id)).scalar_one()
        for place, one in enumerate(said):
            how = "spike" if place else "opened"
            connection.execute(case_mentions.insert().values(mention_id=one, case_id=number, how=how))
        record(connection, number, OFFICE, "escucha", "opened", None, {"department": "network_quality"})
        told = {"parts": to_json([reason("{count} mentions since {quote_since}", count=2, quote_since="10:00")])}
        spike = {"brand": "nitido", "measure": "all", "hour": int(OFFICE.timestamp() // 3600) - 1, "found_at": OFFICE}
        spike |= {"observed": 2, "expected": 0.1, "low": 0.0, "high": 1.0, "sample": 24, "cause": told}
        connection.execute(spikes.insert().values(**spike, case_id=number))
    return number, *said


def state(store: Store, number: int) -> Any:
    (row,) = rows(store, sa.select(cases).where(cases.c.id == number))
    return row.department, row.priority, row.stakeholder, row.status, row.due_at, row.copies


def test_a_correction_of_one_post_moves_no_crisis_and_gives_the_post_a_case_of_its_own_when_it_owes_one(
    store: Store, tmp_path: Path
) -> None:
    office = Office(store, Desk(make_config(tmp_path)))
    number, first, second = crisis_of_two(office)
    before = state(store, number)
    with store.write() as connection:
        office.desk.correct(connection, second, "dimension", "workplace", "Rosa", OFFICE)
        office.desk.correct(connection, second, "relevant", "false", "Rosa", OFFICE)
        office.desk.correct(connection, second, "relevant", "true", "Rosa", OFFICE)
    assert state(store, number) == before
    with store.write() as connection:
        office.desk.correct(connection, first, "intent", "legal_threat", "Rosa", OFFICE)
    assert state(store, number) == before
    own = office.case_of(first)
    assert own is not None
    assert (own.kind, own.department) == ("case", "legal_regulatory")
    assert dict(rows(store, sa.select(case_mentions.c.mention_id, case_mentions.c.how))) == {
        first: "opened", second: "opened"
    }  # fmt: skip
    assert len(rows(store, sa.select(alerts.c.id).where(alerts.c.case_id == own.id))) >= 1, "its people are told"
    with store.read() as connection:
        lines = [(line.who, line.what) for line in history(connection, number)]
        assert (lines[-2:]) == [("Rosa", "corrected"), ("escucha", "split")]
        assert verify(connection, number) is None
    with store.write() as connection:  # the last post stays: it stands for the crisis
        office.desk.correct(connection, second, "intent", "legal_threat", "Rosa", OFFICE)
    assert state(store, number) == before
    assert office.case_of(second) is not None
    assert office.case_of(second).id == number  # type: ignore[union-attr]


def test_a_crisis_whose_last_post_is_removed_goes_on(store: Store, tmp_path: Path) -> None:
    office = Office(store, Desk(make_config(tmp_path)))
    number, *_ = crisis_of_two(office)
    with store.write() as connection:
        erase(connection, "x", ["p1", "p2"], "deleted", OFFICE)
        case = read_case(connection, number)
    assert case is not None
    assert (case.status, case.mentions) == ("new", 0)
    assert [one.sentence for one in case.reasons] == ["{count} mentions since {quote_since}"]


def test_the_letter_of_a_crisis_leaves_the_house_masked_and_words_every_language(store: Store, tmp_path: Path) -> None:
    office = Office(store, Desk(make_config(tmp_path)))
    number, first, _ = crisis_of_two(office)
    said = office.file("Nítido sin señal, soy @ana.ruiz", "negative products_services outage_report", at=OFFICE)
    assert said is not None
    inside = outbox_row("case.1", "case", "mail", "noc@nitido.example", reason("x"), OFFICE) | {"case_id": number}
    outside = inside | {"key": "copy.1", "kind": "copy", "recipient": "agencia@otra.example"}
    with store.write() as connection:
        for row in (inside, outside):
            connection.execute(alerts.insert().values(**row | {"payload": {"mention_id": first}}))
        config = make_config(tmp_path, mail={"sender": "escucha@nitido.example"})
        sent = connection.execute(sa.select(alerts).where(alerts.c.case_id == number).order_by(alerts.c.id)).all()
        letter, copy = (write_letter(connection, config, row, OFFICE) for row in sent)
        worded = [word_case(connection, config, sent[0], OFFICE, lang)[1]["rows"] for lang in ("en", "es", "pt")]
    assert "@ana.ruiz" in letter.text
    assert "ana.ruiz" not in f"{copy.text}{copy.html}{copy.lines}"
    assert "/api/acknowledge/" in letter.text
    assert "/api/acknowledge/" not in copy.text
    assert f"/case?id={said.id}" in letter.text, "its single cases are named"
    assert len({len(one) for one in worded}) == 1


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    port = free_port()
    with smtp(port) as opened:
        yield opened, port


def quiet_weeks(store: Store, now: datetime) -> None:
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=1), now - timedelta(weeks=4), now + timedelta(days=1))
        usual(connection, weeks=4, rate=3, until=now - timedelta(hours=1))
        m = mentions.c
        said = sa.select(m.id, m.published_at, m.brand, m.kind, m.hour, *map(sa.literal, _ROUTED.values()))
        into = ("mention_id", "at", "brand", "kind", "hour", *_ROUTED)
        connection.execute(decisions.insert().from_select(into, said))


def heard(store: Store, config: Config, now: datetime) -> Flow:
    """Let a burst run through every stage of the flow."""
    quiet_weeks(store, now)
    flow = Flow(config, store)
    with store.write() as connection:
        flow.save(connection, "x", Page(burst(now)), now)
    flow.cycle(now)
    return flow


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def rows(store: Store, query: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(query))


def test_a_burst_is_one_spike_one_crisis_and_one_alert_and_the_single_alerts_wait_for_its_end(
    store: Store, tmp_path: Path, inbox: tuple[Inbox, int]
) -> None:
    box, port = inbox
    config = config_for(tmp_path, port)
    flow = heard(store, config, NOW)
    flow.cycle(NOW + timedelta(minutes=2))

    # One rise, counted in both measures, and one crisis case of it.
    found = rows(store, sa.select(spikes))
    assert {row.measure for row in found} <= {"all", "negative"}
    assert len({row.hour for row in found}) == 1
    (crisis,) = rows(store, sa.select(cases).where(cases.c.kind == "crisis"))
    assert {row.case_id for row in found} == {crisis.id}
    assert (crisis.priority, crisis.status) == ("alert", "new")
    with store.read() as connection:
        members, surge, case = (
            members_of(connection, crisis.id), read_surge(connection, crisis.id), read_case(connection, crisis.id)
        )  # fmt: skip
    assert members is not None
    assert surge is not None
    assert case is not None
    assert members.harmful >= 40
    assert case.reasons == surge.because
    with store.read() as connection:
        listed = {row.case.kind: row.case.reasons for row in read_inbox(connection, Filters(), NOW).rows}
    assert listed == {"crisis": surge.because, "case": ()}
    with store.read() as connection:
        first = single_cases(connection, members, 3)
    assert [one.id for one in first] == [one.id for one in sorted(first, key=lambda one: RANKS[one.priority])]
    assert {one.id for one in first} <= set(members.cases)

    # Its letter tells of the rise: how many, the range, since when, why, who is in it.
    to_answer = [one for one in box.letters if one["To"] == f"{crisis.department}@nitido.example"]
    told = [one for one in to_answer if "Crisis" in str(one["Subject"])]
    assert len(told) == 1, "one alert, once"
    words = " ".join(text_of(told[0]).split())
    assert say_cause(surge.because[:1], "es") in words
    for _, value in word_surge(surge, "es", config.zone, NOW, drivers=False):
        assert value in words
    assert f"/case?id={crisis.id}" in words

    # The outage complaints that it explains are held back, with the reason, and are members of it.
    outages = sa.select(alerts.c.id, alerts.c.state, alerts.c.case_id, alerts.c.muted_by).where(
        alerts.c.kind == "case", alerts.c.case_id != crisis.id
    )
    muted = [row for row in rows(store, outages) if row.state == "muted"]
    assert muted
    assert {row.muted_by["facts"]["number"] for row in muted} == {crisis.id}
    assert {row.case_id for row in muted} <= set(members.cases)
    letters = len(box.letters)
    flow.cycle(NOW + timedelta(minutes=10))
    assert len(box.letters) == letters, "nothing is told twice while it is open"

    # It ends with them open: now they are told.
    with store.write() as connection:
        close(connection, crisis.id, "Rosa", NOW + timedelta(minutes=20))
    flow.cycle(NOW + timedelta(minutes=21))
    flow.cycle(NOW + timedelta(minutes=27))
    after = {row.id: row.state for row in rows(store, outages)}
    assert {after[row.id] for row in muted} == {"sent"}
    assert len(box.letters) > letters
    assert len(rows(store, sa.select(cases.c.id).where(cases.c.kind == "crisis"))) == 1
