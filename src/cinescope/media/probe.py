"""What a container says of itself, before it is read. Knows nothing of what the pictures and the sound hold."""

from __future__ import annotations

from typing import Any

from cinescope.media.opening import FilePath, open_media, shown_name
from cinescope.types import Chapter, MediaError, Span, Stream, Video


def probe(path: FilePath) -> Video:
    container = open_media(path)
    try:
        return describe(container, path)
    finally:
        container.close()


def describe(container: Any, path: FilePath) -> Video:
    streams = tuple(_stream(s) for s in container.streams)
    if not any(s.kind in ("video", "audio") for s in streams):
        raise MediaError(f"'{shown_name(path)}' has neither pictures nor sound")
    duration = None if container.duration is None else container.duration / av_time_base()
    chapters = tuple(
        Chapter(
            Span(float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"])), c["metadata"].get("title", "")
        )
        for c in container.chapters()
    )
    return Video("", duration, streams, container.format.name, container.metadata.get("title", ""), chapters=chapters)


def av_time_base() -> int:
    import av

    return int(av.time_base)


def measure_duration(path: FilePath) -> float:
    raise MediaError("not yet")


def _stream(s: Any) -> Stream:
    start = None if s.start_time is None else float(s.start_time * s.time_base)
    duration = None if s.duration is None else float(s.duration * s.time_base)
    common = (s.index, s.type if s.type in ("video", "audio", "subtitle", "attachment") else "data")
    codec = s.codec_context.codec.canonical_name if s.codec_context is not None else ""
    if s.type == "video":
        sar = float(s.sample_aspect_ratio) if s.sample_aspect_ratio else 1.0
        return Stream(
            *common, codec, start=start, duration=duration, width=round(s.width * sar), height=s.height, pixel_aspect=sar,
            frame_rate=float(s.average_rate) if s.average_rate else None, frame_count=s.frames or None,
            pixel_format=s.pix_fmt, rotation=0, still=bool(s.disposition.attached_pic),
            default=bool(s.disposition.default),
        )  # fmt: skip
    if s.type == "audio":
        return Stream(
            *common, codec, start=start, duration=duration, sample_rate=s.sample_rate, channels=s.channels,
            default=bool(s.disposition.default),
        )  # fmt: skip
    return Stream(*common, codec, start=start, duration=duration)
