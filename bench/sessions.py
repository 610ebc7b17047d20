"""Measure fifty people at once: sessions that re-run once a second on one process, ours and Streamlit's defaults.

Ours is what `escucha serve` runs; the other side is `streamlit run` of the same pages with nothing configured. Both
have the same archive, stand side by side and are asked in turns, so that a busy machine slows both. Each is asked for
whole pages, then for what refreshes by itself; without parts that run alone (fragments) that is the whole page, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal
from urllib.request import urlopen

import sqlalchemy as sa

from bench.archive import build
from bench.tab import PageError, Tab
from stakeholders.store import cases

__all__ = ["Side", "main", "measure", "serving", "spread", "write_instance"]

ROOT = Path(__file__).resolve().parents[1]
_MEDIAN, _TIMES = 0.150, 4.0  # seconds; throughput against the defaults
_PAGES = ("inbox",) * 6 + ("case",) * 2 + ("pulse", "departments")  # of ten people: where they are
_SIGNS = {"": "e-list", "case": "data-case", "pulse": "e-figures", "departments": "e-work"}  # of a page with all on it
_WAIT = 60.0  # seconds in which a server must be up
_CONFIG = """
[instance]
name = "Escucha"
language = "es"
country = "PE"
timezone = "America/Lima"
[store]
url = "sqlite:///escucha.db"
[brands.nitido]
name = "Nítido"
[competitors.brisatel]
name = "Brisatel"
[competitors.ondavia]
name = "Ondavía"
[departments.communications]
lead = "Renzo Paredes"
alert = ["mail:team@example.org"]
people = ["Ana Flores", "Jorge Huamán"]
[digest]
to = ["mail:director@example.org"]
"""
# Streamlit's own defaults: the pages are the same, only what Escucha sets for them is left away.
_DEFAULT = """
from pathlib import Path
from stakeholders.pages import frame
frame.prepare = lambda: False
frame.run(Path(__file__).parent)
"""
_OURS = "import sys; from pathlib import Path; from stakeholders.serve import serve; serve(Path(sys.argv[1]))"

Kind = Literal["page", "live"]


@dataclass
class Side:
    """Hold a server with its open tabs, and what was measured of it by kind of run."""

    name: str
    address: str
    process: int
    parts: bool  # whether parts of a page are re-run alone
    tabs: list[Tab] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)  # processor seconds of the server
    lasted: dict[str, float] = field(default_factory=dict)
    sizes: dict[str, list[int]] = field(default_factory=dict)

    def told(self, kind: Kind) -> dict[str, Any]:
        """Give what was measured of one kind of run: answers a second, milliseconds of an answer and of processor."""
        took = sorted(self.seconds[kind])
        return {
            "answers_per_s": round(self.answers[kind] / self.lasted[kind], 1),
            "median_ms": round(median(took) * 1000, 1),
            "p95_ms": round(took[int(len(took) * 0.95)] * 1000, 1),
            "cpu_ms": round(self.spent[kind] / len(took) * 1000, 1),
            "kilobytes": round(sum(self.sizes[kind]) / len(took) / 1024, 1),
            "n": len(took),
        }


def write_instance(folder: Path, mentions: int) -> list[int]:
    """Write a configuration and an archive into an empty folder; gives cases that wait."""
    (folder / "config.toml").write_text(_CONFIG, "utf-8")
    (folder / "defaults.py").write_text(_DEFAULT, "utf-8")
    store = build(f"sqlite:///{folder}/escucha.db", mentions)
    with store.read() as connection:
        query = sa.select(cases.c.id).where(cases.c.status == "new").order_by(cases.c.rank, cases.c.due_at).limit(50)
        waiting = list(connection.scalars(query))
    store.close()
    return waiting


@contextmanager
def serving(folder: Path, *, ours: bool) -> Iterator[Side]:
    """Run one server on a free port of the loopback until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "ESCUCHA_CONFIG": str(folder / "config.toml"), "ESCUCHA_PORT": str(port)}
    environment |= {"PYTHONPATH": str(ROOT)}
    if ours:
        command = [sys.executable, "-c", _OURS, str(folder / "config.toml")]
    else:  # what is not a default here: no browser is opened, and the port
        told = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
        command = [sys.executable, "-m", "streamlit", "run", str(folder / "defaults.py"), *told]
    with (folder / ("ours.log" if ours else "defaults.log")).open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield Side("escucha serve" if ours else "streamlit run", address, process.pid, parts=ours)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:  # it has more to do than a busy machine lets it
            process.kill()
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _WAIT
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"no server came up at {address}")


def spread(address: str, count: int, waiting: Sequence[int]) -> list[Tab]:
    """Give tabs of so many people over the pages that they live in; six of ten are at the inbox."""
    tabs = []
    for place in range(count):
        page = _PAGES[place % len(_PAGES)]
        query = f"id={waiting[place % len(waiting)]}" if page == "case" else ""
        tabs.append(Tab(address, "" if page == "inbox" else page, query, f"Persona {place}"))
    return tabs


def _spent(process: int) -> float:
    """Give the processor seconds that a process and its threads took: proc(5), /proc/PID/stat."""
    parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


async def _work(tab: Tab, kind: Kind, side: Side, begin: float, end: float) -> None:
    """Re-run once a second; whoever waits longer for an answer asks again at once."""
    due = begin
    while True:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        if time.perf_counter() >= end:
            return
        answer = await tab.run(tab.live if kind == "live" and side.parts else "")
        side.seconds[kind].append(answer.seconds)
        side.sizes[kind].append(answer.size)
        if time.perf_counter() <= end:
            side.answers[kind] += 1
        due = max(due + 1.0, time.perf_counter())


async def _round(side: Side, kind: Kind, seconds: float) -> None:
    for kept, empty in ((side.seconds, []), (side.sizes, [])):
        kept.setdefault(kind, list(empty))
    side.answers.setdefault(kind, 0)
    # Only pages that refresh by themselves are asked for that.
    tabs = [tab for tab in side.tabs if tab.live] if kind == "live" else side.tabs
    spent, begin = _spent(side.process), time.perf_counter()
    steps = [_work(tab, kind, side, begin + place / len(tabs), begin + seconds) for place, tab in enumerate(tabs)]
    await asyncio.gather(*steps)
    side.spent[kind] = side.spent.get(kind, 0.0) + _spent(side.process) - spent
    side.lasted[kind] = side.lasted.get(kind, 0.0) + seconds


async def measure(sides: Sequence[Side], sessions: int, waiting: Sequence[int], rounds: int, seconds: float) -> None:
    """Open all tabs, then ask the sides in turns; what was measured stands in them."""
    async with AsyncExitStack() as open_tabs:
        for side in sides:
            for tab in spread(side.address, sessions, waiting):
                side.tabs.append(await open_tabs.enter_async_context(tab))
                await tab.run()
                if _SIGNS[tab.page] not in "".join(tab.shown):
                    raise PageError(f"{side.name}: '{tab.page}' shows nothing")
        for _ in range(rounds):
            for kind in ("page", "live"):
                for side in sides:
                    await _round(side, kind, seconds)


def main(arguments: list[str] | None = None) -> None:
    """Print what each side gave, by kind of run, and whether the limits are met."""
    parser = argparse.ArgumentParser(prog="python -m bench sessions", description=__doc__)
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--mentions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of one round")
    asked = parser.parse_args(arguments or [])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        waiting = write_instance(folder, asked.mentions)
        with serving(folder, ours=True) as ours, serving(folder, ours=False) as other:
            asyncio.run(measure((ours, other), asked.sessions, waiting, asked.rounds, asked.seconds))
    load = round(os.getloadavg()[0], 1)
    for kind in ("page", "live"):
        row: dict[str, Any] = {"bench": "sessions", "runs": kind, "sessions": asked.sessions, "load": load}
        row |= {side.name: side.told(kind) for side in (ours, other)}
        mine, theirs = row[ours.name], row[other.name]
        row["times_the_throughput"] = round(mine["answers_per_s"] / max(theirs["answers_per_s"], 0.01), 1)
        row["times_less_processor"] = round(theirs["cpu_ms"] / mine["cpu_ms"], 1)
        row["limits_met"] = mine["median_ms"] <= _MEDIAN * 1000 and row["times_the_throughput"] >= _TIMES
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
