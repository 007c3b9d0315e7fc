"""The analysers of one video over one pass: what waits for another's track."""

from __future__ import annotations

import gc
import weakref

import fakes
import numpy as np
import pytest

from cinescope import analysers
from cinescope.library.analysis import Job, _Runner
from cinescope.library.feeding import Slice
from cinescope.types import FrameNeed, Frames, Material, SoundNeed, Span, Video, Waveform


def test_what_waits_keeps_only_its_own_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """`late` waits four seconds for `eye`: neither eye's pictures nor the sound may be kept so long."""
    monkeypatch.setattr(analysers, "CATALOGUE", dict(fakes.CATALOGUE))
    runner = _Runner(Job("late", {}, "late@1"), Material(Video("", 8.0, ())), {}, 0.0)
    own, others = FrameNeed(1.0, 32, "grey"), FrameNeed(None, (640, 360), "rgb")
    fed: list[int] = []
    kept, dropped = [], []
    for start in (0.0, 2.0):
        times = np.array([start])
        small, large = np.zeros((1, 18, 32, 1), np.uint8), np.zeros((1, 360, 640, 3), np.uint8)
        heard = np.zeros((1, 32_000), np.float32)
        kept.append(weakref.ref(small))
        dropped += [weakref.ref(large), weakref.ref(heard)]
        frames = {own: (Frames(small, times, "grey"), (2.0,)), others: (Frames(large, times, "rgb"), (2.0,))}
        sound = {SoundNeed(16_000): Waveform(heard, 16_000, start)}
        runner.offer(Slice(Span(start, start + 2), frames, sound, {}))
        fed.append(len(runner.run(start + 2)))
        del small, large, heard, frames, sound
    gc.collect()
    assert fed == [0, 0]
    assert all(picture() is not None for picture in kept)
    assert not any(other() is not None for other in dropped)
