"""`cinescope show`: one video as a timeline in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, open_library, plain, print_json, remark
from cinescope.cli.strips import draw
from cinescope.cli.text import printable
from cinescope.types import BadQueryError, Span, parse_time

if TYPE_CHECKING:
    from cinescope.api.library import Library


def show(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="Its id, file name, title, or a part of these.")],
    start: Annotated[str, typer.Option("--from", metavar="TIME", help="Begin here: 90, 1:30, 1m30s.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="End here.")] = "",
    kind: Annotated[list[str] | None, typer.Option("--kind", metavar="KIND", help="Only this track.")] = None,
    png: Annotated[
        Path | None, typer.Option("--png", metavar="FILE", help="Draw all of it as one picture instead (.png, .jpg).")
    ] = None,
    wide: Annotated[int, typer.Option("--width", metavar="N", help="Pixels across, with --png.")] = 1600,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Show one video as a timeline: shots, colours, camera, sounds, loudness, faults, and all words by time.

    \b
    cinescope show talk.mp4
    cinescope show 3fa9c21b --from 10:00 --to 12:00
    cinescope show talk.mp4 --kind speech --json
    cinescope show talk.mp4 --png talk.png
    """
    lib = open_library(library)
    if png is not None:
        if start or end or kind:
            raise BadQueryError("--png draws the whole video", "leave out --from, --to and --kind")
        _picture(lib, video, png, wide, json)
        return
    summary = lib.video(video)
    timeline = lib.timeline(summary.id)
    last = max((s.span.end for t in timeline.tracks for s in t.segments), default=0.0)
    whole = Span(0.0, max(summary.duration or 0.0, last))
    begin = parse_time(start) if start else whole.start
    within = Span(begin, max(begin, parse_time(end) if end else whole.end))
    kinds = set(kind or ())
    tracks = [t for t in timeline.tracks if not kinds or t.kind in kinds]
    if json:
        shown = [
            {"kind": t.kind, "source": t.source, "segments": [s for s in t.segments if s.span.overlaps(within)]}
            for t in tracks
        ]
        notes = [n for n in timeline.notes if n.span is None or n.span.overlaps(within)]
        print_json({"video": plain(summary), "probe": timeline.video, "tracks": shown, "notes": notes})
    else:
        print(draw(summary, timeline, tracks, within, lib.places(summary.id)))


def _picture(lib: Library, video: str, png: Path, width: int, json: bool) -> None:
    drawn = lib.wall(video, png, width)
    if json:
        print_json(drawn)
        return
    for sentence in drawn.remarks:
        remark(f"note: {printable(sentence)}")
    print(f"{printable(str(drawn.path))}: {drawn.width} x {drawn.height} pixels")
