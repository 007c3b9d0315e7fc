"""The stem of an English word, as the stemmed index has it. Knows suffixes, nothing about texts or queries.

The index stems by itself (Snowball English, "Porter2", https://snowballstem.org/algorithms/english/stemmer.html);
Python needs the same stems to say which words of a hit matched. tests/library/test_matching.py compares the two.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any


@cache
def _stemmer() -> Any:
    # PyStemmer: Snowball's own C library. Its pure Python twin loads thirty languages, 0.15 s, at the first import.
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The stem of a folded word (lower case, straight apostrophes)."""
    result: str = _stemmer().stemWord(word)
    return result
