"""Ask everything that an instance depends on whether it answers: database, mail server, sources, and the install."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from listener.errors import EscuchaError, SourceError
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from listener.config import Config
    from listener.mention import Source

__all__ = ["Finding", "check_instance"]

OURS = ("dashboard", "listener", "sentiment", "stakeholders")


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one answer of the check: what was asked, how it is, and the words for it."""

    what: str
    state: Literal["ok", "failed", "skipped"]
    says: tuple[Reason, ...]

    def words(self, lang: str) -> str:
        """Word the finding."""
        from listener.failure import worded

        facts = {
            name: worded(str(fact), lang) for one in self.says for name, fact in one.facts.items() if name == "failure"
        }
        return " ".join(Reason(one.sentence, {**one.facts, **facts}).say(lang) for one in self.says)


def check_instance(config: Config, refused: Callable[[Config], str] | None = None) -> Iterator[Finding]:
    """Check the install, the database, the judges, the mail server and each source, in this order; no post is stored.

    `refused` opens the configured model and gives the reason why it cannot judge, or "" (sentiment/refusal.py; this
    room does not know that one). Left out, the judges are not asked.
    """
    yield from _check_install()
    yield _check_store(config)
    if refused is not None:
        yield _check_judges(config, refused)
    yield _check_mail(config)
    yield from _check_sources(config)


def _check_install() -> Iterator[Finding]:
    """Name a package that brings a folder of our name: pip would overwrite one by the other in silence."""
    from importlib.metadata import packages_distributions

    for name, owners in packages_distributions().items():
        if name in OURS:
            for owner in sorted(set(owners) - {"escucha"}):
                told = reason(
                    N_("the package {quote} also brings a folder «{name}» and hides ours; use an own environment"),
                    quote=owner,
                    name=name,
                )
                yield Finding("install", "failed", (told,))


def _check_store(config: Config) -> Finding:
    from sqlalchemy.exc import SQLAlchemyError

    from listener.database import Store

    try:
        store = Store(config.store_url)
        store.migrate()
        name = store.engine.dialect.name
        store.close()
    except (SQLAlchemyError, EscuchaError, OSError) as error:
        why = str(error.__cause__ or error).splitlines()[0]
        return Finding("store", "failed", (reason(N_("the database does not open: {quote}"), quote=why),))
    return Finding("store", "ok", (reason(N_("{name} answers"), name=name),))


def _check_judges(config: Config, refused: Callable[[Config], str]) -> Finding:
    engine = config.settings.sentiment.engine
    if why := refused(config):
        told = N_("the judges that {quote} names are not in use: {failure}")
        return Finding("sentiment", "failed", (Reason(told, {"quote": f'engine = "{engine}"', "failure": why}),))
    return Finding("sentiment", "ok", (reason(N_("{quote} opens"), quote=f'engine = "{engine}"'),))


def _check_mail(config: Config) -> Finding:
    mail = config.settings.mail
    try:
        kind = smtplib.SMTP_SSL if mail.security == "tls" else smtplib.SMTP
        with kind(mail.host, mail.port, timeout=5) as line:
            if mail.security == "starttls":
                line.starttls(context=ssl.create_default_context())
            if mail.user and mail.password:
                line.login(mail.user, mail.password.get_secret_value())
            line.noop()
    except smtplib.SMTPAuthenticationError:
        told = reason(N_("{host}:{port} refuses the name or the password"), host=mail.host, port=str(mail.port))
        return Finding("mail", "failed", (told,))
    except (OSError, smtplib.SMTPException):
        told = reason(
            N_("no mail server answers at {host}:{port}; alerts will wait in the outbox and go out later"),
            host=mail.host,
            port=str(mail.port),
        )
        return Finding("mail", "failed", (told,))
    return Finding("mail", "ok", (reason(N_("{host}:{port} answers"), host=mail.host, port=str(mail.port)),))


def _check_sources(config: Config) -> Iterator[Finding]:
    from listener.egress import egress_of
    from listener.sources import load

    egress = egress_of(config)
    for name in config.settings.sources:
        what = f"sources.{name}"
        if name not in config.sources:
            yield Finding(what, "skipped", (reason(N_("not connected (enabled = false)")),))
            continue
        source = load(name, config.sources[name], egress)
        price = source.cost(config.brands)
        try:
            source.probe()
        except SourceError as error:
            yield Finding(what, "failed", (Reason("{failure}.", {"failure": str(error)}), price))
        else:
            yield Finding(what, "ok", (reason(N_("answers.")), price))
        yield from _check_cost(config, name, source)


def _check_cost(config: Config, name: str, source: Source) -> Iterator[Finding]:
    """Say what a source has cost this month and what a month of these names would; only where it bills.

    The platform may charge for the counting itself: that is added to what was spent, and not asked past the limit.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from listener.budget import add_spending, describe, forecast_cost, gate, limit_of, prices_of, read_budget
    from listener.database import Store
    from listener.mention import Forecasts
    from listener.policy import BudgetUsedUp

    limit, prices, what = limit_of(config, name), prices_of(config, name), f"budget.{name}"
    if limit is None and not isinstance(source, Forecasts):
        return
    if isinstance(source, Forecasts) and limit is not None:
        for unit in sorted(set(source.dearest_page) - set(prices)):
            why = N_("has a limit, and {quote} has no price, so it is never asked; see docs/budget.md")
            yield Finding(what, "failed", (reason(why, quote=unit),))
            return
    says: list[Reason] = []
    state: Literal["ok", "failed"] = "ok"
    now = datetime.now(UTC)
    try:
        store = Store(config.store_url)
        try:
            with store.read() as connection:
                spent = [one for one in read_budget(connection, config, now) if one.source == name]
            says += [Reason("{quote}.", {"quote": describe(one, config.language)}) for one in spent]
            if isinstance(source, Forecasts):
                gate(store, config, name, source, lambda: now)()
                told, money = forecast_cost(source, config.brands, prices)
                with store.write() as connection:
                    add_spending(connection, name, told.billed, now)
                units = ", ".join(f"{count:,} {unit}" for unit, count in sorted(told.units.items())) or "0"
                currency = config.settings.budget.currency
                cost = {"quote_units": units, "quote_money": f"{money:,.2f} {currency}" if money is not None else "?"}
                says.append(Reason(N_("A month of these names would bring {quote_units}: {quote_money}."), cost))
        finally:
            store.close()
    except SourceError as error:
        says.append(Reason("{failure}.", {"failure": str(error)}))
        state = "ok" if isinstance(error, BudgetUsedUp) else "failed"
    except (SQLAlchemyError, EscuchaError, OSError):  # the finding on the store says why
        return
    if says:
        yield Finding(what, state, tuple(says))
