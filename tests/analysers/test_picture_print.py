"""Prints of pictures: on their grid, none of what is plain, the same however the film is cut into windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.like_films import picture

from cinescope.analysers.picture_print import BLOCK, POINTS, PRINT, RATE, SPACE, PicturePrint
from cinescope.features.signal.picture_print import LOOK, differing
from cinescope.types import Frames, Material, Segment, Span, Video, Window


def run(pictures: np.ndarray, window: float = 2.0, start: float = 0.0, interrupt: bool = False) -> list[Segment]:
    """Feeds pictures at RATE in windows of so many seconds."""
    times = start + np.arange(len(pictures)) / RATE
    end = start + len(pictures) / RATE
    analyser = PicturePrint()
    analyser.begin(Material(Video("", None, ())))
    found: list[Segment] = []
    at = start
    while at < end:
        inside = (times >= at - 1e-9) & (times < at + window - 1e-9)
        frames = Frames(pictures[inside], times[inside]) if inside.any() else None
        found += analyser.feed(Window(Span(at, at + window), frames))
        at += window
        if interrupt:
            state = analyser.state()
            analyser = PicturePrint()
            analyser.begin(Material(Video("", None, ())))
            analyser.restore(state)
    return found + analyser.finish()


def film(seconds: float) -> np.ndarray:
    return np.stack([picture(3, k / RATE, (160, 96)) for k in range(round(seconds * RATE))])


def prints(found: list[Segment]) -> list[tuple[Span, np.ndarray, np.ndarray]]:
    return [
        (s.span, np.frombuffer(s.data["print"], PRINT), np.frombuffer(s.data["points"], POINTS))
        for s in found
        if s.kind == "print"
    ]


def rows(found: list[Segment]) -> list[tuple[str, Span, Any]]:
    return sorted((s.kind, s.span, s.data.get("print", s.data.get("vector"))) for s in found)


def test_a_print_for_every_picture_in_blocks_on_the_grid() -> None:
    made = prints(run(film(25.0)))
    assert [(s.start, s.end) for s, _, _ in made] == [(0.0, 19.5), (20.0, 24.5)]
    assert [len(p) for _, p, _ in made] == [40, 10]
    assert made[1][1]["time"].tolist() == pytest.approx(np.arange(10) / RATE)
    for _, of_block, points in made:
        assert len(points)
        assert points["print"].max() < len(of_block)


def test_windows_and_interruptions_change_nothing() -> None:
    pictures = film(24.0)
    whole = rows(run(pictures))
    assert rows(run(pictures, window=0.5)) == whole
    assert rows(run(pictures, window=7.0)) == whole
    assert rows(run(pictures, window=2.0, interrupt=True)) == whole


def test_a_film_that_starts_late_keeps_its_times() -> None:
    made = prints(run(film(4.0), start=38.0))
    assert [s.start for s, _, _ in made] == [38.0, 40.0]
    assert made[0][1]["time"][0] == pytest.approx(38.0 - BLOCK)


def test_plain_pictures_have_neither_prints_nor_looks() -> None:
    assert run(np.full((20, 96, 160, 3), 70, np.uint8)) == []
    black_between = film(6.0)
    black_between[4:8] = 0
    made = run(black_between)
    assert [len(p) for _, p, _ in prints(made)] == [8]
    assert not any(s.span.overlaps(Span(2.0, 4.0)) for s in made if s.kind == "look")


def test_a_still_picture_is_one_look_of_ten_seconds_and_has_points_once_a_block() -> None:
    made = run(np.repeat(film(0.5), 60, axis=0))
    looks = [s for s in made if s.kind == "look"]
    assert [(s.span.start, s.span.end) for s in looks] == [(0.0, 10.0), (10.0, 20.0), (20.0, 30.0)]
    assert all(s.data["space"] == SPACE and len(s.data["vector"]) == LOOK for s in looks)
    assert [len(set(points["print"].tolist())) for _, _, points in prints(made)] == [1, 1]


def test_codes_tell_scenes_apart() -> None:
    _, found, _ = prints(run(film(8.0)))[0]
    codes = found["codes"][:, 0]
    assert differing(codes[0], codes[1]) < differing(codes[0], codes[4])


def test_settings_are_checked() -> None:
    for odd in ({"rate": 0.0}, {"rate": 100.0}, {"points_every": 0.0}):
        with pytest.raises(ValueError, match="prints need"):
            PicturePrint(**odd)
