"""Entities in config.toml: accounts of one type, people who are no product, queries that can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from listener.settings import Settings
from listener.tables.crosscheck import cross_check


def faults(tmp_path: Path, **brand: Any) -> list[str]:
    settings = Settings.model_validate(
        {
            "brands": {"nitido": {"name": "Nítido"} | brand},
            "competitors": {"brisatel": {"name": "Brisatel"}},
            "departments": {"communications": {"alert": ["mail:team@example.org"]}},
        }
    )
    return [f"{fault.where}: {fault.what}" for fault in cross_check(settings, tmp_path)]


@pytest.mark.parametrize(
    ("brand", "told"),
    [
        ({"care_handles": ["@Ayuda"], "sales_handles": ["ayuda"]}, "sales_handles: 'ayuda' stands in care_handles too"),
        ({"care_handles": ["@"]}, "care_handles: '@' is no account"),
        ({"products": ["Plan Ana"], "executives": ["plan ANA"]}, "executives: 'plan ANA' is a product too"),
        ({"products": [" "]}, "products holds an empty name"),
        ({"query": "(apagón OR luz"}, "query: "),
        ({"query": "brand:brisatell"}, "query: brand:brisatell names nothing here"),
    ],
)
def test_a_fault_of_an_entity_names_its_table_and_key(tmp_path: Path, brand: dict[str, Any], told: str) -> None:
    found = faults(tmp_path, **brand)
    assert len(found) == 1
    assert found[0].startswith("brands.nitido: " + told)


def test_an_entity_with_everything_in_its_place_has_no_fault(tmp_path: Path) -> None:
    told = {
        "products": ["Plan Cristal"], "executives": ["Ana Ríos"], "own_handles": ["@nitido"],
        "care_handles": ["@nitidoayuda"], "sales_handles": ["@nitidoventas"], "corporate_handles": ["@nitido"],
        "query": '("sin señal" OR apagón) AND brand:brisatel',
    }  # fmt: skip
    assert faults(tmp_path, **told) == []
