"""The verdict that something is absent: it knows the size, trusts words, and is silent where it knows nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.library import absence
from cinescope.library.absence import CALIBRATIONS, CROWD, MISSING, strengths, verdict

NONE = np.zeros((0, 3), np.float32)


def vector(*numbers: float) -> np.ndarray:
    raw = np.array(numbers, np.float32)
    return np.asarray(raw / np.linalg.norm(raw))


def test_nothing_is_said_of_an_empty_library_or_an_unknown_encoder() -> None:
    assert verdict("minilm", 0.1, 0.0, 0) is None
    assert verdict("some-other", 0.1, 0.0, 1_000) is None
    assert absence.floor("some-other") == -1.0


@given(st.floats(-3, 1), st.floats(0, 1), st.integers(1, 10**9))
def test_the_chance_is_a_chance_and_all_words_are_never_absent(strength: float, share: float, size: int) -> None:
    found = verdict("minilm", strength, share, size)
    assert found is not None
    assert 0 <= found.chance <= 1
    assert not verdict("minilm", strength, 1.0, size).absent  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(CALIBRATIONS))
def test_more_evidence_is_a_higher_chance_and_a_larger_library_a_lower_one(name: str) -> None:
    fit = CALIBRATIONS[name]
    assert fit.chance(0.5, 1_000) > fit.chance(0.3, 1_000)
    assert fit.chance(0.3, 1_000) > fit.chance(0.3, 100_000)
    assert 0 < fit.threshold < 1


def test_the_same_strength_means_less_in_a_larger_library() -> None:
    at = next(s / 100 for s in range(100) if not verdict("minilm", s / 100, 0.3, 100).absent)  # type: ignore[union-attr]
    assert verdict("minilm", at, 0.3, 100_000).absent  # type: ignore[union-attr]


def test_only_a_small_chance_is_sure() -> None:
    found = [verdict("minilm", s / 100, 0.0, 1_000) for s in range(-50, 100)]
    steps = list(dict.fromkeys((v.absent, v.sure) for v in found if v is not None))
    assert steps == [(True, True), (True, False), (False, False)]


def test_a_lone_passage_is_as_strong_as_it_is_near() -> None:
    question, passage = vector(1, 1, 0), vector(1, 0, 0)
    assert strengths(question, NONE, passage[None], ["kite"]) == pytest.approx([np.sqrt(0.5)], abs=1e-6)


def test_a_word_that_the_passage_does_not_speak_of_weakens_it() -> None:
    """The kite alone would be nearer by 1 - 0.71; the tree alone is no nearer, and counts for nothing."""
    question, without = vector(1, 1, 0), np.stack([vector(0, 1, 0), vector(1, 0, 0)])
    kite, both = vector(1, 0, 0), vector(1, 1, 0)
    assert strengths(question, without, kite[None], ["kite"]) == pytest.approx(
        [np.sqrt(0.5) - MISSING * (1 - np.sqrt(0.5))], abs=1e-6
    )
    assert strengths(question, without, both[None], ["kite in a tree"]) == pytest.approx([1.0], abs=1e-6)


def test_among_many_of_a_kind_each_is_weaker_but_its_own_copies_are_no_crowd() -> None:
    question = vector(1, 0, 0)
    passages = np.stack([vector(1, 0.5, 0), vector(1, 0.5, 0.1), vector(1, 0.5, 0)])
    near = passages @ question
    found = strengths(question, NONE, passages, ["add oil", "pour oil", "Add OIL"])
    likeness = float(passages[0] @ passages[1])
    assert found == pytest.approx(near - CROWD * likeness, abs=1e-6)
    assert strengths(question, NONE, passages[[0, 2]], ["add oil", "Add OIL"]) == pytest.approx(near[[0, 2]], abs=1e-6)
