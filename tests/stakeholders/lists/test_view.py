"""Keep views of the inbox under a name; search it in the query language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from listener.database import Store
from stakeholders.case import close, join
from stakeholders.casework.step import NotPossible
from stakeholders.inbox import FACETS, Filters, count_facets, count_inbox, list_inbox, read_inbox, read_rows
from stakeholders.lists.view import MOST, list_views, read_filters, remove_view, save_view, usual_views
from stakeholders.scope import limit
from tests.stakeholders.test_inbox import NOW, SETTINGS, hear, open_one

WHO, OTHER = "Ana Flores", "Jorge Huamán"
PRESS = Filters(stakeholder=("press",), q='"sin señal" OR multa', overdue=True)


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


def test_a_view_is_ones_own_until_it_is_shared(connection: sa.Connection) -> None:
    own = save_view(connection, WHO, "  Prensa \n urgente ", PRESS, NOW)
    assert (own.name, own.filters()) == ("Prensa urgente", PRESS)
    assert list_views(connection, OTHER) == ()
    save_view(connection, WHO, "Prensa urgente", PRESS, NOW, shared=True)
    (seen,) = list_views(connection, OTHER)
    assert (seen.id, seen.owner, seen.shared) == (own.id, WHO, True)
    assert not remove_view(connection, OTHER, own.id), "only whose it is removes it"
    assert remove_view(connection, WHO, own.id)
    assert not remove_view(connection, WHO, own.id)


def test_ones_own_views_come_first(connection: sa.Connection) -> None:
    save_view(connection, OTHER, "A", PRESS, NOW, shared=True)
    save_view(connection, WHO, "b", PRESS, NOW)
    save_view(connection, WHO, "a", PRESS, NOW)
    assert [(one.owner, one.name) for one in list_views(connection, WHO)] == [(WHO, "a"), (WHO, "b"), (OTHER, "A")]


@pytest.mark.parametrize(
    ("who", "name", "filters"), [("", "x", PRESS), (WHO, " ", PRESS), (WHO, "x", Filters()), ("\x00", "x", PRESS)]
)
def test_a_view_needs_a_person_a_name_and_something_to_show(
    connection: sa.Connection, who: str, name: str, filters: Filters
) -> None:
    with pytest.raises(NotPossible):
        save_view(connection, who, name, filters, NOW)
    assert list_views(connection, WHO) == ()


def test_a_person_keeps_so_many_views_and_no_more(connection: sa.Connection) -> None:
    for number in range(MOST):
        save_view(connection, WHO, f"v{number}", PRESS, NOW)
    with pytest.raises(NotPossible, match="30"):
        save_view(connection, WHO, "one more", PRESS, NOW)
    save_view(connection, WHO, "v1", Filters(overdue=True), NOW)


def test_a_view_of_an_older_program_is_read_without_harm() -> None:
    assert read_filters("department=gone&priority=alert&x=1&zone=Nowhere/X") == Filters(priority=("alert",))
    assert read_filters("zone=Nowhere/X").zone == "UTC"


def test_who_is_limited_to_a_department_keeps_views_and_sees_its_own_cases_through_shared_ones(store: Store) -> None:
    with store.write() as connection:
        open_one(connection, "1", department="sales", stakeholder="press")
        open_one(connection, "2", department="communications", stakeholder="press")
        save_view(connection, OTHER, "Prensa", Filters(stakeholder=("press",)), NOW, shared=True)
    with limit(store, ["sales"]).write() as connection:
        save_view(connection, WHO, "Mía", Filters(overdue=True), NOW)
        assert [one.name for one in list_views(connection, WHO)] == ["Mía", "Prensa"]
        assert count_inbox(connection, list_views(connection, WHO)[1].filters(), NOW) == 1


def test_mine_is_offered_to_who_has_a_name() -> None:
    assert Filters(owner=WHO) in [one for _, one in usual_views(WHO)]
    assert all(one.owner in (None, "-") for _, one in usual_views(""))


def test_a_search_finds_cases_by_any_of_their_posts(connection: sa.Connection) -> None:
    one = open_one(connection, "1", text="tres días sin señal en Cayma", handle="rosa")
    two = open_one(connection, "2", text="nadie contesta", handle="otra")
    joined = hear(connection, "3", text="Sin SEÑAL en Cayma otra vez")
    join(connection, SETTINGS, two, joined, "repeat", "important", NOW)

    def found(q: str) -> list[int]:
        return [row.case.id for row in read_inbox(connection, Filters(q=q), NOW).rows]

    assert found("senal cayma") == [one, two], "by the post that joined, too"
    assert found('"sin señal" from:rosa') == [one]
    assert found("contesta OR from:rosa") == [one, two]
    assert found("NOT cayma") == [two]
    assert found("nadieescribioesto") == []
    assert count_inbox(connection, Filters(q="cayma", status="closed"), NOW) == 0
    assert count_facets(connection, Filters(q="contesta"), NOW, FACETS)["department"] == {"customer_care": 1}


@pytest.mark.parametrize("q", ["(", '"', "NEAR/5", "from:", "a AND", "\x00(", "since:ayer"])
def test_a_search_that_cannot_be_read_leaves_nothing_out(connection: sa.Connection, q: str) -> None:
    open_one(connection, "1")
    assert count_inbox(connection, Filters.from_query({"q": q}), NOW) == 1


def test_a_search_that_a_database_cannot_say_exactly_is_answered_exactly(connection: sa.Connection) -> None:
    open_one(connection, "1", text="portabilidad rápida a otra empresa")
    assert count_inbox(connection, Filters(q='"port* rapida"'), NOW) == 1  # SQLite knows a * at the end only
    assert count_inbox(connection, Filters(q='"rapi* portabilidad"'), NOW) == 0


def test_days_of_a_search_are_those_of_the_zone(connection: sa.Connection) -> None:
    open_one(connection, "1")  # published on 3 March, 15:00 UTC: in Auckland it is the 4th
    assert count_inbox(connection, Filters(q="since:2026-03-04"), NOW) == 0
    assert count_inbox(connection, Filters(q="since:2026-03-04", zone="Pacific/Auckland"), NOW) == 1


def test_rows_are_read_in_the_order_asked_whatever_became_of_them(connection: sa.Connection) -> None:
    one, two = open_one(connection, "1"), open_one(connection, "2", priority="alert")
    close(connection, one, WHO, NOW)
    assert [row.case.id for row in read_rows(connection, [one, two, 999], NOW)] == [one, two]
    assert read_rows(connection, [], NOW) == ()
    assert [key.id for key in list_inbox(connection, Filters(), NOW)] == [two]


def test_every_facet_counts_what_its_choice_would_show(connection: sa.Connection) -> None:
    open_one(connection, "1")
    open_one(connection, "2", stakeholder="press", department="sales", priority="alert")
    counted = count_facets(connection, Filters(stakeholder=("press",)), NOW, FACETS)
    for name in FACETS[:2] + FACETS[3:]:
        for value, count in counted[name].items():
            chosen = {"stakeholder": ("press",), name: (value,)}
            assert count_inbox(connection, Filters(**chosen), NOW) == count, (name, value)
