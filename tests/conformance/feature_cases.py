"""Clips for the features' conformance tests, and what an extractor needs to be built where its defaults do not do.

A new extractor is tested by its line in the catalogue alone. One that must be given something (a checkpoint, a file of
vectors) or that is too big for a quick test has a line in `SETTINGS`, or in `BUILD`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cinescope.features import EXTRACTORS
from cinescope.types import Clip, FrameNeed, Frames, Needs, SoundNeed, Span, Stream, Video, Waveform, Word
from cinescope.types.signal import CHANNELS

# Constructor arguments for the tests, instead of the defaults.
SETTINGS: dict[str, dict[str, Any]] = {
    "sift_bow": {"words": 12},
    "sift_vlad": {"words": 4},
}


def _backbone(feature: str, family: str) -> Callable[[Path], Any]:
    """One that runs a pretrained model, on a tiny one that transformers saves."""

    def build(place: Path) -> Any:
        from tests.features.tiny_backbones import checkpoint

        return EXTRACTORS.create(feature, model=str(checkpoint(family, place / "tiny-backbones")))

    return build


def _sentence(place: Path) -> Any:
    """The text encoder of search, as a tiny graph."""
    pytest.importorskip("onnx", reason="the extra meaning-build is not installed")
    from tests.features.tiny_backbones import checkpoint

    from cinescope.features.backbones.text_encoder import build

    folder = place / "tiny-sentence"
    if not folder.is_dir():
        build(checkpoint("bert", place / "tiny-backbones"), folder, name="tiny", languages=(), longest=16)
    return EXTRACTORS.create("sentence", model=str(folder))


# Extractors that need more than arguments: a function that writes what they need into the folder that all tests of a
# session share, where it is not there already, and builds them.
BUILD: dict[str, Callable[[Path], Any]] = {
    feature: _backbone(feature, family)
    for feature, family in {
        "clip": "clip", "siglip": "siglip", "vit": "vit", "resnet": "resnet", "mobilenet": "mobilenet",
        "efficientnet": "efficientnet", "videomae": "videomae", "wav2vec2": "wav2vec2", "whisper": "whisper",
        "clap": "clap", "bert": "bert", "clip_text": "clip", "siglip_text": "siglip", "clap_text": "clap",
        "backbone": "dinov2",
    }.items()
} | {"sentence": _sentence}  # fmt: skip
# Arguments that are no settings of the numbers, so not in `source`: how much is done at once, and where.
NO_SETTINGS = {"batch", "device"}

LENGTH = 2.5  # seconds
START = 3.0  # the clips do not begin at 0: times that count from the clip's own start are seen
RATE = 10.0  # pictures a second where a need asks for every frame
SAID = "The quick brown fox jumps over the lazy dog, and the dog sleeps on in the warm garden."


def picture(seed: int, time: float, size: tuple[int, int], channels: int) -> np.ndarray:
    """A still texture of blotches, and a square that moves across it: (H, W, C) uint8."""
    width, height = size
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 16, channels)).astype(np.uint8)
    made = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST).reshape(height, width, channels)
    made = cv2.GaussianBlur(made, (0, 0), width / 200).reshape(height, width, channels)
    side, at = height // 4, int(time * width * 0.15 * (1 + seed)) % max(1, width - height // 4)
    made[side : 2 * side, at : at + side] = 240 - 30 * seed
    return made


def frames_of(need: FrameNeed, span: Span, seed: int, count: int | None = None) -> tuple[Frames, tuple[float, ...]]:
    rate = need.rate or RATE
    times = np.arange(np.ceil(span.start * rate - 1e-9), np.ceil(span.end * rate - 1e-9)) / rate
    times = times[:count]
    size = (320, 180) if need.size is None else need.size
    if isinstance(size, int):
        longest = min(size, 320)
        size = (longest, longest * 9 // 16)
    channels = CHANNELS[need.pixels]
    made = [picture(seed, t, size, channels) for t in times]
    data = np.stack(made) if made else np.zeros((0, size[1], size[0], channels), np.uint8)
    durations = tuple(min(1 / rate, span.end - t) for t in times.tolist())
    return Frames(data, times, need.pixels), durations


def sound_of(need: SoundNeed, span: Span, seed: int) -> Waveform:
    """A gliding tone with overtones that comes and goes, over faint noise."""
    rate = need.sample_rate
    seconds = np.arange(round(span.duration * rate)) / rate
    phase = 2 * np.pi * (180 * (1 + seed) * seconds + 30 * seconds**2)
    tone = sum(np.sin(k * phase) / k for k in (1, 2, 3)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * seconds))
    noise = np.random.default_rng(seed).standard_normal(len(seconds)) * 0.003
    made = (0.25 * tone + noise).astype(np.float32)
    return Waveform(np.tile(np.clip(made, -1, 1), (need.channels or 1, 1)), rate, span.start)


def clip_for(needs: Needs, seed: int = 0, length: float = LENGTH, frame_count: int | None = None) -> Clip:
    """Everything that the needs ask for, words, and a container that says when and where it was recorded."""
    span = Span(START, START + length)
    frames, durations = frames_of(needs.frames, span, seed, frame_count) if needs.frames else (None, ())
    sound = sound_of(needs.sound, span, seed) if needs.sound else None
    texts = SAID.split()[seed:] if length >= 1 else SAID.split()[:1]
    edges = np.linspace(span.start, span.end, len(texts) + 1).tolist()
    words = tuple(Word(t, Span(a, b)) for t, a, b in zip(texts, edges[:-1], edges[1:], strict=True))
    return Clip(span, frames, sound, words, "", _video(span), f"clip {seed}", durations)


def without(clip: Clip, modality: str) -> Clip:
    """The same clip where the file has none of that modality."""
    frames, sound, words, durations = clip.frames, clip.waveform, clip.words, clip.frame_durations
    video = clip.video
    if modality == "picture":
        frames, durations = None, ()
    elif modality == "sound":
        sound = None
    elif modality == "text":
        words = ()
    elif modality == "place":
        video = None
    return Clip(clip.span, frames, sound, words, "", video, clip.name, durations)


def emptied(clip: Clip, modality: str) -> Clip:
    """The same clip with the modality there and nothing in it: no picture, no sample, a text of blanks."""
    frames, sound, words, text, durations = clip.frames, clip.waveform, clip.words, "", clip.frame_durations
    if modality == "picture" and frames is not None:
        frames, durations = Frames(frames.data[:0], frames.times[:0], frames.pixels), ()
    elif modality == "sound" and sound is not None:
        sound = Waveform(sound.data[:, :0], sound.sample_rate, sound.start)
    elif modality == "text":
        words, text = (), " \n"
    return Clip(clip.span, frames, sound, words, text, clip.video, clip.name, durations)


def _video(span: Span) -> Video:
    streams = (Stream(0, "video", "h264", width=320, height=180, frame_rate=RATE), Stream(1, "audio", "aac"))
    tags = {"location": "+52.5163+013.3777/", "creation_time": "2024-05-18T14:30:00Z"}
    return Video("ab" * 16, span.end, streams, "mp4", recorded="2024-05-18T14:30:00Z", info={"tags": tags, **tags})


def write_state(state: dict[str, Any], place: Path) -> None:
    """JSON values to state.json, arrays to state.npz: anything else in a state is an error here."""
    arrays: dict[str, np.ndarray] = {}

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            arrays[f"a{len(arrays)}"] = value
            return {"__array__": f"a{len(arrays) - 1}"}
        if isinstance(value, dict):
            assert all(isinstance(k, str) for k in value), "keys of a state are texts"
            return {k: plain(v) for k, v in value.items()}
        return [plain(v) for v in value] if isinstance(value, list | tuple) else value

    text = json.dumps(plain(state), allow_nan=False)
    (place / "state.json").write_text(text, "utf-8")
    np.savez(place / "state.npz", **arrays)


def read_state(place: Path) -> dict[str, Any]:
    with np.load(place / "state.npz", allow_pickle=False) as file:
        arrays = dict(file)

    def full(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"__array__"}:
                return arrays[value["__array__"]]
            return {k: full(v) for k, v in value.items()}
        return [full(v) for v in value] if isinstance(value, list) else value

    return full(json.loads((place / "state.json").read_text("utf-8")))
