"""The inbox shows the most urgent first, page by page, and its filters live in an address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.intake import save_page
from listener.mention import Author, Mention, Post
from listener.settings import Settings
from listener.store import mentions, posts
from sentiment.store import save_verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.case import acknowledge, answer, assign, close, join, open_case
from stakeholders.deciding.facts import Route
from stakeholders.inbox import NOBODY, Filters, InboxRow, count_facets, count_inbox, read_inbox

SETTINGS = Settings()
NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
ALL = Filters(status="all")


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


def hear(connection: sa.Connection, native_id: str, sentiment: str = "negative", **more: Any) -> int:
    author = Author(handle=more.pop("handle", "ana"), followers=more.pop("followers", None))
    unsure = more.pop("unsure", False)
    source = more.pop("source", "x")
    post = Post(
        source, native_id, more.pop("text", f"texto {native_id}"), NOW, author, url=f"https://x.example/{native_id}"
    )
    save_page(connection, source, [post], [Mention(post, "nitido", "own", ())], (), None, NOW)
    mention_id = int(
        connection.execute(sa.select(mentions.c.id).join(posts).where(posts.c.native_id == native_id)).scalar_one()
    )
    sure = Label("true", 1.0)
    verdict = Verdict(sure, Label(sentiment, 0.4, unsure=unsure), sure, sure, "test")
    save_verdicts(connection, [(mention_id, verdict)], NOW)
    return mention_id


def open_one(connection: sa.Connection, native_id: str, **more: Any) -> int:
    told: dict[str, Any] = {"department": "customer_care", "copies": (), "priority": "important", "rule": "matrix"}
    route = Route(**told | {name: more.pop(name) for name in list(told) if name in more}, because=())
    stakeholder, at = more.pop("stakeholder", "customer"), more.pop("at", NOW)
    brand = more.pop("brand", "nitido")
    mention_id = hear(connection, native_id, **more)
    return open_case(connection, SETTINGS, mention_id, brand, route, stakeholder, None, at).id


def numbers(rows: tuple[InboxRow, ...]) -> list[int]:
    return [row.case.id for row in rows]


def test_alerts_come_first_then_the_earliest_due_and_routine_last(connection: sa.Connection) -> None:
    routine = open_one(connection, "1", priority="routine")
    late = open_one(connection, "2", at=NOW + timedelta(hours=2))
    early = open_one(connection, "3")
    alert = open_one(connection, "4", priority="alert", at=NOW + timedelta(hours=9))
    same = open_one(connection, "5")
    assert numbers(read_inbox(connection, Filters(), NOW).rows) == [alert, early, same, late, routine]


def test_pages_follow_each_other_without_a_repeat_or_a_hole(connection: sa.Connection) -> None:
    priorities = ("alert", "important", "routine")
    every = [
        open_one(connection, str(number), priority=priorities[number % 3], at=NOW + timedelta(minutes=number % 4))
        for number in range(23)
    ]
    seen: list[int] = []
    after = None
    while True:
        page = read_inbox(connection, Filters(), NOW, after, limit=5)
        seen += numbers(page.rows)
        if page.next is None:
            break
        after = page.next
    assert sorted(seen) == sorted(every)
    assert seen == numbers(read_inbox(connection, Filters(), NOW, limit=100).rows)


def test_a_case_that_was_answered_between_two_pages_hides_no_other(connection: sa.Connection) -> None:
    every = [open_one(connection, str(number)) for number in range(6)]
    page = read_inbox(connection, Filters(), NOW, limit=3)
    answer(connection, every[0], "Rosa", NOW)
    assert numbers(read_inbox(connection, Filters(), NOW, page.next, limit=3).rows) == every[3:]


def test_a_row_holds_the_first_post_and_counts_posts_and_people(connection: sa.Connection) -> None:
    text = "Nítido\n<b>no</b> funciona " + "x" * 400
    number = open_one(connection, "1", text=text, handle="ana", followers=7, unsure=True)
    join(connection, SETTINGS, number, hear(connection, "2", handle="luis"), "repeat", "important", NOW)
    join(connection, SETTINGS, number, hear(connection, "3", handle="luis"), "repeat", "important", NOW)
    row = read_inbox(connection, Filters(), NOW).rows[0]
    assert (row.case.mentions, row.case.people, row.author, row.followers) == (3, 2, "@ana", 7)
    assert row.snippet.startswith("Nítido <b>no</b> funciona xxx")
    assert row.snippet.endswith("…")
    assert len(row.snippet) <= 280
    assert (row.source, row.url, row.sentiment, row.unsure) == ("x", "https://x.example/1", "negative", True)


def test_overdue_is_computed_from_the_moment_of_reading(connection: sa.Connection) -> None:
    number = open_one(connection, "1", priority="alert")
    assert not read_inbox(connection, Filters(), NOW).rows[0].overdue
    late = NOW + timedelta(hours=2)
    assert read_inbox(connection, Filters(), late).rows[0].overdue
    assert count_inbox(connection, Filters(overdue=True), NOW) == 0
    assert count_inbox(connection, Filters(overdue=True), late) == 1
    answer(connection, number, "Rosa", late)
    assert count_inbox(connection, Filters(overdue=True, status="all"), late) == 0


def test_every_filter_takes_what_it_says(connection: sa.Connection) -> None:
    plain = open_one(connection, "1")
    legal = open_one(connection, "2", department="legal_regulatory", stakeholder="regulator", priority="alert")
    news = open_one(connection, "3", source="news", sentiment="neutral", unsure=True, brand="otra")
    assign(connection, plain, "Rosa", NOW, "Rosa")
    acknowledge(connection, legal, "Rosa", NOW)
    close(connection, open_one(connection, "4"), "Rosa", NOW)
    expected: list[tuple[Filters, list[int]]] = [
        (Filters(), [legal, plain, news]),
        (Filters(department=("legal_regulatory",)), [legal]),
        (Filters(department=("legal_regulatory", "customer_care")), [legal, plain, news]),
        (Filters(priority=("important",)), [plain, news]),
        (Filters(stakeholder=("regulator",)), [legal]),
        (Filters(status="acknowledged"), [legal]),
        (Filters(status="new"), [plain, news]),
        (Filters(sentiment=("neutral",)), [news]),
        (Filters(source=("news",)), [news]),
        (Filters(brand=("otra",)), [news]),
        (Filters(owner="Rosa"), [plain]),
        (Filters(owner=NOBODY), [legal, news]),
        (Filters(unsure=True), [news]),
    ]
    for filters, found in expected:
        assert numbers(read_inbox(connection, filters, NOW).rows) == found, filters
        assert count_inbox(connection, filters, NOW) == len(found)
    assert count_inbox(connection, ALL, NOW) == 4
    assert count_inbox(connection, Filters(status="closed"), NOW) == 1


def test_each_facet_counts_with_all_filters_but_its_own(connection: sa.Connection) -> None:
    open_one(connection, "1")
    open_one(connection, "2", department="sales", priority="alert")
    close(connection, open_one(connection, "3", department="sales"), "Rosa", NOW)
    counted = count_facets(connection, Filters(department=("sales",)), NOW)
    assert counted == {
        "department": {"customer_care": 1, "sales": 1},
        "priority": {"alert": 1},
        "status": {"closed": 1, "new": 1},
    }


def test_an_employee_stays_without_name_in_the_inbox_of_human_resources(connection: sa.Connection) -> None:
    open_one(connection, "1", handle="rosa_mqp", stakeholder="employee", department="human_resources")
    row = read_inbox(connection, Filters(), NOW).rows[0]
    assert (row.masked, row.author, row.url, row.followers) == (True, None, None, None)
    assert "rosa_mqp" not in repr(row)


def test_filters_travel_in_an_address_and_come_back_the_same() -> None:
    filters = Filters(
        department=("sales", "communications"), priority=("alert",), brand=("nitido",), status="closed",
        owner="Ana Ruiz", overdue=True,
    )  # fmt: skip
    assert filters.to_query() == {
        "department": ["sales", "communications"],
        "priority": ["alert"],
        "brand": ["nitido"],
        "status": ["closed"],
        "owner": ["Ana Ruiz"],
        "overdue": ["1"],
    }
    assert Filters.from_query(filters.to_query()) == filters
    assert Filters().to_query() == {}
    assert Filters.from_query({}) == Filters()


def test_an_address_that_somebody_tampered_with_is_read_without_harm() -> None:
    query = {"department": ["sales", "sales", "'; DROP"], "status": "gone", "overdue": "yes", "owner": "", "x": "1"}
    assert Filters.from_query(query) == Filters(department=("sales",))
    assert Filters.from_query({"source": ["", "x"], "status": "all"}) == Filters(source=("x",), status="all")


def test_the_partial_index_serves_the_inbox(connection: sa.Connection) -> None:
    for number in range(30):
        open_one(connection, str(number))
    query = "SELECT id FROM cases WHERE cases.status IN ('new', 'acknowledged') ORDER BY rank, due_at, id LIMIT 5"
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = connection.execute(sa.text(f"EXPLAIN {query}"))
    else:
        plan = connection.execute(sa.text(f"EXPLAIN QUERY PLAN {query}"))
    assert "ix_cases_inbox" in " ".join(str(tuple(row)) for row in plan)
