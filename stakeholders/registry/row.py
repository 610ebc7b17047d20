"""Read one row of a team's own table: its words and dates become an entry, or faults with what to do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import ValidationError

from listener.match import fold
from listener.reason import Reason, reason
from stakeholders.registry import STATE_SUFFIXES, Entry
from stakeholders.registry.headings import KIND_OF, STAKEHOLDER_OF, kind_named, stakeholder_named

__all__ = ["Wrong", "read_row"]

Wrong = tuple[Reason, Reason]  # what is wrong, what to do
Precision = Literal["day", "month", "year"]

# Places where everybody has an account: as a domain they would make everybody the body.
_NETWORKS = frozenset(
    {
        *("x.com", "twitter.com", "facebook.com", "fb.com", "instagram.com", "threads.net", "threads.com", "t.me"),
        *("tiktok.com", "youtube.com", "linkedin.com", "wa.me", "bsky.app", "reddit.com"),
    }
)
_SHARED = _NETWORKS | {"linktr.ee", "medium.com", "blogspot.com", "wordpress.com", "sites.google.com", "gmail.com"}
_KEPT = frozenset({"c", "channel", "user", "company", "in", "profile"})  # folders before the account's own name
_YES = frozenset({"si", "sim", "yes", "y", "s", "true", "verdadero", "verdadeiro", "1", "x"})
_NO = frozenset({"no", "nao", "n", "false", "falso", "0", "-"})
_FOLDER = re.compile(r"[a-z0-9_\-]+")


class _Row:
    """Read the cells of one row and gather what is wrong with them."""

    def __init__(self, cells: Mapping[str, str], *, day_first: bool) -> None:
        self.cells = cells
        self.day_first = day_first
        self.wrong: list[Wrong] = []

    def text(self, field: str) -> str:
        return self.cells.get(field, "")

    def fault(self, what: Reason, todo: Reason) -> None:
        self.wrong.append((what, todo))

    def parts(self, field: str, pattern: str, read: Callable[[str], str | None]) -> tuple[str, ...]:
        parts = (part.strip() for part in re.split(pattern, self.text(field)))
        told = (read(part) for part in parts if part)
        return tuple(dict.fromkeys(part for part in told if part))

    def name(self, text: str) -> str | None:
        plain = " ".join(text.split())
        if not 2 <= len(plain) <= 200 or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in plain):
            what = reason("«{quote}» is not a name", quote=plain[:40])
            self.fault(what, reason("write 2 to 200 signs as the body signs"))
            return None
        return plain

    def handle(self, token: str) -> str | None:
        bare = token
        if "/" in token:
            address = _split(token)
            if address is None or _site(address[0]) not in _NETWORKS:
                what = reason("«{quote}» is not an account", quote=token[:60])
                self.fault(what, reason("addresses of its own stand under domains"))
                return None
            folders = [part for part in address[1].split("/") if part and part.casefold() not in _KEPT]
            bare = folders[0] if folders else ""
        bare = bare.removeprefix("@")
        if not re.fullmatch(r"[A-Za-z0-9_.\-]{2,60}", bare):
            what = reason("«{quote}» is not an account", quote=token[:60])
            self.fault(what, reason("write it as the network does, with or without @; several stand apart by blanks"))
            return None
        return bare

    def domain(self, token: str) -> str | None:
        address = _split(token)
        host, path = address if address else ("", "")
        if not re.fullmatch(r"[a-z0-9\-]+(\.[a-z0-9\-]+)+", host) or len(host) > 150:
            what = reason("«{quote}» is not a domain", quote=token[:60])
            self.fault(what, reason("write osiptel.gob.pe, or with its first folder gob.mx/profeco"))
            return None
        folders = [part.casefold() for part in path.split("/") if part]
        if _site(host) in _SHARED or (not folders and host in STATE_SUFFIXES):
            what = reason("the domain «{quote}» belongs to many", quote=host)
            self.fault(what, reason("write the account under handles, or the body's own address"))
            return None
        if not folders:
            return host
        if len(folders) > 1 or not _FOLDER.fullmatch(folders[0]) or len(folders[0]) > 40:
            kept = f"{host}/{folders[0]}" if len(folders) > 1 and _FOLDER.fullmatch(folders[0]) else host
            what = reason("the address «{quote}» is too long", quote=token[:80])
            self.fault(
                what, reason("only the host and its first folder count: {quote1} or {quote2}", quote1=host, quote2=kept)
            )
            return None
        return f"{host}/{folders[0]}"

    def day(self, field: str) -> tuple[date, Precision] | None:
        text = re.sub(r"[ T]00:00(:00)?(\.0+)?Z?$", "", self.text(field))
        if not text:
            return None
        if found := re.fullmatch(r"(\d{4})(?:[-/.](\d{1,2}))?(?:[-/.](\d{1,2}))?", text):
            year, month, day = found.groups()
        elif found := re.fullmatch(r"(?:(\d{1,2})[-/.])?(\d{1,2})[-/.](\d{4})", text):
            day, month, year = found.groups()
            if day and day != month and not self.day_first:
                if int(day) <= 12 and int(month) <= 12:
                    what = reason("«{quote}» can be read as two dates", quote=text)
                    self.fault(what, reason("write the year first: 2013-09-10"))
                    return None
                day, month = (day, month) if int(day) > 12 else (month, day)
        else:
            year = month = day = None
        precision: Precision = "day" if day else "month" if month else "year"
        try:
            return date(int(year or 0), int(month or 1), int(day or 1)), precision
        except ValueError:
            what = reason("«{quote}» is not a date", quote=text[:40])
            self.fault(what, reason("write 2013-09-10, 2013-09 or 2013"))
            return None

    def body(self) -> dict[str, Any]:
        """Tell who speaks and what it is; a word for one of them gives the other."""
        told, called = self.text("stakeholder"), self.text("kind")
        kind = kind_named(called) if called else kind_named(told)
        who = stakeholder_named(told)
        if called and kind is None:
            what = reason("the kind «{quote}» is not known", quote=called[:40])
            self.fault(what, reason("docs/registry.md lists the kinds: regulator, ministry, media, bank, operator…"))
        if told and who is None and kind_named(told) is None:
            what = reason("who it is, «{quote}», is not known", quote=told[:40])
            self.fault(what, reason("docs/labels.md lists them: regulator, government, press, peer_company…"))
        elif not told and not called:
            self.fault(reason("it is not said who it is"), reason("fill the column for who it is, or for its kind"))
        if who is None and kind is not None:
            who = STAKEHOLDER_OF[kind]
        if kind is None and who is not None:
            kind = KIND_OF.get(who)
            if kind is None and not called:
                what = reason("a kind is needed for «{quote}»", quote=told[:40])
                self.fault(
                    what, reason("docs/registry.md lists the kinds: regulator, ministry, media, bank, operator…")
                )
        return {"stakeholder": who, "kind": kind}

    def outlet(self, body: Mapping[str, Any]) -> bool:
        word = fold(self.text("outlet")).strip()
        if not word:
            return bool(body["kind"] == "media" and body["stakeholder"] == "press")
        if word not in _YES | _NO:
            what = reason("«{quote}» is neither yes nor no", quote=word[:40])
            self.fault(what, reason("write sí or no in the column for outlets"))
        elif word in _YES and body["stakeholder"] not in (None, "press"):
            self.fault(reason("only press is an outlet"), reason("leave the cell empty"))
        return word in _YES


def read_row(cells: Mapping[str, str], *, day_first: bool = False) -> tuple[Entry | None, list[Wrong]]:
    """Read the cells of a row by field; the entry is None when anything is wrong. `day_first`: 10/09 is September.

    A row without a beginning holds since 2000, as older bodies do in our own files.
    """
    row = _Row(cells, day_first=day_first)
    name = row.name(row.text("name")) if row.text("name") else None
    if not row.text("name"):
        row.fault(reason("the name is missing"), reason("write how the body signs"))
    body = row.body()
    since, precision = row.day("since") or (date(2000, 1, 1), "year")
    until = row.day("until")
    if until is not None and until[0] <= since:
        row.fault(
            reason("it ends ({until}) before it begins ({since})", until=until[0].isoformat(), since=since.isoformat()),
            reason("the end is the first day on which it no longer holds"),
        )
    fields = {
        **body,
        "name": name,
        "handles": row.parts("handles", r"[\s,;|]+", row.handle),
        "domains": row.parts("domains", r"[\s,;|]+", row.domain),
        "aliases": tuple(one for one in row.parts("aliases", r"[;|\n]", row.name) if one != name),
        "outlet": row.outlet(body),
        "since": since,
        "since_precision": precision,
        "until": until[0] if until else None,
        "successor": row.name(row.text("successor")) if row.text("successor") else None,
    }
    if fields["successor"] and until is None:
        row.fault(reason("a successor needs an end"), reason("say until when the earlier body held"))
    if row.wrong:
        return None, row.wrong
    try:
        return Entry.model_validate(fields), []
    except ValidationError as error:  # whatever the checks above do not foresee
        first = error.errors()[0]
        return None, [(reason("it is no entry: {quote}", quote=str(first["msg"])), reason("see docs/registry.md"))]


def _split(address: str) -> tuple[str, str] | None:
    """Part an address into its host (no www., in ASCII) and its path."""
    try:
        parts = urlsplit(address if "//" in address else "//" + address)
        host = (parts.hostname or "").rstrip(".").removeprefix("www.")
        return host.encode("idna").decode() if host else "", parts.path
    except (ValueError, UnicodeError):
        return None


def _site(host: str) -> str:
    """Give the shared place that a host belongs to, else the host: m.facebook.com is Facebook."""
    labels = host.split(".")
    below = (".".join(labels[first:]) for first in range(len(labels)))
    return next((one for one in below if one in _SHARED), host)
