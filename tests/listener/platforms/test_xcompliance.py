"""Which posts are gone, as X tells it by look-up and by compliance job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from listener.errors import Refused, SourceError, Unreachable, Unreadable
from listener.fetch import Egress
from listener.platforms.xclient import XClient
from listener.platforms.xcompliance import MANY, check_by_job
from listener.sources import x
from tests.servers.web import Answer
from tests.servers.x import TOKEN
from tests.servers.xworld import World, x_world

NOW = datetime(2026, 5, 4, 13, tzinfo=UTC)
HOSTS = frozenset({"127.0.0.1", "localhost"})
LOCAL = Egress(HOSTS, HOSTS)
IDS = [str(1790000000000000000 + number) for number in range(250)]


def source(world: World, egress: Egress = LOCAL, **settings: Any) -> x.Source:
    told = x.Settings(bearer_token=SecretStr(TOKEN), base_url=world.url, **settings)
    return x.Source("x", told, egress, now=lambda: NOW)


def by_job(world: World, ids: list[str] = IDS, egress: Egress = LOCAL) -> tuple[list[str], list[float]]:
    pauses: list[float] = []
    with XClient("x", TOKEN, world.url, egress) as client:
        pages = list(check_by_job(client, ids, lambda: NOW, pauses.append))
    return [one for page in pages for one in page.gone], pauses


def test_posts_are_looked_up_a_hundred_at_a_time_and_those_found_are_billed() -> None:
    with x_world() as world:
        world.gone = {IDS[3]: "resource-not-found", IDS[120]: "not-authorized-for-resource", IDS[121]: "disconnected"}
        pages = list(source(world).recheck(IDS))
        asked = [one.query["ids"].count(",") + 1 for one in world.asked]
        assert "expansions" not in world.asked[0].query
    assert asked == [100, 100, 50]
    assert [one for page in pages for one in page.gone] == [IDS[3], IDS[120]]
    there = {post.native_id for page in pages for post in page.posts}
    assert there == set(IDS) - {IDS[3], IDS[120], IDS[121]}
    assert sum(page.billed["post"] for page in pages) == 247


def test_an_error_about_something_else_erases_nothing() -> None:
    errors = [
        {"resource_type": "user", "resource_id": IDS[0], "type": "https://x/resource-not-found"},
        {"resource_type": "tweet", "resource_id": "1", "type": "https://x/resource-not-found"},
        {
            "resource_type": "tweet",
            "resource_id": IDS[0],
            "parameter": "expansions",
            "type": "https://x/resource-not-found",
        },
        {"title": "Internal", "resource_id": IDS[0], "type": "about:blank"},
        None,
        {"resource_id": IDS[1], "type": "https://x/resource-not-found"},
    ]
    import json

    with x_world() as world:
        world.answers["/2/tweets"] = Answer(json.dumps({"errors": errors}).encode())
        (page,) = source(world).recheck(IDS[:5])
        assert page.gone == (IDS[1],)
        world.answers["/2/tweets"] = Answer(json.dumps({"errors": errors[:4]}).encode())
        with pytest.raises(Unreadable):
            list(source(world).recheck(IDS[:5]))


@pytest.mark.parametrize(
    "answer",
    [Answer(b""), Answer(b"<html>"), Answer(b"{}"), Answer(b'{"data": []}'), Answer(b"x", 500), Answer(b"{}", 401)],
)
def test_an_answer_that_is_none_erases_nothing(answer: Answer) -> None:
    with x_world() as world:
        world.answers["/2/tweets"] = answer
        with pytest.raises(SourceError):
            list(source(world).recheck(IDS))


def test_ids_of_other_places_are_not_asked_for() -> None:
    with x_world() as world:
        assert list(source(world).recheck(["abc", "١٢", "9" * 30, ""])) == []
        assert world.paths() == []


# ---- compliance jobs


def test_a_job_names_what_is_gone_and_waits_for_it() -> None:
    with x_world() as world:
        world.gone = {IDS[3]: "deleted", IDS[120]: "suspended", IDS[121]: "scrub_geo"}
        gone, pauses = by_job(world)
        assert gone == [IDS[3], IDS[120]]
        assert pauses == [10.0]
        assert world.files["/files/up1"].decode().split() == IDS
        # The key goes to X alone, not to the place where the files are kept.
        assert all("Authorization" not in one.headers for one in world.asked if one.path.startswith("/files/"))


def test_a_job_that_takes_too_long_is_found_again_by_the_next_call() -> None:
    with x_world() as world:
        world.gone = {IDS[3]: "deleted"}
        world.job_answers = ["in_progress"] * 24
        with pytest.raises(Unreachable):
            by_job(world)
        assert len(world.jobs) == 1
        world.job_answers = ["complete"]
        assert by_job(world)[0] == [IDS[3]]
        assert len(world.jobs) == 1
        world.jobs[0]["created_at"] = "2026-05-03T12:00:00.000Z"  # yesterday's result says nothing of today
        world.job_answers = ["complete"]
        assert by_job(world)[0] == [IDS[3]]
        assert len(world.jobs) == 2


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_a_job_that_fails_is_told_without_the_addresses_of_its_files(state: str) -> None:
    with x_world() as world:
        world.job_answers = [state]
        with pytest.raises(Unreadable) as told:
            by_job(world)
    assert b"/files/" not in told.value.body


def test_a_result_that_is_cut_off_erases_nothing() -> None:
    with x_world() as world:
        world.job_answers = ["complete"]
        world.gone = dict.fromkeys(IDS, "deleted")
        world.answers["/files/down1"] = Answer(b'{"id": "' + IDS[0].encode() + b'", "action": "delete"}\n{"id": "17')
        with pytest.raises(Unreadable):
            by_job(world)


def test_files_are_fetched_from_listed_hosts_only() -> None:
    with x_world() as world, pytest.raises(Refused):
        by_job(world, egress=Egress(frozenset({"127.0.0.1"}), HOSTS))


def test_jobs_are_used_for_many_posts_and_only_when_they_are_switched_on() -> None:
    many = [str(1790000000000000000 + number) for number in range(MANY)]
    with x_world() as world:
        world.job_answers = ["complete"]
        assert list(source(world, compliance_jobs=True).recheck(many)) == []
        assert world.jobs
        assert "GET /2/tweets" not in world.paths()
        few = list(source(world, compliance_jobs=True).recheck(many[:100]))
        assert len(few[0].posts) == 100
        assert len(list(source(world).recheck(many))) == 10
        assert len(world.jobs) == 1
        assert "storage.googleapis.com" in source(world, compliance_jobs=True).hosts()
        assert "storage.googleapis.com" not in source(world).hosts()
