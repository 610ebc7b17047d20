"""Scope: a view limited to departments reads what a database without the others' rows would give, and nothing else."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store, metadata
from listener.errors import StoreError
from listener.query.parse import parse
from listener.query.search import search
from listener.store import authors, mentions, posts, quarantine
from sentiment.store import verdicts
from stakeholders import inbox, insight
from stakeholders.case import NotPossible, acknowledge, note
from stakeholders.casework import dossier
from stakeholders.counting import response, volume, workload
from stakeholders.counting.counts import honest_counts
from stakeholders.counting.crosstab import count_cells
from stakeholders.counting.period import Period
from stakeholders.lists import facet, postlist
from stakeholders.lists.wanted import Wanted
from stakeholders.scope import OPEN_TABLES, NotVisible, Scope, limit
from stakeholders.store import alerts, case_mentions, cases, decisions, events
from tests.stakeholders.weeks import open_case, reject, say

START = datetime(2026, 5, 4, 5, tzinfo=UTC)
END = START + timedelta(days=7)
PERIOD = Period(START, END, ZoneInfo("America/Lima"))
WEEK = Wanted(since=date(2026, 5, 4), until=date(2026, 5, 10), brand="nitido")
JUDGED = {"relevant": "true", "sentiment": "negative", "dimension": "innovation", "intent": "complaint"}
DEPARTMENTS = ("customer_care", "sales", "legal_regulatory")


def fill(connection: Connection, seed: int = 7) -> None:
    """Write a week of three departments: mentions, decisions, cases with copies, histories and letters."""
    draw = random.Random(seed)
    for number in range(60):
        at = START + timedelta(hours=draw.randrange(150), minutes=draw.randrange(60))
        department = draw.choice(DEPARTMENTS)
        made = [
            say(
                connection,
                at + timedelta(minutes=more),
                sentiment=draw.choice(("negative", "neutral", "positive")),
                stakeholder=draw.choice(("customer", "press", "regulator")),
                source=draw.choice(("x", "reddit")),
                author=f"persona{draw.randrange(30)}",
                text=f"secreto de {department} número {number}",
            )
            for more in range(draw.randrange(1, 3))
        ]
        connection.execute(decisions.update().where(decisions.c.mention_id.in_(made)).values(department=department))
        judged = {head: {"is": said, "confidence": 0.9, "because": []} for head, said in JUDGED.items()}
        connection.execute(verdicts.update().where(verdicts.c.mention_id.in_(made)).values(detail=judged))
        if draw.random() < 0.6:
            case_id = open_case(
                connection,
                made,
                at,
                department=department,
                due=at + timedelta(hours=4),
                acknowledged=at + timedelta(hours=1) if draw.random() < 0.5 else None,
            )
            copies = [other for other in DEPARTMENTS if other != department and draw.random() < 0.2]
            connection.execute(cases.update().where(cases.c.id == case_id).values(copies=copies))
            connection.execute(events.insert().values(case_id=case_id, at=at, who="escucha", what="opened"))
            letter = {"kind": "case", "channel": "mail", "reason": {}, "state": "sent", "next_try": at}
            row = letter | {"key": f"k{case_id}", "case_id": case_id, "recipient": "a@example.org", "created_at": at}
            connection.execute(alerts.insert().values(**row, department=department))


def forget_others(connection: Connection, department: str) -> None:
    """Delete what a department may not see, worked out row by row in Python."""
    seen_cases = {row.id for row in connection.execute(sa.select(cases)) if department in (row.department, *row.copies)}
    kept = {row.mention_id for row in connection.execute(sa.select(decisions)) if row.department == department}
    kept |= {row.mention_id for row in connection.execute(sa.select(case_mentions)) if row.case_id in seen_cases}
    connection.execute(cases.delete().where(cases.c.id.not_in(seen_cases)))
    connection.execute(alerts.delete().where(alerts.c.department != department))
    connection.execute(mentions.delete().where(mentions.c.id.not_in(kept)))
    connection.execute(posts.delete().where(posts.c.id.not_in(sa.select(mentions.c.post_id))))
    connection.execute(authors.delete().where(authors.c.id.not_in(sa.select(posts.c.author_id))))


def _timeline(connection: Connection) -> Any:
    return [dossier.history(connection, number) for number in range(1, 61)]


FIGURES: dict[str, Callable[[Connection], Any]] = {
    "inbox": lambda c: inbox.read_inbox(c, inbox.Filters(), END, limit=200),
    "inbox, all": lambda c: inbox.read_inbox(c, inbox.Filters(status="all"), END, limit=200),
    "inbox count": lambda c: inbox.count_inbox(c, inbox.Filters(), END),
    "facets": lambda c: inbox.count_facets(c, inbox.Filters(), END),
    "choices": lambda c: facet.count_choices(c, inbox.Filters(), END),
    "choices, all": lambda c: facet.count_choices(c, inbox.Filters(status="all"), END),
    "inbox searched": lambda c: inbox.read_inbox(c, inbox.Filters(status="all", q="nitido OR a*"), END, limit=200),
    "inbox searched, open": lambda c: inbox.read_inbox(c, inbox.Filters(q="nitido OR a*"), END, limit=200),
    "count searched": lambda c: facet.count_some(c, inbox.Filters(status="all", q="nitido OR a*"), END),
    "cases": lambda c: [dossier.read_case(c, number) for number in range(1, 61)],
    "posts of cases": lambda c: [dossier.case_mentions_of(c, number) for number in range(1, 61)],
    "history": _timeline,
    "people": lambda c: dossier.count_people(c, range(1, 61)),
    "shares": lambda c: insight.shares(c, PERIOD),
    "net sentiment": lambda c: insight.net_sentiment(c, PERIOD, "nitido"),
    "voices": lambda c: insight.voices(c, PERIOD, "nitido"),
    "dimensions": lambda c: insight.dimensions(c, PERIOD, "nitido"),
    "sources": lambda c: insight.sources_of(c, PERIOD, "nitido"),
    "volume": lambda c: volume.volume_by_day(c, PERIOD),
    "honest counts": lambda c: honest_counts(c, PERIOD, "nitido"),
    "case counts": lambda c: response.case_counts(c, PERIOD, "nitido", END),
    "open now": lambda c: response.open_now(c, "nitido", END),
    "response times": lambda c: response.response_times(c, PERIOD, "nitido"),
    "top cases": lambda c: insight.needing_cases(c, "nitido", END, 50),
    "search": lambda c: search(c, parse("source:x"), limit=300),
    "table": lambda c: count_cells(c, PERIOD, "nitido", "stakeholder", "dimension"),
    "work": lambda c: workload.read_work(c, PERIOD, "nitido", END),
    "posts": lambda c: postlist.read_heard(c, WEEK, PERIOD.zone, limit=300),
    "posts found": lambda c: postlist.read_heard(c, WEEK, PERIOD.zone, parse("source:x"), limit=300),
    "posts count": lambda c: postlist.count_heard(c, WEEK, PERIOD.zone),
}


@pytest.mark.parametrize("department", DEPARTMENTS)
def test_every_figure_is_that_of_a_database_without_the_others(store: Store, department: str) -> None:
    with store.write() as connection:
        fill(connection)
    limited = limit(store, [department])  # type: ignore[list-item]
    with limited.read() as connection:
        seen = {name: figure(connection) for name, figure in FIGURES.items()}
    with store.read() as connection:
        everything = {name: figure(connection) for name, figure in FIGURES.items()}
    with store.write() as connection:
        forget_others(connection, department)
    with store.read() as connection:
        for name, figure in FIGURES.items():
            assert seen[name] == figure(connection), name
    assert [name for name in FIGURES if seen[name] == everything[name]] == []  # each was really narrower


def test_each_table_is_open_limited_or_closed(store: Store) -> None:
    with store.write() as connection:
        fill(connection)
    scope = Scope(frozenset({"sales"}))
    limited = limit(store, ["sales"])
    closed = []
    for table in metadata.sorted_tables:
        with limited.read() as connection, store.read() as whole:
            try:
                found = len(connection.execute(sa.select(table)).all())
            except NotVisible:
                closed.append(table.name)
                continue
        with store.read() as whole:
            every = whole.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        assert table.name in OPEN_TABLES or table in scope.rules
        assert table.name in OPEN_TABLES or found < every or every == 0 or table is quarantine, table.name
    assert "suppression" in closed  # handles of people who opted out belong to no department


def test_items_put_aside_are_counted_and_not_read(store: Store) -> None:
    with store.write() as connection:
        reject(connection, START)
        connection.execute(quarantine.update().values(body="palabras de alguien"))
    with limit(store, ["sales"]).read() as connection:
        assert [row.body for row in connection.execute(sa.select(quarantine))] == [""]
        assert (
            connection.scalars(sa.select(quarantine.c.body).where(quarantine.c.body.contains("palabras"))).all() == []
        )


def _of_the_event() -> Any:
    return sa.select(cases.c.department).where(cases.c.id == events.c.case_id).scalar_subquery()


ODD: list[Callable[[], Any]] = [
    lambda: sa.select(cases.alias("other").c.department),
    lambda: sa.select(sa.select(cases.c.department).subquery().c.department),
    lambda: sa.select(sa.select(cases.c.department).cte("w").c.department),
    lambda: sa.union_all(sa.select(cases.c.department), sa.select(cases.c.department)),
    lambda: sa.select(cases.c.department).select_from(mentions.outerjoin(case_mentions).outerjoin(cases)),
    lambda: sa.select(sa.func.max(cases.c.department)).group_by(cases.c.id),
    lambda: sa.select(
        sa.select(cases.c.department).where(cases.c.id == events.c.case_id).scalar_subquery()
    ).select_from(events),
    lambda: sa.select(cases.c.department).with_for_update(),
    lambda: sa.select(sa.func.coalesce(cases.c.department, "")).order_by(cases.c.id).limit(500),
]


@pytest.mark.parametrize("number", range(len(ODD)))
def test_no_form_of_a_question_gets_around_the_limit(store: Store, number: int) -> None:
    with store.write() as connection:
        fill(connection)
        connection.execute(cases.update().values(copies=[]))
    with limit(store, ["sales"]).write() as connection:
        told = set(connection.scalars(ODD[number]()))
    assert "sales" in told
    assert told <= {"sales", None, ""}


def test_sql_as_text_is_refused(store: Store) -> None:
    with limit(store, ["sales"]).read() as connection:
        with pytest.raises(NotVisible):
            connection.execute(sa.text("SELECT * FROM cases"))
        with pytest.raises(StoreError, match="past its limits"):
            connection.exec_driver_sql("SELECT * FROM cases")
        with pytest.raises(NotVisible):
            connection.execute(sa.select(sa.column("text")).select_from(sa.table("post")))


def test_a_case_of_another_department_cannot_be_changed_and_reads_as_unknown(store: Store) -> None:
    with store.write() as connection:
        fill(connection)
        connection.execute(cases.update().values(copies=[]))
        theirs = connection.scalar(sa.select(cases.c.id).where(cases.c.department == "legal_regulatory").limit(1))
        ours = connection.scalar(
            sa.select(cases.c.id).where(cases.c.department == "sales", cases.c.status == "new").limit(1)
        )
        before = connection.execute(sa.select(cases).where(cases.c.id == theirs)).one()
    assert theirs is not None
    assert ours is not None
    limited = limit(store, ["sales"])
    with limited.write() as connection:
        with pytest.raises(NotPossible, match="There is no case"):
            acknowledge(connection, theirs, "Ana", END)
        with pytest.raises(NotPossible, match="There is no case"):
            note(connection, theirs, "Ana", END, "hola")
        assert connection.execute(cases.update().where(cases.c.id == theirs).values(owner="Ana")).rowcount == 0
        assert connection.execute(events.delete().where(events.c.case_id == theirs)).rowcount == 0
        acknowledge(connection, ours, "Ana", END)
        note(connection, ours, "Ana", END, "hola")
    with store.read() as connection:
        assert connection.execute(sa.select(cases).where(cases.c.id == theirs)).one() == before
        assert dossier.read_case(connection, ours).status == "acknowledged"  # type: ignore[union-attr]


def test_what_belongs_to_nobody_cannot_be_written(store: Store) -> None:
    with limit(store, ["sales"]).write() as connection:
        for table in (quarantine, metadata.tables["suppression"], posts):
            with pytest.raises(NotVisible):
                connection.execute(table.insert().values(source="x"))
        with pytest.raises(NotVisible):
            connection.execute(metadata.tables["suppression"].delete())


def test_a_refusal_is_logged_without_anybodys_words(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), limit(store, ["sales"]).read() as connection, pytest.raises(NotVisible):
        connection.execute(sa.text("SELECT 'palabras de alguien'"))
    assert "limited to sales" in caplog.text
    assert "palabras" not in caplog.text
