"""(Outputs, targets, gather) -> Loss, and corruptions: Batch -> Batch. One line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "cross_entropy": "cinescope.objectives.cross_entropy:CrossEntropy",
}
OBJECTIVES = Catalogue("objective", "cinescope.objectives", CATALOGUE)
CORRUPTION_CATALOGUE: dict[str, str] = {}
CORRUPTIONS = Catalogue("corruption", "cinescope.corruptions", CORRUPTION_CATALOGUE)
