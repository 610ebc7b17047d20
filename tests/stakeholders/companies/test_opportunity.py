"""What press and peers said well of us, and whether our accounts took it up: never told where we do not listen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from listener.mention import Author
from stakeholders.companies.opportunity import Opportunities, opportunities
from stakeholders.companies.uptake import links_of
from stakeholders.letters.peerlines import opportunity_lines
from tests.stakeholders.business import NOW, a_config, a_day, tell
from tests.stakeholders.weeks import ask_every

HOUR = timedelta(hours=1)
PRESS = Author("canalandes", "Canal Andes", bio="periodista en diario. Noticias del país", followers=90000)
PRAISE = "Mariana Quispe, gerente de Nítido, destacó en #CADE2026 que la red rural llegará a 300 pueblos"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return a_config(tmp_path, registry={"files": []})


@pytest.fixture
def desk_store(config: Config) -> Iterator[Store]:
    made = Store(config.store_url)
    made.migrate()
    yield made
    made.close()


def listen(connection: Connection, until: Any = None, source: str = "x") -> None:
    """Ask a source every half hour for the days around."""
    ask_every(connection, source, HOUR / 2, NOW - timedelta(days=3), until or NOW + timedelta(days=2))


def press_says(connection: Connection, config: Config, text: str = PRAISE, mood: str = "positive", **more: Any) -> None:
    tell(connection, config, PRESS, text, mood, source=more.pop("source", "news-rss"), **more)


def we_say(connection: Connection, config: Config, text: str, after: timedelta, **more: Any) -> None:
    tell(connection, config, "us", text, at=NOW + after, decide=False, **more)


def look(connection: Connection, config: Config, after: timedelta = 12 * HOUR) -> Opportunities:
    return opportunities(connection, config.settings, a_day(), "nitido", NOW + after)


def a_quiet_account(connection: Connection, config: Config) -> None:
    """Let our account speak of something else, so that it is known to be heard."""
    listen(connection)
    we_say(connection, config, "Hoy cambiamos el horario de la tienda de Jauja", -2 * HOUR)


def test_praise_that_nobody_of_ours_took_up_was_missed_and_says_what_would_have_counted(
    store: Store, tmp_path: Path
) -> None:
    config = a_config(tmp_path, store.url)
    with store.write() as connection:
        a_quiet_account(connection, config)
        press_says(connection, config, url="https://andes.example/nota?utm_source=x")
        told = look(connection, config)
    (one,) = told.items
    assert (one.state, one.stakeholder, one.who, one.answer) == ("missed", "press", "Canal Andes", None)
    assert told.missed == 1
    assert told.accounts == ("@nitidope",)
    assert [person.name for person in one.people] == ["Mariana Quispe"]
    assert 11.9 < one.hours < 12.1
    words = " ".join(reason.say("en") for reason in (*one.because, *one.wanted))
    for part in ("speaks well of us", "Mariana Quispe", "CADE 2026", "12 h after", "@nitidope", "@canalandes"):
        assert part in words
    (line,) = opportunity_lines(told)
    assert line.urgent
    assert "1" in line.reason.say("es")
    assert [item.url for item in line.items] == ["https://andes.example/nota?utm_source=x"]


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("Lean esto: https://www.andes.example/nota/?fbclid=1#top", "its link"),
        ("Gracias @CanalAndes por contarlo", "@canalandes"),
        ("Así vivimos el día en CADE Ejecutivos", "same event"),
        ("Nuestra gerente Mariana Quispe hoy con ustedes", "same person"),
        (PRAISE + " 👏", "same words"),
    ],
)
def test_a_post_of_ours_about_it_takes_it_up(config: Config, desk_store: Store, text: str, how: str) -> None:
    with desk_store.write() as connection:
        a_quiet_account(connection, config)
        press_says(connection, config, url="https://andes.example/nota?utm_source=x")
        we_say(connection, config, text, 2 * HOUR)
        (one,) = look(connection, config).items
    assert one.state == "taken", [reason.say("en") for reason in one.because]
    assert how in one.because[-1].say("en")
    assert one.answer is not None
    assert 1.9 < one.hours < 2.1


def test_an_answer_in_its_thread_takes_it_up_and_one_in_another_thread_does_not(
    config: Config, desk_store: Store
) -> None:
    with desk_store.write() as connection:
        a_quiet_account(connection, config)
        press_says(connection, config, source="x", native_id="77")
        we_say(connection, config, "Lo contamos con gusto", HOUR, in_reply_to="78")
        assert look(connection, config).items[0].state == "missed"
        we_say(connection, config, "Lo contamos con gusto", HOUR, in_reply_to="77")
        assert look(connection, config).items[0].state == "taken"


def test_our_praise_of_a_rivals_speech_at_the_same_event_takes_up_nothing_of_ours(
    config: Config, desk_store: Store
) -> None:
    with desk_store.write() as connection:
        a_quiet_account(connection, config)
        press_says(connection, config)
        we_say(connection, config, "Gran exposición de Lucía Ferreyros, de Brisatel, en #CADE2026", HOUR)
        assert look(connection, config).items[0].state == "missed"
        we_say(connection, config, "Gracias a todos los que pasaron por nuestro panel en #CADE2026", HOUR)
        assert look(connection, config).items[0].state == "taken"


def test_until_the_hours_are_over_it_is_a_to_do_and_what_comes_later_was_too_late(
    config: Config, desk_store: Store
) -> None:
    with desk_store.write() as connection:
        a_quiet_account(connection, config)
        press_says(connection, config)
        to_do = look(connection, config, 5 * HOUR)
        assert [one.state for one in to_do.items] == ["open"]
        assert to_do.missed == 0
        assert "1 h are left" in to_do.items[0].because[-1].say("en")
        assert opportunity_lines(to_do)[0].urgent
        edge = look(connection, config, 6 * HOUR + timedelta(minutes=1))
        assert [one.state for one in edge.items] == ["missed"]
        we_say(connection, config, "Gracias @canalandes", 8 * HOUR)
        (late,) = look(connection, config).items
    assert late.state == "missed"
    assert late.answer is not None
    assert "only 8 h" in " ".join(reason.say("en") for reason in late.because)


def test_where_no_account_of_ours_is_heard_or_known_nothing_is_told_and_never_zero(
    config: Config, desk_store: Store, tmp_path: Path
) -> None:
    unknown = a_config(tmp_path, brands={"nitido": {"name": "Nítido"}})
    with desk_store.write() as connection:
        listen(connection)
        press_says(connection, config)
        for asked, word in ((config, "was heard"), (unknown, "in the configuration")):
            told = look(connection, asked)
            assert [one.state for one in told.items] == ["untold"]
            assert told.missed is None
            assert told.why_not is not None
            assert word in told.why_not.say("en")
            assert not opportunity_lines(told)[0].urgent


def test_a_gap_in_hearing_our_accounts_leaves_it_untold_unless_we_are_known_to_have_spoken(
    config: Config, desk_store: Store
) -> None:
    with desk_store.write() as connection:
        ask_every(connection, "x", HOUR / 2, NOW - timedelta(days=3), NOW + HOUR)
        ask_every(connection, "x", HOUR / 2, NOW + 9 * HOUR, NOW + timedelta(days=1))
        we_say(connection, config, "Hoy cambiamos el horario", -2 * HOUR)
        press_says(connection, config)
        (one,) = look(connection, config).items
        assert one.state == "untold"
        assert "x was not heard" in one.because[-1].say("en")
        we_say(connection, config, "Gracias @canalandes", HOUR / 2)
        assert look(connection, config).items[0].state == "taken"


def test_an_import_says_nothing_of_what_came_after_it(config: Config, desk_store: Store) -> None:
    with desk_store.write() as connection:
        ask_every(connection, "x", timedelta(days=30), NOW + HOUR, NOW + 2 * HOUR)
        we_say(connection, config, "Hoy cambiamos el horario", -2 * HOUR)
        press_says(connection, config)
        assert look(connection, config).items[0].state == "untold"


@pytest.mark.parametrize(
    ("who", "text", "mood"),
    [
        (PRESS, "Multan a Nítido, dijo Mariana Quispe", "negative"),
        (PRESS, "Nítido abre una tienda", "neutral"),
        (Author("ana", "Ana"), "Nítido es lo máximo", "positive"),
        ("us", "En Nítido somos los mejores", "positive"),
        (PRESS, "Brisatel es lo máximo", "positive"),
    ],
)
def test_blame_plain_news_customers_and_our_own_words_are_no_opportunity(
    config: Config, desk_store: Store, who: Any, text: str, mood: str
) -> None:
    with desk_store.write() as connection:
        a_quiet_account(connection, config)
        tell(connection, config, who, text, mood, source="news-rss" if who is PRESS else "x")
        assert look(connection, config).items == ()


def test_what_our_people_said_is_one_even_in_neutral_words_and_copies_count_once(
    config: Config, desk_store: Store
) -> None:
    from listener.store import posts

    with desk_store.write() as connection:
        a_quiet_account(connection, config)
        for minute in range(3):
            press_says(connection, config, mood="neutral", at=NOW + timedelta(minutes=minute))
        first = min(connection.scalars(posts.select().with_only_columns(posts.c.id).where(posts.c.source != "x")))
        connection.execute(posts.update().where(posts.c.source != "x").values(cluster=first))
        (one,) = look(connection, config).items
    assert one.copies == 2
    assert "passes on what our people said" in one.because[0].say("en")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Config, Store]]:
    """Give one store for many examples, each of which is rolled back."""
    config = a_config(tmp_path_factory.mktemp("states"))
    made = Store(config.store_url, durable=False)
    made.migrate()
    yield config, made
    made.close()


@settings(max_examples=40, deadline=None)
@given(said=st.lists(st.tuples(st.integers(-8, 20), st.booleans()), max_size=6), later=st.integers(1, 30))
def test_every_opportunity_is_in_one_state_and_only_time_makes_it_missed(
    archive: tuple[Config, Store], said: list[tuple[int, bool]], later: int
) -> None:
    config, store = archive
    with store.engine.connect() as connection, connection.begin() as work:
        a_quiet_account(connection, config)
        press_says(connection, config)
        for hours, about in said:
            words = "Gracias @canalandes" if about else f"Cambiamos el horario {hours}"
            we_say(connection, config, words, hours * HOUR)
        told = look(connection, config, later * HOUR)
        work.rollback()
    (one,) = told.items
    in_time = any(about and -6 <= hours <= min(6, later) for hours, about in said)
    assert one.state == ("taken" if in_time else "open" if later <= 6 else "missed")
    assert sum(len(told.of(state)) for state in ("open", "missed", "untold", "taken")) == len(told.items)


def test_links_are_the_same_however_they_were_passed_on() -> None:
    same = links_of("mira https://www.andes.example/nota/?utm_source=x&id=3.", None)
    assert same == links_of("https://m.andes.example/nota?id=3&fbclid=z#a")
    assert links_of("https://andes.example", "https://[::1", "ftp://a/b") == frozenset()
    assert links_of("https://andes.example/nota?id=4") != same
