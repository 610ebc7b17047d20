"""Two cases that are one matter become one, one that is two becomes two, and nothing that was written is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.config import Config
from listener.database import Store
from listener.mention import Author
from stakeholders.alerts import REOPENED, queue_case
from stakeholders.case import (
    NotPossible,
    Stale,
    acknowledge,
    answer,
    assign,
    case_mentions_of,
    close,
    history,
    join,
    note,
    open_case,
    read_case,
    snooze,
)
from stakeholders.casework.merging import kin, merge, resolve, split
from stakeholders.casework.seal import verify
from stakeholders.casework.thread import cases_of
from stakeholders.deciding.facts import Case
from stakeholders.erasure import erase
from stakeholders.inbox import Filters, count_inbox, read_inbox
from stakeholders.letters.letter import ANSWERS
from stakeholders.regulation.mark import settle
from stakeholders.store import alerts, case_mentions, cases
from tests.stakeholders.newsroom import NOW, hear, make_config, make_route, open_one

SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(hours=1)


@pytest.fixture
def config(store: Store, tmp_path: Path) -> Config:
    return make_config(tmp_path, store.url)


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


def pair(connection: sa.Connection, config: Config, **more: Any) -> tuple[Case, Case]:
    """Open two cases of two people, the first later and more urgent."""
    second, _ = open_one(connection, config, author=Author("luis", "Luis"), now=NOW - timedelta(hours=2))
    first, _ = open_one(connection, config, make_route(priority="alert"), **more)
    return first, second


def reread(connection: sa.Connection, case_id: int) -> Case:
    case = read_case(connection, case_id)
    assert case is not None
    return case


def all_whole(connection: sa.Connection) -> bool:
    return all(verify(connection, one) is None for one in connection.scalars(sa.select(cases.c.id)))


def test_a_merge_moves_the_posts_keeps_both_histories_and_takes_the_more_urgent(
    connection: sa.Connection, config: Config
) -> None:
    first, second = pair(connection, config)
    assign(connection, first.id, "Rosa", SOON, "Rosa")
    note(connection, second.id, "Luis", SOON, "es lo mismo")
    kept = merge(connection, first.id, second.id, "Rosa", LATER)
    assert (kept.id, kept.mentions, kept.people, kept.priority, kept.owner) == (second.id, 2, 2, "alert", "Rosa")
    assert kept.due_at == min(one.due_at for one in (first, second) if one.due_at is not None)
    gone = reread(connection, first.id)
    assert (gone.status, gone.merged_into, gone.mentions) == ("closed", second.id, 0)
    assert [line.what for line in history(connection, first.id)] == ["opened", "assigned", "merged"]
    assert [line.what for line in history(connection, second.id)] == ["opened", "note", "merged"]
    both = history(connection, second.id, merged=True)
    assert sorted(line.case_id for line in both) == [second.id] * 3 + [first.id] * 3
    assert all_whole(connection)


def test_links_lead_to_the_case_that_is_left_however_often_it_was_merged(
    connection: sa.Connection, config: Config
) -> None:
    first, second = pair(connection, config)
    third, _ = open_one(connection, config)
    merge(connection, first.id, second.id, "Rosa", SOON)
    merge(connection, second.id, third.id, "Rosa", LATER)
    assert [resolve(connection, one.id) for one in (first, second, third)] == [third.id] * 3
    assert resolve(connection, 404) == 404
    seen = acknowledge(connection, first.id, "Ana", LATER)
    assert (seen.case.id, seen.again, reread(connection, third.id).status) == (third.id, False, "acknowledged")


def test_a_merged_case_counts_nowhere(connection: sa.Connection, config: Config) -> None:
    first, second = pair(connection, config)
    merge(connection, first.id, second.id, "Rosa", LATER)
    for status in ("all", "closed", "open"):
        shown = [row.case.id for row in read_inbox(connection, Filters(status=status), LATER).rows]
        assert first.id not in shown
        assert count_inbox(connection, Filters(status=status), LATER) == len(shown) == (status != "closed")


def test_people_who_wrote_in_both_count_once(connection: sa.Connection, config: Config) -> None:
    first, _ = open_one(connection, config)
    second, _ = open_one(connection, config)
    merged = merge(connection, first.id, second.id, "Rosa", LATER)
    assert (merged.mentions, merged.people) == (2, 1)


def test_merges_that_would_hide_something_are_refused_in_words(connection: sa.Connection, config: Config) -> None:
    first, second = pair(connection, config)
    with pytest.raises(NotPossible, match="with itself"):
        merge(connection, first.id, first.id, "Rosa", LATER)
    with pytest.raises(NotPossible, match="no case 404"):
        merge(connection, first.id, 404, "Rosa", LATER)
    answer(connection, second.id, "Luis", SOON)
    with pytest.raises(NotPossible, match="is answered: this one would go unanswered"):
        merge(connection, first.id, second.id, "Rosa", LATER)
    connection.execute(cases.update().where(cases.c.id == first.id).values(kind="crisis"))
    with pytest.raises(NotPossible, match="crisis cannot become part"):
        merge(connection, first.id, second.id, "Rosa", LATER)
    merged = merge(connection, second.id, first.id, "Rosa", LATER)
    assert merged.status == "new"
    for act in (answer, close):
        with pytest.raises(NotPossible, match=f"part of case {first.id} now"):
            act(connection, second.id, "Rosa", LATER)
    with pytest.raises(NotPossible, match="part of case"):
        merge(connection, second.id, first.id, "Rosa", LATER)


def test_another_brand_is_refused(connection: sa.Connection, config: Config) -> None:
    first, second = pair(connection, config)
    connection.execute(cases.update().where(cases.c.id == first.id).values(brand="other"))
    with pytest.raises(NotPossible, match="two brands"):
        merge(connection, first.id, second.id, "Rosa", LATER)


def test_an_old_view_cannot_merge(connection: sa.Connection, config: Config) -> None:
    first, second = pair(connection, config)
    assign(connection, first.id, "Ana", NOW, "Ana", version=1)
    with pytest.raises(Stale, match=r"Ana gave this case to somebody else \(20 s ago\)"):
        merge(connection, first.id, second.id, "Rosa", NOW + timedelta(seconds=20), version=1)


def test_a_more_urgent_case_wakes_the_one_it_joins(connection: sa.Connection, config: Config) -> None:
    first, second = pair(connection, config)
    snooze(connection, second.id, "Luis", NOW, LATER)
    assert merge(connection, first.id, second.id, "Rosa", SOON).status == "new"
    assert history(connection, second.id)[-1].what == "woke"
    third, _ = open_one(connection, config)
    snooze(connection, second.id, "Luis", SOON, LATER)
    assert merge(connection, third.id, second.id, "Rosa", SOON).status == "snoozed"


def test_waiting_messages_follow_a_merge_and_nobody_is_told_twice(connection: sa.Connection, config: Config) -> None:
    first, second = pair(connection, config)
    elsewhere, mention = open_one(connection, config, make_route("legal_regulatory"))
    for case in (first, second, elsewhere):
        queue_case(connection, config, case, mention, False, NOW)
    merge(connection, first.id, second.id, "Rosa", LATER)
    merge(connection, elsewhere.id, second.id, "Rosa", LATER)
    rows = connection.execute(sa.select(alerts.c.recipient, alerts.c.state, alerts.c.case_id).order_by(alerts.c.id))
    assert [tuple(row) for row in rows] == [
        ("customer_care@nitido.example", "withdrawn", first.id),
        ("customer_care@nitido.example", "pending", second.id),
        ("legal_regulatory@nitido.example", "pending", second.id),
    ]


def test_a_later_post_of_the_merged_thread_finds_the_case_that_is_left(
    connection: sa.Connection, config: Config
) -> None:
    first, second = pair(connection, config)
    connection.execute(cases.update().where(cases.c.id == first.id).values(thread="x/t1"))
    merge(connection, first.id, second.id, "Rosa", LATER)
    assert [case_id for case_id, _, _ in cases_of(connection, "x/t1", "nitido")] == [second.id]
    joined = join(connection, config.settings, first.id, hear(connection), "thread", "routine", LATER)
    assert (joined.id, joined.mentions) == (second.id, 3)


def test_a_split_takes_posts_into_a_case_named_after_the_first_of_them(
    connection: sa.Connection, config: Config
) -> None:
    case, opened = open_one(connection, config)
    more = [hear(connection, "Nítido sin señal", author=Author(name), now=LATER) for name in ("luis", "eva")]
    for mention in more:
        join(connection, config.settings, case.id, mention, "repeat", "important", SOON)
    close(connection, case.id, "Rosa", SOON)
    new = split(connection, config, case.id, more, "Rosa", LATER)
    assert (new.status, new.mentions, new.people, new.opened_at) == ("new", 2, 2, LATER)
    assert connection.scalar(sa.select(cases.c.key).where(cases.c.id == new.id)) == f"mention:{more[0]}"
    left = reread(connection, case.id)
    assert (left.mentions, left.status) == (1, "closed")
    assert history(connection, case.id)[-1].after == {"case": new.id, "mentions": more}
    assert open_case(
        connection, config.settings, more[0], "nitido", make_route(), "customer", None, LATER
    ).id == new.id  # fmt: skip
    assert opened in [one.mention_id for one in case_mentions_of(connection, case.id)]
    assert sorted(kin(connection, new.id)) == [case.id, new.id]
    assert all_whole(connection)


def test_the_post_that_opened_a_case_can_be_split_off_and_the_oldest_left_stands_for_it(
    connection: sa.Connection, config: Config
) -> None:
    case, opened = open_one(connection, config)
    second = hear(connection, author=Author("luis"))
    join(connection, config.settings, case.id, second, "repeat", "important", SOON)
    new = split(connection, config, case.id, [opened], "Rosa", LATER)
    hows = dict(connection.execute(sa.select(case_mentions.c.case_id, case_mentions.c.how)).all())
    assert hows == {case.id: "opened", new.id: "opened"}
    assert connection.scalar(sa.select(cases.c.key).where(cases.c.id == new.id)) == f"mention:{opened}"
    rows = read_inbox(connection, Filters(), LATER).rows
    assert {row.mention_id for row in rows} == {opened, second}


def told(connection: sa.Connection, case_id: int) -> list[tuple[str, str, str]]:
    mine = sa.select(alerts).where(alerts.c.case_id == case_id).order_by(alerts.c.id)
    return [(row.kind, row.recipient, row.reason["sentence"]) for row in connection.execute(mine)]


def test_who_answers_what_was_split_off_is_told_once(connection: sa.Connection, config: Config) -> None:
    case, _ = open_one(connection, config)
    route = make_route("legal_regulatory", "alert")
    second = hear(connection, author=Author("luis"), route=route)
    join(connection, config.settings, case.id, second, "repeat", "important", SOON)
    new = split(connection, config, case.id, [second], "Rosa", LATER)
    assert [row[:2] for row in told(connection, new.id)] == [("case", "legal_regulatory@nitido.example")]
    shown = connection.scalar(sa.select(alerts.c.payload).where(alerts.c.case_id == new.id))
    assert shown == {"mention_id": second}
    assert told(connection, case.id) == []


def test_a_case_that_a_split_gives_back_is_told_as_opened_again(connection: sa.Connection, config: Config) -> None:
    first, second = pair(connection, config)
    mine = [one.mention_id for one in case_mentions_of(connection, first.id)]
    queue_case(connection, config, first, mine[0], False, NOW)
    connection.execute(alerts.update().values(state="sent", sent_at=NOW))
    merge(connection, first.id, second.id, "Rosa", SOON)
    split(connection, config, second.id, mine, "Rosa", LATER)
    assert [row[2] for row in told(connection, first.id)] == [ANSWERS, REOPENED]


def test_the_legal_clock_goes_with_the_post_that_set_it(connection: sa.Connection, tmp_path: Path) -> None:
    rules = {
        "rules": {
            "own.complaint": {
                "intents": ["complaint"],
                "country": "PE",
                "resolve": 5,
                "body": "Artel",
                "source": "Res. 1",
            }
        }
    }
    config = make_config(tmp_path, "sqlite://", sla=rules)
    case, opened = open_one(connection, config, stakeholder="customer")
    second = hear(connection, author=Author("luis"), stakeholder="press")
    join(connection, config.settings, case.id, second, "thread", "important", SOON)
    settle(connection, config.settings, case.id, SOON)
    clocks = sa.select(cases.c.id, cases.c.regulatory_rule)
    assert dict(connection.execute(clocks).all()) == {case.id: "own.complaint"}
    new = split(connection, config, case.id, [opened], "Rosa", LATER)
    assert dict(connection.execute(clocks).all()) == {case.id: None, new.id: "own.complaint"}
    lines = len(history(connection, case.id))
    settle(connection, config.settings, case.id, LATER)
    assert len(history(connection, case.id)) == lines, "a second time changes nothing"
    assert all_whole(connection)


def test_a_split_buys_no_time(connection: sa.Connection, config: Config) -> None:
    case, _ = open_one(connection, config)
    second = hear(connection, author=Author("luis"))
    join(connection, config.settings, case.id, second, "repeat", "important", NOW)
    new = split(connection, config, case.id, [second], "Rosa", NOW + timedelta(days=3))
    assert new.due_at == case.due_at
    assert new.overdue(NOW + timedelta(days=3))


def test_splitting_what_a_merge_brought_gives_the_merged_case_back(connection: sa.Connection, config: Config) -> None:
    first, second = pair(connection, config)
    mine = [one.mention_id for one in case_mentions_of(connection, first.id)]
    merge(connection, first.id, second.id, "Rosa", SOON)
    back = split(connection, config, second.id, mine, "Rosa", LATER)
    assert (back.id, back.status, back.merged_into, back.mentions) == (first.id, "new", None, 1)
    assert back.due_at == first.due_at
    assert resolve(connection, first.id) == first.id
    assert all_whole(connection)


def test_splits_that_make_no_sense_are_refused(connection: sa.Connection, config: Config) -> None:
    case, opened = open_one(connection, config)
    other, foreign = open_one(connection, config)
    for chosen, words in (([opened], "One post must stay"), ([foreign], "posts of this case"), ([], "posts of this")):
        with pytest.raises(NotPossible, match=words):
            split(connection, config, case.id, chosen, "Rosa", LATER)
    with pytest.raises(NotPossible, match="no case 404"):
        split(connection, config, 404, [opened], "Rosa", LATER)
    merge(connection, other.id, case.id, "Rosa", LATER)
    with pytest.raises(NotPossible, match="part of case"):
        split(connection, config, other.id, [foreign], "Rosa", LATER)


def test_a_removed_post_leaves_the_histories_of_the_cases_it_was_moved_between(
    connection: sa.Connection, config: Config
) -> None:
    first, second = pair(connection, config, author=Author("la_vecina", "Vecina"))
    note(connection, first.id, "Rosa", SOON, "llamar a la_vecina")
    merge(connection, first.id, second.id, "Rosa", SOON)
    erase(connection, "x", ["2"], "erased", LATER)
    assert "la_vecina" not in repr([line.after for line in history(connection, first.id)])
    assert reread(connection, second.id).mentions == 1
    assert all_whole(connection)
