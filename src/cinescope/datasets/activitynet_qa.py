"""ActivityNet-QA: questions and free answers on long videos. Here is a real question of test_q.json and its answer of
test_a.json:

    {"video_name": "1QIUV7WYKXg", "question": "is the athlete wearing trousers", "question_id": "v_1QIUV7WYKXg_3"}
    {"answer": "no", "type": 3, "question_id": "v_1QIUV7WYKXg_3"}
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cinescope.datasets.example import Dataset, Example, Target, labels_of
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import find, need, read_json, value_of
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "the test part, 8,000 questions"
CITE = "Yu, Xu, Yu, Yu, Zhao, Zhuang, Tao: ActivityNet-QA, AAAI 2019, arXiv 1906.02467"
LICENCE = "Apache-2.0 (annotations); the videos are YouTube's"
FILES = "{train,val,test}_q.json and {train,val,test}_a.json"
TARGETS = {"answer": "text, or class with answers='class'"}

# The paper, table 2, in the order of the numbers in the files.
KINDS = ("motion", "spatial", "temporal", "yes/no", "colour", "object", "location", "number", "other")


def read(
    folder: Path, *, media: Path | None = None, split: str | None = None, answers: Literal["text", "class"] = "text"
) -> Dataset:
    """An example a question (`texts["question"]`); group is the video, whose media is `v_{id}.mp4`.

    A part without its file of answers has no targets. `answers`: as text, or as one class of all there are.
    """
    if answers not in ("text", "class"):
        raise BadQueryError(f"answers are text or class, not '{answers}'")
    rows = Gathering("activitynet_qa", media, split)
    found = {p.name: p for p in need(folder, "ActivityNet-QA", "train_q.json", "val_q.json", "test_q.json")}
    given: set[str] = set()
    for part in (p for p in ("train", "val", "test") if f"{p}_q.json" in found):
        path = found[f"{part}_q.json"]
        told = _answers(find(path.parent, f"{part}_a.json"))
        if not told and rows.wants(part):
            rows.notes.append(f"the answers of the part '{part}' are not there ('{part}_a.json')")
        for i, row in enumerate(read_json(path, list)):
            where = f"'{path.name}', question {i}"
            key, video = (str(value_of(row, n, where)) for n in ("question_id", "video_name"))
            answer, kind = told.get(key, ("", ""))
            if told and key not in told:
                raise BadQueryError(f"{where}: no answer to '{key}'", f"'{part}_a.json' must be of the same part")
            given |= {answer} if told else set()
            example = Example(
                key=key,
                split=part,
                texts={"question": str(value_of(row, "question", where)).strip()},
                targets={} if not told else {"answer": answer if answers == "class" else (answer,)},
                group=video,
                about={"type": kind} if kind else {},
            )
            rows.add(example, [f"v_{video}", video])
    target = Target("class", labels_of(sorted(given))) if answers == "class" else Target("text")
    return rows.dataset({"answer": target})


def _answers(found: list[Path]) -> dict[str, tuple[str, str]]:
    """Question -> (answer, kind)."""
    told = {}
    for path in found[:1]:
        for i, row in enumerate(read_json(path, list)):
            where = f"'{path.name}', answer {i}"
            kind = row.get("type")
            name = KINDS[kind] if isinstance(kind, int) and 0 <= kind < len(KINDS) else ""
            told[str(value_of(row, "question_id", where))] = str(value_of(row, "answer", where)).strip(), name
    return told
