"""Black, plain, changed and fading pictures."""

from __future__ import annotations

import numpy as np
import pytest

from cinescope.features.signal import defects


def picture(*levels: tuple[int, int, int]) -> np.ndarray:
    return np.stack([np.full((36, 64, 3), level, np.uint8) for level in levels])


def test_black_and_plain() -> None:
    frames = picture((10, 128, 128), (26, 128, 128), (27, 128, 128), (200, 50, 60))
    assert defects.black(frames).tolist() == [True, True, False, False]
    assert defects.plain(frames).tolist() == [True] * 4
    frames[0, :4, :4, 0] = 255  # 0.7% of the picture
    frames[1, :8, :8, 0] = 255  # 2.8%
    frames[3, :, :32, 1] = 60
    assert defects.black(frames)[:2].tolist() == [True, False]
    assert defects.plain(frames).tolist() == [False, False, True, False]


def test_changes() -> None:
    still = np.random.default_rng(0).integers(20, 230, (36, 64)).astype(np.uint8)
    noisy = still + (np.random.default_rng(1).random((36, 64)) < 0.2).astype(np.uint8)
    coded = still + np.random.default_rng(2).integers(0, 3, (36, 64)).astype(np.uint8)
    moved = np.roll(still, 1, axis=1)
    spot = still.copy()
    spot[5:7, 5:7] = 255 - spot[5:7, 5:7] // 2 - 128
    pictures = np.stack([still, noisy, coded, moved, spot])
    assert defects.unlike(pictures, still).tolist() == [False, False, True, True, True]
    assert defects.near(pictures, still).tolist() == [True, True, True, False, False]
    assert defects.same(pictures, still).tolist() == [True, False, False, False, False]


def test_a_fade_and_a_movement() -> None:
    one, other = (np.random.default_rng(s).integers(0, 255, (36, 64)).astype(np.float64) for s in (1, 2))
    fade = np.stack([one + (other - one) * a for a in np.linspace(0, 0.4, 6)]).round().astype(np.uint8)
    wide = np.repeat(np.random.default_rng(3).integers(0, 255, (36, 30)), 4, axis=1).astype(np.uint8)
    pan = np.stack([wide[:, k : k + 64] for k in range(6)])
    assert defects.fading(fade)
    assert not defects.fading(pan)
    assert not defects.fading(np.repeat(pan[:1], 6, axis=0))


def test_luminance_of_the_quarters() -> None:
    frames = picture((0, 128, 128), (255, 128, 128))
    frames[0, :18, 32:, 0] = 255
    light = defects.luminance(frames)
    assert light[0].tolist() == [0.0, 1.0, 0.0, 0.0]
    assert light[1].tolist() == pytest.approx([1.0] * 4)
    assert defects.luminance(picture((128, 128, 128)))[0, 0] == pytest.approx((128 / 255) ** 2.4, rel=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (3, 2)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    frames = np.full((3, *size, 3), 90, np.uint8)
    assert defects.plain(frames).all()
    assert defects.luminance(frames).shape == (3, 4)
    assert not defects.unlike(frames[..., 0], frames[0, ..., 0]).any()
