"""JSON lines of one's own, an object a line. There is no publisher; here is such a file:

    {"path": "talk.mp4", "start": 12.5, "end": 15, "text": "what a day", "labels": ["joy", "surprise"]}
    {"path": "walk.mp4", "query": "a dog jumps", "moments": [[3.5, 6], [10, 12.25]]}

Names are known as those of a CSV's columns (see own_rows) or told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cinescope.datasets.example import Dataset
from cinescope.datasets.own_rows import Columns, read_rows
from cinescope.datasets.published import jsonl_rows, need
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "files that the tests make: the form is our own"
CITE = ""
LICENCE = "that of your files"
FILES = "one .jsonl"
TARGETS = {"label, labels, moments, caption ..., or those you name": "class, classes, score, spans, choice or text"}


def read(
    folder: Path,
    *,
    media: Path | None = None,
    split: str | None = None,
    targets: Mapping[str, str] | Sequence[str] | None = None,
    texts: Mapping[str, str] | Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Dataset:
    """`folder` is the file, or a folder with a single one; the settings are those of csv_file."""
    found = need(folder, "JSON lines", "*.jsonl", "*.ndjson")
    if len(found) > 1:
        names = ", ".join(p.name for p in found[:4])
        raise BadQueryError(f"'{folder}' holds {len(found)} such files ({names})", "give the one to read")
    path = found[0]
    told = Columns.told(targets, texts, columns)
    return read_rows(path.stem, jsonl_rows(path), path, told, media=media, split=split)
