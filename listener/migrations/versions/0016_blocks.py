"""Let PostgreSQL's indexes lead to what is searched: words by blocks of ids, words of cases beside all that is asked.

A GIN index over words and blocks of post ids (listener/query/sql.py) meets both conditions in one walk; mentions of a
brand and an hour come in the order of their ids, as SQLite's indexes give them by themselves.
"""

from __future__ import annotations

from alembic import op

from listener.query.caseindex import install_cases

__all__: list[str] = []

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    install_cases(op.get_bind())
    op.execute("CREATE INDEX ix_post_words_lexemes_block ON post_words USING gin (lexemes, (ARRAY[post_id >> 14]))")
    op.execute("DROP INDEX ix_post_words_lexemes")
    op.execute("CREATE INDEX ix_mention_brand_hour_id ON mention (brand, hour, id)")
    op.execute("DROP INDEX ix_mention_brand_hour")
