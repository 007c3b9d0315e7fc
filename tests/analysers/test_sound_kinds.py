"""Kinds of sound, drawn here with a few lines. The measurement is benchmarks/senses.py."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from senses_feeding import feed_sound

from cinescope.analysers.sound_kinds import SoundKinds
from cinescope.features.signal.sound_classes import KINDS, net
from cinescope.features.signal.sound_descriptors import NAMES, WIDTH, describe, envelope, spectra
from cinescope.types import BadQueryError, Material, Segment, Source, Span, Video, Waveform, Window

RATE = 16_000


def chords(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    made = np.zeros(len(t))
    for number, root in enumerate((220.0, 261.6, 196.0, 246.9)):
        part = (t // 0.5).astype(int) % 4 == number
        for ratio in (1, 1.26, 1.5):
            for k in range(1, 7):
                made += part * np.sin(2 * np.pi * root * ratio * k * t) / k**1.3 * np.exp(-(t % 0.5) * 2)
    return made / np.abs(made).max() * 0.4


def rain(seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, round(seconds * RATE))


def claps(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(2)
    made = np.zeros(round(seconds * RATE) + RATE)
    for _ in range(40):
        every, at, centre = rng.uniform(0.2, 0.4), rng.uniform(0, 0.4), rng.uniform(900, 2200)
        while at < seconds:
            t = np.arange(700) / RATE
            clap = rng.normal(0, 1, 700) * np.exp(-t / 0.006)
            spectrum = np.fft.rfft(clap)
            f = np.fft.rfftfreq(700, 1 / RATE)
            clap = np.fft.irfft(spectrum * np.exp(-((np.log2((f + 1) / centre)) ** 2)), 700)
            made[round(at * RATE) : round(at * RATE) + 700] += clap * rng.uniform(0.2, 1)
            at += every * rng.normal(1, 0.06)
    made = made[: round(seconds * RATE)]
    return made / np.abs(made).max() * 0.5


def quiet(seconds: float) -> np.ndarray:
    return np.random.default_rng(3).normal(0, 1e-4, round(seconds * RATE))


def told(*parts: np.ndarray, voice: tuple[tuple[float, float], ...] = (), **kwargs: Any) -> list[Segment]:
    spoken = [Segment(Span(a, b), "voice", Source("voice", "test")) for a, b in voice]
    return feed_sound(SoundKinds(), np.concatenate(parts).astype(np.float32)[None], tracks={"voice": spoken}, **kwargs)


@pytest.mark.parametrize(
    ("draw", "kind"), [(chords, "music"), (rain, "noise"), (claps, "applause"), (quiet, "silence")]
)
def test_each_kind_is_one_segment(draw: Any, kind: str) -> None:
    made = told(draw(6.0))
    assert [(s.span.start, s.span.end, s.text) for s in made] == [(0.0, 6.0, kind)]
    assert made[0].score is not None
    assert made[0].score >= 0.5


@pytest.mark.parametrize("gain", [0.02, 0.2, 2.0])
def test_how_loud_it_is_does_not_matter(gain: float) -> None:
    assert [s.text for s in told(chords(4.0) * gain, rain(4.0) * gain)] == ["music", "noise"]


def test_changes_are_told_within_a_second() -> None:
    made = told(chords(5.0), rain(6.0), quiet(4.0), claps(6.0))
    assert [s.text for s in made] == ["music", "noise", "silence", "applause"]
    for segment, edge in zip(made, (5.0, 11.0, 15.0, 21.0), strict=True):
        assert segment.span.end == pytest.approx(edge, abs=1.0)
    assert all(a.span.end == b.span.start for a, b in itertools.pairwise(made))


def test_speech_is_where_the_voice_is_and_pauses_belong_to_it() -> None:
    made = told(rain(20.0) * 0.1, voice=((4.0, 7.0), (8.4, 12.0)))
    assert [s.text for s in made] == ["noise", "speech", "noise"]
    assert made[1].span.start == pytest.approx(4.0, abs=0.5)
    assert made[1].span.end == pytest.approx(12.0, abs=0.5)
    apart = told(rain(20.0) * 0.1, voice=((4.0, 7.0), (9.5, 12.0)))
    assert [s.text for s in apart] == ["noise", "speech", "noise", "speech", "noise"]


def test_music_under_speech_is_told() -> None:
    made = told(chords(10.0), voice=((0.0, 10.0),))
    assert [(s.text, s.data) for s in made] == [("speech", {"also": ["music"]})]


def test_a_voice_told_late_counts() -> None:
    """A voice segment may be 30 s long and is told when it is over."""
    sound = rain(60.0)
    spoken = Segment(Span(2.0, 32.0), "voice", Source("voice", "test"))
    analyser = SoundKinds()
    analyser.begin(Material(Video("test", 60.0, ())))
    made: list[Segment] = []
    for number in range(30):
        span = Span(number * 2.0, number * 2.0 + 2)
        part = sound[number * 2 * RATE : (number + 1) * 2 * RATE].astype(np.float32)[None]
        tracks = {"voice": (spoken,) if number == 17 else ()}
        made += analyser.feed(Window(span, sound=Waveform(part, RATE, span.start), tracks=tracks))
        assert not made or number >= 17
    made += analyser.finish()
    assert [s.text for s in made] == ["noise", "speech", "noise"]
    assert made[1].span.start == pytest.approx(2.0, abs=0.5)


def test_going_on_from_a_state_changes_nothing() -> None:
    parts = (chords(9.0), rain(8.3), quiet(5.0), claps(6.1), chords(17.0))
    whole = told(*parts, voice=((20.0, 24.0),))
    assert told(*parts, voice=((20.0, 24.0),), restart=True) == whole


def test_what_fills_the_last_window_is_no_silence() -> None:
    for stated in (True, False):
        made = told(rain(6.6), stated=stated)
        assert [(s.text, round(s.span.end, 3)) for s in made] == [("noise", 6.6)]


def test_very_short_and_no_sound() -> None:
    assert told(rain(0.01)) == []
    assert [s.text for s in told(rain(0.6))] == ["noise"]
    analyser = SoundKinds()
    analyser.begin(Material(Video("test", 4.0, ())))
    assert analyser.feed(Window(Span(0.0, 2.0))) == []
    assert analyser.finish() == []


def test_broken_samples_do_no_harm() -> None:
    sound = rain(6.0)
    sound[5000:5010] = np.nan
    assert [s.text for s in told(sound)] == ["noise"]


@pytest.mark.parametrize("settings", [{"silence_level": 1.0}, {"shortest": 0.1}, {"shortest": float("nan")}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(BadQueryError):
        SoundKinds(**settings)


def test_descriptors_do_not_know_the_level() -> None:
    sound = chords(1.2)
    first = describe(spectra(sound), envelope(sound[: len(sound) // 32 * 32]))
    louder = describe(spectra(sound * 8), envelope(sound[: len(sound) // 32 * 32] * 8))
    assert first.shape == (WIDTH,) == (len(NAMES),)
    assert np.abs(first - louder).max() < 0.05
    assert np.isfinite(describe(spectra(np.zeros(RATE)), envelope(np.zeros(RATE)))).all()


def test_net_gives_probabilities() -> None:
    likely = net()(np.random.default_rng(0).normal(0, 5, (7, WIDTH)))
    assert likely.shape == (7, len(KINDS))
    assert likely.sum(axis=1) == pytest.approx(np.ones(7))


SHARED = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))


@pytest.mark.parametrize(
    ("name", "end", "kind"),
    [
        ("media/video-llama__applausing.mp4", 10.0, "applause"), ("media/moviepy__chaplin.mp4", 9.6, "music"),
        ("media/video-llama__boat.mp4", 6.0, "noise"), ("speech_separation/source2_2.wav", 7.0, "music"),
    ],
)  # fmt: skip
def test_shared_clips(name: str, end: float, kind: str) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not here (CINESCOPE_TEST_DATA)")
    from cinescope.media import read_sound

    assert [s.text for s in told(read_sound(SHARED / name, 0.0, end, RATE, 1).data[0])] == [kind]
