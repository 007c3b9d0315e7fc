"""`cinescope remove`: for good, and only after asking."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, count, human_size, open_library, print_json
from cinescope.cli.text import printable
from cinescope.types import BadQueryError


def remove(
    videos: Annotated[list[str], typer.Argument(metavar="VIDEOS", help="Ids, file names, titles, or parts of these.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for another writer.")
    ] = 0.0,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take videos out of the library for good: their words, pictures, vectors and notes.

    \b
    cinescope remove old-talk.mp4
    cinescope remove 3fa9c21b 77ab01d2 --yes

    The video files themselves are not touched. Indexing their folder again brings them back, without your notes.
    """
    lib = open_library(library)
    meant = {v.id: v for v in (lib.video(r) for r in videos)}
    if not yes:
        if not sys.stdin.isatty() or json:
            raise BadQueryError("removing is for good, so it must be confirmed", "add --yes")
        for video in meant.values():
            notes = lib.notes(video.id)
            also = f", with {count(len(notes), 'thing')} that people wrote" if notes else ""
            print(f"  {video.short_id}  {printable(video.name)}{also}")
        if not typer.confirm(f"Forget {count(len(meant), 'video')} for good?"):
            print("nothing was removed")
            raise typer.Exit(1)
    report = lib.remove(*meant, wait=wait)
    if json:
        print_json(report)
    else:
        print(f"forgot {count(report.videos, 'video')} ({count(report.rows, 'row')}, {human_size(report.bytes_freed)})")
