"""Write synthetic weeks straight into the tables, for the tests of figures and letters."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config, parse
from listener.store import authors, mentions, posts, quarantine, runs
from sentiment.store import verdicts
from stakeholders.store import case_mentions, cases, decisions

_numbers = count(1)


def config_of(folder: Path, **tables: Any) -> Config:
    """Give a configuration with one brand of ours and two competitors; keyword tables replace or add."""
    table: dict[str, Any] = {
        "instance": {"name": "Escucha", "language": "es", "country": "PE", "timezone": "America/Lima"},
        "brands": {"nitido": {"name": "Nítido"}},
        "competitors": {"brisatel": {"name": "Brisatel"}, "ondavia": {"name": "Ondavía"}},
        "departments": {"communications": {"alert": ["mail:team@example.org"]}},
        "digest": {"to": ["mail:director@example.org"]},
        "server": {"url": "https://escucha.example.org"},
    }
    return parse(table | tables, folder, {})


def ask(connection: Connection, source: str, at: datetime, outcome: str = "ok") -> None:
    """Record a run of a source."""
    connection.execute(runs.insert().values(source=source, started_at=at, finished_at=at, outcome=outcome))


def ask_every(connection: Connection, source: str, step: timedelta, start: datetime, end: datetime) -> None:
    """Record successful runs at a steady step, start ≤ t < end."""
    rows = []
    while start < end:
        rows.append({"source": source, "started_at": start, "finished_at": start, "outcome": "ok"})
        start += step
    if rows:
        connection.execute(runs.insert(), rows)


def say(
    connection: Connection,
    at: datetime,
    brand: str = "nitido",
    *,
    kind: str | None = None,
    sentiment: str | None = "neutral",
    relevant: bool = True,
    unsure: bool = False,
    by: str = "model",
    dimension: str = "products_services",
    stakeholder: str | None = "customer",
    speaker_unsure: bool = False,
    source: str = "x",
    text: str = "otra vez sin señal",
    author: str | None = None,
    terms: tuple[str, ...] = (),
) -> int:
    """Write a post with one mention, its verdict (none when sentiment is None) and decision; give the mention's id."""
    number = next(_numbers)
    author_id = None
    if author is not None:
        found = sa.select(authors.c.id).where(authors.c.source == source, authors.c.key == author.casefold())
        author_id = (
            connection.scalar(found)
            or connection.execute(
                authors.insert()
                .values(source=source, key=author.casefold(), name=author, handle=author)
                .returning(authors.c.id)
            ).scalar_one()
        )
    post_id = connection.execute(
        posts.insert()
        .values(
            source=source,
            native_id=f"n{number}",
            text=text,
            published_at=at,
            collected_at=at,
            author_id=author_id,
            raw={},
        )
        .returning(posts.c.id)
    ).scalar_one()
    kind = kind or ("own" if brand == "nitido" else "competitor")
    hour = int(at.timestamp() // 3600)
    mention_id: int = connection.execute(
        mentions.insert()
        .values(
            post_id=post_id,
            brand=brand,
            kind=kind,
            terms=[[0, 1, term] for term in terms],
            source=source,
            published_at=at,
            hour=hour,
        )
        .returning(mentions.c.id)
    ).scalar_one()
    if sentiment is None:
        return mention_id
    connection.execute(
        verdicts.insert().values(
            mention_id=mention_id,
            current=True,
            by=by,
            engine="test",
            at=at,
            relevant=relevant,
            sentiment=sentiment,
            dimension=dimension,
            intent="other",
            unsure=unsure,
            detail={},
        )
    )
    if relevant and stakeholder is not None:
        speaker = {"is": stakeholder, "confidence": 0.9, "because": []} | ({"unsure": True} if speaker_unsure else {})
        connection.execute(
            decisions.insert().values(
                mention_id=mention_id,
                at=at,
                brand=brand,
                kind=kind,
                hour=hour,
                stakeholder=stakeholder,
                priority="routine",
                department="communications",
                rule="matrix",
                detail={"speaker": speaker},
            )
        )
    return mention_id


def open_case(
    connection: Connection,
    mention_ids: list[int],
    at: datetime,
    *,
    brand: str = "nitido",
    priority: str = "important",
    department: str = "customer_care",
    stakeholder: str = "customer",
    due: datetime | None = None,
    acknowledged: datetime | None = None,
    answered: datetime | None = None,
    closed: datetime | None = None,
    how: str = "thread",
) -> int:
    """Write a case with its mentions, the first of which opened it; its status follows from the times given."""
    status = "closed" if closed else "answered" if answered else "acknowledged" if acknowledged else "new"
    case_id: int = connection.execute(
        cases.insert()
        .values(
            key=f"mention:{next(_numbers)}",
            brand=brand,
            department=department,
            copies=[],
            priority=priority,
            rank=("alert", "important", "routine").index(priority),
            stakeholder=stakeholder,
            status=status,
            opened_at=at,
            due_at=due,
            acknowledged_at=acknowledged,
            answered_at=answered,
            closed_at=closed,
            version=1,
        )
        .returning(cases.c.id)
    ).scalar_one()
    for place, mention_id in enumerate(mention_ids):
        connection.execute(
            case_mentions.insert().values(mention_id=mention_id, case_id=case_id, how="opened" if place == 0 else how)
        )
    return case_id


def reject(connection: Connection, at: datetime, source: str = "x") -> None:
    """Put one unreadable item aside."""
    number = str(next(_numbers))
    connection.execute(
        quarantine.insert().values(source=source, position=number, reason="no text", body="{}", digest=number, at=at)
    )
