"""Answer over HTTP: health, acknowledge links of mails, calls of platforms; FastAPI, under /api beside the pages.

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
from listener.errors import EscuchaError
from listener.health import read_cycle_error
from listener.hooks import make_hooks
from listener.intake import Intake
from listener.reason import N_, say
from listener.store import runs
from stakeholders.arrival import settle_arrival
from stakeholders.dossier import history, read_case
from stakeholders.letter import before, clock, render
from stakeholders.links import Expired, Forged, Link, read
from stakeholders.store import alerts

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

    token_path = Path(max_length=2000, description="the last part of the link in the mail")

    @router.get("/health", summary="Is it alive, and are the sources and the outbox", tags=["health"])
    def health() -> JSONResponse:
        told = _health(config, store, now(), api.state.clock)
        return JSONResponse(told, 200 if told["database"] == "ok" else 503)

    @router.get("/acknowledge/{token}", response_class=HTMLResponse, summary="Show the button", tags=["links"])
    def show(request: Request, token: str = token_path) -> HTMLResponse:
        return page(request, *_acknowledge(config, store, token, now(), press=False))

    @router.post("/acknowledge/{token}", response_class=HTMLResponse, summary="Acknowledge a case", tags=["links"])
    def press(request: Request, token: str = token_path) -> HTMLResponse:
        return page(request, *_acknowledge(config, store, token, now(), press=True))

    @router.get("/docs", include_in_schema=False)
    def docs(request: Request) -> HTMLResponse:
        body = render("api.html.j2", nonce=request.state.nonce, schema=api.openapi())
        return HTMLResponse(body)

    router.include_router(make_hooks(config, store, Intake(config), settle_arrival, now))
    api.include_router(router)
    return api


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


def _acknowledge(config: Config, store: Store, token: str, now: datetime, *, press: bool) -> tuple[int, dict[str, Any]]:
    """Do what a link asks, once, and give the status and what the page says."""
    lang = config.language
    try:
        link = read(token, config, now)
        if isinstance(link, Link):
            with store.write() if press else store.read() as connection:
                return _settle(connection, config, link, now, press=press)
    except (EscuchaError, sa.exc.SQLAlchemyError) as error:
        log.warning("acknowledge: not possible now: %s", type(error).__name__)
        return 503, _page(
            say(N_("Not possible at this moment"), lang), say(N_("Nothing was changed. Try again in a minute."), lang)
        )
    if isinstance(link, Expired):
        title = say(N_("This link has expired"), lang)
        note = say(N_("It was good for {count} days. The case can still be opened."), lang, count=_days(config))
        return 410, _page(title, note, case=_case_link(config, link.case_id))
    assert isinstance(link, Forged)
    note = say(N_("Nothing was changed. Open the link from the mail once more, whole; or ask for a new one."), lang)
    return 404, _page(say(N_("This link is not one of ours"), lang), note)


def _settle(
    connection: Connection, config: Config, link: Link, now: datetime, *, press: bool
) -> tuple[int, dict[str, Any]]:
    from stakeholders.case import acknowledge

    lang = config.language
    case = read_case(connection, link.case_id)
    if case is None:
        title, note = N_("This case is no longer there"), N_("It was removed since the mail was sent.")
        return 404, _page(say(title, lang), say(note, lang))
    brand = next((one.name for one in config.brands if one.key == case.brand), case.brand)
    about = " · ".join((brand, say("{fact}", lang, fact=case.stakeholder), say("{fact}", lang, fact=case.department)))
    told = {"about": about, "case": _case_link(config, case.id), "number": say(N_("Case {count}"), lang, count=case.id)}
    due = before(case.due_at, now, config) if case.due_at is not None else None
    owed = None if due is None else say(N_("To be answered {quote_before}."), lang, quote_before=due)
    if press:
        done = acknowledge(connection, case.id, link.recipient, now)  # it holds the row: of two together one is first
        who, at, again = done.who, done.at, done.again
        log.info("acknowledge: case %d, by its link%s", case.id, ", again" if again else "")
    elif case.status == "new":
        return 200, _page(say(N_("Acknowledge this case?"), lang), owed, **told, button=say(N_("Acknowledge"), lang))
    else:
        steps = [one for one in history(connection, case.id) if one.what in ("acknowledged", "answered", "closed")]
        who, at, again = (steps[-1].who, steps[-1].at, True) if steps else ("", case.opened_at, True)
    if not again:
        note = say(N_("The others see that you are on it."), lang)
        return 200, _page(say(N_("Done: acknowledged"), lang), " ".join(filter(None, (note, owed))), **told, good=True)
    title = say(N_("Already acknowledged"), lang)
    if case.status in ("answered", "closed"):
        title = say(N_("The case is {status}."), lang, status=case.status)
    note = (
        say(N_("By {quote_who}, {quote_time}."), lang, quote_who=who, quote_time=clock(at, now, config)) if who else ""
    )
    return 200, _page(title, note, **told, good=True)


def _page(title: str, note: str | None, **more: Any) -> dict[str, Any]:
    return {
        "title": title,
        "note": note,
        "about": None,
        "number": None,
        "case": None,
        "button": None,
        "good": False,
    } | more


def _case_link(config: Config, case_id: int) -> tuple[str, str]:
    return f"{config.public_url}/case?id={case_id}", say(N_("Open the case"), config.language)


def _days(config: Config) -> int:
    return config.settings.server.link_days
