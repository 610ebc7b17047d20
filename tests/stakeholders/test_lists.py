"""Lists and counts give what plain questions to all rows give, and read no large table from end to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, event

from bench.archive import BRANDS, NOW, Archive, build
from bench.listquestions import list_questions
from listener.config import parse as parse_config
from listener.database import Store
from listener.query import parse
from listener.query import search as searching
from listener.query.match import Reading, compile_test, facts_of
from listener.query.search import search
from listener.query.sql import where
from listener.store import mentions, posts
from sentiment.store import verdicts
from stakeholders.casework.dossier import count_people
from stakeholders.casework.step import UNFINISHED
from stakeholders.counting.period import last_days
from stakeholders.inbox import Filters, Key, follow, list_inbox, read_inbox
from stakeholders.lists import casesearch
from stakeholders.lists.caseline import needing_cases, top_cases
from stakeholders.lists.facet import FACETS, Bounded, add, count_choices, count_facets, count_inbox, count_some, of
from stakeholders.lists.postlist import Place, Wanted, count_heard, read_counted, read_heard
from stakeholders.lists.postlist import count_some as count_posts
from stakeholders.scope import limit
from stakeholders.store import case_mentions, cases, decisions

LIMA = ZoneInfo("America/Lima")
SIZE = 3_000
WORDS = Archive(SIZE).words
WRITTEN = (
    "from:U5", "{0} from:u7", "nitido -from:u9 -{0}", "from:u11 until:2026-06-01", "NOT from:u5 since:2026-09-01",
)  # fmt: skip
VIEWS = (
    Filters(),
    Filters(status="all"),
    Filters(status="answered", source=("x", "news")),
    Filters(status="all", unsure=True),
    Filters(department=("sales", "legal_regulatory"), overdue=True),
    Filters(status="snoozed"),
    Filters(sentiment=("negative",), priority=("important", "routine")),
    Filters(status="all", owner="Rosa"),
    Filters(status="all", stakeholder=("press", "customer"), brand=(BRANDS[0],)),
)
SEARCHES = (
    "{0}", "{0} OR {1}", "{0} -nitido", '"{0} {1}"', "nitido", "{0}*", "{0} NEAR/6 {1}", "nitido source:x",
    "{0} since:2026-08-01", "NOT {0}", "{0} reach>40000", "brisatel OR ondavia", "nitido -{0} -({1} OR brisatel)",
    "nitido source:play", "nitido (source:x OR {0})", "nitido since:2026-11-01 lang:es", "nitido from:u5",
    "{0} -from:u7",
)  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give an archive with cases of every status, some merged, some snoozed, and posts that came late."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('lists')}/a.db"
    else:
        url = str(request.getfixturevalue("postgres_database")())
    store = build(url, SIZE)
    draw = Random(5)
    with store.write() as connection:
        last = connection.scalar(sa.select(sa.func.max(cases.c.id))) or 0
        for one in draw.sample(range(1, last + 1), last // 3):
            changes: dict[str, Any] = draw.choice(
                [
                    {"status": "snoozed", "closed_at": None, "answered_at": None},
                    {"status": "dismissed"},
                    {"owner": "Rosa"},
                    {"status": "closed", "merged_into": 1},
                    {"due_at": NOW - timedelta(days=2)},
                ]
            )
            if changes == {"due_at": NOW - timedelta(days=2)}:
                changes["rank"], changes["priority"] = 0, "alert"
            connection.execute(cases.update().where(cases.c.id == one).values(changes))
        for one in draw.sample(range(1, SIZE + 1), 60):  # collected long after it was published, or before
            at = NOW - timedelta(days=draw.randrange(300), minutes=draw.randrange(1440))
            connection.execute(posts.update().where(posts.c.id == one).values(published_at=at))
            hour = int(at.timestamp() // 3600)
            connection.execute(mentions.update().where(mentions.c.post_id == one).values(published_at=at, hour=hour))
        for one in draw.sample(range(1, SIZE + 1), 60):  # not routed yet
            connection.execute(decisions.delete().where(decisions.c.mention_id == one))
    yield store
    store.close()


@pytest.fixture
def connection(archive: Store) -> Iterator[Connection]:
    with archive.read() as opened:
        yield opened


def plain(connection: Connection, filters: Filters, now: datetime = NOW) -> list[Key]:
    """List a view by looking at every case in Python."""
    rows = connection.execute(
        sa.select(cases, mentions.c.source, verdicts.c.sentiment, verdicts.c.unsure)
        .select_from(
            cases.outerjoin(
                case_mentions, sa.and_(case_mentions.c.case_id == cases.c.id, case_mentions.c.how == "opened")
            )
            .outerjoin(mentions, mentions.c.id == case_mentions.c.mention_id)
            .outerjoin(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
        )
        .where(cases.c.merged_into.is_(None))
    ).all()
    holding = found_in(connection, filters.q) if filters.q else None
    kept = []
    for row in rows:
        named = ("department", "priority", "stakeholder", "sentiment", "source", "brand")
        fits = all(not getattr(filters, name) or getattr(row, name) in getattr(filters, name) for name in named)
        status = ("new", "acknowledged") if filters.status == "open" else (filters.status,)
        fits = fits and (filters.status == "all" or row.status in status)
        fits = fits and (filters.owner is None or row.owner == filters.owner) and (not filters.unsure or row.unsure)
        if filters.overdue:
            late = row.due_at is not None and row.due_at < now and row.answered_at is None
            fits = fits and late and row.status in (*UNFINISHED, "answered")
        if fits and (holding is None or row.id in holding):
            kept.append(Key(row.rank, row.due_at, row.id))
    end = datetime.max.replace(tzinfo=UTC)
    return sorted(kept, key=lambda key: (key.rank, key.due_at or end, key.id))


def found_in(connection: Connection, q: str) -> set[int]:
    fits = where(parse(q), connection.dialect.name).clause
    tables = case_mentions.join(mentions, mentions.c.id == case_mentions.c.mention_id)
    tables = tables.join(posts, posts.c.id == mentions.c.post_id)
    return set(connection.scalars(sa.select(case_mentions.c.case_id).select_from(tables).where(fits)))


@pytest.fixture(params=["rare", "common", "looked up"])
def words(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every search taken for one that few posts fit, or for one of a large archive that many do.

    Or for one whose words many posts hold, and few of them fit.
    """
    if request.param != "rare":
        both = {"sqlite": 20, "postgresql": 20} if request.param == "common" else casesearch._READ
        for name, most in (("_MANY", 8), ("_SLOW", 4), ("_COMMON", 40), ("_READ", both), ("_WALKED", both)):
            monkeypatch.setattr(casesearch, name, most)


@pytest.mark.usefixtures("words")
def test_every_view_lists_and_counts_what_a_look_at_every_case_gives(archive: Store) -> None:
    with archive.read() as connection:
        check_views(connection, 3)


@pytest.mark.usefixtures("words")
def test_who_sees_some_departments_lists_and_counts_their_cases_alone(archive: Store) -> None:
    with limit(archive, ["sales", "legal_regulatory"]).read() as connection:
        check_views(connection, 1)


def check_views(connection: Connection, times: int) -> None:
    draw = Random(3)
    searched = [
        replace(draw.choice(VIEWS), q=text.format(*draw.sample(WORDS, 2))) for text in SEARCHES for _ in range(times)
    ]
    for filters in (*VIEWS, *searched):
        wanted = plain(connection, filters)
        assert list_inbox(connection, filters, NOW, None, 10_000) == wanted, filters
        assert count_inbox(connection, filters, NOW) == len(wanted)
        many = count_some(connection, filters, NOW, 10_000)
        assert many == len(wanted) or (many.more and many < len(wanted))
        few = count_some(connection, filters, NOW, 3)
        assert few == (len(wanted) if filters.status in ("open", "snoozed") else min(3, len(wanted))) or few.more
        assert few.more == (few < len(wanted)) or filters.q
        every = count_facets(connection, filters, NOW, FACETS)
        for name, counted in count_choices(connection, filters, NOW, FACETS, 10_000).items():
            # of a search that nearly all posts fit, only some posts are looked at, and that is said
            whole = {one: every[name].get(one, 0) for one in counted}
            wrong = {one: n for one, n in counted.items() if n != whole[one] and not (n.more and n < whole[one])}
            assert wrong == {}, filters
            # where none of those posts was in the view, no choice stands there to say so
            assert counted.keys() == every[name].keys() or add(counted.values()).more or (filters.q and not counted)


def test_pages_follow_each_other_in_every_view_and_lead_from_case_to_case(connection: Connection) -> None:
    for filters in VIEWS:
        wanted, seen, after = plain(connection, filters), [], None
        while True:
            page = read_inbox(connection, filters, NOW, after, 7)
            seen += [row.case.id for row in page.rows]
            after = page.next
            if after is None:
                break
        assert seen == [key.id for key in wanted]
        for place, key in enumerate(wanted[:20]):
            onward = wanted[place + 1].id if place + 1 < len(wanted) else None
            assert follow(connection, filters, key.id, NOW) == onward
        assert follow(connection, filters, 999_999, NOW) == (wanted[0].id if wanted else None)


def test_a_long_list_is_counted_up_to_a_bound_and_says_so(connection: Connection) -> None:
    every = Filters(status="all")
    counted = count_choices(connection, every, NOW, FACETS, 5)
    whole = count_facets(connection, every, NOW, FACETS)
    for name in ("department", "brand", "source"):
        assert sum(counted[name].values()) == 5
        assert all(count.more and count <= whole[name][value] for value, count in counted[name].items())
        assert of(counted[name], "nobody").more  # not zero: nobody looked
    assert add([Bounded(2), Bounded(1, more=True)]).more
    assert not add([Bounded(2), 3]).more


@pytest.mark.parametrize("newest", [2_000, 20])
@pytest.mark.parametrize("few", [20_000, 0])
def test_the_newest_posts_of_a_search_are_those_of_a_look_at_every_post(
    connection: Connection, newest: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "_NEWEST", newest)  # posts of the first stretch
    monkeypatch.setattr(searching, "_FEW", few)  # posts of an author that are sorted
    draw = Random(4)
    middle = Place(NOW - timedelta(days=150), 7)
    for text in (*SEARCHES, *WRITTEN):
        for start in (None, None, middle):
            query = parse(text.format(*draw.sample(WORDS, 2)))
            fits = where(query, connection.dialect.name)
            order = sa.select(posts.c.published_at, posts.c.id).where(fits.clause)
            order = order.order_by(posts.c.published_at.desc(), posts.c.id.desc())
            if not fits.exact:
                continue
            rows = [Place(*row) for row in connection.execute(order)]
            wanted, seen = [row.id for row in rows if start is None or row < start], list[int]()
            after: tuple[datetime, int] | None = start
            for size in (5, 300, 10_000):
                page = search(connection, query, after=after, limit=size)
                test = compile_test(query.tree)
                assert "brand" in text or all(test(Reading(facts_of(one.post, ()))) for one in page.found)
                seen += [one.id for one in page.found]
                after = page.after
                if after is None:
                    break
            assert seen == wanted[: len(seen)], text
            assert after is not None or len(seen) == len(wanted)


def test_posts_behind_a_figure_are_listed_and_counted_as_all_rows_say(connection: Connection) -> None:
    until = NOW.date()
    tables = mentions.join(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
    tables = tables.outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
    labels = (mentions.c.brand, mentions.c.source, verdicts.c.dimension, verdicts.c.sentiment, decisions.c.stakeholder)
    place = (mentions.c.hour, mentions.c.published_at, mentions.c.id.label("place_id"), mentions.c.post_id)
    every = connection.execute(sa.select(*labels, *place).select_from(tables).where(verdicts.c.relevant)).all()
    said = parse(f"{WORDS[3]} OR {WORDS[5]} OR {WORDS[8]}")
    holding = set(connection.scalars(sa.select(posts.c.id).where(where(said, connection.dialect.name).clause)))
    for days, brand in ((1, BRANDS[0]), (40, None), (300, BRANDS[1]), (300, None)):
        base = Wanted(until - timedelta(days=days - 1), until, brand)
        period = base.period(LIMA)
        for wanted in (
            base,
            replace(base, sentiment="negative"),
            replace(base, stakeholder="press"),
            replace(base, stakeholder="-"),
            replace(base, source="news", sentiment="positive"),
            replace(base, source="news", dimension="governance"),
            replace(base, stakeholder="-", dimension="governance"),
            replace(base, stakeholder="press", source="x", sentiment="neutral"),
            replace(base, stakeholder="customer", dimension="leadership"),
            replace(base, stakeholder="customer", dimension="leadership", source="x"),
            replace(base, stakeholder="-", dimension="leadership", source="x"),
        ):
            named = ("brand", "source", "dimension", "sentiment", "stakeholder")
            asked = {name: value for name in named if (value := getattr(wanted, name)) is not None}
            asked |= {"stakeholder": None} if wanted.stakeholder == "-" else {}
            fits = [row for row in every if all(getattr(row, name) == value for name, value in asked.items())]
            fits = [row for row in fits if period.first_hour <= row.hour < period.end_hour]
            for words in (None, said) if asked.keys() <= {"brand", "source", "stakeholder"} else (None,):
                plain = {(row.published_at, row.place_id) for row in fits if words is None or row.post_id in holding}
                seen: list[tuple[datetime, int]] = []
                after: Place | None = None
                while True:
                    page = read_heard(connection, wanted, LIMA, words, after, 50)
                    seen += [(row.published_at, row.mention_id) for row in page.rows]
                    after = page.next
                    if after is None:
                        break
                assert seen == sorted(plain, reverse=True), wanted
                assert len(seen) == count_heard(connection, wanted, LIMA, words)
                assert len(seen) == count_posts(connection, wanted, LIMA, words, most=9**9)
                few = count_posts(connection, wanted, LIMA, words, most=3)
                first, number = read_counted(connection, wanted, LIMA, words, None, 50)
                assert first == read_heard(connection, wanted, LIMA, words, None, 50)
                assert number == len(seen) or (number.more and number < len(seen))
                if first.next is not None:
                    page, same = read_counted(connection, wanted, LIMA, words, first.next, 50)
                    assert page == read_heard(connection, wanted, LIMA, words, first.next, 50)
                    assert (same, same.more) == (number, number.more)
                assert few == (min(3, len(seen)) if few.more else len(seen))


def test_top_and_needing_cases_are_those_of_a_look_at_every_case(connection: Connection) -> None:
    rows = connection.execute(sa.select(cases).where(cases.c.merged_into.is_(None))).all()
    people = count_people(connection, [row.id for row in rows])
    for days, brand in ((30, BRANDS[0]), (300, None), (300, BRANDS[2])):
        period = last_days(days, NOW, LIMA)
        mine = [row for row in rows if brand in (None, row.brand)]
        opened = [row for row in mine if period.start <= row.opened_at < period.end]
        ranked = sorted(opened, key=lambda row: (-people[row.id][1], row.rank, -people[row.id][0], row.id))
        top = top_cases(connection, period, brand, 5, NOW)
        assert [one.id for one in top] == [row.id for row in ranked[:5]]
        assert [(one.mentions, one.people) for one in top] == [people[row.id] for row in ranked[:5]]
        end = datetime.max.replace(tzinfo=UTC)
        late = {row.id for row in mine if row.due_at and row.due_at < NOW and row.answered_at is None}
        needing = [
            row
            for row in mine
            if (row.status in UNFINISHED and row.id in late)
            or (row.status in ("new", "acknowledged") and row.priority == "alert")
        ]
        needing.sort(key=lambda row: (row.rank, row.due_at or end, row.id))
        assert [one.id for one in needing_cases(connection, brand, NOW, 12)] == [row.id for row in needing[:12]]


LARGE = ("post", "mention", "verdict", "decision", "case_mention", "cases", "event", "author")


def test_no_question_of_a_list_reads_a_large_table_from_end_to_end(archive: Store, tmp_path: Path) -> None:
    table = {
        "instance": {"name": "Escucha", "language": "es", "country": "PE", "timezone": "America/Lima"},
        "brands": {"nitido": {"name": "Nítido"}},
        "competitors": {"brisatel": {"name": "Brisatel"}, "ondavia": {"name": "Ondavía"}},
        "departments": {"communications": {"alert": ["mail:team@example.org"]}},
    }
    asked = list_questions(parse_config(table, tmp_path, {}), Archive(SIZE), 50)
    # Words are asked of the full-text index; figures have a test of their own; the first 500 of all cases end soon.
    apart = ("search", "live count", "inbox search", "sources", "posts count", "inbox count, all", "inbox choices, all")
    names = [name for name in asked if not name.startswith(apart)]
    told: list[str] = []

    def explain(connection: Any, cursor: Any, sql: str, values: Any, _context: Any, _many: bool) -> None:
        if not sql.startswith("SELECT") or not any(f" {table} " in f" {sql} " for table in LARGE):
            return
        raw = connection.connection.dbapi_connection.cursor()
        raw.execute(("EXPLAIN QUERY PLAN " if archive.engine.dialect.name == "sqlite" else "EXPLAIN ") + sql, values)
        for row in raw.fetchall():
            step = str(row[-1])
            scans = [one for one in LARGE if f"Seq Scan on {one}" in step or step in (f"SCAN {one}", f"SCAN {one}_1")]
            if scans:
                told.append(f"{step}: {' '.join(sql.split())[:300]}")

    event.listen(archive.engine, "after_cursor_execute", explain)
    try:
        with archive.read() as connection:
            if archive.engine.dialect.name == "postgresql":  # at this size it would read a table rather than an index
                connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
            for name in names:
                asked[name](connection, Random(1))
    finally:
        event.remove(archive.engine, "after_cursor_execute", explain)
    assert sorted(set(told)) == []


def test_words_and_the_ids_of_a_time_are_asked_of_the_full_text_index_together(archive: Store) -> None:
    clause = where(parse(WORDS[0]), archive.engine.dialect.name, (1_000, 2_000)).clause
    query = sa.select(posts.c.id).where(clause)
    with archive.read() as connection:
        postgres = connection.dialect.name == "postgresql"
        if postgres:  # at this size it would read the table rather than an index
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        written = query.compile(connection, compile_kwargs={"literal_binds": True}).string
        how = "EXPLAIN" if postgres else "EXPLAIN QUERY PLAN"
        plan = " ".join(str(row[-1]) for row in connection.exec_driver_sql(f"{how} {written}"))
    asked = (
        r"Index Cond: \(\(lexemes @@ .*\) AND \(ARRAY\[\(post_id >> 14\)\] && "
        if postgres
        else r"VIRTUAL TABLE INDEX 0:M.*><"
    )
    assert re.search(asked, plan), plan
