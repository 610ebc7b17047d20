"""Write a short config.toml from five answers; what is not said keeps its default."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from listener.config import parse
from listener.errors import ConfigError, Fault
from listener.faults import did_you_mean
from listener.match import fold

__all__ = ["write_config"]

ZONES = {
    "AR": "America/Argentina/Buenos_Aires",
    "BR": "America/Sao_Paulo",
    "CL": "America/Santiago",
    "CO": "America/Bogota",
    "ES": "Europe/Madrid",
    "GB": "Europe/London",
    "MX": "America/Mexico_City",
    "PE": "America/Lima",
    "US": "America/New_York",
}
TABLES = {
    "file": '[sources.file]\npath = "data/posts"        # put post files here: JSONL, CSV or XLSX (docs/formats.md)\n',
    "rss": (
        "[sources.rss]\nfeeds = []                  # addresses of feeds: newspapers, gazettes, regulators\n"
        'searches = ["https://news.google.com/rss/search?q={{query}}&hl={hl}&gl={country}&ceid={country}:{hl}"]\n'
    ),
    "x": "[sources.x]                # 0.005 USD a post and 0.010 an author\nenabled = false            # set "
    'X_BEARER_TOKEN, then true\nbearer_token = "env:X_BEARER_TOKEN"\n',
    "reddit": '[sources.reddit]\nenabled = false            # set both variables, then true\nclient_id = "env:'
    'REDDIT_CLIENT_ID"\nclient_secret = "env:REDDIT_CLIENT_SECRET"\nuser_agent = "escucha/0.1 (by u/your_account)"\n',
}


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-") or "brand"


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def write_config(brand: str, country: str, competitors: str, mail: str, sources: str, folder: Path) -> str:
    """Give the text of a configuration that passes its own check; ConfigError lists what was answered wrongly."""
    brand, country, mail = brand.strip(), country.strip().upper(), mail.strip()
    faults = []
    if not brand:
        faults.append(Fault("1/5", "a brand is needed", "write its name as people read it"))
    if not re.fullmatch(r"[A-Z]{2}", country):
        faults.append(Fault("2/5", f"'{country}' is not a country of two letters", "write PE, MX, CO…"))
    if not re.fullmatch(r"[^@\s\"]+@[^@\s\"]+", mail):
        faults.append(Fault("4/5", f"'{mail}' is not a mail address", "write name@example.org"))
    kinds = _parts(sources.lower())
    faults.extend(
        Fault("5/5", f"'{kind}' is not a source we know", did_you_mean(kind, tuple(TABLES)))
        for kind in kinds
        if kind not in TABLES
    )
    if faults:
        raise ConfigError(faults)
    language = {"BR": "pt", "US": "en", "GB": "en"}.get(country, "es")
    hl = {"es": "es-419" if country != "ES" else "es", "pt": "pt-BR", "en": "en"}[language]

    def quote(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    lines = [
        "# Escucha. Every key, with its meaning: docs/config.md; the complete example ships as config.toml.",
        "",
        "[instance]",
        f'language = "{language}"',
        f'country = "{country}"',
        f'timezone = "{ZONES.get(country, "UTC")}"',
        "",
        f"[brands.{_key(brand)}]",
        f"name = {quote(brand)}",
        f'country = "{country}"',
        "names = []                  # other spellings, nicknames, products, executives",
        "own_handles = []            # accounts that speak for it: @acme",
        "exclude = []                # phrases in which the name means something else",
        "",
    ]
    for rival in _parts(competitors):
        lines += [f"[competitors.{_key(rival)}]", f"name = {quote(rival)}", f'country = "{country}"', ""]
    for kind in dict.fromkeys(kinds):
        lines += [TABLES[kind].format(country=country, hl=hl) if kind == "rss" else TABLES[kind]]
    lines += [
        "[departments.communications] # the widest net; add the others as you need them",
        f'alert = ["mail:{mail}"]',
        "",
        "[mail]",
        'host = "127.0.0.1"          # your SMTP server',
        "port = 25",
        f'sender = "{mail}"',
        "",
        "[digest]",
        f'to = ["mail:{mail}"]',
        "",
    ]
    text = "\n".join(lines)
    parse(tomllib.loads(text), folder, {}, secrets=False)
    return text
