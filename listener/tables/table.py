"""Hold what every table of config.toml has in common: keys that nobody reads are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Table"]


class Table(BaseModel):
    """Refuse keys that nobody reads: a typo must not be silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
