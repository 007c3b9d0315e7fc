"""Codes and looks: the same picture however it is scaled, the mirrored one by arithmetic, a plain one by none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.like_films import picture

from cinescope.features.signal import picture_print as prints

SEEDS = st.integers(0, 10_000)


def grey(seed: int, size: tuple[int, int] = (240, 160)) -> np.ndarray:
    return cv2.cvtColor(picture(seed, 0.3, size), cv2.COLOR_RGB2GRAY)


@given(SEEDS)
def test_the_code_of_the_mirrored_picture_is_known_without_seeing_it(seed: int) -> None:
    luma = grey(seed)
    seen, _ = prints.codes(np.ascontiguousarray(luma[:, ::-1]))
    told = prints.mirrored(prints.codes(luma)[0])
    assert prints.differing(seen, told).max() <= 2  # rounding may turn a sign that is nearly none


@given(st.integers(0, 2**64 - 1))
def test_mirroring_twice_changes_nothing_and_half_the_bits_once(code: int) -> None:
    codes = np.array([code], np.uint64)
    assert prints.mirrored(prints.mirrored(codes)) == codes
    assert 24 <= prints.differing(prints.mirrored(codes), codes)[0] <= 40


@pytest.mark.parametrize("seed", range(4))
def test_a_scaled_and_coarser_picture_keeps_its_code_and_another_has_another(seed: int) -> None:
    luma = grey(seed)
    code, firm = prints.codes(luma)
    small = cv2.resize(luma, (100, 70), interpolation=cv2.INTER_AREA)
    coarse = cv2.imdecode(cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, 15])[1], cv2.IMREAD_GRAYSCALE)
    assert firm > 40
    assert prints.differing(prints.codes(small)[0][0], code[0]) <= 6
    assert prints.differing(prints.codes(coarse)[0][0], code[0]) <= 6
    assert prints.differing(prints.codes(grey(seed + 100))[0], code[0]).min() > 14


@pytest.mark.parametrize("share", [0.1, 0.15, 0.2])
def test_a_picture_whose_edges_are_cut_off_is_one_of_the_middles(share: float) -> None:
    luma = grey(3, (320, 200))
    down, across = round(200 * share), round(320 * share)
    cut = luma[down : 200 - down, across : 320 - across]
    assert prints.differing(prints.codes(cut)[0][0], prints.codes(luma)[0]).min() <= 12


def test_a_plain_picture_has_no_firm_signs() -> None:
    rng = np.random.default_rng(0)
    for luma in (np.zeros((90, 160)), np.full((90, 160), 200), 16 + rng.normal(0, 1.5, (90, 160))):
        assert prints.codes(luma.astype(np.uint8))[1] < prints.PLAIN


def test_a_look_has_length_one_and_is_nearer_to_the_same_scene_than_to_others() -> None:
    looks = np.stack([prints.look(picture(seed, t)) for seed in range(3) for t in (0.2, 0.5)])
    assert looks.shape == (6, prints.LOOK)
    assert np.allclose(np.linalg.norm(looks, axis=1), 1, atol=1e-5)
    alike = looks @ looks.T
    assert alike[0, 1] > 0.85
    assert alike[0, 1] > max(alike[0, 2:])


def test_a_look_of_one_colour_is_finite() -> None:
    for value in (0, 128, 255):
        assert np.isfinite(prints.look(np.full((40, 60, 3), value, np.uint8))).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cut", [(0.12, 0.2, 0.18, 0.1), (0.2, 0.1, 0.1, 0.14)])
def test_of_a_picture_that_was_cut_off_unevenly_the_part_is_found_that_is_a_middle(
    seed: int, cut: tuple[float, float, float, float]
) -> None:
    whole = [picture(seed, time, (240, 160)) for time in (0.1, 0.7, 1.3)]
    wanted = np.array([prints.codes(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY))[0][-1] for p in whole])
    left, right, top, bottom = (round(share * side) for share, side in zip(cut, (240, 240, 160, 160), strict=True))
    views = np.stack([prints.view(p[top : 160 - bottom, left : 240 - right]) for p in whole])
    window = prints.fitted_window(views, wanted)
    true = [(0.2 - share) / (1 - both) * prints.VIEW for share, both in zip(cut, _sums(cut), strict=True)]
    assert np.abs(np.array(window) - true).max() <= 5
    centred = prints.differing(prints.codes_within(views, (0, 0, 0, 0)), wanted).mean()
    assert prints.differing(prints.codes_within(views, window), wanted).mean() <= min(6.0, centred - 4)


def _sums(cut: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """What is missing along the side to which each edge belongs."""
    left, right, top, bottom = cut
    return left + right, left + right, top + bottom, top + bottom
