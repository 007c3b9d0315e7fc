"""What the feeding cuts out of a container: the grid, frames that stand long, sound exact to the sample."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cinescope import media
from cinescope.library.feeding import Reel
from cinescope.types import FrameNeed, SoundNeed

EVERY = FrameNeed(None, (8, 8), "grey")
TWICE = FrameNeed(2.0, (8, 8), "grey")
SOUND = SoundNeed(8_000)


@pytest.fixture(scope="module")
def slides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures at 0.5, 1.0, 7.3 and 11 s: variable rate, a late start, one frame that stands for six seconds."""
    path = tmp_path_factory.mktemp("slides") / "slides.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"bf": "0"})
        stream.width = stream.height = 64
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, 1000)
        stream.codec_context.time_base = Fraction(1, 1000)
        for level, ms in ((40, 500), (90, 1000), (140, 7300), (190, 11_000)):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), level, np.uint8), "rgb24")
            frame.pts, frame.time_base = ms, Fraction(1, 1000)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    return path


def fed(path: Path, need: FrameNeed, start: float | None = None) -> list[tuple[float, int]]:
    reel = Reel(str(path), media.probe(path), frame_needs=(need,))
    pictures = []
    for piece in reel.slices(reel.start if start is None else start):
        if need in piece.frames:
            frames, durations = piece.frames[need]
            assert len(durations) == len(frames)
            pictures += [
                (round(float(t), 3), int(d.mean()) // 10) for t, d in zip(frames.times, frames.data, strict=True)
            ]
    return pictures


def test_every_frame_at_its_own_time(slides: Path) -> None:
    assert [t for t, _ in fed(slides, EVERY)] == [0.5, 1.0, 7.3, 11.0]


def test_the_grid_repeats_a_frame_that_stands(slides: Path) -> None:
    pictures = fed(slides, TWICE)
    assert [t for t, _ in pictures][:4] == [0.5, 1.0, 1.5, 2.0]
    shown = dict(pictures)
    assert shown[7.0] == shown[1.0] != shown[7.5] == shown[10.5] != shown[11.0]
    assert len({t for t, _ in pictures}) == len(pictures)


@pytest.mark.parametrize("start", [2.0, 4.0, 6.0, 8.0, 10.0])
def test_going_on_feeds_what_an_uninterrupted_pass_would(slides: Path, start: float) -> None:
    for need in (EVERY, TWICE):
        assert fed(slides, need, start) == [p for p in fed(slides, need) if p[0] >= start]


def test_sound_windows_join_to_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    tone = (np.sin(np.arange(8_000 * 45) / 5) * 0.3).astype(np.float32)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_f32le", rate=8_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone[None], "flt", "mono")
        frame.sample_rate, frame.pts = 8_000, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    reel = Reel(str(path), media.probe(path), sound_needs=(SOUND,))
    windows = [piece.sound[SOUND] for piece in reel.slices(reel.start)]
    joined = np.concatenate([w.data[0] for w in windows])
    assert len(joined) >= len(tone)
    np.testing.assert_allclose(joined[: len(tone)], tone, atol=1e-6)
    assert not joined[len(tone) :].any()
    for a, b in itertools.pairwise(windows):
        assert a.end == pytest.approx(b.start)
    later = [piece.sound[SOUND] for piece in reel.slices(24.0)]
    np.testing.assert_array_equal(np.concatenate([w.data for w in later], 1), joined[None, 24 * 8_000 :])
