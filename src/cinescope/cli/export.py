"""`cinescope export`: what is known of a video, in the formats of others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli import hits
from cinescope.cli.common import LibraryOption, open_library, remark
from cinescope.cli.text import printable
from cinescope.types import BadQueryError


def export(
    video: Annotated[
        str, typer.Argument(metavar="VIDEO", help="Its id, file name, title, or a part of these.", show_default=False)
    ] = "",
    format: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help="srt, vtt, json, csv, chapters, edl, otio.")
    ] = "",
    last: Annotated[bool, typer.Option("--hits", help="The hits of the last search instead, as edl or otio.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Default: standard output.")] = None,
    onnx: Annotated[
        bool, typer.Option("--onnx", help="VIDEO is the folder of a trained model: write it as an ONNX graph.")
    ] = False,
    library: LibraryOption = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Write what is known of a video: words as subtitles, everything as a table, shots for editing programs.

    \b
    cinescope export talk.mp4 -o talk.srt
    cinescope export talk.mp4 --format chapters
    cinescope export talk.mp4 --format csv > talk.csv
    cinescope export talk.mp4 -o talk.otio
    cinescope search red car; cinescope export --hits -o red-car.edl
    cinescope export runs/mine --onnx -o mine.onnx

    Without --format the ending of --out decides; without either it is SRT.
    """
    if onnx:
        _model(video, out, json)
        return
    if json:
        format = "json"
    if not format:
        format = out.suffix.removeprefix(".").lower() if out is not None and out.suffix else "srt"
    lib = open_library(library)
    if last == bool(video):
        raise BadQueryError("export writes one video, or the hits of the last search", "give VIDEO or --hits")
    if format.lower() in ("edl", "otio") or last:
        moments = hits.remembered(lib) if last else ()
        written = lib.edit_list(format, video, moments)
        text = written.text
        for sentence in written.remarks:
            remark(f"note: {printable(sentence)}")
    else:
        text = lib.export(video, format)
    if out is None:
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
        return
    from cinescope.media.writing import whole_file

    with whole_file(out) as part:
        # CSV and EDL bring their own line ends.
        part.write_text(text, encoding="utf-8", newline="")
    remark(f"wrote {printable(str(out))}")


def _model(folder: str, out: Path | None, json: bool) -> None:
    """A trained model as a graph; what it needs to be fed stands beside it."""
    from cinescope.api import trained
    from cinescope.cli.common import print_json

    if not folder:
        raise BadQueryError("no trained model is named", "cinescope export CHECKPOINT --onnx -o model.onnx")
    target = out or Path(f"{Path(folder).name}.onnx")
    made = trained.export(Path(folder), target)
    if json:
        print_json(made)
        return
    print(f"{printable(str(made.path))}: differs from PyTorch by {made.difference:.1e} of its largest output")
    print(f"  inputs {', '.join(made.inputs)}; outputs {', '.join(made.outputs)}")
    print(f"{printable(str(target.with_suffix('.json')))}: labels, features and normalisation")
