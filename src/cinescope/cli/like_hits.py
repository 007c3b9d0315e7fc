"""`cinescope search --like`: an example in, moments out. Prints what `search` prints, and how each hit is the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cinescope.cli import hits
from cinescope.cli.common import plain, print_json
from cinescope.cli.results import as_json, show_result, write_thumbs

if TYPE_CHECKING:
    from cinescope.api.library import Library


def run(
    lib: Library, example: str, query: str, limit: int, filters: dict[str, Any], thumbs: Path | None, json: bool
) -> None:
    """Search, print, and leave with the exit status."""
    found = lib.like(example, query, limit=limit, **filters)
    result = found.result
    hits.remember(lib, result.moments)
    names = {v.id: v for v in lib.videos(m.video_id for m in result.moments)} if result.moments else {}
    pictures = write_thumbs(lib, result.moments, thumbs) if thumbs is not None else {}
    if json:
        document = as_json(result, names, pictures)
        for shown, match in zip(document["moments"], found.same, strict=True):
            shown["same"] = plain(match)
        print_json(document)
    else:
        show_result(result, names, pictures)
    raise typer.Exit(0 if result.moments else 1)
