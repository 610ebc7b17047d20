"""Read config.toml strictly: every fault is found and reported together, with its table and a "did you mean"."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, SecretStr

from listener.errors import ConfigError, Fault
from listener.faults import did_you_mean, read_model
from listener.mention import Brand
from listener.settings import RouteRule, Settings

__all__ = ["Config", "find_file", "load", "parse"]


@dataclass(frozen=True)
class Config:
    """Hold a checked configuration: the settings, each source's own settings, and the folder that paths start from."""

    settings: Settings
    sources: Mapping[str, BaseModel]  # the enabled ones, by table name
    folder: Path
    path: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def brands(self) -> tuple[Brand, ...]:
        """Give every brand watched, ours first."""
        return self.settings.watched()

    @property
    def zone(self) -> ZoneInfo:
        """Give the zone in which days and clocks are counted."""
        return ZoneInfo(self.settings.instance.timezone)

    @property
    def language(self) -> str:
        """Give the language of pages and mails."""
        return self.settings.instance.language

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give every secret value of the configuration, for the filter that keeps them out of the logs."""
        tables = (self.settings.mail, self.settings.server, *self.sources.values())
        values = (value for table in tables for _, value in table)
        return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))

    @property
    def store_url(self) -> str:
        """Give the database's address; ESCUCHA_STORE wins, a relative SQLite path starts at the config's folder."""
        url = self.environment.get("ESCUCHA_STORE") or self.settings.store.url
        if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
            return f"sqlite:///{(self.folder / url.removeprefix('sqlite:///')).resolve()}"
        return url

    @property
    def port(self) -> int:
        """Give the port of the dashboard; ESCUCHA_PORT wins."""
        return int(self.environment.get("ESCUCHA_PORT") or self.settings.server.port)

    @property
    def public_url(self) -> str:
        """Give the address that links in mails start with, without a slash at the end."""
        server = self.settings.server
        return (server.url or f"http://{server.host}:{self.port}").rstrip("/")


def find_file(given: str | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Find the configuration: the one given, ESCUCHA_CONFIG, or config.toml in the current folder."""
    path = Path(given or environment.get("ESCUCHA_CONFIG") or "config.toml")
    if not path.is_file():
        raise ConfigError(
            [
                Fault(
                    "file",
                    f"there is no {path.name} at {path.parent}",
                    "write one with: escucha init, or name it with --config",
                )
            ]
        )
    return path


def load(path: Path, environment: Mapping[str, str] = os.environ, *, secrets: bool = True) -> Config:
    """Read and check a configuration file; raise ConfigError with every fault in it."""
    try:
        table = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(path.name, f"is not valid TOML: {error}", "mend the line it names")]) from None
    return parse(table, path.resolve().parent, environment, path=path, secrets=secrets)


def parse(
    table: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str] = os.environ,
    *,
    path: Path | None = None,
    secrets: bool = True,
) -> Config:
    """Check a configuration that is already in memory; with secrets=False, absent env: values are let pass."""
    faults: list[Fault] = []
    filled = _fill_secrets(table, environment, faults if secrets else [], ())
    settings, shape_faults = read_model(Settings, filled)
    faults.extend(shape_faults)
    kinds, source_faults = _check_sources(filled.get("sources", {}), folder)
    faults.extend(source_faults)
    if settings is not None:
        faults.extend(_cross_check(settings))
    if faults or settings is None:
        raise ConfigError(faults)
    return Config(settings, kinds, folder, path, environment)


def _fill_secrets(value: Any, environment: Mapping[str, str], faults: list[Fault], place: tuple[str, ...]) -> Any:
    """Replace "env:NAME" by the variable's value; in a disabled table nothing is asked for."""
    if isinstance(value, Mapping):
        lost = [] if value.get("enabled") is False else faults
        return {key: _fill_secrets(part, environment, lost, (*place, str(key))) for key, part in value.items()}
    if isinstance(value, list):
        return [_fill_secrets(part, environment, faults, place) for part in value]
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if not environment.get(name):
            faults.append(
                Fault(
                    ".".join(place[:-1]),
                    f"{place[-1]} wants the environment variable {name}, which is not set",
                    f"export {name}=… before starting, or set enabled = false in this table",
                )
            )
            return "absent"
        return environment[name]
    return value


def _check_sources(tables: Any, folder: Path) -> tuple[dict[str, BaseModel], list[Fault]]:
    from listener.sources import kinds, settings_of

    read: dict[str, BaseModel] = {}
    faults: list[Fault] = []
    for name, table in tables.items() if isinstance(tables, Mapping) else ():
        if not isinstance(table, Mapping):
            continue
        where = f"sources.{name}"
        kind = str(table.get("kind") or name)
        if kind not in kinds():
            faults.append(Fault(where, f"kind '{kind}' is not a source we know", did_you_mean(kind, kinds())))
            continue
        own = {key: part for key, part in table.items() if key not in ("kind", "every", "enabled")}
        found, own_faults = read_model(settings_of(kind), own, ("sources", str(name)))
        if table.get("enabled", True):
            faults.extend(own_faults)
            if found is not None:
                # Paths in the file start at the file's own folder, wherever the program was started.
                at = getattr(found, "at", None)
                read[str(name)] = at(folder) if at is not None else found
    return read, faults


def _cross_check(settings: Settings) -> Iterator[Fault]:
    """Find what each table alone cannot know: names that point nowhere, rules never reached, nobody to tell."""
    if not settings.brands:
        yield Fault("brands", "no brand is watched", 'add a table: [brands.acme] with name = "Acme"')
    for key in settings.brands.keys() & settings.competitors.keys():
        yield Fault(f"competitors.{key}", "is also a brand of ours", "give one of them another key")
    try:
        ZoneInfo(settings.instance.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield Fault("instance", f"timezone '{settings.instance.timezone}' is not known", "write it as America/Lima")
    if settings.sla.opens >= settings.sla.closes:
        yield Fault("sla", "opens is not before closes", "write the working day as 09:00 to 18:00")
    if not settings.sla.days:
        yield Fault("sla", "no working day is left", 'write days = ["mon", "tue", …]')
    yield from _check_addresses(settings)
    yield from _check_routes(settings)


def _check_addresses(settings: Settings) -> Iterator[Fault]:
    lists = [(f"departments.{name}", "alert", table.alert) for name, table in settings.departments.items()]
    for where, key, addresses in (*lists, ("digest", "to", settings.digest.to)):
        for address in addresses:
            channel, _, rest = address.partition(":")
            if channel != "mail" or "@" not in rest:
                yield Fault(where, f"{key}: '{address}' is not an address", "write mail:name@example.org")
    widest = settings.departments.get("communications")
    if widest is None or not widest.alert:
        yield Fault(
            "departments.communications",
            "nobody to tell: it is the widest net and must have an address",
            'add alert = ["mail:team@example.org"]',
        )
    server = settings.server.url
    if server is not None and urlsplit(server).scheme not in ("http", "https"):
        yield Fault("server", f"url '{server}' is not an address", "write https://escucha.example.org")


def _check_routes(settings: Settings) -> Iterator[Fault]:
    names = (*settings.brands, *settings.competitors)
    for place, rule in enumerate(settings.routes):
        where = f"routes «{rule.name}»"
        for key in _many(rule.when.brand):
            if key not in names:
                yield Fault(where, f"when.brand: there is no brand '{key}'", did_you_mean(key, names))
        for name in _many(rule.when.source):
            if name not in settings.sources:
                yield Fault(
                    where, f"when.source: there is no source '{name}'", did_you_mean(name, tuple(settings.sources))
                )
        for earlier in settings.routes[:place]:
            if _covers(earlier, rule):
                yield Fault(
                    where, f"is never reached: «{earlier.name}» takes all of it", "move it up or narrow the other"
                )
                break


def _many(value: Any) -> tuple[Any, ...]:
    return () if value is None else tuple(value) if isinstance(value, list) else (value,)


def _covers(wide: RouteRule, narrow: RouteRule) -> bool:
    """Tell whether everything that fits `narrow` also fits `wide`."""
    for name in type(wide.when).model_fields:
        mine, theirs = getattr(wide.when, name), getattr(narrow.when, name)
        if mine is None:
            continue
        if theirs is None:
            return False
        if name == "min_followers":
            if theirs < mine:
                return False
        elif not set(_many(theirs)) <= set(_many(mine)):
            return False
    return True
