"""Pictures of one stream, in presentation order, with the container's presentation times. Knows nothing of sound.

What comes is a pure function of the file, the stream and the times asked for: `pictures(start, end)` gives the very
pictures of a full decode that lie in [start, end), whatever was read before. See `running.py` for how that is kept.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cinescope.media.decoding import Damage
from cinescope.media.opening import FilePath, open_media, shown_name
from cinescope.media.planes import Geometry, Size, geometry_of, to_array
from cinescope.media.running import Source, run
from cinescope.media.streams import pick, streams_of
from cinescope.types import Frames, MediaError, Stream
from cinescope.types.signal import Pixels

# A picture this much later than a grid time still counts as shown then: half of MPEG's 90 kHz tick, so that a rate
# given as a float (29.97002997) meets the times of the container.
_SAME_TIME = 0.5 / 90_000

# Seconds between two wanted times from which on seeking is tried instead of decoding through.
_WORTH_A_SEEK = 4.0


class Picture:
    """One decoded picture. It holds one frame of the decoder and nothing else; `array` computes anew at each call."""

    __slots__ = ("_frame", "_geometry", "duration", "key", "spoilt", "time")

    def __init__(
        self, frame: Any, geometry: Geometry, time: float, duration: float, spoilt: float | None = None
    ) -> None:
        self._frame = frame
        self._geometry = geometry
        self.time = time  # seconds, presentation time
        self.duration = duration  # seconds until the next picture; for the last one as the file says
        self.key = bool(frame.key_frame)
        # Seconds since when what is shown is not as it was recorded (see spoilt.py): its own time where it is hurt,
        # later where one is lost behind it, so that it stands for longer than it should; None: all is well.
        self.spoilt = spoilt

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) as shown: upright, with square pixels."""
        return self._geometry.shown(self._frame.width, self._frame.height)

    @property
    def damaged(self) -> bool:
        """Whether the decoder had to guess parts of it."""
        return bool(self._frame.is_corrupt)

    @property
    def interlaced(self) -> bool:
        """Whether its odd and even lines were taken at different times; both are in the array, woven as coded."""
        return bool(self._frame.interlaced_frame)

    def array(self, size: Size = None, pixels: Pixels = "rgb") -> np.ndarray:
        """(H, W, C) uint8, full range. An int `size` is the longest side at most, a pair exactly (width, height)."""
        return to_array(self._frame, self._geometry, size, pixels)


class VideoReader:
    """Reads one video stream. A context manager; `stream` is a container index, default the one a player shows.

    Raises MediaError where the file cannot be read or has no pictures. Damage on the way is not an error: decoding
    goes on where it can, and `warnings` tells.
    """

    def __init__(self, path: FilePath, stream: int | None = None) -> None:
        self.path = path
        self._damage = Damage()
        container = open_media(path)
        try:
            notes: list[str] = []
            self.stream: Stream = pick(streams_of(container, path, notes), "video", stream, path)
            form = container.format.name
        finally:
            container.close()
        self._source = Source(path, form, self.stream, self._damage)

    @property
    def warnings(self) -> list[str]:
        """Damage met so far while decoding, one sentence each, with the time."""
        return self._damage.sentences()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._source.close()

    def pictures(
        self, start: float | None = None, end: float | None = None, key_only: bool = False
    ) -> Iterator[Picture]:
        """In presentation order, each in [start, end) seconds. `key_only` decodes the key pictures alone.

        A picture's duration reaches to the next one that comes, with `key_only` to the next key picture.
        Raises MediaError when not one picture of the file can be decoded.
        """
        if end is not None and start is not None and end <= start:
            return
        for picture in self._shown(start, key_only):
            if end is not None and picture.time >= end:
                return
            if start is None or picture.time >= start:
                yield picture

    def _shown(self, start: float | None, key_only: bool = False) -> Iterator[Picture]:
        """As `pictures`, but begins at or before the picture that is shown at `start`."""
        held: tuple[Any, float] | None = None
        spoilt: float | None = None  # of the one that is held
        geometry: Geometry | None = None
        turned = 0
        for frame, time, hurt in run(self._source, start, key_only):
            if frame is None:
                spoilt = time if spoilt is None and held is not None else spoilt
                continue
            if geometry is None or frame.rotation != turned:
                still = self.path if self.stream.still else None
                geometry, turned = geometry_of(frame, self.stream.pixel_aspect or 1.0, still), frame.rotation
            if held is not None:
                yield Picture(held[0], geometry, held[1], time - held[1], spoilt)
            held, spoilt = (frame, time), time if hurt else None
        if held is not None and geometry is not None:
            yield Picture(held[0], geometry, held[1], self._source.last_duration(held[0]), spoilt)

    def at(self, times: Sequence[float], size: Size = None, pixels: Pixels = "rgb") -> Frames:
        """For each time the picture that is shown then; before the first one the first, after the end the last.

        `Frames.times` are the pictures' own times, in the order of the times asked for. With `size` None all take
        the size of the first. Raises MediaError when no picture can be decoded.
        """
        order = sorted(range(len(times)), key=lambda i: times[i])
        arrays: dict[int, np.ndarray] = {}
        own = np.zeros(len(times), np.float64)
        fixed = size
        before: Picture | None = None
        for index, (_, picture) in zip(order, self.shown_at([times[i] for i in order]), strict=True):
            if picture is not before:
                made = picture.array(fixed, pixels)
                fixed, before = fixed or picture.size, picture
            arrays[index], own[index] = made, picture.time
        return _stacked([arrays[i] for i in range(len(times))], own, self.stream, size, pixels)

    def shown_at(self, times: Sequence[float]) -> Iterator[tuple[float, Picture]]:
        """As `at`, one after the other: each time, in rising order, with the picture itself."""
        if not all(math.isfinite(t) for t in times):
            raise ValueError(f"times must be finite, got {list(times)}")
        waiting = deque(sorted(times))
        while waiting:
            shown: Picture | None = None
            given = False
            for picture in self._shown(waiting[0]):
                while shown is not None and waiting and waiting[0] + _SAME_TIME < picture.time:
                    yield waiting.popleft(), shown
                    given = True
                shown = picture
                far = bool(waiting) and waiting[0] > picture.time + _WORTH_A_SEEK
                if not waiting or (given and far and self._source.seekable):
                    break
            else:
                if shown is None:
                    raise MediaError(f"no picture of '{shown_name(self.path)}' can be decoded", "check the file")
                while waiting:
                    yield waiting.popleft(), shown

    def by_index(self, indices: Sequence[int], size: Size = None, pixels: Pixels = "rgb") -> Frames:
        """Pictures by their 0-based place in presentation order. Raises MediaError for a place beyond the last."""
        if any(i < 0 for i in indices):
            raise ValueError(f"picture numbers begin at 0, got {list(indices)}")
        wanted = set(indices)
        found: dict[int, tuple[np.ndarray, float]] = {}
        fixed = size
        count = 0
        for count, picture in enumerate(self.pictures() if wanted else (), 1):
            if count - 1 in wanted:
                found[count - 1] = picture.array(fixed, pixels), picture.time
                if fixed is None:
                    fixed = picture.size
                if len(found) == len(wanted):
                    break
        if len(found) < len(wanted):
            raise MediaError(
                f"'{shown_name(self.path)}' has {count} pictures, there is no picture number {max(wanted)}",
                f"count from 0 to {count - 1}",
            )
        own = np.array([found[i][1] for i in indices], np.float64)
        return _stacked([found[i][0] for i in indices], own, self.stream, size, pixels)

    def sampled(
        self,
        rate: float,
        start: float | None = None,
        end: float | None = None,
        size: Size = None,
        pixels: Pixels = "rgb",
    ) -> Iterator[tuple[float, Picture]]:
        """The picture shown at each k / rate in [start, end), with that time; nothing before the first picture.

        `size` and `pixels` change nothing here: they are for `Picture.array`, and accepted so that a `FrameNeed` fits.
        """
        if not rate > 0:
            raise ValueError(f"a rate is positive, got {rate}")
        shown: Picture | None = None
        k = 0 if start is None else math.ceil(start * rate - _SAME_TIME * rate)
        first = None if start is None else k / rate
        for picture in self._shown(first):
            if shown is None:
                k = max(k, math.ceil((picture.time - _SAME_TIME) * rate))
            while shown is not None and k / rate + _SAME_TIME < picture.time:
                if end is not None and k / rate >= end:
                    return
                yield k / rate, shown
                k += 1
            if end is not None and k / rate >= end:
                return
            shown = picture
        while shown is not None and k / rate < shown.time + shown.duration and (end is None or k / rate < end):
            yield k / rate, shown
            k += 1


def _stacked(arrays: list[np.ndarray], times: np.ndarray, stream: Stream, size: Size, pixels: Pixels) -> Frames:
    if arrays:
        return Frames(np.stack(arrays), times, pixels)
    width, height = size if isinstance(size, tuple) else (stream.width or 1, stream.height or 1)
    return Frames(np.zeros((0, height, width, 1 if pixels == "grey" else 3), np.uint8), times, pixels)
