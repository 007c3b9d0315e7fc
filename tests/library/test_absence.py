"""The verdict that something is absent: it knows the size, trusts words, and is silent where it knows nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.library import absence
from cinescope.library.absence import CALIBRATIONS, verdict


def test_nothing_is_said_of_an_empty_library_or_an_unknown_encoder() -> None:
    assert verdict("minilm", 0.1, 0.0, 0) is None
    assert verdict("some-other", 0.1, 0.0, 1_000) is None
    assert absence.floor("some-other") == -1.0


@given(st.floats(-1, 1), st.floats(0, 1), st.integers(1, 10**9))
def test_the_chance_is_a_chance_and_all_words_are_never_absent(similarity: float, share: float, size: int) -> None:
    found = verdict("minilm", similarity, share, size)
    assert found is not None
    assert 0 <= found.chance <= 1
    assert not verdict("minilm", similarity, 1.0, size).absent  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(CALIBRATIONS))
def test_more_evidence_is_a_higher_chance_and_a_larger_library_a_lower_one(name: str) -> None:
    fit = CALIBRATIONS[name]
    assert fit.chance(0.7, 0.0, 1_000) > fit.chance(0.5, 0.0, 1_000)
    assert fit.chance(0.5, 0.5, 1_000) > fit.chance(0.5, 0.0, 1_000)
    assert fit.chance(0.5, 0.5, 1_000) > fit.chance(0.5, 0.5, 100_000)
    assert 0 < fit.threshold < 1


def test_the_same_similarity_means_less_in_a_larger_library() -> None:
    fit = CALIBRATIONS["minilm"]
    at = next(s / 100 for s in range(100) if not verdict("minilm", s / 100, 0.3, 100).absent)  # type: ignore[union-attr]
    assert verdict("minilm", at, 0.3, 100_000).absent  # type: ignore[union-attr]
    assert fit.floor < at
