"""Write each message as a line of JSON to a file, for machines: the same document as the signed webhook's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from listener.errors import DeliveryError
from listener.reason import N_, Reason, reason
from stakeholders.channels.webhook import document
from stakeholders.outbox.poster import NO_TABLE, SWITCHED_OFF, told_of

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.channels import Message

__all__ = ["open_line", "path_of", "probe"]

DEFAULT = "data/alerts.jsonl"
WRITABLE = N_("its file can be written.")
NO_FILE = N_("its file cannot be written, so its messages wait")


@contextmanager
def open_line(config: Config) -> Iterator[_LogLine]:
    """Open a line to the files of the configuration; each file is opened for each message, so it may be rotated."""
    yield _LogLine(config)


class _LogLine:
    """Append to the files of the log channels."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @property
    def alive(self) -> bool:
        """Tell that more messages can go over this line."""
        return True

    def send(self, message: Message) -> None:
        """Append one line and see it on the disk; raises DeliveryError."""
        name = message.recipient
        path = path_of(self._config, name)
        table = self._config.settings.channels.get(name)
        told = document(message, self._config.settings.instance.name, internal=table is not None and table.internal)
        line = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append(path, line)
        except OSError:
            raise DeliveryError(told_of(name, NO_FILE)) from None


def _append(path: Path, line: bytes) -> None:
    """Append a line and flush it; after a line that a kill or a full disk cut short, a new one begins.

    The file is locked meanwhile, so that no other sender sees a half line and takes it for one that was cut short.
    """
    import fcntl

    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)  # given back when the file is closed, by a kill too
        end = os.lseek(file, 0, os.SEEK_END)
        if end and _last(file, end) != b"\n":
            line = b"\n" + line
        if os.write(file, line) != len(line):
            raise OSError("the line was cut short")
        os.fsync(file)
    finally:
        os.close(file)


def _last(file: int, end: int) -> bytes:
    os.lseek(file, end - 1, os.SEEK_SET)
    return os.read(file, 1)


def path_of(config: Config, name: str) -> Path:
    """Give the file of a log channel, from the folder of config.toml; raises DeliveryError when it has no table."""
    if not name:
        return config.folder / DEFAULT
    table = config.settings.channels.get(name)
    if table is None or table.kind != "log":
        raise DeliveryError(told_of(name, NO_TABLE), retry=False)
    if not table.enabled:
        raise DeliveryError(told_of(name, SWITCHED_OFF))
    return config.folder / (table.path or DEFAULT)


def probe(config: Config, name: str) -> Reason:
    """See whether the file can be written, leaving it as it is; raises DeliveryError."""
    path = path_of(config, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    except OSError:
        raise DeliveryError(told_of(name, NO_FILE)) from None
    return reason(WRITABLE)
