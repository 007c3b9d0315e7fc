"""Every analyser of the catalogue keeps the protocol: it can be fed, stopped at any window, and gone on with."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import pytest

from cinescope.analysers import CATALOGUE, create
from cinescope.types import (
    Analyser,
    Cue,
    FrameNeed,
    Frames,
    Material,
    Needs,
    Segment,
    SoundNeed,
    Source,
    Span,
    Stream,
    SubtitleTrack,
    Video,
    Waveform,
    Window,
)  # fmt: skip
from cinescope.types.signal import CHANNELS

RATE = 10.0  # pictures per second of the synthetic video
LENGTH = 16.0  # seconds
WINDOW = 2.0
PICTURE = Stream(0, "video", "rawvideo", start=0.0, duration=LENGTH, width=320, height=180, frame_rate=RATE)
SOUND = Stream(1, "audio", "pcm_s16le", start=0.0, duration=LENGTH, sample_rate=16_000, channels=1)
SUBTITLES = SubtitleTrack(
    (Cue(Span(1.0, 3.0), "the quick brown fox"), Cue(Span(9.5, 12.0), "jumps over the lazy dog")), "en", "beside:x.srt"
)
CASES = ["all", "no sound", "no pictures", "empty", "one frame"]


def picture(time: float, size: tuple[int, int], channels: int) -> np.ndarray:
    """Four scenes of four seconds, each a still texture with a moving bar."""
    width, height = size
    scene = int(time // 4)
    rng = np.random.default_rng(scene)
    coarse = rng.integers(0, 256, (5, 8, channels))
    rows, columns = np.arange(height) * 5 // height, np.arange(width) * 8 // width
    made = coarse[rows][:, columns].astype(np.uint8)
    at = int(time * 7) % width
    made[:, at : at + max(1, width // 16)] = 255 - 40 * scene
    return made


def sound(span: Span, rate: int, channels: int) -> np.ndarray:
    """A tone that comes and goes every two seconds, over faint noise."""
    n = np.arange(round(span.start * rate), round(span.end * rate))
    seconds = n / rate
    tone = 0.3 * np.sin(2 * np.pi * 220 * seconds) * (1 + np.sin(2 * np.pi * 5 * seconds)) * (seconds % 4 < 2)
    noise = 0.002 * np.sin(n * 12.9898) * np.cos(n * 78.233)
    return np.tile((tone + noise).astype(np.float32), (channels, 1))


def frames_of(need: FrameNeed, span: Span, count: int | None) -> tuple[Frames, tuple[float, ...]] | None:
    rate = need.rate or RATE
    times = np.arange(np.ceil(span.start * rate), np.ceil(span.end * rate)) / rate
    if count is not None:
        times = times[times < count / rate]
    if not len(times):
        return None
    size = (320, 180) if need.size is None else need.size
    if isinstance(size, int):
        longest = min(size, 320)
        size = (longest, longest * 9 // 16)
    data = np.stack([picture(t, size, CHANNELS[need.pixels]) for t in times])
    return Frames(data, times, need.pixels), (1 / rate,) * len(times)


def tracks_of(needs: Needs, span: Span) -> dict[str, tuple[Segment, ...]]:
    """Shots of four seconds, told when they are over and the look-back lets them through."""
    told: dict[str, tuple[Segment, ...]] = {}
    for name in needs.tracks:
        source = Source(name, "test")
        opens = -np.inf if span.start == 0 else span.start
        closes = np.inf if span.start == LENGTH else span.end
        ended = [t for t in (4.0, 8.0, 12.0, 16.0) if opens < t - needs.look_back <= closes]
        told[name] = tuple(
            Segment(Span(t - 4, t), name.rstrip("s"), source, data={"key": t - 2.0, "cut": "cut"}) for t in ended
        )
    return told


def seen(need: FrameNeed | None, span: Span, case: str) -> tuple[Frames, tuple[float, ...]] | None:
    if need is None or case == "no pictures":
        return None
    return frames_of(need, span, 1 if case == "one frame" else None)


def listened(need: SoundNeed | None, span: Span, case: str) -> Waveform | None:
    if need is None or case in ("no sound", "one frame"):
        return None
    return Waveform(sound(span, need.sample_rate, need.channels or 1), need.sample_rate, span.start)


def windows(needs: Needs, case: str) -> list[Window]:
    if case == "empty":
        return []
    made = []
    for start in np.arange(0.0, LENGTH, WINDOW):
        span = Span(float(start), float(start + WINDOW))
        found = seen(needs.frames, span, case)
        heard = listened(needs.sound, span, case)
        cues = {0: tuple(c for c in SUBTITLES.cues if span.contains(c.span.start))} if needs.subtitles else {}
        tracks = tracks_of(needs, span) if case != "no pictures" else dict.fromkeys(needs.tracks, ())
        made.append(
            Window(
                span,
                frames=found[0] if found else None,
                frame_durations=found[1] if found else (),
                sound=heard,
                cues={k: v for k, v in cues.items() if v},
                tracks=tracks,
                more_frames={n: shown for n in needs.more_frames if (shown := seen(n, span, case)) is not None},
                more_sound={n: w for n in needs.more_sound if (w := listened(n, span, case)) is not None},
            )
        )
    if needs.tracks and case != "no pictures":  # as the ingest does: what the tracks tell after the end
        span = Span(LENGTH, LENGTH)
        made.append(Window(span, tracks=tracks_of(needs, span)))
    return made


def material(needs: Needs, case: str) -> Material:
    streams = [
        s
        for s, absent in ((PICTURE, ("no pictures", "empty")), (SOUND, ("no sound", "empty", "one frame")))
        if case not in absent
    ]
    return Material(Video("test", LENGTH, tuple(streams)), (SUBTITLES,) if needs.subtitles and case == "all" else ())


def settings(name: str) -> dict[str, Any]:
    """What an analyser cannot do without; the folder is made by conftest.py."""
    return {"model": os.environ["CINESCOPE_TEST_TRAINED"]} if name == "trained" else {}


def fresh(name: str) -> Analyser:
    analyser = create(name, **settings(name))
    missing = type(analyser).available()  # type: ignore[attr-defined]
    if missing:
        pytest.skip(f"{name} cannot run here: {missing}")
    return analyser


def run(name: str, case: str) -> list[list[Segment]]:
    """What each call gives: one list per window, and one of `finish`."""
    analyser = fresh(name)
    analyser.begin(material(analyser.needs, case))
    given = [analyser.feed(w) for w in windows(analyser.needs, case)]
    return [*given, analyser.finish()]


@pytest.fixture(scope="session")
def uninterrupted() -> dict[str, list[list[Segment]]]:
    return {}


def assert_plain(value: Any, path: str = "state") -> None:
    """JSON values and numpy arrays of numbers, nothing else."""
    if isinstance(value, np.ndarray):
        assert value.dtype.kind in "biuf", f"{path} is an array of {value.dtype}"
    elif isinstance(value, dict):
        for key, inner in value.items():
            assert isinstance(key, str), f"{path} has the key {key!r}, JSON keys are texts"
            assert_plain(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            assert_plain(inner, f"{path}[{i}]")
    else:
        assert value is None or type(value) in (bool, int, float, str), f"{path} is a {type(value).__name__}"


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_has_what_the_protocol_and_the_lists_ask_for(name: str) -> None:
    analyser = fresh(name)
    assert isinstance(analyser, Analyser)
    assert analyser.name == name
    assert analyser.version
    assert isinstance(analyser.needs, Needs)
    for attribute in ("summary", "cost", "requires"):
        assert isinstance(getattr(type(analyser), attribute), str)
    assert "\n" not in type(analyser).summary  # type: ignore[attr-defined]
    source = analyser.source
    assert (source.analyser, source.version) == (name, analyser.version)
    json.dumps(source.settings, allow_nan=False)
    assert source.key == create(name, **settings(name)).source.key
    assert all(track in CATALOGUE for track in analyser.needs.tracks)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_gives_sorted_segments_inside_what_was_fed(name: str, case: str) -> None:
    given = run(name, case)
    segments = [s for call in given for s in call]
    source = fresh(name).source
    fed = windows(fresh(name).needs, case)
    if not fed:
        assert segments == []
        return
    end = fed[-1].span.end
    assert all(s.source.analyser == name and s.source.version == source.version for s in segments)
    assert all(-1e-6 <= s.span.start <= s.span.end <= end + 1e-6 for s in segments), segments
    by_kind: dict[str, list[float]] = {}
    for s in segments:
        by_kind.setdefault(s.kind, []).append(s.span.start)
    for kind, starts in by_kind.items():
        assert starts == sorted(starts), f"{kind} is not in order"
    for call, window in zip(given, fed, strict=False):
        heard = window.span.end + fresh(name).needs.look_back
        assert all(s.span.end <= heard + 1e-6 for s in call), "a segment ends after what has been fed"


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_goes_on_from_its_state_at_every_window(name: str, uninterrupted: dict[str, list[list[Segment]]]) -> None:
    if name not in uninterrupted:
        uninterrupted[name] = run(name, "all")
    whole = uninterrupted[name]
    analyser = fresh(name)
    told = material(analyser.needs, "all")
    analyser.begin(told)
    fed = windows(analyser.needs, "all")
    # One chain of fresh instances: an error at any boundary shows in all that follows.
    for number, window in enumerate(fed):
        assert analyser.feed(window) == whole[number], f"after going on at window {number}"
        state = analyser.state()
        assert_plain(state)
        analyser = fresh(name)
        analyser.begin(told)
        analyser.restore(state)
    assert analyser.finish() == whole[-1]


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_the_same_instance_serves_a_second_video(name: str, uninterrupted: dict[str, list[list[Segment]]]) -> None:
    if name not in uninterrupted:
        uninterrupted[name] = run(name, "all")
    analyser = fresh(name)
    for _ in range(2):
        analyser.begin(material(analyser.needs, "all"))
        given = [analyser.feed(w) for w in windows(analyser.needs, "all")]
        assert [*given, analyser.finish()] == uninterrupted[name]
