"""Strips for what is seen and heard beside words: colours, loudness, sounds, camera, faces, faults. One row a sense.

Every sign is one column wide and has its meaning in the legend below; without colours all of it can still be read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from cinescope.cli.text import blue, coloured, dim, printable, red, width, yellow
from cinescope.library import glance
from cinescope.types import Segment, Span, Timeline

_LEVELS = " ▁▂▃▄▅▆▇█"
# Two rows of eight steps, 3 LU each: speech at broadcast level (-23 LUFS, EBU R 128) stands in the upper row.
LOUDEST, QUIETEST = -6.0, -54.0
_STEP = (LOUDEST - QUIETEST) / 16

_SOUNDS = {"speech": "s", "music": "m", "noise": "n", "applause": "a", "silence": "·"}
_MOVES = {
    "still": "·", "pan left": "←", "pan right": "→", "tilt up": "↑", "tilt down": "↓",
    "zoom in": "+", "zoom out": "-", "shake": "≈", "other": "~",
}  # fmt: skip
_FAULTS = {"black": "b", "single colour": "c", "frozen": "f", "flicker": "!", "still": "s"}
_SPARE = "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # for labels whose characters are taken
_LISTED = 6  # faults named below the strips

Row = tuple[str, str]  # name, strip


def rows(kind: str, segments: Sequence[Segment], within: Span, room: int) -> list[Row] | None:
    """The rows of one track, at most `room` columns wide; None for a kind that this file does not know."""
    drawing = _DRAWN.get(kind)
    return None if drawing is None else drawing(segments, within, room)


def legend(timeline: Timeline, kinds: Sequence[str], within: Span) -> list[str]:
    """What the signs mean and what the curves cannot say, a line a sense; only signs that occur."""
    inside = {kind: [s for s in glance.segments_of(timeline, kind) if s.span.overlaps(within)] for kind in kinds}
    lines = []
    if named := glance.colour_names(inside.get("picture", []), within):
        lines.append(("colours", ", ".join(f"{name} {share:.0%}" for name, share in named)))
    if "loudness" in kinds and (told := glance.programme(timeline)):
        lines.append(("loudness", f"{told} in all"))
    if sounds := inside.get("sound"):
        signs = dict.fromkeys(_sound(s) for s in sounds)
        lines.append(("sounds", ", ".join(f"{_sound_sign(s)} {s}" for s in signs)))
    if moves := inside.get("camera"):
        signs = dict.fromkeys(s.text for s in moves)
        lines.append(("camera", ", ".join(f"{_move(s)} {s}" for s in signs)))
    if labels := inside.get("label"):
        lines.append(("labels", ", ".join(f"{sign} {label}" for label, sign in _signs(labels).items())))
    faults = glance.faults(inside.get("quality", []))
    if faults:
        more = f" and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
        lines.append(("faults", ", ".join(faults[:_LISTED]) + more))
    return [f"{printable(name)}: {printable(text)}" for name, text in lines]


def _colours(segments: Sequence[Segment], within: Span, room: int) -> list[Row]:
    """The commonest colour of each cell above the second; nothing where colours are off."""
    if not coloured(sys.stdout):
        return []
    cells = []
    for palette in glance.colours(segments, within, room):
        if not palette:
            cells.append(" ")
            continue
        first, second = palette[0][0], palette[min(1, len(palette) - 1)][0]
        cells.append(f"\x1b[{_code(38, first)};{_code(48, second)}m▀\x1b[0m")
    strip = "".join(cells).rstrip()
    return [("colours", strip)] if strip else []


def _code(layer: int, rgb: glance.RGB) -> str:
    """24-bit colour where the terminal says that it has it, else the nearest of xterm's 6 x 6 x 6 cube and greys."""
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return f"{layer};2;{rgb[0]};{rgb[1]};{rgb[2]}"
    cube = [0 if v < 48 else 1 if v < 115 else (v - 35) // 40 for v in rgb]
    steps = (0, 95, 135, 175, 215, 255)
    grey = min(23, max(0, round((sum(rgb) / 3 - 8) / 10)))
    as_cube = sum((steps[i] - v) ** 2 for i, v in zip(cube, rgb, strict=True))
    as_grey = sum((8 + 10 * grey - v) ** 2 for v in rgb)
    number = 232 + grey if as_grey < as_cube else 16 + 36 * cube[0] + 6 * cube[1] + cube[2]
    return f"{layer};5;{number}"


def _loudness(segments: Sequence[Segment], within: Span, room: int) -> list[Row]:
    """A curve two rows high; what is told and too quiet for it is a dot."""
    upper, lower = [], []
    for value in glance.loudness(segments, within, room):
        steps = 0 if value is None else max(0, min(16, round((value - QUIETEST) / _STEP)))
        upper.append(_LEVELS[max(0, steps - 8)])
        lower.append(_LEVELS[min(8, steps)] if steps else " " if value is None else "·")
    scale = f"{QUIETEST:.0f} to {LOUDEST:.0f}"
    if not "".join(upper).strip():
        return [("loudness", "".join(lower).rstrip())]
    return [("loudness", "".join(upper).rstrip()), (dim(scale), "".join(lower).rstrip())]


def _sound(segment: Segment) -> str:
    return glance.sound_label(segment)


def _sound_sign(label: str) -> str:
    """Small for one kind, large where another runs under it."""
    first, plus, _ = label.partition(" + ")
    sign = _SOUNDS.get(first, first[:1] or "?")
    return sign.upper() if plus else sign


def _sounds(segments: Sequence[Segment], within: Span, room: int) -> list[Row]:
    strip = "".join(_sound_sign(label) if label else " " for label in glance.labels(segments, within, room, _sound))
    return [("sounds", strip.rstrip())]


def _signs(segments: Sequence[Segment]) -> dict[str, str]:
    """A sign for each label: the first of its characters that is free, then digits and capitals, "?" for the rest."""
    signs: dict[str, str] = {}
    for label in sorted({s.text for s in segments}):
        own = [c for c in label.casefold() if c.isalnum() and width(c) == 1]
        signs[label] = next((c for c in (*own, *_SPARE) if c not in signs.values()), "?")
    return signs


def _labels(segments: Sequence[Segment], within: Span, room: int) -> list[Row]:
    signs = _signs(segments)
    cells = glance.labels(segments, within, room, lambda s: s.text)
    return [("labels", "".join(signs[label] if label else " " for label in cells).rstrip())]


def _move(label: str) -> str:
    return _MOVES.get(label, "?")


def _camera(segments: Sequence[Segment], within: Span, room: int) -> list[Row]:
    strip = "".join(_move(name) if name else " " for name in glance.labels(segments, within, room, lambda s: s.text))
    return [("camera", strip.rstrip())]


def _faces(segments: Sequence[Segment], within: Span, room: int) -> list[Row]:
    """How many at once."""
    strip = "".join(" " if not n else str(n) if n < 10 else "+" for n in glance.most_at_once(segments, within, room))
    return [("faces", blue(strip.rstrip()))] if strip.strip() else []


def _quality(segments: Sequence[Segment], within: Span, room: int) -> list[Row]:
    wrong = [s for s in segments if glance.is_fault(s)]
    cells = glance.marks(wrong, within, room, lambda s: s.text)
    strip = "".join(_FAULTS.get(name, "x") if name else " " for name in cells)
    return [("faults", red(strip.rstrip()))] if strip.strip() else []


def _silence(segments: Sequence[Segment], within: Span, room: int) -> list[Row]:
    strip = "".join(_LEVELS[round(share * 8)] for share in glance.shares(segments, within, room))
    return [("silence", yellow(strip.rstrip()))] if strip.strip() else []


_DRAWN: dict[str, Callable[[Sequence[Segment], Span, int], list[Row]]] = {
    "picture": _colours,
    "loudness": _loudness,
    "sound": _sounds,
    "camera": _camera,
    "face": _faces,
    "quality": _quality,
    "silence": _silence,
    "label": _labels,
}
