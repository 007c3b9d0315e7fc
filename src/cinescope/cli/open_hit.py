"""`cinescope open`: a player at the hit's second where there is one, otherwise a page."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cinescope.cli import hits
from cinescope.cli.common import JsonOption, LibraryOption, open_library, print_json
from cinescope.cli.text import printable
from cinescope.types import MissingPartError, Span, format_time

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.catalog import VideoSummary

# In the order in which they are tried; each with its way of saying where to begin (seconds).
PLAYERS: dict[str, str] = {"mpv": "--start={}", "vlc": "--start-time={}", "ffplay": "-ss={}"}


def open_hit(
    hit: Annotated[str, typer.Argument(metavar="HIT", help=hits.HIT_HELP)],
    page: Annotated[bool, typer.Option("--page", help="Make a page even where there is a player.")] = False,
    player: Annotated[str, typer.Option("--player", metavar="NAME", help="mpv, vlc or ffplay.")] = "",
    print_only: Annotated[bool, typer.Option("--print", help="Only say what would be opened.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Play a hit from its second on: in mpv, VLC or ffplay, otherwise as a page in the browser.

    \b
    cinescope open 1
    cinescope open 3fa9c21b@62.5-70
    cinescope open talk.mp4@1:02 --page
    """
    lib = open_library(library)
    address = hits.address(lib, hit)
    video, span = lib.moment(address)
    file = lib.file(video)
    command = None if page else player_command(file, span, player)
    written = None if command else write_page(lib, video, span)
    if json:
        print_json(
            {
                "video": video.id,
                "path": str(file),
                "start": span.start,
                "end": span.end,
                "player": command,
                "page": str(written) if written else None,
            }
        )
    elif print_only:
        print(printable(" ".join(command)) if command else written)
    if json or print_only:
        return
    if command:
        print(f"{printable(video.name)} at {format_time(span.start)}, in {Path(command[0]).name}")
        start(command)
    elif written is not None and not browse(written):
        print(f"open this page: {written}")


def player_command(file: Path, span: Span, player: str = "") -> list[str] | None:
    """The command line of a player that starts at the span; None where there is none, or no screen to show it on."""
    if player and player not in PLAYERS:
        raise MissingPartError(
            f"'{player}' is not a player that can be told where to begin", f"try {', '.join(PLAYERS)}"
        )
    if not player and not _has_screen():
        return None
    for name in [player] if player else PLAYERS:
        program = shutil.which(name)
        if program:
            begin = PLAYERS[name].format(f"{span.start:.3f}")
            options = begin.split("=", 1) if name == "ffplay" else [begin]
            # A path, not a name: one that begins with a dash is no option.
            return [program, *options, str(file.absolute())]
    if player:
        raise MissingPartError(f"{player} is not installed here", "leave --player away to use what is here")
    return None


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def start(command: list[str]) -> None:
    """Let the player run on after this command has ended."""
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def write_page(lib: Library, video: VideoSummary, span: Span) -> Path:
    """A small page with the video at that second, its key frame and its words; where it was written."""
    from cinescope.api.page import moment_page

    text = moment_page(lib, video, span)
    folder = Path(tempfile.mkdtemp(prefix="cinescope-"))
    page = folder / "moment.html"
    page.write_text(text, encoding="utf-8")
    return page


def browse(page: Path) -> bool:
    """Whether a browser could be asked to show the page."""
    if not _has_screen():
        return False
    import webbrowser

    return webbrowser.open(page.as_uri())
