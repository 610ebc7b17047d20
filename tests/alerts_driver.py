"""Send what the outbox owes in a process of its own, and kill it with SIGKILL where the line says.

Called by tests/test_alerts_kill.py: `python alerts_driver.py CONFIG`. Each line of standard input is "MOMENT WHERE
NUMBER", each answer the exit status (-9: killed). The libraries are loaded once and each sender is a fork of that, so
that hundreds of kills fit into a test. WHERE: step (after the sender's own n-th step), commit (all is written, nothing
committed), wire (a message has gone out, its answer is not read), none (runs to the end), drain (NUMBER senders at
once, until nothing waits).
"""

from __future__ import annotations

import gc
import http.client
import os
import signal
import smtplib
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from listener.config import Config, load
from listener.database import Store
from stakeholders.alerts import send_due


def main(config_path: str) -> None:
    config = load(Path(config_path), {})
    _warm(config)
    print("ready", flush=True)
    for line in sys.stdin:
        moment, where, number = line.split()
        many = int(number) if where == "drain" else 1
        children = [_fork(config, datetime.fromisoformat(moment), where, int(number)) for _ in range(many)]
        status = [os.waitpid(child, 0)[1] for child in children]
        worst = next((one for one in status if one), 0)
        print(-os.WTERMSIG(worst) if os.WIFSIGNALED(worst) else os.WEXITSTATUS(worst), flush=True)


def _warm(config: Config) -> None:
    """Load what a sender needs, so that a fork need not."""
    import psycopg  # noqa: F401
    from babel.dates import format_date

    from stakeholders.channels import channels
    from stakeholders.letters.letter import render
    from stakeholders.privacy.masking import known_accounts, mask

    for name in channels():
        __import__(f"stakeholders.channels.{name}")
    format_date(datetime.now(config.zone).date(), "EEE d MMM", locale=config.language)
    known_accounts(config)
    mask("987 654 321, 20131312955")
    assert render
    gc.freeze()


def _fork(config: Config, moment: datetime, where: str, number: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            _send(config, moment, where, number)
        except BaseException as error:  # noqa: BLE001 - a fork must not go on in its parent's loop
            print(f"{where}: {error!r}", file=sys.stderr, flush=True)
            os._exit(3)
        os._exit(0)
    return child


def _send(config: Config, moment: datetime, where: str, number: int) -> None:
    done = [0]

    def count(place: str) -> None:
        if place == where:
            done[0] += 1
            if done[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)

    data, answer = smtplib.SMTP.data, http.client.HTTPConnection.getresponse

    def after_data(self: smtplib.SMTP, message: Any) -> Any:
        reply = self.getreply

        def unread() -> Any:
            if self._answers:  # type: ignore[attr-defined]
                count("wire")
            self._answers += 1  # type: ignore[attr-defined]
            return reply()

        self._answers, self.getreply = 0, unread  # type: ignore[attr-defined, method-assign]
        try:
            return data(self, message)
        finally:
            self.getreply = reply  # type: ignore[method-assign]

    def before_answer(self: http.client.HTTPConnection) -> Any:
        count("wire")
        return answer(self)

    smtplib.SMTP.data = after_data  # type: ignore[method-assign]
    http.client.HTTPConnection.getresponse = before_answer  # type: ignore[method-assign]
    store = Store(config.store_url)
    sa.event.listen(store.engine, "commit", lambda _: count("commit"))
    if where == "drain":
        while send_due(store, config, moment, limit=1000).sent:
            pass
    else:
        send_due(store, config, moment, lambda _: count("step"), limit=40)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1])
