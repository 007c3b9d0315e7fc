"""Sound into WAV and FLAC files, 16 bits a sample. Knows nothing of where it comes from.

The file appears whole under its name when it is closed, or not at all.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import numpy as np

from cinescope.media.opening import FilePath
from cinescope.media.writing import whole_file
from cinescope.types import BadQueryError, Waveform

_CODECS = {".wav": ("wav", "pcm_s16le", "s16"), ".flac": ("flac", "flac", "s16")}
_LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
FLAC_RATE = 655_350  # hertz, the most that a FLAC header can state (RFC 9639, section 8.2)


class SoundWriter:
    """Stretches in order, without gaps, into .wav (RF64 where it grows beyond 4 GB) or .flac.

    A sample x in [-1, 1] is written as round(32768 x), so that 16-bit sound comes back bit for bit.
    """

    def __init__(self, path: FilePath, sample_rate: int, channels: int) -> None:
        suffix = Path(os.fspath(path)).suffix.lower()
        if suffix not in _CODECS:
            raise BadQueryError(f"'{suffix}' is no sound format here", "use .wav or .flac")
        if channels not in _LAYOUTS:
            raise BadQueryError(f"a sound file of {channels} channels cannot be written", "use 1 to 8")
        if not 1 <= sample_rate <= FLAC_RATE:
            raise BadQueryError(f"{sample_rate} samples a second cannot be written", f"use 1 to {FLAC_RATE}")
        form, codec, self._form = _CODECS[suffix]
        self.samples = 0  # written so far, in each channel
        self._rate, self._layout = sample_rate, _LAYOUTS[channels]
        with ExitStack() as stack:
            part = stack.enter_context(whole_file(path))
            options = {"rf64": "auto"} if form == "wav" else {}
            self._out = av.open("file:" + os.fspath(part.absolute()), "w", format=form, container_options=options)
            stack.callback(self._out.close)
            self._stream: Any = self._out.add_stream(codec, rate=sample_rate)
            self._stream.codec_context.layout = self._layout
            self._stream.codec_context.format = self._form
            self._out.start_encoding()
            self._stack = stack.pop_all()

    def write(self, wave: Waveform) -> None:
        values = np.clip(np.rint(wave.data * 32768.0), -32768, 32767).astype(np.int16)
        try:
            for at in range(0, values.shape[1], self._rate):
                packed = np.ascontiguousarray(values[:, at : at + self._rate].T).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(packed, self._form, self._layout)
                frame.sample_rate = self._rate
                frame.time_base = Fraction(1, self._rate)
                frame.pts = self.samples
                self.samples += packed.shape[1] // values.shape[0]
                self._out.mux(self._stream.encode(frame))
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise

    def __enter__(self) -> SoundWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._out.mux(self._stream.encode(None))
            except BaseException as late:
                self._stack.__exit__(type(late), late, late.__traceback__)
                raise
        self._stack.__exit__(kind, error, trace)
