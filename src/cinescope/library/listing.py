"""What a query of filters only gives: rows by time, the newest video first. Knows order, not words."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from cinescope.library.known import Known
from cinescope.library.matching import Text, units_of
from cinescope.library.query import Query
from cinescope.library.question import COLUMNS, Row
from cinescope.library.scope import Scope
from cinescope.library.store import Store, one_of
from cinescope.types import Evidence, Moment, SearchResult, Span

# Said of the whole video: listed only for videos that have nothing else.
_WHOLE = ("title", "tag")
# Videos that are read first; four times as many while they have too few rows.
_FIRST_VIDEOS = 8


def listing(store: Store, query: Query, scope: Scope, limit: int, looked_at: tuple[str, ...]) -> SearchResult:
    """At most `limit` rows, each a moment."""
    unwanted = units_of(query.unwanted)
    of_kinds = one_of("kind", looked_at)
    known = Known.read(store)
    videos = sorted(known.ids if scope.videos is None else scope.videos, key=lambda v: (known.day(v), v), reverse=True)
    moments: list[Moment] = []
    at, many = 0, _FIRST_VIDEOS
    while at < len(videos) and len(moments) <= limit:
        some = videos[at : at + many]
        where = replace(scope, videos=frozenset(some)).predicate()
        rows = store.rows("segments", COLUMNS, f"{where} AND {of_kinds}")
        by_video: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            span = Span(row["start"], max(row["start"], row["end"]))
            text = Text(row["text"], row["language"]) if unwanted else None
            if scope.allows(row["video_id"], span) and not (text and any(text.find(unit) for unit in unwanted)):
                by_video[row["video_id"]].append(row)
        for video_id in some:
            moments += _of_video(by_video[video_id])
        at, many = at + many, many * 4
    everything = at >= len(videos)
    return SearchResult(
        tuple(moments[:limit]),
        str(query),
        "" if moments else "nothing here fits these filters",
        total=len(moments),
        more=not everything,
        looked_at=looked_at,
    )


def _of_video(rows: list[Row]) -> list[Moment]:
    own = [row for row in rows if row["kind"] not in _WHOLE] or rows
    return [_moment(row) for row in sorted(own, key=lambda r: (r["start"], r["end"], r["kind"], r["text"]))]


def _moment(row: Row) -> Moment:
    span = Span(row["start"], max(row["start"], row["end"]))
    evidence = Evidence(row["kind"], span, row["text"], row["source"], language=row["language"])
    return Moment(row["video_id"], span, 1.0, {row["kind"]: 1.0}, (evidence,))
