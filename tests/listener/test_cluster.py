"""The stage of clusters: every post gets one, whatever the batches, and a kill anywhere changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bench.copies import labelled
from listener.cluster import Clusters, cluster_pending
from listener.database import Store
from listener.store import posts

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
STORY = "Vecinos de la zona alta esperan desde hace tres semanas que vuelva el agua a sus casas"


class Killed(Exception):
    """Stand for the end of the process between two steps."""


def keep(store: Store, texts: list[tuple[str, datetime]], first: int = 0) -> None:
    rows = [
        {
            "source": "x", "native_id": str(number), "text": text, "published_at": at, "collected_at": NOW, "raw": {}
        }
        for number, (text, at) in enumerate(texts, first)
    ]  # fmt: skip
    with store.write() as connection:
        connection.execute(posts.insert(), rows)


def clusters(store: Store) -> dict[str, str]:
    """Give, by native id, the native id of the cluster's first post."""
    with store.read() as connection:
        rows = connection.execute(sa.select(posts.c.id, posts.c.native_id, posts.c.cluster)).all()
    names = {row.id: row.native_id for row in rows}
    return {row.native_id: names.get(row.cluster, f"gone {row.cluster}") for row in rows}


def place_all(store: Store, state: Clusters, batch: int) -> int:
    placed = 0
    while done := cluster_pending(store, state, batch):
        placed += done
    return placed


def timeline(count: int) -> list[tuple[str, datetime]]:
    """Give texts that arrive mostly in the order they were published, over six weeks; some are imported late."""
    chance = random.Random(11)
    made = []
    for number, post in enumerate(labelled(count)):
        at = NOW - timedelta(days=42) + timedelta(days=42) * (number / count)
        late = timedelta(days=chance.choice((0, 0, 0, 1, 9, 30)))
        made.append((post.text, at - late))
    return made


def test_copies_share_the_cluster_of_the_first_and_each_other_post_has_its_own(store: Store) -> None:
    keep(
        store, [(STORY, NOW), ("otra cosa", NOW), (f"RT @a: {STORY}", NOW), ("😡", NOW), ("otra cosa", NOW), ("", NOW)]
    )
    assert cluster_pending(store, Clusters(), 4) == 4
    assert place_all(store, Clusters(), 4) == 2
    assert clusters(store) == {"0": "0", "1": "1", "2": "0", "3": "3", "4": "1", "5": "5"}
    assert cluster_pending(store, Clusters()) == 0


def test_batches_and_kills_anywhere_leave_the_same_clusters(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = timeline(700)
    keep(store, texts)
    assert place_all(store, Clusters(), 1_000) == 700
    undisturbed = clusters(store)
    assert len(set(undisturbed.values())) < 650

    chance = random.Random(2)
    kills = 0
    for batch in (25, 90):
        with store.write() as connection:
            connection.execute(posts.update().values(cluster=None))
        state = Clusters(most=100)
        whole = store.write

        @contextmanager
        def broken(whole: Any = whole) -> Iterator[sa.Connection]:
            with whole() as connection:
                yield connection
                if chance.random() < 0.5:
                    raise Killed  # before the commit

        with monkeypatch.context() as patched:
            patched.setattr(store, "write", broken)
            while True:
                try:
                    if not cluster_pending(store, state, batch):
                        break
                except Killed:
                    kills += 1
                if chance.random() < 0.4:
                    state = Clusters(most=100)  # the process began again
        assert clusters(store) == undisturbed
    assert kills > 3


def test_what_another_process_placed_meanwhile_is_known(store: Store) -> None:
    one, other = Clusters(), Clusters()
    keep(store, [("nada que ver con aquello", NOW)])
    assert cluster_pending(store, one) == 1
    keep(store, [(STORY, NOW)], 1)
    assert cluster_pending(store, other) == 1
    keep(store, [(STORY + " hoy", NOW)], 2)
    assert cluster_pending(store, one) == 1
    assert clusters(store) == {"0": "0", "1": "1", "2": "1"}


@pytest.mark.parametrize("again", [True, False])
def test_a_cluster_outlives_its_first_post(store: Store, again: bool) -> None:
    state = Clusters()
    keep(store, [(STORY, NOW), (f"{STORY} hoy", NOW)])
    place_all(store, state, 10)
    with store.write() as connection:
        first = connection.scalar(sa.select(sa.func.min(posts.c.id)))
        connection.execute(posts.delete().where(posts.c.id == first))
    keep(store, [(f"RT @a: {STORY}", NOW)], 7)
    place_all(store, Clusters() if again else state, 10)
    assert clusters(store) == {"1": f"gone {first}", "7": f"gone {first}"}


def test_an_edited_post_is_placed_anew(store: Store) -> None:
    state = Clusters()
    keep(store, [(STORY, NOW), ("otra cosa del todo distinta", NOW)])
    place_all(store, state, 10)
    with store.write() as connection:
        connection.execute(posts.update().where(posts.c.native_id == "1").values(text=f"RT @a: {STORY}", cluster=None))
    place_all(store, state, 10)
    assert clusters(store) == {"0": "0", "1": "0"}


def test_an_import_of_old_posts_is_compared_with_its_own_weeks(store: Store) -> None:
    old = NOW - timedelta(days=300)
    state = Clusters(most=1)
    keep(store, [(STORY, old), (STORY, NOW), ("otra cosa del todo distinta", NOW)])
    place_all(store, state, 1)
    keep(
        store,
        [(f"{STORY} hoy", old + timedelta(days=13)), (f"{STORY} hoy", NOW), (f"{STORY} hoy", old - timedelta(days=15))],
        3,
    )
    place_all(store, state, 1)
    assert clusters(store) == {"0": "0", "1": "1", "2": "2", "3": "0", "4": "1", "5": "5"}
