"""A timeline at a glance: one value of a track for each of N equal cells of time. Knows nothing of how it is drawn."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from cinescope.types import Segment, Span, Timeline, format_time

RGB = tuple[int, int, int]  # 0 to 255

# What the terminal, the picture and the page call the tracks.
NAMES = {
    "shot": "shots",
    "picture": "colours",
    "sound": "sounds",
    "face": "faces",
    "quality": "faults",
    "speech": "speech",
    "screen": "screen",
}


def segments_of(timeline: Timeline, kind: str) -> list[Segment]:
    """Of all tracks of a kind, by start."""
    found = [s for t in timeline.tracks if t.kind == kind for s in t.segments]
    return sorted(found, key=lambda s: (s.span.start, s.span.end))


def whole(timeline: Timeline) -> Span:
    """From 0 to where the container or the last segment ends."""
    last = max((s.span.end for t in timeline.tracks for s in t.segments), default=0.0)
    return Span(0.0, max(timeline.video.duration or 0.0, last))


def covered(segments: Sequence[Segment], within: Span, count: int) -> Iterator[tuple[int, Segment, float]]:
    """(cell, segment, seconds that they share), also 0 seconds where an instant or a very short segment lies in it."""
    if within.duration <= 0 or count < 1:
        return
    width = within.duration / count
    for segment in segments:
        if not segment.span.overlaps(within):
            continue
        first = max(0, min(count - 1, math.floor((segment.span.start - within.start) / width)))
        last = max(first, min(count - 1, math.ceil((segment.span.end - within.start) / width) - 1))
        for cell in range(first, last + 1):
            begin = within.start + cell * width
            yield cell, segment, max(0.0, min(segment.span.end, begin + width) - max(segment.span.start, begin))


def shares(segments: Sequence[Segment], within: Span, count: int) -> list[float]:
    """How much of each cell is covered, 0 to 1; an eighth at least where there is anything."""
    found = [0.0] * count
    for cell, _, seconds in covered(segments, within, count):
        found[cell] = min(1.0, found[cell] + max(seconds * count / within.duration, 0.125))
    return found


def labels(segments: Sequence[Segment], within: Span, count: int, label: Callable[[Segment], str]) -> list[str]:
    """The label that stands longest in each cell; "" where nothing covers a quarter of it, so that gaps are seen."""
    weights: list[dict[str, float]] = [defaultdict(float) for _ in range(count)]
    for cell, segment, seconds in covered(segments, within, count):
        weights[cell][label(segment)] += seconds
    least = 0.25 * within.duration / count
    return [max(w, key=lambda name: w[name]) if sum(w.values()) >= least else "" for w in weights]


def marks(segments: Sequence[Segment], within: Span, count: int, label: Callable[[Segment], str]) -> list[str]:
    """The label that stands longest in each cell, however short: for what is rare and must be seen."""
    best: list[tuple[float, str]] = [(-1.0, "")] * count
    for cell, segment, seconds in covered(segments, within, count):
        best[cell] = max(best[cell], (seconds, label(segment)), key=lambda found: found[0])
    return [name for _, name in best]


def most_at_once(segments: Sequence[Segment], within: Span, count: int) -> list[int]:
    """How many segments there are at once in each cell, at most."""
    inside: list[list[Segment]] = [[] for _ in range(count)]
    for cell, segment, _ in covered(segments, within, count):
        inside[cell].append(segment)
    return [max((sum(o.span.contains(s.span.start) for o in here) for s in here), default=0) for here in inside]


def colours(segments: Sequence[Segment], within: Span, count: int) -> list[list[tuple[RGB, float]]]:
    """The colours of the kind "picture" in each cell, the most first, with shares that add up to 1; empty without."""
    longest: list[tuple[float, Segment | None]] = [(-1.0, None)] * count
    for cell, segment, seconds in covered(segments, within, count):
        if seconds > longest[cell][0] and segment.data.get("colours"):
            longest[cell] = (seconds, segment)
    return [_palette(segment) if segment is not None else [] for _, segment in longest]


def _palette(segment: Segment) -> list[tuple[RGB, float]]:
    found = [(_rgb(str(c["hex"])), float(c["share"])) for c in segment.data["colours"]]
    total = sum(share for _, share in found)
    return [(rgb, share / total) for rgb, share in found] if total > 0 else []


def _rgb(text: str) -> RGB:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))[:3]
    return red, green, blue


def colour_names(segments: Sequence[Segment], within: Span, most: int = 5) -> list[tuple[str, float]]:
    """(name, share of the time and picture), the most first: what can be said where no colours can be shown."""
    weights: dict[str, float] = defaultdict(float)
    total = 0.0
    for _, segment, seconds in covered([s for s in segments if s.data.get("colours")], within, 1):
        total += seconds
        for colour in segment.data["colours"]:
            weights[str(colour["name"])] += seconds * float(colour["share"])
    best = sorted(weights.items(), key=lambda w: -w[1])[:most]
    return [(name, weight / total) for name, weight in best if weight >= 0.01 * total] if total > 0 else []


def loudness(segments: Sequence[Segment], within: Span, count: int) -> list[float | None]:
    """Momentary loudness of the kind "loudness" in each cell, its highest second; LUFS, None where nothing is told."""
    found: list[float | None] = [None] * count
    if within.duration <= 0:
        return found
    width = within.duration / count
    for segment in segments:
        curve = segment.data.get("momentary", ())
        for second, value in enumerate(curve):
            start = segment.span.start + second
            end = min(start + 1.0, max(segment.span.end, start))
            if value is None or not Span(start, end).overlaps(within):
                continue
            first = max(0, math.floor((start - within.start) / width + 1e-9))
            last = max(first, min(count - 1, math.ceil((end - within.start) / width - 1e-9) - 1))
            for cell in range(min(first, count - 1), last + 1):
                before = found[cell]
                found[cell] = float(value) if before is None else max(before, float(value))
    return found


def programme(timeline: Timeline) -> str:
    """`-23.2 LUFS, range 15.7 LU, true peak -2.7 dBTP`; "" where loudness was not measured or nothing sounds."""
    told = segments_of(timeline, "loudness_programme")
    if not told:
        return ""
    data = told[-1].data
    parts = [("{:.1f} LUFS", "integrated"), ("range {:.1f} LU", "range"), ("true peak {:.1f} dBTP", "true_peak")]
    return ", ".join(form.format(data[name]) for form, name in parts if data.get(name) is not None)


def sound_label(segment: Segment) -> str:
    """`speech`, `music` ..., and `speech + music` where one runs under the other."""
    also = segment.data.get("also") or ()
    return " + ".join([segment.text, *([also] if isinstance(also, str) else also)])


def is_fault(segment: Segment) -> bool:
    """Of the kind "quality": whether it is likely meant otherwise (a slide that stands still is none)."""
    return bool(segment.data.get("fault", True))


def faults(segments: Sequence[Segment]) -> list[str]:
    """`black at 0:03 (0.8 s)`, one for each fault, by time."""
    wrong = [s for s in segments if is_fault(s)]
    return [f"{s.text} at {format_time(s.span.start)} ({_length(s.span.duration)})" for s in wrong]


def _length(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else format_time(seconds)


def axis(within: Span, room: float, apart: float) -> list[float]:
    """Round times for a ruler `room` units long, at least `apart` units from each other."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
    step = next((s for s in steps if s * room >= apart * within.duration), 14400)
    first = math.ceil(within.start / step) * step
    count = max(0, math.ceil((within.end - first) / step))
    return [first + k * step for k in range(count)]
