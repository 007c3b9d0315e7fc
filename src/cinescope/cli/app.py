"""The table of commands, and what happens to their errors. Imports no command until it is used.

Exit statuses: 0 all well; 1 nothing found, or some videos failed; 2 wrong usage; 3 a part is missing; 70 a fault of
Cinescope's own; 75 the library is busy; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from cinescope import __version__
from cinescope.cli.text import printable

if TYPE_CHECKING:
    from cinescope.types import CinescopeError

# Section -> command -> (module:attribute, one line). The order is the order a person needs them in.
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Find": {
        "index": ("index:index", "read videos, so that they can be searched"),
        "search": ("search:search", "find the second where words are said or shown"),
        "open": ("open_hit:open_hit", "play a hit from its second on"),
        "clip": ("clip:clip", "cut a hit out into a file of its own"),
    },
    "Look": {
        "list": ("list_videos:list_videos", "the videos of the library"),
        "show": ("show:show", "one video as a timeline, or as one picture"),
        "duplicates": ("duplicates:duplicates", "what is there more than once; deletes nothing"),
        "export": ("export:export", "words as subtitles, shots and hits for editing programs"),
    },
    "Write": {
        "tag": ("tag:tag", "put tags on a video, or take them off"),
        "note": ("note:note", "write a note on a video or a moment"),
        "correct": ("correct:correct", "correct words that were misheard or misread"),
        "name": ("name:name", "say who a speaker or a person is"),
        "collection": ("collection:app", "gather videos under a name"),
        "remove": ("remove:remove", "take videos out of the library for good"),
    },
    "Work with files": {
        "frames": ("frames:frames", "write pictures of a video, with their times"),
        "audio": ("audio:audio", "write the sound of a video"),
        "features": ("features:features", "write numbers of a video to train on: HOG, MFCC, flow ..."),
    },
    "Train models": {
        "fit": ("fit:fit", "a folder of labelled clips into a model, without a recipe"),
        "train": ("train:train", "train what a recipe says, with controls"),
        "evaluate": ("evaluate:evaluate", "measure a trained model on what was held out"),
        "predict": ("predict:predict", "what a trained model says of new files"),
        "compare": ("compare:compare", "recipes against each other: figures, time, size"),
        "recipes": ("recipes:recipes", "the recipes that come along, to begin with"),
        "parts": ("parts:parts", "what a recipe can name: features, encoders, fusions ..."),
        "check": ("check:check", "hold a part of your own to the suite of ours"),
        "check-data": ("check_data:check_data", "find what ruins results before you train on it"),
        "world": ("world:world", "make films to train and test on, whose truth is known"),
    },
    "Keep in order": {
        "library": ("library:app", "verify, back up, restore, upgrade, compact"),
        "analysers": ("analysers:analysers", "what looks at videos, and what each needs and costs"),
        "models": ("models:app", "models on this machine, and how to get more"),
        "doctor": ("doctor:doctor", "what is installed, and what would improve with what"),
        "demo": ("demo:demo", "make a small library of its own and search it"),
    },
}
COMMANDS: dict[str, tuple[str, str]] = {name: entry for part in SECTIONS.values() for name, entry in part.items()}


class LazyGroup(TyperGroup):
    """Commands are imported when they are called; `--help` lists them from the table alone."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = load(cmd_name)
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=2)
            also = f"; did you mean {' or '.join(near)}?" if near else f" (see {ctx.command_path} --help)"
            ctx.fail(f"there is no command '{printable(args[0])}'{also}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, part in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in part.items()], col_max=14)
        with formatter.section("Two commands are enough to begin"):
            formatter.write_dl([("cinescope index ~/Videos", ""), ("cinescope search red car", "")], col_max=40)


def load(name: str) -> Any:
    """The click command behind a name: its module gives a function with annotations, or a Typer with subcommands."""
    where, line = COMMANDS[name]
    module, _, attribute = where.partition(":")
    value = getattr(import_module(f"cinescope.cli.{module}"), attribute)
    if isinstance(value, typer.Typer):
        group = typer.main.get_group(value)
        group.name = name
        return group
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = getattr(value, "context_settings", None) or {"help_option_names": ["-h", "--help"]}
    app.command(name, short_help=line, context_settings=settings)(value)
    return typer.main.get_command(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"cinescope {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Search your videos by what is said and shown, on your own machine."""


def command() -> Any:
    """The whole command line as one click command."""
    app = typer.Typer(
        cls=LazyGroup,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback()(_root)
    return typer.main.get_command(app)


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit status. Errors become one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 shows what it can
    try:
        command().main(args=list(args), prog_name="cinescope")
        status = 0
    except SystemExit as exit:
        status = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
    except KeyboardInterrupt:
        print("cinescope: stopped", file=sys.stderr)
        status = 130
    except Exception as error:  # noqa: BLE001 - the last place that can say it in a sentence
        status = _failed(error)
    return _flushed(status)


# What the system refuses that is nobody's fault in the code: said without a traceback.
_PLAIN = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENOENT: "there is no such file or folder",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "this disk cannot be written",
    errno.EISDIR: "this is a folder",
    errno.ENOTDIR: "part of this path is not a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "a loop of links",
    errno.EEXIST: "this exists already",
}


def _failed(error: Exception) -> int:
    """Say what went wrong; the exit status."""
    from cinescope.types import CinescopeError  # brings numpy along: not for a command that goes well

    if isinstance(error, CinescopeError):
        return _tell(error)
    if isinstance(error, OSError):
        if error.errno == errno.EPIPE:
            return _quiet_pipe()
        if error.filename is not None and error.errno in _PLAIN:
            do = "make room and run the same command again" if error.errno == errno.ENOSPC else ""
            return _tell(CinescopeError(f"{os.fsdecode(error.filename)}: {_PLAIN[error.errno]}", do))
    if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
        return _tell(CinescopeError("the memory of this machine is not enough", "give it less at once (batch, size)"))
    return _fault(error)


# How PyTorch says it, of the processor's memory and of a GPU's: a RuntimeError like all others.
_NO_MEMORY = re.compile("can't allocate memory|out of memory", re.IGNORECASE)


def _tell(error: CinescopeError) -> int:
    print(f"cinescope: {printable(error.what)}", file=sys.stderr)
    if error.do:
        print(f"  {printable(error.do)}", file=sys.stderr)
    return error.exit_code


def _fault(error: BaseException) -> int:
    """A fault of ours: one sentence, and the traceback in a file that can be sent along with a report."""
    import tempfile
    import traceback

    if os.environ.get("CINESCOPE_DEBUG"):
        traceback.print_exception(error)
    with tempfile.NamedTemporaryFile("w", prefix="cinescope-", suffix=".log", delete=False, errors="replace") as log:
        print(f"cinescope {__version__}, Python {sys.version}", file=log)
        print("arguments:", sys.argv[1:], file=log)
        traceback.print_exception(error, file=log)
    said = printable(str(error).strip().splitlines()[0][:200]) if str(error).strip() else type(error).__name__
    print(f"cinescope: this should not have happened ({type(error).__name__}: {said})", file=sys.stderr)
    print(f"  the details are in {log.name}; please report them", file=sys.stderr)
    return 70  # EX_SOFTWARE in sysexits.h


def _quiet_pipe() -> int:
    """The reader of our output went away (`| head`): nothing to say, and nobody to say it to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _flushed(status: int) -> int:
    try:
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.EPIPE:
            print(f"cinescope: the output could not be written ({error.strerror})", file=sys.stderr)
            return status or 1
        return _quiet_pipe()
    return status
