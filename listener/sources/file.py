"""Read posts from files: exports of other tools, lists kept by hand (JSONL, CSV, XLSX), mailboxes (mbox, eml).

Library: openpyxl for XLSX, the standard library for the rest. Nothing leaves this machine and nothing is paid.
It sees what somebody put into the files and nothing else; appended lines are picked up at the next poll.
"""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from listener.errors import SourceError, Unreachable
from listener.mention import Author, Brand, Metrics, Page, Post, Rejected
from listener.postfile import APPENDED, NO_FILE, SUFFIXES, BadRow, Row, read_rows
from listener.raw import dump, read_count, read_flag, read_moment, read_state, read_text, scrub, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from listener.egress import Egress

__all__ = ["NO_TEXT", "NO_TIME", "Settings", "Source", "post_from", "read_post_file"]

_COUNTS = ("likes", "replies", "shares", "views")
NO_TEXT = N_("no text")
NO_TIME = N_("published_at is not a time in ISO 8601")
_COST = N_("Files cost nothing.")


class Settings(BaseModel):
    """Say which files are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="a file, a folder, or a pattern such as exports/*.csv")
    page_size: int = Field(500, ge=1, le=10_000, description="posts stored in one commit")
    timezone: str = Field("UTC", description="zone of times that name none (IANA name, America/Lima)")
    about: str | None = Field(None, description="key of the brand that posts are about which name none themselves")

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"'{name}' is not a known time zone; write it as America/Lima") from None
        return name

    def at(self, folder: Path) -> Settings:
        """Give the same settings with a path that starts at a folder."""
        return self.model_copy(update={"path": str(folder / Path(self.path).expanduser())})


def _now() -> datetime:
    return datetime.now(UTC)


def post_from(
    raw: Mapping[str, Any], *, source: str, now: datetime, zone: tzinfo = UTC, about: str | None = None
) -> Post:
    """Make a Post of one object of a post file; ValueError (a catalogue sentence) when it has no text or a wrong time.

    Without `published_at` it is `now`; without `native_id` and `id`, a hash of author, time and text stands in.
    """
    text = read_text(raw.get("text"))
    if text is None:
        raise ValueError(NO_TEXT)
    try:
        published = read_moment(raw.get("published_at"), zone)
    except ValueError:
        raise ValueError(NO_TIME) from None
    handle = (read_text(within(raw, "author", "handle")) or "").strip().lstrip("@") or None
    native_id = read_text(raw.get("native_id")) or read_text(raw.get("id"))
    if native_id is None:
        written = str(raw.get("published_at") or "")
        native_id = hashlib.sha256(f"{handle or ''}\n{written}\n{text}".encode("utf-8", "replace")).hexdigest()
    url = read_text(raw.get("url"))
    lang = (read_text(raw.get("lang")) or "").replace("_", "-").partition("-")[0].strip().casefold()
    country = (read_text(raw.get("country")) or "").strip().upper()
    return Post(
        source=source,
        native_id=native_id,
        text=text,
        published_at=published or now,
        author=Author(
            handle=handle,
            name=read_text(within(raw, "author", "name")),
            native_id=read_text(within(raw, "author", "native_id")),
            bio=read_text(within(raw, "author", "bio")),
            url=read_text(within(raw, "author", "url")),
            verified=read_flag(within(raw, "author", "verified")),
            followers=read_count(within(raw, "author", "followers")),
        ),
        url=url if url is not None and url.startswith(("https://", "http://")) else None,
        lang=lang or None,
        country=country or None,
        in_reply_to=read_text(raw.get("in_reply_to")),
        thread=read_text(raw.get("thread")),
        metrics=Metrics(*(read_count(within(raw, "metrics", name)) for name in _COUNTS)),
        about=read_text(raw.get("brand")) or about,
        raw=scrub(raw),
    )


def read_post_file(
    path: Path, source: str = "file", *, now: Callable[[], datetime] = _now, zone: tzinfo = UTC
) -> Iterator[Post | Rejected]:
    """Yield every post of a file in order, or what could not be read; a SourceError when it is no post file."""
    for row in read_rows(Path(path), source):
        yield _read(row, source, now(), zone)


def _read(row: Row | BadRow, source: str, now: datetime, zone: tzinfo, about: str | None = None) -> Post | Rejected:
    if isinstance(row, BadRow):
        return Rejected(row.position, row.reason, row.body)
    try:
        return post_from(row.raw, source=source, now=now, zone=zone, about=about)
    except ValueError as error:
        return Rejected(row.position, str(error), dump(row.raw))


class Source:
    """Read a file, the files of a folder, or those that fit a pattern."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        egress: Egress | None = None,
        *,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.name = name
        self.settings = settings
        self._now = now
        self._zone = ZoneInfo(settings.timezone)

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield what was added since the cursor, a page at a time; an unreadable file does not stop the others."""
        state: dict[str, dict[str, Any]] = read_state(cursor)
        failures: list[SourceError] = []
        for path in self._files():
            try:
                yield from self._collect_file(path, state)
            except SourceError as error:
                failures.append(error)
        if failures:
            raise type(failures[0])(self.name, "; ".join(map(str, failures)))

    def _collect_file(self, path: Path, state: dict[str, dict[str, Any]]) -> Iterator[Page]:
        key = str(path)
        try:
            facts = path.stat()
            lined = path.suffix.casefold() in APPENDED
            head = _head(path) if lined else ""
        except OSError:
            raise Unreachable(self.name, f"{path.name}: {NO_FILE}") from None
        before = state.get(key, {})
        same = before.get("size") == facts.st_size and before.get("mtime") == facts.st_mtime_ns
        if same and before.get("whole") is True:
            return
        # A table that changed is read again from its start: rows may stand anywhere, and the store knows what it has.
        keep = same or (lined and before.get("head") == head and before.get("offset", 0) <= facts.st_size)
        offset, done = (before.get("offset", 0), before.get("done", 0)) if keep else (0, 0)
        now = {"size": facts.st_size, "mtime": facts.st_mtime_ns, "head": head}
        posts: list[Post] = []
        rejected: list[Rejected] = []
        whole = True
        for row in read_rows(path, self.name, offset=offset, number=done if lined else 0):
            if not lined and row.number <= done:
                continue
            if isinstance(row, BadRow) and row.unfinished and not same:
                whole = False  # it may be in the writing: judged at the next poll, when the file has not grown
                break
            read = _read(row, self.name, self._now(), self._zone, self.settings.about)
            (posts if isinstance(read, Post) else rejected).append(read)  # type: ignore[arg-type]
            offset, done = row.offset, row.number
            if len(posts) + len(rejected) >= self.settings.page_size:
                state[key] = {**now, "offset": offset, "done": done, "whole": False}
                yield Page(tuple(posts), json.dumps(state), tuple(rejected))
                posts, rejected = [], []
        state[key] = {**now, "offset": offset, "done": done, "whole": whole}
        yield Page(tuple(posts), json.dumps(state), tuple(rejected))

    def hosts(self) -> frozenset[str]:
        """Name no host: files need no network."""
        return frozenset()

    def probe(self) -> None:
        """See that the files can be opened; raise a SourceError when not."""
        for path in self._files():
            try:
                with path.open("rb"):
                    pass
            except OSError:
                raise Unreachable(self.name, f"{path.name}: {NO_FILE}") from None

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say that files cost nothing, as a reason that can be worded in any language."""
        return reason(_COST)

    def _files(self) -> list[Path]:
        path = Path(self.settings.path).expanduser()
        if path.is_dir():
            found = [one for one in path.iterdir() if one.suffix.casefold() in SUFFIXES and one.name[0] not in ".~"]
        elif glob.has_magic(str(path)) and not path.exists():
            start = next(at for at, part in enumerate(path.parts) if glob.has_magic(part))
            folder = Path(*path.parts[:start])
            if not folder.is_dir():
                raise Unreachable(self.name, f"{path.name}: {NO_FILE}")
            found = list(folder.glob(str(Path(*path.parts[start:]))))
        elif path.exists():
            found = [path]
        else:
            raise Unreachable(self.name, f"{path.name}: {NO_FILE}")
        return sorted(one for one in found if one.is_file())


def _head(path: Path) -> str:
    """Tell one file from another that took its name: a hash of the first line."""
    with path.open("rb") as stream:
        return hashlib.sha256(stream.readline(4096)).hexdigest()[:16]
