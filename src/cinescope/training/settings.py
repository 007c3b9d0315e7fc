"""How to train, as plain data. Knows nothing of what is trained."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from cinescope.types import BadQueryError

Schedule = Literal["constant", "cosine", "onecycle", "linear"]
Precision = Literal["auto", "fp32", "bf16"]
Optimiser = Literal["adamw", "sgd"]
Shard = Literal["ddp", "fsdp"]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Defaults fit a few thousand rows on a laptop. A batch is that of one optimiser step, over all ranks and parts."""

    epochs: int = 20
    batch: int = 32
    parts: int = 1  # a batch is computed in so many parts, one after the other, when it does not fit in memory
    lr: float | Literal["find"] = 1e-3
    optimiser: Optimiser = "adamw"
    weight_decay: float = 0.01
    momentum: float = 0.9  # of sgd
    schedule: Schedule = "cosine"
    warmup: float = 0.05  # share of all steps
    clip_norm: float | None = 1.0
    precision: Precision = "fp32"  # auto: bf16 where a matrix product measures faster (small models may not be)
    ema: float | None = None  # decay a step of the averaged weights that are then watched and saved
    patience: int | None = None  # epochs without a better figure before training stops
    balanced: bool = False
    bucketed: bool = True  # rows of like length go together
    drop_last: bool = False
    seed: int = 0
    save_every: int = 1  # epochs
    save_steps: int | None = None  # and every so many steps
    shard: Shard = "ddp"  # under torchrun
    tensorboard: bool = False
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "parts", "save_every"):
            if getattr(self, name) < 1:
                raise BadQueryError(f"{name}: {getattr(self, name)} is too small", "give 1 or more")
        if self.parts > self.batch:
            raise BadQueryError(f"a batch of {self.batch} cannot be computed in {self.parts} parts")
        if self.lr != "find" and not 0 < self.lr < 1e3:
            raise BadQueryError(f"lr: {self.lr} is no learning rate", "give a number above 0 and below 1000, or find")
        if self.ema is not None and not 0 < self.ema < 1:
            raise BadQueryError(f"ema: {self.ema} is no decay", "give a number between 0 and 1, such as 0.999")
        if not 0 <= self.warmup < 1:
            raise BadQueryError(f"warmup: {self.warmup} is no share of the steps", "give a number from 0 to below 1")


def names() -> list[str]:
    return [f.name for f in fields(TrainSettings)]


def to_json(settings: TrainSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in names()}
