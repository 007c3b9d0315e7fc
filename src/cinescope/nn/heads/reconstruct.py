"""Each role said again from what was fused. Knows the widths of the roles, not what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import nn

from cinescope.nn.batch import Batch, Fused, Outputs
from cinescope.nn.heads.readout import readout

Level = Literal["steps", "pooled"]


class Reconstruct(nn.Module):
    """{name.ROLE: (B, T, W)} from steps (B, T, D), or {name.ROLE: (B, W)} from pooled (B, D), W the role's width.

    From steps it says what the role was at the times of the fused steps, so that a role that was hidden from the
    model, whose own clock is gone, can be said too; name.mask (B, T) and name.times (B, T, 2) go along. The articles'
    multimodal auto-encoder (Ngiam et al. 2011, section 3): x' = W h + b for every role.
    """

    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dim: int,
        *,
        roles: Mapping[str, int],
        level: Level = "steps",
        name: str = "reconstruct",
        hidden: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if level not in ("steps", "pooled"):
            raise ValueError(f"level is 'steps' or 'pooled', got {level!r}")
        if not roles:
            raise ValueError("a reconstruct head needs the width of at least one role, got none")
        self.name = name
        self.level: Level = level
        self.roles = dict(roles)
        self.readouts = nn.ModuleList([readout(dim, width, hidden, dropout) for width in roles.values()])

    def forward(self, fused: Fused, batch: Batch) -> Outputs:
        if self.level == "pooled":
            return {
                f"{self.name}.{role}": read(fused.pooled) for role, read in zip(self.roles, self.readouts, strict=True)
            }
        steps, mask = fused.steps.zeroed(), fused.steps.mask
        outputs: Outputs = {f"{self.name}.mask": mask, f"{self.name}.times": fused.steps.times}
        for role, read in zip(self.roles, self.readouts, strict=True):
            said = read(steps)
            outputs[f"{self.name}.{role}"] = torch.where(mask[..., None], said, torch.zeros_like(said))
        return outputs
