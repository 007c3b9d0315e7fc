"""What looks or sounds alike though it is not the same: nearest vectors. Knows embedding spaces, not their meaning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cinescope.library import schema
from cinescope.library.store import Store, one_of
from cinescope.types import Span

ASKED = 12  # vectors of an example that are looked for, spread evenly
_NPROBES, _REFINE = 40, 10


@dataclass(frozen=True, slots=True)
class Near:
    video_id: str
    span: Span
    score: float  # product of both vectors, 1 for the same
    here: Span  # of the example


def nearest(
    store: Store,
    space: str,
    asked: list[tuple[Span, np.ndarray]],
    videos: frozenset[str] | None,
    without: str,
    floor: float,
    limit: int,
) -> list[Near]:
    """The stretches whose vectors lie nearest to any of those asked for, at least `floor`, the nearest first.

    `videos`: only in these, None for all. `without`: the id of a video that is left out, "" for none.
    """
    if not asked or space not in store.spaces():
        return []
    table = schema.vector_table(space)
    store.refresh(table)
    conditions = [one_of("video_id", sorted(videos))] if videos is not None else []
    conditions += [f"NOT {one_of('video_id', [without])}"] if without else []
    where = " AND ".join(conditions) or None
    best: dict[tuple[str, float], Near] = {}
    for i in np.unique(np.linspace(0, len(asked) - 1, ASKED).round().astype(int)):
        here, vector = asked[i]
        options = {"column": "vector", "q": vector, "k": 4 * limit, "metric": "cosine"}
        options |= {"nprobes": _NPROBES, "refine_factor": _REFINE}
        columns = ["video_id", "start", "end", "_distance"]
        for row in store.rows(table, columns, where, nearest=options):
            score = 1.0 - float(row["_distance"])
            key = row["video_id"], row["start"]
            if score >= floor and (key not in best or best[key].score < score):
                best[key] = Near(row["video_id"], Span(row["start"], max(row["start"], row["end"])), score, here)
    return sorted(best.values(), key=lambda n: -n.score)
