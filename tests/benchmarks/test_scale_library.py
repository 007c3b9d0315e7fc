"""The libraries that are measured are what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import scale_library
from benchmarks.absent_corpus import Passage
from benchmarks.scale_measure import SHARES, filters
from cinescope.library.filters import scope_of
from cinescope.library.query import parse
from cinescope.library.row_sets import Rows
from cinescope.library.store import Store

SENTENCES = 400
DIMENSION = 16


@pytest.fixture(scope="module")
def sentences() -> np.ndarray:
    vectors = np.random.default_rng(0).standard_normal((SENTENCES, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, sentences: np.ndarray) -> Store:
    passages = [Passage(f"a:v{n}:0", f"a:v{n}", f"sentence number {n} of them") for n in range(SENTENCES)]
    place = tmp_path_factory.mktemp("scale") / "library"
    made, _ = scale_library.make(place, 2_000, passages, sentences, "made-up@1")
    return made  # type: ignore[no-any-return]


def test_every_sentence_comes_before_any_comes_again(sentences: np.ndarray) -> None:
    rows = np.arange(3 * SENTENCES)
    found = scale_library.sentence_of(rows, SENTENCES)
    for turn in range(3):
        assert sorted(found[turn * SENTENCES : (turn + 1) * SENTENCES]) == list(range(SENTENCES))


def test_copies_are_turned_by_what_is_stated(sentences: np.ndarray) -> None:
    rows = np.arange(3 * SENTENCES)
    likeness = (scale_library.vectors_of(rows, sentences) * sentences[scale_library.sentence_of(rows, SENTENCES)]).sum(
        1
    )
    assert likeness[:SENTENCES] == pytest.approx(1.0, abs=1e-5)
    assert likeness[SENTENCES:] == pytest.approx(scale_library.COSINE, abs=1e-5)


def test_the_library_has_as_many_segments_as_vectors(store: Store) -> None:
    assert store.count("segments") == store.count("vectors_made-up-1") == 2_000
    assert store.count("videos") == 2_000 // scale_library.PER_FILM


@pytest.mark.parametrize("share", SHARES)
def test_filters_keep_about_the_share_that_is_stated(store: Store, share: float) -> None:
    """Of 40 films: one where 0.1% and 1% are less than a film."""
    films = store.count("videos")
    expected = max(1 / films, share)
    for text in filters(share, films):
        scope = scope_of(store, parse(f"word {text}"))
        assert not scope.none, text
        kept = Rows(store, "segments", scope).count(store.dataset("segments"))
        assert kept / 2_000 == pytest.approx(expected, rel=0.12), text
