"""A learning rate from a range test (Smith 2017, section 3.3; the choice of the steepest fall is that of fast.ai)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import nn

from cinescope.nn import Task
from cinescope.training.data import Data
from cinescope.training.settings import TrainSettings
from cinescope.types import CinescopeError

STEPS = 80
LOWEST, HIGHEST = 1e-6, 1.0


def find_lr(model: nn.Module, task: Task, data: Data, settings: TrainSettings) -> float:
    """The rate at which the smoothed loss falls fastest while the rate rises; the model is left as it was."""
    kept = {name: t.detach().clone() for name, t in model.state_dict().items()}
    optimiser = torch.optim.AdamW(model.parameters(), lr=LOWEST, weight_decay=settings.weight_decay)
    rates, smooth, average = np.geomspace(LOWEST, HIGHEST, STEPS), [], 0.0
    batches: list[Any] = []
    epoch = 0
    model.train()
    for at, rate in enumerate(rates):
        if not batches:
            batches = list(data.order.epoch(epoch))
            epoch += 1
        for group in optimiser.param_groups:
            group["lr"] = float(rate)
        loss = task.loss(model, data.train.batch(batches.pop(0)), settings.seed, 0).mean()
        value = float(loss.detach())
        if not math.isfinite(value):
            break
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average = 0.9 * average + 0.1 * value
        smooth.append(average / (1 - 0.9 ** (at + 1)))
        if smooth[-1] > 3 * min(smooth):
            break
    model.load_state_dict(kept)
    return choose(rates[: len(smooth)], np.array(smooth))


def choose(rates: np.ndarray, losses: np.ndarray) -> float:
    """The rate of the steepest fall before the least loss."""
    if len(losses) < 8 or losses.argmin() < 4:
        raise CinescopeError("no learning rate was found: the loss never falls", "give lr as a number, such as 0.001")
    until = int(losses.argmin()) + 1
    slope = np.gradient(losses[:until], np.log(rates[:until]))
    return float(rates[int(slope.argmin())])
