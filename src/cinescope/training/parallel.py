"""The module that is trained, in one process or many: model and task in one forward, so DDP and FSDP see one module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from cinescope.nn import Batch, Task
from cinescope.training import ranks

Terms = dict[str, tuple[float, float]]
_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class Trained(nn.Module):
    """forward is `task.loss`, divided by the counts of the whole batch."""

    def __init__(self, model: nn.Module, task: Task) -> None:
        super().__init__()
        self.model = model
        self.task = task

    def forward(
        self, batch: Batch, seed: int, epoch: int, counts: Mapping[str, float] | None, weight: float
    ) -> tuple[Tensor, dict[str, tuple[Tensor, Any]]]:
        """What to send back (a scalar), and the terms as sums and counts."""
        loss = self.task.loss(self.model, batch, seed, epoch, ranks.gather)
        return weight * loss.mean(counts), {name: (s.detach(), c) for name, (s, c) in loss.terms.items()}


def spread(trained: Trained, shard: str) -> nn.Module:
    """The same over all ranks: replicated (DDP) or sharded (FSDP); itself where there is one process."""
    if ranks.world() == 1:
        return trained
    if shard == "fsdp":
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        kind = "cuda" if torch.cuda.is_available() else "cpu"
        mesh = init_device_mesh(kind, (ranks.world(),))
        # One unit: parts of a model are called by `encode`, `fuse` and heads, not by one forward each.
        fully_shard(trained, mesh=mesh)
        return trained
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(trained, find_unused_parameters=True)


def unsynced(module: nn.Module, last: bool) -> Any:
    """Gradients of all but the last part of a batch stay on their rank until the last."""
    no_sync = getattr(module, "no_sync", None)
    if no_sync is not None and not last:
        return no_sync()
    sync = getattr(module, "set_requires_gradient_sync", None)
    if sync is not None:
        sync(last)
    return nullcontext()


@contextmanager
def whole(module: nn.Module) -> Iterator[None]:
    """While this lasts the model's parts can be called one by one: sharded weights are gathered."""
    unshard = getattr(module, "unshard", None)
    if unshard is not None:
        unshard()
    try:
        yield
    finally:
        if unshard is not None:
            module.reshard()  # type: ignore[operator]


def weights_of(model: nn.Module) -> dict[str, Tensor]:
    """All weights whole, on the CPU, whatever they are spread over."""
    if ranks.world() == 1:
        return model.state_dict()
    return {name: t for name, t in get_model_state_dict(model, options=_WHOLE).items() if isinstance(t, Tensor)}


def put_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    if ranks.world() == 1:
        model.load_state_dict(dict(weights))
    else:
        set_model_state_dict(model, dict(weights), options=StateDictOptions(full_state_dict=True))


def optimiser_state(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Any]:
    """By the names of the parameters, whole: JSON values and tensors."""
    return get_optimizer_state_dict(model, optimiser, options=_WHOLE)


def put_optimiser_state(model: nn.Module, optimiser: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    set_optimizer_state_dict(model, optimiser, state, options=StateDictOptions(full_state_dict=True))
