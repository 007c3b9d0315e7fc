"""Plain folders of clips, a folder a class. There is no publisher; a row is a file, such as

    applause/hall_3.mp4 -> key "applause/hall_3.mp4", target label "applause"

Videos, sounds and pictures by their suffix. `train/applause/hall_3.mp4` is split, `applause/hall/3.mp4` has the group
"hall", and `applause/hall_3.txt` beside a clip holds what is said in it.
"""

from __future__ import annotations

from pathlib import Path

from cinescope.datasets.class_folders import read_classes
from cinescope.datasets.example import Dataset
from cinescope.datasets.gathering import MEDIA

VERIFIED = True
VERIFIED_ON = "folders that the tests make: the form is our own"
CITE = ""
LICENCE = "that of your clips"
FILES = "class/clip.mp4, class/clip.wav, split/class/clip.mp4, class/group/clip.mp4"
TARGETS = {"label": "class, the folder's name"}


def read(
    folder: Path, *, media: Path | None = None, split: str | None = None, target: str = "label", hold: int = 0
) -> Dataset:
    """`folder` (or `media`) holds a folder for each class; `target` names what the folders tell.

    With `hold` n, every n-th clip of each class, by name, is the split "test" and the others "train".
    """
    return read_classes("folders", media or folder, MEDIA, target=target, split=split, hold=hold)
