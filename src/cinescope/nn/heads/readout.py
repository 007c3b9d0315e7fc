"""The last layers that the heads share: width in, numbers out. Knows no role and no target."""

from __future__ import annotations

from torch import nn


def readout(dim: int, out: int, hidden: int = 0, dropout: float = 0.0) -> nn.Sequential:
    """(..., dim) -> (..., out): one linear layer, or with `hidden` above 0 a layer of that width before it."""
    if dim < 1 or out < 1 or hidden < 0 or not 0 <= dropout < 1:
        raise ValueError(
            f"a head needs widths above 0 and dropout in [0, 1), got {dim} -> {hidden or '-'} -> {out}, {dropout}"
        )
    if not hidden:
        return nn.Sequential(nn.Dropout(dropout), nn.Linear(dim, out))
    return nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, out))
