"""Text as the word indexes see it. Knows scripts, nothing about tables.

Words are cut and folded here, before the index sees them, so that the index, a query and the highlighting of a hit
cut the same text into the same words: `State-of-the-art, l’été` is `state of the art l ete`. The index's own
tokeniser then only has the scripts left that need a dictionary (Thai, Khmer, Lao, Burmese, and Chinese words).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

# Han, kana, hangul and their extensions: scripts written without spaces, or (Korean) with particles glued to words.
_CJK_RANGES = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff"
)
_VOICING = "\u3099\u309a\uff9e\uff9f"  # kana sound marks written as characters of their own
# Marks that belong to the word they stand in (re's \w leaves them out), and characters that are not seen.
_MARKS = (
    "\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e8\u0711\u0730-\u074a\u0900-\u0963\u0971-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u0f39\u0f71-\u0f84\u0f90-\u0fbc\u102b-\u103e\u17b4-\u17d3\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d"
    "\u20d0-\u20ff\u2060\ufe00-\ufe0f\ufeff"
)
_APOSTROPHES = "'\u2018\u2019\u02b9\u02bc\uff07"
# C++ and C# are words; after any other letters + and # are punctuation. don't is one word (people type dont); every
# other apostrophe ends a word: l'eau, O'Brien, car's.
_ASCII_TOKEN = re.compile(
    r"(?P<symbol>(?<![^\W_])[A-Za-z](?:\+\+|#)(?![^\W_]))"
    r"|(?P<number>(?<![^\W_])\d{1,3}(?:,\d{3})+(?![^\W_]))"
    r"|(?P<word>[^\W_]+(?:(?<=[nN])'[tT](?![^\W_]))?)",
    re.ASCII,
)
_UNSEEN = re.compile("[\u00ad\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]")
# Letters that people type without their stroke or ligature and that NFD does not take apart.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n"}
)
_SYMBOLS = {"++": "plusplus", "#": "sharp"}
_LONGEST = 39  # bytes of UTF-8; Lance's tokenisers drop words of 40 and more
_STEMMED = ("", "en", "und")


class _Patterns(NamedTuple):
    token: re.Pattern[str]
    cjk: re.Pattern[str]
    cjk_or_not: re.Pattern[str]
    no_spaces: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """The expressions for text beyond ASCII. They take 20 ms to compile, which a search for English words saves."""
    letter = rf"(?:[^\W_{_CJK_RANGES}\u02b9\u02bc{_VOICING}]|[{_MARKS}])"
    token = re.compile(
        rf"(?P<symbol>(?<![^\W_])[A-Za-z](?:\+\+|#)(?![^\W_]))"
        rf"|(?P<cjk>[{_CJK_RANGES}][{_VOICING}]?)"
        rf"|(?P<number>(?<![^\W_])\d{{1,3}}(?:,\d{{3}})+(?![^\W_]))"
        rf"|(?P<word>{letter}+(?:(?<=[nN])[{_APOSTROPHES}][tT](?!{letter}))?)"
    )
    return _Patterns(
        token,
        re.compile(f"[{_CJK_RANGES}]"),
        re.compile(f"[{_CJK_RANGES}]|[^{_CJK_RANGES}]+"),
        re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"),  # Thai, Lao, Burmese, Khmer
    )


class Token(NamedTuple):
    form: str  # folded: as it stands in the index
    start: int  # character offsets in the text as given, [start, end)
    end: int
    cjk: bool = False  # one character of a script that is indexed by pairs
    whole: bool = True  # False: a run of Thai, Lao, Burmese or Khmer, several words without spaces


def folded(word: str) -> str:
    """NFKC, lower case, Latin and Greek letters without accents, nothing that is not a letter, digit or mark."""
    if word.isascii():
        if word.isalnum():  # nearly every word
            return word.lower()
        return "".join(c for c in word.lower() if c.isalnum())
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())
    kept: list[str] = []
    base = ""
    for character in unicodedata.normalize("NFD", text):
        if "\u0300" <= character <= "\u036f":
            if base <= "\u03ff" or "\u1e00" <= base <= "\u1fff":
                continue
        else:
            base = character
        kept.append(character)
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", "".join(kept)).translate(_PLAIN_LETTERS))
    return "".join(c for c in text if (c.isalnum() or unicodedata.category(c)[0] == "M") and c not in _APOSTROPHES)


def tokens(text: str) -> Iterator[Token]:
    """The words of a text in order, with their places; a CJK character is a token of its own."""
    plain = text.isascii()
    for match in (_ASCII_TOKEN if plain else _patterns().token).finditer(text):
        start, end = match.span()
        found = match.group()
        if match.lastgroup == "symbol":
            yield Token(found[0].lower() + _SYMBOLS[found[1:]], start, end)
            continue
        form = folded(found)
        if match.lastgroup == "cjk":
            for character in form:
                yield Token(character, start, end, cjk=True)
        elif not plain and _patterns().cjk.search(form):  # circled and squared characters: ㊀ is 一
            for part in _patterns().cjk_or_not.findall(form):
                yield Token(part, start, end, cjk=_patterns().cjk.fullmatch(part) is not None)
        elif not plain and _patterns().no_spaces.search(form):
            yield Token(form, start, end, whole=False)
        elif form:
            yield Token(form.encode()[:_LONGEST].decode(errors="ignore"), start, end)


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """The tokens' forms, neighbouring CJK characters joined: line breaks and spaces inside a sentence do not count."""
    run, until = "", 0
    for token in tokens(text):
        if run and not (token.cjk and not text[until : token.start].strip()):
            yield run, True
            run = ""
        if token.cjk:
            run += token.form
        else:
            yield token.form, False
        until = token.end
    if run:
        yield run, True


def normalised(text: str) -> str:
    """The folded words, joined by spaces: what the word indexes are built from."""
    return " ".join(form for form, _ in _runs(text))


def pairs(text: str) -> str:
    """`去北京` -> `去 去北 北 北京 京`: each CJK character and each overlapping pair, in order, joined by spaces.

    Runs are kept apart by a token that no query makes, so that a phrase does not cross other text.
    """
    return " | ".join(run_pairs(form) for form, cjk in _runs(text) if cjk)


def run_pairs(run: str) -> str:
    """The pairs of one run of CJK characters."""
    parts = []
    for i, character in enumerate(run):
        parts.append(character)
        if i + 1 < len(run):
            parts.append(run[i : i + 2])
    return " ".join(parts)


def has_cjk(text: str) -> bool:
    return any(token.cjk for token in tokens(text))


def is_stemmed(language: str) -> bool:
    """Whether text of this language is (or may be) English."""
    return language.split("-")[0].lower() in _STEMMED


def stem_text(text: str, language: str) -> str:
    """What the English stemmer may see: text whose language is English or unknown."""
    return normalised(text) if is_stemmed(language) else ""
