"""Where and when a video was recorded, where its container says so: one row for the whole clip, none where it does not.

A place is a point on the unit sphere, so that neighbours are near each other across the date line and at the poles too.
Times go round: hours, days of the week and seasons are points on circles. As the container states them: a time in UTC
is not turned into the local one, for few containers say which that would be.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import numpy as np

from cinescope.features.common import no_rows, rows
from cinescope.types import Clip, Features, Modality, Needs, Source

# ISO 6709 as QuickTime and Android write it: +DD.DDDD+DDD.DDDD+AAA.AAA/, or degrees and minutes, or with seconds.
_ISO6709 = re.compile(r"^\s*([+-]\d{2,6}(?:\.\d+)?)([+-]\d{3,7}(?:\.\d+)?)([+-]\d+(?:\.\d+)?)?(?:CRS[\w:]*)?/?\s*$")
_NAMES = ("com.apple.quicktime.location.iso6709", "location", "©xyz", "xyz", "location-eng", "gpscoordinates")
_PAIRS = (("gpslatitude", "gpslongitude"), ("latitude", "longitude"), ("geo.lat", "geo.long"))
_REFERENCES = {"n": 1, "s": -1, "e": 1, "w": -1}
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


def parse_iso6709(text: str) -> tuple[float, float] | None:
    """`+52.5163+013.3777+034/` -> (latitude, longitude) in degrees, north and east positive; None for anything else."""
    match = _ISO6709.match(text)
    if match is None:
        return None
    return _valid(_sexagesimal(match[1], 2), _sexagesimal(match[2], 3))


def _sexagesimal(text: str, digits: int) -> float | None:
    """Degrees of `digits` digits, behind which minutes and seconds may stand with two digits each."""
    sign = -1.0 if text[0] == "-" else 1.0
    whole, dot, fraction = text[1:].partition(".")
    extra = len(whole) - digits
    if extra not in (0, 2, 4):
        return None
    degrees = int(whole[:digits])
    minutes = int(whole[digits : digits + 2] or 0)
    seconds = int(whole[digits + 2 :] or 0)
    if minutes > 59 or seconds > 59:
        return None
    last = float(f"0.{fraction}") if dot and fraction else 0.0
    share = last if extra == 0 else last / 60 if extra == 2 else last / 3600
    return sign * (degrees + minutes / 60 + seconds / 3600 + share)


def _valid(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return latitude, longitude


def _angle(text: str) -> float | None:
    """`52.5163`, `52.5163 N`, `52 deg 30' 58.7" N` -> degrees."""
    numbers = [float(n) for n in _NUMBER.findall(text)]
    if not 1 <= len(numbers) <= 3:
        return None
    size = sum(abs(n) / 60**k for k, n in enumerate(numbers))
    letter = text.strip()[-1:].lower()
    return math.copysign(size, numbers[0]) * _REFERENCES.get(letter, 1)


def place_of(info: Mapping[str, Any]) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees from a container's tags; None where it does not say."""
    tags = {str(k).lower(): str(v) for k, v in dict(info.get("tags") or {}).items()}
    for name in _NAMES:
        if name in tags and (found := parse_iso6709(tags[name])) is not None:
            return found
    for north, east in _PAIRS:
        if north in tags and east in tags:
            latitude, longitude = _angle(tags[north]), _angle(tags[east])
            if tags.get(f"{north}ref", "").strip().lower()[:1] == "s" and latitude is not None:
                latitude = -abs(latitude)
            if tags.get(f"{east}ref", "").strip().lower()[:1] == "w" and longitude is not None:
                longitude = -abs(longitude)
            if (found := _valid(latitude, longitude)) is not None:
                return found
    return None


def on_sphere(latitude: float, longitude: float) -> tuple[float, float, float]:
    """Degrees -> x (towards 0 N 0 E), y (0 N 90 E), z (the north pole), of length 1."""
    a, b = math.radians(latitude), math.radians(longitude)
    return math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)


def on_circles(recorded: str) -> tuple[float, ...] | None:
    """ISO 8601 -> sine and cosine of the time of day, the day of the week (Monday 0) and the day of the year.

    Zeros where the text does not say so much: no time of day, or no day (then the season is the month's middle). None
    where there is no month, or no date.
    """
    match = re.match(r"^(\d{4})-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}))?)?)?", recorded)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(g) if g else None for g in match.groups())
    assert year is not None
    assert month is not None
    try:
        date = datetime(year, month, day or 15)
    except ValueError:
        return None
    values: list[float] = []
    clock = None if hour is None or minute is None else (hour * 3600 + minute * 60 + (second or 0)) / 86_400
    week = None if day is None else (date.weekday() + (clock or 0.0)) / 7
    season = (date.timetuple().tm_yday - 1 + (clock or 0.0)) / 365.25
    for turn in (clock, week, season):
        values += [0.0, 0.0] if turn is None else [math.sin(2 * math.pi * turn), math.cos(2 * math.pi * turn)]
    return tuple(values)


def _row(values: tuple[float, ...] | None, dim: int, clip: Clip, source: Source) -> Features:
    if values is None:
        return no_rows(dim, "place", source)
    return rows([values], np.array([[clip.span.start, clip.span.end]]), dim, "place", source)


@dataclass(frozen=True)
class Place:
    """Where it was recorded, as a point on the unit sphere: x, y, z. No row where the container does not say."""

    name: ClassVar[str] = "place"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "place"
    needs: ClassVar[Needs] = Needs()
    dim: ClassVar[int] = 3

    @property
    def source(self) -> Source:
        return Source(self.name, self.version)

    def __call__(self, clip: Clip) -> Features:
        found = None if clip.video is None else place_of(clip.video.info)
        return _row(None if found is None else on_sphere(*found), self.dim, clip, self.source)


@dataclass(frozen=True)
class Recorded:
    """When it was recorded: time of day, day of the week, season, each as sine and cosine. No row without a date."""

    name: ClassVar[str] = "recorded"
    version: ClassVar[str] = "1"
    modality: ClassVar[Modality] = "place"
    needs: ClassVar[Needs] = Needs()
    dim: ClassVar[int] = 6

    @property
    def source(self) -> Source:
        return Source(self.name, self.version)

    def __call__(self, clip: Clip) -> Features:
        return _row(None if clip.video is None else on_circles(clip.video.recorded), self.dim, clip, self.source)
