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

from cinescope.features.common import (
    check_flags,
    check_setting,
    grey_pictures,
    is_count,
    is_rate,
    per_picture,
    settings_of,
)
from cinescope.features.signal.codebook import bag_of_words, k_means, vlad
from cinescope.types import BadQueryError, Clip, Features, FrameNeed, MissingPartError, Modality, Needs, Source

DIM = 128
NORMS = ("root", "L1", "L2")
_CELLS = (3, 4, 6)  # pixels: width of a descriptor's cell, of the three sizes of dense SIFT
MOST_POINTS = 100_000  # that words are learned from: more take long and change little


def sift(picture: np.ndarray, most: int = 500, root: bool = True, step: int | None = None) -> np.ndarray:
    """(H, W) uint8 -> (N, 128) float32 of length 1, or (0, 128) where there is nothing.

    Lowe 2004, "Distinctive image features from scale-invariant keypoints" (OpenCV's), at the `most` strongest points.
    With `step`, upright at every `step` pixels in three sizes instead, however even the place: "dense SIFT", which
    tells kinds of scenes and things better (Bosch, Zisserman and Munoz 2007, section 2.1). `root`: square root of the
    shares, RootSIFT (Arandjelović and Zisserman 2012, "Three things everyone should know", section 3).
    """
    detector = cv2.SIFT_create(nfeatures=most)  # type: ignore[attr-defined]
    if step is None:
        _, found = detector.detectAndCompute(picture, None)
    else:
        _, found = detector.compute(picture, _grid(picture.shape[0], picture.shape[1], step))
    if found is None or not len(found):
        return np.zeros((0, DIM), np.float32)
    if root:
        return np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12))
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _grid(height: int, width: int, step: int) -> list[cv2.KeyPoint]:
    """Points in the middles of the grid's fields. A cell of a descriptor, of 4 x 4, is 1.5 times the size wide."""
    middles = [(x + step / 2, y + step / 2) for y in range(0, height, step) for x in range(0, width, step)]
    return [cv2.KeyPoint(x, y, cell / 1.5, 0.0) for cell in _CELLS for x, y in middles]


def codebook_of(extractor: SiftBow | SiftVlad, clips: Iterable[Clip], seed: int) -> np.ndarray:
    """(words, 128): k-means over the points of the clips, of each at most `a_clip`, drawn by seed and place."""
    a_clip, words = extractor.a_clip, extractor.words
    drawn = []
    for place, clip in enumerate(clips):
        found = [_points(extractor, picture) for picture in grey_pictures(clip, extractor.size)]
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


@dataclass(eq=False)
class SiftBow:
    """How often each visual word is seen in each picture. Sivic and Zisserman 2003. `fit` learns the words."""

    words: int = 200
    norm: str = "root"
    root: bool = True  # RootSIFT
    most: int = 500  # points a picture
    step: int | None = None  # pixels: dense SIFT on a grid, instead of the strongest points
    a_clip: int = 500  # points a clip that the words are learned from
    size: int = 320  # pixels of the longest side
    rate: float | None = 1.0
    codebook: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)  # (words, 128)

    name: ClassVar[str] = "sift_bow"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        check_setting(self.name, "norm", self.norm, self.norm in NORMS, f"one of {', '.join(NORMS)}")
        check_flags(self, "root")
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
            return bag_of_words(_points(self, picture), codebook, self.norm)

        return per_picture(clip, grey_pictures(clip, self.size), describe, self.dim, self.source)

    def fit(self, clips: Iterable[Clip], seed: int = 0) -> None:
        self.codebook = codebook_of(self, clips, seed)

    def state(self) -> dict[str, Any]:
        return {"codebook": _learned(self)}

    def restore(self, state: dict[str, Any]) -> None:
        self.codebook = _checked(self, state)


@dataclass(eq=False)
class SiftVlad:
    """How the points of each picture lie around the visual words. Jégou et al. 2010. `fit` learns the words.

    The paper's reduction by PCA is left to what follows.
    """

    words: int = 16
    signed_root: bool = True
    intra: bool = False  # each word's part brought to length 1 first
    root: bool = True  # RootSIFT
    most: int = 500  # points a picture
    step: int | None = None  # pixels: dense SIFT on a grid, instead of the strongest points
    a_clip: int = 500  # points a clip that the words are learned from
    size: int = 320  # pixels of the longest side
    rate: float | None = 1.0
    codebook: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)  # (words, 128)

    name: ClassVar[str] = "sift_vlad"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "picture"

    def __post_init__(self) -> None:
        check_flags(self, "root", "signed_root", "intra")
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
            return vlad(_points(self, picture), codebook, self.signed_root, self.intra)

        return per_picture(clip, grey_pictures(clip, self.size), describe, self.dim, self.source)

    def fit(self, clips: Iterable[Clip], seed: int = 0) -> None:
        self.codebook = codebook_of(self, clips, seed)

    def state(self) -> dict[str, Any]:
        return {"codebook": _learned(self)}

    def restore(self, state: dict[str, Any]) -> None:
        self.codebook = _checked(self, state)


def _check_shared(extractor: SiftBow | SiftVlad) -> None:
    for setting, least in (("words", 2), ("most", 1), ("a_clip", 1), ("size", 16)):
        value = getattr(extractor, setting)
        check_setting(extractor.name, setting, value, is_count(value, least), f"a whole number of at least {least}")
    step, rate = extractor.step, extractor.rate
    check_setting(extractor.name, "step", step, step is None or is_count(step), "a whole number above 0, or null")
    check_setting(extractor.name, "rate", rate, is_rate(rate), "pictures a second, or null for every frame")


def _points(extractor: SiftBow | SiftVlad, picture: np.ndarray) -> np.ndarray:
    return sift(picture, extractor.most, extractor.root, extractor.step)


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
