"""«It did not work» comes first when it did not, soberly and only when chance does not explain it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from stakeholders import digest
from stakeholders.counting.campaign import campaigns, change
from stakeholders.insight import Net
from stakeholders.store import cases, spikes
from tests.stakeholders.test_digest import MONDAY, SOURCES, WEEK, heard
from tests.stakeholders.weeks import config_of, open_case, say

AT = WEEK.start + timedelta(hours=30)
SUMMER: dict[str, Any] = {
    "name": "Verano",
    "hashtags": ["#verano"],
    "from": date(2026, 11, 9),
    "to": date(2026, 11, 12),
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path, sources=SOURCES, sla={"regulation": ["PE.osiptel"]}, events=[SUMMER])


def told(connection: Connection, config: Config) -> list[str]:
    written = digest.build(connection, config, "2026-W46", "nitido", "en", MONDAY)
    rest = [
        one
        for section in written.outline.sections
        if section.title == "What else did not work"
        for one in section.blocks
    ]
    return [block.words for block in (*written.outline.sentences, *rest)]


def answer(connection: Connection, many: int, in_time: int, days: int = 0, department: str = "customer_care") -> None:
    """Open cases that were all answered, some of them in time."""
    for place in range(many):
        at = AT - timedelta(days=days, minutes=place)
        due = at + timedelta(hours=4)
        late = timedelta(hours=1 if place >= in_time else -1)
        open_case(connection, [say(connection, at)], at, department=department, due=due, answered=due + late)


def test_an_incident_without_an_answer_is_the_first_thing_said_and_the_first_case_listed(
    store: Store, config: Config
) -> None:
    with store.write() as connection:
        heard(connection)
        old = AT - timedelta(days=1)
        open_case(connection, [say(connection, old)], old, priority="alert", due=old)
        crisis = open_case(connection, [say(connection, AT)], AT, priority="alert", due=MONDAY + timedelta(days=1))
        connection.execute(cases.update().where(cases.c.id == crisis).values(kind="crisis"))
        written = digest.build(connection, config, "2026-W46", "nitido", "en", MONDAY)
        first = told(connection, config)[0]
        connection.execute(cases.update().where(cases.c.id == crisis).values(status="answered", answered_at=MONDAY))
        after = told(connection, config)
    assert first == f"The incident of Tuesday 10 November has no answer yet: case #{crisis}."
    assert written.figures.needing[0].id == crisis
    assert "unanswered incidents: 1" in written.outline.subject
    assert not any("incident" in words for words in after)


def test_a_legal_day_that_passed_is_said_and_one_to_come_is_listed(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        made = [open_case(connection, [say(connection, AT)], AT, due=MONDAY + timedelta(days=9)) for _ in range(2)]
        for case, by in zip(made, (MONDAY - timedelta(days=1), MONDAY + timedelta(days=3)), strict=True):
            legal = {"regulatory_due_at": by, "regulatory_rule": "PE.osiptel.quality"}
            connection.execute(cases.update().where(cases.c.id == case).values(**legal))
        words = told(connection, config)
        text = digest.render_text(digest.build(connection, config, "2026-W46", "nitido", "en", MONDAY))
    assert words[0] == f"One case is past its legal day (Osiptel): case #{made[0]}."
    assert f"Legal day Thursday 19 November: case #{made[1]}, Osiptel" in text


def test_a_department_is_called_silent_only_when_nobody_touched_any_of_three_cases(
    store: Store, config: Config
) -> None:
    silent = "Human resources has touched none of its 3 cases: nobody has seen or answered them."
    with store.write() as connection:
        heard(connection)
        made = [
            open_case(connection, [say(connection, AT)], AT, department="human_resources", due=MONDAY) for _ in range(2)
        ]
        assert silent not in told(connection, config)
        made.append(open_case(connection, [say(connection, AT)], AT, department="human_resources"))
        assert silent in told(connection, config)
        connection.execute(cases.update().where(cases.c.id == made[0]).values(acknowledged_at=MONDAY))
        assert not any("touched none" in words for words in told(connection, config))


@pytest.mark.parametrize(("in_time", "worse"), [(4, True), (27, False), (30, False)])
def test_slower_answers_are_said_only_when_chance_does_not_explain_them(
    store: Store, config: Config, in_time: int, worse: bool
) -> None:
    with store.write() as connection:
        heard(connection)
        answer(connection, 30, 28, days=7)
        answer(connection, 30, in_time)
        words = " ".join(told(connection, config))
    sentence = "Answers came in time less often than the week before: 4 of 30 (13%), after 28 of 30 (93%)"
    assert (sentence in words) is worse
    assert ("in time less often" in words) is worse


def tone(connection: Connection, before: int, during: int, many: int = 40) -> None:
    """Write as many mentions before the campaign as in it, with so many helpful ones; the rest harm."""
    for place in range(many):
        gap = timedelta(hours=90) * place / many
        good = "positive" if place < before else "negative"
        say(connection, WEEK.start - timedelta(days=4) + gap, sentiment=good)
        say(connection, WEEK.start + gap, sentiment="positive" if place < during else "negative")


def test_a_campaign_that_moved_nothing_is_said_to_have_moved_nothing_with_its_interval(
    store: Store, config: Config
) -> None:
    with store.write() as connection:
        heard(connection)
        tone(connection, 20, 21)
        (found,) = campaigns(connection, config, WEEK, "nitido", MONDAY)
        words = told(connection, config)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0 < found.high
    (said,) = [one for one in words if "Verano" in one]
    assert said.startswith("«Verano»: no measurable change in net sentiment (+5 points, 95% interval from −")


def test_a_campaign_with_a_fall_is_bad_news_and_with_a_rise_nobody_cheers(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        tone(connection, 35, 5)
        fell = [one for one in told(connection, config) if "Verano" in one]
    assert fell[0].startswith("During «Verano» net sentiment fell: −150 points (95% interval from −")


def test_a_rise_during_a_campaign_stands_with_the_comparison_and_claims_no_cause(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        tone(connection, 5, 35)
        headline = told(connection, config)
        text = digest.render_text(digest.build(connection, config, "2026-W46", "nitido", "en", MONDAY))
    assert not any("Verano" in one for one in headline)
    assert "net sentiment rose: +150 points" in text
    assert "whether it was the cause, these figures do not say" in text


def test_a_campaign_with_too_few_mentions_cannot_be_measured_and_says_so(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        say(connection, WEEK.start)
        text = digest.render_text(digest.build(connection, config, "2026-W46", "nitido", "en", MONDAY))
    assert "«Verano» cannot be measured: 1 mentions in its days and 0 in as many days before are too few." in text


def test_the_interval_of_a_change_holds_it_and_widens_with_both() -> None:
    narrow, wide = Net(400, 0, 0, 0, 0, 0.1, 0.05, 0.15), Net(40, 0, 0, 0, 0, 0.1, -0.2, 0.4)
    for one, other in ((narrow, narrow), (narrow, wide), (wide, narrow), (wide, wide)):
        moved, low, high = change(one, other)
        assert low <= moved <= high
    assert change(narrow, wide)[2] > change(narrow, narrow)[2]


def test_a_spike_is_told_once_with_its_cause_and_its_case(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        case = open_case(connection, [say(connection, AT)], AT, priority="alert")
        parts = [{"sentence": "{n} mentions since {quote_time}", "facts": {"n": 84, "quote_time": "14:00"}}]
        row = {"brand": "nitido", "hour": int(AT.timestamp() // 3600), "found_at": AT, "expected": 9.0, "low": 5.0}
        row |= {"high": 22.0, "sample": 300, "cause": {"parts": parts, "because": parts[0]}, "case_id": case}
        for measure, observed in (("all", 84), ("negative", 70)):
            connection.execute(spikes.insert().values(row | {"measure": measure, "observed": observed}))
        text = digest.render_text(digest.build(connection, config, "2026-W46", "nitido", "en", MONDAY))
    assert text.count("84 mentions since 14:00") == 1
    assert f"84 mentions since 14:00: https://escucha.example.org/case?id={case}" in text


def test_what_a_peer_said_of_us_stands_between_companies_and_leaves_no_words_of_the_post(
    store: Store, tmp_path: Path
) -> None:
    config = config_of(
        tmp_path,
        sources=SOURCES,
        competitors={"brisatel": {"name": "Brisatel", "handles": ["brisatel"]}},
    )
    with store.write() as connection:
        heard(connection)
        text = "Gracias a Nítido por abrir su red durante la emergencia"
        say(connection, AT, sentiment="positive", stakeholder="peer_company", author="brisatel", text=text)
        written = digest.build(connection, config, "2026-W46", "nitido", "en", MONDAY)
    out = digest.render_text(written)
    assert "BETWEEN COMPANIES" in out
    assert "Posts of other companies about us: 1" in out
    assert "Brisatel" in out.split("BETWEEN COMPANIES")[1].split("HONEST COUNT")[0]
    assert "emergencia" not in str(digest.plain_figures(written))
