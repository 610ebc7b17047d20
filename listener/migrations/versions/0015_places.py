"""Have each place in a case hold what a search asks of its post (listener/query/listed.py)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from listener.database import Moment
from listener.query.listed import install_places

__all__: list[str] = []

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (
        ("post_id", sa.BigInteger()),
        ("source", sa.Text()),
        ("lang", sa.Text()),
        ("country", sa.Text()),
        ("author_id", sa.BigInteger()),
        ("published_at", Moment()),
    ):
        op.add_column("case_mention", sa.Column(name, kind))
    install_places(op.get_bind())
