"""The stem of an English word, as the stemmed index has it. Knows suffixes, nothing about texts or queries.

The index stems by itself (Snowball English, "Porter2", https://snowballstem.org/algorithms/english/stemmer.html);
Python needs the same stems to say which words of a hit matched. tests/library/test_matching.py compares the two.
"""

from __future__ import annotations

import re
from functools import lru_cache

_VOWELS = "aeiouy"
_DOUBLES = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_FIXED = {
    "skis": "ski",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
    **{word: word for word in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")},
}
_KEPT_AFTER_1A = ("inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed")
_STEP_2 = {
    "tional": "tion",
    "enci": "ence",
    "anci": "ance",
    "abli": "able",
    "entli": "ent",
    "izer": "ize",
    "ization": "ize",
    "ational": "ate",
    "ation": "ate",
    "ator": "ate",
    "alism": "al",
    "aliti": "al",
    "alli": "al",
    "fulness": "ful",
    "ousli": "ous",
    "ousness": "ous",
    "iveness": "ive",
    "iviti": "ive",
    "biliti": "ble",
    "bli": "ble",
    "ogi": "og",
    "fulli": "ful",
    "lessli": "less",
    "li": "",
}
_STEP_3 = {
    "tional": "tion",
    "ational": "ate",
    "alize": "al",
    "icate": "ic",
    "iciti": "ic",
    "ical": "ic",
    "ful": "",
    "ness": "",
    "ative": "",
}
_STEP_4 = (
    *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ism", "ate", "iti", "ous"),
    *("ive", "ize", "ion"),
)
_REGION = re.compile(f"[{_VOWELS}][^{_VOWELS}]")


def _longest(word: str, suffixes: tuple[str, ...] | dict[str, str]) -> str:
    return max((s for s in suffixes if word.endswith(s)), key=len, default="")


def _ends_short(word: str) -> bool:
    """Whether it ends in a short syllable."""
    if len(word) == 2:
        return word[0] in _VOWELS and word[1] not in _VOWELS
    return (
        len(word) > 2
        and word[-3] not in _VOWELS
        and word[-2] in _VOWELS
        and word[-1] not in _VOWELS
        and word[-1] not in "wxY"
    )


def _regions(word: str) -> tuple[int, int]:
    """Where R1 and R2 begin: after the first non-vowel that follows a vowel, and the same again inside R1."""
    prefix = next((p for p in ("gener", "commun", "arsen") if word.startswith(p)), "")
    match = _REGION.search(word)
    r1 = len(prefix) or (match.end() if match else len(word))
    match = _REGION.search(word, r1)
    return r1, match.end() if match else len(word)


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """The stem of a folded word (lower case, no apostrophes)."""
    if len(word) <= 2 or not word.isascii():
        return word
    if word in _FIXED:
        return _FIXED[word]
    if word[0] == "y":
        word = "Y" + word[1:]
    word = re.sub(f"(?<=[{_VOWELS}])y", "Y", word)
    r1, r2 = _regions(word)
    word = _plural(word)
    if word in _KEPT_AFTER_1A:
        return word
    word = _past(word, r1)
    if len(word) > 2 and word[-1] in "yY" and word[-2] not in _VOWELS:
        word = word[:-1] + "i"
    word = _derived(word, r1, r2)
    return _last_letter(word, r1, r2).replace("Y", "y")


def _plural(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and any(c in _VOWELS for c in word[:-2]):
        return word[:-1]
    return word


def _past(word: str, r1: int) -> str:
    suffix = _longest(word, ("eed", "eedly", "ed", "edly", "ing", "ingly"))
    if not suffix:
        return word
    rest = word[: -len(suffix)]
    if suffix.startswith("ee"):
        return rest + "ee" if len(rest) >= r1 else word
    if not any(c in _VOWELS for c in rest):
        return word
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if rest.endswith(_DOUBLES):
        return rest[:-1]
    return rest + "e" if _ends_short(rest) and r1 >= len(rest) else rest


def _derived(word: str, r1: int, r2: int) -> str:
    suffix = _longest(word, _STEP_2)
    rest = word[: len(word) - len(suffix)]
    if suffix and len(rest) >= r1:
        allowed = (
            rest.endswith("l") if suffix == "ogi" else rest[-1:] in tuple("cdeghkmnrt") if suffix == "li" else True
        )
        word = rest + _STEP_2[suffix] if allowed else word
    suffix = _longest(word, _STEP_3)
    rest = word[: len(word) - len(suffix)]
    if suffix and len(rest) >= (r2 if suffix == "ative" else r1):
        word = rest + _STEP_3[suffix]
    suffix = _longest(word, _STEP_4)
    rest = word[: len(word) - len(suffix)]
    if suffix and len(rest) >= r2 and (suffix != "ion" or rest.endswith(("s", "t"))):
        word = rest
    return word


def _last_letter(word: str, r1: int, r2: int) -> str:
    rest = word[:-1]
    if word.endswith("e") and (len(rest) >= r2 or (len(rest) >= r1 and not _ends_short(rest))):
        return rest
    if word.endswith("ll") and len(rest) >= r2:
        return rest
    return word
