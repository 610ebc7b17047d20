"""Carry the inbox's filters in the address of every page: read them, link with them, find the case that comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from listener.mention import aware
from stakeholders.inbox import Filters, Key, follow
from stakeholders.lists.facet import count_some
from stakeholders.pages.scene import Scene

__all__ = [
    "Filters",
    "case_query",
    "count",
    "next_case",
    "read_after",
    "read_filters",
    "toggle",
    "write_after",
    "write_filters",
]

_LARGEST = 2**53  # what an address may ask for; databases take no more than 2**63


def read_filters(scene: Scene | None = None) -> Filters:
    """Read the filters of the address; days of its search are those of the instance's zone, without one of UTC."""
    zone = str(scene.config.zone) if scene is not None else "UTC"
    return Filters.from_query({name: st.query_params.get_all(name) for name in st.query_params}, zone)


def write_filters(scene: Scene, filters: Filters) -> None:
    """Put filters into the address, at the first page."""
    query: dict[str, Any] = scene.query(filters.to_query())
    st.query_params.from_dict(query)


def toggle(filters: Filters, name: str, value: str) -> Filters:
    """Give the filters with only this value of a facet, or without the facet when it was the only one."""
    chosen = getattr(filters, name)
    changed: dict[str, Any] = {name: () if chosen == (value,) else (value,)}
    return replace(filters, **changed)


def case_query(scene: Scene, filters: Filters, case_id: int) -> dict[str, object]:
    """Give the query of a link to a case, from which the way back to this view is known."""
    return scene.query({**filters.to_query(), "id": case_id})


def write_after(key: Key) -> str:
    """Write where the next page starts for an address."""
    due = key.due_at.isoformat() if key.due_at else ""
    return f"{key.rank}~{due}~{key.id}"


def read_after(text: str | None) -> Key | None:
    """Read where a page starts; None for the first page and for what is no such place."""
    try:
        rank, due, number = (text or "").split("~")
        key = Key(int(rank), aware(datetime.fromisoformat(due)) if due else None, int(number))
    except (ValueError, OverflowError):
        return None
    return key if 0 <= key.rank < 10 and 0 <= key.id < _LARGEST else None


def count(scene: Scene, filters: Filters, now: datetime) -> int:
    """Count the cases that the filters let through."""
    return scene.keep(("count", filters, filters.zone), lambda connection: count_some(connection, filters, now))


def next_case(connection: Connection, filters: Filters, number: int | None, now: datetime) -> int | None:
    """Find the case that comes after this one in the view; when this one has left it, the view's first."""
    return follow(connection, filters, number, now)
