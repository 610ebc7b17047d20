"""Fetch an address: the one way out to the network (S5, S8), and what a source needs around it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import requests

from listener.egress import LIMIT, Egress, egress_of, open_session, read_body
from listener.failure import classify, judge, wait_until
from listener.redaction import Redaction, install, redact

__all__ = [
    "Egress",
    "Fetched",
    "Redaction",
    "classify",
    "egress_of",
    "fetch",
    "install",
    "open_session",
    "redact",
    "wait_until",
]


@dataclass(frozen=True, slots=True)
class Fetched:
    """Hold an answer: its status (2xx or 304), headers, decoded body and the address after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def fetch(
    session: requests.Session,
    url: str,
    source: str,
    *,
    headers: Mapping[str, str] | None = None,
    limit: int = LIMIT,
    seconds: float = 30.0,
) -> Fetched:
    """Fetch an address, at most `limit` decoded bytes in `seconds`; `session` comes from `open_session`.

    Raises RateLimited, NotAllowed, Unreachable, Unreadable or Refused, and nothing else.
    """
    deadline = time.monotonic() + seconds
    try:
        silence = (min(5.0, seconds), min(30.0, seconds))
        response = session.get(url, headers=dict(headers or {}), stream=True, timeout=silence)
    except Exception as error:  # noqa: BLE001 - the caller gets one of our own errors, whatever a library raised
        raise classify(error, source) from None
    body = read_body(response, source, limit, deadline)
    failure = judge(response.status_code, response.headers, source, body=body)
    if failure is not None:
        raise failure
    return Fetched(response.status_code, response.headers, body, response.url)
