"""The one decode pass: what each analyser needs, cut into windows that join, with bounded memory.

Knows analysers' needs and media's readers; knows nothing about tables or commits. Pictures are decoded once for all
analysers; sound is read in blocks on a fixed grid, each a pure function of its span, so that a run that goes on after
an interruption feeds exactly the samples that an uninterrupted one would have.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cinescope.types import Cue, FrameNeed, Frames, MediaError, SoundNeed, Span, SubtitleTrack, Video, Waveform

WINDOW = 2.0  # seconds
SOUND_BLOCK = 20.0  # seconds; a multiple of WINDOW, so that the pre-roll of each block's decode costs little


@dataclass(frozen=True, slots=True)
class Slice:
    """One window before it is cut to each analyser's taste."""

    span: Span
    frames: dict[FrameNeed, tuple[Frames, tuple[float, ...]]]
    sound: dict[SoundNeed, Waveform]
    cues: dict[int, tuple[Cue, ...]]
    damage: tuple[Span, ...] = ()  # of pictures
    sound_damage: tuple[Span, ...] = ()


@dataclass(slots=True)
class Reel:
    """What is to be read of one file."""

    path: str
    video: Video
    subtitles: tuple[SubtitleTrack, ...] = ()
    frame_needs: tuple[FrameNeed, ...] = ()
    sound_needs: tuple[SoundNeed, ...] = ()
    warnings: list[str] = field(default_factory=list)

    @property
    def start(self) -> float:
        """Where the first window starts: on the window grid, at or before anything is seen or heard."""
        cues = [t.cues[0].span.start for t in self.subtitles if t.cues]
        return math.floor(min([self.video.start, 0.0, *cues]) / WINDOW) * WINDOW

    def slices(self, start: float) -> Iterator[Slice]:
        """Windows from `start` (a multiple of WINDOW) to the end of pictures, sound and subtitles."""
        pictures = self._pictures(start) if self.frame_needs and self.video.first("video") else None
        sounds = self._sounds() if self.sound_needs and self.video.first("audio") else None
        # Where pictures are not asked for, their time still counts: the timeline is as long as the video.
        stated = self._stated_end(pictures is not None)
        number = round(start / WINDOW)
        shown_until = -math.inf if pictures is not None else math.inf
        while True:
            span = Span(number * WINDOW, (number + 1) * WINDOW)
            frames: dict[FrameNeed, tuple[Frames, tuple[float, ...]]] = {}
            if pictures is not None:
                frames, shown_until = pictures.until(span.end)
            ended = pictures is None or pictures.ended
            if ended and span.start >= max(stated, shown_until if pictures is not None else -math.inf):
                return
            yield Slice(
                span,
                frames,
                {need: sounds.window(need, span) for need in self.sound_needs} if sounds is not None else {},
                self._cues(span),
                pictures.damage(span) if pictures is not None else (),
                sounds.damage(span) if sounds is not None else (),
            )
            number += 1

    def _stated_end(self, have_pictures: bool) -> float:
        """The end of what decoding pictures does not meet: sound and subtitles, else the whole as stated."""
        ends = [cue.span.end for track in self.subtitles for cue in track.cues]
        audio = self.video.first("audio")
        if audio is not None and audio.start is not None and audio.duration is not None:
            ends.append(audio.start + audio.duration)
        elif audio is not None or not have_pictures:
            ends.append(self.video.duration or 0.0)
        return max(ends, default=0.0)

    def _cues(self, span: Span) -> dict[int, tuple[Cue, ...]]:
        starting = {
            i: tuple(c for c in track.cues if span.start <= c.span.start < span.end)
            for i, track in enumerate(self.subtitles)
        }
        return {i: cues for i, cues in starting.items() if cues}

    def _pictures(self, start: float) -> _Pictures | None:
        return _Pictures(self, start)

    def _sounds(self) -> _Sounds:
        return _Sounds(self)


class _Pictures:
    """Pulls pictures from the decoder and sorts them into the samples each need asks for."""

    def __init__(self, reel: Reel, start: float) -> None:
        from cinescope.media import VideoReader

        self._reel = reel
        self._reader: Any = VideoReader(reel.path)
        stream = self._reader.stream
        self._first = stream.start if stream.start is not None else 0.0
        self._stated = self._first + stream.duration if stream.duration is not None else -math.inf  # seconds: the end
        self._start = start
        self._next: Any = None
        self._fresh = start <= self._first
        self.ended = False
        self._until = -math.inf
        self._spoilt: list[Span] = []  # where what was shown so far is not as recorded; the last may reach ahead
        self._source = iter(self._reader.pictures(None if self._fresh else start))
        self._advance()
        if not self._fresh and (self._next is None or self._next.time > start):
            self._lead_in()

    def _lead_in(self) -> None:
        """When going on at a time between two frames: the one that stands there was shown earlier, and is needed."""
        standing = next(iter(self._reader.sampled(1.0, self._start, self._start + 1.0)), None)
        if standing is not None and standing[1].time < self._start:
            if self._next is not None:
                self._source = itertools.chain([self._next], self._source)
            self._next = standing[1]

    def _advance(self) -> None:
        try:
            self._next = next(self._source)
            self._until = max(self._until, self._next.time + (self._next.duration or 0.0))
        except StopIteration:
            self._finish()
        except MediaError as error:
            self._reel.warnings.append(f"its pictures cannot be read after {max(self._until, 0):.1f} s ({error.what})")
            self._finish()

    def _finish(self) -> None:
        self._next = None
        self.ended = True
        self._reel.warnings.extend(self._reader.warnings)
        self._reader.__exit__(None, None, None)

    def until(self, end: float) -> tuple[dict[FrameNeed, tuple[Frames, tuple[float, ...]]], float]:
        """All samples with a time before `end`, and the time until which pictures are known to stand."""
        collected: dict[FrameNeed, list[tuple[float, float, np.ndarray]]] = {n: [] for n in self._reel.frame_needs}
        while self._next is not None and self._next.time < end:
            picture = self._next
            self._advance()
            follows = self._next.time if self._next is not None else max(self._until, picture.time)
            self._sort(picture, follows, collected)
            if picture.spoilt is not None:
                # What is lost behind the last picture is lost up to where the file says that its pictures end.
                upto = follows if self._next is not None else max(follows, self._stated)
                self._spoilt.append(Span(picture.spoilt, max(picture.spoilt, upto)))
        return {n: _frames(n, items) for n, items in collected.items() if items}, self._until

    def damage(self, window: Span) -> tuple[Span, ...]:
        """Where pictures are not as recorded in the window that `until` was asked for last."""
        found = _joined(s for s in self._spoilt if s.overlaps(window))
        self._spoilt = [s for s in self._spoilt if s.end > window.end]
        return _clipped(found, window)

    def _sort(self, picture: Any, follows: float, collected: dict[FrameNeed, list[Any]]) -> None:
        """Give the picture, which stands in [picture.time, follows), to the needs that sample it."""
        arrays: dict[tuple[Any, str], np.ndarray] = {}
        for need, items in collected.items():
            times = self._times(need, picture.time, follows)
            if not times:
                continue
            key = (need.size, need.pixels)
            if key not in arrays:
                arrays[key] = picture.array(need.size, need.pixels)
            step = follows - picture.time if need.rate is None else 1 / need.rate
            items.extend((t, step, arrays[key]) for t in times)
        self._fresh = False

    def _times(self, need: FrameNeed, start: float, end: float) -> list[float]:
        if need.rate is None:
            return [start] if start >= self._start else []
        # The small term keeps a frame at 0.99999999 s, which is 1 s in the container's ticks, on the grid.
        first = math.ceil(start * need.rate - 1e-6)
        last = math.ceil(end * need.rate - 1e-6)
        times = [k / need.rate for k in range(first, last) if k / need.rate >= self._start - 1e-9]
        if self._fresh and (not times or times[0] > start + 1e-6):
            times.insert(0, start)
        return times


def _frames(need: FrameNeed, items: list[tuple[float, float, np.ndarray]]) -> tuple[Frames, tuple[float, ...]]:
    shapes = {a.shape for _, _, a in items}
    if len(shapes) > 1:  # a stream that changes its picture size: the first size of the window holds
        import cv2

        height, width, channels = items[0][2].shape
        items = [
            (
                t,
                s,
                a
                if a.shape[:2] == (height, width)
                else cv2.resize(a, (width, height)).reshape(height, width, channels),
            )
            for t, s, a in items
        ]
    data = np.stack([a for _, _, a in items])
    times = np.array([t for t, _, _ in items], np.float64)
    return Frames(data, times, need.pixels), tuple(s for _, s, _ in items)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """By start, those that touch or overlap as one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end + 1e-6:
            found[-1] = found[-1].union(span)
        else:
            found.append(span)
    return found


def _clipped(spans: Iterable[Span], window: Span) -> tuple[Span, ...]:
    return tuple(s for span in spans if (s := span.intersection(window)) is not None)


class _Sounds:
    """Sound in blocks on an absolute grid, cut into windows."""

    def __init__(self, reel: Reel) -> None:
        from cinescope.media import SoundReader

        self._reel = reel
        self._reader: Any = SoundReader(reel.path)
        self._blocks: dict[SoundNeed, tuple[int, Waveform]] = {}
        self._told = 0

    def window(self, need: SoundNeed, span: Span) -> Waveform:
        number = math.floor(span.start / SOUND_BLOCK + 1e-9)
        held = self._blocks.get(need)
        if held is None or held[0] != number:
            start = number * SOUND_BLOCK
            block = self._reader.read(start, start + SOUND_BLOCK, need.sample_rate, need.channels)
            held = (number, block)
            self._blocks[need] = held
            self._reel.warnings.extend(self._reader.warnings[self._told :])
            self._told = len(self._reader.warnings)
        first = round((span.start - number * SOUND_BLOCK) * need.sample_rate)
        count = round(span.duration * need.sample_rate)
        return Waveform(held[1].data[:, first : first + count], need.sample_rate, span.start)

    def damage(self, window: Span) -> tuple[Span, ...]:
        """Where sound is lost or damaged in a window that was asked for."""
        return _clipped(_joined(self._reader.spoilt(window)), window)
