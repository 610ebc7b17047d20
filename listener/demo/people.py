"""Play the company's people in the demo: they acknowledge, take, answer and correct, as such people do.

Openly simulated and the same at every replay: what each does, and when, follows from the case's number. Their names
stand in config.toml. Nobody works at night; a few cases are forgotten, as everywhere.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from listener.reason import N_, say

if TYPE_CHECKING:
    from listener.config import Config
    from listener.database import Store

__all__ = ["Crew"]

CALLED = N_("Called the person and explained what happened.")
FILED = N_("Answered in the same thread with the number of the file.")
MENDED = N_("The network team looked at the zone and told the person what was found.")
AGREED = N_("Answered with the statement agreed with Legal.")
PASSED = N_("Thanked them and passed it on to the team.")
OFFERED = N_("Sent the conditions and the name of a contact.")
NOTES = {
    "customer_care": (CALLED, FILED),
    "network_quality": (MENDED, FILED),
    "sales": (OFFERED,),
    "legal_regulatory": (AGREED, FILED),
    "public_affairs": (AGREED,),
    "security_fraud": (CALLED,),
    "investor_relations": (AGREED,),
}  # what the others write down fits everybody: it was read and passed on


@dataclass(order=True)
class _Act:
    at: datetime
    case_id: int
    what: str = field(compare=False)


class Crew:
    """Hold what the people of the demo will still do."""

    def __init__(self, config: Config, desk: Any, gold: Mapping[str, Mapping[str, Any]], end: datetime) -> None:
        self.config = config
        self.end = end  # when the demo is opened: the last day's work is still on the desks
        self.desk = desk
        self.gold = gold  # native id → the labels that the corpus carries
        self._planned: list[_Act] = []
        self._seen = 0

    def plan(self, connection: sa.Connection) -> None:
        """Look at the cases opened, or opened again, since last time and decide what will become of them."""
        from stakeholders.store import cases, events

        fresh = connection.execute(
            sa.select(events.c.id, events.c.at, events.c.case_id, cases.c.priority)
            .join(cases, cases.c.id == events.c.case_id)
            .where(events.c.id > self._seen, events.c.what.in_(("opened", "reopened")))
            .order_by(events.c.id)
        ).all()
        for row in fresh:
            self._seen = row.id
            for act in self._acts(row.case_id, row.at, row.priority):
                heapq.heappush(self._planned, act)

    def _acts(self, case_id: int, opened_at: datetime, priority: str) -> Iterator[_Act]:
        dice = [zlib.crc32(f"{case_id}/{number}".encode()) / 2**32 for number in range(6)]
        urgent = priority == "alert"
        age = self.end - opened_at
        if age < timedelta(days=12) and dice[0] < (0.02 if urgent else 0.07):
            return  # forgotten; what is older was found by somebody in the end
        if age < timedelta(hours=26) and dice[0] > (0.55 if urgent else 0.35):
            if dice[1] < 0.4:
                yield _Act(opened_at + timedelta(minutes=10 + 40 * dice[2]), case_id, "acknowledge")
            return
        wait = timedelta(minutes=(4 + 70 * dice[1]) if urgent else (15 + 420 * dice[1] ** 2))
        taken = self._awake(opened_at + wait, urgent)
        yield _Act(taken, case_id, "acknowledge")
        if dice[2] < 0.7:
            yield _Act(taken + timedelta(minutes=5), case_id, "assign")
        yield _Act(taken + timedelta(minutes=2), case_id, "correct")
        # One in nine waits for another area or a file and is answered days later, past its clock.
        patience = timedelta(minutes=12 + 260 * dice[4] ** 2 if urgent else 20 + 400 * dice[4] ** 2)
        if dice[3] > 0.89:
            patience = timedelta(hours=20 + 100 * dice[4])
        answered = self._awake(taken + patience, urgent)
        yield _Act(answered, case_id, "answer")
        if dice[5] < 0.94:
            yield _Act(answered + timedelta(hours=20 + 60 * dice[5]), case_id, "close")

    def _awake(self, moment: datetime, urgent: bool) -> datetime:
        """Move a moment into the hours in which these people look: late evenings only for alerts."""
        local = moment.astimezone(self.config.zone)
        first, last = (6, 23) if urgent else (8, 19)
        if local.hour < first:
            local = local.replace(hour=first, minute=local.minute)
        elif local.hour >= last:
            local = (local + timedelta(days=1)).replace(hour=first, minute=local.minute)
        if not urgent and local.weekday() == 6:
            local += timedelta(days=1)
        return local.astimezone(moment.tzinfo)

    def act(self, store: Store, now: datetime) -> int:
        """Do everything that is due at `now`, each in a commit of its own; give how many acts were done."""
        done = 0
        while self._planned and self._planned[0].at <= now:
            act = heapq.heappop(self._planned)
            with store.write() as connection:
                self._do(connection, act)
            done += 1
        return done

    def _do(self, connection: sa.Connection, act: _Act) -> None:
        import stakeholders.case as case

        current = case.read_case(connection, act.case_id)
        if current is None or current.status in ("closed", "dismissed"):
            return
        table = self.config.settings.departments.get(current.department)
        people = (table.people or [table.lead or "Ana Torres"]) if table else ["Ana Torres"]
        who = people[act.case_id % len(people)]
        if act.what == "acknowledge":
            case.acknowledge(connection, act.case_id, who, act.at)
        elif act.what == "assign":
            case.assign(connection, act.case_id, who, act.at, owner=who)
        elif act.what == "answer" and current.status != "answered":
            notes = NOTES.get(current.department, (PASSED,))
            note = say(notes[act.case_id % len(notes)], self.config.language)
            case.answer(connection, act.case_id, who, act.at, note=note)
        elif act.what == "close" and current.status == "answered":
            case.close(connection, act.case_id, who, act.at)
        elif act.what == "correct":
            self._correct(connection, act, who)

    def _correct(self, connection: sa.Connection, act: _Act, who: str) -> None:
        """Put right a polarity that the judges got wrong or say that it is right, in two cases of five."""
        if act.case_id % 5 > 1:
            return
        from listener.store import mentions, posts
        from sentiment.store import verdicts
        from stakeholders.casework.correction import confirm
        from stakeholders.store import case_mentions

        rows = connection.execute(
            sa.select(mentions.c.id, mentions.c.brand, posts.c.native_id, verdicts.c.sentiment)
            .join(case_mentions, case_mentions.c.mention_id == mentions.c.id)
            .join(posts, posts.c.id == mentions.c.post_id)
            .join(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
            .where(case_mentions.c.case_id == act.case_id, verdicts.c.relevant)
            .order_by(mentions.c.id)
            .limit(1)
        ).all()
        names = {brand.key: brand.name for brand in self.config.brands}
        for row in rows:
            labels = self.gold.get(row.native_id, {})
            right = labels.get("sentiments", {}).get(names.get(row.brand)) or labels.get("sentiment")
            if right and right != row.sentiment:
                self.desk.correct(connection, row.id, "sentiment", right, who, act.at)
            elif right:
                confirm(self.desk, connection, row.id, "sentiment", who, act.at)
