"""Lines in time: a copy's speed and offset are found among chance pairs; pairs by chance alone are no line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.library.alignment import SPEEDS, Line, fitted, lines


@settings(max_examples=40, deadline=None)
@given(st.floats(0.9, 1.1), st.floats(-500, 500), st.integers(0, 1000))
def test_speed_and_offset_of_a_copy_are_found_among_chance_pairs(speed: float, offset: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    here = np.sort(rng.uniform(0, 40, 60))
    there = speed * here + offset + rng.uniform(-0.15, 0.15, 60)
    noise_here, noise_there = rng.uniform(0, 40, 60), offset + rng.uniform(0, 300, 60)
    found = lines(np.append(here, noise_here), np.append(there, noise_there), 0.4, 3)
    assert found
    middle = 20.0
    assert abs(found[0].there(middle) - (speed * middle + offset)) < 0.6
    assert found[0].votes > 40


def test_as_recorded_wins_where_other_speeds_are_no_better() -> None:
    here = np.arange(0, 6, 0.5)
    assert lines(here, here + 3, 0.4, 3)[0].speed == 1.0
    assert SPEEDS[0] == 1.0
    assert len(set(SPEEDS)) == len(SPEEDS)


def test_moments_count_once_however_many_pairs_they_are_in() -> None:
    here, there = np.repeat([1.0, 2.0], 50), np.tile(np.linspace(0, 30, 50), 2)
    assert not lines(here, there, 0.4, 3)


def test_two_stretches_are_two_lines() -> None:
    here = np.arange(0, 20, 0.5)
    there = np.where(here < 10, here + 100, here + 700)
    found = lines(here, there, 0.4, 3, speeds=(1.0,))
    assert sorted(round(f.offset) for f in found) == [100, 700]


def test_nothing_gives_nothing() -> None:
    assert lines(np.zeros(0), np.zeros(0), 0.4, 3) == []


def test_a_line_is_bent_to_what_lies_along_it_and_left_alone_by_little() -> None:
    here = np.arange(0, 30, 0.5)
    line = Line(1.0, 0.3, 10, np.arange(3))
    assert fitted(line, here, 1.02 * here, 0.8).speed == pytest.approx(1.02, abs=0.002)
    assert fitted(line, here[:6], 1.02 * here[:6], 0.8) == line
