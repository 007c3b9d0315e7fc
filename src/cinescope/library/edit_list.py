"""Shots and hits for editing programs: CMX 3600 edit decision lists and OpenTimelineIO. Knows frames, not tables.

Times become frame numbers of each video's own clock: frame 0 is its first picture. Markers carry notes and words.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from urllib.parse import quote

from cinescope.library.timecode import Counting, begin_of, rate_of
from cinescope.types import LibraryError, Segment, Span, Timeline, Video

FORMATS = ("edl", "otio")
MOST_EVENTS = 999  # CMX 3600 numbers events with three digits
_RECORD = "01:00:00:00"  # where edited sequences begin, by custom
_COLOURS = {"note": "YELLOW", "speech": "GREEN"}
_MARK_LETTERS = 80


@dataclass(frozen=True, slots=True)
class Mark:
    time: float  # seconds in its video
    text: str
    kind: str  # "note" or "speech"


@dataclass(frozen=True, slots=True)
class Clip:
    """A stretch of one video."""

    video: Video
    name: str  # of its file
    path: str  # where it is, or was last seen
    span: Span
    label: str  # "shot 3"
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    text: str
    remarks: tuple[str, ...] = ()  # one sentence each: rates that are not the file's own, what was left out


def shots(timeline: Timeline, name: str, path: str) -> list[Clip]:
    """A clip for each shot, or one for all of a video in which none were looked for or nothing is seen."""
    video = timeline.video
    found = _of(timeline, "shot")
    if not found:
        length = video.duration or max((s.span.end for t in timeline.tracks for s in t.segments), default=0.0)
        if length <= 0:
            raise LibraryError(f"{name} has no shots and no known length", "index it again: cinescope index")
        stream = video.first("video")
        start = (stream.start or 0.0) if stream is not None else 0.0
        return [stretch(timeline, name, path, Span(min(start, length), length), "whole")]
    return [stretch(timeline, name, path, s.span, f"shot {n}") for n, s in enumerate(found, 1)]


def stretch(timeline: Timeline, name: str, path: str, span: Span, label: str) -> Clip:
    """One clip, with the notes and the words that begin in it as marks."""
    marks = [Mark(s.span.start, s.text, "speech") for s in _of(timeline, "speech") if s.text.strip()]
    marks += [Mark(n.span.start, n.text, "note") for n in timeline.notes if n.kind == "note" and n.span is not None]
    inside = sorted((m for m in marks if span.contains(m.time)), key=lambda m: (m.time, m.kind))
    return Clip(timeline.video, name, path, span, label, tuple(inside))


def _of(timeline: Timeline, kind: str) -> list[Segment]:
    found = [s for t in timeline.tracks if t.kind == kind for s in t.segments]
    return sorted(found, key=lambda s: (s.span.start, s.span.end))


def write(format: str, title: str, clips: Sequence[Clip]) -> Written:
    """The text of a file in one of FORMATS. LibraryError where a list cannot hold so many clips."""
    return write_edl(title, clips) if format == "edl" else write_otio(title, clips)


@dataclass(frozen=True, slots=True)
class _Frames:
    """A clip in frames: numbers of the video's own timecode, the end not included."""

    counting: Counting
    first: int  # of the video
    start: int
    end: int


def _frames(clip: Clip, counting: Counting, first: int) -> _Frames:
    zero = _zero(clip)
    start = max(0, counting.frame(clip.span.start - zero))
    return _Frames(counting, first, first + start, first + max(start + 1, counting.frame(clip.span.end - zero)))


def _within(clip: Clip, mark: Mark, counting: Counting, length: int) -> int:
    """Frames from the clip's beginning to a mark, inside its `length` frames."""
    zero = _zero(clip)
    return min(length - 1, max(0, counting.frame(mark.time - zero) - counting.frame(clip.span.start - zero)))


def _zero(clip: Clip) -> float:
    """Seconds at which frame 0 of its video is shown."""
    stream = clip.video.first("video")
    return (stream.start or 0.0) if stream is not None else 0.0


def _own(clip: Clip) -> _Frames:
    rate, _ = rate_of(clip.video)
    counting, first = begin_of(clip.video, rate)
    return _frames(clip, counting, first)


def _remarks(clips: Sequence[Clip]) -> list[str]:
    found = {clip.name: rate_of(clip.video)[1] for clip in clips}
    return [f"{name}: {remark}" for name, remark in found.items() if remark]


# --- CMX 3600


def write_edl(title: str, clips: Sequence[Clip]) -> Written:
    """An edit decision list at the rate of the first clip; one after the other, cuts only.

    Reels are eight letters and digits made of the file names; the names themselves stand in comments.
    """
    if len(clips) > MOST_EVENTS:
        raise LibraryError(f"an EDL holds {MOST_EVENTS} events, and these are {len(clips)}", "take --format otio")
    lead = _own(clips[0]).counting
    remarks = _remarks(clips)
    others = {c.name for c in clips if rate_of(c.video)[0] != lead.rate}
    if others:
        remarks.append(
            f"an EDL has one rate, here {float(lead.rate):.3f}; these have others and are counted at it: "
            f"{', '.join(sorted(others))}"
        )
    reels = _reels(clips)
    lines = [f"TITLE: {_plain(title)[:70]}", f"FCM: {'DROP FRAME' if lead.drop else 'NON-DROP FRAME'}", ""]
    record = lead.read(_RECORD)
    for number, clip in enumerate(clips, 1):
        own = begin_of(clip.video, rate_of(clip.video)[0])
        first = own[1] if own[0].rate == lead.rate else lead.frame(float(own[1] / own[0].rate))
        at = _frames(clip, lead, first)
        length = at.end - at.start
        times = " ".join(lead.write(f) for f in (at.start, at.end, record, record + length))
        lines.append(f"{number:03d}  {reels[clip.path or clip.name]:<8} {_channels(clip):<5} C        {times}")
        lines.append(f"* FROM CLIP NAME: {_plain(clip.name)}")
        lines.append(f"* COMMENT: {clip.label}")
        for mark in clip.marks:
            there = record + _within(clip, mark, lead, length)
            text = _plain(mark.text)[:_MARK_LETTERS]
            # Readers of locators know colons only; the FCM line says how they count.
            time = lead.write(there).replace(";", ":")
            lines.append(f"* LOC: {time} {_COLOURS[mark.kind]:<7} {text}")
        record += length
    return Written("\r\n".join(lines) + "\r\n", tuple(remarks))


def _channels(clip: Clip) -> str:
    """CMX 3600: V pictures, A and AA one and two channels of sound, B and AA/V both."""
    sound, seen = clip.video.first("audio"), clip.video.first("video") is not None
    if sound is None:
        return "V"
    if (sound.channels or 1) > 1:
        return "AA/V" if seen else "AA"
    return "B" if seen else "A"


def _reels(clips: Sequence[Clip]) -> dict[str, str]:
    """Path -> a name of at most eight capital letters and digits, another for each file (CMX 3600, reel field)."""
    given: dict[str, str] = {}
    for clip in clips:
        key = clip.path or clip.name
        if key in given:
            continue
        stem = clip.name.rpartition(".")[0] or clip.name
        name = re.sub(r"[^A-Z0-9]", "", stem.upper())[:8] or clip.video.id[:8].upper() or "REEL"
        number, taken = 1, set(given.values())
        while name in taken:
            number += 1
            name = f"{name[: 8 - len(str(number))]}{number}"
        given[key] = name
    return given


def _plain(text: str) -> str:
    """One line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# --- OpenTimelineIO


def write_otio(title: str, clips: Sequence[Clip]) -> Written:
    """A timeline with a track of pictures and, where anything is heard, one of sound; each clip at its video's rate."""
    import opentimelineio as otio

    line = otio.schema.Timeline(name=title, metadata={"cinescope": {"made": "from shots and hits"}})
    lead = _own(clips[0]).counting
    line.global_start_time = _time(otio, lead.read(_RECORD), lead.rate)
    for kind, wanted in (("Video", "video"), ("Audio", "audio")):
        if not any(c.video.first(wanted) is not None for c in clips):  # type: ignore[arg-type]
            continue
        track = otio.schema.Track(name=f"{kind} 1", kind=kind)
        for clip in clips:
            has = clip.video.first(wanted) is not None  # type: ignore[arg-type]
            track.append(_item(otio, clip, has, wanted == "video" or clip.video.first("video") is None))
        line.tracks.append(track)
    return Written(str(otio.adapters.write_to_string(line, "otio_json")) + "\n", tuple(_remarks(clips)))


def _time(otio: Any, frame: int, rate: Fraction) -> Any:
    return otio.opentime.RationalTime(frame, float(rate))


def _item(otio: Any, clip: Clip, has: bool, marked: bool) -> Any:
    """A clip, or a gap as long where this video has no such stream. Marks stand on one of its two tracks."""
    at = _own(clip)
    rate = at.counting.rate
    span = otio.opentime.TimeRange(_time(otio, at.start, rate), _time(otio, at.end - at.start, rate))
    if not has:
        length = otio.opentime.TimeRange(_time(otio, 0, rate), _time(otio, at.end - at.start, rate))
        return otio.schema.Gap(source_range=length)
    length = max(at.end - at.first, at.counting.frame(_length(clip)))
    media = otio.schema.ExternalReference(
        target_url=_url(clip.path),
        available_range=otio.opentime.TimeRange(_time(otio, at.first, rate), _time(otio, length, rate)),
    )
    media.name = clip.name
    about = {"video": clip.video.id, "start": clip.span.start, "end": clip.span.end, "label": clip.label}
    item = otio.schema.Clip(
        name=clip.name, media_reference=media, source_range=span, metadata={"cinescope": about}
    )  # fmt: skip
    for mark in clip.marks if marked else ():
        frame = at.start + _within(clip, mark, at.counting, at.end - at.start)
        item.markers.append(
            otio.schema.Marker(
                name=_plain(mark.text)[:_MARK_LETTERS],
                marked_range=otio.opentime.TimeRange(_time(otio, frame, rate), _time(otio, 0, rate)),
                color=_COLOURS[mark.kind],
                metadata={"cinescope": {"kind": mark.kind, "text": mark.text, "time": mark.time}},
            )
        )
    return item


def _length(clip: Clip) -> float:
    """Seconds of the video from its first picture on."""
    stream = clip.video.first("video")
    if stream is not None and stream.duration:
        return stream.duration
    return max(0.0, (clip.video.duration or clip.span.end) - _zero(clip))


def _url(path: str) -> str:
    return f"file://{quote(os.fsencode(os.path.abspath(path)))}" if path else ""
