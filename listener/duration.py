"""Read spans of time as people write them in config.toml: "10 minutes", "2 h", "1 day"."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

__all__ = ["Span", "parse_span"]

_UNITS = {"s": 1, "second": 1, "m": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400, "week": 604800}
_SHAPE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+?)s?\s*", re.IGNORECASE)


def parse_span(value: Any) -> Any:
    """Turn "10 minutes" into a timedelta of at least one second; ValueError says which units are known."""
    if isinstance(value, timedelta):
        return value
    match = _SHAPE.fullmatch(value) if isinstance(value, str) else None
    unit = match.group(2).lower() if match else ""
    if match is None or unit not in _UNITS:
        raise ValueError(f'{value!r} is not a span of time; write it as "10 minutes", "4 hours" or "2 days"')
    span = timedelta(seconds=float(match.group(1)) * _UNITS[unit])
    if span < timedelta(seconds=1):
        raise ValueError(f"{value!r} is shorter than a second")
    return span


Span = Annotated[timedelta, BeforeValidator(parse_span)]
