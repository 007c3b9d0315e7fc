"""Filters on what was seen and heard: `camera:pan`, `faces:2+`, `quality:good`. Knows the rows of senses and stretches
of time, nothing about words or ranks.

A hit counts when its span overlaps a stretch with the property; values of one filter widen it (`sound:music
sound:speech` is either), several filters narrow. A query of such filters alone lists the stretches themselves. The rows
of a kind are read once and kept, as arrays, until the table changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary, ref

import numpy as np

from cinescope.library.scope import Condition, Scope
from cinescope.library.stretches import Column, Stretches, gaps, joined, union
from cinescope.library.track_values import BLURRED, CAMERA, PLAIN, TRACK_FILTERS, Range, TrackFilterName, parsed
from cinescope.types import Evidence, Moment, SearchResult, Span

if TYPE_CHECKING:
    from cinescope.library.known import Known
    from cinescope.library.query import Query
    from cinescope.library.store import Store

# The analysers that a filter rests on.
ANALYSERS: dict[TrackFilterName, str] = {
    "camera": "camera",
    "faces": "faces",
    "loudness": "loudness",
    "sound": "sound_kinds",
    "brightness": "picture_stats",
    "colour": "picture_stats",
    "sharpness": "picture_stats",
    "quality": "quality",
}
_CAMERA_SAYS = {
    "still": "camera stands still", "shake": "camera shakes", "other": "all the view moves",
    "pan left": "camera pans left", "pan right": "camera pans right", "tilt up": "camera tilts up",
    "tilt down": "camera tilts down", "zoom in": "camera zooms in", "zoom out": "camera zooms out",
}  # fmt: skip
# Seconds. Shorter stretches between others (no face between the tracks of two shots) are no finding.
_LEAST = 0.2
_MOST_KEPT = 16  # filters whose stretches are kept: 5 MB each where a kind has 200,000 rows
_NUMBER = r"(?P<v>-?[0-9.eE+-]+)"


@dataclass(frozen=True)
class Conditions:
    """All track filters of a query. `none` says why nothing can match; "" when something may."""

    conditions: tuple[Condition, ...] = ()
    videos: frozenset[str] | None = None  # None: no narrower than it was
    none: str = ""
    not_looked_at: tuple[str, ...] = ()


def conditions_of(store: Store, query: Query, videos: frozenset[str] | None) -> Conditions:
    """The conditions of a query's track filters in these videos (None: all)."""
    made: list[Condition] = []
    unseen: dict[str, str] = {}
    kept = _Kept.of(store)
    among = kept.readable if videos is None else kept.readable & videos
    narrowed = videos
    for name in TRACK_FILTERS:
        for negated in (False, True):
            values = query.values(name, negated)
            if not values:
                continue
            wanted = tuple(dict.fromkeys(parsed(name, value) for value in values))
            analysers = {ANALYSERS[name]} | ({"picture_stats"} if "blur" in wanted else set())
            if wanted == ("blur",):
                analysers = {"picture_stats"}
            seen = frozenset.intersection(*(frozenset(kept.analysed(a)) for a in analysers))
            missing = among - seen
            command = f"cinescope index --only {','.join(sorted(analysers))}"
            if missing == among and among and not negated:
                verb = "were" if name == "faces" else "was"
                return Conditions(none=f"{name} {verb} not looked at in these videos: {command}")
            if missing:
                unseen[name] = f"{name}: {len(missing)} of {len(among)} videos have no such track ({command})"
            made.append(Condition(name, negated, kept.stretches(name, wanted), seen))
            if not negated:
                there = made[-1].stretches.videos & among
                if not there:
                    said = " ".join(str(f) for f in query.filters if f.name == name and not f.negated)
                    return Conditions(none=f"nothing here fits {said}", not_looked_at=tuple(unseen.values()))
                narrowed = there if narrowed is None else narrowed & there
    # A list of all videos keeps no row out, but costs at every row.
    if videos is None and narrowed is not None and narrowed >= kept.readable:
        narrowed = None
    return Conditions(tuple(made), narrowed, not_looked_at=tuple(unseen.values()))


def listing(store: Store, query: Query, scope: Scope, known: Known, limit: int) -> SearchResult:
    """The stretches that all filters share, the newest video first, each with what each filter found there."""
    wanted = [c for c in scope.tracks if not c.negated]
    videos = frozenset.intersection(*(c.stretches.videos for c in wanted))
    if scope.videos is not None:
        videos &= scope.videos
    moments: list[Moment] = []
    order = sorted(videos, key=lambda v: (known.day(v), v), reverse=True)
    at = 0
    while at < len(order) and len(moments) <= limit:
        moments += _of_video(order[at], wanted, scope)
        at += 1
    return SearchResult(
        tuple(moments[:limit]),
        str(query),
        "" if moments else "nothing here fits these filters",
        total=len(moments),
        more=at < len(order),
        looked_at=tuple(dict.fromkeys(c.name for c in scope.tracks)),
    )


def _of_video(video_id: str, wanted: list[Condition], scope: Scope) -> list[Moment]:
    first, *others = wanted
    found: list[tuple[Span, tuple[int, ...]]] = [
        (span, (number,)) for number, span in first.stretches.of_video(video_id)
    ]
    for condition in others:
        shared = []
        for span, numbers in found:
            for number, other in condition.stretches.overlapping(video_id, span):
                both = span.intersection(other)
                if both is not None:
                    shared.append((both, (*numbers, number)))
        found = shared
    moments = []
    for span, numbers in found:
        start = max(span.start, scope.begin) if scope.begin is not None else span.start
        end = min(span.end, scope.end) if scope.end is not None else span.end
        if end < start or (end == start and span.duration > 0) or not scope.allows(video_id, Span(start, end)):
            continue
        evidence = tuple(_evidence(c, n) for c, n in zip(wanted, numbers, strict=True))
        shares = {e.kind: 1.0 / len({e.kind for e in evidence}) for e in evidence}
        moments.append(Moment(video_id, Span(start, end), 1.0, shares, evidence))
    return sorted(moments, key=lambda m: (m.span.start, m.span.end))


def with_evidence(moments: Iterable[Moment], conditions: tuple[Condition, ...]) -> tuple[Moment, ...]:
    """The moments, each with the first stretch of every wanted filter that it overlaps, behind the words."""
    wanted = [c for c in conditions if not c.negated]
    made = []
    for moment in moments:
        near = (next(iter(c.stretches.overlapping(moment.video_id, moment.span)), None) for c in wanted)
        more = tuple(_evidence(c, found[0]) for c, found in zip(wanted, near, strict=True) if found is not None)
        made.append(replace(moment, evidence=(*moment.evidence, *more)))
    return tuple(made)


def _evidence(condition: Condition, number: int) -> Evidence:
    stretches = condition.stretches
    span = stretches.span(number)
    text = f"{stretches.says(number)}, {span.start:.1f}-{span.end:.1f} s"
    return Evidence(stretches.kind_of(number), span, text, stretches.source_of(number))


# --- what is kept of a library


class _Kept:
    """Stretches by filter and values, as the tables are now."""

    _all: ClassVar[WeakKeyDictionary[Store, _Kept]] = WeakKeyDictionary()

    def __init__(self, store: Store, versions: tuple[int, int, int]) -> None:
        self._store = ref(store)  # a store that is kept by what is kept for it would never go
        self._versions = versions
        self._rows: dict[str, Column] = {}
        self._made: dict[tuple[str, tuple[Range | str, ...]], Stretches] = {}
        videos = store.table("videos", ["id", "duration", "problem", "probe"]).to_pydict()
        self.readable = frozenset(i for i, p in zip(videos["id"], videos["problem"], strict=True) if not p)
        self._durations = dict(zip(videos["id"], videos["duration"], strict=True))
        self._pictured = {
            i for i, p in zip(videos["id"], videos["probe"], strict=True) if '"kind": "video"' in (p or "")
        }
        self._done: dict[str, dict[str, float]] = {}  # analyser -> video -> seconds it has looked at
        ledger = store.table("ledger", ["video_id", "analyser", "done_until", "complete"]).to_pylist()
        for row in ledger:
            done = np.inf if row["complete"] else row["done_until"] or 0.0
            of_analyser = self._done.setdefault(row["analyser"], {})
            of_analyser[row["video_id"]] = max(done, of_analyser.get(row["video_id"], 0.0))

    @classmethod
    def of(cls, store: Store) -> _Kept:
        store.refresh("ledger")
        versions = tuple(store.dataset(t).version for t in ("segments", "videos", "ledger"))
        kept = cls._all.get(store)
        if kept is None or kept._versions != versions:
            kept = cls._all[store] = cls(store, versions)  # type: ignore[arg-type]
        return kept

    def analysed(self, analyser: str) -> set[str]:
        """Videos at which it has looked, at least at the beginning."""
        return {video for video, done in self._done.get(analyser, {}).items() if done > 0}

    def stretches(self, name: TrackFilterName, wanted: tuple[Range | str, ...]) -> Stretches:
        found = self._made.pop((name, wanted), None)
        if found is None:
            found = union([_MAKERS[name](self, value) for value in wanted])
        self._made[name, wanted] = found
        if len(self._made) > _MOST_KEPT:
            del self._made[next(iter(self._made))]  # the one that was asked for longest ago
        return found

    def rows(self, kind: str) -> Column:
        if kind not in self._rows:
            columns = ["video_id", "start", "end", "text", "data", "source"]
            store = self._store()
            assert store is not None, "somebody asks, so it is there"
            self._rows[kind] = Column(store.table("segments", columns, f"kind = '{kind}'"), kind)
        return self._rows[kind]

    def whole(self, analyser: str, pictured: bool) -> dict[str, float]:
        """Seconds of each video that the analyser has looked at; `pictured`: only of videos with pictures."""
        result = {}
        for video, done in self._done.get(analyser, {}).items():
            until = min(done, self._durations.get(video) or np.inf)
            if np.isfinite(until) and until > 0 and (not pictured or video in self._pictured):
                result[video] = float(until)
        return result


def _camera(kept: _Kept, value: Range | str) -> Stretches:
    labels = CAMERA[str(value)]
    rows = kept.rows("camera")
    is_main = rows.text_in(labels)
    also = {label: rows.data_has(f'"{label}"') for label in labels}
    mask = np.logical_or.reduce([is_main, *also.values()])

    def says(number: int) -> str:
        text = rows.text(number)
        if text in labels:
            return _CAMERA_SAYS.get(text, text)
        return _CAMERA_SAYS[next(label for label in labels if also[label][number])]

    return rows.where(mask, says)


def _sound(kept: _Kept, value: Range | str) -> Stretches:
    rows = kept.rows("sound")
    mask = rows.text_in((str(value),)) | rows.data_has(f'"{value}"')
    return rows.where(mask, lambda n: rows.text(n) if rows.text(n) == value else f"{value} under {rows.text(n)}")


def _picture(name: str) -> Callable[[_Kept, Range | str], Stretches]:
    def made(kept: _Kept, value: Range | str) -> Stretches:
        assert isinstance(value, Range)
        rows = kept.rows("picture")
        numbers = rows.number(name)
        return rows.where(value.holds(numbers), lambda n: f"{name} {numbers[n]:.2f}")

    return made


def _colour(kept: _Kept, value: Range | str) -> Stretches:
    """Every shade of it: `blue` is also dark blue; "grey" and its shades likewise."""
    rows = kept.rows("picture")
    shares = rows.extracted(rf'"name": "(?:dark |light )?{value}", "share": {_NUMBER}')
    return rows.where(~np.isnan(shares), lambda n: f"{value}, {shares[n]:.0%} of the picture")


def _loudness(kept: _Kept, value: Range | str) -> Stretches:
    """The seconds whose highest momentary loudness fits, those that follow one another as one stretch."""
    assert isinstance(value, Range)
    rows = kept.rows("loudness")
    levels, row = rows.numbers("momentary")
    # Seconds are counted from the window grid, on which whole even seconds lie, also where the sound begins later.
    first = np.flatnonzero(np.diff(row, prepend=-1))
    place = np.arange(len(row)) - np.repeat(first, np.diff([*first, len(row)]))
    start = np.maximum(rows.start[row], np.floor(rows.start[row] / 2) * 2 + place)
    last = np.ones(len(row), bool)
    last[:-1] = row[1:] != row[:-1]
    end = np.minimum(rows.end[row], np.where(last, rows.end[row], np.floor(rows.start[row] / 2) * 2 + place + 1))
    mask = value.holds(levels) & (end > start)

    def says(low: float, high: float) -> str:
        if high < -99.5:
            return "silence"
        lowest = "silence" if low < -99.5 else f"{low:.0f}"
        return f"loudness {high:.0f} LUFS" if round(low) == round(high) else f"loudness {lowest} to {high:.0f} LUFS"

    return joined(rows, row[mask], start[mask], end[mask], levels[mask], says)


def _faces(kept: _Kept, value: Range | str) -> Stretches:
    """Where so many faces are seen at the same time."""
    assert isinstance(value, Range)
    rows = kept.rows("face")
    whole = kept.whole("faces", pictured=True)
    return rows.counted(whole, value.holds, _LEAST, lambda n: f"{n} face{'' if n == 1 else 's'}" if n else "no face")


def _quality(kept: _Kept, value: Range | str) -> Stretches:
    if value == "blur":
        pictures = kept.rows("picture")
        sharp = pictures.number("sharpness")
        mask = BLURRED.holds(sharp) & (pictures.number("contrast") >= PLAIN)
        return pictures.where(mask, lambda n: f"blurred (sharpness {sharp[n]:.3f})")
    rows = kept.rows("quality")
    if value == "good":
        faults = rows.where(rows.data_has('"fault": true'), rows.text)
        return gaps(rows, faults, kept.whole("quality", pictured=False), _LEAST, "no fault")
    return rows.where(rows.text_in((str(value),)), rows.text)


_MAKERS: dict[TrackFilterName, Callable[[_Kept, Range | str], Stretches]] = {
    "camera": _camera,
    "faces": _faces,
    "loudness": _loudness,
    "sound": _sound,
    "brightness": _picture("brightness"),
    "colour": _colour,
    "sharpness": _picture("sharpness"),
    "quality": _quality,
}
