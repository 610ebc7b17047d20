"""Frame the pages of Escucha: `streamlit run dashboard.py`, or `escucha serve` with the API on one port."""

from __future__ import annotations

from pathlib import Path

__all__: list[str] = []

if __name__ == "__main__":
    from stakeholders.pages.frame import run

    run(Path(__file__).resolve().parent)
