"""Where and when a video was recorded, from real containers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.features.clips import load_clip
from cinescope.features.place import Place, Recorded, on_circles, on_sphere, parse_iso6709, place_of
from cinescope.media import VideoWriter
from cinescope.types import Clip, Needs, Span, Video


def film(path: Path, metadata: dict[str, str]) -> Path:
    with VideoWriter(path, (64, 48), 10, metadata=metadata) as out:
        for k in range(5):
            out.picture(np.zeros((48, 64, 3), np.uint8), k / 10)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_recorded_file(tmp_path: Path, suffix: str) -> None:
    tags = {"location": "+52.5163+013.3777+034.000/", "creation_time": "2024-05-18T06:00:00Z"}
    clip = load_clip(film(tmp_path / f"a{suffix}", tags), Needs())
    made = Place()(clip)
    assert made.values == pytest.approx(np.array([on_sphere(52.5163, 13.3777)]), abs=1e-6)
    assert made.times.tolist() == [[clip.span.start, clip.span.end]]
    when = Recorded()(clip).values[0]
    assert when[:2] == pytest.approx([1, 0], abs=1e-6)  # six in the morning is a quarter of the day
    saturday = (5 + 0.25) / 7 * 2 * math.pi
    assert when[2:4] == pytest.approx([math.sin(saturday), math.cos(saturday)], abs=1e-6)


def test_a_file_that_does_not_say(tmp_path: Path) -> None:
    clip = load_clip(film(tmp_path / "a.mp4", {}), Needs())
    for extractor in (Place(), Recorded()):
        assert extractor(clip).values.shape == (0, extractor.dim)
        assert len(extractor(Clip(Span(0, 1)))) == 0


@pytest.mark.parametrize(
    ("tags", "place"),
    [
        ({"com.apple.quicktime.location.ISO6709": "+48.8577+002.2950+035/"}, (48.8577, 2.295)),
        ({"©xyz": "-33.8568+151.2153/"}, (-33.8568, 151.2153)),
        ({"LOCATION": "+40.7484-073.9857/"}, (40.7484, -73.9857)),
        ({"GPSLatitude": "51 deg 30' 26.0\" N", "GPSLongitude": "0 deg 7' 39.0\" W"}, (51.507222, -0.1275)),
        ({"GPSLatitude": "51.5", "GPSLatitudeRef": "S", "GPSLongitude": "7", "GPSLongitudeRef": "W"}, (-51.5, -7.0)),
        ({"latitude": "-12.5", "longitude": "130.8"}, (-12.5, 130.8)),
        ({"location": "Berlin"}, None),
        ({"location": "+95.0+013.0/"}, None),
        ({"location": "+52.0+190.0/"}, None),
        ({"latitude": "north", "longitude": "130.8"}, None),
        ({"latitude": "12"}, None),
        ({}, None),
    ],
)
def test_tags(tags: dict[str, str], place: tuple[float, float] | None) -> None:
    found = place_of({"tags": tags})
    assert found == (None if place is None else pytest.approx(place, abs=1e-5))


def test_iso6709() -> None:
    assert parse_iso6709("+1234.5-01234.25/") == pytest.approx((12 + 34.5 / 60, -(12 + 34.25 / 60)))
    assert parse_iso6709("-123456.5+0123456/") == pytest.approx(
        (-(12 + 34 / 60 + 56.5 / 3600), 12 + 34 / 60 + 56 / 3600)
    )
    assert parse_iso6709("+00-000/") == (0, 0)
    for wrong in ("", "52.5+13.4/", "+1260+01234/", "+123+01234/", "+12.3", "+52.5+13.4"):
        assert parse_iso6709(wrong) is None


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_written_places_come_back(latitude: float, longitude: float) -> None:
    back = parse_iso6709(f"{latitude:+011.7f}{longitude:+012.7f}/")
    assert back == pytest.approx((latitude, longitude), abs=1e-6)
    assert math.hypot(*on_sphere(latitude, longitude)) == pytest.approx(1)


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    parse_iso6709(text)
    on_circles(text)
    place_of({"tags": {"location": text, "GPSLatitude": text, "GPSLongitude": text}})


def test_the_sphere_joins_at_the_date_line_and_the_circles_at_midnight() -> None:
    assert math.dist(on_sphere(10, 179.9), on_sphere(10, -179.9)) < 0.005
    assert math.dist(on_sphere(89.9, 0), on_sphere(89.9, 180)) < 0.005
    late, early = on_circles("2024-05-18T23:59:00Z"), on_circles("2024-05-19T00:01:00Z")
    assert late is not None
    assert early is not None
    assert math.dist(late, early) < 0.05
    old, new = on_circles("2023-12-31T12:00:00Z"), on_circles("2024-01-01T12:00:00Z")
    assert math.dist(old[4:], new[4:]) < 0.03  # type: ignore[index]


@pytest.mark.parametrize(
    ("recorded", "known"), [("2024-05-18T12:00:00", 3), ("2024-05-18", 2), ("2024-05", 1), ("2024", 0), ("", 0)]
)
def test_what_the_date_does_not_say_is_zero(recorded: str, known: int) -> None:
    made: Any = Recorded()(Clip(Span(0, 2), video=Video("", 2.0, (), recorded=recorded)))
    if not known:
        assert len(made) == 0
        return
    lengths = np.linalg.norm(made.values.reshape(3, 2), axis=1)
    assert lengths == pytest.approx([float(known >= 3), float(known >= 2), 1.0])


def test_dates_that_are_none() -> None:
    assert on_circles("2024-13-01") is None
    assert on_circles("2024-02-31") is None
