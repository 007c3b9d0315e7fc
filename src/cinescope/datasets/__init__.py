"""Published files -> examples -> batches: `read(folder, ...) -> Dataset`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "cifar": "cinescope.datasets.cifar:read",
    "csv_file": "cinescope.datasets.csv_file:read",
    "face_folders": "cinescope.datasets.face_folders:read",
    "folders": "cinescope.datasets.folders:read",
    "fsdd": "cinescope.datasets.fsdd:read",
    "jsonl_file": "cinescope.datasets.jsonl_file:read",
    "meld": "cinescope.datasets.meld:read",
    "mosi": "cinescope.datasets.mosi:read",
    "picture_folders": "cinescope.datasets.picture_folders:read",
}
DATASETS = Catalogue("dataset", "cinescope.datasets", CATALOGUE)
