"""Describe [spikes]: when far more is said than at such an hour, and when that makes a crisis case."""

from __future__ import annotations

from pydantic import Field

from listener.tables.table import Table

__all__ = ["Spikes"]


class Spikes(Table):
    """Say when a rise is a spike and when a spike is a crisis (docs/spikes.md)."""

    enabled: bool = Field(True, description="false: nothing is compared with past weeks, no crisis case is opened")
    least: int = Field(10, ge=3, description="mentions an hour under which no rise is a spike")
    rise: float = Field(1.5, ge=1.1, description="times the expected number, at least, however steady a brand is")
    false_alarms: float = Field(
        0.6, gt=0, le=30, description="false alarms a month you accept for each brand by chance alone"
    )
    competitors: bool = Field(True, description="spikes of competitors are noted too; they never open a case")
    crisis: bool = Field(True, description="a harmful spike of ours opens a crisis case and alerts")
    harm: float = Field(
        0.34, gt=0, le=1, description="share of a spike that must complain or harm before it is called a crisis"
    )
