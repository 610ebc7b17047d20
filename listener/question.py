"""Ask a platform for brands: OR queries of their names, handles and hashtags, none longer than the platform allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from listener.mention import Brand

__all__ = ["ask", "spellings"]


def spellings(brands: Iterable[Brand]) -> tuple[str, ...]:
    """List every name of the brands once, whatever its case, in their order."""
    found: dict[str, str] = {}
    for brand in brands:
        for name in (brand.name, *brand.names):
            clean = " ".join(name.replace('"', " ").split())  # no platform has an escape for a quote inside quotes
            if clean:
                found.setdefault(clean.casefold(), clean)
    return tuple(found.values())


def _terms(brands: Sequence[Brand], signs: bool) -> Iterator[str]:
    """Yield each thing to ask for once: "quoted names", @handles, #hashtags."""
    for name in spellings(brands):
        yield f'"{name}"'
    if signs:
        named = ["@" + word.strip("@ ") for brand in brands for word in brand.handles]
        tagged = ["#" + word.strip("# ") for brand in brands for word in brand.hashtags]
        yield from dict.fromkeys(word for word in (*named, *tagged) if len(word) > 1)


def ask(brands: Sequence[Brand], limit: int, *, suffix: str = "", signs: bool = True) -> list[str]:
    """Build as few OR queries of at most `limit` characters as hold every term; `suffix` ends each.

    A single term that is longer than the limit is cut to what fits, because asking for its start finds more, not less.
    """
    queries: list[str] = []
    chosen: list[str] = []
    room = limit - len(suffix) - 2  # the brackets
    for term in _terms(brands, signs):
        fitting = term if len(term) <= room else term[: room - 1].rstrip() + ('"' if term[0] == '"' else "")
        if chosen and len(" OR ".join([*chosen, fitting])) > room:
            queries.append(f"({' OR '.join(chosen)}){suffix}")
            chosen = []
        chosen.append(fitting)
    if chosen:
        queries.append(f"({' OR '.join(chosen)}){suffix}")
    return queries
