"""`cinescope note`."""

from __future__ import annotations

from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, open_library, print_json
from cinescope.cli.text import dim, one_line, printable
from cinescope.types import BadQueryError, Note, format_time

_KINDS = ("note", "tag", "correction", "name", "collection")


def note(
    where: Annotated[
        str | None, typer.Argument(metavar="WHERE", help="A video, or a moment: talk.mp4@1:02 or 3fa9c21b@62-70.")
    ] = None,
    text: Annotated[list[str] | None, typer.Argument(metavar="WORDS", help="The note.")] = None,
    author: Annotated[str, typer.Option("--author", metavar="NAME", help="Default: your user name.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="List all that people wrote, corrections too.")] = False,
    remove: Annotated[str, typer.Option("--remove", metavar="ID", help="Take this one back (see --list).")] = "",
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Write a note on a video or a moment. Notes survive re-indexing, and search finds their words.

    \b
    cinescope note talk.mp4 "ask for the slides"
    cinescope note talk.mp4@1:02 "the example with the bridge"
    cinescope note --list
    cinescope note --remove 5d0c
    """
    lib = open_library(library)
    if remove:
        gone = lib.remove_note(remove)
        if json:
            print_json(gone)
        else:
            print(f"taken back: {gone.kind} '{one_line(gone.text)}'")
        return
    if where is not None and text:
        written = lib.note(where, " ".join(text), author=author)
        if json:
            print_json(written)
        else:
            print(f"noted {_place(written)}: {one_line(written.text)}  {dim(written.id[:8])}")
        return
    if where is None and not listed:
        raise BadQueryError("a note needs a video and words", 'write: cinescope note VIDEO "WORDS"; see also --list')
    found = [n for n in lib.notes(where) if listed or n.kind == "note"]
    if json:
        print_json(found)
        return
    names = {v.id: printable(v.name) for v in lib.videos(n.video_id for n in found)}
    for n in found:
        about = f"'{one_line(n.about)}' is " if n.about else ""
        name = names.get(n.video_id, n.video_id[:8])
        print(f"{dim(n.id[:8])}  {n.kind:<10}  {name} {_place(n)}  {about}{one_line(n.text)}")


def _place(note: Note) -> str:
    if note.span is None:
        return "on the video"
    if note.span.duration == 0:
        return f"at {format_time(note.span.start)}"
    return f"at {format_time(note.span.start)}-{format_time(note.span.end)}"
