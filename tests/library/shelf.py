"""A small library of made-up rows, for the tests of searching. No video is read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cinescope.library import notes, upkeep
from cinescope.library.rows import segment_row
from cinescope.library.store import Store
from cinescope.types import Segment, Source, Span, Word

SPEECH = Source("transcript", "1", {"model": "made-up"})
SCREEN = Source("screen_text", "1")
CONTAINER = Source("container", "1")


def new(folder: Path) -> Store:
    return Store.create(str(folder / "lib"))


def add_video(
    store: Store, video_id: str, path: str, title: str = "", recorded: str = "", changed: str = "2020-01-01"
) -> None:
    modified = int(datetime.fromisoformat(changed).replace(tzinfo=UTC, hour=12).timestamp() * 1e9)
    video = {
        "id": video_id,
        "title": title,
        "duration": 600.0,
        "recorded": recorded,
        "language": "",
        "added": "",
        "probe": "{}",
        "problem": "",
    }
    place = {
        "video_id": video_id,
        "path": os.fsencode(path),
        "name": os.path.basename(path),
        "root": b"/",
        "size": 1,
        "modified_ns": modified,
        "inode": 1,
        "state": "here",
        "seen": "",
    }
    store.append("videos", [video])
    store.append("locations", [place])
    name = os.path.splitext(os.path.basename(path))[0]
    add(store, video_id, [(0.0, 600.0, t) for t in dict.fromkeys([name, title]) if t], "title", CONTAINER)


def add(
    store: Store,
    video_id: str,
    lines: Iterable[tuple[float, float, str]],
    kind: str = "speech",
    source: Source = SPEECH,
    language: str = "",
) -> None:
    rows = [Segment(Span(a, b), kind, source, text=t, language=language) for a, b, t in lines]
    first = store.count("segments")
    store.append("segments", [segment_row(video_id, first + i, s) for i, s in enumerate(rows)])


def spoken(start: float, text: str, pace: float = 0.5) -> Segment:
    """Speech with one word every `pace` seconds."""
    words = tuple(Word(w, Span(start + i * pace, start + (i + 0.8) * pace), 0.9) for i, w in enumerate(text.split()))
    return Segment(Span(start, start + len(words) * pace), "speech", SPEECH, text=text, words=words, language="en")


def add_segments(store: Store, video_id: str, segments: Sequence[Segment]) -> None:
    first = store.count("segments")
    store.append("segments", [segment_row(video_id, first + i, s) for i, s in enumerate(segments)])


def with_indexes(store: Store) -> Store:
    upkeep.build_indexes(store)
    return store


def write(store: Store, kind: Any, video_id: str, text: str, span: Span | None = None) -> None:
    notes.add(store, kind, video_id, text, span)


def texts(result: Any) -> list[list[str]]:
    """The evidence's texts, moment by moment."""
    return [[e.text for e in m.evidence] for m in result.moments]


def marked(evidence: Any) -> list[str]:
    return [evidence.text[a:b] for a, b in evidence.matched]
