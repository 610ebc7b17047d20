"""No sequence of steps brings a case into a state that cannot be, makes a count disagree, or breaks a seal."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from listener.config import Config
from listener.database import Store
from listener.mention import Author
from listener.taxonomy import OPEN_STATUSES, STATUSES
from stakeholders.case import (
    NotPossible,
    acknowledge,
    answer,
    assign,
    close,
    dismiss,
    history,
    join,
    note,
    reopen,
    snooze,
    wake,
)
from stakeholders.casework.merging import merge, resolve, split
from stakeholders.casework.seal import verify
from stakeholders.casework.snooze import wake_due
from stakeholders.casework.step import TRANSITIONS, UNFINISHED
from stakeholders.counting.period import Period
from stakeholders.counting.response import case_counts, open_now, response_times
from stakeholders.deciding.priority import RANKS
from stakeholders.erasure import erase
from stakeholders.inbox import Filters, count_facets, count_inbox, read_inbox
from stakeholders.lists.caseline import needing_cases
from stakeholders.sla import due_at
from stakeholders.store import case_mentions, cases
from tests.stakeholders.newsroom import NOW, hear, make_config, make_route, open_one

WHO = st.sampled_from(["Rosa", "Luis"])
PLACE = st.integers(0, 2)
PRIORITY = st.sampled_from(["alert", "important", "routine"])
FINISHED = ("answered", "closed", "dismissed")
TOLD = (
    "status", "owner", "department", "copies", "priority", "rank", "due_at", "snoozed_until", "acknowledged_at",
    "answered_at", "closed_at", "ticket_id",
)  # fmt: skip


class Desk(RuleBasedStateMachine):
    """Take steps of all kinds on few cases, so that they meet; in one transaction that is never committed."""

    store: ClassVar[Store]
    config: ClassVar[Config]

    def __init__(self) -> None:
        super().__init__()
        self.connection = self.store.engine.connect()
        self.transaction = self.connection.begin()
        self.now = NOW
        self.posts = self.steps = 0
        self.before: dict[int, sa.Row[Any]] = {}
        self.acting: Any = None

    def teardown(self) -> None:
        self.transaction.rollback()
        self.connection.close()

    def rows(self) -> list[sa.Row[Any]]:
        return list(self.connection.execute(sa.select(cases).order_by(cases.c.id)).all())

    def case_id(self, place: int) -> int:
        known = list(self.connection.scalars(sa.select(cases.c.id).order_by(cases.c.id)))
        return int(known[place % len(known)])

    def step(self, act: Any, *arguments: Any) -> None:
        """Take a step; what is not possible changes nothing."""
        self.acting, before = act, self.rows()
        try:
            act(self.connection, *arguments)
        except NotPossible:
            assert self.rows() == before

    def hear(self, name: str) -> int:
        self.posts += 1
        return hear(self.connection, author=Author(name), now=self.now)

    @initialize()
    def begin(self) -> None:
        self.open("important", "Luis")
        self.open("routine", "Rosa")

    @rule(priority=PRIORITY, who=WHO)
    def open(self, priority: str, who: str) -> None:
        if self.posts < 3:
            self.posts += 1
            open_one(self.connection, self.config, make_route(priority=priority), author=Author(who), now=self.now)

    @rule(place=PLACE, who=WHO, priority=PRIORITY, again=st.booleans())
    def join(self, place: int, who: str, priority: Any, again: bool) -> None:
        if self.posts < 8:
            mention = self.hear(who)
            self.step(join, self.config.settings, self.case_id(place), mention, "thread", priority, self.now, again)

    # The moves of a status stand in three rules, so that most of the steps are such.
    @rule(place=PLACE, who=WHO, act=st.sampled_from([acknowledge, answer, close, reopen, dismiss]))
    def move(self, place: int, who: str, act: Any) -> None:
        case_id = self.case_id(place)
        more = ("publicidad",) if act is dismiss else ()
        first = (self.config.settings,) if act is reopen else ()
        self.step(act, *first, case_id, who, self.now, *more)

    @rule(place=PLACE, who=WHO, hours=st.sampled_from([-1, 1, 5, 30]))
    def snooze(self, place: int, who: str, hours: int) -> None:
        self.step(snooze, self.case_id(place), who, self.now, self.now + timedelta(hours=hours))

    @rule(place=PLACE, who=WHO, hours=st.sampled_from([1, 5]), act=st.sampled_from([answer, close, dismiss, wake]))
    def snooze_and_move(self, place: int, who: str, hours: int, act: Any) -> None:
        case_id = self.case_id(place)
        self.step(snooze, case_id, who, self.now, self.now + timedelta(hours=hours))
        self.holds()
        self.step(act, case_id, who, self.now, *(("publicidad",) if act is dismiss else ()))

    @rule(place=PLACE, who=WHO, hours=st.sampled_from([0, 9]), act=st.sampled_from([answer, close]), late=st.booleans())
    def finish_and_reopen(self, place: int, who: str, hours: int, act: Any, late: bool) -> None:
        case_id = self.case_id(place)
        self.step(act, case_id, who, self.now)
        self.holds()
        self.pass_time(hours)
        self.holds()
        if late and self.posts < 8:
            mention = self.hear(who)
            self.step(join, self.config.settings, case_id, mention, "thread", "important", self.now, True)
        else:
            self.step(reopen, self.config.settings, case_id, who, self.now)

    @rule(place=PLACE, who=WHO, owner=st.none() | WHO)
    def assign(self, place: int, who: str, owner: str | None) -> None:
        self.step(assign, self.case_id(place), who, self.now, owner)

    @rule(hours=st.sampled_from([0, 1, 9, 40]))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.step(wake_due, self.config, self.now)
        slept = cases.c.snoozed_until
        assert all(one > self.now for one in self.connection.scalars(sa.select(slept).where(slept.is_not(None))))

    @rule(place=PLACE, into=PLACE, who=WHO)
    def merge(self, place: int, into: int, who: str) -> None:
        self.step(merge, self.case_id(place), self.case_id(into), who, self.now)

    @rule(place=PLACE, chosen=st.sets(PLACE, max_size=2), who=WHO)
    def split(self, place: int, chosen: set[int], who: str) -> None:
        case_id = self.case_id(place)
        found = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == case_id)
        known = list(self.connection.scalars(found.order_by(case_mentions.c.mention_id)))
        picked = [known[one % len(known)] for one in chosen] if known else []
        self.step(split, self.config, case_id, picked, who, self.now)

    @rule(place=PLACE, who=WHO, number=st.integers(1, 8), gone=st.booleans())
    def note_or_erase(self, place: int, who: str, number: int, gone: bool) -> None:
        if gone:
            self.acting = erase
            erase(self.connection, "x", [str(number)], "deleted", self.now)
        else:
            self.step(note, self.case_id(place), who, self.now, "ojo")

    @invariant()
    def holds(self) -> None:
        rows = self.rows()
        for row in rows:
            self.check_row(row)
            old = self.before.get(row.id)
            if old is not None and tuple(old) != tuple(row):
                self.check_move(old, row)
            if old is None or old.version != row.version or self.acting in (note, erase, wake_due):
                self.check_history(row)
        self.before = {row.id: row for row in rows}
        self.steps += 1
        if self.steps % 6 == 0:
            self.check_counts(rows)

    def check_move(self, old: sa.Row[Any], row: sa.Row[Any]) -> None:
        """Hold what a step did to a case to what no step may do."""
        changed = [name for name in TOLD if getattr(old, name) != getattr(row, name)]
        assert row.version > old.version if changed else row.version >= old.version
        begins = old.status in FINISHED and row.status == "new"
        if begins and self.acting is not split:
            due = due_at(row.priority, row.department, self.config.settings, self.now, row.stakeholder)
            assert (row.due_at, row.escalated) == (due, 0)
        elif not begins and old.due_at is not None:
            assert row.due_at is not None
            assert row.due_at <= old.due_at
        if not begins:
            for name in ("acknowledged_at", "answered_at"):
                assert getattr(old, name) in (None, getattr(row, name))
            assert row.rank <= old.rank
        else:
            assert row.answered_at is None

    def check_row(self, row: sa.Row[Any]) -> None:
        assert row.status in STATUSES
        assert row.rank == RANKS[row.priority]
        assert (row.snoozed_until is not None) == (row.status == "snoozed")
        assert (row.closed_at is not None) == (row.status in ("closed", "dismissed"))
        assert row.answered_at is not None or row.status != "answered"
        assert row.answered_at is None or row.status in ("answered", "closed")
        assert row.acknowledged_at is not None or row.status not in ("acknowledged", "snoozed", "answered")
        if row.merged_into is not None:
            heir = self.connection.execute(sa.select(cases).where(cases.c.id == row.merged_into)).one()
            assert (row.status, heir.merged_into, resolve(self.connection, row.id)) == ("closed", None, heir.id)
        mine = sa.select(case_mentions.c.how).where(case_mentions.c.case_id == row.id)
        hows = Counter(self.connection.scalars(mine))
        assert hows["opened"] == (1 if hows else 0)
        assert not (hows and row.merged_into is not None)

    def check_history(self, row: sa.Row[Any]) -> None:
        assert verify(self.connection, row.id) is None
        status = None
        for line in history(self.connection, row.id):
            if line.what == "opened":
                status = "new"
            elif "status" in (line.after or {}):
                old, new = (line.before or {})["status"], (line.after or {})["status"]
                assert old == status
                assert new in TRANSITIONS[line.what][old]
                status = new
        assert status == row.status

    def check_counts(self, rows: Any) -> None:
        alive = [row for row in rows if row.merged_into is None]
        by_status = Counter(row.status for row in alive)
        views = {one: by_status[one] for one in STATUSES} | {
            "open": sum(by_status[one] for one in OPEN_STATUSES),
            "all": len(alive),
        }
        for view, many in views.items():
            filters = Filters(status=view)
            assert count_inbox(self.connection, filters, self.now) == many
            assert len(read_inbox(self.connection, filters, self.now).rows) == many
        assert count_facets(self.connection, Filters(), self.now)["status"] == dict(by_status)
        late = [
            row.id
            for row in alive
            if row.answered_at is None and row.status in UNFINISHED and row.due_at and row.due_at < self.now
        ]
        overdue = Filters(status="all", overdue=True)
        assert sorted(one.case.id for one in read_inbox(self.connection, overdue, self.now).rows) == late
        period = Period(NOW - timedelta(days=1), self.now + timedelta(days=1), ZoneInfo("UTC"))
        counts, now = case_counts(self.connection, period, None, self.now), open_now(self.connection, None, self.now)
        assert counts.reconciles()
        assert (counts.opened, counts.overdue, counts.dismissed) == (len(alive), len(late), by_status["dismissed"])
        assert (counts.open, now.open + now.snoozed) == (sum(by_status[one] for one in UNFINISHED),) * 2
        assert (now.open, now.overdue + now.snoozed_overdue) == (views["open"], len(late))
        assert now.needing == len(needing_cases(self.connection, None, self.now, 100))
        times = response_times(self.connection, period, None)
        assert (sum(one.cases for one in times), sum(one.open for one in times)) == (counts.opened, counts.open)


def run(store: Store, folder: Path, examples: int, *phases: Phase) -> None:
    class Here(Desk):
        pass

    Here.store, Here.config = store, make_config(folder, store.url)
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            database=None,
            derandomize=True,
            phases=phases,
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        ),
    )


BUDGET = 32  # sequences of twenty steps


def test_no_sequence_of_steps_reaches_an_impossible_state(store: Store, tmp_path: Path) -> None:
    run(store, tmp_path, BUDGET if store.url.startswith("sqlite") else 5, Phase.generate, Phase.shrink)


def test_the_table_of_the_page_is_the_table_of_the_code() -> None:
    """Hold docs/cases.md to TRANSITIONS: | event | from | to |."""
    text = (Path(__file__).parents[2] / "docs/cases.md").read_text(encoding="utf-8")
    told: dict[str, dict[str, set[str]]] = {}
    for event, old, new in re.findall(r"^\| `(\w+)` \| ([\w, ]+) \| ([\w, ]+) \|", text, re.MULTILINE):
        for status in old.split(", "):
            told.setdefault(event, {}).setdefault(status, set()).update(new.split(", "))
    assert told == {
        event: {old: set(new) for old, new in steps.items()} for event, steps in TRANSITIONS.items()
    }  # fmt: skip
