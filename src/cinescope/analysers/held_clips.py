"""Windows that were fed, put together again to clips of any stretch: as `features.clips.load_clip` gives of the file.

Knows windows and needs; knows no extractor and no model. Holds what was not yet forgotten, each need by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from cinescope.features.clips import Sample, frames_of
from cinescope.types import (
    Clip,
    Cue,
    FrameNeed,
    Frames,
    Material,
    Needs,
    SoundNeed,
    Span,
    Video,
    Waveform,
    Window,
    Word,
)

_SAME = 1e-6  # seconds: as in features.clips


class HeldClips:
    """`speech`: the analyser whose words are read where the video has no subtitles, "" for none.

    One thing differs from the file's own clips: a stretch so short that no picture of a rate falls into it has the
    last one before it, not the one that stands where it begins.
    """

    def __init__(self, needs: Sequence[Needs], speech: str = "") -> None:
        self._frame_needs = list(dict.fromkeys(n.frames for n in needs if n.frames is not None))
        self._sound_needs = list(dict.fromkeys(n.sound for n in needs if n.sound is not None))
        self._speech = speech
        self.begin(Material(Video("", None, ())))

    @property
    def needs(self) -> Needs:
        """What to be fed: the first of each as the windows' own, the others beside them."""
        frames, sound = self._frame_needs, self._sound_needs
        return Needs(
            frames=frames[0] if frames else None,
            sound=sound[0] if sound else None,
            subtitles=bool(self._speech),
            tracks=(self._speech,) if self._speech else (),
            more_frames=tuple(frames[1:]),
            more_sound=tuple(sound[1:]),
        )

    def begin(self, material: Material) -> None:
        self._video = material.video
        # The track that `load_clip` reads: of the video's own language, else the first.
        languages = [t.language for t in material.subtitles]
        own = material.video.language
        self._track = languages.index(own) if own and own in languages else 0
        self._subtitled = bool(material.subtitles)
        self._pictures: dict[FrameNeed, list[Sample]] = {n: [] for n in self._frame_needs}
        self._sound: dict[SoundNeed, np.ndarray] = {}  # (C, S), from sample `_first` on
        self._first: dict[SoundNeed, int] = {}  # samples from second 0; may be negative
        self._words: list[Word] = []

    def keep(self, window: Window) -> None:
        pictures = dict(window.more_frames)
        if window.frames is not None:
            pictures[self._frame_needs[0]] = (window.frames, window.frame_durations)
        for need, (frames, durations) in pictures.items():
            times = (float(t) for t in frames.times)
            self._pictures[need] += list(zip(times, map(float, durations), frames.data, strict=True))
        sounds = dict(window.more_sound)
        if window.sound is not None:
            sounds[self._sound_needs[0]] = window.sound
        for sound, heard in sounds.items():
            self._hear(sound, heard)
        if self._subtitled:
            for cue in window.cues.get(self._track, ()):
                self._words += _cue_words(cue)
        else:
            for segment in window.tracks.get(self._speech, ()):
                if segment.kind == "speech":
                    self._words += segment.words or _cue_words(Cue(segment.span, segment.text))

    def _hear(self, need: SoundNeed, heard: Waveform) -> None:
        at = round(heard.start * need.sample_rate)
        if need not in self._sound:
            self._first[need] = at
            self._sound[need] = heard.data.copy()
            return
        held = self._sound[need]
        gap = at - self._first[need] - held.shape[1]
        silence = np.zeros((held.shape[0], max(0, gap)), np.float32)
        self._sound[need] = np.concatenate([held, silence, heard.data], axis=1)

    def clip(self, needs: Needs, span: Span, name: str = "") -> Clip:
        """What is held of that span; nothing before it may have been forgotten."""
        frames: Frames | None = None
        durations: tuple[float, ...] = ()
        if needs.frames is not None:
            frames, durations = frames_of(self._between(needs.frames, span), needs.frames)
        waveform = self._heard(needs.sound, span) if needs.sound is not None else None
        words = tuple(w for w in self._words if w.span.overlaps(span)) if needs.subtitles else ()
        return Clip(span, frames, waveform, words, "", self._video, name, durations)

    def _between(self, need: FrameNeed, span: Span) -> list[Sample]:
        held = self._pictures[need]
        until = span.end - (_SAME if need.rate is not None else 0.0)
        inside = [s for s in held if span.start - _SAME <= s[0] < until]
        if not inside:
            standing = [s for s in held if s[0] < span.start < s[0] + s[1]][-1:]
            return [(span.start, min(t + step, span.end) - span.start, data) for t, step, data in standing]
        if need.rate is None:
            return [(max(t, span.start), min(t + step, span.end) - max(t, span.start), d) for t, step, d in inside]
        return [(t, _stands(t, need.rate, span), data) for t, _, data in inside]

    def _heard(self, need: SoundNeed, span: Span) -> Waveform | None:
        held = self._sound.get(need)
        if held is None:
            return None
        first, size = round(span.start * need.sample_rate), round(span.duration * need.sample_rate)
        samples = np.zeros((held.shape[0], size), np.float32)
        offset = first - self._first[need]
        begin, end = max(0, offset), min(held.shape[1], offset + size)
        if end > begin:
            samples[:, begin - offset : end - offset] = held[:, begin:end]
        return Waveform(samples, need.sample_rate, span.start)

    def forget(self, before: float) -> None:
        """No clip that begins before that time, in seconds, is asked for again."""
        for need, samples in self._pictures.items():
            first = next((i for i, s in enumerate(samples) if s[0] >= before - _SAME), len(samples))
            self._pictures[need] = samples[max(0, first - 1) :]  # the one before may stand into what comes
        for sound, held in self._sound.items():
            passed = min(held.shape[1], round(before * sound.sample_rate) - self._first[sound])
            if passed > 0:
                self._sound[sound] = held[:, passed:].copy()
                self._first[sound] += passed
        self._words = [w for w in self._words if w.span.end > before]

    def state(self) -> dict[str, Any]:
        return {
            "pictures": [_saved(self._pictures[n]) for n in self._frame_needs],
            "sound": [[self._first[n], self._sound[n].copy()] if n in self._sound else None for n in self._sound_needs],
            "words": [[w.text, w.span.start, w.span.end] for w in self._words],
        }

    def restore(self, state: dict[str, Any]) -> None:
        for need, saved in zip(self._frame_needs, state["pictures"], strict=True):
            self._pictures[need] = [
                (float(t), float(step), picture)
                for times, steps, data in saved
                for t, step, picture in zip(times, steps, np.asarray(data, np.uint8), strict=True)
            ]
        for sound, told in zip(self._sound_needs, state["sound"], strict=True):
            if told is not None:
                self._first[sound], self._sound[sound] = int(told[0]), np.array(told[1], np.float32)
        self._words = [Word(text, Span(start, end)) for text, start, end in state["words"]]


def _stands(time: float, rate: float, span: Span) -> float:
    """Seconds that a picture at a rate stands: until the next of the grid, also the first one, which is off it."""
    following = math.ceil((time - _SAME) * rate) / rate
    on_grid = following <= time + _SAME
    return 1 / rate if on_grid else max(min(following, span.end) - time, _SAME)


def _cue_words(cue: Cue) -> list[Word]:
    """A cue says no more of its words' times than its own."""
    return [Word(text, cue.span) for text in cue.text.split()]


def _saved(samples: Sequence[Sample]) -> list[list[np.ndarray]]:
    """Times, seconds and pictures; apart where the picture's size changes, for a stream may do that."""
    runs = (list(run) for _, run in groupby(samples, key=lambda s: s[2].shape))
    return [
        [np.array([s[0] for s in run]), np.array([s[1] for s in run]), np.stack([s[2] for s in run])] for run in runs
    ]
