"""`cinescope fit`: a folder of labelled clips into a model, without a recipe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinescope.cli.common import JsonOption, QuietOption, count, human_time, print_json, remark
from cinescope.cli.stopping import stopping
from cinescope.cli.text import bold, dim, printable
from cinescope.cli.training_bar import TrainingBar

if TYPE_CHECKING:
    from cinescope.api.fit import Fitted


def fit(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="class/clip.mp4, class/picture.jpg, a table, or a known dataset.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where to (default: runs/NAME).")
    ] = None,
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Which dataset it is (default: known by its files).")
    ] = "",
    target: Annotated[str, typer.Option("--target", metavar="NAME", help="Which label, where there are several.")] = "",
    media: Annotated[Path | None, typer.Option("--media", metavar="FOLDER", help="Where the videos lie.")] = None,
    folds: Annotated[
        int | None,
        typer.Option("--folds", metavar="N", min=2, help="Parts of the cross-validation (default: by size)."),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", metavar="N", min=0.05, help="Stay within about so many.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed gives the same model.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Look at a folder of labelled clips, choose what suits it, say why, measure it fairly, and train a model.

    \b
    cinescope fit clips
    cinescope predict runs/clips new.mp4
    cinescope fit rows.csv --target emotion --minutes 10 -o runs/emotion

    The figures are cross-validated; the model is then trained on all rows. recipe.yaml beside it is for you to change.
    """
    from cinescope.api import fit as api
    from cinescope.api.features import cache_folder
    from cinescope.api.train import Telling
    from cinescope.training.data import Stopped

    place = out or Path("runs") / (folder.resolve().stem or "fit")
    try:
        with stopping() as cancel, TrainingBar(quiet or json) as bar:
            made = api.fit(
                folder,
                place,
                reader=name,
                target=target,
                media=media,
                folds=folds,
                minutes=minutes,
                seed=seed,
                resume=resume,
                cache=cache_folder().parent / "prepared",
                telling=Telling(bar.preparing, bar.training, bar.saying),
                cancelled=lambda: bool(cancel),
            )
    except Stopped:
        remark(f"stopped; go on with: cinescope fit {printable(str(folder))} -o {printable(str(place))} --resume")
        sys.exit(130)
    if json:
        print_json(made)
    elif not quiet:
        _show(made)


def _show(made: Fitted) -> None:
    from cinescope.api.report import within

    what = f"{count(made.rows, 'row')} of {printable(made.reader)}"
    classes = f", {len(made.labels)} classes" if made.labels else ""
    print(bold(f"{what}{classes}, to tell {printable(made.target)}"))
    spread = ""
    if made.low is not None and made.high is not None:
        low, high = within(made.watched, made.low, made.high)
        spread = f" ({low:.3f} to {high:.3f} over {made.folds} folds)"
    others = ", ".join(f"{n} {v:.3f}" for n, v in made.metrics.items() if n != made.watched)
    print(bold(f"{made.watched} {made.metrics[made.watched]:.3f}{spread}") + f"  {dim(others)}")
    print(dim(f"  {human_time(made.seconds)} in all"))
    place = printable(made.folder)
    print(f"\n{printable(made.report)}: what it earned, and its mistakes to look at")
    print(f"{printable(made.recipe)}: the recipe, to change and train again")
    new = {"csv_file": "NEW.csv", "jsonl_file": "NEW.jsonl"}.get(made.reader, "NEW.mp4")
    print(f"cinescope predict {place} {new}")
