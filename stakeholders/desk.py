"""Settle mentions: who speaks, who answers, which case, whom to tell; in the transaction of the caller.

One desk settles at a time (on PostgreSQL by an advisory lock, on SQLite by its write lock), so that two posts of one
thread never open two cases. What it remembers of texts is only a copy of the database and is filled again at a start.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import add_new
from listener.match import Matcher, fold
from listener.mention import Brand, Mention
from listener.store import mentions, posts, read_mention, select_mentions
from sentiment.store import verdict_from_row, verdicts
from sentiment.verdict import Classifier, Verdict
from stakeholders.case import join, open_case
from stakeholders.casework.gather import Gatherer
from stakeholders.casework.step import UNFINISHED
from stakeholders.casework.thread import cases_of, thread_of
from stakeholders.deciding.decision import Decision, facts_of, save_decision
from stakeholders.deciding.explain import Explanation, Profile, explain
from stakeholders.deciding.facts import Case, Facts, Route, Speaker
from stakeholders.deciding.rules import Rules, rules_of
from stakeholders.deciding.weigh import weigh
from stakeholders.route import decide, rule_on
from stakeholders.store import case_mentions, cases, decisions, events, suppressions

if TYPE_CHECKING:
    from stakeholders.registry import Registry

__all__ = ["Desk"]

log = logging.getLogger("escucha.stakeholders")

_WINDOW = timedelta(days=14)
_BATCH = 500  # mentions asked for in one query
_LOCK = 7_021_995  # an arbitrary number that only desks ask PostgreSQL for


class Desk:
    """Hold one instance's rules, registry and memory of texts; make one and keep it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.brands = {brand.key: brand for brand in config.brands}
        self._texts: dict[str, Gatherer] = {}
        self._seen = 0  # the last filing in the history that was read into the memory
        self._warm = False

    @cached_property
    def rules(self) -> Rules:
        """Give the rules of this instance."""
        return rules_of(self.config.settings, self.config.folder)

    @cached_property
    def registry(self) -> Registry:
        """Read the registries of [registry], or of the countries of the brands and the instance."""
        from stakeholders.registry import load

        return load(self.countries, [self.config.folder / name for name in self.config.settings.registry.files])

    @property
    def countries(self) -> tuple[str, ...]:
        """Give the countries whose registries are asked: those of [registry], else the instance's and its brands'."""
        told = {brand.country for brand in self.brands.values() if brand.country}
        named = self.config.settings.registry.countries
        return tuple(named or sorted({self.config.settings.instance.country} | told))

    @cached_property
    def _rivals(self) -> Matcher:
        return Matcher([brand for brand in self.brands.values() if brand.kind == "competitor"])

    def warm(self) -> None:
        """Load what deciding needs (rules, registry), so that no lock is held meanwhile."""
        if self._warm:
            return
        _ = self.rules, self.registry, self._rivals
        self._warm = True

    def decide(
        self,
        mention: Mention,
        verdict: Verdict,
        speaker: Speaker | None = None,
        *,
        among: Sequence[Brand] = (),
        registry: Registry | None = None,
        explained: bool = True,
    ) -> tuple[Speaker, Facts, Route]:
        """Decide a mention without storing anything; `speaker` when it is known already (a person corrected it).

        `among` and `registry` stand in for the watched brands and the instance's registry when a file brings its own.
        Without `explained` the likeliest reading is not asked what would have changed it.
        """
        from stakeholders.identify import identify

        post = mention.post
        if speaker is None:
            brands = tuple(among or self.brands.values())
            brand = next(one for one in brands if one.key == mention.brand)
            speaker = identify(post, brand, brands, registry or self.registry, verdict.stakeholder)
        rules = self.rules
        peer = speaker.label.name == "peer_company" and not speaker.own_account
        # An executive speaks under a name of their own; the profile tells for which competitor.
        if peer and post.author.handle and self._rivals.find(f"{post.author.name or ''} {post.author.bio or ''}"):
            rules = replace(rules, rivals=rules.rivals | {fold(post.author.handle)})
        facts = facts_of(mention, verdict, speaker)
        first = decide(facts, rules) if explained else rule_on(facts, rules)
        return speaker, facts, weigh(first, facts, rules, verdict, speaker)

    def pending(self, connection: Connection, limit: int) -> list[int]:
        """Give the mentions of watched brands that are judged and not decided, the oldest published first.

        Where there are any, what deciding them needs is loaded now: settle holds the lock that all others wait for.
        """
        query = (
            sa.select(mentions.c.id)
            .join(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
            .outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
            .where(decisions.c.id.is_(None), mentions.c.brand.in_(self.brands))
            .order_by(mentions.c.published_at, mentions.c.id)
            .limit(limit)
        )
        found = list(connection.scalars(query))
        if found:
            self.warm()
        return found

    def settle(self, connection: Connection, mention_ids: Sequence[int], now: datetime) -> int:
        """Decide mentions: decision, case, suppression and alerts in the caller's transaction; give how many were new.

        A mention that was decided before, has no verdict or belongs to a brand no longer watched is left alone.
        """
        self.lock(connection)
        self._recall(connection, now)
        judged = {
            row.mention_id: verdict_from_row(row)
            for row in connection.execute(
                sa.select(verdicts).where(verdicts.c.mention_id.in_(mention_ids), verdicts.c.current)
            )
        }
        rows = connection.execute(
            select_mentions()
            .where(mentions.c.id.in_(list(judged)), mentions.c.brand.in_(self.brands))
            .order_by(posts.c.published_at, mentions.c.id)
        ).all()
        settled = filed = 0
        for row in rows:
            mention = read_mention(row)
            speaker, facts, route = self.decide(mention, judged[row.mention_id])
            if not save_decision(connection, row.mention_id, facts, row.hour, speaker, route, now):
                continue
            settled += 1
            filed += self.file(connection, row, mention, facts, route, now) is not None
        log.info("settle: %d mentions decided, %d of them in cases", settled, filed)
        return settled

    def correct(
        self, connection: Connection, mention_id: int, head: str, name: str, who: str, now: datetime
    ) -> Decision:
        """Take a person's label for a mention, decide it anew and move its case; both values stay in the history.

        `head` is relevant, sentiment, dimension, intent or stakeholder. Raises NotPossible for a label that is none and
        for a mention that was not decided yet.
        """
        from stakeholders.casework.correction import correct

        return correct(self, connection, mention_id, head, name, who, now)

    def explain(
        self, text: str, classifier: Classifier, now: datetime, profile: Profile | None = None, brand: str | None = None
    ) -> Explanation:
        """Tell what would be judged and decided of a text, storing nothing; see stakeholders.deciding.explain."""
        return explain(self, text, classifier, now, profile or Profile(), brand)

    def lock(self, connection: Connection) -> None:
        """Let one desk at a time settle or correct, until the end of the transaction."""
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    def file(
        self, connection: Connection, row: sa.Row[Any], mention: Mention, facts: Facts, route: Route, now: datetime
    ) -> Case | None:
        """Open a case for a decided mention or let it join one, and queue the alerts; None when it needs no case.

        `row` is one of select_mentions().
        """
        if route.suppress:
            self._suppress(connection, row, now)
        case, joined = self._place(connection, row, mention, facts, route, now)
        if case is None:
            return None
        self._memory(facts.brand).add(row.mention_id, row.text, row.published_at)
        from stakeholders.alerts import queue_case
        from stakeholders.regulation.mark import mark

        mark(connection, self.config.settings, case.id, row.mention_id, facts, now)
        queue_case(connection, self.config, case, row.mention_id, joined, now)
        return case

    def _place(
        self, connection: Connection, row: sa.Row[Any], mention: Mention, facts: Facts, route: Route, now: datetime
    ) -> tuple[Case | None, bool]:
        settings = self.config.settings
        ours = facts.own_account and not (facts.kind == "competitor" and route.opens_case)
        joinable = facts.relevant and not ours and (facts.kind == "own" or route.opens_case)
        if not joinable:
            return None, False
        thread = thread_of(connection, mention.post)
        case_id = self._in_thread(connection, thread, row.author_id, facts, route)
        if case_id is not None:
            reopen = route.opens_case or facts.sentiment == "negative"  # «thank you» leaves a closed case closed
            found = join(connection, settings, case_id, row.mention_id, "thread", route.priority, now, reopen)
            return found, True
        case_id = self._repeated(connection, row, facts.brand)
        if case_id is not None:
            return join(connection, settings, case_id, row.mention_id, "repeat", route.priority, now), True
        if not route.opens_case:
            return None, False
        opened = open_case(connection, settings, row.mention_id, facts.brand, route, facts.stakeholder, thread, now)
        return opened, False

    def _in_thread(
        self, connection: Connection, thread: str, author_id: int | None, facts: Facts, route: Route
    ) -> int | None:
        """Find the case that a post continues: the author's own, or one that the same department answers.

        Under one post of the brand hundreds may complain of different things; each department gets its own case. What
        goes elsewhere whoever speaks (a legal threat, a fraud) or by a rule is never hidden in another's case.
        """
        bound = route.opens_case and route.rule not in ("matrix", "widest net")
        for case_id, department, authors in cases_of(connection, thread, facts.brand):
            same = department == route.department
            if (same and route.opens_case) or (author_id in authors and (same or not bound)):
                return case_id
        return None

    def _repeated(self, connection: Connection, row: sa.Row[Any], brand: str) -> int | None:
        """Find the open case with a mention that says the same; one that was put off gathers too."""
        alike = self._memory(brand).matches(row.text, row.published_at)[:200]
        if not alike:
            return None
        rows = connection.execute(
            sa.select(case_mentions.c.mention_id, cases.c.id)
            .join(cases, cases.c.id == case_mentions.c.case_id)
            .where(case_mentions.c.mention_id.in_(alike), cases.c.status.in_(UNFINISHED))
        )
        open_ones = {found.mention_id: found.id for found in rows}
        return next((open_ones[one] for one in alike if one in open_ones), None)

    def _suppress(self, connection: Connection, row: sa.Row[Any], now: datetime) -> None:
        handle = row.handle or row.author_native_id or row.name
        if handle:
            line = {"source": row.source, "handle": fold(handle), "mention_id": row.mention_id, "at": now}
            add_new(connection, suppressions, [line], ("source", "handle"))

    def _memory(self, brand: str) -> Gatherer:
        return self._texts.setdefault(brand, Gatherer(_WINDOW))

    def recall(self, connection: Connection, brand: str, at: datetime) -> None:
        """Read the texts in a brand's open cases that were published around `at`: all that a single post can repeat."""
        around = posts.c.published_at.between(at - _WINDOW, at + _WINDOW)
        self._read(connection, mentions.c.brand == brand, cases.c.status.in_(UNFINISHED), around)

    def _recall(self, connection: Connection, now: datetime) -> None:
        """Read what any process filed since the last time; before rows are written, so that a rollback is no gap.

        The history tells what is new, not the decisions: a correction files a mention that was decided long before.
        """
        filing = events.c.what.in_(("opened", "joined"))
        last = connection.scalar(sa.select(events.c.id).where(filing).order_by(events.c.id.desc()).limit(1)) or 0
        recent = posts.c.published_at >= now - _WINDOW
        if not self._seen:
            self._read(connection, recent)
        else:
            new = sa.select(events.c.after).where(filing, events.c.id > self._seen, events.c.id <= last)
            filed = [line["mention"] for line in connection.scalars(new)]
            for start in range(0, len(filed), _BATCH):
                self._read(connection, recent, case_mentions.c.mention_id.in_(filed[start : start + _BATCH]))
        self._seen = last

    def _read(self, connection: Connection, *which: sa.ColumnElement[bool]) -> None:
        """Read texts that stand in cases into the memory, in the order in which they were published."""
        rows = connection.execute(
            sa.select(mentions.c.id, mentions.c.brand, posts.c.text, posts.c.published_at)
            .select_from(case_mentions.join(cases).join(mentions).join(posts))
            .where(*which)
            .order_by(posts.c.published_at, mentions.c.id)
        )
        for row in rows:
            self._memory(row.brand).add(row.id, row.text, row.published_at)
