"""`cinescope correct`."""

from __future__ import annotations

from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, count, open_library, print_json


def correct(
    where: Annotated[str, typer.Argument(metavar="WHERE", help="A video, or only a moment: talk.mp4@1:02.")],
    old: Annotated[str, typer.Argument(metavar="OLD", help="The words as they were understood.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The words as they are.")],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Correct words that were misheard or misread. Search and export use yours, also after re-indexing.

    \b
    cinescope correct talk.mp4 "car melly" "Carmélie"
    cinescope correct talk.mp4@1:02 "to" "two"

    To take a correction back: cinescope note --list, then cinescope note --remove ID.
    """
    changed = open_library(library).correct(where, old, new)
    if json:
        print_json({"changed": changed})
    else:
        print(f"corrected in {count(changed, 'place')}")
