"""Sign the links that act without a login: whom they were made for, which case, until when (itsdangerous)."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.errors import ConfigError, Fault
from listener.reason import N_, say

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

    from listener.config import Config

__all__ = ["ACTIONS", "Expired", "Forged", "Link", "derive_key", "links_for", "read", "secret_file", "sign"]

log = logging.getLogger("escucha.stakeholders")

# What a link can do, by the word in its address; the words are those of buttons.
ACTIONS: Mapping[str, str] = {
    "acknowledge": N_("Acknowledge"),
    "assign": N_("Assign to me"),
    "snooze-hour": N_("Snooze for 1 hour"),
    "snooze-tomorrow": N_("Snooze until tomorrow"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """Hold what a good link says."""

    case_id: int
    recipient: str
    action: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Expired:
    """Say that a link is ours but too old."""

    case_id: int


@dataclass(frozen=True, slots=True)
class Forged:
    """Say that a link is not ours, or was changed."""


def sign(
    config: Config, case_id: int, recipient: str, action: str = "acknowledge", *, now: datetime | None = None
) -> str:
    """Give the address that a person opens to act on a case, good from `now` on (the clock's, if left out)."""
    token = _serializer(config, now).dumps([case_id, recipient, action])
    return f"{config.public_url}/api/{action}/{token}"


def links_for(
    config: Config, case_id: int, channel: str, recipient: str, *, now: datetime | None = None, lang: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Give what a reader can do about a case as (label, address), the first thing to do first.

    In a chat nobody is "me", so only mail offers to take a case; who acts there is written as "slack:NAME".
    """
    person = channel == "mail"
    who = recipient if person else f"{channel}:{recipient}"
    return tuple(
        (say(label, lang or config.language), sign(config, case_id, who, action, now=now))
        for action, label in ACTIONS.items()
        if person or action != "assign"
    )


def read(
    token: str, config: Config, now: datetime | None = None, action: str = "acknowledge"
) -> Link | Expired | Forged:
    """Read the last part of such an address; it is good for [server] link_days."""
    from itsdangerous import BadData, SignatureExpired

    serializer = _serializer(config, now)
    if len(token) > 2000:
        return Forged()
    try:
        told, signed_at = serializer.loads(
            token, max_age=config.settings.server.link_days * 86400, return_timestamp=True
        )
    except SignatureExpired as error:
        if error.payload is None or (error.date_signed and error.date_signed > _moment(now)):
            return Forged()
        told = _payload(serializer.load_payload(error.payload))
        return Forged() if told is None else Expired(told[0])
    except BadData:
        return Forged()
    told = _payload(told)
    if told is None or told[2] != action:
        return Forged()
    return Link(told[0], told[1], told[2], signed_at.astimezone(UTC))


def _moment(now: datetime | None) -> datetime:
    """Give the moment that a link is read at."""
    return datetime.now(UTC) if now is None else now


def _payload(told: Any) -> tuple[int, str, str] | None:
    match told:
        case [int(case_id), str(recipient), str(action)]:
            return case_id, recipient, action
    return None


def _serializer(config: Config, now: datetime | None) -> URLSafeTimedSerializer:
    from itsdangerous import TimestampSigner, URLSafeTimedSerializer

    moment = int(_moment(now).timestamp())

    class Signer(TimestampSigner):
        """Take the moment that the caller gave for the clock's."""

        def get_timestamp(self) -> int:
            return moment

    return URLSafeTimedSerializer(
        _secret(config), salt="escucha.links", signer=Signer, signer_kwargs={"digest_method": hashlib.sha256}
    )


def derive_key(config: Config, purpose: str) -> str:
    """Give a key for one purpose, made from the instance's secret: a restart keeps it, a new secret ends it."""
    return hmac.new(_secret(config).encode(), purpose.encode(), "sha256").hexdigest()


def secret_file(config: Config) -> Path:
    """Say where the secret stands if [server] gives none: beside a SQLite database, else in data/ by the config."""
    url = config.store_url
    if url.startswith("sqlite:///") and ":memory:" not in url:
        return Path(url.removeprefix("sqlite:///").partition("?")[0]).parent / "secret.key"
    return config.folder / "data" / "secret.key"


def _secret(config: Config) -> str:
    given = config.settings.server.secret
    if given is not None:
        return given.get_secret_value()
    path = secret_file(config)
    if not path.exists():
        _make_secret(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        path.chmod(0o600)
        log.warning("links: %s could be read by other users of this machine; closed it", path.name)
    secret = path.read_text("ascii", "replace").strip()
    if len(secret) < 32:
        raise ConfigError(
            [Fault("server", f"{path.name} holds no secret", "delete it; a new one is made and links sent before end")]
        )
    return secret


def _make_secret(path: Path) -> None:
    """Make the secret once, also when two processes try: a finished file is linked into place or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as lines:
        lines.write(secrets.token_hex(32))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
