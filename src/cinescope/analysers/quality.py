"""Stretches that are no good: black, of one colour, frozen, flickering, damaged in the file. Sees small pictures only.

Makes the kind "quality". `text` says what: "black", "single colour", "frozen" (the picture stops while it moved, with
no cut), "still" (it does not change from its beginning: a slide, a title; no fault), "flicker" (more than three
flashes a second), "corrupted" (the file is damaged: the decoder lost pictures or sound, or had to guess them; `data.of`
says which of them, "picture" or "sound"). `data.fault` is False where it may well be meant so. What a decoder does not
notice is not told: that of VP9 takes most garbage for pictures.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cinescope.features.signal.defects import black, fading, luminance, near, plain, same, unlike
from cinescope.types import BadQueryError, FrameNeed, Frames, Material, Needs, Segment, SoundNeed, Source, Span, Window

SIZE = (64, 36)  # as `shots` wants it, so that the pictures are scaled once
# ITU-R BT.1702: a flash is a pair of opposite changes by 10% of the display's white (20 of 200 cd/m2) in a quarter of
# the picture; more than three in a second are too many.
FLASH = 0.10
FLASHES = 3
STEADY = 0.25  # seconds between changes at most, for them to belong together: four flashes a second change every 0.125
BEFORE = 1.2  # seconds of pictures kept to tell since when a picture stands, and whether what stopped had moved
MOST_BEFORE = 72  # but no more pictures than this
LEADING = 6  # pictures before one that stands that tell whether it had moved
EXACT = 0.5  # share of pictures exactly like the one before: 0.73 and more in encoded stills, 0.03 in a calm scene
KEY_FRAME = 3.0  # mean change of luma, of 255, when a coarsely coded still picture is coded anew
SETTLED = 0.4  # seconds between changes of a picture that still counts as standing: key frames are further apart
NEAR = 0.25  # seconds between damaged places that are told as one
CUT = 14.0  # mean change of luma, of 255, above which the still picture came by a cut


class Quality:
    """`min_black`, `min_plain`, `min_still`: seconds from which black, one colour, and standing still are told."""

    name = "quality"
    version = "2"
    summary = "black, single-colour, frozen, flickering and damaged stretches"
    cost = "reads every frame at 64 x 36, the same pictures as shots"
    requires = ""
    by_default = True
    # No sample of the sound is looked at: the need, the same as that of `loudness`, asks for what its decoder says.
    needs = Needs(frames=FrameNeed(rate=None, size=SIZE, pixels="yuv"), sound=SoundNeed(48_000, None))

    def __init__(self, min_black: float = 0.5, min_plain: float = 1.0, min_still: float = 2.0) -> None:
        self._settings = {"min_black": min_black, "min_plain": min_plain, "min_still": min_still}
        for name, value in self._settings.items():
            if not 0.1 <= value <= 3600:
                raise BadQueryError(f"quality: {name} is {value} s", "give 0.1 to 3600 seconds")
        self._clear()

    @staticmethod
    def available() -> str:
        return ""

    @property
    def source(self) -> Source:
        return Source(self.name, self.version, dict(self._settings))

    def _clear(self) -> None:
        self._end = 0.0  # of the last picture
        self._last = np.zeros((0, 0, 0), np.uint8)  # luma of the last BEFORE seconds
        self._last_times = np.zeros(0)
        self._blank: str = ""  # "black" or "single colour" while it lasts
        self._blank_start = 0.0
        self._anchor: np.ndarray | None = None  # luma of the picture that stands
        self._still_start = 0.0
        self._still_count = 0
        self._same_count = 0  # of them exactly like the one before
        self._floor = -np.inf  # the end of the last stretch told: another begins after it
        self._stirred = -np.inf  # when it last changed a little
        self._came = ""  # how it came to stand: "frozen" or "still"
        self._extreme = np.zeros((0, 4))  # luminance of each quarter's last turning point
        self._rising = np.zeros(4, np.int64)  # 1 up, -1 down, 0 not known
        self._turns: list[list[float]] = [[], [], [], []]  # times of changes by FLASH within the last second
        self._flicker: tuple[float, float] | None = None  # start, end of the running flicker
        self._hurt: dict[str, Span | None] = {"picture": None, "sound": None}  # damage that may go on
        self._held: list[Segment] = []  # found, but what began earlier may still be told

    def begin(self, material: Material) -> None:
        self._clear()

    def feed(self, window: Window) -> list[Segment]:
        made = self._damage("picture", window.damage, window.span.end)
        made += self._damage("sound", window.sound_damage, window.span.end)
        reached = window.span.end
        if window.frames is not None and len(window.frames):
            made += self._look(window.frames, window.frame_durations)
            reached = self._end
        self._held = _in_order(self._held + made)
        settled = self._settled(reached)
        told = [s for s in self._held if s.span.start <= settled]
        self._held = self._held[len(told) :]
        return told

    def _look(self, frames: Frames, durations: tuple[float, ...]) -> list[Segment]:
        times, data = frames.times, frames.data
        luma = data[..., 0]
        if self._last.shape[1:] != luma.shape[1:]:
            self._last, self._last_times = np.zeros((0, *luma.shape[1:]), np.uint8), np.zeros(0)
        is_black, is_plain = black(data), plain(data)
        made = self._blanks(times, is_black, is_plain)
        made += self._stills(times, luma, is_black | is_plain)
        made += self._flashes(times, luminance(data))
        self._end = float(times[-1]) + (durations[-1] if durations else 0.0)
        return made

    def _damage(self, of: str, spans: tuple[Span, ...], until: float) -> list[Segment]:
        """Damaged places that are near one another are one stretch."""
        made: list[Segment] = []
        for span in spans:
            running = self._hurt[of]
            if running is not None and span.start - running.end <= NEAR:
                self._hurt[of] = running.union(span)
            else:
                made += self._end_damage(of)
                self._hurt[of] = span
        running = self._hurt[of]
        return made + (self._end_damage(of) if running is not None and until - running.end > NEAR else [])

    def _end_damage(self, of: str) -> list[Segment]:
        running, self._hurt[of] = self._hurt[of], None
        return [] if running is None else [self._segment(running.start, running.end, "corrupted", True, of=of)]

    def finish(self) -> list[Segment]:
        made = self._held + self._end_blank(self._end) + self._end_still(self._end)
        made += self._end_damage("picture") + self._end_damage("sound")
        if self._flicker is not None:
            made.append(self._segment(*self._flicker, "flicker", True))
        self._clear()
        return _in_order(made)

    def _settled(self, reached: float) -> float:
        """Nothing that begins before this can still come."""
        running = [turns[0] for turns in self._turns if turns]
        running += [span.start for span in self._hurt.values() if span is not None]
        if self._blank:
            running.append(self._blank_start)
        if self._anchor is not None:
            running.append(self._still_start)
        if self._flicker is not None:
            running.append(self._flicker[0])
        return min(running, default=reached)

    def _segment(self, start: float, end: float, what: str, fault: bool, **data: Any) -> Segment:
        return Segment(Span(start, max(start, end)), "quality", self.source, text=what, data={"fault": fault, **data})

    def _blanks(self, times: np.ndarray, is_black: np.ndarray, is_plain: np.ndarray) -> list[Segment]:
        made: list[Segment] = []
        what = np.where(is_black, 1, np.where(is_plain, 2, 0))
        now = ("", "black", "single colour").index(self._blank)
        for at in np.flatnonzero(np.diff(what, prepend=now)):
            made += self._end_blank(float(times[at]))
            self._blank, self._blank_start = ("", "black", "single colour")[what[at]], float(times[at])
        return made

    def _end_blank(self, end: float) -> list[Segment]:
        what, start, self._blank = self._blank, self._blank_start, ""
        least = self._settings["min_black" if what == "black" else "min_plain"]
        if not what or end - start < least - 1e-9:
            return []
        self._floor = end
        return [self._segment(start, end, what, True)]

    def _stills(self, times: np.ndarray, luma: np.ndarray, blank: np.ndarray) -> list[Segment]:
        """Runs of pictures near their first one, which also bounds how far a slow change can go, and hardly ever
        unlike the one before."""
        made: list[Segment] = []
        known, when = np.concatenate([self._last, luma]), np.concatenate([self._last_times, times])
        offset = len(self._last)
        fresh = np.ones(len(known), bool)
        fresh[1:] = unlike(known[1:], known[:-1])
        alike = np.zeros(len(known), bool)
        alike[1:] = same(known[1:], known[:-1])
        at = offset
        while at < len(known):
            if self._anchor is not None:
                stays = near(known[at:], self._anchor) & ~blank[at - offset :]
                leaves = np.flatnonzero(~stays)
                upto = at + int(leaves[0]) if len(leaves) else len(known)
                for number in range(at, upto):
                    if fresh[number] and when[number] - self._stirred < SETTLED:
                        upto = number  # it goes on changing: no longer still
                        break
                    if fresh[number]:
                        self._stirred = float(when[number])
                self._still_count += upto - at
                self._same_count += int(alike[at:upto].sum())
                at = upto
                if at == len(known):
                    break
                if self._coded_anew(known[at], float(when[at]), blank[at - offset]):
                    self._still_count += 1
                    at += 1
                    continue
                made += self._end_still(float(when[at]))
            calm = np.flatnonzero(~fresh[at:] & ~blank[at - offset :])
            if not len(calm):
                break
            at += int(calm[0])  # like the one before, which the run begins with or before
            self._begin_still(known[: at + 1], when[: at + 1])
            self._same_count = int(alike[at])
            at += 1
        kept = when > when[-1] - BEFORE
        self._last, self._last_times = known[kept][-MOST_BEFORE:].copy(), when[kept][-MOST_BEFORE:].copy()
        return made

    def _coded_anew(self, picture: np.ndarray, time: float, blank: bool) -> bool:
        """Whether it is the picture that stands, in the other words of a key frame; then it is what stands."""
        assert self._anchor is not None
        if blank or time - self._stirred < SETTLED or time - self._still_start < SETTLED:
            return False
        if not near(picture[None], self._anchor, KEY_FRAME)[0]:
            return False
        self._anchor, self._stirred = picture.copy(), time
        return True

    def _begin_still(self, known: np.ndarray, when: np.ndarray) -> None:
        """The last of `known` is like the one before: since when does it stand, and how did it come to?"""
        self._anchor = known[-1].copy()
        alike = near(known, self._anchor)
        apart = np.flatnonzero(~alike)
        # Where all that is kept is near, the two that are alike are what is known for sure.
        first = int(apart[-1]) + 1 if len(apart) else max(0, len(known) - 2)
        floor = int(np.searchsorted(when, self._floor))
        first = max(min(first, len(known) - 2), floor, 0)
        self._still_start, self._still_count = float(when[first]), len(known) - first
        self._stirred = -np.inf
        self._came = _how(known[max(0, first - LEADING) : first], known[first])

    def _end_still(self, end: float) -> list[Segment]:
        """What stands ends. Where nothing moves before a camera, noise still changes a pixel here and there; a
        picture that is coded again does not change at all for most of the time."""
        anchor, self._anchor = self._anchor, None
        if anchor is None or end - self._still_start < self._settings["min_still"] - 1e-9:
            return []
        if self._same_count < EXACT * self._still_count:
            return []
        self._floor = end
        return [self._segment(self._still_start, end, self._came, self._came == "frozen")]

    def _flashes(self, times: np.ndarray, light: np.ndarray) -> list[Segment]:
        made: list[Segment] = []
        if not len(self._extreme):
            self._extreme = light[:1].astype(np.float64)
        self._turns = [[t for t in turns if times[0] - t < 1.0] for turns in self._turns]
        for time, now in zip(times, light, strict=True):
            step = now - self._extreme[0]
            further = step * self._rising > 0
            turned = (np.abs(step) >= FLASH) & ~further
            self._extreme[0] = np.where(further | turned, now, self._extreme[0])
            if turned.any():
                self._rising[turned] = np.sign(step[turned]).astype(np.int64)
                made += self._turned(float(time), np.flatnonzero(turned))
        if self._flicker is not None and times[-1] - self._flicker[1] > 1.0:
            made.append(self._segment(*self._flicker, "flicker", True))
            self._flicker = None
        return made

    def _turned(self, time: float, quarters: np.ndarray) -> list[Segment]:
        made: list[Segment] = []
        for quarter in quarters:
            turns = [t for t in self._turns[quarter] if time - t < 1.0]
            # A cut before or after the flashes is none of them.
            turns = [*turns, time] if not turns or time - turns[-1] < STEADY else [time]
            self._turns[quarter] = turns
            if len(turns) <= 2 * FLASHES:
                continue
            if self._flicker is not None and turns[0] > self._flicker[1] + 1.0:
                made.append(self._segment(*self._flicker, "flicker", True))
                self._flicker = None
            self._flicker = (turns[0] if self._flicker is None else self._flicker[0], time)
        return made

    def state(self) -> dict[str, Any]:
        return {
            "end": self._end, "last": self._last.copy(), "last_times": self._last_times.copy(),
            "blank": self._blank, "blank_start": self._blank_start,
            "anchor": None if self._anchor is None else self._anchor.copy(), "still_start": self._still_start,
            "still_count": self._still_count, "same_count": self._same_count,
            "floor": None if np.isinf(self._floor) else self._floor,
            "stirred": None if np.isinf(self._stirred) else self._stirred,
            "came": self._came, "extreme": self._extreme.copy(), "rising": self._rising.copy(),
            "turns": [list(t) for t in self._turns],
            "flicker": None if self._flicker is None else list(self._flicker),
            "hurt": {of: None if s is None else [s.start, s.end] for of, s in self._hurt.items()},
            "held": [[s.span.start, s.span.end, s.text, dict(s.data)] for s in self._held],
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self._end, self._last = float(state["end"]), np.array(state["last"], np.uint8)
        self._last_times = np.array(state["last_times"], np.float64)
        self._blank, self._blank_start = state["blank"], float(state["blank_start"])
        self._anchor = None if state["anchor"] is None else np.array(state["anchor"], np.uint8)
        self._still_start, self._still_count = float(state["still_start"]), int(state["still_count"])
        self._same_count = int(state["same_count"])
        self._floor = -np.inf if state["floor"] is None else float(state["floor"])
        self._stirred = -np.inf if state["stirred"] is None else float(state["stirred"])
        self._came = state["came"]
        self._extreme = np.array(state["extreme"], np.float64).reshape(-1, 4)
        self._rising = np.array(state["rising"], np.int64)
        self._turns = [[float(v) for v in t] for t in state["turns"]]
        self._flicker = None if state["flicker"] is None else (float(state["flicker"][0]), float(state["flicker"][1]))
        self._hurt = {of: None if s is None else Span(float(s[0]), float(s[1])) for of, s in state["hurt"].items()}
        self._held = [self._segment(start, end, what, **data) for start, end, what, data in state["held"]]


def _how(before: np.ndarray, first: np.ndarray) -> str:
    """(N, H, W) luma before the picture that stands: "frozen" where things moved up to it, else "still"."""
    if len(before) < 3:
        return "still"
    steps = np.abs(np.diff(np.concatenate([before, first[None]]).astype(np.int16), axis=0)).mean(axis=(1, 2))
    if steps.max() > CUT:
        return "still"
    # As a movement stops, the last steps of the picture are movement too; a slide comes by a cut or a fade.
    moving = unlike(before[1:], before[:-1])
    if moving.mean() < 0.6 or fading(before):
        return "still"
    return "frozen"


def _in_order(segments: list[Segment]) -> list[Segment]:
    return sorted(segments, key=lambda s: (s.span.start, s.text))
