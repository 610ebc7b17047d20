"""Describe config.toml as JSON Schema, each source kind included (https://json-schema.org/draft/2020-12)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

from pydantic import BaseModel

from listener.settings import Settings, SourceTable, TransformerTable, When
from listener.tables.sla import RegulatoryRule, StakeholderClock

__all__ = ["config_reference", "config_schema"]


def config_schema() -> dict[str, Any]:
    """Give the schema; a source table is the one of its kind, and nothing else may stand in it."""
    from listener.sources import kinds, settings_of

    schema = Settings.model_json_schema()
    definitions: dict[str, Any] = schema["$defs"]
    shared = SourceTable.model_json_schema()
    choices = []
    for kind in kinds():
        own = settings_of(kind).model_json_schema()
        definitions.update(own.pop("$defs", {}))
        properties = {**shared["properties"], **own.get("properties", {})}
        properties["kind"] = {"const": kind, "description": shared["properties"]["kind"]["description"]}
        name = f"Source_{kind}"
        definitions[name] = {
            "type": "object",
            "title": name,
            "description": own.get("description", ""),
            "properties": properties,
            "required": ["kind", *own.get("required", ())],
            "additionalProperties": False,
        }
        choices.append({"$ref": f"#/$defs/{name}"})
    definitions.pop("SourceTable", None)
    schema["properties"]["sources"]["additionalProperties"] = {"oneOf": choices}
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Escucha config.toml"
    return schema


def config_reference() -> str:
    """Write the reference of config.toml as Markdown: every table, every key, its default and its meaning."""
    from listener.sources import kinds, settings_of

    lines = ["# config.toml, key by key", "", "Written by `escucha schema --markdown`; a test holds it up to date.", ""]
    for name, field in Settings.model_fields.items():
        models = [part for part in _models(field.annotation) if part is not None]
        kind = str(field.annotation)
        title = f"[[{name}]]" if "list[" in kind else f"[{name}.NAME]" if "dict" in kind else f"[{name}]"
        lines += [f"## `{title}`", ""]
        if field.description:
            lines += [field.description + ".", ""]
        for model in models:
            lines += [*_rows(model), ""]
    lines += ["### `[sentiment.transformers.HEAD]` (docs/models.md)", "", *_rows(TransformerTable), ""]
    lines += ["### `[sla.stakeholders.WHO]` (docs/clocks.md)", "", *_rows(StakeholderClock), ""]
    lines += ["### `[sla.rules.ID]` (docs/clocks.md)", "", *_rows(RegulatoryRule), ""]
    for kind in kinds():
        lines += [f'### `kind = "{kind}"` (docs/sources/{kind}.md)', "", *_rows(settings_of(kind)), ""]
    lines += ["## `when = { … }` and `unless = { … }` of a route", "", *_rows(When), ""]
    return "\n".join(lines)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _rows(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | left out | meaning |"
    yield "|---|---|---|"
    for key, field in model.model_fields.items():
        if field.is_required():
            default = "needed"
        else:
            value = field.get_default(call_default_factory=True)
            default = f"`{_plain(value)}`" if value not in (None, "", []) else "–"
        yield f"| `{field.alias or key}` | {default} | {field.description or ''} |"


def _plain(value: Any) -> str:
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
            if seconds % size == 0:
                return f"{seconds // size} {unit}{'s' * (seconds != size)}"
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(str(part) for part in value) if isinstance(value, (list, tuple)) else str(value)
