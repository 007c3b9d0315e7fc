"""`cinescope train`: a recipe into trained models, with the controls that say what each input earned."""

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
    from cinescope.api.train import Summary

SeedsOption = Annotated[
    int, typer.Option("--seeds", metavar="N", min=1, help="Train with so many seeds, for an interval.")
]


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A YAML file, or a name from `cinescope recipes`.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="Where the data are (default: as the recipe says).")
    ] = None,
    media: Annotated[Path | None, typer.Option("--media", metavar="FOLDER", help="Where the videos lie.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where to (default: runs/NAME).")
    ] = None,
    seeds: SeedsOption = 1,
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", min=1, help="As many, not the recipe's.")
    ] = None,
    no_controls: Annotated[
        bool, typer.Option("--no-controls", help="Only the model: no input alone, none shuffled.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Prepare the data anew, and keep nothing.")] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Train what a recipe says; several inputs are also trained one by one and shuffled, to see what each earns.

    \b
    cinescope recipes
    cinescope train spoken_digits --data recordings
    cinescope train mine.yaml --seeds 3 -o runs/mine
    cinescope train mine.yaml -o runs/mine --resume
    torchrun --nproc-per-node 2 -m cinescope train mine.yaml

    Ctrl-C stops after the step and saves; --resume goes on as if it had not been stopped.
    """
    from cinescope.api import recipe as recipes
    from cinescope.api import report_page
    from cinescope.api import train as api
    from cinescope.api.features import cache_folder
    from cinescope.training import ranks
    from cinescope.training.data import Stopped

    told = recipes.load(recipe)
    if epochs is not None:
        told = told.model_copy(update={"train": told.train.model_copy(update={"epochs": epochs})})
    place = out or Path("runs") / Path(recipe).stem
    first = told.train.seed
    try:
        with stopping() as cancel, TrainingBar(quiet or json) as bar:
            summary = api.run(
                told,
                place,
                data=data,
                media=media,
                seeds=range(first, first + seeds),
                controls=False if no_controls else None,
                resume=resume,
                cache=None if no_cache else cache_folder().parent / "prepared",
                telling=api.Telling(bar.preparing, bar.training),
                cancelled=lambda: bool(cancel),
            )
    except Stopped:
        remark(f"stopped; go on with: cinescope train {printable(recipe)} -o {printable(str(place))} --resume")
        sys.exit(130)
    if not ranks.is_first():
        return
    page = report_page.write(place, summary)
    if json:
        print_json({**summary.to_json(), "report": str(page)})
        return
    if not quiet:
        show(summary, place)
        print(f"\n{printable(str(page))}: curves, confusion, mistakes to look at")


def show(summary: Summary, folder: Path) -> None:
    """A line a variant: the watched metric, its interval over runs, and what else was measured."""
    from cinescope.api.report import remarks, rows_of, within

    for sentence in remarks(summary):
        remark(f"note: {printable(sentence)}")
    watched = summary.watched
    print(bold(f"{printable(summary.name)}: {watched} on {summary.results[0].measured_on}"))
    for row in rows_of(summary, folder):
        interval = ""
        if row.low is not None and row.high is not None:
            low, high = within(watched, row.low, row.high)
            interval = f"  {low:.3f} to {high:.3f} over {row.over}"
        others = ", ".join(f"{n} {v:.3f}" for n, v in row.metrics.items() if n != watched)
        print(f"  {row.variant:24} {row.metrics[watched]:.3f}{interval}  {dim(others)}")
        if row.compared:
            print(f"  {'':24} {dim(row.compared)}")
    main = summary.of("main")
    size = main[0].parameters
    print(
        dim(
            f"  {count(len(main), 'model')} of {size:,} numbers, {human_time(sum(r.seconds for r in main))} of training"
        )
    )
