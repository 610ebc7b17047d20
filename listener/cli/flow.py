"""Run an instance: run, serve, collect, sources, digest, demo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, open_config, speak, terminal_language, translate
from listener.errors import EscuchaError
from listener.failure import worded
from listener.reason import N_, say
from listener.taxonomy import LANGUAGES

if TYPE_CHECKING:
    from listener.clock import Clock
    from listener.errors import SourceError
    from listener.pipeline import Flow

BUSY = N_("{name}: another process is at work on it; it was left alone")

__all__ = ["VERBS", "clock_of", "collect", "demo", "digest", "open_flow", "run", "serve", "sources"]


@contextmanager
def open_flow(path: str | None) -> Iterator[Flow]:
    """Give the flow of a checked configuration over a migrated store."""
    from listener.database import Store
    from listener.pipeline import Flow

    with open_config(path) as config:
        # The folder that config.toml and `escucha init` name for post files is made at the first start; any other that
        # is not there is a fault that the source tells.
        inbox = config.folder / "data" / "posts"
        if any(getattr(table, "path", None) == str(inbox) for table in config.sources.values()):
            inbox.mkdir(parents=True, exist_ok=True)
        store = Store(config.store_url)
        try:
            store.migrate()
            yield Flow(config, store)
        finally:
            store.close()


def clock_of(flow: Flow) -> Clock:
    """Give the clock that drives a flow; a source that fails three times in a row is told to communications."""
    from listener.clock import Clock, Job
    from listener.sweep import EVERY, job_of_sweep, swept_sources

    longest = flow.config.settings.clock.longest

    def sweep(name: str) -> Callable[[datetime], SourceError | None]:
        def work(now: datetime) -> SourceError | None:
            flow.sweep(name, now, hold=clock.hold_of(name, kind="sweep"))
            return None

        return work

    clock = Clock(
        flow.config,
        flow.store,
        collect=lambda name, now: flow.collect(name, now, hold=clock.hold_of(name), longest=longest).error,
        cycle=flow.cycle,
        others={job_of_sweep(name): Job(EVERY, sweep(name)) for name in swept_sources(flow.config)},
        tell=flow.tell,
    )
    return clock


def run(
    config: Annotated[str | None, CONFIG] = None,
    once: Annotated[bool, typer.Option("--once", help=translate(N_("every job once, then stop")))] = False,
) -> None:
    """Collect, judge, route and send on the clock until stopped (Ctrl-C finishes the page at hand)."""
    import signal

    from listener.clock import job_of

    with open_flow(config) as flow:
        clock = clock_of(flow)
        if once:
            done = clock.run_once()
            for name in flow.config.sources:
                if job_of(name) not in done:
                    speak(translate(BUSY, name=name))
            if _report(flow, as_json=False):
                raise Fatal(1)
            return
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        speak(translate(N_("Escucha is at work. Ctrl-C stops it.")))
        clock.run(stop)


def collect(
    source: Annotated[str | None, typer.Argument(help=translate(N_("a source's table name; left out: all")))] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Ask the sources now, once."""
    from listener.clock import job_of
    from listener.faults import did_you_mean
    from listener.lease import take

    with open_flow(config) as flow:
        if source is not None and source not in flow.config.sources:
            hint = did_you_mean(source, tuple(flow.config.sources))
            speak(f"[sources.{source}] " + translate(N_("is not connected")) + f"; {hint}")
            raise Fatal(2)
        failed = False
        for name in [source] if source else list(flow.config.sources):
            with take(flow.store, job_of(name)) as hold:
                if hold is None:
                    speak(translate(BUSY, name=name))
                    continue
                done = flow.collect(name, datetime.now(UTC), hold=hold)
            failed = failed or done.error is not None
            if json:
                row = {"source": name, "outcome": done.outcome, "posts": done.posts, "new": done.new}
                emit(
                    row | {"mentions": done.mentions, "rejected": done.rejected, "error": str(done.error or "") or None}
                )
            else:
                told = N_("{name}: {posts} posts, {new} new, {mentions} mentions, {rejected} set aside")
                counts = {"posts": done.posts, "new": done.new, "mentions": done.mentions, "rejected": done.rejected}
                why = f" — {worded(str(done.error), terminal_language())}" if done.error else ""
                speak(translate(told, name=name, **counts) + why)
        if failed:
            raise Fatal(1)


def sources(config: Annotated[str | None, CONFIG] = None, json: Annotated[bool, JSON] = False) -> None:
    """Show how each source is, and what was set aside with its place and reason."""
    with open_flow(config) as flow:
        _report(flow, as_json=json)


def _report(flow: Flow, *, as_json: bool) -> bool:
    """Print the health of the sources and the quarantine; give whether any has failed."""
    from listener.health import STATES, read_health, read_quarantine, to_json

    with flow.store.read() as connection:
        health = read_health(connection, flow.config, datetime.now(UTC))
        aside = read_quarantine(connection, 50)
    lang, broken = flow.config.language, ("failed", "not installed")
    for one in health:
        if as_json:
            emit(to_json(one))
            continue
        count = "–" if one.posts_total is None else str(one.posts_total)
        line = f"{one.source:<16} {say(STATES[one.state], lang):<24} {count:>7}"
        speak(line + (f"  {worded(one.error, lang)}" if one.error and one.state in broken else ""))
    for item in aside:
        row = {"source": item.source, "position": item.position, "reason": item.reason, "at": item.at}
        if as_json:
            emit({"quarantined": row})
        else:
            speak(f"  {item.source}: {item.position}: {worded(item.reason, lang)}")
    return any(one.state in broken for one in health)


def digest(
    week: Annotated[
        str | None,
        typer.Option(help=translate(N_("an ISO week, 2026-W46, or a day, 2026-11-22; left out: the last whole one"))),
    ] = None,
    output: Annotated[Path | None, typer.Option(help=translate(N_("the file to write: .html, .pdf or .txt")))] = None,
    brand: Annotated[str | None, typer.Option(help=translate(N_("a brand's key; left out: the first")))] = None,
    name: Annotated[
        str | None, typer.Option(help=translate(N_("the name of a [[digests]] table; left out: the directors' week")))
    ] = None,
    lang: Annotated[str | None, typer.Option(help=translate(N_("es, en or pt; left out: the digest's own")))] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Write a digest as a file (HTML, PDF or text), or its text on the terminal; nothing is kept or sent."""
    from stakeholders.digest import plain_figures, render_html, render_pdf, render_text, write

    with open_flow(config) as flow:
        if lang is not None and lang not in LANGUAGES:
            raise EscuchaError(f"'{lang}' is not a language of letters; write es, en or pt")
        with flow.store.read() as connection:
            letter = write(connection, flow.config, week, brand, datetime.now(UTC), name, lang)
        if output is not None:
            if output.suffix == ".pdf":
                output.write_bytes(render_pdf(letter))
            else:
                text = render_text(letter) if output.suffix == ".txt" else render_html(letter)
                output.write_text(text, encoding="utf-8")
            speak(
                translate(
                    N_("{path} is written ({week}, {hash})."), path=str(output), week=letter.label, hash=letter.hash
                )
            )
        if json:
            emit(plain_figures(letter))
        elif output is None:
            print(render_text(letter))  # noqa: T201 - the letter itself


def serve(config: Annotated[str | None, CONFIG] = None) -> None:
    """Serve the dashboard and the API on one port, and run the clock beside them."""
    import stakeholders.serve

    with open_flow(config) as flow:
        path = flow.config.path
        if path is not None:  # always so: open_flow read it from a file
            told = N_("Dashboard: {quote}  (Ctrl-C stops it)")
            stakeholders.serve.serve(
                path, background=clock_of(flow).run, ready=lambda address: speak(translate(told, quote=address))
            )


def demo(
    folder: Annotated[Path, typer.Option(help=translate(N_("where the demo keeps its data")))] = Path(".demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help=translate(N_("replay it again from nothing")))] = False,
    replay_only: Annotated[bool, typer.Option("--replay-only", help=translate(N_("replay, then stop")))] = False,
) -> None:
    """Replay the synthetic company through the real pipeline, then serve its dashboard until stopped."""
    from listener.cli.demo import run_demo

    run_demo(folder.resolve(), fresh=fresh, replay_only=replay_only)


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (serve, N_("Serve the dashboard and the API on one port, with the clock beside them.")),
    (run, N_("Collect, judge, route and send on the clock, without a dashboard.")),
    (collect, N_("Ask the sources now, once.")),
    (sources, N_("Show how each source is and what was set aside.")),
    (digest, N_("Write the digest of a week or a day to a file: HTML, PDF or text.")),
    (demo, N_("Replay a synthetic company through the real pipeline and serve its dashboard.")),
)
