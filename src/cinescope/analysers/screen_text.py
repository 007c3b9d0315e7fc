"""Text on the picture: one "screen" segment for each line that stands. Knows when to read, nothing of containers.

Reading is dear (about 80 ms of processor time to find lines, 35 ms to read one), following is cheap. So a picture is
searched for lines only when edges like those of letters have come up since the last search and stand still, or, where
everything moves, at a low rate; lines found are followed by their edges, and read again only when these have changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cinescope.features.text import changes, lines, ocr
from cinescope.features.text.changes import Gradients
from cinescope.features.text.lines import Line
from cinescope.features.text.scripts import language_of
from cinescope.types import FrameNeed, Material, Needs, Segment, Source, Span, Window

# The detector's picture, longest side in pixels. Of 32 titles 4% of the picture high it found all at 640 and 30 at
# 480; of 43 close lines 1.7% high, 42 at 640 and 43 at 960, for 70 ms against 180 ms (docs/LOG.md). The reader gets
# the line as large as it came.
SEARCH_SIZE = 640
# Text-like blocks (changes.py) that make looking worthwhile.
BLOCKS = 2
# Seconds: the shortest wait after a search that found something and the longest after several that did not, and the
# time after which a picture that keeps moving is searched too. Titles stand 2 s, lines are dated back.
WAIT, LONGEST_WAIT, RECHECK = 0.5, 1.0, 2.5
# While lines move over the picture, new ones come in and are looked for this often, seconds.
MOVING_WAIT = 1.0
# A line's edges as they were (changes.presence), and as they may still be.
SAME, SAME_PART, MAYBE = 0.6, 0.5, 0.35
# A line that comes back after no more than this was there all the time (a flash, an arm before it), seconds.
PATIENCE = 1.5
# How far back a newly found line is followed, seconds: more than the longest wait.
LOOK_BACK = 3.0
# A line whose edges got this much stronger is read again: it was fading in.
STRONGER = 1.35
# A line is on the picture from when its edges have this share of their full strength: about half faded in, until half
# faded out.
HALF = 0.45
# Readings until a line counts as read, and the score that needs no second one.
ENOUGH, SURE = 3, 0.96
# Seconds between readings of a line whose ground moves and whose text stayed: 1, 2, then this.
LONGEST_CALM = 4.0
# A line is longer than it was when it sticks out by this share of its height: a narrow letter.
GROWTH = 0.3
# Seconds for which a line that grew is expected to grow on, if only by a letter.
TYPING = 2.0
# Readings that may be repeated at one sample, so that a picture full of text that trembles stays affordable.
REPEATS = 6
# A text seen in one sample only must be read this surely.
VERY_SURE = 0.96


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """One picture and what is derived from it."""

    time: float  # seconds
    end: float
    picture: np.ndarray  # (H, W, 3) uint8
    grey: np.ndarray  # (h, w) uint8
    edges: Gradients
    before: np.ndarray | None  # luma of the sample before


class ScreenText:
    """Titles, slides, subtitles burnt in, signs: read when they change, one segment a line.

    `rate` samples a second, `size` the longest side in pixels at which lines are read, `threads` of ONNX Runtime.
    """

    name = "screen_text"
    version = "1"
    summary = "on-screen text: titles, slides, signs; one segment a line"
    cost = "2 pictures a second; reads when they change, up to 8 s a minute"
    requires = "rapidocr with the models inside it (default install)"

    def __init__(self, rate: float = 2.0, size: int = 1280, threads: int = 1) -> None:
        self.rate, self.size, self.threads = rate, size, threads
        self.needs = Needs(frames=FrameNeed(rate=rate, size=size, pixels="rgb"))
        self.calls = {"detect": 0, "recognise": 0}  # since `begin`, for measurements
        self._source: Source | None = None
        self._duration: float | None = None  # seconds, of the video
        self._reset()

    def _reset(self) -> None:
        self._lines: list[Line] = []
        self._past: list[tuple[float, float, np.ndarray]] = []  # (time, end, luma), the newest last
        self._searched: np.ndarray | None = None  # luma at the last search
        self._searched_at = -math.inf
        self._wait = WAIT
        self._samples = 0
        self._repeats = 0

    @staticmethod
    def available() -> str:
        return ocr.missing()

    @property
    def source(self) -> Source:
        if self._source is None:
            # The number of threads is left out: it changes the speed, not what is read.
            self._source = Source(
                self.name, self.version, {"rate": self.rate, "size": self.size, "model": ocr.identity()}
            )
        return self._source

    def begin(self, material: Material) -> None:
        self._reset()
        self._duration = material.video.duration
        self.calls = {"detect": 0, "recognise": 0}

    def feed(self, window: Window) -> list[Segment]:
        if window.frames is None:
            return []
        found: list[Segment] = []
        times = window.frames.times
        for number, picture in enumerate(window.frames.data):
            time = float(times[number])
            length = window.frame_durations[number] if number < len(window.frame_durations) else 1 / self.rate
            found.extend(self._sample(time, time + length, picture))
        return sorted(found, key=_order)

    def finish(self) -> list[Segment]:
        found = [s for line in self._lines for s in self._segments(line, alone=self._samples == 1)]
        self._lines = []
        return sorted(found, key=_order)

    def state(self) -> dict[str, Any]:
        return {
            "lines": [line.state() for line in self._lines],
            "past": [[time, end, _packed(grey)] for time, end, grey in self._past],
            "searched": None if self._searched is None else _packed(self._searched),
            "searched_at": lines.stated(self._searched_at),
            "wait": self._wait,
            "samples": self._samples,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._lines = [Line.from_state(s) for s in state["lines"]]
        self._past = [(time, end, _unpacked(grey)) for time, end, grey in state["past"]]
        self._searched = None if state["searched"] is None else _unpacked(state["searched"])
        self._searched_at = lines.meant(state["searched_at"])
        self._wait = state["wait"]
        self._samples = state["samples"]

    # One sample

    def _sample(self, time: float, end: float, picture: np.ndarray) -> list[Segment]:
        grey = changes.luma(picture)
        if self._past and self._past[-1][2].shape != grey.shape:  # the stream changed its size: another picture
            made = [s for line in self._lines for s in self._segments(line)]
            samples = self._samples
            self._reset()
            self._samples = samples
        else:
            made = []
        self._samples += 1
        self._repeats = 0
        before = self._past[-1][2] if self._past else None
        sample = _Sample(time, end, picture, grey, changes.gradients(grey), before)
        for line in list(self._lines):
            made.extend(self._look(line, sample))
        self._search_if_due(sample)
        gone = [li for li in self._lines if time - li.last > (PATIENCE if li.wanted else 0)]
        made.extend(s for line in gone for s in self._segments(line))
        self._lines = [li for li in self._lines if li not in gone]
        self._past = [p for p in self._past if p[0] >= time - LOOK_BACK] + [(time, end, grey)]
        return made

    def _look(self, line: Line, sample: _Sample) -> list[Segment]:
        """Follow one line to this sample; returns segments when its text has given way to another."""
        found = line.compare(sample.edges)
        line.faint = False
        changed = line.wanted and (found.spot or (line.counter and found.odd >= changes.SPOT / 2))
        if found.overall >= SAME and found.worst >= SAME_PART and not changed:
            line.speed = (0.0, 0.0)
            line.faint = found.contrast < HALF
            if line.faint:
                return []
            line.see(sample.time, sample.end)
            if found.contrast >= STRONGER:
                line.strengthen(sample.time, found.contrast, HALF)
                self._relearn(line, sample)
                self._read_again(line, sample, afresh=True)
            elif line.count < ENOUGH and line.says()[1] < SURE and sample.time - line.read_at >= WAIT - 1e-6:
                self._read_again(line, sample)
            line.steady(sample.edges)
            return []
        if found.overall >= MAYBE and line.wanted:
            return self._doubt(line, sample, found.overall)
        if line.wanted and (place := line.search(sample.grey)) is not None:
            line.move(*place, sample.grey.shape)
            if line.counter or line.compare(sample.edges).spot:
                return self._doubt(line, sample, SAME)
            line.see(sample.time, sample.end)
            if line.says()[1] < SURE and line.count < ENOUGH:
                self._read_again(line, sample)
        return []

    def _doubt(self, line: Line, sample: _Sample, likeness: float) -> list[Segment]:
        """Some of a line's edges are there: is it the same line on a moving ground, changed, or gone?"""
        if sample.time - line.read_at < line.calm - 1e-6 or self._repeats >= REPEATS:
            if likeness >= (SAME + MAYBE) / 2:
                line.see(sample.time, sample.end)
            return []
        self._repeats += 1
        reading = self._recognise(sample.picture, line.region)
        text, _ = line.says()
        if lines.same_text(text, reading.text):
            line.see(sample.time, sample.end)
            line.add(reading.text, reading.score, sample.time)
            line.calm = min(LONGEST_CALM, max(1.0, 2 * line.calm))
            self._relearn(line, sample)
            return []
        if not lines.plausible(reading.text, reading.score):
            line.read_at = sample.time
            line.calm = min(LONGEST_CALM, max(1.0, 2 * line.calm))
            return []
        # Another text stands in the same place: this line ended with the sample before.
        made = self._segments(line)
        self._lines.remove(line)
        follower = self._new_line(line.quad, reading, sample, None)
        if lines.runs_on(text, reading.text):
            line.counter = follower.counter = True
            made = self._segments(line)
        return made

    # Searching for lines

    def _search_if_due(self, sample: _Sample) -> None:
        if not self._due(sample):
            return
        regions = self._detect(sample.picture)
        found = [self._settle(region, sample) for region in regions]
        self._wait = WAIT if any(found) else min(LONGEST_WAIT, 2 * self._wait)
        self._searched, self._searched_at = sample.grey, sample.time

    def _due(self, sample: _Sample) -> bool:
        waited, searched = sample.time - self._searched_at + 1e-6, self._searched
        if waited < WAIT or (searched is not None and np.array_equal(sample.grey, searched)):
            return False
        known = np.zeros(sample.grey.shape, dtype=bool)
        for line in self._lines:
            if line.last == sample.time and line.wanted:
                known[line.strokes()] = True
        earlier = changes.gradients(sample.before) if sample.before is not None else None
        read = changes.gradients(searched) if searched is not None else None
        still, every = changes.fresh_blocks(sample.edges, earlier, read, known)
        rolling = any(li.moving and li.last == sample.time for li in self._lines)
        blocks = 1 if any(sample.time - li.grew <= TYPING for li in self._lines) else BLOCKS
        if read is None:
            return every >= blocks
        wait = MOVING_WAIT if rolling else RECHECK
        return (still >= blocks and waited >= self._wait) or (every >= blocks and waited >= wait)

    def _settle(self, region: ocr.Region, sample: _Sample) -> bool:
        """Give a found region to the line it belongs to, or begin a new one; whether anything new was read."""
        shares = [(li, *lines.overlap(region.box, li.box)) for li in self._lines if li.last == sample.time]
        inside = [li for li, _, _, theirs in shares if theirs >= 0.7]
        typing = any(sample.time - li.grew <= TYPING for li in inside)
        longer = inside and (typing or not _covers(inside, region.box, sample.grey.shape))
        known = any(iou >= 0.5 or (mine >= 0.8 and theirs >= 0.25) for _, iou, mine, theirs in shares)
        if not longer and (known or inside):
            return False
        if any(li.faint and lines.overlap(region.box, li.box)[0] >= 0.3 for li in self._lines):
            return False  # fading out, or not yet in
        reading = self._recognise(sample.picture, region)
        good = lines.plausible(reading.text, reading.score)
        if inside:
            return good and self._grow(inside, region, reading, sample)
        if good:
            for line in self._lines:
                near = lines.overlap(region.box, line.box)[0] >= 0.3 or (line.moving and _close(region.box, line.box))
                if line.wanted and line.last < sample.time and near and lines.same_text(line.says()[0], reading.text):
                    line.see(sample.time, sample.end)
                    line.add(reading.text, reading.score, sample.time)
                    line.quad = region.quad
                    self._relearn(line, sample)
                    return True
        line = self._new_line(region.quad, reading, sample, sample.before)
        line.wanted = good
        self._date_back(line)
        return good

    def _grow(self, inside: list[Line], region: ocr.Region, reading: ocr.Reading, sample: _Sample) -> bool:
        """A line got longer (typed letter by letter, wiped in): the longer reading replaces the shorter."""
        first = min(inside, key=lambda li: li.first)
        if not all(not li.wanted or lines.grows(li.says()[0], reading.text) for li in inside):
            return False
        for other in inside:
            if other is not first:
                self._lines.remove(other)
        first.grew = sample.time
        first.quad, first.home, first.wanted = region.quad, region.box, True
        first.readings = []
        first.add(reading.text, reading.score, sample.time)
        self._relearn(first, sample)
        return True

    def _new_line(self, quad: np.ndarray, reading: ocr.Reading, sample: _Sample, before: np.ndarray | None) -> Line:
        x, y, patch, weight = lines.learn(sample.grey, before, quad)
        line = Line(quad, sample.time, sample.end, sample.time, x, y, patch, weight, home=ocr.bounding_box(quad))
        line.rise = [(sample.time, 1.0)]
        line.add(reading.text, reading.score, sample.time)
        self._lines.append(line)
        return line

    def _date_back(self, line: Line) -> None:
        """The search came after the line: find the first of the last samples that shows it."""
        for time, _, grey in reversed(self._past):
            then = changes.gradients(grey)
            found = line.compare(then)
            whole = found.overall >= SAME - 0.1 and found.contrast >= HALF and not found.turned
            if not whole and not line.begins(then):
                return
            line.first = time
            line.seen += 1
            line.rise.insert(0, (time, min(1.0, found.contrast)))

    def _relearn(self, line: Line, sample: _Sample) -> None:
        line.x, line.y, line.patch, line.weight = lines.learn(sample.grey, None, line.quad)

    def _read_again(self, line: Line, sample: _Sample, afresh: bool = False) -> None:
        if self._repeats >= REPEATS:
            return
        self._repeats += 1
        reading = self._recognise(sample.picture, line.region)
        if afresh and reading.score >= line.says()[1]:
            line.readings = []
        line.add(reading.text, reading.score, sample.time)
        line.wanted = lines.plausible(*line.says())

    # Output

    def _segments(self, line: Line, alone: bool = False) -> list[Segment]:
        text, score = line.says()
        if not line.wanted or not lines.plausible(text, score):
            return []
        if line.seen < 2 and not line.counter and not alone and (score < VERY_SURE or len(lines.plain(text)) < 4):
            return []
        data: dict[str, Any] = {"readings": line.count, "samples": line.seen}
        if line.counter:
            data["counter"] = True
        if line.moving:
            data["moving"] = True
            data["end_box"] = [round(v, 4) for v in line.box]
        end = line.end
        if self._duration is not None and line.last < self._duration:
            end = min(end, self._duration)  # the last sample stands for less than a step
        x0, y0, x1, y1 = (round(v, 4) for v in line.home)
        return [
            Segment(
                span=Span(line.first, end),
                kind="screen",
                source=self.source,
                text=text,
                language=language_of(text),
                score=round(score, 4),
                box=(x0, y0, x1, y1),
                data=data,
            )
        ]

    # The reader is loaded when first needed: a video without anything like text never pays for it.

    def _detect(self, picture: np.ndarray) -> list[ocr.Region]:
        self.calls["detect"] += 1
        return ocr.shared_reader(self.threads).detect(picture, SEARCH_SIZE)

    def _recognise(self, picture: np.ndarray, region: ocr.Region) -> ocr.Reading:
        self.calls["recognise"] += 1
        return ocr.shared_reader(self.threads).recognise(picture, region)


def _order(segment: Segment) -> tuple[Span, lines.Box]:
    return segment.span, segment.box or (0.0, 0.0, 1.0, 1.0)


def _width(box: lines.Box) -> float:
    return box[2] - box[0]


def _covers(inside: list[Line], box: lines.Box, shape: tuple[int, ...]) -> bool:
    """Whether lines fill a box from left to right: what sticks out is no letter, going by the (h, w) luma's pixels."""
    letter = GROWTH * (box[3] - box[1]) * shape[0] / shape[1]
    left, right = min(li.box[0] for li in inside), max(li.box[2] for li in inside)
    gaps = _width(box) - sum(_width(li.box) for li in inside)
    return left - box[0] < letter and box[2] - right < letter and gaps < max(letter, 0.15 * _width(box))


def _close(a: lines.Box, b: lines.Box) -> bool:
    """Whether a line may have moved from one to the other between two looks."""
    return abs(a[0] - b[0]) <= 2 * lines.REACH_X and abs(a[1] - b[1]) <= 2 * lines.REACH_Y


def _packed(grey: np.ndarray) -> np.ndarray:
    """(h, w) uint8 -> PNG bytes as (n,) uint8, without loss: a state is stored with every stretch."""
    import cv2

    return cv2.imencode(".png", grey)[1].ravel()


def _unpacked(data: np.ndarray) -> np.ndarray:
    import cv2

    grey = cv2.imdecode(np.asarray(data, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ValueError("a saved state of screen_text holds a picture that is no PNG")
    return grey
