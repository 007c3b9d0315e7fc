"""Batch of encoded roles -> Fused: `Fusion(dims, dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {}
FUSIONS = Catalogue("fusion", "cinescope.fusions", CATALOGUE)
