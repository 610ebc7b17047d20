"""A draft waits, is signed or returned, is used; nobody skips a signature, and all of it is in the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.database import Store
from stakeholders.case import NotPossible, Stale, close, history, join, read_case
from stakeholders.casework import draft as replies
from stakeholders.casework.draft import MOVES, Draft
from stakeholders.casework.merging import merge
from stakeholders.casework.seal import verify
from stakeholders.store import alerts
from tests.stakeholders.newsroom import NOW, hear, make_config, make_route, open_one, open_store

LEGAL, ANA, JORGE = "Claudia Reyes", "Ana Torres", "Jorge Salas"
TEXT = "Saludos, Artel. Respondemos por el canal formal."


class Desk:
    """Hold a case and take the steps of its draft, each a minute later than the one before."""

    def __init__(self, store: Store, folder: Path, stakeholder: str = "regulator", **more: Any) -> None:
        people = {LEGAL: {"mail": "claudia@nitido.example", "department": "legal_regulatory"}}
        self.config = make_config(folder, "sqlite:///x.db", **{"people": people, **more})
        self.store, self.settings, self.now = store, self.config.settings, NOW
        with store.write() as connection:
            made, _ = open_one(connection, self.config, make_route("legal_regulatory"), stakeholder=stakeholder)
        self.id = made.id

    def take(self, step: Callable[..., Any], *told: Any, who: str = ANA, **more: Any) -> Any:
        self.now += timedelta(minutes=1)
        first = {replies.submit: (self.config,), replies.write: ()}.get(step, (self.settings,))
        with self.store.write() as connection:
            return step(connection, *first, self.id, who, self.now, *told, **more)

    def refuse(self, step: Callable[..., Any], *told: Any, error: type[Any] = NotPossible, **more: Any) -> str:
        with pytest.raises(error) as why:
            self.take(step, *told, **more)
        return str(why.value.reason.say("en"))

    @property
    def draft(self) -> Draft | None:
        with self.store.read() as connection:
            return replies.current(connection, self.id)

    @property
    def told(self) -> list[str]:
        with self.store.read() as connection:
            assert verify(connection, self.id) is None
            return [event.what for event in history(connection, self.id)]

    @property
    def why_not(self) -> str | None:
        with self.store.read() as connection:
            case = read_case(connection, self.id)
            assert case is not None
            why = replies.answer_allowed(connection, self.settings, case)
            return why.say("en") if why else None


def test_a_reply_to_a_regulator_is_signed_before_it_is_used(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    assert desk.why_not == "Legal and regulatory signs replies to regulator first: no signed draft is there yet"
    assert desk.refuse(replies.answer) == desk.why_not
    desk.take(replies.write, TEXT, "es", "es/regulator")
    assert desk.refuse(replies.use) == desk.why_not
    assert desk.refuse(replies.sign, who=LEGAL) == "This draft was not sent for signing"
    desk.take(replies.submit)
    assert desk.why_not == "Legal and regulatory has not signed the draft yet"
    assert desk.refuse(replies.sign) == "Only Legal and regulatory signs this: Claudia Reyes"
    assert desk.refuse(replies.answer) == desk.why_not
    assert desk.refuse(replies.give_back, " ", who=LEGAL) == "Say in a few words what must change"
    returned = desk.take(replies.give_back, "falta el expediente", who=LEGAL)
    assert (returned.state, returned.note, returned.signer) == ("returned", "falta el expediente", LEGAL)
    assert "returned the draft" in (desk.why_not or "")
    desk.take(replies.write, f"{TEXT} Expediente 12.", "es")
    desk.take(replies.submit)
    signed = desk.take(replies.sign, who="claudia reyes")
    assert (signed.state, signed.signer, signed.signed_at) == ("signed", "claudia reyes", desk.now)
    assert desk.why_not is None
    assert desk.take(replies.answer, with_draft=True).status == "answered"
    assert desk.draft is None
    steps = ["drafted", "submitted", "returned", "drafted", "submitted", "signed", "answered", "used"]
    assert desk.told == ["opened", *steps]
    with store.read() as connection:
        kept = [event for event in history(connection, desk.id) if event.what in MOVES]
        waiting = connection.execute(sa.select(alerts.c.recipient).where(alerts.c.kind == "mention")).all()
    assert [event.after["text"] for event in kept if event.what == "used"] == [f"{TEXT} Expediente 12."]  # type: ignore[index]
    assert kept[3].before == {"state": "returned", "text": TEXT}
    assert [row.recipient for row in waiting] == ["claudia@nitido.example"] * 2


def test_a_text_that_is_changed_after_it_was_signed_must_be_signed_again(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    desk.take(replies.write, TEXT, "es")
    desk.take(replies.submit)
    desk.take(replies.sign, who=LEGAL)
    changed = desk.take(replies.write, f"{TEXT} Y punto.", "es")
    assert (changed.state, changed.signer, changed.signed_at) == ("draft", None, None)
    assert desk.why_not is not None
    same = desk.take(replies.write, f"{TEXT} Y punto.", "es", who=JORGE)
    assert same == changed, "the same words change nothing"


def test_a_used_signature_answers_once_and_not_what_came_after(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    desk.take(replies.write, TEXT, "es")
    desk.take(replies.submit)
    desk.take(replies.sign, who=LEGAL)
    desk.take(replies.answer)
    assert desk.draft is None, "a signed text counts as used by the answer"
    assert desk.why_not is None
    with store.write() as connection:
        more = hear(connection, "Nítido sigue sin responder", stakeholder="regulator", now=NOW + timedelta(hours=1))
        join(connection, desk.settings, desk.id, more, "thread", "important", NOW + timedelta(hours=1))
    assert desk.why_not is not None


def test_replies_to_customers_need_no_signature_and_are_used_at_once(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path, "customer")
    assert desk.why_not is None
    assert desk.refuse(replies.use) == "There is no draft to take this step with"
    desk.take(replies.write, "Hola. [Escribe aquí la respuesta.]", "es")
    assert desk.refuse(replies.submit) == "Replies to customer need no signature"
    assert desk.refuse(replies.use) == "The draft still has something to fill in: [Escribe aquí la respuesta.]"
    assert desk.refuse(replies.answer, with_draft=True).startswith("The draft still has something")
    with store.read() as connection:
        assert "answered" not in [event.what for event in history(connection, desk.id)], "all or nothing"
    assert desk.take(replies.answer).status == "answered"
    assert desk.draft is not None, "answered in other words: the draft stays"
    desk.take(replies.write, "Hola. Ya está resuelto.", "es")
    assert desk.take(replies.use).state == "used"


def test_where_nobody_is_named_a_second_person_signs(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path, people={ANA: {"department": "communications"}})
    desk.take(replies.write, TEXT, "es")
    desk.take(replies.submit)
    assert desk.refuse(replies.sign) == "A second person signs: you wrote this text"
    assert desk.take(replies.sign, who=JORGE).state == "signed"


def test_two_people_never_change_the_same_draft_unawares(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    desk.take(replies.write, TEXT, "es", seen="none")
    why = desk.refuse(replies.write, "Otro texto.", "es", seen="none", who=JORGE, error=Stale)
    assert why == "Ana Torres changed this draft meanwhile (1 min ago): look at it again"
    seen = desk.draft
    desk.take(replies.submit, seen=seen)
    assert desk.refuse(replies.write, "Otro.", "es", seen=seen, who=JORGE, error=Stale).startswith("Ana Torres")
    waiting = desk.draft
    desk.take(replies.write, f"{TEXT} Más.", "es", seen=waiting)
    desk.take(replies.submit)
    desk.refuse(replies.sign, seen=waiting, who=LEGAL, error=Stale)
    assert desk.draft is not None
    assert desk.draft.state == "waiting", "legal signs what legal read"


def test_words_that_cannot_be_kept_are_refused(store: Store, tmp_path: Path) -> None:
    desk = Desk(store, tmp_path)
    assert desk.refuse(replies.write, " \x00", "es") == "An empty draft says nothing: write a few words"
    assert desk.refuse(replies.write, "x" * 4001, "es") == "A draft has at most 4000 characters"
    desk.id = 999
    assert desk.refuse(replies.write, TEXT, "es") == "There is no case 999"


def test_a_draft_follows_its_case_into_another_and_each_is_used_in_turn(store: Store, tmp_path: Path) -> None:
    one = Desk(store, tmp_path, "customer")
    other = Desk(store, tmp_path, "customer")
    one.take(replies.write, "Primero: ya lo vemos.", "es")
    other.take(replies.write, "Segundo: ya lo vemos.", "es")
    with store.write() as connection:
        merge(connection, one.id, other.id, ANA, NOW + timedelta(hours=1))
    assert other.take(replies.use).text == "Segundo: ya lo vemos."
    assert other.take(replies.use).text == "Primero: ya lo vemos."
    assert other.draft is None


STEPS = ("write", "write again", "submit", "sign", "sign as author", "give_back", "use", "answer", "close")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(STEPS), max_size=10), st.sampled_from(["regulator", "customer"]))
def test_no_sequence_of_steps_uses_an_unsigned_text_or_breaks_the_history(
    tmp_path_factory: pytest.TempPathFactory, taken: list[str], stakeholder: str
) -> None:
    folder = tmp_path_factory.mktemp("steps")
    store = open_store(f"sqlite:///{folder}/x.db")
    desk = Desk(store, folder, stakeholder)
    texts = iter(range(99))
    for step in taken:
        try:
            if step.startswith("write"):
                desk.take(replies.write, f"{TEXT} {next(texts) if 'again' in step else ''}", "es")
            elif step == "close":
                with store.write() as connection:
                    close(connection, desk.id, ANA, desk.now)
            elif step == "give_back":
                desk.take(replies.give_back, "no", who=LEGAL)
            else:
                name = step.split()[0]
                desk.take(getattr(replies, name), who=LEGAL if step == "sign" else ANA)
        except NotPossible:
            continue
    with store.read() as connection:
        assert verify(connection, desk.id) is None
        happened = history(connection, desk.id)
        state: str | None = None
        for event in (one for one in happened if one.what in MOVES):
            leads, to = MOVES[event.what]
            was = (event.before or {}).get("state")
            assert was in leads
            assert was == state or state == "used"
            if event.what == "used" and stakeholder == "regulator":
                assert was == "signed"
            state = to
        if stakeholder == "regulator":
            places = [event.what for event in happened]
            assert "answered" not in places or "signed" in places[: places.index("answered")]
    store.close()
