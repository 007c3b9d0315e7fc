"""Thumbnails: one inside every shot, near its key, never blank, within budget, the same however they are fed."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from cinescope.analysers.thumbnails import HOLD, RATE, Thumbnails
from cinescope.types import Frames, Material, Segment, Source, Span, Video, Window

MATERIAL = Material(Video("", None, ()))
SOURCE = Source("shots", "test")
HEIGHT, WIDTH = 36, 64


def picture(time: float, blank: bool = False) -> np.ndarray:
    """Tells its time by the brightness of its left half, one step for each half second up to 200 s."""
    made = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    if not blank:
        made[:, : WIDTH // 2] = round(time * RATE) % 400 // 2 + 40
        made[::2, WIDTH // 2 :] = 255
    return made


def told_time(segment: Segment) -> float:
    decoded = cv2.imdecode(np.frombuffer(segment.data["jpeg"], np.uint8), cv2.IMREAD_COLOR)
    return float((decoded[:, 4:24].mean() - 40) * 2 / RATE)


def shot(start: float, end: float, key: float) -> Segment:
    return Segment(Span(start, end), "shot", SOURCE, data={"key": key, "cut": "cut"})


def thumbnails(
    shots: list[Segment],
    length: float,
    blank: tuple[float, float] = (0.0, 0.0),
    early: bool = False,
    restart: bool = False,
    **settings: float,
) -> list[Segment]:
    """Windows of two seconds; each shot is told when its end comes in sight, or with `early` all of them at once."""
    analyser = Thumbnails(**settings)  # type: ignore[arg-type]
    analyser.begin(MATERIAL)
    found: list[Segment] = []
    waiting = list(shots)
    for start in np.arange(0.0, length, 2.0):
        span = Span(float(start), float(start + 2))
        times = np.arange(np.ceil(start * RATE), min(span.end, length) * RATE) / RATE
        frames = Frames(np.stack([picture(t, blank[0] <= t < blank[1]) for t in times]), times)
        ready = [s for s in waiting if early or s.span.end <= span.end + analyser.needs.look_back - 0.5]
        waiting = [s for s in waiting if s not in ready]
        found += analyser.feed(Window(span, frames, (1 / RATE,) * len(times), tracks={"shots": tuple(ready)}))
        if restart:
            state = analyser.state()
            analyser = Thumbnails(**settings)  # type: ignore[arg-type]
            analyser.begin(MATERIAL)
            analyser.restore(state)
    if waiting:
        found += analyser.feed(Window(Span(length, length), tracks={"shots": tuple(waiting)}))
    return found + analyser.finish()


def times_of(found: list[Segment]) -> list[float]:
    assert all(s.kind == "thumbnail" and s.span.start == s.span.end for s in found)
    return [s.span.start for s in found]


def test_each_shot_has_one_nearest_its_key() -> None:
    found = thumbnails([shot(0, 4.2, 1.9), shot(4.2, 7, 6.9), shot(7, 10, 8.2)], 10)
    assert times_of(found) == [2.0, 6.5, 8.0]
    assert [told_time(s) for s in found] == pytest.approx([2.0, 6.5, 8.0], abs=1.5)


@pytest.mark.parametrize("offset", [0.0, 0.17, 0.33, 0.49])
def test_every_shot_of_half_a_second_has_one_inside(offset: float) -> None:
    ends = np.arange(12) * 0.5 + 0.5 + offset
    shots = [shot(float(a), float(b), float(a)) for a, b in itertools.pairwise([0.0, *ends])]
    times = times_of(thumbnails(shots, 8.0))
    for s in shots[1:]:
        assert sum(s.span.contains(t) for t in times) == 1


def test_long_shots_have_more_and_none_is_far_from_the_next() -> None:
    for key in (3.0, 20.2, 39.9):
        times = times_of(thumbnails([shot(0, 45, key)], 45))
        assert min(abs(t - key) for t in times) <= 0.25
        assert max(b - a for a, b in itertools.pairwise([0.0, *times, 45.0])) <= 10
        assert len(times) <= 9


def test_a_shot_that_runs_for_minutes_gives_pictures_while_it_runs() -> None:
    analyser = Thumbnails()
    analyser.begin(MATERIAL)
    given: list[Segment] = []
    for start in np.arange(0.0, 300.0, 2.0):
        times = start + np.arange(4) / RATE
        given += analyser.feed(Window(Span(start, start + 2), Frames(np.stack([picture(t) for t in times]), times)))
        assert start - (given[-1].span.start if given else 0.0) <= HOLD + 12
    assert sum(analyser.state()["sizes"]) < 2_000_000
    given += analyser.feed(Window(Span(300, 300), tracks={"shots": (shot(0, 300, 40.0),)}))
    times = times_of(given + analyser.finish())
    assert times == sorted(times)
    assert max(b - a for a, b in itertools.pairwise([0.0, *times, 300.0])) <= 10
    assert len(times) < 65


def test_blank_pictures_only_where_there_is_nothing_else() -> None:
    both = [shot(0, 6, 1.0), shot(6, 12, 11.0)]
    assert times_of(thumbnails(both, 12, blank=(0, 3))) == [3.0, 11.0]
    assert times_of(thumbnails(both, 12, blank=(0, 6))) == [1.0, 11.0]
    times = times_of(thumbnails([shot(0, 50, 40.0)], 50, blank=(0, 33)))
    assert times
    assert min(times) >= 33


@pytest.mark.parametrize("settings", [{}, {"every": 3.0}, {"bytes_per_minute": 3000}])
def test_the_same_however_shots_are_told_and_wherever_it_goes_on(settings: dict[str, float]) -> None:
    shots = [shot(0, 5.5, 2.0), shot(5.5, 31, 30.0), shot(31, 31.5, 31.0), shot(31.5, 120, 100.0)]
    whole = thumbnails(shots, 120, **settings)
    assert len(whole) > 5
    assert thumbnails(shots, 120, early=True, **settings) == whole
    assert thumbnails(shots, 120, restart=True, **settings) == whole


def test_the_budget_holds_and_pictures_of_keys_go_last() -> None:
    shots = [shot(float(t), t + 20.0, t + 1.0) for t in range(0, 600, 20)]
    free = thumbnails(shots, 600)
    size = max(len(s.data["jpeg"]) for s in free)
    budget = size * 4  # enough for the three keys of a minute, not for what comes between
    tight = thumbnails(shots, 600, bytes_per_minute=budget)
    assert sum(len(s.data["jpeg"]) for s in tight) <= budget * 11
    assert len(free) > len(tight) > 25
    keys = {t + 1.0 for t in range(0, 600, 20)}
    assert keys <= set(times_of(tight))


def test_without_shots_there_are_still_pictures() -> None:
    times = times_of(thumbnails([], 30))
    assert max(b - a for a, b in itertools.pairwise([0.0, *times, 30.0])) <= 10


def test_a_picture_that_stands_is_written_once() -> None:
    analyser = Thumbnails()
    analyser.begin(MATERIAL)
    still = np.repeat(picture(1.0)[None], 4, 0)
    analyser.feed(Window(Span(0, 2), Frames(still, np.arange(4) / RATE)))
    assert len({c.jpeg for c in analyser._waiting}) == 1


@pytest.mark.parametrize(
    "wrong", [{"size": 3}, {"every": 0}, {"quality": 0}, {"quality": 101}, {"bytes_per_minute": 0}]
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="thumbnails need"):
        Thumbnails(**wrong)  # type: ignore[arg-type]


def test_settings_are_in_the_source() -> None:
    assert Thumbnails(size=200).source.key != Thumbnails().source.key
    assert Thumbnails().needs.frames is not None
    assert Thumbnails(size=200).needs.frames.size == 200  # type: ignore[union-attr]
