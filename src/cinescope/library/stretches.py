"""Many stretches of many videos as sorted arrays, and questions to them. Knows spans and numbers, nothing of filters.

One question costs a search in sorted numbers: whether a span overlaps any of a video's stretches is told by the
furthest end among those that begin before it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cinescope.types import Span


class Stretches:
    """`video` (N,) numbers of `names`; `start`, `end` (N,) seconds; sorted by video and start.

    `says(number)` is what one of them is, for people; `kinds` and `sources` name the kind and source of each.
    """

    def __init__(
        self,
        names: Sequence[str],
        video: np.ndarray,
        start: np.ndarray,
        end: np.ndarray,
        says: Callable[[int], str],
        kind: Callable[[int], str],
        source: Callable[[int], str],
    ) -> None:
        self.names = list(names)
        # By the id of some rows: these rows, and which of them touch a stretch. For row_sets.py to keep.
        self.masks: dict[int, tuple[Any, np.ndarray]] = {}
        order = np.lexsort((end, start, video))
        self.video, self.start, self.end = video[order], start[order], np.maximum(start, end)[order]
        self._order = order
        self._says, self._kind, self._source = says, kind, source
        first = np.searchsorted(self.video, np.arange(len(names) + 1))
        self._slices = {names[i]: (int(first[i]), int(first[i + 1])) for i in np.unique(self.video)}
        self.videos = frozenset(self._slices)
        # The furthest end so far within the video.
        self._furthest = self.end.copy()
        for low, high in self._slices.values():
            np.maximum.accumulate(self.end[low:high], out=self._furthest[low:high])

    def __len__(self) -> int:
        return len(self.start)

    def span(self, number: int) -> Span:
        return Span(float(self.start[number]), float(self.end[number]))

    def says(self, number: int) -> str:
        return self._says(int(self._order[number]))

    def kind_of(self, number: int) -> str:
        return self._kind(int(self._order[number]))

    def source_of(self, number: int) -> str:
        return self._source(int(self._order[number]))

    def overlap(self, video_id: str, span: Span) -> bool:
        """Whether any of the video's stretches shares time with the span, as `Span.overlaps` says."""
        low, high = self._slices.get(video_id, (0, 0))
        before = self._begun(low, high, span)
        if before == low:
            return False
        furthest = self._furthest[before - 1]
        return bool(furthest > span.start or (furthest == span.start and self._ends_as_instant(low, before, span)))

    def _begun(self, low: int, high: int, span: Span) -> int:
        """The number behind the last stretch that begins before the span ends, or where an instant is."""
        begins = self.start[low:high]
        if span.start == span.end:
            return low + int(np.searchsorted(begins, span.end, "right"))
        return low + int(np.searchsorted(begins, span.end, "left"))

    def _ends_as_instant(self, low: int, before: int, span: Span) -> bool:
        """An instant belongs to the span in which it lies, its start included."""
        ended = self.end[low:before] == span.start
        return bool((ended & (self.start[low:before] == span.start)).any())

    def overlapping(self, video_id: str, span: Span) -> list[tuple[int, Span]]:
        """(number, stretch) of those that share time with the span, by start."""
        low, high = self._slices.get(video_id, (0, 0))
        before = self._begun(low, high, span)
        # All before the first whose furthest end reaches the span have ended.
        low = min(before, low + int(np.searchsorted(self._furthest[low:before], span.start, "left")))
        return [(n, s) for n in range(low, before) if (s := self.span(n)).overlaps(span)]

    def of_video(self, video_id: str) -> list[tuple[int, Span]]:
        low, high = self._slices.get(video_id, (0, 0))
        return [(n, self.span(n)) for n in range(low, high)]


class Column:
    """The rows of one kind, as arrays; `data` is looked at as text, so that no row is parsed that is not asked for."""

    def __init__(self, table: Any, kind: str) -> None:
        import pyarrow.compute as pc

        videos = table["video_id"].combine_chunks().dictionary_encode()
        texts = table["text"].combine_chunks().dictionary_encode()
        sources = table["source"].combine_chunks().dictionary_encode()
        self.kind = kind
        self.names: list[str] = videos.dictionary.to_pylist()
        self.video: np.ndarray = videos.indices.to_numpy(zero_copy_only=False)
        self.start: np.ndarray = table["start"].to_numpy()
        self.end: np.ndarray = table["end"].to_numpy()
        self._texts: list[str] = texts.dictionary.to_pylist()
        self._text: np.ndarray = texts.indices.to_numpy(zero_copy_only=False)
        self._sources: list[str] = sources.dictionary.to_pylist()
        self._source: np.ndarray = sources.indices.to_numpy(zero_copy_only=False)
        self._data = table["data"]
        self._pc = pc

    def text(self, number: int) -> str:
        return self._texts[self._text[number]]

    def source(self, number: int) -> str:
        return self._sources[self._source[number]]

    def text_in(self, texts: Sequence[str]) -> np.ndarray:
        return np.isin(self._text, [i for i, text in enumerate(self._texts) if text in texts])

    def data_has(self, piece: str) -> np.ndarray:
        found: np.ndarray = self._pc.match_substring(self._data, piece).to_numpy()
        return found.astype(bool)

    def extracted(self, pattern: str) -> np.ndarray:
        """The number that the group `v` of a pattern finds in `data`, NaN where it finds none."""
        found = self._pc.extract_regex(self._data, pattern)
        if not len(found):
            return np.zeros(0)
        values: np.ndarray = self._pc.struct_field(found, "v").cast("float64").to_numpy()
        return values

    def number(self, name: str) -> np.ndarray:
        return self.extracted(rf'"{name}": (?P<v>-?[0-9.eE+-]+)')

    def numbers(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """All numbers of the list of that name in `data`, and of each the row that it is from."""
        if not len(self._data):
            return np.zeros(0), np.zeros(0, np.int64)
        pc = self._pc
        listed = pc.struct_field(pc.extract_regex(self._data, rf'"{name}": \[(?P<v>[^\]]+)\]'), "v")
        lists = pc.split_pattern(listed, ", ").combine_chunks()
        counts = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
        values: np.ndarray = pc.list_flatten(lists).cast("float64").to_numpy()
        return values, np.repeat(np.arange(len(counts)), counts)

    def where(self, mask: np.ndarray, says: Callable[[int], str]) -> Stretches:
        """The rows of the mask; `says` is asked with the number of the row."""
        kept = np.flatnonzero(mask)
        return Stretches(
            self.names,
            self.video[kept],
            self.start[kept],
            self.end[kept],
            lambda n: says(int(kept[n])),
            lambda n: self.kind,
            lambda n: self.source(int(kept[n])),
        )

    def counted(
        self, whole: dict[str, float], holds: Callable[[int], bool], least: float, says: Callable[[int], str]
    ) -> Stretches:
        """Stretches of each video's [0, whole) in which so many rows stand at the same time as `holds` allows."""
        found: list[tuple[int, float, float, int]] = []
        numbers = {name: i for i, name in enumerate(self.names)}
        names = [*self.names, *(v for v in whole if v not in numbers)]
        order = np.argsort(self.video, kind="stable")
        first = np.searchsorted(self.video[order], np.arange(len(self.names) + 1))
        for code, name in enumerate(names):
            until = whole.get(name)
            if until is None:
                continue
            mine = order[first[code] : first[code + 1]] if code < len(self.names) else order[:0]
            found += [(code, *run) for run in _counts(self.start[mine], self.end[mine], until, holds, least)]
        return _derived(names, found, lambda n: says(found[n][3]), self.kind, self._sources)


def _counts(
    start: np.ndarray, end: np.ndarray, until: float, holds: Callable[[int], bool], least: float
) -> list[tuple[float, float, int]]:
    """(start, end, the most at a time) of the stretches of [0, until) in which the count of open spans holds."""
    times = np.concatenate([[0.0], np.clip(start, 0, until), np.clip(end, 0, until), [until]])
    steps = np.concatenate([[0], np.ones(len(start), int), -np.ones(len(end), int), [0]])
    order = np.argsort(times, kind="stable")
    times, counts = times[order], np.cumsum(steps[order])
    runs: list[tuple[float, float, int]] = []
    for begin, after, count in zip(times[:-1], times[1:], counts[:-1], strict=True):
        if after <= begin or not holds(int(count)):
            continue
        if runs and runs[-1][1] == begin:
            runs[-1] = (runs[-1][0], float(after), max(runs[-1][2], int(count)))
        else:
            runs.append((float(begin), float(after), int(count)))
    return [run for run in runs if run[1] - run[0] >= least or run[1] - run[0] == until]


def gaps(rows: Column, stretches: Stretches, whole: dict[str, float], least: float, text: str) -> Stretches:
    """What of each video's [0, whole) none of these stretches of rows holds, in pieces of at least `least` seconds."""
    names = list(whole)
    found: list[tuple[int, float, float, int]] = []
    for code, name in enumerate(names):
        spans = [s for _, s in stretches.of_video(name)]
        start, end = np.array([s.start for s in spans]), np.array([s.end for s in spans])
        found += [(code, *run) for run in _counts(start, end, whole[name], lambda count: count == 0, least)]
    return _derived(names, found, lambda n: text, rows.kind, rows._sources)


def joined(
    rows: Column,
    row: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    value: np.ndarray,
    says: Callable[[float, float], str],
) -> Stretches:
    """Pieces of rows, those that touch as one; `says` is told the lowest and the highest value of a stretch."""
    video = rows.video[row]
    order = np.lexsort((start, video))
    video, start, end, value, row = video[order], start[order], end[order], value[order], row[order]
    begins = np.ones(len(video), bool)
    begins[1:] = (video[1:] != video[:-1]) | (start[1:] > end[:-1] + 1e-6)
    first = np.flatnonzero(begins)
    if not len(first):
        return Stretches(rows.names, video, start, end, str, str, str)
    low, high = np.minimum.reduceat(value, first), np.maximum.reduceat(value, first)
    return Stretches(
        rows.names,
        video[first],
        start[first],
        np.maximum.reduceat(end, first),
        lambda n: says(float(low[n]), float(high[n])),
        lambda n: rows.kind,
        lambda n: rows.source(int(row[first[n]])),
    )


def union(parts: Sequence[Stretches]) -> Stretches:
    """All stretches of all parts."""
    if len(parts) == 1:
        return parts[0]
    names = sorted(frozenset().union(*(p.videos for p in parts)))
    codes = {name: i for i, name in enumerate(names)}
    video = np.concatenate([_recoded(p, codes) for p in parts])
    first = np.cumsum([0, *(len(p) for p in parts)])

    def part(number: int) -> tuple[Stretches, int]:
        at = int(np.searchsorted(first, number, "right")) - 1
        return parts[at], number - int(first[at])

    def asked(what: str) -> Callable[[int], str]:
        def ask(number: int) -> str:
            of, at = part(number)
            said: str = getattr(of, what)(at)
            return said

        return ask

    start, end = np.concatenate([p.start for p in parts]), np.concatenate([p.end for p in parts])
    return Stretches(names, video, start, end, asked("says"), asked("kind_of"), asked("source_of"))


def _recoded(part: Stretches, codes: dict[str, int]) -> np.ndarray:
    video = np.zeros(len(part), np.int64)
    for name in part.videos:
        low, high = part._slices[name]
        video[low:high] = codes[name]
    return video


def _derived(
    names: Sequence[str],
    found: list[tuple[int, float, float, int]],
    says: Callable[[int], str],
    kind: str,
    sources: Sequence[str],
) -> Stretches:
    """Stretches that no single row says; their source is the newest of the kind."""
    about = np.array(found, np.float64).reshape(-1, 4)
    source = sources[-1] if sources else ""
    return Stretches(
        names, about[:, 0].astype(np.int64), about[:, 1], about[:, 2], says, lambda n: kind, lambda n: source
    )
