"""What pictures are like as a whole: bright, colourful, sharp, and in which colours. Knows nothing of what they show.

Makes the kind "picture": one segment a shot, and one every 10 s of longer shots. `data`: `brightness` (mean luma),
`contrast` (its deviation), `saturation` (mean distance from grey) and `sharpness` (see features/signal/detail.py, at
320 pixels), all 0 to 1; `colourfulness` (Hasler and Süsstrunk 2003, about 0 to 110); `colours`, the most first, each
`name`, `share` and `hex`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cinescope.features.signal.colour import NAMES, brightness, colourfulness, matrix_name, names_of, to_rgb
from cinescope.features.signal.detail import detail
from cinescope.types import BadQueryError, FrameNeed, Frames, Material, Needs, Segment, Source, Span, Window

RATE = 4.0  # pictures a second: every shot that `shots` can find holds one
SIZE = 320
LOOK_BACK = 6.0  # seconds within which `shots` tells a boundary
SHORTEST_REST = 2.5  # seconds; what is left of a shot and shorter belongs to the piece before it
LEAST_SHARE = 0.08  # of the picture that a colour needs to be named
MOST_COLOURS = 5
_SCALARS = ("brightness", "contrast", "colourfulness", "saturation", "sharpness")
_WIDTH = len(_SCALARS) + 4 * len(NAMES)


class PictureStats:
    """`piece`: seconds of a segment at most, so that a long shot that changes is seen to change."""

    name = "picture_stats"
    version = "1"
    summary = "brightness, contrast, colours, colourfulness and sharpness of every shot"
    cost = "reads 4 pictures a second, 320 wide, without RGB"
    requires = ""
    by_default = True

    def __init__(self, piece: float = 10.0) -> None:
        if not SHORTEST_REST <= piece <= 3600:
            raise BadQueryError(f"picture_stats: piece is {piece} s", f"give {SHORTEST_REST:g} to 3600 seconds")
        self._piece = float(piece)
        self.needs = Needs(FrameNeed(rate=RATE, size=SIZE, pixels="yuv"), tracks=("shots",), look_back=LOOK_BACK)
        self._clear()

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, {"piece": self._piece})

    def _clear(self) -> None:
        self._matrix = "bt709"
        self._times = np.zeros(0)
        self._about = np.zeros((0, _WIDTH))  # of pictures that no segment holds yet
        self._ends: list[float] = []  # of shots that are told and not yet passed
        self._start: float | None = None  # of the running piece
        self._last = 0.0  # seconds: the end of the last picture
        self._until = math.inf  # seconds: the end of the video where the container says

    def begin(self, material: Material) -> None:
        self._clear()
        self._until = material.video.duration or math.inf
        stream = material.video.first("video")
        if stream is not None:
            self._matrix = matrix_name(stream.colour_space, stream.height)

    def feed(self, window: Window) -> list[Segment]:
        self._ends += [s.span.end for s in window.tracks.get("shots", ())]
        if window.frames is not None and len(window.frames):
            self._look(window.frames, window.frame_durations)
        # Only shots that have ended by now count, however early they are told: so the result is the same whether
        # the shots are found in this pass or were stored before.
        made: list[Segment] = []
        while self._ends and self._ends[0] <= window.span.end:
            made += self._shot_ended(self._ends.pop(0))
        while self._start is not None and window.span.end - self._start >= self._piece + SHORTEST_REST:
            made += self._close(self._start + self._piece)
        return made

    def finish(self) -> list[Segment]:
        made = self._shot_ended(self._last) if self._start is not None and self._last > self._start else []
        self._clear()
        return made

    def _look(self, frames: Frames, durations: tuple[float, ...]) -> None:
        data = frames.data
        thin = np.ascontiguousarray(data[:, ::2, ::2])  # every fourth pixel tells the colours as well
        mean, deviation = brightness(thin)
        shares, sums, chroma = names_of(thin, self._matrix)
        colourful = colourfulness(thin, self._matrix)
        scalars = np.column_stack([mean, deviation, colourful, chroma, detail(data[..., 0])])
        about = np.concatenate([scalars, shares, sums.reshape(len(data), -1)], axis=1)
        self._times = np.concatenate([self._times, frames.times])
        self._about = np.concatenate([self._about, about])
        if self._start is None:
            self._start = float(frames.times[0])
        last = float(frames.times[-1])
        self._last = max(last, min(last + (durations[-1] if durations else 1 / RATE), self._until))

    def _shot_ended(self, end: float) -> list[Segment]:
        made: list[Segment] = []
        while self._start is not None and end - self._start >= self._piece + SHORTEST_REST:
            made += self._close(self._start + self._piece)
        return made + self._close(end)

    def _close(self, end: float) -> list[Segment]:
        """The running piece up to `end`; nothing where no picture was looked at in it."""
        if self._start is None or end <= self._start:
            return []
        start, self._start = self._start, end
        count = int(np.searchsorted(self._times, end))
        about, self._about = self._about[:count], self._about[count:]
        self._times = self._times[count:]
        if not count:
            return []
        data: dict[str, Any] = {
            name: round(float(value), 1 if name == "colourfulness" else 3)
            for name, value in zip(_SCALARS, about[:, : len(_SCALARS)].mean(axis=0), strict=True)
        }
        # Movement blurs single pictures; what the shot is like is its middle one.
        data["sharpness"] = round(float(np.median(about[:, _SCALARS.index("sharpness")])), 3)
        data["colours"] = self._colours(about[:, len(_SCALARS) :].mean(axis=0))
        return [Segment(Span(start, end), "picture", self.source, data=data)]

    def _colours(self, about: np.ndarray) -> list[dict[str, Any]]:
        shares, sums = about[: len(NAMES)], about[len(NAMES) :].reshape(-1, 3)
        most = [i for i in np.argsort(-shares, kind="stable")[:MOST_COLOURS] if shares[i] >= LEAST_SHARE]
        # A picture of many colours has at least the one that it has most of.
        most = most or [int(np.argmax(shares))]
        rgb = to_rgb(sums[most] / shares[most, None], self._matrix)
        return [
            {
                "name": NAMES[i],
                "share": round(float(shares[i]), 3),
                "hex": "#" + bytes(np.round(c).astype(np.uint8)).hex(),
            }
            for i, c in zip(most, rgb, strict=True)
        ]

    def state(self) -> dict[str, Any]:
        return {
            "times": self._times.copy(), "about": self._about.copy(), "ends": list(self._ends),
            "start": self._start, "last": self._last,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._times = np.array(state["times"], np.float64)
        self._about = np.array(state["about"], np.float64).reshape(-1, _WIDTH)
        self._ends = [float(end) for end in state["ends"]]
        self._start, self._last = state["start"], float(state["last"])
