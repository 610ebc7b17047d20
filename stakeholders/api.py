"""Answer over HTTP: health, the links of mails and chats, calls of platforms; FastAPI, under /api beside the pages.

A link in a mail is a key: it stands in no log of ours, is sent to no other site, and changes nothing until the person
presses the button, because mail scanners open every link by themselves. FastAPI is imported at the top, since it reads
the handlers' annotations from here; this module is imported only by who serves.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from fastapi import APIRouter, FastAPI, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import Connection

from listener.database import Store
from listener.health import read_cycle_error
from listener.hooks import make_hooks
from listener.intake import Intake
from listener.store import runs
from stakeholders.arrival import settle_arrival
from stakeholders.letters.letter import render
from stakeholders.links import ACTIONS
from stakeholders.store import alerts
from stakeholders.tap import tap

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["make_api"]

log = logging.getLogger("escucha.stakeholders")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the address of this page is a key
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


def _clock_now() -> datetime:
    return datetime.now(UTC)


def make_api(config: Config, store: Store, now: Callable[[], datetime] = _clock_now) -> FastAPI:
    """Make the HTTP interface of an instance; `now` gives the moment of each request.

    `app.state.clock`, when set, is asked whether the collecting thread beside the server still runs.
    """
    # FastAPI's own documentation page loads scripts from another site; ours loads nothing.
    api = FastAPI(title="Escucha", version=_version(), docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    api.state.clock = None
    router = APIRouter(prefix="/api")

    @api.middleware("http")
    async def harden(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        request.state.nonce = secrets.token_urlsafe(16)
        response = await answer(request)
        response.headers.update(HEADERS)
        response.headers["Content-Security-Policy"] = POLICY.format(nonce=request.state.nonce)
        return response

    def page(request: Request, status: int, told: dict[str, Any]) -> HTMLResponse:
        name = config.settings.instance.name
        body = render("ack.html.j2", nonce=request.state.nonce, instance=name, lang=config.language, **told)
        return HTMLResponse(body, status)

    @router.get("/health", summary="Is it alive, and are the sources and the outbox", tags=["health"])
    def health() -> JSONResponse:
        told = _health(config, store, now(), api.state.clock)
        return JSONResponse(told, 200 if told["database"] == "ok" else 503)

    for action in ACTIONS:
        _offer(router, action, page, lambda action, token, press: tap(config, store, action, token, now(), press=press))

    @router.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        body = render("api.html.j2", nonce=request.state.nonce, schema=api.openapi())
        return HTMLResponse(body)

    router.include_router(make_hooks(config, store, Intake(config), settle_arrival, now))
    api.include_router(router)
    return api


def _offer(
    router: APIRouter,
    action: str,
    page: Callable[[Request, int, dict[str, Any]], HTMLResponse],
    act: Callable[[str, str, bool], tuple[int, dict[str, Any]]],
) -> None:
    """Let a link be opened, which shows a button and changes nothing, and be pressed."""
    token_path = Path(max_length=2000, description="the last part of the link in the mail")
    words = ACTIONS[action].lower()

    def show(request: Request, token: str = token_path) -> HTMLResponse:
        return page(request, *act(action, token, False))

    def press(request: Request, token: str = token_path) -> HTMLResponse:
        return page(request, *act(action, token, True))

    path = f"/{action}/{{token}}"
    named: dict[str, Any] = {"response_class": HTMLResponse, "tags": ["links"]}
    router.add_api_route(path, show, methods=["GET"], summary=f"Show the button: {words}", **named)
    router.add_api_route(path, press, methods=["POST"], summary=f"Press it: {words}", **named)


def _version() -> str:
    try:
        return version("escucha")
    except PackageNotFoundError:  # run from the source tree, not installed
        return "0"


def _health(config: Config, store: Store, now: datetime, running: Callable[[], bool] | None) -> dict[str, Any]:
    """Tell in plain JSON how the instance is; no text of a stranger and no error message, which could hold a secret."""
    told: dict[str, Any] = {"status": "ok", "version": _version(), "database": "ok"}
    if running is not None:
        told["clock"] = "running" if running() else "stopped"
    try:
        with store.read() as connection:
            told["alerts"] = _outbox(connection, now)
            told["sources"] = {name: _last_run(connection, name) for name in config.sources}
            told["stages"] = "ok" if read_cycle_error(connection) is None else "failing"
    except sa.exc.SQLAlchemyError as error:
        log.warning("health: the database does not answer: %s", type(error).__name__)
        return told | {"status": "down", "database": "down"}
    failing = any(run["outcome"] not in (None, "ok", "running", "limited") for run in told["sources"].values())
    if failing or told.get("clock") == "stopped" or told["alerts"]["late"] or told["stages"] != "ok":
        told["status"] = "degraded"
    return told


def _outbox(connection: Connection, now: datetime) -> dict[str, Any]:
    waiting = sa.select(sa.func.count(), sa.func.min(alerts.c.created_at)).where(alerts.c.state == "pending")
    many, oldest = connection.execute(waiting).one()
    refused = connection.scalar(sa.select(sa.func.count()).where(alerts.c.state == "refused"))
    tried = sa.select(alerts.c.id).where(alerts.c.state == "pending", alerts.c.tries > 0).limit(1)
    return {
        "waiting": many,
        "oldest_seconds": None if oldest is None else max(0, int((now - oldest).total_seconds())),
        "late": connection.scalar(tried) is not None,
        "refused": refused,
    }


def _last_run(connection: Connection, source: str) -> dict[str, Any]:
    last = sa.select(runs).where(runs.c.source == source).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1)
    run = connection.execute(last).one_or_none()
    if run is None:
        return {"outcome": None, "started_at": None}  # never asked: not the same as empty
    return {"outcome": run.outcome, "started_at": run.started_at.isoformat()}
