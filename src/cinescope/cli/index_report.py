"""What an index run did, in words."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from cinescope.cli.common import count, human_time
from cinescope.cli.text import bold, dim, one_line, printable, red, yellow

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.progress import IndexReport

_SHOWN = 20  # problems listed; the others are counted


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
    "label": ("label", "labels"),
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
