"""Time: spans on the one clock, and how people write times. Knows nothing about files or frames."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from cinescope.types.errors import BadQueryError


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Seconds of presentation time, half-open: `start` belongs to it, `end` does not. An instant has start == end."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise ValueError(f"a span needs finite times, got [{self.start}, {self.end})")
        if self.end < self.start:
            raise ValueError(f"a span cannot end before it starts, got [{self.start}, {self.end})")

    @property
    def duration(self) -> float:
        return self.end - self.start

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2

    def contains(self, time: float) -> bool:
        return self.start <= time < self.end or (self.start == self.end == time)

    def overlaps(self, other: Span) -> bool:
        """Whether they share time. An instant overlaps the span that contains it."""
        if self.start == self.end:
            return other.contains(self.start)
        if other.start == other.end:
            return self.contains(other.start)
        return self.start < other.end and other.start < self.end

    def intersection(self, other: Span) -> Span | None:
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Span(start, end) if end > start or (end == start and self.overlaps(other)) else None

    def union(self, other: Span) -> Span:
        """The shortest span that holds both, and the gap between them."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def gap(self, other: Span) -> float:
        """Seconds between the two; 0 where they touch or overlap."""
        return max(0.0, other.start - self.end, self.start - other.end)

    def iou(self, other: Span) -> float:
        """Temporal intersection over union, 0 to 1."""
        shared = self.intersection(other)
        if shared is None:
            return 0.0
        whole = self.duration + other.duration - shared.duration
        return 1.0 if whole == 0 else shared.duration / whole

    def shift(self, seconds: float) -> Span:
        return Span(self.start + seconds, self.end + seconds)

    def pad(self, seconds: float) -> Span:
        return Span(self.start - seconds, max(self.start - seconds, self.end + seconds))


def format_time(seconds: float, decimals: int = 0) -> str:
    """`62.5` -> `1:02`, `3723.25` with 3 decimals -> `1:02:03.250`. Cut, not rounded up: the moment has begun."""
    sign = "-" if seconds < 0 else ""
    scale = 10**decimals
    # The small term keeps 0.29 * 100 from becoming 28: binary fractions fall just below what a person wrote.
    ticks = math.floor(abs(seconds) * scale + 1e-6)
    whole, fraction = divmod(ticks, scale)
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    text = f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"
    return sign + text + (f".{fraction:0{decimals}d}" if decimals else "")


_UNITS = re.compile(r"^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?$")
_CLOCK = re.compile(r"^(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)$")


def parse_time(text: str) -> float:
    """`90`, `90.5`, `1:30`, `1:02:03.25`, `1m30s`, `2h` -> seconds. Raises BadQueryError for anything else."""
    text = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d*)?|\.\d+", text):
        return float(text)
    if match := _CLOCK.match(text):
        hours, minutes, seconds = match.groups()
        if int(minutes) < 60 or not hours:
            return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))
    if text and (match := _UNITS.match(text)) and any(match.groups()):
        hours, minutes, seconds = (float(g or 0) for g in match.groups())
        return hours * 3600 + minutes * 60 + seconds
    raise BadQueryError(f"'{text}' is not a time", "write seconds (90.5), 1:30, 1:02:03 or 1m30s")
