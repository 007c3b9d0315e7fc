"""Which rows of a table a search may look at, as a set that Lance's indexes take. Knows columns, nothing about words.

Given a filter, Lance evaluates it anew for each index that is asked, and for a broad one (half of 20,000 videos) that
takes longer than the search. So the columns that scopes speak of are kept in memory, numbers for names (32 bytes a
row), and a scope becomes a few comparisons over them: 5 ms for a million rows. The indexes are given the set itself.

The set is a Roaring bitmap for each fragment (https://github.com/RoaringBitmap/RoaringFormatSpec), headed as Lance's
`RowAddrTreeMap` is written. A test compares it with `lance.dataset.serialize_row_addrs`, which takes Python numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np

from cinescope.library.scope import Scope
from cinescope.library.store import Store
from cinescope.library.stretches import Stretches
from cinescope.types import Span

_CONTAINER = 1 << 16  # rows in a container of a Roaring bitmap
_SPARSE = 4096  # at most so many are listed; more are a bit each
_COOKIE = 12346  # of a bitmap without runs
_FIRST = 3  # looks of a program that may be its only ones
# To compare times of many videos at once, each video's times are moved to a range of their own (seconds). What lies
# further out is taken for its end, and `_SLACK` makes good what such large numbers lose: the sets may be too large,
# never too small, and hits are looked at again (`Scope.allows`).
_RANGE, _SLACK = float(1 << 22), 0.01


@dataclass(frozen=True, slots=True)
class RowSet:
    """Rows of one version of a table."""

    allowlist: bytes  # for `row_addr_allowlist`
    size: int
    row_ids: np.ndarray  # (size,) uint64, in the table's order


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one fragment: N, deleted ones left out."""

    fragment: int
    offsets: np.ndarray | None  # (N,) uint32 within the fragment; None: 0, 1, 2 ...
    video: np.ndarray  # (N,) int32, number of the name
    kind: np.ndarray  # (N,) int32
    language: np.ndarray  # (N,) int32
    start: np.ndarray  # (N,) float64, seconds
    end: np.ndarray
    source: np.ndarray  # (N,) int32


class _Names:
    """Numbers for the names in one column; a name keeps its number."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}
        self.name: list[str] = []

    def numbers(self, column: Any) -> np.ndarray:
        encoded = column.combine_chunks().dictionary_encode()
        for name in encoded.dictionary.to_pylist():
            if name not in self.number:
                self.number[name] = len(self.name)
                self.name.append(name)
        own = [self.number[name] for name in encoded.dictionary.to_pylist()]
        found: np.ndarray = np.asarray(own, np.int32)[encoded.indices.to_numpy(zero_copy_only=False)]
        return found

    def among(self, names: Iterable[str]) -> np.ndarray:
        """(number of names,) whether that number's name is one of these."""
        found = np.zeros(len(self.number), bool)
        found[[self.number[name] for name in names if name in self.number]] = True
        return found


class _Columns:
    """What scopes speak of, of one table. Fragments that are there already are not read again."""

    def __init__(self, kind_column: str) -> None:
        self._kind_column = kind_column
        self.videos, self.kinds, self.languages, self.sources = _Names(), _Names(), _Names(), _Names()
        self._asked = 0  # how often rows were asked for
        self._parts: dict[str, _Part] = {}  # by what Lance says of the fragment: its files, and which rows are deleted
        self._one_at_a_time = Lock()

    def read(self, data: Any) -> list[_Part]:
        with self._one_at_a_time:
            self._parts = {
                key: self._parts[key] if key in self._parts else self._read(fragment)
                for key, fragment in ((str(f.metadata), f) for f in data.get_fragments())
            }
            return list(self._parts.values())

    def _read(self, fragment: Any) -> _Part:
        columns = ["video_id", self._kind_column, "language", "start", "end", "source"]
        table = fragment.scanner(columns=columns, with_row_address=True).to_table()
        offsets = table["_rowaddr"].to_numpy().astype(np.uint32)
        dense = len(offsets) == 0 or int(offsets[-1]) == len(offsets) - 1
        return _Part(
            fragment.fragment_id,
            None if dense else offsets,
            self.videos.numbers(table["video_id"]),
            self.kinds.numbers(table[self._kind_column]),
            self.languages.numbers(table["language"]),
            table["start"].to_numpy(),
            table["end"].to_numpy(),
            self.sources.numbers(table["source"]),
        )

    def held(self, data: Any, row_ids: list[int]) -> dict[int, dict[str, Any]] | None:
        """What is in memory of these rows, by number. None for a program that asks once: reading it all costs more."""
        self._asked += 1
        if self._asked <= _FIRST and not self._parts:
            return None
        parts = {part.fragment: part for part in self.read(data)}
        return {row_id: self._row(parts[row_id >> 32], row_id & 0xFFFFFFFF) for row_id in row_ids}

    def _row(self, part: _Part, offset: int) -> dict[str, Any]:
        at = offset if part.offsets is None else int(np.searchsorted(part.offsets, offset))
        return {
            "video_id": self.videos.name[part.video[at]],
            "source": self.sources.name[part.source[at]],
            self._kind_column: self.kinds.name[part.kind[at]],
            "start": float(part.start[at]),
            "end": float(part.end[at]),
            "language": self.languages.name[part.language[at]],
        }


class Rows:
    """The rows that a scope may keep, in whichever version of the table is open.

    `kind_column` is what the scope's kinds are compared with. Every row that has a hit which the scope allows is in
    the set; others may be, too.
    """

    def __init__(self, store: Store, table: str, scope: Scope, kind_column: str = "kind") -> None:
        self._columns = store.lasting(f"columns of {table}", lambda: _Columns(kind_column))
        self._scope = scope if _narrows(scope) else None
        self._made: tuple[int, RowSet] | None = None  # with the version of the table

    def of(self, data: Any) -> RowSet | None:
        """None: all rows."""
        if self._scope is None:
            return None
        if self._made is None or self._made[0] != data.version:
            self._made = (data.version, _row_set(self._columns, data, self._scope))
        return self._made[1]

    def held(self, data: Any, row_ids: list[int]) -> dict[int, dict[str, Any]] | None:
        """video_id, source, kind (by its column's name), start, end and language of these rows, by row number.

        None while they are not in memory: the table has them, too, and gives 40 of a million rows in 10 ms.
        """
        return self._columns.held(data, row_ids)

    def count(self, data: Any) -> int:
        rows = self.of(data)
        return rows.size if rows is not None else int(data.count_rows())

    def only(self, data: Any) -> dict[str, Any]:
        """The options of a Lance scan that keep it to these rows."""
        rows = self.of(data)
        return {"row_addr_allowlist": rows.allowlist} if rows is not None else {}


def _row_set(columns: _Columns, data: Any, scope: Scope) -> RowSet:
    kept = [(part, _kept(part, columns, scope)) for part in columns.read(data)]
    return RowSet(
        treemap([(part.fragment, _spread(part, mask)) for part, mask in kept]),
        sum(int(np.count_nonzero(mask)) for _, mask in kept),
        np.concatenate([_ids(part, mask) for part, mask in kept] or [np.zeros(0, np.uint64)]),
    )


def _narrows(scope: Scope) -> bool:
    names = (scope.kinds, scope.not_kinds, scope.languages, scope.not_languages, scope.within)
    times = (scope.begin, scope.end)
    placed = any(not condition.negated for condition in scope.tracks)
    return scope.videos is not None or any(names) or any(t is not None for t in times) or placed


def _kept(part: _Part, columns: _Columns, scope: Scope) -> np.ndarray:
    """(N,) bool."""
    mask = np.ones(len(part.video), bool)
    if scope.videos is not None:
        mask &= columns.videos.among(scope.videos)[part.video]
    if scope.kinds:
        mask &= columns.kinds.among(scope.kinds)[part.kind]
    if scope.not_kinds:
        mask &= ~columns.kinds.among(scope.not_kinds)[part.kind]
    if scope.languages:
        mask &= columns.languages.among(_spoken(columns, scope.languages))[part.language]
    if scope.not_languages:
        mask &= ~columns.languages.among(_spoken(columns, scope.not_languages))[part.language]
    if scope.begin is not None:
        mask &= np.maximum(part.start, part.end) >= scope.begin
    if scope.end is not None:
        mask &= part.start < scope.end
    for where in scope.within:
        mask &= _within(part, columns, where)
    for condition in scope.tracks:
        if not condition.negated:
            mask &= _touching(part, columns.videos, condition.stretches)
    return mask


def _touching(part: _Part, videos: _Names, found: Stretches) -> np.ndarray:
    """Worked out once: the stretches are the same for every query until a table changes."""
    kept = found.masks.get(id(part))
    if kept is None or kept[0] is not part:
        mask = _overlapping(part, videos, found.names, found.video, found.start, found.end)
        kept = found.masks[id(part)] = (part, mask)
    return kept[1]


def _spoken(columns: _Columns, languages: tuple[str, ...]) -> list[str]:
    return [n for n in columns.languages.number if any(n == code or n.startswith(f"{code}-") for code in languages)]


def _within(part: _Part, columns: _Columns, where: dict[str, list[Span] | None]) -> np.ndarray:
    mask: np.ndarray = columns.videos.among(v for v, spans in where.items() if spans is None)[part.video]
    placed = [(video, span) for video, spans in where.items() for span in spans or ()]
    if placed:
        names = list(dict.fromkeys(video for video, _ in placed))
        number = {name: i for i, name in enumerate(names)}
        start = np.array([span.start for _, span in placed])
        end = np.array([span.end for _, span in placed])
        mask |= _overlapping(part, columns.videos, names, np.array([number[v] for v, _ in placed]), start, end)
    return mask


def _overlapping(
    part: _Part, videos: _Names, names: list[str], video: np.ndarray, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """(N,) whether a row touches any of the M stretches of its video; `video` (M,) are numbers of `names`."""
    own = np.array([videos.number.get(name, -1) for name in names], np.int64)
    known = own[video] >= 0 if len(names) else np.zeros(0, bool)
    base = own[video[known]] * (2 * _RANGE) if len(names) else np.zeros(0)
    begins = base + np.clip(start[known], -_RANGE / 2, _RANGE / 2)
    order = np.argsort(begins, kind="stable")
    ends = np.maximum.accumulate((base + np.clip(end[known], -_RANGE / 2, _RANGE / 2))[order])
    row_base = part.video * (2 * _RANGE)
    row_end = row_base + np.clip(np.maximum(part.start, part.end), -_RANGE / 2, _RANGE / 2) + _SLACK
    row_start = row_base + np.clip(part.start, -_RANGE / 2, _RANGE / 2) - _SLACK
    before = np.searchsorted(begins[order], row_end, "right")  # stretches that begin before the row ends
    furthest = np.concatenate([[-np.inf], ends])[before]  # of an earlier video: before this video's range
    mask: np.ndarray = furthest >= row_start
    return mask


def _spread(part: _Part, mask: np.ndarray) -> np.ndarray:
    """The mask over the fragment's rows, deleted ones included."""
    if part.offsets is None:
        return mask
    whole = np.zeros(int(part.offsets[-1]) + 1, bool)
    whole[part.offsets] = mask
    return whole


def _ids(part: _Part, mask: np.ndarray) -> np.ndarray:
    offsets = np.flatnonzero(mask) if part.offsets is None else part.offsets[mask]
    return offsets.astype(np.uint64) + np.uint64(part.fragment << 32)


def treemap(fragments: Iterable[tuple[int, np.ndarray]]) -> bytes:
    """The set of all rows whose mask (one bool a row of the fragment) is true, as Lance reads it."""
    written = []
    for number, mask in sorted(fragments, key=lambda f: f[0]):
        if mask.any():
            bitmap = _roaring(mask)
            written.append(struct.pack("<II", number, len(bitmap)) + bitmap)
    return struct.pack("<I", len(written)) + b"".join(written)


def _roaring(mask: np.ndarray) -> bytes:
    keys: list[tuple[int, int]] = []
    bodies: list[bytes] = []
    for key in range(-(-len(mask) // _CONTAINER)):
        piece = mask[key * _CONTAINER : (key + 1) * _CONTAINER]
        count = int(np.count_nonzero(piece))
        if not count:
            continue
        keys.append((key, count - 1))
        if count <= _SPARSE:
            bodies.append(np.flatnonzero(piece).astype("<u2").tobytes())
        else:
            bodies.append(np.packbits(piece, bitorder="little").tobytes().ljust(_CONTAINER // 8, b"\0"))
    head = struct.pack("<II", _COOKIE, len(keys)) + b"".join(struct.pack("<HH", *key) for key in keys)
    first = len(head) + 4 * len(keys)
    places = np.cumsum([first, *map(len, bodies)])[:-1]
    return head + places.astype("<u4").tobytes() + b"".join(bodies)
