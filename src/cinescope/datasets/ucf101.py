"""UCF101: 101 actions, a folder each, and three ways to split them. Rows as published (not at hand here):

    trainlist01.txt    ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1
    testlist01.txt     ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi

Clips of one group (`g08`) of an action are of one longer video: the lists keep them together.
"""

from __future__ import annotations

import re
from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import VIDEO, Gathering, walk
from cinescope.datasets.published import find, read_text
from cinescope.types import BadQueryError

VERIFIED = False
VERIFIED_ON = "files that the tests make in the published form"
CITE = "Soomro, Zamir, Shah: UCF101, 2012, arXiv 1212.0402"
LICENCE = "for research"
FILES = "UCF-101/{action}/v_{action}_g01_c01.avi, and trainlist01.txt, testlist01.txt ... for the three folds"
TARGETS = {"action": "class, 101"}

_NAME = re.compile(r"v_(\w+)_g(\d+)_c(\d+)")


def read(folder: Path, *, media: Path | None = None, split: str | None = None, fold: int = 1) -> Dataset:
    """The clips of the lists of one fold, or, where there are no lists, all clips in their folders.

    Clips are looked for below `media`, or else below `folder`; with lists and no clip at all there, examples have none.
    """
    if fold not in (1, 2, 3):
        raise BadQueryError(f"UCF101 has the folds 1, 2 and 3, not {fold}")
    place = media or folder
    lists = find(folder, f"trainlist{fold:02d}.txt", f"testlist{fold:02d}.txt")
    clips = walk(place, VIDEO) if place.is_dir() else []
    clips = [path for path in clips if _NAME.fullmatch(path.stem)]
    if not lists and not clips:
        raise BadQueryError(
            f"'{folder}' holds no UCF101: looked for trainlist{fold:02d}.txt, testlist{fold:02d}.txt and "
            "v_ApplyEyeMakeup_g01_c01.avi and the like"
        )
    rows = Gathering("ucf101", place if clips else media, split)
    named = [(name, part) for path in lists for part, name in _listed(path)]
    if not lists:
        named = [(path.name, "") for path in clips]
        rows.notes.append("the lists of the folds are not there: nothing is split")
    labels = set()
    for name, part in sorted(named, key=lambda n: n[1] != "train"):
        match = _NAME.fullmatch(Path(name).stem)
        if match is None:
            raise BadQueryError(f"'{name}' is no clip of UCF101", "names are as v_ApplyEyeMakeup_g01_c01.avi")
        label, group, clip = match.groups()
        labels.add(label)
        example = Example(
            key=Path(name).stem,
            split=part,
            targets={"action": label},
            group=f"{label}_g{group}",
            order=int(clip),
        )
        rows.add(example, [Path(name).name])
    return rows.dataset({"action": Target("class", tuple(sorted(labels)))})


def _listed(path: Path) -> list[tuple[str, str]]:
    part = "train" if path.name.startswith("train") else "test"
    return [(part, line.split()[0]) for line in read_text(path).split("\n") if line.strip()]
