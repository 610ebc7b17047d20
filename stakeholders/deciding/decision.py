"""Keep what was decided of a mention: who speaks, the route with its reasons, and every correction by a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_new
from listener.mention import Mention
from listener.reason import from_json, to_json
from sentiment.verdict import Label, Verdict, label_from_json, label_to_json
from stakeholders.deciding.facts import Facts, Route, Speaker
from stakeholders.deciding.priority import sanctions
from stakeholders.deciding.topics import find
from stakeholders.store import decisions

__all__ = [
    "Correction",
    "Decision",
    "change_decision",
    "decision_from_row",
    "facts_of",
    "keep_correction",
    "read_decision",
    "renew_decision",
    "save_decision",
    "speaker_of",
]

_SURELY_GOOD = 0.8


@dataclass(frozen=True, slots=True)
class Correction:
    """Hold one label that a person changed, or confirmed when both values are the same; both stay."""

    head: str  # relevant, sentiment, dimension, intent or stakeholder
    before: str
    after: str
    who: str
    at: datetime
    confidence: float | None = None  # of `before`; None in rows of before this was kept
    unsure: bool = False  # `before` was shown as unsure


@dataclass(frozen=True, slots=True)
class Decision:
    """Hold the decision on one mention."""

    mention_id: int
    at: datetime
    speaker: Speaker
    route: Route
    corrections: tuple[Correction, ...] = ()


def facts_of(mention: Mention, verdict: Verdict, speaker: Speaker) -> Facts:
    """Gather what a route may be decided on."""
    post = mention.post
    facts = Facts(
        text=post.text,
        lang=post.lang,
        brand=mention.brand,
        kind=mention.kind,
        stakeholder=speaker.label.name,  # type: ignore[arg-type]  # the label's names are the taxonomy's
        sentiment=verdict.sentiment.name,  # type: ignore[arg-type]
        dimension=verdict.dimension.name,  # type: ignore[arg-type]
        intent=verdict.intent.name,  # type: ignore[arg-type]
        relevant=verdict.relevant.name == "true",
        unsure=verdict.sentiment.unsure,
        doubtful_speaker=_doubt(speaker.label),
        doubtful_dimension=_doubt(verdict.dimension),
        doubtful_intent=_doubt(verdict.intent),
        source=post.source,
        country=post.country,
        handle=post.author.handle,
        followers=post.author.followers,
        outlet=speaker.outlet,
        own_account=speaker.own_account,
        sounds=verdict.department.name if verdict.department else None,  # type: ignore[arg-type]
        loud=verdict.department.confidence if verdict.department else 0.0,
    )
    # A sanction or a theft that the judge half takes for good news: the words outweigh the label, a person's does not.
    half = facts.sentiment == "positive" and verdict.sentiment.confidence < _SURELY_GOOD
    doubted = replace(facts, unsure=True)
    return doubted if half and (sanctions(doubted) or find(post.text, "theft")) else facts


def _doubt(label: Label) -> int | None:
    return round(100 * label.confidence) if label.unsure else None


def save_decision(
    connection: Connection, mention_id: int, facts: Facts, hour: int, speaker: Speaker, route: Route, now: datetime
) -> bool:
    """Store the first decision on a mention, in the caller's transaction; False when it was decided before."""
    row = {
        "mention_id": mention_id,
        "brand": facts.brand,
        "kind": facts.kind,
        "hour": hour,
        **_columns(speaker, route, (), now),
    }
    return bool(add_new(connection, decisions, [row], ("mention_id",)))


def change_decision(
    connection: Connection, old: Decision, speaker: Speaker, route: Route, correction: Correction
) -> Decision:
    """Put a decision anew after a correction, which is kept with the ones before it."""
    kept = (*old.corrections, correction)
    values = _columns(speaker, route, kept, correction.at)
    connection.execute(decisions.update().where(decisions.c.mention_id == old.mention_id).values(**values))
    return Decision(old.mention_id, correction.at, speaker, route, kept)


def renew_decision(connection: Connection, old: Decision, route: Route, now: datetime) -> None:
    """Put a decision anew under other rules, in the caller's transaction; labels and corrections stay."""
    values = _columns(old.speaker, route, old.corrections, now)
    connection.execute(decisions.update().where(decisions.c.mention_id == old.mention_id).values(**values))


def keep_correction(connection: Connection, old: Decision, correction: Correction) -> Decision:
    """Keep what a person said of a label and change nothing else of the decision."""
    kept = (*old.corrections, correction)
    mine = decisions.c.mention_id == old.mention_id
    detail = connection.scalar(sa.select(decisions.c.detail).where(mine))
    changed = {**detail, "corrections": _rows(kept)}  # type: ignore[dict-item]  # the row was read as `old`
    connection.execute(decisions.update().where(mine).values(detail=changed))
    return replace(old, corrections=kept)


def read_decision(connection: Connection, mention_id: int) -> Decision | None:
    """Read the decision on a mention; None before the first."""
    row = connection.execute(sa.select(decisions).where(decisions.c.mention_id == mention_id)).one_or_none()
    return None if row is None else decision_from_row(row)


def decision_from_row(row: sa.Row[Any]) -> Decision:
    """Rebuild a Decision from a row of the decision table; rows of before a key was kept read as without it."""
    detail = row.detail
    route = Route(
        department=row.department,
        copies=tuple(detail.get("copies", ())),
        priority=row.priority,
        rule=row.rule,
        because=from_json(detail.get("because", ())),
        otherwise=from_json(detail.get("otherwise", ())),
        opens_case=bool(detail.get("opens_case", False)),
        suppress=bool(detail.get("suppress", False)),
        added=tuple(detail.get("added", ())),
        department_share=float(detail.get("department_share", 1.0)),
        priority_share=float(detail.get("priority_share", 1.0)),
    )
    corrections = tuple(
        Correction(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in detail.get("corrections", ())
    )
    return Decision(row.mention_id, row.at, speaker_of(detail), route, corrections)


def speaker_of(detail: Mapping[str, Any]) -> Speaker:
    """Rebuild who speaks from the `detail` of a decision."""
    return Speaker(
        label=label_from_json(detail["speaker"]),
        outlet=bool(detail.get("outlet", False)),
        own_account=bool(detail.get("own_account", False)),
        entry=detail.get("entry"),
    )


def _columns(speaker: Speaker, route: Route, corrections: tuple[Correction, ...], now: datetime) -> dict[str, Any]:
    detail = {
        "speaker": label_to_json(speaker.label),
        "outlet": speaker.outlet,
        "own_account": speaker.own_account,
        "entry": speaker.entry,
        "copies": list(route.copies),
        "because": to_json(route.because),
        "otherwise": to_json(route.otherwise),
        "opens_case": route.opens_case,
        "suppress": route.suppress,
        "added": list(route.added),
        "department_share": round(route.department_share, 4),
        "priority_share": round(route.priority_share, 4),
        "corrections": _rows(corrections),
    }
    return {
        "at": now,
        "stakeholder": speaker.label.name,
        "entry": None if speaker.label.unsure else speaker.entry,
        "priority": route.priority,
        "department": route.department,
        "rule": route.rule,
        "detail": detail,
    }


def _rows(corrections: tuple[Correction, ...]) -> list[dict[str, Any]]:
    return [{**asdict(one), "at": one.at.isoformat()} for one in corrections]
