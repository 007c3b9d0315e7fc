"""Word vectors as a feature: learnt from training texts (skip-gram), or read from a word2vec or GloVe file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from cinescope.features.common import check_setting, is_count, rows, settings_of
from cinescope.features.text.said import Said, times_of, words_of
from cinescope.features.text.skipgram import SkipGram, learn_vectors
from cinescope.features.text.vector_files import read_vectors
from cinescope.types import Clip, Features, MissingPartError, Modality, Needs, Source


@dataclass(eq=False)
class WordVectors:
    """A vector for each word that is said and known; a word that is not known has no row.

    Words are compared in small letters without the marks around them; in a `file` first as they are written. `file`: in
    word2vec's or GloVe's format, of which the first `most` words are read, and then nothing is learnt and the settings
    of learning mean nothing.
    """

    width: int = 100
    window: int = 5  # words on each side
    negatives: int = 5
    epochs: int = 5
    subsample: float = 1e-3
    min_count: int = 2
    file: str | None = None
    most: int = 200_000
    words: list[str] | None = field(default=None, init=False, repr=False)
    vectors: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32), init=False, repr=False)  # (N, D)

    name: ClassVar[str] = "word_vectors"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "text"
    needs: ClassVar[Needs] = Needs(subtitles=True)

    def __post_init__(self) -> None:
        for setting in ("width", "window", "negatives", "epochs", "min_count", "most"):
            value = getattr(self, setting)
            check_setting(self.name, setting, value, is_count(value), "a whole number above 0")
        check_setting(self.name, "subsample", self.subsample, 0 <= self.subsample < 1, "0 for none, or a share below 1")
        if self.file is not None:
            self._take(*read_vectors(self.file, self.most))

    @property
    def dim(self) -> int:
        return self.width if self.words is None else int(self.vectors.shape[1])

    @property
    def source(self) -> Source:
        settings = settings_of(self)
        if self.words is not None:
            settings["vocabulary"] = self._digest
        return Source(self.name, self.version, settings)

    def fit(self, clips: Iterable[Clip], seed: int = 0) -> None:
        """With a `file` nothing is learnt. MissingPartError where no word is there `min_count` times."""
        if self.file is not None:
            return
        how = SkipGram(
            self.width, self.window, self.negatives, self.epochs, subsample=self.subsample, min_count=self.min_count
        )
        words, vectors = learn_vectors(([w.bare for w in words_of(clip) if w.bare] for clip in clips), how, seed)
        if not words:
            raise MissingPartError(
                f"the training texts hold no word {self.min_count} times", "give more text, or a smaller min_count"
            )
        self._take(words, vectors)

    def state(self) -> dict[str, Any]:
        return {"words": list(self._learnt()), "vectors": self.vectors}

    def restore(self, state: dict[str, Any]) -> None:
        words, vectors = [str(w) for w in state["words"]], np.asarray(state["vectors"], np.float32)
        if vectors.ndim != 2 or len(vectors) != len(words):
            raise MissingPartError(
                f"the saved state of word_vectors has {len(words)} words and {vectors.shape} vectors"
            )
        self._take(words, vectors)

    def vector(self, word: str) -> np.ndarray | None:
        """(D,), or None for a word that is not known."""
        self._learnt()
        at = self._place.get(word)
        return None if at is None else self.vectors[at]

    def __call__(self, clip: Clip) -> Features:
        self._learnt()
        known: list[tuple[int, Said]] = []
        for word in words_of(clip):
            at = next((self._place[w] for w in (word.text, word.bare) if w in self._place), None)
            if at is not None:
                known.append((at, word))
        values = self.vectors[[at for at, _ in known]] if known else self.vectors[:0]
        return rows(values, times_of([word for _, word in known]), self.dim, self.modality, self.source)

    def _take(self, words: list[str], vectors: np.ndarray) -> None:
        self.words, self.vectors = words, np.ascontiguousarray(vectors, np.float32)
        self._place = {word: i for i, word in enumerate(words)}
        digest = hashlib.blake2b("\n".join(words).encode("utf-8", "surrogateescape"), digest_size=8)
        digest.update(self.vectors.tobytes())
        self._digest = digest.hexdigest()

    def _learnt(self) -> list[str]:
        if self.words is None:
            raise MissingPartError(
                "the feature 'word_vectors' knows no words yet",
                "fit it on training texts, or set file to vectors in word2vec's or GloVe's format",
            )
        return self.words
