"""Sound of one stream as float windows on the one clock. Knows nothing of pictures.

What comes is a pure function of the arguments, bit for bit. Decoders remember (overlap, noise generators, filters) and
so do resamplers; therefore sound is always made in the same pieces, `CHUNK` seconds on an absolute grid, each by a
fresh decoder that begins at the first packet not earlier than `BEFORE` the piece, whoever asks for what part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import av
import numpy as np

from cinescope.media.decoding import Damage, decode, only, packets_of, seconds
from cinescope.media.mixing import as_floats, mixed
from cinescope.media.opening import FilePath, open_media, shown_name
from cinescope.media.streams import pick, streams_of
from cinescope.types import MediaError, Span, Stream, Waveform

CHUNK = 20  # seconds; whole, so that a piece begins at a whole sample at every rate

# Seconds decoded before a piece and thrown away; whole, for the same reason. Opus converges in 0.08 s (RFC 7845, 4.6),
# MP3's bit reservoir reaches back nine frames, AAC overlaps two.
BEFORE = 1

# Seconds decoded behind a piece for the resampler, whose filter reaches 16 samples of the lower rate.
BEHIND = 0.25

# Deviation of a frame's stated time from the samples counted so far, in seconds, up to which sound goes on unbroken.
# Matroska rounds times to 1 ms and live recorders write jitter; people do not notice 20 ms between lips and sound
# (ITU-R BT.1359-1: 45 ms early is detectable).
_JOIN = 0.020

# Decoders that forget everything between packets: for these one decoder serves all pieces.
_FORGETFUL = ("pcm_", "flac", "alac")

# How far before the wanted packet a seek is aimed, one try after the other, in seconds.
_SEEK_BACK = (0.0, 2.0, 10.0, 60.0)

# Frames in a row that begin behind the piece, after which it is taken for complete; one alone may be a wrong time.
_BEHIND = 4

# Samples a second, all channels together, that are still believed: 64 channels at 48 kHz and a little. A piece of that
# takes 330 MB; a damaged WAV header may claim 65535 channels at 4 GHz.
_MAX_SAMPLES = 4_000_000


def read_sound(
    path: FilePath,
    start: float,
    end: float,
    sample_rate: int = 16_000,
    channels: int | None = 1,
    stream: int | None = None,
) -> Waveform:
    """Exactly round((end - start) * sample_rate) samples from `start` seconds on, silence where there is no sound.

    `channels` 1 is the mix of all, 2 stereo, None as recorded; `stream` is a container index, default the one a
    player plays. Sample n is the sound at start + n / sample_rate, to within half a sample. Raises MediaError where
    the file cannot be read or has no sound, ValueError for times and rates that mean nothing.
    """
    with SoundReader(path, stream) as reader:
        return reader.read(start, end, sample_rate, channels)


def sound_extent(path: FilePath, stream: int | None = None) -> Span | None:
    """Where sound really is, from the first to the last decoded sample; None where there is no sound. Decodes all."""
    container = open_media(path)
    try:
        streams = streams_of(container, path, [], look=False)
        if stream is None and not any(s.kind == "audio" for s in streams):
            return None
        chosen = pick(streams, "audio", stream, path)
        av_stream = only(container, chosen.index)
        context = _context(av_stream, path)
        first, last, following = math.inf, -math.inf, 0.0
        for packet in packets_of(container, av_stream, Damage()):
            for frame in decode(context, packet)[0]:
                begin = following if frame.pts is None else seconds(frame.pts, av_stream.time_base)
                following = begin + frame.samples / frame.sample_rate
                first, last = min(first, begin), max(last, following)
        return Span(first, last) if first < last else None
    finally:
        container.close()


class SoundReader:
    """Reads one audio stream stretch by stretch. A context manager; keeps one piece of `CHUNK` seconds in memory."""

    def __init__(self, path: FilePath, stream: int | None = None) -> None:
        self.path = path
        self._damage = Damage()
        self._demuxer: Any = open_media(path)
        try:
            self.stream: Stream = pick(streams_of(self._demuxer, path, [], look=False), "audio", stream, path)
            self._demuxed = only(self._demuxer, self.stream.index)
            _context(self._demuxed, path)
            self._rate = self.stream.sample_rate or 0
            self._channels = self.stream.channels or 0
            if not 0 < self._rate * max(1, self._channels) <= _MAX_SAMPLES or self._rate < 100:
                raise MediaError(
                    f"'{shown_name(path)}' claims {self._channels} channels at {self._rate} Hz", "check the file"
                )
        except BaseException:
            self._demuxer.close()
            raise
        self._fresh = True  # nothing has been read from the demuxer yet
        self._pieces: dict[tuple[int, int, int], np.ndarray] = {}
        self._spoilt: dict[int, list[Span]] = {}  # piece -> where its sound is lost or damaged

    @property
    def warnings(self) -> list[str]:
        """Damage met so far, one sentence each, with the time."""
        return self._damage.sentences()

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._pieces.clear()
        self._demuxer.close()

    def read(self, start: float, end: float, sample_rate: int = 16_000, channels: int | None = 1) -> Waveform:
        """As `read_sound`. The result does not depend on what was read before."""
        if not (math.isfinite(start) and math.isfinite(end) and end >= start):
            raise ValueError(f"a stretch of sound needs start <= end, got [{start}, {end})")
        if not 1 <= sample_rate <= 768_000:
            raise ValueError(f"a sample rate lies between 1 and 768000 Hz, got {sample_rate}")
        channels = self._channels or 1 if channels is None else channels
        count = round((end - start) * sample_rate)
        origin = round(start * sample_rate)
        data = np.zeros((channels, count), np.float32)
        length = CHUNK * sample_rate
        for number in range(origin // length, -(-(origin + count) // length)):
            piece = self._piece(number, sample_rate, channels)
            low, high = max(origin, number * length), min(origin + count, (number + 1) * length)
            data[:, low - origin : high - origin] = piece[:, low - number * length : high - number * length]
        return Waveform(data, sample_rate, start)

    def spoilt(self, stretch: Span) -> list[Span]:
        """Where, of what was read so far, sound is lost or damaged in a stretch; by start."""
        numbers = range(math.floor(stretch.start / CHUNK), math.ceil(stretch.end / CHUNK))
        return sorted(s for n in numbers for s in self._spoilt.get(n, ()) if s.overlaps(stretch))

    def _piece(self, number: int, sample_rate: int, channels: int) -> np.ndarray:
        """(C, CHUNK * sample_rate) of the number-th piece."""
        key = (number, sample_rate, channels)
        if key not in self._pieces:
            made = self._make(number, sample_rate, channels)
            # Several rates are read of the same stretch, but only one stretch at a time.
            self._pieces = {k: v for k, v in self._pieces.items() if k[0] == number}
            self._pieces[key] = made
        return self._pieces[key]

    def _make(self, number: int, sample_rate: int, channels: int) -> np.ndarray:
        begin, end = number * CHUNK - BEFORE, (number + 1) * CHUNK + BEHIND
        count = CHUNK * sample_rate
        native = np.zeros((channels, round((end - begin) * self._rate)), np.float32)
        filled = 0
        runs, hurt = self._runs(begin, end)
        own = Span(number * CHUNK, (number + 1) * CHUNK)
        self._spoilt[number] = [s for span in hurt if (s := span.intersection(own)) is not None]
        for run in runs:
            filled = run.place(native, begin * self._rate, filled)
        made = native if sample_rate == self._rate else _resampled(native, self._rate, sample_rate)
        made = made[:, BEFORE * sample_rate :][:, :count]
        if made.shape[1] < count:
            made = np.pad(made, ((0, 0), (0, count - made.shape[1])))
        return np.clip(np.nan_to_num(made, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)

    def _runs(self, begin: int, end: float) -> tuple[list[_Run], list[Span]]:
        """Unbroken stretches of decoded sound in [begin, end), by a decoder that began at a fixed packet; and where it
        is lost or damaged."""
        forgetful = self.stream.codec.startswith(_FORGETFUL)
        container = self._demuxer if forgetful else open_media(self.path)
        try:
            context = _context(container.streams[self.stream.index], self.path)
            runs: list[_Run] = []
            hurt: list[Span] = []
            behind = 0
            time: float | None = None
            for packet in self._packets(begin):
                frames, trouble = decode(context, packet)
                if trouble:
                    stated = packet.pts if packet is not None else None
                    place = (time or begin) if stated is None else seconds(stated, self._demuxed.time_base)
                    self._damage.at(place, f"sound is lost ({trouble}), silence stands for it")
                    hurt.append(Span(place, place + self._length(packet)))
                for frame in frames:
                    if frame.sample_rate != self._rate or not frame.samples:
                        self._damage.at(
                            time or begin, f"sound changes to {frame.sample_rate} Hz, silence stands for it"
                        )
                        if frame.samples and frame.pts is not None:
                            place = seconds(frame.pts, self._demuxed.time_base)
                            hurt.append(Span(place, place + frame.samples / frame.sample_rate))
                        continue
                    if frame.pts is not None:
                        time = seconds(frame.pts, self._demuxed.time_base)
                    elif time is None:
                        time = self.stream.start or 0.0  # a stream without times, read from its beginning
                    behind = behind + 1 if time >= end else 0
                    length = frame.samples / self._rate
                    if time < end and time + length > begin:
                        if frame.is_corrupt:
                            self._damage.at(time, "sound is damaged")
                            hurt.append(Span(time, time + length))
                        kind = frame.format.name, tuple(c.name for c in frame.layout.channels)
                        if not runs or not runs[-1].joins(kind, time * self._rate):
                            runs.append(_Run(*kind))
                        runs[-1].add(frame, time * self._rate)
                    time += length
                if behind >= _BEHIND:
                    break
            return runs, hurt
        finally:
            if not forgetful:
                container.close()

    def _length(self, packet: Any) -> float:
        """Seconds of sound in a packet that could not be decoded; of one of AAC where the file does not say."""
        if packet is not None and packet.duration:
            return seconds(packet.duration, self._demuxed.time_base)
        return 1024 / self._rate

    def _packets(self, first: float) -> Iterator[Any]:
        """Packets from the first one not earlier than `first` seconds, wherever a seek lands; None at the end."""
        base = self._demuxed.time_base
        for back in _SEEK_BACK if first > (self.stream.start or 0.0) else ():
            self._fresh = False  # a seek that fails has moved, too
            try:
                ticks = math.floor((first - back) * base.denominator / base.numerator)
                self._demuxer.seek(ticks, stream=self._demuxed)
            except (av.error.FFmpegError, OSError, OverflowError):
                continue
            packets = packets_of(self._demuxer, self._demuxed, self._damage)
            landed = next(packets)
            if landed is not None and landed.pts is not None and seconds(landed.pts, base) <= first:
                yield from _from(chain([landed], packets), first, base)
                return
        if not self._fresh:  # a container that was read from may not find its way back to its beginning
            self._demuxer.close()
            self._demuxer = open_media(self.path)
            self._demuxed = only(self._demuxer, self.stream.index)
        self._fresh = False
        yield from _from(packets_of(self._demuxer, self._demuxed, self._damage), first, base)


def _from(packets: Iterable[Any], first: float, base: Any) -> Iterator[Any]:
    begun = False
    for packet in packets:
        if not begun and packet is not None:
            if packet.pts is not None and seconds(packet.pts, base) < first:
                continue
            begun = True  # also at a packet without a time, which only a stream without times has at its beginning
        yield packet


@dataclass(slots=True)
class _Run:
    """Frames that follow one another without a break. Its place is settled once all their stated times are known."""

    form: str  # FFmpeg's sample format
    names: tuple[str, ...]  # of the channels
    parts: list[np.ndarray] = field(default_factory=list)
    count: int = 0
    low: float = math.inf  # range of stated minus counted time, all in samples
    high: float = -math.inf
    slack: float = 0.0

    def joins(self, kind: tuple[str, tuple[str, ...]], stated: float) -> bool:
        off = stated - self.count
        return kind == (self.form, self.names) and max(self.high, off) - min(self.low, off) <= self.slack

    def add(self, frame: Any, stated: float) -> None:
        self.low, self.high = min(self.low, stated - self.count), max(self.high, stated - self.count)
        self.slack = _JOIN * frame.sample_rate
        self.parts.append(frame.to_ndarray())
        self.count += frame.samples

    def place(self, target: np.ndarray, origin: int, filled: int) -> int:
        """Mixed into `target`, whose first sample has the number `origin`, behind the first `filled` samples.

        What overlaps with these is cut off. Gives the number of samples filled then.
        """
        # Times rounded to ticks scatter evenly about the true one, whose best estimate is the middle of their range.
        at = math.floor((self.low + self.high) / 2 + 0.5) - origin
        data = mixed(as_floats(np.concatenate(self.parts, axis=1), self.form, len(self.names)), self.names, len(target))
        low, high = max(filled, at), min(target.shape[1], at + data.shape[1])
        if high <= low:
            return filled
        target[:, low:high] = data[:, low - at : high - at]
        return high


def _context(stream: Any, path: FilePath) -> Any:
    if stream.codec_context is None:
        raise MediaError(f"no decoder for the sound of '{shown_name(path)}'", "convert it with another program")
    context = stream.codec_context
    if context.is_open:
        context.flush_buffers()
    else:
        context.thread_type = "NONE"
    return context


def _resampled(data: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """(C, S) at `rate` -> (C, about S * wanted / rate), the first sample in place, by swresample's sinc filter."""
    rows = []
    for row in data:
        # Channel by channel, so that any number of channels needs no name for its layout.
        resampler = av.AudioResampler("fltp", "mono", wanted)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(row[None]), "fltp", "mono")
        frame.sample_rate = rate
        rows.append(
            np.concatenate([f.to_ndarray()[0] for f in [*resampler.resample(frame), *resampler.resample(None)]])
        )
    return np.stack(rows)
