"""`cinescope recipes`: the recipes that come with Cinescope."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, print_json
from cinescope.cli.text import bold, dim, printable


def recipes(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Print this one, to begin one of your own with.")] = "",
    json: JsonOption = False,
) -> None:
    """The recipes that come with Cinescope; with a name its text, to change and keep.

    \b
    cinescope recipes
    cinescope recipes spoken_digits > mine.yaml
    """
    from cinescope.api import recipe as api

    if name:
        print(api.find(name).read_text(encoding="utf-8"), end="")
        return
    known = {key: (place, api.load(place)) for key, place in api.shipped().items()}
    if json:
        print_json(
            {k: {"file": str(p), "about": told.about, "reads": told.data.reader} for k, (p, told) in known.items()}
        )
        return
    sets: dict[str, list[str]] = {}
    for key, (place, told) in known.items():
        if "/" in key:
            sets.setdefault(key.split("/")[0], []).append(key.split("/")[1])
            continue
        print(bold(key))
        print(f"  {printable(told.about)}")
        print(f"  {dim(_command(place))}")
    for key, names in sets.items():
        print(bold(f"{key}/"))
        print(f"  {len(names)} on the same rows, to hold against each other: {', '.join(names)}")
        print(f"  {dim(f'cinescope compare {key}')}")


def _command(place: Path) -> str:
    first = place.read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("#").strip()
