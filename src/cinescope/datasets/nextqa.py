"""NExT-QA: why and how, with five answers to choose from. Here is a real row of test.csv:

    2574374895,719,320,240,what did the baby do after throwing the green cup away while on the floor near the end,
    2,8,TN,clap proudly,the lady sitting down,lay on floor,just picked it up,crawl

Columns: video, frame_count, width, height, question, answer (the number of the right one), qid, type, a0 to a4. Types:
CW why, CH how, TN next, TP previous, TC at the same time, DC counting, DL where, DO other.
"""

from __future__ import annotations

from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import csv_rows, need, number
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "test.csv of the multiple choice, 8,564 questions"
CITE = "Xiao, Shang, Yao, Chua: NExT-QA, CVPR 2021, arXiv 2105.08276"
LICENCE = "MIT (annotations); the videos are of VidOR"
FILES = "train.csv, val.csv, test.csv"
TARGETS = {"answer": "choice of 5"}

_ANSWERS = ("a0", "a1", "a2", "a3", "a4")


def read(folder: Path, *, media: Path | None = None, split: str | None = None) -> Dataset:
    """An example a question (`texts["question"]`) with its candidates; group is the video, `{id}.mp4`."""
    rows = Gathering("nextqa", media, split)
    found = {p.stem: p for p in need(folder, "NExT-QA", "train.csv", "val.csv", "test.csv")}
    for part in (p for p in ("train", "val", "test") if p in found):
        path = found[part]
        for line, row in csv_rows(path, ("video", "question", "answer", "qid", "type", *_ANSWERS)):
            where = f"'{path.name}', line {line}"
            right = number(row["answer"], where)
            if right not in range(len(_ANSWERS)):
                raise BadQueryError(f"{where}: the answer is {row['answer']}, not 0 to 4", "correct this line")
            example = Example(
                key=f"{part}/{row['video']}/{row['qid']}",
                split=part,
                texts={"question": row["question"].strip()},
                candidates=tuple(row[a].strip() for a in _ANSWERS),
                targets={"answer": int(right)},
                group=row["video"],
                about={"type": row["type"]}
                | {n: number(row[n], where) for n in ("frame_count", "width", "height") if row.get(n)},
            )
            rows.add(example, [row["video"]])
    return rows.dataset({"answer": Target("choice")})
