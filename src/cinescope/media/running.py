"""A run of decoded frames from some time on: where to begin, in which order, with how many threads. Makes no arrays.

Three things keep a run a pure function of the file and the time it begins at:

- **Where it begins.** A seek is believed only when the first key frame that comes out of the decoder is not later than
  the time wanted; frames shown before that key frame belong to the group before (open GOP) and are dropped. Otherwise
  the seek is tried further back, and at last the stream is decoded from its beginning.
- **Order.** A few frames are held and sorted by presentation time; a frame whose time does not rise is dropped. AVI has
  no presentation times; for H.264 and HEVC in it the decoder's order counts and the times are sorted instead.
- **Damage.** FFmpeg's frame threads guess damaged blocks differently from run to run. At the first sign of damage the
  run goes back to the last good frame and on with one thread, and returns to several after ten good seconds.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import av

from cinescope.media.decoding import Damage, decode, only, packets_of, seconds
from cinescope.media.opening import FilePath, open_media, shown_name
from cinescope.media.spoilt import Reaches, Spoilt, Trouble
from cinescope.types import MediaError, Stream

# How far before the wanted time a seek is aimed, one try after the other, in seconds. Index times are decoding times
# in MP4, which lie before presentation times, and byte searches in MPEG streams are off by a group of pictures.
_SEEK_BACK = (0.0, 1.0, 5.0, 25.0)

# Frames held back to be sorted, and to be decoded again when damage shows up behind them: as many as H.264 and HEVC
# may reorder (16), within this memory.
_HELD_FRAMES = 16
_HELD_BYTES = 64 << 20

# Codecs that reorder so freely that FFmpeg cannot make presentation times of AVI's decoding times.
_UNORDERED_IN_AVI = {"h264", "hevc"}

_CALM = 10.0  # seconds without damage after which several threads are used again

# Decoders that know of the alpha plane beside a VP8 or VP9 stream; FFmpeg's own do not.
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


class _UnreliableError(Exception):
    """What a seek led to cannot be trusted."""


class _DamagedError(Exception):
    """Damage was met with several threads at work."""


class _CalmError(Exception):
    """Enough good frames with one thread; `time` is a key frame's, from which several may go on."""

    def __init__(self, time: float) -> None:
        self.time = time


class Source:
    """One stream of one file, and what has been learnt of it: whether seeks can be trusted."""

    def __init__(self, path: FilePath, form: str, stream: Stream, damage: Damage) -> None:
        self.path = path
        self.stream = stream
        self.damage = damage
        self.ordered = not (form == "avi" and stream.codec in _UNORDERED_IN_AVI)  # frames carry their own times
        self.seekable = self.ordered
        self.timed = form != "avi"  # presentation times of packets are in the file
        self._open: list[Any] = []

    def open(self) -> Any:
        container = open_media(self.path)
        self._open.append(container)
        return container

    def shut(self, container: Any) -> None:
        container.close()
        if container in self._open:  # not after `close`, when a run is given up late
            self._open.remove(container)

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    def context(self, stream: Any, threads: bool) -> Any:
        """A decoder that has seen nothing yet."""
        context = stream.codec_context
        if context is None:
            raise MediaError(
                f"no decoder for the pictures of '{shown_name(self.path)}' ({self.stream.codec or 'unknown codec'})"
            )
        wanted = _ALPHA_DECODERS.get(self.stream.codec) if self.stream.has_alpha else None
        if wanted in av.codecs_available:
            extradata = context.extradata
            context = av.CodecContext.create(wanted, "r")
            context.extradata = extradata
        context.thread_type = "AUTO" if threads else "NONE"
        if not threads:
            context.thread_count = 1
        return context

    @property
    def step(self) -> float:
        """Seconds from picture to picture on average; 25 a second where the file says nothing."""
        return 1 / self.stream.frame_rate if self.stream.frame_rate else 0.04

    def last_duration(self, frame: Any) -> float:
        if frame.duration and frame.time_base:
            return seconds(frame.duration, frame.time_base)
        return self.step


def run(source: Source, start: float | None, key_only: bool) -> Iterator[tuple[Any, float, bool]]:
    """(frame, time, hurt), times rising, from a key frame not later than `start` (or the first frame) to the end.

    `hurt`: the frame is not as it was recorded, see `spoilt.py`. (None, time, True) stands where a picture is lost.
    Raises MediaError when not one frame of the stream can be decoded.
    """
    # Key frames are decoded each by itself with one thread, where their times are in the file.
    alone = key_only and source.ordered
    threads = not alone
    begin = start
    after = -math.inf
    told = False
    while True:
        try:
            for frame, time, hurt in _sorted(source, begin, threads, alone):
                if frame is None:
                    if time > after and not key_only:
                        yield None, time, True
                    continue
                told = True
                if time > after and (frame.key_frame or not key_only):
                    after = time
                    yield frame, time, hurt
            break
        except _DamagedError:
            threads = False
            begin = start if after == -math.inf else after
        except _CalmError as calm:
            threads = True
            begin = calm.time
        except _UnreliableError:
            alone, threads = False, True
    if not told and start is None:
        raise MediaError(f"no picture of '{shown_name(source.path)}' can be decoded", "copy it again from its source")


def _sorted(source: Source, start: float | None, threads: bool, alone: bool) -> Iterator[tuple[Any, float, bool]]:
    """As `run`: frames by time, held back a little. With threads the first damaged frame raises _DamagedError."""
    held: list[Any] = []
    times: list[float] = []
    reaches = Reaches(source.stream.codec, source.timed)
    spoilt = Spoilt(source.stream.codec, reaches)

    def given() -> Iterator[tuple[Any, float, bool]]:
        """The next of those held, after the losses before it."""
        time, frame = times.pop(0), held.pop(0)
        for lost in spoilt.lost_before(time):
            yield None, lost.time, True
        yield frame, time, spoilt.hurts(frame, time, held, times)

    last = -math.inf
    troubled = -math.inf
    limit = 1
    for frame, time, trouble in _positioned(source, start, None if threads else reaches, alone):
        if trouble is not None or frame.is_corrupt:
            if threads:
                raise _DamagedError
            source.damage.at(time, f"a picture is lost ({trouble.why})" if trouble else "a picture is damaged")
            troubled = time
            if trouble is not None:
                spoilt.lose(trouble)
        if frame is None:
            continue
        if not held:
            limit = _limit(frame)
        place = bisect_left(times, time)
        if time <= last or (place < len(times) and times[place] == time):
            source.damage.at(time, "a picture is left out because its time does not rise")
            continue
        if not threads and not alone and source.seekable and frame.key_frame:
            calm_since = max(troubled, start or source.stream.start or 0.0)
            if time - calm_since > _CALM and place == len(times):
                while held:
                    yield from given()
                raise _CalmError(time)
        times.insert(place, time)
        held.insert(place if source.ordered else len(held), frame)
        if len(held) > limit:
            last = times[0]
            yield from given()
    while held:
        yield from given()
    for lost in spoilt.lost_before(math.inf):
        yield None, lost.time, True


def _limit(frame: Any) -> int:
    size = sum(plane.buffer_size for plane in frame.planes)
    return max(1, min(_HELD_FRAMES, _HELD_BYTES // max(1, size)))


def _positioned(
    source: Source, start: float | None, reaches: Reaches | None, alone: bool
) -> Iterator[tuple[Any, float, Trouble | None]]:
    """(frame, time, trouble) from a trusted key frame not later than `start`, or from the beginning.

    With `reaches`, which is told of every packet, one thread decodes; without, several.
    """
    threads = reaches is None
    first = source.stream.start or 0.0
    if start is not None and start > first and source.seekable:
        container = source.open()
        try:
            stream = only(container, source.stream.index)
            context = source.context(stream, threads)
            for back in _SEEK_BACK:
                try:
                    container.seek(_ticks(start - back, stream.time_base), stream=stream)
                except (av.error.FFmpegError, OSError, OverflowError):
                    continue
                if context.is_open:
                    context.flush_buffers()
                begun = False
                for item in _from_key(_timed(source, container, stream, context, reaches, alone, derive=False), start):
                    begun = True
                    yield item
                if begun:
                    return
            if start - first > _SEEK_BACK[-1]:
                source.seekable = False  # as good as no index: not to be tried at every call
        except _UnreliableError:
            # Times that are not in the file can only be counted from the beginning. Frames given out before this
            # showed carried times of the file, so that `run` skips them by time.
            source.seekable = False
            if alone:
                raise
        finally:
            source.shut(container)
    container = source.open()
    try:
        stream = only(container, source.stream.index)
        yield from _timed(source, container, stream, source.context(stream, threads), reaches, alone, derive=not alone)
    finally:
        source.shut(container)


def _from_key(
    items: Iterator[tuple[Any, float, Trouble | None]], start: float
) -> Iterator[tuple[Any, float, Trouble | None]]:
    """From the first key frame on, if it is not later than `start`; nothing at all if it is."""
    key: float | None = None
    early: list[Trouble] = []  # packets behind the key frame's that were refused before it came out of the decoder
    for frame, time, trouble in items:
        if key is None:
            if time > start:
                return
            if trouble is not None:
                early.append(trouble)
            if frame is None or not frame.key_frame:
                continue
            key = time
            yield from ((None, key, t) for t in early if t.time > key)
        if frame is None or time >= key:
            yield frame, time, trouble


def _timed(
    source: Source, container: Any, stream: Any, context: Any, reaches: Reaches | None, alone: bool, derive: bool
) -> Iterator[tuple[Any, float, Trouble | None]]:
    """Frames as they leave the decoder, each with its time; (None, time, why) where a packet was refused.

    `alone` decodes each key frame by itself. Times that the file does not give follow the frame before by the average
    step, or raise _UnreliableError.
    """
    base = stream.time_base
    if reaches is not None:
        reaches.open(context.extradata)
    counted, known = -1, source.stream.start or 0.0  # pictures since the last one whose time the file gave
    time = known
    for packet in packets_of(container, stream, source.damage):
        if alone and (packet is None or not packet.is_keyframe):
            continue
        reach = reaches.see(packet) if reaches is not None else "on"
        frames, trouble = decode(context, packet)
        if alone:
            more, trouble_after = decode(context, None)
            context.flush_buffers()
            frames, trouble = frames + more, trouble or trouble_after
        if trouble:
            lost = seconds(packet.pts, base) if packet is not None and packet.pts is not None else time
            yield None, max(time, 0.0), Trouble(max(lost, 0.0), trouble, reach)
        for frame in frames:
            if frame.pts is not None:
                time = known = seconds(frame.pts, base)
                counted = 0
            elif derive:
                counted += 1
                time = known + counted * source.step
                source.damage.note("the file gives no times for some pictures; they are counted by the frame rate")
                source.seekable = False
            else:
                raise _UnreliableError
            yield frame, time, None


def _ticks(time: float, base: Any) -> int:
    return math.floor(time * base.denominator / base.numerator)
