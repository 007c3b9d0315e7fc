"""Errors and correlations: scipy's and scikit-learn's values; constant answers earn no correlation."""

from __future__ import annotations

import numpy as np
import pytest

from cinescope.metrics.numbers import mae, pearson, rmse, spearman

stats = pytest.importorskip("scipy.stats")
sk = pytest.importorskip("sklearn.metrics")


@pytest.mark.parametrize("seed", range(5))
def test_numbers_measure_as_in_scipy(seed: int) -> None:
    random = np.random.default_rng(seed)
    said, true = random.normal(size=40).round(1), random.normal(3, 2, 40).round(0)  # rounding makes ties
    assert mae(said, true) == pytest.approx(sk.mean_absolute_error(true, said))
    assert rmse(said, true) == pytest.approx(np.sqrt(sk.mean_squared_error(true, said)))
    assert pearson(said, true) == pytest.approx(stats.pearsonr(said, true).statistic)
    assert spearman(said, true) == pytest.approx(stats.spearmanr(said, true).statistic)


def test_a_constant_says_nothing() -> None:
    true = np.arange(10.0)
    assert pearson(np.full(10, 0.1), true) == 0 == spearman(np.full(10, 0.1), true)
    assert pearson([1.0], [2.0]) == 0


def test_scale_changes_no_correlation() -> None:
    true = np.arange(10.0)
    assert pearson(true * 1e-9, true) == pytest.approx(1)
    assert pearson(-true * 1e9, true) == pytest.approx(-1)
