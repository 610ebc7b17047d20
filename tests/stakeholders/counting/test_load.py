"""A team's digest: its cases by name and link, and counts that are those of the inbox and of the tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from stakeholders import digest, insight
from stakeholders.case import record
from stakeholders.counting.figures import gather
from stakeholders.counting.load import Load, gather_load
from stakeholders.counting.reckoning import case_fates, mention_fates
from stakeholders.counting.sealed import from_json, seal, to_json
from stakeholders.edition import Edition
from stakeholders.inbox import Filters, count_inbox
from stakeholders.store import alerts, cases, silences
from tests.stakeholders.test_digest import MONDAY, SOURCES, WEEK, heard, read
from tests.stakeholders.weeks import config_of, open_case, say

AREAS = ("customer_care", "network_quality")
AT = WEEK.start + timedelta(hours=30)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path, sources=SOURCES)


def edition(*departments: str, lang: str = "en") -> Edition:
    return Edition("nitido", lang, WEEK, "weekly", "team", departments)


def built(connection: Connection, config: Config, *departments: str, lang: str = "en") -> digest.Digest:
    return digest.build(connection, config, edition(*departments, lang=lang), "nitido", lang, MONDAY)


def load_of(written: digest.Digest) -> Load:
    assert isinstance(written.figures, Load)
    return written.figures


def a_week_of_work(connection: Connection) -> list[int]:
    heard(connection)
    late, soon = AT + timedelta(hours=5), MONDAY + timedelta(days=3)
    made = [
        open_case(connection, [say(connection, AT)], AT, department="customer_care", due=late),
        open_case(connection, [say(connection, AT)], AT, department="customer_care", due=soon),
        open_case(connection, [say(connection, AT)], AT, department="customer_care", due=late, answered=AT),
        open_case(connection, [say(connection, AT)], AT, department="network_quality", due=late),
    ]
    connection.execute(cases.update().where(cases.c.id == made[0]).values(owner="Lucía Campos"))
    return made


def test_it_holds_its_own_cases_only_each_with_who_has_it_and_a_link(store: Store, config: Config) -> None:
    with store.write() as connection:
        first, _, _, other = a_week_of_work(connection)
        written = built(connection, config, "customer_care")
    text, html = digest.render_text(written), digest.render_html(written)
    assert "Customer care" in written.outline.title
    assert f"case?id={first}" in text
    assert f"case?id={other}" not in text + html
    assert "with Lucía Campos" in text
    assert "/?department=customer_care" in text
    assert load_of(written).waiting.open == 2
    assert written.outline.sentences[0].words == "1 of the 2 cases that wait are past their time."
    assert written.outline.sentences[0].bad
    assert written.outline.subject.startswith("Customer care · Nítido · 1 overdue")
    assert not {tag for tag, _ in read(html).tags} & {"script", "iframe", "link", "form", "img"}


def test_a_case_that_had_to_go_elsewhere_was_not_right_the_first_time(store: Store, config: Config) -> None:
    with store.write() as connection:
        made = a_week_of_work(connection)
        moved = made[3]  # first at customer care, then sent to the network
        before, after = {"department": "customer_care"}, {"department": "network_quality"}
        record(connection, moved, AT, "Ana", "rerouted", before, after)
        record(connection, made[0], AT, "Ana", "rerouted", {"priority": "alert"}, {"priority": "important"})
        care = load_of(built(connection, config, "customer_care")).routed
        network = load_of(built(connection, config, "network_quality")).routed
        told = digest.render_text(built(connection, config, "customer_care"))
    assert (care.first, care.moved, care.right) == (4, 1, 3)
    assert (network.first, network.moved) == (0, 0)
    assert "Right the first time: 3 of 4; 1 had to go to another department." in told


def test_muted_alerts_and_active_silences_are_told_to_those_they_concern(store: Store, config: Config) -> None:
    with store.write() as connection:
        made = a_week_of_work(connection)
        row: dict[str, Any] = {
            "kind": "case",
            "channel": "mail",
            "recipient": "a@example.org",
            "reason": {},
            "tries": 0,
        }
        row |= {"key": "k", "case_id": made[0], "state": "muted", "next_try": AT, "created_at": AT}
        connection.execute(alerts.insert().values(row))
        quiet = {"author": "Renzo", "why": "planned work", "matchers": {"department": ["network_quality"]}}
        times = {"starts_at": AT, "ends_at": MONDAY + timedelta(days=1), "created_at": AT}
        connection.execute(silences.insert().values(quiet | times))
        care = digest.render_text(built(connection, config, "customer_care"))
        network = digest.render_text(built(connection, config, "network_quality"))
        director = digest.render_text(digest.build(connection, config, "2026-W46", "nitido", "en", MONDAY))
    told = "Alerts held back by a silence or a larger alert: 1, of 1 cases."
    active = "by Renzo: «planned work» (Network and quality)"
    assert told in care
    assert told not in network
    assert active in network
    assert active not in care
    assert told in director
    assert active in director


def test_a_quiet_team_is_told_that_nothing_waits(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        written = built(connection, config, "sales")
    assert [block.words for block in written.outline.sentences] == [
        "Nothing waits for an answer.",
        "Nothing new came in.",
    ]
    assert not any(block.bad for block in written.outline.sentences)


@pytest.mark.parametrize("lang", ["es", "en", "pt"])
def test_every_sentence_is_filled_in_every_language(store: Store, config: Config, lang: str) -> None:
    with store.write() as connection:
        a_week_of_work(connection)
        written = built(connection, config, *AREAS, lang=lang)
        out = digest.render_text(written) + read(digest.render_html(written)).text
    assert "None" not in out
    assert not re.search(r"\{\w+\}", out)


def test_the_same_figures_give_the_same_seal_and_the_same_bytes_of_pdf(archive: Store, config: Config) -> None:
    with undone(archive) as connection:
        a_week_of_work(connection)
        one, same = built(connection, config, *AREAS), built(connection, config, *AREAS)
        week_one, week_two = (digest.build(connection, config, "2026-W46", "nitido", "es", MONDAY) for _ in range(2))
        say(connection, AT)
        open_case(connection, [say(connection, AT)], AT, department="customer_care")
        other = built(connection, config, *AREAS)
    assert one.hash == same.hash != other.hash
    assert from_json(Load, to_json(load_of(one))) == one.figures
    assert digest.render_pdf(one) == digest.render_pdf(same)
    assert digest.render_pdf(one).startswith(b"%PDF-")
    assert digest.render_pdf(week_one) == digest.render_pdf(week_two)
    assert digest.render_pdf(one) != digest.render_pdf(other)


def test_the_directors_letter_compares_itself_with_a_directors_letter_and_never_with_a_teams(
    store: Store, tmp_path: Path
) -> None:
    team = {"name": "care", "to": ["mail:c@example.org"], "departments": ["customer_care"]}
    config = config_of(tmp_path, sources=SOURCES, digest={"to": []}, digests=[team])
    with store.write() as connection:
        a_week_of_work(connection)
        assert digest.queue_due(connection, config, MONDAY) == 1
        figures = gather(connection, config, "2026-W47", "nitido", MONDAY + timedelta(days=7))
    assert figures.told_before is None


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path_factory.mktemp('load') / 'a.db'}")
    made.migrate()
    yield made
    made.close()


@contextmanager
def undone(store: Store) -> Iterator[Connection]:
    """Write in a transaction that is taken back, so that every example starts with nothing."""
    with store.engine.connect() as connection:
        begun = connection.begin()
        try:
            yield connection
        finally:
            begun.rollback()


FATES = ("new", "acknowledged", "snoozed", "answered", "late", "closed", "dismissed", "merged")
CASES = st.lists(
    st.tuples(
        st.sampled_from(FATES),
        st.sampled_from(AREAS),
        st.sampled_from(["alert", "important"]),
        st.integers(-30, 200),  # hours from the week's beginning
        st.integers(1, 400),  # hours until its clock runs out
        st.integers(1, 3),  # mentions
    ),
    max_size=12,
)
LOOSE = st.lists(st.sampled_from(["alone", "waiting", "left out", "unjudged"]), max_size=6)


def write_case(connection: Connection, one: tuple[str, str, str, int, int, int]) -> None:
    fate, area, priority, hours, clock, many = one
    at = WEEK.start + timedelta(hours=hours)
    due = at + timedelta(hours=clock)
    times: dict[str, Any] = {"acknowledged": at} if fate == "acknowledged" else {}
    if fate in ("answered", "late"):
        times["answered"] = due + timedelta(hours=1 if fate == "late" else -1)
    if fate in ("closed", "merged"):
        times["closed"] = at + timedelta(hours=1)
    ids = [say(connection, at, sentiment="negative") for _ in range(many)]
    made = open_case(connection, ids, at, department=area, priority=priority, due=due, **times)
    if fate in ("snoozed", "dismissed"):
        connection.execute(cases.update().where(cases.c.id == made).values(status=fate))
    if fate == "merged":
        connection.execute(cases.update().where(cases.c.id == made).values(merged_into=made))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=CASES, loose=LOOSE)
def test_the_digest_counts_what_the_inbox_and_the_tables_count(
    archive: Store, tmp_path: Path, written: list[tuple[str, str, str, int, int, int]], loose: list[str]
) -> None:
    config = config_of(tmp_path, sources=SOURCES)
    with undone(archive) as connection:
        for one in written:
            write_case(connection, one)
        for kind in loose:
            say(
                connection,
                AT,
                sentiment=None if kind == "unjudged" else "neutral",
                relevant=kind != "left out",
                stakeholder=None if kind == "waiting" else "customer",
            )
        figures = gather(connection, config, "2026-W46", "nitido", MONDAY)
        whole = gather_load(connection, config, edition(), MONDAY)
        teams = [gather_load(connection, config, edition(area), MONDAY) for area in AREAS]
        _the_inbox_agrees(connection, [whole, *teams])
        rows = connection.execute(sa.select(cases).where(cases.c.brand == "nitido")).all()
        again = gather(connection, config, "2026-W46", "nitido", MONDAY)
    assert seal(figures) == seal(again)
    inside = [row for row in rows if WEEK.start <= row.opened_at < WEEK.end]
    # the directors' letter: every mention and every case stands in one row, and the rows add up
    honest, gone = figures.honest, figures.mention_fates
    assert gone is not None
    assert figures.fates is not None
    assert honest.reconciles()
    assert gone.reconciles()
    assert figures.fates.reconciles()
    assert figures.cases.reconciles()
    assert gone.relevant == honest.relevant
    assert gone.alone == loose.count("alone")
    assert gone.waiting == loose.count("waiting")
    assert figures.fates.made == len(inside)
    assert figures.fates.made - figures.fates.merged == figures.cases.opened
    assert figures.fates.open + figures.fates.snoozed == figures.cases.open
    assert figures.fates.answered == figures.cases.answered
    # the teams: their parts add up to the whole, which is what the tables hold
    for name in ("open", "alerts", "overdue", "nobody", "snoozed"):
        assert getattr(whole.waiting, name) == sum(getattr(team.waiting, name) for team in teams)
    assert whole.waiting.open == sum(row.status in ("new", "acknowledged") for row in rows) == figures.open_now.open
    assert whole.fates.made == sum(team.fates.made for team in teams) == len(inside)
    assert whole.fates == figures.fates
    assert whole.needing_all == figures.open_now.needing == sum(team.needing_all for team in teams)
    assert sum(line.cases for line in whole.came) == figures.cases.opened
    assert whole.routed.first == figures.cases.opened


def _the_inbox_agrees(connection: Connection, loads: list[Load]) -> None:
    for load in loads:
        asked = Filters(brand=("nitido",), department=load.departments)
        assert load.waiting.open == count_inbox(connection, asked, MONDAY)
        assert load.waiting.overdue == count_inbox(connection, replace(asked, overdue=True), MONDAY)
        assert load.waiting.snoozed == count_inbox(connection, replace(asked, status="snoozed"), MONDAY)


def test_the_parts_agree_on_both_databases(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        for place, fate in enumerate(FATES):
            write_case(connection, (fate, AREAS[place % 2], "important", 10 * place, 50, 2))
        assert mention_fates(connection, WEEK, "nitido").reconciles()
        fates = case_fates(connection, WEEK, "nitido")
        counts = insight.case_counts(connection, WEEK, "nitido", MONDAY)
    assert fates.reconciles()
    assert (fates.made, fates.merged, fates.dismissed, fates.snoozed) == (8, 1, 1, 1)
    assert fates.made - fates.merged == counts.opened
