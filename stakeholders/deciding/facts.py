"""Hold the records of the answering room: who speaks, the facts a route is decided on, and the route itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from listener.reason import Reason
from listener.taxonomy import Department, Dimension, Intent, Kind, Priority, Sentiment, Stakeholder, Status
from sentiment.verdict import Label

__all__ = ["Case", "Facts", "Route", "Speaker"]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Hold who speaks in a mention: the stakeholder label with reasons, and what is publicly known of the account."""

    label: Label  # label.name is a Stakeholder
    outlet: bool = False  # a news outlet, which counts as reach (taxonomy.md)
    own_account: bool = False  # one of our own accounts speaks
    entry: str | None = None  # name of the registry entry that answered


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold everything that a route may be decided on; rules read nothing else."""

    text: str
    lang: str | None
    brand: str
    kind: Kind
    stakeholder: Stakeholder
    sentiment: Sentiment
    dimension: Dimension
    intent: Intent
    relevant: bool = True
    unsure: bool = False  # the sentiment is
    doubtful_speaker: int | None = None  # how sure in percent, when that label is unsure; None: it is not
    doubtful_dimension: int | None = None
    doubtful_intent: int | None = None
    source: str | None = None
    country: str | None = None
    handle: str | None = None
    followers: int | None = None
    outlet: bool = False
    own_account: bool = False
    sounds: Department | None = None  # what text and profile as a whole sound like, where the model was asked
    loud: float = 0.0  # how sure it is of that, 0..1


@dataclass(frozen=True, slots=True)
class Route:
    """Hold a decision: who answers, how soon, who is copied, by which rule, why, and what would have changed it."""

    department: Department
    copies: tuple[Department, ...]
    priority: Priority
    rule: str  # the name of the explicit rule, or "safety", "fraud", "matrix", "widest net"…
    because: tuple[Reason, ...]
    otherwise: tuple[Reason, ...] = ()  # the nearest changes of fact that would have sent it elsewhere
    opens_case: bool = False  # priority alert or important on our own brand, or a rule that says so
    department_share: float = 1.0  # how likely it is that this department answers, given how sure the labels are
    priority_share: float = 1.0
    suppress: bool = False  # the author asked not to be written to: goes on the suppression list
    added: tuple[str, ...] = ()  # names of the explicit rules that added copies or a priority and let others decide


@dataclass(frozen=True, slots=True)
class Case:
    """Hold one case as pages and mails show it; "overdue" is computed from `due_at`, never stored."""

    id: int
    brand: str
    department: Department
    copies: tuple[Department, ...]
    priority: Priority
    stakeholder: Stakeholder
    status: Status
    owner: str | None
    opened_at: datetime
    due_at: datetime | None
    acknowledged_at: datetime | None = None
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    mentions: int = 0
    people: int = 0
    version: int = 1
    reasons: tuple[Reason, ...] = field(default_factory=tuple)
    kind: str = "case"  # case | crisis
    snoozed_until: datetime | None = None
    merged_into: int | None = None  # the case that this one is part of now; it counts nowhere itself
    ticket_id: str | None = None  # of the team's own system
    ticket_url: str | None = None

    def overdue(self, now: datetime) -> bool:
        """Tell whether an answer is owed and late at `now`."""
        owed = self.answered_at is None and self.status not in ("closed", "dismissed")  # a snooze stops no clock
        return owed and self.due_at is not None and self.due_at < now
