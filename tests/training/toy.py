"""A small model, task and data for tests of the loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from cinescope.datasets.sampling import Sampler
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec
from cinescope.nn import Batch, Sequences
from cinescope.tasks import TASKS
from cinescope.training.data import Data

ROWS = 48


@dataclass(frozen=True)
class Toy:
    """Rows of two steps whose class is the sign of their first number; `spoilt` puts NaN into that row."""

    rows: int = ROWS
    spoilt: int = -1

    def __len__(self) -> int:
        return self.rows

    def batch(self, index: Any) -> Batch:
        chosen = np.asarray(index)
        values = np.stack([np.random.default_rng([7, i]).normal(size=(2, 4)) for i in chosen]).astype(np.float32)
        label = (values[:, 0, 0] > 0).astype(np.int64)
        values[chosen == self.spoilt] = np.nan
        return Batch(
            {"sound": Sequences.of(torch.from_numpy(values))},
            {"label": torch.from_numpy(label)},
            tuple(f"row{i}" for i in chosen),
        )


def spec(dropout: float = 0.0) -> ModelSpec:
    return ModelSpec(
        {"sound": EncoderSpec("gru", 4, 6)},
        PartSpec("concat", {"dropout": dropout}),
        6,
        {"classes": PartSpec("classes", {"name": "classes", "classes": 2, "dropout": dropout})},
    )


def task() -> Any:
    return TASKS.create("classification", target="label")


def data(batch: int = 8, seed: int = 0, val: bool = True, spoilt: int = -1) -> Data:
    return Data(Toy(spoilt=spoilt), Sampler(ROWS, batch, seed), Toy(20) if val else None)
