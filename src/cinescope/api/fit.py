"""A folder into a trained model without a recipe: look, choose, cross-validate, train on everything. Knows no terminal.

The folder it writes: `recipe.yaml` (which `train` can run again), `best` (the model trained on all rows), `folds` (the
cross-validation, as `train` writes it), `summary.json` and `report.html`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.api import report, report_page
from cinescope.api import train as training
from cinescope.api.building import Preparation
from cinescope.api.check_data import guess, read_data
from cinescope.api.fit_choice import Chosen, Found, choose, look
from cinescope.api.recipe import Recipe, load, parse
from cinescope.api.train import MAIN, Summary, Telling
from cinescope.datasets.check_sources import one_source
from cinescope.datasets.checking import check
from cinescope.datasets.gathering import MEDIA, walk
from cinescope.datasets.splits import Fold
from cinescope.training.watching import Progress
from cinescope.types import BadQueryError, CinescopeError

ALL = "all rows"  # the fold of the final model: nothing is held out
RECIPE = "recipe.yaml"


@dataclass(frozen=True, slots=True)
class Fitted:
    """What came of it: figures are cross-validated, the model is trained on all rows."""

    folder: str
    reader: str
    target: str
    rows: int
    labels: tuple[str, ...]
    why: tuple[str, ...]
    warnings: tuple[str, ...]
    left_out: tuple[str, ...]  # files that cannot be read
    metrics: dict[str, float]
    watched: str
    low: float | None
    high: float | None
    folds: int
    checkpoint: str
    recipe: str
    report: str
    seconds: float
    summary: dict[str, Any] = field(default_factory=dict)


def fit(
    folder: Path,
    out: Path,
    *,
    reader: str = "",
    target: str = "",
    media: Path | None = None,
    folds: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    resume: bool = False,
    cache: Path | None = None,
    telling: Telling | None = None,
    cancelled: Callable[[], bool] | None = None,
    **settings: Any,
) -> Fitted:
    """Look at a folder, choose a recipe, measure it by cross-validation, train it on all rows into `out`/best.

    `minutes` is a budget for the training: epochs and folds are cut to fit. `settings` are the reader's own.
    BadQueryError where there is nothing to learn; `training.data.Stopped` when cancelled.
    """
    began = time.monotonic()
    telling = telling or Telling()
    say = telling.saying or (lambda sentence: None)
    if not resume and (out / "best").exists():
        raise CinescopeError(f"'{out}' holds a model already", "give another --out, or --resume to go on with it")
    name = reader or _known(folder)
    dataset = read_data(folder, name, media=media, **settings)
    preparing = telling.preparing
    found = look(dataset, target, None if preparing is None else lambda d, of: preparing("looking at the files", d, of))
    warnings = _warnings(found)
    chosen = choose(found, folder.resolve().stem, name, folder, settings, media, folds, seed)
    going_on = resume and (out / RECIPE).exists()
    # A budget gives another recipe each time it is measured: what was begun is gone on with.
    recipe = load(out / RECIPE) if going_on else parse(chosen.recipe, "the chosen recipe")
    for sentence in [f"note: {w}" for w in warnings] + ([] if going_on else chosen.why):
        say(sentence)
    preparation = Preparation(recipe, found.dataset, cache, preparing)
    whole = Fold(ALL, found.dataset.examples, (), ())
    if minutes is not None and not going_on:
        recipe = _within(recipe, preparation, whole, 60 * minutes - (time.monotonic() - began), chosen, say)
    if not going_on:
        recipe = recipe.model_copy(update={"about": f"{recipe.about[:-1]}: {'; '.join(chosen.why)}."})
    out.mkdir(parents=True, exist_ok=True)
    _write_recipe(out, recipe)
    summary = training.run(
        recipe, out / "folds", resume=resume, cache=cache, cancelled=cancelled, dataset=found.dataset,
        telling=telling,
    )  # fmt: skip
    ready = Preparation(recipe, found.dataset, cache, preparing).ready(whole, seed)
    watch = telling.training
    training.train_one(
        ready, MAIN, seed, out, out, resume,
        None if watch is None else lambda progress: watch("the model, on all rows", 1, 1, progress), cancelled,
    )  # fmt: skip
    return _told(found, chosen, warnings, summary, recipe, out, name, began)


def _known(folder: Path) -> str:
    """The reader of a folder. BadQueryError says what is missing where none knows it."""
    if not folder.exists():
        raise BadQueryError(f"there is no '{folder}'", "give a folder of labelled clips, or a table")
    try:
        return guess(folder)
    except BadQueryError as error:
        if "--as" in error.do and "holds the files of" in error.what:
            raise
        if folder.is_file():
            raise
        there = walk(folder, MEDIA)
        if not there:
            raise BadQueryError(
                f"'{folder}' holds no videos, sounds or pictures, and no table of them",
                "make a folder for each class: FOLDER/class/clip.mp4",
            ) from error
        raise BadQueryError(
            f"'{folder}' holds {len(there):,} files of media and nothing that says what they are",
            "put them into a folder for each class (FOLDER/class/clip.mp4), or write a CSV with path and label",
        ) from error


def _warnings(found: Found) -> list[str]:
    """What ruins results, as far as it can be seen without decoding; and what was left out."""
    said = []
    if found.broken:
        first = found.broken[0]
        some = ", ".join(m.key for m in found.broken[:5]) + (" ..." if len(found.broken) > 5 else "")
        said.append(f"{len(found.broken):,} files cannot be read and are left out ({some}): {first.why}")
    if found.unlabelled:
        said.append(f"{found.unlabelled:,} rows have no {found.target} and are left out")
    faults = check(found.dataset, media=0).faults
    said += [f.sentence for f in faults if f.severity == "ruinous"]
    if found.dataset.targets[found.target].kind == "class":
        said += [f"{f.sentence}: {f.do}" for f in one_source(found.dataset, found.target, found.headers)]
    return said


def _within(
    recipe: Recipe, preparation: Preparation, whole: Fold, left: float, chosen: Chosen, say: Callable[[str], object]
) -> Recipe:
    """The recipe cut to a budget in seconds: one epoch is timed, then controls, folds (3 at least), epochs (10 at
    least), and at last folds and epochs again give way in this order."""
    import tempfile

    began = time.monotonic()
    ready = preparation.ready(whole, recipe.train.seed)
    at: list[float] = []  # seconds, after each step

    def watch(progress: Progress) -> None:
        if progress.step > len(at):
            at.append(progress.seconds)

    one = recipe.model_copy(update={"train": recipe.train.model_copy(update={"epochs": 1})})
    tried = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        training.train_one(
            replace(ready, recipe=one), MAIN, recipe.train.seed, Path(work), Path(work), False, watch, None
        )
    # The first step is slower than all others: it is no measure of an epoch.
    step = float(np.median(np.diff(at))) if len(at) > 1 else at[-1]
    epoch = max(step * len(at), 1e-3)
    once = max(time.monotonic() - tried - epoch, 0.0)  # of each training: measuring and saving
    left -= time.monotonic() - began
    count, epochs, controls = recipe.split.count, recipe.train.epochs, recipe.controls
    variants = len(training.variants_of(recipe, controls))

    def room() -> int:
        """Epochs that fit. A fold trains on all rows but its own."""
        return int((left - once * (count * variants + 1)) / (epoch * ((count - 1) * variants + 1)))

    if room() < epochs and variants > 1:
        controls, variants = False, 1
    for fewest, least in ((3, min(10, epochs)), (2, 1)):
        while room() < epochs and count > fewest:
            count -= 1
        epochs = max(least, min(epochs, room()))
    if (count, epochs, controls) == (recipe.split.count, recipe.train.epochs, recipe.controls):
        return recipe
    cut = "" if controls == recipe.controls else ", no controls"
    sentence = f"to keep within the minutes given: {epochs} epochs, {count} folds{cut}"
    chosen.why.append(sentence)
    say(sentence)
    return recipe.model_copy(
        update={
            "split": recipe.split.model_copy(update={"count": count}),
            "train": recipe.train.model_copy(update={"epochs": epochs}),
            "controls": controls,
        }
    )


def _write_recipe(out: Path, recipe: Recipe) -> None:
    import yaml

    text = yaml.safe_dump(
        recipe.model_dump(mode="json", exclude_defaults=True),
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=None,
    )
    (out / RECIPE).write_text(f"# cinescope train {RECIPE}\n{text}", encoding="utf-8")


def _told(
    found: Found, chosen: Chosen, warnings: list[str], summary: Summary, recipe: Recipe, out: Path, reader: str,
    began: float,
) -> Fitted:  # fmt: skip
    notes = [*warnings, *summary.notes, f"the figures are of {recipe.split.count} folds; the model in this folder is "
             "trained on all rows and was measured on none"]  # fmt: skip
    moved = [replace(r, folder=f"folds/{r.folder}") for r in summary.results]
    summary = replace(summary, results=moved, notes=notes)
    (out / "summary.json").write_text(json.dumps(asdict(summary), indent=1, ensure_ascii=False), encoding="utf-8")
    page = report_page.write(out, summary)
    row = report.rows_of(summary, out)[0]
    return Fitted(
        str(out), reader, found.target, found.rows, found.dataset.targets[found.target].labels, tuple(chosen.why),
        tuple(warnings), tuple(m.key for m in found.broken), row.metrics, summary.watched, row.low, row.high,
        recipe.split.count, str(out / "best"), str(out / RECIPE), str(page), round(time.monotonic() - began, 1),
        summary.to_json(),
    )  # fmt: skip
