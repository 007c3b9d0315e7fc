"""What a run told, row by row, and how its figures lie: read from predictions.jsonl. Knows no model and no page.

A row that a model answers step by step (the utterances of a dialogue) counts as so many rows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cinescope.metrics.classes import accuracy, f1
from cinescope.metrics.compare import Interval, bootstrap
from cinescope.metrics.numbers import mae, rmse

Kind = Literal["class", "score", ""]
Statistic = Callable[..., float]  # (said (N,), true (N,)) -> the figure

_STATISTICS: dict[tuple[str, str], Statistic] = {
    ("class", "accuracy"): accuracy,
    ("class", "macro_f1"): lambda said, true: f1(said, true, "macro"),
    ("class", "weighted_f1"): lambda said, true: f1(said, true, "weighted"),
    ("score", "mae"): mae,
    ("score", "rmse"): rmse,
}


@dataclass(frozen=True, slots=True)
class Said:
    """One measured row: what is so, what was told, and how sure the model was."""

    key: str
    group: str
    true: float  # the number of a class, or a score
    said: float
    probability: float = math.nan  # of the class that was told
    run: str = ""  # fold and seed


def kind_of(lines: Sequence[Mapping[str, Any]]) -> Kind:
    """Whether rows are of one class each, have one number each, or neither."""
    for line in lines:
        target = line.get("target")
        if isinstance(target, list) and isinstance(line.get("labels"), list):
            probabilities = line.get("probabilities")
            return "class" if probabilities and isinstance(probabilities[0], list) else ""
        if isinstance(target, int) and ("label" in line or "answer" in line):
            return "class"
        if isinstance(target, int | float) and "score" in line:
            return "score"
    return ""


def rows_said(
    lines: Sequence[Mapping[str, Any]], run: str = "", steps: Mapping[str, list[str]] | None = None
) -> list[Said]:
    """The rows of one run whose target is known. `steps`: group -> the keys of its steps, in their order."""
    kind = kind_of(lines)
    none = _classes(lines) if kind == "class" else 0
    found: list[Said] = []
    for line in lines:
        key, group, target = str(line["key"]), str(line.get("group") or line["key"]), line.get("target")
        if kind == "score" and target is not None:
            score = line["score"][0] if isinstance(line["score"], list) else line["score"]
            found.append(Said(key, group, float(target), float(score), run=run))
        elif kind == "class" and isinstance(target, list):
            names = (steps or {}).get(key) or [f"{key} {i + 1}" for i in range(len(target))]
            for i, true in enumerate(target):
                said = line["labels"][i] if i < len(line["labels"]) else -1
                if true >= 0:
                    sure = line["probabilities"][i][said] if said >= 0 else math.nan
                    name = names[i] if i < len(names) else f"{key} {i + 1}"
                    found.append(Said(name, group, true, said if said >= 0 else none, sure, run))
        elif kind == "class" and target is not None:
            told = line.get("label", line.get("answer"))
            said = -1 if told is None else int(told)
            sure = line["probabilities"][said] if said >= 0 and "probabilities" in line else math.nan
            found.append(Said(key, group, int(target), said if said >= 0 else none, float(sure), run))
    return found


def read_steps(place: Path) -> dict[str, list[str]]:
    """Group -> keys of its rows in their order, as examples.jsonl beside the predictions has them."""
    groups: dict[str, list[tuple[float, str]]] = {}
    for line in read_lines(place / "examples.jsonl"):
        groups.setdefault(line.get("group") or line["key"], []).append((line.get("order", 0.0), line["key"]))
    return {name: [key for _, key in sorted(rows, key=lambda r: r[0])] for name, rows in groups.items()}


def read_lines(place: Path) -> list[dict[str, Any]]:
    """The lines of a JSONL file; none where it is not there. A last line that a kill cut off is left out."""
    if not place.exists():
        return []
    found = []
    for line in place.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found


def statistic_of(kind: Kind, metric: str) -> Statistic | None:
    """How a figure follows from (said, true); None where it does not follow from these alone."""
    return _STATISTICS.get((kind, metric))


def interval(rows: Sequence[Said], statistic: Statistic) -> Interval:
    """Of a figure over rows, whole groups drawn together (Efron 1979)."""
    said, true = columns(rows)
    return bootstrap([said, true], statistic, draws=_draws(rows), groups=_groups(rows))


def difference(ours: Sequence[Said], theirs: Sequence[Said], statistic: Statistic) -> Interval | None:
    """How much higher the figure of `ours` is on the rows that both measured; None where they share none.

    The paired bootstrap: the same rows are drawn for both, whole groups and all runs of a row together.
    """
    others = {(r.run, r.key): r for r in theirs}
    pairs = [(a, b) for a in ours if (b := others.get((a.run, a.key))) is not None and b.true == a.true]
    if not pairs:
        return None
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    said, true = columns(first)
    other, _ = columns(second)

    def apart(a: np.ndarray, b: np.ndarray, so: np.ndarray) -> float:
        return statistic(a, so) - statistic(b, so)

    return bootstrap([said, other, true], apart, draws=_draws(first), groups=_groups(first))


def columns(rows: Sequence[Said]) -> tuple[np.ndarray, np.ndarray]:
    """(said (N,), true (N,))."""
    return np.array([r.said for r in rows], float), np.array([r.true for r in rows], float)


def _classes(lines: Sequence[Mapping[str, Any]]) -> int:
    """How many classes the model tells apart: a row without an answer is put into one beyond, so that it is wrong."""
    for line in lines:
        probabilities = line.get("probabilities")
        if probabilities:
            return len(probabilities[0]) if isinstance(probabilities[0], list) else len(probabilities)
    return 1 + max((int(line["target"]) for line in lines if isinstance(line.get("target"), int)), default=0)


def _groups(rows: Sequence[Said]) -> list[str] | None:
    """None where each row stands for itself: drawing rows is then the same, and much quicker."""
    names = [r.group or r.key for r in rows]
    return None if len(set(names)) == len(names) else names


def _draws(rows: Sequence[Said]) -> int:
    """Fewer where there are very many rows: all draws are held at once."""
    return 2000 if len(rows) <= 10_000 else max(200, 20_000_000 // len(rows))
