"""Cepstral coefficients of spectrogram steps inside a model, so that bands can still be varied before them."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from cinescope.nn.norm import MaskedBatchNorm
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError


class Cepstrum(nn.Module):
    """(B, T, in_dim) log bands -> (B, T, dim): the first `dim` coefficients of the orthonormal DCT-II over the bands,
    each brought to mean 0 and deviation 1 over true steps.

    Few coefficients keep the envelope of the spectrum, which says what is said, and drop the ripple of the voice's
    pitch, which says who says it (Davis and Mermelstein 1980). With `centre` the mean of each row goes too (cepstral
    mean normalisation, Atal 1974): the channel.
    """

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True
    basis: Tensor

    def __init__(self, in_dim: int, dim: int, centre: bool = False) -> None:
        super().__init__()
        if dim > in_dim:
            raise BadQueryError(f"{in_dim} bands have no {dim} cepstral coefficients", f"give a dim up to {in_dim}")
        self.dim = dim
        self.centre = centre
        band = torch.arange(in_dim, dtype=torch.float64)[:, None] + 0.5
        number = torch.arange(dim, dtype=torch.float64)[None]
        basis = torch.cos(math.pi * band * number / in_dim) * math.sqrt(2 / in_dim)
        basis[:, 0] /= math.sqrt(2)
        self.register_buffer("basis", basis.float())
        self.norm = MaskedBatchNorm(dim)

    def forward(self, sequences: Sequences) -> Sequences:
        made = sequences.zeroed() @ self.basis
        mask = sequences.mask[..., None].to(made.dtype)
        if self.centre:
            made = made - (made * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp_min(1)
        normed = self.norm(made.transpose(1, 2), sequences.mask).transpose(1, 2)
        return sequences.with_values(normed * mask)
