"""Answer: who speaks → cases → routes → alerts → digests → pages. The top room: it may import the other two."""

from __future__ import annotations

from stakeholders.deciding.facts import Case, Facts, Route, Speaker

__all__ = ["Case", "Facts", "Route", "Speaker"]
