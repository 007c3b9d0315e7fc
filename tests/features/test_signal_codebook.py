"""K-means finds what is there and is repeatable; bags of words and VLAD are their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from cinescope.features.signal.codebook import bag_of_words, k_means, nearest, vlad
from cinescope.types import BadQueryError

MIDDLES = np.array([[0, 0, 9], [9, 0, 0], [0, 9, 0], [-9, -9, -9]], np.float32)


def blobs(count: int = 60, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((4, count, 3)) * 0.5
    return (MIDDLES[:, None] + noise).reshape(-1, 3).astype(np.float32)


def test_nearest_is_nearest() -> None:
    rng = np.random.default_rng(1)
    rows, centres = rng.random((5000, 7), np.float32), rng.random((9, 7), np.float32)
    distances = ((rows[:, None].astype(float) - centres[None]) ** 2).sum(axis=-1)
    index, away = nearest(rows, centres)
    assert np.array_equal(index, distances.argmin(axis=1))
    assert away == pytest.approx(distances.min(axis=1), abs=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_it_finds_blobs(seed: int) -> None:
    centres = k_means(blobs(), 4, seed)
    expected = blobs().reshape(4, -1, 3).mean(axis=1)
    found = expected[nearest(centres, expected)[0]]
    assert len(np.unique(found, axis=0)) == 4
    assert centres == pytest.approx(found, abs=1e-5)


def test_the_same_seed_gives_the_same_bits() -> None:
    rows = np.random.default_rng(2).random((500, 16), np.float32)
    one, two, other = k_means(rows, 20, 3), k_means(rows, 20, 3), k_means(rows, 20, 4)
    assert one.tobytes() == two.tobytes()
    assert one.tobytes() != other.tobytes()


def test_it_is_about_as_good_as_scikit_learn() -> None:
    cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn is not installed")
    rows = np.random.default_rng(5).random((800, 8), np.float32)
    theirs = cluster.KMeans(16, n_init=1, random_state=0).fit(rows).inertia_
    assert nearest(rows, k_means(rows, 16))[1].sum() < 1.05 * theirs


def test_it_works_on_many_equal_rows() -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), [50, 40, 30], axis=0)
    centres = k_means(rows, 3)
    assert sorted(centres.tolist()) == sorted(np.eye(3).tolist())


@pytest.mark.parametrize("times", [1, 100])
def test_fewer_different_rows_than_words(times: int) -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), times, axis=0)
    with pytest.raises(BadQueryError, match="8 words cannot be learned from 3 different descriptors"):
        k_means(rows, 8)


def test_a_bag_counts_the_nearest_words() -> None:
    rows = np.concatenate([MIDDLES[[0] * 4], MIDDLES[[2] * 12]])
    assert bag_of_words(rows, MIDDLES, "L1").tolist() == [0.25, 0, 0.75, 0]
    assert bag_of_words(rows, MIDDLES, "root") == pytest.approx([0.5, 0, 0.75**0.5, 0])
    assert bag_of_words(rows, MIDDLES, "L2") == pytest.approx(np.array([4, 0, 12, 0]) / 160**0.5)


def test_vlad_is_the_sum_of_differences() -> None:
    rows, centres = blobs(7, 3), MIDDLES
    sums = np.zeros((4, 3))
    for row in rows.astype(float):
        word = ((row - centres) ** 2).sum(axis=1).argmin()
        sums[word] += row - centres[word]
    plain = sums.ravel() / np.linalg.norm(sums)
    assert vlad(rows, centres, signed_root=False) == pytest.approx(plain, abs=1e-6)
    rooted = np.sign(plain) * np.sqrt(abs(plain))
    assert vlad(rows, centres) == pytest.approx(rooted / np.linalg.norm(rooted), abs=1e-6)
    each = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).ravel() / 2
    assert vlad(rows, centres, signed_root=False, intra=True) == pytest.approx(each, abs=1e-6)


def test_a_word_without_descriptors_stays_zero() -> None:
    made = vlad(MIDDLES[:2] + 1, MIDDLES, intra=True).reshape(4, 3)
    assert not made[2:].any()
    assert np.linalg.norm(made) == pytest.approx(1)


def test_nothing_is_described_by_zeros() -> None:
    nothing = np.zeros((0, 3), np.float32)
    assert not bag_of_words(nothing, MIDDLES).any()
    assert not vlad(nothing, MIDDLES, intra=True).any()
