"""Replay ninety days of an openly synthetic company through the real pipeline, with a mail server of its own."""

from __future__ import annotations

from pathlib import Path

__all__ = ["POSTS", "REGISTRY"]

FOLDER = Path(__file__).parent
POSTS = FOLDER / "posts.jsonl"  # openly synthetic: every name, account and event in it is invented
REGISTRY = FOLDER / "registry.toml"  # its institutions and media
