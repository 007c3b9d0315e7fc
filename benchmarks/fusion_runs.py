"""One model of one fusion, trained and tested by Cinescope's own loop; and the linear reference. Knows arrays only."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.fusion_data import Rows
from cinescope.datasets.sampling import Sampler
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec
from cinescope.nn import Batch, Sequences
from cinescope.tasks.classification import Classification
from cinescope.training.data import Data
from cinescope.training.loop import evaluate, train
from cinescope.training.settings import TrainSettings

WIDTH = 32
DROP = 0.3  # how often a role is dropped in training, where it may be missing later
EPOCHS = {"worlds": 8, "digits": 40}
LR = {"worlds": 3e-3, "digits": 1e-2}
BATCH = {"worlds": 64, "digits": 256}
DROPOUT = {"worlds": 0.1, "digits": 0.3}  # of the encoders: on the digits a new speaker is the test
# The digits are 2,500 rows of 116 numbers, and a new speaker is the test: linear encoders, noise, smoothed labels and
# decay. Chosen for each held-out speaker on the others alone (train on four, watch the fifth): the same for all six
# (docs/LOG.md).
ENCODER = {"worlds": "mlp", "digits": "linear"}
NOISE = {"worlds": 0.0, "digits": 1.0}
SMOOTHING = {"worlds": 0.0, "digits": 0.1}
DECAY = {"worlds": 0.01, "digits": 0.3}


class Held:
    """A training source of rows that are all in memory, with these roles alone."""

    def __init__(self, rows: Rows, roles: Sequence[str]) -> None:
        self.inputs = {role: torch.from_numpy(rows.inputs[role]) for role in roles}
        self.labels = torch.from_numpy(rows.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: Sequence[int] | np.ndarray) -> Batch:
        chosen = torch.as_tensor(np.asarray(index))
        inputs = {role: Sequences.of(values[chosen]) for role, values in self.inputs.items()}
        return Batch(inputs, {"label": self.labels[chosen]}, tuple(str(i) for i in chosen.tolist()))


def fit(
    fusion: str, rows: Rows, roles: Sequence[str], seed: int, kind: str = "worlds", drop: float = 0.0, epochs: int = 0
) -> torch.nn.Module:
    """A model of these roles: a perceptron or a linear layer a step, the fusion, a linear layer; the last weights."""
    noise = [{"name": "noise", "roles": list(roles), "most": NOISE[kind]}] if NOISE[kind] else []
    smooth = {"name": "cross_entropy", "label_smoothing": SMOOTHING[kind]}
    task = Classification("label", objective=smooth, augment=noise)
    heads = {
        n: PartSpec(h["name"], h["settings"]) for n, h in task.heads([str(c) for c in range(rows.classes)]).items()
    }
    encoders = {
        role: EncoderSpec(ENCODER[kind], rows.inputs[role].shape[-1], WIDTH, {"dropout": DROPOUT[kind]})
        for role in roles
    }
    model = ModelSpec(encoders, PartSpec(fusion, {"drop": drop} if drop else {}), WIDTH, heads).build(seed)
    settings = TrainSettings(
        epochs=epochs or EPOCHS[kind],
        batch=BATCH[kind],
        lr=LR[kind],
        weight_decay=DECAY[kind],
        precision="fp32",
        seed=seed,
        save_every=1000,
        threads=1,
    )
    data = Data(Held(rows, roles), Sampler(len(rows.labels), settings.batch, seed))
    with tempfile.TemporaryDirectory() as folder:
        train(model, task, data, settings, Path(folder), {"name": fusion})
    return model


def accuracy(model: torch.nn.Module, rows: Rows, roles: Sequence[str]) -> float:
    """Of 100, with these roles given."""
    answers = evaluate(model, Classification("label"), Held(rows, roles), 500)
    return 100 * float(np.mean(np.array([a["label"] for a in answers]) == rows.labels))


def linear(rows: Rows, test: Rows, roles: Sequence[str]) -> float:
    """Accuracy of 100 of logistic regression (scikit-learn, C = 0.05) on the same numbers, side by side."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    def flat(part: Rows) -> np.ndarray:
        return np.concatenate([part.inputs[r].mean(1) for r in roles], 1)

    made = LogisticRegression(C=0.05, max_iter=200).fit(flat(rows), rows.labels)
    return 100 * float(made.score(flat(test), test.labels))
