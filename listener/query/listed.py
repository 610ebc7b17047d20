"""Keep what lists and searches would else gather from many rows: labels of cases and decisions, and where posts stand.

A case holds the source, the sentiment and the doubt of the post that opened it; a place in a case what a search asks of
its post; a decision the source and the dimension of its mention. `post_place` tells in which blocks of ids the posts of
an hour stand, so that the full-text index is asked for a stretch of time by ids; of posts that go it keeps the block,
which is more than needed, never less.
Triggers keep all of it in the transaction of the change, whoever makes it: a correction, another engine's verdict, a
merge, a split, an erasure, a deletion by cascade. What belongs to other rooms stands here as SQL, as triggers do.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.query.caseindex import FACTS
from listener.store import post_places

__all__ = ["fill_listed", "fill_places", "install_listed", "install_places", "post_ids"]

_BLOCK = 10  # bits of a post's id that its block leaves out

_OPENER = "opener_source, opener_sentiment, opener_unsure"
# A case has one opener; were there two, the first one is told.
_OPENED = """
    SELECT m.source, v.sentiment, v.unsure FROM case_mention c JOIN mention m ON m.id = c.mention_id
    LEFT JOIN verdict v ON v.mention_id = m.id AND v.current
    WHERE c.case_id = cases.id AND c.how = 'opened' ORDER BY c.mention_id LIMIT 1"""
_CASES = f"UPDATE cases SET ({_OPENER}) = ({_OPENED})"  # noqa: S608 - constants of this file
_OPENED_BY = "id IN (SELECT case_id FROM case_mention WHERE mention_id = {0} AND how = 'opened')"
_SAID = """
    SELECT m.source, v.dimension FROM mention m
    LEFT JOIN verdict v ON v.mention_id = m.id AND v.current WHERE m.id = """
_DECISIONS = f"UPDATE decision SET (source, dimension) = ({_SAID}decision.mention_id)"  # noqa: S608 - constants of this file
_EDITABLE = tuple(name for name in FACTS if name != "post_id")
_OF_POST = f"""
    SELECT m.post_id, {", ".join(f"p.{name}" for name in _EDITABLE)}
    FROM mention m JOIN post p ON p.id = m.post_id WHERE m.id = """  # noqa: S608 - constants of this room
_PLACED = f"UPDATE case_mention SET ({', '.join(FACTS)}) = ({_OF_POST}case_mention.mention_id)"  # noqa: S608 - constants of this room
_EDITED = f"AFTER UPDATE OF {', '.join(_EDITABLE)} ON post"
_SPOKEN_OF = "UPDATE decision SET dimension = NEW.dimension WHERE mention_id = NEW.mention_id"
_HEARD = "UPDATE decision SET brand = NEW.brand, hour = NEW.hour, source = NEW.source WHERE mention_id = NEW.id"
_HOUR = {
    "sqlite": "CAST(strftime('%s', published_at) AS INTEGER) / 3600",
    "postgresql": "CAST(floor(extract(epoch FROM published_at) / 3600) AS INTEGER)",
}
# When a post was said stands in its mentions, too; older programs gave some of edited posts the time of the edit.
_TIMES = (("post", "published_at"), ("mention", "hour"))
_EITHER = "OLD.how = 'opened' OR NEW.how = 'opened'"

# table, moment, condition, and the cases whose opener is looked up anew
_LOOKS = (
    ("case_mention", "AFTER INSERT", "NEW.how = 'opened'", "id = NEW.case_id"),
    ("case_mention", "AFTER DELETE", "OLD.how = 'opened'", "id = OLD.case_id"),
    ("case_mention", "AFTER UPDATE OF case_id, how", _EITHER, "id IN (OLD.case_id, NEW.case_id)"),
    ("verdict", "AFTER INSERT", "NEW.current", _OPENED_BY.format("NEW.mention_id")),
    ("verdict", "AFTER DELETE", "OLD.current", _OPENED_BY.format("OLD.mention_id")),
    ("verdict", "AFTER UPDATE", "OLD.current OR NEW.current", _OPENED_BY.format("NEW.mention_id")),
    ("mention", "AFTER UPDATE OF source", "OLD.source <> NEW.source", _OPENED_BY.format("NEW.id")),
)


# Made once: a search asks it at every stretch.
_BLOCKS = sa.select(sa.func.min(post_places.c.block), sa.func.max(post_places.c.block)).where(
    post_places.c.hour.between(sa.bindparam("first"), sa.bindparam("last"))
)


def post_ids(connection: Connection, first: int, last: int) -> tuple[int, int] | None:
    """Give ids between which all posts stand that were published in these hours, as they or a mention of them say.

    Whole hours since 1970 UTC, first ≤ hour ≤ last; None where there are none. They are looked up, not guessed: a post
    that was collected late, or dated wrongly, stands in its place.
    """
    # SQLite rounds an hour before 1970 upward
    low, high = connection.execute(_BLOCKS, {"first": first - 1, "last": last + 1}).one()
    return None if low is None else (low << _BLOCK, ((high + 1) << _BLOCK) - 1)


def install_listed(connection: Connection) -> None:
    """Make the triggers and fill what they keep from the rows that are there. For migrations."""
    for statement in _sqlite() if connection.dialect.name == "sqlite" else _postgresql():
        connection.exec_driver_sql(statement)
    fill_listed(connection)


def fill_listed(connection: Connection) -> None:
    """Look up all that is kept anew: what the triggers would have come to."""
    places = (_places(connection.dialect.name, table) for table, _ in _TIMES)
    for statement in (_CASES, _DECISIONS, "DELETE FROM post_place", *places):
        connection.exec_driver_sql(statement)


def install_places(connection: Connection) -> None:
    """Have places in cases hold what a search asks of their posts, and fill it in. For migrations."""
    again = f"{_PLACED} WHERE mention_id IN (SELECT id FROM mention WHERE post_id = NEW.id)"  # noqa: S608 - constants of this file
    differs = "IS NOT" if connection.dialect.name == "sqlite" else "IS DISTINCT FROM"
    changed = " OR ".join(f"OLD.{one} {differs} NEW.{one}" for one in _EDITABLE)
    if connection.dialect.name == "sqlite":
        for name, when, which in (
            ("join", "AFTER INSERT ON case_mention", f"{_PLACED} WHERE mention_id = NEW.mention_id"),
            ("edit", f"{_EDITED} WHEN {changed}", again),
        ):
            connection.exec_driver_sql(f"CREATE TRIGGER listed_facts_{name} {when} BEGIN {which}; END")
    else:
        # Whoever edits the post at this moment is waited for, or waits: else what it was would stay.
        into = ", ".join(f"NEW.{column}" for column in FACTS)
        told = _OF_POST.replace("FROM", f"INTO {into} FROM", 1) + "NEW.mention_id FOR SHARE OF p"
        for name, when, which, does in (
            ("join", "BEFORE INSERT ON case_mention", "true", told),
            ("edit", _EDITED, changed, again),
        ):
            body = f"$$ BEGIN {does}; RETURN NEW; END $$"
            called = f"listed_facts_{name}()"
            connection.exec_driver_sql(f"CREATE FUNCTION {called} RETURNS trigger LANGUAGE plpgsql AS {body}")
            connection.exec_driver_sql(
                f"CREATE TRIGGER listed_facts_{name} {when} FOR EACH ROW WHEN ({which}) EXECUTE FUNCTION {called}"
            )
    fill_places(connection)


def fill_places(connection: Connection) -> None:
    """Look up anew what places in cases hold of their posts: what the triggers would have come to."""
    connection.exec_driver_sql(_PLACED)


def _places(dialect: str, table: str, which: str = "true", *, of: str = "") -> str:
    """Write where the posts, or those of the mentions, of a table stand, (hour, block) once each."""
    hour, number = (_HOUR[dialect], "id") if table == "post" else ("hour", "post_id")
    block = f"SELECT DISTINCT {hour} AS hour, {number} >> {_BLOCK} AS block FROM {of or table} WHERE {which}"  # noqa: S608 - constants of the program
    # in one order, so that two writers on PostgreSQL never wait for each other in a ring
    return f"INSERT INTO post_place (hour, block) {block} ORDER BY 1, 2 ON CONFLICT DO NOTHING"


def _sqlite() -> Iterator[str]:
    # Rows that come by hundreds are written down when the mark of `adding_once` goes (listener.sums.rollup): hours are
    # read from few moments then, for that takes longer than all else. A mention is given the time of its post.
    marked = "SELECT 1 FROM rollup_change c WHERE c.facet = 'post' AND c.brand = '' AND c.hour < NEW.id"
    moments = f"SELECT DISTINCT substr(published_at, 1, 13) || ':00' AS published_at, id >> {_BLOCK} AS block"
    once = f"({moments} FROM post WHERE id > OLD.hour)"
    does = f"INSERT INTO post_place (hour, block) SELECT DISTINCT {_HOUR['sqlite']}, block FROM {once} WHERE true "  # noqa: S608 - constants of the program
    for name, when, condition, change in (
        ("post_insert", "AFTER INSERT ON post", f"NOT EXISTS ({marked})", _places("sqlite", "post", "id = NEW.id")),
        ("once", "AFTER DELETE ON rollup_change", "OLD.facet = 'post'", f"{does}ON CONFLICT DO NOTHING"),
        *(
            (f"{table}_update", f"AFTER UPDATE OF {column} ON {table}", "true", _places("sqlite", table, "id = NEW.id"))
            for table, column in _TIMES
        ),
    ):
        yield f"CREATE TRIGGER listed_place_{name} {when} WHEN {condition} BEGIN {change}; END"
    for table, when, condition, which in _LOOKS:
        name = _name(table, when)
        yield f"CREATE TRIGGER {name} {when} ON {table} WHEN {condition} BEGIN {_CASES} WHERE {which}; END"
    for table, when, condition, change in (
        ("decision", "AFTER INSERT", "true", f"{_DECISIONS} WHERE id = NEW.id"),
        ("verdict", "AFTER INSERT", "NEW.current", f"{_SPOKEN_OF} AND dimension IS NOT NEW.dimension"),
        ("verdict", "AFTER UPDATE", "NEW.current", f"{_SPOKEN_OF} AND dimension IS NOT NEW.dimension"),
        ("mention", "AFTER UPDATE OF brand, hour, source", "true", _HEARD),
    ):
        name = _name(table, when, "said")
        yield f"CREATE TRIGGER {name} {when} ON {table} WHEN {condition} BEGIN {change}; END"


def _postgresql() -> Iterator[str]:
    # Two who change the verdict and the place of one mention must see each other's work: a lock on the mention puts
    # them one behind the other, as for the sums (listener/sums/rollup.py).
    held = "PERFORM 1 FROM mention WHERE id = {0} FOR NO KEY UPDATE; "
    for table, when, condition, which in _LOOKS:
        of = ("OLD." if when.endswith("DELETE") else "NEW.") + ("id" if table == "mention" else "mention_id")
        yield from _calling(table, when, condition, f"{held.format(of)}{_CASES} WHERE {which}", "opener")
    changed = f"{_SPOKEN_OF} AND dimension IS DISTINCT FROM NEW.dimension"
    for when in ("AFTER INSERT", "AFTER UPDATE"):
        yield from _calling("verdict", when, "NEW.current", held.format("NEW.mention_id") + changed, "said")
    yield from _calling("mention", "AFTER UPDATE OF brand, hour, source", "true", _HEARD, "said")
    for table, event in (("post", "INSERT"), ("post", "UPDATE"), ("mention", "UPDATE")):
        name = f"listed_place_{table}_{event}".lower()
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {_places('postgresql', table, of='fresh')}; RETURN NULL; END $$"
        )
        yield (
            f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING NEW TABLE AS fresh "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
    told = _SAID.replace("FROM", "INTO NEW.source, NEW.dimension FROM", 1)
    yield from _calling(
        "decision", "BEFORE INSERT", "true", f"{held.format('NEW.mention_id')}{told}NEW.mention_id", "said"
    )


def _calling(table: str, when: str, condition: str, does: str, what: str) -> Iterator[str]:
    name = _name(table, when, what)
    yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NEW; END $$"
    yield f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION {name}()"


def _name(table: str, when: str, what: str = "opener") -> str:
    return f"listed_{what}_{table}_{when.split()[1]}".lower()
