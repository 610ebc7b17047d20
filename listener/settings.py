"""Describe config.toml: one model a table, each key with its meaning (the JSON Schema and the docs come from here)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from listener.duration import Span
from listener.mention import Brand
from listener.tables.alerting import CRISIS, Alerts, EscalationStep, Inhibit, Quiet, Rota
from listener.tables.channel import ChannelTable
from listener.tables.crm import Crm
from listener.tables.digests import Digest, DigestTable
from listener.tables.login import LoginTable
from listener.tables.masking import Masking
from listener.tables.occasion import EventTable, Opportunities
from listener.tables.reply import Person, Signoff, Templates
from listener.tables.routing import RouteRule, Routing, When
from listener.tables.sla import Calendar, Sla
from listener.tables.spiking import Spikes
from listener.tables.table import Table
from listener.taxonomy import Department, Kind, Language, Stakeholder

__all__ = [
    "Alerts",
    "Budget",
    "Calendar",
    "ChannelTable",
    "Clock",
    "DepartmentTable",
    "Digest",
    "DigestTable",
    "EgressTable",
    "Mail",
    "Masking",
    "Named",
    "RegistryTable",
    "RouteRule",
    "Routing",
    "SentimentTable",
    "Server",
    "Settings",
    "Sla",
    "SourceTable",
    "StoreTable",
    "Table",
    "TransformerTable",
    "When",
]


class StoreTable(Table):
    """Say where the database is."""

    url: str = Field("sqlite:///data/escucha.db", description="sqlite:///folder/file.db or postgresql://user@host/name")


class Named(Table):
    """Describe a brand of ours ([brands.KEY]) or of a competitor ([competitors.KEY])."""

    name: str = Field(description="the name as people read it on pages")
    country: str | None = Field(
        None, description="two letters; posts placed in another country are not about this entity"
    )
    sector: str | None = Field(None, description="what it does, in a few words")
    names: list[str] = Field([], description="other spellings and nicknames")
    products: list[str] = Field([], description="what it sells, by name; naming one names the brand")
    executives: list[str] = Field([], description="people who speak for it; naming one names the brand")
    handles: list[str] = Field([], description="accounts that people name when they speak of it: @acme")
    hashtags: list[str] = Field([], description="hashtags that mean it: #acme")
    exclude: list[str] = Field([], description="phrases in which the name means something else")
    own_handles: list[str] = Field([], description="accounts that speak for it")
    care_handles: list[str] = Field([], description="of those, the ones that answer customers")
    sales_handles: list[str] = Field([], description="of those, the ones that sell")
    corporate_handles: list[str] = Field([], description="of those, the company's own voice: press, investors")
    query: str | None = Field(
        None, description="a query (docs/query.md): posts that fit it are mentions too, even without the name"
    )

    def brand(self, key: str, kind: Kind) -> Brand:
        """Give the record that the rooms work with: products and people are names, accounts of a type its own."""
        typed = (*self.care_handles, *self.sales_handles, *self.corporate_handles)
        own = _bare((*self.own_handles, *typed))
        return Brand(
            key=key,
            name=self.name,
            kind=kind,
            country=self.country,
            sector=self.sector,
            names=tuple(dict.fromkeys((self.name, *self.names, *self.products, *self.executives))),
            handles=tuple(dict.fromkeys((*_bare(self.handles), *own))),
            hashtags=tuple(tag.lstrip("#") for tag in self.hashtags),
            exclude=tuple(self.exclude),
            own_handles=own,
            products=tuple(self.products),
            executives=tuple(self.executives),
            care_handles=_bare(self.care_handles),
            sales_handles=_bare(self.sales_handles),
            corporate_handles=_bare(self.corporate_handles),
            query=self.query,
        )


def _bare(handles: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(handle.lstrip("@") for handle in handles))


class SourceTable(BaseModel):
    """Hold what every source table has; the other keys belong to its kind (docs/sources/KIND.md)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = Field("", description="file, rss, x, reddit; the table's own name when left out")
    every: Span = Field(timedelta(minutes=15), description="how often it is asked")
    enabled: bool = Field(True, description="false: kept in the file, not asked, shown as «not connected»")


class TransformerTable(Table):
    """Let a Hugging Face model answer one head; every other head stays with the embedded model."""

    model: str = Field(description="a hub name (owner/name) or a folder; safetensors only")
    revision: str | None = Field(
        None, description="the commit of the hub's repository (40 hex digits); a folder needs none"
    )
    labels: dict[str, str] = Field({}, description='the model\'s label = ours: {NEG = "negative", NEU = "neutral"}')
    hypotheses: dict[str, str] = Field(
        {}, description='for an NLI model: our label = a sentence: {complaint = "The author complains."}'
    )


class SentimentTable(Table):
    """Choose who judges."""

    engine: str = Field(
        "embedded", description="embedded: the model that ships with Escucha; embedded:FOLDER: your own; transformers"
    )
    unsure_below: float | None = Field(
        None,
        ge=0,
        le=1,
        description="calibrated confidence under which a label is shown as unsure; left out: the model's own bars",
    )
    threads: int = Field(0, ge=0, le=64, description="threads that judge; 0: one a core, eight at most")
    languages: list[str] = Field(
        ["es", "en", "pt"], min_length=1, description="languages that a text without the platform's tag may be in"
    )
    transformers: dict[str, TransformerTable] = Field(
        {}, description="with engine = transformers: a model by head (sentiment, intent, dimension, stakeholder)"
    )


class RegistryTable(Table):
    """Choose the lists of known institutions and media."""

    countries: list[str] = Field(
        [],
        description="registries that ship with Escucha: AR, BR, CL, CO, ES, GB, MX, PE, US; empty: the countries of "
        "the brands and the instance",
    )
    files: list[str] = Field(
        [], description="your own lists, in the same format; `escucha registry import` makes one (docs/registry.md)"
    )


class DepartmentTable(Table):
    """Say who is told when a department owes an answer."""

    lead: str | None = Field(None, description="the name people read")
    alert: list[str] = Field([], description="where its alerts go: mail:name@example.org, slack:NAME")
    people: list[str] = Field([], description="names that a case can be assigned to")
    alert_within: Span | None = Field(None, description="its own clock for alerts instead of [sla]")
    important_within: Span | None = Field(None, description="its own clock for important cases instead of [sla]")
    calendar: str | None = Field(None, description="key of the [calendars.NAME] it works in; left out: that of [sla]")
    quiet: list[Quiet] = Field(
        [], description='hours in which important cases wait: ["22:00-07:00"], or "closed": outside its calendar'
    )
    rota: Rota | None = Field(None, description="who is on duty: told of alerts in quiet hours, and by escalation")
    escalation: list[EscalationStep] = Field(
        [], description='who is told while nobody acknowledges: [{ after = "30 minutes", to = ["rota"] }]'
    )


class Mail(Table):
    """Say which mail server takes our letters."""

    host: str = Field("127.0.0.1", description="the SMTP server")
    port: int = Field(1025, ge=1, le=65535, description="25, 587 (starttls) or 465 (tls)")
    security: Literal["none", "starttls", "tls"] = Field("none", description="how the line is protected")
    user: str | None = Field(None, description="login name, if it asks for one")
    password: SecretStr | None = Field(None, description='"env:SMTP_PASSWORD", never the password itself')
    sender: str = Field("escucha@localhost", description="the From address")


class Server(Table):
    """Say where the dashboard and the links in mails are."""

    host: str = Field("127.0.0.1", description="127.0.0.1: this machine only")
    port: int = Field(8501, ge=1, le=65535, description="ESCUCHA_PORT wins over it")
    url: str | None = Field(None, description="how readers reach it, for links in mails; left out: http://host:port")
    link_days: int = Field(14, ge=1, le=90, description="how long an acknowledge link works")
    secret: SecretStr | None = Field(
        None, description='signs the links: "env:ESCUCHA_SECRET"; left out: one is made and kept beside the database'
    )


class EgressTable(Table):
    """List the only hosts that the program may reach, beside those its sources, channels and mail name."""

    hosts: list[str] = Field([], description="example.org, or .example.org for all below it")
    inside: list[str] = Field([], description="hosts that may stand inside your network (127.0.0.1, an intranet feed)")


class Clock(Table):
    """Set how often the stages after collecting run."""

    cycle: Span = Field(timedelta(minutes=1), description="classify, route and alert")
    longest: Span = Field(
        timedelta(minutes=5), description="a poll that takes longer ends between two pages; the next one goes on"
    )
    patience: Span = Field(
        timedelta(minutes=10), description="a poll that has not moved for so long is told as failed and left alone"
    )


class Budget(Table):
    """Say what listening may cost; what a platform bills is counted by source and month (UTC)."""

    currency: str = Field("USD", description="three letters; the prices that ship are in USD")
    prices: dict[str, dict[str, Decimal]] = Field(
        {}, description="[budget.prices.KIND]: unit = price of one, where the list that ships is not yours"
    )
    monthly: dict[str, Decimal] = Field(
        {}, description="[budget.monthly]: SOURCE = amount; a warning at 80 %, nothing is asked past 100 %"
    )


class Settings(Table):
    """Describe the whole file."""

    class Instance(Table):
        """Say whose instance this is."""

        name: str = Field("Escucha", description="shown on pages and mails")
        language: Language = Field("es", description="language of pages, mails and digests: es, en, pt")
        country: str = Field("PE", description="two letters: holidays and registries")
        timezone: str = Field("America/Lima", description="IANA name; days, clocks and digests are counted in it")

    instance: Instance = Instance()
    store: StoreTable = StoreTable()
    brands: dict[str, Named] = Field({}, description="what we watch as ours")
    competitors: dict[str, Named] = Field({}, description="whom we compare with")
    sources: dict[str, SourceTable] = Field({}, description="where we listen")
    sentiment: SentimentTable = SentimentTable()
    registry: RegistryTable = RegistryTable()
    departments: dict[Department, DepartmentTable] = Field({}, description="who answers")
    routes: list[RouteRule] = Field([], description="your own rules, before the taxonomy's")
    routing: Routing = Routing()
    matrix: dict[Stakeholder, Department] = Field(
        {}, description="another department for a stakeholder than the taxonomy's"
    )
    sla: Sla = Sla()
    calendars: dict[str, Calendar] = Field({}, description="when teams work: hours, breaks, holidays of a region")
    mail: Mail = Mail()
    login: LoginTable | None = Field(
        None, description="who may open the dashboard (docs/login.md); left out: whoever sits at this machine"
    )
    channels: dict[str, ChannelTable] = Field({}, description="where alerts go beside mail (docs/channels.md)")
    events: list[EventTable] = Field([], description="business events and campaigns that posts name")
    opportunities: Opportunities = Opportunities()
    alerts: Alerts = Alerts()
    spikes: Spikes = Spikes()
    crm: Crm = Crm()
    masking: Masking = Masking()
    inhibit: list[Inhibit] = Field([CRISIS], description="what mutes what; left out: a crisis mutes outage reports")
    digest: Digest = Digest()
    digests: list[DigestTable] = Field([], description="a digest for each team or reader beside the directors'")
    templates: Templates = Templates()
    signoff: Signoff = Field(
        {"regulator": "legal_regulatory"}, description="whose replies are signed before they are used, and by whom"
    )
    people: dict[str, Person] = Field({}, description="colleagues whom a note can name with @")
    server: Server = Server()
    clock: Clock = Clock()
    budget: Budget = Budget()
    egress: EgressTable = EgressTable()

    def watched(self) -> tuple[Brand, ...]:
        """Give every brand watched, ours first."""
        ours = tuple(table.brand(key, "own") for key, table in self.brands.items())
        return ours + tuple(table.brand(key, "competitor") for key, table in self.competitors.items())
