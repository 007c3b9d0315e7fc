"""Filters of a query -> which rows may match. Knows `videos`, `locations` and `notes`; nothing about words or ranks.

Values of one filter widen it (`video:a video:b` is either), except tags and collections, which narrow (`tag:sea
tag:night` has both). A tag on a stretch of a video keeps what overlaps that stretch. What was seen and heard is
for track_filters.py.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from cinescope.library.known import Known, near_names
from cinescope.library.normal import normalised
from cinescope.library.query import Filter, FilterName, Query, days, when
from cinescope.library.scope import Condition, Scope
from cinescope.library.store import Store, quoted
from cinescope.library.track_values import TRACK_FILTERS, Range, parsed
from cinescope.types import Span

_PLAIN_NAME = re.compile(r"[a-z0-9_.-]{1,40}")


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
