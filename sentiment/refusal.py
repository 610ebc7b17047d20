"""Tell why a model that config.toml names does not judge, from its files alone and without loading it."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from listener.errors import ClassifierError
from listener.reason import N_
from listener.settings import SentimentTable, TransformerTable
from sentiment.heads import SPECS

__all__ = [
    "FILES",
    "HEADS",
    "check_extra",
    "check_folder",
    "check_map",
    "is_entailment",
    "locate",
    "note_refusal",
    "refusal",
    "refuse",
]

HEADS = ("sentiment", "dimension", "intent", "stakeholder")  # what a model of the user's may answer
FILES = ("*.json", "*.safetensors", "*.txt", "*.model", "*.codes")  # what is fetched from the hub: nothing that runs
_TOKENIZERS = ("tokenizer.json", "vocab.*", "*.model", "*.codes")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")

NO_EXTRA = N_("engine = transformers needs torch and transformers: pip install 'escucha[transformers]'")
UNKNOWN_HEAD = N_("no model can be given for this")
NO_FOLDER = N_("there is no such folder")
NOT_HERE = N_("this model of the hub is not on this machine, it is fetched when the judges start")
NO_HUB = N_("the hub did not give this model")
NO_CONFIG = N_("config.json is missing or cannot be read")
OWN_CODE = N_("the model brings code of its own (auto_map), which is never run here")
ADAPTER = N_("this is an adapter and no model of its own, merge the two and save the whole")
PICKLE = N_("the weights are a pickle, which could run code, save them as safetensors")
NO_WEIGHTS = N_("the file model.safetensors is missing")
NO_TOKENIZER = N_("the files of the tokenizer are missing")
LOST_PART = N_("a part of the weights is missing")
DAMAGED = N_("the weights are damaged or cut short")
SEVERAL = N_("the model gives several labels at once, or a number, and no single answer")
UNMAPPED = N_("labels of the model that are mapped to none of ours")
UNGIVEN = N_("mapped, but no labels of the model")
NOT_OURS = N_("no labels that this can answer with")
ONE_KIND = N_("needs either labels or hypotheses")
TOO_FEW = N_("at least two hypotheses are needed")
NO_ENTAILMENT = N_("one label must be called entailment, as in a model trained on NLI")

_Stamp = tuple[object, ...]
_noted: dict[_Stamp, str] = {}


def refuse(head: str, model: str, sentence: str, detail: str = "") -> ClassifierError:
    """Give the error for a model: "table: model: detail: sentence", which `listener.failure.worded` translates."""
    return ClassifierError(
        ": ".join(one for one in (f"[sentiment.transformers.{head}] {model}", detail, sentence) if one)
    )


def refusal(settings: SentimentTable, folder: Path, *, thoroughly: bool = False) -> str:
    """Give the reason why the configured model does not judge, or "".

    Reads files, never the network, so that a page may ask at every view; the answer is kept
    until a file of the model changes. What a loading in this process found counts too. `thoroughly` opens the engine
    for good, as `escucha check` does: that takes its time, and fetches a model of the hub that is not here yet.
    """
    if thoroughly:
        from sentiment.engine import load

        try:
            return str(getattr(load(settings, folder), "refused", ""))
        except ClassifierError as error:
            return str(error)
    key = _stamp(settings, folder)
    found = _noted.get(key)
    if found is None:
        found = _read_files(settings, folder)
        _keep(key, found)
    return found


def note_refusal(settings: SentimentTable, folder: Path, refused: str) -> None:
    """Remember what loading found ("" when all is well), for `refusal` in this process."""
    _keep(_stamp(settings, folder), refused)


def _keep(key: _Stamp, refused: str) -> None:
    if len(_noted) > 16:
        _noted.clear()
    _noted[key] = refused


def _read_files(settings: SentimentTable, folder: Path) -> str:
    kind, _, place = settings.engine.partition(":")
    found: list[str] = []
    if place:
        from sentiment.encoder import Encoder

        try:
            Encoder.open(folder / place, 1)
        except ClassifierError as error:
            found.append(str(error))
    if kind == "transformers":
        try:
            check_extra()
        except ClassifierError as error:
            return "; ".join([*found, str(error)])
        for head, table in settings.transformers.items():
            try:
                check_map(head, table, check_folder(head, table, locate(head, table, folder, fetch=False)))
            except ClassifierError as error:
                found.append(str(error))
    return "; ".join(found)


def _stamp(settings: SentimentTable, folder: Path) -> _Stamp:
    """Give what a refusal depends on: the settings, and name and time of each file of the models."""
    _, _, place = settings.engine.partition(":")
    places = [folder / place] if place else []
    if settings.engine.startswith("transformers"):
        for head, table in settings.transformers.items():
            try:
                places.append(locate(head, table, folder, fetch=False))
            except ClassifierError:
                continue
    files: list[tuple[str, int]] = []
    for one in places:
        for inside in (one, one / "onnx"):
            try:
                files += sorted((str(path), path.stat().st_mtime_ns) for path in inside.iterdir())
            except OSError:
                continue
    return (settings.model_dump_json(), str(folder), *files)


def check_extra() -> None:
    """Raise ClassifierError where torch or transformers is not installed."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise ClassifierError(NO_EXTRA)


def locate(head: str, table: TransformerTable, folder: Path, *, fetch: bool) -> Path:
    """Give the folder of a model: its own, or where the hub's client keeps the pinned revision on this machine.

    A model that is here already is never asked for again. With `fetch`, one that is not is fetched from the hub (its
    address: HF_ENDPOINT). Raises ClassifierError when it is not to be had.
    """
    if table.revision is None:
        place = folder / Path(table.model).expanduser()
        if not place.is_dir():
            raise refuse(head, table.model, NO_FOLDER)
        return place
    if find_spec("huggingface_hub") is None:
        raise ClassifierError(NO_EXTRA)
    here = _snapshot(table, local=True)
    if here is not None:
        try:
            check_folder(head, table, here)
        except ClassifierError:
            if not fetch:  # files are there, and they tell what is wrong with them
                return here
        else:
            return here
    if not fetch:
        raise refuse(head, table.model, NOT_HERE)
    try:
        fetched = _snapshot(table, local=False)
    except Exception as error:
        raise refuse(head, table.model, NO_HUB, type(error).__name__) from error
    if fetched is None:
        raise refuse(head, table.model, NO_HUB)
    return fetched


def _snapshot(table: TransformerTable, *, local: bool) -> Path | None:
    from importlib import import_module

    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # the client reads it when it is imported
    try:
        hub: Any = import_module("huggingface_hub")
        import_module("huggingface_hub.utils").disable_progress_bars()
        found = hub.snapshot_download(
            table.model, revision=table.revision, allow_patterns=list(FILES), ignore_patterns=["*/*"],
            local_files_only=local,
        )  # fmt: skip
    except Exception:
        if local:
            return None  # nothing that can be used is here, whatever the client calls it
        raise
    return Path(found)


def check_folder(head: str, table: TransformerTable, place: Path) -> dict[str, Any]:
    """Check the files of a model without loading it, and give its config.json.

    Raises ClassifierError for weights that are no safetensors, incomplete or cut short, for an adapter, and for a model
    that wants its own code to be run.
    """
    name = table.model
    config = _json(place / "config.json")
    if config is None:
        raise refuse(head, name, NO_CONFIG)
    # A model of a known kind may bring code too (other attention under the name bert): read without it, it would answer
    # nonsense, so it is refused rather than opened without.
    for part in (config, _json(place / "tokenizer_config.json") or {}):
        if part.get("auto_map"):
            raise refuse(head, name, OWN_CODE)
    if (place / "adapter_config.json").exists():
        raise refuse(head, name, ADAPTER)
    for weights in _weights(head, name, place):
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(weights, framework="numpy") as opened:
                names = list(opened.keys())
        except (SafetensorError, OSError, ValueError) as error:
            raise refuse(head, name, DAMAGED, weights.name) from error
        if not names:
            raise refuse(head, name, DAMAGED, weights.name)
    # transformers would make up an empty tokenizer, to which every word is unknown.
    if not any(True for end in _TOKENIZERS for _ in place.glob(end)):
        raise refuse(head, name, NO_TOKENIZER)
    return config


def _weights(head: str, name: str, place: Path) -> list[Path]:
    whole = place / "model.safetensors"
    if whole.is_file():
        return [whole]
    parts = (_json(place / "model.safetensors.index.json") or {}).get("weight_map")
    if not isinstance(parts, dict) or not parts:
        pickled = next((path.name for end in _PICKLES for path in sorted(place.glob(end))), "")
        raise refuse(head, name, PICKLE if pickled else NO_WEIGHTS, pickled)
    # Only the name counts: an index must not point out of its folder.
    files = [place / Path(str(part)).name for part in sorted(set(parts.values()))]
    if lost := next((path.name for path in files if not path.is_file()), ""):
        raise refuse(head, name, LOST_PART, lost)
    return files


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def check_map(head: str, table: TransformerTable, config: dict[str, Any]) -> list[str]:
    """Check that a model's labels and ours fit each other, and give the model's, in the order of its answers.

    Raises ClassifierError with the exact difference.
    """
    name = table.model
    if head not in HEADS:
        raise refuse(head, name, UNKNOWN_HEAD)
    if bool(table.labels) == bool(table.hypotheses):
        raise refuse(head, name, ONE_KIND)
    try:
        told = {int(place): str(one) for place, one in (config.get("id2label") or {0: "LABEL_0", 1: "LABEL_1"}).items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise refuse(head, name, NO_CONFIG, "id2label") from error
    theirs = [told[place] for place in sorted(told)]
    if len(theirs) < 2 or config.get("problem_type") in ("multi_label_classification", "regression"):
        raise refuse(head, name, SEVERAL)
    ours = list(table.hypotheses or table.labels.values())
    wrong = []
    if strange := sorted(set(ours) - set(SPECS[head].labels)):
        wrong.append((strange, NOT_OURS))
    if table.hypotheses:
        if len([one for one in theirs if is_entailment(one)]) != 1:
            wrong.append((theirs, NO_ENTAILMENT))
        if len(table.hypotheses) < 2:
            wrong.append((ours, TOO_FEW))
    else:
        if unmapped := [one for one in theirs if one not in table.labels]:
            wrong.append((unmapped, UNMAPPED))
        if ungiven := [one for one in table.labels if one not in theirs]:
            wrong.append((ungiven, UNGIVEN))
    if wrong:
        raise ClassifierError("; ".join(str(refuse(head, name, say, ", ".join(names))) for names, say in wrong))
    return theirs


def is_entailment(label: str) -> bool:
    """Tell whether a label of an NLI model says that the hypothesis follows."""
    return label.casefold().strip() in ("entailment", "entail")
