"""Recipes against each other on the same rows, folds and seeds: figures, differences, and what each costs.

Knows recipes and runs; knows no terminal. A folder for each recipe (a run, as `train` writes it), and beside them
`compare.json`, `compare.md`, `compare.svg` and `compare.html`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cinescope.api import train as training
from cinescope.api.answers import difference, interval, statistic_of
from cinescope.api.building import folds_of, open_dataset
from cinescope.api.compare_page import write
from cinescope.api.comparison import Comparison, Entry
from cinescope.api.recipe import Recipe
from cinescope.api.recipe_parts import check_parts
from cinescope.api.report import Told, told_of
from cinescope.api.train import MAIN, Result, Summary, Telling
from cinescope.datasets.example import Dataset
from cinescope.metrics.compare import Interval, over_seeds, t_interval
from cinescope.types import BadQueryError, CinescopeError

_TIMED = 8  # rows by which the time from a file to an answer is measured


def compare(
    recipes: Mapping[str, Recipe],
    out: Path,
    *,
    data: Path | None = None,
    media: Path | None = None,
    seeds: int = 3,
    controls: bool = False,
    resume: bool = False,
    cache: Path | None = None,
    telling: Callable[[str], Telling] | None = None,
    say: Callable[[str], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Comparison:
    """Train every recipe with `seeds` seeds into a folder of `out` and hold the answers against each other, row by row.

    BadQueryError before anything is trained where the recipes' held-out rows differ. A recipe that fails is told by
    `say` and kept as failed; the others go on. `training.data.Stopped` when cancelled.
    """
    failed: dict[str, str] = {}
    datasets, held = _opened(recipes, data, media, failed, say)
    folds, rows = _same_rows(held)
    numbers = tuple(range(seeds))
    summaries: dict[str, Summary] = {}
    for name, dataset in datasets.items():
        recipe = recipes[name]
        first = recipe.train.seed
        try:
            summaries[name] = training.run(
                recipe, out / name, data=data, media=media, seeds=[first + s for s in numbers], controls=controls,
                resume=resume, cache=cache, telling=telling(name) if telling else None, cancelled=cancelled,
                dataset=dataset,
            )  # fmt: skip
        except (CinescopeError, RuntimeError, ValueError, MemoryError) as error:
            failed[name] = _said(error)
            if say is not None:
                say(f"'{name}' failed: {failed[name]}")
    made = _held_together(recipes, out, summaries, datasets, failed)
    found = Comparison(
        made[0], made[1], rows, folds, tuple(next(iter(recipes.values())).train.seed + s for s in numbers), made[2]
    )
    write(out, found)
    return found


def _opened(
    recipes: Mapping[str, Recipe],
    data: Path | None,
    media: Path | None,
    failed: dict[str, str],
    say: Callable[[str], object] | None,
) -> tuple[dict[str, Dataset], dict[str, dict[str, set[str]]]]:
    """The data of each recipe, read once where several read the same; and fold -> keys of the rows it holds out."""
    known: dict[str, Dataset] = {}
    found: dict[str, Dataset] = {}
    held: dict[str, dict[str, set[str]]] = {}
    for name, recipe in recipes.items():
        what = recipe.data.model_dump_json()
        try:
            check_parts(recipe)
            if what not in known:
                known[what] = open_dataset(recipe, data, media)
            folds = folds_of(recipe, known[what], recipe.train.seed)
            held[name] = {fold.name: {e.key for e in fold.test or fold.val or fold.train} for fold in folds}
            found[name] = known[what]
        except CinescopeError as error:
            failed[name] = _said(error)
            if say is not None:
                say(f"'{name}' failed: {failed[name]}")
    if not found:
        raise CinescopeError(f"no recipe could read its data: {next(iter(failed.values()))}", "see --data")
    return found, held


def _same_rows(held: Mapping[str, Mapping[str, set[str]]]) -> tuple[int, int]:
    """How many folds and held-out rows all have. BadQueryError names the first recipe whose rows are others."""
    leader, first = next(iter(held.items()))
    for name, own in held.items():
        if own != first:
            mine, theirs = set().union(*own.values()), set().union(*first.values())
            other = sorted(mine ^ theirs)
            what = (
                f"{len(other):,} rows are in one and not in the other, such as '{other[0]}'"
                if other
                else f"the rows are dealt out otherwise, in {len(own)} and {len(first)} folds"
            )
            raise BadQueryError(
                f"'{name}' and '{leader}' are not measured on the same rows: {what}",
                "give the recipes the same data, split and train.seed",
            )
    return len(first), len(set().union(*first.values()))


def _held_together(
    recipes: Mapping[str, Recipe],
    out: Path,
    summaries: Mapping[str, Summary],
    datasets: Mapping[str, Dataset],
    failed: Mapping[str, str],
) -> tuple[str, bool, tuple[Entry, ...]]:
    """(metric, whether higher is better, entries)."""
    lost = [Entry(name, failed=failed[name]) for name in recipes if name in failed]
    if not summaries:
        return "", True, tuple(lost)
    first = next(iter(summaries.values()))
    metric, sign = first.watched, 1 if first.higher_is_better else -1
    told = {name: told_of(summary.of(MAIN), out / name) for name, summary in summaries.items()}
    entries = []
    for name, summary in summaries.items():
        results = summary.of(MAIN)
        if any(metric not in r.metrics for r in results):
            lost.append(Entry(name, failed=f"it was not measured by {metric}, as '{next(iter(summaries))}' was"))
            continue
        entries.append(_entry(name, summary, metric, out / name, told[name], datasets[name]))
    entries.sort(key=lambda e: -sign * e.value)
    best = entries[0].name
    found = [
        e if e.name == best else _against(e, best, summaries, told, metric)
        for e in entries
    ]  # fmt: skip
    return metric, first.higher_is_better, (*found, *lost)


def _entry(name: str, summary: Summary, metric: str, folder: Path, told: Told, dataset: Dataset) -> Entry:
    results = summary.of(MAIN)
    values = list(_figures(results, metric).values())
    statistic = statistic_of(told.kind, metric)
    if len(values) > 1:
        folds = len({r.fold for r in results}) > 1
        found, over = t_interval(values), f"{len(values)} {'folds' if folds else 'seeds'}"
    elif statistic is not None and told.rows:
        found, over = interval(told.rows, statistic), f"{len(told.rows):,} rows"
    else:
        found, over = Interval(values[0], math.nan, math.nan), ""
    best = folder / results[0].folder / "best"
    return Entry(
        name, float(np.mean(values)), found.low, found.high, over,
        {m: float(np.mean([r.metrics[m] for r in results])) for m in results[0].metrics},
        float(np.mean([r.seconds for r in results])),
        _row_seconds(best, folder / results[0].folder, dataset, results[0]),
        results[0].parameters, sum(p.stat().st_size for p in best.glob("*") if p.is_file()),
    )  # fmt: skip


def _figures(results: Sequence[Result], metric: str) -> dict[str, float]:
    """Fold -> its figure, the mean over seeds; seed -> its figure where there is one fold."""
    folds = len({r.fold for r in results}) > 1
    found: dict[str, list[float]] = {}
    for result in results:
        found.setdefault(result.fold if folds else str(result.seed), []).append(result.metrics[metric])
    return {name: float(np.mean(v)) for name, v in found.items()}


def _against(entry: Entry, best: str, summaries: Mapping[str, Summary], told: Mapping[str, Told], metric: str) -> Entry:
    """The entry with its difference to the best one: over rows, and over seeds (folds)."""
    statistic = statistic_of(told[entry.name].kind, metric)
    by_rows = difference(told[entry.name].rows, told[best].rows, statistic) if statistic is not None else None
    mine, theirs = (_figures(summaries[n].of(MAIN), metric) for n in (entry.name, best))
    both = [k for k in mine if k in theirs]
    if len(both) < 2:
        return replace(entry, by_rows=by_rows)
    found = over_seeds([mine[k] for k in both], [theirs[k] for k in both])
    return replace(entry, by_rows=by_rows, by_seeds=found.difference, p=found.p)


def _row_seconds(best: Path, place: Path, dataset: Dataset, result: Result) -> float:
    """Seconds from a file to an answer, for one row at a time; of prepared rows where models read neighbours."""
    from cinescope.tasks.trained import load

    trained = load(best)
    keys = {line["key"] for line in training.read_predictions(place / "predictions.jsonl")}
    examples = [e for e in dataset.examples if e.key in keys][: _TIMED + 1]
    if trained.context or len(examples) < 2:
        return result.answer_seconds / max(result.rows, 1)
    trained.answer(examples[:1])  # what is loaded on first use is not a cost of each row
    began = time.perf_counter()
    for example in examples[1:]:
        trained.answer([example])
    return (time.perf_counter() - began) / (len(examples) - 1)


def _said(error: BaseException) -> str:
    if isinstance(error, CinescopeError):
        return error.what
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
