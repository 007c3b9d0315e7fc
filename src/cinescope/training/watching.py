"""What a run tells while it goes: to a progress bar, a log file, TensorBoard. Knows nothing of training itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cinescope.types import MissingPartError


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is. `left` is an estimate from the steps so far."""

    epoch: int  # from 1
    epochs: int
    step: int  # of all
    steps: int
    loss: float
    lr: float
    seconds: float
    left: float
    metrics: Mapping[str, float] = field(default_factory=dict)  # of the last epoch that was watched
    line: str = ""  # something to say once


Tell = Callable[[Progress], object]


class Log:
    """`log.jsonl`: a line an epoch, flushed; cut back to the step from which a run is resumed."""

    def __init__(self, folder: Path, tensorboard: bool, resumed_at: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "log.jsonl"
        kept = []
        if resumed_at and self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                except ValueError:
                    break  # the line that was being written at the kill
                if entry.get("step", 0) <= resumed_at:
                    kept.append(line)
        self._path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        self._board = _board(folder) if tensorboard else None

    def write(self, entry: Mapping[str, Any]) -> None:
        with open(self._path, "a", encoding="utf-8") as out:
            out.write(json.dumps(entry, ensure_ascii=False) + "\n")
        if self._board is not None:
            for name, value in _flat(entry):
                self._board.add_scalar(name, value, entry.get("step", 0))
            self._board.flush()

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


def _flat(entry: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    found = []
    for key, value in entry.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{name}/")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append((name, float(value)))
    return found


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingPartError(
            "TensorBoard is not installed", "pip install tensorboard, or leave out tensorboard"
        ) from error
    return SummaryWriter(str(folder / "tensorboard"))
