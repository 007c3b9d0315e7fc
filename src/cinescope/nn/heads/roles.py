"""The steps of one role for a head, from before or after fusion. Knows no fusion and no encoder."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from cinescope.nn.batch import Batch, Fused
from cinescope.nn.sequences import Sequences, absent_like

Source = Literal["encoded", "parts"]
HIDDEN = -1e4  # the logit of what is not there: exp of it is 0 in every float type, and unlike -inf it never gives NaN


def steps_of(role: str, source: Source, dim: int, fused: Fused, batch: Batch) -> Sequences:
    """The steps (B, T, dim) of a role: "encoded", before fusion, or "parts", after it. Absent where nobody has it."""
    found = batch.inputs.get(role) if source == "encoded" else fused.parts.get(role)
    return absent_like(fused.steps, dim, fused.pooled.dtype) if found is None else found


def check_source(source: str) -> None:
    if source not in ("encoded", "parts"):
        raise ValueError(f"a head reads a role from 'encoded' or 'parts', got {source!r}")


def mean_of_steps(steps: Sequences) -> Tensor:
    """(B, T, D) -> (B, D): the mean of the true steps, zeros for an absent row."""
    count = steps.mask.sum(1, keepdim=True).clamp_min(1).to(steps.values.dtype)
    return steps.zeroed().sum(1) / count


def hide(scores: Tensor, mask: Tensor) -> Tensor:
    """Scores with HIDDEN where the mask of the same shape is false."""
    return torch.where(mask, scores, torch.full((), HIDDEN, dtype=scores.dtype, device=scores.device))
