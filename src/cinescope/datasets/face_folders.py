"""Portraits, a person a folder, as LFW and many others publish them. A row is a file, such as

    Aaron_Peirsol/Aaron_Peirsol_0001.jpg -> target person "Aaron_Peirsol", group "Aaron_Peirsol"

The group is the person: split by group, and nobody is in two parts; to know people again, split within them instead.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cinescope.datasets.class_folders import read_classes
from cinescope.datasets.example import Dataset
from cinescope.datasets.gathering import PICTURE, VIDEO

VERIFIED = False
VERIFIED_ON = "folders that the tests make of real portraits; no published collection was at hand"
CITE = "for LFW: Huang, Ramesh, Berg, Learned-Miller: Labeled Faces in the Wild, 2007"
LICENCE = "that of the pictures; portraits are personal data"
FILES = "person/picture.jpg, split/person/picture.jpg, or a .tar of either"
TARGETS = {"person": "class, the folder's name"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None, least: int = 1) -> Dataset:
    """`least`: people with fewer files are left out, as is usual for training on LFW."""
    made = read_classes(
        "face_folders", media or folder, PICTURE + VIDEO, target="person", split=split, what="person/picture.jpg"
    )
    times: dict[str, int] = {}
    for example in made.examples:
        times[example.targets["person"]] = times.get(example.targets["person"], 0) + 1
    kept = tuple(replace(e, group=e.targets["person"]) for e in made.examples if times[e.targets["person"]] >= least)
    few = sum(n < least for n in times.values())
    note = (f"{few:,} people with fewer than {least} files are left out",) if few else ()
    labels = tuple(p for p in made.targets["person"].labels if times.get(p, 0) >= least)
    target = replace(made.targets["person"], labels=labels or made.targets["person"].labels)
    return replace(made, examples=kept, targets={"person": target}, notes=made.notes + note)
