"""Say a week in three sentences, built from its figures by rules; what went badly comes first."""

from __future__ import annotations

from dataclasses import replace

from listener.reason import Reason, reason
from stakeholders.counting.figures import Figures
from stakeholders.insight import overlap
from stakeholders.letters.blocks import SPOKEN, Sentence
from stakeholders.letters.trouble import troubles

__all__ = ["Sentence", "sentences"]


def sentences(figures: Figures) -> tuple[Sentence, ...]:
    """Give the week in a few sentences: all that did not work first, the gravest on top, then how it went and why.

    Four in all, but bad news is never left out.
    """
    grave, lesser = troubles(figures)
    how: list[Sentence] = []
    if not figures.heard:
        how = [
            Sentence(
                reason(
                    "No source was heard in this week, so nothing can be said about {quote_brand}: "
                    "this is missing data, not silence.",
                    quote_brand=figures.name,
                ),
                bad=True,
            )
        ]
    elif figures.net is None:
        how = [_empty(figures)]
    else:
        how = [replace(_tone(figures), notes=_recounted(figures)), _cause(figures)]
    told = [*grave, how[0], _answers(figures), *lesser, *how[1:]]
    bad = [one for one in told if one.bad]
    good = [*how, _answers(figures)]
    return (*bad, *[one for one in good if not one.bad][: max(SPOKEN - len(bad), 0)])


def _empty(figures: Figures) -> Sentence:
    if figures.honest.waiting:
        return Sentence(
            reason(
                "Nothing can be said yet: mentions of {quote_brand} that still wait to be judged: {waiting}.",
                quote_brand=figures.name,
                waiting=figures.honest.waiting,
            ),
            bad=True,
        )
    return Sentence(
        reason(
            "Nobody mentioned {quote_brand} in the sources that were heard this week; "
            "what is said elsewhere is not known.",
            quote_brand=figures.name,
        )
    )


def _tone(figures: Figures) -> Sentence:
    net, before = figures.net, figures.net_before
    assert net is not None
    if before is None:
        against = net.high < 0
        facts: dict[str, str | int | float] = {
            "mentions": net.mentions,
            "negative": net.negative,
            "positive": net.positive,
            "net": net.net,
        }
        if against:
            return Sentence(
                reason(
                    "More harms than helps {quote_brand}: of {mentions} mentions {negative} harm and {positive} help "
                    "(net sentiment {net} points); there is no week before to compare with.",
                    quote_brand=figures.name,
                    **facts,
                ),
                bad=True,
            )
        return Sentence(
            reason(
                "Mentions of {quote_brand}: {mentions}, with a net sentiment of {net} points; "
                "there is no week before to compare with.",
                quote_brand=figures.name,
                mentions=net.mentions,
                net=net.net,
            )
        )
    facts = {"mentions": net.mentions, "net": net.net, "net_before": before.net}
    if overlap(net, before):
        if net.high < 0:
            return Sentence(
                reason(
                    "{quote_brand} is still spoken of badly: net sentiment {net} points in {mentions} mentions, "
                    "no real change from {net_before} the week before.",
                    quote_brand=figures.name,
                    **facts,
                ),
                bad=True,
            )
        return Sentence(
            reason(
                "The tone did not really change: net sentiment {net} points (mentions: {mentions}), "
                "{net_before} the week before.",
                **facts,
            )
        )
    if net.net < before.net:
        return Sentence(
            reason(
                "The week went badly: net sentiment fell from {net_before} to {net} points in {mentions} mentions, "
                "more than chance explains.",
                **facts,
            ),
            bad=True,
        )
    return Sentence(
        reason(
            "The week went better: net sentiment rose from {net_before} to {net} points in {mentions} mentions, "
            "more than chance explains.",
            **facts,
        )
    )


def _recounted(figures: Figures) -> tuple[Reason, ...]:
    """Say so when last week's letter gave another figure than the recount that stands here."""
    told, before = figures.told_before, figures.net_before
    if told is None or told.net is None or before is None or round(100 * told.net) == round(100 * before.net):
        return ()
    if told.relabelled:
        return (
            reason(
                "The letter before said {net_told} points; labels of that week were corrected since.", net_told=told.net
            ),
        )
    return (
        reason("The letter before said {net_told} points; more of that week was counted since.", net_told=told.net),
    )


def _cause(figures: Figures) -> Sentence:
    if figures.unusual:
        day = max(figures.unusual, key=lambda one: (one.score, one.day))
        words = ", ".join(day.words)
        facts: dict[str, str | int | float] = {
            "day": day.day.isoformat(),
            "mentions": day.mentions,
            "expected": round(day.expected),
        }
        bad = 2 * day.negative > day.mentions
        if words:
            return Sentence(
                reason(
                    "What stood out was {day}: {mentions} mentions where about {expected} are usual, "
                    "and people spoke of {quote_words}.",
                    quote_words=words,
                    **facts,
                ),
                bad,
            )
        return Sentence(
            reason("What stood out was {day}: {mentions} mentions where about {expected} are usual.", **facts), bad
        )
    if figures.largest and figures.largest[0].people > 2:
        case = figures.largest[0]
        return Sentence(
            reason(
                "No day stood out; the largest case brought {people} people together, and {department} answers for it.",
                people=case.people,
                department=case.department,
            )
        )
    return Sentence(reason("No day stood out, and no case brought more than two people together."))


def _answers(figures: Figures) -> Sentence:
    counts, now = figures.cases, figures.open_now
    late: tuple[Reason, ...] = ()
    if counts.answered_late and 2 * counts.answered_late >= counts.answered:
        late = (
            reason(
                "Answers to the new cases that came late: {late} of {answered}.",
                late=counts.answered_late,
                answered=counts.answered,
            ),
        )
    if now.overdue == 1:
        return Sentence(reason("One case is past its time and nobody has answered it."), bad=True, notes=late)
    if now.overdue:
        overdue = reason("{overdue} cases are past their time and nobody has answered them.", overdue=now.overdue)
        return Sentence(overdue, bad=True, notes=late)
    if not counts.opened:
        if now.open:
            return Sentence(
                reason(
                    "There was no new case; earlier ones that wait for an answer, still in time: {open}.", open=now.open
                )
            )
        return Sentence(reason("There was no new case, and none waits for an answer."))
    done = reason(
        "New cases: {opened}; answered: {answered}, {in_time} of them in time; none is overdue.",
        opened=counts.opened,
        answered=counts.answered,
        in_time=counts.answered_in_time,
    )
    return Sentence(late[0], bad=True, notes=(done,)) if late else Sentence(done)
