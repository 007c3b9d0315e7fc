"""`cinescope tag`."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, LibraryOption, count, open_library, print_json
from cinescope.cli.text import printable


def tag(
    video: Annotated[str | None, typer.Argument(metavar="VIDEO", help="Without it: all tags, and how often.")] = None,
    tags: Annotated[list[str] | None, typer.Argument(metavar="TAGS", help="Without them: the video's tags.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take these tags off.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Put tags on a video, or take them off. Tags survive re-indexing, and search finds their words.

    \b
    cinescope tag talk.mp4 physics "to review"
    cinescope tag talk.mp4 physics --remove
    cinescope tag
    """
    lib = open_library(library)
    if video is None:
        counted = dict(Counter(t for v in lib.videos() for t in v.tags).most_common())
        if json:
            print_json(counted)
        else:
            for name, n in counted.items():
                print(f"#{printable(name)}  {count(n, 'video')}")
        return
    if tags and remove:
        lib.untag(video, *tags)
    elif tags:
        lib.tag(video, *tags)
    summary = lib.video(video)
    if json:
        print_json({"video": summary.id, "tags": summary.tags})
    else:
        print(f"{printable(summary.name)}: {' '.join('#' + printable(t) for t in summary.tags) or 'no tags'}")
