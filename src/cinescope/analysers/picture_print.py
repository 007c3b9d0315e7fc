"""By what each picture is known again, and what it looks like. Twice a second; knows nothing about other videos.

Makes two kinds, neither of which is shown as a track:
"print": a stretch of at most BLOCK seconds. `data.print` is bytes of PRINT, one for each picture that is not plain;
`data.points` bytes of POINTS, recognisable points of some of them; `data.of` "picture"; `data.aspect` width / height.
"look": a stretch in which the picture stays much the same. `data.vector` LOOK numbers, `data.space`, `data.of`.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from cinescope.features.signal import picture_points, picture_print
from cinescope.types import FrameNeed, Frames, Material, Needs, Segment, Source, Span, Window

RATE = 2.0  # pictures a second: two copies' pictures are then at most 0.25 s apart
BLOCK = 20.0  # seconds of a row, on a grid
SPACE = "picture-look@1"
PRINT = np.dtype([("time", "<f4"), ("firm", "u1"), ("codes", "<u8", (len(picture_print.PARTS),))])  # seconds in block
POINTS = np.dtype([("print", "u1"), ("point", picture_points.POINT)])  # which of the block's prints; the point
STILL = 4  # bits by which a code may have moved since the last picture with points, for new points not to be worth it
ALIKE = 0.97  # product of two looks from which they are one
LONGEST = 10.0  # seconds of one look


class PicturePrint:
    name = "picture_print"
    version = "1"
    summary = "by what pictures are known again (search --like, duplicates)"
    cost = "reads 2 pictures a second, 320 wide; about 15 ms a second, 1 kB a second kept"
    requires = ""

    def __init__(self, rate: float = RATE, points_every: float = 1.0) -> None:
        """`rate`: pictures a second; `points_every`: seconds at least between pictures whose points are kept."""
        if not 0 < rate <= 10 or not points_every > 0:
            raise ValueError(f"prints need a rate above 0 and at most 10, and points, got {rate} and {points_every}")
        self._every = points_every
        self._settings: dict[str, Any] = {"rate": rate, "points_every": points_every}
        # At its default the need of `thumbnails`: so both get the same arrays.
        self.needs = Needs(FrameNeed(rate=rate, size=320, pixels="rgb"))

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, dict(self._settings))

    def begin(self, material: Material) -> None:
        del material
        self._block: int | None = None  # number on the grid
        self._prints = np.zeros(0, PRINT)
        self._points = np.zeros(0, POINTS)
        self._aspect = 1.0
        self._pointed: tuple[float, int] | None = None  # time and code of the last picture with points, in this block
        self._look: np.ndarray | None = None
        self._since = 0.0
        self._shown = 0.0  # until when the last picture stands
        self._end = 0.0  # until when was fed

    def feed(self, window: Window) -> list[Segment]:
        made: list[Segment] = []
        if window.frames is not None:
            made += self._see(window.frames)
        self._end = max(self._end, window.span.end)
        if self._block is not None and (self._block + 1) * BLOCK <= self._end:
            made += self._close_block()
        if self._look is not None and self._end - self._since >= LONGEST:
            made += self._close_look(self._since + LONGEST)
        return made

    def finish(self) -> list[Segment]:
        return self._close_block() + self._close_look(min(self._shown, self._end))

    def _see(self, frames: Frames) -> list[Segment]:
        made: list[Segment] = []
        for picture, time in zip(frames.data, frames.times.tolist(), strict=True):
            self._shown = time + 1 / self._settings["rate"]
            number = int(time // BLOCK)
            if number != self._block:
                made += self._close_block()
                self._block = number
                self._aspect = picture.shape[1] / picture.shape[0]
            luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
            codes, firm = picture_print.codes(luma)
            if firm < picture_print.PLAIN:
                made += self._close_look(time)
                continue
            self._keep(luma, codes, firm, time)
            made += self._compare(picture_print.look(picture), time)
        return made

    def _keep(self, luma: np.ndarray, codes: np.ndarray, firm: int, time: float) -> None:
        assert self._block is not None
        row = np.zeros(1, PRINT)
        row["time"], row["firm"], row["codes"] = time - self._block * BLOCK, firm, codes
        self._prints = np.concatenate([self._prints, row])
        code = int(codes[0])
        if self._pointed is not None:
            before, known = self._pointed
            if time - before < self._every - 1e-6 or (code ^ known).bit_count() <= STILL:
                return
        found = picture_points.points(luma)
        rows = np.zeros(len(found), POINTS)
        rows["print"], rows["point"] = len(self._prints) - 1, found
        self._points = np.concatenate([self._points, rows])
        self._pointed = time, code

    def _compare(self, look: np.ndarray, time: float) -> list[Segment]:
        if self._look is not None and float(look @ self._look) >= ALIKE and time - self._since < LONGEST:
            return []
        made = self._close_look(time)
        self._look, self._since = look, time
        return made

    def _close_block(self) -> list[Segment]:
        if self._block is None or not len(self._prints):
            self._block = None
            return []
        first, last = (self._block * BLOCK + float(self._prints["time"][i]) for i in (0, -1))
        data = {
            "print": self._prints.tobytes(),
            "points": self._points.tobytes(),
            "of": "picture",
            "aspect": self._aspect,
        }
        self._block, self._pointed = None, None
        self._prints, self._points = self._prints[:0], self._points[:0]
        return [Segment(Span(first, last), "print", self.source, data=data)]

    def _close_look(self, end: float) -> list[Segment]:
        if self._look is None:
            return []
        vector, self._look = self._look, None
        data = {"vector": vector.tolist(), "space": SPACE, "of": "picture"}
        return [Segment(Span(self._since, max(self._since, end)), "look", self.source, data=data)]

    def state(self) -> dict[str, Any]:
        return {
            "block": self._block,
            "prints": np.frombuffer(self._prints.tobytes(), np.uint8),
            "points": np.frombuffer(self._points.tobytes(), np.uint8),
            "aspect": self._aspect,
            "pointed": list(self._pointed) if self._pointed is not None else None,
            "look": self._look,
            "since": self._since,
            "shown": self._shown,
            "end": self._end,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._block = state["block"]
        self._prints = np.frombuffer(np.asarray(state["prints"], np.uint8).tobytes(), PRINT)
        self._points = np.frombuffer(np.asarray(state["points"], np.uint8).tobytes(), POINTS)
        self._aspect, self._since, self._end = state["aspect"], state["since"], state["end"]
        self._shown = state["shown"]
        self._pointed = (state["pointed"][0], int(state["pointed"][1])) if state["pointed"] is not None else None
        self._look = None if state["look"] is None else np.asarray(state["look"], np.float32)
