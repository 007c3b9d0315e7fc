"""From the descriptors of a second of sound to how likely each kind is: a net of one small hidden layer.

Its weights come from `python -m benchmarks.train_sounds`, which trains on drawn sounds and a few recorded speakers;
`sound_classes.json` beside this file holds them and says what they were made from. Knows no times and no videos.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from cinescope.features.signal.sound_descriptors import NAMES

KINDS = ("applause", "music", "noise", "speech")
FILE = Path(__file__).with_name("sound_classes.json")
CLIP = 4.0  # deviations beyond which a descriptor says no more than "far away"


@dataclass(frozen=True, slots=True, eq=False)
class Net:
    version: str
    mean: np.ndarray  # (D,)
    deviation: np.ndarray  # (D,)
    into: np.ndarray  # (D, H)
    into_bias: np.ndarray  # (H,)
    out: np.ndarray  # (H, K)
    out_bias: np.ndarray  # (K,)

    def __call__(self, descriptors: np.ndarray) -> np.ndarray:
        """(N, D) -> (N, K) probabilities of KINDS."""
        x = np.clip((descriptors - self.mean) / self.deviation, -CLIP, CLIP)
        score = np.tanh(x @ self.into + self.into_bias) @ self.out + self.out_bias
        score = np.exp(score - score.max(axis=1, keepdims=True))
        return score / score.sum(axis=1, keepdims=True)


@lru_cache(maxsize=1)
def net() -> Net:
    """ValueError where the file does not fit the descriptors."""
    kept = json.loads(FILE.read_text())
    if tuple(kept["descriptors"]) != NAMES or tuple(kept["kinds"]) != KINDS:
        raise ValueError(f"{FILE.name} was made for other descriptors or kinds: run python -m benchmarks.train_sounds")
    parts = ("mean", "deviation", "into", "into_bias", "out", "out_bias")
    return Net(kept["version"], *(np.array(kept[name], np.float64) for name in parts))
