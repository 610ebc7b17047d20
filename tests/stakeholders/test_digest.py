"""The weekly letter: said plainly, sealed, sent once, and harmless whatever strangers wrote."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from listener.errors import EscuchaError
from stakeholders import digest, insight
from stakeholders.counting.figures import Figures
from stakeholders.counting.period import week
from stakeholders.counting.sealed import from_json, seal, to_json
from stakeholders.letters import charts
from stakeholders.store import alerts, digests
from tests.stakeholders.weeks import ask_every, config_of, open_case, reject, say

LIMA = ZoneInfo("America/Lima")
WEEK = week("2026-W46", LIMA)
MONDAY = WEEK.end + timedelta(hours=8)  # the Monday after, 08:00 in Lima
SOURCES = {"x": {"kind": "x", "enabled": False}}
HOSTILE = (
    '<img src="https://malo.example/pixel.png" onerror=alert(1)><script>x</script> {{ 7*7 }} {quote_brand} %s '
    "![a](https://malo.example/b.png) \u202eexe.txt 987 654 321 yo@correo.example"
)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path, sources=SOURCES)


def english(tmp_path: Path, **tables: Any) -> Config:
    return config_of(
        tmp_path, digest={"to": ["mail:director@example.org"], "language": "en"}, sources=SOURCES, **tables
    )


def heard(connection: Connection) -> None:
    """Listen to the one source for the week and five weeks before."""
    ask_every(connection, "x", timedelta(hours=1), WEEK.start - timedelta(days=35), WEEK.end)


def a_bad_week(connection: Connection) -> None:
    """Write a week that fell from good to bad, with an outage, an overdue alert and a rival."""
    heard(connection)
    for place in range(60):
        say(connection, WEEK.start - timedelta(days=3, minutes=place), sentiment="positive")
        say(connection, WEEK.start + timedelta(hours=place), sentiment="negative" if place % 3 else "neutral")
        say(connection, WEEK.start + timedelta(hours=place), "brisatel", sentiment="neutral")
    at = WEEK.start + timedelta(days=2, hours=9)
    ids = [
        say(connection, at, sentiment="negative", author=f"a{n}", text=f"Sin señal en Trujillo {n}") for n in range(40)
    ]
    open_case(connection, ids, at, department="network_quality", priority="alert", due=at + timedelta(hours=1))
    say(connection, at, relevant=False)
    say(connection, at, sentiment=None)
    reject(connection, at)


def built(connection: Connection, config: Config, now: datetime = MONDAY, lang: str = "en") -> digest.Digest:
    return digest.build(connection, config, "2026-W46", "nitido", lang, now)


class Tags(HTMLParser):
    """Collect tags, their attributes and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Tags:
    page = Tags()
    page.feed(html)
    return page


def test_a_bad_week_says_so_first(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        a_bad_week(connection)
        letter = built(connection, english(tmp_path))
    first, third, second = letter.outline.sentences
    assert first.words.startswith("The week went badly: net sentiment fell from +100 to −")
    assert "Wednesday 11 November" in second.words
    assert "Trujillo" in second.words
    assert third.words == "One case is past its time and nobody has answered it."
    assert first.bad
    assert third.bad
    text = digest.render_text(letter)
    assert text.index("went badly") < text.index("WHAT NEEDS YOU") < text.index("WHAT HAPPENED") < text.index("HONEST")


def test_bad_news_stands_before_good_news(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        heard(connection)
        for place in range(60):
            say(connection, WEEK.start - timedelta(days=1, minutes=place), sentiment="negative")
            say(connection, WEEK.start + timedelta(hours=2 * place), sentiment="positive")
        old = WEEK.start - timedelta(days=9)
        open_case(connection, [say(connection, old)], old, due=old)
        sentences = built(connection, english(tmp_path)).outline.sentences
    assert sentences[0].words == "One case is past its time and nobody has answered it."
    assert sentences[1].words.startswith("The week went better: net sentiment rose")


def test_the_letter_has_every_figure_of_the_pages_and_its_sums_agree(store: Store, config: Config) -> None:
    with store.write() as connection:
        a_bad_week(connection)
        figures = built(connection, config).figures
        assert figures.honest == insight.honest_counts(connection, WEEK, "nitido", MONDAY)
        assert figures.net == insight.net_sentiment(connection, WEEK, "nitido")
        assert list(figures.days) == insight.volume_by_day(connection, WEEK, ["nitido"])
        assert figures.cases == insight.case_counts(connection, WEEK, "nitido", MONDAY)
    honest = figures.honest
    assert honest.reconciles()
    assert (honest.relevant, honest.excluded, honest.waiting, honest.rejected) == (100, 1, 1, 1)
    assert honest.relevant == sum(day.mentions or 0 for day in figures.days)
    assert honest.relevant == sum(voice.mentions for voice in figures.voices)
    assert honest.relevant == next(share.mentions for share in figures.shares if share.brand == "nitido")
    assert figures.cases.opened == sum(line.cases for line in figures.responses)


def test_the_same_data_gives_the_same_seal_and_a_change_another(store: Store, config: Config) -> None:
    with store.write() as connection:
        a_bad_week(connection)
        one, same = built(connection, config), built(connection, config, MONDAY + timedelta(days=2), "es")
        assert one.hash == same.hash
        assert digest.render_html(one) == digest.render_html(built(connection, config))
        say(connection, WEEK.start)
        assert built(connection, config).hash != one.hash


def numbers(words: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", words)]


def test_new_cases_are_answered_closed_without_an_answer_or_open_in_the_letter_and_in_each_row(
    store: Store, tmp_path: Path
) -> None:
    at = WEEK.start + timedelta(hours=9)
    later = at + timedelta(hours=2)
    with store.write() as connection:
        heard(connection)
        made: dict[str, list[dict[str, datetime]]] = {
            "customer_care": [{"answered": later}] * 4 + [{"closed": later}, {}, {}],
            "legal_regulatory": [{"answered": later, "closed": later}, {"acknowledged": at, "closed": later}],
            "sales": [{}],
        }
        for department, times in made.items():
            for facts in times:
                due = at + timedelta(hours=5)
                open_case(connection, [say(connection, at)], at, department=department, **({"due": due} | facts))
        letter = built(connection, english(tmp_path))
    (section,) = [one for one in letter.outline.sections if one.title == "What was done"]
    told, table = section.blocks
    assert told.words == (
        "New cases: 10. Answered: 5, 5 of them in time. Closed without an answer: 2. Still without an answer: 3."
    )
    assert letter.figures.cases.reconciles()
    rows = {label: (value, note) for label, value, note in table.rows}
    assert rows["Customer care"] == (
        "7 cases · 4 answered, 4 in time",
        "median 2\u00a0h · 1 closed without an answer · 2 without an answer",
    )
    assert rows["Sales"] == ("1 case · 0 answered", "1 without an answer")
    legal = ("2 cases · 1 answered, 1 in time", "1 closed without an answer")
    assert legal in rows.values(), "a median of one case is not shown"
    sums = [0, 0, 0, 0]
    for line in letter.figures.responses:
        assert line.cases == line.measured + line.closed_unanswered + line.open
        parts = (line.cases, line.measured, line.closed_unanswered, line.open)
        sums = [total + part for total, part in zip(sums, parts, strict=True)]
    opened, answered, _, closed, still = numbers(told.words)
    assert sums == [opened, answered, closed, still]


def test_cases_that_do_not_fit_are_counted_and_lead_to_the_inbox(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        heard(connection)
        for place in range(7):
            open_case(connection, [say(connection, WEEK.start)], WEEK.start, due=WEEK.start + timedelta(hours=place))
        letter = built(connection, english(tmp_path))
    text, html = digest.render_text(letter), digest.render_html(letter)
    assert "Overdue: 7." in text
    assert text.count("· overdue]") == 5
    assert "and 2 more in the inbox: https://escucha.example.org/" in text
    assert "and 2 more in the inbox</a>" in html


def test_a_recount_that_differs_from_the_letter_before_says_so(store: Store, tmp_path: Path) -> None:
    config = english(tmp_path)
    with store.write() as connection:
        heard(connection)
        for place in range(30):
            say(connection, WEEK.start - timedelta(days=2, minutes=place), sentiment="negative")
            say(connection, WEEK.start + timedelta(hours=place), sentiment="positive")
        assert "letter before" not in digest.render_text(built(connection, config))
        digest.queue_due(connection, config, WEEK.start + timedelta(hours=8))
        assert "letter before" not in digest.render_text(built(connection, config)), "nothing changed since"
        say(connection, WEEK.start - timedelta(days=2), sentiment="neutral")
        assert "(−100 points in the letter before; more of that week was counted since)" in digest.render_text(
            built(connection, config)
        )
        say(connection, WEEK.start - timedelta(days=2), sentiment="positive", by="person")
        letter = built(connection, config)
    text = digest.render_text(letter)
    assert "rose from −91 points (−100 points in the letter before; labels were corrected since)" in text
    assert "The letter before said −100 points; labels of that week were corrected since." in text
    assert from_json(Figures, to_json(letter.figures)) == letter.figures


@pytest.mark.parametrize(("late", "bad"), [(1, False), (2, True)])
def test_when_half_of_the_answers_were_late_the_opening_says_so(
    store: Store, tmp_path: Path, late: int, bad: bool
) -> None:
    with store.write() as connection:
        heard(connection)
        for place in range(4):
            answered = WEEK.start + timedelta(hours=9 if place < late else 1)
            ids = [say(connection, WEEK.start, sentiment="positive")]
            open_case(connection, ids, WEEK.start, due=WEEK.start + timedelta(hours=8), answered=answered)
        sentences = built(connection, english(tmp_path)).outline.sentences
    done = f"New cases: 4; answered: 4, {4 - late} of them in time; none is overdue."
    if bad:
        assert sentences[0].words == f"Answers to the new cases that came late: 2 of 4. {done}"
    else:
        assert sentences[-1].words == done
    assert sentences[0].bad is bad


def test_an_unusual_day_is_measured_against_days_that_are_named(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        a_bad_week(connection)
        text = digest.render_text(built(connection, english(tmp_path)))
    assert "are usual (from the 4 Wednesdays before)" in text


def test_percentages_are_written_in_one_way(store: Store, config: Config) -> None:
    with store.write() as connection:
        a_bad_week(connection)
        letter = built(connection, config, lang="es")
    told = charts.describe_shares(letter.figures.shares, letter.figures.names, letter.wording)
    assert re.search(r"\d\u00a0% \(\d+–\d+\u00a0%\)", told)
    assert not re.search(r"\d%", told.partition(".")[2])


def test_an_empty_week_is_said_plainly_and_is_no_success(store: Store, tmp_path: Path) -> None:
    config = english(tmp_path)
    with store.write() as connection:
        nothing = built(connection, config)
        heard(connection)
        silent = built(connection, config)
        say(connection, WEEK.start, sentiment=None)
        waiting = built(connection, config)
    assert nothing.headline[0].bad
    assert "missing data, not silence" in nothing.outline.sentences[0].words
    assert nothing.outline.subject.endswith("nothing was heard")
    assert silent.outline.sentences[0].words.startswith("Nobody mentioned Nítido in the sources that were heard")
    assert "mentions of Nítido that still wait to be judged: 1." in waiting.outline.sentences[0].words
    for letter in (nothing, silent, waiting):
        text = digest.render_text(letter) + digest.render_html(letter)
        assert "net sentiment 0" not in text.casefold()
        assert "0%" not in read(digest.render_html(letter)).text


def test_what_strangers_wrote_is_never_markup_and_nothing_is_fetched(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        ids = [say(connection, WEEK.start, sentiment="negative", author=HOSTILE, text=HOSTILE, stakeholder="press")]
        ids.append(say(connection, WEEK.start, author="b"))
        open_case(connection, ids, WEEK.start, stakeholder="press", due=WEEK.start)
        letter = built(connection, config)
        html = digest.render_html(letter)
        mail = digest.render_html(letter, "cid")
        text = digest.render_text(letter)
    for page in (read(html), read(mail)):
        tags = {tag for tag, _ in page.tags}
        assert not tags & {"script", "iframe", "link", "object", "form", "svg", "base"}
        assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
        for tag, attributes in page.tags:
            if tag == "img":
                assert str(attributes["src"]).startswith(("cid:", "data:image/png;base64,"))
                assert len(str(attributes["alt"])) > 20
            if tag == "a":
                assert str(attributes["href"]).startswith(
                    ("https://escucha.example.org/", "https://github.com/escucha/")
                )
        assert "{{ 7*7 }}" in page.text
    for out in (html, mail, text):
        assert not re.search(r"malo\.example|@correo|987 654|\u202e|url\(", out)


def test_private_people_are_not_named_in_any_part_of_the_letter(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        for stakeholder in ("customer", "employee", "public", "investor", "press"):
            heard_one = say(connection, WEEK.start, author=f"Nombre {stakeholder}", stakeholder=stakeholder)
            open_case(connection, [heard_one], WEEK.start, stakeholder=stakeholder, due=WEEK.start)
        letter = built(connection, config)
        out = digest.render_html(letter) + digest.render_text(letter) + str(to_json(letter.figures))
    assert set(re.findall(r"Nombre \w+", out)) == {"Nombre press"}


def test_gaps_and_sources_not_connected_are_named(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=1), WEEK.start - timedelta(days=9), WEEK.start + timedelta(days=3))
        say(connection, WEEK.start, sentiment="positive")
        sources = SOURCES | {"reddit": {"kind": "reddit", "enabled": False}}
        config = config_of(tmp_path, sources=sources)
        text = digest.render_text(built(connection, config))
    assert "Not connected or not heard at all: reddit." in text
    assert "x: 4\u00a0d\u00a01\u00a0h (11 Nov, 23:00 – 16 Nov, 00:00: nobody asked it)" in text
    assert "Fri 13: not heard" in text


def test_overlapping_intervals_are_no_real_change(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        heard(connection)
        for place in range(20):
            say(
                connection,
                WEEK.start - timedelta(days=2, minutes=place),
                sentiment="positive" if place % 2 else "negative",
            )
            say(connection, WEEK.start + timedelta(hours=place), sentiment="positive" if place % 3 else "negative")
        text = digest.render_text(built(connection, english(tmp_path)))
    assert "The tone did not really change" in text
    assert text.count("No real change from") == 2
    assert "than chance explains" not in text


def test_a_first_week_has_nothing_to_compare_with_and_says_so(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=1), WEEK.start, WEEK.end)
        say(connection, WEEK.start, sentiment="positive")
        text = digest.render_text(built(connection, english(tmp_path)))
    assert text.count("The week before was not heard") == 2
    assert (
        "Mentions of Nítido: 1, with a net sentiment of +100 points; there is no week before to compare with." in text
    )


def test_a_week_that_is_not_over_says_so(store: Store, tmp_path: Path) -> None:
    with store.write() as connection:
        heard(connection)
        letter = built(connection, english(tmp_path), WEEK.start + timedelta(days=3))
    assert "this week is not over" in letter.outline.overline


@pytest.mark.parametrize("lang", ["es", "en", "pt"])
def test_it_takes_five_minutes_to_read_in_every_language(store: Store, config: Config, lang: str) -> None:
    with store.write() as connection:
        a_bad_week(connection)
        for place in range(30):
            at = WEEK.start + timedelta(hours=place)
            open_case(connection, [say(connection, at, text="palabra " * 90, author=str(place))], at, due=at)
        page = read(digest.render_html(built(connection, config, lang=lang)))
    text = re.sub(r"\s+", " ", page.text.partition("}\n}")[2] or page.text)
    assert len(text.split()) < 1000, "at 200 words a minute"
    assert "None" not in text
    assert not re.search(r"\{\w+\}", text)


def test_an_unknown_week_or_brand_is_a_clear_fault(store: Store, config: Config) -> None:
    with store.read() as connection:
        with pytest.raises(EscuchaError, match="2026-W46"):
            digest.build(connection, config, "2026-46", "nitido", "es", MONDAY)
        with pytest.raises(EscuchaError, match="nitido"):
            digest.build(connection, config, "2026-W46", "brisatel", "es", MONDAY)


def rows_of(connection: Connection) -> list[sa.Row[Any]]:
    return list(connection.execute(sa.select(alerts).order_by(alerts.c.id)))


def test_it_is_queued_once_per_week_and_address_at_its_hour_and_not_before(store: Store, tmp_path: Path) -> None:
    config = config_of(
        tmp_path, sources=SOURCES, digest={"to": ["mail:a@example.org", "mail:b@example.org", "mail:A@example.org"]}
    )
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=1), WEEK.start, WEEK.end)
        say(connection, WEEK.start)
        assert digest.queue_due(connection, config, MONDAY - timedelta(seconds=1)) == 0
        assert digest.queue_due(connection, config, MONDAY) == 2
        assert digest.queue_due(connection, config, MONDAY) == 0
        assert digest.queue_due(connection, config, MONDAY + timedelta(days=6)) == 0
        rows = rows_of(connection)
        kept = connection.execute(sa.select(digests)).one()
    assert {(row.kind, row.channel, row.state) for row in rows} == {("digest", "mail", "pending")}
    assert [row.recipient for row in rows] == ["a@example.org", "b@example.org"]
    assert all(re.fullmatch(r"digest/2026-W46/nitido/[0-9a-f]{16}", row.key) for row in rows)
    assert (kept.key, kept.week, kept.brand, kept.lang) == ("2026-W46/nitido/es", "2026-W46", "nitido", "es")


def test_a_missed_monday_is_made_good_after_a_restart(store: Store, config: Config) -> None:
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=1), WEEK.start, WEEK.end)
        assert digest.queue_due(connection, config, MONDAY + timedelta(days=3, hours=5)) == 1
        assert rows_of(connection)[0].payload == {"digest": "2026-W46/nitido/es"}


def test_early_on_the_next_monday_the_missed_letter_is_still_the_one_owed(store: Store, config: Config) -> None:
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=1), WEEK.start, WEEK.end + timedelta(days=7))
        assert digest.queue_due(connection, config, MONDAY + timedelta(days=7, hours=-2)) == 1
        assert digest.queue_due(connection, config, MONDAY + timedelta(days=7)) == 1
        weeks = [row.payload["digest"].split("/")[0] for row in rows_of(connection)]
    assert weeks == ["2026-W46", "2026-W47"]


def test_an_instance_that_did_not_exist_in_that_week_sends_no_letter(store: Store, config: Config) -> None:
    with store.write() as connection:
        assert digest.queue_due(connection, config, MONDAY) == 0
        ask_every(connection, "x", timedelta(hours=1), WEEK.end, WEEK.end + timedelta(hours=5))
        assert digest.queue_due(connection, config, MONDAY) == 0
        say(connection, WEEK.end - timedelta(minutes=1))
        assert digest.queue_due(connection, config, MONDAY) == 1


@pytest.mark.parametrize(
    ("zone", "utc_hour"), [("America/Lima", 14), ("America/Mexico_City", 15), ("Europe/Madrid", 8)]
)
def test_thursday_at_half_past_nine_is_local_time(tmp_path: Path, zone: str, utc_hour: int) -> None:
    table = {"to": ["mail:a@example.org"], "day": "thu", "at": time(9, 30)}
    config = config_of(tmp_path, digest=table, instance={"timezone": zone})
    due = datetime(2026, 11, 19, utc_hour, 30, tzinfo=UTC)
    assert digest.due_week(config, due) == week("2026-W46", ZoneInfo(zone))
    assert digest.due_week(config, due - timedelta(minutes=1)) == week("2026-W45", ZoneInfo(zone))


def test_a_late_letter_says_what_the_first_said_although_the_data_changed(store: Store, config: Config) -> None:
    with store.write() as connection:
        a_bad_week(connection)
        digest.queue_due(connection, config, MONDAY)
        (row,) = rows_of(connection)
        first = digest.letter_for(connection, config, row)
        for _ in range(50):
            say(connection, WEEK.start)
        assert digest.letter_for(connection, config, row) == first
        message = digest.write_letter(connection, config, row, MONDAY)
    assert (message.key, message.recipient, message.subject) == (row.key, "director@example.org", first.subject)
    assert {picture.name for picture in message.pictures} == {"volume", "shares", "voices"}
    for name in first.pictures:
        assert f'src="cid:{name}"' in first.html
    assert "\n" not in first.subject


def test_figures_come_back_from_the_archive_as_they_were(store: Store, config: Config) -> None:
    with store.write() as connection:
        a_bad_week(connection)
        figures = built(connection, config).figures
        digest.queue_due(connection, config, MONDAY)
        kept = connection.execute(sa.select(digests)).one()
    assert from_json(Figures, kept.figures) == figures
    assert kept.hash == seal(figures) == seal(from_json(Figures, kept.figures))


def test_a_letter_whose_figures_are_gone_is_a_lookup_error(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        digest.queue_due(connection, config, MONDAY)
        (row,) = rows_of(connection)
        connection.execute(digests.delete())
        with pytest.raises(LookupError):
            digest.letter_for(connection, config, row)


def test_the_command_line_gets_the_last_whole_week_of_the_first_brand(store: Store, config: Config) -> None:
    with store.write() as connection:
        heard(connection)
        assert digest.write(connection, config, None, None, MONDAY).figures.week == "2026-W46"
        assert digest.write(connection, config, "2026-W45", "nitido", MONDAY).figures.week == "2026-W45"
