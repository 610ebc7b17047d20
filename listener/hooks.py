"""Take the calls of platforms: check who calls, store what they tell, and answer 200 only once it is committed.

Mounted under /api/hooks/SOURCE. Everything that a stranger can reach stands here, so the order is: size, signature over
the raw body, and only then JSON. FastAPI is imported at the top, since it reads the handlers' annotations from here.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from traceback import format_tb
from typing import TYPE_CHECKING

import sqlalchemy as sa
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from listener.database import Store
from listener.egress import egress_of
from listener.errors import EscuchaError
from listener.fold import fold
from listener.mention import Page, Post, Pushed, Rejected
from listener.platforms.calls import Call
from listener.reason import N_
from listener.sources import load
from listener.store import add_quarantine, posts, runs

if TYPE_CHECKING:
    from listener.config import Config
    from listener.intake import Intake, Saved

__all__ = ["LARGEST", "PATIENCE", "After", "make_hooks"]

log = logging.getLogger("escucha.hooks")

LARGEST = 1_000_000  # bytes of a call
_HEARD = 4 * LARGEST
PATIENCE = 20.0  # seconds in which a call must have come in whole
_CHUNK = 500

_NOT_STORED = N_("a call of the platform that could not be stored")

After = Callable[[Connection, str, Page, "Saved", datetime], None]


def make_hooks(
    config: Config,
    store: Store,
    intake: Intake,
    after: After,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """Make the routes of every source whose platform calls us; `after` runs in the transaction that stores a call."""
    router = APIRouter(tags=["hooks"])
    doors = _Doors(config, store, intake, after, now)
    name = Path(max_length=200, description="the name of a table [sources.NAME]")

    @router.get("/hooks/{source}", summary="Answer the platform's handshake")
    def greet(request: Request, source: str = name) -> Response:
        pushed = doors.find(source)
        if pushed is None:
            return PlainTextResponse("not found\n", 404)
        answer = pushed.handshake(dict(request.query_params))
        return PlainTextResponse("forbidden\n", 403) if answer is None else PlainTextResponse(answer)

    @router.post("/hooks/{source}", summary="Take a call of the platform")
    async def take(request: Request, source: str = name) -> Response:
        try:
            async with asyncio.timeout(PATIENCE):
                body = await _read(request)
        except (TimeoutError, ClientDisconnect):
            return PlainTextResponse("too slow\n", 408, {"Connection": "close"})
        if body is None:
            return PlainTextResponse("too large\n", 413, {"Connection": "close"})
        # The database is asked in a thread, so that one that hangs stops no other request.
        status = await run_in_threadpool(doors.take, source, body, request.headers)
        again = {"Retry-After": "60"} if status == 503 else {}
        return PlainTextResponse("ok\n" if status == 200 else "no\n", status, again)

    return router


async def _read(request: Request) -> bytes | None:
    """Read a body of at most LARGEST bytes; None for a larger one, noticed before it is all here.

    Of what is too large a little more is read and thrown away, so that the answer is heard instead of a broken line.
    """
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdigit() and (len(told) > 12 or int(told) > _HEARD):
        return None
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > _HEARD:
            break
        if size > LARGEST:
            parts.clear()
        else:
            parts.append(part)
    return None if size > LARGEST else b"".join(parts)


class _Doors:
    """Hold the sources that take calls; each is opened when it is first called."""

    def __init__(self, config: Config, store: Store, intake: Intake, after: After, now: Callable[[], datetime]) -> None:
        self.config = config
        self.store = store
        self.intake = intake
        self.after = after
        self.now = now
        self._opened: dict[str, Pushed | None] = {}
        self._refused: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def find(self, name: str) -> Pushed | None:
        """Give a source that takes calls, by the name of its table; None when there is none, or it is disabled."""
        settings = self.config.sources.get(name)
        if settings is None:
            return None
        with self._lock:
            if name not in self._opened:
                source = load(name, settings, egress_of(self.config))
                self._opened[name] = source if isinstance(source, Pushed) else None
            return self._opened[name]

    def take(self, name: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Check a call and store what it tells; give the HTTP status. Nothing is kept of a call that is not signed."""
        source = self.find(name)
        if source is None:
            return 404
        if not source.signed(body, headers):
            self._refuse(name)
            return 403
        try:
            page = source.receive(body)
            self._store(name, page)
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, EscuchaError) as error:
            log.error("%s: a call could not be stored now, the platform sends it again: %s", name, type(error).__name__)
            return 503
        except Exception as error:  # noqa: BLE001 - a call that can never be stored is kept aside, not sent for ever
            # The message may quote a post, so only the places in the code are logged.
            log.error("%s: %s\n%s", name, type(error).__name__, "".join(format_tb(error.__traceback__)))
            return self._keep_aside(name, body)
        return 503 if isinstance(page, Call) and page.again else 200

    def _store(self, name: str, page: Page) -> None:
        moment = self.now()
        with self.store.write() as connection:
            _queue_up(connection, name)
            page = _without_echoes(connection, name, page)
            saved = self.intake.save(connection, name, page, moment)
            self.after(connection, name, page, saved, moment)
            _count(connection, name, page, saved, moment)
        log.info("%s: a call, %d posts, %d new, %d rejected", name, len(page.posts), saved.new, len(page.rejected))

    def _keep_aside(self, name: str, body: bytes) -> int:
        try:
            with self.store.write() as connection:
                kept = Rejected("call", _NOT_STORED, body.decode("utf-8", "replace"))
                add_quarantine(connection, name, [kept], self.now())
        except sa.exc.SQLAlchemyError:
            return 503
        return 200

    def _refuse(self, name: str) -> None:
        """Say once a minute at most that calls are refused: whoever calls at will must not fill the log."""
        now = self.now()
        with self._lock:
            if (last := self._refused.get(name)) is not None and now - last < timedelta(minutes=1):
                return
            self._refused[name] = now
        log.warning("%s: calls without our app's signature are refused; see app_secret", name)


def _queue_up(connection: Connection, name: str) -> None:
    """Let one call of a source be stored at a time, until the end of the transaction (SQLite does so anyway)."""
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(sha256(f"hook/{name}".encode()).digest()[:8], signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def _without_echoes(connection: Connection, name: str, page: Page) -> Page:
    """Leave out posts that are told as new and stored already, with the wishes in them.

    Platforms send a call again, and late: the first wording of a post must not undo an edit, nor an old wish a new one.
    """
    if not isinstance(page, Call) or not page.first:
        return page
    first = sorted(page.first)
    known: set[str] = set()
    for start in range(0, len(first), _CHUNK):
        ids = posts.c.native_id.in_(first[start : start + _CHUNK])
        known.update(connection.scalars(sa.select(posts.c.native_id).where(posts.c.source == name, ids)))
    if not known:
        return page
    old = {_wisher(post) for post in page.posts if post.native_id in known}
    return replace(
        page,
        posts=tuple(post for post in page.posts if post.native_id not in known),
        opt_outs=tuple(wish for wish in page.opt_outs if (fold(wish.handle), wish.at) not in old),
    )


def _wisher(post: Post) -> tuple[str, datetime]:
    return fold(post.author.handle or post.author.native_id or ""), post.published_at


def _count(connection: Connection, name: str, page: Page, saved: Saved, now: datetime) -> None:
    """Write that the source is alive: one run a minute holds the sum of its calls, however many came."""
    minute = now.replace(second=0, microsecond=0)
    told = {
        "posts": len(page.posts),
        "new": saved.new,
        "mentions": saved.mentions,
        "rejected": len(page.rejected),
    }
    same = sa.and_(runs.c.source == name, runs.c.started_at == minute, runs.c.outcome == "ok")
    sums: Sequence[tuple[str, int]] = tuple(told.items())
    added = connection.execute(
        runs.update().where(same).values(finished_at=now, **{column: runs.c[column] + n for column, n in sums})
    )
    if not added.rowcount:
        connection.execute(runs.insert().values(source=name, started_at=minute, finished_at=now, outcome="ok", **told))
