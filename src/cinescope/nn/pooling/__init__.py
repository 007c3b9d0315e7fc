"""Sequences -> (B, dim): `Pooling(dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "attention": "cinescope.nn.pooling.attention:Attention",
    "last": "cinescope.nn.pooling.simple:Last",
    "max": "cinescope.nn.pooling.simple:Max",
    "mean": "cinescope.nn.pooling.simple:Mean",
    "netvlad": "cinescope.nn.pooling.netvlad:NetVLAD",
    "stats": "cinescope.nn.pooling.simple:Stats",
}
POOLINGS = Catalogue("pooling", "cinescope.poolings", CATALOGUE)
