"""What happens when, as rows over one axis of time: shots, colours, faces, camera, sounds, loudness, words, faults.

Each row says how high it is and draws itself; a track that is not there makes no row. Knows pictures of Pillow and the
nouns, nothing about libraries and files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cinescope.api.wall_text import RGB, Letters
from cinescope.library import glance
from cinescope.types import Segment, Span, Timeline, format_time

BACK: RGB = (20, 22, 26)
PANEL: RGB = (28, 31, 37)
EDGE: RGB = (46, 50, 58)
FAINT: RGB = (142, 148, 158)
INK: RGB = (236, 238, 241)
SPEECH: RGB = (240, 162, 94)
SCREEN: RGB = (87, 184, 150)
NOTE: RGB = (248, 212, 108)
FAULT: RGB = (235, 87, 87)
_SHOTS: tuple[RGB, RGB] = ((92, 116, 178), (64, 82, 130))
_SOUNDS: dict[str, RGB] = {
    "speech": SPEECH, "music": (139, 124, 214), "noise": (104, 112, 124), "applause": (243, 196, 98),
    "silence": (40, 44, 51),
}  # fmt: skip
_WAVE: RGB = (104, 178, 214)
_CAMERA: RGB = (120, 148, 160)
LOUDEST, QUIETEST = 0.0, -60.0  # LUFS, the edges of the curve

LABEL = 108  # pixels at scale 1, left of the axis


@dataclass(slots=True)
class Canvas:
    """Where rows are drawn. Lengths are pixels."""

    sheet: Any  # PIL.Image.Image
    pen: Any
    letters: Letters
    within: Span
    left: float  # of time 0
    right: float
    scale: float

    def x(self, time: float) -> float:
        share = (time - self.within.start) / self.within.duration
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)

    def label(self, y: float, text: str) -> None:
        self.letters.write(self.left - 14 * self.scale, y, text, 13 * self.scale, FAINT, right=True)


@dataclass(frozen=True, slots=True)
class Row:
    height: float  # pixels
    draw: Callable[[Canvas, float], None]  # with the row's upper edge


def rows(timeline: Timeline, scale: float, room: float, within: Span) -> list[Row]:
    """All rows that the timeline has something for, in the order in which they stand."""
    found: list[Row] = []

    def add(height: float, draw: Callable[[Canvas, float], None], wanted: object) -> None:
        if wanted:
            found.append(Row(height * scale, draw))

    def of(kind: str) -> list[Segment]:
        return glance.segments_of(timeline, kind)

    chapters, shots, pictures, moves = timeline.video.chapters, of("shot"), of("picture"), of("camera")
    sounds, curve, faces = of("sound"), of("loudness"), of("face")
    faults = [s for s in of("quality") if glance.is_fault(s)]
    voices = [] if of("speech") else of("voice")
    notes = [n for n in timeline.notes if n.kind == "note" and n.span is not None]
    add(22, lambda c, y: _chapters(c, y, chapters), chapters)
    add(20, lambda c, y: _shots(c, y, shots), shots)
    add(50, lambda c, y: _colours(c, y, pictures), pictures)
    add(22, lambda c, y: _camera(c, y, moves), moves)
    add(16, lambda c, y: _counted(c, y, faces), faces)
    add(18, lambda c, y: _sounds(c, y, sounds), sounds)
    add(96, lambda c, y: _loudness(c, y, curve), curve)
    add(10, lambda c, y: bars(c, y, "voice", voices, SPEECH), voices)
    add(12, lambda c, y: _faults(c, y, faults), faults)
    add(22, lambda c, y: _notes(c, y, notes), notes)
    return found


def ruler(c: Canvas, y: float, bottom: float) -> None:
    """Times over the rows, and a fine line down from each."""
    s = c.scale
    for time in glance.axis(c.within, c.right - c.left, 84 * s):
        x = c.x(time)
        c.pen.line((x, y + 20 * s, x, bottom), fill=EDGE, width=1)
        text = format_time(time)
        wide = c.letters.length(text, 13 * s)
        c.letters.write(min(x, c.right - wide), y, text, 13 * s, FAINT)


def _block(c: Canvas, y: float, height: float, span: Span, colour: RGB, gap: float = 1.0) -> tuple[float, float]:
    """A filled stretch of time, at least one pixel wide; its edges."""
    x0, x1 = c.x(span.start), c.x(span.end)
    x1 = max(x0 + 1, x1 - gap * c.scale)
    c.pen.rectangle((round(x0), round(y), max(round(x0), round(x1) - 1), round(y + height) - 1), fill=colour)
    return x0, x1


def _named(c: Canvas, y: float, height: float, edges: tuple[float, float], text: str, colour: RGB) -> None:
    """A text inside a block, where it fits whole or nearly."""
    s = c.scale
    room = edges[1] - edges[0] - 10 * s
    shown = c.letters.fit(text, 12 * s, room) if room > 6 * s else ""
    if shown == text or len(shown) > 6:
        c.letters.write(edges[0] + 6 * s, y + (height - 15 * s) / 2, shown, 12 * s, colour)


def _chapters(c: Canvas, y: float, chapters: Sequence[Any]) -> None:
    c.label(y + 3 * c.scale, "chapters")
    for chapter in chapters:
        edges = _block(c, y, 22 * c.scale, chapter.span, (52, 57, 68), 2)
        _named(c, y, 22 * c.scale, edges, chapter.title, INK)


def _shots(c: Canvas, y: float, shots: Sequence[Segment]) -> None:
    c.label(y + 2 * c.scale, f"{len(shots)} shot{'' if len(shots) == 1 else 's'}")
    for number, shot in enumerate(shots):
        edges = _block(c, y, 20 * c.scale, shot.span, _SHOTS[number % 2])
        _named(c, y, 20 * c.scale, edges, str(number + 1), INK)


def _colours(c: Canvas, y: float, pictures: Sequence[Segment]) -> None:
    """Each stretch's colours one above the other, as high as their share."""
    c.label(y + 17 * c.scale, "colours")
    count = max(1, round(c.right - c.left))
    high = round(50 * c.scale)
    c.pen.rectangle((round(c.left) - 1, round(y) - 1, round(c.right), round(y) + high), outline=EDGE)
    for column, palette in enumerate(glance.colours(pictures, c.within, count)):
        x, top = round(c.left) + column, float(y)
        for rgb, share in sorted(palette, key=lambda p: -sum(p[0])):
            c.pen.line((x, round(top), x, round(top + share * high) - 1), fill=rgb)
            top += share * high


def _camera(c: Canvas, y: float, moves: Sequence[Segment]) -> None:
    """Drawn arrows rather than letters, which not every font has."""
    s = c.scale
    c.label(y + 3 * s, "camera")
    middle = y + 11 * s
    c.pen.line((c.left, middle, c.right, middle), fill=EDGE, width=1)
    for move in moves:
        x0, x1 = c.x(move.span.start), c.x(move.span.end)
        if move.text == "still":
            c.pen.line((x0, middle, max(x0 + 1, x1 - 2 * s), middle), fill=_CAMERA, width=max(1, round(s)))
            continue
        c.pen.rectangle((x0, y + 1 * s, max(x0 + 1, x1 - 1 * s), y + 21 * s), fill=(44, 56, 64))
        step = 26 * s
        many = max(1, min(3, int((x1 - x0) // step)))
        for k in range(many if x1 - x0 >= 9 * s else 0):
            _arrow(c, x0 + (x1 - x0) * (k + 0.5) / many, middle, move.text)


def _arrow(c: Canvas, x: float, y: float, text: str) -> None:
    s, fill, wide = c.scale, INK, max(1, round(1.4 * c.scale))
    r = 6 * s
    ways = {"pan left": (-1, 0), "pan right": (1, 0), "tilt up": (0, -1), "tilt down": (0, 1)}
    if text in ways:
        dx, dy = ways[text]
        c.pen.line((x - dx * r, y - dy * r, x + dx * r, y + dy * r), fill=fill, width=wide)
        for side in (-1, 1):
            c.pen.line((x + dx * r, y + dy * r, x + (dy * side) * r / 2 + dx * r / 3,
                        y + (dx * side) * r / 2 + dy * r / 3), fill=fill, width=wide)  # fmt: skip
    elif text.startswith("zoom"):
        c.pen.ellipse((x - r, y - r, x + r, y + r), outline=fill, width=wide)
        c.pen.line((x - r / 2, y, x + r / 2, y), fill=fill, width=wide)
        if text == "zoom in":
            c.pen.line((x, y - r / 2, x, y + r / 2), fill=fill, width=wide)
    else:  # shake and what has no direction: a jagged line
        points = [(x + (k - 2) * r / 2, y + (r / 2 if k % 2 else -r / 2)) for k in range(5)]
        c.pen.line(points, fill=fill, width=wide)


def sound_colours(timeline: Timeline) -> list[tuple[str, RGB]]:
    """`speech 62%` with its colour, the most first: for a legend. Silence has none."""
    seconds: dict[str, float] = {}
    for sound in glance.segments_of(timeline, "sound"):
        seconds[sound.text] = seconds.get(sound.text, 0.0) + sound.span.duration
    total = sum(seconds.values())
    ordered = sorted(seconds.items(), key=lambda s: -s[1])
    return [(f"{name} {of / total:.0%}", _SOUNDS.get(name, FAINT)) for name, of in ordered if of > 0.005 * total]


def _counted(c: Canvas, y: float, faces: Sequence[Segment]) -> None:
    c.label(y, "faces")
    count = max(1, round((c.right - c.left) / 3))
    for cell, many in enumerate(glance.most_at_once(faces, c.within, count)):
        high = min(4, many) * 4 * c.scale
        if many:
            x = c.left + cell * (c.right - c.left) / count
            c.pen.rectangle((x, y + 16 * c.scale - high, x + 2, y + 16 * c.scale - 1), fill=(226, 150, 178))


def _sounds(c: Canvas, y: float, sounds: Sequence[Segment]) -> None:
    c.label(y + 1 * c.scale, "sounds")
    s = c.scale
    for sound in sounds:
        colour = _SOUNDS.get(sound.text, FAINT)
        edges = _block(c, y, 18 * s, sound.span, colour)
        if "music" in (sound.data.get("also") or ()):
            _block(c, y + 13 * s, 5 * s, sound.span, _SOUNDS["music"])
        dark = sum(colour) < 330
        _named(c, y - s, 18 * s, edges, glance.sound_label(sound), INK if dark else BACK)


def _loudness(c: Canvas, y: float, curve: Sequence[Segment]) -> None:
    """Filled from below, with lines at the levels that people deliver at."""
    from PIL import Image, ImageDraw

    s, high = c.scale, 96 * c.scale
    c.label(y - 5 * s, "loudness")
    wide = max(2, round(c.right - c.left))

    def at(value: float) -> float:
        return y + high * min(1.0, max(0.0, (LOUDEST - value) / (LOUDEST - QUIETEST)))

    values = glance.loudness(curve, c.within, max(1, min(wide, round(c.within.duration) or 1)))
    smooth = 4  # drawn so many times as large, then made smaller, for smooth edges
    mask = Image.new("L", (wide * smooth, round(high) * smooth), 0)
    pen = ImageDraw.Draw(mask)
    step = wide / len(values)
    run: list[tuple[float, float]] = []
    for k, value in enumerate([*values, None]):
        if value is not None:
            run.append(((k + 0.5) * step * smooth, (at(value) - y) * smooth))
        elif run:
            first, last = (run[0][0] - 0.5 * step * smooth, run[-1][0] + 0.5 * step * smooth)
            floor = high * smooth
            line = [(first, run[0][1]), *run, (last, run[-1][1])]
            pen.polygon([(first, floor), *line, (last, floor)], fill=150)
            pen.line(line, fill=255, width=round(1.6 * s * smooth))
            run = []
    mask = mask.resize((wide, round(high)), Image.Resampling.LANCZOS)
    c.sheet.paste(Image.new("RGB", mask.size, _WAVE), (round(c.left), round(y)), mask)
    for level in (-14, -23, -40):
        c.pen.line((c.left, at(level), c.right, at(level)), fill=(70, 78, 90), width=1)
        c.letters.write(c.left - 14 * s, at(level) - 8 * s, f"{level}", 11 * s, FAINT, right=True)
    c.label(y + 80 * s, "LUFS")


def bars(c: Canvas, y: float, name: str, segments: Sequence[Segment], colour: RGB) -> None:
    c.label(y - 3 * c.scale, name)
    c.pen.rectangle((c.left, y, c.right, y + 10 * c.scale - 1), fill=PANEL)
    for segment in segments:
        _block(c, y, 10 * c.scale, segment.span, colour)


def _faults(c: Canvas, y: float, faults: Sequence[Segment]) -> None:
    c.label(y - 2 * c.scale, "faults")
    for fault in faults:
        edges = _block(c, y, 12 * c.scale, fault.span, FAULT)
        _named(c, y, 12 * c.scale, edges, fault.text, BACK)


def _notes(c: Canvas, y: float, notes: Sequence[Any]) -> None:
    """A flag where each note stands, its words behind it as far as the next one."""
    s = c.scale
    c.label(y + 2 * s, "notes")
    for number, note in enumerate(notes):
        x = c.x(note.span.start)
        until = c.x(notes[number + 1].span.start) if number + 1 < len(notes) else c.right
        c.pen.polygon([(x, y), (x + 9 * s, y + 5 * s), (x, y + 10 * s)], fill=NOTE)
        c.pen.line((x, y, x, y + 20 * s), fill=NOTE, width=max(1, round(s)))
        shown = c.letters.fit(" ".join(note.text.split()), 13 * s, until - x - 18 * s)
        c.letters.write(x + 13 * s, y + 1 * s, shown, 13 * s, NOTE)
