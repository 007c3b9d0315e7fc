"""A model as plain data, for recipes and checkpoints: names, widths, settings. Builds it, and knows no part by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from cinescope.models.multimodal import Multimodal
from cinescope.nn.encoders import ENCODERS
from cinescope.nn.fusion import FUSIONS
from cinescope.nn.heads import HEADS
from cinescope.types import BadQueryError


@dataclass(frozen=True, slots=True)
class EncoderSpec:
    """An encoder by name. "none" hands the role to the fusion as it is."""

    name: str
    in_dim: int  # width, channels, or vocabulary of what comes in
    dim: int
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartSpec:
    name: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that `build` needs: the same spec and the same seed give the same model, bit for bit."""

    encoders: dict[str, EncoderSpec]  # role -> encoder, in the order of the fusion's roles
    fusion: PartSpec
    dim: int  # width of the fusion
    heads: dict[str, PartSpec]

    def __post_init__(self) -> None:
        if not self.encoders:
            raise BadQueryError("a model needs at least one input", "name one under inputs")
        for role, encoder in self.encoders.items():
            if encoder.in_dim < 1 or encoder.dim < 1:
                raise BadQueryError(
                    f"the input '{role}' cannot go from {encoder.in_dim} to {encoder.dim} numbers",
                    "give widths above 0",
                )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def saved(self) -> ModelSpec:
        """As a checkpoint carries it: parts that were pretrained elsewhere are built again without their files."""
        encoders = {}
        for role, encoder in self.encoders.items():
            saved = getattr(ENCODERS.load(encoder.name), "saved", None) if encoder.name != "none" else None
            told = saved(encoder.settings) if saved is not None else encoder.settings
            encoders[role] = replace(encoder, settings=told)
        return replace(self, encoders=encoders)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelSpec:
        return cls(
            {role: EncoderSpec(**entry) for role, entry in data["encoders"].items()},
            PartSpec(**data["fusion"]),
            data["dim"],
            {name: PartSpec(**entry) for name, entry in data["heads"].items()},
        )

    def build(self, seed: int = 0) -> Multimodal:
        """The model with fresh weights, a function of `seed`; the global random state stays as it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoders = {
                role: ENCODERS.create(e.name, e.in_dim, e.dim, **e.settings)
                for role, e in self.encoders.items()
                if e.name != "none"
            }
            dims = {role: encoders[role].dim if role in encoders else e.in_dim for role, e in self.encoders.items()}
            fusion = FUSIONS.create(self.fusion.name, dims, self.dim, **self.fusion.settings)
            heads = {name: HEADS.create(h.name, fusion.dim, **h.settings) for name, h in self.heads.items()}
            return Multimodal(encoders, fusion, heads)
