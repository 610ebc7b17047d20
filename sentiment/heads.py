"""Judge features by linear heads: weights by label, a calibrated softmax, and the words that moved the answer.

The model is a folder: weights.npz (numbers only, never pickled objects) and card.json (labels, temperatures, figures
and the SHA-256 of the weights, checked when it is opened).
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.errors import ClassifierError
from listener.reason import Reason, reason
from sentiment.features import SPACE, Features
from sentiment.lexicon import NEGATIONS, STOP_WORDS
from sentiment.tokens import BRAND, RIVAL, Reading
from sentiment.verdict import HEADS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]

__all__ = ["CARD", "MODEL", "WEIGHTS", "Heads", "Judged", "LinearHead", "save_heads", "says_little"]

MODEL = Path(__file__).parent / "model"  # the heads that ship with Escucha
CARD, WEIGHTS = "card.json", "weights.npz"
_MOST_REASONS, _LONGEST_QUOTE = 3, 4  # phrases, words
_WORTH = 0.12  # share of all that spoke for the label, below which a word is no reason
_HELP = "reinstall escucha, or train again with: escucha train"

# Greetings and words that stand in any post: whatever a head learnt of them, they persuade nobody.
_DULL_WORDS = """
    hola buenos buenas buen dia dias tarde tardes noche noches saludos gracias favor estimados estimado estimada senores
    hoy ayer manana ahora aqui alli alla espero esperaba esperar esperando hace hacer hago tengo tiene tienen quiero
    quiere dice dicen va van voy ver vez veces algo nada todo todos toda todas ni tan tanto bueno bien no si pues nunca
    siempre desde hasta sobre entonces luego despues antes cosa cosas gente persona personas ano anos mes meses semana
    semanas hora horas ser sido siendo puede pueden vamos quien quienes cual estoy estan estaba fue fueron yo tu el ella
    hello hi hey good morning afternoon evening thanks thank please today yesterday tomorrow now get got go going want
    thing things people time day days week weeks month months year years not no yes all any some very really still
    ola bom boa bons boas tarde noite obrigado obrigada hoje ontem amanha agora aqui espero esperava tenho quero vai vou
    fazer faz coisa coisas gente pessoa pessoas ano anos mes meses semana semanas horas nao sim tudo nada muito sempre
"""
_DULL = STOP_WORDS | NEGATIONS | frozenset(_DULL_WORDS.split())


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Hold one head: its labels, where its columns stand in the common weights, its bias and temperatures."""

    labels: tuple[str, ...]
    first: int
    bias: Floats
    temperatures: Mapping[str, float]  # by language; "" for any other

    @property
    def columns(self) -> slice:
        """Give the head's columns."""
        return slice(self.first, self.first + len(self.labels))


class Judged:
    """Hold what all heads make of one text; the words behind an answer are worked out when asked for."""

    def __init__(self, heads: Heads, features: Features) -> None:
        self._heads = heads
        self._features = features
        self._values = features.weighed(heads.rarity)
        self._weights: Floats = heads.weights[features.indices]
        # Rows are added one by one in a fixed order, so that a text's figures do not depend on its batch.
        self._logits: Floats = (self._weights * self._values[:, None]).sum(axis=0)

    def scores(self, name: str, lang: str | None) -> dict[str, float]:
        """Give the calibrated share of each label of a head."""
        head = self._heads.heads[name]
        temperature = head.temperatures.get(lang or "", head.temperatures[""])
        logits = [logit / temperature for logit in (self._logits[head.columns] + head.bias).tolist()]
        highest = max(logits)
        powers = [exp(logit - highest) for logit in logits]  # so few numbers go faster without numpy
        total = sum(powers)
        return {label: power / total for label, power in zip(head.labels, powers, strict=True)}

    def because(self, name: str, label: str, reading: Reading) -> tuple[Reason, ...]:
        """Quote the words that spoke most for a label, at most three, as they stand in the text."""
        import numpy as np

        head = self._heads.heads[name]
        weights = self._weights[:, head.columns]
        chosen = head.labels.index(label)
        others = (weights.sum(axis=1) - weights[:, chosen]) / max(len(head.labels) - 1, 1)
        tokens, occurrence, each = self._placed
        moved = np.bincount(tokens, (each * (weights[:, chosen] - others))[occurrence], len(reading.words))
        return tuple(reason("{quote}", quote=quote) for quote in _quotes(reading, moved))

    @cached_property
    def _placed(self) -> tuple[Any, Any, Any]:
        """Give the occurrences that stand at a token, and the value of one occurrence of each feature."""
        placed = self._features.token >= 0
        each = self._values / self._features.times
        return self._features.token[placed], self._features.occurrence[placed], each


def says_little(words: Sequence[str]) -> bool:
    """Tell whether folded words are only stop words, greetings, single letters and words that stand in any post."""
    return all(word in _DULL or len(word) < 2 for word in words)


def _trims(word: str) -> bool:
    return says_little([word]) and word not in NEGATIONS


def _quotes(reading: Reading, moved: npt.NDArray[Any]) -> list[str]:
    """Join neighbouring words that spoke for the label, and give the strongest phrases."""
    total = float(moved[moved > 0].sum())
    spoke = [
        place
        for place in (moved > _WORTH * total / 2).nonzero()[0].tolist()
        if (word := reading.words[place])[0].isalnum() and word not in (BRAND, RIVAL, "http")
    ]
    phrases: list[tuple[float, str]] = []
    run: list[int] = []
    for place, behind in zip(spoke, [*spoke[1:], -1], strict=False):
        run.append(place)
        if behind == place + 1 and len(run) < _LONGEST_QUOTE:
            continue
        force = float(moved[run].sum())
        while run and says_little([reading.words[run[-1]]]):
            run.pop()
        while run[1:] and _trims(reading.words[run[0]]):
            run.pop(0)
        if run and not says_little([reading.words[one] for one in run]) and force > _WORTH * total:
            phrases.append((force, reading.text[reading.starts[run[0]] : reading.ends[run[-1]]]))
        run = []
    phrases.sort(key=lambda phrase: -phrase[0])
    return list(dict.fromkeys(quote for _, quote in phrases))[:_MOST_REASONS]


class Heads:
    """Hold a model: the weights of every head side by side, and how rare each feature is."""

    def __init__(
        self, weights: Floats, rarity: Floats, heads: Mapping[str, LinearHead], card: Mapping[str, Any]
    ) -> None:
        self.weights = weights  # (SPACE, labels of all heads)
        self.rarity = rarity  # (SPACE,), float32
        self.heads = dict(heads)
        self.card = dict(card)

    @classmethod
    def open(cls, folder: Path = MODEL) -> Heads:
        """Open a model folder; raises ClassifierError when a file is missing or is not what the card says."""
        import numpy as np

        try:
            card = json.loads((folder / CARD).read_text("utf-8"))
            packed = (folder / WEIGHTS).read_bytes()
        except FileNotFoundError as error:
            raise ClassifierError(
                f"the model in {folder} is incomplete: {Path(str(error.filename)).name} is missing; {_HELP}"
            ) from error
        except (OSError, ValueError) as error:
            raise ClassifierError(f"the model in {folder} cannot be read: {error}; {_HELP}") from error
        if not isinstance(card, dict) or card.get("sha256") != hashlib.sha256(packed).hexdigest():
            raise ClassifierError(
                f"the model in {folder} is damaged: {WEIGHTS} is not the file that {CARD} names; {_HELP}"
            )
        try:
            with np.load(BytesIO(packed), allow_pickle=False) as arrays:
                weights, rarity, bias = (arrays[name].astype(np.float32) for name in ("weights", "rarity", "bias"))
            heads: dict[str, LinearHead] = {}
            first = 0
            for name in HEADS:
                told = card["heads"][name]
                labels = tuple(map(str, told["labels"]))
                temperatures = {str(lang): float(value) for lang, value in told["temperatures"].items()}
                heads[name] = LinearHead(labels, first, bias[first : first + len(labels)], temperatures)
                first += len(labels)
            fits = (
                weights.shape == (SPACE, first)
                and rarity.shape == (SPACE,)
                and all("" in head.temperatures for head in heads.values())
            )
        except (KeyError, TypeError, ValueError, AttributeError, OSError, zipfile.BadZipFile) as error:
            raise ClassifierError(f"the model in {folder} is damaged: {error!r}; {_HELP}") from error
        if not fits:
            raise ClassifierError(f"the model in {folder} is of another version of escucha; {_HELP}")
        return cls(weights, rarity, heads, card)

    def judge(self, features: Features) -> Judged:
        """Weigh the features of one text by every head at once."""
        return Judged(self, features)


def save_heads(heads: Heads, folder: Path) -> None:
    """Write a model folder: weights as float16, the card with their checksum."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    packed = BytesIO()
    bias = np.concatenate([head.bias for head in heads.heads.values()]).astype(np.float32)
    np.savez_compressed(
        packed, weights=heads.weights.astype(np.float16), rarity=heads.rarity.astype(np.float16), bias=bias
    )
    card = heads.card | {
        "sha256": hashlib.sha256(packed.getvalue()).hexdigest(),
        "heads": {
            name: {"labels": list(head.labels), "temperatures": dict(head.temperatures)}
            for name, head in heads.heads.items()
        },
    }
    (folder / WEIGHTS).write_bytes(packed.getvalue())
    (folder / CARD).write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", "utf-8")
