"""Measure the embedded judges against a transformers pipeline with an xlm-roberta-base, in one run on two threads."""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from listener.mention import Author, Brand
from listener.settings import SentimentTable
from sentiment.encoder import MODEL, TOKENIZER
from sentiment.engine import load
from sentiment.postfile import item_of
from sentiment.verdict import Classifier, Item, Verdict

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "sentiment" / "corpus" / "posts.jsonl"
TEXTS, BATCHES, ROUNDS, STARTS, THREADS = 512, (1, 8, 32), 3, 5, 2
NOW = datetime(2026, 1, 1, tzinfo=UTC)  # when a post of the corpus counts as published; no figure depends on it
ALTERNATIVE = "transformers pipeline, xlm-roberta-base, fp32, random weights, our tokenizer"
MISSING = "left out: torch or transformers is not installed; run make torch, then make bench"

# What a fresh process does, clocked from its first line; the posts come by stdin, so that no reader of files counts.
_FRESH = """
import time
began = time.perf_counter()
import pickle, sys
from pathlib import Path
from listener.settings import SentimentTable
from sentiment.engine import load
engine = load(SentimentTable(threads=int(sys.argv[1])), Path())
items = pickle.load(sys.stdin.buffer)
engine.judge(items[:1])
took = time.perf_counter() - began
for start in range(1, len(items), 32):
    engine.judge(items[start : start + 32])
status = Path("/proc/self/status")
told = dict(line.split(":", 1) for line in status.read_text().splitlines()) if status.exists() else {}
print(took, *(int(told[key].split()[0]) / 1024 if key in told else 0 for key in ("VmRSS", "VmHWM")))
"""


def _items(count: int) -> list[Item]:
    """Take posts from all over the corpus, with profile and rivals, no text twice."""
    rows = list({row["text"]: row for row in map(json.loads, CORPUS.read_text("utf-8").splitlines())}.values())
    read = [item_of(row, (), NOW) for row in rows[:: max(len(rows) // count, 1)][:count]]
    return [item for item in read if item is not None]


def _untagged(items: Sequence[Item]) -> list[Item]:
    """Take the platform's language tags away: the first such post brings the language model in."""
    return [replace(item, post=replace(item.post, lang=None)) for item in items]


def _text_alone(items: Sequence[Item]) -> list[Item]:
    """Take away everything but the text, so that both sides read the same: no entity, no profile, no brand named."""
    nobody = Brand("-", "Zzyzxabc", "own", None, None, ())
    return [Item(replace(item.post, author=Author(), country=None, about=None), nobody) for item in items]


def _fresh(items: Sequence[Item]) -> tuple[float, float, float, float]:
    """Give what a new process takes: seconds to a first answer, the same with Python's own start, MB, MB at most."""
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    began = time.perf_counter()
    one = subprocess.run(
        [sys.executable, "-c", _FRESH, str(THREADS)],
        input=pickle.dumps(list(items)),
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": paths},
    )
    whole = time.perf_counter() - began
    took, resident, most = map(float, one.stdout.split())
    return took, whole, resident, most


def _starts() -> dict[str, Any]:
    """Measure start-up and memory in fresh processes; a post without a language tag costs more of both."""
    items = _items(200)
    told: dict[str, Any] = {}
    for name, asked in (("tagged", items), ("untagged", _untagged(items))):
        _fresh(asked[:1])  # the first one fills the disk's cache
        starts = [_fresh(asked[:1]) for _ in range(STARTS)]
        _, _, resident, most = _fresh(asked)
        told[name] = {
            "startup_s": round(median(one[0] for one in starts), 2),
            "startup_with_python_s": round(median(one[1] for one in starts), 2),
            "memory_mb": round(resident) or None,  # None where the system has no /proc
            "memory_mb_at_most": round(most) or None,
        }
    return told


def _judge(engine: Classifier, items: Sequence[Item], batch: int) -> list[Verdict]:
    """Judge by all heads, with reasons."""
    return [one for at in range(0, len(items), batch) for one in engine.judge(items[at : at + batch])]


def _pipeline() -> Callable[[Sequence[str], int], Any] | None:
    """Make the alternative; None where its libraries are missing."""
    try:
        import torch
        import transformers
    except ModuleNotFoundError:
        return None
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    # The published sizes; speed does not depend on what the weights are.
    config = transformers.XLMRobertaConfig(
        vocab_size=250_002, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5, num_labels=3
    )
    # Its own tokenizer is on the hub only; ours is of the same kind, cut from the same pieces.
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(MODEL / TOKENIZER),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=512,
        model_input_names=["input_ids", "attention_mask"],
    )
    model = transformers.XLMRobertaForSequenceClassification(config).float().eval()
    pipe = transformers.pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")

    def classify(texts: Sequence[str], batch: int) -> Any:
        found = pipe(list(texts), batch_size=batch, truncation=True)
        assert len(found) == len(texts)
        return found

    return classify


def _clock(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(count: int = TEXTS) -> None:
    """Print texts a second of both at each batch size, their ratio, and what a start and a process cost."""
    items = _items(count)
    texts = [item.post.text for item in items]
    told: dict[str, Any] = {"bench": "classify", "texts": len(items), "threads": THREADS}
    told["load"] = round(os.getloadavg()[0], 1)  # what else the machine was doing
    told["fresh_process"] = fresh = _starts()  # first, before this process warms anything

    engine = load(SentimentTable(threads=THREADS), Path())
    alternative = _pipeline()
    alone = _judge(engine, items, 1)
    for batch in BATCHES[1:]:
        assert _judge(engine, items, batch) == alone, f"another verdict at batch {batch}"
    assert _judge(engine, items[::-1], len(items)) == alone[::-1], "another verdict in other company"
    if alternative:
        alternative(texts[: BATCHES[-1]], BATCHES[-1])

    ours: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    bare: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    theirs: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    stripped = _text_alone(items)
    for _ in range(ROUNDS):  # alternating, so that a busy machine slows both
        for batch in BATCHES:
            ours[batch].append(len(items) / _clock(partial(_judge, engine, items, batch)))
            bare[batch].append(len(items) / _clock(partial(_judge, engine, stripped, batch)))
            if alternative:
                theirs[batch].append(len(items) / _clock(partial(alternative, texts, batch)))

    told["engine"] = engine.engine
    told["same_verdict_in_any_batch"] = True
    told["ours_per_s"] = {str(batch): round(median(ours[batch])) for batch in BATCHES}
    told["ours_text_alone_per_s"] = {str(batch): round(median(bare[batch])) for batch in BATCHES}
    told["alternative"] = ALTERNATIVE if alternative else MISSING
    met = {
        "startup_s <= 0.6": max(one["startup_s"] for one in fresh.values()) <= 0.6,
        "memory_mb <= 300": max(one["memory_mb"] or math.inf for one in fresh.values()) <= 300,
    }
    if alternative:
        ratios = {batch: median(a / b for a, b in zip(ours[batch], theirs[batch], strict=True)) for batch in BATCHES}
        told["alternative_per_s"] = {str(batch): round(median(theirs[batch]), 1) for batch in BATCHES}
        told["ratio"] = {str(batch): round(ratio, 1) for batch, ratio in ratios.items()}
        same = {batch: median(a / b for a, b in zip(bare[batch], theirs[batch], strict=True)) for batch in BATCHES}
        told["ratio_text_alone"] = {str(batch): round(ratio, 1) for batch, ratio in same.items()}
        met["ratio at 32 >= 12, text, entity and profile"] = ratios[32] >= 12
        met["ratio at 32 >= 12, text alone as the alternative"] = same[32] >= 12
    told["goals_met"] = met
    print(json.dumps(told))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
