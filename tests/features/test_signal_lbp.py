"""Local binary patterns are those of scikit-image, bit for bit, even where only rounding decides."""

from __future__ import annotations

import numpy as np
import pytest
from tests.features.feature_clips import clip_of, texture

from cinescope.features.signal.lbp import METHODS, Lbp, bins, lbp_codes, lbp_histogram
from cinescope.types import BadQueryError

PICTURE = texture(5, (97, 61), 1)
PICTURE[10:50, 20:70] = 117  # even areas: what is interpolated differs from the pixel by rounding alone
PICTURE[:6] = 0


def reference(picture: np.ndarray, points: int, radius: float, method: str) -> np.ndarray:
    skimage = pytest.importorskip("skimage.feature", reason="scikit-image is not installed")
    return skimage.local_binary_pattern(picture, points, radius, method)


@pytest.mark.parametrize(("points", "radius"), [(8, 1.0), (8, 1.5), (4, 1.0), (12, 2.5), (16, 2.0), (24, 3.0)])
@pytest.mark.parametrize("method", METHODS)
def test_the_codes_are_those_of_scikit_image(points: int, radius: float, method: str) -> None:
    if points > 16 and method in ("default", "ror"):
        with pytest.raises(BadQueryError, match="'points' of lbp cannot be 24"):
            lbp_codes(PICTURE, points, radius, method)
        return
    assert np.array_equal(lbp_codes(PICTURE, points, radius, method), reference(PICTURE, points, radius, method))


@pytest.mark.filterwarnings("ignore:Applying `local_binary_pattern` to floating-point images")
def test_in_even_areas_rounding_decides_as_there() -> None:
    even = np.kron(np.random.default_rng(0).random((30, 12)), np.ones((9, 9)))
    for radius in (1.0, 1.5, 2.0):
        made, theirs = lbp_codes(even, 16, radius, "default"), reference(even, 16, radius, "default")
        assert np.array_equal(made, theirs)
        assert (made[4::9, 4::9] != 2**16 - 1).any()  # or else nothing would be decided by rounding


@pytest.mark.parametrize("method", METHODS)
def test_the_histograms_too(method: str) -> None:
    codes = reference(PICTURE, 8, 1.0, method).astype(int)
    kinds = np.unique(reference_of_all_patterns()) if method == "ror" else np.arange(bins(8, method))
    expected = [(codes == kind).mean() for kind in kinds]
    assert lbp_histogram(PICTURE, 8, 1.0, method) == pytest.approx(expected, abs=1e-12)


def reference_of_all_patterns() -> list[int]:
    return [min((p >> i | p << (8 - i)) & 255 for i in range(8)) for p in range(256)]


def test_how_many_codes_there_are() -> None:
    # Ojala 2002: 36 rotations of 8 points; Ahonen 2006: 59 uniform patterns.
    assert [bins(8, m) for m in ("default", "ror", "uniform", "nri_uniform")] == [256, 36, 10, 59]


def test_uniform_codes_do_not_turn() -> None:
    turned = lbp_codes(np.ascontiguousarray(np.rot90(PICTURE)), 4, 1.0, "uniform")
    inside = (slice(1, -1), slice(1, -1))
    assert np.array_equal(np.rot90(turned, -1)[inside], lbp_codes(PICTURE, 4, 1.0, "uniform")[inside])


def test_brighter_is_the_same() -> None:
    dim, inside = PICTURE // 2, (slice(3, -3), slice(3, -3))
    assert np.array_equal(lbp_codes(dim, 4)[inside], lbp_codes(dim + 100, 4)[inside])


def test_a_grid_of_histograms() -> None:
    clip = clip_of(texture(6, (64, 64), 1))
    assert clip.frames is not None
    extractor = Lbp(grid=(2, 1), size=(64, 64))
    made = extractor(clip).values[0]
    codes = lbp_codes(clip.frames.data[0, ..., 0])
    assert made.reshape(2, 10).sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert made[:10] == pytest.approx(np.bincount(codes[:32].ravel(), minlength=10) / 2048, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_its_width_is_as_said(method: str) -> None:
    extractor = Lbp(points=6, method=method, grid=(3, 2), size=(50, 40))
    assert extractor(clip_of(texture(7))).values.shape == (1, extractor.dim)


def test_wrong_settings() -> None:
    with pytest.raises(BadQueryError, match="'method' of lbp cannot be 'var'"):
        lbp_codes(PICTURE, method="var")
    with pytest.raises(BadQueryError, match="'grid' of lbp"):
        Lbp(grid=(0, 1))
    with pytest.raises(BadQueryError, match="a grey picture"):
        lbp_codes(texture(1))
