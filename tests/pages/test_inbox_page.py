"""Draw the inbox without a browser: the first visit, saved views, a fault of a search, unread marks, who looks too."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from listener.config import load
from listener.database import Store
from listener.store import runs
from stakeholders.case import assign, read_case
from stakeholders.lists.attention import look, looking, mark_seen, unread
from stakeholders.lists.view import list_views
from stakeholders.store import cases
from tests.pages.conftest import CONFIG
from tests.pages.test_pages import case_of, draw, markup

WHO, OTHER = "Ana Flores", "Jorge Huamán"


def inbox(folder: Path, lang: str = "en", who: str = WHO, **query: str) -> AppTest:
    return draw("inbox", str(folder), query, lang, who)


def item(shown: str, number: int) -> str:
    """Cut one row out of the page."""
    start = shown.rindex('<div class="e-item', 0, shown.index(f'data-id="{number}"'))
    return shown[start : shown.index("</a></div>", start)]


@pytest.fixture
def empty(tmp_path: Path) -> Any:
    """Give a folder with a config and a store in which nothing was ever heard."""
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    store = Store(load(tmp_path / "config.toml", {}, secrets=False).store_url)
    store.migrate()
    yield tmp_path, store
    store.close()


def test_an_empty_house_is_shown_the_three_steps_with_what_is_done_ticked(empty: Any) -> None:
    folder, store = empty
    shown = markup(inbox(folder).run())
    steps = shown[shown.index("<ol>") : shown.index("</ol>")].split("<li")[1:]
    assert [step.startswith(' class="done"') for step in steps] == [False, True, False]
    assert "escucha check" in steps[0]
    assert "Nítido" in steps[1]
    assert "escucha collect" in steps[2]
    now = datetime.now(UTC)
    row = {"source": "social", "outcome": "ok", "error": None, "started_at": now, "finished_at": now}
    with store.write() as connection:
        connection.execute(runs.insert().values(**row, posts=0, new=0, mentions=0, rejected=0))
    steps = markup(inbox(folder).run()).split("<li")[1:]
    assert steps[0].startswith(' class="done"')
    assert "Heard: social" in steps[0]


def test_a_house_without_a_source_is_told_how_to_write_one(empty: Any) -> None:
    folder, _ = empty
    path = folder / "config.toml"
    path.write_text(re.sub(r"\[sources\.(?!x\]).*\nkind.*\npath.*\n", "", CONFIG), "utf-8")
    assert "[sources.press]" in markup(inbox(folder).run())


def test_an_inbox_that_is_answered_is_no_first_visit(instance: Any) -> None:
    with instance.store.write() as connection:
        connection.execute(cases.update().values(status="closed"))
    shown = markup(inbox(instance.folder).run())
    assert "All answered" in shown
    assert "three steps" not in shown


def test_a_view_is_kept_under_a_name_and_removed_by_its_owner(instance: Any) -> None:
    test = inbox(instance.folder, stakeholder="regulator", q="multamos").run()
    test.text_input(key="view-name").set_value("Multas <b>").run()
    test.button(key="view-save").click().run()
    shown = markup(test)
    assert "Multas &lt;b&gt;" in shown
    assert 'href="./?stakeholder=regulator&amp;q=multamos"' in shown
    with instance.store.read() as connection:
        assert [(one.name, one.shared) for one in list_views(connection, WHO)] == [("Multas <b>", False)]
        assert list_views(connection, OTHER) == ()
    gone = inbox(instance.folder).run()
    assert gone.selectbox(key="view-gone").options == ["Multas <b>"]
    gone.selectbox(key="view-gone").select_index(0).run()
    with instance.store.read() as connection:
        assert list_views(connection, WHO) == ()


def test_a_view_without_a_name_is_refused_in_words(instance: Any) -> None:
    test = inbox(instance.folder, overdue="1").run()
    test.button(key="view-save").click().run()
    assert "Give the view a name" in markup(test)


def test_the_usual_views_are_links_with_their_counts(instance: Any) -> None:
    shown = markup(inbox(instance.folder).run())
    views = shown[shown.index('class="e-queues e-views"') :].split("</nav>")[0]
    assert 'href="./?owner=Ana+Flores"' in views
    assert re.search(r'href="./\?owner=-"[^>]*><span>Unassigned</span><i>\d', views)
    assert 'href="./?status=snoozed"' in views


def test_a_search_finds_cases_and_its_fault_is_pointed_at(instance: Any) -> None:
    shown = markup(inbox(instance.folder, q="recibo puntual").run())
    assert [int(one) for one in re.findall(r'class="e-item[^"]*" data-id="(\d+)"', shown)] == [case_of(instance, "p1")]
    assert "«recibo puntual»" in shown
    shown = unescape(markup(inbox(instance.folder, q="multa (").run()))
    assert "the list below shows all cases" in shown
    assert re.search(r"multa \(\n {6}\^\n", shown)
    assert shown.count('class="e-item') > 3


def test_a_search_that_is_markup_stays_text(instance: Any) -> None:
    for q in ('"><script>x</script>', "<img src=x onerror=1>", "\u202e(", "a" * 5000, "\x00"):
        shown = markup(inbox(instance.folder, q=q).run())
        assert "<script>x" not in shown
        assert "<img" not in shown
        assert "\u202e" not in shown


def test_what_a_person_has_not_seen_is_marked_in_words_and_by_shape(instance: Any) -> None:
    number, other = case_of(instance, "p1"), case_of(instance, "p0")
    with instance.store.write() as connection:
        mark_seen(connection, WHO, {number: 1}, datetime.now(UTC))
    shown = markup(inbox(instance.folder).run())
    assert "not seen by you yet" not in item(shown, number)
    assert "not seen by you yet" in item(shown, other)
    with instance.store.write() as connection:
        assign(connection, number, OTHER, datetime.now(UTC), OTHER)
    shown = markup(inbox(instance.folder).run())
    assert "changed since you saw it" in item(shown, number)
    assert "e-dot" not in markup(inbox(instance.folder, who="").run()), "nobody's eyes have seen nothing"


def test_a_crisis_is_named_instead_of_an_author(instance: Any) -> None:
    number = case_of(instance, "p1")
    with instance.store.write() as connection:
        connection.execute(cases.update().where(cases.c.id == number).values(kind="crisis"))
    row = item(markup(inbox(instance.folder).run()), number)
    assert "Crisis" in row
    assert "rosa_mqp" not in row


def test_a_snoozed_case_says_until_when(instance: Any) -> None:
    number = case_of(instance, "p1")
    until = datetime.now(UTC) + timedelta(days=2)
    with instance.store.write() as connection:
        connection.execute(cases.update().where(cases.c.id == number).values(status="snoozed", snoozed_until=until))
    assert "until " in item(markup(inbox(instance.folder, status="snoozed").run()), number)


def test_each_filter_says_how_much_it_would_show(instance: Any) -> None:
    test = inbox(instance.folder).run()
    assert "regulator · 1" in test.multiselect(key="f-stakeholder").options
    assert any(re.fullmatch(r"to answer · \d+", one) for one in test.button_group(key="f-status").options)


def _open(folder: str, number: int, who: str) -> AppTest:
    def page(folder: str, number: int, who: str) -> None:
        from pathlib import Path

        from listener.config import load
        from listener.database import Store
        from stakeholders.casework.dossier import read_case
        from stakeholders.pages import presence
        from stakeholders.pages.scene import Scene

        config = load(Path(folder) / "config.toml", {}, secrets=False)
        store = Store(config.store_url)
        with store.read() as connection:
            case = read_case(connection, number)
        assert case is not None
        presence.show(Scene(config, store, "en", who), case)
        store.close()

    return AppTest.from_function(page, default_timeout=30, args=(folder, number, who))


def test_two_people_on_one_case_are_told_of_each_other(instance: Any) -> None:
    number = case_of(instance, "p1")
    now = datetime.now(UTC)
    first = _open(str(instance.folder), number, WHO).run()
    assert not first.get("html"), "alone"
    with instance.store.write() as connection:
        look(connection, OTHER, number, 1, now)
        assert unread(connection, WHO, {number: 1}) == {}
    assert f"{OTHER} is looking at this case too" in markup(_open(str(instance.folder), number, WHO).run())
    with instance.store.read() as connection:
        assert looking(connection, OTHER, [number], datetime.now(UTC)) == {number: (WHO,)}
    row = item(markup(inbox(instance.folder, who="Renzo Paredes").run()), number)
    assert "2 colleagues are looking" in row


def test_a_reader_without_a_name_leaves_no_trace(instance: Any) -> None:
    number = case_of(instance, "p1")
    markup(_open(str(instance.folder), number, "").run())
    with instance.store.read() as connection:
        assert looking(connection, WHO, [number], datetime.now(UTC)) == {}
        assert read_case(connection, number) is not None
