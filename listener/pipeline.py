"""Show the whole flow on one page: collect → classify → route → send → digest.

Each stage is a query for what is pending and one commit for its own rows, so it can be killed anywhere, run twice or
alone: nothing is lost and nothing is done twice. This file wires the three rooms and is the only one that may.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from listener.budget import gate
from listener.cluster import Clusters, cluster_pending
from listener.config import Config
from listener.database import Store
from listener.errors import ClassifierError, RateLimited, SourceError
from listener.intake import Intake, Saved
from listener.lease import Hold
from listener.mention import Page, Source
from listener.poll import Collected, Poll
from listener.store import mentions, read_mention, select_mentions

if TYPE_CHECKING:
    from listener.sweep import Swept

__all__ = ["Collected", "Flow", "no_step"]

log = logging.getLogger("escucha.pipeline")


def no_step(name: str) -> None:
    """Do nothing between two steps; tests put a SIGKILL here."""


class Flow:
    """Hold one instance at work: its configuration, its store, its judges; `step` is called after each commit."""

    def __init__(self, config: Config, store: Store, step: Callable[[str], None] = no_step) -> None:
        self.config = config
        self.store = store
        self.step = step
        self._clusters = Clusters()
        self._unjudged: set[int] = set()  # mentions that broke the engine; they stay pending for the next start

    @cached_property
    def intake(self) -> Intake:
        """Give what stores pages."""
        return Intake(self.config)

    @cached_property
    def classifier(self) -> Any:
        """Give the engine that judges."""
        from sentiment.engine import load

        return load(self.config.settings.sentiment, self.config.folder)

    @cached_property
    def desk(self) -> Any:
        """Give the desk that decides who answers."""
        from stakeholders.desk import Desk

        return Desk(self.config)

    def source(self, name: str) -> Source:
        """Open a source by the name of its table."""
        from listener.egress import egress_of
        from listener.sources import load

        return load(name, self.config.sources[name], egress_of(self.config))  # paths start at the file, see config.py

    def collect(
        self,
        name: str,
        now: datetime,
        source: Source | None = None,
        *,
        hold: Hold | None = None,
        longest: timedelta | None = None,
    ) -> Collected:
        """Poll one source; each page, its mentions and its cursor are one commit, so a kill loses no post.

        `hold` is the lease under which it is polled; `longest` ends the poll between two pages.
        """
        poll = Poll(self.store, self.config, self.save, self.step)
        return poll.run(name, now, source or (lambda: self.source(name)), hold, longest)

    def save(self, connection: sa.Connection, name: str, page: Page, now: datetime) -> Saved:
        """Store a page and settle what it asks of the other rooms: erase what is gone, opt-outs, edits."""
        from stakeholders.arrival import settle_arrival

        saved = self.intake.save(connection, name, page, now)
        settle_arrival(connection, name, page, saved, now)
        return saved

    def sweep(self, name: str, now: datetime, *, everything: bool = False, hold: Hold | None = None) -> Swept:
        """Ask a source after stored posts; what was removed or edited there is so here, each page in one commit."""
        from listener.sweep import sweep_source
        from stakeholders.erasure import erase

        began, source = monotonic(), self.source(name)

        def save(connection: sa.Connection, source_name: str, page: Page, at: datetime) -> Saved:
            if hold is not None:
                hold.fence(connection)
            return self.save(connection, source_name, page, at)

        return sweep_source(
            self.store,
            source,
            name,
            now,
            save,
            self.step,
            erase=erase,
            pay=gate(self.store, self.config, name, source, lambda: now + timedelta(seconds=monotonic() - began)),
            stopping=hold.stopping if hold is not None else lambda: False,
            again=timedelta(0) if everything else None,
        )

    def cluster(self, now: datetime) -> int:
        """Find which posts say the same as an earlier one, one commit a batch; give how many were compared."""
        placed = 0
        while done := cluster_pending(self.store, self._clusters):
            placed += done
            self.step("clusters stored")
        return placed

    def classify(self, now: datetime, batch: int = 200, most: int | None = None) -> int:
        """Judge the mentions that have no verdict, one commit a batch, at most `most` batches; give how many were."""
        from sentiment.store import save_verdicts, verdicts
        from sentiment.verdict import Item

        brands = {brand.key: brand for brand in self.config.brands}
        pending = (
            select_mentions()
            .outerjoin(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
            .where(verdicts.c.id.is_(None), mentions.c.brand.in_(brands))
            .order_by(mentions.c.id)
            .limit(batch)
        )
        judged = turns = 0
        while most is None or turns < most:
            turns += 1
            with self.store.read() as connection:
                rows = connection.execute(pending.where(mentions.c.id.not_in(self._unjudged))).all()
            if not rows:
                break
            items = []
            for row in rows:
                brand = brands[row.brand]
                rivals = tuple(other for other in self.config.brands if other.key != brand.key)
                items.append(Item(read_mention(row).post, brand, rivals))
            given = self._judge([row.mention_id for row in rows], items)
            with self.store.write() as connection:
                judged += save_verdicts(connection, given, now)
            self.step("verdicts stored")
        log.info("classify: %d mentions judged", judged)
        return judged

    def _judge(self, ids: Sequence[int], items: Sequence[Any]) -> list[tuple[int, Any]]:
        """Judge a batch; should one item break it, the others are judged singly and that one waits for a restart."""
        try:
            return list(zip(ids, self.classifier.judge(items), strict=True))
        except ClassifierError:
            raise
        except Exception:  # noqa: BLE001 - engines promise not to raise; one that does must not stop the rest
            log.error("classify: a batch of %d broke; judging one by one", len(ids))
        given = []
        for mention_id, item in zip(ids, items, strict=True):
            try:
                given.append((mention_id, self.classifier.judge([item])[0]))
            except Exception as error:  # noqa: BLE001 - see above
                self._unjudged.add(mention_id)
                log.error("classify: mention %d cannot be judged: %s", mention_id, type(error).__name__)
        return given

    def route(self, now: datetime, batch: int = 100) -> int:
        """Decide the mentions that have a verdict and no decision: decision, case, history and alerts in one commit."""
        decided = 0
        while True:
            with self.store.read() as connection:
                pending: Sequence[int] = self.desk.pending(connection, batch)
            if not pending:
                break
            with self.store.write() as connection:
                decided += self.desk.settle(connection, pending, now)
            self.step("decisions stored")
        log.info("route: %d mentions decided", decided)
        return decided

    def recognise(self, now: datetime, longest: timedelta | None = timedelta(seconds=5)) -> int:
        """Recognise what press and companies said of whom, one commit a batch, for so long; give how many were."""
        from stakeholders.companies.peer import peers_of
        from stakeholders.companies.recognition import recognise

        return recognise(self.store, peers_of(self.config.settings), now, longest, self.step)

    def send(self, now: datetime) -> Any:
        """Send what the outbox owes at `now`; sent, then marked, with one stable key on the wire."""
        from stakeholders.alerts import send_due

        return send_due(self.store, self.config, now, step=self.step)

    def digest(self, now: datetime) -> int:
        """Queue the digest of the last whole week, once a week and address. Gives how many letters were queued."""
        from stakeholders.digest import queue_due

        with self.store.write() as connection:
            queued = queue_due(connection, self.config, now)
        if queued:
            self.step("digest queued")
        return queued

    @cached_property
    def traffic(self) -> Any:
        """Give the memory of what every hour lets expect."""
        from stakeholders.spikes.traffic import Traffic

        return Traffic()

    def spikes(self, now: datetime) -> int:
        """Find, follow and end spikes, and open their crisis cases, in one commit; give how many are on."""
        from stakeholders.spikes.spike import prepare_spikes, watch_spikes

        with self.store.read() as connection:  # past weeks, at most once an hour, outside of the write lock
            prepare_spikes(connection, self.config, now, self.traffic)
        with self.store.write() as connection:
            found = watch_spikes(connection, self.config, now, self.traffic)
        if found:
            self.step("spikes stored")
        return len(found)

    def fold(self, now: datetime) -> int:
        """Bring together the sums that PostgreSQL's writers appended, by the days of our zone; give how many rows."""
        from listener.sums.rollup import fold, keep_days

        with self.store.write() as connection:
            keep_days(connection, self.config.zone)
            return fold(connection)

    def cases(self, now: datetime) -> int:
        """Wake the cases whose snooze is over and queue what your own system is told; give how many of both."""
        from stakeholders.casework.snooze import wake_due
        from stakeholders.casework.ticket import queue_crm_due

        with self.store.write() as connection:
            done = wake_due(connection, self.config, now) + queue_crm_due(connection, self.config, now)
        if done:
            self.step("cases woken")
        return done

    def escalate(self, now: datetime) -> int:
        """Tell the next step of the chain of every case that nobody acknowledged; give how many letters are new."""
        from stakeholders.outbox.escalation import escalate_due

        told = escalate_due(self.store, self.config, now)
        if told:
            self.step("escalation queued")
        return told

    def watch(self, now: datetime) -> int:
        """Queue word of sources that fell silent or near their budget's end; give how many messages are new."""
        from stakeholders.bill import queue_budgets
        from stakeholders.watch import queue_silences

        with self.store.write() as connection:
            queued = queue_silences(connection, self.config, now) + queue_budgets(connection, self.config, now)
        if queued:
            self.step("watch queued")
        return queued

    def tell(self, connection: sa.Connection, source: str, error: SourceError, failures: int, now: datetime) -> None:
        """Queue one alert an outage to communications once a source has failed three times in a row."""
        if failures >= 3 and not isinstance(error, RateLimited):
            from stakeholders.alerts import queue_source

            queue_source(connection, self.config, source, error.kind, str(error), now)

    def cycle(self, now: datetime) -> None:
        """Run every stage after collecting, batch by batch, so that a long backlog delays no alert.

        A stage that fails does not stop the others; the first failure is raised when all have had their turn. Each
        stage is told the time it begins at, since what it stamps and claims must not be as old as the cycle.
        """
        began = monotonic()
        failures: list[Exception] = []

        def attempt(stage: Callable[[datetime], Any]) -> Any:
            try:
                return stage(now + timedelta(seconds=monotonic() - began))
            except Exception as error:  # noqa: BLE001 - raised below, when the other stages have had their turn
                failures.append(error)
                return None

        attempt(self.cluster)
        while attempt(lambda at: self.classify(at, most=1)):
            attempt(self.route)
            attempt(self.send)
        attempt(self.route)
        attempt(self.recognise)
        attempt(self.fold)
        attempt(self.spikes)
        attempt(self.cases)
        attempt(self.watch)
        attempt(self.digest)
        attempt(self.escalate)
        attempt(self.send)
        if failures:
            raise failures[0]
