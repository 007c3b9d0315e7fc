"""Finds where one shot ends and the next begins, in a stream of small pictures. Knows no segments and no files.

Pictures come in order; boundaries come out in order, each as soon as nothing that follows can change it, which is at
most LAG seconds of media later. What is decided does not depend on how the pictures were grouped. What is kept is
bounded by time, not by the video's length.

Three tests, each on what the others cannot see:

- a cut is one step that is large beside those around it, after which no picture resembles one before (a flash does)
  and whose edges are not those from before (under a new light they are);
- a fade is a flat black or white field that pictures shrink into or grow out of;
- a dissolve is a stretch whose pictures are mixtures of its two ends, with less detail than either.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from cinescope.features.signal.differences import BINS, coarse, distance, histograms, mixtures, same_view, step_energy

MIN_SHOT = 0.25  # seconds; of two boundaries closer than this the surer one stands

CONTEXT = 8  # pictures on each side that a cut is judged by
CONTEXT_SECONDS = 1.0  # but no further away than this
FLASH = 5  # pictures a flash may last, its dying away included

HALF_SECONDS = 1.6  # half the longest stretch that is tested for a dissolve
SAMPLE_SECONDS = 1 / 15  # dissolves are looked for in pictures at least this far apart
HALVES = (2, 3, 4, 6, 8, 11, 15, 20)  # half lengths tested, in such pictures

HOLD_SECONDS = 2.0  # a black field that stands longer is a shot of its own
RAMP_SECONDS = 2.0  # the longest one-sided fade that is followed out to its end

# Seconds after which a boundary is settled: a dissolve's test looks HALF_SECONDS ahead, where cuts must be decided
# (CONTEXT_SECONDS), and yields to a better one that may be centred a whole stretch later.
_TEST_SECONDS = HALF_SECONDS + CONTEXT_SECONDS + 0.05
_SETTLE_SECONDS = max(2 * HALF_SECONDS + _TEST_SECONDS, HOLD_SECONDS + 2 * RAMP_SECONDS) + MIN_SHOT
LAG = math.ceil(2 * _SETTLE_SECONDS) / 2

# Set on the even seeds of benchmarks/render_joins.py; benchmarks/shots.py reports on the odd ones.
CUT_STEP = 0.10  # a smaller step is no cut, whatever surrounds it
CUT_BASE, CUT_CALM = 0.22, 1.6  # a cut exceeds CUT_BASE and CUT_CALM times the steps around it
SAME_VIEW = 0.3  # share of agreeing blocks from which two pictures show the same view
FLAT = 4.0  # luma deviation, of 255, below which a picture is a field
BLACK, WHITE = 24.0, 231.0  # luma of such a field, at most and at least
MIX_DISTANCE = 0.06
FADE_REST = 0.35

SECOND_SECONDS = _SETTLE_SECONDS - MIN_SHOT

LIKENESS = 2 + BINS


@dataclass(frozen=True, slots=True)
class Boundary:
    """`time` is when the new shot begins; `start` and `end` hold the transition, equal to `time` for a cut."""

    time: float
    kind: str  # "cut", "fade" or "dissolve"
    score: float  # 0 to 1; found by itself from 0.5 on
    start: float
    end: float


@dataclass(slots=True, eq=False)
class _Pictures:
    """What is remembered of the last seconds, one row per picture."""

    times: np.ndarray  # (T,) float64, seconds
    luma: np.ndarray  # (T, H, W) uint8
    small: np.ndarray  # (T, 9, 16, 3) float32
    hist: np.ndarray  # (T, BINS) float32
    step: np.ndarray  # (T,) float32, distance from the picture before
    energy: np.ndarray  # (T,) float32
    level: np.ndarray  # (T, 2) float32, mean and deviation of luma
    sampled: np.ndarray  # (T,) bool: one of those that dissolves are looked for in

    def __len__(self) -> int:
        return len(self.times)

    def mapped(self, change: Any) -> _Pictures:
        return _Pictures(*(change(getattr(self, f.name)) for f in fields(self)))


def _no_pictures(height: int = 36, width: int = 64) -> _Pictures:
    return _Pictures(
        np.zeros(0, np.float64), np.zeros((0, height, width), np.uint8), np.zeros((0, 9, 16, 3), np.float32),
        np.zeros((0, BINS), np.float32), np.zeros(0, np.float32), np.zeros(0, np.float32),
        np.zeros((0, 2), np.float32), np.zeros(0, bool),
    )  # fmt: skip


class BoundaryFinder:
    """`push` pictures, `settle` to get the boundaries that are final.

    `second` is asked about each boundary with a score of at least `floor` before it is settled, when pictures up to
    `SECOND_SECONDS` after it are there; what it returns counts, from a score of 0.5 on.
    """

    def __init__(self, floor: float = 0.5, second: Callable[[Boundary], Boundary] | None = None) -> None:
        self._floor = min(floor, 0.5)
        self._second = second
        self._seen = _no_pictures()
        self._dropped = 0  # pictures forgotten before the first row of `_seen`
        self._next_cut = 1  # number of the first picture, counted from the start, not yet judged as a cut
        self._next_mix = 0  # the same for the centre of a dissolve
        self._next_flat = 0  # the same for flat fields
        self._run: list[float] | None = None  # the flat field that stands: start, level (0 or 255), 1 if announced
        self._cuts: list[Boundary] = []
        self._fades: list[Boundary] = []
        self._mixes: list[Boundary] = []
        self._ramps: list[tuple[float, float]] = []  # [start, end] of pictures growing out of a field, or into the last
        self._held: Boundary | None = None  # the last settled boundary, until none can come within MIN_SHOT
        self._settled = -math.inf

    @property
    def settled(self) -> float:
        """No boundary before this time is still to come."""
        return self._held.time if self._held is not None else self._settled

    def push(self, frames: np.ndarray, times: np.ndarray) -> np.ndarray:
        """uint8 yuv (T, H, W, 3) with rising times -> what each is like: detail, contrast, histogram, (T, LIKENESS)."""
        if not len(frames):
            return np.zeros((0, LIKENESS), np.float32)
        old = self._seen
        luma = np.ascontiguousarray(frames[..., 0])
        small, hist = coarse(frames), histograms(frames)
        before = slice(max(0, len(old) - 1), len(old))
        chain_small, chain_hist = np.concatenate([old.small[before], small]), np.concatenate([old.hist[before], hist])
        step = distance(chain_small[1:], chain_hist[1:], chain_small[:-1], chain_hist[:-1]).astype(np.float32)
        if len(step) < len(small):  # the very first picture has none before it
            step = np.concatenate([np.zeros(1, np.float32), step])
        level = np.column_stack([small[..., 0].mean((1, 2)), luma.reshape(len(luma), -1).std(1)]).astype(np.float32)
        last = old.times[np.flatnonzero(old.sampled)[-1]] if old.sampled.any() else -math.inf
        sampled = np.zeros(len(times), bool)
        for i, time in enumerate(times):
            if time >= last + SAMPLE_SECONDS - 1e-3:
                sampled[i], last = True, time
        energy = step_energy(luma)
        rows = (times, luma, small, hist, step, energy, level, sampled)
        self._seen = _Pictures(
            *(np.concatenate([getattr(old, f.name), r]) for f, r in zip(fields(old), rows, strict=True))
        )
        return np.column_stack([energy, level[:, 1], hist])

    def settle(self, now: float = math.inf) -> list[Boundary]:
        """The boundaries that nothing to come can change, when all pictures before `now` have been pushed."""
        if not len(self._seen):
            return []
        self._judge_cuts(now)
        self._judge_fields(now)
        self._judge_mixes(now)
        made = self._resolve(now - _SETTLE_SECONDS + MIN_SHOT)
        if math.isinf(now) and self._held is not None:
            made.append(self._held)
            self._held = None
        self._forget(now)
        return made

    def _alike(self, i: int, j: int) -> bool:
        luma, small = self._seen.luma, self._seen.small
        return same_view(luma[i], luma[j], small[i], small[j]) >= SAME_VIEW

    # Cuts

    def _judge_cuts(self, now: float) -> None:
        seen = self._seen
        times, step = seen.times, seen.step
        first = self._next_cut - self._dropped
        stop = int(np.searchsorted(times, now - CONTEXT_SECONDS))
        for i in (np.flatnonzero(step[: max(stop, first)][first:] > CUT_STEP) + first).tolist():
            score, new = self._cut_score(i, i), i
            if score < 0.5 and i + 1 < len(step) and step[i + 1] > CUT_STEP:
                # Rate conversion and interlacing leave one picture that is part of both shots.
                share = self._share_of_next(i)
                mixed = self._cut_score(i, i + 1) if share is not None else 0.0
                if share is not None and mixed > score:
                    score, new = mixed, i if share >= 0.5 else i + 1
            if score >= self._floor:
                time = float(times[new])
                self._cuts.append(Boundary(time, "cut", score, time, time))
        self._next_cut = max(self._next_cut, stop + self._dropped)

    def _share_of_next(self, i: int) -> float | None:
        """The share of picture i + 1 in picture i, where that is a mixture of its neighbours; else None."""
        small = self._seen.small
        change, part = (small[i + 1] - small[i - 1]).ravel(), (small[i] - small[i - 1]).ravel()
        power = float(change @ change) + 1e-6
        share = float(part @ change) / power
        rest = part - share * change
        return share if 0.1 < share < 0.9 and float(rest @ rest) < 0.15 * power else None

    def _cut_score(self, i: int, j: int) -> float:
        """How sure a shot ends before picture `i` and the next one begins with picture `j`."""
        seen = self._seen
        times, step = seen.times, seen.step
        left = max(1, i - CONTEXT, int(np.searchsorted(times, times[i] - CONTEXT_SECONDS)))
        right = min(i + CONTEXT + 1, int(np.searchsorted(times, times[i] + CONTEXT_SECONDS)))
        right = max(right, j + 1)
        around = np.sort(np.concatenate([step[left:i], step[j + 1 : right]]))
        # The second largest: one true cut nearby does not make restless surroundings. A mixed picture is believed in
        # quiet ones only.
        calm = float(around[-2 if i == j else -1]) if len(around) > 1 else 0.0
        if step[i : j + 1].sum() < 1.2 * calm:
            return 0.0
        before, after = np.arange(max(left - 1, i - 4), i), np.arange(j, min(j + FLASH + 1, right))
        apart = distance(
            seen.small[before][:, None], seen.hist[before][:, None], seen.small[after][None], seen.hist[after][None]
        )
        ratio = float(apart.min()) / (CUT_BASE + CUT_CALM * calm)
        score = ratio / (1 + ratio)
        if score >= self._floor and any(self._alike(i - 1, k) for k in {j, min(j + 3, right - 1), right - 1}):
            return 0.0
        return score

    # Fades

    def _field_of(self, i: int) -> float | None:
        mean, deviation = self._seen.level[i]
        if deviation >= FLAT:
            return None
        return 0.0 if mean <= BLACK else 255.0 if mean >= WHITE else None

    def _judge_fields(self, now: float) -> None:
        times = self._seen.times
        i = self._next_flat - self._dropped
        while i < len(times) and times[i] < now - RAMP_SECONDS:
            field = self._field_of(i)
            time = float(times[i])
            if self._run is not None and field != self._run[1]:
                self._end_run(time, i)
            if self._run is None and field is not None:
                self._run = [time, field, 0.0]
            if self._run is not None and not self._run[2] and time - self._run[0] > HOLD_SECONDS:
                self._announce_run()
            i += 1
        self._next_flat = i + self._dropped
        if math.isinf(now) and self._run is not None and not self._run[2]:
            # The video ends in a field: what leads there is its end, no boundary.
            first = int(np.searchsorted(times, self._run[0]))
            far, soft = self._ramp(first - 1, -1, self._run[1]) if first else (0, False)
            if soft:
                self._ramps.append((float(times[far]), self._run[0]))

    def _ramp(self, edge: int, way: int, field: float) -> tuple[int, bool]:
        """Follow the pictures from a field's `edge` out: index where they are whole, and whether they fade there."""
        seen = self._seen
        stop = edge
        while 0 <= stop < len(seen) and abs(seen.times[stop] - seen.times[edge]) <= RAMP_SECONDS:
            stop += way
        rows = np.arange(edge, stop, way)
        if not len(rows):
            return edge, False
        heights = np.abs(seen.level[rows, 0] - field)
        if heights.max() < 12:
            return edge, False
        # Where it stops growing: the first height near the largest of what stands close by.
        far = int(np.argmax(heights >= 0.85 * heights.max()))
        between = rows[:far][(heights[:far] > 0.08 * heights[far]) & (heights[:far] < 0.85 * heights[far])]
        if len(between) < 2:
            return int(rows[far]), False
        # A fade shows the whole picture, weaker; a camera that passes a dark wall shows something else.
        blank = np.array([field, 128.0, 128.0], np.float32)
        whole = (seen.small[rows[far]] - blank).ravel()
        parts = (seen.small[between] - blank).reshape(len(between), -1)
        share = parts @ whole / (whole @ whole)
        rest = np.linalg.norm(parts - share[:, None] * whole, axis=1) / np.linalg.norm(whole)
        return int(rows[far]), bool(rest.max() < FADE_REST)

    def _announce_run(self) -> None:
        """A field has stood for HOLD_SECONDS: it is a shot, which began where the field did."""
        assert self._run is not None
        start, field, _ = self._run
        self._run[2] = 1.0
        first = int(np.searchsorted(self._seen.times, start))
        if first > 0:
            far, soft = self._ramp(first - 1, -1, field)
            if soft:
                self._fades.append(Boundary(start, "fade", 0.9, float(self._seen.times[far]), start))

    def _end_run(self, end: float, i: int) -> None:
        """The field [start, end) is over; picture `i` is the first after it."""
        assert self._run is not None
        start, field, announced = self._run
        self._run = None
        times, level = self._seen.times, self._seen.level
        j, soft_after = self._ramp(i, 1, field)
        if announced:
            if soft_after:
                self._fades.append(Boundary(end, "fade", 0.9, end, float(times[j])))
            return
        first = int(np.searchsorted(times, start))
        if first == 0 and self._dropped == 0:  # the video begins with it: no boundary
            if soft_after:
                self._ramps.append((end, float(times[j])))
            return
        k, soft_before = self._ramp(first - 1, -1, field) if first else (0, False)
        if field == 0:
            # Black is an end even where the same view comes back, but a moment of black may be a fault.
            if not (soft_before or soft_after) or (end - start < 0.2 and self._alike(k, j)):
                return
        # White is so only where pictures go into it and come out of it: a flash comes at once.
        elif not (soft_before and soft_after) or self._alike(k, j):
            return
        elif max(level[k, 1], level[j, 1]) < FLAT:
            return  # nothing but flat fields on both sides
        middle = times[int(np.searchsorted(times, (start + end) / 2 - 1e-6))]
        self._fades.append(Boundary(float(middle), "fade", 0.9, float(times[k]), float(times[j])))

    # Dissolves

    def _judge_mixes(self, now: float) -> None:
        seen = self._seen
        rows = np.flatnonzero(seen.sampled)
        times = seen.times[rows]
        first = int(np.searchsorted(rows, self._next_mix - self._dropped))
        stop = int(np.searchsorted(times, now - _TEST_SECONDS))
        if stop <= first:
            return
        small = seen.small[rows].reshape(len(rows), -1) / 255
        energy = seen.energy[rows]
        cuts = np.array([c.time for c in self._cuts if c.score >= 0.5])
        best: dict[int, Boundary] = {}
        for half in HALVES:
            centres = np.arange(max(first, half), min(stop, len(rows) - half))
            if not len(centres):
                continue
            start, end = times[centres - half], times[centres + half]
            fits = (times[centres] - start <= HALF_SECONDS) & (end - times[centres] <= HALF_SECONDS)
            fits &= np.searchsorted(cuts, start, "right") == np.searchsorted(cuts, end, "right")
            centres = centres[fits]
            if not len(centres):
                continue
            mix = mixtures(small, energy, centres, half)
            scores = mix_score(mix.distance, mix.residual, mix.dip)
            good = (scores >= self._floor) & (mix.distance >= MIX_DISTANCE)
            good &= (mix.shares[1] > 0.25) & (mix.shares[1] < 0.75)
            for k in np.flatnonzero(good):
                c = int(centres[k])
                if c in best and best[c].score >= scores[k]:
                    continue
                a, b = rows[c - half], rows[c + half]
                if self._alike(a, b) or min(seen.level[a, 1], seen.level[b, 1]) < FLAT:
                    continue
                best[c] = self._measured(int(a), int(b), float(times[c]), float(scores[k]))
        self._mixes += [best[c] for c in sorted(best)]
        self._next_mix = int(rows[stop]) + self._dropped if stop < len(rows) else len(seen) + self._dropped

    def _measured(self, a: int, b: int, centre: float, score: float) -> Boundary:
        """The dissolve that was found between pictures `a` and `b`, with where it begins, is half over and ends."""
        seen = self._seen
        small = seen.small[a : b + 1].reshape(b - a + 1, -1)
        change = small[-1] - small[0]
        share = (small - small[0]) @ change / (change @ change + 1e-6)
        start, end = float(seen.times[a]), float(seen.times[b])
        mixed = (share > 0.15) & (share < 0.85)
        if mixed.sum() >= 3:
            # Shares grow in a line; where it meets 0 and 1 the mixing begins and ends, which may be outside.
            slope, offset = np.polyfit(seen.times[a : b + 1][mixed], share[mixed], 1)
            if slope > 0:
                start = float(min(max(-offset / slope, centre - HALF_SECONDS), centre))
                end = float(max(min((1 - offset) / slope, centre + HALF_SECONDS), centre))
        middle = min(max((start + end) / 2, float(seen.times[a])), float(seen.times[b]))
        middle = float(seen.times[int(np.searchsorted(seen.times, middle - 1e-6))])
        return Boundary(middle, "dissolve", score, min(start, middle), max(end, middle))

    # All together

    def _resolve(self, until: float) -> list[Boundary]:
        """Settle what lies before `until`."""
        fades = self._fades
        growing = [*((f.start, f.end) for f in fades), *self._ramps]
        cuts = [c for c in self._cuts if not any(start - 0.1 <= c.time <= end + 0.05 for start, end in growing)]
        mixes = [
            m
            for m in self._mixes
            if not any(f.start <= m.end and m.start <= f.end for f in fades)
            and not any(start <= m.time <= end for start, end in self._ramps)
            and not any(m.start < c.time < m.end and c.score >= 0.5 for c in cuts)
        ]
        cuts = [c for c in cuts if c.score >= 0.5 or not any(m.start < c.time < m.end for m in mixes)]
        mixes = [
            m
            for i, m in enumerate(mixes)
            if not any(
                o.start < m.end and m.start < o.end and (o.score, -j) > (m.score, -i)
                for j, o in enumerate(mixes)
                if j != i
            )
        ]
        made: list[Boundary] = []
        found_now = sorted((b for b in [*cuts, *fades, *mixes] if self._settled <= b.time < until), key=_when)
        for found in map(self._second, found_now) if self._second is not None else found_now:
            if found.score < 0.5:
                continue
            if self._held is not None and found.time - self._held.time < MIN_SHOT:
                if found.score > self._held.score:
                    self._held = found
                continue
            if self._held is not None:
                made.append(self._held)
            self._held = found
        self._settled = max(self._settled, until)
        if self._held is not None and self._held.time + MIN_SHOT <= self._settled:
            made.append(self._held)
            self._held = None
        return made

    def _forget(self, now: float) -> None:
        """Drop what no test looks back at any more."""
        oldest = now - 2 * _SETTLE_SECONDS
        self._cuts = [c for c in self._cuts if c.time > oldest]
        self._fades = [f for f in self._fades if f.end > oldest]
        self._mixes = [m for m in self._mixes if m.end > oldest]
        self._ramps = [r for r in self._ramps if r[1] > oldest]
        back = now - _TEST_SECONDS - max(HALF_SECONDS, HOLD_SECONDS + RAMP_SECONDS) - 2 * RAMP_SECONDS
        # Where pictures stand for long, the last ones are old and still what the next is compared with.
        drop = min(int(np.searchsorted(self._seen.times, back)), len(self._seen) - CONTEXT - 1)
        if drop > 0:
            self._seen = self._seen.mapped(lambda rows: rows[drop:])
            self._dropped += drop

    def state(self) -> dict[str, Any]:
        def plain(boundaries: list[Boundary]) -> list[list[Any]]:
            return [[b.time, b.kind, b.score, b.start, b.end] for b in boundaries]

        return {
            "seen": {f.name: getattr(self._seen, f.name).copy() for f in fields(self._seen)},
            "counts": [self._dropped, self._next_cut, self._next_mix, self._next_flat],
            "run": self._run,
            "cuts": plain(self._cuts), "fades": plain(self._fades), "mixes": plain(self._mixes),
            "ramps": [list(r) for r in self._ramps],
            "held": plain([self._held] if self._held else []),
            "settled": None if math.isinf(self._settled) else self._settled,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._seen = replace(self._seen, **{name: np.asarray(rows) for name, rows in state["seen"].items()})
        self._dropped, self._next_cut, self._next_mix, self._next_flat = (int(n) for n in state["counts"])
        self._run = None if state["run"] is None else [float(v) for v in state["run"]]
        self._cuts, self._fades, self._mixes = ([Boundary(*b) for b in state[n]] for n in ("cuts", "fades", "mixes"))
        self._ramps = [(float(a), float(b)) for a, b in state["ramps"]]
        self._held = Boundary(*state["held"][0]) if state["held"] else None
        self._settled = -math.inf if state["settled"] is None else float(state["settled"])


def _when(boundary: Boundary) -> float:
    return boundary.time


def mix_score(apart: np.ndarray, residual: np.ndarray, dip: np.ndarray) -> np.ndarray:
    """How sure a stretch is a dissolve, 0 to 1, from the fields of `Mix`."""
    cost = residual / 0.36 + np.maximum(dip - 0.5, 0) / 0.5
    return np.asarray(1 / (1 + np.exp(np.minimum(4 * (cost - 0.79) - 4 * np.minimum(apart - MIX_DISTANCE, 0.1), 50))))
