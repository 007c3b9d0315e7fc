"""The words of a clip with their times, as all text features take them. Knows no feature."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cinescope.types import Clip

_EDGES = re.compile(r"^\W+|\W+$")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*$")


@dataclass(frozen=True, slots=True)
class Said:
    """One word as written, without blanks, and the seconds in which it is said: the clip's where nobody knows."""

    text: str
    start: float
    end: float

    @property
    def bare(self) -> str:
        """In small letters, without the marks around it: `Garden."` -> `garden`."""
        return _EDGES.sub("", self.text.lower())


def words_of(clip: Clip) -> list[Said]:
    """By start, cut to the clip's span; of a clip without words its text, split at blanks."""
    low, high = clip.span.start, clip.span.end
    if not clip.words:
        return [Said(text, low, high) for text in clip.text.split()]
    found = [
        Said(text, min(max(word.span.start, low), high), max(low, min(word.span.end, high)))
        for word in sorted(clip.words, key=lambda w: w.span.start)
        for text in word.text.split()
    ]
    return found


def sentences_of(words: list[Said]) -> list[list[Said]]:
    """Split behind . ! ? and their kin; the rest is one too."""
    made: list[list[Said]] = [[]]
    for word in words:
        made[-1].append(word)
        if _SENTENCE_END.search(word.text):
            made.append([])
    return [sentence for sentence in made if sentence]


def times_of(words: list[Said]) -> np.ndarray:
    """(T, 2) seconds."""
    return np.array([[w.start, w.end] for w in words], np.float64).reshape(-1, 2)


def span_of(words: list[Said]) -> tuple[float, float]:
    """From the first to the last of them, in seconds."""
    return min(w.start for w in words), max(w.end for w in words)
