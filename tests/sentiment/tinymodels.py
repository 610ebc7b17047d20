"""Build small Hugging Face models on the spot: a classifier of moods and an NLI model, their weights set by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MOODS = ("NEG", "NEU", "POS")
NLI = ("contradiction", "neutral", "ENTAILMENT")
THEMES = (("malo", "fatal", "caído"), ("abre", "lunes", "tienda"), ("bueno", "gracias", "genial"))  # one a mood
SENTENCES = ("queja", "pregunta", "elogio")  # a word of a hypothesis for each theme
_FILLERS = ("el", "la", "señal", "servicio", "hoy", "muy", "esto", "es", "🙄", "hola", "@", "user", "http", "x")
_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *sum(THEMES, ()), *SENTENCES, *_FILLERS)
_WIDTH, _MATCH, _OTHER = 32, 6, 31


def write_tokenizer(folder: Path, words: tuple[str, ...] = _WORDS) -> None:
    import transformers
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token=words[1]))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=64,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), words, strict=False)),
    ).save_pretrained(folder)


def write_model(folder: Path, labels: tuple[str, ...], weights: dict[tuple[int, int], float]) -> Path:
    """Write a BERT of one layer; `weights` (label, place of the first vector) are those of its last step.

    The first vector becomes the mean of all words: places 0–2 tell the themes of the text, 3–5 those of the hypothesis,
    and place 6 whether the two are the same. A little noise lets every word and place count for something.
    """
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    write_tokenizer(folder)
    config = transformers.BertConfig(
        vocab_size=len(_WORDS),
        hidden_size=_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=_WIDTH,
        max_position_embeddings=64,
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
    )
    network = transformers.BertForSequenceClassification(config)
    layer = network.bert.encoder.layer[0]
    torch.manual_seed(7)
    with torch.no_grad():
        for name, one in network.named_parameters():
            if "LayerNorm" not in name:
                one.normal_(0, 0.01)
        network.bert.embeddings.word_embeddings.weight[:, _OTHER] += 3
        for place in range(3):
            for word, at in (*((word, place) for word in THEMES[place]), (SENTENCES[place], place + 3)):
                network.bert.embeddings.word_embeddings.weight[_WORDS.index(word), [at, _OTHER]] += torch.tensor(
                    [5, -3]
                )
            layer.intermediate.dense.weight[place, place] += 4
            layer.intermediate.dense.weight[place, place + 3] += 4
            layer.intermediate.dense.bias[place] -= 18
            layer.output.dense.weight[_MATCH, place] += 2
        same = torch.eye(_WIDTH)
        layer.attention.self.value.weight += same
        layer.attention.output.dense.weight += 10 * same
        layer.attention.output.dense.weight[_OTHER, _OTHER] -= 10
        network.bert.pooler.dense.weight += 0.2 * same
        for (label, place), weight in weights.items():
            network.classifier.weight[label, place] += weight
    network.eval()
    network.save_pretrained(folder)
    return folder


def write_moods(folder: Path) -> Path:
    return write_model(folder, MOODS, {(place, place): 5.0 for place in range(3)})


def write_nli(folder: Path) -> Path:
    return write_model(folder, NLI, {(2, _MATCH): 5.0, (0, _MATCH): -5.0})


def change(path: Path, **more: Any) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | more), "utf-8")
