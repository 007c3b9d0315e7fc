"""Index progress for people: a bar with time left on a terminal, plain lines in a log. Knows `Progress` messages."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cinescope.cli.text import one_line, printable
from cinescope.types import format_time

if TYPE_CHECKING:
    from cinescope.library.progress import Progress

_LOG_SECONDS = 30.0  # between two lines of a log about the same video


class LogView:
    """One line when a video begins and ends, and one every half minute; on stderr, for logs and pipes."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._told = 0.0
        self._begun: set[str] = set()

    def __enter__(self) -> LogView:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, message: Progress) -> None:
        now = time.monotonic()
        name = printable(message.name)
        key = message.video_id or message.name
        if message.step in ("start", "advance") and key not in self._begun:
            self._begun.add(key)
            length = f" ({format_time(message.duration)})" if message.duration is not None else ""
            self._line(f"reading {name}{length}")
        elif message.step == "done":
            self._line(f"done {name}")
        elif message.step == "failed":
            self._line(f"failed{' ' if name else ''}{name}: {one_line(message.message)}")
        elif message.step == "tidy":
            self._line("tidying up")
        elif message.step == "advance" and now - self._told > _LOG_SECONDS:
            self._line(f"at {format_time(message.seconds)} of {name}{self._left(message, now)}")

    def _left(self, message: Progress, now: float) -> str:
        if message.done_seconds <= 0 or message.total_seconds <= 0:
            return ""
        share = min(1.0, message.done_seconds / message.total_seconds)
        left = (now - self._began) * (1 - share) / share
        return f"; {100 * share:.0f} % of all, about {format_time(left)} left"

    def _line(self, text: str) -> None:
        self._told = time.monotonic()
        print(text, file=sys.stderr, flush=True)


class BarView:
    """A bar over the seconds of all videos, with the time left, and the video that is being read."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True),
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("looking for videos", total=None)
        self._names: dict[str, str] = {}

    def __enter__(self) -> BarView:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, message: Progress) -> None:
        name = printable(message.name)
        key = message.video_id or message.name
        if message.step in ("start", "advance") and key:
            self._names[key] = name
        elif message.step in ("done", "skipped", "failed"):
            self._names.pop(key, None)
        if message.step == "failed":
            of = f" {name}" if name else ""
            self._bar.console.print(f"could not read{of}: {one_line(message.message)}", markup=False, style="red")
        changes: dict[str, Any] = {"description": self._description(message)}
        if message.total_seconds > 0:
            changes |= {"total": message.total_seconds, "completed": min(message.done_seconds, message.total_seconds)}
        self._bar.update(self._task, **changes)

    def _description(self, message: Progress) -> str:
        if message.step == "tidy":
            return "tidying up"
        names = list(self._names.values())
        if not names:
            return "looking for videos" if message.step == "scan" else "reading"
        shown = names[-1] if len(names[-1]) <= 32 else names[-1][:31] + "…"
        return f"{shown} and {len(names) - 1} more" if len(names) > 1 else shown


class SilentView:
    """Nothing at all, for --quiet."""

    def __enter__(self) -> SilentView:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, message: Progress) -> None:
        return None


def view(quiet: bool) -> LogView | BarView | SilentView:
    if quiet:
        return SilentView()
    return BarView() if sys.stderr.isatty() else LogView()
