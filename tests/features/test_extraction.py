"""Features of long files: what comes in stretches is what one clip of all gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cinescope.features import clips, extraction
from cinescope.features.clips import load_clip
from cinescope.features.extraction import extract
from cinescope.features.signal.flow_features import Flow
from cinescope.features.signal.hog import Hog
from cinescope.features.signal.mfcc import Mfcc
from cinescope.features.signal.pitch import Pitch
from cinescope.media import VideoWriter
from cinescope.types import Clip, Features, FrameNeed, Needs, SoundNeed, Source, Span, Waveform

RATE = 16_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 pictures of moving blotches, with times that are not even, and a gliding tone; starts at 0.3 s."""
    path = tmp_path_factory.mktemp("film") / "long.mp4"
    blotches = np.random.default_rng(0).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    large = cv2.resize(blotches, (160, 120), interpolation=cv2.INTER_CUBIC)
    with VideoWriter(path, (160, 120), 10, (RATE, 1)) as out:
        for k in range(90):
            out.picture(np.ascontiguousarray(np.roll(large, 2 * k, axis=1)), 0.3 + k / 10 + (k % 3) * 0.02)
        t = np.arange(round(9.3 * RATE)) / RATE
        tone = 0.2 * np.sin(2 * np.pi * (200 * t + 20 * t**2)) * (0.6 + 0.4 * np.sin(5 * t))
        out.sound(Waveform(tone[None].astype(np.float32), RATE, 0.0))
    return path


class Windows:
    """The mean grey of windows of 5 frames, 3 apart: what a video backbone does."""

    name, version, modality = "windows", "1", "picture"
    needs = Needs(frames=FrameNeed(7.0, 32, "grey"))
    window, hop, dim = 5, 3, 1
    source = Source("windows", "1")

    def __call__(self, clip: Clip) -> Features:
        count = 0 if clip.frames is None else len(clip.frames)
        starts = range(0, count - self.window + 1, self.hop)
        data = clip.frames.data if clip.frames is not None else np.zeros(0)
        times = clip.frames.times if clip.frames is not None else np.zeros(0)
        values = np.array([[data[s : s + 5].mean()] for s in starts], np.float32).reshape(-1, 1)
        spans = np.array([[times[s], times[s + 4] + 1 / 7] for s in starts]).reshape(-1, 2)
        return Features(values, spans, "picture", self.source)


class Stranger:
    """Sound rows of 0.5 s that say nothing of what they depend on."""

    name, version, modality = "stranger", "1", "sound"
    needs = Needs(sound=SoundNeed(8000))
    dim = 1
    source = Source("stranger", "1")

    def __call__(self, clip: Clip) -> Features:
        assert clip.waveform is not None
        blocks = clip.waveform.data[0][: clip.waveform.data.shape[1] // 4000 * 4000].reshape(-1, 4000)
        starts = clip.waveform.start + 0.5 * np.arange(len(blocks))
        return Features(
            np.abs(blocks).mean(axis=1, keepdims=True), np.stack([starts, starts + 0.5], 1), "sound", self.source
        )


@pytest.mark.parametrize(
    "extractor", [Hog(rate=None, size=(64, 64)), Hog(rate=3.0, size=(64, 64)), Flow(rate=None), Windows(), Mfcc(),
                  Pitch(), Stranger()],
    ids=lambda e: e.name,
)  # fmt: skip
@pytest.mark.parametrize("span", [None, Span(2.05, 7.0)])
def test_stretches_give_the_rows_of_the_whole(
    extractor: Any, span: Span | None, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = extractor(load_clip(film, extractor.needs, span))
    monkeypatch.setattr(extraction, "_RUN_FRAMES", 7)
    monkeypatch.setattr(extraction, "MINUTE", 1.703)  # no multiple of the hops
    monkeypatch.setattr(extraction, "LONG", 2.0)
    made = extract(film, {"x": extractor}, span).features["x"]
    assert len(made) > 5
    assert made.times == pytest.approx(whole.times, abs=1e-4)
    assert np.abs(made.values - whole.values).max() <= 2e-2
    assert made.source == whole.source


def test_one_pass_for_all_and_progress(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cinescope import media

    opened: list[Any] = []
    real = media.VideoReader

    def counted(*args: Any) -> Any:
        opened.append(args)
        return real(*args)

    monkeypatch.setattr(media, "VideoReader", counted)
    told: list[tuple[float, float]] = []
    made = extract(
        film, {"a": Hog(rate=2.0), "b": Flow(), "c": Mfcc(), "d": Pitch()}, None, lambda d, t: told.append((d, t))
    )
    assert len(opened) == 1
    assert list(made.features) == ["a", "b", "c", "d"]
    assert [d for d, _ in told] == sorted(d for d, _ in told)
    assert told[-1][0] == pytest.approx(told[-1][1], rel=0.01)
    assert all(len(f) for f in made.features.values())


def test_sound_is_decoded_once_for_all_that_need_the_same(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cinescope import media

    alone = {n: extract(film, {n: e}).features[n] for n, e in {"mfcc": Mfcc(), "pitch": Pitch()}.items()}
    monkeypatch.setattr(extraction, "MINUTE", 1.0)
    monkeypatch.setattr(clips, "BLOCK", 1.0)
    monkeypatch.setattr(clips, "_HELD_BLOCKS", 4)
    read: list[tuple[float, int]] = []
    real = media.SoundReader.read

    def counted(self: Any, start: float, end: float, rate: int = 16_000, channels: int | None = 1) -> Waveform:
        read.append((start, rate))
        return real(self, start, end, rate, channels)

    monkeypatch.setattr(media.SoundReader, "read", counted)
    made = extract(film, {"mfcc": Mfcc(), "pitch": Pitch(), "stranger": Stranger()}).features
    at_16k = [start for start, rate in read if rate == RATE]
    assert sorted(at_16k) == sorted(set(at_16k))
    for name in ("mfcc", "pitch"):
        assert np.abs(made[name].values - alone[name].values).max() <= 2e-2


def test_frames_are_not_held_for_longer_than_they_are_needed(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "_RUN_BYTES", 4 * 64 * 64)
    most = 0

    class Watching(Windows):
        needs = Needs(frames=FrameNeed(None, (64, 64), "grey"))
        window = hop = 2

        def __call__(self, clip: Clip) -> Features:
            nonlocal most
            most = max(most, len(clip.frames) if clip.frames is not None else 0)
            return Features(np.zeros((0, 1), np.float32), np.zeros((0, 2)), "picture", self.source)

    extract(film, {"x": Watching()})
    assert 0 < most <= 4


def test_what_the_file_lacks_has_no_rows(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.full((50, 60, 3), 77, np.uint8)).save(tmp_path / "p.png")
    made = extract(tmp_path / "p.png", {"hog": Hog(), "mfcc": Mfcc()})
    assert len(made.features["hog"]) == 1
    assert made.features["hog"].times.tolist() == [[0.0, 1.0]]
    assert made.features["mfcc"].values.shape == (0, 60)
