"""Say what is wrong with a query: where, why, and what to write instead, with a caret under the character."""

from __future__ import annotations

from listener.errors import EscuchaError
from listener.reason import N_, Reason, say

__all__ = ["QueryError"]

_WHERE = N_("character {place}: {quote_message}")
_BOTH = N_("{quote_message}; {quote_hint}")


class QueryError(EscuchaError):
    """Say that a query cannot be read; `position` counts characters from 0, `message` and `suggestion` are reasons."""

    def __init__(self, text: str, position: int, message: Reason, suggestion: Reason | None = None) -> None:
        self.text = text
        self.position = position
        self.message = message
        self.suggestion = suggestion
        super().__init__(self.say("en"))

    def say(self, lang: str) -> str:
        """Word it in one line, without the query: where it stands, what is wrong, what to write instead."""
        told = say(_WHERE, lang, place=self.position + 1, quote_message=self.message.say(lang))
        if self.suggestion is None:
            return told
        return say(_BOTH, lang, quote_message=told, quote_hint=self.suggestion.say(lang))

    def show(self, lang: str) -> str:
        """Word it for a terminal: the line of the query, a caret under the character, then what `say` gives."""
        start = self.text.rfind("\n", 0, self.position) + 1
        end = self.text.find("\n", self.position)
        line = self.text[start : len(self.text) if end < 0 else end].replace("\t", " ")
        offset = self.position - start
        if offset > 60:  # a long query: what stands around the character is enough
            line, offset = "…" + line[offset - 40 :], 41
        return "\n".join((line[:110], " " * offset + "^", self.say(lang)))
