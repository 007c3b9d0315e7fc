"""Picture features of real films, read by their own needs: what is known of the films is seen at its time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cinescope.features.clips import load_clip
from cinescope.features.signal.colour_features import ColourHistogram
from cinescope.features.signal.flow_features import Flow
from cinescope.features.signal.pixels import FrameStatistics
from cinescope.types import Span


def test_fades_are_darkest_where_they_should_be(data: Path) -> None:
    extractor = FrameStatistics(size=64, rate=None)
    made = extractor(load_clip(data / "media" / "pyscenedetect__fades.mp4", extractor.needs))
    bright = made.values[:, 0]
    for floor in (0, 84, 167):
        near = slice(max(0, floor - 10), floor + 11)
        assert abs(int(bright[near].argmin()) + near.start - floor) <= 1
    assert bright[244] >= 12 / 255 > bright[245]  # the last fade goes on to the end; its floor is where it passes 12
    assert np.array_equal(made.times[1:, 0], made.times[:-1, 1])


def test_colours_change_most_at_a_cut(data: Path) -> None:
    extractor = ColourHistogram(rate=None)
    clip = load_clip(data / "media" / "moviepy__big_buck_bunny_0_30.webm", extractor.needs, Span(10.0, 14.0))
    made = extractor(clip)
    step = np.abs(np.diff(made.values, axis=0)).sum(axis=1).argmax()
    assert abs(made.times[step + 1, 0] - 11.79) < 0.06


def test_a_late_start_is_minded(data: Path) -> None:
    extractor = Flow()
    clip = load_clip(data / "media" / "pyscenedetect__delayed_start.mp4", extractor.needs)
    made = extractor(clip)
    assert len(made)
    assert made.times.min() >= 1.07
    assert made.times.max() <= clip.span.end
