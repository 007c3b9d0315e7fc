"""Landmarks and timbre: kept through noise and shifts, none in silence, few in an even tone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.like_films import RATE, sound

from cinescope.features.signal import sound_print as prints
from cinescope.features.signal.timbre import timbre


def marks(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    count = (len(samples) - prints.WINDOW) // prints.HOP
    power = prints.spectra(samples[: prints.WINDOW + (count - 1) * prints.HOP])
    return prints.landmarks(prints.peaks(power, 0, count), 0, count)


def on_one_line(a: np.ndarray, b: np.ndarray) -> int:
    """How many landmarks of two sounds stand at the same distance."""
    (ca, ta), (cb, tb) = marks(a), marks(b)
    around = prints.near_codes(ca)
    offsets = [tb[j] - ta[i] for i in range(len(ca)) for j in np.nonzero(np.isin(cb, around[i]))[0]]
    counts = np.bincount(np.array(offsets) - min(offsets)) if offsets else np.zeros(1, int)
    return int(np.convolve(counts, [1, 1, 1]).max())


def test_a_sound_begun_elsewhere_in_noise_is_known_and_another_is_not() -> None:
    whole = sound(1, 8.0)
    rng = np.random.default_rng(0)
    cut = whole[20_011:]
    noisy = cut + rng.normal(0, 0.012, len(cut)).astype(np.float32)
    assert on_one_line(cut, whole) > 30
    assert on_one_line(noisy, whole) > 20
    assert on_one_line(sound(2, 8.0), whole) <= 4


@pytest.mark.parametrize("level", [0.0, 1e-5])
def test_silence_has_no_landmarks_and_no_timbre(level: float) -> None:
    quiet = (np.random.default_rng(0).normal(0, 1, 4 * RATE) * level).astype(np.float32)
    assert len(marks(quiet)[0]) == 0
    assert timbre(prints.spectra(quiet[: prints.WINDOW + 200 * prints.HOP])) is None


def test_an_even_tone_has_hardly_any_landmarks() -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(8 * RATE) / RATE)
    assert len(marks(tone.astype(np.float32))[0]) < 10


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 127))
def test_a_code_keeps_its_three_numbers_apart(low: int, high: int, apart: int) -> None:
    code = prints.code(low, high, apart)
    assert (code >> 15, (code >> 7) & 255, code & 127) == (low, high, apart)
    around = prints.near_codes(np.array([code], np.uint32))
    assert around.shape == (1, 9)
    assert around[0, 0] == code
    assert (around >> 15 == low).all()


def test_timbre_is_nearer_to_another_part_of_the_sound_than_to_another_kind_and_knows_no_level() -> None:
    rng = np.random.default_rng(1)
    notes, noise = sound(1, 8.0), rng.normal(0, 0.1, 8 * RATE).astype(np.float32)
    length = prints.WINDOW + 200 * prints.HOP

    def of(samples: np.ndarray) -> np.ndarray:
        found = timbre(prints.spectra(samples[:length]))
        assert found is not None
        return found

    first, second, quiet, other = of(notes), of(notes[4 * RATE :]), of(notes * 0.2), of(noise)
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert first @ second > first @ other
    assert first @ quiet > 0.99
