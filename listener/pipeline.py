"""Show the whole flow on one page: collect → classify → route → send → digest.

Each stage is a query for what is pending and one commit for its own rows, so it can be killed anywhere, run twice or
alone: nothing is lost and nothing is done twice. This file wires the three rooms and is the only one that may.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from time import monotonic
from traceback import format_tb
from typing import Any

import sqlalchemy as sa

from listener.config import Config
from listener.database import Store
from listener.errors import ClassifierError, RateLimited, SourceError
from listener.intake import Intake
from listener.mention import Rejected, Source
from listener.reason import N_, say
from listener.store import (
    add_quarantine,
    finish_run,
    mentions,
    read_cursor,
    read_mention,
    runs,
    select_mentions,
)

__all__ = ["Collected", "Flow", "no_step"]

log = logging.getLogger("escucha.pipeline")

UNEXPECTED = N_("an unexpected fault ({quote})")


def no_step(name: str) -> None:
    """Do nothing between two steps; tests put a SIGKILL here."""


@dataclass(frozen=True, slots=True)
class Collected:
    """Count what one poll of a source brought."""

    source: str
    outcome: str  # ok, or the kind of the SourceError
    posts: int = 0
    new: int = 0
    mentions: int = 0
    rejected: int = 0
    error: SourceError | None = None


class Flow:
    """Hold one instance at work: its configuration, its store, its judges; `step` is called after each commit."""

    def __init__(self, config: Config, store: Store, step: Callable[[str], None] = no_step) -> None:
        self.config = config
        self.store = store
        self.step = step
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

    def collect(self, name: str, now: datetime, source: Source | None = None) -> Collected:
        """Poll one source; each page, its mentions and its cursor are one commit, so a kill loses no post."""
        began = monotonic()
        with self.store.write() as connection:
            run_id = connection.execute(
                runs.insert().values(source=name, started_at=now, outcome="running").returning(runs.c.id)
            ).scalar_one()
            cursor = read_cursor(connection, name)
        self.step("run opened")
        posts = new = heard = rejected = 0
        outcome, failure = "ok", None
        try:
            for page in (source or self.source(name)).collect(self.config.brands, cursor):
                with self.store.write() as connection:
                    saved = self.intake.save(connection, name, page, now)
                posts, rejected = posts + len(page.posts), rejected + len(page.rejected)
                new, heard = new + saved.new, heard + saved.mentions
                self.step("page stored")
        except SourceError as error:
            outcome, failure = error.kind, error
        except Exception as error:  # noqa: BLE001 - a fault of ours or of a library is a failure of the source, shown as one
            outcome, failure = SourceError.kind, SourceError(name, say(UNEXPECTED, "en", quote=type(error).__name__))
            # The message may quote a post, so only the places in the code are logged.
            log.error("%s: %s\n%s", name, type(error).__name__, "".join(format_tb(error.__traceback__)))
        with self.store.write() as connection:
            if failure is not None and failure.body:
                body = failure.body.decode("utf-8", "replace")
                add_quarantine(connection, name, [Rejected("answer", str(failure), body)], now)
            finish_run(
                connection,
                run_id,
                finished_at=now + timedelta(seconds=monotonic() - began),
                outcome=outcome,
                posts=posts,
                new=new,
                mentions=heard,
                rejected=rejected,
                error=str(failure) if failure else None,
            )
        self.step("run closed")
        log.info("%s: %s, %d posts, %d new, %d mentions, %d rejected", name, outcome, posts, new, heard, rejected)
        return Collected(name, outcome, posts, new, heard, rejected, failure)

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

    def write_digest(self, week: str | None, brand: str | None, now: datetime) -> Any:
        """Give the letter of a week ("2026-W46"; the last whole one when None); nothing is kept or sent."""
        from stakeholders.digest import write

        with self.store.read() as connection:
            return write(connection, self.config, week, brand, now)

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

        while attempt(lambda at: self.classify(at, most=1)):
            attempt(self.route)
            attempt(self.send)
        attempt(self.route)
        attempt(self.digest)
        attempt(self.send)
        if failures:
            raise failures[0]
