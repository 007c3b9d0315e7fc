"""Many videos at once, each in a process of its own; the results come back here to be committed by one writer.

Knows processes and pipes; knows nothing about tables.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import signal
from collections.abc import Iterator
from typing import Any

from cinescope.library.analysis import Assignment, Stretch, analyse
from cinescope.library.progress import Cancel
from cinescope.types import CinescopeError

Event = Stretch | str  # a stretch, or one sentence on why the video cannot be analysed


def run_all(work: list[Assignment], jobs: int, cancel: Cancel) -> Iterator[tuple[str, Event]]:
    """(video id, event) as they come. In this process for one job at a time."""
    if jobs <= 1 or len(work) <= 1:
        for assignment in work:
            for event in _events(assignment):
                yield assignment.video.id, event
                if cancel:
                    return
    else:
        yield from _in_processes(work, jobs, cancel)


def _events(assignment: Assignment) -> Iterator[Event]:
    try:
        yield from analyse(assignment)
    except CinescopeError as error:
        yield str(error)
    except OSError as error:
        yield f"it could not be read to the end ({error.strerror or error})"


def _serve(pipe: Any) -> None:
    """The life of a worker: take an assignment, send its events, until the pipe closes or None comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    try:
        while (assignment := pipe.recv()) is not None:
            for event in _events(assignment):
                pipe.send(event)
            pipe.send(None)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent is gone; nobody waits for this work


def _in_processes(work: list[Assignment], jobs: int, cancel: Cancel) -> Iterator[tuple[str, Event]]:
    context = multiprocessing.get_context("spawn")  # fork would copy locks that decoder threads hold
    waiting = list(reversed(work))
    busy: dict[Any, tuple[Any, Assignment]] = {}

    def start() -> None:
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        _give(ours, process)

    def _give(pipe: Any, process: Any) -> None:
        if waiting:
            assignment = waiting.pop()
            busy[pipe] = (process, assignment)
            pipe.send(assignment)
        else:
            pipe.send(None)
            process.join(timeout=5)

    try:
        for _ in range(min(jobs, len(work))):
            start()
        while busy and not cancel:
            ready: list[Any] = list(multiprocessing.connection.wait(list(busy), timeout=0.2))
            for pipe in ready:
                process, assignment = busy[pipe]
                try:
                    event = pipe.recv()
                except EOFError:
                    # A decoder that crashes takes its own process with it, not the run.
                    process.join(timeout=5)
                    del busy[pipe]
                    yield assignment.video.id, f"its analysis died (exit code {process.exitcode}); the others went on"
                    if waiting:
                        start()
                    continue
                if event is None:
                    del busy[pipe]
                    _give(pipe, process)
                else:
                    yield assignment.video.id, event
    finally:
        for process, _ in busy.values():
            process.terminate()
