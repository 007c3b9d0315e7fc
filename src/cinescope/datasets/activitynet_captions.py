"""ActivityNet Captions: what happens in a video, event by event. Here is a real entry of val_1.json, cut:

    "v_bXdq2zI1Ms0": {"duration": 73.1, "timestamps": [[0, 10.23], [10.6, 39.84], [38.01, 73.1]],
        "sentences": ["A man is seen speaking to the camera and pans out into more men standing behind him.", ...]}

val_1 and val_2 are the same videos, described by two sets of people: the splits "val" and "val_2".
"""

from __future__ import annotations

from pathlib import Path

from cinescope.datasets.dense_captions import TARGETS as KINDS
from cinescope.datasets.dense_captions import Each, add_video
from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import need, read_json

VERIFIED = True
VERIFIED_ON = "val_1.json, 4,917 videos with 17,505 captions"
CITE = "Krishna et al.: Dense-Captioning Events in Videos, ICCV 2017, arXiv 1705.00754"
LICENCE = "for research; the videos are YouTube's"
FILES = "train.json, val_1.json, val_2.json, test_ids.json"
TARGETS = {"caption": "text of the example's span", "events, paragraph": "spans and text, with each='video'"}

_PARTS = {"train": "train", "val_1": "val", "val_2": "val_2"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None, each: Each = "caption") -> Dataset:
    """An example a caption, its video as group; or `each="video"`. Media are `v_{id}.mp4` or `{id}.mp4`."""
    rows = Gathering("activitynet_captions", media, split)
    for path in need(folder, "ActivityNet Captions", *(f"{p}.json" for p in _PARTS), "test_ids.json"):
        if path.stem == "test_ids":
            for video in map(str, read_json(path, list)):
                rows.add(Example(f"test/{video}", "test", group=video), _names(video))
            continue
        part = _PARTS[path.stem]
        for video, entry in read_json(path, dict).items():
            add_video(rows, part, video, entry, f"'{path.name}'", each, _names(video))
    return rows.dataset(KINDS[each])


def _names(video: str) -> list[str]:
    return [video, video.removeprefix("v_")]
