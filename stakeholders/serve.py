"""Serve pages and API from one port: Streamlit's App and FastAPI side by side in one uvicorn process.

Streamlit is set from here, not by a .streamlit folder: no usage statistics, no file watcher, and no garbage collection
after every run of a page (8 to 19 times less processor time, docs/decisions).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from listener.database import Store
from listener.errors import ConfigError, Fault
from listener.extras import require
from listener.tables.login import is_here

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from listener.config import Config

__all__ = ["OPTIONS", "make_site", "serve", "set_streamlit"]

log = logging.getLogger("escucha.stakeholders")

OPTIONS: dict[str, Any] = {
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "global.developmentMode": False,
    "logger.hideWelcomeMessage": True,
    "runner.postScriptGC": False,
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.showEmailPrompt": False,
}
# Streamlit needs inline scripts and eval (charts); but nothing of another site is loaded, whatever a post holds.
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss: data: blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"same-origin"),
]
HERE = {"localhost", "127.0.0.1", "::1"}
PATIENCE = 10.0  # seconds that the background loop has to finish its page and commit

Background = Callable[[threading.Event], None]


def serve(
    config_path: Path,
    *,
    script: Path | None = None,
    background: Background | None = None,
    ready: Callable[[str], None] | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Serve an instance until SIGTERM, SIGINT or `stop`; raises ConfigError before anything is started.

    `background` runs in a thread beside the server and returns soon after its event is set. `ready` is called with the
    address once connections are accepted. `script` is the pages' entry, dashboard.py when left out.
    """
    from listener.config import load

    config = load(config_path)
    host, listening = _listen(config)
    # The pages are a script of their own and find the configuration by this variable.
    os.environ["ESCUCHA_CONFIG"] = str(config_path.resolve())
    store = Store(config.store_url)
    try:
        store.migrate()
        address = f"http://{host}:{listening.getsockname()[1]}"
        _run(make_site(config, store, script, background), listening, ready and (lambda: ready(address)), stop)
    finally:
        listening.close()
        store.close()


def _listen(config: Config) -> tuple[str, socket.socket]:
    """Take the port before anything is loaded, so that what is wrong with it is said at once."""
    host = config.settings.server.host
    if not is_here(host) and config.settings.login is None:
        what = f"host '{host}' would show the pages to the network, and no login is asked"
        raise ConfigError([Fault("server", what, 'write host = "127.0.0.1", or add [login] (docs/login.md)')])
    port = config.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError):
        hint = "stop what holds it, or export ESCUCHA_PORT with another"
        raise ConfigError([Fault("server", f"port {port} at {host} cannot be taken", hint)]) from None
    # An answer is many small messages: asyncio sends each at once only on sockets made with their protocol named, so
    # every answer would wait 40 ms for the browser's delayed acknowledgement (RFC 9293, 3.7.4). Connections inherit it.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return host, listening


def make_site(
    config: Config, store: Store, script: Path | None = None, background: Background | None = None
) -> ASGIApp:
    """Make the ASGI application of an instance: /api answers from FastAPI, all else from the pages.

    Only requests for this machine's own names or the host of [server] url are answered, and pages only to browsers that
    come from there: without a login, a foreign site must not read them through the reader's browser.
    """
    from stakeholders.api import make_api

    set_streamlit(config)
    from streamlit.starlette import App

    api = make_api(config, store)
    life = _beside(background, api.state, warm=script is None)
    script = script or Path(__file__).parents[1] / "dashboard.py"
    pages = App(script, secrets=_login_of(config), lifespan=life)
    known = {*HERE, config.settings.server.host, urlsplit(config.public_url).hostname or ""}

    async def site(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await pages(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        mine = urlsplit(f"//{headers.get(b'host', '')}").hostname in known
        path: str = scope["path"]
        if mine and (path == "/api" or path.startswith("/api/")):
            await api(scope, receive, send)
        elif mine and _from_here(headers.get(b"origin"), known):
            await pages(scope, receive, _hardened(send))
        else:
            await _turn_away(scope, receive, send)

    return site


def _login_of(config: Config) -> dict[str, Any] | None:
    """Give what st.login asks for: https://docs.streamlit.io/develop/api-reference/user/st.login."""
    login = config.settings.login
    if login is None:
        return None
    from stakeholders.links import derive_key

    require("authlib", "login", "login")
    return {
        "auth": {
            "redirect_uri": f"{config.public_url}/oauth2callback",
            "cookie_secret": derive_key(config, "escucha.login"),
            "client_id": login.client_id,
            "client_secret": login.client_secret.get_secret_value(),
            "server_metadata_url": login.provider,
        }
    }


def _from_here(origin: str | None, known: set[str]) -> bool:
    # Streamlit would ask a service on the internet for our own address before it refuses a foreign origin.
    return origin is None or urlsplit(origin).hostname in known


def _hardened(send: Send) -> Send:
    """Add the headers that Streamlit does not send: nothing of another site in a page, no page in another site."""

    async def send_more(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *HEADERS]
        await send(message)

    return send_more


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    from starlette.responses import PlainTextResponse
    from starlette.websockets import WebSocket

    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).close(1008)
        return
    text = "This address is not the one Escucha serves: set [server] url in config.toml.\n"
    await PlainTextResponse(text, 421)(scope, receive, send)


def set_streamlit(config: Config) -> None:
    """Set Streamlit's options in this process; the pages bring their look from stakeholders/pages/theme.py."""
    from streamlit import config as streamlit

    options = {**OPTIONS, "server.address": config.settings.server.host, "server.port": config.port}
    options["browser.serverAddress"] = urlsplit(config.public_url).hostname
    if find_spec("stakeholders.pages.theme") is not None:
        options |= import_module("stakeholders.pages.theme").OPTIONS
    for name, value in options.items():
        streamlit.set_option(name, value)


def _warm() -> None:
    """Load what the first visitor would wait for; the garbage collector need not look through it ever after."""
    frame = import_module("stakeholders.pages.frame")
    for name in ("altair", *(f"stakeholders.pages.{page}" for page, _, _ in frame.PAGES)):
        if find_spec(name) is not None:
            import_module(name)
    gc.collect()
    gc.freeze()


def _beside(background: Background | None, state: Any, *, warm: bool) -> Callable[[Any], Any]:
    """Give the lifespan that runs the background loop; later is too late: uvicorn raises the signal again."""
    ended = threading.Event()

    def work() -> None:
        assert background is not None
        try:
            background(ended)
        except Exception:
            log.exception("serve: the background loop stopped; the pages go on")

    @asynccontextmanager
    async def life(_app: Any) -> AsyncIterator[None]:
        if warm:
            threading.Thread(target=_warm, name="escucha-warm", daemon=True).start()
        if background is None:
            yield
            return
        thread = threading.Thread(target=work, name="escucha-clock", daemon=True)
        state.clock = thread.is_alive
        thread.start()
        try:
            yield
        finally:
            ended.set()
            await asyncio.to_thread(thread.join, PATIENCE)
            if thread.is_alive():
                log.warning("serve: the background loop did not end within %d s; its open commit is undone", PATIENCE)

    return life


def _run(
    site: ASGIApp, listening: socket.socket, ready: Callable[[], None] | None, stop: threading.Event | None
) -> None:
    import uvicorn

    # No access log: the links of mails are keys, and the path holds them.
    server = uvicorn.Server(
        uvicorn.Config(site, access_log=False, log_level="warning", lifespan="on", timeout_graceful_shutdown=5)
    )

    async def main() -> None:
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        if ready is not None and server.started:
            ready()
        if stop is not None:
            while not stop.is_set() and not serving.done():
                await asyncio.sleep(0.1)
            server.should_exit = True
        await serving

    with suppress(KeyboardInterrupt):  # Ctrl+C, after everything has ended in order
        asyncio.run(main())
