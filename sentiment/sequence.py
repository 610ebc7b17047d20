"""Turn a question (post, brand, rivals, author) into the ids that the encoder reads, with the place of each word.

A row is `<s> text </s> ABOUT entity </s> WHO profile </s>`. In text and profile the watched brand stands between two
BRAND marks and each rival between two RIVAL marks, so that one text gives one reading for each brand that it names.
The text sees the text and the entity, the profile sees everything: what a post does to a brand does not depend on who
wrote it, but for what the rounding to 8 bits, which takes a row together, lets through; who speaks depends on both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from listener.mention import Author, Brand, Post, Term

__all__ = ["MARKS", "Named", "Row", "Sequencer", "entity_of", "profile_of"]

MARKS = ("brand", "rival", "about", "who")  # rows of the vocabulary behind the tokenizer's own, in this order
_HALF = re.compile(r"[\ud800-\udfff]")  # half a character, which no tokenizer takes
_CONTROL = re.compile(r"<(?=/?s>|pad>|unk>)")  # what would become the tokenizer's own marks
_START, _END = 0, 2  # <s> and </s>
_TEXT, _ENTITY, _PROFILE = 192, 24, 64  # tokens; what is longer is cut

_PLAIN = re.compile(r"https?://\S+|www\.\S+|@\w+")
_LINK = re.compile(r"https?://\S+|www\.\S+")
_KINDS = [
    "reddit",
    "mastodon",
    "bluesky",
    "youtube",
    "news",
    "rss",
    "gdelt",
    "review",
    "playstore",
    "appstore",
    "facebook",
    "instagram",
    "telegram",
    "whatsapp",
    "mail",
    "imap",
    "hackernews",
    "twitter",
    "x",
]
_SAME = {"rss": "news", "gdelt": "news", "playstore": "reviews", "appstore": "reviews", "review": "reviews"} | {
    "whatsapp": "telegram", "imap": "mail", "hackernews": "reddit", "twitter": "x"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """Hold a string and where it names the watched brand and its rivals."""

    text: str
    brand: Sequence[Term] = ()
    rivals: Sequence[Term] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Hold what the encoder reads: ids, how many of them are text and entity, and where each token stands."""

    ids: tuple[int, ...]
    words: int  # tokens of the text, from place 1 on
    seen: int  # the first `seen` ids are text and entity; the rest is the profile
    brand: tuple[int, ...]  # places that name the watched brand: in the text, else in the entity
    spans: tuple[tuple[int, int], ...]  # characters of the text that each of its tokens covers; (0, 0) for a mark
    cut: bool  # whether the text was longer than what is read


class Sequencer:
    """Cut strings into the pieces of one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        size = tokenizer.get_vocab_size(with_added_tokens=False)
        self.marks = {name: size + place for place, name in enumerate(MARKS)}

    def row(self, text: Named, entity: str | None = None, profile: Named | None = None) -> Row:
        """Give the row of a text; without an entity it is read as plain speech, handles and links left out."""
        ids, spans, brand = self._pieces(text, _PLAIN if entity is None else _LINK, _TEXT + 1)
        cut = len(ids) > _TEXT
        ids, spans = ids[:_TEXT], spans[:_TEXT]
        named = [place + 1 for place in brand if place < _TEXT]
        row = [_START, *ids, _END]
        if entity is not None:
            row.append(self.marks["about"])
            start = len(row)
            row.extend(self._cut(entity).ids[:_ENTITY])
            named = named or list(range(start, len(row)))
            row.append(_END)
        seen = len(row)
        if profile is not None and profile.text:
            row += [self.marks["who"], *self._pieces(profile, _LINK, _PROFILE)[0][:_PROFILE], _END]
        return Row(tuple(row), len(ids), seen, tuple(named), tuple(spans), cut)

    def _cut(self, text: str) -> Any:
        plain = _CONTROL.sub("‹", _HALF.sub("\ufffd", text))  # one character for one: places hold
        return self._tokenizer.encode(plain, add_special_tokens=False)

    def _pieces(
        self, named: Named, left_out: re.Pattern[str], most: int
    ) -> tuple[list[int], list[tuple[int, int]], list[int]]:
        """Give ids, the characters each covers, and the places that name the brand."""
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        brand: list[int] = []
        for start, end, mark in _segments(named):
            if len(ids) >= most:
                break
            around = [self.marks[mark]] if mark else []
            first = len(ids)
            ids += around
            spans += [(0, 0)] * len(around)
            for part, at, stop in _parts(named.text[start:end], start, None if mark else left_out):
                found = self._cut(part)
                ids += found.ids
                whole = part != named.text[at:stop]
                spans += [(at, stop) if whole else (at + a, at + b) for a, b in found.offsets]
            ids += around
            spans += [(0, 0)] * len(around)
            if mark == "brand":
                brand.extend(range(first, len(ids)))
        return ids, spans, brand


def _segments(named: Named) -> Iterator[tuple[int, int, str]]:
    """Split a string at the brands that it names: (start, end, "brand" | "rival" | "")."""
    terms = sorted([(t.start, t.end, "brand") for t in named.brand] + [(t.start, t.end, "rival") for t in named.rivals])
    done = 0
    for start, end, mark in terms:
        if start < done:
            continue
        if start > done:
            yield done, start, ""
        yield start, end, mark
        done = end
    if done < len(named.text):
        yield done, len(named.text), ""


def _parts(text: str, start: int, left_out: re.Pattern[str] | None) -> Iterator[tuple[str, int, int]]:
    """Put @user and http where handles and links stand: (what is read, start, end)."""
    done = 0
    for hit in left_out.finditer(text) if left_out else ():
        if hit.start() > done:
            yield text[done : hit.start()], start + done, start + hit.start()
        yield "@user" if hit.group()[0] == "@" else "http", start + hit.start(), start + hit.end()
        done = hit.end()
    if done < len(text):
        yield text[done:], start + done, start + len(text)


def entity_of(brand: Brand) -> str:
    """Give what is told of the watched entity: its name, its sector and its country."""
    return " ; ".join(part for part in (brand.name, brand.sector, brand.country) if part)


def profile_of(post: Post) -> str:
    """Give what the platform told of an author, in one line: kind of source, place, name, account, site, reach, bio."""
    author = post.author
    source = post.source.lower()
    kind = next((one for one in _KINDS if one in source and (one != "x" or source in ("x", "x.com"))), "")
    account = f"@{author.handle.removeprefix('@')}" if author.handle else ""
    parts = (
        _SAME.get(kind, kind) or "x",  # a source of another name: read as where most posts come from
        post.country,
        author.name,
        account,
        _site(author),
        "verified" if author.verified else "",
        _reach(author),
        author.bio,
    )
    return " ; ".join(" ".join(str(part).split())[:400] for part in parts if part)


def _site(author: Author) -> str:
    if not author.url:
        return ""
    try:
        return (urlsplit(author.url if "//" in author.url else f"//{author.url}").hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _reach(author: Author) -> str:
    """Give the power of ten of the followers, as a word; nothing where it is not told or is no number."""
    count = author.followers
    if count is None or not 0 <= count < 10**18:  # NaN lies in no range
        return ""
    return f"{10 ** min(len(str(int(count))) - 1, 7)} followers"
