"""`cinescope list`: the videos of a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, count, human_time, open_library, print_json, remark
from cinescope.cli.text import dim, one_line, printable, red, table, yellow
from cinescope.types import format_time

if TYPE_CHECKING:
    from cinescope.library.catalog import VideoSummary


def list_videos(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help="Only names and titles with these.")
    ] = None,
    tag: Annotated[str, typer.Option("--tag", metavar="TAG", help="Only videos with this tag.")] = "",
    collection: Annotated[str, typer.Option("--collection", metavar="NAME", help="Only this collection.")] = "",
    problems: Annotated[bool, typer.Option("--problems", help="Only videos with a problem, or away.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the videos of the library.

    \b
    cinescope list
    cinescope list lecture --tag physics
    cinescope list --problems
    """
    wanted = " ".join(words or ()).casefold()
    videos = [
        v
        for v in open_library(library).videos()
        if wanted in f"{v.name}\n{v.title}".casefold()
        and (not tag or tag in v.tags)
        and (not collection or collection in v.collections)
        and (not problems or v.problem or v.state != "here")
    ]
    if json:
        print_json(videos)
    elif not videos:
        remark("no video fits" if wanted or tag or collection or problems else "the library has no videos yet")
    else:
        show_list(videos)
    raise typer.Exit(0 if videos else 1)


def show_list(videos: list[VideoSummary]) -> None:
    rows = []
    for video in videos:
        length = format_time(video.duration) if video.duration is not None else "?"
        # Notes come before the state, so that what a person wrote is not cut away first.
        about = " ".join([*(f"#{printable(t)}" for t in video.tags), *(f"[{printable(c)}]" for c in video.collections)])
        rows.append([video.short_id, length, _state(video), printable(video.name), one_line(video.title), about])
    print(table(rows, ["id", "length", "state", "file", "title", "tags"], right=frozenset({1}), grow=4))
    total = sum(v.duration or 0.0 for v in videos)
    print(dim(f"{count(len(videos), 'video')}, {human_time(total)}"))
    for video in videos:
        if video.problem:
            print(f"{red('!')} {printable(video.name)}: {one_line(video.problem)}")
    away = sum(v.state != "here" for v in videos)
    if away:
        print(yellow(f"{count(away, 'video')} cannot be played now: the drive is unplugged, or the file was moved"))


def _state(video: VideoSummary) -> str:
    if video.problem and not video.analysed:
        return "problem"
    if video.state != "here":
        return video.state
    shares = [1.0 if s == "done" else float(s) for s in video.analysed.values()]
    if not shares:
        return "new"
    return "ready" if min(shares) == 1.0 else f"{100 * sum(shares) / len(shares):.0f} %"
