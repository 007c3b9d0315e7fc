"""Sequences -> Sequences: `Encoder(in_dim, dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {}
ENCODERS = Catalogue("encoder", "cinescope.encoders", CATALOGUE)
