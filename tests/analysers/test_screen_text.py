from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cinescope.analysers.screen_text import ScreenText
from cinescope.features.text import ocr
from cinescope.types import Frames, Material, Segment, Span, Video, Window

if ocr.missing():
    pytest.skip(f"text cannot be read here: {ocr.missing()}", allow_module_level=True)

DATA = Path(os.environ.get("CINESCOPE_TEST_DATA", "../shared/data"))
STEP = 0.5  # seconds
Paint = Callable[[float], np.ndarray]


def plain(level: int = 60) -> np.ndarray:
    return np.full((360, 640, 3), level, np.uint8)


def write(
    picture: np.ndarray, text: str, x: int = 60, y: int = 300, size: float = 1.0, alpha: float = 1.0
) -> np.ndarray:
    layer = picture.copy()
    cv2.putText(layer, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 2, cv2.LINE_AA)
    return cv2.addWeighted(layer, alpha, picture, 1 - alpha, 0)


def grain(picture: np.ndarray, time: float) -> np.ndarray:
    """What coding leaves: another pattern of faint noise in every picture."""
    rng = np.random.default_rng(int(time * 1000) + 1)
    return np.clip(picture + rng.normal(0, 3, picture.shape[:2])[:, :, None], 0, 255).astype(np.uint8)


def windows(paint: Paint, length: float, start: float = 0.0) -> list[Window]:
    made = []
    for number in range(int(start), int(np.ceil(length / 2))):
        times = np.arange(4) * STEP + 2.0 * number
        times = times[times < length]
        data = np.stack([grain(paint(float(t)), float(t)) for t in times])
        made.append(Window(Span(2.0 * number, 2.0 * number + 2), Frames(data, times), (STEP,) * len(times)))
    return made


def run(paint: Paint, length: float, **settings: Any) -> tuple[list[Segment], ScreenText]:
    analyser = ScreenText(**settings)
    analyser.begin(Material(Video("v", length, ())))
    made = [s for w in windows(paint, length) for s in analyser.feed(w)]
    return made + analyser.finish(), analyser


def told(segments: list[Segment]) -> list[tuple[str, float, float]]:
    return sorted(((s.text, s.span.start, s.span.end) for s in segments), key=lambda t: t[1:])


def test_a_line_that_stands_is_one_segment_and_read_once() -> None:
    made, analyser = run(lambda t: write(plain(), "Annual report") if 2 <= t < 14 else plain(), 18)
    assert told(made) == [("Annual report", 2.0, 14.0)]
    (line,) = made
    assert line.kind == "screen"
    assert line.score is not None
    assert line.score > 0.9
    assert line.box == pytest.approx((0.09, 0.75, 0.46, 0.87), abs=0.05)
    assert line.data["readings"] <= 2
    assert analyser.calls["detect"] <= 4


def test_no_line_outlasts_the_video() -> None:
    analyser = ScreenText()
    analyser.begin(Material(Video("v", 3.7, ())))
    made = [s for w in windows(lambda t: write(plain(), "Annual report"), 4) for s in analyser.feed(w)]
    assert told(made + analyser.finish()) == [("Annual report", 0.0, 3.7)]


def test_noise_and_an_arm_before_it_do_not_cut_a_line() -> None:
    def paint(time: float) -> np.ndarray:
        picture = write(plain(), "Annual report")
        if 6 <= time < 7:
            picture[220:330, 40:400] = 120
        return picture

    assert told(run(paint, 12)[0]) == [("Annual report", 0.0, 12.0)]


def test_a_line_over_a_moving_ground_is_one_segment() -> None:
    rng = np.random.default_rng(3)
    ground = cv2.resize(rng.integers(20, 150, (30, 120, 3), dtype=np.uint8), (2400, 600), interpolation=cv2.INTER_CUBIC)

    def paint(time: float) -> np.ndarray:
        picture = ground[int(20 * time) : int(20 * time) + 360, int(60 * time) : int(60 * time) + 640].copy()
        return write(picture, "Live from the river", size=1.2) if 3 <= time < 9 else picture

    assert told(run(paint, 12)[0]) == [("Live from the river", 3.0, 9.0)]


def test_subtitles_follow_each_other_in_one_place() -> None:
    says = ["Where were you yesterday", "I was at the market", "You were not there"]
    made, _ = run(lambda t: write(plain(), says[min(2, int(t // 3))]), 9)
    assert told(made) == [(text, 3.0 * n, 3.0 * n + 3) for n, text in enumerate(says)]
    assert {s.language for s in made} == {"en"}


def test_a_line_typed_letter_by_letter_is_one_segment_with_its_last_reading() -> None:
    text = "Breaking news tonight"
    made, _ = run(lambda t: write(plain(), text[: max(1, int(6 * (t - 0.6)))]) if t >= 1 else plain(), 10)
    assert [s.text for s in made] == [text]
    assert made[0].span.start <= 2.0
    assert made[0].span.end == 10.0


def test_a_line_stands_from_half_faded_in_to_half_faded_out() -> None:
    def paint(time: float) -> np.ndarray:
        return write(plain(), "Chapter seven", alpha=float(np.clip(min(time - 2, 8 - time) / 1.5, 0, 1)))

    assert told(run(paint, 10)[0]) == [("Chapter seven", 3.0, 7.5)]


def test_a_counter_makes_one_segment_a_reading() -> None:
    made, _ = run(lambda t: write(plain(), f"Frame {int(t * 25):04d}", size=1.4), 6)
    assert told(made) == [(f"Frame {int(k * 12.5):04d}", k / 2, k / 2 + STEP) for k in range(12)]
    assert all(s.data["counter"] for s in made)


def test_rolling_lines_are_followed() -> None:
    names = ["Directed by Anna Weber", "Camera Li Ming", "Music Paul Stone"]

    def paint(time: float) -> np.ndarray:
        picture = plain(0)
        for number, name in enumerate(names):
            write_at = 400 + 70 * number - int(50 * time)
            if -20 < write_at < 400:
                picture = write(picture, name, y=write_at)
        return picture

    made, _ = run(paint, 12)
    assert sorted(s.text for s in made) == sorted(names)
    assert all(s.data["moving"] for s in made)
    assert all(s.span.duration > 4 for s in made)


def test_a_picture_that_stands_alone_is_read() -> None:
    made, _ = run(lambda t: write(plain(), "Only one picture"), 0.5)
    assert told(made) == [("Only one picture", 0.0, 0.5)]


def test_nothing_is_invented_on_texture() -> None:
    rng = np.random.default_rng(4)
    bricks = np.kron(rng.integers(60, 200, (18, 20), dtype=np.uint8), np.ones((20, 32), np.uint8))
    bricks[::20] = bricks[:, ::32] = 30
    made, _ = run(lambda t: np.repeat(np.roll(bricks, int(4 * t), 1)[:, :, None], 3, 2), 6)
    assert made == []


def mixed(time: float) -> np.ndarray:
    picture = write(plain(), "Stands all the time", y=60)
    if 2 <= time < 5:
        picture = write(picture, "First caption here", alpha=min(1.0, (time - 1.5) / 1.5))
    if 5 <= time < 9:
        picture = write(picture, f"Count {int(time * 10)}", x=60 + int(10 * time))
    return picture


def slides(time: float) -> np.ndarray:
    """720p; the second slide has small print."""
    picture = np.full((720, 1280, 3), 40, np.uint8)
    if time < 4:
        return write(picture, "First slide", size=2)
    return write(write(picture, "Second slide", size=2), "small print at the foot of it", y=690, size=0.35)


def test_small_print_of_a_slide_is_found() -> None:
    made, analyser = run(slides, 10)
    assert ("Second slide", 4.0, 10.0) in told(made)
    small = [s for s in made if s.box is not None and s.box[1] > 0.9]
    assert len(small) == 1
    assert "foot" in small[0].text
    assert analyser.calls["detect"] <= 5


@pytest.mark.parametrize(("paint", "least"), [(mixed, 8), (slides, 3)])
def test_a_run_that_goes_on_gives_the_same_segments(paint: Paint, least: int) -> None:
    whole, _ = run(paint, 12)
    assert len(whole) >= least
    analyser, made = ScreenText(), []
    analyser.begin(Material(Video("v", 12.0, ())))
    for window in windows(paint, 12):
        for part in singles(window):
            made += analyser.feed(part)
            state = analyser.state()
            analyser = ScreenText()
            analyser.begin(Material(Video("v", 12.0, ())))
            analyser.restore(state)
    assert sorted(made + analyser.finish(), key=str) == sorted(whole, key=str)
    assert sum(a.nbytes for a in _arrays(state)) < 2_000_000


def singles(window: Window) -> list[Window]:
    frames = window.frames
    assert frames is not None
    return [
        Window(Span(float(t), float(t) + STEP), Frames(frames.data[k : k + 1], frames.times[k : k + 1]), (STEP,))
        for k, t in enumerate(frames.times)
    ]


def _arrays(value: Any) -> list[np.ndarray]:
    if isinstance(value, np.ndarray):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [a for v in inner for a in _arrays(v)]


def test_a_stream_that_changes_its_size_goes_on() -> None:
    analyser = ScreenText()
    analyser.begin(Material(Video("v", 8.0, ())))
    made = []
    for window in windows(lambda t: write(plain(), "Before and after"), 8):
        frames = window.frames
        assert frames is not None
        if window.span.start >= 4:
            frames = Frames(np.ascontiguousarray(frames.data[:, 20:340, 10:600]), frames.times)
        made += analyser.feed(Window(window.span, frames, window.frame_durations))
    made += analyser.finish()
    assert told(made) == [("Before and after", 0.0, 4.0), ("Before and after", 4.0, 8.0)]


@pytest.mark.parametrize("shape", [(1, 1), (2, 500), (7, 7), (500, 3)])
def test_pictures_too_small_for_text_are_no_error(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    made, _ = run(lambda t: rng.integers(0, 255, (*shape, 3), dtype=np.uint8), 4)
    assert made == []


def test_windows_without_pictures_are_passed_over() -> None:
    analyser = ScreenText()
    analyser.begin(Material(Video("v", 4.0, ())))
    assert analyser.feed(Window(Span(0, 2))) == []
    assert analyser.finish() == []


def test_threads_do_not_make_another_source() -> None:
    assert ScreenText(threads=2).source.key == ScreenText().source.key
    assert ScreenText(rate=1.0).source.key != ScreenText().source.key


def test_the_titles_of_a_film() -> None:
    clip = DATA / "media" / "moviepy__big_buck_bunny_0_30.webm"
    if not clip.exists():
        pytest.skip(f"no shared clip at {clip} (CINESCOPE_TEST_DATA)")
    from cinescope.media import VideoReader

    analyser = ScreenText()
    analyser.begin(Material(Video("v", 30.0, ())))
    made: list[Segment] = []
    with VideoReader(clip) as reader:
        for time, picture in reader.sampled(2.0, 18.0, 25.0):
            frames = Frames(picture.array(1280)[None], np.array([time]))
            made += analyser.feed(Window(Span(time, time + STEP), frames, (STEP,)))
    made += analyser.finish()
    assert told(made) == [("THE PEACH OPEN MOVIE PROJECT", 20.5, 23.0), ("PRESENTS", 21.0, 23.0)]
