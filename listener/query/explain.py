"""Say in a person's words what a query finds."""

from __future__ import annotations

from collections.abc import Sequence

from listener.query.tree import And, Day, Fact, Near, Node, Not, Or, Phrase, Query, Reach, Word
from listener.reason import N_, say

__all__ = ["explain"]

_POSTS = N_("Posts with {quote_what}.")
_AND = N_("{quote_one} and {quote_other}")
_OR = N_("{quote_one} or {quote_other}")
_NOT = N_("without {quote_what}")
_WORD = N_("the word «{quote_word}»")
_ACCOUNT = N_("the account {quote_word}")
_TAG = N_("the hashtag {quote_word}")
_START = N_("a word that begins with «{quote_word}»")
_PHRASE = N_("«{quote_word}» in these words")
_NEAR = N_("{quote_one} with at most {count} words between it and {quote_other}")
_FACTS = {
    "lang": N_("the language {quote_value}"),
    "from": N_("@{quote_value} as author"),
    "source": N_("the source «{quote_value}»"),
    "country": N_("the country {quote_value}"),
    "brand": N_("a mention of «{quote_value}»"),
}
_SIGNS = {
    ">": N_("an author of more than {count} followers"),
    ">=": N_("an author of at least {count} followers"),
    "<": N_("an author of fewer than {count} followers"),
    "<=": N_("an author of at most {count} followers"),
}
_SINCE = N_("a date of {quote_day} or later")
_UNTIL = N_("a date of {quote_day} or earlier")


def explain(query: Query, lang: str) -> str:
    """Word what a query finds in one sentence (es, en, pt)."""
    return say(_POSTS, lang, quote_what=_told(query.tree, lang))


def _told(node: Node, lang: str) -> str:
    if isinstance(node, And | Or):
        # What must not stand there comes last, as people say it.
        parts = sorted(node.parts, key=lambda part: isinstance(part, Not)) if isinstance(node, And) else node.parts
        return _joined(_AND if isinstance(node, And) else _OR, [_grouped(part, lang) for part in parts], lang)
    if isinstance(node, Not):
        return say(_NOT, lang, quote_what=_grouped(node.part, lang))
    if isinstance(node, Near):
        left, right = _grouped(node.left, lang), _grouped(node.right, lang)
        return say(_NEAR, lang, quote_one=left, quote_other=right, count=node.distance)
    if isinstance(node, Word):
        written = node.written or node.text
        if node.prefix:
            return say(_START, lang, quote_word=written)
        return say(_ACCOUNT if written[0] == "@" else _TAG if written[0] == "#" else _WORD, lang, quote_word=written)
    if isinstance(node, Phrase):
        if len(node.words) == 1:
            return _told(node.words[0], lang)
        return say(_PHRASE, lang, quote_word=node.written or " ".join(word.text for word in node.words))
    return _condition(node, lang)


def _condition(node: Fact | Reach | Day, lang: str) -> str:
    if isinstance(node, Fact):
        value = node.value.upper() if node.name == "country" else node.value
        return say(_FACTS[node.name], lang, quote_value=value)
    if isinstance(node, Reach):
        return say(_SIGNS[node.sign], lang, count=node.count)
    return say(_SINCE if node.name == "since" else _UNTIL, lang, quote_day=node.day.isoformat())


def _grouped(node: Node, lang: str) -> str:
    told = _told(node, lang)
    return f"({told})" if isinstance(node, And | Or) else told


def _joined(sentence: str, parts: Sequence[str], lang: str) -> str:
    told = parts[0]
    for part in parts[1:]:
        told = say(sentence, lang, quote_one=told, quote_other=part)
    return told
