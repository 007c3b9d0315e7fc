"""Words by PocketSphinx and the US English model inside its package. Knows nothing of where utterances begin and end.

Each utterance starts from the same state: the front end and the cepstral means are built anew, the level is brought
to one value, and means are taken over the whole utterance. So the same sound gives the same words.

The search is the package's own, unchanged. What comes before it was chosen on speech rendered by flite, clean, in
simulated rooms and through a narrow noisy channel (402 words): noise removal and whole-utterance means as the model
was trained (word error 0.43; without them 0.51 and 0.49), and dereverberation (0.45 to 0.40). Language weights, wider
beams, more Gaussians, two of its three passes and dither made no difference that could be told from chance, or harm.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np

from cinescope.features.speech import SAMPLE_RATE, Heard, mean_score
from cinescope.features.speech.dereverb import dereverberate
from cinescope.types import MissingPartError, Span, Word

MODEL = "en-us"
# Root mean square of the active speech, dB below full scale: the nominal level of ITU-T G.191 for speech material.
LEVEL = -26.0
FRAME = 0.01  # seconds per frame of the decoder (its option frate, 100 per second)


class PocketSphinx:
    """English only. Loads on the first utterance, in about half a second."""

    name = "pocketsphinx"
    languages: tuple[str, ...] = ("en",)

    def __init__(self) -> None:
        missing = available()
        if missing:
            raise MissingPartError(missing)
        self.settings = {"model": MODEL, "pocketsphinx": version("pocketsphinx")}
        self._decoder: Any = None

    def transcribe(self, samples: np.ndarray, start: float) -> Heard:
        if samples.ndim != 1 or samples.dtype != np.float32:
            raise ValueError(f"need float32 (S,), got {samples.dtype} {samples.shape}")
        if len(samples) < SAMPLE_RATE // 10 or not np.any(samples):
            return Heard("", (), "en")
        decoder = self._fresh()
        # Levelled after the room is gone, for its echoes count as sound between the words.
        coded = np.round(levelled(dereverberate(samples)) * 32767).astype("<i2").tobytes()
        decoder.start_utt()
        decoder.process_raw(coded, full_utt=True)
        decoder.end_utt()
        end = start + len(samples) / SAMPLE_RATE
        words = []
        for piece in decoder.seg() if decoder.hyp() is not None else ():
            if piece.word[0] in "<[+":  # silence and noise, not words
                continue
            span = Span(start + piece.start_frame * FRAME, min(end, start + (piece.end_frame + 1) * FRAME))
            # Second and third pronunciations are written "and(2)".
            text = re.sub(r"\(\d+\)$", "", piece.word)
            words.append(Word(text, span, min(1.0, max(0.0, float(piece.prob)))))
        found = tuple(words)
        return Heard(" ".join(word.text for word in found), found, "en", mean_score(found))

    def _fresh(self) -> Any:
        if self._decoder is None:
            self._decoder = _open()
        else:
            # Noise statistics and cepstral means of what came before are forgotten; a new decoder costs 0.5 s.
            self._decoder.reinit_feat()
        return self._decoder


def available() -> str:
    """ "" when it can run, else what is missing and what to do."""
    return "" if find_spec("pocketsphinx") else "pocketsphinx is not installed: pip install pocketsphinx"


def levelled(samples: np.ndarray) -> np.ndarray:
    """float32 (S,) -> the same at `LEVEL`. Silence between the words does not count; peaks stop at full scale."""
    size = SAMPLE_RATE // 40
    whole = len(samples) // size * size
    power = np.mean(np.square(samples[:whole].reshape(-1, size), dtype=np.float64), axis=1)
    # ITU-T P.56 counts what lies within 15.9 dB of the level itself; this takes what lies within 30 dB of the loudest.
    loudest = np.quantile(power, 0.95)
    active = power[power >= loudest * 1e-3]
    root = float(np.sqrt(np.mean(active)))
    gain = 10 ** (LEVEL / 20) / root if root > 0 else 1.0
    return np.clip(samples * np.float32(gain), -1, 1)


def _open() -> Any:
    from pocketsphinx import Decoder

    try:
        return Decoder(loglevel="FATAL")
    except (RuntimeError, ValueError) as error:
        raise MissingPartError(
            f"the model inside the package pocketsphinx cannot be loaded ({error})",
            "pip install --force-reinstall pocketsphinx",
        ) from error
