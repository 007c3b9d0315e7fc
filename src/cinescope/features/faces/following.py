"""One face followed from picture to picture. Knows boxes and scores; knows nothing of shots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cinescope.features.faces.detector import Box, Found, overlap

KEPT = 64  # boxes kept of a track, at most: of more, every other one goes
LONELY = 2.0  # log odds taken off a face that was seen in a single picture
SURE = 6.0  # log odds that one picture may count for, at most: no picture is surer than that
JOINS = 0.25  # overlap from which a finding belongs to a track
APART = 0.8  # of a face: how far its middle may have moved, for a face of the same size


@dataclass(slots=True)
class FaceTrack:
    """Boxes are shares of the picture, 0 to 1. `start` and `end` are seconds; `last` is the box last seen."""

    start: float
    end: float
    last: Box
    at: float = 0.0  # seconds of the picture in which it was last seen
    boxes: list[tuple[float, Box]] = field(default_factory=list)  # thinned
    stride: int = 1  # of the pictures, one in so many is kept in `boxes`
    seen: int = 0
    frontal: int = 0
    odds: list[float] = field(default_factory=list)  # the surest few, rising
    height: float = 0.0  # sum over the pictures
    sharp: float = -1.0
    sharpest: float = 0.0  # seconds
    best: Box = (0.0, 0.0, 0.0, 0.0)
    picture: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))  # (h, w, 3), the face then

    def see(self, time: float, until: float, found: Found) -> None:
        """A finding whose box is in shares, shown from `time` to `until`."""
        if self.seen % self.stride == 0:
            self.boxes.append((time, found.box))
            if len(self.boxes) > KEPT:
                del self.boxes[1::2]
                self.stride *= 2
        self.at, self.end, self.last = time, until, found.box
        self._count(found)

    def _count(self, found: Found) -> None:
        self.seen += 1
        self.frontal += found.frontal
        self.height += found.box[3] - found.box[1]
        share = min(max(found.score, 1e-6), 1 - 1e-6)
        self.odds = sorted([*self.odds, min(SURE, float(np.log(share / (1 - share))))])[-5:]

    def see_before(self, start: float, time: float, found: Found) -> None:
        """A finding in an earlier picture than all others, at `time`; the face is then there from `start` on."""
        self.start = start
        self.boxes.insert(0, (time, found.box))
        self._count(found)

    def box_at(self, time: float) -> Box:
        """Where it was at a time, or nearest to it, as far as boxes are kept."""
        return min(self.boxes, key=lambda b: abs(b[0] - time))[1] if time < self.at else self.last

    @property
    def score(self) -> float:
        """0 to 1: by the surest few pictures. One alone counts for less than two that agree."""
        surest = self.odds[-3:]
        if not surest:
            return 0.0
        mean = sum(surest) / len(surest)
        return float(1 / (1 + np.exp(-(mean - LONELY * (self.seen == 1)))))

    def known(self) -> list[list[float]]:
        """[[t, x0, y0, x1, y1], ...], the last one seen included."""
        kept = [(t, b) for t, b in self.boxes if t < self.at] + [(self.at, self.last)]
        return [[round(t, 3), *(round(v, 4) for v in b)] for t, b in kept]

    def state(self) -> dict[str, Any]:
        return {
            "start": self.start, "end": self.end, "last": list(self.last), "at": self.at,
            "boxes": [[t, *b] for t, b in self.boxes], "stride": self.stride, "seen": self.seen,
            "frontal": self.frontal, "odds": list(self.odds), "height": self.height, "sharp": self.sharp,
            "sharpest": self.sharpest, "best": list(self.best), "picture": self.picture.copy(),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> FaceTrack:
        known = dict(state)
        known["boxes"] = [(float(b[0]), _box(b[1:])) for b in state["boxes"]]
        known["last"], known["best"] = _box(state["last"]), _box(state["best"])
        known["picture"] = np.array(state["picture"], np.uint8)
        return cls(**known)


def _box(values: Any) -> Box:
    x0, y0, x1, y1 = (float(v) for v in values)
    return x0, y0, x1, y1


def same_face(a: Box, b: Box) -> bool:
    """Whether a face may have moved from one box to the other between two pictures."""
    if overlap(a, b) >= JOINS:
        return True
    wide, high = (a[2] - a[0] + b[2] - b[0]) / 2, (a[3] - a[1] + b[3] - b[1]) / 2
    if wide <= 0 or high <= 0 or not 0.6 <= (a[3] - a[1]) / max(b[3] - b[1], 1e-9) <= 1.6:
        return False
    across, down = (a[0] + a[2] - b[0] - b[2]) / 2, (a[1] + a[3] - b[1] - b[3]) / 2
    return abs(across) <= APART * wide and abs(down) <= APART * high
