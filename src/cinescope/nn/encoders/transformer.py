"""A Transformer encoder of steps. Knows no modality."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from cinescope.nn.attention import TransformerStack
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences


class Transformer(nn.Module):
    """(B, T, in_dim) -> (B, T, dim): a linear layer, positions, pre-norm Transformer blocks.

    Vaswani et al. 2017, section 3.1, with the norms of Xiong et al. 2020, figure 1b.

    `positions`: "sinusoidal", "learned" (up to `longest` steps), "rotary" (Su et al. 2021) or "none"; they count true
    steps. `causal`: a step sees itself and what came before. `heads` 4, 2 or 1, the first that divides `dim`, where
    not given; `hidden` 4 dim.
    """

    takes: ClassVar[Takes] = "steps"
    onnx: ClassVar[bool] = True

    def __init__(
        self,
        in_dim: int,
        dim: int,
        layers: int = 2,
        heads: int | None = None,
        hidden: int | None = None,
        positions: str = "sinusoidal",
        longest: int = 512,
        causal: bool = False,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.dim, self.causal = dim, causal
        self.into = nn.Linear(in_dim, dim)
        self.stack = TransformerStack(dim, layers, heads, hidden, positions, longest, dropout)

    def forward(self, sequences: Sequences) -> Sequences:
        mask = sequences.mask
        x = self.into(sequences.zeroed()).masked_fill(~mask[..., None], 0.0)
        return sequences.with_values(self.stack(x, mask, self.causal))
