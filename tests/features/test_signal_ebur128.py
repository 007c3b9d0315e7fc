"""The pieces of EBU R 128 against slow, plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.features.signal import ebur128
from cinescope.features.signal.true_peak import HISTORY, true_peak


def plainly(samples: np.ndarray) -> np.ndarray:
    """Both stages sample by sample, direct form I."""
    out = samples.astype(np.float64)
    for (b0, b1, b2), (a1, a2) in ebur128._STAGES:
        before, out = out, np.zeros_like(out)
        for n in range(out.shape[1]):
            x1, x2 = (before[:, n - k] if n >= k else 0.0 for k in (1, 2))
            y1, y2 = (out[:, n - k] if n >= k else 0.0 for k in (1, 2))
            out[:, n] = b0 * before[:, n] + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
    return out


def test_k_weighting_is_the_recursive_filter() -> None:
    sound = np.random.default_rng(0).normal(0, 0.3, (2, 48 * 41)).astype(np.float32)
    filtered, _ = ebur128.k_weight(sound, np.zeros((2, 4)))
    assert np.abs(filtered - plainly(sound)).max() < 1e-11


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=8))
def test_k_weighting_goes_on_over_pieces(blocks: list[int]) -> None:
    count = 48 * sum(blocks)
    sound = np.random.default_rng(1).normal(0, 0.3, (1, count)).astype(np.float32)
    whole, last = ebur128.k_weight(sound, np.zeros((1, 4)))
    state, at, parts = np.zeros((1, 4)), 0, []
    for number in blocks:
        part, state = ebur128.k_weight(sound[:, at : at + 48 * number], state)
        parts.append(part)
        at += 48 * number
    assert np.allclose(np.concatenate(parts, axis=1), whole, atol=1e-11)
    assert np.allclose(state, last, atol=1e-11)


def test_k_weighting_refuses_a_part_of_a_block() -> None:
    with pytest.raises(ValueError, match="whole blocks"):
        ebur128.k_weight(np.zeros((1, 50), np.float32), np.zeros((1, 4)))


def test_gain_at_997_hertz_is_what_the_standard_calibrates() -> None:
    # BS.1770-4: a 0 dBFS sine of 997 Hz in one channel reads -3.01 LKFS.
    wave = np.sin(2 * np.pi * 997 * np.arange(48_000) / 48_000).astype(np.float32)[None]
    filtered, _ = ebur128.k_weight(wave, np.zeros((1, 4)))
    assert float(ebur128.lufs(ebur128.unit_powers(filtered[:, 4800:]).mean())) == pytest.approx(-3.01, abs=0.01)


def test_gate_agrees_with_its_definition() -> None:
    powers = 10 ** (np.random.default_rng(2).uniform(-9, -1, 3000))
    gate = ebur128.Gate()
    gate.add(powers[:1000])
    other = ebur128.Gate()
    other.restore(gate.state())
    other.add(powers[1000:])
    levels = ebur128.lufs(powers)
    above = powers[levels > -70]
    relative = float(ebur128.lufs(above.mean()))
    assert other.integrated() == pytest.approx(
        float(ebur128.lufs(above[ebur128.lufs(above) > relative - 10].mean())), abs=0.02
    )
    kept = np.sort(ebur128.lufs(above[ebur128.lufs(above) > relative - 20]))
    expected = kept[round((len(kept) - 1) * 0.95)] - kept[round((len(kept) - 1) * 0.10)]
    assert other.spread() == pytest.approx(expected, abs=0.05)


def test_empty_gate_knows_nothing() -> None:
    assert ebur128.Gate().integrated() is None
    assert ebur128.Gate().spread() is None


def test_true_peak_is_exact_in_pieces() -> None:
    sound = np.random.default_rng(4).normal(0, 0.1, (2, 5000)).astype(np.float32)
    whole, _ = true_peak(sound, np.zeros((2, HISTORY), np.float32))
    peak, history = 0.0, np.zeros((2, HISTORY), np.float32)
    for at in range(0, 5000, 617):
        peak, history = true_peak(sound[:, at : at + 617], history, peak)
    assert peak == pytest.approx(whole, abs=1e-6)
    assert peak >= np.abs(sound).max()
