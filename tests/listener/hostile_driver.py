"""Read what hostile addresses serve, one after the other, in a process whose memory can be measured.

Each line that comes in is a case as JSON: name, url, hosts, inside. Each line that goes out says what came of it, how
long it took, and how much more memory it took at its peak than before, in bytes.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from listener.errors import SourceError
from listener.fetch import Egress
from listener.sources import rss


def memory(name: str) -> int:
    """Read VmRSS (now) or VmHWM (the peak) of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


def read(case: dict[str, Any]) -> dict[str, Any]:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, began = memory("VmRSS"), time.process_time()
    outcome, entries, texts = "ok", 0, 0
    try:
        settings = rss.Settings.model_construct(feeds=(case["url"],), searches=())
        source = rss.Source("hostile", settings, Egress(frozenset(case["hosts"]), frozenset(case["inside"])))
        for page in source.collect((), None):
            entries += len(page.posts) + len(page.rejected)
            texts = max([texts, *(len(post.text) for post in page.posts)])
            assert not any("root:" in post.text for post in page.posts)
    except SourceError as error:
        outcome = error.kind
    seconds = time.process_time() - began  # of this process: other work on the machine does not count
    grown = memory("VmHWM") - before
    return {
        "name": case["name"],
        "outcome": outcome,
        "seconds": seconds,
        "grown": grown,
        "entries": entries,
        "longest": texts,
    }


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
