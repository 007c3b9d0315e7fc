"""Training for people: what is being prepared, which run it is, the figures and the time left. Knows Progress."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cinescope.cli.text import printable
from cinescope.types import format_time

if TYPE_CHECKING:
    from cinescope.training.watching import Progress

_LOG_SECONDS = 15.0  # between two lines of a log


class TrainingBar:
    """On a terminal two lines that change, in a log a line an epoch at most so often; on stderr."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet, self._told, self._run, self._epoch = quiet, 0.0, "", 0
        self._bar: Any = None
        self._task: Any = None
        if not quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bars

            self._bar = Bars(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[figures]}", markup=False),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=None, figures="")

    def __enter__(self) -> TrainingBar:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def preparing(self, what: str, done: int, of: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, description=what, completed=done, total=of, figures="")
        elif done == of or time.monotonic() - self._told > _LOG_SECONDS:
            self._line(f"{what}: {done:,} of {of:,}")

    def training(self, run: str, number: int, of: int, progress: Progress) -> None:
        name = f"{printable(run)} ({number} of {of})" if of > 1 else printable(run)
        shown = ", ".join(f"{n} {v:.3f}" for n, v in list(progress.metrics.items())[:2])
        figures = f"loss {progress.loss:.3f}{', ' + shown if shown else ''}"
        if self._bar is not None:
            what = f"{name}, epoch {progress.epoch} of {progress.epochs}"
            self._bar.update(
                self._task, description=what, completed=progress.step, total=progress.steps, figures=figures
            )
            return
        fresh = run != self._run or progress.epoch != self._epoch
        if (fresh and time.monotonic() - self._told > _LOG_SECONDS) or run != self._run:
            left = format_time(progress.left)
            self._line(f"{name}: epoch {progress.epoch} of {progress.epochs}, {figures}, about {left} left")
        self._run, self._epoch = run, progress.epoch

    def saying(self, sentence: str) -> None:
        """A line that stays above what changes."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.console.print(printable(sentence), markup=False, highlight=False)
        else:
            print(printable(sentence), file=sys.stderr, flush=True)

    def _line(self, text: str) -> None:
        self._told = time.monotonic()
        if not self._quiet:
            print(text, file=sys.stderr, flush=True)
