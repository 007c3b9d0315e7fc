"""What a run earned, as numbers and sentences. Knows summaries and predictions, not how they were made or are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.api.answers import (
    Kind,
    Said,
    difference,
    interval,
    kind_of,
    read_lines,
    read_steps,
    rows_said,
    statistic_of,
)
from cinescope.api.train import MAIN, Result, Summary
from cinescope.metrics.compare import Interval, t_interval


@dataclass(frozen=True, slots=True)
class Row:
    """A variant: means over its runs, the interval of the watched metric, and how it stands to the model itself."""

    variant: str
    metrics: dict[str, float]
    low: float | None  # None where no interval follows from what was kept
    high: float | None
    over: str = ""  # what the interval is over: folds, seeds, rows
    difference: Interval | None = None  # the model's figure less this one's, on the same rows
    compared: str = ""  # that in a sentence


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """All that the runs of one variant told."""

    kind: Kind
    rows: list[Said] = field(default_factory=list)


def told_of(results: Sequence[Result], folder: Path) -> Told:
    """What was told in these runs, row by row."""
    kind: Kind = ""
    rows: list[Said] = []
    for result in results:
        place = folder / result.folder
        lines = read_lines(place / "predictions.jsonl")
        kind = kind or kind_of(lines)
        stepped = any(isinstance(line.get("target"), list) for line in lines[:1])
        rows += rows_said(lines, run_name(result), read_steps(place) if stepped else None)
    return Told(kind, rows)


def run_name(result: Result) -> str:
    return f"{result.fold}, seed {result.seed}"


def rows_of(summary: Summary, folder: Path | None = None) -> list[Row]:
    """One row for each variant, the model itself first."""
    ours = told_of(summary.of(MAIN), folder) if folder is not None else None
    made = []
    for variant in summary.variants():
        results = summary.of(variant)
        told = ours if variant == MAIN else told_of(results, folder) if folder is not None else None
        metrics = {n: float(np.mean([r.metrics[n] for r in results if n in r.metrics])) for n in results[0].metrics}
        found, over = _interval(summary, results, told)
        apart = None
        if ours is not None and told is not None and variant != MAIN:
            statistic = statistic_of(ours.kind, summary.watched)
            apart = difference(ours.rows, told.rows, statistic) if statistic is not None else None
        made.append(
            Row(
                variant, metrics, found.low if found else None, found.high if found else None, over, apart,
                sentence(summary, variant, apart),
            )
        )  # fmt: skip
    return made


def _interval(summary: Summary, results: Sequence[Result], told: Told | None) -> tuple[Interval | None, str]:
    """Over folds where there are several, else over seeds, else over the rows of the one run."""
    by_fold: dict[str, list[float]] = {}
    for result in results:
        by_fold.setdefault(result.fold, []).append(result.metrics.get(summary.watched, float("nan")))
    if len(by_fold) > 1:
        return t_interval([float(np.mean(v)) for v in by_fold.values()]), f"{len(by_fold)} folds"
    values = next(iter(by_fold.values()))
    if len(values) > 1:
        return t_interval(values), f"{len(values)} seeds"
    statistic = statistic_of(told.kind, summary.watched) if told is not None else None
    if told is None or statistic is None or not told.rows:
        return None, ""
    return interval(told.rows, statistic), f"{len(told.rows):,} rows"


def sentence(summary: Summary, variant: str, apart: Interval | None) -> str:
    """`sound earns +12.3 points (8.1 to 16.5)`; "" where nothing was compared."""
    if apart is None:
        return ""
    kind, _, role = variant.partition(" ")
    others = [r for r in summary.inputs if r != role]
    other = others[0] if len(others) == 1 else "the other inputs"
    what = f"{role} earns" if kind == "shuffled" else f"{other} {_verb(other, 'add')}"
    beyond = f" to {role} alone" if kind == "only" else ""
    return f"{what} {earned(summary, apart)}{beyond}"


def earned(summary: Summary, apart: Interval) -> str:
    """`+12.3 points (8.1 to 16.5)`: better is positive, whichever way the metric goes."""
    sign = 1 if summary.higher_is_better else -1
    value = sign * apart.value
    low, high = sorted((sign * apart.low, sign * apart.high))
    if apart.low == apart.high == 0:
        return "nothing: no row is told otherwise" if is_share(summary.watched) else "nothing"
    unsure = ", which may be nothing" if low <= 0 <= high else ""
    if is_share(summary.watched):
        return f"{100 * value:+.1f} points ({100 * low:.1f} to {100 * high:.1f}{unsure})"
    return f"{value:+.3g} of {summary.watched} ({low:.3g} to {high:.3g}{unsure})"


def is_share(metric: str) -> bool:
    """Whether a metric goes from 0 to 1, so that people say it in percent."""
    return any(word in metric for word in ("accuracy", "f1", "recall", "precision")) or metric == "mrr"


def within(metric: str, low: float, high: float) -> tuple[float, float]:
    """An interval as it is shown: Student's goes beyond what a share can be."""
    return (max(low, 0.0), min(high, 1.0)) if is_share(metric) else (low, high)


def figure(metric: str, value: float) -> str:
    """`87.3%`, or `0.412` where it is no share."""
    return f"{100 * value:.1f}%" if is_share(metric) else f"{value:.4g}"


def _verb(subject: str, verb: str) -> str:
    return verb if subject == "the other inputs" else f"{verb}s"


def remarks(summary: Summary) -> list[str]:
    """What a person should know before believing the figures."""
    said = []
    if summary.missing:
        rows = "1 row" if summary.missing == 1 else f"{summary.missing:,} rows"
        said.append(f"{rows} left out because the media are not there; see cinescope check-data")
    for role, rows_ in summary.absent.items():
        said.append(
            f"{rows_:,} {'row' if rows_ == 1 else 'rows'} without a step of '{role}': no such stream, or shorter than "
            "its window"
        )
    where = {r.measured_on for r in summary.results}
    if "val" in where:
        said.append("nothing was held out: these are the rows that chose the epoch, so the figures flatter")
    if "train" in where:
        said.append("nothing was held out: these are the rows that were trained on, so the figures mean nothing")
    return said


def log_of(result: Result, folder: Path) -> list[dict[str, Any]]:
    """An entry an epoch."""
    return read_lines(folder / result.folder / "log.jsonl")
