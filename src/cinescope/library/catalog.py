"""What is in a library: its videos, one video's timeline, its key frames. Reads only; knows nothing about queries."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cinescope.library import locations
from cinescope.library.store import Store, one_of, quoted
from cinescope.types import BadQueryError, LibraryError, Note, Source, Span, Timeline, Track, parse_time

if TYPE_CHECKING:
    from cinescope.types import Location

_ID = re.compile(r"[0-9a-f]{4,32}")
_LEDGER = ["video_id", "source", "analyser", "version", "settings", "done_until", "next_seq", "complete", "problem"]


@dataclass(frozen=True, slots=True)
class VideoSummary:
    """One video as a list shows it."""

    id: str
    title: str
    name: str  # of its file, for people
    path: str  # where it is, or was last seen; "" when nowhere
    state: str  # "here", "offline" (its drive or folder is away) or "gone"
    duration: float | None  # seconds
    recorded: str  # ISO 8601, "" where the file does not say
    added: str  # ISO 8601, UTC
    analysed: dict[str, str | float] = field(default_factory=dict)  # analyser -> "done", or the share done, 0 to 1
    tags: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    problem: str = ""

    @property
    def short_id(self) -> str:
        return self.id[:8]


def videos(store: Store, ids: Iterable[str] | None = None) -> list[VideoSummary]:
    """Every video, or those with the given ids, in the order of their file names."""
    summaries = _summaries(store, ids)
    return sorted(summaries, key=lambda v: (v.name.casefold(), v.id))


def find(store: Store, ref: str) -> VideoSummary:
    """The video that a person means: by id (4 digits or more), path, file name, title, or a part of these.

    An address (`3fa9c21b@62.5-70`) means its video. LibraryError when there is none or several.
    """
    known = _summaries(store, None)
    if not known:
        raise LibraryError(f"the library at {store.place} has no videos", "add some with: cinescope index FOLDER")
    matches = _matching(known, ref)
    if not matches and "@" in ref:
        matches = _matching(known, ref.rpartition("@")[0])
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise LibraryError(f"no video here is called '{ref}'", _near(known, ref))
    listed = ", ".join(f"{v.short_id} ({v.name})" for v in matches[:5])
    more = f" and {len(matches) - 5} more" if len(matches) > 5 else ""
    raise LibraryError(f"'{ref}' may mean {len(matches)} videos", f"name one by its id: {listed}{more}")


def _matching(known: list[VideoSummary], ref: str) -> list[VideoSummary]:
    """The first way of reading `ref` that fits any video wins."""
    folded = ref.casefold()
    path = os.path.abspath(ref)
    ways = [
        lambda v: bool(_ID.fullmatch(folded)) and v.id.startswith(folded),
        lambda v: v.path == path,
        lambda v: v.name == ref,
        lambda v: folded in (v.name.casefold(), os.path.splitext(v.name)[0].casefold(), v.title.casefold()),
        lambda v: len(folded) > 1 and (folded in v.name.casefold() or folded in v.title.casefold()),
    ]
    for way in ways:
        if matches := [v for v in known if way(v)]:
            return matches
    return []


def _near(known: list[VideoSummary], ref: str) -> str:
    from difflib import get_close_matches

    names = {v.name for v in known} | {os.path.splitext(v.name)[0] for v in known} | {v.title for v in known if v.title}
    near = get_close_matches(ref, sorted(names), n=3)
    return f"near it are {', '.join(near)}" if near else "see: cinescope list"


def parse_address(text: str) -> tuple[str, Span] | None:
    """`3fa9c21b@62.5-70`, `talk.mp4@1:02` -> the video's name and the span (an instant for one time).

    None when the text has no times after an `@`. BadQueryError when the times run backwards.
    """
    ref, at, times = text.rpartition("@")
    if not at or not ref:
        return None
    first, _, second = times.partition("-")
    try:
        start = parse_time(first)
        end = parse_time(second) if second else start
    except BadQueryError:
        return None
    if end < start:
        raise BadQueryError(f"'{text}' ends before it starts", "write VIDEO@START-END")
    return ref, Span(start, end)


def timeline(store: Store, video_id: str) -> Timeline:
    """All that is known of one video. A track holds the segments of one kind from one source, by start."""
    from cinescope.library.codec import json_video
    from cinescope.library.rows import row_segment

    stored = store.rows("videos", filter=f"id = {quoted(video_id)}")
    if not stored:
        raise LibraryError(f"there is no video {video_id[:8]} in {store.place}", "see: cinescope list")
    current = _current(store, video_id)
    rows = store.rows("segments", filter=f"video_id = {quoted(video_id)}")
    grouped: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows:
        entry = current.get(row["source"])
        # Rows at or past `next_seq` are leftovers of a run that was killed.
        if entry is not None and row["seq"] < entry["next_seq"]:
            grouped[row["kind"], row["source"]].append(row)
    tracks = []
    for (kind, source), of_track in sorted(grouped.items()):
        of_track.sort(key=lambda r: (r["start"], r["end"], r["seq"]))
        tracks.append(Track(kind, tuple(row_segment(r) for r in of_track), _source(current[source])))
    return Timeline(json_video(stored[0]["probe"]), tuple(tracks), tuple(_notes(store, video_id)))


def _current(store: Store, video_id: str) -> dict[str, dict[str, Any]]:
    """Source key -> its ledger row; of each analyser the finished source, among several the one that is newest."""
    rows = store.rows("ledger", [*_LEDGER, "updated"], filter=f"video_id = {quoted(video_id)}")
    best: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda r: (r["complete"], r["updated"] or "")):
        best[row["analyser"]] = row
    return {row["source"]: row for row in best.values()}


def _source(ledger: dict[str, Any]) -> Source:
    import json

    settings = json.loads(ledger["settings"]) if ledger["settings"] else {}
    return Source(ledger["analyser"], ledger["version"], settings)


def _notes(store: Store, video_id: str) -> list[Note]:
    rows = store.rows("notes", filter=f"video_id = {quoted(video_id)}")
    notes = [
        Note(
            id=r["id"],
            video_id=r["video_id"],
            kind=r["kind"],
            text=r["text"],
            span=Span(r["start"], r["end"]) if r["start"] is not None else None,
            author=r["author"] or "",
            created=r["created"] or "",
            about=r["about"] or "",
        )
        for r in rows
    ]
    return sorted(notes, key=lambda n: (n.span.start if n.span else -1.0, n.created))


def thumbnail(store: Store, video_id: str, time: float) -> bytes | None:
    """The JPEG of a key frame of the shot that stands at `time`, else the last one before; None where there is none."""
    where = f"video_id = {quoted(video_id)}"
    times = store.rows("thumbs", ["source", "seq", "time"], filter=where)
    if not times:
        return None
    shots = store.rows("segments", ["start", "end"], f"{where} AND kind = 'shot' AND start <= {time!r}")
    shot = max(shots, key=lambda s: s["start"], default={"start": 0.0, "end": 0.0})
    same = [t for t in times if shot["start"] <= t["time"] < shot["end"]] if time < shot["end"] else []
    before = [t for t in same or times if t["time"] <= time]
    best = max(before, key=lambda t: t["time"]) if before else min(same or times, key=lambda t: t["time"])
    chosen = f"{where} AND source = {quoted(best['source'])} AND seq = {int(best['seq'])}"
    rows = store.rows("thumbs", ["jpeg"], filter=chosen)
    return bytes(rows[0]["jpeg"]) if rows else None


def thumbnail_times(store: Store, video_id: str) -> list[float]:
    """Seconds of all key frames that are kept, rising."""
    return sorted(r["time"] for r in store.rows("thumbs", ["time"], filter=f"video_id = {quoted(video_id)}"))


def places(store: Store, video_id: str) -> list[Location]:
    """Everywhere the video's bytes were seen, with the state it has now."""
    rows = store.rows("locations", filter=f"video_id = {quoted(video_id)}")
    return [locations.row_location({**row, "state": locations.state_of(row)}) for row in rows]


def roots(store: Store) -> list[str]:
    """The folders and files that were given to index so far."""
    return sorted({os.fsdecode(r["root"]) for r in store.rows("locations", ["root"])})


_ORDER = {"here": 0, "offline": 1, "gone": 2}


def _summaries(store: Store, ids: Iterable[str] | None) -> list[VideoSummary]:
    wanted = None if ids is None else sorted(set(ids))
    where = None if wanted is None else one_of("id", wanted)
    of_video = None if wanted is None else one_of("video_id", wanted)
    columns = ["id", "title", "duration", "recorded", "added", "problem"]
    listed = store.rows("videos", columns, filter=where)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in store.rows("locations", filter=of_video):
        found[row["video_id"]].append({**row, "state": locations.state_of(row)})
    ledger: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in store.rows("ledger", _LEDGER, filter=of_video):
        ledger[row["video_id"]].append(row)
    written = " AND ".join(filter(None, [of_video, "kind IN ('tag', 'collection')"]))
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in store.rows("notes", ["video_id", "kind", "text"], filter=written):
        names[row["video_id"], row["kind"]].add(row["text"])
    result = []
    for row in listed:
        places = sorted(found[row["id"]], key=lambda p: (_ORDER[p["state"]], p["name"]))
        best = places[0] if places else None
        result.append(
            VideoSummary(
                id=row["id"],
                title=row["title"] or "",
                name=best["name"] if best else row["title"] or row["id"][:8],
                path=os.fsdecode(best["path"]) if best else "",
                state=best["state"] if best else "gone",
                duration=row["duration"],
                recorded=row["recorded"] or "",
                added=row["added"] or "",
                analysed=_analysed(ledger[row["id"]], row["duration"]),
                tags=tuple(sorted(names[row["id"], "tag"])),
                collections=tuple(sorted(names[row["id"], "collection"])),
                problem=row["problem"] or "; ".join(r["problem"] for r in ledger[row["id"]] if r["problem"]),
            )
        )
    return result


def _analysed(rows: list[dict[str, Any]], duration: float | None) -> dict[str, str | float]:
    states: dict[str, str | float] = {}
    for row in sorted(rows, key=lambda r: r["complete"]):
        if row["complete"]:
            states[row["analyser"]] = "done"
        else:
            share = (row["done_until"] or 0.0) / duration if duration else 0.0
            states[row["analyser"]] = round(min(1.0, max(0.0, share)), 3)
    return dict(sorted(states.items()))
