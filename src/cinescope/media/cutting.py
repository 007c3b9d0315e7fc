"""Parts of files and files put together anew: cut and mux. Knows nothing of why."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from cinescope.media.cues import Warn
from cinescope.media.encode import VideoWriter
from cinescope.media.encoders import Container, container_for
from cinescope.media.opening import FilePath, open_media, shown_name
from cinescope.media.probe import probe
from cinescope.media.sound import SoundReader
from cinescope.media.subtitles import read_subtitles
from cinescope.media.video import VideoReader
from cinescope.media.writing import whole_file
from cinescope.types import BadQueryError, Chapter, Cue, MediaError, Span, Stream, SubtitleTrack, Video, Waveform

SOUND_STRETCH = 10.0  # seconds of sound in memory at once

_COARSE, _FINE = Fraction(1, 5_000), Fraction(1, 1_000_000)  # seconds a tick

# FFmpeg would move the whole file so that no time of decoding is negative, sound and pictures off their clock.
_KEEP_TIMES = {"avoid_negative_ts": "disabled"}

Progress = Callable[[float], object]  # share done, 0 to 1; what it raises stops the work and leaves no file

_log = logging.getLogger(__name__)


def cut(
    path: FilePath,
    span: Span,
    out: FilePath,
    copy: bool = False,
    size: int | tuple[int, int] | None = None,
    options: dict[str, str] | None = None,
    progress: Progress = lambda share: None,
    warn: Warn = _log.warning,
) -> Span:
    """Write `span` of `path` to `out` (its suffix says the kind) and return the stretch that is really in it.

    Encoded anew by default: at time t, `out` shows what `path` shows at span.start + t, exact to the picture, with
    rotation and pixel aspect undone; its sound to the sample, its subtitles as a track, its chapters. `size` as in
    FrameNeed, `options` for the video encoder. With `copy` the packets are taken as they are: quick and without loss,
    but only from the key picture at or before span.start on; the returned span says where that is.
    Raises MediaError for what cannot be read or written, and where there is nothing in `span`.
    """
    if span.duration <= 0:
        raise BadQueryError(
            f"the stretch from {span.start:g} to {span.end:g} s is empty", "give an end after the start"
        )
    _not_itself(path, out)
    if copy:
        return _copy(path, span, out, warn)
    kind = container_for(Path(os.fspath(out)).suffix)
    video = probe(path)
    with ExitStack() as stack:
        pictures = stack.enter_context(VideoReader(path)) if video.first("video") and kind.video else None
        sound = stack.enter_context(SoundReader(path)) if video.first("audio") and kind.sound else None
        if sound is not None and Path(os.fspath(out)).suffix.lower() == ".m4a":
            pictures = None
        shown = _from(pictures, span) if pictures is not None else iter(())
        first = next(shown, None)
        if first is None and sound is None:
            raise MediaError(
                f"'{shown_name(path)}' has nothing from {span.start:g} to {span.end:g} s", "check the times"
            )
        end = _end(video, span, first is not None)
        subtitles = read_subtitles(path, warn) if kind.subtitles else []
        writer = VideoWriter(
            out,
            None if first is None else _size(first, size),
            rate=_rate(pictures.stream if pictures is not None else None),
            sound=None if sound is None else (_sample_rate(sound.stream), min(8, sound.stream.channels or 1)),
            subtitles=[part for track in subtitles if (part := clip_track(track, span)).cues],
            title=video.title,
            chapters=clip_chapters(video.chapters, span),
            options=options,
        )
        with writer:
            waves = _stretches(sound, span.start, end) if sound is not None else iter(())
            wave = next(waves, None)
            last = span.start
            picture = first
            while picture is not None:
                while wave is not None and wave.start + span.start <= picture.time:
                    writer.sound(wave)
                    wave = next(waves, None)
                stop = min(picture.time + picture.duration, span.end)
                at = max(0.0, picture.time - span.start)
                writer.picture(picture.array(_size(first, size)), at, stop - span.start - at)
                last = max(last, stop)
                progress(min(1.0, (stop - span.start) / span.duration))
                picture = next(shown, None)
            while wave is not None:
                writer.sound(wave)
                last = max(last, span.start + wave.end)
                progress(min(1.0, wave.end / span.duration))
                wave = next(waves, None)
        for reader in (pictures, sound):
            for sentence in reader.warnings if reader is not None else ():
                warn(sentence)
    return Span(span.start, max(last, span.start))


def mux(
    path: FilePath,
    out: FilePath,
    sound: Iterable[Waveform] | None = None,
    subtitles: Sequence[SubtitleTrack] | None = None,
    title: str | None = None,
    chapters: Sequence[Chapter] | None = None,
    warn: Warn = _log.warning,
) -> None:
    """`path` anew as `out`, with the pictures taken as they are, and other sound, subtitles, title or chapters.

    None keeps what is there, an empty one leaves it out. `sound` are stretches in order, encoded for `out`'s kind.
    Raises BadQueryError where the kind cannot hold the pictures, MediaError for what cannot be read or written.
    """
    _not_itself(path, out)
    kind = container_for(Path(os.fspath(out)).suffix)
    container = open_media(path)
    with ExitStack() as stack:
        stack.callback(container.close)
        video = probe(path)
        part = stack.enter_context(whole_file(out))
        if subtitles is None and kind.subtitles:
            held = [s for s in video.streams if s.kind == "subtitle"]
            if any(s.codec != kind.subtitles for s in held):  # written anew in the form this kind holds
                subtitles = [t for t in read_subtitles(path, warn) if t.origin.startswith("embedded:")]
        with ExitStack() as side:
            fresh: list[tuple[Any, Video]] = []
            if sound is not None or subtitles:
                # New sound and subtitles are encoded into a small file of their own, then both are copied into one.
                fresh = _side_file(Path(os.fspath(out)), kind, sound, subtitles or (), side)
            made = av.open(
                "file:" + os.fspath(part.absolute()), "w", format=kind.format, container_options=kind.options
            )
            side.callback(made.close)
            made.metadata["title"] = video.title if title is None else title
            kinds = {"video", *(["audio"] if sound is None else []), *(["subtitle"] if subtitles is None else [])}
            pairs = _templates(container, made, video, kind, kinds, warn)
            for other, told in fresh:
                pairs += _templates(
                    other, made, told, kind, {"subtitle", *(["audio"] if sound is not None else [])}, warn
                )
            made.set_chapters(_chapters(video.chapters if chapters is None else chapters))
            sources = [container, *(other for other, _ in fresh)]
            for packet, target in _by_time([_packets(s, pairs, kind.subtitles == "mov_text") for s in sources]):
                packet.stream = target
                made.mux(packet)


def clip_track(track: SubtitleTrack, span: Span) -> SubtitleTrack:
    """The cues that stand in `span`, cut to it and counted from its start."""
    cues = [
        Cue(part.shift(-span.start), cue.text, cue.speaker)
        for cue in track.cues
        if (part := cue.span.intersection(span)) is not None and part.duration > 0
    ]
    return SubtitleTrack(tuple(cues), track.language, track.origin, track.title)


def clip_chapters(chapters: Sequence[Chapter], span: Span) -> list[Chapter]:
    parts = [(chapter.span.intersection(span), chapter.title) for chapter in chapters]
    return [Chapter(part.shift(-span.start), title) for part, title in parts if part is not None and part.duration > 0]


def _from(reader: VideoReader, span: Span) -> Iterator[Any]:
    """The pictures of a span, beginning with the one that is shown at its start."""
    begin = float(reader.at([span.start], 16, "grey").times[0])
    return (p for p in reader.pictures(min(begin, span.start), span.end) if p.time + p.duration > span.start)


def _size(picture: Any, size: int | tuple[int, int] | None) -> tuple[int, int]:
    from cinescope.media.planes import target_size

    return target_size(picture.size, size)


def _rate(stream: Stream | None) -> Fraction:
    rate = stream.frame_rate if stream is not None else None
    # Above 1000 pictures a second it is a time base that was taken for a rate.
    return Fraction(rate).limit_denominator(1001) if rate and 0 < rate <= 1000 else Fraction(25)


def _sample_rate(stream: Stream) -> int:
    return stream.sample_rate or 48_000


def _end(video: Video, span: Span, has_pictures: bool) -> float:
    """Where the sound is read to: not beyond the file, so that a span with a far end makes no hours of silence."""
    if video.duration is not None:
        return max(span.start, min(span.end, video.start + video.duration))
    return span.end if has_pictures else min(span.end, span.start + 24 * 3600)


def _stretches(reader: SoundReader, start: float, end: float) -> Iterator[Waveform]:
    rate = _sample_rate(reader.stream)
    total = round((end - start) * rate)
    step = round(SOUND_STRETCH * rate)
    for at in range(0, total, step):
        count = min(step, total - at)
        wave = reader.read(start + at / rate, start + (at + count) / rate, rate, min(8, reader.stream.channels or 1))
        yield Waveform(wave.data[:, :count], rate, at / rate)


def _not_itself(path: FilePath, out: FilePath) -> None:
    try:
        same = os.path.samefile(path, out)
    except (OSError, ValueError):  # one of them is not there, which others tell better
        return
    if same:
        raise BadQueryError(f"'{shown_name(out)}' would overwrite the video it is made from", "choose another name")


def _templates(
    source: Any, made: Any, video: Video, kind: Container, kinds: set[str], warn: Warn
) -> list[tuple[Any, Any]]:
    pairs = []
    for stream, told in zip(source.streams, video.streams, strict=True):
        if told.kind not in kinds or (told.kind == "video" and told.still) or stream.codec_context is None:
            continue
        try:
            target = made.add_stream_from_template(stream, opaque=True)
        except ValueError:
            if told.kind == "video":
                raise BadQueryError(
                    f"{kind.format} files cannot hold {told.codec} pictures", "use .mkv, or let it be encoded anew"
                ) from None
            warn(f"{kind.format} files cannot hold stream {told.index} ({told.codec}), it was left out")
            continue
        target.metadata.update({k: v for k, v in stream.metadata.items() if k in ("language", "title")})
        if told.rotation:
            target.set_display_rotation((360 - told.rotation) % 360)
        pairs.append((stream, target))
    return pairs


def _packets(container: Any, pairs: list[tuple[Any, Any]], into_mp4: bool) -> Iterator[tuple[Any, Any]]:
    # What is shown before zero is the encoder's run-up. MP4 marks it, and Matroska takes back what it marked itself.
    keeps_run_up = into_mp4 or "matroska" in container.format.name
    targets = {stream: target for stream, target in pairs if stream.container is container}
    if not targets:
        return
    for packet in container.demux(list(targets)):
        if packet.size and packet.pts is not None and packet.dts is not None and (packet.pts >= 0 or keeps_run_up):
            yield packet, targets[packet.stream]


def _by_time(sources: list[Iterator[tuple[Any, Any]]]) -> Iterator[tuple[Any, Any]]:
    import heapq

    return heapq.merge(*sources, key=lambda pair: float(pair[0].dts * pair[0].time_base))


def _side_file(
    out: Path, kind: Container, sound: Iterable[Waveform] | None, subtitles: Sequence[SubtitleTrack], stack: ExitStack
) -> list[tuple[Any, Video]]:
    import itertools
    import tempfile

    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".cinescope-", dir=out.parent))
    waves = iter(sound or ())
    first = next(waves, None)
    if first is None and not subtitles:
        return []
    name = Path(folder) / f"side{out.suffix}"
    # Subtitles alone need some stream beside them in the writer: a second of silence, which is not copied.
    beside = first or Waveform(_silence(), 48_000, 0.0)
    with VideoWriter(name, None, sound=(beside.sample_rate, beside.data.shape[0]), subtitles=subtitles) as writer:
        for wave in itertools.chain([beside], waves):
            writer.sound(wave)
    container = open_media(name)
    stack.callback(container.close)
    return [(container, probe(name))]


def _silence() -> Any:
    import numpy as np

    return np.zeros((1, 48_000), np.float32)


def _chapters(chapters: Sequence[Chapter]) -> list[dict[str, Any]]:
    from cinescope.media.encode import chapter_entry

    return [chapter_entry(n, chapter) for n, chapter in enumerate(chapters)]


def _copy(path: FilePath, span: Span, out: FilePath, warn: Warn) -> Span:
    kind = container_for(Path(os.fspath(out)).suffix)
    container = open_media(path)
    with ExitStack() as stack:
        stack.callback(container.close)
        video = probe(path)
        lead = video.first("video") or video.first("audio")
        if lead is None:
            raise MediaError(f"'{shown_name(path)}' has neither pictures nor sound")
        part = stack.enter_context(whole_file(out))
        made = av.open(
            "file:" + os.fspath(part.absolute()),
            "w",
            format=kind.format,
            container_options={**kind.options, **_KEEP_TIMES},
        )
        stack.callback(made.close)
        made.metadata["title"] = video.title
        wanted = {"audio", "subtitle"} | ({"video"} if lead.kind == "video" else set())
        pairs = [(s, t) for s, t in _templates(container, made, video, kind, wanted, warn)]
        targets = dict(pairs)
        leading = container.streams[lead.index]
        container.seek(int(span.start / leading.time_base), stream=leading, backward=True)
        begin: float | None = None
        end = -math.inf
        others: list[Any] = []
        done: set[Any] = set()
        for packet in container.demux(list(targets)):
            if not packet.size or packet.pts is None or packet.dts is None or packet.stream in done:
                continue
            time, step = float(packet.pts * packet.time_base), float((packet.duration or 0) * packet.time_base)
            if packet.stream is leading:
                if begin is None:
                    if not packet.is_keyframe:
                        continue
                    begin = end = time
                    made.set_chapters(_chapters(clip_chapters(video.chapters, Span(begin, max(begin, span.end)))))
                    for other in others:
                        _shift_and_mux(other, begin, targets, made)
                    others = []
                if float(packet.dts * packet.time_base) >= span.end:
                    done.add(packet.stream)
                    continue
                if time < begin:
                    continue  # leading pictures of an open group need what came before
                end = max(end, time + step)
            elif time >= span.end:
                done.add(packet.stream)
                if len(done) == len(targets):
                    break
                continue
            if begin is None:
                others.append(packet)
            else:
                _shift_and_mux(packet, begin, targets, made)
            if len(done) == len(targets):
                break
        if begin is None or end <= span.start:
            raise MediaError(
                f"'{shown_name(path)}' has nothing from {span.start:g} to {span.end:g} s", "check the times"
            )
    return Span(begin, end)


def _shift_and_mux(packet: Any, begin: float, targets: dict[Any, Any], made: Any) -> None:
    base = packet.time_base
    if packet.pts * base < begin - 1e-6:
        return  # sound that began before the first picture
    if base > _COARSE:  # AVI counts sound in whole packets, the shift is finer
        packet.pts, packet.dts = round(packet.pts * base / _FINE), round(packet.dts * base / _FINE)
        packet.duration = round((packet.duration or 0) * base / _FINE)
        packet.time_base = base = _FINE
    shift = round(begin / base)
    packet.pts -= shift
    packet.dts -= shift
    packet.stream = targets[packet.stream]
    made.mux(packet)
