"""The training loop beside bare PyTorch: `python -m benchmarks.train_loop [--seconds 20]`.

The same model, batches, optimiser and clipping, in turns in one process; a step takes about 20 and about 200 ms. The
reference is the shortest loop that a person would write: forward, backward, clip, step, over batches held in memory.
Ours makes its batches of rows, watches, logs, and tells its progress. Bars: at least 0.95 of the steps per second.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.bars import Bars
from cinescope.datasets.inputs import InputSpec, Preparer
from cinescope.datasets.loading import RowSource
from cinescope.datasets.rows import Ragged, Rows
from cinescope.datasets.sampling import Sampler
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec
from cinescope.nn import Batch
from cinescope.tasks import TASKS
from cinescope.training.data import Data
from cinescope.training.loop import train
from cinescope.training.settings import TrainSettings

STEPS, WIDE, BATCH = 40, 40, 32  # of a row; rows a batch
# Layers of a Transformer encoder that make a step of about 20 and about 200 ms on two cores.
MODELS = {"20ms": (64, 1), "200ms": (192, 4)}


def rows(count: int) -> RowSource:
    """Noise: what is learnt does not matter here."""
    rng = np.random.default_rng(0)
    made = [
        (rng.normal(size=(STEPS, WIDE)).astype(np.float32), np.stack([np.arange(STEPS), np.arange(STEPS) + 1], 1))
        for _ in range(count)
    ]
    preparer = Preparer({"sound": InputSpec(given="sound")})
    inputs = {"sound": Ragged.of(made)}
    preparer.fit_scales(inputs)
    labels = {"label": rng.integers(0, 10, count)}
    return RowSource(Rows(tuple(f"{i}" for i in range(count)), inputs, labels, (), np.zeros(count)), preparer)


def spec(dim: int, layers: int) -> ModelSpec:
    return ModelSpec(
        {"sound": EncoderSpec("transformer", WIDE, dim, {"layers": layers})},
        PartSpec("concat"),
        dim,
        {"classes": PartSpec("classes", {"name": "classes", "classes": 10})},
    )


def bare(which: str, batches: list[Batch]) -> float:
    """Seconds a step of the plain loop."""
    model, task = spec(*MODELS[which]).build(0), TASKS.create("classification", target="label")
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    model.train()
    began = time.perf_counter()
    for batch in batches:
        loss = torch.nn.functional.cross_entropy(model(batch)["classes"], batch.targets["label"])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    del task
    return (time.perf_counter() - began) / len(batches)


def ours(which: str, source: RowSource, folder: Path) -> float:
    """Seconds a step of `training.train`: an epoch of as many steps, its checkpoint not counted."""
    model, task = spec(*MODELS[which]).build(0), TASKS.create("classification", target="label")
    settings = TrainSettings(epochs=1, batch=BATCH, lr=1e-4, precision="fp32", schedule="constant", warmup=0)
    ends: list[float] = []
    began = time.perf_counter()
    train(
        model, task, Data(source, Sampler(len(source), BATCH)), settings, folder, {},
        tell=lambda progress: ends.append(time.perf_counter()),
    )  # fmt: skip
    steps = -(-len(source) // BATCH)
    return (ends[steps - 1] - began) / steps


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--seconds", type=float, default=20.0, help="of each turn, about")
    options.add_argument("--turns", type=int, default=5)
    told = options.parse_args()
    bars = Bars()
    for which in MODELS:
        first = rows(BATCH * 4)
        step = bare(which, [first.batch(np.arange(BATCH))] * 4)
        count = max(10, int(told.seconds / step / 2))
        source = rows(BATCH * count)
        batches = [source.batch(b) for b in Sampler(len(source), BATCH).epoch(0)]
        ratios = []
        with tempfile.TemporaryDirectory() as folder:
            for turn in range(told.turns):
                # In turns, and each first in every other turn: what else the machine does falls on both.
                pair = {}
                for name in ("bare", "ours") if turn % 2 else ("ours", "bare"):
                    pair[name] = (
                        bare(which, batches) if name == "bare" else ours(which, source, Path(folder) / str(turn))
                    )
                ratios.append(pair["bare"] / pair["ours"])
                print(
                    f"{which} turn {turn}: bare {1000 * pair['bare']:.1f} ms, ours {1000 * pair['ours']:.1f} ms a step",
                    flush=True,
                )
        bars.at_least(f"train.loop.{which}", float(np.median(ratios)), 0.95)
    sys.exit(bars.finish())


if __name__ == "__main__":
    main()
