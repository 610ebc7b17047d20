"""Run the whole flow once a line in a process of its own, and kill it with SIGKILL after its n-th step.

Called by tests/test_flow.py: `python flow_driver.py STEPS_FILE`; each line of standard input is "NOW KILL_AT CONFIG",
each answer the exit status (-9: killed). KILL_AT 0 runs to the end. The libraries are loaded once and each run is a
fork of that; the store, the model and everything else that a process holds are its own.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from datetime import datetime
from importlib import import_module
from pathlib import Path

from listener.config import load
from listener.database import Store
from listener.pipeline import Flow
from listener.sources import kinds

_NEEDED = (
    "alembic.command", "matplotlib.figure", "onnxruntime", "psycopg", "tokenizers",
    "sentiment.encoder", "sentiment.engine", "sentiment.quotes", "stakeholders.arrival", "stakeholders.channels.mail",
    "stakeholders.desk", "stakeholders.digest", "stakeholders.identify", "stakeholders.letters.letter",
    "stakeholders.registry",
)  # fmt: skip


def main(steps_path: str) -> None:
    _warm()
    print("ready", flush=True)
    for line in sys.stdin:
        now, kill_at, config_path = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if child == 0:
            try:
                flow(Path(config_path), datetime.fromisoformat(now), int(kill_at), Path(steps_path))
            except BaseException:  # noqa: BLE001 - a fork must not go on in its parent's loop
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(3)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)


def _warm() -> None:
    """Load what a run needs, so that a fork need not; nothing that holds threads, files or connections."""
    for name in (*_NEEDED, *(f"listener.sources.{kind}" for kind in kinds())):
        import_module(name)
    gc.freeze()


def flow(config_path: Path, moment: datetime, last: int, steps_path: Path) -> None:
    done = [0]

    def step(name: str) -> None:
        done[0] += 1
        if done[0] == last:
            with steps_path.open("a") as steps:
                steps.write(name + "\n")
            os.kill(os.getpid(), signal.SIGKILL)

    config = load(config_path, {})
    store = Store(config.store_url)
    store.migrate()
    running = Flow(config, store, step)
    running.collect("posts", moment)
    running.classify(moment, batch=25)  # small batches, so that there are many steps to be killed after
    running.route(moment, batch=25)
    running.digest(moment)
    running.send(moment)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1])
