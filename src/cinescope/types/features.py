"""Numbers of a clip with their times, and what makes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from cinescope.types.analyser import Needs
from cinescope.types.clip import Clip
from cinescope.types.segment import Source

Modality = Literal["picture", "sound", "text", "place", "given"]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """T steps of D numbers. No steps (T = 0) is how a modality says that it is absent."""

    values: np.ndarray  # (T, D) float32
    times: np.ndarray  # (T, 2) float64, seconds: what stretch each row describes, half-open
    modality: Modality
    source: Source

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise ValueError(f"Features need float32 values (T, D), got {self.values.dtype} {self.values.shape}")
        if self.times.shape != (len(self.values), 2):
            raise ValueError(f"Features of {len(self.values)} steps need times (T, 2), got {self.times.shape}")
        if not np.isfinite(self.values).all():
            raise ValueError(f"the features '{self.source.analyser}' hold values that are no numbers (NaN or infinite)")

    def __len__(self) -> int:
        return len(self.values)


@runtime_checkable
class FeatureExtractor(Protocol):
    """Clip -> Features. Settings are given to the constructor; the same clip gives the same numbers, bit for bit.

    A clip without what it needs gives no steps, never zeros. One that learns something (a codebook, a vocabulary)
    is a `FittedExtractor` too.
    """

    name: str
    version: str  # raised whenever the numbers change
    modality: Modality
    needs: Needs

    @property
    def dim(self) -> int: ...  # D

    @property
    def source(self) -> Source: ...

    def __call__(self, clip: Clip) -> Features: ...


@runtime_checkable
class FittedExtractor(FeatureExtractor, Protocol):
    """An extractor that must see training clips first, and never those it is measured on.

    `state` returns JSON values and numpy arrays (no pickles), from which `restore` makes a fresh instance the same.
    Calling one that is not fitted raises MissingPartError.
    """

    def fit(self, clips: Iterable[Clip], seed: int = 0) -> None: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...
