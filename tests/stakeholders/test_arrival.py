from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.intake import Intake, Saved
from listener.mention import Author, OptOut, Page, Post
from listener.platforms.calls import Call
from listener.store import mentions, posts
from sentiment.store import read_verdict, save_verdicts, verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.arrival import read_opt_outs, settle_arrival
from stakeholders.store import decisions, suppressions
from tests.stakeholders.newsroom import NOW, hear, make_config

PHONE = "51999888777"


def wish(minute: int, *, stops: bool = True, handle: str = PHONE) -> OptOut:
    return OptOut(handle, NOW + timedelta(minutes=minute), stops)


def settle(store: Store, page: Page, *edited: int, source: str = "whatsapp") -> None:
    with store.write() as connection:
        settle_arrival(connection, source, page, Saved(0, 0, edited), NOW)


def judged(*names: str, **more: Any) -> Verdict:
    relevant, sentiment, dimension, intent = (Label(name, 0.9) for name in names)
    return Verdict(relevant, sentiment, dimension, intent, **{"engine": "new", **more})


def listed(store: Store) -> list[tuple[str, str, int]]:
    with store.read() as connection:
        return [(one.source, one.handle, (one.at - NOW).seconds // 60) for one in read_opt_outs(connection)]


# ---- wishes


def test_a_wish_puts_a_person_on_the_list_once_with_the_time_of_the_last(store: Store) -> None:
    settle(store, Page((), opt_outs=(wish(1),)))
    settle(store, Page((), opt_outs=(wish(5), wish(3))))
    settle(store, Page((), opt_outs=(wish(2),)))
    assert listed(store) == [("whatsapp", PHONE, 5)]
    settle(store, Page((), opt_outs=(wish(1, handle="@ÁNA"),)), source="telegram")
    assert listed(store) == [("telegram", "@ana", 1), ("whatsapp", PHONE, 5)]


def test_the_later_wish_counts_in_whatever_order_they_come(store: Store) -> None:
    settle(store, Page((), opt_outs=(wish(4, stops=False), wish(1))))
    assert listed(store) == []
    settle(store, Page((), opt_outs=(wish(6), wish(7, stops=False), wish(8))))
    assert listed(store) == [("whatsapp", PHONE, 8)]
    settle(store, Page((), opt_outs=(wish(7, stops=False),)))  # an old call that comes late
    assert listed(store) == [("whatsapp", PHONE, 8)]
    settle(store, Page((), opt_outs=(wish(9, stops=False),)))
    assert listed(store) == []


def test_of_two_wishes_at_once_the_one_to_be_left_alone_counts(store: Store) -> None:
    settle(store, Page((), opt_outs=(wish(1), wish(1, stops=False))))
    assert listed(store) == [("whatsapp", PHONE, 1)]


def test_a_wish_in_one_source_is_none_in_another(store: Store) -> None:
    settle(store, Page((), opt_outs=(wish(1),)))
    settle(store, Page((), opt_outs=(wish(2, stops=False),)), source="other")
    assert listed(store) == [("whatsapp", PHONE, 1)]


def test_a_row_that_names_its_mention_keeps_it(store: Store) -> None:
    with store.write() as connection:
        mention_id = hear(connection)
        row = {"source": "whatsapp", "handle": PHONE, "mention_id": mention_id, "at": NOW}
        connection.execute(suppressions.insert().values(row))
    settle(store, Page((), opt_outs=(wish(3),)))
    with store.read() as connection:
        assert connection.scalar(sa.select(suppressions.c.mention_id)) == mention_id
    assert listed(store) == [("whatsapp", PHONE, 3)]


# ---- edits


def test_an_edited_post_is_judged_again_and_its_decision_stays(store: Store) -> None:
    with store.write() as connection:
        one, two = hear(connection), hear(connection, "Nítido otra vez")
        post = connection.scalar(sa.select(mentions.c.post_id).where(mentions.c.id == one)) or 0
    settle(store, Page(()), post, source="x")
    with store.write() as connection:
        assert read_verdict(connection, one) is None
        assert read_verdict(connection, two) is not None
        assert connection.scalar(sa.select(sa.func.count()).select_from(verdicts)) == 2
        assert connection.scalar(sa.select(decisions.c.id).where(decisions.c.mention_id == one)) is not None
        again = Verdict(
            *(Label(name, 0.9) for name in ("true", "positive", "products_services", "praise")), engine="new"
        )
        assert save_verdicts(connection, [(one, again)], NOW) == 1
    settle(store, Page(()), post, source="x")  # and again, for the next edit
    with store.read() as connection:
        assert read_verdict(connection, one) is None


def test_what_a_person_decided_of_an_edited_post_stays(store: Store) -> None:
    with store.write() as connection:
        one = hear(connection)
        post = connection.scalar(sa.select(mentions.c.post_id).where(mentions.c.id == one)) or 0
        given = judged("true", "neutral", "products_services", "question", by="person")
        save_verdicts(connection, [(one, given)], NOW, "Ana")
    settle(store, Page(()), post, source="x")
    with store.read() as connection:
        kept = read_verdict(connection, one)
    assert kept is not None
    assert (kept.by, kept.sentiment.name) == ("person", "neutral")


# ---- removals


@pytest.mark.parametrize("later", [True, False])
def test_what_is_gone_is_erased_and_never_comes_back(store: Store, tmp_path: Path, later: bool) -> None:
    intake = Intake(make_config(tmp_path, store.url))
    post = Post("whatsapp", "wamid.1", "Nítido sin señal", NOW, Author(PHONE))
    told: list[Any] = [Page((post,)), Call((), gone=("wamid.1",))]
    for page in told if later else reversed(told):  # a call may tell of the removal first
        with store.write() as connection:
            settle_arrival(connection, "whatsapp", page, intake.save(connection, "whatsapp", page, NOW), NOW)
    with store.write() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(posts)) == 0
        assert intake.save(connection, "whatsapp", Page((post,)), NOW).new == 0
