"""Published files -> examples -> batches: `read(folder, ...) -> Dataset`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {}
DATASETS = Catalogue("dataset", "cinescope.datasets", CATALOGUE)
