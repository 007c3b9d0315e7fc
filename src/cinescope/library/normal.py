"""Text as the word indexes see it. Knows scripts, nothing about tables."""

from __future__ import annotations

import re
import unicodedata

# Han, kana, hangul and their extensions: scripts written without spaces, or (Korean) with particles glued to words.
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+")
_STEMMED = ("", "en", "und")


def normalised(text: str) -> str:
    """NFKC: full-width letters, ligatures and composed accents become the forms that people type."""
    return unicodedata.normalize("NFKC", text)


def pairs(text: str) -> str:
    """`去北京` -> `去 去北 北 北京 京`: each CJK character and each overlapping pair, in order, joined by spaces.

    Runs are kept apart by a token that no query makes, so that a phrase does not cross other text.
    """
    runs = []
    for run in _CJK.findall(normalised(text)):
        tokens = []
        for i, character in enumerate(run):
            tokens.append(character)
            if i + 1 < len(run):
                tokens.append(run[i : i + 2])
        runs.append(" ".join(tokens))
    return " | ".join(runs)


def has_cjk(text: str) -> bool:
    return _CJK.search(text) is not None


def stem_text(text: str, language: str) -> str:
    """What the English stemmer may see: text whose language is English or unknown."""
    return normalised(text) if language.split("-")[0] in _STEMMED else ""
