"""Show people what was heard and what is owed; streamlit is imported in this folder and in dashboard.py only."""

from __future__ import annotations

__all__: list[str] = []
