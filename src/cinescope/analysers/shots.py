"""Shots: where the camera, or the editor, changes the view; each with the time of a picture that stands for it.

Sees small pictures only. Makes the kind "shot": the segments tile the video from the first picture to the end of the
last. `data.key` is the time of the key picture, `data.cut` how the shot begins ("start", "cut", "fade", "dissolve"),
`data.transition` [start, end] of a fade or dissolve, whose middle is where the shot begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cinescope.analysers.shot_boundaries import LIKENESS, Boundary, BoundaryFinder
from cinescope.analysers.shot_keys import KeyPicker
from cinescope.analysers.shot_second import FLOOR, SecondOpinion
from cinescope.features.backbones import transnet
from cinescope.types import FrameNeed, Material, Needs, Segment, Source, Span, Window

SIZE = (64, 36)


class Shots:
    name = "shots"
    version = "1"
    summary = "shots with a key picture each: cuts, fades and dissolves"
    cost = "reads every frame at 64 x 36"
    requires = ""

    def __init__(self, accurate: bool = False) -> None:
        """`accurate` lets TransNet V2 decide what the quick tests doubt; without it, or torch: MissingPartError."""
        if accurate:
            transnet.require()
        self._accurate = accurate
        self.needs = Needs(frames=FrameNeed(rate=None, size=SIZE, pixels="yuv"))
        self._clear()

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        settings: dict[str, Any] = {"accurate": self._accurate}
        if self._accurate:
            settings["model"] = transnet.name()
        return Source(self.name, self.version, settings)

    def _clear(self) -> None:
        self._second = SecondOpinion() if self._accurate else None
        self._finder = BoundaryFinder(FLOOR, self._second) if self._accurate else BoundaryFinder()
        self._keys = KeyPicker(LIKENESS - 2)
        self._times = np.zeros(0, np.float64)
        self._about = np.zeros((0, LIKENESS), np.float32)  # of pictures not yet settled
        self._opening: Boundary | None = None  # how the running shot began
        self._end = 0.0

    def begin(self, material: Material) -> None:
        self._clear()

    def feed(self, window: Window) -> list[Segment]:
        frames = window.frames
        if frames is not None and len(frames):
            self._see(frames.data, frames.times)
            self._end = float(frames.times[-1]) + (window.frame_durations[-1] if window.frame_durations else 0.0)
        # A window without pictures tells too: the last one still stands.
        return self._take(self._finder.settle(window.span.end), self._finder.settled)

    def _see(self, frames: np.ndarray, times: np.ndarray) -> None:
        if self._opening is None:
            start = float(times[0])
            self._opening = Boundary(start, "start", 1.0, start, start)
        if self._second is not None:
            self._second.push(frames, times)
        self._about = np.concatenate([self._about, self._finder.push(frames, times)])
        self._times = np.concatenate([self._times, times])

    def finish(self) -> list[Segment]:
        if self._opening is None:
            return []
        made = self._take(self._finder.settle(), np.inf)
        made.append(self._shot(self._end, self._end))
        self._clear()
        return made

    def _take(self, boundaries: list[Boundary], settled: float) -> list[Segment]:
        made = []
        for boundary in boundaries:
            self._commit(boundary.time)
            made.append(self._shot(boundary.time, boundary.start))
            self._opening = boundary
            self._keys.clear()
        self._commit(settled)
        return made

    def _commit(self, until: float) -> None:
        """Give the pictures before `until` to the running shot."""
        count = int(np.searchsorted(self._times, until))
        about = self._about[:count]
        self._keys.add(self._times[:count], about[:, 0], about[:, 1], about[:, 2:])
        self._times, self._about = self._times[count:], self._about[count:]

    def _shot(self, end: float, leaving: float) -> Segment:
        """The running shot, which ends at `end` and begins to give way to the next at `leaving`."""
        opening = self._opening
        assert opening is not None
        key = self._keys.pick(opening.end, leaving)
        data: dict[str, Any] = {"key": opening.time if key is None else key, "cut": opening.kind}
        if opening.end > opening.start:
            data["transition"] = [opening.start, opening.end]
        return Segment(Span(opening.time, max(end, opening.time)), "shot", self.source, score=opening.score, data=data)

    def state(self) -> dict[str, Any]:
        opening = self._opening
        return {
            "finder": self._finder.state(),
            "second": None if self._second is None else self._second.state(),
            "keys": self._keys.state(),
            "times": self._times.copy(),
            "about": self._about.copy(),
            "end": self._end,
            "opening": None
            if opening is None
            else [opening.time, opening.kind, opening.score, opening.start, opening.end],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._clear()
        self._finder.restore(state["finder"])
        if self._second is not None:
            self._second.restore(state["second"])
        self._keys.restore(state["keys"])
        self._times, self._about = np.asarray(state["times"]), np.asarray(state["about"])
        self._end = float(state["end"])
        if state["opening"] is not None:
            self._opening = Boundary(*state["opening"])
