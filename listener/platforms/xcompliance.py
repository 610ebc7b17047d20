"""Ask X which of our stored posts are gone: by looking them up, or by a compliance job when there are many.

API: docs.x.com, "Post lookup" (100 ids an answer, each post found is charged) and "Batch compliance" (a file of ids is
uploaded, the result names those that are gone; one job of a kind at a time, results are kept for a week).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from listener.errors import Unreachable, Unreadable
from listener.failure import classify, judge
from listener.mention import Page
from listener.platforms.tweet import fields, read_list
from listener.platforms.xclient import XClient
from listener.raw import dump, read_moment, read_text, within
from listener.reason import N_

if TYPE_CHECKING:
    from requests import Response

__all__ = ["JOB_HOST", "MANY", "check_by_job", "look_up"]

MANY = 1_000  # ids from which a compliance job is worth its minutes
JOB_HOST = "storage.googleapis.com"  # where X keeps the files of compliance jobs
_AT_ONCE = 100
_GONE = ("/resource-not-found", "/not-authorized-for-resource")
_FRESH = timedelta(hours=20)
_ASK_EVERY = 10.0  # seconds
_ASKS = 24  # four minutes; a job that takes longer is found again by the next sweep

_NO_ANSWER = N_("the answer says nothing of the posts that were asked for")
_NO_JOB = N_("the answer is not a compliance job")
_JOB_FAILED = N_("the platform could not finish the compliance job")
_JOB_RUNS = N_("the compliance job is still running; the next sweep reads its result")


def look_up(client: XClient, native_ids: Sequence[str]) -> Iterator[Page]:
    """Yield a page for every 100 ids: posts as they read now, and those that X says are gone or no longer public."""
    wanted = [one for one in native_ids if one.isascii() and one.isdigit() and len(one) < 20]
    for start in range(0, len(wanted), _AT_ONCE):
        asked = wanted[start : start + _AT_ONCE]
        params = fields(authors=False)
        answer = client.ask("get_tweets", asked, tweet_fields=params["tweet_fields"])
        data, errors = within(answer, "data"), within(answer, "errors")
        found = data if isinstance(data, list) else []
        gone = [one for error in errors if (one := _gone_of(error, asked))] if isinstance(errors, list) else []
        if not found and not gone:
            raise Unreadable(client.name, _NO_ANSWER, body=dump(answer).encode())
        told = read_list(found, answer, client.name)
        yield Page(told.posts, None, told.rejected, tuple(gone), billed={"post": len(told.ids)}, quota=client.quota)


def _gone_of(error: Any, asked: Sequence[str]) -> str | None:
    """Give the id that an error speaks of, when it says that this post cannot be read any more."""
    if within(error, "resource_type") not in ("tweet", None) or within(error, "parameter") not in ("ids", "id", None):
        return None
    if not (read_text(within(error, "type")) or "").endswith(_GONE):
        return None
    known = read_text(within(error, "resource_id")) or read_text(within(error, "value"))
    return known if known in asked else None


def check_by_job(
    client: XClient,
    native_ids: Sequence[str],
    now: Callable[[], datetime],
    pause: Callable[[float], object] = time.sleep,
) -> Iterator[Page]:
    """Yield pages with the ids that are gone; Unreachable when the job takes too long, and the next call finds it.

    The job's name is made of the ids, so that X itself remembers what was asked.
    """
    wanted = sorted({one for one in native_ids if one.isascii() and one.isdigit()})
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:24]
    name = f"escucha {digest}"
    job = _find(client, name, now())
    if job is None:
        job = within(client.ask("create_compliance_job", "tweets", name=name), "data")
        where = read_text(within(job, "upload_url"))
        if where is None:
            raise Unreadable(client.name, _NO_JOB, body=_safe(job))
        _send(client, "PUT", where, ("\n".join(wanted) + "\n").encode())
    for turn in range(_ASKS + 1):
        state = read_text(within(job, "status"))
        if state == "complete":
            break
        if state in ("failed", "expired"):
            raise Unreadable(client.name, _JOB_FAILED, body=_safe(job))
        if turn == _ASKS:
            raise Unreachable(client.name, _JOB_RUNS)
        if turn:
            pause(_ASK_EVERY)
        job = within(client.ask("get_compliance_job", read_text(within(job, "id")) or ""), "data")
        if read_text(within(job, "status")) is None:
            raise Unreadable(client.name, _NO_JOB, body=_safe(job))
    yield from _results(client, job, frozenset(wanted))


def _find(client: XClient, name: str, now: datetime) -> Any:
    """Give our job of the same ids when X has one that is young and not spoiled."""
    answer = client.ask("get_compliance_jobs", "tweets")
    jobs = within(answer, "data")
    if jobs is not None and not isinstance(jobs, list):
        raise Unreadable(client.name, _NO_JOB, body=_safe(answer))
    for job in jobs or ():
        try:
            made = read_moment(within(job, "created_at"))
        except ValueError:
            made = None
        young = made is not None and now - made < _FRESH
        if within(job, "name") == name and young and within(job, "status") in ("complete", "in_progress"):
            return job
    return None


def _results(client: XClient, job: Any, asked: frozenset[str]) -> Iterator[Page]:
    where = read_text(within(job, "download_url"))
    if where is None:
        raise Unreadable(client.name, _NO_JOB, body=_safe(job))
    gone: list[str] = []
    for line in _send(client, "GET", where).splitlines():
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            raise Unreadable(client.name, _NO_JOB, body=line) from None
        known = read_text(within(said, "id"))
        # Who takes the place off a post has not deleted it.
        if known in asked and within(said, "action") == "delete" and within(said, "reason") != "scrub_geo":
            gone.append(known or "")
    for start in range(0, len(gone), _AT_ONCE):
        yield Page((), gone=tuple(gone[start : start + _AT_ONCE]), quota=client.quota)


def _send(client: XClient, method: str, url: str, body: bytes | None = None) -> bytes:
    """Put or get a file where X says; the key goes to X alone."""
    headers = {"Content-Type": "text/plain"} if body is not None else {}
    try:
        response: Response = client.session.request(
            method, url, data=body, headers=headers | client.authorized(url), timeout=(5, 60)
        )
        failure = judge(response.status_code, response.headers, client.name, body=b"")
        text = response.content
    except Exception as error:  # noqa: BLE001 - the caller gets one of our own errors, whatever a library raised
        raise classify(error, client.name) from None
    if failure is not None:
        raise failure
    return text


def _safe(job: Any) -> bytes:
    """Give a job for the quarantine without its addresses, which let anyone read and write its files."""
    kept = {key: part for key, part in job.items() if not str(key).endswith("_url")} if isinstance(job, dict) else None
    return dump(kept).encode()
