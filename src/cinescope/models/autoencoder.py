"""Multimodal auto-encoder: each role said again from the others. Knows no part by name but the clock's code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from cinescope.nn import Batch, Encoder, Fused, Fusion, Outputs, Sequences
from cinescope.nn.encoders import ENCODERS
from cinescope.nn.fusion import FUSIONS
from cinescope.nn.fusion.attending import clock_code, origin_of
from cinescope.nn.heads.reconstruct import Reconstruct
from cinescope.types import BadQueryError

Hears = Literal["others", "all"]


class MultimodalAutoencoder(nn.Module):
    """Batch of roles (B, T_r, W_r) -> {"NAME.ROLE": (B, T_r, W_r)}: what each role was at its own times.

    Ngiam et al. 2011, section 3, with every role decoded from the others (their figure 3b trains on inputs with a
    modality missing): for each role the others are encoded and fused without it, the fused row is asked at that
    role's times, and the head answers, x' = W h + b. With a head of level "pooled" it says the mean of the role's true
    steps, (B, W_r). hears="all" leaves the role itself in, the plain auto-encoder. `targets` gives what it should have
    said. A role without a true step in a row is absent: it is not said there, and it tells nothing of the others.
    """

    def __init__(
        self, encoders: Mapping[str, Encoder], fusion: Fusion, head: Reconstruct, hears: Hears = "others"
    ) -> None:
        super().__init__()
        if hears not in ("others", "all"):
            raise BadQueryError(f"an auto-encoder cannot hear '{hears}'", "give others or all")
        strange = [role for role in head.roles if role not in fusion.roles]
        if strange:
            raise BadQueryError(
                f"the fusion does not hear the role '{strange[0]}'", f"it has {', '.join(fusion.roles)}"
            )
        if hears == "others" and len(fusion.roles) < 2:
            raise BadQueryError(
                "a role cannot be said from the others where it is alone", "give two roles, or hears: all"
            )
        self.encoders = nn.ModuleDict(encoders)  # type: ignore[arg-type]
        self.fusion = fusion
        self.heads = nn.ModuleDict({"reconstruct": head})
        self.hears: Hears = hears
        self.ask = nn.Sequential(nn.Linear(2 * fusion.dim, fusion.dim), nn.GELU()) if head.level == "steps" else None

    @property
    def head(self) -> Reconstruct:
        head = self.heads["reconstruct"]
        assert isinstance(head, Reconstruct)
        return head

    def encode(self, batch: Batch) -> Batch:
        return batch.with_inputs(
            {role: encoder(batch.inputs[role]) for role, encoder in self.encoders.items() if role in batch.inputs}
        )

    def fuse(self, batch: Batch) -> Fused:
        return self.fusion(batch)

    def forward(self, batch: Batch) -> Outputs:
        encoded = self.encode(batch)
        outputs: Outputs = {}
        fused = None if self.hears == "others" else self.fuse(encoded)
        for role in self.head.roles:
            if role not in batch.inputs:
                continue
            heard = self.fuse(encoded.without(role)) if fused is None else fused
            said = self.head(self._asked(heard, batch, role), encoded)
            outputs[f"{self.head.name}.{role}"] = said[f"{self.head.name}.{role}"]
        return outputs

    def _asked(self, fused: Fused, batch: Batch, role: str) -> Fused:
        """The fused row asked at the times of `role`."""
        if self.ask is None:
            return fused
        wanted = batch.inputs[role]
        clean = Sequences(
            wanted.mask.unsqueeze(-1), wanted.mask, wanted.times.masked_fill(~wanted.mask[..., None], 0.0)
        )
        code = clock_code(clean.times, origin_of({role: clean}), self.fusion.dim).to(fused.pooled.dtype)
        row = fused.pooled[:, None].expand(-1, code.shape[1], -1)
        return replace(fused, steps=clean.with_values(self.ask(torch.cat([row, code], -1))))

    def targets(self, batch: Batch) -> dict[str, Tensor]:
        """{"NAME.ROLE": clean values (B, T, W), "NAME.ROLE.mask": (B, T)}: for the objective `Reconstruction`.

        A step counts where it is true and the row has another role (with hears="all", any). With level "pooled"
        (B, W), the mean of the true steps, and "NAME.ROLE.known" (B,).
        """
        some = torch.stack([s.present for r, s in batch.inputs.items() if r in self.fusion.roles], 1).sum(1)
        out: dict[str, Tensor] = {}
        for role in self.head.roles:
            if role not in batch.inputs:
                continue
            s, name = batch.inputs[role], f"{self.head.name}.{role}"
            if s.values.ndim != 3 or s.values.shape[2] != self.head.roles[role]:
                raise ValueError(f"'{role}' is said as (B, T, {self.head.roles[role]}), got {tuple(s.values.shape)}")
            known = s.present & (some >= (2 if self.hears == "others" else 1))
            if self.ask is None:
                out[name] = s.zeroed().sum(1) / s.lengths.clamp_min(1).to(s.values.dtype)[:, None]
                out[f"{name}.known"] = known
            else:
                out[name], out[f"{name}.mask"] = s.zeroed(), s.mask & known[:, None]
        return out


def autoencoder(
    widths: Mapping[str, int],
    dim: int = 64,
    *,
    encoder: str = "none",
    fusion: str = "concat",
    fusion_settings: Mapping[str, Any] | None = None,
    level: Literal["steps", "pooled"] = "steps",
    hears: Hears = "others",
    hidden: int = 0,
) -> MultimodalAutoencoder:
    """{role: width of its steps} -> the model, every role by the same named encoder and said again by a linear head."""
    encoders = {role: ENCODERS.create(encoder, width, dim) for role, width in widths.items() if encoder != "none"}
    dims = {role: encoders[role].dim if role in encoders else width for role, width in widths.items()}
    fused = FUSIONS.create(fusion, dims, dim, **dict(fusion_settings or {}))
    return MultimodalAutoencoder(
        encoders, fused, Reconstruct(fused.dim, roles=dict(widths), level=level, hidden=hidden), hears
    )
