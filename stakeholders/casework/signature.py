"""Tell who signs the reply to a case before it is used, and who may not."""

from __future__ import annotations

from listener.fold import fold
from listener.reason import N_, reason
from listener.settings import Settings
from listener.taxonomy import Department
from stakeholders.casework.mentioning import Colleague, colleagues
from stakeholders.casework.step import NotPossible
from stakeholders.deciding.facts import Case

__all__ = ["may_sign", "refuse_signer", "signers", "signing_department"]


def signing_department(settings: Settings, case: Case) -> Department | None:
    """Tell which department must sign the replies of a case ([signoff]); None: nobody need."""
    return settings.signoff.get(case.stakeholder)


def signers(settings: Settings, department: Department) -> tuple[Colleague, ...]:
    """List who signs for a department: everybody that config.toml places there. Nobody listed: any second person."""
    return tuple(one for one in colleagues(settings) if one.department == department)


def may_sign(settings: Settings, case: Case, author: str, who: str) -> bool:
    """Tell whether a person may sign, or return, a text of `author`; where nobody is listed, anybody but them."""
    department = signing_department(settings, case)
    if department is None or not who:
        return False
    names = [fold(one.name) for one in signers(settings, department)]
    return fold(who) in names if names else fold(who) != fold(author)


def refuse_signer(settings: Settings, case: Case, author: str, who: str) -> None:
    """Raise NotPossible for who may not sign a text of `author`, naming who may."""
    department = signing_department(settings, case)
    if department is None:
        raise NotPossible(reason(N_("Replies to {stakeholder} need no signature"), stakeholder=case.stakeholder))
    if may_sign(settings, case, author, who):
        return
    names = [one.name for one in signers(settings, department)]
    if not names:
        raise NotPossible(reason(N_("A second person signs: you wrote this text")))
    sentence = N_("Only {department} signs this: {quote_names}")
    raise NotPossible(reason(sentence, department=department, quote_names=", ".join(names[:8])))
