"""Gather the figures of one brand and week in one record that can be kept, sealed and worded again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.errors import EscuchaError
from listener.mention import aware
from listener.store import runs
from stakeholders import insight
from stakeholders.clocks.forecast import DepartmentForecast, forecast
from stakeholders.counting.campaign import Campaign, campaigns
from stakeholders.counting.owed import (
    Incident,
    LegalDay,
    Silent,
    gravest_first,
    incidents,
    legal_days,
    silent_departments,
)
from stakeholders.counting.period import Period, to_day_end, week, week_name
from stakeholders.counting.reckoning import CaseFates, MentionFates, case_fates, mention_fates
from stakeholders.counting.sealed import from_json
from stakeholders.letters.notice import Muted, Notice, muted_in, noticed
from stakeholders.store import digests

__all__ = ["Figures", "Told", "gather"]

_LISTED = 5  # cases in a list: the rest is a click away
_READ = 500  # cases that need somebody, of which the gravest are listed
_SOON = timedelta(days=14)  # legal days that a letter names


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what the letter of the week before said, as it was counted when it went out."""

    net: float | None
    share: float | None
    relabelled: bool  # a person corrected labels of that week since then


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold every figure of a week's letter, and the same of the week before where it is compared."""

    week: str  # 2026-W46
    start: datetime
    end: datetime
    zone: str
    brand: str
    names: Mapping[str, str]  # brand key → the name people read
    running: bool  # the week was not over when this was counted
    days: tuple[insight.DayCount, ...]
    shares: tuple[insight.Share, ...]
    shares_before: tuple[insight.Share, ...]
    net: insight.Net | None
    net_before: insight.Net | None
    heard_before: bool  # some source was heard in the week before
    voices: tuple[insight.Voice, ...]
    dimensions: tuple[insight.Part, ...]
    sources: tuple[insight.Part, ...]
    cases: insight.CaseCounts
    responses: tuple[insight.Response, ...]
    open_now: insight.OpenNow
    needing: tuple[insight.CaseLine, ...]
    largest: tuple[insight.CaseLine, ...]
    unusual: tuple[insight.Unusual, ...]
    honest: insight.Honest
    not_heard: tuple[str, ...]  # sources of the configuration without a successful run in this week or shortly before
    told_before: Told | None = None  # None when no letter went out about the week before
    cases_before: insight.CaseCounts | None = None  # None in letters of before they were kept, as all that follows
    fates: CaseFates | None = None
    mention_fates: MentionFates | None = None
    incidents: tuple[Incident, ...] = ()
    silent: tuple[Silent, ...] = ()
    legal: tuple[LegalDay, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    forecast: tuple[DepartmentForecast, ...] = ()
    forecast_until: datetime | None = None
    muted: Muted = field(default_factory=Muted)
    spikes: tuple[Notice, ...] = ()
    exchanges: tuple[Notice, ...] = ()
    opportunities: tuple[Notice, ...] = ()

    @property
    def heard(self) -> bool:
        """Tell whether anything is known of this week."""
        return any(day.mentions is not None for day in self.days)

    @property
    def name(self) -> str:
        """Give the brand's name."""
        return self.names.get(self.brand, self.brand)

    @property
    def spoke(self) -> tuple[insight.Voice, ...]:
        """Give the eight loudest of those who said something."""
        return tuple(voice for voice in self.voices if voice.mentions)[:8]


def gather(connection: Connection, config: Config, name: str, brand: str, now: datetime) -> Figures:
    """Count everything that the letter of a week says; raises EscuchaError for a week or a brand that is none."""
    if brand not in config.settings.brands:
        known = ", ".join(config.settings.brands)
        raise EscuchaError(f"there is no brand '{brand}' of ours in config.toml; known: {known}")
    try:
        period = week(name, config.zone)
    except ValueError as error:
        raise EscuchaError(str(error)) from None
    now = aware(now)
    before = period.previous()
    heard_before = any(day.mentions is not None for day in insight.volume_by_day(connection, before, [brand]))
    ahead = forecast(connection, config, now, to_day_end(now, 7, config.zone), brand)
    due = tuple(replace(one, cases=()) for one in ahead.departments if one.due_within)
    crises, legal = incidents(connection, brand), legal_days(connection, config, brand, now, now + _SOON)
    seen = noticed(connection, config, period, brand, now)
    return Figures(
        week=week_name(period.first_day),
        start=period.start,
        end=period.end,
        zone=config.settings.instance.timezone,
        brand=brand,
        names={one.key: one.name for one in config.brands},
        running=now < period.end,
        days=tuple(insight.volume_by_day(connection, period, [brand])),
        shares=tuple(insight.shares(connection, period, config.brands)),
        shares_before=tuple(insight.shares(connection, before, config.brands)),
        net=insight.net_sentiment(connection, period, brand),
        net_before=insight.net_sentiment(connection, before, brand),
        heard_before=heard_before,
        voices=tuple(insight.voices(connection, period, brand)),
        dimensions=tuple(insight.dimensions(connection, period, brand)),
        sources=tuple(insight.sources_of(connection, period, brand)),
        cases=insight.case_counts(connection, period, brand, now),
        responses=tuple(insight.response_times(connection, period, brand)),
        open_now=insight.open_now(connection, brand, now),
        needing=gravest_first(insight.needing_cases(connection, brand, now, _READ), crises, legal, _LISTED),
        largest=tuple(insight.top_cases(connection, period, brand, _LISTED, now)),
        unusual=tuple(insight.unusual_days(connection, period, brand)),
        honest=insight.honest_counts(connection, period, brand, now),
        not_heard=_not_heard(connection, config, period),
        told_before=_told(connection, before, brand),
        cases_before=insight.case_counts(connection, before, brand, now),
        fates=case_fates(connection, period, brand),
        mention_fates=mention_fates(connection, period, brand),
        incidents=tuple(crises),
        silent=tuple(silent_departments(connection, period, brand, now)),
        legal=tuple(legal),
        campaigns=tuple(campaigns(connection, config, period, brand, now)),
        forecast=due,
        forecast_until=ahead.until if due else None,
        muted=muted_in(connection, period, now, brand),
        spikes=seen.spikes,
        exchanges=seen.exchanges,
        opportunities=seen.opportunities,
    )


def _told(connection: Connection, before: Period, brand: str) -> Told | None:
    """Read what the letter of a week said; the first one kept, for all of a week have the same figures."""
    rows = connection.execute(
        sa.select(digests.c.figures, digests.c.scope)
        .where(digests.c.week == week_name(before.first_day), digests.c.brand == brand)
        .order_by(digests.c.id)
    )
    # A team's digest of that week is kept beside it and holds other figures.
    kept = next((row.figures for row in rows if not (row.scope or {}).get("departments")), None)
    if kept is None:
        return None
    figures = from_json(Figures, kept)
    corrected = insight.honest_counts(connection, before, brand).corrected
    return Told(
        net=figures.net.net if figures.net else None,
        share=next((share.share for share in figures.shares if share.brand == brand), None),
        relabelled=corrected > figures.honest.corrected,
    )


def _not_heard(connection: Connection, config: Config, period: Period) -> tuple[str, ...]:
    recent = sa.and_(runs.c.started_at >= period.start - timedelta(days=28), runs.c.started_at < period.end)
    well = sa.and_(runs.c.source == sa.bindparam("name"), runs.c.outcome == sa.literal_column("'ok'"), recent)
    heard = sa.select(runs.c.id).where(well).limit(1)  # a step into an index for each, not the runs of five weeks
    return tuple(name for name in config.settings.sources if connection.scalar(heard, {"name": name}) is None)
