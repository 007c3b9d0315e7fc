"""A question by example: the same material first, then what looks or sounds alike. Composes; knows no codes.

The same material is found though it was encoded again, scaled, cropped, mirrored, cut, run faster or slower, or given
other sound; each moment says what was compared with what.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from cinescope.library import alike, prints, same
from cinescope.library.filters import keyword_filters, scope_of
from cinescope.library.prints import PICTURE, SOUND
from cinescope.library.query import Query, parse
from cinescope.library.query_prints import Example, of_file, of_stored
from cinescope.library.same import Match
from cinescope.library.scope import Scope
from cinescope.library.store import Store, one_of
from cinescope.types import BadQueryError, Evidence, LibraryError, Moment, SearchResult, Span

# Products of two vectors from which pictures look, and sounds sound, alike: set on the shared clips themselves, on
# which benchmarks.copies also reports them; no clips were kept back.
LOOK_FLOOR, TIMBRE_FLOOR = 0.85, 0.87
_SAME = 0.5  # scores of the same material lie above, those of what is alike below
_NO_FILTERS: Mapping[str, Any] = MappingProxyType({})
_GAP = 1.0  # seconds between stretches that look alike and are one moment


@dataclass(frozen=True, slots=True)
class Likeness:
    """`result.moments` are what was found; `same[i]` is the match behind moment i, None where it is only alike."""

    result: SearchResult
    same: tuple[Match | None, ...] = ()


def like(
    store: Store,
    example: str | os.PathLike[str],
    query: str = "",
    *,
    limit: int = 10,
    stored: tuple[str, str, Span] | None = None,
    filters: Mapping[str, Any] = _NO_FILTERS,
) -> Likeness:
    """Moments that show or sound like an example: a picture, a film or a sound.

    `example` is a file; with `stored` (id, name and span of a video of this library) it is that stretch. `query` and
    `filters` (by their names in a query, `query.FILTERS`) narrow it; `in` is "picture" or "sound" alone. BadQueryError
    where the example cannot be compared or words are asked for besides, MediaError where it is no picture, film or
    sound, LibraryError where nothing was indexed with prints.
    """
    if limit < 1:
        raise BadQueryError(f"a search for {limit} moments finds nothing", "ask for at least one")
    store.refresh()
    asked, senses = _asked(query, filters)
    of = of_stored(store, *stored) if stored is not None else of_file(example)
    scope = scope_of(store, asked)
    said = f"like {of.name}" + (f" {asked}" if asked.filters else "")
    senses = tuple(s for s in senses if _has(of, s))
    if scope.none:
        return Likeness(SearchResult((), said, scope.none, looked_at=senses))
    unread = (*_unread(store, senses, scope), *scope.not_looked_at)
    if not senses:
        other = "sound" if _has(of, SOUND) else "picture"
        raise BadQueryError(
            f"'{of.name}' has nothing of what it is to be found by", f"leave out in:, or write in:{other}"
        )
    if stored is None and of.kind != "picture":
        of = replace(of, video_id=_own_id(store, example))
    matches = [m for m in matches_of(store, of, senses, scope.videos) if scope.allows(m.video_id, m.there)]
    near = _alike(store, of, senses, scope, matches, limit)
    return _result(of, said, senses, matches, near, limit, unread)


def _asked(query: str, given: Mapping[str, Any]) -> tuple[Query, tuple[str, ...]]:
    """The filters, and the senses that are to be compared."""
    filters = keyword_filters(dict(given))
    asked = parse(query, filters) if query.strip() or filters else Query()
    if asked.terms:
        raise BadQueryError(
            "words and an example cannot be looked for together", "search for one, and narrow it by filters (tag:beach)"
        )
    odd = [f for f in asked.filters if f.name == "lang" or (f.name == "in" and f.value not in (PICTURE, SOUND))]
    if odd:
        raise BadQueryError(f"{odd[0]} means nothing for an example", "write in:picture, in:sound, or leave it out")
    wanted, unwanted = asked.values("in"), asked.values("in", negated=True)
    senses = tuple(s for s in (PICTURE, SOUND) if (not wanted or s in wanted) and s not in unwanted)
    return replace(asked, filters=tuple(f for f in asked.filters if f.name != "in")), senses


def _has(of: Example, sense: str) -> bool:
    return bool(len(of.pictures) if sense == PICTURE else len(of.sounds))


def _own_id(store: Store, path: str | os.PathLike[str]) -> str:
    """The id of the library's video that has these very bytes, "" where there is none."""
    from cinescope.library.locations import content_id

    size = os.stat(path).st_size
    if not store.count("locations", f"size = {size}"):
        return ""
    video_id = content_id(os.fspath(path))
    return video_id if store.count("videos", f"id = '{video_id}'") else ""


def _unread(store: Store, senses: tuple[str, ...], scope: Scope) -> tuple[str, ...]:
    """Which videos could not be compared. LibraryError where none could."""
    every = {r["id"] for r in store.rows("videos", ["id"])} if scope.videos is None else set(scope.videos)
    missing = {s: len(every - prints.printed(store, s)) for s in senses}
    if every and senses and all(n == len(every) for n in missing.values()):
        raise LibraryError(
            "these videos were indexed before their pictures and sounds could be compared",
            "index them again: cinescope index FOLDER",
        )
    return tuple(
        f"{s}: {n} of {len(every)} videos, indexed without prints; index them again" for s, n in missing.items() if n
    )


def matches_of(store: Store, of: Example, senses: Sequence[str], videos: frozenset[str] | None) -> list[Match]:
    """Where the example's material is in these videos (None: all), itself left out."""
    chosen = None if videos is None else sorted(videos)
    needed = SOUND in senses or of.kind == "clip"
    shelf = same.Shelf(
        prints.read_pictures(store, chosen) if PICTURE in senses else prints.pictures_of([]),
        prints.read_sounds(store, chosen) if needed else prints.sounds_of([]),
        lambda video, rows: prints.read_points(store, video, rows),
    )

    def own(video: str, here: np.ndarray, there: np.ndarray) -> np.ndarray:
        """What lies in the example itself is no find."""
        if video != of.video_id:
            return np.zeros(len(here), bool)
        return (there >= of.span.start - 1.0) & (there <= of.span.end + 1.0)

    compared = of.sounds if SOUND in senses else prints.sounds_of([])
    matches = same.found(of.pictures, of.points, compared, shelf, own, heard=of.sounds, views=of.views)
    where = one_of("id", sorted({m.video_id for m in matches}))
    lengths = {r["id"]: r["duration"] for r in store.rows("videos", ["id", "duration"], where)} if matches else {}
    end = of.span.end if of.span.duration > 0 else None
    return [m.within(end, lengths.get(m.video_id)) for m in matches]


def _alike(
    store: Store, of: Example, senses: tuple[str, ...], scope: Scope, matches: list[Match], limit: int
) -> list[tuple[str, alike.Near]]:
    """(sense, stretch) of what looks alike (sounds alike, where there is no picture), the nearest first."""
    from cinescope.analysers import picture_print, sound_print

    sense = PICTURE if PICTURE in senses else SOUND
    space, asked, floor = picture_print.SPACE, of.looks, LOOK_FLOOR
    if sense == SOUND:
        space, asked, floor = sound_print.SPACE, of.timbres, TIMBRE_FLOOR
    found = alike.nearest(store, space, asked, scope.videos, of.video_id, floor, limit)
    joined: list[alike.Near] = []
    for near in found:
        if any(m.video_id == near.video_id and m.there.overlaps(near.span) for m in matches):
            continue
        if not scope.allows(near.video_id, near.span):
            continue
        beside = next((i for i, n in enumerate(joined) if _beside(n, near)), None)
        if beside is None:
            joined.append(near)
        else:
            joined[beside] = replace(joined[beside], span=joined[beside].span.union(near.span))
    return [(sense, near) for near in joined]


def _beside(a: alike.Near, b: alike.Near) -> bool:
    return a.video_id == b.video_id and a.span.gap(b.span) <= _GAP


def _result(
    of: Example, said: str, senses: tuple[str, ...], matches: list[Match], near: list[tuple[str, alike.Near]],
    limit: int, unread: tuple[str, ...],
) -> Likeness:  # fmt: skip
    moments = [_same_moment(of, m) for m in matches]
    moments += [_alike_moment(of, sense, n) for sense, n in near]
    notes = [f"{of.name} itself is in this library and left out"] if of.video_id else []
    if not moments:
        notes.append("nothing like it here")
    elif not matches:
        notes.append("the same is not here; these are only alike")
    elif near:
        first = "the first is" if len(matches) == 1 else f"the first {len(matches)} are"
        notes.append(f"{first} the same, the others only alike")
    result = SearchResult(
        tuple(moments[:limit]), said, "; ".join(notes), total=len(moments), looked_at=senses, not_looked_at=unread,
        absent=not matches,
    )  # fmt: skip
    return Likeness(result, tuple([*matches, *[None] * len(near)][:limit]))


def _same_moment(of: Example, match: Match) -> Moment:
    how = match.how()
    where = f"{match.here.start:.1f}-{match.here.end:.1f} of {of.name}" if of.kind != "picture" else of.name
    text = f"same: {where}" + (f", {how}" if how else "")
    share = min(1.0, match.here.duration / of.span.duration) if of.span.duration > 0 else 1.0
    score = _SAME + (1 - _SAME) * share
    weights = {"picture": match.picture_seconds, "sound": match.sound_seconds}
    whole = sum(weights.values()) or 1.0
    evidence = tuple(Evidence(k, match.there, text, prints.source_key(k), score=score) for k in match.kinds)
    by_sense = {k: score * weights[k] / whole for k in match.kinds}
    return Moment(match.video_id, match.there, score, by_sense, evidence)


def _alike_moment(of: Example, sense: str, near: alike.Near) -> Moment:
    at = "" if of.kind == "picture" else f" at {near.here.start:.1f}"
    text = f"{'looks' if sense == PICTURE else 'sounds'} like {of.name}{at} ({near.score:.2f} of 1)"
    score = _SAME * near.score
    return Moment(
        near.video_id, near.span, score, {sense: score},
        (Evidence(sense, near.span, text, prints.source_key(sense), score=near.score),),
    )  # fmt: skip
