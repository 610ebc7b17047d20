"""Read config.toml strictly: every fault is found and reported together, with its table and a "did you mean"."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, SecretStr

from listener.errors import ConfigError, Fault
from listener.faults import did_you_mean, read_model
from listener.mention import Brand
from listener.settings import Settings
from listener.tables.crosscheck import cross_check

__all__ = ["Config", "find_file", "load", "parse"]


@dataclass(frozen=True)
class Config:
    """Hold a checked configuration: the settings, each source's own settings, and the folder that paths start from."""

    settings: Settings
    sources: Mapping[str, BaseModel]  # the enabled ones, by table name
    folder: Path
    path: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @cached_property
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
        own = self.settings
        login = () if own.login is None else (own.login,)
        tables = (own.mail, own.server, *login, *own.channels.values(), *self.sources.values())
        values = (value for table in tables for _, value in table)
        password = urlsplit(self.store_url).password
        found = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
        return (*found, *((password,) if password else ()))

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
    port = environment.get("ESCUCHA_PORT")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        faults.append(Fault("ESCUCHA_PORT", "is not the number of a port", "export ESCUCHA_PORT=8501"))
    kinds, source_faults = _check_sources(filled.get("sources", {}), folder)
    faults.extend(source_faults)
    if settings is not None:
        faults.extend(cross_check(settings, folder))
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
