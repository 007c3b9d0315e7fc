"""Writing what was made: rows first, ledger last. Knows the order in which a kill may come at any point."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

from cinescope.library import corrections, schema
from cinescope.library.analysis import Part, Stretch
from cinescope.library.clock import now
from cinescope.library.locations import Found
from cinescope.library.plan import Plan
from cinescope.library.rows import PERSON, segment_row
from cinescope.library.store import Store, binary, quoted
from cinescope.types import Segment


def _of(video_id: str, source_key: str) -> str:
    return f"video_id = {quoted(video_id)} AND source = {quoted(source_key)}"


def made_tables(store: Store) -> list[str]:
    """The tables that hold machine rows named by (video_id, source, seq)."""
    prints = [schema.PRINTS] if store.has_prints() else []
    return ["segments", "thumbs", *prints, *(schema.vector_table(s) for s in store.spaces())]


def clear_leftovers(store: Store) -> None:
    """Delete rows that a killed run wrote past its last ledger entry."""
    ledger = {
        (r["video_id"], r["source"]): r["next_seq"] for r in store.rows("ledger", ["video_id", "source", "next_seq"])
    }
    for table in made_tables(store):
        for video_id, source, last in _last_rows(store, table):
            if source == PERSON:
                continue
            known = ledger.get((video_id, source))
            if known is None:
                store.delete(table, _of(video_id, source))
            elif last >= known:
                store.delete(table, f"{_of(video_id, source)} AND seq >= {known}")


def _last_rows(store: Store, table: str) -> list[tuple[str, str, int]]:
    """(video_id, source, highest seq) of all rows."""
    import pyarrow.compute  # noqa: F401 - registers group_by's kernels

    columns = store.table(table, ["video_id", "source", "seq"])
    grouped = columns.group_by(["video_id", "source"]).aggregate([("seq", "max")]).to_pylist()
    return [(r["video_id"], r["source"], r["seq_max"]) for r in grouped]


def _forget_rows(store: Store, video_id: str, source_key: str) -> None:
    # The ledger first: without its entry the rows are leftovers, whatever happens next.
    for table in ("ledger", *made_tables(store)):
        store.delete(table, _of(video_id, source_key))


def prepare(store: Store, plan: Plan) -> None:
    """Forget what is to be made anew."""
    for key in plan.restarted:
        _forget_rows(store, plan.video.id, key)


def stretch(store: Store, plan: Plan, made: Stretch) -> Counter[str]:
    """Commit a stretch; returns the rows written by kind."""
    video_id = plan.video.id
    ledger = {r["source"]: r for r in store.rows("ledger", filter=f"video_id = {quoted(video_id)}")}
    rows: dict[str, list[dict[str, Any]]] = {}
    entries: list[dict[str, Any]] = []
    counts: Counter[str] = Counter()
    for part in made.parts:
        before = ledger.get(part.source_key)
        first = before["next_seq"] if before else 0
        for seq, segment in enumerate(part.segments, first):
            counts[segment.kind] += 1
            table, row = _row(store, video_id, seq, segment)
            rows.setdefault(table, []).append(row | {"source": part.source_key})
        entries.append(_entry(plan, part, first + len(part.segments)))
    entries += [_failure(plan, ledger.get(key), key, what) for key, what in made.failed.items()]
    corrections.apply_to_rows(store, video_id, rows.get("segments", []))
    for table, fresh in rows.items():
        store.append(table, fresh)
    store.upsert("ledger", ["video_id", "source"], entries)
    if made.final:
        _supersede(store, plan, made)
    return counts


def _row(store: Store, video_id: str, seq: int, segment: Segment) -> tuple[str, dict[str, Any]]:
    """The table a segment belongs in, and its row there."""
    base = {"video_id": video_id, "seq": seq}
    if "jpeg" in segment.data:
        return "thumbs", base | {"time": segment.span.start, "jpeg": segment.data["jpeg"]}
    if "print" in segment.data:
        store.add_prints()
        times = {"start": segment.span.start, "end": segment.span.end}
        return schema.PRINTS, base | times | {k: segment.data[k] for k in ("of", "aspect", "print", "points")}
    if "vector" in segment.data:
        vector, space = segment.data["vector"], segment.data["space"]
        store.add_space(space, len(vector))
        times = {"start": segment.span.start, "end": segment.span.end}
        what = {"of": segment.data["of"], "text": segment.text, "language": segment.language}
        return schema.vector_table(space), base | times | what | {"vector": vector}
    return "segments", segment_row(video_id, seq, segment)


def _entry(plan: Plan, part: Part, next_seq: int) -> dict[str, Any]:
    source = plan.sources[part.source_key]
    return {
        "video_id": plan.video.id,
        "source": part.source_key,
        "analyser": source.analyser,
        "version": source.version,
        "settings": json.dumps(source.settings, sort_keys=True, ensure_ascii=False),
        "inputs": plan.inputs.get(part.source_key, ""),
        "done_until": part.fed_until,
        "next_seq": next_seq,
        "complete": part.complete,
        "state": part.state,
        "problem": "",
        "updated": now(),
    }


def _failure(plan: Plan, before: dict[str, Any] | None, key: str, what: str) -> dict[str, Any]:
    """The ledger keeps the last good stretch, so that a later run goes on from there."""
    if before is not None:
        return before | {"problem": what, "updated": now()}
    empty = Part(key, (), 0.0, b"", False)
    entry = _entry(plan, empty, 0)
    # Without a state there is nothing to go on from: version "" never matches, so the next run begins anew.
    return entry | {"source": f"{key}#failed", "problem": what}


def _supersede(store: Store, plan: Plan, made: Stretch) -> None:
    """The rows of an older version or other settings go, now that their successor is complete."""
    complete = {plan.sources[p.source_key].analyser for p in made.parts if p.complete}
    failed = {plan.sources[k].analyser for k in made.failed}
    for key in plan.superseded:
        analyser = key.split("@")[0]
        if analyser in complete - failed:
            _forget_rows(store, plan.video.id, key)


def set_problem(store: Store, video_id: str, what: str) -> None:
    rows = store.rows("videos", filter=f"id = {quoted(video_id)}")
    if rows and rows[0]["problem"] != what:
        store.upsert("videos", ["id"], [rows[0] | {"problem": what}])


def forget_unfinished(store: Store, video_id: str, found: Found) -> None:
    """Drop a video whose file changed while it was indexed for the first time: that content was never whole.

    What was complete before, or what people wrote something about, stays (its file is then "gone").
    """
    of_video = f"video_id = {quoted(video_id)}"
    store.delete("locations", f"{of_video} AND path = {binary(os.fsencode(found.path))}")
    kept = store.count("locations", of_video) or store.count("notes", of_video)
    if not kept and not store.count("ledger", f"{of_video} AND complete AND analyser <> 'container'"):
        for table in ("ledger", *made_tables(store)):
            store.delete(table, of_video)
        store.delete("videos", f"id = {quoted(video_id)}")
