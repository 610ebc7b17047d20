"""No sequence of steps brings a case into a state that cannot be, makes a count disagree, or breaks a seal."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
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
)
from stakeholders.erasure import erase
from stakeholders.inbox import Filters, count_facets, count_inbox, read_inbox
from stakeholders.merging import merge, resolve, split
from stakeholders.period import Period
from stakeholders.response import case_counts, needing_cases, open_now, response_times
from stakeholders.seal import verify
from stakeholders.snooze import wake_due
from stakeholders.step import TRANSITIONS, UNFINISHED
from stakeholders.store import case_mentions, cases
from tests.stakeholders.newsroom import NOW, hear, make_config, make_route, open_one

WHO = st.sampled_from(["Rosa", "Luis", "Ana"])
PLACE = st.integers(0, 7)
PRIORITY = st.sampled_from(["alert", "important", "routine"])


class Desk(RuleBasedStateMachine):
    """Take steps of all kinds on a few cases, in one transaction that is never committed."""

    store: ClassVar[Store]
    config: ClassVar[Config]

    def __init__(self) -> None:
        super().__init__()
        self.connection = self.store.engine.connect()
        self.transaction = self.connection.begin()
        self.now = NOW
        self.posts = 0
        self.refused = 0

    def teardown(self) -> None:
        self.transaction.rollback()
        self.connection.close()

    def case_id(self, place: int) -> int:
        known = list(self.connection.scalars(sa.select(cases.c.id).order_by(cases.c.id)))
        return int(known[place % len(known)])

    def step(self, act: Any, *arguments: Any) -> None:
        """Take a step; what is not possible changes nothing."""
        before = self.connection.execute(sa.select(cases).order_by(cases.c.id)).all()
        try:
            act(self.connection, *arguments)
        except NotPossible:
            self.refused += 1
            assert self.connection.execute(sa.select(cases).order_by(cases.c.id)).all() == before

    def hear(self, name: str) -> int:
        self.posts += 1
        return hear(self.connection, author=Author(name), now=self.now)

    @initialize()
    def begin(self) -> None:
        for _ in range(2):
            self.open("important", "Luis")

    @rule(priority=PRIORITY, who=WHO)
    def open(self, priority: str, who: str) -> None:
        if self.posts < 8:
            self.posts += 1
            open_one(self.connection, self.config, make_route(priority=priority), author=Author(who), now=self.now)

    @rule(place=PLACE, who=WHO, priority=PRIORITY, again=st.booleans())
    def join(self, place: int, who: str, priority: Any, again: bool) -> None:
        if self.posts < 12:
            mention = self.hear(who)
            self.step(join, self.config.settings, self.case_id(place), mention, "thread", priority, self.now, again)

    @rule(place=PLACE, who=WHO)
    def acknowledge(self, place: int, who: str) -> None:
        self.step(acknowledge, self.case_id(place), who, self.now)

    @rule(place=PLACE, who=WHO, owner=st.none() | WHO)
    def assign(self, place: int, who: str, owner: str | None) -> None:
        self.step(assign, self.case_id(place), who, self.now, owner)

    @rule(place=PLACE, who=WHO, act=st.sampled_from([answer, close]))
    def finish(self, place: int, who: str, act: Any) -> None:
        self.step(act, self.case_id(place), who, self.now)

    @rule(place=PLACE, who=WHO)
    def dismiss(self, place: int, who: str) -> None:
        self.step(dismiss, self.case_id(place), who, self.now, "publicidad")

    @rule(place=PLACE, who=WHO)
    def reopen(self, place: int, who: str) -> None:
        self.step(reopen, self.config.settings, self.case_id(place), who, self.now)

    @rule(place=PLACE, who=WHO, hours=st.integers(-1, 30))
    def snooze(self, place: int, who: str, hours: int) -> None:
        self.step(snooze, self.case_id(place), who, self.now, self.now + timedelta(hours=hours))

    @rule(place=PLACE, who=WHO)
    def note(self, place: int, who: str) -> None:
        self.step(note, self.case_id(place), who, self.now, "ojo")

    @rule(hours=st.integers(0, 40))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        wake_due(self.connection, self.config.settings, self.now)
        slept = cases.c.snoozed_until
        assert all(one > self.now for one in self.connection.scalars(sa.select(slept).where(slept.is_not(None))))

    @rule(place=PLACE, into=PLACE, who=WHO)
    def merge(self, place: int, into: int, who: str) -> None:
        self.step(merge, self.case_id(place), self.case_id(into), who, self.now)

    @rule(place=PLACE, chosen=st.sets(PLACE, max_size=3), who=WHO)
    def split(self, place: int, chosen: set[int], who: str) -> None:
        case_id = self.case_id(place)
        found = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == case_id)
        known = list(self.connection.scalars(found.order_by(case_mentions.c.mention_id)))
        picked = [known[one % len(known)] for one in chosen] if known else []
        self.step(split, self.config.settings, case_id, picked, who, self.now)

    @rule(number=st.integers(1, 12))
    def erase(self, number: int) -> None:
        erase(self.connection, "x", [str(number)], "deleted", self.now)

    @invariant()
    def holds(self) -> None:
        rows = self.connection.execute(sa.select(cases).order_by(cases.c.id)).all()
        for row in rows:
            self.check_row(row)
            self.check_history(row)
        self.check_counts(rows)

    def check_row(self, row: sa.Row[Any]) -> None:
        assert row.status in STATUSES
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


def test_no_sequence_of_steps_reaches_an_impossible_state(store: Store, tmp_path: Path) -> None:
    class Here(Desk):
        pass

    Here.store, Here.config = store, make_config(tmp_path, store.url)
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=20 if store.url.startswith("sqlite") else 6,
            stateful_step_count=20,
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


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
