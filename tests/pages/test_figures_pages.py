"""Pulse, voices, departments and posts: their numbers are those of the functions, their links open what was counted."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from stakeholders import insight
from stakeholders.counting.change import before
from stakeholders.counting.period import last_days
from stakeholders.counting.workload import read_work
from stakeholders.lists.postlist import Wanted, count_heard
from stakeholders.pages import marks
from stakeholders.pages.heat import _DEEP
from stakeholders.pages.scene import Scene
from tests.pages.test_pages import _contrast, case_of, draw, markup

PAGES = ("pulse", "voices", "departments", "posts")


def links(shown: str, page: str) -> list[tuple[dict[str, str], str]]:
    """Give the queries of the links to a page, each with the words inside."""
    found = re.findall(rf'<a [^>]*?href="({page}(?:\?[^"]*)?)"[^>]*>(.*?)</a>', shown, re.DOTALL)
    told = []
    for address, inner in found:
        query = {key: value[0] for key, value in parse_qs(urlsplit(html.unescape(address)).query).items()}
        told.append((query, re.sub("<[^>]+>", "", inner)))
    return told


@pytest.mark.parametrize("lang", ["en", "es", "pt"])
@pytest.mark.parametrize("name", PAGES)
def test_the_pages_of_figures_are_drawn_and_hostile_words_stay_words(instance: Any, name: str, lang: str) -> None:
    test = draw(name, str(instance.folder), {"days": "7"}, lang=lang).run()
    shown = markup(test)
    assert not test.markdown
    for poison in ("<script", "<img", 'javascript:window.__hit=1"', "\u202e", "</div></bdi> &lt;"):
        assert poison not in shown, poison


def test_every_number_that_is_a_link_opens_as_many_posts(instance: Any) -> None:
    today = datetime.now(UTC).astimezone(instance.config.zone).date()
    seen = 0
    for name, more in (("pulse", {}), ("pulse", {"rows": "source", "columns": "stakeholder"}), ("voices", {})):
        shown = markup(draw(name, str(instance.folder), {"days": "7"} | more).run())
        for query, words in links(shown, "posts"):
            number = re.match(r"\d+", words)
            assert number, words
            with instance.store.read() as connection:
                wanted = Wanted.from_query(query, today)
                assert count_heard(connection, wanted, instance.config.zone) == int(number[0]), query
            seen += 1
    assert seen > 40
    shown = markup(draw("posts", str(instance.folder), {"stakeholder": "regulator", "brand": "nitido"}).run())
    assert "<b>1</b> mentions" in shown
    assert "@artel_regula" in shown
    assert f'href="case?id={case_of(instance, "p0")}"' in shown


def test_the_pulse_shows_the_figures_of_insight_and_compares_them_with_the_days_before(instance: Any) -> None:
    shown = markup(draw("pulse", str(instance.folder), {"days": "7"}).run())
    now = datetime.now(UTC)
    period = last_days(7, now, instance.config.zone)
    scene = Scene(instance.config, instance.store, "en", "")
    with instance.store.read() as connection:
        honest = insight.honest_counts(connection, period, "nitido", now)
        net = insight.net_sentiment(connection, before(period, now)[0], "nitido")
    assert net is not None
    for words in (marks.number(scene, honest.relevant), marks.signed(net.net)):
        assert f"<b>{words}</b>" in shown
    assert f"{marks.signed(net.low)} … {marks.signed(net.high)}" in shown
    assert "nothing to compare with" in shown
    assert "The days as a table" in shown


def test_the_table_turns_by_its_address_and_a_cell_of_few_claims_nothing(instance: Any) -> None:
    query = {"days": "7", "rows": "dimension", "columns": "stakeholder", "show": "net"}
    shown = markup(draw("pulse", str(instance.folder), query).run())
    heat = shown[shown.index("e-heat") :].split("</table>")[0]
    assert heat.index('scope="col">') < heat.index("regulator")
    assert '<th scope="row">governance' in heat
    cell = re.search(r'<a title="governance · regulator · 1 mention[^>]*class="heat few"[^>]*>(.*?)</a>', heat)
    assert cell, heat
    assert cell[1] == "−100\u00a0%", "one post shows its figure and no ▼"
    for odd in ({"rows": "nobody", "show": "x"}, {"rows": "source", "columns": "source"}):
        assert "e-heat" in markup(draw("pulse", str(instance.folder), {"days": "7"} | odd).run())


def test_a_period_can_be_gone_back_through_and_an_odd_one_means_the_last_days(instance: Any) -> None:
    day = (datetime.now(UTC) - timedelta(days=40)).date().isoformat()
    shown = markup(draw("pulse", str(instance.folder), {"days": "7", "until": day}).run())
    assert "Nothing was heard yet" in shown
    (later,) = [query for query, words in links(shown, "pulse") if words.startswith("later")]
    assert later["until"] > day
    for until in ("2999-01-01", "x", "-1", "0001-01-01"):
        shown = markup(draw("departments", str(instance.folder), {"days": "7", "until": until}).run())
        assert "The work of each department" in shown


def test_departments_show_what_was_counted_with_the_inbox_behind_it(instance: Any) -> None:
    shown = markup(draw("departments", str(instance.folder), {"days": "7"}).run())
    now = datetime.now(UTC)
    with instance.store.read() as connection:
        works = read_work(connection, last_days(7, now, instance.config.zone), "nitido", now)
    scene = Scene(instance.config, instance.store, "en", "")
    rows = shown.split('<section class="row">')[1:]
    assert len(rows) == len(works)
    for row, work in zip(rows, works, strict=True):
        assert f"<b>{scene.t('{name}', name=work.department)}</b>" in row
        assert work.response is not None
        assert f"<b>{work.response.cases}</b>" in row
        assert ({"department": work.department, "brand": "nitido"}, f"open: {work.waiting.open}") in links(row, r"\./")
        assert "0 answered: too few" in row
    for person in ("Ana Flores", "Jorge Huamán", "Lucía Campos"):
        assert person not in shown


def test_an_employees_post_is_listed_without_its_author(instance: Any) -> None:
    shown = markup(draw("posts", str(instance.folder), {"stakeholder": "employee"}).run())
    assert "author withheld" in shown
    assert "tele_tecnico" not in shown.casefold()


def test_words_narrow_the_posts_and_a_fault_in_them_is_pointed_at(instance: Any) -> None:
    from listener.query.index import index_all

    with instance.store.write() as connection:
        index_all(connection)
    shown = markup(draw("posts", str(instance.folder), {"q": '"tres días" Cayma'}).run())
    assert shown.count('class="e-post"') == 1
    assert "<mark>Nítido</mark>" in shown
    assert "cannot say this search exactly" not in shown
    assert "cannot say this search exactly" in markup(
        draw("posts", str(instance.folder), {"q": '"tres dia* sin"'}).run()
    )
    assert "character 1" in markup(draw("posts", str(instance.folder), {"q": '"open'}).run())
    test = draw("posts", str(instance.folder), {"stakeholder": "regulator", "q": "Cayma"}).run()
    assert "Nothing here" in markup(test)
    test.text_input(key="p-words").set_value("multamos").run()
    assert markup(test).count('class="e-post"') == 1


def test_pages_of_posts_go_on_where_the_one_before_ended(
    tmp_path: Path, filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import streamlit as st

    st.cache_resource.clear()
    made = filled(tmp_path, more=40)
    monkeypatch.setenv("ESCUCHA_CONFIG", str(tmp_path / "config.toml"))
    first = markup(draw("posts", str(made.folder), {"brand": "nitido"}).run())
    (onward,) = [query for query, words in links(first, "posts") if "Next page" in words]
    second = markup(draw("posts", str(made.folder), onward).run())
    assert first.count('class="e-post"') == 30
    assert 0 < second.count('class="e-post"') <= 30
    streets = [set(re.findall(r"cuadra (\d+)", page)) for page in (first, second)]
    assert not streets[0] & streets[1]
    for odd in ("x", "2026-01-01~", "2026-01-01T00:00:00~" + "9" * 30):
        assert markup(draw("posts", str(made.folder), {"after": odd}).run()).count('class="e-post"') == 30


def test_voices_name_bodies_not_people_and_hold_the_exchanges_of_companies(instance: Any) -> None:
    shown = markup(draw("voices", str(instance.folder), {"days": "7"}).run())
    assert "Who speaks, and how" in shown
    assert "Known bodies" in shown
    assert "as far as we heard" in shown
    bodies = shown[shown.index("Known bodies") : shown.index("Said well of us")]
    for person in ("rosa_mqp", "Rosa_Mqp", "dsalcedo_tv"):
        assert person not in bodies
    table = shown[shown.index("Who speaks, and how") :].split("</table>")[0]
    assert {words for query, words in links(table, r"\./")} == {"see all"}
    assert ': all cases, whenever"' in table
    assert all(query["since"] and query["until"] for query, _ in links(table, "posts"))


def test_words_stand_out_from_the_fullest_cell_in_light_and_dark() -> None:
    root = Path(__file__).resolve().parents[2] / "stakeholders" / "pages" / "style.css"
    tokens = {
        name: (light, dark)
        for name, light, dark in re.findall(r"--e-([\w-]+): light-dark\((#\w+), (#\w+)\)", root.read_text("utf-8"))
    }
    for scheme in (0, 1):
        for colour in ("teal", "harm"):
            one, two = (tokens[name][scheme] for name in (colour, "soft"))
            mixed = "#" + "".join(
                f"{round((int(one[at : at + 2], 16) * _DEEP + int(two[at : at + 2], 16) * (100 - _DEEP)) / 100):02x}"
                for at in (1, 3, 5)
            )
            assert _contrast(tokens["ink"][scheme], mixed) >= 4.5, (colour, scheme)
