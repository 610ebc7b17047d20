"""Make an instance with mentions, decisions and cases in a few words, for tests of what happens after a decision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config, parse
from listener.database import Store
from listener.intake import save_page
from listener.mention import Author, Mention, Post, Term
from listener.reason import reason
from listener.store import mentions, posts
from sentiment.store import save_verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.case import open_case
from stakeholders.deciding.decision import facts_of, save_decision
from stakeholders.deciding.facts import Case, Route, Speaker
from tests.blank import open_blank

NOW = datetime(2026, 5, 4, 19, 40, tzinfo=UTC)  # a Monday, 14:40 in Lima
SECRET = "a-secret-of-tests-0123456789-0123456789"


def make_config(folder: Path, url: str, port: int = 1025, **more: Any) -> Config:
    departments = ("communications", "legal_regulatory", "customer_care", "human_resources")
    table: dict[str, Any] = {
        "instance": {"name": "Escucha", "language": "en"},
        "store": {"url": url},
        "brands": {"nitido": {"name": "Nítido"}},
        "departments": {name: {"alert": [f"mail:{name}@nitido.example"]} for name in departments},
        "mail": {"host": "127.0.0.1", "port": port, "sender": "escucha@nitido.example"},
        "server": {"secret": SECRET, "url": "http://127.0.0.1:8501"},
        "alerts": {"grouping": False},  # each case is told at once; tests of grouping switch it on
    }
    for name, part in more.items():
        table[name] = {**table.get(name, {}), **part}
    return parse(table, folder, {})


def hear(
    connection: Connection,
    text: str = "Nítido me cobró dos veces",
    *,
    author: Author | None = None,
    stakeholder: str = "customer",
    route: Route | None = None,
    url: str | None = "https://x.example/1",
    now: datetime = NOW,
) -> int:
    """Store a post with verdict and decision; give the mention's id."""
    number = (connection.scalar(sa.select(sa.func.count()).select_from(posts)) or 0) + 1
    author = author or Author("ana", "Ana Ruiz", bio="canary bio", followers=120)
    post = Post("x", str(number), text, now - timedelta(minutes=12), author, url=url, lang="es")
    mention = Mention(post, "nitido", "own", (Term(0, 6, "Nítido"),))
    save_page(connection, "x", [post], [mention], [], None, now)
    mention_id = int(connection.scalar(sa.select(sa.func.max(mentions.c.id))) or 0)
    verdict = Verdict(
        Label("true", 1.0), Label("negative", 0.9), Label("products_services", 0.8), Label("complaint", 0.7), "test"
    )
    save_verdicts(connection, [(mention_id, verdict)], now)
    seen = reason("the profile says «{quote}»", quote=author.bio or "")
    speaker = Speaker(Label(stakeholder, 0.9, (seen,)))
    route = route or make_route()
    save_decision(connection, mention_id, facts_of(mention, verdict, speaker), 1, speaker, route, now)
    return mention_id


def make_route(
    department: str = "customer_care", priority: str = "important", copies: tuple[str, ...] = (), **more: Any
) -> Route:
    because = (reason("{stakeholder} goes to {department}", stakeholder="customer", department=department),)
    otherwise = tuple(reason(f"change number {n} would have sent it elsewhere") for n in (1, 2, 3))
    return Route(department, copies, priority, "matrix", because, otherwise, True)  # type: ignore[arg-type]


def open_one(
    connection: Connection, config: Config, route: Route | None = None, *, stakeholder: str = "customer", **more: Any
) -> tuple[Case, int]:
    """Store a mention and open its case; give the case and the mention's id."""
    now = more.get("now", NOW)
    route = route or make_route()
    mention_id = hear(connection, stakeholder=stakeholder, route=route, **more)
    return open_case(connection, config.settings, mention_id, "nitido", route, stakeholder, None, now), mention_id  # type: ignore[arg-type]


def open_store(url: str) -> Store:
    return open_blank(url)
