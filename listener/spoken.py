"""Keep what was recognised in posts of the press and of companies, so that pages need not read the posts again.

One row a mention that a decision says the press or a company made: whether it is an exchange, whether it can be an
opportunity, and nothing of its words: who spoke of whom at which event is read from the post where it is shown.
Triggers make the row with the decision, carry every change of the current verdict into it, and take away what was
recognised as soon as anything changes that it was recognised by. stakeholders.companies.recognition fills it in: this
room holds the table for its triggers alone, and knows nothing of what the words in it mean.
Sources: https://sqlite.org/lang_createtrigger.html, https://www.postgresql.org/docs/current/trigger-definition.html
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import metadata

__all__ = ["EXCHANGE", "PRAISE", "fill", "install", "spoken"]

# As partial indexes know them, so a query must name them word for word.
EXCHANGE = "direction IS NOT NULL AND relevant"
PRAISE = "relevant AND (praise > 0 AND sentiment = 'positive' OR praise = 2 AND sentiment = 'neutral')"
_PENDING = "seal IS NULL"

spoken = sa.Table(
    "spoken",
    metadata,
    sa.Column("mention_id", sa.ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("brand", sa.Text, nullable=False),  # spoken of, as in decision; so is the hour
    sa.Column("hour", sa.Integer, nullable=False),
    sa.Column("relevant", sa.Boolean),  # these three: of the current verdict, kept by triggers; empty without one
    sa.Column("sentiment", sa.Text),
    sa.Column("unsure", sa.Boolean),
    sa.Column("seal", sa.BigInteger),  # digest of all it was recognised by; empty: to be looked at (again)
    sa.Column("direction", sa.Text),  # stakeholders.companies.peer.Direction; empty: no exchange
    sa.Column("ours", sa.Text),  # the brand of ours that is a side of the exchange; "" where none is
    sa.Column("at_event", sa.Boolean),
    # 0: never an opportunity; 1: one where it helps; 2: where it does not harm, since it passes on our people's words
    sa.Column("praise", sa.SmallInteger, nullable=False, server_default="0", default=0),
    sa.Column("at", sa.BigInteger),  # microseconds since 1970: published, heard
    sa.Column("heard_at", sa.BigInteger),
    sa.Column("cluster", sa.BigInteger),  # as in post, else the post's id
    sa.Column("company", sa.BigInteger),  # digest of the company that speaks in an exchange; no name is kept
    # The two above once more, where any other row has the same: most have not, and need no looking for twins.
    sa.Column("copied", sa.BigInteger),
    sa.Column("voiced", sa.BigInteger),
    sa.Index(
        "ix_spoken_exchange",
        # with the columns of its condition, else SQLite would read the row to look at them again
        *("direction", "ours", "hour", "at", "sentiment", "unsure", "at_event", "copied", "voiced", "relevant"),
        sqlite_where=sa.text(EXCHANGE),
        postgresql_where=sa.text(EXCHANGE),
    ),
    sa.Index(
        "ix_spoken_praise",
        *("brand", "hour", "at", "heard_at", "cluster", "copied", "seal", "mention_id"),
        *("relevant", "praise", "sentiment"),
        sqlite_where=sa.text(PRAISE),
        postgresql_where=sa.text(PRAISE),
    ),
    sa.Index(
        "ix_spoken_pending",
        "hour",
        sqlite_where=sa.text(_PENDING),
        postgresql_where=sa.text(_PENDING),
    ),
    sa.Index("ix_spoken_cluster", "cluster", "copied"),
    sa.Index("ix_spoken_company", "company", "voiced"),
)

_MAKE = (
    "INSERT INTO spoken (mention_id, brand, hour, relevant, sentiment, unsure, praise) "
    "SELECT d.mention_id, d.brand, d.hour, v.relevant, v.sentiment, v.unsure, 0 "
    "FROM decision d LEFT JOIN verdict v ON v.mention_id = d.mention_id AND v.current "
    "WHERE d.stakeholder IN ('press', 'peer_company')"
)
_DROP = "DELETE FROM spoken WHERE mention_id = OLD.mention_id"
_JUDGE = (
    "UPDATE spoken SET (relevant, sentiment, unsure) = "
    "(SELECT v.relevant, v.sentiment, v.unsure FROM verdict v WHERE v.mention_id = {0}.mention_id AND v.current) "
    "WHERE mention_id = {0}.mention_id"
)
# Also where it is pending already: on PostgreSQL this waits for the one who is looking at the old words right now.
_FORGET = "UPDATE spoken SET seal = NULL, direction = NULL, praise = 0 WHERE mention_id "
_POST = ("text", "published_at", "collected_at", "author_id", "cluster", "source", "url", "native_id", "thread")
_AUTHOR = ("handle", "name", "bio")
_MENTION = ("post_id", "brand", "kind", "terms", "hour")
_DECISION = ("mention_id", "brand", "hour", "stakeholder", "detail")
_NEW = f"{_MAKE} AND d.mention_id = NEW.mention_id"
_OF_POST = "IN (SELECT m.id FROM mention m WHERE m.post_id = NEW.id)"
_OF_AUTHOR = "IN (SELECT m.id FROM post p JOIN mention m ON m.post_id = p.id WHERE p.author_id = NEW.id)"
# table, what happens to it, the columns that matter, what is done
_TRIGGERS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("decision", "INSERT", (), (_NEW,)),
    ("decision", "UPDATE", _DECISION, (_DROP, _NEW)),
    ("decision", "DELETE", (), (_DROP,)),
    ("verdict", "INSERT", (), (_JUDGE.format("NEW"),)),
    ("verdict", "UPDATE", ("current", "relevant", "sentiment", "unsure"), (_JUDGE.format("NEW"),)),
    ("verdict", "DELETE", (), (_JUDGE.format("OLD"),)),
    ("post", "UPDATE", _POST, (_FORGET + _OF_POST,)),
    ("author", "UPDATE", _AUTHOR, (_FORGET + _OF_AUTHOR,)),
    ("mention", "UPDATE", _MENTION, (_FORGET + "= NEW.id",)),
)


def install(connection: Connection) -> None:
    """Make the triggers, and a row for every decision of such a body; the table exists and is empty. For migrations."""
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    fill(connection)


def fill(connection: Connection) -> None:
    """Put in every row that the triggers would have made, not looked at yet, in the caller's transaction."""
    connection.execute(spoken.delete())
    connection.exec_driver_sql(_MAKE)


def _statements(dialect: str) -> Iterator[str]:
    for table, event, columns, does in _TRIGGERS:
        name = f"spoken_{table}_{event.lower()}"
        given = "OLD" if event == "DELETE" else "NEW"
        of = f" OF {', '.join(columns)}" if columns else ""
        differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
        changed = " OR ".join(f"OLD.{column} {differs} NEW.{column}" for column in columns)
        told = f" WHEN ({changed})" if changed else ""
        head = f"CREATE TRIGGER {name} AFTER {event}{of} ON {table} FOR EACH ROW{told}"
        if dialect == "sqlite":
            yield f"{head} BEGIN {'; '.join(does)}; END"
            continue
        # Two who change the verdict and the decision of one mention must see each other's work.
        key = f"{given}.mention_id" if table in ("decision", "verdict") else ""
        lock = f"PERFORM 1 FROM mention m WHERE m.id = {key} FOR NO KEY UPDATE; " if key else ""
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {lock}{'; '.join(does)}; RETURN {given}; END $$"
        )
        yield f"{head} EXECUTE FUNCTION {name}()"
