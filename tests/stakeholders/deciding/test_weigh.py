"""A decision is as sure as its labels: doubts are weighed, and what is certain stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from listener.settings import RouteRule, When
from listener.tables.gridfile import GridRow
from sentiment.verdict import Label, Verdict
from stakeholders.deciding.facts import Facts, Route, Speaker
from stakeholders.deciding.rules import Rules
from stakeholders.deciding.weigh import weigh
from stakeholders.route import decide

NO_RULES = Rules()


def label(**shares: float) -> Label:
    best = max(shares, key=lambda name: shares[name])
    return Label(best, shares[best], (), shares)


def verdict(intent: Label, sentiment: Label, **hints: Label) -> Verdict:
    return Verdict(Label("true", 0.99), sentiment, label(products_services=0.9, undefined=0.1), intent, "test", **hints)


def route(
    said: Verdict, who: Label, rules: Rules = NO_RULES, text: str = "Nítido", **facts: object
) -> tuple[Route, Route]:
    known = Facts(
        text, "es", "nitido", "own", who.name, said.sentiment.name, said.dimension.name, said.intent.name,  # type: ignore[arg-type]
        sounds=said.department.name if said.department else None,  # type: ignore[arg-type]
        loud=said.department.confidence if said.department else 0.0,
    )  # fmt: skip
    known = replace(known, **facts)  # type: ignore[arg-type]
    first = decide(known, rules)
    return first, weigh(first, known, rules, said, Speaker(who))


SURE = label(customer=0.97, public=0.03)


def test_sure_labels_keep_their_route_and_tell_how_sure_it_is() -> None:
    said = verdict(label(outage_report=0.96, complaint=0.04), label(negative=0.98, neutral=0.02))
    first, weighed = route(said, SURE)
    assert (
        (weighed.department, weighed.priority) == (first.department, first.priority) == ("network_quality", "important")
    )
    assert weighed.because == first.because
    assert 0.9 < weighed.department_share <= 1
    assert 0.9 < weighed.priority_share <= 1


def test_doubtful_labels_that_speak_together_for_another_department_move_it_and_say_so() -> None:
    said = verdict(
        label(praise=0.40, complaint=0.32, question=0.28),
        label(negative=0.5, neutral=0.3, positive=0.2),
        department=label(customer_care=0.8, communications=0.2),
    )
    first, weighed = route(said, SURE)
    assert first.department == "communications"
    assert weighed.department == "customer_care"
    assert "in doubt" in weighed.because[0].say("en")
    assert weighed.opens_case
    assert 0.5 < weighed.department_share < 1


def test_what_no_reading_leads_to_is_never_chosen() -> None:
    said = verdict(label(praise=0.99), label(positive=0.99), department=label(sustainability=0.99))
    assert route(said, label(customer=0.99))[1].department == "communications"


@pytest.mark.parametrize("who", [Label("customer", 1.0), Label("regulator", 0.99)])
def test_who_was_named_by_a_person_or_a_registry_is_not_doubted(who: Label) -> None:
    said = verdict(label(complaint=0.5, other=0.5), label(negative=0.9, neutral=0.1))
    first, weighed = route(said, who)
    assert weighed.department == first.department


def test_a_rule_of_the_team_stands_whatever_the_model_hears() -> None:
    rules = Rules((RouteRule(name="ours", department="sales", when=When(stakeholder="customer")),))
    said = verdict(label(complaint=0.4, praise=0.35), label(negative=0.5), department=label(customer_care=0.99))
    first, weighed = route(said, SURE, rules)
    assert weighed == first


def test_a_post_that_is_not_about_us_and_a_verdict_of_a_person_stand() -> None:
    said = verdict(label(complaint=0.4, praise=0.35), label(negative=0.5, positive=0.5))
    first, weighed = route(said, SURE, relevant=False)
    assert weighed == first
    first, weighed = route(replace(said, by="person"), SURE)
    assert weighed == first


def test_a_competitors_post_opens_no_case_however_it_is_weighed() -> None:
    said = verdict(label(praise=0.4, complaint=0.35, question=0.25), label(negative=0.6), priority=label(alert=0.9))
    assert not route(said, SURE, kind="competitor")[1].opens_case


def test_no_doubt_talks_anybody_out_of_an_alert() -> None:
    said = verdict(
        label(safety=0.45, complaint=0.30, praise=0.25),
        label(negative=0.5, positive=0.5),
        priority=label(routine=0.9, alert=0.1),
        department=label(communications=0.9, network_quality=0.1),
    )
    first, weighed = route(said, SURE, text="hay un cable caído echando chispas de Nítido")
    assert (first.priority, weighed.priority) == ("alert", "alert")
    assert weighed.opens_case


def test_a_sure_wish_that_overrides_who_speaks_is_not_weighed() -> None:
    said = verdict(label(opt_out=0.8, other=0.2), label(neutral=0.9), department=label(communications=0.99))
    first, weighed = route(said, SURE, text="BAJA")
    assert weighed == first
    assert weighed.suppress


def test_a_row_of_the_teams_own_matrix_stands() -> None:
    rules = Rules(matrix={"customer": "public_affairs"})
    said = verdict(label(praise=0.5, complaint=0.5), label(positive=0.6), department=label(communications=0.99))
    assert route(said, SURE, rules)[1].department == "public_affairs"


def test_an_unsure_post_that_may_owe_an_answer_stays_with_a_person() -> None:
    said = verdict(label(other=0.97), label(neutral=0.42, negative=0.40, positive=0.18))
    first, weighed = route(said, label(press=0.97), unsure=True)
    assert first.priority == "important"
    assert weighed.priority == "important"


def test_what_would_have_changed_it_is_asked_of_what_was_chosen() -> None:
    said = verdict(
        label(praise=0.40, complaint=0.32, question=0.28),
        label(negative=0.5, neutral=0.3, positive=0.2),
        department=label(customer_care=0.8, communications=0.2),
    )
    first, weighed = route(said, SURE)
    assert weighed.otherwise
    assert weighed.otherwise != first.otherwise


def test_a_line_of_the_grid_stands_where_its_labels_are_sure_and_is_weighed_where_one_is_in_doubt() -> None:
    said = verdict(
        label(complaint=0.4, praise=0.35, question=0.25), label(negative=0.9), department=label(communications=0.99)
    )
    row = GridRow(2, {"stakeholder": frozenset({"customer"}), "intent": frozenset({"complaint"})}, "sales")
    first, weighed = route(said, SURE, Rules(grid=(row,)))
    assert (first.department, weighed.department) == ("sales", "sales")
    first, weighed = route(said, SURE, Rules(grid=(row,)), doubtful_intent=40)
    assert (first.department, weighed.department) == ("sales", "communications")


def test_the_priority_and_the_copies_of_a_rule_that_goes_on_stand_whatever_is_weighed() -> None:
    rule = RouteRule.model_validate(
        {"name": "calm", "when": {"intent": "complaint"}, "priority": "routine", "copies": ["sales"], "continue": True}
    )
    said = verdict(
        label(complaint=0.4, praise=0.35, question=0.25),
        label(negative=0.9),
        department=label(communications=0.99),
        priority=label(alert=0.99),
    )
    first, weighed = route(said, SURE, Rules((rule,)))
    assert first.department != weighed.department  # another reading decides
    assert (weighed.priority, weighed.copies, weighed.added) == ("routine", ("sales",), ("calm",))
    assert "Your rule «calm» adds to it" in " ".join(one.say("en") for one in weighed.because)


def test_the_likeliest_stranger_copies_communications_even_where_a_reading_as_a_customer_decides() -> None:
    said = verdict(
        label(complaint=0.9), label(negative=0.9), department=label(customer_care=0.99, legal_regulatory=0.01)
    )
    who = label(regulator=0.5, customer=0.48)
    first, weighed = route(said, who, stakeholder="regulator")
    assert (first.department, weighed.department) == ("legal_regulatory", "customer_care")
    assert "communications" in weighed.copies
