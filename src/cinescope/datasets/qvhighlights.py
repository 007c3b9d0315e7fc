"""QVHighlights: the moments of a video that a sentence speaks of. A real line of highlight_val_release.jsonl, cut:

    {"qid": 2579, "query": "A girl and her mother cooked while talking with each other on facetime.", "duration": 150,
     "vid": "NUsG9BgSes0_210.0_360.0", "relevant_windows": [[82, 150]], "relevant_clip_ids": [41, 42, ...],
     "saliency_scores": [[1, 1, 2], ...]}

`vid` is a YouTube video and the stretch of it that the clip is. The test part has no windows: it is scored by a server.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import jsonl_rows, need, number, stretch, value_of
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "train (7,218 queries), val (1,550) and test (1,542)"
CITE = "Lei, Berg, Bansal: QVHighlights, NeurIPS 2021, arXiv 2107.09609"
LICENCE = "CC BY-NC-SA 4.0"
FILES = "highlight_{train,val,test}_release.jsonl"
TARGETS = {"moments": "spans"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None) -> Dataset:
    """An example a query (`texts["query"]`). Group is the YouTube video, of which several stretches may be there.

    `about` has the duration, and the saliency of each 2 s as three people gave it. Media are `{vid}.mp4`.
    """
    rows = Gathering("qvhighlights", media, split)
    found = {p.stem.split("_")[1]: p for p in need(folder, "QVHighlights", "highlight_*_release.jsonl")}
    for part in sorted(found, key=lambda p: ("train", "val", "test").index(p) if p in ("train", "val", "test") else 9):
        for line, row in jsonl_rows(found[part]):
            where = f"'{found[part].name}', line {line}"
            video = str(value_of(row, "vid", where))
            example = Example(
                key=f"{part}/{value_of(row, 'qid', where)}",
                split=part,
                texts={"query": str(value_of(row, "query", where)).strip()},
                targets=_moments(row, where),
                group=video.rsplit("_", 2)[0],
                about={n: row[n] for n in ("duration", "relevant_clip_ids", "saliency_scores") if n in row}
                | {"clip": video},
            )
            rows.add(example, [video])
    return rows.dataset({"moments": Target("spans")})


def _moments(row: dict[str, Any], where: str) -> dict[str, Any]:
    windows = row.get("relevant_windows")
    if windows is None:
        return {}
    if not isinstance(windows, list) or any(not isinstance(w, list) or len(w) != 2 for w in windows):
        raise BadQueryError(f"{where}: relevant_windows should be pairs of seconds", "correct this line")
    number(row.get("duration", 0), where)
    return {"moments": tuple(stretch(w[0], w[1], where) for w in windows)}
