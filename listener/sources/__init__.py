"""Find the sources: one platform a file in this folder, and the file's name is the `kind` in config.toml."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pydantic import BaseModel

    from listener.egress import Egress
    from listener.mention import Source

__all__ = ["kinds", "load", "settings_of"]


@cache
def kinds() -> tuple[str, ...]:
    """Name every kind of source, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def _module(kind: str) -> Any:
    if kind not in kinds():
        raise ValueError(f"'{kind}' is not a source that Escucha knows; known: {', '.join(kinds())}")
    return import_module(f"{__name__}.{kind}")


def settings_of(kind: str) -> type[BaseModel]:
    """Give the settings of a kind; ValueError when there is no such kind."""
    return cast("type[BaseModel]", _module(kind).Settings)


def load(name: str, settings: BaseModel, egress: Egress, *, folder: Path | None = None) -> Source:
    """Open the source of a table [sources.NAME]; its kind is told by the type of its settings.

    Nothing is asked yet. Relative paths in the settings start at `folder`, or at the current one.
    """
    kind = type(settings).__module__.rpartition(".")[2]
    if folder is not None and hasattr(settings, "at"):
        settings = settings.at(folder)
    return cast("Source", _module(kind).Source(name, settings, egress))
