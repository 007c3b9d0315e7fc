"""A timeline drawn with characters: strips over time, then the words in the order in which they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cinescope.cli import sense_strips
from cinescope.cli.common import count
from cinescope.cli.text import blue, bold, cut, dim, one_line, padded, printable, red, terminal_width, width, yellow
from cinescope.library import glance
from cinescope.types import Segment, Span, Timeline, Track, format_time

if TYPE_CHECKING:
    from cinescope.library.catalog import VideoSummary
    from cinescope.types import Location, Note

_LABEL = 10  # columns for the names of the strips
_TEXTS = ("speech", "screen", "label", "chapter")
# In this order, then what others add.
_STRIPS = (
    "shot",
    "picture",
    "camera",
    "face",
    "screen",
    "voice",
    "speech",
    "sound",
    "loudness",
    "silence",
    "quality",
    "label",
)
_NEVER = (
    "title",
    "thumbnail",
    "loudness_programme",
    "passage",
    "print",
    "look",
    "timbre",
)  # the whole length, instants, or for programs
_ALWAYS = ("voice", "speech", "screen")
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
            lines += [padded(name, _LABEL) + strip for name, strip in _strips(track, within, room)]
        lines.append("")
        explained = sense_strips.legend(timeline, [t.kind for t in tracks], within)
        lines += [dim(part) for line in explained for part in _wrapped(line, terminal_width())]
        lines += [""] if explained else []
    lines += _texts(timeline, tracks, within)
    lines += _notes([n for n in timeline.notes if n.kind in ("note", "tag", "name") and n.span is None], timeline)
    sources = [t.source for t in tracks if t.kind in _TEXTS]
    for source in dict.fromkeys(f"{s.analyser} {s.version}{_model(s.settings)}" for s in sources):
        lines.append(dim(f"by {source}"))
    if summary.problem:
        lines.append(red(f"! {one_line(summary.problem)}"))
    return "\n".join(lines).rstrip()


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
    line = [" "] * room
    for mark in glance.axis(within, room, 12):
        at = int((mark - within.start) / within.duration * room)
        text = "|" + format_time(mark)
        if at + len(text) <= room:
            line[at : at + len(text)] = text
    return "".join(line).rstrip()


def _strips(track: Track, within: Span, room: int) -> list[sense_strips.Row]:
    """Name and strip of each row that a track gets. What no person wrote a strip for is drawn by what it covers, but
    only where it says when: one that is everywhere, or at instants alone, says nothing."""
    inside = [s for s in track.segments if s.span.overlaps(within)]
    if not inside:
        return []
    if track.kind == "shot":
        return [("shots", _edges(inside, within, room))]
    known = sense_strips.rows(track.kind, inside, within, room)
    if known is not None:
        return known
    shares = glance.shares(inside, within, room)
    says_when = sum(shares) < 0.98 * room and any(s.span.duration > 0 for s in inside)
    if track.kind in _NEVER or (track.kind not in _ALWAYS and not says_when):
        return []
    return [(cut(printable(track.kind), _LABEL - 1), "".join(_LEVELS[round(c * 8)] for c in shares).rstrip())]


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
                if track.kind == "label" and segment.score is not None:
                    text += f" {segment.score:.0%}"
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
