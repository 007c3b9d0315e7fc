"""The averaged weights (Polyak and Juditsky 1992). Knows only tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """A running average of all floating weights and statistics of a module.

    The decay grows with the steps, min(decay, (1 + n) / (10 + n)), so that the first steps are soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay, self.count = decay, 0
        self._module = module
        self.average = {name: t.detach().clone() for name, t in module.state_dict().items()}

    @torch.no_grad()
    def update(self) -> None:
        decay = min(self.decay, (1 + self.count) / (10 + self.count))
        self.count += 1
        floats, now = [], []
        for name, tensor in self._module.state_dict().items():
            if tensor.is_floating_point():
                floats.append(self.average[name])
                now.append(tensor)
            else:
                self.average[name].copy_(tensor)
        torch._foreach_lerp_(floats, now, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The module has the averaged weights inside, its own again after."""
        own = {name: t.detach().clone() for name, t in self._module.state_dict().items()}
        self._module.load_state_dict(self.average)
        try:
            yield
        finally:
            self._module.load_state_dict(own)

    def restore(self, average: Mapping[str, Tensor], count: int) -> None:
        for name, tensor in average.items():
            self.average[name].copy_(tensor)
        self.count = count
