"""Hold an instance's own rules and tell which of them apply to a mention; pure: facts in, rules out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.errors import ConfigError
from listener.match import fold
from listener.settings import Settings
from listener.tables.gridfile import GridRow, read_grid
from listener.tables.routing import RouteRule, When
from listener.taxonomy import Department, Stakeholder
from stakeholders.deciding.facts import Facts
from stakeholders.deciding.topics import find_words

if TYPE_CHECKING:
    from listener.query import Query

__all__ = ["Rules", "applies", "bars", "choose", "fits", "rules_of", "words_found"]

_ANY_TIME = datetime.min.replace(tzinfo=UTC)  # a rule asks for no day (listener/tables/routingcheck.py)


@dataclass(frozen=True, slots=True)
class Rules:
    """Hold what config.toml adds to the taxonomy: explicit rules, other matrix rows, and who the competitors are."""

    routes: tuple[RouteRule, ...] = ()
    matrix: Mapping[Stakeholder, Department] = field(default_factory=dict)
    rivals: frozenset[str] = frozenset()  # folded handles of competitors and of the executives that speak for them
    grid: tuple[GridRow, ...] = ()  # read before `matrix`

    def without(self, name: str) -> Rules:
        """Give the same rules without the [[routes]] rule of that name."""
        return replace(self, routes=tuple(rule for rule in self.routes if rule.name != name))

    def without_line(self, line: int) -> Rules:
        """Give the same rules without one line of the grid."""
        return replace(self, grid=tuple(row for row in self.grid if row.line != line))


def rules_of(settings: Settings, folder: Path | None = None) -> Rules:
    """Give the rules of a configuration; the path of its grid starts at `folder`, that of config.toml.

    Raises ConfigError when the grid was spoiled since the configuration was checked.
    """
    rivals = {fold(handle) for brand in settings.watched() if brand.kind == "competitor" for handle in brand.handles}
    rows: tuple[GridRow, ...] = ()
    if settings.routing.grid is not None:
        rows, faults = read_grid((folder or Path()) / settings.routing.grid)
        if faults:
            raise ConfigError(faults)
    return Rules(tuple(settings.routes), settings.matrix, frozenset(rivals), rows)


def choose(facts: Facts, rules: Rules) -> tuple[tuple[RouteRule, ...], RouteRule | None]:
    """Give the rules that add to a decision and go on, and the first other one that applies, which decides.

    What our own account writes owes nobody an answer, so only a rule that asks for `own_account` adds to it.
    """
    added: list[RouteRule] = []
    for rule in rules.routes:
        if not applies(rule, facts):
            continue
        if not rule.goes_on:
            return tuple(added), rule
        if not facts.own_account or rule.when.own_account is not None:
            added.append(rule)
    return tuple(added), None


def applies(rule: RouteRule, facts: Facts) -> bool:
    """Tell whether the conditions of a rule hold and its exceptions do not."""
    return fits(rule.when, facts) and (rule.unless is None or not fits(rule.unless, facts))


def bars(rules: Rules) -> tuple[int, ...]:
    """Give every number of followers from which a rule asks, each once, the lowest first."""
    whens = [when for rule in rules.routes for when in (rule.when, rule.unless) if when is not None]
    return tuple(sorted({when.min_followers for when in whens if when.min_followers}))


def words_found(when: When, facts: Facts) -> tuple[str, ...]:
    """Give the words of the text for which the conditions hold, as they stand in it."""
    found = list(find_words(facts.text, _many(when.words)))
    if when.query is not None:
        from listener.query.match import spans

        found.extend(term.text for term in spans(_query(when.query)[0], facts.text))
    return tuple(dict.fromkeys(found))


def fits(when: When, facts: Facts) -> bool:
    """Tell whether every condition given holds; what is not told fits no condition on it."""
    same: Iterable[bool] = (
        _among(when.brand, facts.brand),
        when.kind in (None, facts.kind),
        _among(when.stakeholder, facts.stakeholder),
        _among(when.sentiment, facts.sentiment),
        _among(when.dimension, facts.dimension),
        _among(when.intent, facts.intent),
        _among(when.source, facts.source or ""),
        _among_folded(when.country, facts.country),
        _among_folded(when.lang, facts.lang),
        when.min_followers is None or (facts.followers is not None and facts.followers >= when.min_followers),
        when.outlet in (None, facts.outlet),
        when.own_account in (None, facts.own_account),
    )
    if not all(same):
        return False
    if when.words is not None and not find_words(facts.text, _many(when.words)):
        return False
    return when.query is None or _asked(when.query, facts)


def _asked(text: str, facts: Facts) -> bool:
    from listener.query.match import Facts as Told
    from listener.query.match import Reading

    told = Told(
        facts.text, _ANY_TIME, facts.source or "", facts.lang, facts.country, facts.handle, facts.followers,
        frozenset({facts.brand}),
    )  # fmt: skip
    return bool(_query(text)[1](Reading(told, _words_of(facts.text))))


@lru_cache(maxsize=512)
def _query(text: str) -> tuple[Query, Any]:
    """Read a query once; it was checked with the configuration."""
    from listener.query import parse
    from listener.query.match import compile_test

    query = parse(text)
    return query, compile_test(query.tree)


@lru_cache(maxsize=64)  # a decision asks again for every "what would have changed it"
def _words_of(text: str) -> list[str]:
    from listener.query.words import words_of

    return words_of(text)


def _many(value: Any) -> tuple[Any, ...]:
    return () if value is None else tuple(value) if isinstance(value, list) else (value,)


def _among(wanted: object, value: str) -> bool:
    return wanted is None or value in _many(wanted)


def _among_folded(wanted: list[str] | str | None, value: str | None) -> bool:
    return wanted is None or (value is not None and fold(value) in {fold(one) for one in _many(wanted)})
