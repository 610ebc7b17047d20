"""Say once what a mention in a figure is, and count honestly what is in, what is out and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.erasure import count_removed
from listener.store import mentions, posts, quarantine
from sentiment.store import verdicts
from stakeholders.counting.hearing import Gap, gaps
from stakeholders.counting.period import Period
from stakeholders.store import case_mentions
from stakeholders.watch import Quiet, read_quiet

__all__ = ["Honest", "counted", "honest_counts", "moment_of", "named", "tally"]


@dataclass(frozen=True, slots=True)
class Honest:
    """Hold what stands behind a report.

    mentions = relevant + excluded + waiting; relevant = negative + neutral + positive.
    """

    collected: int  # posts published in the period that reached us, whoever they name
    mentions: int  # of the brand, found in them
    relevant: int  # judged to be about the brand: what every other figure counts
    excluded: int  # judged not to be about it
    waiting: int  # not judged yet
    negative: int
    neutral: int
    positive: int
    unsure: int  # of the relevant: the polarity is the best guess
    repeats: int  # of the relevant: copies and reposts that joined a case
    corrected: int  # of the judged: a person changed a label
    rejected: int  # items that could not be read, first seen in the period, of every source
    gaps: tuple[Gap, ...] = ()
    removed: int = 0  # posts removed in the period, at the source or on request, of every source and brand
    texts: int = 0  # of the relevant: said for the first time; copies, reposts and news sent to many outlets are not
    quiet: tuple[Quiet, ...] = ()  # sources that answered and brought nothing, against their habit

    def reconciles(self) -> bool:
        """Tell whether the sums agree."""
        judged = self.relevant == self.negative + self.neutral + self.positive
        return judged and self.mentions == self.relevant + self.excluded + self.waiting


def moment_of(hour: int) -> datetime:
    """Give the moment at which a UTC hour since 1970 begins."""
    return datetime.fromtimestamp(hour * 3600, UTC)


def named(period: Period, brand: str | None) -> sa.ColumnElement[bool]:
    """Give the condition for mentions published in a period, of one brand or of all."""
    found = sa.and_(mentions.c.hour >= period.first_hour, mentions.c.hour < period.end_hour)
    return found if brand is None else sa.and_(mentions.c.brand == brand, found)


def counted() -> sa.Join:
    """Join mentions to their current verdict where that says they are about the brand: what every figure counts."""
    current = sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current, verdicts.c.relevant)
    return mentions.join(verdicts, current)


def tally() -> tuple[sa.Label[int], ...]:
    """Give the columns mentions, negative, neutral, positive and unsure for a query over `counted()`."""
    return (
        sa.func.count().label("mentions"),
        *(
            sa.func.count().filter(verdicts.c.sentiment == name).label(name)
            for name in ("negative", "neutral", "positive")
        ),
        sa.func.count().filter(verdicts.c.unsure).label("unsure"),
    )


def honest_counts(connection: Connection, period: Period, brand: str | None, now: datetime | None = None) -> Honest:
    """Count what stands behind the figures of a period, of one brand or of all; gaps up to `now` when it is given."""
    from stakeholders.counting.tally import add_up, is_limited, kept_counts, sums_by

    if is_limited(connection):
        told = _count_rows(connection, period, brand)
    else:
        sums = connection.execute(sa.select(*add_up(sums_by(connection, period, brand, "kind")))).one()
        kept = kept_counts(connection, period, brand)
        told = {name: int(number) for name, number in sums._mapping.items()}
        relevant = told["mentions"]
        told |= {
            "collected": kept["collected"],
            "mentions": kept["heard"],
            "relevant": relevant,
            "excluded": kept["excluded"],
            "waiting": kept["heard"] - relevant - kept["excluded"],
            "repeats": kept["repeat"],
            "corrected": kept["corrected"],
            "texts": kept["text"],
        }
    rejected = sa.select(sa.func.count()).where(quarantine.c.at >= period.start, quarantine.c.at < period.end)
    return Honest(
        rejected=connection.scalar(rejected) or 0,
        gaps=tuple(gaps(connection, period, now)),
        removed=count_removed(connection, period.start, period.end),
        quiet=read_quiet(connection, period.start, period.end),
        **told,
    )


def _count_rows(connection: Connection, period: Period, brand: str | None) -> dict[str, int]:
    """Count from the rows themselves, for a reader who sees only a part of them."""
    row: Any = connection.execute(
        sa.select(
            sa.func.count().label("mentions"),
            sa.func.count().filter(verdicts.c.relevant).label("relevant"),
            sa.func.count().filter(sa.not_(verdicts.c.relevant)).label("excluded"),
            sa.func.count().filter(verdicts.c.id.is_(None)).label("waiting"),
            *(
                sa.func.count().filter(verdicts.c.relevant, verdicts.c.sentiment == name).label(name)
                for name in ("negative", "neutral", "positive")
            ),
            sa.func.count().filter(verdicts.c.relevant, verdicts.c.unsure).label("unsure"),
            sa.func.count().filter(verdicts.c.relevant, case_mentions.c.how == "repeat").label("repeats"),
            sa.func.count().filter(verdicts.c.by == "person").label("corrected"),
        )
        .select_from(
            mentions.outerjoin(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current)).outerjoin(
                case_mentions, case_mentions.c.mention_id == mentions.c.id
            )
        )
        .where(named(period, brand))
    ).one()
    first, end = moment_of(period.first_hour), moment_of(period.end_hour)
    collected = sa.select(sa.func.count()).where(posts.c.published_at >= first, posts.c.published_at < end)
    return {
        **row._mapping,
        "collected": connection.scalar(collected) or 0,
        "texts": _count_texts(connection, period, brand),
    }


def _count_texts(connection: Connection, period: Period, brand: str | None) -> int:
    """Count the relevant mentions whose text nobody had said before: a post that is not compared yet is one of them."""
    tables = counted().join(posts, posts.c.id == mentions.c.post_id)
    first = sa.func.coalesce(posts.c.cluster, posts.c.id) == posts.c.id
    query = sa.select(sa.func.count()).select_from(tables).where(named(period, brand), first)
    return connection.scalar(query) or 0
