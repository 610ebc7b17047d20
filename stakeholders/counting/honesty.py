"""Say what stands behind a letter: what was counted, what was left out, and what was not heard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from listener.reason import N_
from stakeholders.counting.figures import Figures
from stakeholders.counting.hearing import Gap, why
from stakeholders.counting.reckoning import CaseFates
from stakeholders.letters.blocks import Block, Section
from stakeholders.watch import Quiet
from stakeholders.wording import Wording

__all__ = ["case_rows", "count_honestly", "gap_blocks"]


def count_honestly(figures: Figures, wording: Wording) -> Section:
    """Word the box that every letter ends with; its sums agree to the item."""
    w = wording
    honest = figures.honest
    brand = {"quote_brand": figures.name}
    n = w.number
    rows = [
        (w.say(N_("Posts collected, whoever they name")), n(honest.collected), ""),
        (
            w.say(N_("Mentions of {quote_brand} in them"), **brand),
            n(honest.mentions),
            w.say(N_("the sum of the next three")),
        ),
        ("– " + w.say(N_("about it: what this letter counts")), n(honest.relevant), ""),
        ("– " + w.say(N_("not about it: left out")), n(honest.excluded), ""),
        ("– " + w.say(N_("not judged yet")), n(honest.waiting), ""),
    ]
    if honest.relevant:
        sums = w.say(
            N_("{negative} harm + {neutral} neutral + {positive} help = {relevant}"),
            negative=honest.negative,
            neutral=honest.neutral,
            positive=honest.positive,
            relevant=honest.relevant,
        )
        note = w.say(N_("of them unsure, counted by the best guess: {unsure}"), unsure=honest.unsure)
        rows.append((w.say(N_("For the brand")), sums, note))
        note = w.say(N_("copies, reposts and news sent to many outlets count with the first of them"))
        rows.append((w.say(N_("Texts first said in this time")), n(honest.texts), note))
        rows += _went(figures, w)
        if figures.mention_fates is None:
            rows.append((w.say(N_("Copies and reposts that joined a case")), n(honest.repeats), ""))
    if figures.fates is not None:
        rows += case_rows(figures.fates, w)
    rows.append((w.say(N_("Corrected by a person")), n(honest.corrected), ""))
    rows.append((w.say(N_("Items that could not be read")), n(honest.rejected), ""))
    if honest.removed:
        note = w.say(N_("at the source or on request; they are in no figure"))
        rows.append((w.say(N_("Posts removed this week")), n(honest.removed), note))
    missing = gap_blocks(honest.gaps, w)
    blocks = [Block("table", rows=tuple(rows)), *missing]
    if figures.not_heard:
        blocks.append(
            Block(
                "text",
                w.say(N_("Not connected or not heard at all: {quote_list}."), quote_list=w.list(figures.not_heard)),
            )
        )
    blocks += [Block("text", _quiet(one, w)) for one in honest.quiet]
    if not missing and not figures.not_heard and not honest.quiet:
        blocks.append(Block("text", w.say(N_("Every source of the configuration was heard the whole week."))))
    return Section(w.say(N_("Honest count")), tuple(blocks), boxed=True)


def gap_blocks(gaps: Sequence[Gap], wording: Wording) -> list[Block]:
    """Word in which hours each source was not heard; nothing when there were none."""
    by_source: dict[str, list[Gap]] = {}
    for gap in gaps:
        by_source.setdefault(gap.source, []).append(gap)
    if not by_source:
        return []
    missed = tuple((source, *_missed(found, wording)) for source, found in by_source.items())
    told = wording.say(N_("Not heard for a time; these hours are missing, not silent:"))
    return [Block("text", told), Block("table", rows=missed)]


def case_rows(fates: CaseFates, wording: Wording) -> list[tuple[str, str, str]]:
    """Word what became of the cases opened, so that the parts add up to the first row; empty parts are left out."""
    w = wording
    parts = (
        (N_("answered"), fates.answered),
        (N_("open"), fates.open),
        (N_("snoozed"), fates.snoozed),
        (N_("closed without an answer"), fates.closed),
        (N_("dismissed as noise"), fates.dismissed),
        (N_("merged into another case, where they count"), fates.merged),
    )
    many = sum(1 for _, count in parts if count)
    note = w.say(N_("the sum of the next {count}"), count=many) if many > 1 else ""
    rows = [(w.say(N_("Cases opened")), w.number(fates.made), note)]
    return rows + [("– " + w.say(words), w.number(count), "") for words, count in parts if count]


def _went(figures: Figures, w: Wording) -> list[tuple[str, str, str]]:
    """Word where the mentions went; the four add up to those about the brand."""
    fates = figures.mention_fates
    if fates is None:
        return []
    note = w.say(N_("the sum of the next four"))
    copies = w.say(N_("of them copies and reposts: {repeats}"), repeats=figures.honest.repeats)
    return [
        (w.say(N_("Where they went")), w.number(fates.relevant), note),
        ("– " + w.say(N_("opened a case")), w.number(fates.opened), ""),
        ("– " + w.say(N_("joined a case: a thread, a copy, an incident")), w.number(fates.joined), copies),
        ("– " + w.say(N_("no case: nothing to answer")), w.number(fates.alone), ""),
        ("– " + w.say(N_("not routed yet")), w.number(fates.waiting), ""),
    ]


def _quiet(one: Quiet, w: Wording) -> str:
    if one.until is None:
        sentence = N_(
            "«{quote_source}» answers and has brought nothing new since {since}, against its habit: "
            "its zero may not be a zero."
        )
        return w.say(sentence, quote_source=one.source, since=one.since)
    sentence = N_("«{quote_source}» answered and brought nothing new from {since} to {until}, against its habit.")
    return w.say(sentence, quote_source=one.source, since=one.since, until=one.until)


def _missed(found: list[Gap], w: Wording) -> tuple[str, str]:
    longest = max(found, key=lambda gap: (gap.end - gap.start, gap.start))
    total = w.span(sum((gap.end - gap.start for gap in found), timedelta()))
    note = f"{w.moment(longest.start)} – {w.moment(longest.end)}: {why(longest, w.lang)}"
    if len(found) > 1:
        note = w.say(N_("{count} stretches, the longest {quote_note}"), count=len(found), quote_note=note)
    return total, note
