"""Tell small scenes of business life: who said what, when, where it was heard, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config, parse
from listener.intake import save_page
from listener.match import Matcher
from listener.mention import Author, Post
from listener.store import mentions, posts
from sentiment.store import save_verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.counting.period import Period, last_days
from stakeholders.desk import Desk

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday, 10:00 in Lima
AUTHORS = {
    "care": Author("nitidoayuda", "Nítido Ayuda", bio="Te atendemos 24/7", followers=8000),
    "us": Author("nitidope", "Nítido", bio="Cuenta corporativa", followers=150000),
    "rival": Author("brisatel", "Brisatel", followers=170000),
    "third": Author("ondaviape", "Ondavía", followers=110000),
    "bank": Author("bancomirador", "Banco Mirador", bio="Banco. Cuenta oficial de la empresa", followers=200000),
    "ana": Author("ana_q", "Ana Q.", followers=120),
}
_numbers = count(1)


def a_config(folder: Path, url: str = "sqlite:///peers.db", **more: Any) -> Config:
    table: dict[str, Any] = {
        "instance": {"name": "Escucha", "language": "es", "country": "PE", "timezone": "America/Lima"},
        "store": {"url": url},
        "brands": {
            "nitido": {
                "name": "Nítido",
                "executives": ["Mariana Quispe"],
                "own_handles": ["@nitidope"],
                "care_handles": ["@nitidoayuda"],
            }
        },
        "competitors": {
            "brisatel": {"name": "Brisatel", "executives": ["Lucía Ferreyros"], "own_handles": ["@brisatel"]},
            "ondavia": {"name": "Ondavía", "own_handles": ["@ondaviape"]},
        },
        "departments": {
            name: {"alert": [f"mail:{name}@nitido.example"]} for name in ("communications", "customer_care")
        },
        "events": [{"name": "CADE 2026", "hashtags": ["#CADE2026"], "names": ["CADE Ejecutivos"]}],
        "routes": [
            {
                "name": "nuestra cuenta habla de un competidor",
                "when": {"own_account": True, "kind": "competitor", "sentiment": ["positive", "negative"]},
                "department": "communications",
                "priority": "important",
                "copies": ["customer_care"],
            }
        ],
    }
    return parse(table | more, folder, {})


def a_day(at: datetime = NOW) -> Period:
    return last_days(1, at, ZoneInfo("America/Lima"))


def tell(
    connection: Connection,
    config: Config,
    who: str | Author,
    text: str,
    sentiment: str = "neutral",
    *,
    at: datetime = NOW,
    heard: datetime | None = None,
    source: str = "x",
    decide: bool = True,
    **more: Any,
) -> list[int]:
    """Publish a post, hear it, judge every mention alike and settle it; give the mentions' ids, by brand."""
    author = AUTHORS[who] if isinstance(who, str) else who
    number = next(_numbers)
    post = Post(source, more.pop("native_id", f"p{number}"), text, at, author, lang="es", **more)
    found = Matcher(config.brands).mentions(post)
    heard = heard or at + timedelta(minutes=1)
    save_page(connection, source, [post], found, [], None, heard)
    post_id = connection.scalar(sa.select(sa.func.max(posts.c.id)))
    ids = list(connection.scalars(sa.select(mentions.c.id).where(mentions.c.post_id == post_id)))
    verdict = Verdict(Label("true", 1.0), Label(sentiment, 0.9), Label("leadership", 0.8), Label("praise", 0.8), "test")
    save_verdicts(connection, [(one, verdict) for one in ids], heard)
    if decide:
        Desk(config).settle(connection, ids, heard)
    return ids
