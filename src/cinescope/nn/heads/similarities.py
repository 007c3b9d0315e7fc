"""Two roles in one space, where what belongs together lies close. Knows their steps, not what they show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from cinescope.nn.batch import Batch, Fused, Outputs
from cinescope.nn.heads.roles import Source, check_source, mean_of_steps, steps_of
from cinescope.nn.sequences import Sequences

_MOST_SCALE = 100.0  # Radford et al. 2021 (CLIP), section 2.5: the logit scale is clipped at 100


class Similarities(nn.Module):
    """Roles left and right -> {name.left (B, P), name.right (B, P), name.known (B,) bool, name.scale ()}.

    The mean of a role's steps, projected to P numbers and to length 1; zeros and not known where the role is absent.
    With `items` every step of the right role is embedded, the captions of a clip: name.right (B, N, P) and name.mask
    (B, N) beside them. scale = exp(s), s learned, as in CLIP (Radford et al. 2021, figure 3), from 1 / temperature.

    Roles are read before fusion: after a fusion that mixes them, each side would have seen the other and matching
    would be no task. "parts" reads them after it, for fusions known not to mix. `dims` {role: width}, the fusion's
    where not given.
    """

    onnx: ClassVar[bool] = True

    def __init__(
        self,
        dim: int,
        *,
        left: str,
        right: str,
        dims: Mapping[str, int] | None = None,
        width: int = 64,
        temperature: float = 0.07,
        items: bool = False,
        source: Source = "encoded",
        name: str = "similarities",
    ) -> None:
        super().__init__()
        check_source(source)
        if temperature <= 0:
            raise ValueError(f"the temperature must be above 0, got {temperature}")
        dims = dims or {}
        self.name = name
        self.left, self.right = left, right
        self.left_dim, self.right_dim = dims.get(left, dim), dims.get(right, dim)
        self.items = items
        self.source: Source = source
        self.project_left = nn.Linear(self.left_dim, width, bias=False)
        self.project_right = nn.Linear(self.right_dim, width, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / temperature)))

    def forward(self, fused: Fused, batch: Batch) -> Outputs:
        left = steps_of(self.left, self.source, self.left_dim, fused, batch)
        right = steps_of(self.right, self.source, self.right_dim, fused, batch)
        outputs = {
            f"{self.name}.left": _unit(self.project_left(mean_of_steps(left))),
            f"{self.name}.right": _unit(self.project_right(self._side(right))),
            f"{self.name}.known": left.present & right.present,
            f"{self.name}.scale": self.log_scale.exp().clamp(max=_MOST_SCALE),
        }
        if self.items:
            outputs[f"{self.name}.mask"] = right.mask
        return outputs

    def _side(self, steps: Sequences) -> Tensor:
        return steps.zeroed() if self.items else mean_of_steps(steps)


def _unit(rows: Tensor) -> Tensor:
    """To length 1; zeros stay zeros, with finite gradients. Without a bias an absent row is zeros before."""
    return functional.normalize(rows.to(torch.promote_types(rows.dtype, torch.float32)), dim=-1, eps=1e-6)
