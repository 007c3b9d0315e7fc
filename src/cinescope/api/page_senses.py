"""Strips of a page for what is seen and heard beside words: colours, camera, sounds, loudness, faults, faces.

Knows HTML and what a timeline holds; text is escaped by whoever calls `strip`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from cinescope.library import glance
from cinescope.types import Segment, Span, Timeline, format_time

_ARROWS = {
    "pan left": "←", "pan right": "→", "tilt up": "↑", "tilt down": "↓", "zoom in": "⊕", "zoom out": "⊖", "shake": "≈",
}  # fmt: skip
# LUFS at the lower and upper edge of the curve.
_QUIETEST, _LOUDEST = -54.0, -6.0
_POINTS = 240  # of the curve, at most
Block = Callable[[Segment, str, str, str], str]  # segment, classes, title, inner text -> a link to its second


def strips(timeline: Timeline, length: float, block: Block) -> str:
    """One row for each sense that the timeline has something of. `length` is the video's, in seconds."""
    within = Span(0.0, length)
    rows = [
        ("colours", _colours(glance.segments_of(timeline, "picture"), length)),
        ("camera", _camera(glance.segments_of(timeline, "camera"), block)),
        ("faces", _plain(glance.segments_of(timeline, "face"), "face", block)),
        ("sounds", _sounds(glance.segments_of(timeline, "sound"), block)),
        ("loudness", _loudness(glance.segments_of(timeline, "loudness"), within, glance.programme(timeline))),
        ("faults", _faults(glance.segments_of(timeline, "quality"), block)),
    ]
    return "".join(strip(name, content, f" {name}") for name, content in rows if content)


def strip(name: str, content: str, classes: str = "") -> str:
    return f'<div class="strip{classes}"><span>{name}</span><div>{content}</div></div>'


def _colours(pictures: Sequence[Segment], length: float) -> str:
    """The colours of each stretch one above the other, as high as their share."""
    found = []
    for picture in pictures:
        palette = glance.colours([picture], picture.span, 1)[0]
        if not palette:
            continue
        stops, at = [], 0.0
        for (red, green, blue), share in sorted(palette, key=lambda p: -sum(p[0])):
            colour = f"#{red:02x}{green:02x}{blue:02x}"
            stops.append(f"{colour} {100 * at:.0f}% {100 * (at + share):.0f}%")
            at += share
        left, wide = 100 * picture.span.start / length, 100 * picture.span.duration / length
        found.append(
            f'<i style="left:{left:.2f}%;width:{wide + 0.05:.2f}%;background:linear-gradient({",".join(stops)})"></i>'
        )
    return "".join(found)


def _camera(moves: Sequence[Segment], block: Block) -> str:
    moving = [s for s in moves if s.text in _ARROWS]
    return "".join(block(s, "move", s.text, _ARROWS[s.text]) for s in moving)


def _plain(segments: Sequence[Segment], kind: str, block: Block) -> str:
    return "".join(block(s, kind, kind, "") for s in segments)


def _sounds(sounds: Sequence[Segment], block: Block) -> str:
    heard = [s for s in sounds if s.text != "silence"]
    return "".join(
        block(s, f"sound-{html.escape(s.text, quote=True)}", glance.sound_label(s), html.escape(s.text)) for s in heard
    )


def _faults(segments: Sequence[Segment], block: Block) -> str:
    return "".join(
        block(s, "fault", f"{s.text} at {format_time(s.span.start)}", "") for s in segments if glance.is_fault(s)
    )


def _loudness(curve: Sequence[Segment], within: Span, programme: str) -> str:
    """A filled curve; its numbers are in the title."""
    if not curve or within.duration <= 0:
        return ""
    values = glance.loudness(curve, within, max(2, min(_POINTS, round(within.duration))))
    step = 100 / len(values)
    points, runs = [], []
    for n, value in enumerate([*values, None]):
        if value is not None:
            share = min(1.0, max(0.0, (value - _QUIETEST) / (_LOUDEST - _QUIETEST)))
            points.append(f"{n * step:.2f},{24 - 24 * share:.1f} {(n + 1) * step:.2f},{24 - 24 * share:.1f}")
        elif points:
            first, last = points[0].split(",")[0], points[-1].split(" ")[1].split(",")[0]
            runs.append(f'<polygon points="{first},24 {" ".join(points)} {last},24"/>')
            points = []
    title = f"<title>{html.escape(programme)}</title>" if programme else ""
    return f'<svg viewBox="0 0 100 24" preserveAspectRatio="none" role="img">{title}{"".join(runs)}</svg>'
