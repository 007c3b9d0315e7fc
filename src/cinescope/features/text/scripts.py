"""Guesses the language of a text by its script. Knows letters and one list of English words, no grammar."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

# Share of a text's words that must be English before Latin letters are called English. Half of a title may be names.
ENGLISH_SHARE = 0.6
# Unicode blocks, first and last code point (Unicode 16, Blocks.txt).
_BLOCKS: tuple[tuple[int, int, str], ...] = (
    (0x3040, 0x30FF, "kana"),
    (0x31F0, 0x31FF, "kana"),
    (0xFF66, 0xFF9D, "kana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xF900, 0xFAFF, "han"),
    (0x20000, 0x323AF, "han"),
    (0x1100, 0x11FF, "hangul"),
    (0x3130, 0x318F, "hangul"),
    (0xAC00, 0xD7A3, "hangul"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0600, 0x06FF, "arabic"),
    (0x0750, 0x077F, "arabic"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFF, "arabic"),
)

# Articles, prepositions and conjunctions of German, French, Spanish, Italian, Portuguese and Dutch that are no English
# words: CMUdict knows so many names ("enfants", "paradis", "tiempo") that its words alone would call them English.
_ELSEWHERE = """
der das und ist nicht ein eine einen mit für von zum zur auf im les des du une est et dans pour sur avec le la el los
las del una por para con y e il lo gli della di che per um uma os em não het een van voor op
"""
_ENGLISH = "the of and to in is for with on at by from an this that are we you it how what your our"
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


def script_of(character: str) -> str:
    """ "latin", "han", "kana", "hangul", "cyrillic", "arabic", "other", or "" for what is no letter."""
    if not character.isalpha():
        return ""
    code = ord(character)
    for first, last, script in _BLOCKS:
        if first <= code <= last:
            return script
    return "latin" if unicodedata.name(character, "").startswith("LATIN ") else "other"


def language_of(text: str) -> str:
    """BCP 47 "zh", "ja", "ko", "ru", "ar", "en", or "" where the script does not tell.

    One kana makes a text with Han characters Japanese; Han alone counts as Chinese, Cyrillic as Russian and Arabic
    letters as Arabic, the language most written in each. Latin letters are English only when most words are.
    """
    counts: dict[str, int] = {}
    for character in text:
        if script := script_of(character):
            counts[script] = counts.get(script, 0) + 1
    if not counts:
        return ""
    # A Han character carries about as much as a short word of letters, so it is not outvoted by "CCTV" beside it.
    weight = {"han": 3, "kana": 3, "hangul": 2}
    main = max(counts, key=lambda s: counts[s] * weight.get(s, 1))
    if main in ("han", "kana"):
        return "ja" if counts.get("kana", 0) else "zh"
    if main == "latin":
        return "en" if looks_english(text) else ""
    return {"hangul": "ko", "cyrillic": "ru", "arabic": "ar"}.get(main, "")


def looks_english(text: str) -> bool:
    """Whether most of its words stand in the pronouncing dictionary that pocketsphinx carries (False without it)."""
    lower = text.lower().replace("’", "'")
    if any(c.isalpha() and not c.isascii() for c in lower):
        return False
    words = [w for w in _WORD.findall(lower) if len(w) > 1 or w in ("a", "i")]
    if set(_ELSEWHERE.split()).intersection(words) and not set(_ENGLISH.split()).intersection(words):
        return False
    known = english_words()
    return bool(words) and sum(w in known for w in words) >= ENGLISH_SHARE * len(words)


@lru_cache(maxsize=1)
def english_words() -> frozenset[str]:
    """About 126,000 English word forms: the headwords of CMUdict as pocketsphinx ships it; empty without it."""
    spec = find_spec("pocketsphinx")
    if spec is None or not spec.submodule_search_locations:
        return frozenset()
    path = Path(spec.submodule_search_locations[0]) / "model" / "en-us" / "cmudict-en-us.dict"
    if not path.is_file():
        return frozenset()
    with path.open(encoding="utf-8") as lines:
        # "read(2) R IY D" is a second pronunciation of "read".
        return frozenset(line.split(maxsplit=1)[0].split("(")[0] for line in lines if line.strip())
