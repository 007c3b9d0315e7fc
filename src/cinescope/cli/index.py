"""`cinescope index`: read videos, with a bar, a clean Ctrl-C, and a summary that a person understands."""

from __future__ import annotations

import json as jsons
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinescope.cli.common import JsonOption, LibraryOption, QuietOption, open_library, print_json
from cinescope.cli.index_report import problems, summary
from cinescope.cli.stopping import stopping
from cinescope.types import BadQueryError

if TYPE_CHECKING:
    pass


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
