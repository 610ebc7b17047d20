"""What stands behind the figures: mentions and, beside them, how many different texts they are."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from listener.cluster import Clusters, cluster_pending
from listener.database import Store
from stakeholders.counting.counts import honest_counts
from stakeholders.counting.period import week
from tests.stakeholders.weeks import say

WEEK = week("2026-W46", ZoneInfo("America/Lima"))
STORY = "Vecinos de la zona alta esperan desde hace tres semanas que vuelva el agua a sus casas"


def test_copies_count_as_mentions_and_once_as_texts(store: Store) -> None:
    with store.write() as connection:
        for text in (STORY, f"RT @a: {STORY}", "otra cosa", f"{STORY} hoy"):
            say(connection, WEEK.start, text=text)
        say(connection, WEEK.start, text="nada de eso", relevant=False)
        say(connection, WEEK.start, text="en espera", sentiment=None)
        say(connection, WEEK.start, text=STORY, brand="brisatel")
        assert honest_counts(connection, WEEK, "nitido").texts == 4  # not compared yet: each is one
    while cluster_pending(store, Clusters(), 3):
        pass
    with store.read() as connection:
        honest = honest_counts(connection, WEEK, "nitido", datetime(2026, 12, 1, tzinfo=UTC))
        assert (honest.mentions, honest.relevant, honest.texts) == (6, 4, 2)
        assert honest_counts(connection, WEEK, "brisatel").texts == 0  # the first to say it named another brand
        assert honest_counts(connection, WEEK, None).texts == 2
        assert honest.reconciles()
