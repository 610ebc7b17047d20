"""List the reply templates of an instance, its own first, and say which suits a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, open_config, speak, translate
from listener.reason import N_
from listener.taxonomy import DEPARTMENTS, DIMENSIONS, INTENTS, LANGUAGES, STAKEHOLDERS

__all__ = ["VERBS", "templates"]


def _refuse_unknown(given: dict[str, tuple[str | None, tuple[str, ...]]]) -> None:
    from listener.faults import did_you_mean

    for name, (value, known) in given.items():
        if value is not None and value not in known:
            speak(f"--{name}: '{value}'; {did_you_mean(value, known)}")
            raise Fatal(2)


def templates(
    stakeholder: Annotated[str | None, typer.Option(help=translate(N_("who speaks: customer, regulator…")))] = None,
    intent: Annotated[str | None, typer.Option(help=translate(N_("what the author wants: complaint…")))] = None,
    dimension: Annotated[str | None, typer.Option(help=translate(N_("what it is about: governance…")))] = None,
    department: Annotated[str | None, typer.Option(help=translate(N_("who answers: security_fraud…")))] = None,
    language: Annotated[str | None, typer.Option(help=translate(N_("es, en or pt; left out: all")))] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """List the templates, or with --stakeholder those that suit such a case, best first; faults end with 2."""
    from stakeholders.casework.template import load, suggest

    _refuse_unknown(
        {
            "stakeholder": (stakeholder, STAKEHOLDERS),
            "intent": (intent, INTENTS),
            "dimension": (dimension, DIMENSIONS),
            "department": (department, DEPARTMENTS),
            "language": (language, LANGUAGES),
        }
    )
    with open_config(config, secrets=False) as loaded:
        found = load(loaded)
        wanted = (language,) if language else LANGUAGES
        if stakeholder is not None:
            fitting = [
                one for lang in wanted for one in suggest(found, lang, stakeholder, intent, dimension, department)
            ]
        else:
            fitting = [one for one in found if one.lang in wanted]
        for one in fitting:
            if json:
                emit({"key": one.key, "own": one.own, **one.reply.model_dump(exclude={"name"})})
                continue
            own = f" · {translate(N_('your own'))}" if one.own else ""
            print(f"{one.key:<28} {one.reply.title}{own}")  # noqa: T201 - the answer itself
            if stakeholder is not None:
                print(f"    {one.reply.text}")  # noqa: T201 - the answer itself
        if not fitting and not json:
            speak(translate(N_("No template fits; docs/replies.md says how to write one.")))


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (templates, N_("List the reply templates, or those that suit a case; a faulty one is named.")),
)
