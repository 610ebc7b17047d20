"""Ask what the pages and letters ask of the database that counts: volume, shares, voices, cases, gaps, spikes."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import timedelta

from sqlalchemy import Connection

from bench.archive import BODIES, BRANDS, LIMA, NOW, Archive
from listener.config import Config
from stakeholders import insight
from stakeholders.companies.outlook import survey_opportunities
from stakeholders.companies.survey import survey_exchanges
from stakeholders.counting.bodies import count_bodies
from stakeholders.counting.change import before
from stakeholders.counting.crosstab import count_cells, count_days
from stakeholders.counting.figures import gather
from stakeholders.counting.hearing import new_by_day
from stakeholders.counting.load import gather_load
from stakeholders.counting.period import Period, last_days, week_name
from stakeholders.counting.reckoning import case_fates, mention_fates
from stakeholders.counting.workload import count_routed, count_waiting, read_work
from stakeholders.edition import Edition
from stakeholders.spikes.backtest import back_test
from stakeholders.spikes.spike import spikes

__all__ = ["Question", "figure_questions"]

Question = Callable[[Connection, random.Random], object]
_KNOWN = frozenset(BODIES)
_SHOWN = 12


def figure_questions(config: Config, archive: Archive, known: int) -> Mapping[str, Question]:
    """Give every question by name; each is asked about a brand and a period that are drawn anew every time."""
    del archive, known  # nothing here looks for words or single cases

    def some(draw: random.Random, days: int) -> Period:
        return last_days(days, NOW - timedelta(days=draw.randrange(60)), LIMA)

    def brand(draw: random.Random) -> str:
        return draw.choice(BRANDS)

    def week(draw: random.Random) -> str:
        return week_name((NOW - timedelta(days=7 * draw.randrange(1, 20))).date())

    asked: dict[str, Question] = {
        "open now": lambda c, d: insight.open_now(c, brand(d), NOW),
        "what waits": lambda c, d: count_waiting(c, brand(d), (), NOW),
        "letter: a whole week": lambda c, d: gather(c, config, week(d), BRANDS[0], NOW),
        "letter: a team's week": lambda c, d: gather_load(c, config, _edition(some(d, 7)), NOW),
        "once an hour: spikes tried on the past": lambda c, d: back_test(c, config, NOW, brand(d)),
    }
    for days in (7, 30, 90):
        asked |= _of_period(days, some, brand)
    watched, most = config.settings, 20
    asked["exchanges, 30 days"] = lambda c, d: survey_exchanges(c, watched, some(d, 30), BRANDS[0], most)
    asked["opportunities, 30 days"] = lambda c, d: survey_opportunities(c, watched, some(d, 30), BRANDS[0], NOW, most)
    return asked


def _edition(period: Period) -> Edition:
    return Edition(BRANDS[0], "es", period, "weekly", "team", ("sales",))


def _of_period(
    days: int, some: Callable[[random.Random, int], Period], brand: Callable[[random.Random], str]
) -> dict[str, Question]:
    def running(draw: random.Random) -> Period:
        """Give the stretch before one that still runs, which ends within a day."""
        return before(last_days(days, NOW, LIMA), NOW)[draw.randrange(2)]

    asked: dict[str, Question] = {
        "volume by day": lambda c, d: insight.volume_by_day(c, some(d, days), BRANDS),
        "volume by day, still running": lambda c, d: insight.volume_by_day(c, running(d), [brand(d)]),
        "shares": lambda c, d: insight.shares(c, some(d, days)),
        "net sentiment": lambda c, d: insight.net_sentiment(c, some(d, days), brand(d)),
        "voices": lambda c, d: insight.voices(c, some(d, days), brand(d)),
        "voices by day": lambda c, d: count_days(c, some(d, days), brand(d), "stakeholder"),
        "voices by day, still running": lambda c, d: count_days(c, running(d), brand(d), "stakeholder"),
        "dimensions": lambda c, d: insight.dimensions(c, some(d, days), brand(d)),
        "sources of": lambda c, d: insight.sources_of(c, some(d, days), brand(d)),
        "table of voices and dimensions": lambda c, d: count_cells(
            c, some(d, days), brand(d), "stakeholder", "dimension"
        ),
        "table of dimensions and sources": lambda c, d: count_cells(c, some(d, days), brand(d), "dimension", "source"),
        "bodies": lambda c, d: count_bodies(c, some(d, days), brand(d), _KNOWN, _SHOWN),
        "case counts": lambda c, d: insight.case_counts(c, some(d, days), brand(d), NOW),
        "case fates": lambda c, d: case_fates(c, some(d, days), brand(d)),
        "mention fates": lambda c, d: mention_fates(c, some(d, days), brand(d)),
        "response times": lambda c, d: insight.response_times(c, some(d, days), brand(d)),
        "work of departments": lambda c, d: read_work(c, some(d, days), brand(d), NOW),
        "first department": lambda c, d: count_routed(c, some(d, days), brand(d), ()),
        "honest counts": lambda c, d: insight.honest_counts(c, some(d, days), brand(d), NOW),
        "heard days": lambda c, d: insight.heard_days(c, some(d, days)),
        "gaps": lambda c, d: insight.gaps(c, some(d, days), NOW),
        "new by day": lambda c, d: new_by_day(c, some(d, days)),
        "unusual days": lambda c, d: insight.unusual_days(c, some(d, days), brand(d)),
        "spikes": lambda c, d: spikes(c, some(d, days), brand(d)),
    }
    return {f"{name}, {days} days": question for name, question in asked.items()}
