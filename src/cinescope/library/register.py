"""Which video each file is: the tables `videos` and `locations`, and the rows of titles and chapters.

Knows hashes, probes and file states; decodes nothing. Changes are collected and written by `close`, in a few commits.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cinescope.library.clock import now
from cinescope.library.codec import json_video, video_json
from cinescope.library.locations import Found, content_id, location_row, printable, state_of, unchanged
from cinescope.library.rows import segment_row
from cinescope.library.store import Store, binary, one_of, quoted
from cinescope.types import CinescopeError, Segment, Source, Span, Video

CONTAINER = Source("container", "1")  # titles and chapters as the file states them
# Below this many bits for each second that it claims, a file's duration is measured rather than believed: speech
# codecs go down to about 700 bit/s (Codec 2), so less is a header that promises what is not there.
_BELIEVABLE_BIT_RATE = 700.0


@dataclass(frozen=True, slots=True)
class Entry:
    video: Video
    problem: str = ""
    moved: bool = False
    warnings: tuple[str, ...] = ()


_NOTHING = Video("", None, ())


class Register:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._locations = {bytes(r["path"]): r for r in store.rows("locations")}
        self._videos = {r["id"]: r for r in store.rows("videos")}
        titled = store.rows("ledger", ["video_id", "inputs"], f"analyser = {quoted(CONTAINER.analyser)}")
        self._titled = {r["video_id"]: r["inputs"] for r in titled}
        self._seen: set[bytes] = set()
        self._dropped: set[bytes] = set()
        self._changed: dict[bytes, dict[str, Any]] = {}
        self._new_videos: dict[str, dict[str, Any]] = {}
        self._titles: dict[str, tuple[list[Segment], str]] = {}

    def enter(self, found: Found) -> Entry:
        path = os.fsencode(found.path)
        self._seen.add(path)
        known = self._locations.get(path)
        if known is not None and unchanged(known, found) and known["video_id"] in self._videos:
            if known["state"] != "here":
                self._place(known["video_id"], found)
            video = json_video(self._row(known["video_id"])["probe"])
            # A run that was killed after it registered the video and before it wrote the title left this to be done.
            self._title(video, found)
            return Entry(video)
        if found.size == 0:
            return Entry(_NOTHING, "the file is empty")
        try:
            video_id = content_id(found.path)
        except OSError as error:
            return Entry(_NOTHING, f"it cannot be read ({(error.strerror or str(error)).lower()})")
        if video_id in self._videos or video_id in self._new_videos:
            video = json_video(self._row(video_id)["probe"])
            moved = self._drop_moved(video_id, path)
        else:
            try:
                video = probe(found, video_id)
            except CinescopeError as error:
                # The problem is listed under the path already.
                said = str(error).removeprefix(f"'{printable(found.path)}' ")
                return Entry(_NOTHING, said if said == str(error) else f"it {said}")
            moved = False
            self._new_videos[video_id] = _video_row(video)
        warnings = list(video.warnings)
        if known is not None and known["video_id"] != video_id:
            warnings.append(
                f"its content changed since it was indexed: it is a new video now, and what was known of the earlier "
                f"content stays as {known['video_id'][:8]} (cinescope remove {known['video_id'][:8]} forgets it)"
            )
        self._place(video_id, found)
        self._title(video, found)
        return Entry(video, moved=moved, warnings=tuple(warnings))

    def _row(self, video_id: str) -> dict[str, Any]:
        return self._new_videos.get(video_id) or self._videos[video_id]

    def _place(self, video_id: str, found: Found) -> None:
        row = location_row(video_id, found, now())
        self._changed[row["path"]] = row
        self._locations[row["path"]] = row

    def _drop_moved(self, video_id: str, new_path: bytes) -> bool:
        """Forget places where the same content was and no longer is; whether there was one."""
        gone = [
            p
            for p, r in self._locations.items()
            if r["video_id"] == video_id and p != new_path and state_of(r) == "gone"
        ]
        for path in gone:
            del self._locations[path]
            self._changed.pop(path, None)
            self._dropped.add(path)
        return bool(gone)

    def _title(self, video: Video, found: Found) -> None:
        segments = title_segments(video, found)
        inputs = hashlib.blake2b(
            json.dumps([[s.kind, s.text, s.span.start, s.span.end] for s in segments]).encode(), digest_size=8
        ).hexdigest()
        if self._titled.get(video.id) != inputs:
            self._titles[video.id] = (segments, inputs)

    def close(self) -> None:
        """Write what was learnt, and how the known files that were not met stand now."""
        for path, row in self._locations.items():
            if path not in self._seen:
                state = state_of(row)
                if state != row["state"]:
                    self._changed[path] = row | {"state": state}
        store = self._store
        store.upsert("videos", ["id"], list(self._new_videos.values()))
        if self._dropped:
            store.delete("locations", f"path IN ({', '.join(binary(p) for p in self._dropped)})")
        store.upsert("locations", ["path"], list(self._changed.values()))
        self._write_titles()

    def _write_titles(self) -> None:
        if not self._titles:
            return
        store = self._store
        key = f"source = {quoted(CONTAINER.key)} AND {one_of('video_id', self._titles)}"
        store.delete("segments", key)
        rows, entries = [], []
        for video_id, (segments, inputs) in self._titles.items():
            rows += [segment_row(video_id, i, s) for i, s in enumerate(segments)]
            entries.append(
                {
                    "video_id": video_id,
                    "source": CONTAINER.key,
                    "analyser": CONTAINER.analyser,
                    "version": CONTAINER.version,
                    "settings": "{}",
                    "inputs": inputs,
                    "done_until": 0.0,
                    "next_seq": len(segments),
                    "complete": True,
                    "state": b"",
                    "problem": "",
                    "updated": now(),
                }
            )
        store.append("segments", rows)
        store.upsert("ledger", ["video_id", "source"], entries)


def probe(found: Found, video_id: str) -> Video:
    """The probed video with its id, and a duration that was measured where the stated one is missing or absurd."""
    from cinescope import media

    video: Video = replace(media.probe(found.path), id=video_id)
    stated = video.duration
    if stated is None or found.size * 8 < stated * _BELIEVABLE_BIT_RATE:
        video = replace(video, duration=media.measure_duration(found.path))
    return video


def _video_row(video: Video) -> dict[str, Any]:
    return {
        "id": video.id,
        "title": video.title,
        "duration": video.duration,
        "recorded": video.recorded,
        "language": video.language,
        "added": now(),
        "probe": video_json(video),
        "problem": "",
    }


def title_segments(video: Video, found: Found) -> list[Segment]:
    """The file's name, title, description and chapters as rows, so that words in them are found like any others."""
    whole = Span(0.0, max(0.0, video.duration or 0.0))
    name = Path(printable(found.path)).stem.replace("_", " ")
    texts = [name]
    for text in (video.title, str(video.info.get("description", ""))):
        if text and text not in texts:
            texts.append(text)
    segments = [Segment(whole, "title", CONTAINER, text=t, language=video.language) for t in texts]
    return segments + [
        Segment(c.span, "chapter", CONTAINER, text=c.title, language=video.language) for c in video.chapters if c.title
    ]
