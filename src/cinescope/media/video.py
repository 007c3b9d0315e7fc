"""Pictures of one stream, in presentation order, with the container's presentation times. Knows nothing of sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import av
import numpy as np

from cinescope.media.opening import FilePath, open_media, shown_name
from cinescope.media.planes import Geometry, Size, to_array
from cinescope.types import Frames, MediaError, Stream
from cinescope.types.signal import Pixels


class Picture:
    """One decoded picture. It holds one frame of the decoder, nothing else; `array` computes anew at each call."""

    __slots__ = ("_frame", "_geometry", "duration", "key", "time")

    def __init__(self, frame: Any, geometry: Geometry, time: float, duration: float) -> None:
        self._frame = frame
        self._geometry = geometry
        self.time = time  # seconds, presentation time
        self.duration = duration  # seconds until the next picture; for the last one as the file says
        self.key = bool(frame.key_frame)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as shown."""
        return self._geometry.shown(self._frame.width, self._frame.height)

    def array(self, size: Size = None, pixels: Pixels = "rgb") -> np.ndarray:
        """(H, W, C) uint8. An int `size` is the longest side at most, a pair exactly (width, height)."""
        return to_array(self._frame, self._geometry, size, pixels)


class VideoReader:
    """Reads one video stream. A context manager; `stream` is a container index, default the one a player shows."""

    def __init__(self, path: FilePath, stream: int | None = None) -> None:
        from cinescope.media.probe import describe

        self.path = path
        self.warnings: list[str] = []
        self._container: Any = open_media(path)
        video = describe(self._container, path)
        if stream is None:
            chosen = video.first("video")
        else:
            chosen = next((s for s in video.streams if s.index == stream and s.kind == "video"), None)
        if chosen is None:
            self._container.close()
            raise MediaError(
                f"'{shown_name(path)}' has no pictures" + ("" if stream is None else f" in stream {stream}")
            )
        self.stream: Stream = chosen
        self._geometry = Geometry(chosen.pixel_aspect or 1.0, chosen.rotation or 0)

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._container.close()

    def pictures(
        self, start: float | None = None, end: float | None = None, key_only: bool = False
    ) -> Iterator[Picture]:
        container = open_media(self.path)
        try:
            held: tuple[Any, float] | None = None
            for frame, time in self._frames(container):
                if held is not None and (not key_only or held[0].key_frame):
                    if end is not None and held[1] >= end:
                        return
                    if start is None or held[1] >= start:
                        yield Picture(held[0], self._geometry, held[1], time - held[1])
                held = frame, time
            if held is not None and (end is None or held[1] < end) and (start is None or held[1] >= start):
                yield Picture(held[0], self._geometry, held[1], 1 / (self.stream.frame_rate or 25))
        finally:
            container.close()

    def _frames(self, container: Any) -> Iterator[tuple[Any, float]]:
        stream = container.streams[self.stream.index]
        stream.thread_type = "AUTO"
        base = stream.time_base
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self.warnings.append(f"damaged: {error}")
                continue
            for frame in frames:
                if frame.pts is not None:
                    yield frame, frame.pts * base.numerator / base.denominator

    def at(self, times: Sequence[float], size: Size = None, pixels: Pixels = "rgb") -> Frames:
        order = np.argsort(times, kind="stable")
        found: dict[int, Picture] = {}
        shown: Picture | None = None
        waiting = list(order)
        for picture in self.pictures():
            while waiting and shown is not None and times[waiting[0]] < picture.time:
                found[waiting.pop(0)] = shown
            shown = picture
        for index in waiting:
            if shown is not None:
                found[index] = shown
        if not found:
            raise MediaError(f"'{shown_name(self.path)}' has no pictures at these times")
        pictures = [found[i] for i in range(len(times))]
        return Frames(np.stack([p.array(size, pixels) for p in pictures]), np.array([p.time for p in pictures]), pixels)

    def by_index(self, indices: Sequence[int], size: Size = None, pixels: Pixels = "rgb") -> Frames:
        wanted = set(indices)
        found = {i: p for i, p in enumerate(self.pictures()) if i in wanted}
        pictures = [found[i] for i in indices]
        return Frames(np.stack([p.array(size, pixels) for p in pictures]), np.array([p.time for p in pictures]), pixels)

    def sampled(
        self,
        rate: float,
        start: float | None = None,
        end: float | None = None,
        size: Size = None,
        pixels: Pixels = "rgb",
    ) -> Iterator[tuple[float, Picture]]:
        shown: Picture | None = None
        k = 0 if start is None else int(np.ceil(start * rate))
        for picture in self.pictures():
            if shown is None:
                k = max(k, int(np.ceil(picture.time * rate)))
            while shown is not None and k / rate < picture.time:
                if end is not None and k / rate >= end:
                    return
                yield k / rate, shown
                k += 1
            shown = picture
        while shown is not None and k / rate < shown.time + shown.duration and (end is None or k / rate < end):
            yield k / rate, shown
            k += 1
