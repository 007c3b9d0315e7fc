"""The words of a world: in each beat one of a topic, and words that say nothing. Knows what is said, not why."""

from __future__ import annotations

import numpy as np

from cinescope.datasets.worlds.spec import WorldSpec
from cinescope.datasets.worlds.truth import TEXT, Truth, random
from cinescope.types import Span, Word

TOPICS = (
    ("cat", "dog", "horse", "sheep", "bird", "goat"),
    ("bread", "soup", "apple", "cheese", "rice", "cake"),
    ("car", "train", "boat", "bus", "plane", "bike"),
    ("hammer", "saw", "rope", "nail", "brush", "spade"),
)
FILLERS = ("the", "a", "here", "then", "and", "some", "this", "more", "one", "that")
EVENT = "bell"


def words(spec: WorldSpec, truth: Truth) -> tuple[Word, ...]:
    """In the order of their times, which are whole milliseconds and do not overlap."""
    chance = random(truth.seed, truth.index, TEXT)
    events = truth.events if "text" in spec.event_modalities else ()
    said = [Word(EVENT, Span(_whole(event.start), _whole(event.end))) for event in events]
    before: list[str] = []
    for beat, sign in enumerate(truth.signs["text"]):
        start, end = (b * spec.seconds / spec.beats for b in (beat, beat + 1))
        place = int(chance.integers(0, spec.fillers + 1))
        texts: list[str] = []
        for i in range(spec.fillers + 1):
            # Never twice the same in a row: readers of subtitles join what follows on itself.
            texts.append(_other(chance, TOPICS[sign] if i == place else FILLERS, (texts or before)[-1:]))
        before = texts
        free = _largest_gap(start, end, events)
        step = free.duration / len(texts)
        for i, text in enumerate(texts):
            said.append(Word(text, Span(_whole(free.start + i * step), _whole(free.start + (i + 1) * step))))
    return tuple(sorted(said, key=lambda word: word.span.start))


def _whole(seconds: float) -> float:
    """To the millisecond: subtitles know no more."""
    return round(1000 * seconds) / 1000


def _other(chance: np.random.Generator, known: tuple[str, ...], than: list[str]) -> str:
    allowed = [word for word in known if word not in than]
    return allowed[int(chance.integers(len(allowed)))]


def _largest_gap(start: float, end: float, events: tuple[Span, ...]) -> Span:
    """The longest stretch of [start, end) without an event; events are short, so there is one."""
    edges = [start, *(t for e in events if e.end > start and e.start < end for t in (e.start, e.end)), end]
    gaps = [(min(max(a, start), end), min(max(b, start), end)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    low, high = max(gaps, key=lambda gap: gap[1] - gap[0])
    return Span(low, high) if high > low else Span(start, end)
