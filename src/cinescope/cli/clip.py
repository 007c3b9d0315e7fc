"""`cinescope clip`: a hit as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli import hits
from cinescope.cli.common import JsonOption, LibraryOption, open_library, print_json
from cinescope.cli.text import printable
from cinescope.types import BadQueryError, format_time


def clip(
    hit: Annotated[str, typer.Argument(metavar="HIT", help=hits.HIT_HELP)],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write it: .mp4, .mkv, .webm ...")],
    pad: Annotated[float, typer.Option("--pad", min=0, metavar="SECONDS", help="Longer by this at both ends.")] = 0.0,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Cut a hit out into a file of its own.

    \b
    cinescope clip 1 -o red-car.mp4
    cinescope clip talk.mp4@10:00-10:30 -o quote.mp4 --pad 1
    """
    if out.exists() and not force:
        raise BadQueryError(f"{out} is there already", "choose another name, or add --force")
    lib = open_library(library)
    address = hits.address(lib, hit)
    video, _ = lib.moment(address)
    if out.exists() and out.samefile(lib.file(video)):
        raise BadQueryError(f"{out} is the video itself", "choose another name")
    span = lib.clip(address, out, pad=pad)
    if json:
        print_json({"video": video.id, "start": span.start, "end": span.end, "out": str(out)})
    else:
        name = printable(video.name)
        print(f"{printable(str(out))}: {format_time(span.start)} to {format_time(span.end)} of {name}")
