"""CIFAR-10 as pictures in folders, on the disk or in a tar. A real file of the tar at hand:

    airplane/0000.jpg, 32 x 32 pixels -> key "airplane/0000.jpg", target label "airplane"

The publisher's own archive holds pickles, which are never opened here: convert it to folders first.
"""

from __future__ import annotations

from pathlib import Path

from cinescope.datasets.class_folders import read_classes
from cinescope.datasets.example import Dataset
from cinescope.datasets.gathering import PICTURE
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "10,000 of the training pictures, in a tar of 10 folders"
CITE = "Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009"
LICENCE = "none stated; for research"
FILES = "airplane/0000.jpg ... truck/0999.jpg, or a .tar of them; train/ and test/ above them where there are both"
TARGETS = {"label": "class, 10"}

LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def read(folder: Path, *, media: Path | None = None, split: str | None = None, hold: int = 0) -> Dataset:
    """As picture_folders, with exactly the ten classes: `hold=5` makes every fifth file of each class the split "test".

    `folder` may be the tar itself, or a folder whose only tar it is.
    """
    place = media or folder
    tars = sorted(place.glob("*cifar*.tar")) if place.is_dir() else []
    made = read_classes(
        "cifar", tars[0] if tars else place, PICTURE, split=split, hold=hold, what="airplane/0000.jpg or a cifar .tar"
    )
    if made.targets["label"].labels != LABELS:
        other = sorted(set(made.targets["label"].labels) ^ set(LABELS))
        raise BadQueryError(
            f"'{place}' is not CIFAR-10: '{other[0]}' is {'missing' if other[0] in LABELS else 'no class of it'}",
            "use picture_folders for other pictures",
        )
    return made
