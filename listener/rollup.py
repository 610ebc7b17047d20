"""Keep hourly sums of mentions beside them, changed by triggers in the transaction that changes what they count.

Whoever writes a post, a mention, a verdict, a decision or a place in a case, by whatever statement, changes the sums
in the same commit; deletions and cascades too. SQLite has one writer, so its triggers add to the sums themselves. On
PostgreSQL two writers of the same hour would wait for each other, or lock each other out, so there the triggers only
append to `rollup_change`, every reader adds both tables up, and `fold` brings them together from time to time.
The tables of verdicts, decisions and cases belong to other rooms; they stand here as SQL, because triggers are SQL.
Sources: https://sqlite.org/lang_createtrigger.html, https://www.postgresql.org/docs/current/trigger-definition.html
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import metadata

__all__ = ["fold", "install", "recount", "rollup_changes", "rollups"]

_LOCK = 7_021_998  # an arbitrary number that only `fold` asks PostgreSQL for


def _sums() -> list[sa.Column[int]]:
    names = ("mentions", "negative", "neutral", "positive", "unsure")
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


rollups = sa.Table(
    "rollup",
    metadata,
    # kind, source, dimension, stakeholder (empty: not routed): relevant mentions by that label; heard: all of the
    # brand; excluded, corrected, repeat: as `Honest` says; collected: posts, whatever they name (brand is empty)
    sa.Column("facet", sa.Text, primary_key=True),
    sa.Column("brand", sa.Text, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, primary_key=True),
    *_sums(),
    sqlite_with_rowid=False,
)

rollup_changes = sa.Table(  # PostgreSQL only: what was not folded yet; empty on SQLite
    "rollup_change",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("facet", sa.Text, nullable=False),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("hour", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    *_sums(),
    sa.Index("ix_rollup_change_facet_brand_hour", "facet", "brand", "hour"),
)

_LOCK_ALL = "LOCK TABLE post, mention, verdict, decision, case_mention IN SHARE ROW EXCLUSIVE MODE"
_COLUMNS = "facet, brand, hour, name, mentions, negative, neutral, positive, unsure"
_ADD = ", ".join(f"{one} = rollup.{one} + excluded.{one}" for one in _COLUMNS.split(", ")[4:])
_UPSERT = f"ON CONFLICT (facet, brand, hour, name) DO UPDATE SET {_ADD}"

_PLAIN = "{s}, 0, 0, 0, 0"
_MOODS = ", ".join(
    ["{s}"]
    + [f"CASE WHEN v.sentiment = '{one}' THEN {{s}} ELSE 0 END" for one in ("negative", "neutral", "positive")]
    + ["CASE WHEN v.unsure THEN {s} ELSE 0 END"]
)
_JUDGED = "FROM mention m JOIN verdict v ON v.mention_id = m.id AND v.current"
_FACET = "CASE f.facet WHEN 'kind' THEN m.kind WHEN 'source' THEN m.source ELSE v.dimension END"
_FACETS = "(SELECT 'kind' AS facet UNION ALL SELECT 'source' UNION ALL SELECT 'dimension') f"
_HOUR = {
    "sqlite": "CAST(strftime('%s', p.published_at) AS INTEGER) / 3600",
    "postgresql": "CAST(floor(extract(epoch FROM p.published_at) / 3600) AS INTEGER)",
}
_SPEAKER = f"{_JUDGED} AND v.relevant LEFT JOIN decision d ON d.mention_id = m.id"

# What each thing adds to the sums; {s} is 1 to add it and -1 to take it away, and a condition follows.
_PARTS = {
    "heard": f"SELECT 'heard', m.brand, m.hour, '', {_PLAIN} FROM mention m",  # noqa: S608 - constants of this file
    "labels": f"SELECT f.facet, m.brand, m.hour, {_FACET}, {_MOODS} {_JUDGED} AND v.relevant CROSS JOIN {_FACETS}",
    "speaker": f"SELECT 'stakeholder', m.brand, m.hour, coalesce(d.stakeholder, ''), {_MOODS} {_SPEAKER}",
    "excluded": f"SELECT 'excluded', m.brand, m.hour, '', {_PLAIN} {_JUDGED} AND NOT v.relevant",
    "corrected": f"SELECT 'corrected', m.brand, m.hour, '', {_PLAIN} {_JUDGED} AND v.by = 'person'",
    "repeat": f"SELECT 'repeat', m.brand, m.hour, '', {_PLAIN} {_JUDGED} AND v.relevant "
    "JOIN case_mention c ON c.mention_id = m.id AND c.how = 'repeat'",
    # what a decision takes the place of: the same mention while it is not routed
    "unrouted": f"SELECT 'stakeholder', m.brand, m.hour, '', {_MOODS} {_JUDGED} AND v.relevant",
}
_VERDICT = ("labels", "speaker", "excluded", "corrected", "repeat")
_MENTION = ("heard", *_VERDICT)

# table, when, condition, what is added or taken away of which mention
_TRIGGERS: tuple[tuple[str, str, str, tuple[tuple[str, int], ...], str], ...] = (
    ("mention", "AFTER INSERT", "", (("heard", 1),), "NEW.id"),
    ("mention", "BEFORE DELETE", "", tuple((one, -1) for one in _MENTION), "OLD.id"),
    ("mention", "BEFORE UPDATE OF brand, kind, source, hour", "", tuple((one, -1) for one in _MENTION), "OLD.id"),
    ("mention", "AFTER UPDATE OF brand, kind, source, hour", "", tuple((one, 1) for one in _MENTION), "NEW.id"),
    ("verdict", "AFTER INSERT", "NEW.current", tuple((one, 1) for one in _VERDICT), "NEW.mention_id"),
    ("verdict", "BEFORE DELETE", "OLD.current", tuple((one, -1) for one in _VERDICT), "OLD.mention_id"),
    ("verdict", "BEFORE UPDATE", "OLD.current", tuple((one, -1) for one in _VERDICT), "OLD.mention_id"),
    ("verdict", "AFTER UPDATE", "NEW.current", tuple((one, 1) for one in _VERDICT), "NEW.mention_id"),
    ("decision", "AFTER INSERT", "", (("unrouted", -1), ("speaker", 1)), "NEW.mention_id"),
    ("decision", "BEFORE DELETE", "", (("speaker", -1), ("unrouted", 1)), "OLD.mention_id"),
    ("decision", "BEFORE UPDATE OF stakeholder", "", (("speaker", -1),), "OLD.mention_id"),
    ("decision", "AFTER UPDATE OF stakeholder", "", (("speaker", 1),), "NEW.mention_id"),
    ("case_mention", "AFTER INSERT", "NEW.how = 'repeat'", (("repeat", 1),), "NEW.mention_id"),
    ("case_mention", "BEFORE DELETE", "OLD.how = 'repeat'", (("repeat", -1),), "OLD.mention_id"),
    ("case_mention", "BEFORE UPDATE OF how", "OLD.how = 'repeat'", (("repeat", -1),), "OLD.mention_id"),
    ("case_mention", "AFTER UPDATE OF how", "NEW.how = 'repeat'", (("repeat", 1),), "NEW.mention_id"),
    ("post", "AFTER INSERT", "", (("collected", 1),), "NEW.id"),
    ("post", "BEFORE DELETE", "", (("collected", -1),), "OLD.id"),
    ("post", "BEFORE UPDATE OF published_at", "", (("collected", -1),), "OLD.id"),
    ("post", "AFTER UPDATE OF published_at", "", (("collected", 1),), "NEW.id"),
)


def install(connection: Connection) -> None:
    """Make the triggers and count everything once; the two tables exist. For migrations."""
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    recount(connection)


def recount(connection: Connection) -> None:
    """Count all sums anew from the rows, in the caller's transaction: what the triggers would have come to."""
    dialect = connection.dialect.name
    if dialect == "postgresql":  # a writer between the counting and the commit would be lost or counted twice
        connection.exec_driver_sql(_LOCK_ALL)
    connection.execute(rollup_changes.delete())
    connection.execute(rollups.delete())
    for name in (*_MENTION, "collected"):
        sums = ", ".join(f"sum({one})" for one in _COLUMNS.split(", ")[4:])
        inner = _part(name, 1, dialect)
        # the columns of the inner query take their names from an empty select in front of it
        named = f"SELECT {_COLUMNS} FROM rollup WHERE 1 = 0 UNION ALL {inner}"  # noqa: S608 - constants of this file
        added = f"SELECT facet, brand, hour, name, {sums} FROM ({named}) t GROUP BY facet, brand, hour, name"  # noqa: S608 - constants of this file
        connection.exec_driver_sql(f"INSERT INTO rollup ({_COLUMNS}) {added}")


def fold(connection: Connection) -> int:
    """Bring what was appended since the last time into the sums, in the caller's transaction; give how many rows.

    Only PostgreSQL has something to fold. Two processes never fold at once: the second one gives 0.
    """
    if connection.dialect.name != "postgresql":
        return 0
    if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
        return 0
    sums = ", ".join(f"sum({one})" for one in _COLUMNS.split(", ")[4:])
    group = "facet, brand, hour, name"
    added = f"INSERT INTO rollup ({_COLUMNS}) SELECT {group}, {sums} FROM gone GROUP BY {group} {_UPSERT}"  # noqa: S608 - constants of this file
    gone = f"DELETE FROM rollup_change RETURNING {_COLUMNS}"  # noqa: S608 - constants of this file
    taken = connection.exec_driver_sql(f"WITH gone AS ({gone}), added AS ({added}) SELECT count(*) FROM gone")  # noqa: S608 - constants of this file
    return int(taken.scalar_one())


def _part(name: str, sign: int, dialect: str, of: str | None = None) -> str:
    if name == "collected":
        found = f"SELECT 'collected', '', {_HOUR[dialect]}, '', {_PLAIN} FROM post p".format(s=sign)  # noqa: S608 - constants of this file
        return found if of is None else f"{found} WHERE p.id = {of}"
    found = _PARTS[name].format(s=sign)
    return found if of is None else f"{found} WHERE m.id = {of}"


def _statements(dialect: str) -> Iterator[str]:
    """Give the statements that make the triggers, each instead of one of the same name."""
    for table, when, condition, parts, of in _TRIGGERS:
        timing, event = when.split()[:2]
        name = f"rollup_{table}_{timing}_{event}".lower()
        told = f"WHEN ({condition})" if condition else ""
        if dialect == "sqlite":
            adds = "; ".join(
                f"INSERT INTO rollup ({_COLUMNS}) {_part(part, sign, dialect, of)} {_UPSERT}" for part, sign in parts
            )
            yield f"DROP TRIGGER IF EXISTS {name}"
            yield f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {told} BEGIN {adds}; END"
            continue
        adds = "; ".join(
            f"INSERT INTO rollup_change ({_COLUMNS}) {_part(part, sign, dialect, of)}" for part, sign in parts
        )
        # Two who change the verdict and the decision of one mention must see each other's work.
        lock = "" if table in ("mention", "post") else f"PERFORM 1 FROM mention WHERE id = {of} FOR NO KEY UPDATE; "
        given = "OLD" if event == "DELETE" else "NEW"
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {lock}{adds}; RETURN {given}; END $$"
        )
        yield f"DROP TRIGGER IF EXISTS {name} ON {table}"
        yield f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {told} EXECUTE FUNCTION {name}()"
