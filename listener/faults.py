"""Read a table through its model and say every fault in it in plain words, with "did you mean"."""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from listener.errors import Fault

__all__ = ["did_you_mean", "read_model"]

Model = TypeVar("Model", bound=BaseModel)


def read_model(
    model: type[Model], table: Mapping[str, Any], start: tuple[str, ...] = ()
) -> tuple[Model | None, list[Fault]]:
    """Read a table; what cannot be read is reported and left out, so that later checks still see the rest.

    `start` is where the table stands in the file. None comes back when nothing readable is left.
    """
    faults: list[Fault] = []
    rest = copy.deepcopy(dict(table))
    told: set[tuple[Any, ...]] = set()  # a value that was left out is not reported again as missing
    while True:
        try:
            return model.model_validate(rest), faults
        except ValidationError as error:
            found = error.errors()
            faults.extend(_faults_of(found, model, rest, start, told))
            before = copy.deepcopy(rest)
            # Deepest and last first, so that leaving one out does not move the place of another.
            for one in sorted(found, key=lambda one: [str(part) for part in one["loc"]], reverse=True):
                _leave_out(rest, _path_in(rest, one["loc"])[: -1 if one["type"] == "missing" else None])
            if rest == before:
                return None, faults


def _leave_out(table: Any, path: Sequence[Any]) -> None:
    for part in path[:-1]:
        table = table[part]
    if path and (path[-1] in table if isinstance(table, dict) else path[-1] < len(table)):
        table.pop(path[-1])


def _path_in(table: Any, place: Sequence[str | int]) -> list[Any]:
    """Keep the parts of an error's place that stand in the file; pydantic adds names for a choice of types."""
    path: list[Any] = []
    for number, part in enumerate(place):
        if isinstance(table, Mapping):
            last = number == len(place) - 1
            if part == "[key]" or (part not in table and not last):
                continue
            path.append(part)
            table = table.get(str(part))
        elif isinstance(table, list) and isinstance(part, int) and part < len(table):
            path.append(part)
            table = table[part]
    return path


def _faults_of(
    errors: Sequence[Any],
    model: type[BaseModel],
    table: Mapping[str, Any],
    start: tuple[str, ...],
    told: set[tuple[Any, ...]],
) -> Iterator[Fault]:
    # Of the errors at one place, the one about the value says more than the one about its type.
    for one in sorted(errors, key=lambda one: one["type"] in ("list_type", "string_type")):
        place = _path_in(table, one["loc"])
        if tuple(place) in told:
            continue
        told.add(tuple(place))
        names = [*start, *(str(part + 1) if isinstance(part, int) else str(part) for part in place)]
        key = names.pop() if names else ""
        where = ".".join(names) or "the file"
        if one["type"] == "extra_forbidden":
            known = _keys_at(model, [str(part) for part in place[:-1]])
            yield Fault(where, f"has no '{key}'", did_you_mean(key, known))
        elif one["type"] == "literal_error":
            given, known = str(one["input"]), tuple(re.findall(r"'([^']+)'", one["ctx"]["expected"]))
            what = f"'{given}' is not known" if given == key else f"{key}: '{given}' is not known"
            yield Fault(where, what, did_you_mean(given, known))
        elif one["type"] == "missing":
            yield Fault(where, f"'{key}' is missing", "add it")
        else:
            yield Fault(where, f"{key}: {one['msg'].removeprefix('Value error, ')}")


def _keys_at(model: type[BaseModel], place: Sequence[str]) -> tuple[str, ...]:
    """Name the keys that the table at a place may have."""
    schema = model.model_json_schema()
    node: Any = schema
    for part in (*place, None):
        while "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        if part is not None:
            below = node.get("properties", {}).get(part) or node.get("additionalProperties") or node.get("items")
            node = below if isinstance(below, Mapping) else {}
    return tuple(node.get("properties", ()))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """Give the hint for a word that is not known: the closest one, else all of them when they are few."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    if close:
        return f"did you mean '{close[0]}'?"
    return "known: " + ", ".join(known) if 0 < len(known) <= 20 else ""
