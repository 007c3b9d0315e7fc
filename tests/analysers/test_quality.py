"""Faults drawn into small pictures. The measurement on encoded videos is benchmarks/senses.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from senses_feeding import feed_pictures

from cinescope.analysers.quality import Quality
from cinescope.types import BadQueryError, Frames, Material, Segment, Span, Video, Window

RATE = 25.0


def moving(seconds: float, seed: int = 0) -> np.ndarray:
    """A texture that drifts: (T, 36, 64, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(30, 225, (9, 40))
    wide = np.kron(coarse, np.ones((4, 8)))
    made = np.full((round(seconds * RATE), 36, 64, 3), 128, np.uint8)
    for number, picture in enumerate(made):
        at = number % 200
        picture[..., 0] = wide[:, at : at + 64]
    return made


def told(pictures: np.ndarray, **settings: float) -> list[tuple[float, float, str]]:
    made = feed_pictures(Quality(**settings), pictures, RATE)
    return [(round(s.span.start, 2), round(s.span.end, 2), s.text) for s in made]


def plain(seconds: float, colour: tuple[int, int, int], noise: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    made = np.full((round(seconds * RATE), 36, 64, 3), colour, np.float64)
    return np.clip(made + rng.normal(0, noise, made.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_black_and_single_colour(noise: float) -> None:
    parts = [moving(2), plain(1, (5, 128, 128), noise), moving(2, 1), plain(1.6, (90, 60, 170), noise), moving(2, 2)]
    assert told(np.concatenate(parts)) == [(2.0, 3.0, "black"), (5.0, 6.6, "single colour")]


def test_a_frozen_picture_and_a_slide() -> None:
    first, slide = moving(3), moving(1, 5)[:1]
    frozen = np.repeat(first[-1:], 75, axis=0)
    pictures = np.concatenate([first, frozen, moving(3, 1), np.repeat(slide, 75, axis=0)])
    made = feed_pictures(Quality(), pictures, RATE)
    assert [(s.text, s.data["fault"]) for s in made] == [("frozen", True), ("still", False)]
    assert made[0].span.start == pytest.approx(2.96)  # when the picture that stands came
    assert made[0].span.end == pytest.approx(6.0)
    assert (made[1].span.start, made[1].span.end) == (pytest.approx(9.0), pytest.approx(12.0))


def test_a_slide_that_comes_by_a_dissolve_is_not_frozen() -> None:
    first, slide = moving(3), moving(1, 5)[:1].astype(np.float64)
    shares = np.linspace(0, 1, 15)[1:-1, None, None, None]
    dissolve = np.round(first[-1:] * (1 - shares) + slide * shares).astype(np.uint8)
    pictures = np.concatenate([first, dissolve, np.repeat(slide.astype(np.uint8), 75, axis=0)])
    assert [k for _, _, k in told(pictures)] == ["still"]


def test_a_still_picture_that_is_coded_again_stays_one_segment() -> None:
    rng = np.random.default_rng(2)
    still = np.repeat(moving(1)[:1], 150, axis=0)
    for at in (40, 90, 130):  # key frames
        touched = rng.random((36, 64)) < 0.3
        still[at:, ..., 0] += touched.astype(np.uint8)
    assert told(still) == [(0.0, 6.0, "still")]


def test_a_calm_scene_is_not_still() -> None:
    """Before a camera noise changes a pixel here and there."""
    rng = np.random.default_rng(3)
    scene = np.repeat(moving(1)[:1], 150, axis=0)
    scene[..., 0] += (rng.random((150, 36, 64)) < 0.002).astype(np.uint8)
    assert told(scene) == []


@pytest.mark.parametrize(("every", "flickers"), [(1, True), (3, True), (5, False)])  # 12.5, 4.2, 2.5 flashes a second
def test_more_than_three_flashes_a_second_are_flicker(every: int, flickers: bool) -> None:
    pictures = moving(6)
    lit = np.arange(150) // every % 2 == 0
    flash = slice(50, 110)
    pictures[flash, ..., 0] = np.where(lit[flash, None, None], pictures[flash, ..., 0], pictures[flash, ..., 0] // 3)
    made = told(pictures)
    assert [k for _, _, k in made] == (["flicker"] if flickers else [])
    if flickers:
        assert made[0][0] == pytest.approx(2.0, abs=0.2)
        assert made[0][1] == pytest.approx(4.4, abs=0.2)


def test_small_changes_of_light_are_no_flicker() -> None:
    pictures = plain(4, (120, 100, 140))
    pictures[::2, ..., 0] = 124
    assert "flicker" not in [k for _, _, k in told(pictures)]


def test_short_ones_are_not_told_unless_asked_for() -> None:
    pictures = np.concatenate([moving(2), plain(0.32, (0, 128, 128)), moving(2, 1)])
    assert told(pictures) == []
    assert told(pictures, min_black=0.3) == [(2.0, 2.32, "black")]


def all_kinds() -> np.ndarray:
    first = moving(3)
    flash = moving(3, 4)
    flash[::2, ..., 0] //= 3
    return np.concatenate(
        [
            first,
            np.repeat(first[-1:], 70, axis=0),
            plain(1, (0, 128, 128)),
            flash,
            plain(1.3, (200, 90, 90)),
            moving(2, 7),
        ]
    )


def test_segments_come_in_order_and_survive_restarts() -> None:
    pictures = all_kinds()
    whole = feed_pictures(Quality(), pictures, RATE)
    assert [s.text for s in whole] == ["frozen", "black", "flicker", "single colour"]
    for size in (7, 24, 61):
        analyser: Any = Quality()
        material = Material(Video("test", None, ()))
        analyser.begin(material)
        made: list[Segment] = []
        for at in range(0, len(pictures), size):
            part = pictures[at : at + size]
            times = np.arange(at, at + len(part)) / RATE
            span = Span(float(times[0]), float(times[-1] + 1 / RATE))
            durations = (1 / RATE,) * len(part)
            made += analyser.feed(Window(span, frames=Frames(part, times, "yuv"), frame_durations=durations))
            state, analyser = analyser.state(), Quality()
            analyser.begin(material)
            analyser.restore(state)
        made += analyser.finish()
        assert made == whole


def test_one_picture_and_none() -> None:
    assert told(moving(0.04)) == []
    analyser = Quality()
    analyser.begin(Material(Video("test", 2.0, ())))
    assert analyser.feed(Window(Span(0.0, 2.0))) == []
    assert analyser.finish() == []


@pytest.mark.parametrize("settings", [{"min_black": 0.0}, {"min_still": float("nan")}, {"min_plain": 1e6}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(BadQueryError):
        Quality(**settings)


def damaged(windows: list[tuple[list[Span], list[Span]]], restart: bool = False) -> list[tuple[float, float, str, str]]:
    """Windows of two seconds, each with where its pictures and its sound are damaged."""
    analyser = Quality()
    material = Material(Video("", 2.0 * len(windows), ()))
    analyser.begin(material)
    made = []
    for number, (pictures, sound) in enumerate(windows):
        span = Span(2.0 * number, 2.0 * number + 2)
        made += analyser.feed(Window(span, damage=tuple(pictures), sound_damage=tuple(sound)))
        if restart:
            state, analyser = analyser.state(), Quality()
            analyser.begin(material)
            analyser.restore(state)
    made += analyser.finish()
    assert all(s.data["fault"] for s in made)
    return [(s.span.start, s.span.end, s.text, s.data["of"]) for s in made]


def test_damage_of_the_file_is_told_across_windows() -> None:
    windows = [
        ([Span(0.5, 0.6), Span(0.7, 0.8), Span(1.9, 2.0)], [Span(1.5, 2.0)]),
        ([Span(2.0, 4.0)], [Span(2.0, 2.1)]),
        ([Span(4.0, 4.2), Span(5.0, 5.04)], []),
        ([], []),
        ([Span(7.9, 8.0)], []),
    ]
    expected = [
        (0.5, 0.8, "corrupted", "picture"),
        (1.5, 2.1, "corrupted", "sound"),
        (1.9, 4.2, "corrupted", "picture"),
        (5.0, 5.04, "corrupted", "picture"),
        (7.9, 8.0, "corrupted", "picture"),
    ]
    assert damaged(windows) == damaged(windows, restart=True) == expected


def test_damage_beside_a_picture_that_stands() -> None:
    """What began before the damage is told before it, however late it ends."""
    pictures = np.repeat(moving(1)[:1], 150, axis=0)
    analyser = Quality()
    analyser.begin(Material(Video("", 6.0, ())))
    made = []
    for number in range(3):
        times = np.arange(50 * number, 50 * number + 50) / RATE
        frames = Frames(pictures[:50], times, "yuv")
        hurt = (Span(3.0, 3.5),) if number == 1 else ()
        made += analyser.feed(Window(Span(2.0 * number, 2.0 * number + 2), frames, (1 / RATE,) * 50, damage=hurt))
    made += analyser.finish()
    assert [(s.span.start, s.span.end, s.text) for s in made] == [(0.0, 6.0, "still"), (3.0, 3.5, "corrupted")]
