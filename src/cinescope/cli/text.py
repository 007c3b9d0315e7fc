"""Text for a terminal: safe, as wide as it is seen, coloured where that is wanted. Knows nothing about videos."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import TextIO

# Control characters (a name may hold newlines, a recognised text an escape sequence), bidi overrides, lone surrogates.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def printable(text: str) -> str:
    r"""`a\nb` on one line, undecodable bytes as `\xff`: what may be written to a terminal."""

    def escaped(match: re.Match[str]) -> str:
        character = match.group()
        code = ord(character)
        if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8 (PEP 383)
            return f"\\x{code - 0xDC00:02x}"
        return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")

    return _UNSAFE.sub(escaped, text)


def one_line(text: str) -> str:
    """Words of a segment on one line: line breaks become spaces, the rest is made safe."""
    return printable(re.sub(r"\s+", " ", text).strip())


def width(text: str) -> int:
    """Columns that a terminal needs: CJK and emoji take two, combining marks none, colours none."""
    columns = 0
    for character in _ANSI.sub("", text):
        if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
            continue
        columns += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return columns


def cut(text: str, columns: int) -> str:
    """At most so many columns; what was cut shows as an ellipsis. For text without colours."""
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for character in text:
        step = width(character)
        if used + step > columns - 1:
            break
        kept, used = kept + character, used + step
    return kept + "…" if columns > 0 else ""


def padded(text: str, columns: int, right: bool = False) -> str:
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def terminal_width(default: int = 100) -> int:
    """Columns to write for: the terminal's, or COLUMNS; 100 into a file."""
    return max(40, shutil.get_terminal_size((default, 24)).columns)


def coloured(stream: TextIO) -> bool:
    """Whether to colour: on a terminal, unless NO_COLOR (no-color.org) or a dumb terminal; FORCE_COLOR wins."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _style(code: str, text: str, stream: TextIO | None) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if text and coloured(stream or sys.stdout) else text


def bold(text: str, stream: TextIO | None = None) -> str:
    return _style("1", text, stream)


def dim(text: str, stream: TextIO | None = None) -> str:
    return _style("2", text, stream)


def blue(text: str, stream: TextIO | None = None) -> str:
    return _style("36", text, stream)


def yellow(text: str, stream: TextIO | None = None) -> str:
    return _style("33", text, stream)


def red(text: str, stream: TextIO | None = None) -> str:
    return _style("31", text, stream)


def marked(text: str, spans: Sequence[tuple[int, int]], columns: int) -> str:
    """The part of a text around its matches, the matches in bold (or between `*` where there are no colours)."""
    spans = sorted((max(0, a), min(len(text), b)) for a, b in spans if a < b and a < len(text))
    first = spans[0][0] if spans else 0
    start = 0
    if width(text) > columns:
        # A third of the room shows what comes before the first match, from the beginning of a word on.
        start = max(0, min(first - columns // 3, len(text) - columns + 1))
        space = text.find(" ", start, first)
        start = space + 1 if start and space >= 0 else start
    head = "…" if start else ""
    visible = cut(text[start:], columns - len(head))
    end = start + len(visible) - (visible.endswith("…") and not text[start:].startswith(visible))
    out, at = head, start
    for a, b in spans:
        a, b = max(a, at), min(b, end)
        if a >= b:
            continue
        out += printable(text[at:a]) + _hit(printable(text[a:b]))
        at = b
    return out + printable(visible[at - start :])


def _hit(text: str) -> str:
    return _style("1;33", text, None) if coloured(sys.stdout) else f"*{text}*"


def table(
    rows: Sequence[Sequence[str]], head: Sequence[str], right: frozenset[int] = frozenset(), grow: int = -1
) -> str:
    """Columns as wide as they need; the column `grow` gives way where the line is longer than the terminal."""
    every = [list(head), *[list(r) for r in rows]]
    widths = [max(width(r[i]) for r in every) for i in range(len(head))]
    if grow >= 0:
        spare = terminal_width() - (sum(widths) + 2 * (len(widths) - 1))
        widths[grow] = max(8, widths[grow] + min(0, spare))
    lines = []
    for n, row in enumerate(every):
        cells = [padded(cut(c, w), w, i in right) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        line = "  ".join(cells).rstrip()
        lines.append(dim(line) if n == 0 else line)
    return "\n".join(lines)


def columns(names: Sequence[str]) -> str:
    """Plain one-a-line list."""
    return "\n".join(printable(n) for n in names)
