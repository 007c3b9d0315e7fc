from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.features.text import lines
from cinescope.features.text.lines import Line

scores = st.floats(0, 1)
readings = st.lists(st.tuples(st.text("abc 123", max_size=8), scores), max_size=6)
boxes = st.tuples(scores, scores, scores, scores).map(
    lambda v: (min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
)


def test_the_vote_outweighs_one_misreading() -> None:
    read = [("Hello world", 0.9), ("Hel1o wor1d", 0.95), ("Hello world", 0.9)]
    assert lines.consensus(read) == ("Hello world", 0.9)


def test_of_equal_votes_the_latest_wins() -> None:
    assert lines.consensus([("Hello worl", 0.9), ("Hello world", 0.9)])[0] == "Hello world"


@given(readings)
def test_the_vote_chooses_one_of_the_readings(read: list[tuple[str, float]]) -> None:
    text, score = lines.consensus(read)
    assert ((text, score) in read) if read else (text, score) == ("", 0.0)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Hello world", "hello  World", True),
        ("Hello world", "Hello wor1d", False),  # another digit may be another text
        ("10:01", "10:02", False),
        ("新闻联播今日", "新闻联播今曰", True),
        ("Hello", "Goodbye", False),
    ],
)
def test_two_readings_of_one_text(a: str, b: str, same: bool) -> None:
    assert lines.same_text(a, b) is same
    assert lines.same_text(b, a) is same


def test_a_counter_runs_on() -> None:
    assert lines.runs_on("Frame 9", "Frame 10")
    assert lines.runs_on("00:00:01;14", "00:00:02;00")
    assert not lines.runs_on("Frame 9", "Frame 9")
    assert not lines.runs_on("Hello", "World")
    assert not lines.runs_on("Chapter 1", "The end 2")


def test_a_typed_line_grows() -> None:
    assert lines.grows("Breaking", "Breaking news")
    assert not lines.grows("Breaking news", "Breaking")
    assert not lines.grows("", "Breaking")
    assert not lines.grows("Weather", "Breaking news")


@pytest.mark.parametrize(
    ("text", "score", "good"),
    [
        ("Hello world", 0.75, True),
        ("Hello world", 0.6, False),
        ("Hi", 0.99, True),
        ("Hi", 0.9, False),
        ("A", 0.99, False),
        ("一", 0.9456, True),
        ("一", 0.92, False),
        ("IIIIII", 0.99, False),
        ("--- a --", 0.99, False),
        ("", 1.0, False),
        ("9:41", 0.85, False),
        ("9:41", 0.95, True),
    ],
)
def test_the_fewer_letters_the_surer(text: str, score: float, good: bool) -> None:
    assert lines.plausible(text, score) is good


@given(boxes, boxes)
def test_overlap_is_symmetric_and_bounded(a: lines.Box, b: lines.Box) -> None:
    iou, mine, theirs = lines.overlap(a, b)
    back = lines.overlap(b, a)
    assert iou == pytest.approx(back[0])
    assert mine == pytest.approx(back[2])
    assert 0 <= iou <= 1 + 1e-9
    assert iou <= min(mine, theirs) + 1e-9


def test_a_line_survives_its_state() -> None:
    grey = np.random.default_rng(1).integers(0, 255, (90, 160), dtype=np.uint8)
    quad = np.array([[0.1, 0.1], [0.6, 0.1], [0.6, 0.3], [0.1, 0.3]], np.float32)
    line = Line(quad, 1.0, 2.0, 1.5, *lines.learn(grey, None, quad), home=(0.1, 0.1, 0.6, 0.3))
    line.add("Hello", 0.9, 1.5)
    line.move(line.x + 2, line.y + 1, grey.shape)
    again = Line.from_state(line.state())
    for name in Line.__slots__:
        assert np.array_equal(getattr(again, name), getattr(line, name)), name


def test_a_moved_line_is_found_again() -> None:
    grey = np.full((360, 640), 20, np.uint8)
    grey[100:120, 200:320] = np.random.default_rng(2).integers(0, 255, (20, 120), dtype=np.uint8)
    quad = np.array([[200, 100], [320, 100], [320, 120], [200, 120]], np.float32) / np.array([[640, 360]], np.float32)
    line = Line(quad, 0.0, 0.5, 0.0, *lines.learn(grey, None, quad))
    rolled = np.roll(grey, (-30, 12), (0, 1))
    assert line.search(rolled) == (line.x + 12, line.y - 30)
    assert line.search(np.full_like(grey, 20)) is None
