"""The taxonomy's table of who answers, line by line, with its overrides, finer points and priorities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from listener.settings import Named, RouteRule, Settings, When
from listener.taxonomy import DEPARTMENTS, INTENTS, SENTIMENTS, STAKEHOLDERS
from stakeholders.deciding.facts import Facts, Route
from stakeholders.deciding.rules import Rules, fits, rules_of
from stakeholders.route import decide

NONE = Rules()


def facts(**changes: Any) -> Facts:
    plain = Facts(
        text="un texto sin palabras que decidan",
        lang="es",
        brand="nitido",
        kind="own",
        stakeholder="public",
        sentiment="neutral",
        dimension="undefined",
        intent="other",
    )
    return replace(plain, **changes)


def routed(rules: Rules = NONE, **changes: Any) -> Route:
    return decide(facts(**changes), rules)


def said(route: Route, lang: str = "en") -> str:
    return " | ".join(one.say(lang) for one in (*route.because, *route.otherwise))


MATRIX: list[tuple[str, dict[str, str]]] = [
    ("legal_regulatory", {"stakeholder": "regulator"}),
    ("legal_regulatory", {"stakeholder": "regulator", "intent": "praise", "sentiment": "positive"}),
    ("legal_regulatory", {"stakeholder": "consumer_association", "intent": "complaint"}),
    ("public_affairs", {"stakeholder": "government"}),
    ("communications", {"stakeholder": "press"}),
    ("communications", {"stakeholder": "press", "intent": "media_request"}),
    ("communications", {"stakeholder": "peer_company", "sentiment": "positive", "intent": "praise"}),
    ("investor_relations", {"stakeholder": "investor", "dimension": "performance"}),
    ("human_resources", {"stakeholder": "employee", "sentiment": "negative"}),
    ("human_resources", {"stakeholder": "employee", "sentiment": "positive", "dimension": "workplace"}),
    ("communications", {"stakeholder": "employee", "sentiment": "positive", "dimension": "products_services"}),
    ("communications", {"stakeholder": "employee", "sentiment": "positive", "dimension": "innovation"}),
    ("sales", {"stakeholder": "partner", "text": "soy distribuidor autorizado y no llega la comisión"}),
    ("sales", {"stakeholder": "partner", "text": "mi franquicia espera los chips"}),
    ("sales", {"stakeholder": "partner", "text": "nuestro punto de venta sigue sin sistema"}),
    ("sales", {"stakeholder": "partner", "text": "our merchants cannot sell top ups"}),
    ("communications", {"stakeholder": "partner", "text": "somos proveedores y nos deben tres facturas"}),
    ("communications", {"stakeholder": "partner", "text": "los contratistas paran la obra"}),
    ("communications", {"stakeholder": "partner"}),
    ("public_affairs", {"stakeholder": "civil_society", "text": "la antena se levantó sin permiso"}),
    (
        "public_affairs",
        {"stakeholder": "civil_society", "text": "dejaron los cables colgando", "dimension": "citizenship"},
    ),
    ("sustainability", {"stakeholder": "civil_society", "text": "talaron los árboles de la avenida"}),
    ("sustainability", {"stakeholder": "civil_society", "text": "una web accesible para personas sordas"}),
    ("sustainability", {"stakeholder": "civil_society", "dimension": "citizenship"}),
    ("communications", {"stakeholder": "civil_society"}),
    ("sales", {"stakeholder": "customer", "intent": "purchase"}),
    ("network_quality", {"stakeholder": "customer", "intent": "outage_report"}),
    ("network_quality", {"stakeholder": "customer", "intent": "complaint", "text": "no tengo señal"}),
    ("network_quality", {"stakeholder": "customer", "intent": "complaint", "text": "la cobertura es un chiste"}),
    (
        "network_quality",
        {"stakeholder": "customer", "intent": "complaint", "text": "pago 100 megas y la velocidad llega a 3 mbps"},
    ),
    (
        "network_quality",
        {"stakeholder": "customer", "intent": "complaint", "text": "internet intermitente y nadie contesta"},
    ),
    (
        "network_quality",
        {"stakeholder": "customer", "intent": "question", "sentiment": "negative", "text": "¿cuándo vuelve la señal?"},
    ),
    ("customer_care", {"stakeholder": "customer", "intent": "question", "text": "¿hay cobertura en Yauyos?"}),
    ("customer_care", {"stakeholder": "customer", "intent": "question"}),
    ("customer_care", {"stakeholder": "customer", "intent": "complaint", "text": "me cobraron doble en el recibo"}),
    ("customer_care", {"stakeholder": "customer", "intent": "complaint", "text": "en la tienda me tuvieron dos horas"}),
    ("customer_care", {"stakeholder": "customer", "intent": "complaint", "text": "la app no abre"}),
    (
        "customer_care",
        {"stakeholder": "customer", "intent": "complaint", "text": "cobran mal el recibo y encima la señal"},
    ),
    ("customer_care", {"stakeholder": "customer", "intent": "complaint"}),
    ("customer_care", {"stakeholder": "customer", "intent": "churn_threat", "text": "sin señal otra vez, me voy"}),
    (
        "communications",
        {"stakeholder": "customer", "intent": "praise", "sentiment": "positive", "text": "qué buena señal"},
    ),
    ("communications", {"stakeholder": "customer", "intent": "other"}),
    ("communications", {"stakeholder": "customer", "intent": "other", "sentiment": "negative"}),
    (
        "network_quality",
        {"stakeholder": "customer", "intent": "other", "sentiment": "negative", "text": "sin señal, qué novedad"},
    ),
    ("communications", {"stakeholder": "customer", "intent": "media_request"}),
    ("sustainability", {"stakeholder": "public", "dimension": "citizenship"}),
    ("investor_relations", {"stakeholder": "public", "dimension": "performance"}),
    ("sales", {"stakeholder": "public", "intent": "purchase"}),
    ("communications", {"stakeholder": "public", "dimension": "governance", "sentiment": "negative"}),
    ("communications", {"stakeholder": "public"}),
]


@pytest.mark.parametrize(("department", "given"), MATRIX)
def test_each_line_of_the_matrix(department: str, given: dict[str, str]) -> None:
    route = routed(**given)
    assert route.department == department
    assert route.rule in ("matrix", "widest net")


def test_the_matrix_table_above_reaches_every_department_but_the_one_that_only_fraud_reaches() -> None:
    assert {line[0] for line in MATRIX} == set(DEPARTMENTS) - {"security_fraud"}


@pytest.mark.parametrize("stakeholder", STAKEHOLDERS)
def test_what_overrides_goes_there_whoever_speaks(stakeholder: str) -> None:
    who = {"stakeholder": stakeholder, "sentiment": "negative"}
    copied = () if stakeholder == "customer" else ("communications",)
    safety = routed(intent="safety", **who)
    assert (safety.department, safety.copies, safety.priority) == ("network_quality", ("communications",), "alert")
    threat = routed(intent="legal_threat", **who)
    assert (threat.department, threat.copies, threat.priority) == ("legal_regulatory", copied, "alert")
    job = routed(intent="job", **who)
    assert (job.department, job.copies, job.priority) == ("human_resources", copied, "important")
    for text in ("me hicieron sim swap", "me vaciaron la cuenta del banco", "filtraron los datos de los clientes"):
        theft = routed(text=text, **who)
        assert (theft.department, theft.copies, theft.priority) == ("security_fraud", copied, "alert")
    stop = routed(intent="opt_out", text="BAJA", **who | {"sentiment": "neutral"})
    assert (stop.department, stop.copies, stop.priority, stop.suppress) == ("customer_care", copied, "important", True)
    angry = routed(intent="opt_out", text="BAJA o los denuncio a Indecopi", **who)
    assert (angry.department, angry.suppress, angry.priority) == ("legal_regulatory", True, "alert")


def test_the_overrides_apply_in_their_order() -> None:
    text = "me vaciaron la cuenta"
    assert routed(intent="safety", text=text).rule == "safety"
    assert routed(intent="legal_threat", text=text).rule == "legal threat"
    assert routed(intent="job", text=text).rule == "job"
    assert routed(intent="opt_out", text=text).rule == "fraud"
    assert routed(intent="opt_out", text=text).suppress  # the wish is kept whoever answers
    assert routed(intent="opt_out").rule == "opt-out"


def test_a_scam_that_blames_nobody_is_important_and_a_theft_an_alert() -> None:
    scam = routed(stakeholder="customer", text="ojo, se hacen pasar por Nítido con un sms falso")
    assert (scam.department, scam.priority, scam.opens_case) == ("security_fraud", "important", True)
    theft = routed(stakeholder="customer", text="clonaron mi chip", sentiment="negative", dimension="governance")
    assert (theft.department, theft.priority) == ("security_fraud", "alert")


def test_a_neutral_warning_by_an_institution_is_no_alert_but_a_victim_is_one_in_any_mood() -> None:
    text = "La policía explica el SIM swapping"
    assert routed(stakeholder="press", outlet=True, text=text).priority == "important"
    assert routed(stakeholder="press", outlet=True, text=text, unsure=True).priority == "alert"
    assert routed(stakeholder="customer", text="me hicieron sim swap, ¿qué hago?").priority == "alert"


def test_good_words_about_a_defence_against_fraud_are_no_report_of_fraud() -> None:
    route = routed(stakeholder="press", text="Nítido frena el phishing con un filtro", sentiment="positive")
    assert (route.department, route.priority) == ("communications", "routine")


@pytest.mark.parametrize("stakeholder", STAKEHOLDERS)
@pytest.mark.parametrize("intent", INTENTS)
@pytest.mark.parametrize("sentiment", SENTIMENTS)
def test_everyone_but_a_customer_copies_communications(stakeholder: str, intent: str, sentiment: str) -> None:
    route = routed(stakeholder=stakeholder, intent=intent, sentiment=sentiment)
    told = {route.department, *route.copies}
    assert route.department not in route.copies
    assert "communications" in told or stakeholder == "customer"
    assert route.because


@pytest.mark.parametrize("stakeholder", ["regulator", "government", "press"])
@pytest.mark.parametrize(
    ("reach", "priority"),
    [
        ({"followers": 10_000}, "alert"),
        ({"followers": 9_999}, "important"),
        ({"followers": None}, "important"),
        ({"followers": None, "outlet": True}, "alert"),
        ({"followers": 3, "outlet": True}, "alert"),
    ],
)
def test_a_power_that_harms_is_an_alert_with_reach_and_important_below_it(
    stakeholder: str, reach: dict[str, Any], priority: str
) -> None:
    assert routed(stakeholder=stakeholder, sentiment="negative", **reach).priority == priority
    assert routed(stakeholder=stakeholder, sentiment="neutral", **reach).priority == "routine"
    assert routed(stakeholder=stakeholder, sentiment="positive", **reach).priority == "routine"


@pytest.mark.parametrize(
    "stakeholder", ["consumer_association", "investor", "civil_society", "peer_company", "employee", "partner"]
)
def test_other_institutions_that_harm_are_important_whatever_their_reach(stakeholder: str) -> None:
    assert routed(stakeholder=stakeholder, sentiment="negative", followers=1_000_000).priority == "important"
    assert routed(stakeholder=stakeholder, sentiment="neutral").priority == "routine"


@pytest.mark.parametrize(
    ("intent", "priority"),
    [
        ("complaint", "important"), ("question", "important"), ("purchase", "important"), ("churn_threat", "important"),
        ("outage_report", "important"), ("media_request", "important"), ("job", "important"), ("opt_out", "important"),
        ("praise", "routine"), ("other", "routine"), ("safety", "alert"), ("legal_threat", "alert"),
    ],
)  # fmt: skip
def test_the_priority_that_each_wish_asks_for(intent: str, priority: str) -> None:
    for stakeholder in ("customer", "public"):
        assert routed(stakeholder=stakeholder, intent=intent).priority == priority


def test_a_plain_remark_stays_routine_and_opens_no_case() -> None:
    route = routed(stakeholder="customer", intent="other", sentiment="negative")
    assert (route.priority, route.opens_case) == ("routine", False)


def test_a_crisis_word_is_an_alert_unless_the_post_is_praise() -> None:
    text = "hay heridos por el incendio en la tienda"
    assert routed(text=text, sentiment="negative").priority == "alert"
    assert routed(text=text).priority == "alert"
    assert routed(text="llamadas gratis para los damnificados del incendio", sentiment="positive").priority == "routine"


def test_a_regulator_goes_to_legal_with_communications_copied_and_alerts_with_reach() -> None:
    for dimension in ("governance", "products_services"):
        given = {"stakeholder": "regulator", "sentiment": "negative", "dimension": dimension}
        text = "Osiptel multa a Claro con 3 millones de soles por cobros indebidos"
        with_reach = routed(text=text, followers=250_000, **given)
        assert (with_reach.department, with_reach.copies) == ("legal_regulatory", ("communications",))
        assert (with_reach.priority, with_reach.opens_case) == ("alert", True)
        unknown = routed(text=text, **given)
        assert (unknown.department, unknown.priority) == ("legal_regulatory", "important")
        sentence = "With 10,000 followers or more it would be «alert» for Legal and regulatory (followers not told)"
        assert unknown.otherwise[0].say("en") == sentence


def test_a_competitor_that_speaks_of_us_is_important_even_when_it_praises() -> None:
    rules = rules_of(
        Settings(
            brands={"nitido": Named(name="Nítido")},
            competitors={"b": Named(name="Brisatel", own_handles=["@Brisatel"])},
        )
    )
    praise = {"stakeholder": "peer_company", "sentiment": "positive", "intent": "praise"}
    rival = routed(rules, handle="BRISATEL", **praise)
    assert (rival.department, rival.priority, rival.opens_case) == ("communications", "important", True)
    assert routed(rules, handle="bancomirador", **praise).priority == "routine"
    assert routed(rules, handle="bancomirador", **praise | {"intent": "question"}).priority == "important"


def test_a_mention_of_a_competitor_opens_no_case_unless_a_rule_names_competitors() -> None:
    given: dict[str, Any] = {
        "kind": "competitor",
        "brand": "brisatel",
        "stakeholder": "customer",
        "intent": "complaint",
    }
    route = routed(**given)
    assert (route.opens_case, route.suppress) == (False, False)
    assert "competitor" in said(route)
    wide = Rules((RouteRule(name="quejas", when=When(intent="complaint"), department="sales"),))
    assert routed(wide, **given).opens_case is False
    for when in (When(kind="competitor"), When(brand=["brisatel"])):
        named = Rules((RouteRule(name="rivales", when=when, department="sales"),))
        assert routed(named, **given).opens_case is True


def test_what_is_not_about_us_is_kept_and_nobody_is_disturbed() -> None:
    rule = RouteRule(name="todo", when=When(brand="nitido"), department="sales", priority="alert")
    route = routed(Rules((rule,)), relevant=False, intent="safety", sentiment="negative")
    assert (route.department, route.priority, route.rule) == ("communications", "routine", "not about us")
    assert (route.opens_case, route.copies) == (False, ())
    assert "If it were about the brand" in route.otherwise[0].say("en")


def test_our_own_account_owes_itself_no_answer_unless_a_rule_says_so() -> None:
    given: dict[str, Any] = {"own_account": True, "stakeholder": "peer_company", "intent": "complaint"}
    route = routed(**given)
    assert (route.department, route.priority, route.opens_case) == ("communications", "routine", False)
    rule = RouteRule(name="nuestras", when=When(own_account=True), department="public_affairs", priority="important")
    assert routed(Rules((rule,)), **given).opens_case


def test_the_first_rule_that_fits_wins_over_everything_else() -> None:
    rules = Rules(
        (
            RouteRule(name="otra", when=When(intent="praise"), department="sales"),
            RouteRule(name="primera", when=When(words=["roaming"]), department="sustainability", copies=["sales"]),
            RouteRule(name="segunda", when=When(intent="safety"), department="human_resources"),
        )
    )
    route = routed(rules, intent="safety", stakeholder="customer", text="el ROAMING se incendió")
    assert (route.department, route.copies, route.rule) == ("sustainability", ("sales",), "primera")
    assert route.priority == "alert"  # left out: what the taxonomy gives
    assert "Your rule «primera»" in said(route)
    assert "ROAMING" in said(route)


def test_a_rule_may_set_the_priority() -> None:
    rules = Rules((RouteRule(name="calma", when=When(stakeholder="press"), department="sales", priority="routine"),))
    route = routed(rules, stakeholder="press", outlet=True, sentiment="negative")
    assert (route.priority, route.opens_case, route.copies) == ("routine", False, ("communications",))


def test_the_matrix_of_the_configuration_replaces_a_row_but_no_override() -> None:
    rules = Rules(matrix={"customer": "sales"})
    assert routed(rules, stakeholder="customer", intent="outage_report").department == "sales"
    assert routed(rules, stakeholder="customer", intent="safety").department == "network_quality"


@pytest.mark.parametrize(
    ("when", "given", "answer"),
    [
        (When(), {}, True),
        (When(stakeholder=["press", "public"]), {}, True),
        (When(stakeholder="press"), {}, False),
        (When(stakeholder="public", sentiment="negative"), {}, False),
        (When(min_followers=10), {"followers": None}, False),
        (When(min_followers=10), {"followers": 9}, False),
        (When(min_followers=10), {"followers": 10}, True),
        (When(min_followers=0), {"followers": 0}, True),
        (When(country="pe"), {"country": "PE"}, True),
        (When(country="PE"), {"country": None}, False),
        (When(lang=["es", "pt"]), {"lang": "pt"}, True),
        (When(lang="es"), {"lang": None}, False),
        (When(words="señal"), {"text": "SENAL"}, True),
        (When(words=["portab*"]), {"text": "la portabilidad"}, True),
        (When(words=["porta"]), {"text": "la portabilidad"}, False),
        (When(words=[]), {"text": "algo"}, False),
        (When(outlet=True), {"outlet": False}, False),
        (When(outlet=False), {"outlet": False}, True),
        (When(own_account=True), {"own_account": True}, True),
        (When(kind="competitor"), {"kind": "own"}, False),
        (When(source="x"), {"source": "x"}, True),
        (When(source=["x"]), {"source": None}, False),
        (When(dimension="innovation"), {"dimension": "innovation"}, True),
        (When(brand="nitido"), {}, True),
    ],
)
def test_every_condition_of_a_rule(when: When, given: dict[str, Any], answer: bool) -> None:
    assert fits(when, facts(**given)) is answer


def test_unsure_is_said_and_opens_a_case_when_the_harm_would_have() -> None:
    press = routed(stakeholder="press", outlet=True, unsure=True)
    assert (press.priority, press.opens_case) == ("important", True)
    assert "unsure" in said(press)
    remark = routed(stakeholder="customer", unsure=True)
    assert (remark.priority, remark.opens_case) == ("routine", False)
    assert "unsure" in said(remark)


def test_what_would_have_changed_it_is_true_when_tried() -> None:
    given = {"stakeholder": "press", "sentiment": "negative", "followers": 12_000, "intent": "other"}
    route = routed(**given)
    assert route.priority == "alert"
    assert [one.say("en") for one in route.otherwise] == [
        "With fewer than 10,000 followers it would be «important» for Communications (12,000 now)",
        "If the verdict were «helps» it would be «routine» for Communications",
        "If the author wanted «legal threat» it would be «alert» for Legal and regulatory",
    ]
    assert routed(**given | {"followers": 9_999}).priority == "important"
    assert routed(**given | {"sentiment": "positive"}).priority == "routine"
    assert routed(**given | {"intent": "legal_threat"}).department == "legal_regulatory"


@pytest.mark.parametrize("stakeholder", STAKEHOLDERS)
@pytest.mark.parametrize("intent", INTENTS)
def test_two_or_three_things_always_would_have_changed_it_and_the_same_ones_each_time(
    stakeholder: str, intent: str
) -> None:
    first, second = (routed(stakeholder=stakeholder, intent=intent, sentiment="negative") for _ in range(2))
    assert first == second
    assert 1 <= len(first.otherwise) <= 3


def test_reasons_never_name_the_author() -> None:
    route = routed(stakeholder="employee", sentiment="negative", handle="rosa_mqp", text="aquí se trabaja mal")
    assert route.department == "human_resources"
    assert "rosa_mqp" not in said(route)


@pytest.mark.parametrize(
    ("sentiment", "dimension", "text", "answer"),
    [
        ("negative", "governance", "en la tienda dieron un duplicado sin huella", "alert"),
        ("neutral", "governance", "¿será una estafa lo del celular gratis?", "important"),
        ("negative", "governance", "son una estafa, puras promesas falsas", None),
        ("negative", "products_services", "pedí el duplicado de mi recibo", None),
    ],
)
def test_words_that_hint_at_fraud_count_only_beside_the_theme_of_governance(
    sentiment: str, dimension: str, text: str, answer: str | None
) -> None:
    route = routed(stakeholder="public", sentiment=sentiment, dimension=dimension, text=text)
    assert (route.rule == "fraud") is (answer is not None)
    assert answer is None or route.priority == answer


BACKED = {
    "legal_threat": "si no responden los voy a demandar",
    "safety": "el poste con cables pelados está por caer",
    "job": "¿tienen vacantes?",
    "opt_out": "BAJA",
}


@pytest.mark.parametrize("stakeholder", STAKEHOLDERS)
@pytest.mark.parametrize("sentiment", SENTIMENTS)
@pytest.mark.parametrize("intent", BACKED)
def test_a_doubtful_wish_overrides_only_with_a_word_of_it_in_the_text(
    intent: str, sentiment: str, stakeholder: str
) -> None:
    given: dict[str, Any] = {"stakeholder": stakeholder, "sentiment": sentiment, "intent": intent}
    bare = routed(doubtful_intent=29, **given)
    assert (bare.priority, bare.suppress) == ("important", False)
    assert bare.rule in ("matrix", "widest net")
    assert "29 %, unsure): somebody should look" in said(bare)
    backed = routed(doubtful_intent=29, text=BACKED[intent], **given)
    sure = routed(text=BACKED[intent], **given)
    assert (backed.rule, backed.priority, backed.department) == (sure.rule, sure.priority, sure.department)
    assert backed.rule not in ("matrix", "widest net")
    assert "(unsure, 29 %), and it says «" in said(backed)


def test_to_name_a_supervisor_is_no_threat_when_the_wish_is_doubtful() -> None:
    given: dict[str, Any] = {"stakeholder": "customer", "intent": "legal_threat", "sentiment": "negative"}
    assert routed(text="ni Osiptel los mueve", doubtful_intent=40, **given).priority == "important"
    assert routed(text="ni Osiptel los mueve", **given).priority == "alert"


def test_what_rests_on_a_doubtful_label_says_so() -> None:
    speaker = routed(stakeholder="customer", intent="purchase", doubtful_speaker=41)
    assert "«customer» is only the likeliest label (unsure, 41 %)" in said(speaker)
    theme = routed(dimension="citizenship", doubtful_dimension=33)
    assert "«citizenship» is only the likeliest label (unsure, 33 %)" in said(theme)
    assert "unsure" not in said(routed(stakeholder="customer", intent="purchase"))
    sure = replace(facts(intent="legal_threat"), doubtful_intent=None)
    assert "unsure" not in said(decide(sure, NONE))


def test_a_doubt_that_raises_the_priority_does_not_say_that_no_answer_is_owed() -> None:
    raised = routed(stakeholder="press", outlet=True, unsure=True)
    assert raised.priority == "important"
    assert "no answer is owed" not in said(raised)
    assert "no answer is owed" in said(routed(stakeholder="customer", unsure=True))


@pytest.mark.parametrize("stakeholder", ["customer", "public", "press", "investor"])
@pytest.mark.parametrize("sentiment", ["negative", "neutral"])
@pytest.mark.parametrize(
    "text",
    [
        "OSIPTEL inicia procedimiento sancionador a Nítido",
        "ARTEL multa a Nítido con S/ 3 millones",
        "Nítido fined 3 million for wrong charges",
        "Anatel multou a Nítido",
        "Usuarios presentan demanda colectiva contra Nítido",
    ],
)
def test_a_sanction_told_by_anybody_opens_a_case_and_legal_hears_of_it(
    text: str, sentiment: str, stakeholder: str
) -> None:
    route = routed(stakeholder=stakeholder, sentiment=sentiment, text=text)
    assert route.priority in ("important", "alert")
    assert route.opens_case
    assert "legal_regulatory" in (route.department, *route.copies)
    good = routed(stakeholder="customer", sentiment="positive", text=text)
    assert (good.priority, "legal_regulatory" in good.copies) == ("routine", False)


@pytest.mark.parametrize(
    "text", ["me fui sin multa", "cancelan sin ninguna multa", "me cobran una multa por cancelar", "sem multa alguma"]
)
def test_a_penalty_of_a_contract_is_no_sanction(text: str) -> None:
    route = routed(stakeholder="customer", text=text)
    assert (route.priority, route.copies) == ("routine", ())
