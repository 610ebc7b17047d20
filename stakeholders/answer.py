"""Say who answers a post that is not stored: for post files (docs/formats.md) and for `escucha explain`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from listener.config import Config
from listener.mention import Mention
from listener.reason import N_, Reason, say
from sentiment.postfile import label_row
from sentiment.verdict import Item, Label, Verdict
from stakeholders.deciding.facts import Route, Speaker
from stakeholders.desk import Desk
from stakeholders.registry import Registry
from stakeholders.registry import load as load_registry

if TYPE_CHECKING:
    from stakeholders.deciding.explain import Explanation

__all__ = ["answerer", "describe", "describe_json"]


_UNSURE_BELOW = 0.5  # share of a decision under which a person should look twice


def answerer(config: Config) -> Callable[[Item, Verdict], dict[str, Any]]:
    """Give the function that adds `stakeholder`, `priority` and `department` to a classified post.

    The file may watch a brand of its own (docs/formats.md), so the registry of its country is asked too.
    """
    desk = Desk(config)
    files = tuple(config.folder / name for name in config.settings.registry.files)

    @cache
    def registry(country: str | None) -> Registry:
        return load_registry(sorted({*desk.countries, *((country,) if country else ())}), files)

    def answer(item: Item, verdict: Verdict) -> dict[str, Any]:
        brand = item.brand
        mention = Mention(item.post, brand.key, brand.kind, ())
        among = (brand, *item.rivals)
        speaker, _, route = desk.decide(mention, verdict, among=among, registry=registry(brand.country))
        return _rows(speaker, route, config.language)

    return answer


def _rows(speaker: Speaker, route: Route, lang: str) -> dict[str, Any]:
    urgent = Label(route.priority, route.priority_share, unsure=route.priority_share < _UNSURE_BELOW)
    whose = Label(
        route.department, route.department_share, route.because, unsure=route.department_share < _UNSURE_BELOW
    )
    department = label_row(whose, lang)
    return {
        "stakeholder": label_row(speaker.label, lang),
        "priority": label_row(urgent, lang),
        "department": department | {"copies": list(route.copies)},
    }


def describe(found: Explanation, lang: str) -> Iterator[str]:
    """Word an explanation for a terminal, line by line."""
    brand, verdict, route = found.brand, found.verdict, found.route
    yield say(N_("About {quote}:"), lang, quote=brand.name)
    if not found.watched:
        yield "  " + say(N_("config.toml does not watch it; it is read as if it were ours"), lang)
    if not found.named:
        yield "  " + say(N_("the text does not name it; it is read as if it did"), lang)
    rows = [(N_("relevant"), verdict.relevant), (N_("sentiment"), verdict.sentiment)]
    rows += [(N_("who speaks"), found.speaker.label)]
    rows += [(N_("dimension"), verdict.dimension), (N_("intent"), verdict.intent)]
    for head, label in rows:
        name = {"true": say(N_("yes"), lang), "false": say(N_("no"), lang)}.get(label.name) or _key(label.name, lang)
        doubt = f" · {say(N_('unsure'), lang)}" if label.unsure else ""
        yield f"  {say(head, lang)}: {name} — {label.confidence:.0%}{doubt}"
        yield from (f"      {one.say(lang)}" for one in label.because)
    yield f"  {say(N_('department'), lang)}: {_key(route.department, lang)}"
    if route.copies:
        copied = ", ".join(_key(one, lang) for one in route.copies)
        yield f"      {say(N_('copied'), lang)}: {copied}"
    yield f"  {say(N_('priority'), lang)}: {_key(route.priority, lang)}"
    yield from _listed(N_("Why"), route.because, lang)
    yield from _listed(N_("What would have changed it"), route.otherwise, lang)


def _listed(title: str, reasons: tuple[Reason, ...], lang: str) -> Iterator[str]:
    if reasons:
        yield say(title, lang) + ":"
        yield from (f"  · {one.say(lang)}" for one in reasons)


def _key(name: str, lang: str) -> str:
    """Word a label and keep its key beside it, since rules and files are written with keys."""
    worded = say("{key}", lang, key=name)
    return worded if worded == name else f"{worded} ({name})"


def describe_json(found: Explanation, lang: str) -> dict[str, Any]:
    """Give an explanation in the shape of docs/formats.md, with the route's reasons beside it."""
    verdict, route = found.verdict, found.route
    heads: Mapping[str, Any] = {
        head: label_row(getattr(verdict, head), lang, boolean=head == "relevant")
        for head in ("relevant", "sentiment", "dimension", "intent")
    }
    return {
        "brand": found.brand.name,
        **heads,
        **_rows(found.speaker, route, lang),
        "rule": route.rule,
        "added": list(route.added),
        "because": [one.say(lang) for one in route.because],
        "otherwise": [one.say(lang) for one in route.otherwise],
        "engine": verdict.engine,
    }
