"""TGIF-QA: questions on animated GIFs. Here is a real row of Test_frameqa_question.csv, with tabs between the values:

    tumblr_no73q2fm0I1uuf348o1_250  what is being placed in the white ice cream cone ?  cookie  0  FRAMEQA1159  27138
    a chocolate cookie is being placed in a white ice cream cone .

Columns: gif_name, question, answer, type (0 object, 1 number, 2 colour, 3 location), vid_id, key, description. The
tasks action and transition have a1 to a5 and the number of the right one, count has a number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from cinescope.datasets.example import Dataset, Example, Target, labels_of
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import csv_rows, need, number
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "Test_frameqa_question.csv, 13,691 questions; action, transition and count were not at hand"
CITE = "Jang, Song, Yu, Kim, Kim: TGIF-QA, CVPR 2017, arXiv 1704.04497"
LICENCE = "for research; the GIFs are Tumblr's"
FILES = "{Train,Test}_{frameqa,action,transition,count}_question.csv"
TARGETS = {"answer": "text or class (frameqa), choice of 5 (action, transition), score (count)"}

Task = Literal["frameqa", "action", "transition", "count"]
_KINDS = {"0": "object", "1": "number", "2": "colour", "3": "location"}
_CHOICES = ("a1", "a2", "a3", "a4", "a5")


def read(
    folder: Path,
    *,
    media: Path | None = None,
    split: str | None = None,
    task: Task = "frameqa",
    answers: Literal["text", "class"] = "text",
) -> Dataset:
    """An example a question (`texts["question"]`) of one task; group is the GIF, whose media is `{gif_name}.gif`.

    `answers`: those of frameqa as text, or as one class of all there are.
    """
    if task not in ("frameqa", "action", "transition", "count"):
        raise BadQueryError(f"TGIF-QA has no task '{task}'", "use frameqa, action, transition or count")
    if answers not in ("text", "class"):
        raise BadQueryError(f"answers are text or class, not '{answers}'")
    rows = Gathering("tgif_qa", media, split)
    found = need(folder, f"TGIF-QA of the task {task}", f"Train_{task}_question.csv", f"Test_{task}_question.csv")
    given: set[str] = set()
    choose = task in ("action", "transition")
    for path in sorted(found, reverse=True):
        part = path.stem.split("_", 1)[0].lower()
        columns = ("gif_name", "question", "answer", "vid_id", *(_CHOICES if choose else ()))
        for line, row in csv_rows(path, columns, delimiter="\t"):
            answer = row["answer"].strip()
            given.add(answer)
            example = Example(
                key=f"{part}/{row['vid_id']}",
                split=part,
                texts={"question": row["question"].strip()},
                candidates=tuple(row[c].strip() for c in _CHOICES) if choose else (),
                targets={"answer": _answer(answer, task, answers, f"'{path.name}', line {line}")},
                group=row["gif_name"],
                about={"type": _KINDS.get(row.get("type", ""), "")} if task == "frameqa" else {},
            )
            rows.add(example, [row["gif_name"]])
    if task == "frameqa":
        target = Target("class", labels_of(sorted(given))) if answers == "class" else Target("text")
    else:
        target = Target("score", unit="times") if task == "count" else Target("choice")
    return rows.dataset({"answer": target})


def _answer(text: str, task: str, answers: str, where: str) -> Any:
    if task == "frameqa":
        return text if answers == "class" else (text,)
    value = number(text, where)
    if task == "count":
        return value
    if value not in range(len(_CHOICES)):
        raise BadQueryError(f"{where}: the answer is {text}, not 0 to 4", "correct this line")
    return int(value)
