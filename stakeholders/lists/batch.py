"""Take one step with many cases at once, and take it back: what others changed meanwhile is left alone and named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection

from listener.mention import aware
from listener.reason import N_, Reason, reason, to_json
from listener.taxonomy import Department
from stakeholders import case as steps
from stakeholders.casework.step import TAKEN_BACK, NotPossible, Stale, change, give, hold, lock

__all__ = ["STEPS", "Batch", "Before", "BulkStep", "Until", "take_all", "take_back"]

BulkStep = Literal["acknowledge", "assign", "close", "dismiss", "snooze"]
STEPS: tuple[BulkStep, ...] = get_args(BulkStep)
Until = Callable[[Department], datetime]  # when a case of a department wakes

_NO_CHANGE = N_("it stood so already")
_BACK = N_("taken back")
_KEPT = ("status", "owner", "acknowledged_at", "closed_at", "snoozed_until")


@dataclass(frozen=True, slots=True)
class Before:
    """Hold a case as it stood before the step, and its version after it: by these the step is taken back."""

    case_id: int
    version: int
    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold what was done with many cases, and which were left alone, each with the reason."""

    step: BulkStep
    done: tuple[Before, ...]
    left: tuple[tuple[int, Reason], ...] = ()


def take_all(
    connection: Connection,
    step: BulkStep,
    wanted: Mapping[int, int],
    who: str,
    now: datetime,
    *,
    owner: str | None = None,
    why: str = "",
    until: Until | None = None,
) -> Batch:
    """Take a step with each case that still has its version (`wanted`: id → version), in the caller's transaction.

    A case that was changed meanwhile, or cannot take the step, is left alone and named with the reason; the others
    are not held up. `owner` is for assign (None: nobody), `why` for dismiss, `until` for snooze.
    """
    now = aware(now)
    done: list[Before] = []
    left: list[tuple[int, Reason]] = []
    rows = hold(connection, *wanted)  # all at once, in one order: two people never wait for each other in a ring
    for case_id, version in wanted.items():
        try:
            lock(connection, case_id, version, now)
            if step == "acknowledge":
                seen = steps.acknowledge(connection, case_id, who, now, version)
                if seen.again:
                    raise NotPossible(reason(N_("{quote_who} had seen this case already"), quote_who=seen.who))
            elif step == "assign":
                steps.assign(connection, case_id, who, now, owner, version)
            elif step == "close":
                steps.close(connection, case_id, who, now, None, version)
            elif step == "dismiss":
                steps.dismiss(connection, case_id, who, now, why, version)
            elif until is not None:
                steps.snooze(connection, case_id, who, now, until(rows[case_id].department), version)
        except (Stale, NotPossible) as error:
            left.append((case_id, error.reason))
            continue
        after = give(connection, case_id).version
        if after == version:
            left.append((case_id, reason(_NO_CHANGE)))
        else:
            state = {name: getattr(rows[case_id], name) for name in _KEPT}
            done.append(Before(case_id, after, state))
    return Batch(step, tuple(done), tuple(left))


def take_back(connection: Connection, batch: Batch, who: str, now: datetime) -> Batch:
    """Put each case back as it stood before the step, unless somebody changed it meanwhile; the history tells both.

    The clock of a case that is taken back runs on as it did: who closes and opens again in one breath buys no time.
    """
    now = aware(now)
    done: list[Before] = []
    left: list[tuple[int, Reason]] = []
    hold(connection, *(one.case_id for one in batch.done))
    for one in batch.done:
        try:
            row = lock(connection, one.case_id, one.version, now)
            if batch.step == "assign":
                steps.assign(connection, one.case_id, who, now, one.state["owner"], one.version)
            else:
                # `reopen` would begin a new clock; a step that is taken back was never taken.
                changes = {name: one.state[name] for name in _KEPT if name != "owner"}
                after = {"status": one.state["status"], "note": to_json([reason(_BACK)])[0], TAKEN_BACK: True}
                if one.state["status"] == "snoozed" and one.state["snoozed_until"] is not None:
                    after["until"] = one.state["snoozed_until"].isoformat()
                what = _named(batch.step, row.status, str(one.state["status"]))
                change(connection, row, changes, now, who, what, {"status": row.status}, after)
        except (Stale, NotPossible) as error:
            left.append((one.case_id, error.reason))
            continue
        done.append(Before(one.case_id, give(connection, one.case_id).version, {}))
    return Batch(batch.step, tuple(done), tuple(left))


def _named(step: BulkStep, status: str, back: str) -> str:
    if step == "snooze":
        return "snoozed" if status == back else "woke"  # put off once more: back to the first time
    return "reopened"
