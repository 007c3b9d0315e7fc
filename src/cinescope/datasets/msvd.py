"""MSVD: short YouTube clips, each described by some forty people. Rows as published (not at hand here):

    AllVideoDescriptions.txt          mv89psg6zh4_33_46 A bird in a sink keeps getting under the running water.
    MSR Video Description Corpus.csv  mv89psg6zh4,33,46,588702,unverified,55,English,A bird is bathing in a sink.

Clips are `mv89psg6zh4_33_46.avi`: the YouTube video, start and end. The usual split is three lists of such names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import csv_rows, find, need, read_text
from cinescope.types import BadQueryError

VERIFIED = False
VERIFIED_ON = "files that the tests make in the published form"
CITE = "Chen, Dolan: Collecting Highly Parallel Data for Paraphrase Evaluation, ACL 2011"
LICENCE = "for research; the videos are YouTube's"
FILES = "AllVideoDescriptions.txt or MSR Video Description Corpus.csv; {train,val,test}_list.txt"
TARGETS = {"captions": "text, all there are"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None, language: str = "English") -> Dataset:
    """An example a clip with all its captions in that language; group is the YouTube video."""
    captions: dict[str, list[str]] = {}
    for clip, caption in _captions(folder, language):
        captions.setdefault(clip, []).append(caption)
    rows = Gathering("msvd", media, split)
    parts: dict[str, str] = {}
    for path in find(folder, "train_list.txt", "val_list.txt", "test_list.txt"):
        part = path.stem.split("_")[0]
        parts |= {line.split()[0]: part for line in read_text(path).split("\n") if line.strip()}
    if not parts:
        rows.notes.append("the lists of the parts are not there (train_list.txt ...): nothing is split")
    unknown = next((clip for clip in parts if clip not in captions), None)
    if unknown is not None:
        raise BadQueryError(f"the list of '{parts[unknown]}' names '{unknown}', which has no captions")
    left = 0
    for clip, said in captions.items():
        if parts and clip not in parts:
            left += 1
            continue
        example = Example(clip, parts.get(clip, ""), targets={"captions": tuple(said)}, group=clip.rsplit("_", 2)[0])
        rows.add(example, [clip])
    if left:
        rows.notes.append(f"{left:,} clips are in no list: they are left out")
    return rows.dataset({"captions": Target("text")})


def _captions(folder: Path, language: str) -> Iterator[tuple[str, str]]:
    path = need(folder, "MSVD", "AllVideoDescriptions.txt", "MSR Video Description Corpus.csv")[0]
    if path.suffix == ".csv":
        for _, row in csv_rows(path, ("VideoID", "Start", "End", "Language", "Description")):
            if row["Language"] == language and row["Description"].strip():
                yield f"{row['VideoID']}_{row['Start']}_{row['End']}", row["Description"].strip()
        return
    for line, text in enumerate(read_text(path).split("\n"), 1):
        if not text.strip() or text.startswith("#"):
            continue
        clip, blank, caption = text.strip().partition(" ")
        if not blank or clip.count("_") < 2:
            raise BadQueryError(f"'{path.name}', line {line}: not as 'video_start_end caption'", "correct this line")
        yield clip, caption.strip()
