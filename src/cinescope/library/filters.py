"""Filters of a query -> which rows may match. Knows `videos`, `locations` and `notes`; nothing about words or ranks.

Values of one filter widen it (`video:a video:b` is either), except tags and collections, which narrow (`tag:sea
tag:night` has both). A tag on a stretch of a video keeps what overlaps that stretch. What was seen and heard is
for track_filters.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cinescope.library.known import Known, near_names
from cinescope.library.normal import normalised
from cinescope.library.query import Filter, FilterName, Query, days, when
from cinescope.library.store import Store, one_of, quoted
from cinescope.library.track_values import TRACK_FILTERS, Range, parsed
from cinescope.types import Span

if TYPE_CHECKING:
    from cinescope.library.track_filters import Condition

_PLAIN_NAME = re.compile(r"[a-z0-9_.-]{1,40}")
# Spans of tags that are written into the predicate; more of them are looked at afterwards, row by row.
_MOST_SPANS = 100


@dataclass(frozen=True)
class Scope:
    """What a query looks at. `none` says why nothing can match; "" when something may."""

    videos: frozenset[str] | None = None  # None: all
    within: tuple[dict[str, list[Span] | None], ...] = ()  # of each tag: where; None: the whole video
    outside: dict[str, list[Span]] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    begin: float | None = None  # seconds in the video
    end: float | None = None
    tracks: tuple[Condition, ...] = ()  # on what was seen and heard
    not_looked_at: tuple[str, ...] = ()  # of these: what is not known of every video
    none: str = ""

    @property
    def is_placed(self) -> bool:
        """Whether only some stretches of the videos count."""
        return bool(self.within or self.outside or self.tracks) or self.begin is not None or self.end is not None

    def allows(self, video_id: str, span: Span) -> bool:
        """Whether a hit there counts: it overlaps every wanted stretch and begins before the end, after the begin."""
        if self.begin is not None and span.start < self.begin:
            return False
        if self.end is not None and span.start >= self.end:
            return False
        if any(span.overlaps(s) for s in self.outside.get(video_id, ())):
            return False
        for where in self.within:
            spans = where.get(video_id, [])
            if spans is not None and not any(span.overlaps(s) for s in spans):
                return False
        return all(condition.allows(video_id, span) for condition in self.tracks)

    def predicate(self) -> str | None:
        """A Lance filter that keeps every row that may count."""
        parts = []
        if self.videos is not None:
            parts.append(one_of("video_id", sorted(self.videos)))
        for where in self.within:
            parts += _overlap(where)
        if self.kinds:
            parts.append(one_of("kind", self.kinds))
        if self.not_kinds:
            parts.append(f"NOT {one_of('kind', self.not_kinds)}")
        if self.languages:
            parts.append(_spoken(self.languages))
        if self.not_languages:
            parts.append(f"NOT {_spoken(self.not_languages)}")
        # `end` is a word of the filter language, hence the quotes.
        if self.begin is not None:
            parts.append(f"`end` >= {self.begin!r}")
        if self.end is not None:
            parts.append(f"start < {self.end!r}")
        return " AND ".join(parts) or None


def _overlap(where: dict[str, list[Span] | None]) -> list[str]:
    spans = [(video, span) for video, of_video in where.items() for span in of_video or ()]
    if not spans or len(spans) > _MOST_SPANS:
        return []
    whole = [video for video, of_video in where.items() if of_video is None]
    conditions = [one_of("video_id", whole)] if whole else []
    conditions += [f"(video_id = {quoted(v)} AND start <= {s.end!r} AND `end` >= {s.start!r})" for v, s in spans]
    return [f"({' OR '.join(conditions)})"]


def _spoken(languages: Iterable[str]) -> str:
    either = [f"language = {quoted(code)} OR language LIKE {quoted(code + '-%')}" for code in languages]
    return f"({' OR '.join(either)})"


# --- from a query to its scope


def scope_of(store: Store, query: Query) -> Scope:
    """The scope of a query's filters. A filter that fits nothing gives a scope whose `none` says so."""
    names = {f.name for f in query.filters}
    begin, end, first_day, day_after = _times(query)
    videos: frozenset[str] | None = None
    within: list[dict[str, list[Span] | None]] = []
    outside: dict[str, list[Span]] = {}
    if names & {"video", "folder", "date", "length"} or first_day or day_after:
        known = Known.read(store)
        choices: tuple[tuple[FilterName, Callable[[str], set[str]]], ...] = (
            ("video", known.called), ("folder", known.below), ("date", lambda value: known.between(*days(value))),
            ("length", lambda value: _lasting(known, value)),
        )  # fmt: skip
        for name, choose in choices:
            videos, why = _narrowed(videos, query, name, choose, known)
            if why:
                return Scope(none=why)
        if first_day or day_after:
            made = frozenset(known.between(first_day, day_after or "9999-99-99"))
            if not made:
                said = " ".join(str(f) for f in query.filters if f.name in ("before", "after"))
                return Scope(none=f"no video here is from {said}")
            videos = made if videos is None else videos & made
    for kind in ("tag", "collection"):
        if kind in names:
            wanted, unwanted, why = _written(store, query, kind)  # type: ignore[arg-type]
            if why:
                return Scope(none=why)
            for where in wanted:
                videos = frozenset(where) if videos is None else videos & frozenset(where)
                if any(spans is not None for spans in where.values()):
                    within.append(where)
            gone = {video for where in unwanted for video, spans in where.items() if spans is None}
            if gone:
                videos = (frozenset(Known.read(store).ids) if videos is None else videos) - gone
            for where in unwanted:
                for video, spans in where.items():
                    outside.setdefault(video, []).extend(spans or ())
    if videos is not None and not videos:
        said = " ".join(str(f) for f in query.filters if f.name not in ("in", "lang"))
        return Scope(none=f"no video here fits {said}")
    tracks: tuple[Condition, ...] = ()
    not_looked_at: tuple[str, ...] = ()
    if not names.isdisjoint(TRACK_FILTERS):
        from cinescope.library.track_filters import conditions_of

        found = conditions_of(store, query, videos)
        videos, tracks, not_looked_at = found.videos, found.conditions, found.not_looked_at
        if found.none:
            return Scope(none=found.none, not_looked_at=not_looked_at)
    return Scope(
        videos=videos,
        tracks=tracks,
        not_looked_at=not_looked_at,
        within=tuple(within),
        outside=outside,
        kinds=tuple(v.lower() for v in query.values("in")),
        not_kinds=tuple(v.lower() for v in query.values("in", negated=True)),
        languages=tuple(v for v in query.values("lang")),
        not_languages=tuple(v for v in query.values("lang", negated=True)),
        begin=begin,
        end=end,
    )


def is_plain_name(text: str) -> bool:
    """Whether it can be the name of a modality or a language: only such names are put to the tables."""
    return _PLAIN_NAME.fullmatch(text.lower()) is not None


def _times(query: Query) -> tuple[float | None, float | None, str, str]:
    """Of `after:` and `before:`: begin and end in seconds, from times; first day and day after the last, from dates."""
    after, before = [when(v) for v in query.values("after")], [when(v) for v in query.values("before")]
    return (
        max((v for v in after if isinstance(v, float)), default=None),
        min((v for v in before if isinstance(v, float)), default=None),
        max((v for v in after if isinstance(v, str)), default=""),
        min((v for v in before if isinstance(v, str)), default=""),
    )


def _narrowed(
    videos: frozenset[str] | None,
    query: Query,
    name: FilterName,
    choose: Callable[[str], set[str]],
    known: Known,
) -> tuple[frozenset[str] | None, str]:
    wanted = query.values(name)
    if wanted:
        fitting = frozenset().union(*(choose(v) for v in wanted))
        if not fitting:
            return videos, known.without(name, wanted[0])
        videos = fitting if videos is None else videos & fitting
    unwanted = query.values(name, negated=True)
    if unwanted:
        videos = (frozenset(known.ids) if videos is None else videos).difference(*(choose(v) for v in unwanted))
    return videos, ""


def _lasting(known: Known, value: str) -> set[str]:
    length = parsed("length", value)
    assert isinstance(length, Range)
    return {v for v, seconds in known.durations.items() if seconds is not None and length.holds(seconds)}


def _written(
    store: Store, query: Query, kind: FilterName
) -> tuple[list[dict[str, list[Span] | None]], list[dict[str, list[Span] | None]], str]:
    """Where each wanted and each unwanted tag (or collection) is: video -> stretches, None for the whole video."""
    places, names = store.derived(f"where a {kind} is", ["notes"], lambda: _places(store, kind))
    wanted = []
    for value in query.values(kind):
        found = places.get(normalised(value) or value)
        if found is None:
            what = f"no video has the tag '{value}'" if kind == "tag" else f"there is no collection '{value}'"
            return [], [], what + near_names(value, names)
        wanted.append(found)
    unwanted = [places.get(normalised(v) or v, {}) for v in query.values(kind, negated=True)]
    return wanted, unwanted, ""


def _places(store: Store, kind: FilterName) -> tuple[dict[str, dict[str, list[Span] | None]], list[str]]:
    """Where each tag (or collection) is, by its name folded, and the names as they are written."""
    places: dict[str, dict[str, list[Span] | None]] = {}
    names: dict[str, str] = {}  # as written -> folded
    for row in store.rows("notes", ["video_id", "text", "start", "end"], f"kind = {quoted(kind)}"):
        text = row["text"]
        if text not in names:
            names[text] = normalised(text) or text
        of_name = places.setdefault(names[text], {})
        if row["start"] is None or row["end"] is None:
            of_name[row["video_id"]] = None
        else:
            spans = of_name.setdefault(row["video_id"], [])
            if spans is not None:
                spans.append(Span(row["start"], row["end"]))
    return places, list({folded: text for text, folded in names.items()}.values())


def keyword_filters(values: dict[str, Any]) -> list[Filter]:
    """Filters given as keyword arguments; empty values are none."""
    found: list[Filter] = []
    for name, value in values.items():
        several = [value] if isinstance(value, str | os.PathLike) else list(value)
        found += [Filter(name, os.fspath(v)) for v in several if os.fspath(v)]  # type: ignore[arg-type]
    return found
