"""Ten whole tasks of a community manager, a lead and a director; each is proven in the database, not on the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from stakeholders.store import alerts, case_mentions, cases, drafts, saved_views
from tests.pages.hand import ROWS, Hand
from tests.pages.test_pages import case_of

__all__ = ["TASKS"]

JORGE = "Jorge Huamán"
REGULATOR = {"es": "regulador", "en": "regulator"}


def see_why_and_acknowledge_the_most_urgent(hand: Hand) -> None:
    hand.start("/?status=new")
    number = hand.ids()[0]
    with hand.made.store.read() as connection:
        new = cases.c.status == "new"
        first = sa.select(cases.c.id).where(new).order_by(cases.c.rank, cases.c.due_at, cases.c.id).limit(1)
        assert number == connection.scalar(first), "the first row is the most urgent"
    hand.open_row(number)
    hand.address(f"id={number}(&|$)")
    hand.see("[data-case].live")
    why = hand.see(".st-key-case-sent").inner_text()
    assert hand.t("{name}", name=hand.read(number).department) in why
    assert len(hand.see(".st-key-case-sent li").inner_text()) > 10
    hand.step("acknowledge")
    hand.see(".st-key-case-history li", hand.who)
    hand.gone(".st-key-acknowledge")
    assert (hand.read(number).status, hand.what(number)[-1]) == ("acknowledged", "acknowledged")
    assert "status=new" in hand.page.url, "the way back to the view stays in the address"
    with hand.elsewhere() as other:
        other.locator(".e-head .e-tag", has_text=hand.t("{name}", name="acknowledged")).wait_for()


def triage_five_rows_without_leaving_the_list(hand: Hand) -> None:
    hand.start("/?status=new")
    place, address = 3, hand.page.url
    before = hand.ids()
    for number in before[place : place + 5]:
        hand.pick(number)
        hand.step("acknowledge")
        hand.gone(f'{ROWS}[data-id="{number}"]')
        assert hand.ids()[: place + 1] == [*before[:place], before[before.index(number) + 1]], "rows above stay"
        if hand.way == "keys":
            hand.until("id => document.activeElement?.closest('.e-item')?.dataset.id === id",
                       str(before[before.index(number) + 1]))  # fmt: skip
    hand.told(hand.t("1 case seen"))
    for number in before[place : place + 5]:
        assert (hand.read(number).status, hand.what(number)[-1]) == ("acknowledged", "acknowledged")
    assert hand.page.url == address


def mend_a_search_save_it_and_share_it(hand: Hand) -> None:
    hand.start("/?status=open")
    hand.ask("(recibo punt")
    caret = hand.see(".e-peek .e-caret")
    assert caret.inner_text().splitlines()[1].strip() == "^", "the place of the fault is shown"
    hand.ask("recibo puntual")
    hand.see(".e-peek", hand.t("1 case"))
    hand.search()
    hand.address(r"q=recibo\+puntual")
    hand.until("() => document.querySelectorAll('.e-item').length === 1")
    number = case_of(hand.made, "p1")
    assert hand.ids() == [number]
    shared, name = hand.page.url, f"Recibos {hand.who}"
    hand.save(name)
    hand.page.locator(".e-views a", has_text=name).first.wait_for(state="attached")
    with hand.made.store.read() as connection:
        row = connection.execute(sa.select(saved_views).where(saved_views.c.name == name)).one()
    assert (row.owner, row.query, row.shared) == (hand.who, "q=recibo+puntual", True)
    with hand.elsewhere(address=shared) as other:
        other.locator(f'{ROWS}[data-id="{number}"]').wait_for()
        assert other.locator(ROWS).count() == 1
        other.locator(".e-views a", has_text=name).wait_for(state="attached")


def correct_who_speaks_and_see_the_case_sent_anew(hand: Hand) -> None:
    hand.start("/?stakeholder=public&status=open")
    number = hand.ids()[-1]
    before = hand.read(number).department
    hand.open_row(number)
    hand.see("[data-case].live")
    hand.correct("stakeholder", "regulator")
    after = "legal_regulatory"
    hand.see(".e-note", hand.t("Corrected; the case goes to {department}", department=after))
    assert before != after
    assert (hand.read(number).department, hand.read(number).stakeholder) == (after, "regulator")
    assert [one.what for one in hand.past(number)][-2:] == ["corrected", "rerouted"]
    assert hand.what(number)[-1] == "corrected"
    corrected = next(one for one in hand.past(number) if one.what == "corrected")
    assert (corrected.before["stakeholder"], corrected.after["stakeholder"]) == ("public", "regulator")
    with hand.elsewhere() as other:
        other.locator(".e-head", has_text=hand.t("{name}", name=after)).wait_for()


def answer_from_a_template_and_go_on(hand: Hand) -> None:
    hand.start("/?stakeholder=public&status=new")
    view = hand.ids()
    number = view[1]
    hand.open_row(number)
    hand.see("[data-case].live")
    hand.template(1)
    hand.rest()
    hand.reply(f"Lo vio {hand.who}.")
    hand.see(".st-key-draft-use")
    hand.step("answered")
    hand.see(".st-key-reopen")
    with hand.made.store.read() as connection:
        kept = connection.execute(sa.select(drafts).where(drafts.c.case_id == number)).all()
    assert f" Lo vio {hand.who}. " in kept[-1].text, "the words of the template stay around one's own"
    assert "[" not in kept[-1].text
    assert (kept[-1].state, hand.read(number).status) == ("used", "answered"), [one.state for one in kept]
    assert hand.what(number)[-3:] == ["drafted", "answered", "used"]
    following = int(str(hand.see('a[data-key="n"]').get_attribute("href")).split("id=")[1].split("&")[0])
    assert following in view
    assert following != number
    hand.follow('a[data-key="n"]')
    hand.address(f"id={following}(&|$)")
    hand.see(f'[data-case="{following}"]')


def close_three_and_take_it_back(hand: Hand) -> None:
    hand.start("/?status=open")
    before = hand.ids()
    chosen = [before[4], before[5], before[7]]
    stood = {number: hand.read(number) for number in chosen}
    for number in chosen:
        hand.pick(number)
    hand.step("close")
    hand.told(hand.t("{n} cases closed", n=3))
    assert [hand.read(number).status for number in chosen] == ["closed"] * 3
    hand.undo()
    hand.told(hand.t("{n} cases are as they were", n=3))
    for number in chosen:
        hand.see(f'{ROWS}[data-id="{number}"]')
        after = hand.read(number)
        assert (after.status, after.due_at, after.owner) == (
            stood[number].status,
            stood[number].due_at,
            stood[number].owner,
        )
        assert hand.what(number)[-2:] == ["closed", "reopened"]
    assert hand.ids()[:8] == before[:8], "every row is where it was"


def put_off_until_tomorrow_find_it_and_wake_it(hand: Hand) -> None:
    hand.start("/?status=new")
    number = hand.ids()[6]
    hand.pick(number)
    hand.step("snooze")
    hand.told(hand.t("1 case put off to tomorrow, 9:00"))
    slept = hand.read(number)
    assert slept.status == "snoozed"
    assert slept.snoozed_until.astimezone(hand.made.config.zone).hour == 9
    hand.view(hand.t("Snoozed"))
    hand.address("status=snoozed")
    hand.see(f'{ROWS}[data-id="{number}"]')
    hand.rest()
    with hand.elsewhere() as other:
        other.locator(f'{ROWS}[data-id="{number}"]').wait_for()
    hand.open_row(number)
    hand.see("[data-case].live")
    hand.step("wake")
    hand.gone(".st-key-wake")
    assert (hand.read(number).status, hand.what(number)[-2:]) == ("new", ["snoozed", "woke"])
    hand.follow('a[data-key="u"]')
    hand.address(r"/\?(lang=..&)?status=snoozed")
    hand.gone(f'{ROWS}[data-id="{number}"]')


def give_it_to_a_colleague_who_sees_it_with_a_note(hand: Hand) -> None:
    hand.start("/?status=new")
    mine, number = [one for one in hand.ids() if hand.read(one).owner is None][7:9]
    hand.pick(mine)
    hand.step("assign")
    hand.see(f'{ROWS}[data-id="{mine}"]', hand.who)
    assert hand.read(mine).owner == hand.who
    hand.pick(number)
    hand.give(JORGE)
    hand.see(f'{ROWS}[data-id="{number}"]', JORGE)
    assert hand.read(number).owner == JORGE
    hand.open_row(number)
    hand.see("[data-case].live")
    words = f"@{JORGE} ¿lo ves hoy? {hand.who}"
    hand.note(words)
    hand.see(".e-note", JORGE)
    noted = next(one for one in hand.past(number) if one.what == "note")
    assert (
        noted.after["note"] == words
        if isinstance(noted.after, dict) and "note" in noted.after
        else words in str(noted.after)
    )
    with hand.made.store.read() as connection:
        wanted = sa.select(alerts.c.recipient, alerts.c.kind).where(alerts.c.case_id == number)
        assert ("jorge@example.org", "mention") in {tuple(row) for row in connection.execute(wanted)}
    with hand.elsewhere(JORGE) as other:
        other.locator(".st-key-case-history li", has_text=f"¿lo ves hoy? {hand.who}").wait_for()
        assert other.locator(".st-key-owner input").first.input_value() == JORGE


def go_from_a_spike_to_its_posts_and_a_case(hand: Hand) -> None:
    hand.start("/?status=open")
    hand.go("pulse")
    hand.see("[data-testid=stVegaLiteChart]")
    with hand.made.store.read() as connection:
        crisis = connection.scalar(sa.select(cases.c.id).where(cases.c.kind == "crisis"))
    hand.see(f'a[href*="id={crisis}"]')
    hand.follow("details:has(.e-days) > summary")
    posts = '.e-days a[href*="posts?"]'
    hand.see(posts)
    counted = hand.see(posts).inner_text()
    hand.follow(f"{posts} >> nth=0" if hand.way == "mouse" else posts)
    hand.address("/posts.*since=")
    hand.see(".e-heard .e-card")
    assert hand.see(".e-nums b").inner_text() == counted, "the list is as long as the figure says"
    with hand.elsewhere() as other:
        other.locator(".e-heard .e-card").first.wait_for()
        assert other.locator(".e-nums b").first.inner_text() == counted
    link = '.e-heard .e-card a[href*="case?"]'
    number = int(str(hand.see(link).get_attribute("href")).split("id=")[1].split("&")[0])
    hand.follow(link)
    hand.see(f'[data-case="{number}"]')
    with hand.made.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(case_mentions.c.case_id == number))


def read_the_digest_and_follow_a_figure_in_another_language(hand: Hand) -> None:
    hand.start("/?status=open")
    hand.go("letters")
    hand.follow('a.e-row[href*="digest="]')
    hand.address("digest=")
    frame = hand.page.frame_locator("iframe[sandbox]")
    frame.locator("body").wait_for()
    with hand.elsewhere() as other:
        other.locator("iframe[sandbox]").wait_for()
    hand.follow('a[data-key="u"]')
    hand.follow('.e-chips a[href*="draft="]')
    hand.address("draft=")
    hand.see("iframe[sandbox]")
    other_lang = "en" if hand.lang == "es" else "es"
    hand.speak(other_lang)
    hand.until("lang => document.documentElement.lang === lang", other_lang)
    hand.until("lang => document.cookie.includes('escucha_lang=' + lang)", other_lang)
    hand.follow('a.e-chip[href*="pulse?"]')
    hand.address("/pulse.*until=|/pulse.*days=7")
    hand.see("[data-testid=stVegaLiteChart]")
    cell = ".e-heat tbody td a"
    words = hand.see(cell).inner_text()
    hand.follow(cell)
    hand.address("/posts")
    hand.see(".e-heard .e-card")
    assert hand.see(".e-nums b").inner_text() == words
    assert hand.page.evaluate("() => document.documentElement.lang") == other_lang, "the language is kept"
    hand.speak(hand.lang)
    hand.until("lang => document.documentElement.lang === lang", hand.lang)
    ground = hand.see("[data-testid=stApp]").evaluate("one => getComputedStyle(one).backgroundColor")
    assert ground == ("rgb(17, 24, 25)" if hand.width < 768 else "rgb(255, 255, 255)"), "the theme is kept"


TASKS: tuple[Callable[[Any], None], ...] = (
    see_why_and_acknowledge_the_most_urgent,
    triage_five_rows_without_leaving_the_list,
    mend_a_search_save_it_and_share_it,
    correct_who_speaks_and_see_the_case_sent_anew,
    answer_from_a_template_and_go_on,
    close_three_and_take_it_back,
    put_off_until_tomorrow_find_it_and_wake_it,
    give_it_to_a_colleague_who_sees_it_with_a_note,
    go_from_a_spike_to_its_posts_and_a_case,
    read_the_digest_and_follow_a_figure_in_another_language,
)
