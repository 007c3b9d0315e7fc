"""Features of a file of any length, with memory that does not grow with it: stretch by stretch, joined by time.

Pictures are decoded once for all extractors and handed over in runs of frames. An extractor may say two things of
itself: `hop`, frames from row to row, and `window`, frames that a row sees; then runs begin at multiples of `hop` and
share `window - hop` frames. One that says nothing gets runs that share one frame, so that what describes the step from
a frame to the next (flow) loses none.

Sound is handed over in minutes. An extractor says `hop`, samples from row to row, and `reach`, the seconds around a row
that its numbers depend on; stretches begin on the grid of hops and are that much longer on both sides, and only the
rows that begin inside are kept. One that says no `reach` gets stretches of ten minutes that touch: its rows at the
seams see one side, and where its windows do not divide them the last ones are shorter. What depends on the whole clip
(`top_db`) depends on the stretch here.

Words and places come as one clip: they are small. Knows nothing of caches, files of results and catalogues.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.features.clips import ClipReader, Sample, frames_of
from cinescope.types import Clip, FeatureExtractor, Features, FrameNeed, Needs, Span, Video

Tell = Callable[[float, float], object]  # seconds of media done, of how many in all; what it raises stops the work

MINUTE = 60.0  # seconds of sound at once
LONG = 600.0  # seconds, for extractors that do not say what their rows depend on: a multiple of most windows
_RUN_BYTES = 64 << 20  # of pictures in one run
_RUN_FRAMES = 512


@dataclass(frozen=True, slots=True)
class Extracted:
    features: dict[str, Features]
    span: Span  # of the file that was looked at, in seconds
    video: Video
    warnings: tuple[str, ...]


def extract(
    path: str | Path,
    extractors: Mapping[str, FeatureExtractor],
    span: Span | None = None,
    tell: Tell = lambda done, total: None,
) -> Extracted:
    """What each extractor makes of the file, under its name in `extractors`. Raises what reading and they raise."""
    with ClipReader(path, [e.needs for e in extractors.values()], span) as reader:
        runs = {n: _Run(e, reader) for n, e in extractors.items() if e.needs.frames is not None}
        heard = {n: e for n, e in extractors.items() if n not in runs and e.needs.sound is not None}
        found: dict[str, list[Features]] = {name: [] for name in extractors}
        length, total = reader.span.duration, reader.span.duration * max(1, bool(runs) + len(heard))
        if runs:
            for until, samples in reader.pictures():
                for name, run in runs.items():
                    found[name] += run.feed(samples.get(run.need, ()))
                tell(min(until - reader.span.start, length), total)
            for name, run in runs.items():
                found[name] += run.finish()
        # Stretch by stretch in turn, the one that is furthest behind first: so they share what is decoded.
        hearing = {name: _hear(reader, extractor, found[name]) for name, extractor in heard.items()}
        at = dict.fromkeys(hearing, 0.0)
        while hearing:
            name = min(hearing, key=lambda n: at[n])
            if (done := next(hearing[name], None)) is None:
                del hearing[name]
            else:
                at[name] = done
                tell(bool(runs) * length + sum(at.values()), total)
        for name, extractor in extractors.items():
            if name not in runs and name not in heard:
                clip = reader.clip(Needs(subtitles=extractor.needs.subtitles), reader.span)
                found[name] = [extractor(clip)]
        video, whole = reader.video, reader.span
    features = {n: _joined(parts, extractors[n], video, whole) for n, parts in found.items()}
    return Extracted(features, whole, video, tuple(dict.fromkeys(reader.warnings)))


class _Run:
    """Frames of one extractor, handed over when there are enough of them."""

    def __init__(self, extractor: FeatureExtractor, reader: ClipReader) -> None:
        need = extractor.needs.frames
        assert need is not None
        self.need: FrameNeed = need
        self._extractor, self._video, self._end = extractor, reader.video, reader.span.end
        hop, window = getattr(extractor, "hop", None), getattr(extractor, "window", None)
        windowed = isinstance(hop, int) and isinstance(window, int)
        self._hop = int(hop) if windowed and hop is not None else 1
        self._shared = max(0, int(window) - self._hop) if windowed and window is not None else 1
        self._items: deque[Sample] = deque()

    def feed(self, samples: Any) -> list[Features]:
        self._items.extend(samples)
        made = []
        while self._items and len(self._items) >= (count := self._count()) + self._shared + 1:
            items = list(self._items)
            part = self._call(items[: count + self._shared])
            inside = part.times[:, 0] < items[count][0] - 1e-9
            made.append(_rows(part, inside))
            for _ in range(count):
                self._items.popleft()
        return made

    def finish(self) -> list[Features]:
        return [self._call(list(self._items))] if self._items else []

    def _count(self) -> int:
        most = min(_RUN_FRAMES, max(1, _RUN_BYTES // max(1, self._items[0][2].nbytes)))
        return max(self._hop, most // self._hop * self._hop)

    def _call(self, items: list[Sample]) -> Features:
        frames, durations = frames_of(items, self.need)
        span = Span(items[0][0], max(items[0][0], min(items[-1][0] + items[-1][1], self._end)))
        return self._extractor(Clip(span, frames, video=self._video, frame_durations=durations))


def _hear(reader: ClipReader, extractor: FeatureExtractor, made: list[Features]) -> Iterator[float]:
    """Puts the features of one stretch after the other into `made`, and gives the seconds done."""
    need = extractor.needs.sound
    assert need is not None
    rate = need.sample_rate
    hop, reach = getattr(extractor, "hop", None), getattr(extractor, "reach", None)
    if hop is None or reach is None:
        hop, reach, stretch = 1, 0.0, LONG
    else:
        stretch = MINUTE
    length = max(1, int(stretch * rate) // hop) * hop
    margin = math.ceil(reach * rate / hop) * hop
    origin, count = round(reader.span.start * rate), round(reader.span.duration * rate)
    for at in range(0, count, length):
        low, high = max(0, at - margin), min(count, at + length + margin)
        clip = reader.clip(Needs(sound=need), Span((origin + low) / rate, (origin + high) / rate))
        part = extractor(clip)
        first, last = (origin + at - 0.5) / rate, (origin + at + length - 0.5) / rate
        made.append(_rows(part, (part.times[:, 0] >= first) & (part.times[:, 0] < last)))
        yield min(count, at + length) / rate


def _rows(features: Features, chosen: np.ndarray) -> Features:
    if chosen.all():
        return features
    return Features(features.values[chosen], features.times[chosen], features.modality, features.source)


def _joined(parts: list[Features], extractor: FeatureExtractor, video: Video, span: Span) -> Features:
    if not parts:
        return extractor(Clip(span, video=video))  # nothing of what it needs is there: it says so itself
    first = parts[0]
    if len(parts) == 1:
        return first
    values, times = (np.concatenate([getattr(p, name) for p in parts]) for name in ("values", "times"))
    return Features(values, times, first.modality, first.source)
