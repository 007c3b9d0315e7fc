"""Small pictures to show beside a moment: one per shot, near its key time, and more inside long shots.

Made in the same pass, so the picture must be kept before it is known whether it is wanted: candidates wait as JPEG.
Makes the kind "thumbnail": instants with `data.jpeg` (bytes). Every one lies inside the shot it stands for, and none
is blank where the shot has others. Knows the shots only as the track of `shots` tells them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from cinescope.analysers.shot_boundaries import LAG
from cinescope.types import FrameNeed, Material, Needs, Segment, Source, Span, Window

RATE = 2.0  # candidates per second, so that every shot of half a second holds one
HOLD = 60.0  # seconds of a running shot whose candidates wait for its key time
BLANK = 3.0  # luma deviation (of 255) below which nothing is to be seen


@dataclass(frozen=True, slots=True)
class _Candidate:
    time: float
    sharp: float
    blank: bool
    jpeg: bytes


class Thumbnails:
    name = "thumbnails"
    version = "1"
    summary = "a picture for every shot, and every few seconds of long ones"
    cost = "reads 2 pictures a second, 320 wide"
    requires = ""

    def __init__(
        self, size: int = 320, every: float = 10.0, quality: int = 80, bytes_per_minute: int = 400_000
    ) -> None:
        """`size`: longest side; `every`: seconds at most between pictures of one shot; `quality`: JPEG, 1 to 100.

        `bytes_per_minute`: what the pictures may take on average over the media; past it fewer are kept, those
        inside long shots first.
        """
        if size < 16 or every <= 0 or not 1 <= quality <= 100 or bytes_per_minute <= 0:
            raise ValueError(
                "thumbnails need size >= 16, every > 0, quality 1 to 100 and bytes_per_minute > 0, "
                f"got {size}, {every}, {quality}, {bytes_per_minute}"
            )
        self._settings: dict[str, Any] = {
            "size": size, "every": every, "quality": quality, "bytes_per_minute": bytes_per_minute,
        }  # fmt: skip
        self._every, self._quality, self._budget = every, quality, bytes_per_minute
        self.needs = Needs(FrameNeed(rate=RATE, size=size, pixels="rgb"), tracks=("shots",), look_back=LAG)
        self._clear()

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, dict(self._settings))

    def _clear(self) -> None:
        self._waiting: list[_Candidate] = []
        self._shots: list[tuple[float, float, float]] = []  # start, end, key of shots that are told, not yet passed
        self._last: float | None = None  # time of the last picture given for the running shot
        self._before: np.ndarray | None = None  # the last picture seen, which may come again
        self._first: float | None = None  # time of the first candidate
        self._spent = 0

    def begin(self, material: Material) -> None:
        self._clear()

    def feed(self, window: Window) -> list[Segment]:
        self._shots += [
            (s.span.start, s.span.end, float(s.data.get("key", s.span.middle))) for s in window.tracks.get("shots", ())
        ]
        if window.frames is not None:
            for frame, time in zip(window.frames.data, window.frames.times, strict=True):
                self._keep(frame, float(time))
        # Only what has ended by now counts, however early the track tells it: so the result is the same whether the
        # shots are found in this pass or were stored before.
        return self._settle(window.span.end)

    def finish(self) -> list[Segment]:
        made = self._settle(np.inf)
        if self._waiting:  # pictures after the last shot, or no shots at all
            made += self._give(self._choose(self._waiting[0].time, self._waiting[-1].time + 1 / RATE, None))
        self._clear()
        return made

    def _keep(self, frame: np.ndarray, time: float) -> None:
        if self._first is None:
            self._first = time
        if self._waiting and self._before is not None and np.array_equal(frame, self._before):
            self._waiting.append(replace(self._waiting[-1], time=time))
            return
        self._before = frame
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        ok, jpeg = cv2.imencode(
            ".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, self._quality]
        )
        if not ok:
            raise ValueError(f"OpenCV could not write a picture of shape {frame.shape} as JPEG")
        sharp = float(np.abs(cv2.Laplacian(grey, cv2.CV_16S)).mean())
        self._waiting.append(_Candidate(time, sharp, float(grey.std()) < BLANK, jpeg.tobytes()))

    def _settle(self, now: float) -> list[Segment]:
        made: list[Segment] = []
        while self._shots and self._shots[0][1] <= now:
            start, end, key = self._shots.pop(0)
            made += self._give(self._choose(start, end, key))
            self._waiting = [c for c in self._waiting if c.time >= end]
            self._last = None
        made += self._give(self._run_on(now))
        return made

    def _choose(self, start: float, end: float, key: float | None) -> list[tuple[_Candidate, bool]]:
        """For the shot [start, end): its candidates to give, and whether each is the one of its key time."""
        inside = [c for c in self._waiting if start <= c.time < end and (self._last is None or c.time > self._last)]
        seen = [c for c in inside if not c.blank]
        if self._last is None:
            seen = seen or inside  # a blank picture only where there is nothing else
        if not seen:
            return []
        chosen: list[tuple[_Candidate, bool]] = []
        if key is None:
            key = max(seen, key=lambda c: c.sharp).time
        # The key may lie before a picture that was given while the shot ran on: then it has one near enough.
        if self._last is None or key > self._last:
            chosen.append((min(seen, key=lambda c: (abs(c.time - key), c.time)), True))
        anchors = [start if self._last is None else self._last, *(c.time for c, _ in chosen), end]
        for left, right in itertools.pairwise(anchors):
            at = left
            while right - at > self._every:
                best = self._best(seen, at, min(at + self._every, right))
                if best is None:
                    break
                chosen.append((best, False))
                at = best.time
        return sorted(chosen, key=lambda c: c[0].time)

    def _best(self, among: list[_Candidate], after: float, until: float) -> _Candidate | None:
        """The sharpest in the later half of (after, until], else in all of it."""
        late = [c for c in among if (after + until) / 2 < c.time <= until]
        return max(late or [c for c in among if after < c.time <= until], key=lambda c: c.sharp, default=None)

    def _run_on(self, now: float) -> list[tuple[_Candidate, bool]]:
        """Of a shot that runs for more than HOLD seconds: what is decided without waiting for its end."""
        given: list[tuple[_Candidate, bool]] = []
        while self._waiting and np.isfinite(now) and now - self._waiting[0].time > HOLD:
            after = self._last if self._last is not None else self._waiting[0].time - 1e-9
            best = self._best([c for c in self._waiting if not c.blank], after, after + self._every)
            if best is None:
                # Nothing to be seen for that long: let it go, and look again one step on.
                self._waiting = [c for c in self._waiting if c.time > after + self._every]
                continue
            given.append((best, False))
            self._last = best.time
            self._waiting = [c for c in self._waiting if c.time > best.time]
        return given

    def _give(self, chosen: list[tuple[_Candidate, bool]]) -> list[Segment]:
        made = []
        for candidate, is_key in chosen:
            # One minute in advance, so that a short video is not starved; pictures inside shots leave room for keys.
            minutes = (candidate.time - (self._first or 0.0)) / 60 + 1
            allowed = self._budget * minutes * (1.0 if is_key else 0.8)
            if self._spent + len(candidate.jpeg) > allowed:
                continue
            self._spent += len(candidate.jpeg)
            made.append(
                Segment(Span(candidate.time, candidate.time), "thumbnail", self.source, data={"jpeg": candidate.jpeg})
            )
        return made

    def state(self) -> dict[str, Any]:
        joined = b"".join(c.jpeg for c in self._waiting)
        return {
            "times": [c.time for c in self._waiting],
            "sharp": [c.sharp for c in self._waiting],
            "blank": [c.blank for c in self._waiting],
            "sizes": [len(c.jpeg) for c in self._waiting],
            "jpegs": np.frombuffer(joined, np.uint8).copy(),
            "shots": [list(s) for s in self._shots],
            "last": self._last,
            "first": self._first,
            "spent": self._spent,
        }

    def restore(self, state: dict[str, Any]) -> None:
        ends = np.cumsum(state["sizes"], dtype=np.int64)
        data = np.asarray(state["jpegs"], np.uint8)
        jpegs = [data[end - size : end].tobytes() for end, size in zip(ends, state["sizes"], strict=True)]
        rows = zip(state["times"], state["sharp"], state["blank"], jpegs, strict=True)
        self._waiting = [_Candidate(float(t), float(s), bool(b), j) for t, s, b, j in rows]
        self._shots = [(float(a), float(b), float(c)) for a, b, c in state["shots"]]
        self._last, self._first = state["last"], state["first"]
        self._spent = int(state["spent"])
