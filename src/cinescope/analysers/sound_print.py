"""By what a sound is known again, and what it sounds like. Knows nothing about pictures or other videos.

Makes two kinds, neither of which is shown as a track:
"print": a stretch of BLOCK seconds. `data.print` is bytes of PRINT, one for each landmark; `data.of` "sound".
"timbre": CHUNK seconds. `data.vector` TIMBRE numbers, `data.space`, `data.of` "sound".
Silence has neither.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cinescope.features.signal import sound_print
from cinescope.features.signal.sound_print import HOP, MARGIN, RATE, STEP, WINDOW
from cinescope.features.signal.timbre import timbre
from cinescope.types import Material, Needs, Segment, SoundNeed, Source, Span, Window

CHUNK = 4.0  # seconds that are looked at at once, on a grid
BLOCK = 20.0  # seconds of a row, on a grid; a multiple of CHUNK
SPACE = "sound-timbre@1"
PRINT = np.dtype([("code", "<u4"), ("at", "<u2")])  # landmark; spectra (STEP seconds each) since the block's start
_STEPS = round(CHUNK / STEP)  # spectra of a chunk
_PER_BLOCK = round(BLOCK / CHUNK)


class SoundPrint:
    name = "sound_print"
    version = "1"
    summary = "by what sounds are known again (search --like, duplicates)"
    cost = "a few ms a second, 0.2 kB a second kept"
    requires = ""
    needs = Needs(sound=SoundNeed(RATE))

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, {})

    def begin(self, material: Material) -> None:
        del material
        self._samples = np.zeros(0, np.float32)
        self._first: int | None = None  # number of the first of these samples, counted from time 0
        self._chunk = 0  # number of the next chunk
        self._peaks = np.zeros((0, 2), np.int64)  # absolute spectra and bins, of the last two chunks
        self._prints = np.zeros(0, PRINT)  # of the running block
        self._end = 0.0  # until when was fed

    def feed(self, window: Window) -> list[Segment]:
        if window.sound is None:
            return []
        heard = window.sound.data[0]
        if self._first is None:
            # Silence before the first sample, so that the first chunk has what it needs on its left.
            self._chunk = int(np.floor(window.span.start / CHUNK + 1e-9))
            self._first = (self._chunk * _STEPS - MARGIN) * HOP
            before = round(window.span.start * RATE) - self._first
            self._samples = np.zeros(before, np.float32)
        self._samples = np.concatenate([self._samples, heard])
        self._end = window.span.end
        made: list[Segment] = []
        while len(self._samples) >= (_STEPS + 2 * MARGIN - 1) * HOP + WINDOW:
            made += self._look()
        return made

    def finish(self) -> list[Segment]:
        if self._first is None:
            return []
        made: list[Segment] = []
        whole = (_STEPS + 2 * MARGIN - 1) * HOP + WINDOW
        while self._chunk * CHUNK < self._end:
            missing = whole - len(self._samples)
            self._samples = np.concatenate([self._samples, np.zeros(max(0, missing), np.float32)])
            made += self._look()
        made += self._pair(last=True)
        return made + self._close((self._chunk - 1) // _PER_BLOCK)

    def _look(self) -> list[Segment]:
        """The next chunk: its timbre and peaks, and the landmarks of the one before, whose partners are now known."""
        assert self._first is not None
        stretch = self._samples[: (_STEPS + 2 * MARGIN - 1) * HOP + WINDOW]
        made: list[Segment] = []
        found = np.zeros((0, 2), np.int64)
        if float(np.abs(stretch).max(initial=0.0)) >= sound_print.QUIET:
            amplitudes = sound_print.spectra(stretch)
            found = sound_print.peaks(amplitudes, MARGIN, MARGIN + _STEPS)
            vector = timbre(amplitudes[MARGIN : MARGIN + _STEPS])
            if vector is not None:
                span = Span(self._chunk * CHUNK, max(self._chunk * CHUNK, min((self._chunk + 1) * CHUNK, self._end)))
                data = {"vector": vector.tolist(), "space": SPACE, "of": "sound"}
                made.append(Segment(span, "timbre", self.source, data=data))
        shift = np.array([self._chunk * _STEPS - MARGIN, 0])
        self._peaks = np.concatenate([self._peaks, found + shift])
        made += self._pair()
        self._chunk += 1
        self._samples = self._samples[_STEPS * HOP :]
        self._first += _STEPS * HOP
        return made

    def _pair(self, last: bool = False) -> list[Segment]:
        number = self._chunk - 1
        codes, times = sound_print.landmarks(self._peaks, number * _STEPS, (number + 1) * _STEPS)
        rows = np.zeros(len(codes), PRINT)
        rows["code"], rows["at"] = codes, times - (number // _PER_BLOCK) * _PER_BLOCK * _STEPS
        self._prints = np.concatenate([self._prints, rows])
        self._peaks = self._peaks[self._peaks[:, 0] >= (number + 1) * _STEPS]
        ends = (number + 1) % _PER_BLOCK == 0 and not last
        return self._close(number // _PER_BLOCK) if ends else []

    def _close(self, block: int) -> list[Segment]:
        if not len(self._prints):
            return []
        prints, self._prints = self._prints, np.zeros(0, PRINT)
        first, last = (block * BLOCK + float(prints["at"][i]) * STEP for i in (0, -1))
        data = {"print": prints.tobytes(), "points": b"", "of": "sound", "aspect": 0.0}
        return [Segment(Span(first, min(last, self._end)), "print", self.source, data=data)]

    def state(self) -> dict[str, Any]:
        return {
            "samples": self._samples,
            "first": self._first,
            "chunk": self._chunk,
            "peaks": self._peaks,
            "prints": np.frombuffer(self._prints.tobytes(), np.uint8),
            "end": self._end,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._samples = np.asarray(state["samples"], np.float32)
        self._first, self._chunk, self._end = state["first"], state["chunk"], state["end"]
        self._peaks = np.asarray(state["peaks"], np.int64).reshape(-1, 2)
        self._prints = np.frombuffer(np.asarray(state["prints"], np.uint8).tobytes(), PRINT)
