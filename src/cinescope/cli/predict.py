"""`cinescope predict`: what a trained model says of new files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, QuietOption, print_json, remark
from cinescope.cli.progress_bar import Bar
from cinescope.cli.text import printable
from cinescope.types import BadQueryError, format_time, parse_time


def predict(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A folder that train or fit wrote.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE...]", help="Videos, sounds, pictures; tables (.csv, .tsv, .jsonl), row by row."),
    ] = None,
    text: Annotated[str, typer.Option("--text", metavar="WORDS", help="What is said, for models that read.")] = "",
    whole: Annotated[bool, typer.Option("--whole", help="Look at each file at once, however long.")] = False,
    window: Annotated[
        str | None, typer.Option("--window", metavar="SECONDS", help="Look so far at once (default: as in training).")
    ] = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """What a model says of new files, stretch by stretch; of tables, row by row; of a text.

    \b
    cinescope predict runs/mine new.mp4
    cinescope predict runs/mine *.mp4 --whole --json
    cinescope predict runs/words --text "what a lovely day"
    cinescope predict runs/words new.csv
    """
    from cinescope.api import trained

    length = None if window is None else parse_time(window)
    if length is not None and length <= 0:
        raise BadQueryError(f"a window of '{window}' holds nothing", "give seconds above 0")
    with Bar("reading", quiet or json) as bar:
        made = trained.predict(checkpoint, files or [], text, whole, length, lambda name, done, of: bar(done, of))
    if json:
        print_json({"checkpoint": str(checkpoint), "predictions": made})
        return
    for one in made:
        place = [printable(Path(one.file).name), printable(one.row)]
        if one.span is not None:
            place.append(f"{format_time(one.span.start, 2)} to {format_time(one.span.end, 2)}")
        what = "nothing to go by" if one.score is None else f"{one.label or 'score'} {one.score:.2f}"
        print("  ".join([*filter(None, place), printable(what)]))
    absent = sorted({role for one in made for role in one.absent if one.score is not None})
    if absent:
        which = "rows" if any(one.row for one in made) else "stretches"
        remark(f"note: some {which} have no {' and no '.join(absent)}; the model went by the rest")
