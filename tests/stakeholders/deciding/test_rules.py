"""A team's own rules: queries, exceptions, rules that go on, the grid; and that exactly one department answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.tables.gridfile import ASKED, GridRow, read_grid
from listener.tables.routing import RouteRule, When
from listener.taxonomy import DEPARTMENTS, DIMENSIONS, INTENTS, KINDS, PRIORITIES, SENTIMENTS, STAKEHOLDERS
from sentiment.verdict import Label, Verdict
from stakeholders.deciding.facts import Facts, Route, Speaker
from stakeholders.deciding.grid import starting_grid
from stakeholders.deciding.rules import Rules, applies, fits
from stakeholders.deciding.weigh import weigh
from stakeholders.route import decide, rule_on

NEUTRAL = Facts("un texto sin palabras que decidan", "es", "nitido", "own", "public", "neutral", "undefined", "other")


def facts(**changes: Any) -> Facts:
    return replace(NEUTRAL, **changes)


def rule(name: str = "a", **more: Any) -> RouteRule:
    return RouteRule.model_validate({"name": name, "when": {}} | more)


def said(route: Route, lang: str = "en") -> str:
    return " | ".join(one.say(lang) for one in (*route.because, *route.otherwise))


@pytest.mark.parametrize(
    ("query", "given", "answer"),
    [
        ("roaming OR viaj*", {"text": "Viajé y el ROAMING no fue"}, True),
        ('"sin señal" NEAR/5 lima', {"text": "sin senal en todo Lima"}, True),
        ("roaming -precio", {"text": "el precio del roaming"}, False),
        ("roaming lang:pt", {"text": "roaming", "lang": "pt"}, True),
        ("roaming lang:pt", {"text": "roaming"}, False),
        ("roaming reach>=500", {"text": "roaming", "followers": 500}, True),
        ("roaming reach>=500", {"text": "roaming", "followers": None}, False),
        ("from:osiptel", {"handle": "Osiptel"}, True),
        ("source:x country:PE", {"source": "x", "country": "PE"}, True),
        ("brand:nitido", {}, True),
        ("brand:brisatel", {}, False),
    ],
)
def test_a_rule_may_ask_in_the_query_language(query: str, given: dict[str, Any], answer: bool) -> None:
    assert fits(When(query=query), facts(**given)) is answer


def test_the_words_that_a_query_found_are_quoted_in_the_reason() -> None:
    rules = Rules((rule(when={"query": "roaming NEAR/3 chile OR nada"}, department="sales"),))
    route = decide(facts(text="mi Roaming en Chile falló"), rules)
    assert (route.department, route.rule) == ("sales", "a")
    assert "It says «Roaming», «Chile»" in said(route)


def test_an_exception_keeps_a_rule_from_what_it_names_and_only_when_all_of_it_holds() -> None:
    one = rule(
        when={"stakeholder": "press"}, unless={"words": ["deporte"], "sentiment": "positive"}, department="sales"
    )
    assert applies(one, facts(stakeholder="press"))
    assert applies(one, facts(stakeholder="press", text="deporte"))
    assert not applies(one, facts(stakeholder="press", text="deporte", sentiment="positive"))


def test_a_rule_that_goes_on_adds_copies_and_priority_and_the_next_one_decides() -> None:
    rules = Rules(
        (
            rule(
                "influye",
                when={"min_followers": 5000},
                copies=["investor_relations"],
                priority="alert",
                **{"continue": True},
            ),
            rule("otra", when={"words": ["roaming"]}, copies=["sales"], priority="routine", **{"continue": True}),
            rule("decide", when={"words": ["roaming"]}, department="sustainability"),
            rule("tarde", when={}, copies=["security_fraud"], **{"continue": True}),
        )
    )
    route = decide(facts(stakeholder="customer", text="roaming", followers=9000), rules)
    assert (route.department, route.rule, route.added) == ("sustainability", "decide", ("influye", "otra"))
    assert (route.copies, route.priority) == (("investor_relations", "sales"), "alert")  # the first that says one
    assert "Your rule «influye» adds to it and lets the next rules decide" in said(route)
    plain = decide(facts(stakeholder="customer", followers=9000), rules)
    assert (plain.rule, plain.added, plain.priority) == ("matrix", ("influye", "tarde"), "alert")
    assert plain.opens_case


def test_a_rule_that_goes_on_leaves_our_own_account_alone_unless_it_asks_for_it() -> None:
    wide = rule(when={}, priority="alert", **{"continue": True})
    own = rule("b", when={"own_account": True}, priority="important", **{"continue": True})
    assert decide(facts(own_account=True), Rules((wide,))).priority == "routine"
    assert decide(facts(own_account=True), Rules((own,))).priority == "important"
    assert decide(facts(relevant=False), Rules((wide, own))).added == ()


def test_without_each_rule_is_told_first_and_is_true_when_tried() -> None:
    rules = Rules(
        (
            rule("suma", when={"words": ["roaming"]}, copies=["investor_relations"], **{"continue": True}),
            rule("sube", when={"min_followers": 700}, priority="alert", **{"continue": True}),
            rule("manda", when={"words": ["roaming"]}, department="sales"),
        )
    )
    given = facts(text="roaming", stakeholder="customer", intent="question", followers=800)
    route = decide(given, rules)
    assert [one.say("en") for one in route.otherwise] == [
        "Without your rule «manda» it would be «alert» for Customer care",
        "Without your rule «suma» Investor relations would not be copied",
        "Without your rule «sube» it would be «important» for Sales",
    ]
    assert rule_on(given, rules.without("manda")).department == "customer_care"
    assert "investor_relations" not in rule_on(given, rules.without("suma")).copies
    assert rule_on(given, rules.without("sube")).priority == "important"


def test_the_followers_that_a_rule_asks_for_are_a_nearest_change() -> None:
    rules = Rules((rule("voz", when={"min_followers": 2500}, department="sales", priority="important"),))
    below = decide(facts(followers=2400), rules)
    assert below.otherwise[0].say("en") == "With 2,500 followers or more it would be «important» for Sales (2,400 now)"
    above = decide(facts(followers=2600), rules)
    assert above.otherwise[1].say("en") == (
        "With fewer than 2,500 followers it would be «routine» for Communications (2,600 now)"
    )


def row(
    line: int, department: str | None = None, copies: tuple[str, ...] = (), becomes: Any = None, **asks: str
) -> GridRow:
    told = {name: frozenset(values.split("|")) for name, values in asks.items()}
    return GridRow(line, told, department, copies, becomes)  # type: ignore[arg-type]


def test_the_first_line_of_the_grid_that_fits_wins_after_the_overrides_and_before_the_matrix() -> None:
    grid = (
        row(2, "sales", stakeholder="press", dimension="innovation", copies=("investor_relations",)),
        row(3, "sustainability", stakeholder="press|government", priority="important|alert", becomes="alert"),
        row(4, None, stakeholder="partner", copies=("human_resources",)),
    )
    rules = Rules((), {"press": "human_resources", "partner": "investor_relations"}, frozenset(), grid)
    first = decide(facts(stakeholder="press", dimension="innovation"), rules)
    assert (first.department, first.copies, first.rule) == ("sales", ("investor_relations", "communications"), "matrix")
    assert "Line 2 of your grid sends it to Sales" in said(first)
    assert "Without line 2 of your grid it would be «routine» for Human resources" in said(first)
    second = decide(facts(stakeholder="press", sentiment="negative"), rules)
    assert (second.department, second.priority) == ("sustainability", "alert")
    left = decide(facts(stakeholder="partner"), rules)
    assert (left.department, left.copies) == ("investor_relations", ("human_resources", "communications"))
    assert decide(facts(stakeholder="press"), rules).department == "human_resources"  # its priority is routine
    assert decide(facts(stakeholder="press", intent="safety"), rules).department == "network_quality"


def test_a_line_of_the_grid_says_when_it_rests_on_a_doubtful_label() -> None:
    rules = Rules(grid=(row(2, "sales", stakeholder="press"),))
    assert "unsure, 41 %" in said(decide(facts(stakeholder="press", doubtful_speaker=41), rules))


TEXTS = (
    "",
    "no hay señal",
    "mi recibo",
    "soy distribuidor",
    "la antena",
    "talaron árboles",
    "multa a Nítido",
    "clonaron mi chip",
)
KNOWN: dict[str, Any] = {
    "text": st.sampled_from(TEXTS),
    "stakeholder": st.sampled_from(STAKEHOLDERS),
    "sentiment": st.sampled_from(SENTIMENTS),
    "dimension": st.sampled_from(DIMENSIONS),
    "intent": st.sampled_from(INTENTS),
    "kind": st.sampled_from(KINDS),
    "relevant": st.booleans(),
    "unsure": st.booleans(),
    "own_account": st.booleans(),
    "outlet": st.booleans(),
    "followers": st.none() | st.integers(0, 20_000),
    "doubtful_speaker": st.none() | st.just(40),
    "doubtful_intent": st.none() | st.just(40),
    "sounds": st.none() | st.sampled_from(DEPARTMENTS),
    "loud": st.floats(0, 1),
}
FACTS = st.fixed_dictionaries(KNOWN).map(lambda known: facts(**known))


@given(FACTS)
def test_the_grid_that_is_written_to_start_from_changes_nothing(tmp_path_factory: Any, known: Facts) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "start.csv"
    if not path.exists():
        path.write_text(starting_grid(), encoding="utf-8")
    rows, told = read_grid(path)
    assert told == ()
    with_grid, without = rule_on(known, Rules(grid=rows)), rule_on(known, Rules())
    same = ("department", "copies", "priority", "opens_case", "suppress")
    assert [getattr(with_grid, name) for name in same] == [getattr(without, name) for name in same]


def some(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3)


WHENS = st.fixed_dictionaries(
    {},
    optional={
        "stakeholder": some(STAKEHOLDERS),
        "sentiment": some(SENTIMENTS),
        "intent": some(INTENTS),
        "kind": st.sampled_from(KINDS),
        "query": st.sampled_from(["señal OR recibo", "-multa", "lang:es", "antena NEAR/2 la"]),
        "min_followers": st.integers(0, 20_000),
        "own_account": st.booleans(),
    },
)
DECIDING = st.fixed_dictionaries({"department": st.sampled_from(DEPARTMENTS)})
ADDING = st.just({"continue": True})
ROUTES = st.lists(
    st.tuples(
        WHENS,
        st.none() | WHENS,
        DECIDING | ADDING,
        st.none() | st.sampled_from(PRIORITIES),
        st.lists(st.sampled_from(DEPARTMENTS), max_size=2),
    ),
    max_size=4,
).map(
    lambda many: tuple(
        rule(f"r{number}", when=when, unless=unless, priority=priority, copies=copies, **what)
        for number, (when, unless, what, priority, copies) in enumerate(many)
    )
)
ROWS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(list(ASKED)), st.integers(0, 2)),
        st.none() | st.sampled_from(DEPARTMENTS),
        st.none() | st.sampled_from(PRIORITIES),
    ),
    max_size=4,
).map(
    lambda many: tuple(
        GridRow(number, {name: frozenset({ASKED[name][at]}) for name, at in asks.items()}, department, (), becomes)
        for number, (asks, department, becomes) in enumerate(many, 2)
    )
)
RULES = st.builds(
    Rules,
    ROUTES,
    st.dictionaries(st.sampled_from(STAKEHOLDERS), st.sampled_from(DEPARTMENTS), max_size=3),
    st.just(frozenset({"brisatel"})),
    ROWS,
)


def shares(names: tuple[str, ...], best: str) -> st.SearchStrategy[Label]:
    other = st.sampled_from(names)
    return st.tuples(other, st.sampled_from([0.35, 0.5, 0.9])).map(
        lambda pair: Label(best, pair[1], scores={pair[0]: round(1 - pair[1], 2)} | {best: pair[1]})
    )


@given(st.data(), FACTS, RULES)
def test_whatever_the_rules_exactly_one_department_answers_a_flagged_post_and_a_stranger_copies_communications(
    data: st.DataObject, known: Facts, rules: Rules
) -> None:
    first = decide(known, rules)
    verdict = Verdict(
        Label("true", 0.9),
        data.draw(shares(SENTIMENTS, known.sentiment)),
        data.draw(shares(DIMENSIONS, known.dimension)),
        data.draw(shares(INTENTS, known.intent)),
        "test",
        department=data.draw(shares(DEPARTMENTS, "communications")),
        priority=data.draw(shares(PRIORITIES, "important")),
    )
    speaker = Speaker(data.draw(shares(STAKEHOLDERS, known.stakeholder)))
    for route in (first, weigh(first, known, rules, verdict, speaker)):
        assert route.department in DEPARTMENTS
        assert route.priority in PRIORITIES
        assert route.department not in route.copies
        assert len(set(route.copies)) == len(route.copies)
        assert set(route.copies) <= set(DEPARTMENTS)
        assert route.because
        assert not route.opens_case or route.priority != "routine"
        assert route.opens_case == (route.priority != "routine" and known.relevant) or known.kind == "competitor"
        if known.relevant and not known.own_account and known.stakeholder != "customer":
            assert "communications" in (route.department, *route.copies)
        adding = [one for one in rules.routes if one.goes_on and one.name in first.added]
        assert set(first.added) <= set(route.added)
        assert all(copy in (route.department, *route.copies) for one in adding for copy in one.copies)
        said(route, "es")


@given(FACTS, RULES)
def test_the_same_facts_and_rules_always_give_the_same_decision_with_at_most_three_changes(
    known: Facts, rules: Rules
) -> None:
    first = decide(known, rules)
    assert first == decide(known, rules)
    assert len(first.otherwise) <= 3
