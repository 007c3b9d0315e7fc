"""Timecode as editing programs count it (SMPTE ST 12-1): exact frame rates, drop frame. Knows numbers, not files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from cinescope.types import BadQueryError, Video

# The rates that editing programs offer; one whose pictures come unevenly is counted at the nearest.
STANDARD = tuple(
    sorted([Fraction(n) for n in (24, 25, 30, 48, 50, 60)] + [Fraction(n * 1000, 1001) for n in (24, 30, 48, 60)])
)
# A container's mean rate differs from the true one by its first and last picture's durations.
_NEAR = 0.0005
_WITHOUT_PICTURES = Fraction(25)
_WRITTEN = re.compile(r"^(\d{1,2}):(\d{2}):(\d{2})([:;.])(\d{2,3})$")


@dataclass(frozen=True, slots=True)
class Counting:
    """Frames a second as a fraction, and whether numbers are dropped so that the count keeps to the wall clock."""

    rate: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"a rate is above 0, got {self.rate}")
        if self.drop and not may_drop(self.rate):
            raise ValueError(f"only 29.97 and 59.94 drop frame numbers, not {self.rate}")

    @property
    def nominal(self) -> int:
        """Frames that make a second of timecode."""
        return round(self.rate)

    def frame(self, seconds: float) -> int:
        """The nearest frame boundary, counted from 0."""
        return round(Fraction(seconds) * self.rate)

    def write(self, frame: int) -> str:
        """`01:00:00;02`; a semicolon where numbers are dropped. After 24 hours it begins again."""
        number = frame % (self._day())
        if self.drop:
            skipped = 2 * self.nominal // 30
            in_minute = 60 * self.nominal - skipped
            in_ten = 10 * in_minute + skipped
            tens, rest = divmod(number, in_ten)
            minutes = 0 if rest < 60 * self.nominal else (rest - 60 * self.nominal) // in_minute + 1
            number += skipped * (9 * tens + minutes)
        seconds, frames = divmod(number, self.nominal)
        hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
        digits = 3 if self.nominal > 100 else 2
        return f"{hours:02d}:{minutes:02d}:{seconds:02d}{';' if self.drop else ':'}{frames:0{digits}d}"

    def read(self, text: str) -> int:
        """The frame that a timecode names. BadQueryError for what is no timecode at this rate."""
        match = _WRITTEN.match(text.strip())
        if match is None:
            raise BadQueryError(f"'{text}' is not a timecode", "write HH:MM:SS:FF")
        hours, minutes, seconds, _, frames = (int(g) if g.isdigit() else 0 for g in match.groups())
        skipped = 2 * self.nominal // 30 if self.drop else 0
        dropped = skipped and minutes % 10 and not seconds and frames < skipped
        if minutes > 59 or seconds > 59 or frames >= self.nominal or dropped:
            raise BadQueryError(f"'{text}' does not exist at {float(self.rate):.2f} frames a second", "check its rate")
        whole = 60 * hours + minutes
        return (60 * whole + seconds) * self.nominal + frames - skipped * (whole - whole // 10)

    def _day(self) -> int:
        hours = 24 * 3600 * self.nominal
        return hours - 2 * self.nominal // 30 * 24 * 54 if self.drop else hours


def may_drop(rate: Fraction) -> bool:
    return rate in (Fraction(30000, 1001), Fraction(60000, 1001))


def rate_of(video: Video) -> tuple[Fraction, str]:
    """Frames a second of the pictures as an exact fraction, and a sentence where that is not what the file has."""
    stream = video.first("video")
    if stream is None or not stream.frame_rate or stream.still:
        return _WITHOUT_PICTURES, f"it has no moving pictures; counted at {_WITHOUT_PICTURES} frames a second"
    told = stream.frame_rate
    # 23.976 and its like are n x 1000/1001; else whole numbers (10 and 15 occur as well).
    whole = max(1, round(told))
    choices = [Fraction(whole), Fraction(max(1, round(told * 1.001)) * 1000, 1001)]
    best = min(choices, key=lambda r: abs(float(r) / told - 1))
    if abs(float(best) / told - 1) <= _NEAR:
        return best, ""
    nearest = min(STANDARD, key=lambda r: abs(float(r) / told - 1))
    return nearest, (
        f"its pictures come unevenly, {told:.2f} a second on average; counted at {float(nearest):.3f} frames a second"
    )


def begin_of(video: Video, rate: Fraction) -> tuple[Counting, int]:
    """How the video is counted and the number of its first frame: the timecode that the container has, else 0.

    At 29.97 and 59.94 numbers are dropped unless the container's own timecode does not.
    """
    written = str(video.info.get("timecode") or video.info.get("tags", {}).get("timecode") or "")
    match = _WRITTEN.match(written.strip())
    counting = Counting(rate, may_drop(rate) and (match is None or match[4] != ":"))
    if match is None:
        return counting, 0
    try:
        return counting, counting.read(written)
    except BadQueryError:
        return counting, 0  # written for another rate; the count from 0 is right in any case
