"""TF-IDF: which words (or parts of words) a text has more of than others (Salton and Buckley 1988).

Weights are those of scikit-learn's `TfidfVectorizer`: count (or 1 + ln count) times ln((1 + n) / (1 + df)) + 1, rows of
length 1. Written here because the default install has no scikit-learn.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from cinescope.features.common import check_setting, is_count, rows, settings_of
from cinescope.features.text.said import span_of, words_of
from cinescope.types import Clip, Features, MissingPartError, Modality, Needs, Source

UNITS = ("word", "char", "char_wb")
_WORD = re.compile(r"\b\w\w+\b")
_BLANKS = re.compile(r"\s\s+")


def terms_of(text: str, unit: str, shortest: int, longest: int, lowercase: bool = True) -> list[str]:
    """N-grams of `shortest` to `longest` words of two letters or more ("word"), of letters ("char"), or of letters
    within words with a blank around each ("char_wb")."""
    text = text.lower() if lowercase else text
    if unit == "word":
        words = _WORD.findall(text)
        return [
            " ".join(words[i : i + n]) for n in range(shortest, longest + 1) for i in range(len(words) - n + 1)
        ]  # fmt: skip
    if unit == "char":
        text = _BLANKS.sub(" ", text)
        return [text[i : i + n] for n in range(shortest, longest + 1) for i in range(len(text) - n + 1)]
    found = []
    for word in _BLANKS.sub(" ", text).split():
        padded = f" {word} "
        for n in range(shortest, longest + 1):
            found += [padded[i : i + n] for i in range(max(1, len(padded) - n + 1))]
            if n >= len(padded):
                break  # a short word is counted once
    return found


@dataclass(eq=False)
class TfIdf:
    """One row for all that is said in a clip: how telling each of the `max_features` most frequent terms is in it.

    `ngrams`: (shortest, longest). `min_df`: training texts that must hold a term. `sublinear`: 1 + ln(count).
    """

    unit: str = "word"
    ngrams: tuple[int, int] = (1, 1)
    max_features: int = 2000
    min_df: int = 1
    sublinear: bool = False
    lowercase: bool = True
    terms: list[str] | None = field(default=None, init=False, repr=False)
    weights: np.ndarray | None = field(default=None, init=False, repr=False)  # (D,) float64

    name: ClassVar[str] = "tfidf"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "text"
    needs: ClassVar[Needs] = Needs(subtitles=True)

    def __post_init__(self) -> None:
        check_setting(self.name, "unit", self.unit, self.unit in UNITS, " or ".join(UNITS))
        pair = isinstance(self.ngrams, tuple | list) and len(self.ngrams) == 2 and all(is_count(n) for n in self.ngrams)
        check_setting(self.name, "ngrams", self.ngrams, pair and self.ngrams[0] <= self.ngrams[1], "such as [1, 2]")
        self.ngrams = (self.ngrams[0], self.ngrams[1])
        for setting in ("max_features", "min_df"):
            value = getattr(self, setting)
            check_setting(self.name, setting, value, is_count(value), "a whole number above 0")

    @property
    def dim(self) -> int:
        """As many as were learnt, at most `max_features`; before that, `max_features`."""
        return self.max_features if self.terms is None else len(self.terms)

    @property
    def source(self) -> Source:
        settings = settings_of(self)
        if self.terms is not None and self.weights is not None:
            digest = hashlib.blake2b("\0".join(self.terms).encode(), digest_size=8)
            digest.update(self.weights.tobytes())
            settings["vocabulary"] = digest.hexdigest()
        return Source(self.name, self.version, settings)

    def fit(self, clips: Iterable[Clip], seed: int = 0) -> None:
        """Nothing is drawn, so `seed` changes nothing. A clip in which nothing is said counts for nothing."""
        texts = (" ".join(w.text for w in words_of(clip)) for clip in clips)
        self.fit_texts(text for text in texts if text)

    def fit_texts(self, texts: Iterable[str]) -> None:
        total, holding, count = Counter[str](), Counter[str](), 0
        for text in texts:
            found = Counter(self._terms(text))
            total.update(found)
            holding.update(found.keys())
            count += 1
        kept = sorted(term for term, df in holding.items() if df >= self.min_df)
        if not kept:
            raise MissingPartError(
                "the training texts hold no term that tfidf could learn", "give more text, or a smaller min_df"
            )
        if len(kept) > self.max_features:
            kept = sorted(sorted(kept, key=lambda term: -total[term])[: self.max_features])
        self.terms = kept
        self.weights = np.log((1 + count) / (1 + np.array([holding[t] for t in kept], np.float64))) + 1

    def transform(self, texts: list[str]) -> np.ndarray:
        """(N texts) -> (N, D) float32, rows of length 1; zeros for a text without one known term."""
        terms, weights = self._learnt()
        place = {term: i for i, term in enumerate(terms)}
        made = np.zeros((len(texts), len(terms)), np.float64)
        for row, text in enumerate(texts):
            for term, count in Counter(self._terms(text)).items():
                if (at := place.get(term)) is not None:
                    made[row, at] = (1 + np.log(count) if self.sublinear else count) * weights[at]
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        return (made / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def state(self) -> dict[str, Any]:
        terms, weights = self._learnt()
        return {"terms": list(terms), "weights": weights}

    def restore(self, state: dict[str, Any]) -> None:
        terms, weights = [str(t) for t in state["terms"]], np.asarray(state["weights"], np.float64)
        if weights.shape != (len(terms),):
            raise MissingPartError(f"the saved state of tfidf has {len(terms)} terms and weights {weights.shape}")
        self.terms, self.weights = terms, weights

    def __call__(self, clip: Clip) -> Features:
        self._learnt()
        words = words_of(clip)
        if not words:
            return rows([], np.zeros((0, 2)), self.dim, self.modality, self.source)
        values = self.transform([" ".join(w.text for w in words)])
        return rows(values, np.array([span_of(words)]), self.dim, self.modality, self.source)

    def _terms(self, text: str) -> list[str]:
        return terms_of(text, self.unit, self.ngrams[0], self.ngrams[1], self.lowercase)

    def _learnt(self) -> tuple[list[str], np.ndarray]:
        if self.terms is None or self.weights is None:
            raise MissingPartError("the feature 'tfidf' has learnt no terms yet", "fit it on training texts")
        return self.terms, self.weights
