"""Subtitles as media/ reads them: cues on the one clock."""

from __future__ import annotations

from dataclasses import dataclass

from cinescope.types.span import Span


@dataclass(frozen=True, slots=True)
class Cue:
    span: Span
    text: str  # plain text, without styling; lines joined by "\n"
    speaker: str = ""  # where the file names one (WebVTT voice tag, ASS actor)


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    cues: tuple[Cue, ...]  # by start
    language: str = ""  # BCP 47 ("en", "zh"); "" where the file does not say
    origin: str = ""  # "embedded:2" (stream index) or "beside:talk.en.srt"
    title: str = ""
