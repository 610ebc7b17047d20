"""The desk decides each mention once, gathers what belongs together, and moves what a person corrects."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.config import Config, parse
from listener.database import Store
from listener.intake import save_page
from listener.mention import Author, Mention, Post
from listener.store import mentions, posts
from sentiment.store import read_verdict, save_verdicts, verdicts
from sentiment.verdict import Item, Label, Verdict
from stakeholders.case import NotPossible, answer, case_mentions_of, close, history, read_case
from stakeholders.deciding.decision import facts_of, read_decision
from stakeholders.deciding.explain import Profile
from stakeholders.deciding.facts import Case, Speaker
from stakeholders.desk import Desk
from stakeholders.store import alerts, case_mentions, cases, decisions, suppressions

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)  # a Tuesday, 10:00 in Lima
HEADLINE = "Artel multa a Nítido con 3,4 millones de soles por cobros indebidos a clientes"


def make_config(folder: Path, **more: Any) -> Config:
    table: dict[str, Any] = {
        "instance": {"language": "en"},
        "brands": {
            "nitido": {"name": "Nítido", "country": "PE", "own_handles": ["nitidope"]},
            "otra": {"name": "Otra"},
        },
        "competitors": {"brisatel": {"name": "Brisatel", "own_handles": ["brisatel"]}},
        "departments": {"communications": {"alert": ["mail:team@nitido.example"]}},
    }
    return parse(table | more, folder, {})


@dataclass
class Office:
    """Hold a store and a desk, and store posts as the stages before the desk do."""

    store: Store
    desk: Desk
    said: int = field(default=0)

    def hear(self, text: str, labels: str = "negative products_services complaint", **more: Any) -> int:
        """Store a judged post; `labels` are sentiment, dimension and intent. Gives the mention's id."""
        self.said += 1
        brand, kind = more.pop("brand", "nitido"), more.pop("kind", "own")
        sentiment, dimension, intent = labels.split()
        relevant, unsure = more.pop("relevant", "true"), more.pop("unsure", False)
        at = more.pop("at", NOW - timedelta(minutes=30))
        author = more.pop("author", Author(handle=f"persona{self.said}"))
        native_id = more.pop("native_id", f"p{self.said}")
        post = Post(more.pop("source", "x"), native_id, text, at, author, **more)
        verdict = Verdict(
            Label(relevant, 0.9),
            Label(sentiment, 0.8, unsure=unsure),
            Label(dimension, 0.8),
            Label(intent, 0.8),
            "test 1",
        )
        with self.store.write() as connection:
            save_page(connection, post.source, [post], [Mention(post, brand, kind, ())], (), None, NOW)
            query = sa.select(mentions.c.id).join(posts).where(posts.c.native_id == native_id)
            mention_id = int(connection.execute(query.where(mentions.c.brand == brand)).scalar_one())
            save_verdicts(connection, [(mention_id, verdict)], NOW)
        return mention_id

    def settle(self, now: datetime = NOW) -> int:
        with self.store.read() as connection:
            pending = self.desk.pending(connection, 100)
        with self.store.write() as connection:
            return self.desk.settle(connection, pending, now)

    def file(self, text: str, labels: str = "negative products_services complaint", **more: Any) -> Case | None:
        """Hear and settle one post; give the case that it stands in."""
        mention_id = self.hear(text, labels, **more)
        self.settle()
        return self.case_of(mention_id)

    def case_of(self, mention_id: int) -> Case | None:
        with self.store.read() as connection:
            query = sa.select(case_mentions.c.case_id).where(case_mentions.c.mention_id == mention_id)
            case_id = connection.scalar(query)
            return None if case_id is None else read_case(connection, case_id)

    def count(self, table: sa.Table) -> int:
        with self.store.read() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)

    def history(self, case: Case) -> list[str]:
        with self.store.read() as connection:
            return [event.what for event in history(connection, case.id)]


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    return Office(store, Desk(make_config(tmp_path)))


def opened(case: Case | None) -> Case:
    assert case is not None
    return case


def test_a_judged_mention_becomes_a_decision_a_case_and_a_message(office: Office) -> None:
    mention_id = office.hear("Nítido me cobró dos veces mi recibo")
    assert office.settle() == 1
    case = opened(office.case_of(mention_id))
    assert (case.department, case.priority, case.stakeholder, case.status) == (
        "customer_care", "important", "customer", "new"
    )  # fmt: skip
    assert case.reasons
    with office.store.read() as connection:
        decision = read_decision(connection, mention_id)
    assert decision is not None
    assert decision.route.because == case.reasons
    assert decision.route.otherwise
    assert decision.speaker.label.because
    assert office.count(alerts) == 1


def test_the_same_mention_settled_twice_changes_nothing(office: Office) -> None:
    mention_id = office.hear("Nítido me cobró dos veces mi recibo")
    assert office.settle() == 1
    with office.store.write() as connection:
        assert office.desk.settle(connection, [mention_id, 9_999], NOW) == 0
    assert office.settle() == 0
    assert (office.count(decisions), office.count(cases), office.count(alerts)) == (1, 1, 1)


def test_the_oldest_published_is_settled_first_and_unwatched_brands_are_left_alone(office: Office) -> None:
    young = office.hear("Nítido no funciona", at=NOW - timedelta(hours=1))
    old = office.hear("Nítido nunca funciona", at=NOW - timedelta(hours=9))
    office.hear("Marciana", brand="marciana")
    with office.store.read() as connection:
        assert office.desk.pending(connection, 10) == [old, young]
        assert office.desk.pending(connection, 1) == [old]


def test_a_remark_is_decided_and_opens_no_case(office: Office) -> None:
    assert office.file("en la cuadra hay una tienda de Nítido", "neutral undefined other") is None
    assert (office.count(decisions), office.count(alerts)) == (1, 0)


def test_what_is_not_about_us_or_about_a_competitor_opens_no_case(office: Office) -> None:
    assert office.file("un recuerdo nítido y terrible", relevant="false") is None
    assert office.file("Brisatel me cobra mal el recibo", brand="brisatel", kind="competitor") is None
    assert office.file("Nítido lamenta lo ocurrido", author=Author(handle="NitidoPE")) is None


def test_a_later_post_of_the_thread_by_the_same_person_joins(office: Office) -> None:
    ana = Author(handle="ana")
    first = opened(office.file("Nítido me cobró doble el recibo", author=ana, thread="t1"))
    again = opened(office.file("y encima nadie contesta, la señal igual de mal", author=ana, thread="t1"))
    assert (again.id, again.mentions, again.people) == (first.id, 2, 1)
    remark = opened(office.file("sigo esperando", "neutral undefined other", author=ana, thread="t1"))
    assert (remark.id, remark.mentions) == (first.id, 3)


def test_answers_are_followed_up_to_the_first_post_when_a_platform_names_no_thread(office: Office) -> None:
    ana = Author(handle="ana")
    first = opened(office.file("Nítido me cobró doble el recibo", author=ana, native_id="raiz"))
    office.hear("¿me ayudan?", "neutral undefined other", native_id="medio", in_reply_to="raiz")
    last = opened(office.file("me siguen cobrando mi recibo", author=Author(handle="luis"), in_reply_to="medio"))
    assert last.id == first.id


def test_in_one_thread_each_department_answers_its_own(office: Office) -> None:
    bill = opened(office.file("Nítido me cobró doble el recibo", thread="t1"))
    other_bill = opened(office.file("a mí también me cobraron doble en mi recibo", thread="t1"))
    signal = opened(office.file("yo en mi casa no tengo señal", thread="t1"))
    assert other_bill.id == bill.id
    assert signal.id != bill.id
    assert signal.department == "network_quality"


def test_a_legal_threat_is_not_hidden_in_the_case_of_another_department(office: Office) -> None:
    ana = Author(handle="ana")
    bill = opened(office.file("Nítido me cobró doble el recibo", author=ana, thread="t1"))
    threat = opened(office.file("los voy a demandar", "negative governance legal_threat", author=ana, thread="t1"))
    assert threat.id != bill.id
    assert (threat.department, threat.priority) == ("legal_regulatory", "alert")


def test_the_same_thread_of_another_source_or_brand_is_another_thread(office: Office) -> None:
    first = opened(office.file("Nítido me cobró doble el recibo", thread="t1"))
    assert opened(office.file("me cobran de más en la factura", thread="t1", source="reddit")).id != first.id
    assert opened(office.file("Otra me cobra de más el saldo", thread="t1", brand="otra")).id != first.id


def test_a_new_post_of_the_thread_opens_a_closed_case_again_but_thanks_do_not(office: Office) -> None:
    ana = Author(handle="ana")
    case = opened(office.file("Nítido me cobró doble el recibo", author=ana, thread="t1"))
    with office.store.write() as connection:
        close(connection, case.id, "Rosa", NOW)
    thanks = opened(office.file("gracias, ya quedó", "positive products_services praise", author=ana, thread="t1"))
    assert (thanks.id, thanks.status) == (case.id, "closed")
    again = opened(office.file("me volvieron a cobrar el recibo", author=ana, thread="t1"))
    assert (again.id, again.status) == (case.id, "new")
    assert office.history(case)[-2:] == ["joined", "reopened"]


def test_copies_of_a_text_join_the_open_case_and_people_are_counted(office: Office) -> None:
    press = Author(handle="canal", bio="noticiero de televisión", followers=80_000)
    first = opened(office.file(HEADLINE, "negative governance other", source="news_search", author=press))
    for number in range(3):
        copy = opened(office.file(f"RT @canal: {HEADLINE} https://t.co/{number}", "negative governance other"))
        assert copy.id == first.id
    assert (copy.mentions, copy.people, copy.department) == (4, 4, "communications")
    assert office.count(cases) == 1


def test_a_copy_about_another_brand_is_another_case(office: Office) -> None:
    text = "no sirve la app y me cobran doble el recibo cada mes"
    first = opened(office.file(text))
    assert opened(office.file(text, brand="otra")).id != first.id


def test_a_copy_of_what_was_answered_opens_a_new_case(office: Office) -> None:
    text = "no sirve la app y me cobran doble el recibo cada mes"
    first = opened(office.file(text))
    with office.store.write() as connection:
        answer(connection, first.id, "Rosa", NOW)
    second = opened(office.file(text))
    assert second.id != first.id
    assert opened(office.file(text)).id == second.id


def test_copies_are_found_after_a_restart_and_when_another_process_opened_the_case(office: Office) -> None:
    text = "no sirve la app y me cobran doble el recibo cada mes"
    other = Office(office.store, Desk(office.desk.config), said=100)
    assert other.settle() == 0  # its memory is filled before the case exists
    first = opened(office.file(text))
    assert opened(other.file(text)).id == first.id
    restarted = Office(office.store, Desk(office.desk.config), said=200)
    assert opened(restarted.file(text)).mentions == 3


def test_two_desks_at_once_decide_each_mention_once_and_open_one_case_for_a_thread(office: Office) -> None:
    told = [office.hear(f"me cobraron mal el recibo número {number}", thread="t1") for number in range(8)]
    start = threading.Barrier(2)
    done: list[int] = []

    def work(mine: list[int]) -> None:
        desk = Desk(office.desk.config)
        start.wait(timeout=30)
        for one in mine:
            with office.store.write() as connection:
                done.append(desk.settle(connection, [one], NOW))

    threads = [threading.Thread(target=work, args=(told,)), threading.Thread(target=work, args=(told[::-1],))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sum(done) == 8
    assert (office.count(decisions), office.count(cases), office.count(case_mentions)) == (8, 1, 8)


def test_a_rollback_leaves_no_ghost_in_the_memory(office: Office) -> None:
    text = "no sirve la app y me cobran doble el recibo cada mes"
    mention_id = office.hear(text)

    def fail() -> None:
        with office.store.write() as connection:
            office.desk.settle(connection, [mention_id], NOW)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert office.count(decisions) == 0
    assert office.settle() == 1
    assert opened(office.file(text)).mentions == 2


def test_an_opt_out_goes_on_the_suppression_list_once(office: Office) -> None:
    ana = Author(handle="Ana")
    case = opened(office.file("BAJA", "neutral undefined opt_out", author=ana))
    office.file("BAJA ya", "negative undefined opt_out", author=ana)
    assert case.department == "customer_care"
    with office.store.read() as connection:
        rows = connection.execute(sa.select(suppressions.c.source, suppressions.c.handle)).all()
    assert [tuple(row) for row in rows] == [("x", "ana")]


def test_a_competitors_executive_who_praises_us_reaches_communications(office: Office) -> None:
    lucia = Author(handle="luciaf", name="Lucía Ferreyros", bio="Directora de Comunicaciones en Brisatel")
    case = opened(office.file("Gracias Nítido, un gusto el foro", "positive leadership praise", author=lucia))
    assert (case.stakeholder, case.department, case.priority) == ("peer_company", "communications", "important")
    bank = Author(handle="mirador", name="Banco Mirador", bio="Cuenta oficial del banco")
    assert office.file("Felicitaciones Nítido por la alianza", "positive leadership praise", author=bank) is None


def test_a_corrected_sentiment_is_a_new_verdict_and_opens_the_case_it_deserves(office: Office) -> None:
    press = Author(handle="canal", bio="noticiero de televisión")
    text = "Nítido explica sus cobros ante la comisión"
    mention_id = office.hear(text, "neutral governance other", source="news_search", author=press)
    office.settle()
    assert office.case_of(mention_id) is None
    with office.store.write() as connection:
        new = office.desk.correct(connection, mention_id, "sentiment", "negative", "Rosa", NOW)
        verdict = read_verdict(connection, mention_id)
    assert (new.route.priority, new.corrections[0].before, new.corrections[0].after) == ("alert", "neutral", "negative")
    assert verdict is not None
    assert (verdict.by, verdict.sentiment.name, verdict.dimension.name) == ("person", "negative", "governance")
    assert office.count(verdicts) == 2
    case = opened(office.case_of(mention_id))
    assert office.history(case) == ["opened", "corrected"]


def test_a_corrected_speaker_sends_the_case_to_another_department_and_tells_it(office: Office) -> None:
    case = opened(office.file("Nítido me cobró dos veces mi recibo"))
    with office.store.read() as connection:
        mention_id = case_mentions_of(connection, case.id)[0].mention_id
    with office.store.write() as connection:
        office.desk.correct(connection, mention_id, "stakeholder", "consumer_association", "Rosa", NOW)
    moved = opened(office.case_of(mention_id))
    assert (moved.department, moved.copies, moved.stakeholder) == (
        "legal_regulatory", ("communications",), "consumer_association"
    )  # fmt: skip
    with office.store.read() as connection:
        lines = history(connection, case.id)
    assert [line.what for line in lines] == ["opened", "corrected", "rerouted"]
    assert (lines[1].who, lines[1].before) == ("Rosa", {"stakeholder": "customer", "mention": mention_id})
    assert lines[2].before is not None
    assert lines[2].before["department"] == "customer_care"


def test_a_corrected_speaker_stays_when_another_label_is_corrected(office: Office) -> None:
    case = opened(office.file("Nítido me cobró dos veces mi recibo"))
    with office.store.write() as connection:
        mention_id = case_mentions_of(connection, case.id)[0].mention_id
        office.desk.correct(connection, mention_id, "stakeholder", "government", "Rosa", NOW)
        office.desk.correct(connection, mention_id, "stakeholder", "government", "Rosa", NOW)  # a second click
        new = office.desk.correct(connection, mention_id, "dimension", "governance", "Luis", NOW)
    assert new.speaker.label.name == "government"
    assert [one.head for one in new.corrections] == ["stakeholder", "dimension"]
    assert opened(office.case_of(mention_id)).department == "public_affairs"


def test_a_correction_to_not_about_us_closes_a_case_that_nothing_else_holds_open(office: Office) -> None:
    ana = Author(handle="ana")
    case = opened(office.file("Nítido me cobró doble el recibo", author=ana, thread="t1"))
    office.file("otra vez el cobro del recibo", author=ana, thread="t1")
    with office.store.read() as connection:
        first, second = (one.mention_id for one in case_mentions_of(connection, case.id))
    with office.store.write() as connection:
        office.desk.correct(connection, first, "relevant", "false", "Rosa", NOW)
    assert opened(office.case_of(first)).status == "new"
    with office.store.write() as connection:
        office.desk.correct(connection, second, "relevant", "false", "Rosa", NOW)
    assert opened(office.case_of(first)).status == "closed"
    assert office.history(case)[-1] == "closed"


@pytest.mark.parametrize(("head", "name"), [("sentiment", "angry"), ("mood", "negative"), ("stakeholder", "unsure")])
def test_a_label_that_is_none_is_refused(office: Office, head: str, name: str) -> None:
    mention_id = office.hear("Nítido falla")
    office.settle()
    with office.store.write() as connection, pytest.raises(NotPossible, match="is no label"):
        office.desk.correct(connection, mention_id, head, name, "Rosa", NOW)


def test_what_is_not_decided_cannot_be_corrected(office: Office) -> None:
    mention_id = office.hear("Nítido falla")
    with office.store.write() as connection, pytest.raises(NotPossible, match="not decided yet"):
        office.desk.correct(connection, mention_id, "sentiment", "negative", "Rosa", NOW)


class Judge:
    """Answer the same verdict for everything."""

    engine = "test 1"

    def judge(self, items: Sequence[Item], *, closely: bool = False) -> list[Verdict]:
        return [
            Verdict(Label("true", 0.9), Label("negative", 0.9), Label("governance", 0.9), Label("other", 0.9), "test 1")
            for _ in items
        ]


def test_a_text_is_explained_without_storing_anything(tmp_path: Path) -> None:
    desk = Desk(make_config(tmp_path))
    profile = Profile(handle="@OSIPTEL")
    found = desk.explain("Osiptel multa a Claro con 3 millones de soles por cobros indebidos", Judge(), NOW, profile)
    assert (found.brand.name, found.named, found.watched) == ("Claro Perú", True, False)
    assert (found.speaker.label.name, found.route.department) == ("regulator", "legal_regulatory")
    assert found.route.copies == ("communications",)
    assert found.route.priority == "important"
    with_reach = desk.explain("Multa a Otra", Judge(), NOW, Profile(handle="OSIPTEL", followers=200_000))
    assert (with_reach.brand.key, with_reach.named, with_reach.route.priority) == ("otra", True, "alert")
    assert desk.explain("Nítido y Brisatel", Judge(), NOW, brand="brisatel").brand.key == "brisatel"


@pytest.mark.parametrize(
    "text",
    ["OSIPTEL inicia procedimiento sancionador a Nítido", "me hicieron SIM swap con Nítido y vaciaron mi cuenta"],
)
@pytest.mark.parametrize(("confidence", "unsure"), [(0.57, True), (0.9, False), (1.0, False)])
def test_half_good_news_of_a_sanction_or_a_theft_is_doubted_and_a_persons_label_is_not(
    text: str, confidence: float, unsure: bool
) -> None:
    post = Post("x", "1", text, NOW, Author(handle="alguien"))
    doubtful = Label("legal_threat", 0.29, unsure=True)
    positive, plain = Label("positive", confidence), Label("undefined", 0.9)
    verdict = Verdict(Label("true", 1.0), positive, plain, doubtful, "test")
    facts = facts_of(Mention(post, "nitido", "own", ()), verdict, Speaker(Label("public", 0.9)))
    assert facts.unsure is unsure
    assert (facts.doubtful_intent, facts.doubtful_speaker, facts.doubtful_dimension) == (29, None, None)
