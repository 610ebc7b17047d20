"""Run the demo on a terminal or without one: replay with a progress bar, mail sink, dashboard."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from listener.cli.output import Fatal, speak, translate
from listener.errors import EscuchaError
from listener.reason import N_

__all__ = ["run_demo", "show_progress"]


@contextmanager
def show_progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that draws how far a long work is: a bar on a terminal, a line every tenth elsewhere."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(label, total=None)
            yield lambda done, whole: bar.update(task, completed=done, total=whole)
        return
    told = [-1]

    def tell(done: int, whole: int) -> None:
        tenth = 10 * done // max(whole, 1)
        if tenth > told[0]:
            told[0] = tenth
            speak(f"{label} {10 * tenth} %")

    yield tell


def run_demo(folder: Path, *, fresh: bool, replay_only: bool) -> None:
    """Replay unless today's replay is there already, then serve until stopped."""
    from listener.demo.replay import ready, replay
    from listener.demo.sink import Sink

    began = monotonic()
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    inbox = folder / "inbox"
    done = None if fresh else ready(folder, now.astimezone(ZoneInfo("America/Lima")).date())
    if done is None:
        for letter in inbox.glob("*.eml"):
            letter.unlink()
    sink = Sink(inbox)
    try:
        sink.start()
        if done is None:
            speak(translate(N_("Ninety days of an invented operator go through the real pipeline:")))
            with show_progress(translate(N_("posts"))) as progress:
                done = replay(folder, now, sink, progress)
        told = N_("{posts} posts, {mentions} mentions, {cases} cases, {mails} mails; ready in {seconds} s.")
        counts = {"posts": done.posts, "mentions": done.mentions, "cases": done.cases, "mails": done.mails}
        speak(translate(told, **counts, seconds=f"{monotonic() - began:.0f}"))
        if not replay_only:
            _serve(folder, sink.port)
    except EscuchaError as error:
        speak(str(error))
        raise Fatal(1) from None
    finally:
        sink.stop()


def _serve(folder: Path, port: int) -> None:
    from listener.cli.flow import serve
    from listener.demo.replay import adopt_port

    adopt_port(folder, port)
    os.environ["ESCUCHA_CONFIG"] = str(folder / "config.toml")  # the dashboard reads the same file
    os.environ["ESCUCHA_DEMO_INBOX"] = str(folder / "inbox")
    serve(str(folder / "config.toml"))
