"""The streams of an open container as `Stream` nouns, and which one a player shows. Reads one picture a video stream.

That one picture tells what headers do not: how it is to be turned, whether it is interlaced, and that it can be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from av.stream import Disposition

from cinescope.media.decoding import Damage, decode, only, packets_of, seconds
from cinescope.media.languages import language_tag
from cinescope.media.opening import FilePath, ascii_safe, open_media, shown_name
from cinescope.media.planes import Geometry, geometry_of
from cinescope.types import MediaError, Stream, Video
from cinescope.types.video import StreamKind

_KINDS = ("video", "audio", "subtitle", "attachment")

_PEEK_PACKETS = 256  # about ten seconds of video: a recording that began between two key frames has one by then
_PEEK_STREAMS = 4  # video streams looked into; a file with more is a collection, whose others are told by their headers

# AVColorSpace by number (libavutil/pixfmt.h = ITU-T H.273 table 4).
_COLOUR_SPACES = {
    0: "rgb", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco", 9: "bt2020nc",
    10: "bt2020c", 14: "ictcp",
}  # fmt: skip

# Demuxers of single pictures; "gif" and "apng" may move.
_PICTURE_FORMATS = ("image2", "_pipe")

# Frame rates above this are time bases that a muxer wrote into the wrong field.
_MAX_RATE = 1_000.0


@dataclass(frozen=True, slots=True)
class _Peek:
    geometry: Geometry
    interlaced: bool


def streams_of(container: Any, path: FilePath, warnings: list[str], look: bool = True) -> tuple[Stream, ...]:
    """All streams by index. `warnings` gets a sentence for each unreadable one; without `look` headers only."""
    made: list[Stream] = []
    looked = 0
    for av_stream in container.streams:
        kind: StreamKind = av_stream.type if av_stream.type in _KINDS else "data"
        context = av_stream.codec_context
        if context is None and kind in ("video", "audio"):
            warnings.append(f"stream {av_stream.index} ({kind}) is in a format that cannot be decoded here")
        if kind == "video" and context is not None:
            peek = None
            if look and looked < _PEEK_STREAMS:
                looked += 1
                peek = _peek(path, av_stream.index, _aspect(av_stream))
                if peek is None:
                    warnings.append(f"stream {av_stream.index} (video): no picture could be decoded at its beginning")
            made.append(_video(container, av_stream, peek))
        elif kind == "audio" and context is not None:
            made.append(
                Stream(**_common(av_stream, kind), sample_rate=context.sample_rate or None, channels=_channels(context))
            )
        else:
            made.append(Stream(**_common(av_stream, kind)))
    return tuple(made)


def pick(streams: tuple[Stream, ...], kind: StreamKind, index: int | None, path: FilePath) -> Stream:
    """The stream of that index, or the one a player shows. Raises MediaError when there is none of that kind."""
    what = "pictures" if kind == "video" else "sound"
    name = shown_name(path)
    if index is None:
        chosen = Video("", None, streams).first(kind)
        if chosen is None:
            raise MediaError(f"'{name}' has no {what}")
        return chosen
    chosen = next((s for s in streams if s.index == index and s.kind == kind), None)
    if chosen is None:
        there = ", ".join(str(s.index) for s in streams if s.kind == kind) or "none"
        raise MediaError(f"'{name}' has no {what} in stream {index}", f"streams with {what}: {there}")
    return chosen


def is_cover(stream: Any) -> bool:
    """Whether it is a picture attached to the file, not a stream that runs."""
    return Disposition.attached_pic in stream.disposition


def is_still(container: Any, stream: Any) -> bool:
    """Whether it is one picture that stands."""
    return is_cover(stream) or any(form in container.format.name for form in _PICTURE_FORMATS)


def _common(stream: Any, kind: StreamKind) -> dict[str, Any]:
    base = stream.time_base
    context = stream.codec_context
    still = is_cover(stream)
    return {
        "index": stream.index,
        "kind": kind,
        "codec": context.codec.canonical_name if context is not None else "",
        "language": language_tag(stream.metadata.get("language")),
        "title": stream.metadata.get("title") or stream.metadata.get("filename") or "",
        "start": None if stream.start_time is None or still or not base else seconds(stream.start_time, base),
        "duration": None if not stream.duration or still or not base else seconds(stream.duration, base),
        "default": Disposition.default in stream.disposition and not still,
    }


def _video(container: Any, stream: Any, peek: _Peek | None) -> Stream:
    context = stream.codec_context
    geometry = peek.geometry if peek is not None else Geometry(_aspect(stream))
    width, height = geometry.shown(max(1, context.width), max(1, context.height))
    form = context.format
    rate = stream.average_rate or stream.guessed_rate
    still = is_still(container, stream)
    colour_range = {1: "limited", 2: "full"}.get(int(context.color_range))
    if colour_range is None and form is not None and form.name.startswith("yuvj"):
        colour_range = "full"
    return Stream(
        **_common(stream, "video"),
        width=width,
        height=height,
        rotation=geometry.rotation,
        pixel_aspect=geometry.pixel_aspect,
        frame_rate=float(rate) if rate and 0 < rate <= _MAX_RATE else None,
        frame_count=stream.frames or None,
        pixel_format=form.name if form is not None else None,
        bit_depth=max((c.bits for c in form.components), default=None) if form is not None else None,
        colour_range=colour_range,
        colour_space=_COLOUR_SPACES.get(int(context.colorspace)),
        has_alpha=_has_alpha(stream, form),
        interlaced=None if peek is None else peek.interlaced,
        still=still,
    )


def _has_alpha(stream: Any, form: Any) -> bool:
    # WebM keeps alpha beside VP8 and VP9 packets and says so in this tag.
    if stream.metadata.get("alpha_mode") == "1":
        return True
    return form is not None and any(c.is_alpha for c in form.components)


def _aspect(stream: Any) -> float:
    """Width of a coded pixel divided by its height; 1 where the file says nothing or nonsense."""
    ratio = stream.sample_aspect_ratio
    return float(ratio) if ratio and 1 / 16 <= ratio <= 16 else 1.0


def _channels(context: Any) -> int | None:
    return context.channels or None


def _peek(path: FilePath, index: int, aspect: float) -> _Peek | None:
    container = open_media(path)
    try:
        stream = only(container, index)
        for count, packet in enumerate(packets_of(container, stream, Damage())):
            for frame in decode(stream.codec_context, packet)[0]:
                return _Peek(
                    geometry_of(frame, aspect, path if is_still(container, stream) else None),
                    bool(frame.interlaced_frame),
                )
            if count > _PEEK_PACKETS:
                break
        return None
    finally:
        container.close()


def attachments_of(container: Any) -> list[dict[str, Any]]:
    """Name, type and size in bytes of each attached file (fonts, covers)."""
    return [
        {
            "name": ascii_safe(s.metadata.get("filename", "")),
            "type": s.metadata.get("mimetype", ""),
            "size": len(s.data),
        }
        for s in container.streams
        if s.type == "attachment"
    ]
