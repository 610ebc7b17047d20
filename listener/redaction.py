"""Keep secrets out of every log line, whoever writes it."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["Redaction", "install", "redact"]

_MARK = "[redacted]"
_QUIET = (
    "googleapiclient",
    "httplib2",
    "imap_tools",
    "tweepy",
    "urllib3",
    "prawcore",
    "praw",
    "requests",
    "requests_oauthlib",
    "oauthlib",
)  # leak keys at DEBUG
_NAMES = r"key|api_?key|access_?token|refresh_?token|bearer_?token|token|client_?secret|secret|password|signature"
_PATTERNS = (
    (re.compile(r"""(?i)(\bauthorization["']?\s*[:=]\s*["']?)(?:[a-z]+\s+)?[^\s"',}\]]+"""), rf"\1{_MARK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/=%-]{8,}"), rf"\1 {_MARK}"),
    (re.compile(rf"""(?i)(?<![a-z0-9])((?:{_NAMES})=)[^&\s"'<>]+"""), rf"\1{_MARK}"),
    (re.compile(rf"""(?i)(["'](?:{_NAMES})["']\s*:\s*["'])[^"']+"""), rf"\1{_MARK}"),
    (re.compile(r"(?i)(\bhttps?://)[^/\s:@]+:[^/\s@]+@"), rf"\1{_MARK}@"),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace given secrets, Authorization values, `key=…`-like parameters and credentials in addresses by a mark."""
    for form in sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(form, _MARK)
    for pattern, mark in _PATTERNS:
        text = pattern.sub(mark, text)
    return text


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), quote_plus(secret)} if len(secret) >= 4 else set()


class Redaction(logging.Filter):
    """Rewrite log records so that they carry no secret; every record passes."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self.secrets = frozenset(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact message, arguments, traceback and stack of a record; one without secrets stays as it is."""
        try:
            told = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit: logging itself reports it
            return True
        if redact(told, self.secrets) != told:
            # Formatters such as uvicorn's want the arguments, so they are kept where redacting each one is enough.
            if isinstance(record.args, tuple):
                record.args = tuple(self._clean(part) for part in record.args)
            if redact(record.getMessage(), self.secrets) != record.getMessage():
                record.msg, record.args = redact(told, self.secrets), ()
        if record.exc_info and record.exc_info[0] is not None and not record.exc_text:
            lines = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            record.exc_text = redact(lines, self.secrets)  # a Formatter takes this text instead of making its own
        if record.stack_info:
            record.stack_info = redact(record.stack_info, self.secrets)
        return True

    def _clean(self, value: Any) -> Any:
        return redact(value, self.secrets) if isinstance(value, str) else value


def install(secrets: Iterable[str] = ()) -> Redaction:
    """Redact every log record from now on, whatever handler prints it, and keep chatty client libraries above DEBUG.

    Called again it takes the place of the former one; give all secrets of the configuration.
    """
    redaction = Redaction(secrets)
    former = logging.getLogRecordFactory()
    make = getattr(former, "without_redaction", former)

    def make_redacted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record: logging.LogRecord = make(*args, **kwargs)
        redaction.filter(record)
        return record

    make_redacted.without_redaction = make  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_redacted)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.INFO)
    return redaction
