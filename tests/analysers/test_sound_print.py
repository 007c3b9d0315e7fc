"""Prints of sound: the same however it is cut into windows, none of silence, at the times where things are heard."""

from __future__ import annotations

import numpy as np
import pytest
from tests.like_films import RATE, sound

from cinescope.analysers.sound_print import BLOCK, PRINT, SPACE, SoundPrint
from cinescope.features.signal.sound_print import STEP
from cinescope.features.signal.timbre import TIMBRE
from cinescope.types import Material, Segment, Span, Video, Waveform, Window


def run(samples: np.ndarray, window: float = 2.0, start: float = 0.0, interrupt: bool = False) -> list[Segment]:
    def fresh() -> SoundPrint:
        made = SoundPrint()
        made.begin(Material(Video("", None, ())))
        return made

    analyser, found = fresh(), []
    step = round(window * RATE)
    for first in range(0, len(samples), step):
        piece = samples[first : first + step]
        at = start + first / RATE
        wave = Waveform(piece[None], RATE, at)
        found += analyser.feed(Window(Span(at, at + len(piece) / RATE), sound=wave))
        if interrupt:
            state = analyser.state()
            analyser = fresh()
            analyser.restore(state)
    return found + analyser.finish()


def marks(found: list[Segment]) -> set[tuple[int, int]]:
    """(code, spectra since time 0) of all landmarks."""
    made = set()
    for s in found:
        if s.kind == "print":
            begin = round(np.floor((s.span.start + 5e-4) / BLOCK) * BLOCK / STEP)
            of_block = np.frombuffer(s.data["print"], PRINT)
            made |= {(int(c), int(a) + begin) for c, a in zip(of_block["code"], of_block["at"], strict=True)}
    return made


def test_windows_and_interruptions_change_nothing() -> None:
    samples = sound(1, 46.0)
    whole = run(samples)
    assert len(marks(whole)) > 300
    assert [s.kind for s in whole].count("print") == 3
    for other in (run(samples, 0.5), run(samples, 11.0), run(samples, 2.0, interrupt=True)):
        assert marks(other) == marks(whole)
        assert [s for s in other if s.kind == "timbre"] == [s for s in whole if s.kind == "timbre"]


def test_a_sound_that_starts_later_has_its_landmarks_later() -> None:
    samples = sound(2, 12.0)
    early, late = marks(run(samples)), marks(run(samples, start=8.0))
    moved = {(code, at + round(8.0 / STEP)) for code, at in early}
    assert len(moved & late) > 0.9 * len(early)


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_has_nothing(level: float) -> None:
    samples = (np.random.default_rng(0).normal(0, 1, 10 * RATE) * level).astype(np.float32)
    assert run(samples) == []


def test_a_video_without_sound_has_nothing() -> None:
    analyser = SoundPrint()
    analyser.begin(Material(Video("", None, ())))
    assert analyser.feed(Window(Span(0, 2))) == []
    assert analyser.finish() == []


def test_timbre_every_four_seconds_and_not_of_a_rest() -> None:
    made = [s for s in run(sound(1, 8.5)) if s.kind == "timbre"]
    assert [(s.span.start, s.span.end) for s in made] == [(0.0, 4.0), (4.0, 8.0)]
    assert all(s.data["space"] == SPACE and len(s.data["vector"]) == TIMBRE for s in made)


def test_ten_milliseconds_are_no_error() -> None:
    assert all(s.span.end <= 0.01 for s in run(sound(1, 1.0)[:160]))
