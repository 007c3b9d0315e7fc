"""YouCook2: recipes cooked on YouTube, step by step. Here is a real entry of yc2_train.json, cut:

    "v_GLd3aX16zBg": {"duration": 241.62, "timestamps": [[90, 102], [114, 127], ...],
                      "sentences": ["spread margarine on two slices of white bread", ...]}

The same comes as the publisher's youcookii_annotations_trainval.json and, a step a row, as validation_youcook.csv.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cinescope.datasets.dense_captions import TARGETS as KINDS
from cinescope.datasets.dense_captions import Each, add_video
from cinescope.datasets.example import Dataset
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import csv_rows, find, need, number, read_json, value_of

VERIFIED = True
VERIFIED_ON = "yc2_{train,val,test}.json (1,333, 457 and 210 videos) and validation_youcook.csv (3,350 steps)"
CITE = "Zhou, Xu, Corso: Towards Automatic Learning of Procedures from Web Instructional Videos, AAAI 2018"
LICENCE = "for research; the videos are YouTube's"
FILES = "yc2_{train,val,test}.json, else youcookii_annotations_trainval.json, else validation_youcook.csv"
TARGETS = {"caption": "text of the example's span", "events, paragraph": "spans and text, with each='video'"}

_ORDER = {"yc2_train": 0, "yc2_val": 1, "yc2_test": 2}
_PARTS = {"training": "train", "validation": "val", "testing": "test"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None, each: Each = "caption") -> Dataset:
    """An example a step, its video as group; or `each="video"`. Media are `{id}.mp4` or `v_{id}.mp4`."""
    rows = Gathering("youcook2", media, split)
    dense = find(folder, "yc2_*.json")
    original = [] if dense else find(folder, "youcookii_annotations*.json")
    if dense:
        for path in sorted(dense, key=lambda p: (p.stem not in _ORDER, _ORDER.get(p.stem, 0))):
            for video, entry in read_json(path, dict).items():
                add_video(rows, _part(path), video, entry, f"'{path.name}'", each, _names(video))
    elif original:
        for path in original:
            for video, entry in value_of(read_json(path, dict), "database", f"'{path.name}'").items():
                part, made = _original(entry, f"'{path.name}', {video}")
                add_video(rows, part, video, made, f"'{path.name}'", each, _names(video))
    else:
        path = need(folder, "YouCook2", "yc2_*.json", "youcookii_annotations*.json", "validation_youcook.csv")[0]
        for video, entry in _steps(path).items():
            add_video(rows, "val", video, entry, f"'{path.name}'", each, _names(video))
    return rows.dataset(KINDS[each])


def _part(path: Path) -> str:
    return path.stem.removeprefix("yc2_")


def _names(video: str) -> list[str]:
    return [video.removeprefix("v_"), video]


def _original(entry: dict[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    steps = entry.get("annotations", [])
    made = {
        "duration": value_of(entry, "duration", where),
        "timestamps": [value_of(s, "segment", where) for s in steps],
        "sentences": [value_of(s, "sentence", where) for s in steps],
    }
    subset = str(value_of(entry, "subset", where))
    return _PARTS.get(subset, subset), made


def _steps(path: Path) -> dict[str, dict[str, Any]]:
    """The rows of a CSV by their video. It does not say how long a video is: at least to the end of its last step."""
    videos: dict[str, dict[str, Any]] = {}
    for line, row in csv_rows(path, ("start", "end", "text", "video_id")):
        where = f"'{path.name}', line {line}"
        entry = videos.setdefault(row["video_id"], {"duration": 0.0, "timestamps": [], "sentences": []})
        start, end = number(row["start"], where), number(row["end"], where)
        entry["timestamps"].append([start, end])
        entry["sentences"].append(row["text"])
        entry["duration"] = max(entry["duration"], start, end)
    return videos
