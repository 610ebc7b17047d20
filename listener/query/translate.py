"""Say a query in a platform's own words, and say aloud what it cannot be asked.

What is asked finds all that the query means and more, since `fits` is tried on all that comes. Only where a platform
has nothing wider to ask (the other endings of wild*) is less asked for, and then `complete` is False.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from listener.query.dialects import DIALECTS, Dialect
from listener.query.spelling import has_sign, has_star, plainly, quoted, spelled
from listener.query.tree import And, Day, Fact, Near, Node, Not, Or, Phrase, Query, Reach, Word, all_of, any_of
from listener.reason import N_, Reason, reason

__all__ = ["Translation", "translate", "translate_tree"]

_MOST = 60  # queries for one platform

_NO_CONDITION = N_("{quote_platform} is not asked for «{quote_part}»: what it sends is filtered afterwards")
_NO_NEAR = N_("{quote_platform} knows no NEAR: it is asked for all the words, and what it sends is filtered afterwards")
_NO_NOT = N_("{quote_platform} is not told what to leave out («{quote_part}»): what it sends is filtered afterwards")
_NO_STAR = N_("{quote_platform} knows no *: it is asked without «{quote_part}»; what it sends is filtered afterwards")
_ONE_FORM = N_("{quote_platform} knows no *: of «{quote_part}» only the word «{quote_word}» itself is found there")
_NO_SIGN = N_(
    "{quote_platform} is asked for the word of «{quote_part}» without the sign; the rest is filtered afterwards"
)
_NO_WORDS = N_(
    "{quote_platform} needs a word to look for: «{quote_part}» finds only what other queries bring from there"
)
_UNTAGGED = N_("{quote_platform} is asked for «{quote_part}»: posts whose language it does not tell stay out")
_CUT = N_("«{quote_part}» is too long for {quote_platform}: it is asked for its beginning")
_SHORTENED = N_(
    "the query is too long for {quote_platform}: it is asked for a wider one; the rest is filtered afterwards"
)


@dataclass(frozen=True, slots=True)
class Translation:
    """Hold what a platform is asked: each text fits its limit, together they find all that `complete` promises."""

    queries: tuple[str, ...]
    lost: tuple[Reason, ...] = ()
    complete: bool = True


def translate(query: Query, platform: str, *, limit: int | None = None, suffix: str = "") -> Translation:
    """Say a query for a platform (a key of DIALECTS); `limit` overrides its longest query, `suffix` ends each."""
    return translate_tree(query.tree, DIALECTS[platform], limit=limit, suffix=suffix)


def translate_tree(
    tree: Node, dialect: Dialect, *, limit: int | None = None, suffix: str = "", whole: bool = False
) -> Translation:
    """Say a tree for a platform; with `whole` a single alternative stands in brackets too."""
    translator = _Translator(dialect, (limit or dialect.limit) - len(suffix))
    # What cannot be asked of an OR (a condition alone) must not silence the rest of it.
    parts = [(part, translator.widened(part)) for part in (tree.parts if isinstance(tree, Or) else (tree,))]
    asked = [wider for _, wider in parts if wider is not None and _has_words(wider)]
    for part, wider in parts:
        if wider is None or not _has_words(wider):
            translator.lose(_NO_WORDS, quote_part=plainly(part))
            translator.complete = False
    if not asked:
        return Translation((), tuple(translator.lost), False)
    wanted = any_of(asked) if len(asked) > 1 or not whole else Or(tuple(asked))
    texts = dict.fromkeys(text + suffix for text in translator.said(wanted))
    return Translation(tuple(texts), tuple(translator.lost), translator.complete)


def _has_words(node: Node) -> bool:
    """Tell whether every way to fit holds a word, which platforms need to look for anything; an account is one too."""
    if isinstance(node, Or):
        return all(map(_has_words, node.parts))
    if isinstance(node, And):
        return any(map(_has_words, node.parts))
    return isinstance(node, Word | Phrase | Near) or (isinstance(node, Fact) and node.name == "from")


class _Translator:
    def __init__(self, dialect: Dialect, limit: int) -> None:
        self.dialect = dialect
        self.limit = limit
        self.lost: list[Reason] = []
        self.complete = True

    def lose(self, sentence: str, **facts: str) -> None:
        """Say once what is lost."""
        told = reason(sentence, quote_platform=self.dialect.name, **facts)
        if told not in self.lost:
            self.lost.append(told)

    def widened(self, node: Node) -> Node | None:
        """Give what can be asked: it finds all that the node finds, and maybe more; None is everything."""
        if isinstance(node, Or):
            parts = [self.widened(part) for part in node.parts]
            told = [part for part in parts if part is not None and not _only_leaves_out(part)]
            if len(told) == len(parts):
                return any_of(told)
            self.lose(_NO_CONDITION, quote_part=plainly(node))
            return None
        if isinstance(node, And):
            kept = [self.widened(part) for part in self._without_stars(node)]
            told = [part for part in kept if part is not None]
            return all_of(told) if told else None
        if isinstance(node, Not):
            return self._left_out(node.part)
        if isinstance(node, Near):
            return self._near(node)
        if isinstance(node, Word | Phrase):
            return self._said(node)
        return node if self._condition(node) is not None else None

    def _without_stars(self, node: And) -> Iterator[Node]:
        """Leave wild* out of an AND that has other words: asking for less of it finds more."""
        plain = [part for part in node.parts if _has_words(part) and not has_star(part)]
        for part in node.parts:
            if plain and has_star(part):
                self.lose(_NO_STAR, quote_part=plainly(part))
            else:
                yield part

    def _left_out(self, part: Node) -> Node | None:
        """Keep of a NOT what the platform understands exactly as we do, since what is asked must never find less."""
        parts = part.parts if isinstance(part, Or) else (part,)
        told: list[Node] = []
        for one in parts:
            exact = (
                isinstance(one, Word | Phrase) and not has_star(one) and (self.dialect.signs or not has_sign(one))
            ) or (isinstance(one, Fact) and self._condition(one, aloud=False) is not None)
            if exact and self.dialect.minus:
                told.append(Not(one))
            else:
                self.lose(_NO_NOT, quote_part=plainly(one))
        return all_of(told) if told else None

    def _near(self, node: Near) -> Node | None:
        if self.dialect.near is not None and isinstance(node.left, Word) and isinstance(node.right, Word):
            plain = not any(map(has_star, (node.left, node.right))) and not any(map(has_sign, (node.left, node.right)))
            if plain:
                return node
        self.lose(_NO_NEAR)
        return self.widened(all_of([node.left, node.right]))

    def _said(self, node: Word | Phrase) -> Node | None:
        words = (node,) if isinstance(node, Word) else node.words
        if has_star(node):
            if isinstance(node, Word):
                self.lose(_ONE_FORM, quote_part=plainly(node), quote_word=node.written or node.text)
                self.complete = False
                return Word(node.text, written=node.written)
            bare = [word for word in words if not word.prefix]
            self.lose(_NO_STAR, quote_part=plainly(node))
            if not bare:
                self.complete = False
                return all_of([Word(word.text, written=word.written) for word in words])
            return all_of(bare)
        if not self.dialect.signs and has_sign(node):
            self.lose(_NO_SIGN, quote_part=plainly(node))
            bare_words = tuple(Word(word.text.lstrip("@#"), written=word.written.lstrip("@#")) for word in words)
            return bare_words[0] if isinstance(node, Word) else Phrase(bare_words, node.written.lstrip("@#"))
        return node

    def _condition(self, node: Fact | Reach | Day, *, aloud: bool = True) -> str | None:
        told = None
        if isinstance(node, Fact):
            told = self.dialect.fact(node)
        elif isinstance(node, Day):
            told = self.dialect.day(node)
        if told is None and aloud:
            self.lose(_NO_CONDITION, quote_part=plainly(node))
        if told is not None and aloud and isinstance(node, Fact) and node.name == "lang" and not self.dialect.tagged:
            self.lose(_UNTAGGED, quote_part=plainly(node))
            self.complete = False
        return told

    def said(self, node: Node) -> list[str]:
        """Write a tree as few queries that fit the limit."""
        if self.dialect.either is None:
            return [text for one in self._ways(node) for text in self._fitted(all_of(one))]
        if not self.dialect.nested:
            node = any_of(all_of(way) for way in self._flat_ways(node))
        if isinstance(node, Or):
            return self._packed(node)
        return self._fitted(node)

    def _packed(self, node: Or) -> list[str]:
        """Put as many alternatives into each query as fit."""
        if not self.dialect.nested and any(isinstance(part, And) for part in node.parts):
            words = [part for part in node.parts if not isinstance(part, And)]
            rest = [part for part in node.parts if isinstance(part, And)]
            apart = [text for part in rest for text in self._fitted(part)]
            return (self._packed(Or(tuple(words))) if len(words) > 1 else [*map(self._text, words)]) + apart
        queries: list[str] = []
        chosen: list[str] = []
        for part in node.parts:
            inside = isinstance(part, And)
            for text in self._fitted(part, room=self.limit - 4):
                shown = f"({text})" if inside else text
                if chosen and not self._fits(self._group([*chosen, shown])):
                    queries.append(self._group(chosen))
                    chosen = []
                chosen.append(shown)
        return [*queries, self._group(chosen)] if chosen else queries

    def _group(self, texts: list[str]) -> str:
        joined = (self.dialect.either or " ").join(texts)
        return joined if self.dialect.either == "|" else f"({joined})"

    def _fits(self, text: str, room: int | None = None) -> bool:
        words = len(text.replace('"', " ").split())
        most = self.dialect.most_words
        return len(text) <= (self.limit if room is None else room) and (most is None or words <= most)

    def _fitted(self, node: Node, room: int | None = None) -> list[str]:
        """Write one alternative so that it fits: split at its longest OR, else ask for less, else cut."""
        text = self._text(node)
        if self._fits(text, room):
            return [text]
        if not isinstance(node, And):
            if isinstance(node, Or):
                return [text for part in node.parts for text in self._fitted(part, room)]
            return [self._cut(node, text, room)]
        groups = [part for part in node.parts if isinstance(part, Or)]
        if groups:
            longest = max(groups, key=lambda part: len(self._text(part)))
            rest = [part for part in node.parts if part is not longest]
            if self._fits(self._text(all_of(rest)) + "  " + max(map(self._text, longest.parts), key=len), room):
                half = len(longest.parts) // 2
                halves = (any_of(longest.parts[:half]), any_of(longest.parts[half:]))
                return [text for part in halves for text in self._fitted(all_of([*rest, part]), room)]
        # Asking for fewer of the parts finds more. What must not stand there goes first, the longest of them.
        self.lose(_SHORTENED)
        parts = sorted(node.parts, key=lambda part: (isinstance(part, Not), len(self._text(part))))
        kept = [part for part in node.parts if part is not parts[-1]]
        if not _has_words(all_of(kept)):
            kept = [next(part for part in parts if _has_words(part))]
        return self._fitted(all_of(kept), room)

    def _cut(self, node: Node, text: str, room: int | None) -> str:
        """Cut a single term to what fits, because asking for its start finds more, not less."""
        room = self.limit if room is None else room
        self.lose(_CUT, quote_part=text[:40] + "…")
        quote = '"' if text.startswith('"') else ""
        words = text.strip('"').split()
        most = self.dialect.most_words
        short = " ".join(words[:most])[: room - 2].rstrip()
        return f"{quote}{short}{quote}"

    def _text(self, node: Node) -> str:
        if isinstance(node, Or):
            texts = [f"({self._text(part)})" if isinstance(part, And) else self._text(part) for part in node.parts]
            return self._group(texts)
        if isinstance(node, And):
            return " ".join(map(self._text, node.parts))
        if isinstance(node, Not):
            return f"-{self._text(node.part)}"
        if isinstance(node, Near):
            words = " ".join(spelled(side) for side in (node.left, node.right))
            return (self.dialect.near or "").format(n=node.distance + 1, words=words)
        if isinstance(node, Word | Phrase):
            return quoted(node)
        return self._condition(node, aloud=False) or ""

    def _ways(self, node: Node) -> list[tuple[Node, ...]]:
        """Write out every way to fit, each a row of parts that must all stand there; too many are made fewer, wider."""
        if isinstance(node, Or):
            return [way for part in node.parts for way in self._ways(part)]
        if isinstance(node, And):
            ways: list[tuple[Node, ...]] = [()]
            each = [self._ways(part) for part in node.parts]
            for more in sorted(each, key=len):
                if len(ways) * len(more) > _MOST:
                    self.lose(_SHORTENED)
                    continue
                ways = [(*way, *one) for way in ways for one in more]
            if not any(ways) or not all(_has_words(all_of(way)) for way in ways):
                return next(more for part, more in zip(node.parts, each, strict=True) if _has_words(part))
            return ways
        return [(node,)]

    def _flat_ways(self, node: Node) -> Iterable[tuple[Node, ...]]:
        """Write out alternatives, keeping a group of words as one part, where groups may not stand in groups."""
        if isinstance(node, And) and all(_is_flat(part) for part in node.parts):
            if self.dialect.either == "|" and any(isinstance(part, Or) for part in node.parts):
                return self._ways(node)  # no brackets: a group beside other words cannot be written
            return [node.parts]
        if isinstance(node, Or):
            return [way for part in node.parts for way in self._flat_ways(part)]
        return self._ways(node)


def _is_flat(node: Node) -> bool:
    return not isinstance(node, And) and (
        not isinstance(node, Or) or all(isinstance(part, Word | Phrase) for part in node.parts)
    )


def _only_leaves_out(node: Node) -> bool:
    return isinstance(node, Not) or (isinstance(node, And) and all(map(_only_leaves_out, node.parts)))
