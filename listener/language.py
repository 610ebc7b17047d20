"""Tell the language of a text that its platform did not tag, and abstain where too little stands in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

__all__ = ["LANGUAGES", "detect"]

LANGUAGES = ("es", "en", "pt")
_FEWEST = 4  # words
_SUREST = 0.75  # share of the best language, under which nothing is said
_NO_WORDS = re.compile(r"https?://\S+|www\.\S+|[@#]\w+")
_WORD = re.compile(r"[^\W\d_]{2,}")


def detect(text: str, languages: Sequence[str] = LANGUAGES) -> str | None:
    """Give one of the languages, or None where fewer than four words stand or no language leads clearly.

    py3langid (Lui and Baldwin, ACL 2012), limited to the languages asked for; handles, hashtags and links are left out.
    """
    words = _NO_WORDS.sub(" ", text[:1000]).encode("utf-8", "replace").decode()  # half a character is no letter
    if len(_WORD.findall(words)) < _FEWEST:
        return None
    # A foreign text must have somewhere else to go than into the one language that is asked for.
    name, share = _identifier(tuple(sorted({*languages, *LANGUAGES}))).classify(words)
    return str(name) if share >= _SUREST and name in languages else None


@lru_cache(maxsize=8)
def _identifier(languages: tuple[str, ...]) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known = frozenset(identifier.labels)
    identifier.set_languages([one for one in languages if one in known])
    return identifier
