"""Serve an instance whose sources take calls, over a real socket, and make calls as Meta does."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
import uvicorn

from listener.database import Store
from listener.store import posts
from stakeholders.api import make_api
from tests.servers.graph import ACCOUNT, NUMBER, PAGE, keys, sign
from tests.stakeholders.newsroom import NOW, make_config

PHONE = "51999888777"


class House:
    """Hold an instance with three sources that take calls and one that does not, and its address."""

    def __init__(self, store: Store, folder: Path, graph: str = "http://127.0.0.1:9") -> None:
        self.store = store
        self.now = NOW
        wa = {name: value for name, value in keys().items() if name != "access_token"}
        tables: dict[str, Any] = {
            "whatsapp": {"kind": "whatsapp", **wa},
            "facebook": {"kind": "facebook", "page_id": PAGE, **keys()},
            "instagram": {"kind": "instagram", "account_id": ACCOUNT, **keys(base_url=graph)},
            "off": {"kind": "whatsapp", "enabled": False, **wa},
            "press": {"kind": "rss", "feeds": ["http://127.0.0.1:9/feed"]},
        }
        self.config = make_config(folder, store.url, sources=tables, egress={"inside": ["127.0.0.1"]})
        self.url = ""
        self.session = requests.Session()

    def post(self, source: str, body: bytes, headers: dict[str, str] | None = None) -> requests.Response:
        told = sign(body) if headers is None else headers
        return self.session.post(f"{self.url}/api/hooks/{source}", body, headers=told, timeout=30)

    def count(self, table: sa.Table) -> int:
        with self.store.read() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)

    def texts(self) -> dict[str, str]:
        with self.store.read() as connection:
            return {row.native_id: row.text for row in connection.execute(sa.select(posts.c.native_id, posts.c.text))}


@contextmanager
def open_house(store: Store, folder: Path, api: Any = None, **more: Any) -> Iterator[House]:
    house = House(store, folder, **more)
    app = api(house) if api else make_api(house.config, store, lambda: house.now)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        house.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            with house.session:
                yield house
        finally:
            server.should_exit = True
            thread.join()


def message(text: str, known: str = "wamid.1", minute: int = 0, **more: Any) -> dict[str, Any]:
    at = int((NOW + timedelta(minutes=minute)).timestamp())
    return {"from": PHONE, "id": known, "timestamp": str(at), "type": "text", "text": {"body": text}, **more}


def call(*messages: Any) -> bytes:
    value = {"metadata": {"phone_number_id": NUMBER}, "messages": list(messages)}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}, ensure_ascii=False).encode()


def edit(text: str, known: str = "wamid.1") -> dict[str, Any]:
    told = {"original_message_id": known, "message": {"type": "text", "text": {"body": text}}}
    return {**message("", "wamid.e"), "type": "edit", "edit": told}
