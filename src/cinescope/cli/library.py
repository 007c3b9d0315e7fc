"""`cinescope library`: keep it fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli.common import (
    JsonOption,
    LibraryOption,
    count,
    group,
    human_size,
    human_time,
    open_library,
    print_json,
)
from cinescope.cli.text import one_line, printable

app = group("Keep the library in order: verify, back up, restore, upgrade, compact.", "cinescope library info")

Wait = Annotated[float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for another writer.")]


@app.command("info")
def info(library: LibraryOption = None, json: JsonOption = False) -> None:
    """Where the library is, and what is in it.

    \b
    cinescope library info
    """
    lib = open_library(library)
    store = lib.store
    videos = lib.videos()
    facts = {
        "place": lib.place,
        "schema": store.schema_version(),
        "videos": len(videos),
        "seconds": sum(v.duration or 0.0 for v in videos),
        "offline": sum(v.state == "offline" for v in videos),
        "gone": sum(v.state == "gone" for v in videos),
        "unfinished": sum(any(s != "done" for s in v.analysed.values()) for v in videos),
        "segments": store.count("segments"),
        "thumbnails": store.count("thumbs"),
        "notes": store.count("notes"),
        "bytes": lib.size(),
    }
    if json:
        print_json(facts)
        return
    print(printable(lib.place))
    print(f"  {count(len(videos), 'video')}, {human_time(float(facts['seconds'] or 0))}")
    for state, words in (
        ("offline", "on drives that are away"),
        ("gone", "moved or deleted"),
        ("unfinished", "unfinished"),
    ):
        if facts[state]:
            print(f"  {facts[state]} {words}")
    print(f"  {facts['segments']:,} segments, {facts['thumbnails']:,} key frames, {facts['notes']:,} written by people")
    print(f"  {human_size(float(facts['bytes'] or 0))} on disk, library version {facts['schema']}")


@app.command("verify")
def verify(library: LibraryOption = None, json: JsonOption = False) -> None:
    """Read everything once and say what is wrong.

    \b
    cinescope library verify

    Exit status: 0 when all is well, 1 when something is wrong.
    """
    problems = open_library(library).verify()
    if json:
        print_json({"problems": problems})
    else:
        for problem in problems:
            print(one_line(problem))
        print(f"{count(len(problems), 'problem')} found" if problems else "all is well")
        if problems:
            print("  restore a backup, or index the folders again: what was read well is kept")
    raise typer.Exit(1 if problems else 0)


@app.command("backup")
def backup(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it (.tar).")],
    wait: Wait = 0.0,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Write the whole library, without the videos, into one file.

    \b
    cinescope library backup videos.tar
    """
    size = open_library(library).backup(out, wait=wait)
    if json:
        print_json({"out": str(out), "bytes": size})
    else:
        print(f"wrote {printable(str(out))} ({human_size(size)})")


@app.command("restore")
def restore(
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="What backup wrote.")],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Unpack a backup into a folder that holds no library yet.

    \b
    cinescope library restore videos.tar --library restored
    """
    from cinescope.api.library import restore as unpack

    lib = unpack(archive, library)
    if json:
        print_json({"place": lib.place, "videos": len(lib.videos())})
    else:
        print(f"restored {count(len(lib.videos()), 'video')} to {printable(lib.place)}")


@app.command("upgrade")
def upgrade(library: LibraryOption = None, json: JsonOption = False) -> None:
    """Bring a library that an older Cinescope made to this version.

    \b
    cinescope library backup before.tar
    cinescope library upgrade
    """
    from cinescope.api.library import upgrade as bring

    before, after = bring(library)
    if json:
        print_json({"before": before, "after": after})
    else:
        print("nothing to do" if before == after else f"upgraded from version {before} to {after}")


@app.command("compact")
def compact(wait: Wait = 0.0, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Rewrite the library without what was deleted. Indexing does the small part of this by itself.

    \b
    cinescope library compact
    """
    freed = open_library(library).compact(wait=wait)
    if json:
        print_json({"bytes_freed": freed})
    else:
        print(f"freed {human_size(max(0, freed))}")
