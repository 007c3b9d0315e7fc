"""What a query of filters only gives: rows by time, the newest video first. Knows order, not words."""

from __future__ import annotations

from cinescope.library.filters import Known, Scope
from cinescope.library.lookup import COLUMNS, Row
from cinescope.library.matching import Text, units_of
from cinescope.library.query import Query
from cinescope.library.store import Store, one_of, quoted
from cinescope.types import Evidence, Moment, SearchResult, Span

# Said of the whole video: listed only for videos that have nothing else.
_WHOLE = ("title", "tag")


def listing(store: Store, query: Query, scope: Scope, limit: int, looked_at: tuple[str, ...]) -> SearchResult:
    """At most `limit` rows, each a moment."""
    from lance.dataset import ColumnOrdering

    unwanted = units_of(query.unwanted)
    kinds = one_of("kind", looked_at)
    where = " AND ".join(c for c in (scope.predicate(), kinds) if c)
    having = store.table("segments", ["video_id"], where)["video_id"].unique().to_pylist()
    known = Known.read(store)
    moments: list[Moment] = []
    total = store.count("segments", where)
    for video_id in sorted(having, key=lambda v: (known.day(v) if v in known.ids else "", v), reverse=True):
        of_video = f"{where} AND video_id = {quoted(video_id)}"
        whole = one_of("kind", _WHOLE)
        order = [ColumnOrdering("start"), ColumnOrdering("end")]
        for rows_where in (f"{of_video} AND NOT {whole}", f"{of_video} AND {whole}"):
            rows = store.rows("segments", COLUMNS, rows_where, order_by=order)
            found = [
                moment
                for row in rows
                if (moment := _moment(row)) and scope.allows(video_id, moment.span)
                and not any(Text(row["text"], row["language"]).find(unit) for unit in unwanted)
            ]  # fmt: skip
            moments += found
            if found:
                break
        if len(moments) > limit:
            break
    note = "" if moments else "nothing here fits these filters"
    shown = tuple(moments[:limit])
    return SearchResult(
        shown, str(query), note, total=max(len(moments), 0 if unwanted or scope.is_placed else total),
        more=len(moments) > limit and bool(unwanted or scope.is_placed), looked_at=looked_at,
    )  # fmt: skip


def _moment(row: Row) -> Moment:
    span = Span(row["start"], max(row["start"], row["end"]))
    evidence = Evidence(row["kind"], span, row["text"], row["source"], language=row["language"])
    return Moment(row["video_id"], span, 1.0, {row["kind"]: 1.0}, (evidence,))
