"""What is said and written, each text under its time as far as there is room. Knows lanes, nothing of other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cinescope.api.wall_rows import INK, SCREEN, SPEECH, Canvas, bars
from cinescope.api.wall_text import RGB
from cinescope.library import glance
from cinescope.types import Segment, Timeline

SIZE = 13.0  # pixels at scale 1
LANE = 20.0
_LONGEST = 640.0
_SHORTEST = 64.0
_BAR = 16.0
_GAP = 14.0
_READABLE = 150.0  # a text that is cut shorter says nothing
# Lanes at most, and for videos longer than _LONG.
_LANES = {"speech": (8, 14), "screen": (5, 8)}
_LONG = 1200.0  # seconds


@dataclass(frozen=True, slots=True)
class Placed:
    lane: int
    x: float  # pixels
    text: str


@dataclass(frozen=True, slots=True)
class Lanes:
    name: str
    colour: RGB
    segments: tuple[Segment, ...]
    placed: tuple[Placed, ...]
    count: int  # of texts, also of those for which there is no room

    @property
    def lanes(self) -> int:
        return max((p.lane for p in self.placed), default=-1) + 1


def lanes(c: Canvas, timeline: Timeline) -> list[Lanes]:
    """The words of the transcript and of the screen; nothing for what is not there."""
    names = {n.about: n.text for n in timeline.notes if n.kind == "name"}
    found = []
    for kind, name, colour in (("speech", "said", SPEECH), ("screen", "on screen", SCREEN)):
        most = _LANES[kind][c.within.duration > _LONG]
        segments = [s for s in glance.segments_of(timeline, kind) if s.span.start < c.within.end]
        texts = _texts(segments, names)
        if texts:
            placed = place(c, [(c.x(time), text) for time, text in texts], most)
            found.append(Lanes(name, colour, tuple(segments), tuple(placed), len(texts)))
    return found


def _texts(segments: Sequence[Segment], names: dict[str, str]) -> list[tuple[float, str]]:
    """(time, text) without those that repeat the one before."""
    found: list[tuple[float, str]] = []
    for segment in segments:
        text = " ".join(segment.text.split())
        who = names.get(segment.who, segment.who)
        text = f"{who}: {text}" if who and text else text
        if text and (not found or found[-1][1] != text):
            found.append((segment.span.start, text))
    return found


def place(c: Canvas, texts: Sequence[tuple[float, str]], most: int) -> list[Placed]:
    """Each text in the first lane that is free at its x. The more texts there are to come, the shorter each is cut, so
    that a long video is told from beginning to end; one for which no lane is free is left out."""
    s = c.scale
    ends = [c.left - _GAP * s] * most
    fair = most * (c.right - c.left) / max(1, len(texts)) - _GAP * s
    longest = min(_LONGEST * s, max(_READABLE * s, 1.3 * fair))
    found = []
    for x, text in texts:
        x = min(x, c.right - _SHORTEST * s)
        lane = next((n for n, end in enumerate(ends) if x >= end + _GAP * s), None)
        if lane is None:
            continue
        shown = c.letters.fit(text, SIZE * s, min(longest, c.right - x - 8 * s))
        if not shown:
            continue
        ends[lane] = x + 8 * s + c.letters.length(shown, SIZE * s)
        found.append(Placed(lane, x, shown))
    return found


def height(found: Lanes, scale: float) -> float:
    return (_BAR + found.lanes * LANE) * scale


def draw(c: Canvas, y: float, found: Lanes) -> None:
    s = c.scale
    bars(c, y, found.name, found.segments, found.colour)
    y += _BAR * s
    if len(found.placed) < found.count:
        c.label(y + 1 * s, f"{len(found.placed)} of {found.count}")
    for text in found.placed:
        top = y + text.lane * LANE * s
        c.pen.rectangle((text.x, top + 2 * s, text.x + max(1, 2 * s) - 1, top + 16 * s), fill=found.colour)
        c.letters.write(text.x + 7 * s, top, text.text, SIZE * s, INK)
