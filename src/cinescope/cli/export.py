"""`cinescope export`: what is known of a video, in the formats of others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli.common import LibraryOption, open_library, remark
from cinescope.cli.text import printable


def export(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="Its id, file name, title, or a part of these.")],
    format: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help="srt, vtt, json, csv, chapters.")
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Default: standard output.")] = None,
    library: LibraryOption = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Write what is known of a video: words as subtitles, everything as a table, shots as chapters.

    \b
    cinescope export talk.mp4 -o talk.srt
    cinescope export talk.mp4 --format chapters
    cinescope export talk.mp4 --format csv > talk.csv

    Without --format the ending of --out decides; without either it is SRT.
    """
    if json:
        format = "json"
    if not format:
        format = out.suffix.removeprefix(".").lower() if out is not None and out.suffix else "srt"
    text = open_library(library).export(video, format)
    if out is None:
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
        return
    from cinescope.media.writing import whole_file

    with whole_file(out) as part:
        # CSV brings its own line ends.
        part.write_text(text, encoding="utf-8", newline="")
    remark(f"wrote {printable(str(out))}")
