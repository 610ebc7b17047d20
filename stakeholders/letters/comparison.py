"""Word a brand against its competitors and against the week before, and never more than the intervals bear."""

from __future__ import annotations

from listener.reason import N_
from stakeholders.counting.figures import Figures
from stakeholders.insight import Net, Share, overlap
from stakeholders.letters import charts
from stakeholders.letters.blocks import Block, Section
from stakeholders.letters.trouble import campaign_sentence
from stakeholders.wording import Wording

__all__ = ["compare"]


def compare(figures: Figures, wording: Wording) -> Section:
    """Word share of voice and net sentiment with their intervals, and whether they really changed."""
    w = wording
    blocks: list[Block] = []
    ours = next((share for share in figures.shares if share.brand == figures.brand), None)
    before = next((share for share in figures.shares_before if share.brand == figures.brand), None)
    if len(figures.shares) > 1 and ours is not None and ours.share is not None:
        blocks.append(Block("picture", charts.describe_shares(figures.shares, figures.names, w), name="shares"))
        told = w.say(N_("Share of voice: {quote_share}."), quote_share=charts.with_interval(ours, w))
        said = figures.told_before.share if figures.told_before else None
        blocks.append(_compared(told, ours, before, ours.share, before.share if before else None, said, figures, w))
    net, then = figures.net, figures.net_before
    if net is not None:
        told = w.say(
            N_("Net sentiment: {quote_net} points (95% interval from {quote_low} to {quote_high})."),
            quote_net=w.points(net.net),
            quote_low=w.points(net.low),
            quote_high=w.points(net.high),
        )
        said = figures.told_before.net if figures.told_before else None
        blocks.append(_compared(told, net, then, net.net, then.net if then else None, said, figures, w))
    told_apart = (campaign_sentence(one) for one in figures.campaigns)
    blocks += [Block("text", w.reason(one.reason)) for one in told_apart if not one.bad]
    return Section(w.say(N_("Against the others, and the week before")), tuple(blocks))


def _compared(
    told: str,
    one: Share | Net,
    other: Share | Net | None,
    now: float,
    then: float | None,
    said: float | None,
    figures: Figures,
    w: Wording,
) -> Block:
    if other is None or then is None:
        sentence = N_("The week before was not heard, so there is nothing to compare with.")
        if figures.heard_before:
            sentence = N_("There were no mentions in the week before.")
        return Block("text", told + " " + w.say(sentence))
    before = _worded(then, one, w)
    if said is not None and _worded(said, one, w) != before:
        sentence = N_("{quote_now} ({quote_told} in the letter before; more of that week was counted since)")
        if figures.told_before is not None and figures.told_before.relabelled:
            sentence = N_("{quote_now} ({quote_told} in the letter before; labels were corrected since)")
        before = w.say(sentence, quote_now=before, quote_told=_worded(said, one, w))
    sentence = N_("It rose from {quote_before}, more than chance explains.")
    if overlap(one, other):
        sentence = N_("No real change from {quote_before} the week before.")
    elif now < then:
        sentence = N_("It fell from {quote_before}, more than chance explains.")
    bad = isinstance(one, Net) and now < then and not overlap(one, other)
    return Block("text", told + " " + w.say(sentence, quote_before=before), bad)


def _worded(number: float, one: Share | Net, w: Wording) -> str:
    if isinstance(one, Net):
        return w.say(N_("{quote_net} points"), quote_net=w.points(number))
    return w.percent(number)
