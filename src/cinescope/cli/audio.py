"""`cinescope audio`: the sound of one video as a file, with its times."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, QuietOption, human_time, print_json, remark
from cinescope.cli.progress_bar import Bar
from cinescope.cli.text import printable
from cinescope.types import BadQueryError, format_time, parse_time


def audio(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The file.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="A .wav or .flac (default: VIDEO.wav).")
    ] = None,
    rate: Annotated[int, typer.Option("--rate", metavar="HERTZ", help="Samples a second; 0: as recorded.")] = 16_000,
    channels: Annotated[int, typer.Option("--channels", metavar="N", help="1 to 8; 0: as recorded.")] = 1,
    start: Annotated[str | None, typer.Option("--start", metavar="TIME", help="Where it begins (default: 0).")] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="TIME", help="Where it ends (default: the sound's).")
    ] = None,
    stream: Annotated[
        int | None, typer.Option("--stream", metavar="N", help="Another audio stream of the file.")
    ] = None,
    format: Annotated[str | None, typer.Option("--format", metavar="wav|flac", help="Where -o does not say.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Write the sound of a video, and FILE.json with its times.

    \b
    cinescope audio talk.mp4
    cinescope audio talk.mp4 -o talk.flac --rate 0 --channels 0
    cinescope audio talk.mp4 --start 1:00 --end 1:30 -o quote.wav --rate 44100

    Sample n is heard at start + n / rate seconds of the video; where it has no sound there is silence.
    """
    from cinescope.api.extract_sound import FORMATS, describe
    from cinescope.api.extract_sound import audio as extract

    if format is not None and format not in FORMATS:
        raise BadQueryError(f"there is no sound format '{format}' here", f"use {' or '.join(FORMATS)}")
    if rate < 0 or channels < 0 or channels > 8:
        raise BadQueryError(f"{channels} channels at {rate} Hz mean nothing", "use 1 to 8 channels and a rate above 0")
    target = out or Path(f"{video.stem}.{format or 'wav'}")
    if out is not None and format is not None and out.suffix.lower() != f".{format}":
        if out.suffix.lower().lstrip(".") in FORMATS:
            raise BadQueryError(f"{out} is no .{format} by its name", "leave out --format")
        target = out.with_name(f"{out.name}.{format}")
    begin = None if start is None else parse_time(start)
    stop = None if end is None else parse_time(end)
    with Bar(f"reading {printable(video.name)}", quiet or json) as bar:
        made = extract(video, target, rate or None, channels or None, begin, stop, stream, force, bar)
    if json:
        print_json({**describe(made, video), "path": str(made.file), "sidecar": str(made.sidecar)})
        return
    for sentence in made.warnings:
        remark(f"note: {printable(sentence)}")
    if not quiet:
        length = human_time(made.end - made.start)
        print(f"{printable(str(made.file))}: {length} from {format_time(made.start, 3)} on, {made.sample_rate} Hz")
        print(f"{printable(str(made.sidecar))}: its times")
