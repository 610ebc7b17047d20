"""Poll one source a line in a process of its own, and kill it with SIGKILL where the line says.

Called by tests/test_collect.py: `python collect_driver.py CONFIG`; each line of standard input is "SOURCE WHERE
NUMBER", each answer the exit status (-9: killed). The libraries are loaded once, and each poll is a fork of that, so
that hundreds of kills fit into a test. WHERE: step (after a stage's commit), commit (all is written, nothing
committed), answer (an answer has come, nothing is read of it), none.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from listener.config import Config, load
from listener.database import Store
from listener.egress import Gate
from listener.pipeline import Flow
from listener.sources import kinds
from listener.sources import load as open_source


def main(config_path: str) -> None:
    config = load(Path(config_path), {})
    store = Store(config.store_url)
    store.migrate()
    store.close()
    _warm(config)
    print("ready", flush=True)
    for line in sys.stdin:
        source, where, number = line.split()
        child = os.fork()
        if child == 0:
            poll(config, source, where, int(number))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)


def _warm(config: Config) -> None:
    """Load what a poll needs, so that a fork need not."""
    import feedparser  # noqa: F401
    import praw  # noqa: F401
    import tweepy  # noqa: F401

    from listener.egress import egress_of

    for kind in kinds():
        __import__(f"listener.sources.{kind}")
    for name, settings in config.sources.items():
        open_source(name, settings, egress_of(config))
    Flow(config, Store("sqlite://")).intake.matcher.find("Nítido")
    gc.freeze()


def poll(config: Config, source: str, where: str, number: int) -> None:
    done = [0]

    def count(place: str) -> None:
        if place == where:
            done[0] += 1
            if done[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)

    send = Gate.send

    def answered(self: Gate, *args: Any, **kwargs: Any) -> Any:
        response = send(self, *args, **kwargs)
        count("answer")
        return response

    Gate.send = answered  # type: ignore[method-assign]
    store = Store(config.store_url)
    sa.event.listen(store.engine, "commit", lambda _: count("commit"))
    done_poll = Flow(config, store, lambda _: count("step")).collect(source, datetime.now(UTC))
    store.close()
    if done_poll.error is not None:
        print(f"{source}: {done_poll.error!r}", file=sys.stderr)
        os._exit(3)


if __name__ == "__main__":
    main(sys.argv[1])
