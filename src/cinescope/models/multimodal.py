"""A model of parts: one encoder a role, one fusion, some heads. Knows no part by name and no task."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from cinescope.nn import Batch, Encoder, Fused, Fusion, Head, Outputs


class Multimodal(nn.Module):
    """encode -> fuse -> heads. Roles without an encoder go to the fusion as they are.

    A role of the fusion that the batch lacks is absent for every row; the fusion treats it as any mask.
    """

    def __init__(self, encoders: Mapping[str, Encoder], fusion: Fusion, heads: Mapping[str, Head]) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)  # type: ignore[arg-type]
        self.fusion = fusion
        self.heads = nn.ModuleDict(heads)  # type: ignore[arg-type]

    def encode(self, batch: Batch) -> Batch:
        """Each role through its encoder; roles without one stay as they are."""
        return batch.with_inputs(
            {role: encoder(batch.inputs[role]) for role, encoder in self.encoders.items() if role in batch.inputs}
        )

    def fuse(self, batch: Batch) -> Fused:
        return self.fusion(batch)

    def forward(self, batch: Batch) -> Outputs:
        """What all heads say of a raw batch."""
        encoded = self.encode(batch)
        fused = self.fuse(encoded)
        outputs: Outputs = {}
        for head in self.heads.values():
            outputs |= head(fused, encoded)
        return outputs
