"""Check what each table of config.toml alone cannot know: names, addresses, files, and rules that are never reached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from listener.errors import Fault
from listener.faults import did_you_mean
from listener.match import fold
from listener.settings import Named, Settings, TransformerTable
from listener.tables.alertcheck import check_alerting
from listener.tables.channelcheck import MAIL, check_address, check_channels
from listener.tables.crm import check_crm
from listener.tables.digests import check_digests
from listener.tables.login import check_login
from listener.tables.maskingcheck import check_masking
from listener.tables.occasion import check_events
from listener.tables.replycheck import check_replies
from listener.tables.routingcheck import check_routing
from listener.tables.slacheck import check_clocks
from listener.taxonomy import DIMENSIONS, INTENTS, SENTIMENTS, STAKEHOLDERS

__all__ = ["cross_check"]

_KEY = re.compile(r"[a-z0-9_-]+")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_HOST = re.compile(r"\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|[0-9a-fA-F:]+")
_ENGINES = ("embedded", "transformers")
_DATABASES = ("sqlite", "postgresql")
_LANGUAGE = re.compile(r"[a-z]{2}")
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
_REVISION = re.compile(r"[0-9a-f]{40}")
_HEADS: dict[str, tuple[str, ...]] = {  # what a model of the user's may answer
    "sentiment": SENTIMENTS, "dimension": DIMENSIONS, "intent": INTENTS, "stakeholder": STAKEHOLDERS
}  # fmt: skip


def cross_check(settings: Settings, folder: Path) -> Iterator[Fault]:
    """Find what each table alone cannot know: names that point nowhere, rules never reached, nobody to tell."""
    yield from _check_brands(settings)
    yield from _check_tables(settings, folder)
    yield from _check_judges(settings, folder)
    yield from _check_addresses(settings)
    yield from check_routing(settings, folder)
    yield from _check_budget(settings)
    yield from check_masking(settings)
    yield from check_replies(settings, folder)


def _check_brands(settings: Settings) -> Iterator[Fault]:
    if not settings.brands:
        yield Fault("brands", "no brand is watched", 'add a table: [brands.acme] with name = "Acme"')
    for key in settings.brands.keys() & settings.competitors.keys():
        yield Fault(f"competitors.{key}", "is also a brand of ours", "give one of them another key")
    seen: dict[tuple[str, str | None], str] = {}
    for kind, tables in (("brands", settings.brands), ("competitors", settings.competitors)):
        for key, table in tables.items():
            where = f"{kind}.{key}"
            if not _KEY.fullmatch(key):
                yield Fault(where, f"the key '{key}' stands in addresses", "write it with a–z, 0–9, - and _")
            if not fold(table.name).strip():
                yield Fault(where, "name is empty", "write the name as people read it")
            if table.country is not None and not _COUNTRY.fullmatch(table.country):
                yield Fault(where, f"country '{table.country}' is not a country", "write two capitals: PE")
            same = (fold(table.name).strip(), table.country)
            if same in seen:
                yield Fault(where, f"is the same name and country as [{seen[same]}]", "leave one of them out")
            seen.setdefault(same, where)
            yield from _check_entity(where, table, settings)


def _check_entity(where: str, table: Named, settings: Settings) -> Iterator[Fault]:
    """Find an account of two types, a person who is a product too, an empty name, and a query that cannot be read."""
    typed: dict[str, str] = {}
    for kind in ("care_handles", "sales_handles", "corporate_handles"):
        for handle in getattr(table, kind):
            account = fold(handle).strip().lstrip("@")
            if not account:
                yield Fault(where, f"{kind}: '{handle}' is no account", "write it as people do: @acme")
            elif typed.setdefault(account, kind) != kind:
                yield Fault(where, f"{kind}: '{handle}' stands in {typed[account]} too", "leave one of them out")
    products = {fold(name).strip() for name in table.products}
    for name in table.executives:
        if fold(name).strip() in products:
            yield Fault(where, f"executives: '{name}' is a product too", "leave one of them out")
    for kind in ("names", "products", "executives"):
        if any(not fold(name).strip() for name in getattr(table, kind)):
            yield Fault(where, f"{kind} holds an empty name", "leave it out")
    if table.query is not None:
        from listener.query import check_query

        known = {"source": tuple(settings.sources), "brand": (*settings.brands, *settings.competitors)}
        yield from check_query(table.query, where, known=known)


def _check_tables(settings: Settings, folder: Path) -> Iterator[Fault]:
    instance, mail = settings.instance, settings.mail
    try:
        ZoneInfo(instance.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault("instance", f"timezone '{instance.timezone}' is not known", "write it as America/Lima")
    for where, country in (("instance", instance.country), *(("registry", one) for one in settings.registry.countries)):
        if not _COUNTRY.fullmatch(country):
            yield Fault(where, f"'{country}' is not a country", "write two capitals: PE")
    yield from check_clocks(settings)
    yield from check_digests(settings)
    yield from check_events(settings)
    database = settings.store.url.partition(":")[0].partition("+")[0]
    if database not in _DATABASES:
        yield Fault("store", f"url: '{database}' is not a database we know", did_you_mean(database, _DATABASES))
    for name in settings.registry.files:
        if not (folder / name).is_file():
            yield Fault("registry", f"files: there is no {name}", "the path starts at the folder of config.toml")
    if not MAIL.fullmatch(mail.sender):
        yield Fault("mail", f"sender '{mail.sender}' is not an address", "write escucha@example.org")
    if mail.user and mail.password is None:
        yield Fault("mail", "user stands without password", 'add password = "env:SMTP_PASSWORD"')
    for host in (*settings.egress.hosts, *settings.egress.inside):
        if not _HOST.fullmatch(host):
            yield Fault("egress", f"'{host}' is not a host", "write example.org, or .example.org for all below it")


def _check_judges(settings: Settings, folder: Path) -> Iterator[Fault]:
    table = settings.sentiment
    engine = table.engine.partition(":")[0]
    if engine not in _ENGINES:
        yield Fault("sentiment", f"engine '{engine}' is not known", did_you_mean(engine, _ENGINES))
    for one in table.languages:
        if not _LANGUAGE.fullmatch(one):
            yield Fault("sentiment", f"languages: '{one}' is not a language", "write two small letters: es")
    if engine == "transformers" and not table.transformers:
        hint = "add a table: [sentiment.transformers.sentiment] (docs/models.md)"
        yield Fault("sentiment", 'engine = "transformers" names no model', hint)
    for head, model in table.transformers.items():
        where = f"sentiment.transformers.{head}"
        if head not in _HEADS:
            yield Fault(where, f"no model can be given for '{head}'", did_you_mean(head, tuple(_HEADS)))
        else:
            yield from _check_answers(where, model, _HEADS[head])
        yield from _check_model(where, model, folder)


def _check_model(where: str, table: TransformerTable, folder: Path) -> Iterator[Fault]:
    """Tell a hub name, which needs a pinned revision, from a folder; one that is gone is told when it is opened."""
    pin = 'write revision = "…", the 40 hex digits of the commit on the model\'s page'
    if table.revision is None:
        first = folder / Path(table.model).expanduser().parts[0] if table.model else folder
        if not table.model.strip():
            yield Fault(where, "model is empty", "write a hub name (owner/name) or a folder")
        elif _HUB_NAME.fullmatch(table.model) and not first.exists():
            yield Fault(where, f"model '{table.model}' is no folder, and a hub name needs its revision", pin)
    elif not _REVISION.fullmatch(table.revision):
        yield Fault(where, f"revision '{table.revision}' is not a commit", pin)
    elif not _HUB_NAME.fullmatch(table.model):
        yield Fault(
            where, f"model '{table.model}' is no hub name", "write owner/name, or leave revision out for a folder"
        )


def _check_answers(where: str, table: TransformerTable, ours: tuple[str, ...]) -> Iterator[Fault]:
    if table.labels and table.hypotheses:
        yield Fault(where, "has both labels and hypotheses", "a classifier needs labels, an NLI model hypotheses")
    elif not table.labels and not table.hypotheses:
        hint = 'write labels = {NEG = "negative", …}, or hypotheses = {negative = "…", …} for an NLI model'
        yield Fault(where, "has neither labels nor hypotheses", hint)
    elif len(table.hypotheses) == 1:
        yield Fault(where, "has one hypothesis and so no choice", "write a sentence for each label it may answer")
    for key, values in (("labels", table.labels.values()), ("hypotheses", table.hypotheses)):
        for value in dict.fromkeys(values):
            if value not in ours:
                yield Fault(where, f"{key}: '{value}' is not one of our labels here", did_you_mean(value, ours))


def _check_addresses(settings: Settings) -> Iterator[Fault]:
    yield from check_channels(settings)
    yield from check_login(settings)
    yield from check_crm(settings)
    yield from check_alerting(settings)
    lists = [(f"departments.{name}", "alert", table.alert) for name, table in settings.departments.items()]
    lists += [("digest", "to", settings.digest.to)]
    lists += [(f"digests.{place}", "to", table.to) for place, table in enumerate(settings.digests, start=1)]
    for where, key, addresses in lists:
        for address in addresses:
            if (wrong := check_address(address, settings)) is not None:
                yield Fault(where, f"{key}: {wrong[0]}", wrong[1])
    widest = settings.departments.get("communications")
    if widest is None or not widest.alert:
        yield Fault(
            "departments.communications",
            "nobody to tell: it is the widest net and must have an address",
            'add alert = ["mail:team@example.org"]',
        )
    server = settings.server.url
    if server is not None and (urlsplit(server).scheme not in ("http", "https") or not urlsplit(server).hostname):
        yield Fault("server", f"url '{server}' is not an address", "write https://escucha.example.org")


def _check_budget(settings: Settings) -> Iterator[Fault]:
    """Find prices of no kind, limits of no source, and limits that cannot be kept because nothing has a price."""
    budget = settings.budget
    if not _CURRENCY.fullmatch(budget.currency):
        yield Fault("budget", f"currency '{budget.currency}' is not a currency", "write three capitals: USD")
    if not budget.prices and not budget.monthly:
        return
    from listener.budget import PRICES

    kinds = {table.kind or name: name for name, table in settings.sources.items()}
    for kind, prices in budget.prices.items():
        if kind not in kinds and kind not in PRICES:
            hint = did_you_mean(kind, tuple({*kinds, *PRICES}))
            yield Fault(f"budget.prices.{kind}", f"there is no source of kind '{kind}'", hint)
        for unit, price in prices.items():
            if not price.is_finite() or price < 0:
                yield Fault(f"budget.prices.{kind}", f"{unit} = {price} is not a price", "write 0.005")
    for name, amount in budget.monthly.items():
        if name not in settings.sources:
            hint = did_you_mean(name, tuple(settings.sources))
            yield Fault("budget.monthly", f"there is no source '{name}'", hint)
            continue
        if not amount.is_finite() or amount < 0:
            yield Fault("budget.monthly", f"{name} = {amount} is not an amount", "write 50")
        kind = settings.sources[name].kind or name
        shipped = PRICES.get(kind, {}) and (
            budget.currency == "USD" or not any(price.amount for price in PRICES[kind].values())
        )
        if not shipped and not budget.prices.get(kind):
            what = f"{name} has a limit, and kind '{kind}' has no price in {budget.currency}: it could not be kept"
            yield Fault("budget.monthly", what, f"add [budget.prices.{kind}] with unit = price (docs/budget.md)")
