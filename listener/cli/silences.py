"""Keep silences from the terminal: add, list, end, and preview what one would mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, speak, terminal_language, translate
from listener.reason import N_

if TYPE_CHECKING:
    from listener.tables.alerting import Matchers
    from stakeholders.outbox.silences import Silence

__all__ = ["VERBS", "add", "end", "list_", "preview"]

MATCH = typer.Argument(help=translate(N_("KEY=VALUE: brand=acme intent=outage_report query='apagón OR corte'")))


def add(
    match: Annotated[list[str], MATCH],
    why: Annotated[str, typer.Option(help=translate(N_("why: it is read by everyone who looks for an alert")))],
    author: Annotated[str, typer.Option(help=translate(N_("who asks for it")))],
    hours: Annotated[
        float, typer.Option("--for", min=0.05, help=translate(N_("how many hours it lasts ([alerts] longest_silence)")))
    ] = 2.0,
    after: Annotated[float, typer.Option(min=0.0, help=translate(N_("in how many hours it begins")))] = 0.0,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Mute alerts for a time; what is muted is kept, and told when the silence ends and nobody has seen to it."""
    from listener.cli.flow import open_flow
    from stakeholders.case import NotPossible
    from stakeholders.outbox.silences import add_silence, preview_silence

    now = datetime.now(UTC)
    start = now + timedelta(hours=after)
    matchers = _matchers(match)
    with open_flow(config) as flow:
        try:
            with flow.store.write() as connection:
                ends = start + timedelta(hours=hours)
                made = add_silence(connection, flow.config, author, why, matchers, start, ends, now)
        except NotPossible as error:
            speak(error.reason.say(terminal_language()))
            raise Fatal(2) from None
        with flow.store.read() as connection:
            seen = preview_silence(connection, matchers, now)
        if json:
            emit(_row(made, now))
        speak(_worded(made, now, flow.config.zone))
        _say_preview(seen.cases, seen.told, seen.days, seen.spared)


def list_(
    everything: Annotated[bool, typer.Option("--all", help=translate(N_("those that ended too")))] = False,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Show the silences that mute now or will, each with who asked, why, and until when."""
    from listener.cli.flow import open_flow
    from stakeholders.outbox.silences import read_silences

    now = datetime.now(UTC)
    with open_flow(config) as flow:
        with flow.store.read() as connection:
            found = read_silences(connection, datetime.min.replace(tzinfo=UTC) if everything else now)
        for one in found:
            if json:
                emit(_row(one, now))
            else:
                speak(_worded(one, now, flow.config.zone))
        if not found and not json:
            speak(translate(N_("Nothing is silenced.")))


def end(
    number: Annotated[int, typer.Argument(help=translate(N_("the silence's number, as `list` shows it")))],
    who: Annotated[str, typer.Option(help=translate(N_("who ends it")))],
    config: Annotated[str | None, CONFIG] = None,
) -> None:
    """End a silence now; what it muted and nobody has seen to is told with the next sending."""
    from listener.cli.flow import open_flow
    from stakeholders.case import NotPossible
    from stakeholders.outbox.silences import end_silence

    with open_flow(config) as flow:
        try:
            with flow.store.write() as connection:
                end_silence(connection, number, who, datetime.now(UTC))
        except NotPossible as error:
            speak(error.reason.say(terminal_language()))
            raise Fatal(2) from None
        speak(translate(N_("Silence {number} has ended; what it muted and nobody has seen to is told."), number=number))


def preview(
    match: Annotated[list[str], MATCH],
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Tell what a silence would mean without adding it: open cases like it, and what it would have muted lately."""
    from listener.cli.flow import open_flow
    from listener.tables.alertcheck import check_matchers
    from stakeholders.outbox.silences import preview_silence

    matchers = _matchers(match)
    with open_flow(config) as flow:
        faults = list(check_matchers(matchers, "silence", flow.config.settings, "matchers"))
        for fault in faults:
            speak(str(fault))
        if faults:
            raise Fatal(2)
        with flow.store.read() as connection:
            seen = preview_silence(connection, matchers, datetime.now(UTC))
        if json:
            emit({"cases": list(seen.cases), "told": seen.told, "days": seen.days, "spared": seen.spared})
        else:
            _say_preview(seen.cases, seen.told, seen.days, seen.spared)


def _matchers(given: list[str]) -> Matchers:
    """Read KEY=VALUE pairs; the same key twice means any of both."""
    from pydantic import ValidationError

    from listener.faults import did_you_mean
    from listener.tables.alerting import Matchers

    told: dict[str, Any] = {}
    for pair in given:
        key, sign, value = pair.partition("=")
        if not sign or key not in Matchers.model_fields:
            known = tuple(Matchers.model_fields)
            hint = did_you_mean(key, known) or ", ".join(known)
            speak(translate(N_("«{quote}» is not KEY=VALUE: {hint}"), quote=pair, hint=hint))
            raise Fatal(2)
        if key in ("query", "legal"):
            told[key] = value
        else:
            told.setdefault(key, []).extend(one.strip() for one in value.split(",") if one.strip())
    try:
        return Matchers.model_validate(told)
    except ValidationError as error:
        for fault in error.errors():
            speak(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}")
        raise Fatal(2) from None


def _row(one: Silence, now: datetime) -> dict[str, Any]:
    return {
        "id": one.id,
        "author": one.author,
        "why": one.why,
        "matchers": one.matchers.told(),
        "starts_at": one.starts_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
        "active": one.active(now),
        "ended_by": one.ended_by,
    }


def _worded(one: Silence, now: datetime, zone: Any) -> str:
    told = {
        "number": one.id,
        "quote_what": ", ".join(f"{name}={_listed(value)}" for name, value in one.matchers.told().items()),
        "quote_until": f"{one.ends_at.astimezone(zone):%Y-%m-%d %H:%M}",
        "quote_author": one.author,
        "quote_why": one.why,
    }
    sentence = N_("{number}: {quote_what} until {quote_until} · {quote_author}: {quote_why}")
    if one.ends_at <= now:
        sentence = N_("{number}: {quote_what} ended {quote_until} · {quote_author}: {quote_why}")
    return translate(sentence, **told)


def _listed(value: Any) -> str:
    return "|".join(map(str, value)) if isinstance(value, list) else str(value)


def _say_preview(cases: tuple[int, ...], told: int, days: int, spared: int) -> None:
    speak(translate(N_("Open cases like this: {count}."), count=len(cases)))
    speak(translate(N_("Messages of the last {days} days that it would have muted: {count}."), days=days, count=told))
    if spared:
        sentence = N_("{count} open cases are left alone: a legal clock runs or a regulator speaks. Add legal=true.")
        speak(translate(sentence, count=spared))


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (add, N_("Mute alerts for a time, with author and reason.")),
    (list_, N_("Show the silences that mute now or will.")),
    (end, N_("End a silence now.")),
    (preview, N_("Tell what a silence would mean without adding it.")),
)
