"""SIFT points of each picture, as a bag of words or as VLAD over a codebook learned from training clips.

Knows grey pictures. The codebook is part of the settings by its digest, so that features of two codebooks are never
taken for the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import cv2
import numpy as np

from cinescope.features.common import check_setting, grey_pictures, is_count, is_rate, per_picture, settings_of
from cinescope.features.signal.codebook import bag_of_words, k_means, vlad
from cinescope.types import BadQueryError, Clip, Features, FrameNeed, MissingPartError, Modality, Needs, Source

DIM = 128
NORMS = ("root", "L1", "L2")
MOST_POINTS = 100_000  # that words are learned from: more take long and change little


def sift(picture: np.ndarray, most: int = 500, root: bool = True) -> np.ndarray:
    """(H, W) uint8 -> (N, 128) float32 of length 1, the `most` strongest points; (0, 128) where there is nothing.

    Lowe 2004, "Distinctive image features from scale-invariant keypoints" (OpenCV's). `root`: square root of the
    L1-normalised, RootSIFT (Arandjelović and Zisserman 2012, "Three things everyone should know", section 3).
    """
    _, found = cv2.SIFT_create(nfeatures=most).detectAndCompute(picture, None)  # type: ignore[attr-defined]
    if found is None or not len(found):
        return np.zeros((0, DIM), np.float32)
    if root:
        return np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12))
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def codebook_of(
    clips: Iterable[Clip], words: int, most: int, root: bool, size: int, a_clip: int, seed: int
) -> np.ndarray:
    """(words, 128): k-means over the points of the clips, of each at most `a_clip`, drawn by seed and place."""
    drawn = []
    for place, clip in enumerate(clips):
        found = [sift(p, most, root) for p in grey_pictures(clip, size)]
        points = np.concatenate(found) if found else np.zeros((0, DIM), np.float32)
        if len(points) > a_clip:
            kept = np.random.default_rng([seed, place]).choice(len(points), a_clip, replace=False)
            points = points[np.sort(kept)]
        drawn.append(points)
    points = np.concatenate(drawn) if drawn else np.zeros((0, DIM), np.float32)
    if len(points) > MOST_POINTS:
        kept = np.random.default_rng([seed, len(drawn)]).choice(len(points), MOST_POINTS, replace=False)
        points = points[np.sort(kept)]
    return k_means(points, words, seed)


@dataclass
class SiftBow:
    """How often each visual word is seen in each picture. Sivic and Zisserman 2003. `fit` learns the words."""

    words: int = 200
    norm: str = "root"
    root: bool = True  # RootSIFT
    most: int = 500  # points a picture
    a_clip: int = 500  # points a clip that the words are learned from
    size: int = 320  # pixels of the longest side
    rate: float | None = 1.0
    codebook: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)  # (words, 128)

    name: ClassVar[str] = "sift_bow"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        check_setting(self.name, "norm", self.norm, self.norm in NORMS, f"one of {', '.join(NORMS)}")
        _check_shared(self)

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, self.size, "grey"))

    @property
    def dim(self) -> int:
        return self.words

    @property
    def source(self) -> Source:
        return _source(self)

    def __call__(self, clip: Clip) -> Features:
        codebook = _learned(self)

        def describe(picture: np.ndarray) -> np.ndarray:
            return bag_of_words(sift(picture, self.most, self.root), codebook, self.norm)

        return per_picture(clip, grey_pictures(clip, self.size), describe, self.dim, self.source)

    def fit(self, clips: Iterable[Clip], seed: int = 0) -> None:
        self.codebook = codebook_of(clips, self.words, self.most, self.root, self.size, self.a_clip, seed)

    def state(self) -> dict[str, Any]:
        return {"codebook": _learned(self)}

    def restore(self, state: dict[str, Any]) -> None:
        self.codebook = _checked(self, state)


@dataclass
class SiftVlad:
    """How the points of each picture lie around the visual words. Jégou et al. 2010. `fit` learns the words.

    The paper's reduction by PCA is left to what follows.
    """

    words: int = 16
    signed_root: bool = True
    intra: bool = False  # each word's part brought to length 1 first
    root: bool = True  # RootSIFT
    most: int = 500  # points a picture
    a_clip: int = 500  # points a clip that the words are learned from
    size: int = 320  # pixels of the longest side
    rate: float | None = 1.0
    codebook: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)  # (words, 128)

    name: ClassVar[str] = "sift_vlad"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        _check_shared(self)

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(self.rate, self.size, "grey"))

    @property
    def dim(self) -> int:
        return self.words * DIM

    @property
    def source(self) -> Source:
        return _source(self)

    def __call__(self, clip: Clip) -> Features:
        codebook = _learned(self)

        def describe(picture: np.ndarray) -> np.ndarray:
            return vlad(sift(picture, self.most, self.root), codebook, self.signed_root, self.intra)

        return per_picture(clip, grey_pictures(clip, self.size), describe, self.dim, self.source)

    def fit(self, clips: Iterable[Clip], seed: int = 0) -> None:
        self.codebook = codebook_of(clips, self.words, self.most, self.root, self.size, self.a_clip, seed)

    def state(self) -> dict[str, Any]:
        return {"codebook": _learned(self)}

    def restore(self, state: dict[str, Any]) -> None:
        self.codebook = _checked(self, state)


def _check_shared(extractor: SiftBow | SiftVlad) -> None:
    for setting, least in (("words", 2), ("most", 1), ("a_clip", 1), ("size", 16)):
        value = getattr(extractor, setting)
        check_setting(extractor.name, setting, value, is_count(value, least), f"a whole number of at least {least}")
    rate = extractor.rate
    check_setting(extractor.name, "rate", rate, is_rate(rate), "pictures a second, or null for every frame")


def _source(extractor: SiftBow | SiftVlad) -> Source:
    settings = settings_of(extractor)
    if extractor.codebook is not None:
        digest = hashlib.blake2b(np.ascontiguousarray(extractor.codebook).tobytes(), digest_size=8).hexdigest()
        settings["codebook"] = digest
    return Source(extractor.name, extractor.version, settings)


def _learned(extractor: SiftBow | SiftVlad) -> np.ndarray:
    if extractor.codebook is None:
        raise MissingPartError(f"'{extractor.name}' has not learned its words", "fit it on training clips first")
    return extractor.codebook


def _checked(extractor: SiftBow | SiftVlad, state: dict[str, Any]) -> np.ndarray:
    codebook = np.asarray(state.get("codebook", ()), np.float32)
    if codebook.shape != (extractor.words, DIM) or not np.isfinite(codebook).all():
        raise BadQueryError(
            f"what '{extractor.name}' is restored from holds a codebook of {codebook.shape}, "
            f"and {(extractor.words, DIM)} is needed",
            "restore it with the settings that it was fitted with",
        )
    return codebook
