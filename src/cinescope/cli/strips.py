"""A timeline drawn with characters: strips over time, then the words in the order in which they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cinescope.cli.common import count
from cinescope.cli.text import blue, bold, cut, dim, one_line, padded, printable, red, terminal_width, width, yellow
from cinescope.types import Segment, Span, Timeline, Track, format_time

if TYPE_CHECKING:
    from cinescope.library.catalog import VideoSummary
    from cinescope.types import Location, Note

_LABEL = 10  # columns for the names of the strips
_TEXTS = ("speech", "screen", "chapter")
_NO_STRIP = ("title", "thumbnail", "loudness_programme")  # the whole length, or instants
_STRIPS = ("shot", "voice", "speech", "screen")  # in this order, then what others add
_LEVELS = " ▁▂▃▄▅▆▇█"


def draw(
    summary: VideoSummary, timeline: Timeline, tracks: Sequence[Track], within: Span, places: Sequence[Location]
) -> str:
    """The whole picture, as wide as the terminal."""
    lines = [_title(summary, timeline), *_places(summary, places), ""]
    room = terminal_width() - _LABEL
    if within.duration > 0:
        lines.append(" " * _LABEL + dim(_ruler(within, room)))
        order = {kind: n for n, kind in enumerate(_STRIPS)}
        for track in sorted(tracks, key=lambda t: (order.get(t.kind, len(order)), t.kind)):
            strip = _strip(track, within, room)
            if strip:
                lines.append(padded(_names(track.kind), _LABEL) + strip)
        lines.append("")
    lines += _texts(timeline, tracks, within)
    lines += _notes([n for n in timeline.notes if n.kind in ("note", "tag", "name") and n.span is None], timeline)
    sources = [t.source for t in tracks if t.kind in _TEXTS]
    for source in dict.fromkeys(f"{s.analyser} {s.version}{_model(s.settings)}" for s in sources):
        lines.append(dim(f"by {source}"))
    if summary.problem:
        lines.append(red(f"! {one_line(summary.problem)}"))
    return "\n".join(lines).rstrip()


def _names(kind: str) -> str:
    return {"shot": "shots", "thumbnail": "frames"}.get(kind, kind)


def _model(settings: dict[str, object]) -> str:
    model = settings.get("model")
    if isinstance(model, dict):
        model = ", ".join(str(v) for v in model.values())
    return f" ({model})" if model else ""


def _title(summary: VideoSummary, timeline: Timeline) -> str:
    name = one_line(summary.title) or printable(summary.name)
    length = format_time(summary.duration) if summary.duration is not None else "length unknown"
    facts = [summary.short_id, length]
    picture = timeline.video.first("video")
    if picture is not None and picture.width:
        facts.append(f"{picture.width} x {picture.height}")
    if summary.recorded:
        facts.append(printable(summary.recorded[:10]))
    facts += [f"#{printable(t)}" for t in summary.tags] + [f"[{printable(c)}]" for c in summary.collections]
    return bold(name) + "  " + dim("  ".join(facts))


def _places(summary: VideoSummary, places: Sequence[Location]) -> list[str]:
    lines = []
    for place in places:
        state = "" if place.state == "here" else yellow(f" ({place.state})")
        lines.append(dim(printable(place.path)) + state)
    return lines or [yellow("its file is nowhere to be found")]


def _ruler(within: Span, room: int) -> str:
    """Times over the strips, at least 12 columns apart."""
    step = next(
        (
            s
            for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
            if s * room >= 12 * within.duration
        ),
        14400,
    )
    line = [" "] * room
    mark = -(-within.start // step) * step
    while mark < within.end:
        at = int((mark - within.start) / within.duration * room)
        text = "|" + format_time(mark)
        if at + len(text) <= room:
            line[at : at + len(text)] = text
        mark += step
    return "".join(line).rstrip()


def _strip(track: Track, within: Span, room: int) -> str:
    inside = [s for s in track.segments if s.span.overlaps(within)]
    if not inside or track.kind in _NO_STRIP:
        return ""
    if track.kind == "shot":
        return _edges(inside, within, room)
    return _coverage(inside, within, room)


def _edges(shots: Sequence[Segment], within: Span, room: int) -> str:
    """Alternating shades, so that each shot is seen; `┊` where shots are too short to be told apart."""
    line = []
    for i in range(room):
        cell = _cell(within, room, i)
        here = [n for n, s in enumerate(shots) if s.span.overlaps(cell)]
        if len(here) > 2:
            line.append("┊")
        else:
            line.append(" " if not here else "█▒"[here[-1] % 2])
    return blue("".join(line))


def _coverage(segments: Sequence[Segment], within: Span, room: int) -> str:
    """How much of each cell is covered, as the height of a block."""
    covered = [0.0] * room
    for segment in segments:
        first = max(0, int((segment.span.start - within.start) / within.duration * room))
        last = min(room - 1, int((segment.span.end - within.start) / within.duration * room))
        for i in range(first, last + 1):
            cell = _cell(within, room, i)
            shared = segment.span.intersection(cell)
            share = shared.duration / cell.duration if shared and cell.duration else 0.0
            covered[i] = min(1.0, covered[i] + max(share, 0.125))
    return "".join(_LEVELS[round(c * 8)] for c in covered).rstrip()


def _cell(within: Span, room: int, i: int) -> Span:
    return Span(within.start + within.duration * i / room, within.start + within.duration * (i + 1) / room)


def _texts(timeline: Timeline, tracks: Sequence[Track], within: Span) -> list[str]:
    """Words and screen texts in one stream, by time; a person's notes among them."""
    names = {n.about: n.text for n in timeline.notes if n.kind == "name"}
    rows: list[tuple[float, str, str]] = []
    for track in tracks:
        if track.kind not in _TEXTS:
            continue
        for segment in track.segments:
            if segment.span.overlaps(within):
                who = names.get(segment.who, segment.who)
                text = one_line(segment.text)
                rows.append((segment.span.start, track.kind, f"{printable(who)}: {text}" if who else text))
    for note in timeline.notes:
        if note.span is not None and note.kind == "note" and note.span.overlaps(within):
            rows.append((note.span.start, "note", one_line(note.text)))
    if not rows:
        return [dim("no words were found here")]
    rows.sort()
    time_width = max(len(format_time(r[0])) for r in rows)
    room = terminal_width() - time_width - _LABEL - 3
    lines = []
    for start, kind, text in rows:
        style = {"screen": blue, "note": yellow}.get(kind, lambda t: t)
        for n, part in enumerate(_wrapped(text, room)):
            head = f"{format_time(start):>{time_width}}" if n == 0 else " " * time_width
            lines.append(f"{dim(head)}  {dim(padded(kind if n == 0 else '', _LABEL))} {style(part)}")
    return [*lines, ""]


def _wrapped(text: str, room: int) -> list[str]:
    """Broken at spaces where there are any, by columns where there are none (Chinese)."""
    lines, line = [], ""
    for word in text.split(" "):
        while width(word) > room:
            if line:
                lines.append(line)
                line = ""
            piece = cut(word, room + 1).removesuffix("…") or word[:1]
            lines.append(piece)
            word = word[len(piece) :]
        if line and width(line) + 1 + width(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line or not lines else lines


def _notes(notes: Sequence[Note], timeline: Timeline) -> list[str]:
    lines = []
    for note in notes:
        if note.kind == "note":
            by = f" ({printable(note.author)})" if note.author else ""
            lines.append(yellow(f"note{by}: {one_line(note.text)}"))
        elif note.kind == "name":
            lines.append(dim(f"{printable(note.about)} is {one_line(note.text)}"))
    people = sorted({s.who for t in timeline.tracks for s in t.segments if s.who})
    unnamed = [p for p in people if not any(n.kind == "name" and n.about == p for n in notes)]
    if unnamed:
        lines.append(dim(f"{count(len(unnamed), 'speaker')} without a name: {', '.join(map(printable, unnamed))}"))
    return lines
