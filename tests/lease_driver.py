"""Poll sources in a process of its own under leases, until killed or until each was polled so many times.

Called by tests/listener/test_lease.py: `python lease_driver.py STORE URL TIMES HELD SOURCE…`; a poll is one request to
URL/SOURCE, which the server holds open for a moment. HELD: seconds that a lease lasts.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

from listener.clock import job_of, read_due, settle_job
from listener.database import Store
from listener.lease import Leases


def main(url: str, web: str, times: str, held: str, *sources: str) -> None:
    store = Store(url)
    leases = Leases(store, held=timedelta(seconds=float(held)))
    line = HTTPConnection(urlsplit(web).netloc, timeout=60)
    print("ready", flush=True)
    sys.stdin.readline()
    done = 0
    while done < int(times):
        with store.read() as connection:
            due = read_due(connection, datetime.now(UTC))
        for name in (job for job in due if job in {job_of(source) for source in sources}):
            if done == int(times) or (hold := leases.claim(name)) is None:
                continue
            line.request("GET", f"/{name.partition('/')[2]}")
            line.getresponse().read()
            done += 1
            with store.write() as connection:
                leases.release(connection, hold)
                settle_job(connection, name, timedelta(0), datetime.now(UTC), None)
    leases.close()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
