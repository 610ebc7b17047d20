"""Judge without storing: classify and evaluate a post file, explain one text, train the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, open_config, speak, terminal_language, translate
from listener.reason import N_

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["VERBS", "classify", "evaluate", "explain", "train"]


def _read(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Read a post file (JSONL, CSV, XLSX); say what cannot be read, and give how many that were."""
    from listener.errors import SourceError
    from listener.failure import worded
    from sentiment.postfile import read_posts

    try:
        rows, rejected = read_posts(path)
    except SourceError as error:
        speak(worded(str(error), terminal_language()))
        raise Fatal(2) from None
    for bad in rejected:
        speak(f"{bad.position}: {worded(bad.reason, terminal_language())}")
    return rows, len(rejected)


def _judged(config: Config, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give the objects of a post file, in order, each with its verdict."""
    from listener.cli.demo import show_progress
    from sentiment.engine import load
    from sentiment.postfile import answered, item_of
    from stakeholders.answer import answerer

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
        rows, bad = _read(file)
        if output is None:
            for row in _judged(loaded, rows):
                emit(row)
        else:
            draft = output.with_name(output.name + ".new")  # a run that breaks leaves what was there before
            try:
                with draft.open("w", encoding="utf-8", errors="replace") as lines:
                    for row in _judged(loaded, rows):
                        lines.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
                draft.replace(output)
            except OSError as error:
                speak(translate(N_("{path} cannot be written: {quote}"), path=str(output), quote=str(error.strerror)))
                raise Fatal(2) from None
            speak(translate(N_("{path} is written."), path=str(output)))
        if bad:
            raise Fatal(1)  # what could be read is done


def evaluate(
    file: Annotated[
        Path | None, typer.Argument(help=translate(N_("a post file with labels (docs/formats.md)")))
    ] = None,
    corrected: Annotated[
        bool,
        typer.Option("--corrected", help=translate(N_("instead of a file: what people of this instance corrected"))),
    ] = False,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Compare the judges with the labels that people gave: in a post file, or by correcting and confirming here."""
    from listener.cli.table import show_figures
    from sentiment.evaluate import evaluate as compare

    if (file is None) != corrected:
        speak(translate(N_("evaluate takes one of the two: a post file, or --corrected")))
        raise Fatal(2)
    with open_config(config, secrets=False) as loaded:
        if file is None:
            rows, bad = _checked(loaded), 0
        else:
            read, bad = _read(file)
            # A verdict that the file brings is not ours: where nothing can be judged, nothing is compared.
            rows = list(_judged(loaded, [{key: row[key] for key in row if key != "verdict"} for row in read]))
        figures = compare(rows)
        if json:
            emit(figures)
        else:
            print("\n".join(show_figures(figures, loaded.language)))  # noqa: T201 - a table for the person who asked
        if bad:
            raise Fatal(1)


def _checked(config: Config) -> list[dict[str, Any]]:
    """Read what people corrected and confirmed; say what such figures are worth."""
    from listener.database import Store
    from stakeholders.counting.accuracy import checked_rows

    store = Store(config.store_url)
    try:
        store.migrate()
        with store.read() as connection:
            rows = checked_rows(connection)
    finally:
        store.close()
    if rows:
        speak(translate(N_("People correct what is wrong: these posts are no random sample, read a lower bound.")))
    else:
        speak(translate(N_("Nobody has corrected or confirmed a label yet.")))
    return rows


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
    from listener.faults import did_you_mean
    from sentiment.engine import load
    from stakeholders.answer import describe, describe_json
    from stakeholders.deciding.explain import Profile
    from stakeholders.desk import Desk

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
    start: Annotated[Path, typer.Option(help=translate(N_("the encoder to begin from: a Hugging Face folder")))],
    data: Annotated[Path, typer.Option(help=translate(N_("folder with the public training sets")))],
    output: Annotated[Path | None, typer.Option(help=translate(N_("where the model goes; left out: in place")))] = None,
    work: Annotated[
        Path | None, typer.Option(help=translate(N_("where a run that is cut off keeps its parts")))
    ] = None,
) -> None:
    """Train the embedded model again from our corpus and the public sets; seeds are fixed, figures are printed."""
    import logging

    from listener.errors import ClassifierError
    from sentiment.encoder import MODEL
    from sentiment.training.run import train as train_model

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        emit(train_model(start, data, output or MODEL, work=work))
    except ClassifierError as error:
        speak(str(error))
        raise Fatal(1) from None


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (explain, N_("Show who would answer a text, how soon and why.")),
    (classify, N_("Judge a post file.")),
    (evaluate, N_("Compare the judges with labels by people: of a post file, or corrected here.")),
    (train, N_("Train the embedded model again.")),
)
