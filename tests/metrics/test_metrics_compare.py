"""Intervals and paired comparisons: scipy's values where it has them, the right cover where it has not."""

from __future__ import annotations

import numpy as np
import pytest

from cinescope.metrics.compare import bootstrap, over_seeds, paired, sign_flip, t_interval, t_quantile

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 40])
@pytest.mark.parametrize("share", [0.6, 0.95, 0.975, 0.995])
def test_the_quantile_of_t_is_that_of_scipy(share: float, freedom: int) -> None:
    assert t_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-4)


def test_an_interval_over_seeds_is_that_of_scipy() -> None:
    values = [0.81, 0.84, 0.80]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    found = t_interval(values)
    assert (found.low, found.value, found.high) == pytest.approx((low, np.mean(values), high), rel=1e-4)
    assert t_interval([0.8]).low == -np.inf


def test_the_bootstrap_is_that_of_scipy_up_to_its_draws() -> None:
    values = np.random.default_rng(1).exponential(size=200)
    expected = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=5000, rng=0).confidence_interval
    found = bootstrap(values, draws=5000)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert found == bootstrap(values, draws=5000)
    assert found != bootstrap(values, draws=5000, seed=1)


def test_a_statistic_of_several_columns_keeps_rows_together() -> None:
    x = np.arange(50.0)
    found = bootstrap([x, 2 * x], lambda a, b: float(np.corrcoef(a, b)[0, 1]), draws=100)
    assert (found.low, found.high) == pytest.approx((1, 1))


def test_groups_widen_an_interval_of_rows_that_are_alike() -> None:
    random = np.random.default_rng(0)
    speakers = np.repeat(np.arange(6), 50)
    values = random.normal(size=6)[speakers] + 0.01 * random.normal(size=300)
    alone, grouped = bootstrap(values), bootstrap(values, groups=speakers)
    assert grouped.high - grouped.low > 3 * (alone.high - alone.low)
    assert paired(values, np.zeros(300), groups=speakers).pairs == 6


@pytest.mark.parametrize("count", [3, 9])
def test_changes_of_sign_are_those_of_scipy(count: int) -> None:
    apart = np.random.default_rng(count).normal(0.3, 1, count)
    expected = stats.permutation_test(
        (apart, np.zeros(count)), lambda a, b: np.sum(a - b), permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip(apart) == pytest.approx(expected.pvalue)


def test_many_pairs_are_drawn_and_agree_with_the_t_test() -> None:
    apart = np.random.default_rng(3).normal(0.2, 1, 100)
    assert sign_flip(apart, draws=20_000) == pytest.approx(stats.ttest_1samp(apart, 0).pvalue, abs=0.02)


def test_pairs_see_what_two_intervals_would_not() -> None:
    random = np.random.default_rng(0)
    hard = random.normal(0, 5, 200)
    better = paired(hard + 0.3 + random.normal(0, 0.5, 200), hard)
    assert better.difference.low > 0
    assert better.p < 0.01
    own = bootstrap(hard)
    assert own.high - own.low > 1


def test_three_seeds_never_prove_much() -> None:
    found = over_seeds([0.9, 0.91, 0.92], [0.8, 0.81, 0.82])
    assert found.p == 0.25
    assert found.difference.value == pytest.approx(0.1)


def test_unequal_pairs_are_an_error() -> None:
    with pytest.raises(ValueError, match="equally many"):
        paired([1, 2], [1])
