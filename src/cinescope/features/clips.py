"""A stretch of a file as a `Clip`: what the extractors' needs ask for, and nothing else is decoded.

Pictures of all needs come from one decode pass; sound is decoded once for each rate. Knows media's readers and needs;
knows nothing of extractors. A film is a file with pictures and sound, a WAV has sound alone, a PNG is one frame that
stands over the whole span.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cinescope import media
from cinescope.types import (
    BadQueryError,
    Clip,
    FrameNeed,
    Frames,
    MediaError,
    Needs,
    SoundNeed,
    Span,
    SubtitleTrack,
    Video,
    Waveform,
    Word,
)

STILL = 1.0  # seconds: how long a picture file stands where nobody says
BLOCK = 20.0  # seconds of sound read at once: media.sound decodes in pieces of that length
_HELD_BLOCKS = 8  # of each need: a stretch of 60 s with its margins, whatever the grid of its windows
_MOST_BYTES = 6 << 30  # of pictures in one clip
_SAME = 1e-6  # seconds: a picture that begins this little before a time of the grid is the one shown then


Sample = tuple[float, float, np.ndarray]  # a picture: when it is shown, for how long, in seconds; (H, W, C) uint8


def load_clip(path: str | Path, needs: Needs, span: Span | None = None) -> Clip:
    """What `needs` ask for of [span.start, span.end) seconds, by default of all there is.

    What the file does not have is None. Subtitles' words carry the span of their cue: a file says no more of them.
    Raises MediaError where the file cannot be read, BadQueryError where the span is not in it.
    """
    return load_clips(path, {"": needs}, span)[""]


def load_clips(path: str | Path, needs: Mapping[str, Needs], span: Span | None = None) -> dict[str, Clip]:
    """As `load_clip` for several needs at once; each gets its own clip of the same span."""
    with ClipReader(path, list(needs.values()), span) as reader:
        return {name: reader.clip(need, reader.span) for name, need in needs.items()}


def whole_span(path: str | Path, video: Video) -> Span:
    """From the first to the last thing seen or heard, in seconds."""
    start = video.start
    if video.duration is not None:
        return Span(start, max(start, video.duration))
    if _is_still(video):
        return Span(start, start + STILL)
    try:
        return Span(start, max(start, media.measure_duration(path)))
    except MediaError:
        if video.first("video") is not None:
            raise
        return Span(start, start)  # a sound file of no samples has no packet to measure


class ClipReader:
    """Clips of one file whose spans go forward in time. A context manager.

    `clip(need, span)` is a pure function of its arguments; asking in rising order of `span.start`, and telling
    `forget(before)` what is not asked for again, keeps memory as small as the longest clip.
    """

    def __init__(self, path: str | Path, needs: Sequence[Needs], span: Span | None = None) -> None:
        self.path = path
        self.video = media.probe(path)
        whole = whole_span(path, self.video)
        self.still = _is_still(self.video)
        self.span = whole if span is None else span  # of the whole work: nothing outside is decoded for its pictures
        if span is not None and whole.duration > 0 and not self.still and not span.overlaps(whole):
            raise BadQueryError(
                f"'{Path(path).name}' has nothing between {span.start:g} and {span.end:g} s",
                f"it goes from {whole.start:g} to {whole.end:g} s",
            )
        self.warnings: list[str] = list(self.video.warnings)
        self._subtitles: list[SubtitleTrack] | None = None
        frame_needs = list(dict.fromkeys(n.frames for n in needs if n.frames is not None))
        shown = self.video.first("video")
        seen = shown is not None and (self.still or not shown.still)  # the cover of a sound file is not shown in time
        self._pictures = _Pictures(self, frame_needs) if frame_needs and seen else None
        self._sounds = _Sounds(path) if self.video.first("audio") is not None and any(n.sound for n in needs) else None

    def __enter__(self) -> ClipReader:
        return self

    def __exit__(self, *_: object) -> None:
        for part in (self._pictures, self._sounds):
            if part is not None:
                self.warnings += part.warnings
                part.close()

    def clip(self, needs: Needs, span: Span) -> Clip:
        """What `needs` ask for of that span."""
        frames: Frames | None = None
        durations: tuple[float, ...] = ()
        if needs.frames is not None and self._pictures is not None:
            frames, durations = self._pictures.between(needs.frames, span)
        waveform = None
        if needs.sound is not None and self._sounds is not None:
            waveform = self._sounds.between(needs.sound, span)
        words = self._words(span) if needs.subtitles else ()
        return Clip(span, frames, waveform, words, "", self.video, Path(self.path).name, durations)

    def pictures(self) -> Iterator[tuple[float, dict[FrameNeed, list[Sample]]]]:
        """The rest of the pass, picture by picture: (seconds until which it stands, the samples that it gives)."""
        if self._pictures is not None:
            yield from self._pictures.stream()

    def forget(self, before: float) -> None:
        """No picture before that time, in seconds, is asked for again."""
        if self._pictures is not None:
            self._pictures.forget(before)

    def _words(self, span: Span) -> tuple[Word, ...]:
        if self._subtitles is None:
            self._subtitles = media.read_subtitles(self.path, self.warnings.append)
        track = next((t for t in self._subtitles if t.language and t.language == self.video.language), None)
        track = track or next(iter(self._subtitles), None)
        if track is None:
            return ()
        shown = [cue for cue in track.cues if cue.span.overlaps(span)]
        return tuple(Word(text, cue.span) for cue in shown for text in cue.text.split())


class _Pictures:
    """One decode pass over the span, sorted into the samples that each need asks for."""

    def __init__(self, reader: ClipReader, needs: Sequence[FrameNeed]) -> None:
        self._span, self._still = reader.span, reader.still
        self._held: dict[FrameNeed, deque[Sample]] = {n: deque() for n in needs}
        self._bytes = 0
        self._reader = media.VideoReader(reader.path)
        first = self._reader.stream.start or 0.0
        self._fresh = self._span.start <= first or self._still
        start = None if self._fresh else self._standing()
        end = None if self._still else self._span.end
        self._source = iter(self._reader.pictures(start, end))
        self._done = -math.inf  # all pictures shown before that time are held
        self._first_picture = True
        # What stands where the span begins between two samples: a clip that holds none other has this one.
        self._lead: dict[FrameNeed, Sample] = {}
        self._any = dict.fromkeys(needs, False)

    @property
    def warnings(self) -> list[str]:
        return self._reader.warnings

    def close(self) -> None:
        self._held.clear()
        self._reader.close()

    def stream(self) -> Iterator[tuple[float, dict[FrameNeed, list[Sample]]]]:
        for picture in self._source:
            found = self._samples_of(picture)
            yield self._done, found
        for need, sample in self._lead.items():
            if not self._any[need]:
                yield self._done, {need: [sample]}

    def between(self, need: FrameNeed, span: Span) -> tuple[Frames | None, tuple[float, ...]]:
        """The samples of a need in [span.start, span.end), and how long each stands."""
        while self._done < span.end and (picture := next(self._source, None)) is not None:
            self._hold(self._samples_of(picture))
        items = [item for item in self._held[need] if span.start - _SAME <= item[0] < span.end]
        if not items and need in self._lead and span.start <= self._span.start + _SAME:
            items = [self._lead[need]]
        return frames_of(items, need)

    def forget(self, before: float) -> None:
        for items in self._held.values():
            while items and items[0][0] < before - _SAME:
                self._bytes -= items.popleft()[2].nbytes

    def _standing(self) -> float:
        """The time of the picture that is shown where the span begins."""
        _, picture = next(iter(self._reader.shown_at([self._span.start])))
        return picture.time

    def _hold(self, found: dict[FrameNeed, list[Sample]]) -> None:
        for need, samples in found.items():
            self._held[need].extend(samples)
            self._bytes += sum(array.nbytes for _, _, array in samples)
        if self._bytes > _MOST_BYTES:
            raise BadQueryError(
                f"the pictures up to {self._done:.0f} s take more than {_MOST_BYTES >> 30} GB of memory",
                "take a shorter span, a lower rate or smaller pictures",
            )

    def _samples_of(self, picture: Any) -> dict[FrameNeed, list[Sample]]:
        """What one picture gives to each need."""
        if self._still:
            low, high = self._span.start, self._span.end
            self._done = math.inf
        else:
            low, high = max(picture.time, self._span.start), min(picture.time + picture.duration, self._span.end)
            self._done = picture.time + picture.duration
        arrays: dict[tuple[Any, str], np.ndarray] = {}
        found: dict[FrameNeed, list[Sample]] = {}
        for need in self._held:
            samples = [(low, high - low)] if self._still else self._samples(need, picture.time, low, high)
            lead = self._first_picture and not samples and high > low
            if not samples and not lead:
                continue
            key = (need.size, need.pixels)
            if key not in arrays:
                arrays[key] = picture.array(need.size, need.pixels)
            if lead:
                self._lead[need] = (low, high - low, arrays[key])
            if samples:
                found[need] = [(time, length, arrays[key]) for time, length in samples]
                self._any[need] = True
        self._first_picture = False
        return found

    def _samples(self, need: FrameNeed, own: float, low: float, high: float) -> list[tuple[float, float]]:
        """(time, seconds it stands) for a picture shown in [low, high), which began at `own`."""
        if need.rate is None:
            return [(low, high - low)] if own >= self._span.start - _SAME else []
        numbers = range(math.ceil((low - _SAME) * need.rate), math.ceil((high - _SAME) * need.rate))
        made = [(k / need.rate, 1 / need.rate) for k in numbers]
        if self._first_picture and self._fresh and (not made or made[0][0] > low + _SAME):
            made.insert(0, (low, max(min(numbers.start / need.rate, self._span.end) - low, _SAME)))
        return made


class _Sounds:
    """Sound in blocks on a fixed grid, each decoded once."""

    def __init__(self, path: str | Path) -> None:
        self._reader = media.SoundReader(path)
        self._blocks: dict[SoundNeed, dict[int, np.ndarray]] = {}

    @property
    def warnings(self) -> list[str]:
        return self._reader.warnings

    def close(self) -> None:
        self._blocks.clear()
        self._reader.close()

    def between(self, need: SoundNeed, span: Span) -> Waveform:
        """round(duration * rate) samples from `span.start` on; silence where the file has no sound there."""
        rate = need.sample_rate
        first, size = round(span.start * rate), round(span.duration * rate)
        length = round(BLOCK * rate)
        numbers = range(first // length, -(-(first + size) // length))
        if len(numbers) > _HELD_BLOCKS or not numbers:
            return self._reader.read(span.start, span.end, rate, need.channels)
        held = self._blocks.setdefault(need, {})
        for number in numbers:
            if number not in held:
                start = number * BLOCK
                held[number] = self._reader.read(start, start + BLOCK, rate, need.channels).data
        for number in [n for n in held if n not in numbers][: max(0, len(held) - _HELD_BLOCKS)]:
            del held[number]  # the one that was read first
        joined = np.concatenate([held[n] for n in numbers], axis=1)
        offset = first - numbers[0] * length
        return Waveform(joined[:, offset : offset + size].copy(), rate, span.start)


def frames_of(items: Sequence[Sample], need: FrameNeed) -> tuple[Frames | None, tuple[float, ...]]:
    """Samples as `Frames` and their durations; None where there are none."""
    if not items:
        return None, ()
    shape = items[0][2].shape
    arrays = [a if a.shape == shape else _fit(a, shape) for _, _, a in items]  # streams may change their size
    times = np.array([t for t, _, _ in items], np.float64)
    return Frames(np.stack(arrays), times, need.pixels), tuple(d for _, d, _ in items)


def _fit(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import cv2

    return np.asarray(cv2.resize(array, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)).reshape(shape)


def _is_still(video: Video) -> bool:
    pictures = [s for s in video.streams if s.kind == "video"]
    return bool(pictures) and all(s.still for s in pictures) and video.first("audio") is None
