"""What comes of a comparison of recipes, as plain data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from cinescope.metrics.compare import Interval


@dataclass(frozen=True, slots=True)
class Entry:
    """A recipe: its figure and its costs. `failed` says why where there are none."""

    name: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    over: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    train_seconds: float = math.nan  # of one model, the mean
    row_seconds: float = math.nan  # from a file to an answer, one row
    parameters: int = 0
    bytes: int = 0  # of one checkpoint
    by_rows: Interval | None = None  # its figure less the best one's, paired over rows
    by_seeds: Interval | None = None  # the same, paired over seeds (folds where there is one seed)
    p: float = math.nan  # by the signs of these pairs
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The best first; those that failed last."""

    metric: str
    higher_is_better: bool
    rows: int
    folds: int
    seeds: tuple[int, ...]
    entries: tuple[Entry, ...]

    @property
    def failed(self) -> tuple[Entry, ...]:
        return tuple(e for e in self.entries if e.failed)

    def to_json(self) -> dict[str, Any]:
        """NaN becomes null: JSON has none."""

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {k: plain(v) for k, v in value.items()}
            if isinstance(value, list | tuple):
                return [plain(v) for v in value]
            return None if isinstance(value, float) and not math.isfinite(value) else value

        made: dict[str, Any] = plain(asdict(self))
        return made
