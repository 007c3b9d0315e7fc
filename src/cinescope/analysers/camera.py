"""What the camera does: stands still, pans, tilts, zooms or shakes. Sees small pictures in grey only.

Makes the kind "camera": `text` says what ("pan left", "zoom in" ...; left is where the camera turns), `data.also` what
it does besides, `data.speed` picture widths a second (for zooms: the growth a second), `data.motion` the share of the
picture that changes from one sample to the next, whoever moves, `score` how much of the picture agrees. Where nothing
can be followed (black, blank, a blur) there is no segment; "other" is movement of all the view that is none of these.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import Any

import numpy as np

from cinescope.features.signal.flow import shift_between, stirring
from cinescope.types import FrameNeed, Material, Needs, Segment, Source, Span, Window

RATE = 5.0  # pictures a second: a pan of the whole width in a second is 32 pixels a step, which can be followed
SIZE = 160
REACH = 2  # steps on each side that a moment is judged by
SHORTEST = 4  # steps; a shorter run belongs to its neighbour
# In picture widths a second: slower is not seen as movement. A slow pan crosses the picture in 20 s.
SLOWEST = 0.03
SLOWEST_ZOOM = 0.035  # growth a second
SHAKING = 0.05  # deviation from the even movement, widths a second
FASTEST = 3.0
AGREEING = 0.5  # share of the picture that must move alike, for a shake
LEAST_AGREEING = 0.3  # for what goes on evenly: what is wrong is wrong in another way every time
_LOOSE = np.array([0.04, 0.04, 0.10])  # widths, widths and growth a second by which even movement may vary
_OPPOSITE = {"right": ("pan left", "pan right"), "down": ("tilt up", "tilt down"), "growth": ("zoom in", "zoom out")}


@dataclass(slots=True)
class _Run:
    """A stretch of one label, and sums over its steps."""

    label: str
    start: float
    end: float
    steps: int = 0
    speed: float = 0.0
    motion: float = 0.0
    agree: float = 0.0
    also: dict[str, int] = field(default_factory=dict)

    def add(self, other: _Run) -> None:
        self.end = max(self.end, other.end)
        self.steps += other.steps
        self.speed += other.speed
        self.motion += other.motion
        self.agree += other.agree
        for name, count in other.also.items():
            self.also[name] = self.also.get(name, 0) + count


class Camera:
    name = "camera"
    version = "1"
    summary = "camera movement: still, pan, tilt, zoom, shake"
    cost = "follows points between 5 pictures a second, 160 wide"
    requires = ""
    by_default = True
    needs = Needs(frames=FrameNeed(rate=RATE, size=SIZE, pixels="grey"))

    def __init__(self) -> None:
        self._clear()

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, {})

    def _clear(self) -> None:
        self._picture: np.ndarray | None = None  # the last one, (H, W)
        self._time = 0.0
        self._until = np.inf  # seconds: the end of the video where the container says
        # One row a step: its end, the fields of Shift, share of the picture that changes. Those from `_next` on are
        # not judged yet; those before are their neighbours.
        self._rows = np.zeros((0, 9))
        self._start = 0.0  # of the first row
        self._next = 0
        self._run: _Run | None = None
        self._other: _Run | None = None  # may follow, or be too short to

    def begin(self, material: Material) -> None:
        self._clear()
        self._until = material.video.duration or np.inf

    def feed(self, window: Window) -> list[Segment]:
        frames = window.frames
        made: list[Segment] = []
        if frames is None or not len(frames):
            return made
        for picture, time in zip(frames.data[:, :, :, 0], frames.times, strict=True):
            before, self._picture = self._picture, picture
            begun, self._time = self._time, float(time)
            if before is None:
                self._start = float(time)
                continue
            if before.shape != picture.shape or time - begun > 2.5 / RATE:
                made += self._break(float(time))
                continue
            row = np.array([float(time), *astuple(shift_between(before, picture)), stirring(before, picture)])
            if self._is_cut(row):
                made += self._break(float(time))
                continue
            self._rows = np.concatenate([self._rows, row[None]])
            made += self._judge(len(self._rows) - REACH)
        if self._picture is not None:
            self._picture = self._picture.copy()  # not the whole window's memory
        return made

    def finish(self) -> list[Segment]:
        made: list[Segment] = []
        if self._picture is not None:
            end = max(self._time, min(self._time + 1 / RATE, self._until))
            made = self._break(end)
        self._clear()
        return made

    @staticmethod
    def _is_cut(row: np.ndarray) -> bool:
        """Nothing is found again, and nearly all of the picture is new."""
        return bool(row[5] < 0.35 and row[7] < 0.35 and row[8] > 0.6)

    def _break(self, time: float) -> list[Segment]:
        """What comes at `time` has nothing to do with what was before."""
        made = self._judge(len(self._rows))
        run, other = self._run, self._other
        if run is not None:
            if other is not None:
                run.add(other)
            run.end = time
            made += self._tell(run)
        self._run = self._other = None
        self._rows, self._next, self._start = np.zeros((0, 9)), 0, time
        return made

    def _judge(self, upto: int) -> list[Segment]:
        """Label the steps before `upto`, whose neighbours are all known."""
        made: list[Segment] = []
        while self._next < upto:
            at = self._next
            label, also, speed = self._at(at)
            start = self._rows[at - 1, 0] if at else self._start
            agree = max(self._rows[at, 5], self._rows[at, 6])
            run = _Run(label, float(start), float(self._rows[at, 0]), 1, speed, float(self._rows[at, 8]), float(agree))
            if also:
                run.also = {also: 1}
            made += self._append(run)
            self._next += 1
        drop = max(0, self._next - REACH)
        if drop:
            self._start = float(self._rows[drop - 1, 0])
            self._rows, self._next = self._rows[drop:], self._next - drop
        return made

    def _at(self, at: int) -> tuple[str, str, float]:
        """By what is around; where the movement changes here, by what leads up to it or what follows."""
        found = ("", "", 0.0)
        for before, after in ((REACH, REACH), (REACH, 0), (0, REACH)):
            now = _label(self._rows[max(0, at - before) : at + after + 1], self._rows[at])
            if now[0] not in ("", "other"):
                return now
            found = found if found[0] else now
        return found

    def _append(self, step: _Run) -> list[Segment]:
        if self._run is None:
            self._run = step
        elif step.label == self._run.label:
            if self._other is not None:
                self._run.end = self._other.end
                self._run.motion += self._other.motion
                self._other = None
            self._run.add(step)
        elif self._other is None or self._other.label != step.label:
            if self._other is not None:
                self._run.end = self._other.end
            self._other = step
        else:
            self._other.add(step)
        if self._other is not None and self._other.steps >= SHORTEST:
            done, self._run, self._other = self._run, self._other, None
            if done.steps < SHORTEST:  # too short itself: at the beginning
                self._run.start = done.start
                return []
            return self._tell(done)
        return []

    def _tell(self, run: _Run) -> list[Segment]:
        if run.label == "" or run.end <= run.start or not run.steps:
            return []
        data: dict[str, Any] = {"motion": round(min(1.0, run.motion / run.steps), 3)}
        if run.label != "still":
            data["speed"] = round(run.speed / run.steps, 3)
        also = [name for name, count in sorted(run.also.items()) if count >= 0.5 * run.steps]
        if also:
            data["also"] = also
        score = round(min(1.0, run.agree / run.steps), 3)
        return [Segment(Span(run.start, run.end), "camera", self.source, text=run.label, score=score, data=data)]

    def state(self) -> dict[str, Any]:
        return {
            "picture": None if self._picture is None else self._picture.copy(),
            "time": self._time, "rows": self._rows.copy(), "start": self._start, "next": self._next,
            "run": _saved(self._run), "other": _saved(self._other),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._picture = None if state["picture"] is None else np.array(state["picture"], np.uint8)
        self._time, self._start, self._next = float(state["time"]), float(state["start"]), int(state["next"])
        self._rows = np.array(state["rows"], np.float64).reshape(-1, 9)
        self._run, self._other = (_Run(**state[n]) if state[n] else None for n in ("run", "other"))


def _saved(run: _Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "label": run.label, "start": run.start, "end": run.end, "steps": run.steps, "speed": run.speed,
        "motion": run.motion, "agree": run.agree, "also": dict(run.also),
    }  # fmt: skip


def _label(around: np.ndarray, here: np.ndarray) -> tuple[str, str, float]:
    """(N, 9) rows around a step and its own -> what the camera does, what it does besides, and how fast."""
    followed = around[around[:, 7] > 0]
    if not len(followed) or here[7] == 0:
        return "", "", 0.0
    agree, still = followed[:, 5], float(followed[:, 6].mean())
    rates = followed[:, 1:4] * RATE  # right, down, growth
    trembling = _trembling(rates[:, :2])
    middle = np.median(rates, axis=0)
    even = (np.abs(rates - middle) <= np.maximum(_LOOSE, 0.35 * np.abs(middle).max())).all(axis=1)
    mean = rates[even].mean(axis=0) if even.any() else middle
    # How far each moves the picture's points on average, in widths a second: 0.28 is the mean distance from the
    # middle of a 16 : 9 picture.
    size = np.array([abs(mean[0]), abs(mean[1]), abs(mean[2]) * 0.28])
    if trembling > SHAKING and trembling > size[:2].max() and agree.mean() >= AGREEING:
        return "shake", "", trembling
    moves = size > np.array([SLOWEST, SLOWEST, SLOWEST_ZOOM * 0.28])
    if even.mean() < 0.6 or agree[even].mean() < LEAST_AGREEING:
        # Nothing moves most of the view alike. What stands, stands.
        if still >= 0.3:
            return "still", "", 0.0
        return ("other", "", 0.0) if followed[:, 8].mean() > 0.3 else ("", "", 0.0)
    if not moves.any() or (still >= 0.5 and not moves[2]):
        return "still", "", 0.0
    names = [
        _OPPOSITE["right"][int(mean[0] < 0)],
        _OPPOSITE["down"][int(mean[1] < 0)],
        _OPPOSITE["growth"][int(mean[2] < 0)],
    ]
    order = [i for i in np.argsort(-size, kind="stable") if moves[i]]
    also = names[order[1]] if len(order) > 1 and size[order[1]] > 0.4 * size[order[0]] else ""
    speed = abs(mean[2]) if order[0] == 2 else size[order[0]]
    return names[order[0]], also, float(min(speed, FASTEST))


def _trembling(rates: np.ndarray) -> float:
    """(N, 2) -> how far the movement is from one that changes evenly: the deviation of its second differences, scaled
    so that independent steps have their own deviation."""
    if len(rates) < 3:
        return 0.0
    return float(np.sqrt((np.diff(rates, 2, axis=0) ** 2).mean(axis=0).sum() / 6))
