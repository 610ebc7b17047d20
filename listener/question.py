"""Ask a platform for brands: queries of their names, handles, hashtags and own queries, each within its limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from listener.mention import Brand
from listener.query.dialects import DIALECTS
from listener.query.translate import Translation, translate_tree
from listener.query.tree import any_of, of_brand

__all__ = ["ask", "ask_platform", "spellings"]


def spellings(brands: Iterable[Brand]) -> tuple[str, ...]:
    """List every name of the brands once, whatever its case, in their order."""
    found: dict[str, str] = {}
    for brand in brands:
        for name in (brand.name, *brand.names):
            clean = " ".join(name.replace('"', " ").split())  # no platform has an escape for a quote inside quotes
            if clean:
                found.setdefault(clean.casefold(), clean)
    return tuple(found.values())


def ask_platform(brands: Sequence[Brand], platform: str, *, limit: int | None = None, suffix: str = "") -> Translation:
    """Say for a platform (a key of DIALECTS) what would bring the posts about brands, and what it cannot be asked.

    A single term that is longer than the limit is cut to what fits, because asking for its start finds more, not less.
    """
    if not brands:
        return Translation(())
    tree = any_of(map(of_brand, brands))
    return translate_tree(tree, DIALECTS[platform], limit=limit, suffix=suffix, whole=True)


def ask(brands: Sequence[Brand], limit: int, *, suffix: str = "", signs: bool = True) -> list[str]:
    """Build as few OR queries of at most `limit` characters as hold every term; `suffix` ends each.

    X is asked for @handles and #hashtags too; `signs=False` asks as Reddit understands it, by names alone.
    """
    if signs:
        return list(ask_platform(brands, "x", limit=limit, suffix=suffix).queries)
    named = [replace(brand, handles=(), hashtags=()) for brand in brands]
    return list(ask_platform(named, "reddit", limit=limit, suffix=suffix).queries)
