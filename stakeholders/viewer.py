"""Know who looks at the dashboard, and what that person may see."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from listener.database import Store
from listener.tables.login import LoginTable, Role, RoleRule
from listener.taxonomy import Department
from stakeholders.scope import limit

__all__ = ["HERE", "Viewer", "recognise"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Hold a person, the role, and the departments to which the view is limited; None: not limited."""

    name: str
    mail: str | None
    role: Role
    departments: frozenset[Department] | None = None

    def see(self, store: Store) -> Store:
        """Give the store as this person may see it."""
        return store if self.departments is None else limit(store, self.departments)


HERE = Viewer("", None, "admin")  # who sits at this machine, where no login is asked


def recognise(claims: Mapping[str, Any], login: LoginTable, now: datetime) -> Viewer | None:
    """Give the person that a provider vouches for (OpenID Connect Core 1.0, 5.1); None when no rule lets them in.

    A login older than `lasts` is none. An address counts unless the provider says that it did not check it.
    """
    issued = claims.get("iat")
    if isinstance(issued, (int, float)) and now - datetime.fromtimestamp(issued, UTC) > login.lasts:
        return None
    mail = claims.get("email")
    checked = isinstance(mail, str) and claims.get("email_verified") not in (False, "false")
    known = str(mail).strip().casefold() if checked else None
    groups = _words(claims.get(login.groups_claim))
    rule = next((rule for rule in login.roles if _fits(rule, known, groups)), None)
    if rule is None:
        return None
    told = claims.get(login.name_claim) or claims.get("preferred_username") or mail or claims.get("sub")
    name = " ".join(str(told or "").split())[:80]
    if not name:
        return None  # the history of a case must be able to say who
    return Viewer(name, known, rule.role, frozenset(rule.departments) if rule.role == "member" else None)


def _fits(rule: RoleRule, mail: str | None, groups: frozenset[str]) -> bool:
    if groups & frozenset(rule.groups):
        return True
    return mail is not None and (mail in rule.mails or "@" + mail.partition("@")[2] in rule.mails)


def _words(told: Any) -> frozenset[str]:
    """Read a claim of groups: a list, or one word; anything else is none."""
    if isinstance(told, str):
        return frozenset({told})
    return frozenset(one for one in told if isinstance(one, str)) if isinstance(told, Iterable) else frozenset()
