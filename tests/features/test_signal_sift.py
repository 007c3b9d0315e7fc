"""SIFT points are of length 1; the words are learned from training clips alone, by their seed, and kept exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tests.features.feature_clips import clip_of, texture

from cinescope.features.signal.codebook import bag_of_words, vlad
from cinescope.features.signal.sift import SiftBow, SiftVlad, codebook_of, sift
from cinescope.types import BadQueryError, Clip, MissingPartError, Span

PICTURES = [texture(seed, (160, 120), 1, blur=2) for seed in range(3)]
CLIPS = [clip_of(PICTURES[0], PICTURES[1]), clip_of(PICTURES[2])]


def test_descriptors_are_of_length_one() -> None:
    for root in (True, False):
        found = sift(PICTURES[0], 50, root)
        assert found.dtype == np.float32
        assert found.shape[1] == 128
        assert 20 <= len(found) <= 51
        assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-4)
    plain, rooted = sift(PICTURES[0], 50, False), sift(PICTURES[0], 50, True)
    assert rooted**2 == pytest.approx(plain / plain.sum(axis=1, keepdims=True), abs=1e-5)


def test_turned_pictures_have_the_same_points() -> None:
    one, turned = sift(PICTURES[0], 40), sift(np.ascontiguousarray(np.rot90(PICTURES[0])), 40)
    unlike = [sift(PICTURES[1], 40)]
    likeness = (one @ turned.T).max(axis=1)
    assert np.median(likeness) > 0.99
    assert np.median((one @ unlike[0].T).max(axis=1)) < 0.97


def test_dense_points_lie_on_a_grid_in_three_sizes() -> None:
    found = sift(PICTURES[0], step=16)
    assert found.shape == (3 * 10 * 8, 128)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-4)
    # What is seen moves by one field of the grid, and so do the descriptors, away from the rim.
    moved = sift(np.roll(PICTURES[0], 16, axis=1), step=16)
    one, other = found.reshape(3, 8, 10, 128), moved.reshape(3, 8, 10, 128)
    assert np.abs(one[:, :, 2:7] - other[:, :, 3:8]).max() < 1e-5
    assert np.abs(one[:, :, 2:7] - other[:, :, 2:7]).max() > 0.1
    ramp = np.tile(np.arange(96, dtype=np.uint8) * 2, (96, 1))
    directions = sift(ramp, root=False, step=32)[4].reshape(16, 8).sum(axis=0)  # 8 directions in each of 4 x 4 cells
    assert directions[0] > 0.95 * directions.sum()  # upright: what rises to the right is in the first
    extractor = SiftVlad(words=4, step=16)
    extractor.fit(CLIPS)
    assert extractor(CLIPS[0]).values.shape == (2, 512)


def test_the_number_of_threads_changes_nothing() -> None:
    before = cv2.getNumThreads()
    try:
        made = set()
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            made.add((sift(PICTURES[0], 100).tobytes(), sift(PICTURES[0], step=9).tobytes()))
    finally:
        cv2.setNumThreads(before)
    assert len(made) == 1


def test_an_even_picture_has_none() -> None:
    assert sift(np.full((60, 60), 90, np.uint8)).shape == (0, 128)
    extractor = SiftBow(words=4)
    extractor.fit(CLIPS)
    made = extractor(clip_of(np.full((60, 60), 90, np.uint8)))
    assert len(made) == 1
    assert not made.values.any()


def test_the_extractors_are_the_functions() -> None:
    bow, whole = SiftBow(words=8), SiftVlad(words=4, intra=True)
    for extractor in (bow, whole):
        extractor.fit(CLIPS)
    found = sift(PICTURES[1])
    assert bow.codebook is not None
    assert whole.codebook is not None
    assert bow(CLIPS[0]).values[1] == pytest.approx(bag_of_words(found, bow.codebook), abs=1e-6)
    assert whole(CLIPS[0]).values[1] == pytest.approx(vlad(found, whole.codebook, intra=True), abs=1e-6)


def test_each_clip_gives_at_most_so_many_points_drawn_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []

    def look(points: np.ndarray, words: int, seed: int) -> np.ndarray:
        seen.append(points)
        return points[:words]

    monkeypatch.setattr("cinescope.features.signal.sift.k_means", look)
    for seed, a_clip in ((1, 40), (1, 40), (2, 40), (1, 2000)):
        codebook_of(SiftBow(words=8, a_clip=a_clip), CLIPS, seed)
    first, again, other, whole = seen
    assert len(first) == 80
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    everything = {point.tobytes() for point in whole}
    assert len(whole) > 400
    assert all(point.tobytes() in everything for point in first)


def test_the_words_depend_on_the_seed_alone() -> None:
    def learn(seed: int) -> bytes:
        return codebook_of(SiftBow(words=8), CLIPS, seed).tobytes()

    assert learn(1) == learn(1)
    assert learn(1) != learn(2)
    with pytest.raises(BadQueryError, match="8 words cannot be learned from 2 different descriptors"):
        codebook_of(SiftBow(words=8, a_clip=1), CLIPS, 1)


def test_nothing_to_learn_from() -> None:
    with pytest.raises(BadQueryError, match="4 words cannot be learned from 0 different descriptors"):
        SiftVlad(words=4).fit([Clip(Span(0, 1))])
    with pytest.raises(BadQueryError, match="from 0 different"):
        SiftBow(words=4).fit([])


def test_not_fitted() -> None:
    with pytest.raises(MissingPartError, match="'sift_bow' has not learned its words: fit it on training clips first"):
        SiftBow()(CLIPS[0])


def test_a_codebook_of_other_settings_is_refused() -> None:
    extractor = SiftVlad(words=4)
    extractor.fit(CLIPS)
    with pytest.raises(BadQueryError, match=r"holds a codebook of \(4, 128\), and \(5, 128\) is needed"):
        SiftVlad(words=5).restore(extractor.state())
    with pytest.raises(BadQueryError, match=r"holds a codebook of \(0,\)"):
        SiftVlad(words=5).restore({})


def test_the_codebook_is_part_of_the_key() -> None:
    one, two = SiftBow(words=4), SiftBow(words=4)
    bare = one.source.key
    one.fit(CLIPS, 0)
    two.fit(CLIPS[:1], 0)
    assert len({bare, one.source.key, two.source.key}) == 3
    two.restore(one.state())
    assert two.source == one.source


def test_wrong_settings() -> None:
    with pytest.raises(BadQueryError, match="'words' of sift_bow cannot be 1"):
        SiftBow(words=1)
    with pytest.raises(BadQueryError, match="'norm' of sift_bow"):
        SiftBow(norm="L3")
