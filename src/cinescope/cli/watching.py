"""`cinescope index --watch`: what a watch notices, as lines for people or for programs."""

from __future__ import annotations

import json as jsons
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cinescope.cli.common import count, plain
from cinescope.cli.index_report import found_words, problems
from cinescope.cli.stopping import stopping
from cinescope.cli.text import dim, one_line, printable, yellow

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.progress import Progress
    from cinescope.library.watch import Noticed

_NAMED = 3  # files in a line; the others are counted


def keep_watch(
    lib: Library, paths: list[Path], every: float, settle: float, run: dict[str, Any], quiet: bool, json: bool
) -> None:
    """Until Ctrl-C. `run` holds the options of an index run."""
    from cinescope.cli.progress_view import SilentView, view

    # A bar stands only while something is read: between the runs there is nothing that it could show.
    with stopping() as cancel, ExitStack() as reading:
        shown: list[Any] = [SilentView()]

        def tell(noticed: Noticed) -> None:
            reading.close()
            shown[0] = SilentView()
            if json:
                print(jsons.dumps({"time": _now("seconds"), **plain(noticed)}, ensure_ascii=False), flush=True)
            else:
                _line(noticed, quiet)
            if noticed.step == "found":
                shown[0] = reading.enter_context(view(quiet or json))

        def progress(message: Progress) -> None:
            if message.step != "tidy":  # of every small run, that says nothing
                shown[0](message)

        lib.watch(*paths, tell=tell, every=every, settle=settle, cancel=cancel, progress=progress, **run)
    if not (quiet or json):
        print(dim("stopped watching; what was read is kept"))


def _now(precision: str) -> str:
    from datetime import datetime

    return datetime.now().astimezone().isoformat(timespec=precision)


def _line(noticed: Noticed, quiet: bool) -> None:
    """Errors always, the rest unless quiet."""
    report = noticed.report
    if report is not None and quiet:
        problems(report)  # else the progress has told them
    if noticed.step == "problem":
        print(f"{yellow('!')} {printable(noticed.paths[0])}: {one_line(noticed.message)}", file=sys.stderr)
    if quiet:
        return
    clock = dim(_now("minutes")[11:16])
    if noticed.step == "watching":
        where = ", ".join(map(printable, noticed.paths))
        print(f"{clock}  watching {where} ({one_line(noticed.message)}); Ctrl-C to stop", flush=True)
    elif noticed.step == "busy":
        print(f"{clock}  waiting: {one_line(noticed.message)}", flush=True)
    elif noticed.step == "vanished":
        print(f"{clock}  no longer there: {_some(noticed.paths)} (what is known of it is kept)", flush=True)
    elif report is not None:
        parts = [f"{_some(noticed.paths)}:"]
        if report.indexed:
            found, _ = found_words(report.segments)
            parts.append(f"{count(len(report.indexed), 'video')} read{', found ' + found if found else ''}")
        if report.moved:
            parts.append(f"{count(report.moved, 'video')} found at a new place")
        elif report.unchanged:
            parts.append(f"{count(report.unchanged, 'video')} already known")
        if len(parts) > 1:
            print(f"{clock}  {parts[0]} {'; '.join(parts[1:])}", flush=True)


def _some(paths: tuple[str, ...]) -> str:
    names = ", ".join(printable(os.path.basename(p)) for p in paths[:_NAMED])
    return names + (f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else "")
