"""Let one alert speak for others: while a crisis is open, the single complaints that it explains are muted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.reason import N_, Reason, reason
from listener.tables.alerting import Inhibit, Label
from stakeholders.letters.subject import Subject, case_subjects, fits, said, shares
from stakeholders.store import case_mentions, cases

__all__ = ["inhibited"]

K = TypeVar("K")

INHIBITED = N_("case {number} speaks for it while that is open")
BY_RULE = N_("case {number} speaks for it while that is open ({quote_rule})")
_OVER = ("answered", "closed", "dismissed")


def inhibited(connection: Connection, config: Config, subjects: Mapping[K, Subject]) -> dict[K, Reason]:
    """Give which subjects an open case speaks for, by the rules of [[inhibit]], each with the reason.

    As in Alertmanager, what could be a source of a rule is never muted by it, so two crises do not mute each other.
    """
    found: dict[K, Reason] = {}
    for rule in config.settings.inhibit if subjects else ():
        meant = {key: one for key, one in subjects.items() if key not in found and fits(rule.target, one)}
        meant = {key: one for key, one in meant.items() if not fits(rule.source, one, source=True)}
        if meant and rule.target.query is not None:
            keep = said(connection, rule.target.query, meant)
            meant = {key: one for key, one in meant.items() if key in keep}
        if not meant:
            continue
        labels: list[Label] = [name for name in rule.equal if name != "crisis"]
        part = {key: _crisis(connection, one) for key, one in meant.items()} if "crisis" in rule.equal else None
        for source in _sources(connection, rule):
            why = reason(BY_RULE if rule.name else INHIBITED, number=source.case_id, quote_rule=rule.name)
            for key, one in meant.items():
                if key in found or one.case_id == source.case_id or (part is not None and part[key] != source.case_id):
                    continue
                if shares(one, source, labels):
                    found[key] = why
    return found


def _crisis(connection: Connection, one: Subject) -> int | None:
    from stakeholders.spikes.crisis import crisis_of

    return crisis_of(connection, one.mention_id) if one.mention_id is not None else None


def _sources(connection: Connection, rule: Inhibit) -> list[Subject]:
    """Read the open cases that a rule names as its source, oldest first."""
    named = [
        column.in_(values)
        for column, values in (
            (cases.c.kind, rule.source.kind),
            (cases.c.brand, rule.source.brand),
            (cases.c.department, rule.source.department),
            (cases.c.priority, rule.source.priority),
            (cases.c.stakeholder, rule.source.stakeholder),
        )
        if values
    ]
    first = sa.and_(case_mentions.c.case_id == cases.c.id, case_mentions.c.how == "opened")
    rows = connection.execute(
        sa.select(cases.c.id, case_mentions.c.mention_id)
        .select_from(cases.outerjoin(case_mentions, first))
        .where(cases.c.status.not_in(_OVER), cases.c.merged_into.is_(None), *named)
        .order_by(cases.c.opened_at, cases.c.id)
    ).all()
    pairs = {row.id: row.mention_id for row in rows}
    found = case_subjects(connection, list(pairs.items()))
    fitting = {key: one for key, one in found.items() if fits(rule.source, one, source=True)}
    if fitting and rule.source.query is not None:
        keep = said(connection, rule.source.query, fitting)
        fitting = {key: one for key, one in fitting.items() if key in keep}
    return list(fitting.values())
