"""The hands of the tasks cannot cheat, and each word of a sheet has a key of its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.reason import say
from stakeholders.casework.correction import LABELS_OF
from stakeholders.pages.triage import name_keys
from tests.pages.hand import ACTS, Cheating, Glass


class Page:
    """Answer to every name, as a page of a browser that does what it is told."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: name


@pytest.mark.parametrize("act", sorted(ACTS))
def test_a_task_that_touches_the_page_itself_fails(act: str) -> None:
    with pytest.raises(Cheating):
        getattr(Glass(Page()), act)


@pytest.mark.parametrize("script", ["one => one.click()", "() => box.focus()", "() => { box.value = 'x' }"])
def test_a_script_that_acts_fails_and_one_that_looks_does_not(script: str) -> None:
    with pytest.raises(Cheating):
        Glass(Page()).evaluate(script)
    assert Glass(Page()).evaluate("() => box.value === 'x' && location.href") == "evaluate"


@given(st.lists(st.text(max_size=12), max_size=50))
def test_no_key_opens_two_things_and_none_is_missing_while_some_are_free(words: list[str]) -> None:
    keys = name_keys(words)
    given_out = [key for key in keys if key]
    assert len(keys) == len(words)
    assert len(given_out) == len(set(given_out)) == min(36, len(words))
    assert all(len(key) == 1 and key.isascii() and key.isalnum() for key in given_out)


@pytest.mark.parametrize("lang", ["es", "en", "pt"])
def test_every_value_of_every_label_has_a_key_in_every_language(lang: str) -> None:
    for head, values in LABELS_OF.items():
        words = [say("{name}", lang, name=value) for value in values]
        keys = name_keys(words)
        assert all(keys), head
        assert keys[0] == words[0][0].casefold(), "the first word has its first letter"
