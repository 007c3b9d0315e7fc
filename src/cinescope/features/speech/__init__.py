"""Speech: where it is and which words it holds. Knows samples and seconds; knows nothing of videos or tracks.

A recogniser is anything with the attributes and the method of `Recogniser`. Each lives in its own file, and the
packages and models behind it load with its first utterance, not when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from cinescope.types import BadQueryError, Word

SAMPLE_RATE = 16_000  # hertz; what silero, Whisper and the en-us model of pocketsphinx were all trained on


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood of one utterance. No words where nothing was."""

    text: str
    words: tuple[Word, ...]  # by start, on the clock that `start` gave
    language: str  # BCP 47
    score: float | None = None  # 0 to 1, the mean over the words


@runtime_checkable
class Recogniser(Protocol):
    """Words for sound. The same samples give the same words, whatever was transcribed before."""

    name: str  # "pocketsphinx", "faster-whisper:small"
    settings: dict[str, str]  # what changes its words: model, versions
    languages: tuple[str, ...]  # BCP 47; () means many, and that it detects which

    def transcribe(self, samples: np.ndarray, start: float) -> Heard:
        """`samples` is float32 (S,) at `SAMPLE_RATE`, at most 30 s; `start` is the time of the first, in seconds."""
        ...


def recogniser(name: str = "auto", device: str = "cpu") -> Recogniser | None:
    """The recogniser of that name: "pocketsphinx", "faster-whisper" (its best model here), "faster-whisper:small".

    "auto" is the best one here, "none" is None. Raises MissingPartError where it is not on this machine, and
    BadQueryError for any other name.
    """
    from cinescope.features.speech import pocketsphinx, whisper

    if name == "none":
        return None
    if name == "auto":
        # A model was fetched on purpose, so one that is damaged is an error and no reason to take a lesser one.
        name = "faster-whisper" if not whisper.available() and whisper.best() else "pocketsphinx"
    if name == "pocketsphinx":
        return pocketsphinx.PocketSphinx()
    kind, _, model = name.partition(":")
    if kind == "faster-whisper":
        return whisper.Whisper(model, device)
    raise BadQueryError(
        f"there is no recogniser '{name}'", "give auto, none, pocketsphinx, faster-whisper or faster-whisper:NAME"
    )


def mean_score(words: tuple[Word, ...]) -> float | None:
    """The mean of the words' scores, None where no word has one."""
    scores = [word.score for word in words if word.score is not None]
    return sum(scores) / len(scores) if scores else None
