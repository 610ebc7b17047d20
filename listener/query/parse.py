"""Read a query as people write it into a tree, or say which character is wrong and what to write instead.

The grammar is read by lark (LALR). Operators are AND, OR, NOT and NEAR/n in capitals; words side by side must all
stand in the text; a minus before a word is NOT; OR binds weaker than AND.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from listener.errors import Fault
from listener.query.fault import QueryError
from listener.query.terms import day_of, fact_of, phrase_of, reach_of
from listener.query.tree import Fact, Near, Node, Not, Or, Phrase, Query, Word, all_of, any_of, leaves
from listener.reason import N_, reason

if TYPE_CHECKING:
    from lark import Lark, Token

__all__ = ["QueryError", "check_query", "parse"]

_LONGEST = 20_000  # characters
_MOST = 1_000  # words and conditions
_DEEPEST = 50  # brackets in brackets
_FARTHEST = 100  # words between the two sides of a NEAR

_GRAMMAR = r"""
start: either
?either: both (_OR both)* -> any_of
?both: factor (_AND? factor)* -> all_of
?factor: (_NOT | _MINUS) factor -> negate
       | pair
?pair: atom NEAR atom -> near
     | atom
?atom: _LEFT either _RIGHT
     | PHRASE -> phrase
     | FACT -> fact
     | REACH -> reach
     | TERM -> term

_LEFT: "("
_RIGHT: ")"
_AND.9: /AND(?=[\s()"“”„«»]|$)/
_OR.9: /OR(?=[\s()"“”„«»]|$)/
_NOT.9: /NOT(?=[\s()"“”„«»]|$)/
NEAR.9: /NEAR\/\d+(?=[\s()"“”„«»]|$)/
_MINUS.8: /[-–−](?=[^\s)–−-])/
PHRASE.8: /["“”„][^"“”„]*["“”„]|«[^«»]*»/
REACH.7: /[^\W\d_]+(>=|<=|>|<|=)[^\s()"“”„«»]*/
FACT.7: /[^\W\d_]+:("[^"]*"|[^\s()"“”„«»]*)/
TERM.1: /[^\s()"“”„«»]+/
%ignore /\s+/
"""

_BOTH_SIDES = ("_AND", "_OR", "NEAR")
_JOINS = (*_BOTH_SIDES, "_NOT", "_MINUS")
_OPERATORS = {
    "and": "AND", "or": "OR", "not": "NOT", "y": "AND", "e": "AND", "o": "OR", "u": "OR", "ou": "OR"
}  # fmt: skip
_SHOUTED = {"NO": "NOT", "NÃO": "NOT", "NAO": "NOT", "SIN": "NOT"}

_EMPTY = N_("the query is empty")
_TOO_LONG = N_("the query is longer than {count} characters")
_TOO_MANY = N_("the query holds more than {count} words and conditions")
_TOO_DEEP = N_("more than {count} brackets stand inside each other")
_SPLIT = N_("make two queries of it")
_WRITE = N_('write a word, a "phrase", @handle, #tag, or a condition such as lang:es')
_QUOTE_OPEN = N_("this quotation mark is never closed")
_QUOTE_CLOSE = N_('write " where the phrase ends')
_OPEN = N_("this bracket is never closed")
_CLOSE_IT = N_("write ) where the group ends")
_STRAY = N_("this bracket closes nothing")
_STRAY_HINT = N_("take it away, or write ( where the group begins")
_HOLLOW = N_("nothing stands between these brackets")
_NO_LEFT = N_("nothing stands before {quote_word}")
_NO_RIGHT = N_("nothing stands after {quote_word}")
_NO_NUMBER = N_("NEAR needs a number")
_NEAR_AS = N_("write NEAR/5: at most five words between the two")
_NEAR_FAR = N_("NEAR counts at most {count} words")
_NEAR_CHAIN = N_("NEAR joins two sides, not three")
_NEAR_SPLIT = N_("write (a NEAR/5 b) AND (b NEAR/5 c)")
_NEAR_WORDS = N_("beside NEAR stand words, phrases, or groups of them joined by OR")
_SMALL = N_("«{quote_word}» looks like an operator, but they are AND, OR and NOT, in capitals")
_MEANT = N_("write {quote_operator}; if the word itself is meant, write it in quotation marks")
_UNREADABLE = N_("this cannot be read here")


@lru_cache(maxsize=1)
def _lark() -> Lark:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", lexer="basic", propagate_positions=False, keep_all_tokens=False)


def parse(text: str, *, zone: str = "UTC") -> Query:
    """Read a query; days (since: until:) are whole days of the IANA zone. QueryError says what is wrong and where."""
    from lark.exceptions import UnexpectedInput

    if len(text) > _LONGEST:
        raise QueryError(text[:_LONGEST], _LONGEST - 1, reason(_TOO_LONG, count=_LONGEST), reason(_SPLIT))
    tokens = _tokens(text)
    _check(text, tokens)
    try:
        parsed = _lark().parse(text)
    except UnexpectedInput as error:  # what _check does not know
        token = getattr(error, "token", None)
        place = min(max(getattr(token, "start_pos", 0) or 0, 0), len(text) - 1)
        if getattr(token, "type", "") == "NEAR":
            raise QueryError(text, place, reason(_NEAR_CHAIN), reason(_NEAR_SPLIT)) from None
        raise QueryError(text, place, reason(_UNREADABLE)) from None
    tree = _Builder(text, ZoneInfo(zone)).build(parsed)
    if sum(1 for _ in leaves(tree)) > _MOST:
        raise QueryError(text, 0, reason(_TOO_MANY, count=_MOST), reason(_SPLIT))
    return Query(text, tree)


def _tokens(text: str) -> list[Token]:
    from lark.exceptions import UnexpectedCharacters

    try:
        return list(_lark().lex(text))
    except UnexpectedCharacters as error:  # the one character that no other token takes is a lone quotation mark
        raise QueryError(text, error.pos_in_stream or 0, reason(_QUOTE_OPEN), reason(_QUOTE_CLOSE)) from None


def _check(text: str, tokens: Sequence[Token]) -> None:
    """Find, from left to right, what a grammar alone would only call unexpected."""
    if not tokens:
        raise QueryError(text, 0, reason(_EMPTY), reason(_WRITE))
    open_brackets: list[int] = []
    negations = 0
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        place = token.start_pos or 0
        kind = token.type
        negations = negations + 1 if kind in ("_NOT", "_MINUS") else 0
        if kind == "_LEFT":
            open_brackets.append(place)
            if after is not None and after.type == "_RIGHT":
                raise QueryError(text, place, reason(_HOLLOW), reason(_WRITE))
        elif kind == "_RIGHT":
            if not open_brackets:
                raise QueryError(text, place, reason(_STRAY), reason(_STRAY_HINT))
            open_brackets.pop()
        if len(open_brackets) + negations > _DEEPEST:
            raise QueryError(text, place, reason(_TOO_DEEP, count=_DEEPEST), reason(_SPLIT))
        if kind in _BOTH_SIDES and (before is None or before.type in (*_JOINS, "_LEFT")):
            raise QueryError(text, place, reason(_NO_LEFT, quote_word=str(token)), reason(_WRITE))
        if kind in _JOINS and (after is None or after.type == "_RIGHT"):
            raise QueryError(text, place, reason(_NO_RIGHT, quote_word=str(token)), reason(_WRITE))
        if kind == "NEAR":
            _check_near(text, token, after)
        if kind == "TERM":
            _check_term(text, token)
    if open_brackets:
        raise QueryError(text, open_brackets[-1], reason(_OPEN), reason(_CLOSE_IT))


def _check_near(text: str, token: Token, after: Token | None) -> None:
    digits = str(token)[5:]
    if len(digits) > 4 or int(digits) > _FARTHEST:
        raise QueryError(text, (token.start_pos or 0) + 5, reason(_NEAR_FAR, count=_FARTHEST), reason(_NEAR_AS))
    if after is not None and after.type in ("_NOT", "_MINUS"):
        raise QueryError(text, after.start_pos or 0, reason(_NEAR_WORDS))


def _check_term(text: str, token: Token) -> None:
    word, place = str(token), token.start_pos or 0
    if word == "NEAR" or word.upper().startswith("NEAR/"):
        raise QueryError(text, place, reason(_NO_NUMBER), reason(_NEAR_AS))
    operator = _OPERATORS.get(word.lower()) or _SHOUTED.get(word)
    if operator is not None:
        hint = reason(_MEANT, quote_operator=operator)
        raise QueryError(text, place, reason(_SMALL, quote_word=word), hint)


class _Builder:
    """Make a tree of what lark read; positions come with the tokens."""

    def __init__(self, text: str, zone: ZoneInfo) -> None:
        self.text = text
        self.zone = zone

    def build(self, parsed: Any) -> Node:
        name, children = str(parsed.data), parsed.children
        if name == "start":
            return self.build(children[0])
        if name in ("any_of", "all_of"):
            join = any_of if name == "any_of" else all_of
            return join([self.build(child) for child in children])
        if name == "negate":
            inner = self.build(children[0])
            return inner.part if isinstance(inner, Not) else Not(inner)
        if name == "near":
            return self._near(*children)
        return self._leaf(name, children[0])

    def _near(self, left: Any, token: Token, right: Any) -> Node:
        sides = []
        for side in (left, right):
            built = self.build(side)
            if isinstance(built, Near):
                raise QueryError(self.text, token.start_pos or 0, reason(_NEAR_CHAIN), reason(_NEAR_SPLIT))
            if not _is_words(built):
                raise QueryError(self.text, token.start_pos or 0, reason(_NEAR_WORDS))
            sides.append(built)
        return Near(sides[0], sides[1], int(str(token)[5:]))

    def _leaf(self, name: str, token: Token) -> Node:
        written, place = str(token), token.start_pos or 0
        if name == "phrase":
            return phrase_of(self.text, written[1:-1], place + 1)
        if name == "term":
            found = phrase_of(self.text, written, place)
            return found.words[0] if len(found.words) == 1 else found
        if name == "reach":
            return reach_of(self.text, written, place)
        field, _, value = written.partition(":")
        value = value.strip('"')
        if field.lower() == "reach":  # reach:>1000
            return reach_of(self.text, field + value, place)
        if field.lower() in ("since", "until"):
            return day_of(self.text, field.lower(), value, place, self.zone)
        return fact_of(self.text, field, value, place)


def _is_words(node: Node) -> bool:
    return isinstance(node, Word | Phrase) or (isinstance(node, Or) and all(_is_words(part) for part in node.parts))


def check_query(
    text: str, where: str, *, zone: str = "UTC", known: Mapping[str, Sequence[str]] | None = None, lang: str = "en"
) -> list[Fault]:
    """Find what is wrong with a query of config.toml, as faults of the table `where`; none when it can be read.

    `known` gives the names that exist, by field: {"source": …, "brand": …}; a condition on another name is a fault.
    """
    from listener.faults import did_you_mean

    try:
        query = parse(text, zone=zone)
    except QueryError as error:
        return [Fault(where, f"query: {error.show(lang)}")]
    faults = []
    for leaf in leaves(query.tree):
        names = (known or {}).get(leaf.name) if isinstance(leaf, Fact) else None
        if isinstance(leaf, Fact) and names is not None and leaf.value not in {name.lower() for name in names}:
            hint = did_you_mean(leaf.value, tuple(names))
            faults.append(Fault(where, f"query: {leaf.name}:{leaf.value} names nothing here", hint))
    return faults
