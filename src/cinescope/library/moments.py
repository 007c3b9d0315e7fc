"""From matching rows to moments. Knows times and merging; nothing about tables or how rows were found.

A hit is a row, or the part of a long row, where the words stand. Neighbouring hits of one video become one moment,
whatever modality they come from. What stands for long (a title, a tag on the whole video, a line on the screen for
minutes) supports the moments inside it, and is a moment of its own only where there is none.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cinescope.library.matching import Match, Occurrence
from cinescope.types import Evidence, Moment, Span

GAP = 8.0  # seconds between hits that are still one moment
LONGEST = 60.0  # seconds: a word that is said all the time must not make one moment of a whole hour
LONG_ROW = 12.0  # seconds: of longer rows only the stretch around the words is the hit
TAIL = 2.0  # seconds that a hit goes on after its last word in a long row
STANDS = 20.0  # seconds: longer rows without word times stand for long (see above)
OWN = 8.0  # seconds that the moment of a title lasts
# What a person sees of a file before playing it tells less about a second of it than what is said there.
_WHOLE = ("title", "tag", "note", "chapter")
WEIGHTS: dict[str, float] = {"title": 0.4, "chapter": 0.7, "tag": 0.7}
# Each further hit of a modality adds a fifth of its score; all of them together no more than the best one.
FURTHER = 0.2


@dataclass(frozen=True, slots=True)
class Hit:
    video_id: str
    kind: str
    span: Span  # from the first matching word on, where words have times
    text: str
    source: str
    language: str
    matched: tuple[tuple[int, int], ...]
    covered: dict[int, float]  # number of a query's unit -> how much of it is there
    score: float
    standing: bool = False  # it stands for long: see above

    def has_all(self, needed: Iterable[int]) -> bool:
        return all(self.covered.get(i, 0.0) >= 1.0 for i in needed)

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.kind, self.span, self.text, self.source, self.matched, self.score, self.language)


@dataclass(slots=True)
class Group:
    """Hits that are one moment."""

    video_id: str
    span: Span
    hits: list[Hit] = field(default_factory=list)

    def covered(self, units: Iterable[int]) -> float:
        """The share of the units that any hit has, 0 to 1."""
        wanted = list(units)
        found = sum(max((h.covered.get(i, 0.0) for h in self.hits), default=0.0) for i in wanted)
        return found / len(wanted) if wanted else 1.0

    def strength(self) -> dict[str, float]:
        """Evidence by modality, in units of the index's scores."""
        by_kind: dict[str, list[float]] = defaultdict(list)
        for hit in self.hits:
            by_kind[hit.kind].append(hit.score)
        result = {}
        for kind, scores in by_kind.items():
            best = max(scores)
            result[kind] = WEIGHTS.get(kind, 1.0) * (best + min(best, FURTHER * (sum(scores) - best)))
        return result


# --- rows to hits


def hits_of_row(row: dict[str, Any], match: Match) -> list[Hit]:
    """The hits of one row: one, or several where a long row has the words in places far apart."""
    span = Span(row["start"], max(row["start"], row["end"]))
    score = float(row.get("_score") or 0.0)

    def hit(at: Span, covered: dict[int, float], matched: tuple[tuple[int, int], ...], standing: bool) -> Hit:
        return Hit(
            row["video_id"], row["kind"], at, row["text"], row["source"], row["language"], matched, covered, score,
            standing,
        )  # fmt: skip

    clock = word_clock(row)
    if clock is None or not match.places:
        return [hit(span, match.covered, match.offsets, _stands(row["kind"], span))]
    timed = sorted((clock.time(o.start), clock.time_end(o.end), unit, o) for unit, p in match.places.items() for o in p)
    runs: list[list[tuple[float, float, int, Occurrence]]] = []
    for item in timed:
        if runs and (span.duration <= LONG_ROW or item[0] - runs[-1][-1][1] <= GAP):
            runs[-1].append(item)
        else:
            runs.append([item])
    whole = len(match.places)
    if len(runs) > 1 and not any(len({unit for _, _, unit, _ in run}) == whole for run in runs):
        runs = [timed]
    result = []
    for run in runs:
        first, last = _densest(run)
        start = min(max(run[first][0], span.start), span.end)
        until = max(end for _, end, _, _ in run[first : last + 1])
        if span.duration > LONG_ROW:
            until = max(end for _, end, _, _ in run) if len(runs) > 1 or last == len(run) - 1 else until
            end = min(span.end, until + TAIL)
        else:
            end = span.end
        units = {unit for _, _, unit, _ in run}
        covered = {unit: share for unit, share in match.covered.items() if unit in units}
        places = {u: [o for _, _, unit, o in run if unit == u] for u in units}
        result.append(hit(Span(start, max(start, end)), covered, Match(covered, places).offsets, False))
    return result


def _stands(kind: str, span: Span) -> bool:
    """Titles, and tags and notes from 0 on (they are on the whole video), stand however short the video is."""
    if kind in ("title", "tag", "note") and span.start <= 0.0:
        return kind == "title" or span.duration > OWN
    return span.duration > STANDS


def _densest(run: Sequence[tuple[float, float, int, Occurrence]]) -> tuple[int, int]:
    """First and last item of the shortest stretch that holds every unit of the run: there it is said."""
    wanted = len({unit for _, _, unit, _ in run})
    best, chosen = float("inf"), (0, len(run) - 1)
    inside: dict[int, int] = defaultdict(int)
    first = 0
    for last, (_, end, unit, _) in enumerate(run):
        inside[unit] += 1
        while len(inside) == wanted:
            if end - run[first][0] < best:
                best, chosen = end - run[first][0], (first, last)
            leaving = run[first][2]
            inside[leaving] -= 1
            if not inside[leaving]:
                del inside[leaving]
            first += 1
    return chosen


class WordClock:
    """When a character of a text is said: by its word's time, between known words by the share of characters."""

    def __init__(self, known: list[tuple[int, int, float, float]]) -> None:
        self._known = known  # first character, character after the last, start, end; by place
        self._starts = [k[0] for k in known]

    def time(self, at: int) -> float:
        i = bisect.bisect_right(self._starts, at) - 1
        if i < 0:
            return self._known[0][2]
        _, until, start, end = self._known[i]
        if at < until:
            return start
        if i + 1 == len(self._known):
            return end
        next_at, _, next_start, _ = self._known[i + 1]
        return end + (next_start - end) * (at - until) / max(1, next_at - until)

    def time_end(self, at: int) -> float:
        """When the text before character `at` has been said."""
        i = bisect.bisect_left(self._starts, at) - 1
        if i >= 0 and at <= self._known[i][1]:
            return self._known[i][3]
        return self.time(at)


def word_clock(row: dict[str, Any]) -> WordClock | None:
    """None where the row's words have no times."""
    known: list[tuple[int, int, float, float]] = []
    at, last = 0, row["start"]
    for word in row["words"] or ():
        text = (word["text"] or "").strip()
        # A word that is not near where it should be was replaced in the text; its neighbours tell the time.
        place = row["text"].find(text, at, at + len(text) + 60) if text else -1
        if place >= 0 and word["start"] is not None and word["start"] >= last:
            last = word["start"]
            known.append((place, place + len(text), last, max(last, word["end"] or last)))
            at = place + len(text)
    return WordClock(known) if known else None


# --- hits to moments


def without_repeats(hits: Iterable[Hit]) -> list[Hit]:
    """Equal texts of one kind at the same time are one: two versions of an analyser stand side by side for a while."""
    kept: dict[tuple[str, str, str], list[Hit]] = defaultdict(list)
    for hit in hits:
        same = kept[hit.video_id, hit.kind, " ".join(hit.text.split()).casefold()]
        if not any(h.span.overlaps(hit.span) or h.span == hit.span for h in same):
            same.append(hit)
    return [hit for same in kept.values() for hit in same]


def merged(hits: Iterable[Hit], needed: frozenset[int], gap: float = GAP) -> list[Group]:
    """One group for each moment. Hits with all that is needed make the moments; others join them or make their own."""
    by_video: dict[str, list[Hit]] = defaultdict(list)
    for hit in hits:
        by_video[hit.video_id].append(hit)
    result: list[Group] = []
    for video_id, of_video in by_video.items():
        passing = [h for h in of_video if not h.standing]
        full = [h for h in passing if h.has_all(needed)]
        groups = _chained(video_id, full, gap)
        groups += _chained(video_id, _joining(groups, [h for h in passing if h not in full], gap), gap)
        result += groups + _standing(groups, [h for h in of_video if h.standing], video_id, needed)
    return result


def _chained(video_id: str, hits: list[Hit], gap: float) -> list[Group]:
    groups: list[Group] = []
    for hit in sorted(hits, key=lambda h: (h.span.start, h.span.end)):
        last = groups[-1] if groups else None
        if last is not None and last.span.gap(hit.span) <= gap:
            both = last.span.union(hit.span)
            if both.duration <= max(LONGEST, last.span.duration):
                last.span = both
                last.hits.append(hit)
                continue
        groups.append(Group(video_id, hit.span, [hit]))
    return groups


def _joining(groups: list[Group], hits: list[Hit], gap: float) -> list[Hit]:
    """Add weaker hits to the moments near them, which stay as long as they are; returns the hits near none."""
    left = []
    for hit in hits:
        near = min(groups, key=lambda g: g.span.gap(hit.span), default=None)
        if near is not None and near.span.gap(hit.span) <= gap:
            near.hits.append(hit)
        else:
            left.append(hit)
    return left


def _standing(groups: list[Group], hits: list[Hit], video_id: str, needed: frozenset[int]) -> list[Group]:
    """Add what stands for long to the moments inside it; the groups of their own."""
    own: list[Group] = []
    for hit in hits:
        inside = [g for g in groups if g.span.overlaps(hit.span)]
        for group in inside:
            group.hits.append(hit)
        beginning = Span(hit.span.start, min(hit.span.end, hit.span.start + OWN))
        if inside and (not hit.has_all(needed) or _near(inside, beginning)):
            continue
        same = _near(own, beginning)
        if same is not None:
            same.hits.append(hit)
        else:
            own.append(Group(video_id, beginning if inside or hit.kind in _WHOLE else hit.span, [hit]))
    return own


def _near(groups: Iterable[Group], span: Span) -> Group | None:
    return next((g for g in groups if g.span.overlaps(span) or g.span == span), None)


def scored(groups: Sequence[Group], needed: frozenset[int]) -> list[tuple[Moment, bool]]:
    """Moments, best first, each with whether it has all that is needed.

    Scores are relative to the best moment of the query: 0.5 to 1 for moments with all the words, below 0.5 for those
    with some of them. A moment's strength is the sum of its modalities' (`Group.strength`).
    """
    rated = [(g, g.strength(), g.covered(needed) >= 1.0) for g in groups]
    top = max((sum(strength.values()) for _, strength, _ in rated), default=0.0)
    top_full = max((sum(strength.values()) for _, strength, full in rated if full), default=0.0)
    moments = []
    for group, strength, full in rated:
        whole = sum(strength.values())
        if full:
            score = 0.5 + 0.5 * (whole / top_full if top_full > 0 else 1.0)
        else:
            score = min(0.499, 0.5 * (whole / top if top > 0 else group.covered(needed)))
        shares = {kind: score * (value / whole if whole > 0 else 1 / len(strength)) for kind, value in strength.items()}
        best_first = sorted(
            group.hits, key=lambda h: (-h.score * WEIGHTS.get(h.kind, 1.0), h.standing, h.span.start, h.text)
        )
        evidence = tuple(h.evidence for h in best_first)
        moments.append((Moment(group.video_id, group.span, score, shares, evidence), full))
    return sorted(moments, key=lambda m: (-m[0].score, m[0].video_id, m[0].span.start))
