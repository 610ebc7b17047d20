"""A case moves, remembers who moved it, and never lets two people answer unawares."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.errors import EscuchaError
from listener.intake import save_page
from listener.mention import Author, Mention, Post
from listener.settings import Settings
from listener.store import mentions, posts
from sentiment.verdict import Label
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
    record,
    reroute,
)
from stakeholders.casework.chronicle import HAPPENED
from stakeholders.casework.step import _CHANGED, SILENT
from stakeholders.deciding.decision import save_decision
from stakeholders.deciding.facts import Facts, Route, Speaker
from stakeholders.store import cases, events

SETTINGS = Settings()
NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)  # a Tuesday, 10:00 in Lima
LATER = NOW + timedelta(hours=1)


def hear(connection: sa.Connection, native_id: str, author: str | None = "ana", source: str = "x") -> int:
    """Store a post about Nítido; give its mention's id."""
    post = Post(
        source,
        native_id,
        f"Nítido sin señal {native_id}",
        NOW,
        Author(handle=author),
        url=f"https://x.example/{native_id}",
    )
    save_page(connection, source, [post], [Mention(post, "nitido", "own", ())], (), None, NOW)
    query = sa.select(mentions.c.id).join(posts).where(posts.c.native_id == native_id, posts.c.source == source)
    return int(connection.execute(query).scalar_one())


def route(**changes: Any) -> Route:
    told: dict[str, Any] = {"department": "customer_care", "copies": (), "priority": "important", "rule": "matrix"}
    return Route(**told | {"because": (), "opens_case": True} | changes)


def decide(connection: sa.Connection, mention_id: int, stakeholder: Any, department: Any = "customer_care") -> None:
    facts = Facts("", None, "nitido", "own", stakeholder, "negative", "workplace", "complaint")
    speaker = Speaker(Label(stakeholder, 0.9))
    save_decision(connection, mention_id, facts, 0, speaker, route(department=department), NOW)


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


@pytest.fixture
def case_id(connection: sa.Connection) -> int:
    mention = hear(connection, "1")
    decide(connection, mention, "customer")
    return open_case(connection, SETTINGS, mention, "nitido", route(), "customer", "x/1", NOW).id


def told(connection: sa.Connection, case_id: int) -> list[str]:
    return [event.what for event in history(connection, case_id)]


def test_a_case_opens_with_its_clock_and_its_first_event(connection: sa.Connection, case_id: int) -> None:
    case = read_case(connection, case_id)
    assert case is not None
    assert (case.status, case.department, case.priority, case.mentions, case.people) == (
        "new", "customer_care", "important", 1, 1
    )  # fmt: skip
    assert case.due_at == NOW + timedelta(hours=8)
    assert told(connection, case_id) == ["opened"]
    assert history(connection, case_id)[0].who == "escucha"


def test_a_mention_opens_a_case_once(connection: sa.Connection, case_id: int) -> None:
    mention = case_mentions_of(connection, case_id)[0].mention_id
    again = open_case(connection, SETTINGS, mention, "nitido", route(), "customer", "x/1", LATER)
    assert again.id == case_id
    assert told(connection, case_id) == ["opened"]


def test_there_is_no_case_of_an_unknown_number(connection: sa.Connection) -> None:
    assert read_case(connection, 404) is None
    for act in (acknowledge, answer, close):
        with pytest.raises(NotPossible, match="no case 404"):
            act(connection, 404, "Rosa", NOW)


def test_the_whole_life_of_a_case_stands_in_its_history(connection: sa.Connection, case_id: int) -> None:
    acknowledge(connection, case_id, "Rosa", NOW)
    assign(connection, case_id, "Rosa", NOW, "Luis")
    note(connection, case_id, "Luis", NOW, " llamar mañana ")
    answered = answer(connection, case_id, "Luis", LATER, note="por mensaje")
    assert (answered.status, answered.owner, answered.answered_at) == ("answered", "Luis", LATER)
    closed = close(connection, case_id, "Luis", LATER)
    assert (closed.status, closed.closed_at, closed.version) == ("closed", LATER, 5)
    assert told(connection, case_id) == ["opened", "acknowledged", "assigned", "note", "answered", "closed"]
    lines = history(connection, case_id)
    assert (lines[2].before, lines[2].after) == ({"owner": None}, {"owner": "Luis"})
    assert lines[3].after == {"note": "llamar mañana"}
    assert lines[4].after == {"status": "answered", "note": "por mensaje"}


def test_a_second_acknowledgement_changes_nothing_and_tells_who_was_first(
    connection: sa.Connection, case_id: int
) -> None:
    first = acknowledge(connection, case_id, "Rosa", NOW, version=1)
    second = acknowledge(connection, case_id, "Luis", LATER, version=1)
    assert (first.who, first.again) == ("Rosa", False)
    assert (second.who, second.at, second.again) == ("Rosa", NOW, True)
    assert told(connection, case_id) == ["opened", "acknowledged"]


def test_a_link_in_a_mail_still_works_when_the_case_was_answered_meanwhile(
    connection: sa.Connection, case_id: int
) -> None:
    answer(connection, case_id, "Luis", NOW)
    late = acknowledge(connection, case_id, "Rosa", LATER)
    assert (late.who, late.again, late.case.status) == ("Luis", True, "answered")


def test_an_answer_to_an_old_view_is_refused_and_says_who_changed_what(connection: sa.Connection, case_id: int) -> None:
    assign(connection, case_id, "Rosa", NOW, "Rosa", version=1)
    with pytest.raises(Stale, match=r"Rosa gave this case to somebody else \(\d+ (min|h|d) ago\)"):
        answer(connection, case_id, "Luis", LATER, version=1)
    assert issubclass(Stale, EscuchaError)
    case = read_case(connection, case_id)
    assert case is not None
    assert case.status == "new"
    assert answer(connection, case_id, "Luis", LATER, version=case.version).status == "answered"


def test_a_note_or_a_sent_mail_makes_no_view_old(connection: sa.Connection, case_id: int) -> None:
    note(connection, case_id, "Rosa", NOW, "ojo")
    assert answer(connection, case_id, "Luis", LATER, version=1).status == "answered"


def test_moves_that_make_no_sense_are_refused_in_words(connection: sa.Connection, case_id: int) -> None:
    with pytest.raises(NotPossible, match="empty note"):
        note(connection, case_id, "Rosa", NOW, "  ")
    answer(connection, case_id, "Luis", NOW)
    with pytest.raises(NotPossible, match="Luis answered this case already"):
        answer(connection, case_id, "Rosa", LATER)
    close(connection, case_id, "Luis", NOW)
    for act in (answer, close):
        with pytest.raises(NotPossible, match="Luis closed this case"):
            act(connection, case_id, "Rosa", LATER)
    with pytest.raises(NotPossible, match="closed"):
        assign(connection, case_id, "Rosa", LATER, "Rosa")
    assert told(connection, case_id) == ["opened", "answered", "closed"]


def test_the_same_owner_again_changes_nothing(connection: sa.Connection, case_id: int) -> None:
    assign(connection, case_id, "Rosa", NOW, "Rosa")
    assert assign(connection, case_id, "Rosa", NOW, " Rosa ").version == 2
    assert assign(connection, case_id, "Rosa", NOW, None).owner is None


def test_a_more_urgent_mention_raises_the_case(connection: sa.Connection, case_id: int) -> None:
    acknowledge(connection, case_id, "Rosa", NOW)
    case = join(connection, SETTINGS, case_id, hear(connection, "2", "luis"), "thread", "alert", LATER)
    assert (case.priority, case.status, case.mentions, case.people) == ("alert", "acknowledged", 2, 2)
    assert case.due_at == LATER + timedelta(hours=1)
    rank = connection.scalar(sa.select(cases.c.rank).where(cases.c.id == case_id))
    assert rank == 0
    line = history(connection, case_id)[-1]
    assert (line.what, line.before) == ("joined", {"priority": "important"})


def test_a_less_urgent_mention_leaves_urgency_and_clock(connection: sa.Connection, case_id: int) -> None:
    case = join(connection, SETTINGS, case_id, hear(connection, "2"), "repeat", "routine", LATER)
    assert (case.priority, case.due_at, case.mentions, case.people) == ("important", NOW + timedelta(hours=8), 2, 1)


def test_a_due_time_never_moves_later_by_a_joining_mention(connection: sa.Connection, case_id: int) -> None:
    late = NOW + timedelta(hours=7, minutes=30)
    case = join(connection, SETTINGS, case_id, hear(connection, "2"), "thread", "alert", late)
    assert case.due_at == NOW + timedelta(hours=8)


def test_a_mention_joins_once(connection: sa.Connection, case_id: int) -> None:
    mention = hear(connection, "2")
    join(connection, SETTINGS, case_id, mention, "thread", "important", LATER)
    assert join(connection, SETTINGS, case_id, mention, "repeat", "alert", LATER).version == 2


@pytest.mark.parametrize("last", [answer, close])
def test_a_new_post_of_the_thread_opens_the_case_again_with_a_fresh_clock(
    connection: sa.Connection, case_id: int, last: Any
) -> None:
    last(connection, case_id, "Luis", NOW)
    case = join(connection, SETTINGS, case_id, hear(connection, "2"), "thread", "important", NOW + timedelta(days=1))
    assert (case.status, case.answered_at, case.closed_at) == ("new", None, None)
    assert case.due_at == NOW + timedelta(days=1, hours=8)
    assert told(connection, case_id)[-2:] == ["joined", "reopened"]
    assert acknowledge(connection, case_id, "Rosa", LATER).who == "Rosa"


def test_thanks_may_join_without_opening_it_again(connection: sa.Connection, case_id: int) -> None:
    close(connection, case_id, "Luis", NOW)
    case = join(connection, SETTINGS, case_id, hear(connection, "2"), "thread", "routine", LATER, reopen=False)
    assert (case.status, case.mentions) == ("closed", 2)


def test_a_new_route_is_in_the_history_and_buys_no_time(connection: sa.Connection, case_id: int) -> None:
    wanted = route(department="legal_regulatory", copies=("communications",))
    case = reroute(connection, SETTINGS, case_id, wanted, "regulator", "important", "escucha", LATER)
    assert (case.department, case.copies, case.stakeholder) == ("legal_regulatory", ("communications",), "regulator")
    assert case.due_at == NOW + timedelta(hours=8)
    line = history(connection, case_id)[-1]
    assert line.before == {"department": "customer_care", "copies": [], "stakeholder": "customer"}
    assert line.after is not None
    assert line.after["department"] == "legal_regulatory"
    raised = reroute(connection, SETTINGS, case_id, wanted, "regulator", "alert", "escucha", LATER)
    assert raised.due_at == LATER + timedelta(hours=1)
    same = reroute(connection, SETTINGS, case_id, wanted, "regulator", "alert", "escucha", LATER)
    assert same.version == raised.version


def test_people_whose_name_is_not_told_count_as_one(connection: sa.Connection, case_id: int) -> None:
    for number, author in enumerate(["luis", None, None, "luis"], 2):
        join(connection, SETTINGS, case_id, hear(connection, str(number), author), "repeat", "routine", NOW)
    case = read_case(connection, case_id)
    assert case is not None
    assert (case.mentions, case.people) == (5, 3)


def test_an_employee_is_never_named_to_human_resources(connection: sa.Connection) -> None:
    mention = hear(connection, "9", "rosa_mqp")
    decide(connection, mention, "employee", "human_resources")
    opened = open_case(
        connection, SETTINGS, mention, "nitido", route(department="human_resources"), "employee", None, NOW
    )
    hidden = case_mentions_of(connection, opened.id)[0]
    assert hidden.masked
    assert "rosa_mqp" not in repr(hidden)
    assert hidden.mention.post.url is None
    assert hidden.mention.post.text == "Nítido sin señal 9"
    elsewhere = reroute(connection, SETTINGS, opened.id, route(), "employee", "important", "escucha", NOW)
    assert elsewhere.department == "customer_care"
    assert case_mentions_of(connection, opened.id)[0].mention.post.author.handle == "rosa_mqp"


def test_what_is_rolled_back_leaves_no_history(store: Store) -> None:
    with store.write() as connection:
        opened = open_case(connection, SETTINGS, hear(connection, "1"), "nitido", route(), "customer", None, NOW)

    def answer_twice() -> None:
        with store.write() as connection:
            answer(connection, opened.id, "Luis", NOW)
            answer(connection, opened.id, "Luis", NOW)

    with pytest.raises(NotPossible):
        answer_twice()
    with store.read() as connection:
        case = read_case(connection, opened.id)
        assert case is not None
        assert case.status == "new"
        assert connection.scalar(sa.select(sa.func.count()).select_from(events)) == 1


@pytest.mark.parametrize("what", sorted(SILENT))
def test_a_refusal_names_what_a_person_changed_and_never_a_line_that_changed_nothing(
    connection: sa.Connection, case_id: int, what: str
) -> None:
    acknowledge(connection, case_id, "Rosa", NOW)
    record(connection, case_id, LATER, "Nadie", what, None, {"note": "x"})
    with pytest.raises(Stale, match="Rosa acknowledged this case meanwhile"):
        answer(connection, case_id, "Luis", LATER, version=1)


def test_every_line_of_a_history_is_either_silent_or_worded_for_who_comes_too_late() -> None:
    assert set(HAPPENED) == SILENT | set(_CHANGED)
    assert not SILENT & set(_CHANGED)
