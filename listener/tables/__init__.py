"""Describe and check the tables of config.toml, one subject a module."""

from __future__ import annotations

__all__: list[str] = []
