"""A recipe into trained models: folds, seeds, and the controls that say what each modality earned. Knows no terminal.

A run's folder: `recipe.yaml`, `summary.json`, and for each fold, seed and variant a folder with `best` (a checkpoint),
`last` (training can go on from it), `log.jsonl`, `predictions.jsonl` and `result.json`; the model itself also has
`examples.jsonl`, where each measured row is to be found. A variant is the model itself ("main"), one input alone
("only sound") or one input dealt out among the rows ("shuffled sound").
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cinescope import __version__
from cinescope.api.answers import kind_of, rows_said
from cinescope.api.building import Preparation, Ready, folds_of, make_task, open_dataset, restrict, shuffle
from cinescope.api.mistakes import worst, write_examples
from cinescope.api.recipe import Recipe
from cinescope.api.recipe_parts import check_parts
from cinescope.datasets.example import Dataset
from cinescope.datasets.rows import UNKNOWN, Ragged, Rows
from cinescope.datasets.sampling import Sampler
from cinescope.models.size import check_size
from cinescope.training import ranks
from cinescope.training.data import Data, History
from cinescope.training.loop import evaluate, train
from cinescope.training.settings import TrainSettings
from cinescope.training.watching import Progress
from cinescope.types import CinescopeError, MissingPartError

MAIN = "main"


@dataclass(frozen=True, slots=True)
class Telling:
    """What a run tells: preparing (what, done, of), and training (which run, how many there are, progress)."""

    preparing: Callable[[str, int, int], object] | None = None
    training: Callable[[str, int, int, Progress], object] | None = None
    saying: Callable[[str], object] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One trained model, measured on the rows that it never saw (the watched rows where nothing is held out)."""

    variant: str
    fold: str
    seed: int
    folder: str
    measured_on: str  # "test", or "val" where nothing is held out: then it is no honest test, and is said so
    metrics: dict[str, float]
    rows: int
    parameters: int
    epochs: int
    best_epoch: int
    seconds: float  # of training
    trained_on: int = 0  # rows
    answer_seconds: float = 0.0  # for all rows that were measured, from prepared inputs


@dataclass(frozen=True, slots=True)
class Summary:
    """All results of a run."""

    name: str
    watched: str  # the metric that counts
    higher_is_better: bool
    results: list[Result] = field(default_factory=list)
    missing: int = 0  # rows whose media are not there
    absent: dict[str, int] = field(default_factory=dict)  # input -> rows without a step of it
    about: str = ""
    data: str = ""  # the dataset
    version: str = ""  # of Cinescope
    task: str = ""
    target: str = ""
    labels: list[str] = field(default_factory=list)
    unit: str = ""  # of a score
    inputs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # of the reader of the data

    def of(self, variant: str) -> list[Result]:
        return [r for r in self.results if r.variant == variant]

    def variants(self) -> list[str]:
        return list(dict.fromkeys(r.variant for r in self.results))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, folder: Path) -> Summary:
        """Of a run that has ended. MissingPartError where there is none."""
        place = folder / "summary.json"
        try:
            told = json.loads(place.read_text(encoding="utf-8"))
            return cls(**{**told, "results": [Result(**r) for r in told["results"]]})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise MissingPartError(
                f"'{folder}' holds no run that has ended", "name the --out of `cinescope train`, or let it go on"
            ) from error


def run(
    recipe: Recipe,
    out: Path,
    *,
    data: Path | None = None,
    media: Path | None = None,
    seeds: Sequence[int] | None = None,
    controls: bool | None = None,
    resume: bool = False,
    cache: Path | None = None,
    telling: Telling | None = None,
    cancelled: Callable[[], bool] | None = None,
    dataset: Dataset | None = None,
) -> Summary:
    """Train every fold, seed and variant of a recipe into `out`; with `resume`, what is done is not done again.

    Raises CinescopeError where the recipe, the data or the disk is at fault, `training.data.Stopped` when cancelled.
    """
    telling = telling or Telling()
    check_parts(recipe)
    ranks.start()
    _make_folder(out, recipe, resume)
    held = dataset or open_dataset(recipe, data, media)
    preparation = Preparation(recipe, held, cache, telling.preparing)
    chosen = list(seeds) if seeds is not None else [recipe.train.seed]
    folds = folds_of(recipe, held, recipe.train.seed)
    variants = variants_of(recipe, recipe.controls if controls is None else controls)
    of = len(folds) * len(chosen) * len(variants)
    summary: Summary | None = None
    number = 0
    for fold in folds:
        ready: Ready | None = None
        for seed in chosen:
            for variant in variants:
                number += 1
                place = out / _folder(variant, fold.name if len(folds) > 1 else "", seed if len(chosen) > 1 else None)
                done = _done(place) if resume else None
                if done is None:
                    ready = ready or preparation.ready(fold, seed)
                    name = f"{variant}, {fold.name}, seed {seed}" if of > 1 else recipe.name
                    watch = None if telling.training is None else _watcher(telling.training, name, number, of)
                    done = train_one(ready, variant, seed, place, out, resume, watch, cancelled)
                if summary is None:
                    summary = _begun(recipe, held, make_task(recipe))
                summary.results.append(done)
    assert summary is not None
    before = _before(out) if resume else None
    absent = preparation.absent() or (before.absent if before is not None and preparation.untouched else {})
    summary = replace(summary, absent=absent)
    if ranks.is_first():
        _write_json(out / "summary.json", summary.to_json())
    ranks.wait()
    return summary


def _before(out: Path) -> Summary | None:
    """What was told when the run ended the last time."""
    try:
        return Summary.read(out)
    except MissingPartError:
        return None


def _begun(recipe: Recipe, dataset: Dataset, task: Any) -> Summary:
    """A run without a result yet: what was told of it."""
    target = recipe.task.target
    kind = dataset.targets.get(target)
    return Summary(
        recipe.name, task.best, task.higher_is_better, [], len(dataset.missing),
        about=recipe.about, data=dataset.name, version=__version__, task=recipe.task.name, target=target,
        labels=list(kind.labels) if kind else [], unit=kind.unit if kind else "", inputs=list(recipe.inputs),
        notes=list(dataset.notes),
    )  # fmt: skip


def variants_of(recipe: Recipe, controls: bool) -> list[str]:
    """The model, and with several inputs: each alone and each shuffled."""
    roles = list(recipe.inputs)
    if not controls or len(roles) < 2:
        return [MAIN]
    return [MAIN, *[f"only {r}" for r in roles], *[f"shuffled {r}" for r in roles]]


def variant_of(ready: Ready, variant: str, seed: int) -> Ready:
    kind, _, role = variant.partition(" ")
    if kind == "only":
        return restrict(ready, [role])
    return shuffle(ready, role, seed) if kind == "shuffled" else ready


def train_one(
    ready: Ready, variant: str, seed: int, place: Path, out: Path, resume: bool,
    watch: Callable[[Progress], object] | None, cancelled: Callable[[], bool] | None,
) -> Result:  # fmt: skip
    """Train one variant of one fold into `place` and measure it; the result's folder is told from `out`."""
    ready = variant_of(ready, variant, seed)
    told = ready.recipe.train.model_dump()
    settings = TrainSettings(**{**told, "seed": seed})
    spec = ready.spec()
    check_size(spec)
    model = spec.build(seed)
    source = ready.source(ready.train)
    target = ready.recipe.task.target
    labels = source.labels(target) if settings.balanced else None
    lengths = source.lengths if settings.bucketed and len(np.unique(source.lengths)) > 1 else None
    order = Sampler(len(ready.train), settings.batch, seed, True, lengths, labels, settings.drop_last)
    val = ready.source(ready.val) if len(ready.val) else None
    began = time.monotonic()
    history = train(
        model, ready.task, Data(source, order, val), settings, place, ready.about(spec, seed),
        resume=resume, tell=watch, cancelled=cancelled,
    )  # fmt: skip
    measured_on = "test" if len(ready.test) else "val" if len(ready.val) else "train"
    rows = {"test": ready.test, "val": ready.val, "train": ready.train}[measured_on]
    asked = time.monotonic()
    answers = evaluate(model, ready.task, ready.source(rows), settings.batch, settings.precision)
    answered = time.monotonic() - asked
    metrics = measure(ready.task, answers, rows)
    result = Result(
        variant, ready.fold.name, seed, os.path.relpath(place, out), measured_on, metrics, len(rows),
        sum(p.numel() for p in model.parameters()), len(history.entries), history.best_epoch,
        round(_seconds(history, time.monotonic() - began), 2), len(ready.train), round(answered, 4),
    )  # fmt: skip
    if ranks.is_first():
        write_predictions(place / "predictions.jsonl", rows, answers, target)
        if variant == MAIN:
            lines = read_predictions(place / "predictions.jsonl")
            examples = {"test": ready.fold.test, "val": ready.fold.val, "train": ready.fold.train}[measured_on]
            write_examples(place, examples, [r.key for r in worst(rows_said(lines), kind_of(lines))])
        _write_json(place / "result.json", asdict(result))
    ranks.wait()
    return result


def measure(task: Any, answers: Sequence[Mapping[str, Any]], rows: Rows) -> dict[str, float]:
    """The task's metrics over all rows at once."""
    targets = {n: [t[i][0] for i in range(len(t))] if isinstance(t, Ragged) else t for n, t in rows.targets.items()}
    return {name: float(value) for name, value in task.metrics(answers, targets).items()}


def write_predictions(place: Path, rows: Rows, answers: Sequence[Mapping[str, Any]], target: str) -> None:
    """A line a row: its key, what was to be told and what was told."""
    values = rows.targets.get(target)
    with open(place, "w", encoding="utf-8") as out:
        for i, answer in enumerate(answers):
            true = None if values is None else values[i][0] if isinstance(values, Ragged) else values[i]
            line = {"key": rows.keys[i], "group": rows.groups[i] if rows.groups else "", "target": _plain(true)}
            out.write(json.dumps({**line, **{k: v for k, v in answer.items() if k != "key"}}) + "\n")


def read_predictions(place: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in place.read_text(encoding="utf-8").splitlines()]


def _plain(value: Any) -> Any:
    made = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(made, float) and math.isnan(made):
        return None
    return None if made == UNKNOWN else made


def _seconds(history: History, now: float) -> float:
    return history.seconds or now


def _watcher(
    tell: Callable[[str, int, int, Progress], object], name: str, number: int, of: int
) -> Callable[[Progress], object]:
    return lambda progress: tell(name, number, of, progress)


def _folder(variant: str, fold: str, seed: int | None) -> str:
    parts = [fold.replace(" ", "-").replace("/", "_")] if fold else []
    parts += [f"seed-{seed}"] if seed is not None else []
    return "/".join([*parts, variant.replace(" ", "-")])


def _done(place: Path) -> Result | None:
    try:
        return Result(**json.loads((place / "result.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _make_folder(out: Path, recipe: Recipe, resume: bool) -> None:
    import yaml

    if not ranks.is_first():
        return
    told = out / "recipe.yaml"
    text = yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    if resume and told.exists() and told.read_text(encoding="utf-8") != text:
        raise CinescopeError(
            f"the run in '{out}' was begun with another recipe", "resume with that one, or give another --out"
        )
    if not resume and any(out.glob("**/result.json")):
        raise CinescopeError(f"'{out}' holds a run already", "give another --out, or --resume to go on with it")
    out.mkdir(parents=True, exist_ok=True)
    told.write_text(text, encoding="utf-8")


def _write_json(place: Path, value: Any) -> None:
    work = place.with_name(f".{place.name}.new")
    work.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
    os.replace(work, place)
