"""The values of filters on what was seen and heard."""

from __future__ import annotations

import math

import pytest

from cinescope.analysers.sound_kinds import KINDS
from cinescope.features.signal.colour import NAMES
from cinescope.library.query import parse
from cinescope.library.track_values import _COLOURS, EXAMPLES, SOUNDS, Range, parsed
from cinescope.types import BadQueryError

INF = math.inf


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("length", "<5m", Range(-INF, 300.0, True, False)),
        ("length", "10m-1h", Range(600.0, 3600.0)),
        ("length", "10m–1:00:00", Range(600.0, 3600.0)),
        ("length", "..90", Range(-INF, 90.0)),
        ("length", ">=1:30", Range(90.0, INF)),
        ("faces", "0", Range(0, 0)),
        ("faces", "2+", Range(2, INF)),
        ("faces", ">2", Range(2, INF, False)),
        ("faces", "1-3", Range(1, 3)),
        ("faces", "any", Range(1, INF)),
        ("loudness", "<-30", Range(-INF, -30.0, True, False)),
        ("loudness", "<−30", Range(-INF, -30.0, True, False)),
        ("loudness", "-30..-16.5", Range(-30.0, -16.5)),
        ("loudness", "Loud", Range(-16.0, INF, False)),
        ("brightness", ".2-.4", Range(0.2, 0.4)),
        ("brightness", "dark", Range(-INF, 0.2, True, False)),
        ("camera", "Pan-Left", "pan left"),
        ("camera", "shaky", "shake"),
        ("colour", "dark-gray", "dark grey"),
        ("quality", "plain", "single colour"),
    ],
)
def test_values(name: str, value: str, expected: Range | str) -> None:
    assert parsed(name, value) == expected


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("camera", "dolly", "it takes pan, tilt, zoom, still, shake, left"),
        ("sound", "music!", "it takes speech, music, noise, applause, silence"),
        ("colour", "blurple", "dark blue"),
        ("quality", "bad", "it takes good, black"),
        ("length", "5m", "length:<5m"),
        ("length", "<soon", "length:<5m"),
        ("length", "..", "length:<5m"),
        ("length", "1h-5m", "smaller number first"),
        ("faces", "two", "faces:2+"),
        ("faces", "-1", "faces:2+"),
        ("faces", "1.5", "faces:2+"),
        ("loudness", "-30", "loudness:<-30"),
        ("loudness", "<nan", "loudness:<-30"),
        ("brightness", "<inf", "brightness:<0.2"),
        ("brightness", "0.4..0.2", "smaller number first"),
    ],
)
def test_a_value_that_means_nothing_says_which_do(name: str, value: str, said: str) -> None:
    with pytest.raises(BadQueryError) as caught:
        parsed(name, value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_ends_belong_to_a_range_or_not() -> None:
    assert Range(1, 2).holds(2)
    assert not Range(1, 2, with_high=False).holds(2)
    assert not Range(1, 2, with_low=False).holds(1)
    assert not Range().holds(math.nan)


def test_names_are_those_that_analysers_give() -> None:
    """They are written down twice, so that a query is parsed without OpenCV."""
    assert _COLOURS == NAMES
    assert set(SOUNDS) == {*KINDS, "silence"}
    assert all(parsed(name, example.partition(":")[2]) for name, example in EXAMPLES.items())


def test_in_a_query() -> None:
    query = parse('red Duration:<5m loud:>-16 -camera:"pan left" color:dark-blue faces:2+')
    assert [(f.name, f.value, f.negated) for f in query.filters] == [
        ("length", "<5m", False),
        ("loudness", ">-16", False),
        ("camera", "pan left", True),
        ("colour", "dark-blue", False),
        ("faces", "2+", False),
    ]
    assert parse(str(query)) == query
    with pytest.raises(BadQueryError, match="camera: needs a value"):
        parse("camera: pan")
    with pytest.raises(BadQueryError, match="it takes pan"):
        parse("camera:dolly")
