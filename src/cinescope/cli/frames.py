"""`cinescope frames`: pictures of one video as files, with their times."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, QuietOption, count, print_json, remark
from cinescope.cli.progress_bar import Bar
from cinescope.cli.text import printable
from cinescope.types import BadQueryError, format_time, parse_time


def frames(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="The file.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Where to (default: VIDEO_frames); with --sheet a picture."),
    ] = None,
    every: Annotated[str | None, typer.Option("--every", metavar="SECONDS", help="One picture every so often.")] = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="TIME", help="The picture shown at a time; may be repeated.")
    ] = None,
    index: Annotated[
        list[int] | None, typer.Option("--index", metavar="N", help="By number, from 0; may be repeated.")
    ] = None,
    key_frames: Annotated[bool, typer.Option("--key-frames", help="The coded key pictures, which is quick.")] = False,
    shots: Annotated[bool, typer.Option("--shots", help="One picture of each shot.")] = False,
    start: Annotated[str | None, typer.Option("--start", metavar="TIME", help="Nothing before it.")] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="TIME", help="Nothing from it on.")] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="WxH|N", help="Exactly so large; N: the longest side at most.")
    ] = None,
    crop: Annotated[
        str | None, typer.Option("--crop", metavar="W:H:X:Y", help="A part, in pixels, from the upper left.")
    ] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Without colours.")] = False,
    edges: Annotated[str | None, typer.Option("--edges", metavar="sobel|canny", help="Edges alone.")] = None,
    blur: Annotated[float | None, typer.Option("--blur", metavar="SIGMA", help="Gaussian blur, in pixels.")] = None,
    equalise: Annotated[bool, typer.Option("--equalise", help="Spread the brightness (histogram).")] = False,
    format: Annotated[str, typer.Option("--format", metavar="jpg|png", help="Of the pictures.")] = "jpg",
    quality: Annotated[int, typer.Option("--quality", metavar="1-100", help="Of JPEG pictures.")] = 90,
    sheet: Annotated[bool, typer.Option("--sheet", help="One picture of all of them, with their times.")] = False,
    stream: Annotated[
        int | None, typer.Option("--stream", metavar="N", help="Another video stream of the file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Write pictures of a video, and frames.json with the time of each.

    \b
    cinescope frames talk.mp4 --every 10
    cinescope frames talk.mp4 --at 1:05 --at 1:06.5 -o slides --format png
    cinescope frames film.mkv --shots --size 640
    cinescope frames film.mkv --sheet -o film.jpg
    cinescope frames film.mkv --every 1 --crop 640:360:0:0 --edges canny

    Times are the video's own. Filters work in the order crop, size, equalise, blur, grey, edges.
    """
    from cinescope.api import extract
    from cinescope.api.sheet import contact_sheet

    chosen = every is not None or at or index or key_frames or shots
    choice = None
    if chosen or not sheet:
        choice = extract.Choice(
            every=None if every is None else _seconds(every),
            at=tuple(parse_time(text) for text in at or ()),
            index=tuple(index or ()),
            key_frames=key_frames,
            shots=shots,
            start=None if start is None else parse_time(start),
            end=None if end is None else parse_time(end),
        )
    elif start is not None or end is not None:
        raise BadQueryError("--start and --end need a choice of pictures", "add --every, --key-frames or --shots")
    if shots and stream is not None:
        raise BadQueryError("--shots looks at the stream a player shows", "leave out --stream")
    look = extract.Look(
        crop=_crop(crop), size=_size(size), equalise=equalise, blur=blur, grey=grey, edges=edges
    )  # fmt: skip
    with Bar(f"reading {printable(video.name)}", quiet or json) as bar:
        if sheet:
            target = _sheet_name(out, video, format)
            made = contact_sheet(video, target, choice, look, quality, stream, force, bar)
        else:
            target = out or Path(f"{video.stem}_frames")
            made = extract.frames(video, target, choice or extract.Choice(), look, format, quality, stream, force, bar)
    if json:
        print_json({**made.record, "sidecar": str(made.sidecar)})
        return
    for sentence in made.warnings:
        remark(f"note: {printable(sentence)}")
    if not quiet:
        files = len({p.file for p in made.pictures})
        first, last = made.pictures[0].time, made.pictures[-1].time
        what = f"{count(len(made.pictures), 'picture')} on one sheet" if sheet else count(files, "picture")
        print(f"{printable(str(target))}: {what}, {format_time(first, 3)} to {format_time(last, 3)}")
        print(f"{printable(str(made.sidecar))}: their times")


def _sheet_name(out: Path | None, video: Path, format: str) -> Path:
    if out is None:
        return Path(f"{video.stem}_sheet.{format}")
    if out.is_dir() or not out.suffix:
        return out / f"{video.stem}_sheet.{format}"
    return out


def _seconds(text: str) -> float:
    value = parse_time(text)
    if value <= 0:
        raise BadQueryError(f"'--every {text}' means nothing", "give a number of seconds above 0")
    return value


def _size(text: str | None) -> int | tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})(?:[xX×](\d{1,5}))?", text.strip())
    if match is None or not all(1 <= int(n) <= 16384 for n in match.groups() if n is not None):
        raise BadQueryError(f"'{text}' is no size", "write 640x360, or 640 for the longest side, up to 16384")
    width, height = match.groups()
    return int(width) if height is None else (int(width), int(height))


def _crop(text: str | None) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5}):(\d{1,5}):(\d{1,5}):(\d{1,5})", text.strip())
    if match is None or int(match[1]) == 0 or int(match[2]) == 0:
        raise BadQueryError(f"'{text}' is no crop", "write WIDTH:HEIGHT:X:Y in pixels, such as 640:360:0:0")
    return int(match[1]), int(match[2]), int(match[3]), int(match[4])
