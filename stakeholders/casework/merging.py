"""Merge two cases that are one matter, and split one that is two; posts move, every history stays where it was written.

A merged case is closed, counts no more, and leads to the case that it is part of; splitting its first post off again
gives it back under its old number.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import N_, reason, to_json
from listener.settings import Settings
from listener.store import mentions, posts, read_mention, select_mentions
from stakeholders.casework.step import PROGRAM, UNFINISHED, NotPossible, change, check, give, hold, record, refuse_over
from stakeholders.casework.thread import thread_of
from stakeholders.deciding.decision import Decision, read_decision
from stakeholders.deciding.facts import Case
from stakeholders.deciding.priority import RANKS
from stakeholders.sla import due_at
from stakeholders.store import alerts, case_mentions, cases, drafts, events, spikes

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["kin", "merge", "resolve", "split", "stand_in"]

_URGENT = N_("a more urgent case was merged into it")
_TOLD_THERE = "the case was merged with one that this address was told of"


def resolve(connection: Connection, case_id: int) -> int:
    """Give the number of the case that a case is part of now, or its own; an unknown number comes back as it is."""
    return connection.scalar(sa.select(cases.c.merged_into).where(cases.c.id == case_id)) or case_id


def merge(connection: Connection, case_id: int, into: int, who: str, now: datetime, version: int | None = None) -> Case:
    """Make a case part of another and give that one: it has all posts, the higher priority and the earlier due time.

    `version` is that of the case that ends. Raises NotPossible for two brands, for a crisis, and for an unanswered case
    into one that is answered or closed, where nobody would see it.
    """
    into = resolve(connection, into)
    rows = hold(connection, case_id, into)
    for number in (case_id, into):
        if number not in rows:
            raise NotPossible(reason(N_("There is no case {number}"), number=number))
    ends, stays = rows[case_id], rows[into]
    check(connection, ends, version, now)
    _refuse(connection, ends, stays, now)
    moved = list(
        connection.scalars(
            sa.select(case_mentions.c.mention_id)
            .where(case_mentions.c.case_id == case_id)
            .order_by(case_mentions.c.mention_id)
        )
    )
    connection.execute(
        case_mentions.update().where(case_mentions.c.case_id == case_id).values(case_id=into, how="merged")
    )
    if moved:
        stand_in(connection, into)
    changes = _joined(ends, stays)
    woken = stays.status == "snoozed" and "rank" in changes
    if woken:
        changes |= {"status": "new", "snoozed_until": None}
    told = {name: value for name, value in changes.items() if name in ("priority", "owner")}
    before = {name: getattr(stays, name) for name in told}
    after = {"case": case_id, "mentions": moved} | told
    change(connection, stays, changes, now, who, "merged", before or None, after)
    if woken:
        because = {"status": "new", "note": to_json([reason(_URGENT)])[0]}
        record(connection, into, now, PROGRAM, "woke", {"status": "snoozed"}, because)
    ended = {"status": "closed", "closed_at": ends.closed_at or now, "merged_into": into, "snoozed_until": None}
    change(connection, ends, ended, now, who, "merged", {"status": ends.status}, {"status": "closed", "into": into})
    # All that is part of a case points at it, so that one step leads there.
    connection.execute(cases.update().where(cases.c.merged_into == case_id).values(merged_into=into))
    _move_letters(connection, case_id, into)
    connection.execute(
        drafts.update().where(drafts.c.case_id == case_id, drafts.c.state != "used").values(case_id=into)
    )
    connection.execute(spikes.update().where(spikes.c.case_id == case_id).values(case_id=into))
    return give(connection, into)


def _refuse(connection: Connection, ends: sa.Row[Any], stays: sa.Row[Any], now: datetime) -> None:
    if ends.id == stays.id:
        raise NotPossible(reason(N_("A case cannot be merged with itself")))
    if ends.merged_into is not None:
        refuse_over(connection, ends, now)
    if ends.brand != stays.brand:
        raise NotPossible(reason(N_("These cases are about two brands")))
    if ends.kind == "crisis" and stays.kind != "crisis":
        raise NotPossible(reason(N_("A crisis cannot become part of a single case: merge the case into the crisis")))
    if ends.status in UNFINISHED and stays.status not in UNFINISHED:
        sentence = N_("Case {number} is {status}: this one would go unanswered there. Open it again first")
        raise NotPossible(reason(sentence, number=stays.id, status=stays.status))


def _joined(ends: sa.Row[Any], stays: sa.Row[Any]) -> dict[str, Any]:
    """Give what the case that stays takes over: the more urgent, the earlier, and what it lacks itself."""
    changes: dict[str, Any] = {}
    owed = ends.status in UNFINISHED
    if owed and ends.rank < stays.rank:
        changes |= {"priority": ends.priority, "rank": ends.rank}
    if owed and ends.due_at is not None and (stays.due_at is None or ends.due_at < stays.due_at):
        changes["due_at"] = ends.due_at
    legal = ends.regulatory_due_at
    if owed and legal is not None and (stays.regulatory_due_at is None or legal < stays.regulatory_due_at):
        changes |= {"regulatory_due_at": legal, "regulatory_rule": ends.regulatory_rule}
    if stays.owner is None and ends.owner is not None:
        changes["owner"] = ends.owner
    if stays.ticket_id is None and stays.ticket_url is None:
        changes |= {"ticket_id": ends.ticket_id, "ticket_url": ends.ticket_url} if ends.ticket_id else {}
    copies = [one for one in ends.copies if one not in stays.copies and one != stays.department]
    if copies:
        changes["copies"] = [*stays.copies, *copies]
    return changes


def _move_letters(connection: Connection, case_id: int, into: int) -> None:
    """Let waiting messages speak of the case that stays; nobody is told of it twice."""
    waiting = sa.and_(alerts.c.case_id == case_id, alerts.c.state == "pending", alerts.c.kind != "crm")
    known = sa.select(alerts.c.channel, alerts.c.recipient).where(
        alerts.c.case_id == into, alerts.c.kind.in_(("case", "copy")), alerts.c.state.in_(("pending", "sent"))
    )
    told = {(row.channel, row.recipient.casefold()) for row in connection.execute(known)}
    for row in connection.execute(
        sa.select(alerts.c.id, alerts.c.kind, alerts.c.channel, alerts.c.recipient).where(waiting)
    ).all():
        again = row.kind in ("case", "copy") and (row.channel, row.recipient.casefold()) in told
        values: dict[str, Any] = {"state": "withdrawn", "error": _TOLD_THERE} if again else {"case_id": into}
        connection.execute(alerts.update().where(alerts.c.id == row.id).values(**values))


def split(
    connection: Connection, config: Config, case_id: int, mention_ids: Iterable[int], who: str, now: datetime
) -> Case:
    """Take posts out of a case into one of their own and give it; the last post stays.

    It goes where its first post was decided to go, its clock runs since that post was heard, and it is named as if the
    post had opened it. Posts that a merge had brought give the merged case back. Who answers it is told, and the legal
    clocks of both follow their posts. Raises NotPossible for posts that are
    not in the case, for none and for all.
    """
    from stakeholders.alerts import queue_case
    from stakeholders.regulation.mark import settle

    settings, chosen = config.settings, sorted(set(mention_ids))
    holders = _holders(connection, chosen)
    rows = hold(connection, case_id, *holders.values())
    row = rows.get(case_id)
    if row is None:
        raise NotPossible(reason(N_("There is no case {number}"), number=case_id))
    if row.merged_into is not None:
        refuse_over(connection, row, now)
    mine = set(connection.scalars(sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == case_id)))
    if not chosen or not mine.issuperset(chosen):
        raise NotPossible(reason(N_("Choose posts of this case")))
    if len(mine) == len(chosen):
        raise NotPossible(reason(N_("One post must stay: these are all posts of the case")))
    back = next((rows[one] for one in holders.values() if rows[one].merged_into == case_id), None)
    made = _made(connection, settings, row, chosen, holders, now) if back is None else back.id
    for mention_id in chosen:
        how = "opened" if mention_id == chosen[0] else "thread"
        moved = case_mentions.update().where(case_mentions.c.mention_id == mention_id)
        connection.execute(moved.values(case_id=made, how=how))
    stand_in(connection, case_id)
    _show_others(connection, case_id, frozenset(chosen))
    if back is None:
        new = give(connection, made)
        told = {"mention": chosen[0], "mentions": chosen, "department": new.department, "priority": new.priority}
        record(connection, made, now, who, "opened", None, {**told, "rule": "split", "from": case_id})
    else:
        due = due_at(back.priority, back.department, settings, now, back.stakeholder)
        due = min((one for one in (back.due_at, due) if one is not None), default=None)
        changes = {"status": "new", "merged_into": None, "due_at": due} | dict.fromkeys(("answered_at", "closed_at"))
        after = {"status": "new", "from": case_id, "mentions": chosen}
        change(connection, back, changes, now, who, "reopened", {"status": back.status}, after)
    change(connection, row, {}, now, who, "split", None, {"case": made, "mentions": chosen})
    for number in (made, case_id):
        settle(connection, settings, number, now)
    new = give(connection, made)
    queue_case(connection, config, new, chosen[0], False, now)
    return new


def _holders(connection: Connection, mention_ids: list[int]) -> dict[int, int]:
    """Tell which case is named after each of the posts: {mention: case}."""
    keys = {f"mention:{one}": one for one in mention_ids}
    named = connection.execute(sa.select(cases.c.key, cases.c.id).where(cases.c.key.in_(keys)).order_by(cases.c.id))
    return {keys[row.key]: row.id for row in named}


def _made(
    connection: Connection,
    settings: Settings,
    row: sa.Row[Any],
    chosen: list[int],
    holders: dict[int, int],
    now: datetime,
) -> int:
    """Write the row of a case that was split off, under the name of its first post that names none yet."""
    free = next((one for one in chosen if one not in holders), None)
    if free is None:  # the only one of them that names a case names this one, which keeps a name of its own
        free = chosen[0]
        connection.execute(cases.update().where(cases.c.id == holders[free]).values(key=f"split:{holders[free]}"))
    decision = _leading(connection, chosen)
    route = decision.route if decision is not None else None
    department = route.department if route is not None else row.department
    priority = route.priority if route is not None else row.priority
    stakeholder = decision.speaker.label.name if decision is not None else row.stakeholder
    heard = sa.select(posts.c.collected_at).join(mentions, mentions.c.post_id == posts.c.id)
    start = connection.scalar(heard.where(mentions.c.id.in_(chosen)).order_by(posts.c.collected_at).limit(1)) or now
    found = connection.execute(select_mentions().where(mentions.c.id == chosen[0])).one()
    values = {
        "key": f"mention:{free}",
        "brand": row.brand,
        "department": department,
        "copies": list(route.copies) if route is not None else row.copies,
        "priority": priority,
        "rank": RANKS[priority],
        "stakeholder": stakeholder,
        "status": "new",
        "thread": thread_of(connection, read_mention(found).post),
        "opened_at": now,
        "due_at": due_at(priority, department, settings, start, stakeholder),  # type: ignore[arg-type]
        "version": 1,
    }
    return int(connection.execute(cases.insert().values(**values).returning(cases.c.id)).scalar_one())


def _leading(connection: Connection, mention_ids: list[int]) -> Decision | None:
    """Give the most urgent decision among posts that need an answer of their own; None when none does."""
    found = [one for one in (read_decision(connection, mention) for mention in mention_ids) if one is not None]
    needing = [one for one in found if one.route.opens_case]
    return min(needing, key=lambda one: RANKS[one.route.priority], default=None)


def stand_in(connection: Connection, case_id: int) -> None:
    """Let the oldest post stand for a case that lost the one that opened it: lists show a case by that post."""
    left = connection.execute(
        sa.select(case_mentions.c.mention_id, case_mentions.c.how)
        .where(case_mentions.c.case_id == case_id)
        .order_by(case_mentions.c.mention_id)
    ).all()
    if left and all(one.how != "opened" for one in left):
        oldest = case_mentions.update().where(case_mentions.c.mention_id == left[0].mention_id)
        connection.execute(oldest.values(how="opened"))


def _show_others(connection: Connection, case_id: int, gone: frozenset[int]) -> None:
    """Let messages that wait show a post that stayed."""
    stays = connection.scalar(
        sa.select(case_mentions.c.mention_id)
        .where(case_mentions.c.case_id == case_id)
        .order_by(case_mentions.c.mention_id.desc())
        .limit(1)
    )
    waiting = sa.select(alerts.c.id, alerts.c.payload).where(alerts.c.case_id == case_id, alerts.c.state == "pending")
    for row in connection.execute(waiting).all():
        if (row.payload or {}).get("mention_id") in gone:
            shown = {**row.payload, "mention_id": stays}
            connection.execute(alerts.update().where(alerts.c.id == row.id).values(payload=shown))


def kin(connection: Connection, case_id: int) -> list[int]:
    """Give the cases whose histories may speak of the same posts: merged with this one or split from it, and itself."""
    found, asked = {case_id}, set[int]()
    while new := found - asked:
        asked |= new
        parts = sa.or_(cases.c.merged_into.in_(new), sa.and_(cases.c.id.in_(new), cases.c.merged_into.is_not(None)))
        for row in connection.execute(sa.select(cases.c.id, cases.c.merged_into).where(parts)):
            found |= {row.id, row.merged_into}
        told = sa.and_(events.c.case_id.in_(new), events.c.what.in_(("opened", "reopened", "merged", "split")))
        for after in connection.scalars(sa.select(events.c.after).where(told)):
            found |= {(after or {})[name] for name in ("case", "into", "from") if (after or {}).get(name) is not None}
    known = connection.scalars(sa.select(cases.c.id).where(cases.c.id.in_(found)).order_by(cases.c.id))
    return list(known)
