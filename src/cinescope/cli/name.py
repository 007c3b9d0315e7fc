"""`cinescope name`."""

from __future__ import annotations

from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, open_library, print_json
from cinescope.cli.text import one_line, printable
from cinescope.types import BadQueryError


def name(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="Its id, file name, title, or a part of these.")],
    who: Annotated[str | None, typer.Argument(metavar="WHO", help="The speaker or person as show prints it.")] = None,
    name: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Who it is.")] = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Say who a speaker or a person is; without a name, list who is known.

    \b
    cinescope name talk.mp4 speaker-1 Ada Lovelace
    cinescope name talk.mp4
    """
    lib = open_library(library)
    if who is not None and not name:
        raise BadQueryError(f"who is {who}?", "write: cinescope name VIDEO WHO NAME")
    if who is not None and name:
        written = lib.name(video, who, " ".join(name))
        if json:
            print_json(written)
        else:
            print(f"{printable(who)} is {one_line(written.text)}")
        return
    names = {n.about: n.text for n in lib.notes(video, "name")}
    people = {s.who for t in lib.timeline(video).tracks for s in t.segments if s.who}
    found = {who: names.get(who, "") for who in sorted(people | set(names))}
    if json:
        print_json(found)
    else:
        for who, named in found.items():
            print(f"{printable(who)}  {one_line(named) or '(no name yet)'}")
        if not found:
            print("nobody was told apart in this video")
