"""`cinescope check-data`: what ruins results, before anything is trained on these data."""

from __future__ import annotations

import json as json_module
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cinescope.cli.common import JsonOption, QuietOption, count, print_json, remark
from cinescope.cli.text import bold, dim, printable
from cinescope.types import BadQueryError

if TYPE_CHECKING:
    from cinescope.datasets.faults import Fault, Report

_LOG_SECONDS = 10.0  # between two lines of a log
_MARKS = {"ruinous": "ruins results", "doubtful": "doubtful", "note": "to know"}


def check_data(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The dataset's folder, or its one file.")],
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Which dataset it is (default: known by its files).")
    ] = "",
    media: Annotated[str, typer.Option("--media", metavar="FOLDER", help="Where its videos and sounds lie.")] = "",
    split: Annotated[str, typer.Option("--split", metavar="PART", help="Only this part: train, val, test ...")] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the reader, as JSON or as text."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Open every file, not 2,000 of them.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find what ruins results: leaks, overlaps, duplicates, sorted rows, broken media.

    \b
    cinescope check-data videos --as folders
    cinescope check-data rows.csv --media videos --set 'targets=["emotion"]'

    Exit status: 0 when nothing is ruinous, 1 when something is.
    """
    from cinescope.api.check_data import MOST_MEDIA
    from cinescope.api.check_data import check_data as check

    with _Progress(quiet or json) as progress:
        report = check(
            folder,
            name or None,
            media=media or None,
            split=split or None,
            most_media=None if every else MOST_MEDIA,
            tell=progress,
            **dict(_setting(text) for text in settings or ()),
        )
    if json:
        print_json({"ruinous": report.ruinous, "report": report})
    else:
        _show(report, quiet)
    raise typer.Exit(1 if report.ruinous else 0)


def _setting(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key.isidentifier() or key in ("folder", "media", "split"):
        raise BadQueryError(
            f"'{text}' is no setting", "write --set key=value; media and split have options of their own"
        )
    try:
        return key, json_module.loads(value)
    except json_module.JSONDecodeError:
        return key, value


class _Progress:
    """A bar for each thing that is looked at; in a log, a line now and then."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._what = ""
        self._bar: Any = None
        self._told = time.monotonic()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None

    def __call__(self, what: str, done: int, total: int) -> None:
        from cinescope.cli.progress_bar import Bar

        if self._quiet:
            return
        if not sys.stderr.isatty():
            if time.monotonic() - self._told >= _LOG_SECONDS:
                self._told = time.monotonic()
                remark(f"{what}: {done:,} of {total:,}")
            return
        if what != self._what:
            self.__exit__()
            self._what, self._bar = what, Bar(what)
            self._bar.__enter__()
        self._bar(done, total)


def _show(report: Report, quiet: bool) -> None:
    if not quiet:
        print(f"{bold(printable(report.name))}: {'; '.join(report.looked)}")
        for note in report.notes:
            print(dim(f"  {printable(note)}"))
    for fault in report.faults:
        if not quiet or fault.severity == "ruinous":
            _tell(fault)
    if not quiet:
        worst = sum(f.severity == "ruinous" for f in report.faults)
        said = f"{count(worst, 'thing')} that {'ruins' if worst == 1 else 'ruin'} results"
        remark(said if worst else "nothing that ruins results was found")
        sys.stdout.flush()


def _tell(fault: Fault) -> None:
    print(f"{bold(_MARKS[fault.severity])}  {printable(fault.sentence)}")
    if fault.do:
        print(f"  {printable(fault.do)}")
    if fault.keys:
        print(dim(f"  such as {', '.join(printable(k) for k in fault.keys[:4])}"))
