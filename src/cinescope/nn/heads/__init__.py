"""(Fused, Batch) -> Outputs: `Head(dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "classes": "cinescope.nn.heads.classes:Classes",
}
HEADS = Catalogue("head", "cinescope.heads", CATALOGUE)
