"""Feeds an analyser as the ingest does, from arrays instead of files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from cinescope.types import Analyser, Frames, Material, Segment, Source, Span, Stream, Video, Waveform, Window

WINDOW = 2.0
_SHOTS = Source("shots", "test")


def feed_sound(
    analyser: Analyser,
    samples: np.ndarray,
    restart: bool = False,
    start: float = 0.0,
    stated: bool = True,
    tracks: dict[str, Sequence[Segment]] | None = None,
) -> list[Segment]:
    """(C, S) at the rate the analyser wants, in windows of 2 s, the last one filled with silence.

    `restart`: a fresh analyser from the state at every window. `tracks` are told whole with the window they end in.
    """
    need = analyser.needs.sound
    assert need is not None
    rate = need.sample_rate
    channels, count = samples.shape
    end = start + count / rate
    stream = Stream(0, "audio", "pcm", start=start, duration=count / rate, sample_rate=rate, channels=channels)
    material = Material(Video("test", end if stated else None, (stream,)))
    analyser.begin(material)
    made: list[Segment] = []
    first = int(start // WINDOW)
    padded = np.zeros((channels, round((np.ceil(end / WINDOW) - first) * WINDOW * rate)), np.float32)
    offset = round((start - first * WINDOW) * rate)
    padded[:, offset : offset + count] = samples
    size = round(WINDOW * rate)
    for number in range(padded.shape[1] // size):
        span = Span((first + number) * WINDOW, (first + number + 1) * WINDOW)
        sound = Waveform(padded[:, number * size : (number + 1) * size], rate, span.start)
        told = {
            name: tuple(s for s in (tracks or {}).get(name, ()) if span.start < s.span.end <= span.end)
            for name in analyser.needs.tracks
        }
        made += analyser.feed(Window(span, sound=sound, tracks=told))
        if restart:
            state = analyser.state()
            analyser = type(analyser)()
            analyser.begin(material)
            analyser.restore(state)
    return made + analyser.finish()


def feed_pictures(
    analyser: Analyser,
    pictures: np.ndarray,
    rate: float,
    shots: Sequence[float] = (),
    duration: float | None = None,
) -> list[Segment]:
    """(T, H, W, C) shown at k / rate, as already scaled and sampled. `shots`: the times of cuts."""
    length = len(pictures) / rate if duration is None else duration
    stream = Stream(0, "video", "raw", start=0.0, duration=length, width=1280, height=720)
    analyser.begin(Material(Video("test", length, (stream,))))
    need = analyser.needs.frames
    assert need is not None
    times = np.arange(len(pictures)) / rate
    edges = [0.0, *shots, length]
    told = [Segment(Span(a, b), "shot", _SHOTS) for a, b in itertools.pairwise(edges)]
    made: list[Segment] = []
    back = analyser.needs.look_back
    for number in range(int(np.ceil(length / WINDOW))):
        span = Span(number * WINDOW, (number + 1) * WINDOW)
        inside = (times >= span.start) & (times < span.end)
        frames = Frames(pictures[inside], times[inside], need.pixels) if inside.any() else None
        ended = {
            name: tuple(s for s in told if span.start + back < s.span.end <= span.end + back or
                        (number == 0 and s.span.end <= span.end + back))
            for name in analyser.needs.tracks
        }  # fmt: skip
        durations = (1 / rate,) * int(inside.sum())
        made += analyser.feed(Window(span, frames=frames, frame_durations=durations, tracks=ended))
    rest = {n: tuple(s for s in told if s.span.end > span.end + back) for n in analyser.needs.tracks}
    if any(rest.values()):
        made += analyser.feed(Window(Span(span.end, span.end), tracks=rest))
    return made + analyser.finish()
