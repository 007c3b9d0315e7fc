"""After `remove`, not one byte of a video's words, pictures, vectors or notes is in the library's folder.

    python -m benchmarks.removal [--quick]

A library of shared clips is indexed with every analyser that can run here; markers are taken from what is really stored
of one video (words no other video has, stretches of its thumbnails and prints, its vectors, its id, a note), and looked
for in the raw bytes of every file before and after the removal, while a reader that was opened before goes on reading.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.bars import Bars
from benchmarks.everything import everything

DATA = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "media"
GOES = "torchcodec__nasa_13013.mp4"
STAYS = ("moviepy__chaplin.mp4", "auto-editor__webvtt.mkv", "auto-editor__mov_text.mp4")


def _found(folder: Path, markers: dict[str, bytes]) -> set[str]:
    blobs = [p.read_bytes() for p in folder.rglob("*") if p.is_file()]
    return {name for name, marker in markers.items() if any(marker in blob for blob in blobs)}


def _markers(store: object, video_id: str) -> dict[str, bytes]:
    from cinescope.library.store import Store, quoted

    assert isinstance(store, Store)
    mine, others = f"video_id = {quoted(video_id)}", f"video_id <> {quoted(video_id)}"

    def words(rows: list[dict]) -> set[str]:
        return {w.lower() for r in rows for w in re.findall(r"[A-Za-z]{6,}", r["text"])}

    # What was said or shown: the texts of other kinds ("speech", "pan left") are labels, and stay as names of things.
    written = " AND kind IN ('speech', 'screen', 'title')"
    unique = words(store.rows("segments", ["text"], mine + written)) - words(store.rows("segments", ["text"], others))
    markers = {f"word {w}": w.encode() for w in sorted(unique)}
    for row in store.rows("thumbs", ["seq", "jpeg"], mine):
        middle = len(row["jpeg"]) // 2
        markers[f"picture {row['seq']}"] = row["jpeg"][middle : middle + 64]
    for row in store.rows("prints", ["seq", "of", "print"], mine):
        middle = len(row["print"]) // 2
        markers[f"print of {row['of']} {row['seq']}"] = row["print"][middle : middle + 64]
    for space in store.spaces():
        from cinescope.library.schema import vector_table

        for row in store.rows(vector_table(space), ["seq", "vector"], mine):
            markers[f"vector {row['seq']} of {space}"] = np.array(row["vector"][:16], np.float32).tobytes()
    return markers | {"id": video_id.encode()}


def run(bars: Bars, quick: bool = False) -> None:
    from cinescope.library import ingest, notes, upkeep
    from cinescope.library.search import search
    from cinescope.library.store import Store

    with tempfile.TemporaryDirectory() as work:
        films = Path(work) / "films"
        films.mkdir()
        for name in (GOES, *STAYS[: 1 if quick else None]):
            shutil.copy(DATA / name, films / name)
        store = Store.create(str(Path(work) / "lib"))
        ingest.index(store, films, only=everything())
        store.refresh()
        gone = next(r["video_id"] for r in store.rows("locations") if r["name"] == GOES)
        notes.add(store, "note", gone, "qqprivatemarker of mine")
        markers = _markers(store, gone) | {"note": b"qqprivatemarker"}
        upkeep.tidy(store)
        before = _found(store.folder, markers)
        reader = Store.open(store.place)
        reads = len(reader.rows("segments"))
        upkeep.remove(store, [gone])
        after = _found(store.folder, markers)
        left = len(reader.rows("segments"))
        hits = search(reader, "telescope").moments
        print(f"{len(markers)} markers; in the raw bytes before: {len(before)}, after: {len(after)} {sorted(after)}")
        # Lance compresses some columns, so not every marker need be seen before; most must be, or this is no test.
        bars.at_least("removal_markers_seen_before", round(len(before) / len(markers), 3), 0.8)
        bars.equal("removal_markers_seen_after", len(after), 0)
        bars.equal("removal_open_reader_goes_on", int(0 < left < reads and not hits), 1)
        bars.equal("removal_problems", len(upkeep.verify(store)), 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    bars = Bars()
    run(bars, parser.parse_args().quick)
    sys.exit(bars.finish())


if __name__ == "__main__":
    main()
