"""What kind of sound there is: silence, speech, music, noise or applause. Hears one channel at 16 kHz.

Makes the kind "sound": `text` says which, `data.also` what sounds besides (music under speech), `score` how sure.
Whether somebody speaks is what `voice` says; the others are told apart by a small net of this project
(features/signal/sound_classes.py), second by second. A single tone and singing count as music.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from cinescope.features.signal.sound_classes import KINDS, net
from cinescope.features.signal.sound_descriptors import HOP, PER_SECOND, PULSE, RATE, SIZE, describe, envelope, spectra
from cinescope.types import BadQueryError, Material, Needs, Segment, SoundNeed, Source, Span, Window

STEP = RATE // 2  # samples between the seconds that are judged
REACH = SIZE // 2  # samples before and after a second that its spectra need
SMOOTH = 2  # seconds that are judged together with their neighbours this many steps away
# Seconds after which every voice segment that overlaps is told: `voice` ends one after 30 s at the latest, and tells
# it a window later. Waiting here keeps a few numbers; a look-back would keep the pictures of 34 s in memory.
WAIT = 34.0
SPEAKING = 0.5  # share of a step that must be speech
ALONG = 0.5  # likelihood from which music under speech is told
PAUSE = 1.5  # seconds without a voice that belong to somebody's speaking
SURE = 0.6  # likelihood that a change of kind needs, and applause always: knocks and barks look like it for a moment
STAYING = 0.2  # likelihood with which a kind goes on while no other is sure
UNSTATED_TAIL = 2 * RATE  # samples of silence that a window may add behind sound whose end nobody states
LEAST = 0.25  # seconds of sound that say anything


@dataclass(slots=True)
class _Run:
    label: str
    start: float
    end: float
    steps: int = 1
    score: float = 0.0
    along: int = 0  # steps with music under the speech

    def add(self, other: _Run) -> None:
        self.end = other.end
        self.steps += other.steps
        self.score += other.score
        self.along += other.along


class SoundKinds:
    """`silence_level`: dBFS (mean square of a second) below which it is silent; `shortest`: seconds of a segment."""

    name = "sound_kinds"
    version = "1"
    summary = "kinds of sound: silence, speech, music, noise, applause"
    cost = "listens to all sound at 16 kHz, about 200 times faster than it plays on one core"
    requires = ""
    by_default = True
    needs = Needs(sound=SoundNeed(RATE, 1), tracks=("voice",))

    def __init__(self, silence_level: float = -60.0, shortest: float = 1.0) -> None:
        if not -120 < silence_level < 0:
            raise BadQueryError(f"sound_kinds: silence_level is {silence_level}", "give dBFS between -120 and 0")
        if not 0.5 <= shortest <= 60:
            raise BadQueryError(f"sound_kinds: shortest is {shortest} s", "give 0.5 to 60 seconds")
        self._settings = {"silence_level": float(silence_level), "shortest": float(shortest)}
        self._clear()

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, {**self._settings, "model": f"sound_classes {net().version}"})

    def _clear(self) -> None:
        self._origin: float | None = None  # seconds, of sample 0
        self._limit = np.inf  # seconds: the end of the video where the container says
        self._begin = 0.0
        self._kept = np.zeros(REACH, np.float32)  # samples from REACH before the next second to judge
        self._next = 0  # the number of that second, STEP samples each
        self._heard = 0  # samples fed
        self._sounding = 0  # samples up to the last that is not zero
        # One row a judged second: its number, level in dBFS, likelihood of each of KINDS. The first SMOOTH of them
        # are decided and wait as neighbours.
        self._rows = np.zeros((0, 2 + len(KINDS)))
        self._decided = 0  # rows that are
        self._voices: deque[tuple[float, float]] = deque()
        self._kind = ""  # the last of music, noise, applause
        self._run: _Run | None = None
        self._other: _Run | None = None

    def begin(self, material: Material) -> None:
        self._clear()
        self._begin = material.video.start
        self._limit = material.video.duration or np.inf

    def feed(self, window: Window) -> list[Segment]:
        self._voices.extend((s.span.start, s.span.end) for s in window.tracks.get("voice", ()))
        if window.sound is not None:
            samples = np.nan_to_num(window.sound.data[0], nan=0.0, posinf=1.0, neginf=-1.0)
            if self._origin is None:
                self._origin = window.sound.start
        elif self._origin is None:
            return []
        else:
            samples = np.zeros(round(window.span.duration * RATE), np.float32)
        sounding = np.flatnonzero(samples)
        if len(sounding):
            self._sounding = self._heard + int(sounding[-1]) + 1
        self._heard += len(samples)
        self._kept = np.concatenate([self._kept, samples])
        self._judge()
        return self._decide(window.span.end - WAIT)

    def finish(self) -> list[Segment]:
        if self._origin is None:
            return []
        end = self._end()
        self._kept = np.concatenate([self._kept, np.zeros(REACH, np.float32)])
        self._judge()
        # The last second may be a part of one: it is judged by what there is of it.
        left = self._usable() - self._next * STEP
        fresh = left - RATE + STEP if self._next else left
        if fresh >= LEAST * RATE:
            size = min(left, RATE) // HOP * HOP
            part = np.pad(self._kept[: REACH + size], (0, REACH))
            self._keep(self._next, part[REACH : REACH + size], spectra(part)[: size // HOP])
        made = self._decide(np.inf)
        if self._run is not None:
            if self._other is not None:
                self._run.add(self._other)
            self._run.end = end
            made += self._tell(self._run)
        self._clear()
        return made

    def _usable(self) -> int:
        """Samples before the end of the video: what fills the last window behind it is no silence of it."""
        if np.isfinite(self._limit):
            return min(self._heard, max(round((self._limit - (self._origin or 0.0)) * RATE), self._sounding))
        return max(self._sounding, self._heard - UNSTATED_TAIL)

    def _end(self) -> float:
        return (self._origin or 0.0) + self._usable() / RATE

    def _judge(self) -> None:
        """All seconds that are whole, together."""
        whole = min(len(self._kept) - 2 * REACH, self._usable() - self._next * STEP) - RATE
        whole = whole // STEP + 1
        if whole < 1:
            return
        used = REACH * 2 + RATE + (whole - 1) * STEP
        power = spectra(self._kept[:used])
        for number in range(whole):
            at = number * STEP
            second = self._kept[REACH + at : REACH + at + RATE]
            first = number * PER_SECOND // 2
            self._keep(self._next + number, second, power[first : first + PER_SECOND])
        self._kept = self._kept[whole * STEP :].copy()
        self._next += whole

    def _keep(self, number: int, samples: np.ndarray, power: np.ndarray) -> None:
        level = 10 * np.log10(float((samples.astype(np.float64) ** 2).mean()) + 1e-12)
        likely = np.full(len(KINDS), 1 / len(KINDS))
        if level >= self._settings["silence_level"]:
            pulses = envelope(samples[: len(samples) // PULSE * PULSE])
            likely = net()(describe(power, pulses)[None])[0]
        self._rows = np.concatenate([self._rows, [[number, level, *likely]]])

    def _decide(self, until: float) -> list[Segment]:
        """Label the seconds that end before `until` and whose neighbours are known."""
        assert self._origin is not None
        made: list[Segment] = []
        final = np.isinf(until)
        while self._decided < len(self._rows):
            number = int(self._rows[self._decided, 0])
            if not final and (self._decided + SMOOTH >= len(self._rows) or self._start(number) + 1.0 > until):
                break
            made += self._append(self._labelled(self._decided, final and self._decided + 1 == len(self._rows)))
            self._decided += 1
        drop = max(0, self._decided - SMOOTH)
        self._rows, self._decided = self._rows[drop:], self._decided - drop
        return made

    def _start(self, number: int) -> float:
        return (self._origin or 0.0) + number * STEP / RATE

    def _labelled(self, at: int, last: bool) -> _Run:
        """The middle half second of each; the first and the last reach to the ends."""
        number, level = int(self._rows[at, 0]), self._rows[at, 1]
        start = self._start(number) + (0.25 if number else 0.0)
        end = self._end() if last else self._start(number) + 0.75
        end = max(start, end)
        if level < self._settings["silence_level"]:
            return _Run("silence", start, end, 1, 1.0)
        spoken = self._spoken(start, end)
        around = range(max(0, at - SMOOTH), min(len(self._rows), at + SMOOTH + 1))
        if spoken >= SPEAKING:
            likely = dict(zip(KINDS, self._rows[around, 2:].mean(axis=0), strict=True))
            return _Run("speech", start, end, 1, spoken, int(likely["music"] >= ALONG))
        # What is heard while somebody speaks says nothing of this moment.
        alike = [i for i in around if i == at or not self._is_spoken(i)]
        mean = self._rows[alike, 2:].mean(axis=0)
        likely = {k: float(v) / (1 - mean[KINDS.index("speech")] + 1e-9) for k, v in zip(KINDS, mean, strict=True)}
        if mean[KINDS.index("speech")] >= SURE:
            return _Run("speech", start, end, 1, float(mean[KINDS.index("speech")]))
        likely.pop("speech")
        best = max(likely, key=lambda k: likely[k])
        if likely[best] < SURE and likely.get(self._kind, 0.0) >= STAYING:
            best = self._kind
        elif best == "applause" and likely[best] < SURE and self._kind != "applause":
            best = max(("music", "noise"), key=lambda k: likely[k])
        self._kind = best
        return _Run(best, start, end, 1, likely[best])

    def _is_spoken(self, at: int) -> bool:
        start = self._start(int(self._rows[at, 0])) + 0.25
        quiet = self._rows[at, 1] < self._settings["silence_level"]
        return bool(quiet or self._spoken(start, start + 0.5) >= SPEAKING)

    def _spoken(self, start: float, end: float) -> float:
        """Share of [start, end) in which somebody speaks, pauses included."""
        while len(self._voices) > 1 and self._voices[1][0] < start - 3.0 and self._voices[0][1] < start - 3.0:
            self._voices.popleft()
        covered, last = 0.0, -np.inf
        for begin, until in self._voices:
            begin = last if begin - last < PAUSE else begin
            covered += max(0.0, min(end, until) - max(start, begin))
            last = until
        return min(1.0, covered / max(1e-9, end - start))

    def _append(self, step: _Run) -> list[Segment]:
        """Runs shorter than a segment may be belong to the one before."""
        if self._run is None:
            self._run = step
            return []
        if step.label == self._run.label:
            if self._other is not None:
                self._run.end, self._other = self._other.end, None
            self._run.add(step)
            return []
        if self._other is not None and self._other.label == step.label:
            self._other.add(step)
        else:
            if self._other is not None:
                self._run.end = self._other.end
            self._other = step
        if self._other.end - self._other.start < self._settings["shortest"] - 1e-9:
            return []
        done, self._run, self._other = self._run, self._other, None
        if done.end - done.start < self._settings["shortest"] - 1e-9:  # too short itself: at the beginning
            self._run.start = done.start
            return []
        return self._tell(done)

    def _tell(self, run: _Run) -> list[Segment]:
        start = max(self._begin, run.start)
        if run.end <= start:
            return []
        data: dict[str, Any] = {"also": ["music"]} if run.along > 0.5 * run.steps else {}
        score = round(min(1.0, float(run.score) / run.steps), 3)
        return [Segment(Span(start, run.end), "sound", self.source, text=run.label, score=score, data=data)]

    def state(self) -> dict[str, Any]:
        return {
            "origin": self._origin, "kept": self._kept.copy(), "next": self._next, "heard": self._heard,
            "sounding": self._sounding, "rows": self._rows.copy(), "decided": self._decided,
            "voices": [list(v) for v in self._voices], "kind": self._kind,
            "run": _saved(self._run), "other": _saved(self._other),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._origin, self._kept = state["origin"], np.array(state["kept"], np.float32)
        self._next, self._heard, self._sounding = int(state["next"]), int(state["heard"]), int(state["sounding"])
        self._rows = np.array(state["rows"], np.float64).reshape(-1, 2 + len(KINDS))
        self._decided = int(state["decided"])
        self._voices = deque((float(a), float(b)) for a, b in state["voices"])
        self._kind = state["kind"]
        self._run, self._other = (_Run(*state[n]) if state[n] is not None else None for n in ("run", "other"))


def _saved(run: _Run | None) -> list[Any] | None:
    return None if run is None else [run.label, run.start, run.end, run.steps, float(run.score), run.along]
