"""What may stand behind `camera:`, `faces:`, `loudness:` and their like. Knows words and numbers, nothing about tables.

Values are words (`camera:pan`), numbers with a comparison (`loudness:<-30`, `brightness:>=0.5`), whole ranges
(`length:10m-1h`, `loudness:-30..-16`, `loudness:..-30`) or, for faces, a count (`faces:1`, `faces:2+`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from cinescope.types import BadQueryError
from cinescope.types.span import parse_time

TrackFilterName = Literal["camera", "faces", "loudness", "sound", "brightness", "colour", "sharpness", "quality"]
TRACK_FILTERS: tuple[TrackFilterName, ...] = (
    "camera", "faces", "loudness", "sound", "brightness", "colour", "sharpness", "quality",
)  # fmt: skip
# Other ways to write a filter's name.
ALIASES = {"duration": "length", "loud": "loudness", "color": "colour", "face": "faces"}


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers between two ends, each of which belongs to it or not."""

    low: float = -math.inf
    high: float = math.inf
    with_low: bool = True
    with_high: bool = True

    def holds(self, values: Any) -> Any:
        """Of a number, or of each of an array; NaN is in no range."""
        above = values >= self.low if self.with_low else values > self.low
        below = values <= self.high if self.with_high else values < self.high
        return above & below


# Mean luma, 0 to 1: full daylight is about 0.4 to 0.6, night scenes lie below 0.2.
_BRIGHTNESS = {"dark": Range(high=0.2, with_high=False), "bright": Range(low=0.6, with_low=False)}
# Highest momentary loudness of a second, LUFS. EBU R 128 levels programmes to -23: far from it on both sides.
_LOUDNESS = {"quiet": Range(high=-35.0, with_high=False), "loud": Range(low=-16.0, with_low=False)}
# See features/signal/detail.py. Real clips lie above 0.03; blurred by a Gaussian of 1.5 pixels at 320, most lie below.
_SHARPNESS = {"blurred": Range(high=0.028, with_high=False), "sharp": Range(low=0.2, with_low=False)}
BLURRED = _SHARPNESS["blurred"]
PLAIN = 0.03  # contrast below which there is nothing that could be blurred

_MOVES = {"pan": ("left", "right"), "tilt": ("up", "down"), "zoom": ("in", "out")}
# What is asked for -> the labels of analysers/camera.py that answer it.
CAMERA: dict[str, tuple[str, ...]] = {
    **{move: tuple(f"{move} {way}" for way in ways) for move, ways in _MOVES.items()},
    "still": ("still",),
    "shake": ("shake",),
    "other": ("other",),
    **{way: (f"{move} {way}",) for move, ways in _MOVES.items() for way in ways},
    **{f"{move} {way}": (f"{move} {way}",) for move, ways in _MOVES.items() for way in ways},
}
SOUNDS = ("speech", "music", "noise", "applause", "silence")
# The names of features/signal/colour.py, which are not imported from there: that needs OpenCV.
_COLOURS = (
    "black", "dark grey", "grey", "light grey", "white", "red", "dark red", "pink", "orange", "brown", "dark brown",
    "beige", "yellow", "olive", "green", "light green", "dark green", "turquoise", "light blue", "blue", "dark blue",
    "purple", "light purple", "dark purple", "magenta",
)  # fmt: skip
FAULTS = ("black", "single colour", "frozen", "still", "flicker", "corrupted")  # texts of analysers/quality.py
QUALITIES = ("good", *FAULTS, "blur")
_SAME = {
    "camera": {"static": "still", "shaky": "shake", "panning": "pan", "zooming": "zoom", "tilting": "tilt"},
    "quality": {"plain": "single colour", "damaged": "corrupted", "blurred": "blur", "flickering": "flicker"},
    "brightness": {"light": "bright"},
    "sharpness": {"blur": "blurred", "soft": "blurred"},
    "sound": {"talk": "speech", "silent": "silence", "clapping": "applause"},
    "faces": {"none": "0", "no": "0", "any": "1+"},
}
_WORDS: dict[str, tuple[str, ...]] = {
    "camera": ("pan", "tilt", "zoom", "still", "shake", "left", "right", "up", "down", "in", "out", "other"),
    "sound": SOUNDS,
    "colour": _COLOURS,
    "quality": QUALITIES,
}
_NAMED: dict[str, dict[str, Range]] = {"loudness": _LOUDNESS, "brightness": _BRIGHTNESS, "sharpness": _SHARPNESS}
_HOW = {
    "length": "write a time: length:<5m, length:>1h or length:10m-1h",
    "faces": "write how many: faces:0, faces:1, faces:2+ or faces:1-3",
    "loudness": "write quiet, loud or LUFS: loudness:<-30, loudness:>-16 or loudness:-30..-16",
    "brightness": "write dark, bright or a number from 0 to 1: brightness:<0.2",
    "sharpness": "write blurred, sharp or a number from 0 to 1: sharpness:<0.05",
}
EXAMPLES = {
    "length": "length:<5m",
    "camera": "camera:pan",
    "faces": "faces:2+",
    "loudness": "loudness:<-30",
    "sound": "sound:music",
    "brightness": "brightness:dark",
    "colour": "colour:red",
    "sharpness": "sharpness:blurred",
    "quality": "quality:good",
}

_COMPARED = re.compile(r"(<=|>=|<|>|=)\s*(.+)")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)")


def parsed(name: str, value: str) -> Range | str:
    """The range of a number, or the one word that is meant. BadQueryError, with the values there are, for others."""
    text = " ".join(value.translate(_DASHES).casefold().split())
    text = _SAME.get(name, {}).get(text, text)
    if name in _WORDS:
        word = text.replace("-", " ").replace("_", " ").replace("gray", "grey")
        known = {*_WORDS[name], *CAMERA} if name == "camera" else set(_WORDS[name])
        if word in known:
            return word
        raise BadQueryError(f"{name}:{value} is none of its values", f"it takes {', '.join(_WORDS[name])}")
    named = _NAMED.get(name, {}).get(text)
    found = named or _range(name, text)
    if found is None:
        raise BadQueryError(f"{name}:{value} is none of its values", _HOW[name])
    if found.low > found.high:
        raise BadQueryError(f"{name}:{value} ends before it begins", "write the smaller number first")
    return found


_DASHES = str.maketrans(dict.fromkeys("−–－", "-"))


def _range(name: str, text: str) -> Range | None:
    if match := _COMPARED.fullmatch(text):
        number = _number(name, match[2])
        if number is None:
            return None
        sign = match[1]
        if sign == "=":
            return Range(number, number)
        if sign[0] == "<":
            return Range(high=number, with_high=sign == "<=")
        return Range(low=number, with_low=sign == ">=")
    if ".." in text:
        first, _, last = (part.strip() for part in text.partition(".."))
        low = _number(name, first) if first else -math.inf
        high = _number(name, last) if last else math.inf
        return None if low is None or high is None or not (first or last) else Range(low, high)
    if name == "loudness":
        return None  # -30-16 means nothing, and no second is exactly -30 LUFS
    first, dash, last = (part.strip() for part in text.partition("-"))
    if dash:
        low, high = _number(name, first), _number(name, last)
        return None if low is None or high is None else Range(low, high)
    if name == "faces":
        low = _number(name, text.removesuffix("+"))
        return None if low is None else Range(low, math.inf if text.endswith("+") else low)
    return None


def _number(name: str, text: str) -> float | None:
    """A number of the filter's unit: seconds for `length`, a whole one for `faces`."""
    if name == "length":
        try:
            return parse_time(text)
        except BadQueryError:
            return None
    if name == "faces":
        return float(text) if text.isascii() and text.isdigit() else None
    return float(text) if _NUMBER.fullmatch(text) else None
