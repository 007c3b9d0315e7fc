"""`cinescope index`: read videos, with a bar, a clean Ctrl-C, and a summary that a person understands."""

from __future__ import annotations

import json as jsons
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinescope.cli.common import JsonOption, LibraryOption, QuietOption, count, human_time, open_library, print_json
from cinescope.cli.text import bold, dim, one_line, printable, red, yellow
from cinescope.types import BadQueryError

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.progress import Cancel, IndexReport

_SHOWN = 20  # problems listed; the others are counted


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for part in given or () for name in part.split(",") if name.strip())


def index(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATHS", help="Files and folders; none: go on with everything known."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Run only this analyser (or some: a,b).")
    ] = None,
    skip: Annotated[
        list[str] | None, typer.Option("--skip", metavar="NAME", help="Leave this analyser out (or some: a,b).")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME.OPTION=VALUE", help="A setting: screen_text.rate=4."),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=0, max=256, help="Videos read at once; 0: half the processors.")
    ] = 1,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for another writer.")
    ] = 0.0,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on: read what is new or changed in the folders, until Ctrl-C.")
    ] = False,
    every: Annotated[
        float,
        typer.Option("--every", min=0.1, metavar="SECONDS", help="With --watch: look so often without being told."),
    ] = 60.0,
    settle: Annotated[
        float, typer.Option("--settle", min=0, metavar="SECONDS", help="With --watch: a file must stand still so long.")
    ] = 3.0,
    library: LibraryOption = None,
    quiet: QuietOption = False,
    json: JsonOption = False,
) -> None:
    """Read videos, so that they can be searched.

    \b
    cinescope index ~/Videos
    cinescope index talk.mp4 --only transcript
    cinescope index ~/Videos --set transcript.subtitles=never --jobs 2
    cinescope index ~/Videos --watch

    What is known and unchanged is not read again. Stop with Ctrl-C at any time; the same command goes on
    from there. Exit status: 0 when every file could be read, 1 when some could not, 75 when another process
    is writing to the library, 130 when it was stopped.
    """
    from cinescope.cli.progress_view import view

    lib = open_library(library)
    if not paths and not lib.exists:
        raise BadQueryError("there is nothing to index", "name a folder: cinescope index FOLDER")
    settings = parse_settings(set_ or [])
    if watch:
        from cinescope.cli.watching import keep_watch

        run = {"only": _names(only), "skip": _names(skip), "jobs": jobs, "settings": settings or None}
        keep_watch(lib, paths or [], every, settle, run, quiet, json)
        return
    began = time.monotonic()
    with stopping() as cancel, view(quiet or json) as progress:
        report = lib.index(
            *(paths or []),
            only=_names(only),
            skip=_names(skip),
            jobs=jobs,
            settings=settings or None,
            progress=progress,
            cancel=cancel,
            wait=wait,
        )
    if json:
        print_json(report)
    elif not quiet:
        summary(lib, report, time.monotonic() - began)
    else:
        problems(report)
    raise typer.Exit(130 if report.cancelled else 0 if report.ok else 1)


@contextmanager
def stopping() -> Iterator[Cancel]:
    """While this lasts, the first Ctrl-C (or SIGTERM) asks the run to stop at a clean place; the second ends it."""
    from cinescope.library.progress import Cancel

    cancel = Cancel()

    def asked(number: int, frame: Any) -> None:
        if cancel:
            raise KeyboardInterrupt
        cancel.set()
        os.write(2, b"\nstopping at the next safe place (Ctrl-C again: at once) ...\n")

    before = {s: signal.signal(s, asked) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parse_settings(given: list[str]) -> dict[str, dict[str, Any]]:
    """`screen_text.rate=4` -> {"screen_text": {"rate": 4}}; values are JSON where they can be."""
    settings: dict[str, dict[str, Any]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        analyser, dot, option = name.partition(".")
        if not (equals and dot and analyser and option):
            raise BadQueryError(f"'{text}' is not a setting", "write ANALYSER.OPTION=VALUE; see: cinescope analysers")
        try:
            settings.setdefault(analyser, {})[option] = jsons.loads(value)
        except ValueError:
            settings.setdefault(analyser, {})[option] = value
    return settings


def summary(lib: Library, report: IndexReport, seconds: float) -> None:
    """What happened, what could not be read and why, what to do next."""
    done = len(report.indexed)
    if done:
        found, looked = found_words(report.segments)
        speed = f", {report.media_seconds / seconds:.1f} times real time" if seconds > 5 else ""
        print(bold(f"{count(done, 'video')} read") + f": {human_time(report.media_seconds)} of material{speed}")
        if found:
            print(f"  found {found}")
        if looked:
            print(f"  looked at {looked}")
    if report.unchanged:
        print(f"{count(report.unchanged, 'video')} already known and unchanged")
    if report.moved:
        print(f"{count(report.moved, 'video')} found at a new place")
    if not (done or report.unchanged or report.moved or report.problems or report.cancelled):
        print("no videos were found there")
    for warning in report.warnings[:_SHOWN]:
        print(f"{yellow('!')} {printable(warning.path)}: {one_line(warning.what)}")
    if len(report.warnings) > _SHOWN:
        print(f"  and {count(len(report.warnings) - _SHOWN, 'more remark')}")
    problems(report)
    if report.cancelled:
        print("stopped; what was read is kept. Run the same command again to go on from there.")
    elif done or report.unchanged:
        where = "" if _is_default(lib) else f" --library {printable(lib.place)}"
        print(dim(f"now try: cinescope search SOME WORDS{where}"))


def problems(report: IndexReport) -> None:
    if not report.problems:
        return
    print(red(f"{count(len(report.problems), 'file')} could not be read:"), file=sys.stderr)
    for problem in report.problems[:_SHOWN]:
        print(f"  {printable(problem.path)}: {one_line(problem.what)}", file=sys.stderr)
    if len(report.problems) > _SHOWN:
        print(f"  and {len(report.problems) - _SHOWN} more; see: cinescope index --json", file=sys.stderr)


# kind of segment -> what people call it
_COUNTED = {
    "shot": ("shot", "shots"),
    "speech": ("piece of speech", "pieces of speech"),
    "screen": ("text on the screen", "texts on the screen"),
    "face": ("face", "faces"),
    "voice": ("stretch of voice", "stretches of voice"),
    "thumbnail": ("key frame", "key frames"),
}
# Of these the number says nothing: how many pieces a curve is stored in.
_MEASURED = {
    "picture": "colours",
    "camera": "camera",
    "sound": "kinds of sound",
    "loudness": "loudness",
    "quality": "picture faults",
    "passage": "meaning",
    "look": "what it looks like",
    "timbre": "what it sounds like",
}
_PART_OF_ANOTHER = ("title", "chapter", "silence", "loudness_programme", "print")


def found_words(segments: dict[str, int]) -> tuple[str, str]:
    """`20 shots, 3 faces` and `colours, loudness`: what was found, and what was looked at besides."""
    counted = [count(segments[kind], *words) for kind, words in _COUNTED.items() if segments.get(kind)]
    known = (*_COUNTED, *_MEASURED, *_PART_OF_ANOTHER)
    others = sum(n for kind, n in segments.items() if kind not in known)
    if others:
        counted.append(count(others, "other observation"))
    return ", ".join(counted), ", ".join(words for kind, words in _MEASURED.items() if segments.get(kind))


def _is_default(lib: Library) -> bool:
    from cinescope.api.places import default_library

    return os.path.abspath(lib.place) == os.path.abspath(default_library())
