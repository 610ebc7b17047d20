"""Turn a post into hashed features for the linear model of who speaks.

Word and character n-grams of the text, the name, the handle and the bio, with a prefix a field, and a few facts of the
profile. Brands are replaced by a sign, so that no brand's own name is learnt. Hashing is zlib.crc32, the same on every
machine and in every run (Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009).
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from listener.match import fold
from listener.mention import Author, Brand, Post
from stakeholders.cues import profile_cue, text_cue, word_families

__all__ = ["BUCKETS", "SIGNS", "Sample", "bucket_of", "features", "names_of", "sample_of", "vector"]

BUCKETS = 1 << 15
SIGNS = frozenset({"xmarca", "xrival", "xlink", "xarroba"})
# how much each block counts: words and characters of the text, words and characters of the profile, flags
WEIGHTS = {"w": 0.7, "c": 1.4, "p": 1.0, "q": 0.3, "f": 2.0}
_TOKEN = re.compile(r"[#@$]?\w[\w.]*|[^\w\s]")
_PUNCTUATION = frozenset('¿?¡!%«»“”"|:')


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold what the model reads of one post: its words, its author, and the names that stand for the brand."""

    text: str
    author: Author
    own: tuple[str, ...]  # folded names of the brand
    rivals: tuple[str, ...] = ()
    label: str | None = None
    scenario: str | None = None
    lang: str | None = None


def sample_of(post: Post, brand: Brand, brands: Sequence[Brand]) -> Sample:
    """Take from a post what the model reads; a news item has no person as its author."""
    rivals = [one for one in brands if one.key != brand.key]
    return Sample(post.text, post.author, names_of(brand), tuple(name for one in rivals for name in names_of(one)))


def names_of(brand: Brand) -> tuple[str, ...]:
    """Give the folded names under which a brand is spoken of, the longest first."""
    every = {fold(name) for name in (brand.name, *brand.names, *brand.handles, *brand.hashtags, *brand.own_handles)}
    return tuple(sorted((name for name in every if len(name) > 2), key=len, reverse=True))


def _tokens(text: str | None, own: Sequence[str], rivals: Sequence[str], limit: int) -> list[str]:
    """Cut a text into tokens, brands replaced by a sign, so that no brand's own name is learnt."""
    if not text:
        return []
    folded = " ".join(fold(text[:limit]).split())
    for names, sign in ((own, " xmarca "), (rivals, " xrival ")):
        for name in names:
            folded = re.sub(rf"(?<!\w)[@#]?{re.escape(name)}\w*", sign, folded)
    tokens = []
    for token in _TOKEN.findall(re.sub(r"https?://\S+", " xlink ", folded)):
        if token[0] == "@":
            tokens.append("xarroba")
        elif any(char.isdigit() for char in token):
            tokens.append("x0")
        elif token[0].isalnum() or token[0] in "#$" or token in _PUNCTUATION or not token.isascii():
            tokens.append(token.strip("."))
    return tokens


def features(sample: Sample) -> Iterator[tuple[str, str, str]]:
    """Yield (block, feature, the word it stands for); a word is "" where it would tell a reader nothing."""
    author = sample.author
    words = _tokens(sample.text, sample.own, sample.rivals, 1500)
    for word in words:
        yield "w", f"t:{word}", word
    for first, second in pairwise(words):
        yield "w", f"t:{first} {second}", f"{first} {second}"
    for word in words[:200]:
        padded = f" {word} "
        for size in (3, 4, 5):
            for start in range(max(0, len(padded) - size + 1)):
                yield "c", f"tc:{padded[start : start + size]}", ""
    for prefix, field, limit in (("b", author.bio, 300), ("n", author.name, 80), ("h", author.handle, 40)):
        told = _tokens(field, sample.own, sample.rivals, limit) if prefix != "h" else []
        for word in told:
            yield "p", f"{prefix}:{word}", word if prefix == "b" else ""
        for first, second in pairwise(told):
            yield "p", f"{prefix}:{first} {second}", f"{first} {second}" if prefix == "b" else ""
        squeezed = f" {fold((field or '')[:limit])} "
        for size in (3, 4, 5):
            for start in range(max(0, len(squeezed) - size + 1) if field else 0):
                yield "q", f"{prefix}c:{squeezed[start : start + size]}", ""
    yield from (("f", f"f:{flag}", "") for flag in _flags(sample, len(words)))


def _magnitude(count: int) -> int:
    return min(6, int(math.log10(max(0, count) + 1)))


def _flags(sample: Sample, length: int) -> Iterator[str]:
    author = sample.author
    yield "bias"
    yield "bio" if author.bio else "no bio"
    yield "url" if author.url else "no url"
    yield "no followers" if author.followers is None else f"followers {_magnitude(author.followers)}"
    yield f"length {min(5, length // 12)}"
    yield "low start" if sample.text[:1].islower() else "high start"
    yield "emoji" if any(ord(char) > 0x1F000 for char in sample.text[:1500]) else "no emoji"
    folded = fold(sample.text[:1500])
    for name, family in word_families().items():
        yield f"{name} {min(2, len(family.findall(folded)))}"
    yield "asks" if "?" in folded else "tells"
    yield "ends " + (folded.rstrip()[-1:] if folded.rstrip()[-1:] in ".!?…" else "open")
    if author.name:
        yield f"name words {min(4, len(author.name[:80].split()))}"
    if author.handle and author.handle[:40] != author.handle[:40].lower():
        yield "capital handle"
    if (cue := profile_cue(author)) is not None:
        yield f"profile {cue.stakeholder}"
    if (cue := text_cue(sample.text, sample.own)) is not None:
        yield f"says {cue.stakeholder}"


def bucket_of(feature: str) -> int:
    """Give the bucket that a feature falls into."""
    return zlib.crc32(feature.encode(errors="replace")) % BUCKETS


def vector(sample: Sample) -> dict[int, float]:
    """Hash a sample: every block has its own length 1 before its weight, so that a long bio does not drown a text."""
    blocks: dict[str, set[int]] = {}
    for block, feature, _ in features(sample):
        blocks.setdefault(block, set()).add(bucket_of(feature))
    summed: dict[int, float] = {}
    for block, buckets in blocks.items():
        weight = WEIGHTS[block] / math.sqrt(len(buckets))
        for bucket in buckets:
            summed[bucket] = summed.get(bucket, 0.0) + weight
    return summed
