"""Say in words what the period of the pulse shows, from the figures of that page, and only what can be measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, time

from listener.reason import N_
from sentiment.interval import wilson
from stakeholders.counting.change import Direction, direction
from stakeholders.insight import DayCount, Net, Part, Share, Voice
from stakeholders.pages import marks
from stakeholders.pages.figures import Earlier
from stakeholders.pages.rises import Peak
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["foremost", "lead"]

_SHAPES: Mapping[Direction, str] = {"up": "▲", "down": "▼"}


def lead(
    scene: Scene,
    brand: str,
    net: Net | None,
    share: Share | None,
    earlier: Earlier,
    spoke: Sequence[Voice],
    about: Sequence[Part],
    days: Sequence[DayCount],
    found: Sequence[Peak],
) -> str:
    """Write the sentences: the mood first, what changed, where the harm comes from, the largest peak, what is unknown.

    A mood, a change and a source of harm are told only where their 95 % intervals leave no doubt.
    """
    told = [_mood(scene, brand, net)]
    if net is not None:
        told += [_changes(scene, net, share, earlier), _harm(scene, net, spoke, about), _peak(scene, found)]
    unheard = sum(one.mentions is None for one in days)
    if unheard:
        sentence = N_("On {n} of {all} days nobody listened: what was said then is unknown.")
        told.append(scene.t(sentence, n=marks.number(scene, unheard), all=marks.number(scene, len(days))))
    first, *rest = filter(None, told)
    return f'<p class="e-lead"><b>{escape(first)}</b> {escape(" ".join(rest))}</p>'


def foremost(counts: Mapping[str, int]) -> tuple[str, int] | None:
    """Give what holds measurably more than anything else, with its count; None where chance may explain the order.

    The interval of its share of all lies wholly above that of the second (Wilson, 95 %).
    """
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if not total or len(ordered) < 2:
        return None
    (name, number), (_, second) = ordered[:2]
    return (name, number) if wilson(number, total)[0] > wilson(second, total)[1] else None


def _mood(scene: Scene, brand: str, net: Net | None) -> str:
    if net is None:
        return scene.t(N_("Nobody mentioned {quote_brand} where it was listened to."), quote_brand=brand)
    if net.high < 0:
        sentence = N_("More harms {quote_brand} than helps it: of {n} mentions {negative} harm and {positive} help.")
    elif net.low > 0:
        sentence = N_("More helps {quote_brand} than harms it: of {n} mentions {positive} help and {negative} harm.")
    else:
        sentence = N_(
            "Harm and help for {quote_brand} cannot be told apart: of {n} mentions {negative} harm and {positive} help."
        )
    counts = {name: marks.number(scene, getattr(net, name)) for name in ("negative", "positive")}
    return scene.t(sentence, quote_brand=brand, n=marks.number(scene, net.mentions), **counts)


def _changes(scene: Scene, net: Net, share: Share | None, earlier: Earlier) -> str:
    """Say what changed measurably since the period before; that nothing did is said, too."""
    grew, before = earlier.growth, earlier.share
    turns: list[tuple[Direction, str, str, str]] = [
        (
            grew.direction,
            scene.t(N_("mentions")),
            marks.number(scene, grew.mentions_before),
            marks.number(scene, grew.mentions),
        ),
        (
            direction(net, earlier.net),
            scene.t(N_("net sentiment")),
            marks.signed(earlier.net.net) if earlier.net else "",
            marks.signed(net.net),
        ),
        (
            direction(share, before),
            scene.t(N_("share of voice")),
            marks.percent(scene, before.share) if before else "",
            marks.percent(scene, share.share) if share else "",
        ),
    ]
    told = [f"{_SHAPES[where]} {name} {then} → {now}" for where, name, then, now in turns if where in _SHAPES]
    if told:
        return scene.t(
            N_("Measurably changed since the period before: {quote_changes}."), quote_changes=", ".join(told)
        )
    if all(where == "unknown" for where, *_ in turns):
        return scene.t(N_("There is no period before to compare with."))
    return scene.t(N_("Nothing changed measurably since the period before."))


def _harm(scene: Scene, net: Net, spoke: Sequence[Voice], about: Sequence[Part]) -> str:
    """Say from whom the largest part of the harm comes, and what it is about, where one of them stands out."""
    who = foremost({one.stakeholder: one.negative for one in spoke if one.stakeholder is not None})
    what = foremost({one.name: one.negative for one in about})
    every = marks.number(scene, net.negative)
    told = []
    if who is not None:
        sentence = N_("Harm comes above all from: {stakeholder} ({n} of {all}).")
        told.append(scene.t(sentence, stakeholder=who[0], n=marks.number(scene, who[1]), all=every))
    if what is not None:
        sentence = N_("Harm is above all about: {dimension} ({n} of {all}).")
        told.append(scene.t(sentence, dimension=what[0], n=marks.number(scene, what[1]), all=every))
    return " ".join(told)


def _peak(scene: Scene, found: Sequence[Peak]) -> str:
    """Say the most unusual day; its words are strangers' words and escaped with the rest."""
    odd = [one for one in found if one.unusual is not None]
    if not odd:
        return ""
    peak = max(odd, key=lambda one: one.unusual.mentions if one.unusual else 0)
    assert peak.unusual is not None
    facts = {
        "quote_day": marks.day(scene, datetime.combine(peak.day, time(12), scene.config.zone)),
        "n": marks.number(scene, peak.unusual.mentions),
        "low": marks.number(scene, math.floor(peak.unusual.low)),
        "high": marks.number(scene, math.ceil(peak.unusual.high)),
    }
    if not peak.words:
        return scene.t(N_("The loudest day was {quote_day}: {n} mentions, {low} to {high} are usual."), **facts)
    sentence = N_("The loudest day was {quote_day}: {n} mentions, {low} to {high} are usual; new in it: {quote_words}.")
    return scene.t(sentence, quote_words=", ".join(peak.words[:3]), **facts)
