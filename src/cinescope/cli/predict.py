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
    files: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Videos, sounds or pictures.")],
    text: Annotated[str, typer.Option("--text", metavar="WORDS", help="What is said, for models that read.")] = "",
    whole: Annotated[bool, typer.Option("--whole", help="Look at each file at once, however long.")] = False,
    window: Annotated[
        str | None, typer.Option("--window", metavar="SECONDS", help="Look so far at once (default: as in training).")
    ] = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """What a model says of new files, stretch by stretch.

    \b
    cinescope predict runs/mine new.mp4
    cinescope predict runs/mine *.mp4 --whole --json
    """
    from cinescope.api import trained

    length = None if window is None else parse_time(window)
    if length is not None and length <= 0:
        raise BadQueryError(f"a window of '{window}' holds nothing", "give seconds above 0")
    with Bar("reading", quiet or json) as bar:
        made = trained.predict(checkpoint, files, text, whole, length, lambda name, done, of: bar(done, of))
    if json:
        print_json({"checkpoint": str(checkpoint), "predictions": made})
        return
    for one in made:
        where = f"{format_time(one.span.start, 2)} to {format_time(one.span.end, 2)}"
        what = f"{one.label or 'score'} {one.score:.2f}"
        print(f"{printable(Path(one.file).name)}  {where}  {printable(what)}")
    absent = sorted({role for one in made for role in one.absent})
    if absent:
        remark(f"note: some stretches have no {' and no '.join(absent)}; the model went by the rest")
