"""`cinescope collection`: videos gathered under a name."""

from __future__ import annotations

from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, count, group, open_library, print_json
from cinescope.cli.text import printable

app = group(
    "Gather videos under a name. A collection needs no folder: a video may be in many.",
    "cinescope collection add holidays beach.mp4",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The collection.")]
Videos = Annotated[list[str], typer.Argument(metavar="VIDEOS", help="Ids, file names, titles, or parts of these.")]


@app.command("add")
def add(name: Name, videos: Videos, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Put videos into a collection.

    \b
    cinescope collection add holidays beach.mp4 3fa9c21b
    cinescope search sea --collection holidays
    """
    added = open_library(library).collect(name, *videos)
    if json:
        print_json({"collection": name, "added": added})
    else:
        print(f"[{printable(name)}]: {count(added, 'video')} added")


@app.command("remove")
def remove(
    name: Name,
    videos: Annotated[list[str] | None, typer.Argument(metavar="VIDEOS", help="None: the whole collection.")] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Take videos out of a collection, or undo the collection. The videos stay in the library.

    \b
    cinescope collection remove holidays beach.mp4
    """
    removed = open_library(library).uncollect(name, *(videos or ()))
    if json:
        print_json({"collection": name, "removed": removed})
    else:
        print(f"[{printable(name)}]: {count(removed, 'video')} taken out")


@app.command("list")
def list_(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Only this one, with its videos.")] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """List the collections, or the videos of one.

    \b
    cinescope collection list
    cinescope collection list holidays
    """
    found = open_library(library).collections()
    if name is not None:
        found = {n: v for n, v in found.items() if n == name}
    if json:
        print_json({n: [v.id for v in videos] for n, videos in found.items()})
    elif name is None:
        for n, videos in found.items():
            print(f"[{printable(n)}]  {count(len(videos), 'video')}")
        if not found:
            print("there are no collections yet: cinescope collection add NAME VIDEOS")
    elif found:
        from cinescope.cli.list_videos import show_list

        show_list(found[name])
    if name is not None and not found:
        raise typer.Exit(1)
