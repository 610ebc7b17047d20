"""Word the order in which an instance decides: its rules, the overrides, its grid, the matrix and the widest net."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from listener.reason import N_, label, say
from listener.tables.gridfile import GridRow
from listener.tables.routing import RouteRule, When
from stakeholders.deciding.rules import Rules

__all__ = ["describe_order", "order_json"]

_IRRELEVANT = N_("Not about the brand: kept, communications, nobody is told")
_OWN = N_("Our own account speaks: communications, nobody owes an answer")
_OVERRIDES = N_("Whoever speaks: safety, a legal threat, a job, fraud, an opt-out (docs/routing.md)")
_GRID = N_("Your grid: {n} lines, the first that fits wins")
_INSTEAD = N_("[matrix]: {stakeholder} → {department}")
_MATRIX = N_("The taxonomy's matrix: who speaks, split by words and labels (docs/labels.md)")
_WIDEST = N_("The widest net: {department}")
_RULE = N_("Your rule «{quote}»")
_WHEN = N_("when {quote}")
_ALWAYS = N_("always")
_UNLESS = N_("unless {quote}")
_GIVES = N_("→ {department}")
_GOES_ON = N_("→ the next rules decide")
_COPIES = N_("copies {quote}")
_PRIORITY = N_("as «{priority}»")
_WORDS = {
    "brand": N_("brand"),
    "kind": N_("kind"),
    "stakeholder": N_("who speaks"),
    "sentiment": N_("sentiment"),
    "dimension": N_("dimension"),
    "intent": N_("intent"),
    "source": N_("source"),
    "country": N_("country"),
    "lang": N_("language"),
    "words": N_("words"),
    "query": N_("query"),
    "min_followers": N_("followers from"),
    "outlet": N_("news outlet"),
    "own_account": N_("our own account"),
    "priority": N_("priority"),
}


def describe_order(rules: Rules, lang: str) -> Iterator[str]:
    """Word every step in its order, numbered, for a terminal."""
    steps = [[say(_IRRELEVANT, lang)]]
    steps += [_rule(rule, lang) for rule in rules.routes]
    steps += [[say(_OWN, lang)], [say(_OVERRIDES, lang)]]
    if rules.grid:
        steps.append([say(_GRID, lang, n=len(rules.grid)), *(_line(row, lang) for row in rules.grid)])
    matrix = [say(_INSTEAD, lang, stakeholder=who, department=whom) for who, whom in rules.matrix.items()]
    steps += [[one] for one in matrix]
    steps += [[say(_MATRIX, lang)], [say(_WIDEST, lang, department="communications")]]
    for number, (first, *more) in enumerate(steps, 1):
        yield f"{number:>3}. {first}"
        yield from (f"     {one}" for one in more)


def order_json(rules: Rules) -> Iterator[dict[str, Any]]:
    """Give the steps that config.toml adds as plain JSON, in their order."""
    for rule in rules.routes:
        yield {"step": "rule"} | rule.model_dump(exclude_none=True, by_alias=True)
    for row in rules.grid:
        asks = {name: sorted(values) for name, values in row.asks.items()}
        given = {"department": row.department, "copies": list(row.copies), "becomes": row.becomes}
        yield {"step": "grid", "line": row.line, "asks": asks} | given
    for stakeholder, department in rules.matrix.items():
        yield {"step": "matrix", "stakeholder": stakeholder, "department": department}


def _rule(rule: RouteRule, lang: str) -> list[str]:
    conditions = _conditions(rule.when, lang)
    lines = [
        say(_RULE, lang, quote=rule.name),
        say(_WHEN, lang, quote=conditions) if conditions else say(_ALWAYS, lang),
    ]
    if rule.unless is not None:
        lines.append(say(_UNLESS, lang, quote=_conditions(rule.unless, lang)))
    told = [say(_GOES_ON, lang) if rule.department is None else say(_GIVES, lang, department=rule.department)]
    told += _additions(rule.copies, rule.priority, lang)
    return [*lines, " · ".join(told)]


def _line(row: GridRow, lang: str) -> str:
    asked = _list({name: sorted(values) for name, values in row.asks.items()}, lang) or say(_ALWAYS, lang)
    given = say(_MATRIX, lang) if row.department is None else label(row.department, lang)
    told = [f"{row.line}: {asked} → {given}", *_additions(row.copies, row.becomes, lang)]
    return " · ".join(told)


def _additions(copies: Any, priority: str | None, lang: str) -> Iterator[str]:
    if copies:
        yield say(_COPIES, lang, quote=", ".join(label(one, lang) for one in copies))
    if priority is not None:
        yield say(_PRIORITY, lang, priority=priority)


def _conditions(when: When, lang: str) -> str:
    return _list(when.model_dump(exclude_none=True), lang)


def _list(asked: Mapping[str, Any], lang: str) -> str:
    return " · ".join(f"{say(_WORDS[name], lang)}: {_values(name, value, lang)}" for name, value in asked.items())


def _values(name: str, value: Any, lang: str) -> str:
    if isinstance(value, bool):
        return say(N_("yes") if value else N_("no"), lang)
    many = value if isinstance(value, list) else [value]
    if name in ("words", "query"):
        return ", ".join(f"«{one}»" for one in many)
    return ", ".join(label(str(one), lang) for one in many)
