"""Helpers for what listens: sound cut into windows as the ingest cuts it, and speech rendered by flite."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinescope.analysers.transcript import Transcript
from cinescope.analysers.voice import Voice
from cinescope.types import Material, Segment, Span, SubtitleTrack, Video, Waveform, Window

RATE = 16_000
VIDEO = Video("test", None, ())


def data_file(name: str) -> Path:
    folder = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
    if not (folder / name).exists():
        pytest.skip(f"the shared data is not here: {folder / name}")
    return folder / name


def read_wave(path: Path) -> np.ndarray:
    """float32 (S,) at 16 kHz from a 16-bit mono WAV."""
    with wave.open(str(path)) as opened:
        assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(opened.readframes(opened.getnframes()), "<i2").astype(np.float32) / 32768


def say(text: str, folder: Path, voice: str = "slt") -> np.ndarray:
    """Speech at 16 kHz; skips where flite is not installed."""
    if shutil.which("flite") is None:
        pytest.skip("flite, which speaks the test sentences, is not installed")
    file = folder / "said.wav"
    subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(file)], check=True)
    return read_wave(file)


def windows(samples: np.ndarray, start: float = 0.0, cuts: list[int] | None = None) -> list[Window]:
    """Windows that join, cut at these sample numbers, or every 2 s."""
    marks = [0, *(cuts if cuts is not None else range(2 * RATE, len(samples), 2 * RATE)), len(samples)]
    made = []
    for low, high in itertools.pairwise(marks):
        begin = start + low / RATE
        sound = Waveform(samples[None, low:high].astype(np.float32), RATE, begin)
        made.append(Window(Span(begin, start + high / RATE), sound=sound))
    return made


def listen(voice: Voice, fed: list[Window]) -> list[Segment]:
    voice.begin(Material(VIDEO))
    found = [segment for window in fed for segment in voice.feed(window)]
    return found + voice.finish()


def transcribe(
    fed: list[Window],
    voice: Voice | None = None,
    transcript: Transcript | None = None,
    tracks: tuple[SubtitleTrack, ...] = (),
    video: Video = VIDEO,
) -> list[Segment]:
    """Both analysers as the ingest runs them: transcript gets what voice has just told, the rest in a last window."""
    voice, transcript = voice or Voice(), transcript or Transcript()
    material = Material(video, tracks)
    voice.begin(material)
    transcript.begin(material)
    found: list[Segment] = []
    for window in fed:
        told = {"voice": tuple(voice.feed(window))}
        found += transcript.feed(Window(window.span, sound=window.sound, cues=window.cues, tracks=told))
    end = fed[-1].span.end
    found += transcript.feed(Window(Span(end, end), tracks={"voice": tuple(voice.finish())}))
    return found + transcript.finish()


def through_json(state: dict[str, Any]) -> dict[str, Any]:
    """The state as the library keeps it: bytes and back."""
    from cinescope.library.codec import pack, unpack

    return unpack(pack(state))
