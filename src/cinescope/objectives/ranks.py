"""Which of the gathered rows are this process's own. Knows torch.distributed, no loss."""

from __future__ import annotations

import torch
from torch import Tensor, distributed

from cinescope.nn import Gather


def this_rank() -> int:
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0


def own_rows(count: int, gather: Gather, device: torch.device) -> Tensor:
    """(B,) int64: where this process's B rows lie among those that `gather` gives."""
    rank = this_rank()
    ranks = gather(torch.full((count,), rank, dtype=torch.int64, device=device))
    return (ranks == rank).nonzero()[:, 0]
