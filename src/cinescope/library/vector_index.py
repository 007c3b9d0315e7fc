"""Indexes over the vectors of large libraries. Knows Lance's index kinds; nothing about what a vector stands for.

Small tables have none: comparing all of 50,000 vectors takes about 10 ms and is exact.
"""

from __future__ import annotations

from typing import Any

from cinescope.library import schema
from cinescope.library.hybrid import EXACT
from cinescope.library.store import Store

_NAME = "vector_idx"
# Lance's advice (docs, "vector index"): about 4,096 rows to a partition, 8 numbers to a code.
_ROWS_PER_PARTITION = 4_096
_NUMBERS_PER_CODE = 8


def build(store: Store, anew: bool = False) -> None:
    """Make the missing indexes of tables that are large enough, bring the others up to date; `anew`: from scratch.

    An index remembers the vectors it was made from, so after removing for good it must be made anew.
    """
    for space, dimension in store.spaces().items():
        table = schema.vector_table(space)
        store.refresh(table)
        data = store.dataset(table)
        have = {index.name for index in data.describe_indices()}
        large = data.count_rows() >= EXACT
        if large and (anew or _NAME not in have):
            data.create_scalar_index("video_id", "BTREE", name="video_id_idx", replace=True)
            _create(data, dimension)
        elif have and not large:
            for name in have:
                store.dataset(table).drop_index(name)
                store.refresh(table)
        elif have:
            data.optimize.optimize_indices()
        store.refresh(table)


def _create(data: Any, dimension: int) -> None:
    codes = next(c for c in range(max(1, dimension // _NUMBERS_PER_CODE), 0, -1) if dimension % c == 0)
    data.create_index(
        "vector",
        "IVF_PQ",
        name=_NAME,
        metric="cosine",
        num_partitions=max(1, data.count_rows() // _ROWS_PER_PARTITION),
        num_sub_vectors=codes,
        replace=True,
    )
