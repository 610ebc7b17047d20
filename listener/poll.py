"""Poll one source: open a run, take its pages in one commit each, close the run with how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from traceback import format_tb
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from listener.budget import gate
from listener.database import Store
from listener.errors import SourceError
from listener.intake import Saved
from listener.lease import Hold
from listener.mention import Page, Rejected, Source
from listener.policy import Guard, is_open
from listener.reason import N_, say
from listener.redaction import redact
from listener.store import add_quarantine, finish_run, read_cursor, runs

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Collected", "Poll"]

log = logging.getLogger("escucha.poll")

UNEXPECTED = N_("an unexpected fault ({quote})")

Save = Callable[[Connection, str, Page, datetime], Saved]


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


class Poll:
    """Hold what every poll needs; `save` stores a page in the transaction given, `step` is called after each commit."""

    def __init__(self, store: Store, config: Config, save: Save, step: Callable[[str], None]) -> None:
        self._store = store
        self._config = config
        self._save = save
        self._step = step

    def run(
        self,
        name: str,
        now: datetime,
        source: Source | Callable[[], Source],
        hold: Hold | None = None,
        longest: timedelta | None = None,
    ) -> Collected:
        """Poll a source, or the one that the function opens; whatever it raises is told in what comes back."""
        began = monotonic()
        with self._store.write() as connection:
            run_id = connection.execute(
                runs.insert().values(source=name, started_at=now, outcome="running").returning(runs.c.id)
            ).scalar_one()
            cursor = read_cursor(connection, name)
            half_open = is_open(connection, name)
        self._step("run opened")
        posts = new = heard = rejected = 0
        outcome, failure = "ok", None
        try:
            opened = source() if callable(source) else source
            if half_open:
                opened.probe()
            pay = gate(self._store, self._config, name, opened, lambda: now + timedelta(seconds=monotonic() - began))
            pages = Guard(
                iter(opened.collect(self._config.brands, cursor)),
                name,
                seconds=longest.total_seconds() if longest is not None else None,
                stopping=hold.stopping if hold is not None else lambda: False,
                pay=pay,
            )
            for page in pages:
                with self._store.write() as connection:
                    if hold is not None:
                        hold.fence(connection)
                    saved = self._save(connection, name, page, now)
                posts, rejected = posts + len(page.posts), rejected + len(page.rejected)
                new, heard = new + saved.new, heard + saved.mentions
                self._step("page stored")
        except SourceError as error:
            outcome, failure = error.kind, error
        except Exception as error:  # noqa: BLE001 - a fault of ours or of a library is a failure of the source, shown as one
            outcome, failure = SourceError.kind, SourceError(name, say(UNEXPECTED, "en", quote=type(error).__name__))
            # The message may quote a post, so only the places in the code are logged.
            log.error("%s: %s\n%s", name, type(error).__name__, "".join(format_tb(error.__traceback__)))
        with self._store.write() as connection:
            if failure is not None and failure.body:
                # Some answers repeat the key, and this is shown to people.
                body = redact(failure.body.decode("utf-8", "replace"), self._config.secrets)
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
        self._step("run closed")
        log.info("%s: %s, %d posts, %d new, %d mentions, %d rejected", name, outcome, posts, new, heard, rejected)
        return Collected(name, outcome, posts, new, heard, rejected, failure)
