"""Judge without storing: classify and evaluate a post file, explain one text, train the heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, open_config, speak, translate
from listener.reason import N_

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["VERBS", "classify", "evaluate", "explain", "train"]


def _judged(config: Config, path: Path) -> Iterator[dict[str, Any]]:
    """Give the objects of a post file, in order, each with its verdict; what cannot be read is said and left out."""
    from sentiment.engine import load

    from listener.cli.demo import show_progress
    from sentiment.postfile import answered, item_of, read_rows
    from stakeholders.answer import answerer

    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            rows, rejected = read_rows(lines)
    except OSError as error:
        speak(f"{path}: {error.strerror}")
        raise Fatal(2) from None
    for bad in rejected:
        speak(f"{path.name}: {bad.position}: {bad.reason}")
    classifier = load(config.settings.sentiment, config.folder)
    answer = answerer(config)
    now = datetime.now(UTC)

    with show_progress(translate(N_("posts"))) as progress:
        for start in range(0, len(rows), 64):
            chunk = rows[start : start + 64]
            items = [item_of(row, config.brands, now) for row in chunk]
            asked = [item for item in items if item is not None]
            verdicts = iter(classifier.judge(asked))
            for row, item in zip(chunk, items, strict=True):
                yield row if item is None else answered(row, item, next(verdicts), config.language, answer)
            progress(min(start + 64, len(rows)), len(rows))
    if rejected:
        raise Fatal(1)  # what could be read is done; the caller's loop has ended


def classify(
    file: Annotated[Path, typer.Argument(help=translate(N_("a post file (docs/formats.md)")))],
    output: Annotated[
        Path | None, typer.Option(help=translate(N_("the file to write; left out: the terminal")))
    ] = None,
    config: Annotated[str | None, CONFIG] = None,
) -> None:
    """Judge a post file; the same objects come out in the same order, each with its verdict."""
    import json

    with open_config(config, secrets=False) as loaded:
        if output is None:
            for row in _judged(loaded, file):
                emit(row)
            return
        with output.open("w", encoding="utf-8") as lines:
            for row in _judged(loaded, file):
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        speak(translate(N_("{path} is written."), path=str(output)))


def evaluate(
    file: Annotated[Path, typer.Argument(help=translate(N_("a post file with labels (docs/formats.md)")))],
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Compare the judges with the labels that people gave in a post file."""
    from sentiment.evaluate import evaluate as compare
    from sentiment.evaluate import table

    with open_config(config, secrets=False) as loaded:
        figures = compare(list(_judged(loaded, file)))
        if json:
            emit(figures)
        else:
            print(table(figures, loaded.language))  # noqa: T201 - a table for the person who asked


def explain(
    text: Annotated[str, typer.Argument(help=translate(N_("what somebody wrote")))],
    author: Annotated[str | None, typer.Option(help=translate(N_("their handle")))] = None,
    name: Annotated[str | None, typer.Option(help=translate(N_("their display name")))] = None,
    bio: Annotated[str | None, typer.Option(help=translate(N_("their profile text")))] = None,
    followers: Annotated[int | None, typer.Option(min=0, help=translate(N_("how many follow them")))] = None,
    brand: Annotated[
        str | None,
        typer.Option(help=translate(N_("the key of a watched brand; left out: the one that the text names"))),
    ] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Show who would answer this, how soon and why; nothing is stored or sent."""
    from sentiment.engine import load

    from listener.faults import did_you_mean
    from stakeholders.answer import describe, describe_json
    from stakeholders.desk import Desk
    from stakeholders.explain import Profile

    with open_config(config, secrets=False) as loaded:
        desk = Desk(loaded)
        if brand is not None and brand not in desk.brands:
            speak(
                translate(N_("there is no brand {quote}"), quote=brand) + f"; {did_you_mean(brand, tuple(desk.brands))}"
            )
            raise Fatal(2)
        profile = Profile(handle=author, name=name, bio=bio, followers=followers)
        classifier = load(loaded.settings.sentiment, loaded.folder)
        found = desk.explain(text, classifier, datetime.now(UTC), profile, brand)
        if json:
            emit(describe_json(found, loaded.language))
            return
        for line in describe(found, loaded.language):
            print(line)  # noqa: T201 - the answer itself


def train(
    data: Annotated[Path | None, typer.Option(help=translate(N_("folder with the public training sets")))] = None,
    output: Annotated[Path | None, typer.Option(help=translate(N_("where the weights go; left out: in place")))] = None,
) -> None:
    """Train the shipped heads again from our corpus and the public sets; seeds are fixed, figures are printed."""
    from sentiment.train import train as train_heads

    from stakeholders.speaker_model import train_speaker

    print(train_heads(data=data, output=output))  # noqa: T201 - the figures
    print(train_speaker())  # noqa: T201 - the figures


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (explain, N_("Show who would answer a text, how soon and why.")),
    (classify, N_("Judge a post file.")),
    (evaluate, N_("Compare the judges with the labels in a post file.")),
    (train, N_("Train the shipped heads again.")),
)
