"""`cinescope evaluate`: a checkpoint measured again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cinescope.cli.common import JsonOption, QuietOption, print_json, remark
from cinescope.cli.progress_bar import Bar
from cinescope.cli.text import bold, printable

# Parts that a model has met before it is measured on them, and what its figures there are worth.
SEEN = {
    "train": "the model was trained on these rows, so the figures mean nothing",
    "val": "these rows chose the epoch, so the figures flatter",
}


def evaluate(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="A folder that train or fit wrote.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="Where the data are (default: as in training).")
    ] = None,
    media: Annotated[Path | None, typer.Option("--media", metavar="FOLDER", help="Where the videos lie.")] = None,
    split: Annotated[str, typer.Option("--split", metavar="PART", help="test, val, train, or as published.")] = "test",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Each row's answer, as JSON lines.")
    ] = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Measure a trained model on the rows that were held out when it was trained.

    \b
    cinescope evaluate runs/mine --data videos
    cinescope evaluate runs/mine/main/best --split val --out answers.jsonl
    """
    from cinescope.api import trained

    with Bar("preparing", quiet or json) as bar:
        made = trained.evaluate(checkpoint, data, split, media, out, bar)
    if json:
        print_json(made)
        return
    if split in SEEN:
        remark(f"note: {SEEN[split]}")
    print(bold(f"{printable(str(checkpoint))}: {made.rows:,} rows of '{printable(split)}'"))
    for name, value in made.metrics.items():
        print(f"  {name:16} {value:.4f}")
