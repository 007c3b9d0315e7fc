"""The prints of a library in memory: by what its pictures and sounds are known again. Reads tables, compares nothing.

A thousand hours are 7 million pictures (270 MB) and 70 million landmarks (570 MB); they are read for one question and
let go. The points of pictures stay on disk until a stretch is to be looked at closely.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cinescope.library import schema
from cinescope.library.store import Store, one_of, quoted

PICTURE, SOUND = "picture", "sound"
_ANALYSER = {PICTURE: "picture_print", SOUND: "sound_print"}


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Prints of pictures, by video and time. N pictures, R parts of each."""

    videos: tuple[str, ...]  # ids
    video: np.ndarray  # (N,) int32, number in `videos`
    times: np.ndarray  # (N,) float64, seconds
    codes: np.ndarray  # (N, R) uint64
    block: np.ndarray  # (N,) int32, `seq` of the row that holds it
    place: np.ndarray  # (N,) uint8, number inside that row

    def __len__(self) -> int:
        return len(self.times)

    def of(self, chosen: np.ndarray) -> Pictures:
        return Pictures(
            self.videos, self.video[chosen], self.times[chosen], self.codes[chosen], self.block[chosen],
            self.place[chosen],
        )  # fmt: skip

    def only(self, video: str) -> Pictures:
        """Those of one video."""
        return self.of(_of_one(self.videos, self.video, video))


@dataclass(frozen=True, slots=True, eq=False)
class Sounds:
    """Landmarks of sounds. M landmarks."""

    videos: tuple[str, ...]
    video: np.ndarray  # (M,) int32
    times: np.ndarray  # (M,) float32, seconds
    codes: np.ndarray  # (M,) uint32

    def __len__(self) -> int:
        return len(self.codes)

    def of(self, chosen: np.ndarray) -> Sounds:
        return Sounds(self.videos, self.video[chosen], self.times[chosen], self.codes[chosen])

    def only(self, video: str) -> Sounds:
        """Those of one video."""
        return self.of(_of_one(self.videos, self.video, video))


@dataclass(frozen=True, slots=True, eq=False)
class Pointed:
    """The points of one picture."""

    time: float  # seconds
    aspect: float  # width / height of the picture
    points: np.ndarray  # (P,) of picture_points.POINT


def source_key(of: str) -> str:
    """Whose rows are compared: those of this version alone, as codes of two versions mean nothing to each other."""
    from cinescope.analysers import create

    return create(_ANALYSER[of]).source.key


def printed(store: Store, of: str) -> set[str]:
    """The videos that were indexed with prints, though they may have none (nothing to be seen or heard)."""
    where = f"source = {quoted(source_key(of))} AND complete"
    return {r["video_id"] for r in store.rows("ledger", ["video_id"], where)}


def read_pictures(store: Store, videos: Iterable[str] | None = None) -> Pictures:
    """The prints of all videos, or of some."""
    rows = _rows(store, PICTURE, videos)
    return pictures_of([(r["video_id"], r["seq"], block_start(r["start"]), r["print"]) for r in rows])


def pictures_of(rows: list[tuple[str, int, float, bytes]]) -> Pictures:
    """(video, number of the row, start of its block in seconds, bytes of PRINT) -> their prints."""
    from cinescope.analysers.picture_print import PRINT

    videos, numbers = _numbered([r[0] for r in rows])
    parts = [np.frombuffer(r[3], PRINT) for r in rows]
    sizes = [len(p) for p in parts]
    every = np.concatenate([np.zeros(0, PRINT), *parts])
    begin = np.repeat(np.array([r[2] for r in rows], np.float64), sizes)
    place = np.concatenate([np.zeros(0, np.uint8), *(np.arange(n, dtype=np.uint8) for n in sizes)])
    return Pictures(
        videos,
        np.repeat(numbers, sizes).astype(np.int32),
        begin + every["time"],
        np.ascontiguousarray(every["codes"]),
        np.repeat(np.array([r[1] for r in rows], np.int32), sizes).astype(np.int32),
        place,
    )


def read_sounds(store: Store, videos: Iterable[str] | None = None) -> Sounds:
    """The landmarks of all videos, or of some."""
    rows = _rows(store, SOUND, videos)
    return sounds_of([(r["video_id"], block_start(r["start"]), r["print"]) for r in rows])


def sounds_of(rows: list[tuple[str, float, bytes]]) -> Sounds:
    """(video, start of its block in seconds, bytes of PRINT) -> their landmarks."""
    from cinescope.analysers.sound_print import PRINT
    from cinescope.features.signal.sound_print import STEP

    videos, numbers = _numbered([r[0] for r in rows])
    parts = [np.frombuffer(r[2], PRINT) for r in rows]
    sizes = [len(p) for p in parts]
    every = np.concatenate([np.zeros(0, PRINT), *parts])
    begin = np.repeat(np.array([r[1] for r in rows], np.float64), sizes)
    times = (begin + every["at"] * STEP).astype(np.float32)
    return Sounds(videos, np.repeat(numbers, sizes).astype(np.int32), times, np.ascontiguousarray(every["code"]))


def read_points(store: Store, video: str, blocks: Iterable[int]) -> list[Pointed]:
    """The pictures with points in some rows of a video, by time."""
    numbers = sorted({int(b) for b in blocks})
    if not numbers:
        return []
    listed = ", ".join(map(str, numbers))
    where = f"video_id = {quoted(video)} AND source = {quoted(source_key(PICTURE))} AND seq IN ({listed})"
    rows = store.rows(schema.PRINTS, ["start", "aspect", "print", "points"], where)
    return sorted((p for r in rows for p in pointed(r)), key=lambda p: p.time)


def pointed(row: dict[str, Any]) -> list[Pointed]:
    """The pictures with points of one row."""
    from cinescope.analysers.picture_print import POINTS, PRINT

    prints, points = np.frombuffer(row["print"], PRINT), np.frombuffer(row["points"], POINTS)
    begin = block_start(row["start"])
    return [
        Pointed(begin + float(prints["time"][i]), row["aspect"], points["point"][points["print"] == i])
        for i in np.unique(points["print"])
    ]


def block_start(first: float) -> float:
    """Seconds where the block of a row begins whose first print stands at `first`."""
    from cinescope.analysers.picture_print import BLOCK

    # Half a millisecond keeps rounding from moving it into the block before.
    return float(np.floor((first + 5e-4) / BLOCK) * BLOCK)


def _rows(store: Store, of: str, videos: Iterable[str] | None) -> list[dict[str, Any]]:
    if not store.has_prints():
        return []
    store.refresh(schema.PRINTS)
    conditions = [f"source = {quoted(source_key(of))}"]
    if videos is not None:
        conditions.append(one_of("video_id", sorted(videos)))
    columns = ["video_id", "seq", "start", "print"]
    rows = store.rows(schema.PRINTS, columns, " AND ".join(conditions))
    return sorted(rows, key=lambda r: (r["video_id"], r["start"]))


def _of_one(videos: tuple[str, ...], owner: np.ndarray, video: str) -> np.ndarray:
    """The numbers of one video's prints; rows are in the order of videos."""
    if video not in videos:
        return np.arange(0)
    return np.arange(*np.searchsorted(owner, (videos.index(video), videos.index(video) + 1)))


def _numbered(ids: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    videos = tuple(dict.fromkeys(ids))
    numbers = {v: i for i, v in enumerate(videos)}
    return videos, np.array([numbers[v] for v in ids], np.int32)
