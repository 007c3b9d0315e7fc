"""Folders of pictures, a folder a class, or a tar of such folders. A real file of the CIFAR-10 tar at hand:

    bird/0338.jpg -> key "bird/0338.jpg", target label "bird"

A first level named train, val or test is the split: `train/bird/0338.jpg`. Pictures in a tar are not unpacked: each
is read from its place when it is wanted.
"""

from __future__ import annotations

from pathlib import Path

from cinescope.datasets.class_folders import read_classes
from cinescope.datasets.example import Dataset
from cinescope.datasets.gathering import PICTURE

VERIFIED = True
VERIFIED_ON = "a tar of 10,000 pictures in 10 folders, and the folders unpacked from it"
CITE = ""
LICENCE = "that of your pictures"
FILES = "class/picture.jpg, split/class/picture.jpg, or a .tar of either"
TARGETS = {"label": "class, the folder's name"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None, hold: int = 0) -> Dataset:
    """`folder` (or `media`) is a folder of folders, or a tar. With `hold` n, every n-th picture of each class, by name,
    is the split "test" and the others "train", where the folders do not split."""
    return read_classes(
        "picture_folders", media or folder, PICTURE, split=split, hold=hold, what="class/picture.jpg or one .tar"
    )
