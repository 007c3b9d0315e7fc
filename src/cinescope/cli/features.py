"""`cinescope features`: numbers of one video, with their times, for those who train on them."""

from __future__ import annotations

import json as jsons
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cinescope.cli.common import JsonOption, QuietOption, count, print_json, remark
from cinescope.cli.progress_bar import Bar
from cinescope.cli.text import printable
from cinescope.types import BadQueryError, format_time, parse_time


def features(
    video: Annotated[Path | None, typer.Argument(metavar="VIDEO", help="A video, sound or picture file.")] = None,
    wanted: Annotated[
        list[str] | None,
        typer.Option("--with", "-w", metavar="NAMES", help="Which features, such as hog,mfcc; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="A .npz or .parquet (default: VIDEO_features.npz)."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="The features there are.")] = False,
    start: Annotated[str | None, typer.Option("--start", metavar="TIME", help="Nothing before it.")] = None,
    end: Annotated[str | None, typer.Option("--end", metavar="TIME", help="Nothing from it on.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", metavar="N", help="Pictures a second.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME.SETTING=VALUE", help="A setting of a feature; may be repeated."),
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Compute anew, and keep nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Write features of a video (HOG, MFCC, flow, pitch ...) with the time of each row.

    \b
    cinescope features --list
    cinescope features talk.mp4 --with hog,mfcc
    cinescope features talk.mp4 --with log_mel -o talk.parquet --start 1:00 --end 2:00
    cinescope features film.mkv --with hog,flow --rate 5 --set hog.cell=16

    Times are the video's own, in seconds. What was computed once is taken from the cache the next time.
    """
    from cinescope.api import features as api

    if show:
        _list(json)
        return
    if video is None:
        raise BadQueryError("no file is named", "cinescope features VIDEO --with hog,mfcc")
    names = [name.strip() for text in wanted or () for name in text.split(",") if name.strip()]
    target = out or Path(f"{video.stem}_features.npz")
    if rate is not None and not 0 < rate <= 1000:
        raise BadQueryError(f"{rate:g} pictures a second mean nothing", "give a number above 0")
    api.check_out(target, video, force)
    if any(":" in name for name in names) and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # one's own, by its dotpath: `python` finds it here too
    with Bar(f"reading {printable(video.name)}", quiet or json) as bar:
        made = api.features(
            video,
            names,
            settings_of(set_ or ()),
            rate,
            None if start is None else parse_time(start),
            None if end is None else parse_time(end),
            not no_cache,
            bar,
        )
    api.write(made, target)
    if json:
        shapes = {
            name: {"rows": len(found), **made.sources()[name], "cached": name in made.cached}
            for name, found in made.features.items()
        }
        span = {"start": made.span.start, "end": made.span.end}
        print_json({"file": str(target), "video": made.video, **span, "features": shapes, "warnings": made.warnings})
        return
    for sentence in made.warnings:
        remark(f"note: {printable(sentence)}")
    if not quiet:
        for name, found in made.features.items():
            kept = " (kept from before)" if name in made.cached else ""
            if len(found):
                times = f", {format_time(found.times[0, 0], 3)} to {format_time(found.times[-1, 1], 3)}"
                print(f"{name}: {count(len(found), 'row')} of {found.values.shape[1]:,} numbers{times}{kept}")
            else:
                print(f"{name}: no rows, the file has no {_LACKS.get(found.modality, found.modality)}{kept}")
        print(printable(str(target)))


_SENTENCE = re.compile(r"(?<!et al)\.\s")
_LACKS = {
    "picture": "pictures for it",
    "sound": "sound for it",
    "text": "words for it",
    "place": "place or time of recording",
}


def settings_of(texts: list[str] | tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """`hog.cell=16` -> {"hog": {"cell": 16}}. Values are JSON where they can be read as JSON, else text."""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        left, equals, value = text.partition("=")
        name, dot, setting = left.strip().rpartition(".")
        if not (equals and dot and name and setting):
            raise BadQueryError(f"'{text}' is no setting", "write --set hog.cell=16")
        try:
            read = jsons.loads(value)
        except ValueError:
            read = value.strip()
        found.setdefault(name, {})[setting] = tuple(read) if isinstance(read, list) else read
    return found


def _list(json: bool) -> None:
    from cinescope.api.features import listed

    found = listed()
    if json:
        print_json(found)
        return
    width = max(len(one.name) for one in found)
    for one in sorted(found, key=lambda one: one.modality):
        text = _SENTENCE.split(one.summary)[0].rstrip(".") if not one.problem else f"not here: {one.problem}"
        print(f"{one.name:{width}}  {one.modality:8}  {printable(text)}")
