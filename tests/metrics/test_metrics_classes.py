"""Accuracy, F1, confusion: scikit-learn's values, on hand-made and random answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.metrics.classes import accuracy, binary_accuracy, confusion, f1, f1_per_class, multilabel_f1

sk = pytest.importorskip("sklearn.metrics")
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@given(PAIRS)
def test_classes_measure_as_in_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    said, true = np.array(pairs).T
    assert accuracy(said, true) == pytest.approx(sk.accuracy_score(true, said))
    for average in ("macro", "weighted", "micro"):
        assert f1(said, true, average) == pytest.approx(sk.f1_score(true, said, average=average, zero_division=0))
    each = sk.f1_score(true, said, average=None, labels=range(5), zero_division=0)
    np.testing.assert_allclose(f1_per_class(said, true, 5), each)
    np.testing.assert_array_equal(confusion(said, true, 5), sk.confusion_matrix(true, said, labels=range(5)))


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
def test_labels_measure_as_in_scikit_learn(average: str) -> None:
    random = np.random.default_rng(0)
    said, true = random.random((30, 6)) > 0.6, random.random((30, 6)) > 0.7
    said[:, 2] = true[:, 2] = False
    expected = sk.f1_score(true, said, average=average, zero_division=0)
    assert multilabel_f1(said, true, average) == pytest.approx(expected)
    assert binary_accuracy(said, true) == pytest.approx(sk.accuracy_score(true.ravel(), said.ravel()))


def test_a_confusion_matrix_has_the_truth_in_its_rows() -> None:
    np.testing.assert_array_equal(confusion([1, 1, 0], [0, 0, 0]), [[1, 2], [0, 0]])


@pytest.mark.parametrize(("said", "true"), [([], []), ([1], [1, 2]), ([[1]], [[1]])])
def test_nothing_to_measure_is_an_error(said: list[int], true: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        accuracy(said, true)


def test_a_class_beyond_the_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 to 2"):
        confusion([3], [1], 3)
    with pytest.raises(ValueError, match="0 to 2"):
        confusion([-1], [1], 3)
