"""The strips of what is seen and heard: readable without colours, never wider than they may be."""

from __future__ import annotations

import re

import pytest

from cinescope.cli import sense_strips
from cinescope.cli.strips import draw
from cinescope.cli.text import width
from cinescope.library.catalog import VideoSummary
from cinescope.types import Segment, Source, Span, Timeline, Track, Video

COLOURS = [{"name": "red", "hex": "#cc2211", "share": 0.5}, {"name": "grey", "hex": "#808080", "share": 0.3}]


def track(kind: str, *segments: tuple[float, float, str, dict[str, object]]) -> Track:
    source = Source(kind, "1")
    return Track(kind, tuple(Segment(Span(a, b), kind, source, text=t, data=d) for a, b, t, d in segments), source)


def timeline() -> Timeline:
    tracks = (
        track("camera", (0, 5, "pan left", {}), (5, 10, "zoom in", {})),
        track("sound", (0, 4, "speech", {"also": ["music"]}), (4, 10, "applause", {})),
        track("loudness", (0, 10, "", {"momentary": [-80.0, *[-30.0] * 4, *[-8.0] * 5]})),
        track("loudness_programme", (0, 10, "", {"integrated": -14.2, "range": 3.0, "true_peak": 0.4})),
        track("picture", (0, 10, "", {"colours": COLOURS})),
        track("quality", (2, 2.1, "black", {"fault": True}), (8, 10, "still", {"fault": False})),
        track("face", (1, 6, "", {}), (3, 5, "", {})),
        track("prints", (0, 10, "", {"bits": "abc"})),
        track("weather", (3, 6, "rain", {})),
    )
    return Timeline(Video("ab" * 16, 10.0, ()), tracks)


def drawn() -> dict[str, str]:
    line = timeline()
    summary = VideoSummary("ab" * 16, "A film", "a.mp4", "/a.mp4", "here", 10.0, "", "")
    text = draw(summary, line, line.tracks, Span(0, 10), [])
    assert all(width(row) <= 80 for row in text.splitlines())
    return {row[:10].strip(): row[10:] for row in text.splitlines() if len(row) > 10}


def test_every_sense_has_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rows = drawn()
    assert rows["camera"] == "←" * 35 + "+" * 35
    assert rows["sounds"] == "S" * 28 + "a" * 42
    assert rows["faults"].strip() == "b"
    assert rows["faces"].strip() == "1" * 14 + "2" * 14 + "1" * 7
    assert rows["weather"].strip()
    assert "prints" not in rows  # everywhere, so it says nothing
    assert "colours" not in rows  # colours are off; their names are below
    upper, lower = rows["loudness"], rows["-54 to -6"]
    assert lower[0] == "·"
    assert upper[10] == " "
    assert upper[60] == "▇"
    assert lower[60] == "█"


def test_the_legend_says_what_signs_mean_and_what_is_wrong() -> None:
    kinds = [t.kind for t in timeline().tracks]
    text = "\n".join(sense_strips.legend(timeline(), kinds, Span(0, 10)))
    assert "S speech + music, a applause" in text
    assert "← pan left, + zoom in" in text
    assert "faults: black at 0:02 (0.1 s)" in text
    assert "still" not in text
    assert "colours: red 50%, grey 30%" in text
    assert "-14.2 LUFS, range 3.0 LU, true peak 0.4 dBTP" in text
    assert sense_strips.legend(timeline(), [], Span(0, 10)) == []


@pytest.mark.parametrize(("depth", "code"), [("truecolor", "38;2;204;34;17"), ("", "38;5;160")])
def test_colours_are_those_of_the_picture(depth: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", depth)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    strip = drawn()["colours"]
    assert strip.count(code) == 70
    assert re.sub(r"\x1b\[[0-9;]*m", "", strip) == "▀" * 70
