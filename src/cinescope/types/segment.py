"""Observations: what machines found (Segment) and what people wrote (Note)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cinescope.types.span import Span
from cinescope.types.video import Video


@dataclass(frozen=True, slots=True)
class Source:
    """Who says so: analyser, its version, its settings, and the model it ran where it has one."""

    analyser: str
    version: str
    settings: dict[str, Any] = field(default_factory=dict)  # JSON values; includes the model's name and version

    @property
    def key(self) -> str:
        """A short text that changes when the version or any setting does."""
        text = json.dumps([self.analyser, self.version, self.settings], sort_keys=True, ensure_ascii=False)
        return f"{self.analyser}@{self.version}:{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    span: Span
    score: float | None = None  # 0 to 1


@dataclass(frozen=True, slots=True)
class Segment:
    """One observation. Only `span`, `kind` and `source` are always there."""

    span: Span
    kind: str  # "shot", "voice", "speech", "screen", "thumbnail" ...
    source: Source
    text: str = ""
    words: tuple[Word, ...] = ()
    language: str = ""  # BCP 47, "" where unknown
    who: str = ""  # speaker or person id, not a name
    score: float | None = None  # 0 to 1, how sure the analyser is
    box: tuple[float, float, float, float] | None = None  # x0, y0, x1, y1 as shares of the picture, 0 to 1
    data: dict[str, Any] = field(default_factory=dict)  # JSON values, and bytes under "jpeg" for thumbnails

    def __post_init__(self) -> None:
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            if not (0 <= x0 <= x1 <= 1 and 0 <= y0 <= y1 <= 1):
                raise ValueError(f"a box is x0, y0, x1, y1 in shares of the picture, got {self.box}")


@dataclass(frozen=True, slots=True)
class Note:
    """What a person wrote. It precedes Segments and survives re-indexing."""

    id: str
    video_id: str
    kind: str  # "tag", "note", "correction", "name", "collection"
    text: str
    span: Span | None = None  # None: the whole video
    author: str = ""
    created: str = ""  # ISO 8601, UTC
    about: str = ""  # correction: the words as the machine had them; name: the speaker or person id


@dataclass(frozen=True, slots=True)
class Track:
    kind: str
    segments: tuple[Segment, ...]  # by start
    source: Source


@dataclass(frozen=True, slots=True)
class Timeline:
    video: Video
    tracks: tuple[Track, ...]
    notes: tuple[Note, ...] = ()

    def track(self, kind: str) -> Track | None:
        return next((t for t in self.tracks if t.kind == kind), None)
