"""Run the whole training: teachers, their opinions, a student in two courses, export, calibration, card."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.errors import ClassifierError
from sentiment.encoder import CONFIG, MODEL, TOKENIZER, Encoder
from sentiment.training.examples import (
    Example,
    accounts,
    common_words,
    plain_posts,
    plain_tweets,
    posts,
    relevance_posts,
    rows_of,
    sequence,
    toward_a_brand,
)

if TYPE_CHECKING:
    from sentiment.training.network import Network
    from sentiment.training.student import Lesson

__all__ = ["CORPUS", "Material", "gather", "measure", "train"]

log = logging.getLogger("escucha.train")

CORPUS = Path(__file__).parents[1] / "corpus"
_LANGS = ("es", "en", "pt", "fr", "it")
_SEMEVAL = 3000
_THREADS = 2  # of torch; another number adds in another order
_LATER = ("bl", "cp", "bp")  # posts of the last writers: blunt ones and comparisons
_ALL = ("sentiment", "relevant", "dimension", "intent", "irony", "stakeholder", "department", "priority")


@dataclass(frozen=True, slots=True)
class Material:
    """Hold everything that is learnt from or measured on."""

    posts: Sequence[Example]
    relevance: Sequence[Example]
    common: Sequence[Example]
    tweets: Sequence[Example]
    plain: Sequence[Example]
    checked: Sequence[Example]  # public tweets of the validation part
    accounts: Sequence[Example]


def gather(corpus: Path, data: Path) -> Material:
    """Read our corpus and the public sets; raises ClassifierError, naming the file, where one is missing."""
    try:
        tweets = plain_tweets(data, _LANGS, "train", _SEMEVAL, 1)
        return Material(
            tuple(posts(rows_of(corpus / "posts.jsonl"))),
            tuple(relevance_posts(rows_of(corpus / "relevance.jsonl"))),
            tuple(common_words(tweets, 1)),
            tweets,
            tuple(plain_posts(rows_of(corpus / "plain.jsonl"))),
            plain_tweets(data, ("es", "en", "pt"), "val", 0, 1),
            tuple(accounts(data)),
        )
    except FileNotFoundError as error:
        raise ClassifierError(
            f"training needs {error.filename}, which is missing (docs/model.md tells where from)"
        ) from error


def train(
    start: Path, data: Path, output: Path = MODEL, corpus: Path = CORPUS, work: Path | None = None
) -> dict[str, Any]:
    """Train the embedded model and write its folder; give the figures that its card shows.

    `start` is the encoder to begin from (a Hugging Face BERT folder), `data` holds the public sets, `work` keeps
    teachers and students between runs, so that a run that was cut off goes on. Needs torch and onnx (extra "train"),
    about two hours on one core. Seeds are fixed; another version of torch or another processor may round differently.
    """
    try:
        import onnx
        import torch
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ClassifierError(f"training needs {error.name}: pip install 'escucha[train]'") from error
    from sentiment.sequence import Sequencer
    from sentiment.training.export import write_model

    for name in (TOKENIZER, CONFIG, "model.safetensors"):
        if not (start / name).is_file():
            raise ClassifierError(
                f"training begins from {start}, where {name} is missing (docs/model.md tells what it is)"
            )
    log.info("torch %s, onnx %s", torch.__version__, onnx.__version__)
    torch.set_num_threads(_THREADS)
    material = gather(corpus, data)
    work = (work or output.parent / ".training") / _print_of(corpus, start)
    work.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(start / TOKENIZER))
    sequencer = Sequencer(tokenizer)
    network = _student(start, data, material, tokenizer, sequencer, work)
    some = [*material.tweets[::90], *[one for one in material.posts if one.part == "train"][::100]]
    write_model(network, start, output, {}, [sequence(one, sequencer) for one in some])
    return measure(output, start, material)


def measure(folder: Path, start: Path, material: Material) -> dict[str, Any]:
    """Calibrate a written model on the validation scenarios, and write its config and card with every figure."""
    import json

    from sentiment.training.calibrate import answers_of, bars_of, figures_of, heat_of
    from sentiment.training.card import write_card
    from sentiment.training.export import write_config

    encoder = Encoder.open(folder)
    ours = (*material.posts, *material.relevance)
    val = answers_of(encoder, [*(one for one in ours if one.part == "val"), *material.checked])
    heat = heat_of(val)
    bars = bars_of(val, heat)
    config = json.loads((start / CONFIG).read_text("utf-8"))
    write_config(folder, config, heat, bars)
    some = [one for one in ours if one.part == "train"][::6]
    test = answers_of(encoder, [one for one in ours if one.part == "test"])
    figures = {
        "train": figures_of(answers_of(encoder, some), heat, bars),
        "val": figures_of(val, heat, bars),
        "test": figures_of(test, heat, bars),
    }
    write_card(folder, figures, material)
    return figures


def _student(start: Path, data: Path, material: Material, tokenizer: Any, sequencer: Any, work: Path) -> Network:
    import torch

    from sentiment.training.network import Network, open_encoder
    from sentiment.training.student import Course, study
    from sentiment.training.teachers import TEACHERS, begin_from, opinions_of, train_teacher

    teachers = [
        _kept(work / f"{one.name}.pt", lambda one=one: train_teacher(one, start, data, tokenizer)) for one in TEACHERS
    ]
    spoken = [*material.tweets, *material.plain]
    opinions = _kept(
        work / "opinions.pt",
        lambda: torch.stack([opinions_of(one, [e.text for e in spoken], tokenizer) for one in teachers]).mean(0),
    )

    def first() -> Network:
        torch.manual_seed(1)
        network = Network(open_encoder(start))
        begin_from(network, teachers)
        return study(network, _broad(material, spoken, opinions), sequencer, Course(seed=1), "first course")

    def second() -> Network:
        torch.manual_seed(2)
        course = Course(seed=2, rate=6e-5, head_rate=5e-4, mark_rate=1e-3, warm=0.1, average=0.99)
        lessons = _sharp(material, spoken, opinions)
        return study(_kept(work / "first.pt", first), lessons, sequencer, course, "second course")

    return _kept(work / "second.pt", second)


def _broad(material: Material, spoken: Sequence[Example], opinions: Any) -> list[Lesson]:
    """Give the first course: every head at once, of what the first ten writers wrote."""
    from sentiment.training.student import Lesson

    ours = [one for one in material.posts if one.part == "train" and not one.id.startswith(_LATER)]
    filtered = [one for one in material.relevance if one.part == "train"]
    return [
        Lesson(ours, _ALL, 5, swaps=0.5),
        Lesson([replace(one, item=None) for one in ours if one.item], ("dimension", "intent"), 0.3),
        Lesson([*filtered, *material.common], ("relevant",), 3),
        Lesson(spoken, ("mood",), 1.5, opinions),
        Lesson(material.accounts, ("organisation",), 0.5),
    ]


def _sharp(material: Material, spoken: Sequence[Example], opinions: Any) -> list[Lesson]:
    """Give the second course: blunt posts and comparisons, over all the rest so that it is not forgotten."""
    from sentiment.training.student import Lesson

    ours = [one for one in material.posts if one.part == "train"]
    two = [one for one in ours if one.pair]
    filtered = [one for one in material.relevance if one.part == "train"]
    return [
        Lesson(ours, _ALL, 0.9, swaps=0.5),
        Lesson([one for one in ours if one.id.startswith(_LATER)], _ALL, 3, swaps=0.7),
        Lesson(two, ("sentiment",), 2, swaps=0.7),
        Lesson([*filtered, *material.common], ("relevant",), 1),
        Lesson(spoken, ("mood",), 0.4, opinions),
        Lesson(list(toward_a_brand(spoken, 1, 0.5)), ("sentiment",), 1),
    ]


def _kept(path: Path, make: Any) -> Any:
    import torch

    if path.is_file():
        log.info("%s is there", path.name)
        return torch.load(path, weights_only=False)  # our own file of this run
    made = make()
    draft = path.with_suffix(".part")  # a run that is cut off leaves no half of a network
    torch.save(made, draft)
    draft.replace(path)
    return made


def _print_of(corpus: Path, start: Path) -> str:
    """Name what a run learns from, so that another corpus or start never goes on from this one's networks."""
    digest = hashlib.sha256()
    for path in (*sorted(corpus.glob("*.jsonl")), start / "model.safetensors"):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]
