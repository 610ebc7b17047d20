"""Keep a second full-text index, of the posts that stand in cases alone, so that the inbox need not ask all posts.

Triggers on `case_mention` keep it in the transaction of the change: who joins a case, leaves it or moves to another
takes the words along, and whatever is deleted leaves it. A text that is edited comes through `listener.query.index`.
SQLite: an FTS5 table whose row ids are case and mention in one number, so that the words of a case stand side by side;
PostgreSQL: a table under GIN, which holds what else a search asks of a post. Tables of cases belong to another room;
they stand here as SQL, as triggers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

__all__ = [
    "FACTS",
    "CaseIndex",
    "case_index",
    "forget_in_cases",
    "index_cases",
    "index_in_cases",
    "install_cases",
    "is_kept",
]

# What else a search asks of a post: it stands in its place in a case (listener/query/listed.py).
FACTS = ("post_id", "source", "lang", "country", "author_id", "published_at")
_BITS = 32  # of a row id that are the mention's; both numbers stay far below 2³¹
_SOURCE = {
    "sqlite": f"SELECT (c.case_id << {_BITS}) | c.mention_id, w.words FROM case_mention c "  # noqa: S608 - ours
    "JOIN mention m ON m.id = c.mention_id JOIN post_words w ON w.rowid = m.post_id",
    "postgresql": f"SELECT c.mention_id, c.case_id, w.words, w.lexemes, {', '.join(f'c.{one}' for one in FACTS)} "  # noqa: S608 - ours
    "FROM case_mention c JOIN mention m ON m.id = c.mention_id JOIN post_words w ON w.post_id = m.post_id",
}
_INTO = {
    "sqlite": "INSERT INTO case_words (rowid, words)",
    "postgresql": f"INSERT INTO case_words (mention_id, case_id, words, lexemes, {', '.join(FACTS)})",
}


@dataclass(frozen=True, slots=True)
class CaseIndex:
    """Name the index in a statement: its rows are (case, mention) with the words of the mention's post."""

    table: sa.TableClause
    case_id: ColumnElement[int]
    mention_id: ColumnElement[int]
    by_row: bool  # SQLite: row ids hold the case, and nothing stands beside the words

    @property
    def facts(self) -> bool:
        """Tell whether its rows hold FACTS, too."""
        return not self.by_row

    def of(self, case_id: ColumnElement[int]) -> ColumnElement[bool]:
        """Give the condition for the rows of one case."""
        if not self.by_row:
            return self.case_id == case_id
        first: ColumnElement[int] = case_id.op("<<")(sa.literal_column(str(_BITS)))
        return self.table.c.rowid.between(first, first + sa.literal_column(str(2**_BITS - 1)))


def case_index(dialect: str) -> CaseIndex:
    """Name the index of a database; `dialect` is connection.dialect.name: sqlite or postgresql."""
    if dialect == "postgresql":
        table = sa.table("case_words", *map(sa.column, ("case_id", "mention_id", "words", "lexemes", *FACTS)))
        return CaseIndex(table, table.c.case_id, table.c.mention_id, by_row=False)
    table = sa.table("case_words", sa.column("rowid", sa.BigInteger()), sa.column("words"))
    case_id: ColumnElement[int] = table.c.rowid.op(">>")(sa.literal_column(str(_BITS)))
    mention_id: ColumnElement[int] = table.c.rowid.op("&")(sa.literal_column(str(2**_BITS - 1)))
    return CaseIndex(table, case_id, mention_id, by_row=True)


def is_kept(connection: Connection) -> bool:
    """Tell whether the index exists, which older migrations cannot count on."""
    return sa.inspect(connection).has_table("case_words")


def install_cases(connection: Connection) -> None:
    """Make the index and its triggers, on PostgreSQL anew if there is one, and fill it. For migrations."""
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)
    index_cases(connection)


def index_cases(connection: Connection) -> None:
    """Make the whole index again from the words of all posts."""
    dialect = connection.dialect.name
    connection.exec_driver_sql("DELETE FROM case_words")
    connection.exec_driver_sql(f"{_INTO[dialect]} {_SOURCE[dialect]}")


def index_in_cases(connection: Connection, post_ids: Sequence[int]) -> None:
    """Put the words of posts that were edited into the index again, where they stand in cases."""
    forget_in_cases(connection, post_ids)
    dialect = connection.dialect.name
    again = sa.text(f"{_INTO[dialect]} {_SOURCE[dialect]} WHERE m.post_id IN :ids")
    connection.execute(again.bindparams(sa.bindparam("ids", expanding=True)), {"ids": list(post_ids)})


def forget_in_cases(connection: Connection, post_ids: Sequence[int]) -> None:
    """Take posts out of the index, wherever they stand in cases."""
    key, row = "mention_id", "c.mention_id"
    if connection.dialect.name == "sqlite":
        key, row = "rowid", f"(c.case_id << {_BITS}) | c.mention_id"
    gone = f"DELETE FROM case_words WHERE {key} IN (SELECT {row} FROM case_mention c "  # noqa: S608 - ours
    gone += "JOIN mention m ON m.id = c.mention_id WHERE m.post_id IN :ids)"
    connection.execute(sa.text(gone).bindparams(sa.bindparam("ids", expanding=True)), {"ids": list(post_ids)})


_ADD = f"{_INTO['sqlite']} {_SOURCE['sqlite']} WHERE c.mention_id = NEW.mention_id"
_DROP = f"DELETE FROM case_words WHERE rowid = (OLD.case_id << {_BITS}) | OLD.mention_id"  # noqa: S608 - ours
_MOVED = "AFTER UPDATE OF case_id ON case_mention WHEN OLD.case_id <> NEW.case_id"
_SQLITE = (
    "CREATE VIRTUAL TABLE case_words USING fts5(words, tokenize = \"ascii tokenchars '_@#'\")",  # as post_words
    f"CREATE TRIGGER case_words_join AFTER INSERT ON case_mention BEGIN {_ADD}; END",
    f"CREATE TRIGGER case_words_leave AFTER DELETE ON case_mention BEGIN {_DROP}; END",
    f"CREATE TRIGGER case_words_move {_MOVED} BEGIN {_DROP}; {_ADD}; END",
)
_POSTGRESQL = (
    "DROP TABLE IF EXISTS case_words",
    "DROP FUNCTION IF EXISTS case_words_join CASCADE",
    """
    CREATE TABLE case_words (
        mention_id BIGINT CONSTRAINT pk_case_words PRIMARY KEY
            CONSTRAINT fk_case_words_mention_id REFERENCES case_mention (mention_id) ON DELETE CASCADE,
        case_id BIGINT NOT NULL, words TEXT NOT NULL, lexemes TSVECTOR NOT NULL,
        post_id BIGINT, source TEXT, lang TEXT, country TEXT, author_id BIGINT, published_at TIMESTAMPTZ
    )""",
    "CREATE INDEX ix_case_words_case_id ON case_words (case_id)",
    "CREATE INDEX ix_case_words_author_id ON case_words (author_id)",
    "CREATE INDEX ix_case_words_lexemes ON case_words USING gin (lexemes)",
    "ALTER TABLE case_words SET (autovacuum_vacuum_scale_factor = 0.01)",
    # Whoever edits the text at this moment is waited for, or waits: else its old words would stay.
    f"""
    CREATE FUNCTION case_words_join() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM 1 FROM post p JOIN mention m ON m.post_id = p.id WHERE m.id = NEW.mention_id FOR SHARE OF p;
        {_INTO["postgresql"]} {_SOURCE["postgresql"]} WHERE c.mention_id = NEW.mention_id
        ON CONFLICT (mention_id) DO UPDATE SET
            {", ".join(f"{one} = EXCLUDED.{one}" for one in ("case_id", *FACTS))};
        RETURN NULL;
    END $$""",
    f"""
    CREATE TRIGGER case_words_join AFTER INSERT OR UPDATE OF case_id, {", ".join(FACTS)} ON case_mention
    FOR EACH ROW EXECUTE FUNCTION case_words_join()""",
)
