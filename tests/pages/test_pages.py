"""Run the pages without a browser: what they show, what they write, and that strangers' words stay words."""

from __future__ import annotations

import ast
import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from listener.mention import Term
from listener.reason import say
from listener.store import mentions, posts
from stakeholders.pages.text import clip, escape, highlight, web_link
from stakeholders.pages.theme import OPTIONS
from stakeholders.store import case_mentions

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "stakeholders" / "pages"
ELEMENTS = {
    "badge", "caption", "chat_message", "error", "exception", "header", "help", "info", "json", "latex", "markdown",
    "metric", "subheader", "success", "table", "title", "toast", "warning", "write", "write_stream",
}  # fmt: skip


def draw(name: str, folder: str, query: dict[str, str], lang: str = "en", who: str = "Ana Flores") -> AppTest:
    """Draw one page of an instance."""

    def page(name: str, folder: str, lang: str, who: str) -> None:
        from importlib import import_module
        from pathlib import Path

        from listener.config import load
        from listener.database import Store
        from stakeholders.pages.scene import Scene

        config = load(Path(folder) / "config.toml", {}, secrets=False)
        store = Store(config.store_url)
        import_module(f"stakeholders.pages.{name}").show(Scene(config, store, lang, who))
        store.close()

    test = AppTest.from_function(page, default_timeout=30, args=(name, folder, lang, who))
    for key, value in query.items():
        test.query_params[key] = value
    return test


def markup(test: AppTest) -> str:
    """Give all HTML that a page composed."""
    assert not test.exception, test.exception
    return "\n".join(str(one.proto.body) for one in test.get("html"))


def case_of(instance: Any, native_id: str) -> int:
    tables = case_mentions.join(mentions, mentions.c.id == case_mentions.c.mention_id).join(posts)
    query = sa.select(case_mentions.c.case_id).select_from(tables).where(posts.c.native_id == native_id)
    with instance.store.read() as connection:
        return int(connection.execute(query).scalar_one())


def test_the_whole_dashboard_draws_in_the_language_of_the_address(instance: Any) -> None:
    test = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=30)
    test.query_params["lang"] = "es"
    test.run()
    assert f"<h1>{say('Inbox', 'es')}</h1>" in markup(test)
    assert "Ana Flores" in test.sidebar.selectbox[0].options


def test_the_inbox_puts_alerts_first_and_links_every_case(instance: Any) -> None:
    shown = markup(draw("inbox", str(instance.folder), {}).run())
    assert shown.index('class="e-row alert"') < shown.index('class="e-row important"')
    assert f'href="case?id={case_of(instance, "p1")}"' in shown
    assert "@artel_regula" in shown
    assert "<mark>Nítido</mark>" in shown


def test_filters_come_from_the_address_and_stay_in_the_links(instance: Any) -> None:
    shown = markup(draw("inbox", str(instance.folder), {"stakeholder": "regulator"}).run())
    assert shown.count('class="e-row') == 1
    assert "case?stakeholder=regulator&amp;id=" in shown


def test_a_filter_that_nobody_fits_says_so_instead_of_an_empty_page(instance: Any) -> None:
    shown = markup(draw("inbox", str(instance.folder), {"brand": "brisatel", "priority": "alert"}).run())
    assert "No case fits all of these filters" in shown


def test_an_address_that_makes_no_sense_is_harmless(instance: Any) -> None:
    for query in ({"after": "x~y~z", "department": "'; drop"}, {"after": "9~~99999999999999999999"}):
        markup(draw("inbox", str(instance.folder), query).run())
    for given in ("", "-1", "99999", "²", "9" * 40, "1;drop"):
        assert "There is no such case" in markup(draw("case", str(instance.folder), {"id": given}).run())


def test_a_case_is_acknowledged_once_and_the_history_says_by_whom(instance: Any) -> None:
    number = case_of(instance, "p1")
    test = draw("case", str(instance.folder), {"id": str(number)}).run()
    test.button(key="acknowledge").click().run()
    shown = markup(test)
    assert "<b>acknowledged</b> · <bdi>Ana Flores</bdi>" in shown
    assert not [one for one in test.button if one.key == "acknowledge"]


def test_two_people_never_change_the_same_case_unawares(instance: Any) -> None:
    from stakeholders.case import assign

    number = case_of(instance, "p1")
    test = draw("case", str(instance.folder), {"id": str(number)}).run()
    with instance.store.write() as connection:
        assign(connection, number, "Jorge Huamán", datetime.now(UTC), "Jorge Huamán")
    test.button(key="answer").click().run()
    shown = markup(test)
    assert re.search("Jorge Huamán .*look at it again", html.unescape(shown))
    assert "<b>answered</b>" not in shown


def test_a_note_is_kept_as_text_and_the_box_is_emptied(instance: Any) -> None:
    test = draw("case", str(instance.folder), {"id": str(case_of(instance, "p1"))}).run()
    test.text_area(key="words").set_value("llamar <b>mañana</b>").run()
    test.button(key="note").click().run()
    assert "llamar &lt;b&gt;mañana&lt;/b&gt;" in markup(test)
    assert not test.text_area(key="words").value


def test_a_corrected_label_keeps_both_values_in_view(instance: Any) -> None:
    from stakeholders.desk import Desk

    number = case_of(instance, "p1")
    with instance.store.write() as connection:
        mine = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == number)
        mention = int(connection.scalars(mine).one())
        Desk(instance.config).correct(connection, mention, "sentiment", "positive", "Ana Flores", datetime.now(UTC))
    shown = markup(draw("case", str(instance.folder), {"id": str(number)}).run())
    assert "<s>harms</s> → <b>helps</b> · <bdi>Ana Flores</bdi>" in shown


def test_unsure_is_said_in_words(instance: Any) -> None:
    shown = markup(draw("case", str(instance.folder), {"id": str(case_of(instance, "p2"))}).run())
    assert "41\u00a0% · unsure" in shown or "41 % · unsure" in shown


def test_an_employee_is_never_named_to_human_resources(instance: Any) -> None:
    number = case_of(instance, "p4")
    shown = markup(draw("case", str(instance.folder), {"id": str(number)}).run())
    shown += markup(draw("inbox", str(instance.folder), {"department": "human_resources"}).run())
    assert "author withheld" in shown
    assert "tele_tecnico" not in shown.casefold()


def test_without_a_name_nothing_is_written(instance: Any) -> None:
    test = draw("case", str(instance.folder), {"id": str(case_of(instance, "p1"))}, who="").run()
    test.button(key="acknowledge").click().run()
    assert "Say who you are first" in markup(test)


def test_the_pulse_counts_honestly_and_names_who_speaks(instance: Any) -> None:
    shown = markup(draw("pulse", str(instance.folder), {"days": "7"}).run())
    assert "What these figures stand on" in shown
    assert "stakeholder=regulator" in shown
    assert 'class="e-chip on">7 days' in shown


def test_counts_of_a_period_do_not_lead_to_a_list_of_all_times(instance: Any) -> None:
    shown = markup(draw("voices", str(instance.folder), {"days": "7"}).run())
    table = shown[shown.index("Who speaks, and how") :].split("</table>")[0]
    told = re.findall(r'<a href="([^"?]*)[^"]*"[^>]*>(.*?)</a>', table)
    assert {words for page, words in told if page == "./"} == {"see all"}  # its name in full: all cases, whenever
    assert {page for page, words in told if words != "see all"} == {"posts"}


def test_an_area_is_not_offered_as_a_person(instance: Any) -> None:
    path = instance.folder / "config.toml"
    path.write_text(path.read_text("utf-8").replace('lead = "Lucía Campos"', 'lead = "Customer care"'), "utf-8")
    test = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=30).run()
    box = test.sidebar.selectbox[0]
    assert "Customer care" not in box.options
    assert {"Ana Flores", "Renzo Paredes"} <= set(box.options)


def test_the_history_of_a_case_is_sorted_by_time_whenever_it_was_written(instance: Any) -> None:
    from stakeholders.case import note

    number = case_of(instance, "p1")
    now = datetime.now(UTC)
    with instance.store.write() as connection:
        note(connection, number, "Ana Flores", now + timedelta(hours=2), "segunda")
        note(connection, number, "Ana Flores", now + timedelta(hours=1), "primera")
    shown = markup(draw("case", str(instance.folder), {"id": str(number)}).run())
    assert shown.index("segunda") < shown.index("primera")


def test_a_source_that_is_not_connected_never_reads_zero(instance: Any) -> None:
    shown = markup(draw("sources", str(instance.folder), {}).run())
    listed = shown[shown.index("Not connected</h2>") :].split("</ul>")[0]
    assert "<b>x</b>" in listed
    assert "which is not the same as none" in listed
    assert not re.search(r"\d", re.sub(r"<[^>]*>", "", listed)), "no figure is told of what was not asked"
    failed = shown[shown.index("<b>broken</b>") : shown.index("<b>unasked</b>")]
    assert "failed" in failed
    assert "not known" in failed


def test_the_pages_speak_portuguese_dates_and_numbers(instance: Any) -> None:
    assert "mentions" in markup(draw("pulse", str(instance.folder), {}, lang="en").run())
    markup(draw("pulse", str(instance.folder), {}, lang="pt").run())


@pytest.mark.parametrize("name", ["inbox", "case", "pulse", "sources"])
def test_hostile_text_is_never_markup(instance: Any, name: str) -> None:
    query = {"id": str(case_of(instance, "p90"))} if name == "case" else {}
    test = draw(name, str(instance.folder), query).run()
    shown = markup(test)
    assert not test.markdown
    for poison in ("<script", "<img", 'javascript:window.__hit=1"', "\u202e", "</div></bdi> &lt;"):
        assert poison not in shown, poison
    if name != "pulse":
        assert "&lt;script&gt;" in shown


def test_no_page_hands_text_to_an_element_that_reads_markdown() -> None:
    for path in [*PAGES.glob("*.py"), ROOT / "dashboard.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword):
                assert node.arg not in ("unsafe_allow_html", "unsafe_allow_javascript"), path.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                assert not (isinstance(owner, ast.Name) and owner.id == "st" and node.func.attr in ELEMENTS), (
                    f"{path.name}:{node.lineno} st.{node.func.attr} reads Markdown: compose HTML with escape() instead"
                )


def test_every_label_of_a_widget_is_a_sentence_of_ours() -> None:
    widgets = {
        "button",
        "selectbox",
        "multiselect",
        "checkbox",
        "text_area",
        "popover",
        "expander",
        "segmented_control",
    }
    for path in PAGES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in widgets):
                continue
            label = ast.unparse(node.args[0])
            assert label.startswith("scene.t(N_(") or label in ("label", "labels[name]"), (
                f"{path.name}:{node.lineno} {label}"
            )


def _light(colour: str) -> float:
    """Give the relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, two: str) -> float:
    high, low = sorted((_light(one), _light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_word_stands_out_from_its_ground_in_light_and_dark() -> None:
    sheet = (PAGES / "style.css").read_text("utf-8")
    tokens = {
        name: (light, dark) for name, light, dark in re.findall(r"--e-([\w-]+): light-dark\((#\w+), (#\w+)\)", sheet)
    }
    pairs = [
        (text, ground)
        for text in ("ink", "muted", "teal", "harm", "alert", "amber")
        for ground in ("card", "soft", "hover")
    ]
    pairs += [
        ("teal", "teal-soft"),
        ("alert", "teal-soft"),
        ("amber", "teal-soft"),
        ("ink", "alert-soft"),
        ("ink", "mark"),
    ]
    for text, ground in pairs:
        for scheme in (0, 1):
            assert _contrast(tokens[text][scheme], tokens[ground][scheme]) >= 4.5, (text, ground, scheme)
    for button in ("theme.light.primaryColor", "theme.dark.primaryColor"):
        assert _contrast("#ffffff", str(OPTIONS[button])) >= 4.5, button


def test_highlights_hold_the_words_and_nothing_else() -> None:
    text = "a <b>Nítido</b> & co"
    assert highlight(text, [Term(5, 11, "Nítido")]) == (
        '<bdi dir="auto">a &lt;b&gt;<mark>Nítido</mark>&lt;/b&gt; &amp; co</bdi>'
    )
    assert "<mark>" not in highlight("short", [Term(3, 90, "x"), Term(-4, 2, "y")])


def test_a_long_post_is_cut_around_the_word_that_named_the_brand() -> None:
    text = "palabra " * 100 + "Nítido falla"
    line = clip(text, [Term(800, 806, "Nítido")])
    assert line.startswith("… ")
    assert "<mark>Nítido</mark>" in line


def test_signs_that_turn_the_direction_are_shown() -> None:
    assert escape("a\u202egnp.exe\x00\x1b") == "a⇄gnp.exe"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil", "http://", "http://[", None, " https"]
)
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert web_link(url, "here") == "here"


def test_a_web_address_opens_without_telling_where_from() -> None:
    assert web_link('https://a.example/"x', "y") == (
        '<a href="https://a.example/&quot;x" target="_blank" rel="noopener noreferrer nofollow">y</a>'
    )
