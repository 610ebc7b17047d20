"""Sum by hour and day what stands in cases and how it came there, in place of the copies alone (listener/sums/)."""

from __future__ import annotations

from alembic import op

from listener.sums import rollup

__all__: list[str] = []

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rollup.install_cases(op.get_bind())
