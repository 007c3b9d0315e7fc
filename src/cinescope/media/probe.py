"""What a file says of itself, in its container and in the `.info.json` beside it. Knows nothing of what it shows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import av

from cinescope.media.decoding import Damage, packets_of, seconds
from cinescope.media.languages import language_tag
from cinescope.media.opening import FilePath, ascii_safe, open_media, reason, shown_name
from cinescope.media.streams import attachments_of, is_cover, streams_of
from cinescope.types import Chapter, MediaError, Span, Stream, Video

# What a sidecar tells that a person may search or read; the rest (formats, thumbnails, comments) is for downloaders.
_SIDECAR_KEYS = (
    "id", "title", "description", "uploader", "channel", "upload_date", "release_date", "language", "tags",
    "categories", "webpage_url", "license", "duration",
)  # fmt: skip
_MAX_SIDECAR = 64 << 20  # bytes; comments of a popular video take some ten megabytes

# Tags of the time of recording, the most telling first: QuickTime's has the camera's time zone, Matroska's are said to
# be of the recording, `creation_time` is often that of the last conversion.
_DATE_TAGS = (
    "com.apple.quicktime.creationdate", "date_recorded", "date_digitized", "datetimeoriginal", "date", "creation_time",
    "datetime", "year",
)  # fmt: skip

# Formats without any statement of length: FFmpeg divides the size by the bit rate of the first packets.
_GUESSED_LENGTH = {"aac", "h264", "hevc", "m4v", "mpegvideo", "ac3", "eac3", "dts", "truehd", "loas", "obu", "vvc"}

# Formats that state where the last packet ends on the clock of the file, not how long it is from its first.
_LENGTH_IS_END = {"matroska", "webm"}

_MAX_CHAPTERS = 10_000


def probe(path: FilePath) -> Video:
    """Headers, tags, sidecar and one picture a stream; nothing else is decoded.

    `info` holds "tags" (the container's), "sidecar" (of the .info.json) and "attachments". Raises MediaError for what
    is no video, sound or picture.
    """
    container = open_media(path)
    try:
        warnings: list[str] = []
        streams = streams_of(container, path, warnings)
        if not any(s.kind in ("video", "audio") for s in streams):
            raise MediaError(f"'{shown_name(path)}' has neither pictures nor sound", "give a video, sound or picture")
        unreadable = [s for s in streams if s.kind == "video" and s.interlaced is None]
        if len(unreadable) == len([s for s in streams if s.kind in ("video", "audio")]):
            raise MediaError(
                f"'{shown_name(path)}' has a header, but no picture of it can be decoded",
                "copy it again from its source",
            )
        warnings += _cut_off(container, path)
        sidecar = _sidecar(path, warnings)
        tags = {**_first_tags(container), **container.metadata}
        duration = _duration(container, streams)
        if duration is None:
            warnings.append("the file does not say how long it is")
        info: dict[str, Any] = {"tags": dict(container.metadata)}
        if timecode := _timecode(container):
            info["timecode"] = timecode
        if sidecar:
            info["sidecar"] = {k: sidecar[k] for k in _SIDECAR_KEYS if sidecar.get(k) is not None}
        if attached := attachments_of(container):
            info["attachments"] = attached
        sound = Video("", None, streams).first("audio")
        return Video(
            id="",
            duration=duration,
            streams=streams,
            container=container.format.name,
            title=_text(container.metadata.get("title")) or _text(sidecar.get("title")),
            recorded=_recorded(tags, sidecar),
            language=(sound.language if sound is not None else "") or language_tag(_text(sidecar.get("language"))),
            chapters=_chapters(container) or _sidecar_chapters(sidecar),
            info=info,
            warnings=tuple(warnings),
        )
    finally:
        container.close()


def measure_duration(path: FilePath) -> float:
    """Seconds from time 0 to the end of the last picture or sound, by reading every packet; nothing is decoded.

    Raises MediaError when there is not one packet with a time.
    """
    container = open_media(path)
    end: float | None = None
    untimed: dict[int, int] = {}
    try:
        wanted = [s for s in container.streams if s.type in ("video", "audio") and not is_cover(s)]
        if not wanted:
            raise MediaError(f"'{shown_name(path)}' has neither pictures nor sound")
        for packet in packets_of(container, wanted, Damage()):
            if packet is None:
                continue
            if packet.pts is None:
                untimed[packet.stream_index] = untimed.get(packet.stream_index, 0) + 1
                continue
            until = seconds(packet.pts + (packet.duration or 0), packet.time_base)
            end = until if end is None else max(end, until)
        if end is None:  # a raw stream: so many pictures at that rate
            rates = {s.index: s.average_rate or s.guessed_rate for s in wanted if s.type == "video"}
            end = max((float(n / rates[i]) for i, n in untimed.items() if rates.get(i)), default=None)
    finally:
        container.close()
    if end is None:
        raise MediaError(f"'{shown_name(path)}' has no pictures or sound with a time", "copy it again from its source")
    return end


def _duration(container: Any, streams: tuple[Stream, ...]) -> float | None:
    if container.format.name in _GUESSED_LENGTH:
        return None
    told = [s for s in streams if s.kind in ("video", "audio") and not (s.still and s.start is None)]
    if told and all(s.duration is not None for s in told):
        return max((s.start or 0.0) + (s.duration or 0.0) for s in told)
    if container.duration is None or container.duration <= 0:
        return None
    if set(container.format.name.split(",")) & _LENGTH_IS_END:
        return container.duration / av.time_base
    # Elsewhere FFmpeg counts the container's duration from the first stream's start.
    return (max(container.start_time or 0, 0) + container.duration) / av.time_base


def _cut_off(container: Any, path: FilePath) -> list[str]:
    """Whether the index points behind the end of the file, as in a download that broke off."""
    if "mp4" not in container.format.name:
        return []
    size = os.stat(path).st_size
    for stream in container.streams:
        entries = stream.index_entries
        if stream.type not in ("video", "audio") or not len(entries):
            continue
        if entries[-1].pos + entries[-1].size <= size:
            continue
        low, high = 0, len(entries) - 1
        while low < high:
            middle = (low + high) // 2
            if entries[middle].pos + entries[middle].size <= size:
                low = middle + 1
            else:
                high = middle
        time = seconds(entries[low].timestamp, stream.time_base)
        return [f"the file is cut off: of {stream.type} only the first {max(0.0, time):.1f} s are there"]
    return []


def _first_tags(container: Any) -> dict[str, str]:
    """Tags of the streams, the first stream's first; QuickTime and WebM keep dates there."""
    tags: dict[str, str] = {}
    for stream in container.streams:
        if stream.type in ("video", "audio"):
            for key, value in stream.metadata.items():
                tags.setdefault(key, value)
    return tags


def _timecode(container: Any) -> str:
    """`01:00:00:00`, of the first picture: QuickTime keeps it with a stream, others with the file; "" without."""
    places = [*(s.metadata for s in container.streams if s.type in ("video", "data")), container.metadata]
    return next((str(value) for tags in places for key, value in tags.items() if key.lower() == "timecode"), "")


def _recorded(tags: Mapping[str, str], sidecar: Mapping[str, Any]) -> str:
    lower = {k.lower(): v for k, v in tags.items()}
    for value in [*(lower.get(tag) for tag in _DATE_TAGS), sidecar.get("release_date"), sidecar.get("upload_date")]:
        date = iso_date(_text(value))
        if date:
            return date
    return ""


_DATE = re.compile(
    r"^(\d{4})(?:[-:/.]?(\d{2})(?:[-:/.]?(\d{2})"
    r"(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?)?)?$"
)


def iso_date(text: str) -> str:
    """`20150323`, `2014:05:06 10:11:12`, `2010-12-15T20:42:24.000000Z`, `2014` -> ISO 8601; "" for anything else.

    1904-01-01 and 1970-01-01 are the zeros of container clocks, not dates, and give "".
    """
    match = _DATE.match(text.strip())
    if match is None:
        return ""
    year, month, day, hour, minute, second, zone = match.groups()
    if not 1888 <= int(year) <= 2200:  # 1888: Roundhay Garden Scene, the oldest film there is
        return ""
    if (month and not 1 <= int(month) <= 12) or (day and not 1 <= int(day) <= 31):
        return ""
    if hour and not (int(hour) < 24 and int(minute) < 60 and int(second or 0) <= 60):
        return ""
    date = "-".join(part for part in (year, month, day) if part)
    if date in ("1904-01-01", "1970-01-01"):
        return ""
    if not hour:
        return date
    zone = "" if not zone else "Z" if zone in ("Z", "UTC") else f"{zone[:3]}:{zone[-2:]}"
    return f"{date}T{hour}:{minute}:{second or '00'}{zone}"


def _chapters(container: Any) -> tuple[Chapter, ...]:
    found = []
    for chapter in container.chapters()[:_MAX_CHAPTERS]:
        base = chapter["time_base"]
        if not base:
            continue
        start, end = seconds(chapter["start"], base), seconds(chapter["end"], base)
        found.append(Chapter(Span(start, max(start, end)), _text(chapter["metadata"].get("title"))))
    return tuple(sorted(found, key=lambda c: c.span))


def _sidecar_chapters(sidecar: Mapping[str, Any]) -> tuple[Chapter, ...]:
    found = []
    listed = sidecar.get("chapters")
    for chapter in listed[:_MAX_CHAPTERS] if isinstance(listed, list) else []:
        try:
            span = Span(float(chapter["start_time"]), float(chapter["end_time"]))
        except (KeyError, TypeError, ValueError):
            continue
        found.append(Chapter(span, _text(chapter.get("title"))))
    return tuple(sorted(found, key=lambda c: c.span))


def _sidecar(path: FilePath, warnings: list[str]) -> dict[str, Any]:
    """The object in `talk.info.json` (or `talk.mp4.info.json`) beside `talk.mp4`; {} where there is none."""
    whole = os.fspath(path)
    for name in (os.path.splitext(whole)[0] + ".info.json", whole + ".info.json"):
        try:
            if os.path.getsize(name) > _MAX_SIDECAR:
                warnings.append(f"{ascii_safe(os.path.basename(name))} is too large to be read")
                continue
            with open(name, encoding="utf-8") as file:
                loaded = json.load(file)
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError) as error:
            warnings.append(f"{ascii_safe(os.path.basename(name))} cannot be read ({reason(error)})")
            continue
        if isinstance(loaded, dict):
            return loaded
        warnings.append(f"{ascii_safe(os.path.basename(name))} does not hold an object")
    return {}


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""
