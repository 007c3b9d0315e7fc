"""One segment a shot, with what its pictures are like."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from senses_feeding import feed_pictures

from cinescope.analysers.picture_stats import RATE, PictureStats
from cinescope.types import BadQueryError, Material, Span, Video, Window

RED, BLUE, GREY = (54, 99, 255), (18, 255, 116), (100, 128, 128)  # Y, U, V; full range, BT.709


def plain(*parts: tuple[tuple[int, int, int], float]) -> np.ndarray:
    """(colour, seconds) one after the other."""
    return np.concatenate([np.full((round(s * RATE), 90, 160, 3), c, np.uint8) for c, s in parts])


def test_every_shot_has_its_colours() -> None:
    made = feed_pictures(PictureStats(), plain((RED, 3), (BLUE, 4), (GREY, 1)), RATE, shots=[3.0, 7.0])
    assert [(s.span.start, s.span.end) for s in made] == [(0, 3), (3, 7), (7, 8)]
    assert [s.data["colours"][0]["name"] for s in made] == ["red", "blue", "grey"]
    assert made[0].data["colours"][0]["share"] == 1.0
    assert made[2].data["brightness"] == pytest.approx(100 / 255, abs=0.002)
    assert made[2].data["contrast"] == made[2].data["colourfulness"] == made[2].data["saturation"] == 0
    assert made[0].data["saturation"] > 0.9
    assert made[0].data["colourfulness"] > made[2].data["colourfulness"]


def test_a_long_shot_is_told_in_pieces_and_a_short_rest_joins_the_last() -> None:
    for length, expected in [(22.0, [10, 20, 22]), (24.0, [10, 20, 24])]:
        spans = [s.span for s in feed_pictures(PictureStats(), plain((GREY, length)), RATE)]
        assert [s.end for s in spans] == ([10.0, 22.0] if expected[-1] - expected[-2] < 2.5 else expected)
        assert spans[0].start == 0
        assert all(a.end == b.start for a, b in itertools.pairwise(spans))


def test_pieces_are_the_same_however_early_the_shots_are_told() -> None:
    pictures = plain((RED, 13), (BLUE, 12), (GREY, 0.5), (RED, 2))
    analyser = PictureStats()
    shots = [13.0, 25.0, 25.5]
    late = feed_pictures(analyser, pictures, RATE, shots=shots)
    assert [s.span.end for s in late] == [10, 13, 25, 25.5, 27.5]
    early = PictureStats()
    early.needs = type(early.needs)(early.needs.frames, tracks=("shots",), look_back=20.0)
    assert feed_pictures(early, pictures, RATE, shots=shots) == late


def test_the_last_segment_ends_with_the_video() -> None:
    made = feed_pictures(PictureStats(), plain((RED, 3)), RATE, duration=2.9)
    assert made[-1].span.end == 2.9


def test_nothing_seen_nothing_told() -> None:
    analyser = PictureStats()
    analyser.begin(Material(Video("test", 4.0, ())))
    assert analyser.feed(Window(Span(0.0, 2.0))) == []
    assert analyser.finish() == []


def test_one_picture() -> None:
    made = feed_pictures(PictureStats(), plain((BLUE, 0.25)), RATE)
    assert [(s.span.start, s.span.end) for s in made] == [(0.0, 0.25)]


@pytest.mark.parametrize("piece", [0.0, float("nan"), 1e9])
def test_settings_that_mean_nothing_are_refused(piece: float) -> None:
    with pytest.raises(BadQueryError):
        PictureStats(piece=piece)
