"""Published files -> examples -> batches: `read(folder, ...) -> Dataset`, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "activitynet_captions": "cinescope.datasets.activitynet_captions:read",
    "activitynet_qa": "cinescope.datasets.activitynet_qa:read",
    "charades_sta": "cinescope.datasets.charades_sta:read",
    "cifar": "cinescope.datasets.cifar:read",
    "csv_file": "cinescope.datasets.csv_file:read",
    "face_folders": "cinescope.datasets.face_folders:read",
    "folders": "cinescope.datasets.folders:read",
    "fsdd": "cinescope.datasets.fsdd:read",
    "grid": "cinescope.datasets.grid:read",
    "hmdb51": "cinescope.datasets.hmdb51:read",
    "jsonl_file": "cinescope.datasets.jsonl_file:read",
    "kinetics": "cinescope.datasets.kinetics:read",
    "meld": "cinescope.datasets.meld:read",
    "mosi": "cinescope.datasets.mosi:read",
    "msrvtt": "cinescope.datasets.msrvtt:read",
    "msvd": "cinescope.datasets.msvd:read",
    "nextqa": "cinescope.datasets.nextqa:read",
    "picture_folders": "cinescope.datasets.picture_folders:read",
    "qvhighlights": "cinescope.datasets.qvhighlights:read",
    "tgif_qa": "cinescope.datasets.tgif_qa:read",
    "ucf101": "cinescope.datasets.ucf101:read",
    "webdataset": "cinescope.datasets.webdataset:read",
    "worlds": "cinescope.datasets.worlds.reading:read",
    "youcook2": "cinescope.datasets.youcook2:read",
}
DATASETS = Catalogue("dataset", "cinescope.datasets", CATALOGUE)
