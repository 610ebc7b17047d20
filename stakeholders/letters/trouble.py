"""Say soberly what did not work in a week: incidents and departments without an answer, clocks broken, no effect."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from listener.reason import reason
from stakeholders.counting.campaign import Campaign
from stakeholders.counting.figures import Figures
from stakeholders.counting.owed import Incident, LegalDay, Silent, kept
from stakeholders.letters.blocks import Sentence

__all__ = ["campaign_sentence", "departments_silent", "incidents_unanswered", "legal_days_missed", "troubles"]


def troubles(figures: Figures) -> tuple[list[Sentence], list[Sentence]]:
    """Give a sentence for each thing that did not work beside tone and overdue cases: the grave, and the others."""
    grave = [*incidents_unanswered(figures.incidents, figures.zone), *legal_days_missed(figures.legal)]
    lesser = [
        *departments_silent(figures.silent),
        *_slower(figures),
        *(one for one in map(campaign_sentence, figures.campaigns) if one.bad),
    ]
    return grave, lesser


def incidents_unanswered(found: tuple[Incident, ...], zone: str) -> tuple[Sentence, ...]:
    """Say which incident nobody has answered; of several, how many and which is the oldest. Days are of `zone`."""
    if not found:
        return ()
    first = found[0]
    facts: dict[str, str | int | float] = {
        "day": first.began.astimezone(ZoneInfo(zone)).date().isoformat(),
        "quote_case": f"#{first.case}",
    }
    if len(found) == 1:
        told = reason("The incident of {day} has no answer yet: case {quote_case}.", **facts)
    else:
        told = reason(
            "{count} incidents have no answer yet, the oldest since {day}: case {quote_case}.",
            count=len(found),
            **facts,
        )
    return (Sentence(told, bad=True),)


def legal_days_missed(found: tuple[LegalDay, ...]) -> tuple[Sentence, ...]:
    """Say how many cases are past the day that the law sets."""
    late = [one for one in found if one.late]
    if not late:
        return ()
    if len(late) == 1:
        told = reason(
            "One case is past its legal day ({quote_body}): case {quote_case}.",
            quote_body=late[0].body,
            quote_case=f"#{late[0].case}",
        )
    else:
        told = reason(
            "{count} cases are past their legal day; the oldest is case {quote_case} ({quote_body}).",
            count=len(late),
            quote_case=f"#{late[0].case}",
            quote_body=late[0].body,
        )
    return (Sentence(told, bad=True),)


def departments_silent(found: tuple[Silent, ...]) -> tuple[Sentence, ...]:
    """Say which departments touched none of their cases."""
    return tuple(
        Sentence(
            reason(
                "{department} has touched none of its {cases} cases: nobody has seen or answered them.",
                department=one.department,
                cases=one.cases,
            ),
            bad=True,
        )
        for one in found
    )


def _slower(figures: Figures) -> tuple[Sentence, ...]:
    """Say that fewer clocks were kept than the week before, when chance does not explain it."""
    now = kept(figures.cases)
    before = kept(figures.cases_before) if figures.cases_before else None
    if now is None or before is None or now.high >= before.low:
        return ()
    told = reason(
        "Answers came in time less often than the week before: {in_time} of {of} ({share}), "
        "after {in_time_before} of {of_before} ({share_before}); chance does not explain it.",
        in_time=now.in_time,
        of=now.of,
        share=now.share,
        in_time_before=before.in_time,
        of_before=before.of,
        share_before=before.share,
    )
    return (Sentence(told, bad=True),)


def campaign_sentence(campaign: Campaign) -> Sentence:
    """Say in plain words whether tone moved during a campaign; who says so never says why."""
    if campaign.change is None or campaign.low is None or campaign.high is None:
        told = reason(
            "«{quote_name}» cannot be measured: {mentions} mentions in its days and {mentions_before} in as many days "
            "before are too few.",
            quote_name=campaign.name,
            mentions=campaign.mentions,
            mentions_before=campaign.mentions_before,
        )
        return Sentence(told)
    facts: dict[str, str | int | float] = {
        "quote_name": campaign.name,
        "net": campaign.change,
        "net_low": campaign.low,
        "net_high": campaign.high,
    }
    if not campaign.moved:
        told = reason(
            "«{quote_name}»: no measurable change in net sentiment "
            "({net} points, 95% interval from {net_low} to {net_high}).",
            **facts,
        )
        return Sentence(told, bad=not campaign.running)
    if campaign.change < 0:
        told = reason(
            "During «{quote_name}» net sentiment fell: {net} points (95% interval from {net_low} to {net_high}).",
            **facts,
        )
        return Sentence(told, bad=True)
    told = reason(
        "During «{quote_name}» net sentiment rose: {net} points (95% interval from {net_low} to {net_high}); "
        "whether it was the cause, these figures do not say.",
        **facts,
    )
    return Sentence(told)
