"""The shipped folder opens only when it is whole, and a row means the same in any company."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from listener.errors import ClassifierError
from sentiment.encoder import CONFIG, HEADS, MODEL, ONNX, TOKENIZER, Encoder
from sentiment.heads import SPECS
from sentiment.sequence import Named
from sentiment.training.checksums import sums_of
from sentiment.training.examples import rows_of

CORPUS = Path(__file__).parents[2] / "sentiment" / "corpus"


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.open(threads=2)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / ONNX).parent.mkdir(parents=True)
    for name in (CONFIG, HEADS, TOKENIZER):
        shutil.copyfile(MODEL / name, folder / name)
    (folder / ONNX).symlink_to(MODEL / ONNX)
    return folder


def change(folder: Path, how: Callable[[dict[str, Any]], None]) -> None:
    """Change config.json, with checksums that fit again: what is refused is then the content."""
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    how(config)
    config["escucha"]["sha256"] = sums_of(folder)
    (folder / CONFIG).write_text(json.dumps(config), "utf-8")


def test_a_row_reads_the_same_alone_and_in_company(encoder: Encoder) -> None:
    texts = ["sin señal", "Osiptel multa a Claro con tres millones " * 6, "ok", "🙄", "sin señal"]
    rows = [encoder.sequencer.row(Named(text), "Claro ; PE") for text in texts]
    together = encoder.read(rows)
    for row, found in zip(rows, together, strict=True):
        alone = encoder.read([row])[0]
        assert np.array_equal(alone.hidden, found.hidden)
    assert np.array_equal(together[0].hidden, together[4].hidden)


def test_who_wrote_a_post_seldom_moves_what_it_does_to_a_brand(encoder: Encoder) -> None:
    """The mask hides the profile; what is left is the rounding of a row to 8 bits, which takes both together."""
    texts = [row["text"] for row in rows_of(CORPUS / "posts.jsonl")[::80]]
    rows = [encoder.sequencer.row(Named(text), "Claro ; PE") for text in texts]
    who = Named("OSIPTEL ; @osiptel ; verified")
    signed = [encoder.sequencer.row(Named(text), "Claro ; PE", who) for text in texts]
    head = encoder.heads["sentiment"]
    one, other = ([int(head.logits(e.means).argmax()) for e in encoder.read(some)] for some in (rows, signed))
    assert len(texts) > 80
    assert sum(a != b for a, b in zip(one, other, strict=True)) <= len(texts) // 8


def test_the_text_is_read_alike_whoever_wrote_it(encoder: Encoder) -> None:
    named = Named("sin señal desde ayer en todo el barrio")
    plain = encoder.read([encoder.sequencer.row(named, "Claro ; PE")])[0]
    signed = encoder.read([encoder.sequencer.row(named, "Claro ; PE", Named("OSIPTEL ; @osiptel ; verified"))])[0]
    one, other = plain.means["text"], signed.means["text"]
    assert float(one @ other / np.linalg.norm(one) / np.linalg.norm(other)) > 0.99  # 8-bit rounding is all that differs


@pytest.mark.parametrize("name", [CONFIG, HEADS, ONNX, TOKENIZER])
def test_a_missing_file_is_named_with_what_to_do(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(ClassifierError, match=rf"{name} is missing; reinstall escucha"):
        Encoder.open(copied)


@pytest.mark.parametrize("name", [HEADS, TOKENIZER])
def test_a_changed_file_is_refused(copied: Path, name: str) -> None:
    packed = bytearray((copied / name).read_bytes())
    packed[len(packed) // 2] ^= 1
    (copied / name).write_bytes(bytes(packed))
    with pytest.raises(ClassifierError, match=f"damaged: {name} is not the file that config.json names"):
        Encoder.open(copied)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"escucha": 3}', '{"escucha": {"engine": "x"}}'])
def test_a_config_that_is_none_of_ours_is_refused(copied: Path, content: str) -> None:
    (copied / CONFIG).write_text(content, "utf-8")
    with pytest.raises(ClassifierError, match="model in"):
        Encoder.open(copied)


def test_another_label_map_is_refused_with_the_difference(copied: Path) -> None:
    change(copied, lambda config: config["escucha"]["heads"]["sentiment"].update(labels=["good", "bad", "so-so"]))
    with pytest.raises(ClassifierError, match="another label map for sentiment: good, bad, so-so; wanted: negative"):
        Encoder.open(copied)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("bars", {"sentiment": "x"}),
        ("bars", {"sentiment": None}),
        ("bars", {"sentiment": float("nan")}),
        ("heat", None),
        ("heat", {"": 0}),
        ("heat", {"": float("nan")}),
        ("reads", ["brand", "text"]),
        ("hidden_size", None),
        ("hidden_size", 12),
    ],
)
def test_numbers_that_are_none_are_refused(copied: Path, key: str, value: Any) -> None:
    def spoil(config: dict[str, Any]) -> None:
        if key == "hidden_size":
            config[key] = value
        elif key == "bars":
            config["escucha"][key] = value
        else:
            config["escucha"]["heads"]["sentiment"]["temperatures" if key == "heat" else key] = value

    change(copied, spoil)
    with pytest.raises(ClassifierError, match="the model in"):
        Encoder.open(copied)


def test_heads_of_another_shape_are_refused(copied: Path) -> None:
    arrays = load_file(copied / HEADS)
    arrays["intent.weight"] = arrays["intent.weight"][:-1]
    save_file(arrays, copied / HEADS)
    change(copied, lambda config: None)
    with pytest.raises(ClassifierError, match="another version"):
        Encoder.open(copied)


def test_a_pickle_is_never_opened(copied: Path) -> None:
    (copied / HEADS).write_bytes(b"\x80\x04\x95\x10\x00\x00\x00cos\nsystem\n(S'true'\ntR.")
    change(copied, lambda config: None)
    with pytest.raises(ClassifierError, match="damaged"):
        Encoder.open(copied)


def test_an_encoder_that_is_no_onnx_is_refused(copied: Path) -> None:
    (copied / ONNX).unlink()
    (copied / ONNX).write_bytes(b"no graph at all")
    change(copied, lambda config: None)
    with pytest.raises(ClassifierError, match="cannot be opened"):
        Encoder.open(copied)


def test_a_tokenizer_of_another_size_is_refused(copied: Path) -> None:
    change(copied, lambda config: config.update(vocab_size=12))
    with pytest.raises(ClassifierError, match="do not belong together"):
        Encoder.open(copied)


def test_the_folder_is_small_and_standard(encoder: Encoder) -> None:
    assert (MODEL / ONNX).stat().st_size <= 45_000_000
    config = json.loads((MODEL / CONFIG).read_text("utf-8"))
    assert config["model_type"] == "bert"
    assert set(encoder.heads) == set(SPECS)
    assert (MODEL / "README.md").read_text("utf-8").startswith("---\nlanguage: [es, en, pt]")
