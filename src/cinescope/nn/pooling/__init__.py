"""Sequences -> (B, dim): `Pooling(dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {}
POOLINGS = Catalogue("pooling", "cinescope.poolings", CATALOGUE)
