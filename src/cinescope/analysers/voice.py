"""When somebody speaks: segments of kind "voice". Knows nothing of the words.

Speech that goes on is cut at its best pause, so that no segment is longer than `LONGEST`; `data.goes_on` says so.

Silero's net gives a probability for every 32 ms; hysteresis turns them into stretches, as silero-vad's
`get_speech_timestamps` does offline. Here it streams: a segment is final as soon as the pause after it is long enough.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cinescope.features.speech import SAMPLE_RATE
from cinescope.features.speech.silero import CHUNK, Silero, model_file
from cinescope.types import (
    BadQueryError,
    Material,
    MissingPartError,
    Needs,
    Segment,
    SoundNeed,
    Source,
    Span,
    Window,
)

LONGEST = 30.0  # seconds; what Whisper takes in at once, and a long utterance for any recogniser
STEP = CHUNK / SAMPLE_RATE  # seconds
BLOCK = 16 * CHUNK  # samples per call of the net: four times quicker than chunk by chunk, half a second late
# How far below the threshold a probability must fall to end speech, and the shortest speech: silero-vad's defaults.
HYSTERESIS = 0.15
MIN_SPEECH = 0.25  # seconds


class Voice:
    """Voice activity. `threshold` is a probability; `min_silence` and `pad` are seconds."""

    name = "voice"
    version = "1"
    summary = "when somebody speaks"
    cost = "listens to all sound at 16 kHz, about 400 times faster than it plays on one core"
    requires = "onnxruntime and the net inside faster-whisper (default install)"
    needs = Needs(sound=SoundNeed(SAMPLE_RATE, 1))

    def __init__(self, threshold: float = 0.5, min_silence: float = 0.5, pad: float = 0.1) -> None:
        if not 0 < threshold < 1:
            raise BadQueryError(f"voice: threshold is {threshold}", "give a probability between 0 and 1")
        if not 0 <= pad <= min_silence / 2 or not min_silence <= LONGEST / 3:
            raise BadQueryError(
                f"voice: min_silence is {min_silence} s and pad {pad} s",
                f"give a min_silence up to {LONGEST / 3:g} s, and a pad of at most half of it",
            )
        self._threshold = threshold
        self._release = max(threshold - HYSTERESIS, 0.01)
        self._min_silence = min_silence
        self._pad = pad
        self._net = Silero()
        self._clear()

    def _clear(self) -> None:
        self._net.clear()
        self._origin: float | None = None  # seconds, of sample 0
        self._rest = np.zeros(0, np.float32)  # samples that do not fill a block yet
        self._heard = 0  # samples fed
        self._chunk = 0  # the next chunk to come out of the net
        self._start: int | None = None  # chunk where the running speech began
        self._silent: int | None = None  # chunk where the pause began that may end it
        self._scores: list[float] = []  # of the running speech, chunk by chunk
        self._floor = -np.inf  # seconds: the end of the last segment

    @staticmethod
    def available() -> str:
        from importlib.util import find_spec

        if find_spec("onnxruntime") is None:
            return "onnxruntime is not installed: pip install onnxruntime"
        try:
            model_file()
        except MissingPartError as error:
            return str(error)
        return ""

    @property
    def source(self) -> Source:
        return Source(
            self.name,
            self.version,
            {
                "model": self._net.file.stem,
                "threshold": self._threshold,
                "min_silence": self._min_silence,
                "pad": self._pad,
            },
        )

    def begin(self, material: Material) -> None:
        del material  # nothing in a header says where somebody speaks
        self._clear()

    def feed(self, window: Window) -> list[Segment]:
        if window.sound is None:
            if self._origin is None:
                return []
            samples = np.zeros(round(window.span.duration * SAMPLE_RATE), np.float32)
        else:
            # One sample that is not a number would stay in the net's memory and deafen it for good.
            samples = np.nan_to_num(window.sound.data[0], nan=0.0, posinf=1.0, neginf=-1.0)
            if self._origin is None:
                self._origin = window.sound.start
        self._heard += len(samples)
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // BLOCK * BLOCK
        self._rest = waiting[whole:].copy()
        return [s for at in range(0, whole, BLOCK) for s in self._hear(waiting[at : at + BLOCK])]

    def finish(self) -> list[Segment]:
        missing = -len(self._rest) % CHUNK
        found = self._hear(np.concatenate([self._rest, np.zeros(missing, np.float32)]))
        self._rest = np.zeros(0, np.float32)
        if self._start is not None:
            end = self._silent if self._silent is not None else self._chunk
            found += self._close(end, self._pad)
            self._start = None
        return found

    def _hear(self, samples: np.ndarray) -> list[Segment]:
        found: list[Segment] = []
        for score in self._net(samples):
            found += self._step(float(score))
            self._chunk += 1
        return found

    def _step(self, score: float) -> list[Segment]:
        at = self._chunk
        if self._start is None:
            if score >= self._threshold:
                self._start, self._silent, self._scores = at, None, [score]
            return []
        self._scores.append(score)
        if score >= self._threshold:
            self._silent = None
        elif score < self._release and self._silent is None:
            self._silent = at
        if self._silent is not None and (at + 1 - self._silent) * STEP >= self._min_silence:
            found = self._close(self._silent, self._pad)
            self._start = None
            return found
        return self._split() if (len(self._scores) + 1) * STEP > LONGEST - 2 * self._pad else []

    def _split(self) -> list[Segment]:
        """End the running speech at its best pause: the longest one after the first third, the later of equals."""
        assert self._start is not None
        quiet, following = best_pause(self._scores, round(LONGEST / 3 / STEP), self._release)
        begun = self._start
        gap = (following - quiet) * STEP
        # Nothing has been speech since the pause began that may end it: no need to wait for its end.
        over = following == len(self._scores) or (self._silent is not None and self._silent < begun + following)
        found = self._close(begun + quiet, min(self._pad, gap / 2), goes_on=not over)
        self._start = None if over else begun + following
        self._scores = self._scores[following:]
        return found

    def _close(self, end: int, pad: float, goes_on: bool = False) -> list[Segment]:
        """The running speech up to chunk `end`, with `pad` seconds after it; nothing where it is too short."""
        assert self._start is not None
        assert self._origin is not None
        if (end - self._start) * STEP < MIN_SPEECH:
            return []
        start = max(self._floor, self._origin, self._origin + self._start * STEP - self._pad)
        last = self._origin + self._heard / SAMPLE_RATE
        self._floor = min(last, self._origin + end * STEP + pad)
        score = float(np.mean(self._scores[: end - self._start]))
        return [
            Segment(
                Span(start, self._floor), "voice", self.source, score=score, data={"goes_on": True} if goes_on else {}
            )
        ]

    def state(self) -> dict[str, Any]:
        return {
            "net": self._net.state(),
            "origin": self._origin,
            "rest": self._rest.copy(),
            "heard": self._heard,
            "chunk": self._chunk,
            "start": self._start,
            "silent": self._silent,
            "scores": list(self._scores),
            "floor": None if self._floor == -np.inf else self._floor,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._net.restore(state["net"])
        self._origin = state["origin"]
        self._rest = np.array(state["rest"], np.float32)
        self._heard, self._chunk = state["heard"], state["chunk"]
        self._start, self._silent = state["start"], state["silent"]
        self._scores = [float(score) for score in state["scores"]]
        self._floor = -np.inf if state["floor"] is None else state["floor"]


def best_pause(scores: list[float], first: int, release: float) -> tuple[int, int]:
    """Where to cut speech that goes on: the steps [quiet, following) to leave out, both at or after `first`.

    The longest run of scores below `release`, the later of equals; where there is none, the middle of the
    quietest five steps, again the later of equals, with nothing left out.
    """
    best = (0, 0)
    begun: int | None = None
    for at in range(first, len(scores) + 1):
        if at < len(scores) and scores[at] < release:
            begun = at if begun is None else begun
        elif begun is not None:
            if at - begun >= best[1] - best[0]:
                best = (begun, at)
            begun = None
    if best[1]:
        return best
    smooth = np.convolve(scores[first:], np.ones(5) / 5, "valid")
    quietest = first + len(smooth) - 1 - int(np.argmin(smooth[::-1])) + 2
    return quietest, quietest
