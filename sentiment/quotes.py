"""Choose the words of a text that spoke for an answer, and quote them as they stand in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from listener.match import fold
from sentiment.lexicon import NEGATIONS, STOP_WORDS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sentiment.encoder import Encoding
    from sentiment.heads import Head

    Floats = npt.NDArray[np.floating[Any]]

__all__ = ["Phrase", "Words", "says_little"]

Phrase = tuple[int, int]  # from and to which character of the text

_MOST, _LONGEST = 3, 4  # phrases; words in one
_WORTH = 0.12  # share of all that spoke for the label, below which a phrase is no reason
_WORD = re.compile(r"\S+")

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


def says_little(words: Sequence[str]) -> bool:
    """Tell whether folded words are only stop words, greetings, single letters and words that stand in any post."""
    return all(word in _DULL or len(word) < 2 for word in words)


class Words:
    """Hold a text cut into words, with the word that each token of its row belongs to; made once for all heads."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self.text = text
        self.encoding = encoding
        self.words = [hit.span() for hit in _WORD.finditer(text)]
        self.plain = [re.sub(r"\W", "", fold(text[start:end])) for start, end in self.words]
        row = encoding.row
        named = [row.spans[place - 1] for place in row.brand if place <= len(row.spans)]
        self._mute = [
            not plain or any(start < stop and begin < end for begin, stop in named)
            for plain, (start, end) in zip(self.plain, self.words, strict=True)
        ]
        self._places: list[int] = []
        self._tokens: list[int] = []
        at = 0
        for token, (start, end) in enumerate(row.spans):
            while at + 1 < len(self.words) and start >= self.words[at][1]:
                at += 1
            if end > start and self.words:
                self._places.append(at)
                self._tokens.append(token)

    def phrases(self, head: Head, label: str) -> list[Phrase]:
        """Give the phrases whose vectors pulled most toward a label, the strongest first, three at most.

        A head is linear over means of the encoder's vectors, so what each token gave to the label can be read off;
        what a phrase would change when it is left out is measured by `escucha explain`.
        """
        if not self._places:
            return []
        import numpy as np

        gain = self.encoding.hidden[1 : self.encoding.row.words + 1] @ head.pull(label, "text")
        gain -= gain.mean()  # above what a token adds in the mean
        force = np.bincount(self._places, gain[self._tokens], len(self.words))
        force[self._mute] = 0
        return self._joined(force.tolist())

    def singles(self, most: int = 24) -> list[Phrase]:
        """Give the words that may be a reason, each with the negation before it ("sin señal"), in order."""
        found: list[Phrase] = []
        for place, (start, end) in enumerate(self.words):
            if self._mute[place] or says_little([self.plain[place]]):
                continue
            denied = place > 0 and self.plain[place - 1] in NEGATIONS
            found.append(_trimmed(self.text, self.words[place - 1][0] if denied else start, end))
        return found[:most]

    def _joined(self, force: Sequence[float]) -> list[Phrase]:
        """Join neighbouring words that spoke for the label."""
        total = sum(one for one in force if one > 0)
        if total <= 0:
            return []
        spoke = [place for place, one in enumerate(force) if one > _WORTH * total / 2]
        found: list[tuple[float, Phrase]] = []
        run: list[int] = []
        for place, behind in zip(spoke, [*spoke[1:], -1], strict=False):
            run.append(place)
            if behind == place + 1 and len(run) < _LONGEST:
                continue
            strength = sum(force[one] for one in run)
            while run and says_little([self.plain[run[-1]]]):
                run.pop()
            while run[1:] and says_little([self.plain[run[0]]]) and self.plain[run[0]] not in NEGATIONS:
                run.pop(0)
            if run and not says_little([self.plain[one] for one in run]) and strength > _WORTH * total:
                found.append((strength, _trimmed(self.text, self.words[run[0]][0], self.words[run[-1]][1])))
            run = []
        found.sort(key=lambda pair: -pair[0])
        return [phrase for _, phrase in found][:_MOST]


def _trimmed(text: str, start: int, end: int) -> Phrase:
    while start < end - 1 and not text[start].isalnum():
        start += 1
    while end > start + 1 and not text[end - 1].isalnum():
        end -= 1
    return start, end
