"""A video as probed: what is in the container, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from cinescope.types.span import Span

StreamKind = Literal["video", "audio", "subtitle", "attachment", "data"]


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream of a container. Fields that do not fit its kind are None."""

    index: int
    kind: StreamKind
    codec: str
    language: str = ""  # BCP 47, "" where the container does not say
    title: str = ""
    start: float | None = None  # seconds, first presentation time as the container states it
    duration: float | None = None  # seconds, None where the container does not say
    default: bool = False
    width: int | None = None  # as shown: after rotation and with square pixels
    height: int | None = None
    rotation: int | None = None  # degrees clockwise that a player turns the coded picture: 0, 90, 180, 270
    pixel_aspect: float | None = None  # width / height of one coded pixel
    frame_rate: float | None = None  # average, frames per second
    frame_count: int | None = None  # as stated, may be missing or wrong
    pixel_format: str | None = None
    bit_depth: int | None = None
    colour_range: str | None = None  # "limited" or "full"
    colour_space: str | None = None
    has_alpha: bool | None = None
    interlaced: bool | None = None
    still: bool | None = None  # a picture that stands: cover art, PNG, JPEG
    sample_rate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    span: Span
    title: str


@dataclass(frozen=True, slots=True)
class Video:
    """What a container says of itself. `id` is the content hash once the library knows it, "" before."""

    id: str
    duration: float | None  # seconds from time 0 to the end of the last stream; None where nobody knows yet
    streams: tuple[Stream, ...]
    container: str = ""
    title: str = ""
    recorded: str = ""  # ISO 8601 date or date and time, as the file says
    language: str = ""  # main spoken language where the file says
    chapters: tuple[Chapter, ...] = ()
    info: dict[str, Any] = field(default_factory=dict)  # sidecar .info.json and container tags, as found
    warnings: tuple[str, ...] = ()  # what is odd about the file, one sentence each

    def first(self, kind: StreamKind) -> Stream | None:
        """The stream a player would choose: the default one of that kind, else the first; never cover art."""
        of_kind = [s for s in self.streams if s.kind == kind and not (kind == "video" and s.still and self.has_motion)]
        return next((s for s in of_kind if s.default), of_kind[0] if of_kind else None)

    @property
    def has_motion(self) -> bool:
        return any(s.kind == "video" and not s.still for s in self.streams)

    @property
    def start(self) -> float:
        """Seconds: the earliest time at which anything is seen or heard."""
        starts = [s.start for s in self.streams if s.kind in ("video", "audio") and s.start is not None]
        return min(starts, default=0.0)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a video's bytes were last seen. `path` survives invalid UTF-8 by surrogate escapes (PEP 383)."""

    video_id: str
    path: str
    size: int  # bytes
    modified_ns: int
    inode: int
    state: Literal["here", "offline", "gone"] = (
        "here"  # offline: its drive or folder is away; gone: the folder is here, the file is not
    )
