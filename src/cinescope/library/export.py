"""A timeline in the formats of others: SRT, WebVTT, JSON, CSV, YouTube chapters. Knows formats, not tables or files."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import defaultdict
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any, Literal

from cinescope.library.chapters import chapters
from cinescope.library.moments import word_clock
from cinescope.library.normal import tokens
from cinescope.types import BadQueryError, Cue, LibraryError, Segment, Span, Timeline, format_time

Format = Literal["srt", "vtt", "json", "csv", "chapters"]
FORMATS: tuple[Format, ...] = ("srt", "vtt", "json", "csv", "chapters")

# Recognised speech comes in long segments; a cue holds two lines of 42 letters and stands 7 seconds at most
# (Netflix English Timed Text Style Guide, "Character Limitation" and "Duration"); Chinese letters are twice as wide.
_CUE_WIDTH = 84
_CUE_SECONDS = 7.0
_AS_GIVEN = ("embedded:", "beside:")  # subtitles somebody made: taken as they are
_COLUMNS = ["start", "end", "kind", "text", "language", "who", "score", "source"]


def export(timeline: Timeline, format: str) -> str:
    """The whole text of a file. BadQueryError for an unknown format, LibraryError where there is nothing to write."""
    wanted = format.lower().removeprefix(".")
    if wanted in ("srt", "vtt"):
        from cinescope.media.cues import write_cues

        cues = speech_cues(timeline)
        if not cues:
            raise LibraryError(
                f"{_name(timeline)} has no speech to write as subtitles", "its other tracks: --format json or csv"
            )
        text = write_cues(cues, wanted)  # type: ignore[arg-type]
    elif wanted == "json":
        text = json.dumps(as_json(timeline), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    elif wanted == "csv":
        text = as_csv(timeline)
    elif wanted == "chapters":
        text = "".join(f"{format_time(start)} {title}\n" for start, title in chapters(timeline))
        if not text:
            raise LibraryError(f"{_name(timeline)} has no duration, so it has no chapters")
    else:
        raise BadQueryError(f"'{format}' is not a format that can be written", f"choose one of {', '.join(FORMATS)}")
    # A name that is not UTF-8 is held with lone surrogates, which no file can hold.
    return text.encode("utf-8", "replace").decode("utf-8")


def _name(timeline: Timeline) -> str:
    return f"'{timeline.video.title}'" if timeline.video.title else f"video {timeline.video.id[:8]}"


# --- subtitles


def speech_cues(timeline: Timeline) -> list[Cue]:
    """What is said, in one language where several run side by side; long recognised segments cut between words."""
    segments = [s for t in timeline.tracks if t.kind == "speech" for s in t.segments if s.text.strip()]
    segments = _one_language(segments, timeline.video.language)
    names = {n.about: n.text for n in timeline.notes if n.kind == "name"}
    cues = []
    for segment in sorted(segments, key=lambda s: (s.span.start, s.span.end)):
        speaker = names.get(segment.who, segment.who)
        cues += [Cue(span, text, speaker) for span, text in _pieces(segment)]
    return cues


def _one_language(segments: list[Segment], main: str) -> list[Segment]:
    """The segments of the main language, where others say the same at the same time; all of them otherwise."""
    by_language: dict[str, list[Segment]] = defaultdict(list)
    for segment in segments:
        by_language[segment.language.split("-")[0]].append(segment)
    if len(by_language) < 2:
        return segments
    first = main.split("-")[0]
    if first not in by_language:
        first = max(by_language, key=lambda code: sum(s.span.duration for s in by_language[code]))
    kept = list(by_language.pop(first))
    spans = [s.span for s in kept]
    for others in by_language.values():
        shared = sum(1 for s in others if any(s.span.overlaps(k) for k in spans))
        if 2 * shared <= len(others):
            kept += others
    return kept


def _pieces(segment: Segment) -> list[tuple[Span, str]]:
    """(span, text) of each cue of a segment."""
    text = segment.text.strip()
    span = segment.span if segment.span.duration > 0 else Span(segment.span.start, segment.span.start + 0.5)
    given = str(segment.data.get("origin", "")).startswith(_AS_GIVEN)
    if given or (span.duration <= _CUE_SECONDS and _width(text) <= _CUE_WIDTH):
        return [(span, text)]
    words = [{"text": w.text, "start": w.span.start, "end": w.span.end} for w in segment.words]
    clock = word_clock({"text": text, "words": words, "start": span.start})
    if clock is None:
        return [(span, text)]
    # Places where a cue may end, and how good a place each is: a sentence's end, a clause's, a word's.
    cut = list(tokens(text))
    places = [_place(text, a.end, b.start, a.cjk and b.cjk) for a, b in pairwise(cut)]
    pieces: list[tuple[Span, str]] = []
    begin = 0
    while begin < len(text):
        start = span.start if begin == 0 else clock.time(begin)
        fits = [
            (place, good)
            for place, good in places
            if place > begin
            and good > 0
            and _width(text[begin:place]) <= _CUE_WIDTH
            and clock.time(place) - start <= _CUE_SECONDS
        ]
        rest_fits = _width(text[begin:]) <= _CUE_WIDTH and span.end - start <= _CUE_SECONDS
        later = [p for p, good in places if p > begin and good > 0]
        if rest_fits or not later:
            pieces.append((Span(min(start, span.end), span.end), text[begin:].strip()))
            break
        # The best kind of place in the second half of what fits, and there the last one.
        half = [(good, place) for place, good in fits if 2 * _width(text[begin:place]) >= _CUE_WIDTH]
        at = max(half)[1] if half else (max(p for p, _ in fits) if fits else later[0])
        end = min(max(start, clock.time_end(len(text[:at].rstrip()))), clock.time(at), span.end)
        pieces.append((Span(start, max(start, end)), text[begin:at].strip()))
        begin = at
    return pieces


def _place(text: str, end: int, start: int, cjk: bool) -> tuple[int, int]:
    """Where a cue may end between two words (what opens a quotation goes with the next), and how good a place it is."""
    blank = max((i for i in range(end, start) if text[i].isspace()), default=-1)
    return blank + 1 if blank >= 0 else start, _break(text[end:start], cjk)


def _break(between: str, cjk: bool) -> int:
    if any(c in ".!?…。！？" for c in between):
        return 3
    if any(c in ",;:、，；：—\n" for c in between):
        return 2
    return 1 if cjk or any(c.isspace() for c in between) else 0


def _width(text: str) -> int:
    return len(text) + sum(1 for t in tokens(text) if t.cjk) if not text.isascii() else len(text)


# --- everything


def as_json(timeline: Timeline) -> dict[str, Any]:
    """Everything, in JSON values. Fields that hold nothing are left out of segments."""
    video = _plain(timeline.video)
    return {
        "video": video,
        "tracks": [
            {
                "kind": track.kind,
                "source": {**_plain(track.source), "key": track.source.key},
                "segments": [_segment(s) for s in track.segments],
            }
            for track in timeline.tracks
        ],
        "notes": [_plain(n) for n in timeline.notes],
    }


def _segment(segment: Segment) -> dict[str, Any]:
    found: dict[str, Any] = {"start": segment.span.start, "end": segment.span.end}
    for name in ("text", "language", "who", "score", "box", "data"):
        value = getattr(segment, name)
        if value not in ("", None, {}):
            found[name] = _plain(value)
    if segment.words:
        found["words"] = [
            {"text": w.text, "start": w.span.start, "end": w.span.end, "score": w.score} for w in segment.words
        ]
    return found


def _plain(value: Any) -> Any:
    """Dataclasses, tuples and odd numbers as JSON values; bytes are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items() if not isinstance(v, bytes)}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value if not isinstance(v, bytes)]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)


def as_csv(timeline: Timeline) -> str:
    """One row for each segment and each note, by start (RFC 4180). A note on the whole video has no times."""
    rows: list[tuple[float, list[Any]]] = []
    for track in timeline.tracks:
        for s in track.segments:
            score = "" if s.score is None else f"{s.score:.4g}"
            cells = [_stamp(s.span.start), _stamp(s.span.end), s.kind, s.text, s.language, s.who, score]
            rows.append((s.span.start, [*cells, track.source.key]))
    for n in timeline.notes:
        times = [_stamp(n.span.start), _stamp(n.span.end)] if n.span else ["", ""]
        rows.append((n.span.start if n.span else -math.inf, [*times, n.kind, n.text, "", n.about, "", "person"]))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    writer.writerows(cells for _, cells in sorted(rows, key=lambda r: r[0]))
    return out.getvalue()


def _stamp(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")
