"""Add the full-text index over posts (listener/query/index.py), filled from the posts already stored."""

from __future__ import annotations

from alembic import op

from listener.query.index import index_all

__all__: list[str] = []

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE post_words USING fts5(words, tokenize = \"ascii tokenchars '_@#'\")")
        # A virtual table has no foreign keys.
        op.execute(
            "CREATE TRIGGER post_words_forget AFTER DELETE ON post "
            "BEGIN DELETE FROM post_words WHERE rowid = old.id; END"
        )
    else:
        op.execute(
            "CREATE TABLE post_words (post_id BIGINT CONSTRAINT pk_post_words PRIMARY KEY "
            "CONSTRAINT fk_post_words_post_id REFERENCES post (id) ON DELETE CASCADE, "
            "words TEXT NOT NULL, lexemes TSVECTOR NOT NULL)"
        )
        op.execute("CREATE INDEX ix_post_words_lexemes ON post_words USING gin (lexemes)")
        # Words that were taken out must not wait long for the vacuum.
        op.execute("ALTER TABLE post_words SET (autovacuum_vacuum_scale_factor = 0.01)")
    index_all(op.get_bind())
