"""What a page counts and shows of exchanges and opportunities is what reading every post gives, whatever happened."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from listener.intake import save_page
from listener.match import Matcher
from listener.mention import Author, Post
from listener.spoken import fill
from listener.store import authors, mentions, posts
from sentiment.store import save_verdicts, verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.companies import outlook, survey
from stakeholders.companies.opportunity import STATES, opportunities
from stakeholders.companies.outlook import survey_opportunities
from stakeholders.companies.peer import Peers, exchanges, peers_of, totals
from stakeholders.companies.recognition import is_kept, recognise
from stakeholders.companies.survey import survey_exchanges
from stakeholders.counting.period import last_days
from stakeholders.desk import Desk
from stakeholders.scope import limit
from stakeholders.store import decisions, spoken
from tests.stakeholders.business import AUTHORS, NOW, a_config, tell
from tests.stakeholders.weeks import ask_every

DAY = timedelta(days=1)
LIMA = ZoneInfo("America/Lima")
PRESS = Author("canalandes", "Canal Andes", bio="periodista en diario. Noticias del país", followers=90000)
SPEAKERS = (*AUTHORS.values(), PRESS, PRESS, Author("otrape", "Otra"), Author("bancosol", "Banco Sol", bio="Banco."))
SAYINGS = (
    "Felicitamos a Brisatel por su red",
    "Otra caída de Nítido en Lima",
    "Mariana Quispe, gerente de Nítido, destacó en #CADE2026 que la red llegará a 300 pueblos",
    "Nítido y Brisatel suben precios",
    "Gracias a Otra y a Nítido, grandes socios: https://andes.example/nota",
    "Ondavía estuvo en CADE Ejecutivos con Lucía Ferreyros, de Brisatel",
    "RT @nitidope: Nítido llega a la selva",
)
OURS = (
    "Gracias @canalandes por contarlo",
    "Nuestra Mariana Quispe habló en #CADE2026",
    "Hoy cambiamos el horario de la tienda de Jauja",
    "Lean https://andes.example/nota",
)
MOODS = ("negative", "neutral", "positive")


def instance(folder: Path, store: Store, *, listening: bool = True, **more: Any) -> Config:
    brands: dict[str, dict[str, Any]] = {
        "nitido": {
            "name": "Nítido",
            "executives": ["Mariana Quispe"],
            "own_handles": ["@nitidope"],
            "care_handles": ["@nitidoayuda"],
        },
        "otra": {"name": "Otra", "own_handles": ["@otrape"]},
    }
    if not listening:  # then of nothing can be told what became of it
        brands = {key: {"name": table["name"]} for key, table in brands.items()}
    return a_config(folder, store.url, brands=brands, registry={"files": []}, **more)


class Life:
    """Let companies, the press and our own accounts speak, and let everything be changed that can be."""

    def __init__(self, config: Config, seed: int) -> None:
        self.config = config
        self.draw = random.Random(seed)
        self.desk = Desk(config)
        self.matcher = Matcher(config.brands)
        self.said = self.ways = 0

    def say(self, connection: Connection, author: Author | None = None, text: str | None = None) -> list[int]:
        draw = self.draw
        self.said += 1
        at = NOW - draw.randrange(5) * DAY + timedelta(seconds=draw.randrange(3000))  # some in the same hour
        heard = at + timedelta(minutes=draw.choice((1, 1, 200)))
        text = text or f"{draw.choice(SAYINGS)}{draw.choice(('', ' 😀', f' n.º {self.said}'))}"
        author = author or draw.choice(SPEAKERS)
        source = "x" if author is not PRESS else "news-rss"
        url = f"https://andes.example/{draw.randrange(9)}"
        post = Post(source, f"p{self.said}", text, at, author, lang="es", url=url)
        save_page(connection, source, [post], self.matcher.mentions(post), [], None, heard)
        post_id = connection.scalar(sa.select(sa.func.max(posts.c.id)))
        if draw.random() < 0.7:
            same = connection.scalar(sa.select(sa.func.min(posts.c.id)).where(posts.c.text == text))
            connection.execute(posts.update().where(posts.c.id == post_id).values(cluster=same))
        ids = list(connection.scalars(sa.select(mentions.c.id).where(mentions.c.post_id == post_id)))
        self.judge(connection, ids, heard)
        if draw.random() < 0.95:
            self.desk.settle(connection, ids, heard)
        return ids

    def judge(self, connection: Connection, ids: list[int], at: datetime, by: str = "model") -> None:
        draw = self.draw
        mood = Label(draw.choice((*MOODS, "positive")), 0.9, unsure=draw.random() < 0.2)
        relevant = Label("true" if draw.random() < 0.9 else "false", 1.0)
        verdict = Verdict(relevant, mood, Label("leadership", 0.8), Label("praise", 0.8), "test", by=by)  # type: ignore[arg-type]
        save_verdicts(connection, [(one, verdict) for one in ids], at)

    def change(self, connection: Connection, way: int | None = None) -> None:
        """Change one thing of a mention that was decided: its post, author, verdict or decision; or erase it."""
        draw = self.draw
        one = draw.choice(connection.scalars(sa.select(spoken.c.mention_id).order_by(spoken.c.mention_id)).all())
        post_id = connection.scalar(sa.select(mentions.c.post_id).where(mentions.c.id == one)) or 0
        row = connection.execute(sa.select(posts).where(posts.c.id == post_id)).one()
        of_post, of_author = posts.c.id == post_id, authors.c.id == row.author_id
        of_verdict, of_decision = verdicts.c.mention_id == one, decisions.c.mention_id == one
        who = draw.choice(("press", "peer_company", "customer"))
        ways: tuple[Callable[[], Any], ...] = (
            lambda: self.judge(connection, [one], NOW, by="person"),
            lambda: self.say(connection, draw.choice((AUTHORS["us"], AUTHORS["care"])), draw.choice(OURS)),
            *(
                partial(connection.execute, statement)
                for statement in (
                    posts.update().where(of_post).values(text=draw.choice(SAYINGS)),
                    posts.update().where(of_post).values(cluster=draw.choice((None, post_id, max(1, post_id - 3)))),
                    posts.update().where(of_post).values(url="https://otro.example/x", thread="t1"),
                    posts.update().where(of_post).values(published_at=row.published_at + DAY / 2),
                    posts.update().where(of_post).values(collected_at=row.collected_at + DAY / 8),
                    posts.update().where(of_post).values(author_id=None),
                    posts.delete().where(of_post),
                    authors.update().where(of_author).values(name=draw.choice(("Nuevo", "Banco Sol"))),
                    authors.update().where(of_author).values(handle="nitidope"),
                    authors.update().where(of_author).values(bio="Gerente general de Brisatel", name="Ana"),
                    verdicts.update().where(of_verdict).values(current=False),
                    verdicts.update().where(of_verdict, verdicts.c.current).values(unsure=True, sentiment="positive"),
                    verdicts.update().where(of_verdict, verdicts.c.current).values(relevant=False),
                    verdicts.delete().where(of_verdict),
                    decisions.update().where(of_decision).values(stakeholder=who),
                    decisions.update().where(of_decision).values(hour=decisions.c.hour - 30),
                    decisions.delete().where(of_decision),
                    mentions.update().where(mentions.c.id == one).values(terms=[[0, 2, "Ní"]]),
                    mentions.update().where(mentions.c.id == one).values(hour=mentions.c.hour + 30),
                    mentions.delete().where(mentions.c.id == one),
                )
            ),
        )
        self.ways = len(ways)
        ways[draw.randrange(len(ways)) if way is None else way]()


def compare(connection: Connection, config: Config, now: datetime = NOW) -> int:
    """Hold what pages read against what reading every post gives; give how much was found."""
    found = 0
    week, two = last_days(7, NOW, LIMA), last_days(2, NOW - DAY, LIMA)
    for period, brand, most in ((week, "nitido", 20), (two, "nitido", 2), (week, "otra", 3)):
        every = exchanges(connection, config.settings, period, brand)
        seen = survey_exchanges(connection, config.settings, period, brand, most)
        assert (seen.totals, seen.count, list(seen.newest)) == (totals(every), len(every), every[:most])
        told = opportunities(connection, config.settings, period, brand, now)
        standing = survey_opportunities(connection, config.settings, period, brand, now, most)
        assert standing.items == told.items[:most]
        assert dict(standing.counts) == {state: len(told.of(state)) for state in STATES}
        assert (standing.count, standing.within) == (len(told.items), told.within)
        assert (standing.accounts, standing.why_not) == (told.accounts, told.why_not)
        found += len(every) + len(told.items)
    return found


@pytest.fixture
def read_whole(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the times that every post of a period was read for a page."""
    asked: list[str] = []

    def told(*given: Any, **more: Any) -> Any:
        if more.get("among") is None:
            asked.append("exchanges")
        return exchanges(*given, **more)

    def told_wide(*given: Any, **more: Any) -> Any:
        asked.append("opportunities")
        return opportunities(*given, **more)

    monkeypatch.setattr(survey, "exchanges", told)
    monkeypatch.setattr(outlook, "opportunities", told_wide)
    return asked


@pytest.mark.parametrize("seed", range(2))
def test_a_page_tells_what_reading_every_post_gives_whatever_was_written_changed_or_erased(
    store: Store, tmp_path: Path, seed: int, read_whole: list[str]
) -> None:
    config = instance(tmp_path, store, listening=seed == 0)
    peers, life = peers_of(config.settings), Life(config, seed)
    with store.write() as connection:
        ask_every(connection, "x", timedelta(minutes=30), NOW - 9 * DAY, NOW - DAY / 2)
        life.say(connection, AUTHORS["us"], OURS[2])
        for _ in range(40):
            life.say(connection)
        assert compare(connection, config) > 15
    assert read_whole, "nothing was recognised yet, so every post was read"
    assert recognise(store, peers, NOW) > 20
    read_whole.clear()
    for turn in range(6):
        with store.write() as connection:
            for _ in range(6):
                life.change(connection)
            for _ in range(2):
                life.say(connection)
            assert compare(connection, config, NOW - DAY * life.draw.random()) > 5
        if turn % 2:
            recognise(store, peers, NOW)
            with store.read() as connection:
                compare(connection, config)
    assert read_whole == []
    with limit(store, {"communications"}).read() as connection:
        compare(connection, config)
    with limit(store, {"sales"}).read() as connection:
        compare(connection, config)


@pytest.mark.parametrize("listening", [True, False])
def test_no_way_of_changing_what_was_recognised_leaves_a_page_behind(
    store: Store, tmp_path: Path, read_whole: list[str], listening: bool
) -> None:
    config = instance(tmp_path, store, listening=listening)
    life = Life(config, 11)
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=4), NOW - 9 * DAY, NOW)
        life.say(connection, AUTHORS["us"], OURS[2])
        for _ in range(40):
            life.say(connection)
        life.change(connection, 0)
    recognise(store, peers_of(config.settings), NOW)
    for way in range(life.ways):
        with store.write() as connection:
            for _ in range(3):
                life.change(connection, way)
            compare(connection, config)
        recognise(store, peers_of(config.settings), NOW)
        with store.write() as connection:
            compare(connection, config)
            life.say(connection)
    assert read_whole == []


def test_a_post_whose_hour_is_not_that_of_its_mention_stands_where_its_own_time_puts_it(
    store: Store, tmp_path: Path, read_whole: list[str]
) -> None:
    # No program of ours writes such a row; whoever does by hand gets the same page as ever.
    config = instance(tmp_path, store)
    life, week, later = Life(config, 8), last_days(7, NOW, LIMA), NOW + timedelta(hours=3)
    with store.write() as connection:
        for n in range(6):
            life.say(connection, AUTHORS["rival"], f"Otra caída de Nítido, n.º {n}")
        connection.execute(verdicts.update().values(relevant=True))
        older = exchanges(connection, config.settings, week, "nitido")[-1]
        connection.execute(posts.update().where(posts.c.id == older.post_id).values(published_at=later))
    assert recognise(store, peers_of(config.settings), NOW) > 0
    with store.read() as connection:
        (first,) = survey_exchanges(connection, config.settings, week, "nitido", 1).newest
    assert (first.mention_id, first.at) == (older.mention_id, later)
    assert read_whole == []


def test_words_that_are_changed_while_they_are_looked_at_are_looked_at_again(store: Store, tmp_path: Path) -> None:
    config = instance(tmp_path, store)
    peers, life = peers_of(config.settings), Life(config, 9)
    with store.write() as connection:
        life.say(connection, AUTHORS["rival"], "Otra caída de Nítido")
    recognise(store, peers, NOW)
    with store.write() as connection:
        connection.execute(posts.update().values(text="Nítido cae"))

    def edit() -> None:
        with store.write() as connection:
            connection.execute(posts.update().values(text="En #CADE2026 se habló de Nítido"))

    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    editor = Thread(target=edit)

    def begin(connection: Connection) -> None:
        if editor.ident is None and not connection.get_execution_options().get("reading"):
            editor.start()
            # On PostgreSQL until it really waits for us; else nothing is tried. On SQLite nobody else writes now.
            while store.engine.dialect.name == "postgresql" and editor.is_alive():
                with store.read() as other:
                    if other.exec_driver_sql(waits).scalar_one():
                        break

    # The rows are locked and the words were read, but nothing is committed: now somebody else changes them.
    sa.event.listen(Connection, "commit", begin)
    try:
        recognise(store, peers, NOW)
    finally:
        sa.event.remove(Connection, "commit", begin)
    editor.join()
    with store.read() as connection:
        compare(connection, config)
        assert connection.scalar(sa.select(spoken.c.seal)) is None


def test_a_copy_that_was_not_looked_at_yet_joins_the_text_that_stood_alone(
    store: Store, tmp_path: Path, read_whole: list[str]
) -> None:
    config = instance(tmp_path, store, listening=False)
    with store.write() as connection:
        for n in range(4):
            tell(connection, config, PRESS, f"Premian a Nítido, n.º {n}", "positive", at=NOW - DAY - n * DAY / 1440)
    recognise(store, peers_of(config.settings), NOW)
    with store.write() as connection:
        assert compare(connection, config) == 2 * 4
        oldest = connection.scalar(sa.select(sa.func.max(posts.c.id)))
        tell(connection, config, PRESS, "Premian a Nítido, n.º 3", "positive", at=NOW - DAY)
        copy = sa.select(sa.func.max(posts.c.id)).scalar_subquery()
        connection.execute(posts.update().where(posts.c.id == copy).values(cluster=oldest))
        assert compare(connection, config) == 2 * 4
    recognise(store, peers_of(config.settings), NOW)
    with store.read() as connection:
        assert compare(connection, config) == 2 * 4
    assert read_whole == []


def test_other_rules_recognise_all_anew_and_pages_read_every_post_until_that_is_done(
    store: Store, tmp_path: Path, read_whole: list[str]
) -> None:
    before = instance(tmp_path, store)
    after = instance(tmp_path, store, events=[], competitors={"ondavia": {"name": "Ondavía"}})
    life = Life(before, 5)
    with store.write() as connection:
        for _ in range(15):
            life.say(connection)
    recognise(store, peers_of(before.settings), NOW)
    with store.read() as connection:
        compare(connection, before)
        assert read_whole == []
        compare(connection, after)
        assert set(read_whole) == {"exchanges", "opportunities"}

    class Killed(Exception):
        """End the program between two commits."""

    def kill(_: str) -> None:
        raise Killed

    with pytest.raises(Killed):
        recognise(store, peers_of(after.settings), NOW, step=kill)
    with store.read() as connection:
        assert not is_kept(connection, peers_of(after.settings))
        assert not is_kept(connection, peers_of(before.settings))
        compare(connection, after)
        compare(connection, before)
    recognise(store, Peers(after.settings), NOW)
    read_whole.clear()
    with store.read() as connection:
        compare(connection, after)
    assert read_whole == []
    assert recognise(store, peers_of(after.settings), NOW) == 0


def test_a_row_that_somebody_else_is_writing_ends_the_turn_and_is_looked_at_in_the_next(
    postgres_database: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(postgres_database(migrated=True))
    config = instance(tmp_path, store)
    peers, life = peers_of(config.settings), Life(config, 10)
    caplog.set_level("INFO", "escucha.companies")
    try:
        with store.write() as connection:
            life.say(connection, AUTHORS["rival"], "Nítido falla")
        with store.write() as connection:
            connection.execute(posts.update().values(text="Nítido cae"))
            assert recognise(store, peers, NOW) == 0
        assert "somebody else" in caplog.text
        assert recognise(store, peers, NOW) == 1
    finally:
        store.close()


def test_what_waits_is_looked_at_for_as_long_as_is_given_and_a_little_every_time(store: Store, tmp_path: Path) -> None:
    config = instance(tmp_path, store)
    peers, life = peers_of(config.settings), Life(config, 2)
    with store.write() as connection:
        ids = life.say(connection, AUTHORS["rival"], "Nítido cae")
        row = connection.execute(sa.select(posts)).one()
        copies = [{**row._mapping, "id": n, "native_id": f"c{n}"} for n in range(1000, 1450)]
        connection.execute(posts.insert(), copies)
        one = connection.execute(sa.select(mentions).where(mentions.c.id == ids[0])).one()
        again = [{**one._mapping, "id": n, "post_id": n} for n in range(1000, 1450)]
        connection.execute(mentions.insert(), again)
        life.judge(connection, list(range(1000, 1450)), NOW)
        life.desk.settle(connection, range(1000, 1450), NOW)
    assert recognise(store, peers, NOW, timedelta(0)) == 200
    with store.read() as connection:
        assert not is_kept(connection, peers)
    assert recognise(store, peers, NOW) == 251
    with store.write() as connection:
        assert compare(connection, config) > 400
        connection.execute(posts.update().values(text="Nítido cae otra vez"))
    assert recognise(store, peers, NOW, timedelta(0)) == 200
    with store.read() as connection:
        compare(connection, config)


def test_an_archive_from_before_gets_a_row_for_every_decision_of_such_a_body(store: Store, tmp_path: Path) -> None:
    config = instance(tmp_path, store)
    life = Life(config, 3)
    told = (spoken.c.mention_id, spoken.c.brand, spoken.c.hour, spoken.c.relevant, spoken.c.sentiment, spoken.c.unsure)
    with store.write() as connection:
        for _ in range(20):
            life.say(connection)
        for _ in range(10):
            life.change(connection)
        kept = connection.execute(sa.select(*told).order_by(spoken.c.mention_id)).all()
        fill(connection)
        assert connection.execute(sa.select(*told).order_by(spoken.c.mention_id)).all() == kept != []
        assert connection.scalar(sa.select(sa.func.count()).where(spoken.c.seal.is_not(None))) == 0


def test_no_word_and_no_name_of_anybody_is_kept(store: Store, tmp_path: Path) -> None:
    config = instance(tmp_path, store)
    life = Life(config, 4)
    with store.write() as connection:
        for _ in range(30):
            life.say(connection)
    recognise(store, peers_of(config.settings), NOW)
    with store.read() as connection:
        rows = connection.execute(sa.select(spoken)).all()
    words = {value for row in rows for value in row if isinstance(value, str)}
    directions = {"us_to_them", "them_to_us", "them_to_them"}
    assert words <= {"", "nitido", "otra", "brisatel", "ondavia", *MOODS, *directions}
    assert words & directions


def test_a_page_reads_indexes_and_the_posts_that_it_shows(tmp_path: Path) -> None:
    # Of SQLite alone: PostgreSQL reads a small table at once, whatever indexes it has.
    store = Store(f"sqlite:///{tmp_path}/escucha.db")
    store.migrate()
    config = instance(tmp_path, store)
    life, asked = Life(config, 6), []
    with store.write() as connection:
        for _ in range(60):
            life.say(connection)
        connection.exec_driver_sql("ANALYZE")
    recognise(store, peers_of(config.settings), NOW)

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def keep(_: Any, __: Any, statement: str, given: Any, *___: Any) -> None:
        asked.append((statement, given))

    with store.read() as connection:
        period = last_days(7, NOW, LIMA)
        survey_exchanges(connection, config.settings, period, "nitido", 2)
        survey_opportunities(connection, config.settings, period, "nitido", NOW, 2)
        sa.event.remove(store.engine, "before_cursor_execute", keep)
        plans = [
            (statement, row[3])
            for statement, given in asked
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    for index in ("ix_spoken_exchange", "ix_spoken_praise"):
        assert any(f"COVERING INDEX {index}" in line for _, line in plans)
    shown = [line for statement, line in plans if "FROM mention" in statement]
    assert shown
    for line in shown:
        assert "INTEGER PRIMARY KEY" in line or "(mention_id=?)" in line or "ORDER BY" in line, line
    store.close()
