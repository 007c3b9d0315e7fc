"""Keeps a library up to date with folders: notices new, changed, moved and deleted files, and indexes what has settled.

Knows files and when to look again; what indexing is, it is told. The system's events only say *when* to look
(watchdog); what has changed is always seen by looking, every so often also without an event, because network drives
and some mounts tell nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cinescope.library.locations import find
from cinescope.library.progress import Cancel, IndexReport, Problem
from cinescope.media.subtitles import FOLDERS
from cinescope.media.subtitles import SUFFIXES as SUBTITLES
from cinescope.types import BadQueryError, LibraryBusyError

EVERY = 60.0  # seconds between two looks where nothing tells of a change
SETTLE = 3.0  # seconds for which a file must have stood still: copies and recordings write several times a second
# A file that nobody has written to for so long is taken at once, without watching it stand still first.
_OLD = 60.0
_SIDE_SUFFIXES = (*SUBTITLES, ".json")
_SLICE = 0.2  # seconds: how long a Ctrl-C may have to wait

# Size in bytes, modification time in ns (the later one where a subtitle lies beside it), inode, and the subtitles.
Stamp = tuple[int, int, int, tuple[tuple[str, int, int], ...]]


@dataclass(frozen=True, slots=True)
class Noticed:
    """What a watch tells. `watching`: it has begun; `found`: these files will be read now; `indexed`: the report of
    that; `vanished`: these are no longer there; `busy`: another process writes, it is tried again; `problem`: a folder
    or file that cannot be looked at."""

    step: Literal["watching", "found", "indexed", "vanished", "busy", "problem"]
    paths: tuple[str, ...] = ()
    message: str = ""
    report: IndexReport | None = None


@dataclass(slots=True)
class Settling:
    """Which files there are, and since when each stands still. Times are seconds of one rising clock."""

    settle: float = SETTLE
    done: dict[str, Stamp] = field(default_factory=dict)  # as they were when they were last indexed
    _seen: dict[str, tuple[Stamp, float]] = field(default_factory=dict)  # with the time of the first look at them so

    def look(self, files: dict[str, Stamp], now: float, clock: float) -> tuple[list[str], list[str]]:
        """(files that are new or changed and stand still, files that were indexed and are gone).

        `clock` is the time of day in seconds, for modification times.
        """
        ready = []
        # Another name for what was indexed: nobody is writing it, and both ends of the move are told together.
        gone = [path for path in self.done if path not in files]
        renamed = {self.done[path][:3] for path in gone}
        seen: dict[str, tuple[Stamp, float]] = {}
        for path, stamp in files.items():
            before = self._seen.get(path)
            since = before[1] if before is not None and before[0] == stamp else now
            seen[path] = (stamp, since)
            if self.done.get(path) == stamp:
                continue
            still = now - since >= self.settle or stamp[:3] in renamed
            if still or clock - stamp[1] / 1e9 >= max(_OLD, self.settle):
                ready.append(path)
        self._seen = seen
        return ready, gone

    def moved(self, ready: Collection[str], gone: Collection[str]) -> set[str]:
        """Those of `gone` that are in `ready` under another name."""
        here = {self._seen[path][0][:3] for path in ready}
        return {path for path in gone if self.done[path][:3] in here}

    def waits(self) -> bool:
        """Whether some files have not stood still long enough."""
        return any(self.done.get(path) != stamp for path, (stamp, _) in self._seen.items())

    def take(self, paths: Collection[str]) -> None:
        """These are indexed as they were at the last look."""
        self.done.update({path: self._seen[path][0] for path in paths})

    def drop(self, paths: Collection[str]) -> None:
        for path in paths:
            self.done.pop(path, None)


def watch(
    folders: Sequence[str],
    index: Callable[[Collection[str]], IndexReport],
    *,
    avoid: Path | None = None,
    every: float = EVERY,
    settle: float = SETTLE,
    tell: Callable[[Noticed], None] = lambda _: None,
    cancel: Cancel | None = None,
) -> None:
    """Look, index, wait, until cancelled.

    `index` reads the given whole paths (none: it only notes what is gone) and returns the report; it holds the
    library's lock no longer than that. A file that cannot be read is a line of the report and is tried again when it
    has changed; another writer is waited for. `avoid` is a folder not to look into: the library. Raises BadQueryError
    when no folder is there at the beginning, and what `index` raises besides LibraryBusyError.
    """
    if not any(os.path.exists(folder) for folder in folders):
        raise BadQueryError(f"there is nothing to watch at {', '.join(folders)}", "name folders that are there")
    cancel = Cancel() if cancel is None else cancel
    woken = threading.Event()
    files = Settling(settle)
    told: set[Problem] = set()
    with _events(folders, avoid, woken) as deaf:
        how = f"looking every {every:g} s" + (f", for the system tells no changes here ({deaf})" if deaf else "")
        tell(Noticed("watching", tuple(folders), how))
        while not cancel:
            woken.clear()
            stamps, problems = _stamps(folders, avoid)
            for problem in problems - told:
                tell(Noticed("problem", (problem.path,), problem.what))
            told = problems
            ready, gone = files.look(stamps, time.monotonic(), time.time())
            retry = False
            if ready or gone:
                retry = not _index(files, ready, gone, index, tell, cancel)
            # Something that stands still is looked at again when it has done so for long enough.
            soon = settle if retry or files.waits() else every
            _sleep(min(soon, every), woken, cancel)


def _index(
    files: Settling,
    ready: list[str],
    gone: list[str],
    index: Callable[[Collection[str]], IndexReport],
    tell: Callable[[Noticed], None],
    cancel: Cancel,
) -> bool:
    """Whether it could be done; False where another process is writing."""
    if ready:
        tell(Noticed("found", tuple(ready)))
    try:
        report = index(ready)
    except LibraryBusyError as error:
        tell(Noticed("busy", tuple(ready), error.what))
        return False
    moved = files.moved(ready, gone)
    if lost := tuple(path for path in gone if path not in moved):
        tell(Noticed("vanished", lost))
    files.drop(gone)
    if not cancel:
        files.take(ready)
    if ready:
        tell(Noticed("indexed", tuple(ready), report=report))
    return True


def _stamps(folders: Sequence[str], avoid: Path | None) -> tuple[dict[str, Stamp], set[Problem]]:
    """Every media file as it is now, with the subtitles beside it, for words come from these."""
    files: dict[str, Stamp] = {}
    problems: set[Problem] = set()
    beside: dict[str, dict[str, list[tuple[str, int, int]]]] = {}
    for found in find(folders, avoid):
        if isinstance(found, Problem):
            problems.add(found)
            continue
        folder, name = os.path.split(found.path)
        if folder not in beside:
            beside[folder] = _side_files(folder)
        subtitles = tuple(beside[folder].get(os.path.splitext(name)[0], ()))
        modified = max([found.modified_ns, *(changed for _, _, changed in subtitles)])
        files[found.path] = (found.size, modified, found.inode, subtitles)
    return files, problems


def _side_files(folder: str) -> dict[str, list[tuple[str, int, int]]]:
    """Beginning of the name -> name, size and modification time of each subtitle or .info.json in a folder.

    `talk.en.srt` stands under "talk.en" and "talk": whose it is, the reader of subtitles decides.
    """
    found: dict[str, list[tuple[str, int, int]]] = {}
    pending = [(folder, True)]
    while pending:
        place, deeper = pending.pop()
        try:
            entries = sorted(os.scandir(place), key=lambda e: e.name)
        except OSError:
            continue  # told by the look at the folder itself
        for entry in entries:
            if deeper and entry.name.lower() in FOLDERS:
                pending.append((entry.path, False))
            elif os.path.splitext(entry.name)[1].lower() in _SIDE_SUFFIXES:
                try:
                    status = entry.stat()
                except OSError:
                    continue  # it went between the list and the look
                stem = os.path.splitext(entry.name)[0]
                while stem:
                    found.setdefault(stem, []).append((entry.name, status.st_size, status.st_mtime_ns))
                    stem = stem.rpartition(".")[0]
    return found


def _sleep(seconds: float, woken: threading.Event, cancel: Cancel) -> None:
    until = time.monotonic() + seconds
    while not cancel and (left := until - time.monotonic()) > 0:
        if woken.wait(min(_SLICE, left)):
            time.sleep(min(_SLICE, left))  # what comes in one move makes one look
            return


@contextmanager
def _events(folders: Sequence[str], avoid: Path | None, woken: threading.Event) -> Iterator[str]:
    """While this lasts, changes in the folders set `woken`. Gives "" or, in a few words, why the system cannot tell."""
    from watchdog.events import (
        DirCreatedEvent,
        DirDeletedEvent,
        DirMovedEvent,
        FileClosedEvent,
        FileCreatedEvent,
        FileDeletedEvent,
        FileModifiedEvent,
        FileMovedEvent,
        FileSystemEvent,
        FileSystemEventHandler,
    )
    from watchdog.observers import Observer

    inside = os.path.realpath(avoid) + os.sep if avoid is not None else None

    class Wake(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            # Every run writes to the library; that is no reason for the next one.
            if inside is None or not os.path.realpath(os.fsdecode(event.src_path)).startswith(inside):
                woken.set()

    # Not FileOpenedEvent: our own reading would wake us.
    changes: list[type[FileSystemEvent]] = [
        FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent, FileClosedEvent, DirCreatedEvent,
        DirMovedEvent, DirDeletedEvent,
    ]  # fmt: skip
    observer = Observer()
    deaf = ""
    try:
        for folder in {
            os.path.abspath(f) if os.path.isdir(f) else os.path.dirname(os.path.abspath(f)) for f in folders
        }:
            if os.path.isdir(folder):
                observer.schedule(Wake(), folder, recursive=True, event_filter=changes)
        observer.start()
    except OSError as error:  # inotify has a limit on what one user may watch
        deaf = (error.strerror or str(error)).lower()
    try:
        yield deaf
    finally:
        if observer.is_alive():
            observer.stop()
            observer.join()
