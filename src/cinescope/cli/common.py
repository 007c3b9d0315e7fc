"""What the commands share: options, opening the library, JSON, the library's place. Knows typer, prints little."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from cinescope.api.library import Library

F = TypeVar("F", bound=Callable[..., Any])

LibraryOption = Annotated[
    str | None,
    typer.Option(
        "--library",
        metavar="PATH",
        envvar="CINESCOPE_LIBRARY",
        show_envvar=False,
        help="The library's folder (default: $CINESCOPE_LIBRARY, else your own).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]


def settings(**context_settings: Any) -> Callable[[F], F]:
    """Click context settings of a command."""

    def mark(function: F) -> F:
        function.context_settings = context_settings  # type: ignore[attr-defined]
        return function

    return mark


def group(help: str, example: str, alone: bool = False) -> typer.Typer:
    """A command with subcommands; `alone` when it does something without one, too."""
    return typer.Typer(
        help=f"{help}\n\n\b\n{example}",
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=not alone,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def open_library(place: str | None) -> Library:
    from cinescope.api.library import open

    return open(place)


def print_json(value: Any) -> None:
    """One JSON document on stdout. Text stays readable; bytes that are no UTF-8 become JSON escapes."""
    print(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: Any) -> Any:
    """Dataclasses, tuples and paths as JSON values; bytes are left out, they are pictures."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items() if not isinstance(v, bytes)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, str | int) or value is None:
        return value
    return str(value)


def say(text: str, quiet: bool = False) -> None:
    """A line for the person, on stdout."""
    if not quiet:
        print(text)


def remark(text: str) -> None:
    """A line beside the result, on stderr, so that pipes see results only."""
    print(text, file=sys.stderr)


def count(n: int, one: str, many: str = "") -> str:
    """`1 video`, `3 videos`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def human_time(seconds: float) -> str:
    """`42 seconds`, `7 minutes`, `3.4 hours`: for sums, not for times in a video."""
    if seconds < 120:
        return count(round(seconds), "second")
    if seconds < 90 * 60:
        return count(round(seconds / 60), "minute")
    return f"{seconds / 3600:.1f} hours"


def human_size(size: float) -> str:
    """Bytes as people say them, in powers of ten."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    raise AssertionError("unreachable")
