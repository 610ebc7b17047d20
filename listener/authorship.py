"""Keep the authors of posts: each once a source, with what the platform last told of them, and never less than that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from listener.batch import insert_new, read_among
from listener.database import add_or_update
from listener.mention import Author
from listener.store import authors, clean

__all__ = ["LONGEST", "author_key", "save_authors"]

LONGEST = 500  # characters of an id: an index of PostgreSQL holds no more than a third of a page; no platform has more

_FACTS = ("native_id", "handle", "name", "bio", "url", "verified", "followers")
_KEYS = ("source", "key")
_Facts = tuple[Any, ...]  # the values of _FACTS


def author_key(author: Author) -> str | None:
    """Name an author within a source by id, handle or name, in lower case; None for one of whom nothing was told."""
    key = (clean(author.native_id or author.handle or author.name) or "").casefold()
    return (key if len(key) <= LONGEST else hashlib.sha256(key.encode()).hexdigest()) or None


def save_authors(connection: Connection, source: str, told: Mapping[str, Author]) -> dict[str, int]:
    """Store authors by their key, and what the platform tells anew of known ones; give key → id.

    Most are known and unchanged, so they are read first: a row that stays as it is is not written again.
    """
    if not told:
        return {}
    facts = [_facts(author) for author in told.values()]
    # What a platform tells of nobody changes nobody.
    columns = {name: of for name, of in zip(_FACTS, zip(*facts, strict=True), strict=True) if of.count(None) < len(of)}
    wanted = dict(zip(told, zip(*columns.values(), strict=True), strict=True))
    ids: dict[str, int] = {}
    changed: list[str] = []
    for row in read_among(connection, authors, ("id", "key", *columns), "key", wanted, source):
        key, stored = row[1], row[2:]
        new = wanted[key]
        ids[key] = row[0]
        if new != stored and any(one is not None and one != old for one, old in zip(new, stored, strict=True)):
            changed.append(key)
    # In one order, so that two processes that store the same authors wait for each other in the same order.
    fresh = sorted(key for key in wanted if key not in ids)
    made = insert_new(connection, authors, (*_KEYS, *columns), [(source, key, *wanted[key]) for key in fresh], _KEYS)
    ids |= {key: id_ for key, id_ in zip(fresh, made, strict=True) if id_ is not None}
    changed += [key for key in fresh if key not in ids]  # another process stored them at the same moment
    rows = [{"source": source, "key": key} | dict(zip(columns, wanted[key], strict=True)) for key in sorted(changed)]
    return ids | {row.key: row.id for row in add_or_update(connection, authors, rows, _KEYS, keep_told=True)}


def _facts(author: Author) -> _Facts:
    id_, bio, url = author.native_id, author.bio, author.url
    return (
        id_ and clean(id_), clean(author.handle), clean(author.name), bio and clean(bio), url and clean(url),
        author.verified, author.followers,
    )  # fmt: skip
