"""Import a library that is no part of the default install, or say how to get it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from listener.errors import MissingLibrary

__all__ = ["require"]


def require(module: str, extra: str, source: str) -> Any:
    """Give a module by its dotted name; MissingLibrary names the extra that brings it when it is not installed.

    An error inside an installed library is not hidden behind that sentence.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        library = module.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] == library:
            raise MissingLibrary(source, library, extra) from None
        raise
