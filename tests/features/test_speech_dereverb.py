from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.features.speech import dereverb
from cinescope.features.speech.dereverb import dereverberate

RATE = 16_000


def syllables(seed: int = 0) -> np.ndarray:
    """Six seconds of noise bursts of a fifth of a second, each with its own spectrum, silence between."""
    random = np.random.default_rng(seed)
    sound = np.zeros(6 * RATE)
    for at in range(0, len(sound) - RATE, 2 * RATE // 5):
        burst = random.standard_normal(RATE // 5)
        shape = np.convolve(random.standard_normal(8), np.hanning(3))
        sound[at : at + RATE // 5] = np.convolve(burst, shape, "same") * np.hanning(RATE // 5)
    return (0.1 * sound).astype(np.float32)


def in_a_room(dry: np.ndarray, seconds: float = 0.6) -> np.ndarray:
    random = np.random.default_rng(1)
    times = np.arange(int(seconds * RATE)) / RATE
    echo = random.standard_normal(len(times)) * np.exp(-6.9 * times / seconds)
    echo[: RATE // 100] = 0
    echo[0] = np.sqrt((echo**2).sum())
    return np.convolve(dry, echo / echo[0])[: len(dry)].astype(np.float32)


def decibels_between(sound: np.ndarray, dry: np.ndarray) -> float:
    """How loud it is where the dry sound is silent, against where it is not."""
    silent = np.abs(dry) < 1e-6
    return float(10 * np.log10(np.mean(sound[silent] ** 2) / np.mean(sound[~silent] ** 2)))


def test_echoes_between_the_syllables_fall_and_the_syllables_stay() -> None:
    dry = syllables()
    wet = in_a_room(dry)
    clean = dereverberate(wet)
    assert decibels_between(clean, dry) < decibels_between(wet, dry) - 1
    assert np.corrcoef(clean, dry)[0, 1] > np.corrcoef(wet, dry)[0, 1]


def test_dry_speech_is_left_nearly_alone() -> None:
    dry = syllables()
    clean = dereverberate(dry)
    assert np.corrcoef(clean, dry)[0, 1] > 0.97


def test_without_prediction_it_gives_the_same_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dereverb, "ROUNDS", 0)
    assert dereverberate(syllables()) == pytest.approx(syllables(), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3 * RATE), st.sampled_from([0.01, 0.3, 2.0, 5.0]))
def test_any_length_and_level(count: int, gain: float) -> None:
    sound = syllables()[:count]
    clean = dereverberate(sound)
    assert clean.shape == sound.shape
    assert clean.dtype == np.float32
    assert np.isfinite(clean).all()
    assert np.array_equal(dereverberate(sound), clean)
    louder = dereverberate((sound * np.float32(gain)).astype(np.float32))
    assert louder == pytest.approx(clean * gain, abs=1e-3 * gain)


def test_silence_stays_silence_and_other_arrays_are_refused() -> None:
    assert not dereverberate(np.zeros(RATE, np.float32)).any()
    with pytest.raises(ValueError, match="float32"):
        dereverberate(np.zeros(RATE))
