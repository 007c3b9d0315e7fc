"""How an index run tells what it does, and how it is stopped. The terminal bar is one user of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """One message. Seconds of media count; `total_seconds` may grow while durations become known."""

    step: Literal["scan", "start", "advance", "done", "skipped", "failed", "tidy"]
    name: str = ""  # the file, as people know it
    video_id: str = ""
    seconds: float = 0.0  # of this video, analysed so far
    duration: float | None = None  # of this video
    done_seconds: float = 0.0  # of the whole run
    total_seconds: float = 0.0
    message: str = ""


Listener = Callable[[Progress], None]


class Cancel:
    """Set it from anywhere (a signal handler, a thread): the run stops at the next window, what is committed stays."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()


@dataclass(frozen=True, slots=True)
class Problem:
    path: str
    what: str


@dataclass(frozen=True, slots=True)
class IndexReport:
    """How an index run went. Media seconds; wall seconds are the caller's to measure."""

    indexed: tuple[str, ...] = ()  # video ids on which work was done to the end
    unchanged: int = 0  # videos for which nothing was to do
    moved: int = 0  # known videos found at a new place
    problems: tuple[Problem, ...] = ()  # files that could not be indexed, one sentence each
    warnings: tuple[Problem, ...] = ()  # files that were indexed although something is odd
    media_seconds: float = 0.0  # analysed in this run
    decoded_twice: float = 0.0  # seconds of media decoded again to go on after an interruption
    cancelled: bool = False
    segments: dict[str, int] = field(default_factory=dict)  # rows written, by kind

    @property
    def ok(self) -> bool:
        return not self.problems and not self.cancelled
