"""Whatever the body of a signed call holds: it is stored or kept aside, and never a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.database import Store
from listener.egress import egress_of
from listener.mention import Pushed
from listener.platforms.calls import Call
from listener.sources import load
from listener.store import quarantine
from tests.servers.graph import ACCOUNT, PAGE
from tests.servers.house import House, call, edit, message, open_house

COMMENT = {
    "item": "comment",
    "verb": "add",
    "from": {"id": "7", "name": "Ana"},
    "post_id": f"{PAGE}_1",
    "parent_id": f"{PAGE}_1",
    "comment_id": "1_2",
    "message": "hola",
    "created_time": 1777896000,
    "post": {"permalink_url": "https://www.facebook.com/1"},
}
REPLY = {
    "id": "17905",
    "text": "hola",
    "from": {"id": "7", "username": "ana"},
    "media": {"id": "17801"},
    "parent_id": "17900",
}
SEEDS: dict[str, Any] = {
    "whatsapp": json.loads(call(message("sin señal"), edit("ya"), message("BAJA", "wamid.2"), message("x", "wamid.3"))),
    "facebook": {
        "object": "page",
        "entry": [{"id": PAGE, "time": 1777896000, "changes": [{"field": "feed", "value": COMMENT}]}],
    },
    "instagram": {
        "object": "instagram",
        "entry": [{"id": ACCOUNT, "time": 1777896000, "changes": [{"field": "comments", "value": REPLY}]}],
    },
}

ODD = st.sampled_from(
    [None, True, 0, -1, 1e308, float("nan"), float("inf"), 10**400, "", "\x00", "\ud800", "x" * 70_000, [], {}, [[]],
     {"a": {"b": []}}, "9" * 30, "٣", "2026-13-45", [None] * 50]
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, part in value.items():
            yield from places(part, (*path, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from places(part, (*path, number))


def changed(value: Any, path: tuple[Any, ...], odd: Any, drop: bool) -> Any:
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    if drop and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = changed(copy[path[0]], path[1:], odd, drop)
    return copy


@st.composite
def mutated(draw: st.DrawFn, source: str) -> bytes:
    told = SEEDS[source]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(told))))
        told = changed(told, path, draw(ODD), draw(st.booleans()))
    body = json.dumps(told, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return body[: draw(st.integers(0, len(body)))] if draw(st.integers(0, 9)) == 0 else body


@pytest.mark.parametrize("source", SEEDS)
def test_whatever_is_sent_is_read_or_kept_aside(source: str, tmp_path: Path) -> None:
    house = House(Store(f"sqlite:///{tmp_path}/unused.db"), tmp_path)
    pushed = load(source, house.config.sources[source], egress_of(house.config))
    assert isinstance(pushed, Pushed)

    @settings(max_examples=700, deadline=1000, database=None, suppress_health_check=list(HealthCheck))
    @given(mutated(source))
    def read(body: bytes) -> None:
        page = pushed.receive(body)
        assert isinstance(page, Call)
        assert all(post.native_id and post.text.strip() and post.published_at.tzinfo for post in page.posts)

    read()
    house.store.close()


def test_whatever_is_sent_never_is_a_fault_of_ours(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/escucha.db", durable=False)
    store.migrate()
    with open_house(store, tmp_path) as house:

        @settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.sampled_from(sorted(SEEDS)).flatmap(lambda name: st.tuples(st.just(name), mutated(name))))
        def send(told: tuple[str, bytes]) -> None:
            assert house.post(*told).status_code == 200

        send()
        with store.read() as connection:
            assert not list(connection.scalars(sa.select(quarantine.c.id).where(quarantine.c.reason.like("%stored%"))))
    store.close()
