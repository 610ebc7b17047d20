"""A stranger's JSON as text: what `scrub` leaves of it, whatever stands there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.raw import compact, scrub

PLAIN = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("\x00\ud800\udc00\\u0a😀", max_size=8)
)
VALUES = st.recursive(
    PLAIN | st.just(datetime(2026, 5, 4, tzinfo=UTC)) | st.just(object()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5) | st.just("\x00\ud83d"), inner),
    max_leaves=12,
)


@settings(deadline=None)  # the machine may be busy
@given(VALUES)
def test_what_is_written_is_what_scrubbing_leaves_and_every_database_holds_it(value: Any) -> None:
    text = compact(value)
    text.encode()
    assert "\x00" not in text
    assert json.loads(text) == scrub(value)


@pytest.mark.parametrize("levels", [39, 40, 41, 60, 3_000])
def test_what_lies_too_deep_is_left_out(levels: int) -> None:
    value: Any = "bottom"
    for level in range(levels):
        value = [value] if level % 2 else {"in": value}
    text = compact(value)
    assert json.loads(text) == scrub(value)
    assert ("bottom" in text) == (levels <= 40)


def test_many_small_objects_are_not_deep() -> None:
    value = {"all": [{"n": n, "of": [n]} for n in range(100)]}
    assert json.loads(compact(value)) == value
