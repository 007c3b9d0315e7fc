"""Letters on pictures: fonts that are here, words cut to their room, and a record of what no font can draw.

Knows nothing about videos. Pillow carries one font, for Latin letters; for others those of the system are looked for by
their file names, which Pillow finds in the system's font folders.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from typing import Any

RGB = tuple[int, int, int]

# In this order; the first that has a letter draws it.
_OTHERS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "SourceHanSans-Regular.ttc", "NotoSerifCJK-Regular.ttc",
    "NotoSerifCJK-Bold.ttc", "NotoSansCJK-Bold.ttc", "wqy-microhei.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf",
    "PingFang.ttc", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "Arial Unicode.ttf",
    "msyh.ttc", "YuGothM.ttc", "malgun.ttf", "seguisym.ttf", "Nirmala.ttf",
    "NotoSansDevanagari-Regular.ttf", "NotoSansArabic-Regular.ttf", "NotoSansHebrew-Regular.ttf",
    "NotoSansThai-Regular.ttf",
)  # fmt: skip
_SPACE = 0.27  # of the size
_SPACES = re.compile(r"( +)")
_NOWHERE = "\uffff"  # no character, so that every font draws its sign for a missing one


@lru_cache(maxsize=128)
def _font(number: int, size: float) -> Any:
    """The font of the list, 0 being Pillow's own; None where it is not installed. Between whole sizes the letters'
    distances are rounded so that words run together."""
    from PIL import ImageFont

    size = max(1, round(size))

    if number == 0:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(_OTHERS[number - 1], size)
    except OSError:
        return None


@lru_cache(maxsize=8192)
def _number(letter: str) -> int | None:
    """Which font of the list draws a letter; None where none does."""
    for number in range(len(_OTHERS) + 1):
        font = _font(number, 20)
        if font is not None and _draws(font, letter):
            return number
    return None


def _draws(font: Any, letter: str) -> bool:
    drawn, missing = font.getmask(letter), font.getmask(_NOWHERE)
    return bool(drawn.size != missing.size or bytes(drawn) != bytes(missing))


class Letters:
    """Draws on one picture. `missing` holds the letters for which there is no font here."""

    def __init__(self, pen: Any) -> None:
        self.pen = pen  # PIL.ImageDraw.ImageDraw
        self.missing: set[str] = set()

    def write(self, x: float, y: float, text: str, size: float, colour: RGB, right: bool = False) -> float:
        """Letters whose upper edge is at y, beginning (or, with `right`, ending) at x; how wide they are, in pixels."""
        wide = self.length(text, size)
        at = x - wide if right else x
        # Fonts put their letters at different heights: all stand on the line of Pillow's own.
        base = y + _font(0, size).getmetrics()[0]
        for font, part in self._runs(text, size):
            if font is not None:
                self.pen.text((at, base), part, font=font, fill=colour, anchor="ls")
            at += self._wide(font, part, size)
        return wide

    def length(self, text: str, size: float) -> float:
        return float(sum(self._wide(font, part, size) for font, part in self._runs(text, size)))

    def _wide(self, font: Any, part: str, size: float) -> float:
        return float(self.pen.textlength(part, font=font)) if font is not None else _SPACE * size * len(part)

    def fit(self, text: str, size: float, room: float) -> str:
        """As much of the beginning as there is room for, cut behind a word where there is one, with an ellipsis."""
        if self.length(text, size) <= room:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.length(text[:middle].rstrip() + "…", size) <= room:
                low = middle
            else:
                high = middle - 1
        kept = text[:low]
        space = kept.rfind(" ")
        if text[low : low + 1] != " " and space > low // 2:
            kept = kept[:space]
        kept = kept.rstrip(" ,;:.-–")
        return kept + "…" if kept else ""

    def wrap(self, text: str, size: float, room: float, lines: int) -> list[str]:
        """At most so many lines, each as long as there is room for; an ellipsis where text is left over."""
        found: list[str] = []
        rest = text
        while rest and len(found) < lines:
            line = self.fit(rest, size, room)
            if line == rest or len(found) == lines - 1 or not line:
                found += [line] if line else []
                break
            kept = line.removesuffix("…")
            found.append(kept)
            # What `fit` took off the end belongs to this line, not the next.
            after = rest[len(kept) :]
            stops = after[: len(after) - len(after.lstrip(",;:.-–"))]
            found[-1] += stops
            rest = after[len(stops) :].lstrip()
        return found

    def _runs(self, text: str, size: float) -> list[tuple[Any, str]]:
        """Neighbouring letters of one font; letters without a font become one sign for all in a row. Spaces between
        Latin words have no font: that of Pillow makes them so narrow in small sizes that words run together."""
        chosen: list[tuple[int, str]] = []
        lost = False  # the letter before had no font
        for letter in unicodedata.normalize("NFC", text):
            if letter == " " or unicodedata.category(letter) in ("Mn", "Mc", "Cf"):
                # A space goes with the letter before, so that words of one script keep their order; so does a mark.
                if not (lost and letter != " "):
                    chosen.append((chosen[-1][0] if chosen else 0, letter))
                continue
            if not letter.isprintable():
                letter = " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"
            number = _number(letter)
            if number is None:
                self.missing.add(letter)
                if not lost:
                    chosen.append((0, "?"))
            else:
                chosen.append((number, letter))
            lost = number is None
        runs: list[tuple[Any, str]] = []
        for number, run in groupby(chosen, key=lambda c: c[0]):
            part = "".join(letter for _, letter in run)
            font = _font(number, size)
            # A space at the end of a script that runs to the left would be drawn at its left.
            kept = part.rstrip(" ")
            for word in _SPACES.split(kept) if number == 0 else [kept]:
                if word:
                    runs.append((None if word.isspace() else font, word))
            if len(kept) < len(part):
                runs.append((None, part[len(kept) :]))
        return runs
