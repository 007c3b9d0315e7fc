"""Finding the files of a publisher by their names, and reading their rows with the number of each line.

Knows CSV, JSON and JSONL; knows no dataset. Every error names the file and, where there is one, the line.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cinescope.types import BadQueryError, Span

# Publishers' words for one part. The one that settings are chosen on has most.
SAME_SPLIT = {
    "val": "val", "dev": "val", "valid": "val", "validation": "val", "validate": "val",
    "training": "train", "testing": "test",
}  # fmt: skip


def find(folder: Path, *patterns: str) -> list[Path]:
    """Files below `folder` whose name matches one of the patterns; those nearest to the top first, then by name.

    `folder` may be one of the files itself. Each name is given once: a copy further down is not read twice.
    """
    if folder.is_file():
        return [folder] if any(folder.match(p) for p in patterns) else []
    if not folder.is_dir():
        raise BadQueryError(f"there is no folder '{folder}'", "give the folder of the dataset's files")
    found = {path for p in patterns for path in folder.rglob(p) if path.is_file()}
    nearest: dict[str, Path] = {}
    for path in sorted(found, key=lambda f: (len(f.relative_to(folder).parts), f.relative_to(folder).parts)):
        nearest.setdefault(path.name, path)
    return list(nearest.values())


def need(folder: Path, what: str, *patterns: str) -> list[Path]:
    """As `find`; BadQueryError says what was looked for where there is none."""
    found = find(folder, *patterns)
    if not found:
        raise BadQueryError(f"'{folder}' holds no {what}: looked for {', '.join(patterns)}", "give its folder")
    return found


def read_text(path: Path, encoding: str = "utf-8-sig") -> str:
    """The whole file; BadQueryError names the line of the first byte that is not of that encoding."""
    data = path.read_bytes()
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadQueryError(f"'{path.name}', line {line}: not UTF-8", "save the file as UTF-8") from error


def csv_rows(
    path: Path, columns: Sequence[str] = (), *, delimiter: str = ",", text: str | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, row) of each row below the header; `columns` must be there. A blank line is no row."""
    reader = csv.reader(io.StringIO(read_text(path) if text is None else text, newline=""), delimiter=delimiter)
    header = [name.strip() for name in _next(reader, path) or []]
    if not header:
        raise BadQueryError(f"'{path.name}' is empty", "its first line must name the columns")
    absent = [name for name in columns if name not in header]
    if absent:
        raise BadQueryError(f"'{path.name}' has no column '{absent[0]}'", f"it has {', '.join(header)}")
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise BadQueryError(f"'{path.name}' has two columns '{twice[0]}'", "rename one")
    while True:
        line = reader.line_num + 1
        row = _next(reader, path)
        if row is None:
            return
        if not row:
            continue
        if len(row) != len(header):
            raise BadQueryError(
                f"'{path.name}', line {line}: {len(row)} values for {len(header)} columns",
                "values with a comma or a line break need quotes",
            )
        yield line, dict(zip(header, row, strict=True))


def _next(reader: Any, path: Path) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        raise BadQueryError(f"'{path.name}', line {reader.line_num}: {error}", "correct this line") from error


def jsonl_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of each line that is not blank."""
    # Not splitlines: it breaks at U+2028 and the like, which JSON allows inside a string.
    for line, text in enumerate(read_text(path).split("\n"), 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
            raise BadQueryError(f"'{path.name}', line {line}: not JSON ({said})", "write one object a line") from error
        if not isinstance(row, dict):
            raise BadQueryError(f"'{path.name}', line {line}: not a JSON object", 'write {"name": value} a line')
        yield line, row


def read_json(path: Path, kind: type[dict] | type[list]) -> Any:
    """The whole file as one JSON object or list."""
    try:
        value = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadQueryError(f"'{path.name}'{where}: not JSON", "is the file complete?") from error
    if not isinstance(value, kind):
        wanted = "an object" if kind is dict else "a list"
        raise BadQueryError(f"'{path.name}' should be {wanted}, and is {type(value).__name__}", "is this the file?")
    return value


def number(value: Any, where: str) -> float:
    """A finite number of a text or a JSON number; BadQueryError says where it is none."""
    try:
        made = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadQueryError(f"{where}: '{value}' is not a number", "correct it") from error
    if not math.isfinite(made):
        raise BadQueryError(f"{where}: '{value}' is not a finite number", "correct it")
    return made


def stretch(start: Any, end: Any, where: str) -> Span:
    """Seconds from the first to the last of the two: some publishers have them the wrong way round."""
    a, b = number(start, where), number(end, where)
    return Span(min(a, b), max(a, b))


def value_of(row: dict[str, Any], name: str, where: str) -> Any:
    """row[name]; BadQueryError where it has none."""
    if name not in row:
        raise BadQueryError(f"{where}: no '{name}'", f"it has {', '.join(map(str, row))}")
    return row[name]


def same_split(wanted: str, there: str) -> bool:
    """Whether a publisher's word for a part means the one that a person wants: "val" for "dev" and "validate"."""
    return wanted == there or SAME_SPLIT.get(wanted, wanted) == SAME_SPLIT.get(there, there)


def shown(path: str | Path, folder: Path) -> str:
    """A path as a person finds it: from the folder on where it is below it, with forward slashes."""
    text = os.path.relpath(path, folder) if Path(path).is_relative_to(folder) else os.fspath(path)
    return text.replace(os.sep, "/")
