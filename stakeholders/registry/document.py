"""Write entries as a registry file of our form; read_entries reads it back (TOML 1.0, https://toml.io/en/v1.0.0)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from stakeholders.registry import Entry

__all__ = ["write_document"]


def write_document(country: str, entries: Iterable[Entry], head: str = "") -> str:
    """Give the text of a registry file: the country (two capitals), then one table an entry; empty fields are left out.

    `head` becomes a comment above it, one line a line.
    """
    lines = [*(f"# {line}".rstrip() for line in head.splitlines()), f"country = {_quote(country)}"]
    for entry in entries:
        lines += ["", "[[entry]]"]
        lines += [f"{key} = {_quote(text)}" for key, text in (("name", entry.name), ("stakeholder", entry.stakeholder))]
        lines.append(f"kind = {_quote(entry.kind)}")
        for key, words in (("handles", entry.handles), ("domains", entry.domains), ("aliases", entry.aliases)):
            if words:
                lines.append(f"{key} = [" + ", ".join(_quote(word) for word in words) + "]")
        if entry.outlet:
            lines.append("outlet = true")
        lines.append(f"since = {entry.since.isoformat()}")
        if entry.since_precision != "day":
            lines.append(f"since_precision = {_quote(entry.since_precision)}")
        if entry.until is not None:
            lines.append(f"until = {entry.until.isoformat()}")
        if entry.successor is not None:
            lines.append(f"successor = {_quote(entry.successor)}")
    return "\n".join(lines) + "\n"


def _quote(text: str) -> str:
    """Write a basic string: JSON's escapes are TOML's, but TOML escapes the delete sign, too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
