from __future__ import annotations

import pytest

from listener.names import code_of, name_of


@pytest.mark.parametrize(
    ("name", "code"),
    [("Spanish", "es"), ("portuguese", "pt"), (" ENGLISH ", "en"), ("Klingonese", None), ("", None)],
)
def test_a_language_is_known_by_its_english_name(name: str, code: str | None) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [("Peru", "PE"), ("UnitedStates", "US"), ("Cote d'Ivoire", "CI"), ("Ivory Coast", "CI"), ("Spanish", None)],
)
def test_a_country_is_known_however_it_is_written(name: str, code: str | None) -> None:
    assert code_of(name, country=True) == code


@pytest.mark.parametrize(("code", "name"), [("es", "Spanish"), ("PE", "Peru"), ("xx", None), ("ESP", None), ("", None)])
def test_a_code_has_a_name(code: str, name: str | None) -> None:
    assert name_of(code) == name
