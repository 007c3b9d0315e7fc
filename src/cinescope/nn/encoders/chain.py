"""Encoders one after the other: a picture network, then a recurrent one over its steps. Knows none by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from cinescope.nn.encoders import ENCODERS
from cinescope.nn.protocols import Takes
from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError

DEFAULT: tuple[Mapping[str, Any], ...] = ({"name": "cnn"}, {"name": "lstm"})


class Chain(nn.Module):
    """Sequences -> Sequences (B, T', dim) through `parts`, each {"name", "dim", "settings"}.

    The first takes what its kind takes, the others must take steps. A part without `dim` is `dim` wide; the last
    always is. As CNN and LSTM in Donahue et al. 2015 (LRCN), figure 1.
    """

    takes: Takes = "pictures"  # of the default; each instance has that of its first part
    onnx: bool = True

    def __init__(self, in_dim: int, dim: int, parts: Sequence[Mapping[str, Any]] = DEFAULT) -> None:
        super().__init__()
        if not parts:
            raise BadQueryError("a chain needs at least one encoder", "give parts: [{name: cnn}, {name: lstm}]")
        made: list[Any] = []
        width = in_dim
        for at, part in enumerate(parts):
            unknown = set(part) - {"name", "dim", "settings"}
            if unknown or "name" not in part:
                raise BadQueryError(f"a part of a chain has name, dim and settings, not {', '.join(sorted(part))}")
            wide = dim if at == len(parts) - 1 else int(part.get("dim") or dim)
            encoder = ENCODERS.create(part["name"], width, wide, **dict(part.get("settings") or {}))
            if at and encoder.takes != "steps":
                raise BadQueryError(f"'{part['name']}' takes {encoder.takes} and must come first in a chain")
            made.append(encoder)
            width = encoder.dim
        self.dim = width
        self.takes = made[0].takes
        self.onnx = all(getattr(part, "onnx", False) for part in made)
        self.parts = nn.ModuleList(made)

    def forward(self, sequences: Sequences) -> Sequences:
        for part in self.parts:
            sequences = part(sequences)
        return sequences
