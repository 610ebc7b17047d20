"""The machine of steps finds what is planted: each fault is one that a hurried change could make."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase

import stakeholders.case
import stakeholders.casework.merging
import stakeholders.casework.snooze
import stakeholders.casework.step
from stakeholders.store import cases
from tests.stakeholders.newsroom import open_store
from tests.stakeholders.test_case_machine import BUDGET, run


def without(*names: str) -> Any:
    return lambda _row, changes: {name: value for name, value in changes.items() if name not in names}


# What a step forgets or does wrong: the event, and what becomes of its changes.
FAULTS: dict[str, tuple[str, Any]] = {
    "answering leaves the snooze in place": ("answered", without("snoozed_until")),
    "dismissing leaves the snooze in place": ("dismissed", without("snoozed_until")),
    "opening again keeps the first answer": ("reopened", without("answered_at")),
    "opening again keeps the old clock": ("reopened", without("due_at")),
    "waking leaves the time it was put off to": ("woke", without("snoozed_until")),
    "merging leaves the case open": ("merged", without("status", "closed_at")),
    "putting off buys time": ("snoozed", lambda _row, changes: {**changes, "due_at": changes["snoozed_until"]}),
    "a more urgent post moves the clock later": (
        "joined",
        lambda row, changes: changes | ({"due_at": row.due_at + timedelta(days=1)} if row.due_at else {}),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event, spoil = FAULTS[name]

    def change(connection: Any, row: Any, changes: Any, now: Any, who: str, what: str, *told: Any) -> int:
        done = spoil(row, dict(changes)) if what == event else changes
        return stakeholders.casework.step.change(connection, row, done, now, who, what, *told)

    for room in (stakeholders.case, stakeholders.casework.snooze, stakeholders.casework.merging):
        monkeypatch.setattr(room, "change", change)
    hunted(tmp_path)


def test_a_step_that_counts_no_version_up_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(connection: Any, row: Any, *told: Any) -> int:
        line = stakeholders.casework.step.change(connection, row, *told)
        if told[3] == "assigned":
            connection.execute(cases.update().where(cases.c.id == row.id).values(version=row.version))
        return line

    monkeypatch.setattr(stakeholders.case, "change", change)
    hunted(tmp_path)


def test_a_step_that_writes_no_line_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(connection: Any, row: Any, changes: Any, now: Any, who: str, what: str, *told: Any) -> int:
        if what != "closed":
            return stakeholders.casework.step.change(connection, row, changes, now, who, what, *told)
        values = {**changes, "version": row.version + 1}
        connection.execute(cases.update().where(cases.c.id == row.id).values(**values))
        return 0

    monkeypatch.setattr(stakeholders.case, "change", change)
    hunted(tmp_path)


def hunted(folder: Path) -> None:
    """Let the machine run against a fault until it finds a state that cannot be.

    Which steps are drawn hangs on the constants of the modules that are loaded (Hypothesis draws from them too), so a
    fault that one run finds at once another finds late: the hunt may go on four times as long as an ordinary run.
    """
    store = open_store(f"sqlite:///{folder}/escucha.db")
    try:
        with pytest.raises(AssertionError):
            run(store, folder, 4 * BUDGET, Phase.generate)
    finally:
        store.close()
