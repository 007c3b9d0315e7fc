"""One bar for one piece of work on one file: on a terminal with the time left, in a log as plain lines."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from cinescope.types import format_time

_LOG_SECONDS = 10.0  # between two lines of a log


class Bar:
    """`with Bar("reading talk.mp4") as bar: bar(done, total)`; seconds of media, `total` None where nobody knows.

    On stderr, so that a pipe carries results only.
    """

    def __init__(self, what: str, quiet: bool = False) -> None:
        self.what = what
        self._quiet = quiet
        self._bar: Any = None
        self._task: Any = None
        self._began = self._told = time.monotonic()
        if not quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(elapsed_when_finished=True),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> Bar:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: float, total: float | None) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=min(done, total) if total else done, total=total)
        now = time.monotonic()
        if self._bar is None and not self._quiet and now - self._told >= _LOG_SECONDS:
            self._told = now
            left = ""
            if total and 0 < done < total:
                left = f", about {format_time((now - self._began) * (total - done) / done)} left"
            print(f"{self.what}: at {format_time(done)}{left}", file=sys.stderr, flush=True)
