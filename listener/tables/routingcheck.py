"""Check what one rule alone cannot know: names that point nowhere, rules and rows never reached, nobody who answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.errors import Fault
from listener.faults import did_you_mean
from listener.tables.gridfile import GridRow, bits, read_grid
from listener.tables.routing import RouteRule, When

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["TAKEN", "check_routing"]

# What the taxonomy's own steps are called: a case must be able to say which rule decided it.
TAKEN = ("not about us", "own account", "safety", "legal threat", "job", "fraud", "opt-out", "matrix", "widest net")


def check_routing(settings: Settings, folder: Path) -> Iterator[Fault]:
    """Find faults in [[routes]], in the grid that [routing] names and in [matrix]."""
    seen: set[str] = set()
    for place, rule in enumerate(settings.routes):
        where = f"routes «{rule.name}»"
        yield from _check_name(where, rule, seen)
        yield from _check_answer(where, rule)
        for part, when in (("when", rule.when), ("unless", rule.unless)):
            if when is not None:
                yield from _check_when(where, part, when, settings)
        yield from _check_reached(where, rule, settings.routes[:place])
    if settings.routing.grid is not None:
        rows, faults = read_grid(folder / settings.routing.grid)
        yield from (Fault(f"routing.grid {one.where}", one.what, one.hint) for one in faults)
        yield from _check_matrix(settings, rows)


def _check_name(where: str, rule: RouteRule, seen: set[str]) -> Iterator[Fault]:
    if not rule.name.strip():
        yield Fault(where, "name is empty", "write what people read as the reason")
    elif rule.name in TAKEN:
        yield Fault(where, "is the name of a step of the taxonomy", "give it another name")
    elif rule.name in seen:
        yield Fault(where, "two rules have this name: a case could not say which decided", "give it another name")
    seen.add(rule.name)


def _check_answer(where: str, rule: RouteRule) -> Iterator[Fault]:
    if rule.goes_on and rule.department is not None:
        hint = f'write copies = ["{rule.department}"], or leave continue out'
        yield Fault(where, "continues, so another rule says who answers", hint)
    elif rule.goes_on and not rule.copies and rule.priority is None:
        yield Fault(where, "continues and adds nothing", "write copies or priority")
    elif not rule.goes_on and rule.department is None:
        yield Fault(where, "'department' is missing", "add it, or write continue = true to let the next rules decide")


def _check_when(where: str, part: str, when: When, settings: Settings) -> Iterator[Fault]:
    names = (*settings.brands, *settings.competitors)
    for key in _many(when.brand):
        if key not in names:
            yield Fault(where, f"{part}.brand: there is no brand '{key}'", did_you_mean(key, names))
    for name in _many(when.source):
        if name not in settings.sources:
            hint = did_you_mean(name, tuple(settings.sources))
            yield Fault(where, f"{part}.source: there is no source '{name}'", hint)
    for name, value in when:
        if value == []:
            yield Fault(where, f"{part}.{name} is an empty list: it never fits", "fill it, or leave it out")
    if when.query is not None:
        yield from _check_query(where, part, when.query, settings)


def _check_query(where: str, part: str, text: str, settings: Settings) -> Iterator[Fault]:
    from listener.query import QueryError, check_query, parse
    from listener.query.tree import Day, leaves

    names = (*settings.brands, *settings.competitors)
    for fault in check_query(text, where, known={"source": tuple(settings.sources), "brand": names}):
        yield Fault(where, f"{part}.{fault.what}", fault.hint)
    try:
        tree = parse(text).tree
    except QueryError:
        return  # told above
    if any(isinstance(leaf, Day) for leaf in leaves(tree)):
        yield Fault(where, f"{part}.query: a rule holds on any day", "leave since: and until: out")


def _check_reached(where: str, rule: RouteRule, before: list[RouteRule]) -> Iterator[Fault]:
    if rule.unless is not None and _covers(rule.unless, rule.when):
        yield Fault(where, "never applies: unless takes all that when gives", "narrow unless")
    for earlier in before:
        takes = not earlier.goes_on and (earlier.unless is None or earlier.unless == rule.unless)
        if takes and _covers(earlier.when, rule.when):
            yield Fault(where, f"is never reached: «{earlier.name}» takes all of it", "move it up or narrow the other")
            return


def _check_matrix(settings: Settings, rows: tuple[GridRow, ...]) -> Iterator[Fault]:
    """Find the rows of [matrix] for which the grid leaves nothing."""
    taken = 0
    passed = 0  # what a row of the grid leaves to [matrix] and the taxonomy
    for row in rows:
        free = bits(row.asks) & ~taken
        taken |= free
        if row.department is None:
            passed |= free
    for stakeholder in settings.matrix:
        if bits({"stakeholder": frozenset({stakeholder})}) & ~(taken & ~passed) == 0:
            hint = "leave it out, or write * as the department of a line of the grid"
            yield Fault("matrix", f"{stakeholder} is never reached: the grid takes all of it", hint)


def _covers(wide: When, narrow: When) -> bool:
    """Tell whether everything that fits `narrow` also fits `wide`."""
    for name in type(wide).model_fields:
        mine, theirs = getattr(wide, name), getattr(narrow, name)
        if mine is None:
            continue
        if theirs is None:
            return False
        if name == "min_followers":
            if theirs < mine:
                return False
        elif not set(_many(theirs)) <= set(_many(mine)):
            return False
    return True


def _many(value: Any) -> tuple[Any, ...]:
    return () if value is None else tuple(value) if isinstance(value, list) else (value,)
