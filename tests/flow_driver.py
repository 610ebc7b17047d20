"""Run the whole flow once in a process of its own, and kill it with SIGKILL after its n-th step.

Called by tests/test_flow.py: `python flow_driver.py CONFIG NOW KILL_AT STEPS_FILE`; KILL_AT 0 runs to the end.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from listener.config import load
from listener.database import Store
from listener.pipeline import Flow


def main(config_path: str, now: str, kill_at: str, steps_path: str) -> None:
    moment, last = datetime.fromisoformat(now), int(kill_at)
    done = [0]

    def step(name: str) -> None:
        done[0] += 1
        if done[0] == last:
            with Path(steps_path).open("a") as steps:
                steps.write(name + "\n")
            os.kill(os.getpid(), signal.SIGKILL)

    config = load(Path(config_path), {})
    store = Store(config.store_url)
    store.migrate()
    flow = Flow(config, store, step)
    flow.collect("posts", moment)
    flow.classify(moment, batch=25)  # small batches, so that there are many steps to be killed after
    flow.route(moment, batch=25)
    flow.digest(moment)
    flow.send(moment)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
