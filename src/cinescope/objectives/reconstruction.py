"""How near a reconstruction is to what it should be, where it should be. Knows vectors, not what they describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from cinescope.nn import Gather, Loss, Outputs, alone
from cinescope.objectives.reading import read_output, read_target, same_shape

Kind = Literal["mse", "cosine"]
Per = Literal["row", "step"]


class Reconstruction:
    """|x - x'|^2 / W over the steps of `target.mask` (B, T), or 1 - cos(x, x'). Values (B, T, W), or (B, W) with
    `target.known` (B,).

    per "step": every masked-in step counts one. per "row": a row's loss is the mean over its steps and each row with
    one counts one, or those of `target.known` (B,) where given (then a row without steps gives 0).
    """

    def __init__(
        self,
        output: str = "reconstruct",
        target: str = "reconstruct",
        kind: Kind = "mse",
        per: Per = "step",
        term: str = "reconstruction",
    ) -> None:
        if kind not in ("mse", "cosine") or per not in ("row", "step"):
            raise ValueError(f"kind is mse or cosine and per is row or step, got {kind!r} and {per!r}")
        self.output = output
        self.target = target
        self.kind: Kind = kind
        self.per: Per = per
        self.term = term

    def __call__(self, outputs: Outputs, targets: Mapping[str, Tensor], gather: Gather = alone) -> Loss:
        said, true = read_output(outputs, self.output), read_target(targets, self.target)
        same_shape(said, true, self.output, self.target)
        mask, rows = self._mask(targets), self._rows(targets)
        if said.ndim == 2:
            said, true = said[:, None], true[:, None]
        none = torch.zeros((), dtype=said.dtype, device=said.device)
        said, true = torch.where(mask[..., None], said, none), torch.where(mask[..., None], true.to(said.dtype), none)
        losses = (
            (said - true).square().mean(-1) if self.kind == "mse" else 1 - functional.cosine_similarity(said, true, -1)
        )
        losses = losses * mask  # (B, T)
        if self.per == "step":
            return Loss({self.term: (losses.sum(), mask.sum())})
        return Loss({self.term: ((losses.sum(1) / mask.sum(1).clamp_min(1) * rows).sum(), rows.sum())})

    def counts(self, targets: Mapping[str, Tensor]) -> dict[str, int]:
        return {self.term: int((self._mask(targets) if self.per == "step" else self._rows(targets)).sum())}

    def _mask(self, targets: Mapping[str, Tensor]) -> Tensor:
        """(B, T) bool, T = 1 for values (B, W)."""
        true = read_target(targets, self.target)
        if true.ndim == 2:
            return self._rows(targets)[:, None]
        mask = targets.get(f"{self.target}.mask")
        return torch.ones(true.shape[:2], dtype=torch.bool, device=true.device) if mask is None else mask

    def _rows(self, targets: Mapping[str, Tensor]) -> Tensor:
        true = read_target(targets, self.target)
        known = targets.get(f"{self.target}.known")
        if known is not None:
            return known
        if true.ndim == 2:
            return torch.ones(len(true), dtype=torch.bool, device=true.device)
        return self._mask(targets).any(1)
