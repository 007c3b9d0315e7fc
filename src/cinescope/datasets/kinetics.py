"""Kinetics: lists of YouTube clips of 10 s and the action in each. Here is a real row of validate.csv (Kinetics-400):

    javelin throw,--07WQ2iBlw,1,11,validate

Columns: label, youtube_id, time_start, time_end, split. Clips that are cut are called `--07WQ2iBlw_000001_000011.mp4`;
of a whole video, `--07WQ2iBlw.mp4`, the stretch is read.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target, labels_of
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import csv_rows, need, stretch

VERIFIED = True
VERIFIED_ON = "validate.csv of Kinetics-400, 18,009 clips of 400 actions"
CITE = "Kay et al.: The Kinetics Human Action Video Dataset, 2017, arXiv 1705.06950"
LICENCE = "CC BY 4.0 (lists); the videos are YouTube's"
FILES = "train.csv, validate.csv (or val.csv), test.csv"
TARGETS = {"action": "class"}

_PARTS = {"train": "train", "validate": "val", "val": "val", "test": "test"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None) -> Dataset:
    """An example a clip; group is the YouTube video. A test list without labels has no targets."""
    rows = Gathering("kinetics", media, split)
    labels: set[str] = set()
    for path in need(folder, "list of Kinetics", *(f"{name}.csv" for name in _PARTS)):
        part = _PARTS[path.stem]
        for line, row in csv_rows(path, ("youtube_id", "time_start", "time_end")):
            span = stretch(row["time_start"], row["time_end"], f"'{path.name}', line {line}")
            label = row.get("label", "").strip()
            labels |= {label} if label else set()
            video = row["youtube_id"]
            cut = f"{video}_{int(span.start):06d}_{int(span.end):06d}"
            example = Example(
                key=f"{part}/{cut}",
                split=part,
                span=span,
                targets={"action": label} if label else {},
                group=video,
                order=span.start,
            )
            whole = rows.media is None or rows.media.find([cut]) is None
            rows.add(example if whole else replace(example, span=None), [cut, video])
    return rows.dataset({"action": Target("class", labels_of(sorted(labels)))})
