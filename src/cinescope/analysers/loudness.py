"""How loud it is, by EBU R 128, and where it is silent. Knows nothing of what sounds.

Makes the kind "loudness", one segment every 10 s: `data.momentary` (the highest of each second) and `data.short_term`
(at the end of each second) in LUFS, `data.loudness` of the whole segment, `data.true_peak` in dBTP. At the end one
"loudness_programme" over all: `data.integrated` (LUFS), `data.range` (LU, Tech 3342), `data.true_peak`; the first two
are None where nothing was above the absolute gate. And "silence": stretches below `data.below` LUFS.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cinescope.features.signal.ebur128 import (
    FLOOR,
    RATE,
    UNIT,
    UNITS_PER_HOP,
    Gate,
    k_weight,
    lufs,
    power_of,
    unit_powers,
)
from cinescope.features.signal.true_peak import HISTORY, true_peak
from cinescope.types import BadQueryError, Material, Needs, Segment, SoundNeed, Source, Span, Window

HOP = UNIT * UNITS_PER_HOP  # samples: 100 ms
MOMENTARY = 4  # hops: 400 ms, EBU Tech 3341
SHORT_TERM = 30  # hops: 3 s, EBU Tech 3341
SECOND = 10  # hops
STRETCH = 10 * SECOND  # hops in a segment
UNSTATED_TAIL = 2.0  # seconds: how much silence a window may add behind sound whose end nobody states


class Loudness:
    """`silence_level` in LUFS (K-weighted, in steps of 10 ms); `min_silence` in seconds."""

    name = "loudness"
    version = "1"
    summary = "loudness by EBU R 128 with true peak, and where it is silent"
    cost = "listens to all sound at 48 kHz, about 300 times faster than it plays on one core"
    requires = ""
    by_default = True
    needs = Needs(sound=SoundNeed(RATE, None))

    def __init__(self, silence_level: float = -50.0, min_silence: float = 0.5) -> None:
        if not FLOOR < silence_level < 0:
            raise BadQueryError(f"loudness: silence_level is {silence_level}", "give LUFS between -120 and 0")
        if not 0.02 <= min_silence <= 3600:
            raise BadQueryError(f"loudness: min_silence is {min_silence} s", "give 0.02 to 3600 seconds")
        self._settings = {"silence_level": float(silence_level), "min_silence": float(min_silence)}
        self._quiet_below = power_of(silence_level)
        self._min_silence = min_silence
        self._clear()

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, dict(self._settings))

    def _clear(self) -> None:
        self._origin: float | None = None  # seconds, of sample 0
        self._stated = -math.inf  # seconds: where the container says that the sound ends
        self._first_stated = math.inf  # seconds: where it says that it begins
        self._begin = 0.0  # seconds: nothing is told before
        self._until: float | None = None  # seconds: the end as the container says
        self._channels = 0
        self._rest = np.zeros((0, 0), np.float32)  # samples that do not fill a hop yet
        self._filter = np.zeros((0, 4))
        self._before = np.zeros((0, HISTORY), np.float32)
        self._hops = 0  # done
        self._recent = np.zeros(0)  # powers of the last SHORT_TERM hops
        self._first: int | None = None  # hop where sound begins
        self._sounded = 0.0  # seconds: the end of the last sample that is not zero
        self._blocks, self._spans = Gate(), Gate()
        self._held_blocks = np.zeros(0)  # powers behind the sound, which count only when it goes on
        self._held_spans = np.zeros(0)
        self._highest = 0.0  # true peak of what was told, linear
        self._high = 0.0  # and of the running stretch
        self._curve: list[list[float]] = []  # power, momentary, short-term of the hops of the running stretch
        self._quiet: int | None = None  # unit where the running silence began
        self._quiet_power = 0.0
        self._units = 0
        self._told = 0  # stretches

    def begin(self, material: Material) -> None:
        self._clear()
        video = material.video
        self._begin = video.start
        self._until = video.duration
        stream = video.first("audio")
        if stream is not None and stream.start is not None:
            self._first_stated = stream.start
            if stream.duration is not None:
                self._stated = stream.start + stream.duration

    def feed(self, window: Window) -> list[Segment]:
        if window.sound is not None:
            samples = np.nan_to_num(window.sound.data, nan=0.0, posinf=1.0, neginf=-1.0)
            if self._origin is None:
                self._open(window.sound.start, len(samples))
        elif self._origin is None:
            return []
        else:
            samples = np.zeros((self._channels, round(window.span.duration * RATE)), np.float32)
        joined = np.concatenate([self._rest, samples], axis=1)
        whole = joined.shape[1] // HOP * HOP
        self._rest = joined[:, whole:].copy()
        return self._hear(joined[:, :whole]) if whole else []

    def finish(self) -> list[Segment]:
        if self._origin is None:
            return []
        made: list[Segment] = []
        heard = self._at(self._hops * HOP + self._rest.shape[1])
        if self._rest.shape[1]:
            self._note(self._rest, self._hops * HOP)
            self._high, self._before = true_peak(self._rest, self._before, self._high)
            units = self._rest.shape[1] // UNIT
            if units:
                weighted, _ = k_weight(self._rest[:, : units * UNIT], self._filter)
                made += self._silences(unit_powers(weighted))
        # What sounds up to the very last samples goes on for half the filter between them.
        tail = np.zeros((self._channels, HISTORY), np.float32)
        self._high, _ = true_peak(tail, self._before, self._high)
        end = self._end(heard)
        if self._quiet is not None:
            made += self._silence(end, self._units)
        if self._curve or not self._told:
            made += self._stretch(end)
        self._highest = max(self._highest, self._high)
        integrated, spread = self._blocks.integrated(), self._spans.spread()
        data = {
            "integrated": None if integrated is None else round(integrated, 2),
            "range": None if spread is None else round(spread, 2),
            "true_peak": _decibels(self._highest, 2),
        }
        start = min(max(self._origin, self._begin), end)
        made.append(Segment(Span(start, end), "loudness_programme", self.source, data=data))
        self._clear()
        return made

    def _open(self, start: float, channels: int) -> None:
        self._origin, self._channels = start, channels
        self._rest = np.zeros((channels, 0), np.float32)
        self._filter = np.zeros((channels, 4))
        self._before = np.zeros((channels, HISTORY), np.float32)
        self._sounded = start

    def _at(self, sample: int) -> float:
        return (self._origin or 0.0) + sample / RATE

    def _end(self, heard: float) -> float:
        """Where the video ends: windows are whole seconds, and what is behind the video is not silence of it."""
        if self._until is not None:
            return min(heard, max(self._until, self._sounded))
        return max(self._sounded, heard - UNSTATED_TAIL)

    def _note(self, samples: np.ndarray, offset: int) -> None:
        sounding = np.flatnonzero(samples.any(axis=0))
        if len(sounding):
            self._sounded = self._at(offset + int(sounding[-1]) + 1)

    def _hear(self, samples: np.ndarray) -> list[Segment]:
        """(C, a number of hops)."""
        offset = self._hops * HOP
        self._note(samples, offset)
        weighted, self._filter = k_weight(samples, self._filter)
        units = unit_powers(weighted)
        made = self._silences(units)
        powers = units.reshape(-1, UNITS_PER_HOP).mean(axis=1)
        sounding = np.abs(samples).reshape(self._channels, -1, HOP).max(axis=(0, 2)) > 0
        known = np.concatenate([self._recent, powers])
        before = len(self._recent)
        for number, power in enumerate(powers):
            here = before + number + 1
            block = known[max(0, here - MOMENTARY) : here]
            stretch = known[max(0, here - SHORT_TERM) : here]
            self._gate(block, stretch, bool(sounding[number]))
            piece = samples[:, number * HOP : (number + 1) * HOP]
            self._high, self._before = true_peak(piece, self._before, self._high)
            self._curve.append([float(power), float(block.mean()), float(stretch.mean())])
            self._hops += 1
            if self._hops % STRETCH == 0:
                made += self._stretch(self._at(self._hops * HOP))
        self._recent = known[-SHORT_TERM:].copy()
        return made

    def _gate(self, block: np.ndarray, stretch: np.ndarray, sounding: bool) -> None:
        """Count the blocks that end with this hop. Those with what is before or behind the sound do not count."""
        begin, end = self._at(self._hops * HOP), self._at((self._hops + 1) * HOP)
        if self._first is None:
            if not sounding and begin < self._first_stated:
                return
            self._first = self._hops
        heard = self._hops + 1 - self._first
        blocks = block.mean(keepdims=True) if heard >= MOMENTARY else np.zeros(0)
        spans = stretch.mean(keepdims=True) if heard >= SHORT_TERM else np.zeros(0)
        if not sounding and end > self._stated:
            # After so long there is nothing left in them that could count.
            self._held_blocks = np.concatenate([self._held_blocks, blocks])[:MOMENTARY]
            self._held_spans = np.concatenate([self._held_spans, spans])[:SHORT_TERM]
            return
        self._blocks.add(np.concatenate([self._held_blocks, blocks]))
        self._spans.add(np.concatenate([self._held_spans, spans]))
        self._held_blocks = self._held_spans = np.zeros(0)

    def _stretch(self, end: float) -> list[Segment]:
        """What was heard since the last one, up to `end`: behind it is only what fills the last window."""
        begun = self._at(self._hops * HOP) - len(self._curve) * HOP / RATE
        start, first = max(self._begin, begun), self._told == 0
        hops = max(0, round((end - begun) * RATE / HOP))
        curve = np.array(self._curve[:hops]).reshape(-1, 3)
        seconds = range(0, len(curve), SECOND)
        data = {
            "loudness": _rounded(curve[:, 0].mean() if len(curve) else 0.0),
            "momentary": [_rounded(curve[at : at + SECOND, 1].max()) for at in seconds],
            "short_term": [_rounded(curve[at : at + SECOND, 2][-1]) for at in seconds],
            "true_peak": _decibels(self._high, 1),
        }
        self._highest, self._high = max(self._highest, self._high), 0.0
        self._curve = []
        if end <= start or (hops < MOMENTARY and not first):  # shorter than momentary loudness needs
            return []
        self._told += 1
        return [Segment(Span(start, end), "loudness", self.source, data=data)]

    def _silences(self, units: np.ndarray) -> list[Segment]:
        made: list[Segment] = []
        quiet = units < self._quiet_below
        changes = np.flatnonzero(np.diff(quiet, prepend=self._quiet is not None))
        for begin, end in zip([0, *changes], [*changes, len(units)], strict=True):
            if begin == end:
                continue
            if quiet[begin]:
                self._quiet = self._units + int(begin) if self._quiet is None else self._quiet
                self._quiet_power += float(units[begin:end].sum())
            elif self._quiet is not None:
                made += self._silence(self._at((self._units + int(begin)) * UNIT), self._units + int(begin))
        self._units += len(units)
        return made

    def _silence(self, end: float, unit: int) -> list[Segment]:
        """The running silence, which ends at `end` seconds, before the unit of that number."""
        assert self._quiet is not None
        start = max(self._begin, self._at(self._quiet * UNIT))
        level = float(lufs(self._quiet_power / max(1, unit - self._quiet)))
        self._quiet, self._quiet_power = None, 0.0
        if end - start < self._min_silence - 1e-9:
            return []
        data = {"below": self._settings["silence_level"], "level": round(level, 1)}
        return [Segment(Span(start, end), "silence", self.source, data=data)]

    def state(self) -> dict[str, Any]:
        return {
            "origin": self._origin, "channels": self._channels, "rest": self._rest.copy(),
            "filter": self._filter.copy(), "before": self._before.copy(), "hops": self._hops,
            "recent": self._recent.copy(), "first": self._first, "sounded": self._sounded,
            "blocks": self._blocks.state(), "spans": self._spans.state(),
            "held_blocks": self._held_blocks.copy(), "held_spans": self._held_spans.copy(),
            "highest": self._highest, "high": self._high,
            "curve": [list(c) for c in self._curve], "quiet": self._quiet, "quiet_power": self._quiet_power,
            "units": self._units, "told": self._told,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._origin, self._channels = state["origin"], int(state["channels"])
        self._rest = np.array(state["rest"], np.float32)
        self._filter = np.array(state["filter"], np.float64)
        self._before = np.array(state["before"], np.float32)
        self._hops, self._first, self._sounded = int(state["hops"]), state["first"], float(state["sounded"])
        self._recent = np.array(state["recent"], np.float64)
        self._blocks.restore(state["blocks"])
        self._spans.restore(state["spans"])
        self._held_blocks = np.array(state["held_blocks"], np.float64)
        self._held_spans = np.array(state["held_spans"], np.float64)
        self._highest, self._high = float(state["highest"]), float(state["high"])
        self._curve = [[float(v) for v in c] for c in state["curve"]]
        self._quiet, self._quiet_power = state["quiet"], float(state["quiet_power"])
        self._units, self._told = int(state["units"]), int(state["told"])


def _rounded(power: float) -> float:
    return round(float(lufs(power)), 1)


def _decibels(peak: float, digits: int) -> float:
    return round(max(FLOOR, 20 * math.log10(max(peak, 1e-12))), digits)
