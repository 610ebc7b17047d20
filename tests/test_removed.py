"""A thousand posts, two hundred deleted at the platform, one sweep: none of their words is left anywhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import stakeholders.store
from listener.config import Config, parse
from listener.database import Store
from listener.egress import Egress
from listener.intake import Intake
from listener.mention import Author, Page, Post, Rejected
from listener.reason import reason
from listener.sources.x import Settings, Source
from listener.store import mentions, posts
from listener.sweep import sweep_source
from sentiment.store import save_verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.counting.period import week_name
from stakeholders.counting.sealed import to_json
from stakeholders.desk import Desk
from stakeholders.digest import build, queue_due, render_html, render_text
from stakeholders.erasure import erase
from tests.servers.web import Answer, Asked, serving
from tests.servers.x import TOKEN

NOW = datetime(2026, 5, 13, 15, tzinfo=UTC)  # a Wednesday
BEGAN = NOW - timedelta(days=6)
COUNT, GONE = 1_000, 200
LOCAL = Egress(frozenset({"127.0.0.1"}), frozenset({"127.0.0.1"}))


def word(number: int) -> str:
    return f"canaria{number:04d}zq"


def written(number: int) -> str:
    return f"Nítido me cobró dos veces {word(number)} la factura " + f"{word(number)} " * (number % 40)


def native_id(number: int) -> str:
    return str(1_900_000_000_000_000_000 + number * 7919)


DELETED = frozenset(native_id(number) for number in [*range(150), *range(300, 1_000, 14)][:GONE])


def answer(asked: Asked) -> Answer:
    """Look posts up as X does: those there in `data`, the others in `errors`."""
    assert asked.path == "/2/tweets"
    told: dict[str, Any] = {"data": [], "errors": []}
    for one in asked.query["ids"].split(","):
        if one in DELETED:
            kind = "https://api.twitter.com/2/problems/resource-not-found"
            told["errors"].append({"resource_id": one, "parameter": "ids", "resource_type": "tweet", "type": kind})
        else:
            number = (int(one) - 1_900_000_000_000_000_000) // 7919
            told["data"].append({"id": one, "text": written(number), "author_id": f"9{number}"})
    return Answer(json.dumps(told).encode(), headers={"Content-Type": "application/json"})


@pytest.fixture
def config(tmp_path: Path, store_url: str) -> Config:
    table: dict[str, Any] = {
        "instance": {"language": "en"},
        "brands": {"nitido": {"name": "Nítido"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "digest": {"to": ["mail:director@example.org"]},
        "store": {"url": store_url},
    }
    return parse(table, tmp_path, {})


def fill(store: Store, config: Config) -> None:
    intake, desk = Intake(config), Desk(config)
    for start in range(0, COUNT, 100):
        at = BEGAN + timedelta(minutes=start)
        found = tuple(
            Post(
                "x", native_id(number), written(number), at + timedelta(seconds=number),
                Author(f"cuenta{word(number)}", f"Nombre {word(number)}", f"9{number}", f"Bio {word(number)}"),
                f"https://x.example/{word(number)}", "es", raw={"id": native_id(number), "text": written(number)},
            )
            for number in range(start, start + 100)
        )  # fmt: skip
        aside = Rejected("answer", "cut off", json.dumps({"data": [{"id": found[3].native_id, "text": found[3].text}]}))
        with store.write() as connection:
            intake.save(connection, "x", Page(found, "1", (aside,)), at)
    with store.write() as connection:
        rows = connection.execute(sa.select(mentions.c.id, posts.c.text).join(posts).order_by(mentions.c.id)).all()
        judged = []
        for row in rows:
            quoted = (reason("the text says «{quote}»", quote=row.text[:80]),)
            labels = [Label(name, 0.9, quoted) for name in ("true", "negative", "products_services", "complaint")]
            judged.append((row.id, Verdict(*labels, "test")))
        save_verdicts(connection, judged, BEGAN)
    with store.write() as connection:
        desk.settle(connection, desk.pending(connection, 250), BEGAN + timedelta(hours=1))


def everything(store: Store, tmp_path: Path) -> str:
    """Give all that the store holds: on SQLite the bytes of its files, on PostgreSQL every column of every table."""
    if store.engine.dialect.name == "sqlite":
        parts = [path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("escucha.db")]
        return b"".join(parts).decode("latin-1")
    with store.read() as connection:
        names = connection.scalars(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        assert {"post", "author", "verdict", "event", "digest", "quarantine"} <= set(names)
        rows = [connection.execute(sa.text(f'SELECT t::text FROM "{name}" t')).scalars().all() for name in names]
    return "\n".join(str(line) for table in rows for line in table)


def exports(store: Store, config: Config) -> str:
    with store.read() as connection:
        letter = build(connection, config, week_name(BEGAN.date()), "nitido", "en", NOW)
        kept = connection.scalars(sa.select(stakeholders.store.digests.c.figures)).all()
    return render_html(letter) + render_text(letter) + json.dumps([to_json(letter.figures), *kept])


def test_no_word_of_a_removed_post_is_left_in_any_file_table_or_letter(
    store: Store, config: Config, tmp_path: Path
) -> None:
    assert len(DELETED) == GONE
    fill(store, config)
    with store.write() as connection:
        assert queue_due(connection, config, NOW) == 1
    removed = [number for number in range(COUNT) if native_id(number) in DELETED]
    stay = [number for number in range(COUNT) if native_id(number) not in DELETED]
    before = everything(store, tmp_path)
    assert all(word(number) in before for number in range(COUNT)), "else nothing is shown"
    shown = exports(store, config)
    assert any(word(number) in shown for number in removed), "else nothing is shown"
    with serving(answer) as web:
        source = Source("x", Settings(bearer_token=TOKEN, base_url=web.url), LOCAL)
        done = sweep_source(store, source, "x", NOW, Intake(config).save, erase=erase)
        assert len(web.asked) == COUNT / 100 + 1, "one look at others before a whole page was believed"
    assert (done.checked, done.gone, done.edited, done.left) == (COUNT - GONE, GONE, 0, 0)
    after = everything(store, tmp_path)
    assert [number for number in removed if word(number) in after or native_id(number) in after] == []
    assert all(word(number) in after for number in stay)
    shown = exports(store, config)
    assert [number for number in removed if word(number) in shown] == []
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(posts)) == COUNT - GONE
    with store.write() as connection:
        again = Page((Post("x", min(DELETED), written(0), NOW),), "2")
        assert Intake(config).save(connection, "x", again, NOW).new == 0
