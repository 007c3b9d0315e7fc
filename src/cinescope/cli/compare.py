"""`cinescope compare`: recipes against each other on the same rows, with what each costs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinescope.cli.common import JsonOption, QuietOption, print_json, remark
from cinescope.cli.stopping import stopping
from cinescope.cli.text import bold, dim, printable, table
from cinescope.cli.training_bar import TrainingBar

if TYPE_CHECKING:
    from cinescope.api.comparison import Comparison
    from cinescope.api.recipe import Recipe


def compare(
    recipes: Annotated[
        list[str],
        typer.Argument(metavar="RECIPE...", help="YAML files, folders of them, or names of `cinescope recipes`."),
    ],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="FOLDER", help="Where the data are (default: as the recipes say).")
    ] = None,
    media: Annotated[Path | None, typer.Option("--media", metavar="FOLDER", help="Where the videos lie.")] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Where to: a folder a recipe, and the comparison.")
    ] = Path("runs/compare"),
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", min=1, help="Train each with so many seeds.")] = 3,
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", min=1, help="As many, not the recipes'.")
    ] = None,
    controls: Annotated[
        bool, typer.Option("--controls", help="Also train each input alone, and each shuffled.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in --out.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Prepare the data anew, and keep nothing.")] = False,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Train recipes on the same rows and seeds and hold them against each other: figures, time, size.

    \b
    cinescope compare hog.yaml cnn.yaml transformer.yaml --data videos
    cinescope compare hog.yaml cnn.yaml --seeds 5 -o runs/bench --resume
    cinescope compare motion   # 16 recipes that come with Cinescope, from colour to TimeSformer

    Exit status: 0 when all were measured, 1 when a recipe failed.
    """
    from cinescope.api import compare as api
    from cinescope.api import report_page
    from cinescope.api.features import cache_folder
    from cinescope.api.train import Summary, Telling
    from cinescope.training.data import Stopped

    known = _named(recipes, epochs)
    try:
        with stopping() as cancel, TrainingBar(quiet or json) as bar:
            found = api.compare(
                known,
                out,
                data=data,
                media=media,
                seeds=seeds,
                controls=controls,
                resume=resume,
                cache=None if no_cache else cache_folder().parent / "prepared",
                telling=lambda name: Telling(
                    bar.preparing,
                    lambda run, number, of, progress: bar.training(f"{name}: {run}", number, of, progress),
                ),
                say=lambda sentence: remark(f"note: {printable(sentence)}"),
                cancelled=lambda: bool(cancel),
            )
    except Stopped:
        remark("stopped; the same command with --resume goes on")
        sys.exit(130)
    for entry in found.entries:
        if not entry.failed:
            report_page.write(out / entry.name, Summary.read(out / entry.name))
    api.write(out, found)
    if json:
        print_json({**found.to_json(), "page": str(out / "compare.html")})
    elif not quiet:
        _show(found, out)
    if found.failed:
        sys.exit(1)


def _named(given: list[str], epochs: int | None) -> dict[str, Recipe]:
    """Name -> recipe; two of one name are told apart by a number."""
    from cinescope.api import recipe as recipes

    known: dict[str, Recipe] = {}
    for stem, place in (pair for one in given for pair in recipes.find_all(one).items()):
        told = recipes.load(place)
        if epochs is not None:
            told = told.model_copy(update={"train": told.train.model_copy(update={"epochs": epochs})})
        name, number = stem, 2
        while name in known:
            name, number = f"{stem}-{number}", number + 1
        known[name] = told
    return known


def _show(found: Comparison, out: Path) -> None:
    from cinescope.api.compare_page import HEADS, cells, said

    if found.metric:
        print(bold(found.metric))
    good = [[printable(c) for c in cells(found, e)] for e in found.entries if not e.failed]
    if good:
        print(table(good, ["recipe", found.metric, *HEADS[2:]], right=frozenset(range(1, len(HEADS)))))
        print(dim(said(found)))
    for entry in found.failed:
        remark(f"failed: {printable(entry.name)}: {printable(entry.failed)}")
    print(f"{printable(str(out / 'compare.html'))}: the plot; compare.md, compare.json and compare.svg beside it")
