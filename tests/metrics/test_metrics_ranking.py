"""Places, recall, reciprocal rank, average precision: by hand and as in scikit-learn; ties count against."""

from __future__ import annotations

import numpy as np
import pytest

from cinescope.metrics.ranking import average_precision, mean_average_precision, median_place, mrr, places, recall_at

sk = pytest.importorskip("sklearn.metrics")


def test_places_by_hand() -> None:
    scores = [[0.1, 0.9, 0.5], [0.3, 0.2, 0.1], [0.5, 0.5, 0.1]]
    np.testing.assert_array_equal(places(scores, [2, 2, 0]), [2, 3, 2])
    assert recall_at(scores, [2, 2, 0], 2) == pytest.approx(2 / 3)
    assert mrr(scores, [2, 2, 0]) == pytest.approx((1 / 2 + 1 / 3 + 1 / 2) / 3)
    assert median_place(scores, [2, 2, 0]) == 2


def test_a_constant_earns_nothing() -> None:
    assert recall_at(np.zeros((5, 10)), np.arange(5), 9) == 0


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_is_that_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, true = random.random((30, 4)).round(1), random.random((30, 4)) > 0.6
    assert average_precision(scores[:, 0], true[:, 0]) == pytest.approx(
        sk.average_precision_score(true[:, 0], scores[:, 0])
    )
    assert mean_average_precision(scores, true) == pytest.approx(sk.average_precision_score(true, scores))


def test_labels_that_never_hold_are_left_out() -> None:
    assert mean_average_precision([[0.9, 0.1], [0.1, 0.2]], [[1, 0], [0, 0]]) == 1
    assert average_precision([0.5, 0.2], [0, 0]) == 0
