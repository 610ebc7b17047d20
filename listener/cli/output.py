"""Speak on the terminal: people's words on standard error, JSON lines on standard output, exit codes of formats.md."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from listener.errors import ConfigError, EscuchaError
from listener.reason import say

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Fatal", "emit", "open_config", "speak", "terminal_language", "translate"]


class Fatal(SystemExit):
    """End the program with an exit code of formats.md: 1 a stage failed, 2 usage or configuration."""


def terminal_language() -> str:
    """Choose the language of the terminal: ESCUCHA_LANG, else the system's, else Spanish."""
    for name in ("ESCUCHA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        start = os.environ.get(name, "")[:2].lower()
        if start in ("es", "en", "pt"):
            return start
    return "es"


def translate(sentence: str, **facts: Any) -> str:
    """Word a sentence in the terminal's language."""
    return say(sentence, terminal_language(), **facts)


def speak(text: str = "") -> None:
    """Say something to the person at the terminal."""
    print(text, file=sys.stderr)  # noqa: T201 - this is the one place that prints words


def emit(row: dict[str, Any]) -> None:
    """Write one JSON object on a line of standard output."""
    line = json.dumps(row, ensure_ascii=False, default=str)
    print(line.encode("utf-8", "replace").decode())  # noqa: T201 - this is the one place that prints data


@contextmanager
def open_config(path: str | None, *, secrets: bool = True) -> Iterator[Config]:
    """Give the checked configuration; a broken one ends the program with 2 and every fault, nothing started.

    An error of ours inside the block ends it with 1 and its message.
    """
    from listener.config import find_file, load

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    level = os.environ.get("ESCUCHA_LOG", "WARNING").upper()
    if level not in logging.getLevelNamesMapping():
        speak(f"ESCUCHA_LOG={level}: " + ", ".join(logging.getLevelNamesMapping()))
        raise Fatal(2)
    logging.getLogger("escucha").setLevel(level)
    try:
        config = load(find_file(path), secrets=secrets)
    except ConfigError as error:
        for fault in error.faults:
            speak(str(fault))
        raise Fatal(2) from None
    from listener.redaction import install

    install(config.secrets)
    try:
        yield config
    except ConfigError as error:
        for fault in error.faults:
            speak(str(fault))
        raise Fatal(2) from None
    except EscuchaError as error:
        speak(str(error))
        raise Fatal(1) from None
