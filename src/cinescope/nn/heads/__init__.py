"""(Fused, Batch) -> Outputs: `Head(dim, **settings)`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "classes": "cinescope.nn.heads.classes:Classes",
    "labels": "cinescope.nn.heads.labels:Labels",
    "ranking": "cinescope.nn.heads.ranking:Ranking",
    "reconstruct": "cinescope.nn.heads.reconstruct:Reconstruct",
    "score": "cinescope.nn.heads.score:Score",
    "similarities": "cinescope.nn.heads.similarities:Similarities",
    "span": "cinescope.nn.heads.span:Span",
    "steps_classes": "cinescope.nn.heads.steps_classes:StepsClasses",
}
HEADS = Catalogue("head", "cinescope.heads", CATALOGUE)
