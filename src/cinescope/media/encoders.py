"""Which containers are written with which encoders. Knows nothing of pictures, sound or files.

H.264 comes from libx264, which PyAV's wheels carry under the GPL (their FFmpeg calls itself LGPL); docs/dependencies.md
says what that means for who passes them on. The other names are tried where a build has no libx264.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cinescope.types import BadQueryError, MissingPartError


@dataclass(frozen=True, slots=True)
class Encoder:
    name: str  # FFmpeg's
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Container:
    """What one suffix holds. The first encoder of a tuple that exists in this build is taken."""

    format: str  # FFmpeg's muxer
    video: tuple[Encoder, ...]
    sound: tuple[Encoder, ...]
    subtitles: str  # FFmpeg's codec, "" where the container has none
    options: dict[str, str] = field(default_factory=dict)


# crf 20 and veryfast: x264's scale around its default 23; finer, and some six times faster than "medium" for about
# a tenth more bytes (x264's presets). Enough for cuts and renderings; who wants other figures passes options.
_H264 = (
    Encoder("libx264", {"crf": "20", "preset": "veryfast"}),
    Encoder("libopenh264", {"b": "4000000"}),  # Cisco, BSD-2-Clause; has no constant quality
    Encoder("h264_videotoolbox", {"b": "4000000"}),  # macOS
    Encoder("h264_mf", {"b": "4000000"}),  # Windows
)
# Constant quality as libvpx's guide has it for VP9: crf 31 for 720p with no bit rate; cpu-used 5 for real time.
_VP9 = (Encoder("libvpx-vp9", {"crf": "31", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"}),)
_AAC = (Encoder("aac", {"b": "160000"}),)
_OPUS = (Encoder("libopus", {"b": "96000"}),)

# The edit list, which says when a stream starts, counts in this; FFmpeg's 1000 would round starts to milliseconds.
_MOV_OPTIONS = {"movflags": "+faststart", "movie_timescale": "120000"}
_MP4 = Container("mp4", _H264, _AAC, "mov_text", _MOV_OPTIONS)
CONTAINERS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".m4a": _MP4,
    ".mov": Container("mov", _H264, _AAC, "mov_text", _MOV_OPTIONS),
    ".mkv": Container("matroska", _H264, _AAC, "subrip"),
    ".webm": Container("webm", _VP9, _OPUS, "webvtt"),
    ".gif": Container("gif", (Encoder("gif"),), (), ""),
}

# What libopus accepts (RFC 6716, section 2.1.3); other rates are resampled to the highest.
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
# ISO/IEC 14496-3, table 1.18.
AAC_RATES = (7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000)


def container_for(suffix: str) -> Container:
    try:
        return CONTAINERS[suffix.lower()]
    except KeyError:
        raise BadQueryError(f"'{suffix}' is no kind of video this writes", f"use {', '.join(CONTAINERS)}") from None


def choose(encoders: tuple[Encoder, ...], what: str) -> Encoder:
    """The first that this build of FFmpeg has. Raises MissingPartError."""
    import av

    for encoder in encoders:
        try:
            av.codec.Codec(encoder.name, "w")
        except ValueError:  # av.codec.codec.UnknownCodecError
            continue
        return encoder
    names = " or ".join(encoder.name for encoder in encoders) or "none"
    raise MissingPartError(f"no encoder for {what} here ({names})", "write another kind of file, such as .webm")


def sound_rate(encoder: str, wanted: int) -> int:
    """The sample rate the encoder is run at for sound of rate `wanted`."""
    rates = {"libopus": OPUS_RATES, "aac": AAC_RATES}.get(encoder)
    return wanted if rates is None or wanted in rates else 48_000
