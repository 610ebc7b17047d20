"""Erase posts everywhere: what the answering room says or quotes of them goes in the commit in which the posts go.

This is the one door: whoever learns that a post is gone (a poll, a webhook, the sweep, a person) calls `erase()`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.erasure import CHUNK, Why, erase_posts
from listener.reason import N_, reason, to_json
from listener.store import authors, clean, mentions, posts
from stakeholders.case import PROGRAM, close, record
from stakeholders.casework.merging import kin
from stakeholders.casework.seal import rewrite
from stakeholders.casework.step import OVER
from stakeholders.letters.quote import quote
from stakeholders.store import alerts, case_mentions, cases, digests, drafts, events

__all__ = ["erase"]

_GONE = {"deleted": N_("removed at the source"), "erased": N_("removed on request")}
_ONE_GONE = {
    "deleted": N_("a post of this case was removed at the source"),
    "erased": N_("a post of this case was removed on request"),
}
_WITHHELD = N_("what was written here repeated a post that was removed")
_NOT_SENT = "the post was removed before this message went out"
_RUN = 5  # words in a row that make a note a repetition of a post


@dataclass(frozen=True, slots=True)
class _Doomed:
    """Hold a mention that will go, and what its post is known by."""

    mention_id: int
    case_id: int | None
    opened: bool
    text: str
    names: tuple[str, ...]  # account, name, address and id: none of them may stay in a note


def erase(
    connection: Connection, source: str, native_ids: Iterable[str], why: Why, now: datetime, *, always: bool = False
) -> tuple[int, ...]:
    """Erase posts of a source from every table, in the caller's transaction; give the row ids of those that were there.

    Archived letters lose the quotes of these posts, notes in case histories lose what repeats them, messages that wait
    and would show them show another post of the case or are not sent. A case goes on with its other posts; one without
    any stays in the history, closed, as «removed at the source». See listener.erasure.erase_posts for the rest.
    """
    wanted = list(dict.fromkeys(clean(one) or "" for one in native_ids))
    doomed = _read(connection, source, wanted)
    touched = sorted({one.case_id for one in doomed if one.case_id is not None})
    if touched:
        _clear_letters(connection, doomed)
    for case_id in touched:
        mine = [one for one in doomed if one.case_id == case_id]
        for number in kin(connection, case_id):  # posts move by a merge or a split; what was written of them does not
            _clear_history(connection, number, mine, now)
    gone = erase_posts(connection, source, wanted, why, now, always=always)
    ids = [one.mention_id for one in doomed]
    for case_id in touched:
        _settle_case(connection, case_id, frozenset(ids), why, now)
    for start in range(0, len(ids), CHUNK):
        # The number of a mention may be given again (SQLite), and a case of that name must then be free.
        names = [f"mention:{one}" for one in ids[start : start + CHUNK]]
        freed = cases.update().where(cases.c.key.in_(names))
        connection.execute(freed.values(key=sa.literal("gone:") + sa.cast(cases.c.id, sa.Text)))
    for start in range(0, len(wanted) if gone else 0, CHUNK):
        # A conversation is named by the id of its first post, which must not stay; a tombstone keeps no id either.
        threads = [f"{source}/{one}" for one in wanted[start : start + CHUNK]]
        connection.execute(cases.update().where(cases.c.thread.in_(threads)).values(thread=None))
    return gone


def _read(connection: Connection, source: str, native_ids: Sequence[str]) -> list[_Doomed]:
    found = []
    tables = (
        mentions.join(posts, posts.c.id == mentions.c.post_id)
        .outerjoin(authors, authors.c.id == posts.c.author_id)
        .outerjoin(case_mentions, case_mentions.c.mention_id == mentions.c.id)
    )
    query = sa.select(
        mentions.c.id.label("mention_id"),
        case_mentions.c.case_id,
        case_mentions.c.how,
        posts.c.text,
        posts.c.native_id,
        posts.c.url,
        authors.c.handle,
        authors.c.name,
    ).select_from(tables)
    for start in range(0, len(native_ids), CHUNK):
        chosen = posts.c.native_id.in_(native_ids[start : start + CHUNK])
        for row in connection.execute(query.where(posts.c.source == source, chosen)):
            names = (row.handle, row.name, row.url, row.native_id)
            known = tuple(one.casefold() for one in names if one and len(one) > 3)
            found.append(_Doomed(row.mention_id, row.case_id, row.how == "opened", row.text, known))
    return found


def _clear_letters(connection: Connection, doomed: Sequence[_Doomed]) -> None:
    """Take the quotes of these posts, and who said them, out of the letters kept; every figure stays as it went out."""
    opened = {one.case_id for one in doomed if one.opened}
    said = {quote(one.text) for one in doomed}
    gone = {one.mention_id for one in doomed}
    for row in connection.execute(sa.select(digests.c.id, digests.c.figures)).all():
        changed = False
        for name in ("needing", "largest"):
            for line in row.figures.get(name, ()):
                if line.get("quote") and (line.get("id") in opened or line["quote"] in said):
                    line["quote"], line["who"] = "", None
                    changed = True
        for name in ("exchanges", "opportunities"):
            for told in row.figures.get(name, ()):
                left = [one for one in told["items"] if one.get("mention") not in gone]
                changed = changed or len(left) != len(told["items"])
                told["items"] = left
        if changed:
            connection.execute(digests.update().where(digests.c.id == row.id).values(figures=row.figures))


def _clear_history(connection: Connection, case_id: int, doomed: Sequence[_Doomed], now: datetime) -> None:
    """Take out of a case's history what repeats a post or names its author; that something was written there stays."""
    rows = connection.execute(
        sa.select(events.c.id, events.c.before, events.c.after).where(events.c.case_id == case_id)
    ).all()
    changes: dict[int, tuple[Any, Any]] = {}
    for row in rows:
        before, after = _cleared(row.before, doomed), _cleared(row.after, doomed)
        if (before, after) != (row.before, row.after):
            changes[row.id] = before, after
    rewrite(connection, case_id, changes, PROGRAM, now)
    _clear_drafts(connection, case_id, doomed)


def _clear_drafts(connection: Connection, case_id: int, doomed: Sequence[_Doomed]) -> None:
    """Take out of a case's drafts what repeats a post; a text that was signed is no longer the one that was."""
    for row in connection.execute(sa.select(drafts).where(drafts.c.case_id == case_id)).all():
        told = {"text": row.text, "note": row.note}
        hidden: dict[str, str | None] = {
            name: _WITHHELD for name, part in told.items() if _cleared(part, doomed) != part
        }
        if "text" in hidden and row.state != "used":
            hidden |= {"state": "draft", "signer": None, "signed_at": None}
        if hidden:
            connection.execute(drafts.update().where(drafts.c.id == row.id).values(**hidden))


def _cleared(value: Any, doomed: Sequence[_Doomed]) -> Any:
    if isinstance(value, Mapping):
        return {key: _cleared(part, doomed) for key, part in value.items()}
    if isinstance(value, list):
        return [_cleared(part, doomed) for part in value]
    if isinstance(value, str) and any(_repeats(value, one) for one in doomed):
        return {"sentence": _WITHHELD, "facts": {}}
    return value


def _repeats(note: str, one: _Doomed) -> bool:
    """Tell whether a note names the author or the address of a post, or holds five words of it in a row."""
    folded = note.casefold()
    if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded) for name in one.names):
        return True
    said, here = _words(one.text), f" {' '.join(_words(note))} "
    runs = [said[start : start + _RUN] for start in range(max(1, len(said) - _RUN + 1))]
    # A text of one or two words is in every note by chance.
    return any(f" {' '.join(run)} " in here for run in runs if len(run) > 2 or (run and len(said[0]) > 9))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _settle_case(connection: Connection, case_id: int, gone: frozenset[int], why: Why, now: datetime) -> None:
    """Let a case go on with the posts that are left, or close it; its waiting messages follow it."""
    left = list(
        connection.execute(
            sa.select(case_mentions.c.mention_id, case_mentions.c.how)
            .where(case_mentions.c.case_id == case_id)
            .order_by(case_mentions.c.mention_id)
        )
    )
    waiting = sa.and_(alerts.c.case_id == case_id, alerts.c.state.in_(("pending", "muted")))
    crisis = connection.scalar(sa.select(cases.c.kind).where(cases.c.id == case_id)) == "crisis"
    if left or crisis:  # a crisis is a rise of many, told without any post
        if left and all(row.how != "opened" for row in left):
            # Lists show a case by the post that opened it, so the oldest one left stands in.
            first = case_mentions.update().where(case_mentions.c.mention_id == left[0].mention_id)
            connection.execute(first.values(how="opened"))
        for row in connection.execute(sa.select(alerts.c.id, alerts.c.payload).where(waiting)).all():
            if (row.payload or {}).get("mention_id") in gone:
                shown = {**row.payload, "mention_id": left[-1].mention_id if left else 0}  # 0: none
                connection.execute(alerts.update().where(alerts.c.id == row.id).values(payload=shown))
        note = to_json([reason(_ONE_GONE[why])])[0]
        record(connection, case_id, now, PROGRAM, "note", after={"note": note})
        return
    connection.execute(alerts.update().where(waiting).values(state="withdrawn", error=_NOT_SENT))
    status = connection.scalar(sa.select(cases.c.status).where(cases.c.id == case_id))
    note = to_json([reason(_GONE[why])])[0]
    if status in OVER:
        record(connection, case_id, now, PROGRAM, "note", after={"note": note})
    else:
        close(connection, case_id, PROGRAM, now, note=note)
    connection.execute(cases.update().where(cases.c.id == case_id).values(thread=None))
