"""Read values out of strangers' JSON: whatever stands there, a clean value comes back, or None for "not told"."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

__all__ = ["compact", "dump", "read_count", "read_flag", "read_moment", "read_state", "read_text", "scrub", "within"]

_LARGEST = 2**63 - 1  # what a BIGINT column holds
_DEEPEST = 40
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_BROKEN = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL holds no NUL, UTF-8 no lone surrogates
_TRUE = frozenset({"true", "1", "yes", "y", "si", "sí", "verdadero", "sim"})
_FALSE = frozenset({"false", "0", "no", "n", "falso", "não", "nao"})


def within(raw: Any, *path: str) -> Any:
    """Walk down nested objects; None where the path ends early or meets something else."""
    for key in path:
        if not isinstance(raw, Mapping):
            return None
        raw = raw.get(key)
    return raw


def read_text(value: Any, limit: int | None = None) -> str | None:
    """Give text that any database can hold, or None for nothing, white space, objects and lists.

    Numbers become their digits (a spreadsheet makes 1.0 of an id 1); `limit` cuts after so many characters.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        try:
            return str(value)
        except ValueError:  # more than 4,300 digits
            return None
    if isinstance(value, float):
        return (str(int(value)) if value.is_integer() else repr(value)) if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    text = _BROKEN.sub("", value[:limit] if limit is not None else value)
    return text if text.strip() else None


def read_count(value: Any) -> int | None:
    """Give a whole number of zero or more, or None; text with digits counts as a number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip()
        value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else None
    return value if isinstance(value, int) and 0 <= value <= _LARGEST else None


def read_flag(value: Any) -> bool | None:
    """Give yes or no, or None; the words of a spreadsheet in English, Spanish and Portuguese are known."""
    if isinstance(value, bool):
        return value
    word = (read_text(value) or "").strip().casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def read_moment(value: Any, zone: tzinfo = UTC) -> datetime | None:
    """Give an aware UTC time from ISO 8601 text, seconds since 1970 or a spreadsheet's date; None for nothing.

    A time without a zone is read in `zone`. Raises ValueError when something stands there that is no time.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
        else:
            raise TypeError("an object instead of a time")
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise ValueError("the time is not ISO 8601") from error


def scrub(value: Any, depth: int = 0) -> Any:
    """Copy a value as plain JSON that any database can hold.

    NaN becomes None, keys text, dates ISO 8601; other things and what lies deeper than 40 levels are left out.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return _BROKEN.sub("", value)
    if isinstance(value, datetime):
        return value.isoformat()
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {_BROKEN.sub("", str(key)): scrub(part, depth + 1) for key, part in value.items()}
        if isinstance(value, (list, tuple)):
            return [scrub(part, depth + 1) for part in value]
    return None


def compact(value: Any) -> str:
    """Write what `scrub` leaves of a value as compact JSON, in which every database finds UTF-8 without NUL."""
    try:
        text = _encode(value)
        text.encode()  # a lone surrogate is refused here
        if "\\u0000" not in text and (text.count("{") + text.count("[") <= _DEEPEST or not _lies_deep(value)):
            return text
    except (TypeError, ValueError, RecursionError):  # what is no JSON: `scrub` knows what to do with it
        pass
    return _encode(scrub(value))


def _lies_deep(value: Any, left: int = _DEEPEST - 1) -> bool:
    """Tell whether something lies deeper than `scrub` goes, in a value of plain JSON."""
    parts = value.values() if isinstance(value, dict) else value
    return any(not left or _lies_deep(part, left - 1) for part in parts if isinstance(part, dict | list | tuple))


def dump(value: Any) -> str:
    """Write any value as JSON for the quarantine."""
    return json.dumps(scrub(value), ensure_ascii=False)


def read_state(cursor: str | None) -> dict[str, dict[str, Any]]:
    """Read a cursor that holds one object a feed, file or search; a damaged one counts as none."""
    try:
        state = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return {key: part for key, part in state.items() if isinstance(part, dict)} if isinstance(state, dict) else {}
