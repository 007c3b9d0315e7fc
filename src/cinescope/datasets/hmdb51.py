"""HMDB51: 51 actions from films and the web, and three ways to split them. Here is a real row of hmdb51.csv:

    April_09_brush_hair_u_nm_np1_ba_goo_0.avi,brush_hair_test,1,1,2

That is file, action, and its part in each fold: 1 train, 2 test, 0 neither. The publisher has the same in
`brush_hair_test_split1.txt`, a line a file: `April_09_brush_hair_u_nm_np1_ba_goo_0.avi 1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import csv_rows, find, need, read_text
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = (
    "hmdb51.csv, 6,766 clips of 51 actions with the three folds; the .txt lists and the clips were not at hand"
)
CITE = "Kuehne, Jhuang, Garrote, Poggio, Serre: HMDB, ICCV 2011"
LICENCE = "CC BY 4.0 (annotations)"
FILES = "{action}_test_split{1,2,3}.txt, or hmdb51.csv; clips below media"
TARGETS = {"action": "class, 51"}

_PARTS = {"1": "train", "2": "test", "0": "neither"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None, fold: int = 1) -> Dataset:
    """The clips with their parts in one fold ("neither": in no part of it). Group is the film a clip is cut from."""
    if fold not in (1, 2, 3):
        raise BadQueryError(f"HMDB51 has the folds 1, 2 and 3, not {fold}")
    lists = find(folder, f"*_test_split{fold}.txt")
    listed = _lists(lists, fold) if lists else _table(folder, fold)
    rows = Gathering("hmdb51", media, split)
    labels = set()
    for name, label, part, where in listed:
        if part not in _PARTS:
            raise BadQueryError(f"{where}: the part is '{part}'", "1 is train, 2 test, 0 neither")
        labels.add(label)
        stem = Path(name).stem
        film, _, number = stem.partition(f"_{label}_")
        example = Example(
            key=f"{label}/{stem}",
            split=_PARTS[part],
            targets={"action": label},
            group=film,
            order=float(last) if (last := number.rsplit("_", 1)[-1]).isdigit() else 0.0,
        )
        rows.add(example, [f"{label}/{name}", name])
    return rows.dataset({"action": Target("class", tuple(sorted(labels)))})


def _table(folder: Path, fold: int) -> Iterator[tuple[str, str, str, str]]:
    path = need(folder, "HMDB51", f"*_test_split{fold}.txt", "hmdb51.csv")[0]
    for line, row in csv_rows(path, ("video_id", "label", f"split{fold}")):
        yield row["video_id"], row["label"].removesuffix("_test"), row[f"split{fold}"], f"'{path.name}', line {line}"


def _lists(lists: list[Path], fold: int) -> Iterator[tuple[str, str, str, str]]:
    for path in sorted(lists):
        label = path.stem.removesuffix(f"_test_split{fold}")
        for line, text in enumerate(read_text(path).split("\n"), 1):
            if not text.strip():
                continue
            words = text.split()
            where = f"'{path.name}', line {line}"
            if len(words) != 2:
                raise BadQueryError(f"{where}: not as 'clip.avi 1'", "correct this line")
            yield words[0], label, words[1], where
