"""Cells of time: what stands longest in each, and that nothing that matters falls between two."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.library import glance
from cinescope.types import Segment, Source, Span, Timeline, Track, Video

SOURCE = Source("x", "1")


def seg(start: float, end: float, text: str = "", **data: object) -> Segment:
    return Segment(Span(start, end), "x", SOURCE, text=text, data=data)


spans = st.tuples(st.floats(0, 100), st.floats(0, 30)).map(lambda p: seg(p[0], p[0] + p[1]))


@given(st.lists(spans, max_size=8), st.integers(1, 90))
def test_cells_share_out_exactly_the_time_that_is_covered(segments: list[Segment], count: int) -> None:
    within = Span(5, 80)
    seconds = sum(s for _, _, s in glance.covered(segments, within, count))
    wanted = sum(max(0.0, min(s.span.end, 80) - max(s.span.start, 5)) for s in segments)
    assert seconds == pytest.approx(wanted, abs=1e-6)
    assert all(0 <= cell < count for cell, _, _ in glance.covered(segments, within, count))
    assert all(0 <= share <= 1 for share in glance.shares(segments, within, count))


def test_the_longest_label_wins_and_gaps_stay_empty() -> None:
    segments = [seg(0, 3, "pan left"), seg(3, 4, "still"), seg(8, 8.2, "zoom in")]
    assert glance.labels(segments, Span(0, 12), 3, lambda s: s.text) == ["pan left", "", ""]
    assert glance.marks(segments, Span(0, 12), 3, lambda s: s.text) == ["pan left", "", "zoom in"]


def test_faces_are_counted_at_once_not_in_all() -> None:
    faces = [seg(0, 4), seg(2, 5), seg(6, 9)]
    assert glance.most_at_once(faces, Span(0, 12), 1) == [2]
    assert glance.most_at_once(faces, Span(0, 12), 4) == [2, 2, 1, 0]


def test_loudness_is_the_highest_second_of_a_cell() -> None:
    curve = [seg(0, 4, momentary=[-40.0, -20.0, None, -30.0]), seg(4, 5.5, momentary=[-10.0, -12.0])]
    assert glance.loudness(curve, Span(0, 6), 3) == [-20.0, -30.0, -10.0]
    assert glance.loudness(curve, Span(0, 6), 12)[:6] == [-40.0, -40.0, -20.0, -20.0, None, None]
    assert glance.loudness(curve, Span(0, 0), 2) == [None, None]


def test_colours_are_shares_of_the_longest_picture() -> None:
    red, sea = {"name": "red", "hex": "#ff0000", "share": 0.6}, {"name": "blue", "hex": "#0000ff", "share": 0.2}
    told = [seg(0, 1, colours=[red]), seg(1, 4, colours=[red, sea]), seg(6, 8, colours=[]), seg(0, 8, vector=[1.0])]
    assert glance.colours(told, Span(0, 8), 2) == [
        [((255, 0, 0), pytest.approx(0.75)), ((0, 0, 255), pytest.approx(0.25))],
        [],
    ]
    assert glance.colour_names(told, Span(0, 4)) == [("red", pytest.approx(0.6)), ("blue", pytest.approx(0.15))]


def test_faults_say_when_and_how_long_and_leave_out_what_is_meant() -> None:
    found = [seg(3, 3.8, "black", fault=True), seg(60, 190, "frozen", fault=True), seg(0, 9, "still", fault=False)]
    assert glance.faults(found) == ["black at 0:03 (0.8 s)", "frozen at 1:00 (2:10)"]


def test_the_programme_says_what_was_measured() -> None:
    video = Video("a" * 32, 9.0, ())
    data = {"integrated": -23.04, "range": None, "true_peak": -1.0}
    track = Track("loudness_programme", (seg(0, 9, **data),), SOURCE)
    assert glance.programme(Timeline(video, (track,))) == "-23.0 LUFS, true peak -1.0 dBTP"
    assert glance.programme(Timeline(video, ())) == ""


@pytest.mark.parametrize(("seconds", "step"), [(6, 1), (100, 15), (10800, 1800)])
def test_rulers_have_round_times_that_do_not_touch(seconds: float, step: float) -> None:
    times = glance.axis(Span(0.5, 0.5 + seconds), 90, 12)
    assert times[0] == step
    assert {b - a for a, b in pairwise(times)} <= {step}
    assert step / seconds * 90 >= 12
