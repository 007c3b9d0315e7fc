"""Sound of one stream as float windows on the one clock. Knows nothing of pictures."""

from __future__ import annotations

from typing import Any

import av
import numpy as np

from cinescope.media.opening import FilePath, open_media, shown_name
from cinescope.types import MediaError, Span, Waveform


def read_sound(
    path: FilePath,
    start: float,
    end: float,
    sample_rate: int = 16_000,
    channels: int | None = 1,
    stream: int | None = None,
) -> Waveform:
    with SoundReader(path, stream) as reader:
        return reader.read(start, end, sample_rate, channels)


class SoundReader:
    def __init__(self, path: FilePath, stream: int | None = None) -> None:
        from cinescope.media.probe import describe

        self.path = path
        self.warnings: list[str] = []
        self._container: Any = open_media(path)
        video = describe(self._container, path)
        chosen = video.first("audio") if stream is None else next((s for s in video.streams if s.index == stream), None)
        if chosen is None or chosen.kind != "audio":
            self._container.close()
            raise MediaError(f"'{shown_name(path)}' has no sound")
        self.stream = chosen

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def read(self, start: float, end: float, sample_rate: int = 16_000, channels: int | None = 1) -> Waveform:
        channels = channels or self.stream.channels or 1
        count = round((end - start) * sample_rate)
        out = np.zeros((channels, count), np.float32)
        container = open_media(self.path)
        try:
            stream = container.streams[self.stream.index]
            layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
            resampler = av.AudioResampler("fltp", layout, sample_rate)
            at: int | None = None
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.error.FFmpegError as error:
                    self.warnings.append(f"damaged: {error}")
                    continue
                for frame in frames:
                    if at is None:
                        at = round((float(frame.pts * frame.time_base) - start) * sample_rate)
                    for piece in resampler.resample(frame):
                        data = piece.to_ndarray()
                        low, high = max(0, at), min(count, at + data.shape[1])
                        if high > low:
                            out[:, low:high] = data[:, low - at : high - at]
                        at += data.shape[1]
                    if at > count:
                        return Waveform(np.clip(out, -1, 1), sample_rate, start)
        finally:
            container.close()
        return Waveform(np.clip(out, -1, 1), sample_rate, start)


def sound_extent(path: FilePath, stream: int | None = None) -> Span | None:
    container = open_media(path)
    try:
        if not container.streams.audio:
            return None
        first = last = None
        for frame in container.decode(container.streams.audio[0]):
            begin = float(frame.pts * frame.time_base)
            first = begin if first is None else first
            last = begin + frame.samples / frame.sample_rate
        return None if first is None or last is None else Span(first, last)
    finally:
        container.close()
