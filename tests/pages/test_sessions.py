"""People at the real server: a tab re-runs its page or the live part, and reads nothing that is stale."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bench.sessions import Side, measure, serving, spread, write_instance
from bench.tab import PageError, Tab
from listener.config import load
from listener.database import Store
from stakeholders.case import assign
from stakeholders.serve import _listen
from stakeholders.store import cases
from tests.servers.smtp import free_port


def test_what_another_process_wrote_stands_in_the_next_answer_of_every_tab(tmp_path: Path) -> None:
    waiting = write_instance(tmp_path, 3_000)
    store = Store(f"sqlite:///{tmp_path}/escucha.db")

    async def look(side: Side) -> None:
        async with Tab(side.address, who="Ana Flores") as one, Tab(side.address, who="Jorge Huamán") as two:
            for tab in (one, two):
                await tab.run()
                assert tab.live
                answer = await tab.run(tab.live)
                assert answer.messages < 15  # the list alone, not the page
            for number, name in enumerate(("Lucía Campos", "Renzo Paredes", "Elsa Quispe")):
                with store.write() as connection:
                    case = connection.scalar(sa.select(cases.c.id).where(cases.c.id == waiting[number])) or 0
                    assign(connection, case, "Ana Flores", datetime.now(UTC), name)
                for tab, part in ((one, one.live), (two, two.live), (one, "")):
                    await tab.run(part)
                    assert f"{name}</bdi>" in "".join(tab.shown)
        async with Tab(side.address, "nowhere") as lost:
            with pytest.raises(PageError):
                await lost.run()
        await measure((side,), 10, waiting, rounds=1, seconds=1.0)

    with serving(tmp_path, ours=True) as side:
        asyncio.run(look(side))
    store.close()
    for kind in ("page", "live"):
        told = side.told("page" if kind == "page" else "live")
        assert told["n"] >= 8  # ten people ask once; of them eight have a page that refreshes by itself
        assert told["cpu_ms"] > 0
    assert {tab.page for tab in spread(side.address, 10, waiting)} == {"", "case", "pulse", "departments"}


def test_small_messages_of_an_answer_do_not_wait_for_the_browser(tmp_path: Path) -> None:
    write_instance(tmp_path, 10)
    host, listening = _listen(load(tmp_path / "config.toml", {"ESCUCHA_PORT": str(free_port())}))
    with listening, socket.create_connection((host, listening.getsockname()[1])) as line:
        accepted, _ = listening.accept()
        with accepted, line:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
