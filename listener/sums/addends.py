"""Say in SQL what each mention adds to each sum, and which change of which row adds or takes away what.

The tables of verdicts, decisions and cases belong to other rooms; they stand here as SQL, because triggers are SQL.
`{s}` is 1 to add and -1 to take away.
"""

from __future__ import annotations

__all__ = ["DAILY", "DAY_ONLY", "KEYS", "LABELS", "PARTS", "SUMS", "TRIGGERS", "UNROUTED", "part"]

SUMS = ("mentions", "negative", "neutral", "positive", "unsure")
KEYS = ("facet", "brand", "hour", "name")
LABELS = ("kind", "source", "dimension", "stakeholder")
# Two labels at once, and bodies, are kept by day alone: by hour nearly every mention would be a row of its own.
DAY_ONLY = ("dimension/source", "stakeholder/dimension", "stakeholder/source", "body")

UNROUTED = "/unrouted"  # behind the name of how a mention came into a case, while nobody decided of it

_MOODS = ", ".join(
    ["{s} AS mentions"]
    + [f"CASE WHEN v.sentiment = '{one}' THEN {{s}} ELSE 0 END AS {one}" for one in SUMS[1:4]]
    + ["CASE WHEN v.unsure THEN {s} ELSE 0 END AS unsure"]
)
_PLAIN = "{s} AS mentions, 0 AS negative, 0 AS neutral, 0 AS positive, 0 AS unsure"
_AT = "AS facet, m.brand AS brand, m.hour AS hour"
_JUDGED = "FROM mention m JOIN verdict v ON v.mention_id = m.id AND v.current"
_RELEVANT = f"{_JUDGED} AND v.relevant"
_JOINED = f"{_RELEVANT} JOIN case_mention c ON c.mention_id = m.id"
_ROUTED = f"{_RELEVANT} LEFT JOIN decision d ON d.mention_id = m.id"
_ONE = "CASE f.facet WHEN 'kind' THEN m.kind WHEN 'source' THEN m.source ELSE v.dimension END"
_ONES = "(SELECT 'kind' AS facet UNION ALL SELECT 'source' UNION ALL SELECT 'dimension') f"
_SECOND = "CASE f.facet WHEN 'stakeholder/source' THEN m.source ELSE v.dimension END"
_SECONDS = "(SELECT 'stakeholder/dimension' AS facet UNION ALL SELECT 'stakeholder/source') f"
_HOUR = {
    "sqlite": "CAST(strftime('%s', {0}) AS INTEGER) / 3600",
    "postgresql": "CAST(floor(extract(epoch FROM {0}) / 3600) AS INTEGER)",
}
PARTS = {
    "heard": f"SELECT 'heard' {_AT}, '' AS name, {_PLAIN} FROM mention m",  # noqa: S608 - constants of this file
    "labels": f"SELECT f.facet {_AT}, {_ONE} AS name, {_MOODS} {_RELEVANT} CROSS JOIN {_ONES}",
    "speaker": f"SELECT 'stakeholder' {_AT}, coalesce(d.stakeholder, '') AS name, {_MOODS} {_ROUTED}",
    "excluded": f"SELECT 'excluded' {_AT}, '' AS name, {_PLAIN} {_JUDGED} AND NOT v.relevant",
    "corrected": f"SELECT 'corrected' {_AT}, '' AS name, {_PLAIN} {_JUDGED} AND v.by = 'person'",
    # how it came into a case; what no decision stands behind (any more) is told apart
    "case": f"SELECT 'case' {_AT}, c.how || CASE WHEN d.id IS NULL THEN '{UNROUTED}' ELSE '' END AS name, {_PLAIN} "
    f"{_JOINED} LEFT JOIN decision d ON d.mention_id = m.id",
    # a text counts where it was first said: copies hold the number of that post
    "text": f"SELECT 'text' {_AT}, '' AS name, {_PLAIN} {_RELEVANT} "
    "JOIN post p ON p.id = m.post_id AND (p.cluster IS NULL OR p.cluster = p.id)",
    "pairs": f"SELECT 'dimension/source' {_AT}, v.dimension || '/' || m.source AS name, {_MOODS} {_RELEVANT}",
    "speaker pairs": f"SELECT f.facet {_AT}, coalesce(d.stakeholder, '') || '/' || {_SECOND} AS name, {_MOODS} "
    f"{_ROUTED} CROSS JOIN {_SECONDS}",
    "body": f"SELECT 'body' {_AT}, d.stakeholder || '/' || d.entry AS name, {_MOODS} {_RELEVANT} "
    "JOIN decision d ON d.mention_id = m.id AND d.entry IS NOT NULL",
    # what a decision takes the place of: the same mention while it is not routed
    "unrouted": f"SELECT 'stakeholder' {_AT}, '' AS name, {_MOODS} {_RELEVANT}",
    "unrouted pairs": f"SELECT f.facet {_AT}, '/' || {_SECOND} AS name, {_MOODS} {_RELEVANT} CROSS JOIN {_SECONDS}",
    # and of one that stands in a case already, which moves from the one name to the other
    "routed case": f"SELECT 'case' {_AT}, c.how || CASE f.sign WHEN 1 THEN '' ELSE '{UNROUTED}' END AS name, "
    f"{_PLAIN.replace('{s}', '{s} * f.sign')} {_JOINED} CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1) f",
}
DAILY = frozenset({"pairs", "speaker pairs", "body", "unrouted pairs"})  # parts of the facets of DAY_ONLY
_VERDICT = ("labels", "speaker", "excluded", "corrected", "case", "text", "pairs", "speaker pairs", "body")
_MENTION = ("heard", *_VERDICT)
_SPEAKER = ("speaker", "speaker pairs", "body")


def _all(names: tuple[str, ...], sign: int) -> tuple[tuple[str, int], ...]:
    return tuple((name, sign) for name in names)


_ROUTE = (("unrouted", -1), ("unrouted pairs", -1), *_all(_SPEAKER, 1), ("routed case", 1))
_UNROUTE = (*_all(_SPEAKER, -1), ("unrouted", 1), ("unrouted pairs", 1), ("routed case", -1))
_COPY = "coalesce(OLD.cluster, OLD.id) <> coalesce(NEW.cluster, NEW.id)"

# table, moment, condition, parts with their signs, and the mentions that they are of. What goes is taken away before
# the change and by cascade too: a row that went before finds nothing to join and takes nothing away a second time.
TRIGGERS: tuple[tuple[str, str, str, tuple[tuple[str, int], ...], str], ...] = (
    ("mention", "AFTER INSERT", "", (("heard", 1),), "m.id = NEW.id"),
    ("mention", "BEFORE DELETE", "", _all(_MENTION, -1), "m.id = OLD.id"),
    ("mention", "BEFORE UPDATE OF brand, kind, source, hour", "", _all(_MENTION, -1), "m.id = OLD.id"),
    ("mention", "AFTER UPDATE OF brand, kind, source, hour", "", _all(_MENTION, 1), "m.id = NEW.id"),
    ("verdict", "AFTER INSERT", "NEW.current", _all(_VERDICT, 1), "m.id = NEW.mention_id"),
    ("verdict", "BEFORE DELETE", "OLD.current", _all(_VERDICT, -1), "m.id = OLD.mention_id"),
    ("verdict", "BEFORE UPDATE", "OLD.current", _all(_VERDICT, -1), "m.id = OLD.mention_id"),
    ("verdict", "AFTER UPDATE", "NEW.current", _all(_VERDICT, 1), "m.id = NEW.mention_id"),
    ("decision", "AFTER INSERT", "", _ROUTE, "m.id = NEW.mention_id"),
    ("decision", "BEFORE DELETE", "", _UNROUTE, "m.id = OLD.mention_id"),
    ("decision", "BEFORE UPDATE OF stakeholder, entry", "", _all(_SPEAKER, -1), "m.id = OLD.mention_id"),
    ("decision", "AFTER UPDATE OF stakeholder, entry", "", _all(_SPEAKER, 1), "m.id = NEW.mention_id"),
    ("case_mention", "AFTER INSERT", "", (("case", 1),), "m.id = NEW.mention_id"),
    ("case_mention", "BEFORE DELETE", "", (("case", -1),), "m.id = OLD.mention_id"),
    ("case_mention", "BEFORE UPDATE OF how", "OLD.how <> NEW.how", (("case", -1),), "m.id = OLD.mention_id"),
    ("case_mention", "AFTER UPDATE OF how", "OLD.how <> NEW.how", (("case", 1),), "m.id = NEW.mention_id"),
    ("post", "AFTER INSERT", "", (("collected", 1),), "p.id = NEW.id"),
    ("post", "BEFORE DELETE", "", (("collected", -1), ("text", -1)), "p.id = OLD.id"),
    ("post", "BEFORE UPDATE OF published_at", "", (("collected", -1),), "p.id = OLD.id"),
    ("post", "AFTER UPDATE OF published_at", "", (("collected", 1),), "p.id = NEW.id"),
    ("post", "BEFORE UPDATE OF cluster", _COPY, (("text", -1),), "p.id = OLD.id"),
    ("post", "AFTER UPDATE OF cluster", _COPY, (("text", 1),), "p.id = NEW.id"),
    ("run", "AFTER INSERT", "NEW.new <> 0", (("brought", 1),), "r.id = NEW.id"),
    ("run", "BEFORE DELETE", "OLD.new <> 0", (("brought", -1),), "r.id = OLD.id"),
    ("run", "BEFORE UPDATE OF new", "OLD.new <> 0", (("brought", -1),), "r.id = OLD.id"),
    ("run", "AFTER UPDATE OF new", "NEW.new <> 0", (("brought", 1),), "r.id = NEW.id"),
)


def part(name: str, sign: int, dialect: str, of: str = "") -> str:
    """Give the query of what a part adds (or with sign -1 takes away), of all mentions or of those that `of` says."""
    hour = _HOUR[dialect]
    if name == "collected":
        query = f"SELECT 'collected' AS facet, '' AS brand, {hour.format('p.published_at')} AS hour, p.source AS name, "
        query += f"{_PLAIN} FROM post p".format(s=sign)
    elif name == "brought":
        query = f"SELECT 'brought' AS facet, '' AS brand, {hour.format('r.started_at')} AS hour, r.source AS name, "
        query += f"{_PLAIN} FROM run r".format(s=f"({sign}) * r.new")
    else:
        query = PARTS[name].format(s=sign)
    return f"{query} WHERE {of}" if of else query
