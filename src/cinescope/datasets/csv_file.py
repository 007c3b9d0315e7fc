"""A CSV of one's own, a row an example. There is no publisher; here is such a file:

    path,start,end,text,emotion,split
    talk.mp4,0:12.5,0:15,what a day,joy,train

Columns are known by their names (see own_rows) or told. Without start and end the whole file is the example; several
labels in one value are joined by `|`. A .tsv, or a header with tabs, is read by tabs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cinescope.datasets.example import Dataset
from cinescope.datasets.own_rows import Columns, read_rows
from cinescope.datasets.published import csv_rows, need, read_text
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "files that the tests make: the form is our own"
CITE = ""
LICENCE = "that of your files"
FILES = "one .csv or .tsv"
TARGETS = {"columns label, emotion, score ..., or those you name": "class, classes, score, spans, choice or text"}


def read(
    folder: Path,
    *,
    media: Path | None = None,
    split: str | None = None,
    targets: Mapping[str, str] | Sequence[str] | None = None,
    texts: Mapping[str, str] | Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    delimiter: str | None = None,
) -> Dataset:
    """`folder` is the file, or a folder with a single one. Paths in it are below `media`, or beside the file.

    `targets`: columns, or column -> kind. `texts`: columns, or role -> column. `columns`: role -> column for key,
    media, start, end, split, group, order, candidates.
    """
    found = need(folder, "table", "*.csv", "*.tsv")
    if len(found) > 1:
        names = ", ".join(p.name for p in found[:4])
        raise BadQueryError(f"'{folder}' holds {len(found)} tables ({names})", "give the one to read")
    path = found[0]
    text = read_text(path)
    if delimiter is None:
        first = text.split("\n", 1)[0]
        delimiter = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    rows = csv_rows(path, delimiter=delimiter, text=text)
    return read_rows(path.stem, rows, path, Columns.told(targets, texts, columns), media=media, split=split)
