"""Ask in one language: words, phrases, NEAR, conditions; matched on a text, in the database, and at a platform."""

from __future__ import annotations

from listener.query.fault import QueryError
from listener.query.parse import check_query, parse
from listener.query.tree import Query

__all__ = ["Query", "QueryError", "check_query", "parse"]
