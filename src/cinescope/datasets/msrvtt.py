"""MSR-VTT: web clips of 10 to 30 s, with 20 captions each. Here is a real row of the 1k test list, msrvtt_test.csv:

    ret0,msr9770,video9770,a person is connecting something to system

The publisher's own files, train_val_videodatainfo.json and test_videodatainfo.json, hold
{"videos": [{"video_id": "video0", "category": 9, "split": "train", "start time": ..., "end time": ...}, ...],
"sentences": [{"video_id": "video0", "caption": "a car is shown", "sen_id": 0}, ...]}.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Literal

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import csv_rows, find, need, read_json, value_of
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "the list of the 1k test, 1,000 clips with a caption each; the files of all captions were not at hand"
CITE = "Xu, Mei, Yao, Rui: MSR-VTT, CVPR 2016; 1k test: Yu, Kim, Kim, ECCV 2018"
LICENCE = "for research; the videos are YouTube's"
FILES = "*videodatainfo.json or MSRVTT_data.json, else msrvtt_test.csv (MSRVTT_JSFUSION_test.csv)"
TARGETS = {"captions": "text, all 20", "category": "class, 20 (json only)"}

# category.txt of the publisher, in the order of its numbers
CATEGORIES = (
    "music", "people", "gaming", "sports/actions", "news/events/politics", "education", "tv shows", "movie/comedy",
    "animation", "vehicles/autos", "howto", "travel", "science/technology", "animals/pets", "kids/family",
    "documentary", "food/drink", "cooking", "beauty/fashion", "advertisement",
)  # fmt: skip
_PARTS = {"validate": "val"}


def read(
    folder: Path, *, media: Path | None = None, split: str | None = None, test: Literal["full", "1k"] = "full"
) -> Dataset:
    """An example a clip with all its captions. Media are `{video_id}.mp4`.

    Where only the list of the 1k test is there, it is read. With `test="1k"` and both, the split "test" is that list
    with its one caption a clip, and all other clips are "train": the usual split for retrieval.
    """
    if test not in ("full", "1k"):
        raise BadQueryError(f"test is full or 1k, not '{test}'")
    rows = Gathering("msrvtt", media, split)
    infos = find(folder, "*videodatainfo*.json", "MSRVTT_data.json")
    lists = find(folder, "msrvtt_test.csv", "MSRVTT_JSFUSION_test.csv")
    if not infos or test == "1k":
        lists = lists or need(folder, "MSR-VTT", "*videodatainfo*.json", "MSRVTT_data.json", "msrvtt_test.csv",
                              "MSRVTT_JSFUSION_test.csv")  # fmt: skip
    chosen = _one_thousand(lists[0]) if not infos or test == "1k" else {}
    targets = {"captions": Target("text")}
    if infos:
        targets["category"] = Target("class", CATEGORIES)
    seen: set[str] = set()
    for path in infos:
        for example in _videos(path):
            if example.key not in chosen and example.key not in seen:
                seen.add(example.key)
                part = example if test == "full" else replace(example, split="train")
                rows.add(part, [example.key])
    for video, caption in chosen.items():
        rows.add(Example(video, "test", targets={"captions": (caption,)}, group=video), [video])
    return rows.dataset(targets)


def _one_thousand(path: Path) -> dict[str, str]:
    return {row["video_id"]: row["sentence"].strip() for _, row in csv_rows(path, ("video_id", "sentence"))}


def _videos(path: Path) -> list[Example]:
    info = read_json(path, dict)
    captions: dict[str, list[str]] = defaultdict(list)
    for i, row in enumerate(value_of(info, "sentences", f"'{path.name}'")):
        where = f"'{path.name}', sentence {i}"
        captions[str(value_of(row, "video_id", where))].append(str(value_of(row, "caption", where)).strip())
    made = []
    for i, row in enumerate(value_of(info, "videos", f"'{path.name}'")):
        where = f"'{path.name}', video {i}"
        video, part = str(value_of(row, "video_id", where)), str(value_of(row, "split", where))
        number = row.get("category")
        known = isinstance(number, int) and 0 <= number < len(CATEGORIES)
        targets: dict[str, object] = {"captions": tuple(captions[video])} if captions[video] else {}
        targets |= {"category": CATEGORIES[number]} if known else {}
        about = {name: row[name] for name in ("url", "start time", "end time") if name in row}
        group = str(row.get("url", "")).split("v=")[-1] or video  # clips of one YouTube video belong together
        made.append(Example(video, _PARTS.get(part, part), targets=targets, group=group, about=about))
    return made
