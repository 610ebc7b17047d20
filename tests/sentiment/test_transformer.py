"""A model of the user's answers the heads it is given; what is wrong with it is said, and the shipped one goes on."""

from __future__ import annotations

import json
import logging
import math
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.mention import Author, Brand, Post
from listener.settings import SentimentTable, TransformerTable
from sentiment.refusal import refusal
from sentiment.transformer import TransformerClassifier, open_heads, prepare
from sentiment.verdict import Item, Label, Verdict
from tests.conftest import missing
from tests.sentiment import tinymodels

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
QUIPU = Brand("quipu", "Quipucel", "own", "PE", "telecom operator", ("Quipucel",))
OURS = {"NEG": "negative", "NEU": "neutral", "POS": "positive"}
ASKED = {"complaint": "esto es queja", "question": "esto es pregunta", "praise": "esto es elogio"}
REVISION = "0123456789abcdef0123456789abcdef01234567"


class Shipped:
    """Stand in for the embedded engine: the same labels for every post."""

    engine = "shipped 1"
    refused = ""

    def __init__(self, relevant: str = "true", sure: float = 0.9) -> None:
        self.relevant = Label(relevant, sure)

    def judge(self, items: Sequence[Item], *, closely: bool = False) -> list[Verdict]:
        other = Label("undefined", 0.7), Label("other", 0.6)
        who = Label("public", 0.55, scores={"public": 0.55, "customer": 0.45})
        return [Verdict(self.relevant, Label("neutral", 0.8), *other, self.engine, stakeholder=who) for _ in items]


@pytest.fixture(scope="module", autouse=True)
def _libraries() -> None:
    for name in ("torch", "transformers"):
        if find_spec(name) is None:
            missing(f"{name} (pip install 'escucha[transformers]')")


@pytest.fixture(scope="module")
def moods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tinymodels.write_moods(tmp_path_factory.mktemp("models") / "moods")


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tinymodels.write_nli(tmp_path_factory.mktemp("models") / "nli")


@pytest.fixture
def broken(moods: Path, tmp_path: Path) -> Path:
    """Give a copy of a good model, to be spoilt."""
    return Path(shutil.copytree(moods, tmp_path / "model"))


def table(folder: Path | str, **facts: Any) -> TransformerTable:
    facts = facts or {"labels": OURS}
    return TransformerTable(model=str(folder), **facts)


def opened(heads: dict[str, TransformerTable], folder: Path = ROOT, **facts: Any) -> TransformerClassifier:
    found = open_heads(facts.pop("fallback", Shipped()), chosen(heads, **facts), folder)
    assert isinstance(found, TransformerClassifier)
    return found


def chosen(heads: dict[str, TransformerTable], **facts: Any) -> SentimentTable:
    return SentimentTable(engine="transformers", transformers=heads, **facts)


def item(text: str, brand: Brand = QUIPU, author: Author | None = None) -> Item:
    return Item(Post("x", "1", text, NOW, author or Author("ana"), lang="es"), brand)


@pytest.fixture(scope="module")
def both(moods: Path, nli: Path) -> TransformerClassifier:
    return opened({"sentiment": table(moods), "intent": table(nli, hypotheses=ASKED)})


def test_a_classifier_answers_its_head_and_leaves_the_others(moods: Path) -> None:
    classifier = opened({"sentiment": table(moods)})
    good, bad = classifier.judge([item("la señal es genial"), item("Quipucel fatal hoy")])
    assert (good.sentiment.name, bad.sentiment.name) == ("positive", "negative")
    assert sum(good.sentiment.scores.values()) == pytest.approx(1)
    assert (bad.intent.name, bad.dimension.name, bad.relevant.name) == ("other", "undefined", "true")
    assert classifier.refused == ""
    assert bad.engine == classifier.engine
    name, _, rest = classifier.engine.removeprefix("transformers ").partition("@")
    assert (name, len(rest.split()[0]), rest.split(" ", 1)[1]) == ("moods", 8, "+ shipped 1")
    assert "moods@" in bad.sentiment.because[0].say("en")


def test_an_nli_model_answers_by_the_sentence_it_entails_most(both: TransformerClassifier) -> None:
    verdicts = both.judge([item("Quipucel caído hoy"), item("Quipucel abre hoy"), item("Quipucel genial hoy")])
    assert [one.intent.name for one in verdicts] == ["complaint", "question", "praise"]
    assert [one.sentiment.name for one in verdicts] == ["negative", "neutral", "positive"]
    assert set(verdicts[0].intent.scores) == set(ASKED)
    assert both.engine.count("@") == 2


def test_two_labels_of_a_model_may_mean_one_of_ours(broken: Path) -> None:
    merged = opened({"sentiment": table(broken, labels=OURS | {"NEU": "negative"})})
    plain = opened({"sentiment": table(broken)})
    asked = [item("Quipucel abre hoy")]
    told, one = merged.judge(asked)[0].sentiment, plain.judge(asked)[0].sentiment
    assert told.scores["negative"] == pytest.approx(one.scores["negative"] + one.scores["neutral"])


def test_a_hypothesis_may_name_the_brand(nli: Path) -> None:
    classifier = opened({"intent": table(nli, hypotheses={"complaint": "{brand} es queja", "praise": "hola"})})
    (row, _) = classifier._heads[0]._rows("x", QUIPU)
    assert row == ("x", "Quipucel es queja")


def test_what_is_surely_not_about_the_brand_asks_nothing_of_it(both: TransformerClassifier) -> None:
    aside = TransformerClassifier(Shipped("false", 0.95), both._heads)
    verdict = aside.judge([item("Quipucel caído hoy")])[0]
    assert (verdict.intent.name, verdict.sentiment.name) == ("other", "negative")
    doubtful = TransformerClassifier(Shipped("false", 0.6), both._heads)
    assert doubtful.judge([item("Quipucel caído hoy")])[0].intent.name == "complaint"


def test_under_the_bar_a_label_is_unsure(moods: Path) -> None:
    heads = {"sentiment": table(moods)}
    never, always = opened(heads, unsure_below=1.0), opened(heads, unsure_below=0.0)
    asked = [item("Quipucel bueno fatal")]
    assert never.judge(asked)[0].sentiment.unsure
    assert not always.judge(asked)[0].sentiment.unsure


WORDS = st.sampled_from(
    ["Quipucel", "fatal", "genial", "abre", "@ana", "https://a.example/b", "muy", "🙄", "caído", "x"]
)
TEXTS = st.one_of(st.lists(WORDS, max_size=30).map(" ".join), st.text(max_size=60))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=1, max_size=20))
def test_a_post_gets_the_same_verdict_alone_and_in_any_batch(both: TransformerClassifier, texts: list[str]) -> None:
    together = both.judge([item(text) for text in texts])
    for text, verdict in zip(texts, together, strict=True):
        alone = both.judge([item(text)])[0]
        for head in ("sentiment", "intent"):
            mine, other = getattr(alone, head), getattr(verdict, head)
            assert (mine.name, mine.unsure) == (other.name, other.unsure)
            for label, score in mine.scores.items():
                assert math.isclose(score, other.scores[label], abs_tol=1e-4)


STRANGE = [
    "",
    "   \n",
    "🙄🙄🙄",
    "\x00\x07\x1b[31m",
    "\ud83d medio",
    "a" * 100_000,
    "fatal " * 20_000,
    "\u202eאב汉字",
    "@" * 900,
]


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: ascii(text)[:12])
def test_whatever_stands_in_a_post_gets_a_label(both: TransformerClassifier, nli: Path, text: str) -> None:
    author = Author("\ud800@x", "🙄", bio="\x00" * 5000, followers=float("nan"))  # type: ignore[arg-type]
    who = opened({"stakeholder": table(nli, hypotheses={"customer": "esto es queja", "press": "hola"})})
    for classifier in (both, who):
        for closely in (False, True):
            verdict = classifier.judge([item(text, author=author)], closely=closely)[0]
            for label in (verdict.sentiment, verdict.intent, verdict.stakeholder):
                assert label is not None
                assert 0 <= label.confidence <= 1


def test_a_post_without_words_stays_with_the_shipped_model(both: TransformerClassifier) -> None:
    assert both.judge([item(" \n ")])[0].sentiment == Label("neutral", 0.8)


def test_a_long_post_is_cut_and_says_so(moods: Path) -> None:
    text = "fatal " * 500
    label = opened({"sentiment": table(moods)}).judge([item(text)])[0].sentiment
    told = [one for one in label.because if "characters" in one.sentence]
    assert len(told) == 1
    count = int(told[0].facts["count"])
    assert 60 <= len(text[:count].split()) <= 62  # of 64 places two are for the model's own signs
    short = opened({"sentiment": table(moods)}).judge([item("fatal " * 60)])[0].sentiment
    assert not [one for one in short.because if "characters" in one.sentence]


def test_a_model_whose_places_begin_late_is_never_read_past_its_end(tmp_path: Path) -> None:
    import torch
    import transformers

    config = transformers.RobertaConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16,
        max_position_embeddings=34, type_vocab_size=1, id2label=dict(enumerate(OURS)),
    )  # fmt: skip
    torch.manual_seed(7)
    transformers.RobertaForSequenceClassification(config).half().save_pretrained(tmp_path)
    tinymodels.write_tokenizer(tmp_path)
    label = opened({"sentiment": table(tmp_path)}).judge([item("fatal " * 99)])[0].sentiment
    assert label.because[-1].facts["count"] == len("fatal " * 30)


def test_the_words_that_decided_are_quoted_when_a_person_looks(
    both: TransformerClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    for head in both._heads:
        logits = head.model.logits
        monkeypatch.setattr(head.model, "logits", lambda rows, ask=logits: (read.append(len(rows)), ask(rows))[1])
    text = "Quipucel: señal ¡FATAL! @ana"
    verdict = both.judge([item(text)], closely=True)[0]
    assert "FATAL" in [one.say("en") for one in verdict.sentiment.because]
    assert "FATAL" in [one.say("en") for one in verdict.intent.because]
    assert all(one.say("en") in text for one in verdict.sentiment.because)
    read.clear()
    both.judge([item("señal servicio tienda " * 30)], closely=True)
    assert all(count <= 24 for count in read)
    assert len(read) == 4


def test_handles_and_links_are_no_names_for_a_model() -> None:
    assert prepare("@Ana_1  mira\nhttps://t.co/x y www.a.example, a@b.c") == "@user mira http y http a@b.c"


def _pickle_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def _nonsense(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x80\x04\x95 not weights at all")


def _no_head(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = {name: one for name, one in load_file(folder / "model.safetensors").items() if "classifier" not in name}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _not_a_number(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = {name: one * math.nan for name, one in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _lost_part(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def _other_tokenizer(folder: Path) -> None:
    tinymodels.write_tokenizer(folder, tuple(f"w{place}" for place in range(300)))


SPOILT = {
    "is a pickle": (_pickle_only, "pytorch_model.bin: the weights are a pickle"),
    "is cut short": (_cut, "model.safetensors: the weights are damaged"),
    "is nonsense": (_nonsense, "model.safetensors: the weights are damaged"),
    "lost a part": (_lost_part, "model-00001-of-00002.safetensors: a part of the weights is missing"),
    "lost its weights": (lambda at: (at / "model.safetensors").unlink(), "the file model.safetensors is missing"),
    "lost its config": (lambda at: (at / "config.json").unlink(), "config.json is missing"),
    "has a config that is no JSON": (lambda at: (at / "config.json").write_text("{"), "config.json is missing"),
    "lost its tokenizer": (
        lambda at: [one.unlink() for one in at.glob("token*")], "the files of the tokenizer are missing"
    ),
    "asks for its own code": (
        lambda at: tinymodels.change(at / "config.json", auto_map={"AutoConfig": "evil.Config"}), "code of its own"
    ),
    "has a tokenizer with its own code": (
        lambda at: tinymodels.change(at / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.T", None]}),
        "code of its own",
    ),
    "is an adapter": (lambda at: (at / "adapter_config.json").write_text("{}"), "this is an adapter"),
    "is of an unknown kind": (
        lambda at: tinymodels.change(at / "config.json", model_type="x"), "cannot open the model"
    ),
    "has other sizes than it says": (
        lambda at: tinymodels.change(at / "config.json", hidden_size=64), "cannot open the model"
    ),
    "was never trained to classify": (_no_head, "classifier.bias, classifier.weight: weights that the file lacks"),
    "holds no numbers": (_not_a_number, "not as many numbers"),
    "has the tokenizer of another": (_other_tokenizer, "do not belong together"),
    "gives several labels at once": (
        lambda at: tinymodels.change(at / "config.json", problem_type="multi_label_classification"), "several labels"
    ),
    "has another label map": (
        lambda at: tinymodels.change(at / "config.json", id2label={"0": "NEG", "1": "NONE", "2": "POS"}),
        "NONE: labels of the model that are mapped to none of ours; [sentiment.transformers.sentiment] ./model: NEU: ",
    ),
}  # fmt: skip
ONLY_BY_OPENING = {
    "is of an unknown kind", "has other sizes than it says", "was never trained to classify",
    "holds no numbers", "has the tokenizer of another",
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_a_model_that_is_unfit_is_refused_and_the_shipped_one_goes_on(
    how: str, broken: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil, why = SPOILT[how]
    spoil(broken)
    heads = {"sentiment": table("./model")}
    before = refusal(chosen(heads), broken.parent)
    assert (why in before) is (how not in ONLY_BY_OPENING)
    with caplog.at_level(logging.ERROR, "escucha"):
        classifier = opened(heads, broken.parent)
    assert why in classifier.refused
    assert classifier.refused.startswith("[sentiment.transformers.sentiment] ./model: ")
    assert [why in one.getMessage() for one in caplog.records] == [True]
    asked = [item("Quipucel fatal")]
    assert classifier.judge(asked) == Shipped().judge(asked)
    assert classifier.engine == "shipped 1"
    assert refusal(chosen(heads), broken.parent) == classifier.refused  # a page says the same


def test_a_pickle_is_never_read(broken: Path) -> None:
    (broken / "model.safetensors").unlink()
    (broken / "pytorch_model.bin").write_bytes(b"cos\nabort\n(tR.")  # would end this process
    assert "pickle" in opened({"sentiment": table(broken)}).refused
    shutil.copy(broken / "pytorch_model.bin", broken / "tokenizer.bin")
    assert "pickle" in opened({"sentiment": table(broken)}).refused


def test_a_mended_model_is_taken_back_by_the_page(broken: Path) -> None:
    heads = {"sentiment": table(broken)}
    (broken / "model.safetensors").rename(broken / "away")
    assert refusal(chosen(heads), broken.parent)
    (broken / "away").rename(broken / "model.safetensors")
    assert refusal(chosen(heads), broken.parent) == ""


def test_one_good_model_works_beside_a_bad_one(moods: Path, tmp_path: Path) -> None:
    classifier = opened({"sentiment": table(moods), "intent": table("gone", hypotheses=ASKED)}, tmp_path)
    assert "gone: there is no such folder" in classifier.refused
    verdict = classifier.judge([item("Quipucel fatal")])[0]
    assert (verdict.sentiment.name, verdict.intent.name) == ("negative", "other")


@pytest.mark.parametrize(
    ("head", "facts", "why"),
    [
        ("sentiment", {"labels": OURS | {"NEU": "meh"}}, "meh: no labels that this can answer with"),
        ("sentiment", {"labels": {"NEG": "negative"}}, "NEU, POS: labels of the model that are mapped to none of ours"),
        ("sentiment", {"hypotheses": {"negative": "x", "positive": "y"}}, "must be called entailment"),
        ("sentiment", {"labels": OURS, "hypotheses": ASKED}, "needs either labels or hypotheses"),
        ("priority", {"labels": OURS}, "no model can be given for this"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_the_difference(
    moods: Path, head: str, facts: dict[str, Any], why: str
) -> None:
    assert why in opened({head: table(moods, **facts)}).refused


def test_a_hypothesis_that_leaves_no_room_for_the_post_is_refused(nli: Path) -> None:
    heads = {"intent": table(nli, hypotheses={"complaint": "esto " * 40, "praise": "es elogio"})}
    assert "too long for this model" in opened(heads).refused


def test_a_model_that_breaks_while_it_judges_leaves_the_posts_to_the_shipped_one(
    moods: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    classifier = opened({"sentiment": table(moods)})

    def breaks(**fed: Any) -> Any:
        raise RuntimeError("no memory left for «Quipucel fatal»")

    monkeypatch.setattr(classifier._heads[0].model, "_network", breaks)
    asked = [item("Quipucel fatal")]
    for _ in range(2):
        assert classifier.judge(asked) == Shipped().judge(asked)
    assert classifier.refused.startswith("RuntimeError: the model broke")
    assert len(caplog.records) == 1
    assert "fatal" not in caplog.text


def test_without_the_extra_the_way_to_it_is_said(moods: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    classifier = opened({"sentiment": table(moods)})
    assert classifier.refused.endswith("pip install 'escucha[transformers]'")
    assert classifier.judge([item("hola")])[0].engine == "shipped 1"


def test_the_check_opens_the_model_for_good(broken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment.engine.load", lambda table, folder: open_heads(Shipped(), table, folder))
    heads = {"sentiment": table(broken)}
    assert refusal(chosen(heads), ROOT, thoroughly=True) == ""
    _not_a_number(broken)
    assert "not as many numbers" in refusal(chosen(heads), ROOT, thoroughly=True)


class Hub:
    """A hub on 127.0.0.1 that holds one repository at one revision."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                hub.asked.append(self.path)
                files = sorted(path.name for path in folder.iterdir())
                if self.path.startswith("/api/models/acme/moods/revision/" + REVISION):
                    more = {"siblings": [{"rfilename": name} for name in files], "sha": REVISION, "id": "acme/moods"}
                    self._send(json.dumps(more).encode())
                elif self.path.startswith("/api/models/acme/moods/tree/" + REVISION):
                    tree = [
                        {
                            "type": "file",
                            "path": name,
                            "size": (folder / name).stat().st_size,
                            "oid": name.encode().hex(),
                        }
                        for name in files
                    ]
                    self._send(json.dumps(tree).encode())
                elif self.path.split("/")[-1] in files and f"/resolve/{REVISION}/" in self.path:
                    self._send((folder / self.path.split("/")[-1]).read_bytes())
                else:
                    self._send(b"", 404)

            def _send(self, body: bytes, status: int = 200) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", f'"{hash(body) & 0xFFFFFFFF:08x}"')
                self.send_header("X-Repo-Commit", REVISION)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def hub(moods: Path) -> Iterator[Hub]:
    made = Hub(moods)
    yield made
    made.server.shutdown()
    made.server.server_close()


def ask_hub(url: str, home: Path, **facts: Any) -> tuple[str, str]:
    """Open a pinned model in a process of its own; give why it was refused, and the engine's name."""
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from listener.settings import SentimentTable\n"
        "from sentiment.transformer import open_heads\n"
        "class Shipped:\n    engine = 'shipped 1'\n"
        "found = open_heads(Shipped(), SentimentTable.model_validate_json(sys.argv[1]), Path())\n"
        "print(json.dumps([found.refused, found.engine]))\n"
    )
    told = chosen({"sentiment": TransformerTable(model="acme/moods", revision=REVISION, labels=OURS)}, **facts)
    env = {"HF_ENDPOINT": url, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "HF_HUB_ETAG_TIMEOUT": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code, told.model_dump_json()], cwd=ROOT, env=os.environ | env, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    refused, engine = json.loads(done.stdout.splitlines()[-1])
    return refused, engine


@pytest.mark.slow
def test_a_pinned_model_of_the_hub_is_fetched_once_and_then_needs_no_network(hub: Hub, tmp_path: Path) -> None:
    name = f"transformers moods@{REVISION[:8]} + shipped 1"
    assert ask_hub(hub.url, tmp_path) == ("", name)
    assert hub.asked
    asked = len(hub.asked)
    assert ask_hub(hub.url, tmp_path) == ("", name)
    assert len(hub.asked) == asked
    assert [one for one in hub.asked if REVISION not in one] == []


@pytest.mark.slow
def test_without_a_network_a_model_of_the_hub_is_refused(tmp_path: Path) -> None:
    refused, engine = ask_hub("http://127.0.0.1:9", tmp_path)
    assert refused.startswith("[sentiment.transformers.sentiment] acme/moods: ")
    assert refused.endswith("the hub did not give this model")
    assert engine == "shipped 1"
