"""Count our corpus and measure how far two labellers agree, and write both into its card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sentiment.training.examples import rows_of

__all__ = ["CARD", "agreement", "card_of", "kappa"]

CARD = "CARD.md"
_LABELS = ("relevant", "sentiment", "stakeholder", "dimension", "intent", "priority", "department", "irony")


def card_of(corpus: Path) -> str:
    """Give the card's text: what was written by whom and how, with the counts and agreement of the files themselves."""
    rows = rows_of(corpus / "posts.jsonl")
    filtered = rows_of(corpus / "relevance.jsonl")
    plain = rows_of(corpus / "plain.jsonl")
    second = rows_of(corpus / "second.jsonl")
    return _TEXT.format(
        posts=f"{len(rows):,}",
        scenarios=f"{len({row['scenario'] for row in rows}):,}",
        two=sum(len(row["labels"].get("sentiments", {})) > 1 for row in rows),
        fact=sum(bool(row["polar_fact"]) for row in rows),
        irony=sum(bool(row["irony"]) for row in rows),
        counts="\n".join(_counts(rows)),
        filtered=f"{len(filtered):,}",
        names=len({row["brand"] for row in filtered}),
        yes=sum(row["labels"]["relevant"] for row in filtered),
        no=sum(not row["labels"]["relevant"] for row in filtered),
        filtered_langs=_told(Counter(row["lang"] for row in filtered)),
        plain=f"{len(plain):,}",
        plain_langs=_told(Counter(row["lang"] for row in plain)),
        second=len(second),
        share=f"{100 * len(second) / len(rows):.0f}",
        agreement="\n".join(
            f"| {name} | {items} | {same:.2f} | {chance:.2f} |" for name, items, same, chance in agreement(rows, second)
        ),
    )


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda pair: -pair[1]))


def _counts(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for title, key in (("language", "lang"), ("watched country", "watched_country"), ("sector", "sector")):
        yield f"| {title} | {_told(Counter(row[key] for row in rows))} |"
    yield f"| source | {_told(Counter(row['source'] for row in rows))} |"
    for name in _LABELS[:-1]:
        told = Counter(str(row["labels"][name]).lower() for row in rows if row["labels"].get(name) is not None)
        yield f"| {name} | {_told(told)} |"


def agreement(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, int, float, float]]:
    """Give (label, items, share of equal answers, Cohen's kappa) for the posts that both labelled."""
    by_id = {row["id"]: row for row in first}
    for name in _LABELS:
        pairs = [
            (_label(by_id[row["id"]], name), _label(row, name))
            for row in second
            if row["id"] in by_id and _label(by_id[row["id"]], name) is not None
        ]
        if pairs:
            same = sum(one == other for one, other in pairs) / len(pairs)
            yield name, len(pairs), same, kappa(pairs)


def _label(row: Mapping[str, Any], name: str) -> str | None:
    told = row.get("irony", False) if name == "irony" else row["labels"].get(name)
    return None if told is None else str(told).lower()


def kappa(pairs: Sequence[tuple[Any, Any]]) -> float:
    """Give Cohen's kappa (1960): agreement beyond what two careless labellers of the same habits would reach."""
    one, other = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(one[name] * other[name] for name in one) / len(pairs) ** 2
    same = sum(a == b for a, b in pairs) / len(pairs)
    return 1.0 if expected == 1 else (same - expected) / (1 - expected)


_TEXT = """# Escucha's own corpus: {posts} labelled posts, {filtered} for relevance, {plain} plain ones

**Openly synthetic.** Every post was written for this project by language models asked to imagine one person,
newsroom or office in one situation; asked not to copy, not to fill in templates, not to vary a sentence, and to
name no real person. Brands, people and accounts in `posts.jsonl` are invented. Real institutions (regulators,
consumer bodies, ministries) appear by name because models must know these words; what they do here to invented
brands never happened. Real brand names stand only in `relevance.jsonl`, where the question is whether a word
means the brand.

Licence: Apache-2.0, as the project. Not shipped in the wheel. Not evidence of how any company or body behaves.

## posts.jsonl
{posts} posts in {scenarios} scenarios (a scenario is one story; learning, choosing and reporting never share
one). {two} name two brands or more and carry a label for each; {fact} are polar facts told in neutral words;
{irony} are ironic. Thirteen writers: two earlier ones by kind of voice, six by country (Peru; Mexico; Colombia
and Chile; Argentina and Spain; Brazil; the United States and Britain), two by hard kinds (facts, comparisons
and irony; the borders between labels), three of blunt posts (Spanish; Portuguese and English; plain
comparisons), since a model that learnt from the others alone took "me encanta" for an opt-out. Labels follow
docs/labels.md and were given by the writer with each post. The first 640 posts carry no priority and no
department.

| what | how many |
|---|---|
{counts}

## relevance.jsonl
{filtered} posts over {names} names that are also words, surnames, places or other firms: {yes} about the brand,
{no} not ({filtered_langs}). Minimal pairs share a scenario.

## plain.jsonl
{plain} posts that name nobody we watch, with the mood of their writer, in equal parts ({plain_langs}); one
writer's work in the manner of public tweets, none of them copied.

## A second opinion
`second.jsonl`: {second} posts ({share} %), a tenth of each writer's, drawn at random, labelled again by two
other labellers who saw the post, its author and the brand, and neither the first labels nor the writers' notes.

| label | posts | equal | Cohen's kappa |
|---|---|---|---|
{agreement}

All labellers are models that read the same definitions: people may agree less. What they disagree on is the
ceiling of any figure measured on this corpus.

## Near-duplicates
Two texts that share half of the word triples of the shorter one (three at least) count as alike; a test counts
them and holds them under 1 %. The few that the writers produced were taken out when the files were put
together.

## Format
Post files (docs/formats.md). Beyond it: `labels.sentiments` gives the polarity toward each brand where several
are named; `scenario`; `irony` and `polar_fact` mark the hard ones.

## Known gaps
- Nine countries only. Irony, polar facts and institutions are commoner here than in a feed, and neutral
  polarity is rarer.
- Writers leaned to witty, compact posts; long threads, images and voice notes are missing.
- Where the taxonomy is silent the writers chose: an institution that only informs has intent `other`; polite
  questions and leads are neutral; an outage told by a dealer or a mayor goes where that speaker goes.
"""
