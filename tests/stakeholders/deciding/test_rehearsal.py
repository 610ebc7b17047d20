"""A changed configuration is rehearsed without a trace; open cases move on request, once, and the history says who."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import stakeholders.deciding.rehearsal as rehearsal
import stakeholders.deciding.rerouting as rerouting
from listener.config import Config, parse
from listener.database import Store, metadata
from listener.mention import Author
from stakeholders.case import acknowledge, close, history, read_case
from stakeholders.deciding.decision import read_decision
from stakeholders.deciding.rehearsal import rehearse
from stakeholders.deciding.rerouting import Move, reroute_open
from stakeholders.desk import Desk
from stakeholders.store import alerts, cases
from tests.stakeholders.newsroom import NOW, hear
from tests.stakeholders.newsroom import make_config as make


def make_config(folder: Path, store: Store, **more: Any) -> Config:
    return make(folder, store.url, **more)


def changed(folder: Path, store: Store, *rules: dict[str, Any], **more: Any) -> Config:
    """Give the same configuration with rules of its own."""
    plain = make_config(folder, store)
    table = plain.settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return parse(table | {"routes": list(rules)} | more, folder, {})


THREE = (
    "soy cliente y el roaming de mi línea falló en Chile",
    "soy cliente y me cobraron dos veces mi recibo",
    "pago mi plan hace años y odio este roaming tan caro",
)
ROAMING = {"name": "roaming", "when": {"query": "roaming"}, "department": "legal_regulatory", "priority": "alert"}


def everything(store: Store) -> dict[str, list[Any]]:
    with store.read() as connection:
        return {table.name: connection.execute(sa.select(table)).all() for table in metadata.sorted_tables}


def settle(store: Store, config: Config, *texts: str) -> list[int]:
    """Store judged posts and let the desk open cases for them; give their mentions."""
    with store.write() as connection:
        found = [hear(connection, text, author=Author(f"p{number}")) for number, text in enumerate(texts)]
        from stakeholders.store import decisions

        connection.execute(decisions.delete())
    with store.write() as connection:
        Desk(config).settle(connection, found, NOW)
    return found


def moves(store: Store, config: Config, **more: Any) -> list[Move]:
    return list(reroute_open(store, Desk(config), more.pop("who", "Ana Torres"), NOW, **more))


def test_a_rehearsal_tells_who_would_hear_of_what_and_writes_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "_BATCH", 2)  # several batches
    old = make_config(tmp_path, store)
    new = changed(
        tmp_path,
        store,
        ROAMING,
        departments={
            **{name: {"alert": [f"mail:{name}@nitido.example"]} for name in ("communications", "customer_care")},
            "legal_regulatory": {"alert": ["mail:legal@nitido.example"]},
        },
    )
    settle(store, old, *THREE)
    before = everything(store)
    steps: list[tuple[int, int]] = []
    found = rehearse(store, old, new, NOW, 30, lambda done, whole: steps.append((done, whole)))
    assert everything(store) == before
    assert (found.mentions, found.same, found.unwatched) == (3, 1, 0)
    assert {name: found.counts[name] for name in ("department", "priority", "rule")} == dict.fromkeys(
        ("department", "priority", "rule"), 2
    )
    assert found.open_cases == {"department": 2, "priority": 2}
    more, fewer = found.told()
    assert more == {"mail:legal@nitido.example": (0, 2)}
    assert fewer == {"mail:customer_care@nitido.example": (3, 1)}
    assert steps[-1] == (3, 3)
    one = found.examples["department"][0]
    assert (one.department, one.priority) == (("customer_care", "legal_regulatory"), ("important", "alert"))
    assert "Your rule «roaming»" in one.because[0].say("en")


def test_a_rehearsal_holds_only_so_many_examples_and_only_the_days_that_are_asked(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "EXAMPLES", 2)
    old, new = make_config(tmp_path, store), changed(tmp_path, store, ROAMING)
    settle(store, old, *(f"el roaming número {number} no sirve en {number * 7} países" for number in range(5)))
    found = rehearse(store, old, new, NOW)
    assert (found.counts["department"], len(found.examples["department"])) == (5, 2)
    from datetime import timedelta

    assert rehearse(store, old, new, NOW + timedelta(days=31)).mentions == 0


def test_posts_that_joined_a_case_are_counted_with_it(store: Store, tmp_path: Path) -> None:
    old, new = make_config(tmp_path, store), changed(tmp_path, store, ROAMING)
    same = "el roaming de Nítido no funciona en ninguna parte de Chile"
    settle(store, old, same, same, same)
    found = rehearse(store, old, new, NOW)
    assert found.counts["department"] == 3
    assert found.told()[0] == {"mail:legal_regulatory@nitido.example": (0, 1)}
    assert found.open_cases["department"] == 1


def test_a_brand_that_is_no_longer_watched_is_counted_apart(store: Store, tmp_path: Path) -> None:
    old = make_config(tmp_path, store)
    settle(store, old, "el roaming falló")
    other = changed(tmp_path, store, brands={"otra": {"name": "Otra"}})
    found = rehearse(store, old, other, NOW)
    assert (found.mentions, found.unwatched, found.same) == (1, 1, 0)


def test_open_cases_move_once_with_a_name_in_the_history_and_the_new_owner_is_told(
    store: Store, tmp_path: Path
) -> None:
    old, new = make_config(tmp_path, store), changed(tmp_path, store, ROAMING)
    roaming, bill, done = settle(store, old, *THREE)
    with store.write() as connection:
        ids = {row.key: row.id for row in connection.execute(sa.select(cases))}
        close(connection, ids[f"mention:{done}"], "Ana", NOW)
        acknowledge(connection, ids[f"mention:{roaming}"], "Iván", NOW)
    before = everything(store)
    planned = moves(store, new, dry=True)
    assert everything(store) == before
    assert [(one.case_id, one.department, one.priority) for one in planned] == [
        (ids[f"mention:{roaming}"], ("customer_care", "legal_regulatory"), ("important", "alert"))
    ]
    moved = moves(store, new)
    assert [(one.case_id, one.told) for one in moved] == [(ids[f"mention:{roaming}"], 1)]
    with store.read() as connection:
        case = read_case(connection, moved[0].case_id)
        assert case is not None
        assert (case.department, case.priority, case.status) == ("legal_regulatory", "alert", "acknowledged")
        last = history(connection, case.id)[-1]
        assert (last.who, last.what) == ("Ana Torres", "rerouted")
        assert (last.before or {})["department"] == "customer_care"
        assert (last.after or {})["department"] == "legal_regulatory"
        decision = read_decision(connection, roaming)
        assert decision is not None
        assert (decision.route.rule, decision.route.department) == ("roaming", "legal_regulatory")
        told = connection.scalars(sa.select(alerts.c.recipient).where(alerts.c.case_id == case.id)).all()
        assert "legal_regulatory@nitido.example" in told
        kept = read_case(connection, ids[f"mention:{bill}"])
        assert kept is not None
        assert kept.department == "customer_care"
    after = everything(store)
    assert moves(store, new) == []  # a second time changes nothing
    assert everything(store) == after


def test_a_case_that_needs_no_answer_any_more_stays_and_is_told(store: Store, tmp_path: Path) -> None:
    old = make_config(tmp_path, store)
    calm = changed(tmp_path, store, ROAMING | {"priority": "routine"})
    settle(store, old, "el roaming falló")
    before = everything(store)
    assert [(one.moot, one.told) for one in moves(store, calm)] == [(True, 0)]
    assert everything(store) == before


def test_a_rerouting_that_is_cut_off_goes_on_with_the_rest(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rerouting, "_BATCH", 1)
    old, new = make_config(tmp_path, store), changed(tmp_path, store, ROAMING)
    settle(store, old, "el roaming falló en Chile", "odio pagar por este roaming", "sin datos con tu roaming ayer")
    begun = reroute_open(store, Desk(new), "Ana", NOW)
    assert next(begun).case_id
    begun.close()
    assert len(moves(store, new, dry=True)) == 2
    assert len(moves(store, new)) == 2


def test_what_a_person_corrected_is_kept_by_a_rehearsal_and_a_rerouting(store: Store, tmp_path: Path) -> None:
    old = make_config(tmp_path, store)
    new = changed(tmp_path, store, ROAMING | {"when": {"stakeholder": "regulator"}})
    (one,) = settle(store, old, "el roaming falló")
    with store.write() as connection:
        Desk(old).correct(connection, one, "stakeholder", "regulator", "Ana", NOW)
    assert rehearse(store, old, new, NOW).counts["rule"] == 1
    (move,) = moves(store, new)
    assert move.rule == "roaming"
    with store.read() as connection:
        decision = read_decision(connection, one)
        assert decision is not None
        assert [line.after for line in decision.corrections] == ["regulator"]
