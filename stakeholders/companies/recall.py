"""Remember what was read in posts, so that a page that is opened again need not read the same texts again.

Every reading is found by a digest of all that it was made of; so nothing that changed can be answered from memory, and
nothing needs to be forgotten but for room. It is the memory of one process and is never written down.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from hashlib import sha256
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from listener.mention import Author, Mention, Post, Term
from listener.store import authors, mentions, posts
from sentiment.store import verdicts
from stakeholders.counting.counts import counted
from stakeholders.counting.period import Period
from stakeholders.store import BODIES, case_mentions, cases, decisions

__all__ = ["Recall", "heard_in", "select_spoken", "spoken_in"]

T = TypeVar("T")
_MOST = 20_000  # readings


class Recall(Generic[T]):
    """Hold readings by what they were made of."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[bytes, T] = {}

    def read(self, made_of: tuple[Any, ...], read: Callable[[], T]) -> T:
        """Give what was read of this before, else read it; `made_of` holds all that the reading depends on."""
        key = self.digest(made_of)
        return self.get(key) if self.knows(key) else self.keep(key, read())

    def knows(self, key: bytes) -> bool:
        """Tell whether what has this digest was read before."""
        return key in self._known

    def get(self, key: bytes) -> T:
        """Give what was read under a digest; KeyError for one that is not known."""
        return self._known[key]

    def keep(self, key: bytes, reading: T) -> T:
        """Keep what was read under a digest of all that it depends on, and give it back."""
        if len(self._known) >= self._most:
            self._known.clear()
        self._known[key] = reading
        return reading

    @staticmethod
    def digest(made_of: object) -> bytes:
        """Give a digest of all that a reading depends on."""
        return sha256(repr(made_of).encode("utf-8", "surrogatepass")).digest()


def select_spoken(*who: str, among: bool = False) -> sa.Select[Any]:
    """Give the query of what such stakeholders, press and companies, said of brands in a period, with case and verdict.

    It is asked with what `spoken_in` gives, so that it is made once; `among`: of some mentions, which are read by their
    numbers. `terms` and `detail` are given as they are kept, because reading them takes longer than comparing them.
    """
    query = (
        sa.select(
            mentions.c.id.label("mention_id"),
            mentions.c.brand,
            mentions.c.kind,
            sa.type_coerce(mentions.c.terms, sa.Text).label("terms"),
            posts.c.id.label("post_id"),
            posts.c.source,
            posts.c.url,
            posts.c.text,
            posts.c.published_at,
            posts.c.cluster,
            authors.c.handle,
            authors.c.name,
            authors.c.bio,
            verdicts.c.sentiment,
            verdicts.c.unsure,
            case_mentions.c.case_id,
            cases.c.department.label("case_department"),
            decisions.c.department,
            sa.type_coerce(decisions.c.detail, sa.Text).label("detail"),
        )
        .select_from(
            counted()
            .join(posts, mentions.c.post_id == posts.c.id)
            .join(decisions, decisions.c.mention_id == mentions.c.id)
            .outerjoin(authors)
            .outerjoin(case_mentions, case_mentions.c.mention_id == mentions.c.id)
            .outerjoin(cases, cases.c.id == case_mentions.c.case_id)
        )
        .where(decisions.c.stakeholder.in_(list(who)))
    )
    if not among:
        # The same hours and brands again, of the decision: few are of these bodies, and an index holds them alone.
        query = query.where(sa.text(f"decision.{BODIES}"))
    else:
        query = query.where(mentions.c.id.in_(sa.bindparam("among", expanding=True)))
    brands: sa.BindParameter[Any] = sa.bindparam("brands", expanding=True)
    for table in (mentions, decisions):
        # Sums and joined texts keep SQLite from an index of brands and hours where the numbers are told.
        hour, brand = (table.c.hour + 0, table.c.brand.concat("")) if among else (table.c.hour, table.c.brand)
        query = query.where(hour >= sa.bindparam("first_hour"), hour < sa.bindparam("end_hour"), brand.in_(brands))
    return query


def spoken_in(
    period: Period, brands: Collection[str], among: Collection[int] | None = None
) -> dict[str, int | Sequence[Any]]:
    """Give what `select_spoken` is asked with."""
    told: dict[str, int | Sequence[Any]] = {"first_hour": period.first_hour, "end_hour": period.end_hour}
    return told | {"brands": list(brands)} | ({} if among is None else {"among": list(among)})


def heard_in(row: sa.Row[Any]) -> Mention:
    """Rebuild a mention from a row of `select_spoken`, with what it holds of the post and its author."""
    author = Author(handle=row.handle, name=row.name, bio=row.bio)
    post = Post(source=row.source, native_id="", text=row.text, published_at=row.published_at, author=author)
    return Mention(post, row.brand, row.kind, tuple(Term(*term) for term in json.loads(row.terms)))
