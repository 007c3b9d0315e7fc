"""YouTube chapters of a timeline: the file's own, else cut where speech pauses and shots begin. Knows times and texts.

YouTube's rules (support.google.com/youtube/answer/9884579): the first at 0:00, at least three, each at least
10 seconds. A video in which nothing pauses or changes gets fewer than three.
"""

from __future__ import annotations

from dataclasses import dataclass

from cinescope.types import Segment, Span, Timeline

SHORTEST = 10  # seconds
MOST = 100
_TITLE = 70  # letters
# About eight chapters, none planned shorter than 30 seconds or longer than 5 minutes.
_PLANNED, _PLAN_SHORTEST, _PLAN_LONGEST = 8, 30.0, 300.0
_PAUSE = 1.0  # seconds without speech that count as a pause, and at most so many of them
_PAUSE_COUNTS = 5.0
_NEAR = 1.5  # seconds between a pause's end and a shot's beginning that are the same event
_TITLE_WITHIN = 6.0  # seconds after its beginning in which a chapter's title is looked for on the screen
# How much an event speaks for a new chapter, in seconds of pause.
_WORTH = {"start": 0.0, "cut": 0.5, "dissolve": 1.5, "fade": 3.0}


@dataclass(frozen=True, slots=True)
class _Place:
    time: float
    worth: float


def chapters(timeline: Timeline) -> list[tuple[float, str]]:
    """(start in whole seconds, title), rising, the first at 0; empty for a video of unknown or no duration."""
    duration = timeline.video.duration or max((s.span.end for t in timeline.tracks for s in t.segments), default=0.0)
    if duration <= 0:
        return []
    given = [(c.span.start, c.title) for c in timeline.video.chapters]
    wanted = given or [(p.time, "") for p in _cut(timeline, duration)]
    starts = _spaced(wanted, duration)
    result = []
    for number, (start, title) in enumerate(starts, 1):
        end = starts[number][0] if number < len(starts) else duration
        result.append((start, _clean(title) or _title(timeline, Span(start, max(start, end))) or f"Part {number}"))
    return result


def _spaced(wanted: list[tuple[float, str]], duration: float) -> list[tuple[float, str]]:
    """Whole seconds, the first at 0, at least 10 seconds apart; what comes too soon after another is left out."""
    kept: list[tuple[float, str]] = []
    for start, title in sorted(wanted, key=lambda w: w[0]):
        at = max(0, int(start + 1e-6))
        if not kept and at > 0:
            # What begins a little late begins at 0; before a later one there is something without a title.
            if at < SHORTEST:
                at = 0
            else:
                kept.append((0.0, ""))
        if not kept or (at - kept[-1][0] >= SHORTEST and duration - at >= SHORTEST):
            kept.append((float(at), title))
    return kept[:MOST] or [(0.0, "")]


def _cut(timeline: Timeline, duration: float) -> list[_Place]:
    """The best places for chapters to begin, 0 among them."""
    length = min(_PLAN_LONGEST, max(_PLAN_SHORTEST, duration / _PLANNED))
    count = max(3, int(duration / length))
    apart = max(float(SHORTEST), min(length / 2, duration / 4))
    chosen = [_Place(0.0, 0.0)]
    for place in sorted(_places(timeline), key=lambda p: (-p.worth, p.time)):
        if len(chosen) >= count:
            break
        if duration - place.time >= apart and all(abs(place.time - c.time) >= apart for c in chosen):
            chosen.append(place)
    return sorted(chosen, key=lambda p: p.time)


def _segments(timeline: Timeline, kind: str) -> list[Segment]:
    return sorted(
        (s for t in timeline.tracks if t.kind == kind for s in t.segments), key=lambda s: (s.span.start, s.span.end)
    )


def _places(timeline: Timeline) -> list[_Place]:
    """Beginnings of shots and ends of pauses, each with what speaks for it."""
    shots = [(s.span.start, _WORTH.get(str(s.data.get("cut", "cut")), 0.5)) for s in _segments(timeline, "shot")]
    spoken = _segments(timeline, "speech") or _segments(timeline, "voice")
    titles = [s.span.start for s in _segments(timeline, "screen") if s.text.strip()]
    pauses: list[tuple[float, float]] = []
    until = spoken[0].span.end if spoken else 0.0
    for segment in spoken[1:]:
        if segment.span.start - until >= _PAUSE:
            pauses.append((segment.span.start, min(_PAUSE_COUNTS, segment.span.start - until)))
        until = max(until, segment.span.end)
    places = []
    for start, worth in shots:
        near = [pause for end, pause in pauses if abs(end - start) <= _NEAR]
        shown = 2.0 if any(-0.5 <= t - start <= _NEAR for t in titles) else 0.0
        places.append(_Place(start, worth + shown + max(near, default=0.0)))
    # Without a shot near it a pause counts alone: a lecture is one shot.
    places += [_Place(end, p) for end, p in pauses if not any(abs(end - start) <= _NEAR for start, _ in shots)]
    return places


def _title(timeline: Timeline, span: Span) -> str:
    """The largest text that appears on the screen as the chapter begins, else the first words said in it."""
    shown = [
        s
        for s in _segments(timeline, "screen")
        if _clean(s.text) and span.start - 0.5 <= s.span.start <= min(span.start + _TITLE_WITHIN, span.end)
    ]
    if shown:
        return _clean(max(shown, key=lambda s: s.box[3] - s.box[1] if s.box else 0.0).text)
    said = next((s for s in _segments(timeline, "speech") if span.contains(s.span.start) and _clean(s.text)), None)
    return _clean(said.text) if said is not None else ""


def _clean(text: str) -> str:
    """One line without the characters that YouTube refuses; cut after a word."""
    line = " ".join("".join(" " if c in "<>" else c for c in text).split())
    if len(line) <= _TITLE:
        return line
    cut = line[:_TITLE]
    return (cut.rpartition(" ")[0] if " " in cut[_TITLE // 2 :] else cut).rstrip(" ,;:") + "…"
