"""What a run earned, as numbers and as one HTML page. Knows summaries and predictions, not how they were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cinescope.api.train import MAIN, Result, Summary, read_predictions
from cinescope.metrics.compare import paired, t_interval


@dataclass(frozen=True, slots=True)
class Row:
    """A variant: means over its runs, the interval of the watched metric, and how it stands to the model itself."""

    variant: str
    metrics: dict[str, float]
    low: float | None  # None with one run: an interval over runs needs two
    high: float | None
    compared: str = ""


def rows_of(summary: Summary, folder: Path | None = None) -> list[Row]:
    """One row for each variant, the model itself first."""
    rows = []
    for variant in summary.variants():
        results = summary.of(variant)
        values = [r.metrics[summary.watched] for r in results]
        interval = t_interval(values) if len(values) > 1 else None
        metrics = {n: float(np.mean([r.metrics[n] for r in results])) for n in results[0].metrics}
        compared = "" if variant == MAIN or folder is None else _compared(summary, variant, folder)
        rows.append(
            Row(variant, metrics, interval.low if interval else None, interval.high if interval else None, compared)
        )
    return rows


def _compared(summary: Summary, variant: str, folder: Path) -> str:
    """The model against a control on the same rows, with the paired interval."""
    pairs = [(a, b) for a in summary.of(MAIN) for b in summary.of(variant) if (a.fold, a.seed) == (b.fold, b.seed)]
    ours, theirs = _right([a for a, _ in pairs], folder), _right([b for _, b in pairs], folder)
    if ours is None or theirs is None:
        return ""
    found = paired(ours, theirs).difference
    points, low, high = (100 * v for v in (found.value, found.low, found.high))
    return f"the model is {points:+.1f} points to it ({low:+.1f} to {high:+.1f}, paired)"


def _right(results: Sequence[Result], folder: Path) -> np.ndarray | None:
    """(N,) 1 where the answer was right, over all runs; None where answers are not right or wrong."""
    found: list[float] = []
    for result in results:
        for line in read_predictions(folder / result.folder / "predictions.jsonl"):
            if not isinstance(line.get("target"), int) or not isinstance(line.get("label"), int):
                return None
            found.append(float(line["target"] == line["label"]))
    return np.array(found) if found else None


def write(folder: Path, summary: Summary) -> Path:
    """`report.html` in the run's folder."""
    from html import escape

    lines = [f"<h1>{escape(summary.name)}</h1>", "<table>"]
    for row in rows_of(summary, folder):
        figures = "".join(f"<td>{n} {v:.3f}</td>" for n, v in row.metrics.items())
        lines.append(f"<tr><th>{escape(row.variant)}</th>{figures}<td>{escape(row.compared)}</td></tr>")
    page = folder / "report.html"
    page.write_text("\n".join([*lines, "</table>"]), encoding="utf-8")
    return page
