"""What is said: segments of kind "speech", from subtitles where there are any, else from a recogniser.

Subtitles are taken as they are, every language; only their word times are estimated, and `data.word_times` says so.
Otherwise each segment of `voice` is one utterance for the recogniser, whose name is in `data.origin`; its words come up
to `BEHIND` later, so that it can listen while others look. Knows nothing of how recognisers or containers work.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from cinescope.analysers.voice import LONGEST
from cinescope.features import speech
from cinescope.features.speech import SAMPLE_RATE, Heard
from cinescope.features.speech.aside import Answer, ask
from cinescope.types import (
    BadQueryError,
    Cue,
    Material,
    MissingPartError,
    Needs,
    Segment,
    SoundNeed,
    Source,
    Span,
    SubtitleTrack,
    Window,
    Word,
)

# Seconds of sound given to the recogniser on either side of what `voice` found, so that no first or last sound is cut.
PAD = 0.2
# Seconds of sound kept for a voice segment that is not told yet: its length, and the windows until it is told.
HOLD = LONGEST + 6.0
# Seconds of media after which an utterance's words are waited for. Fixed, and not when they happen to be there, so that
# the segments come in the same order in every run.
BEHIND = 20.0
# Titles of subtitle tracks that hold only what is written or sung or foreign, beside speech that has no subtitles.
_PARTIAL = re.compile(r"\b(forced|foreign|signs|songs)\b", re.IGNORECASE)
# Scripts written without blanks between words: Han, Hiragana and Katakana, one character a word.
_UNSPACED = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
_WORDS = re.compile(rf"[^\w\s]*{_UNSPACED}[^\w\s]*|(?:(?!{_UNSPACED})\S)+")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """An utterance whose words are on their way."""

    due: float  # seconds of media at which they are waited for
    voice: Span
    samples: np.ndarray  # float32 (S,)
    at: float  # seconds, of the first sample
    answer: Answer


class Transcript:
    """`subtitles` is "first" or "never"; `recogniser` is "auto", "none" or a recogniser's name.

    "auto" becomes a concrete recogniser when the analyser is made, so that `source` tells which one it is.
    """

    name = "transcript"
    version = "1"
    summary = "what is said, with the time of every word"
    cost = "nothing where there are subtitles, else a third (pocketsphinx) of the seconds spoken on one core"
    requires = "pocketsphinx (default install); better with faster-whisper-small from `cinescope models`"
    needs = Needs(sound=SoundNeed(SAMPLE_RATE, 1), subtitles=True, tracks=("voice",))

    def __init__(self, subtitles: str = "first", recogniser: str = "auto", device: str = "cpu") -> None:
        if subtitles not in ("first", "never"):
            raise BadQueryError(f"transcript: subtitles is '{subtitles}'", "give first or never")
        self._subtitles = subtitles
        self._recogniser = speech.recogniser(recogniser, device)
        named = {"recogniser": self._recogniser.name, **self._recogniser.settings} if self._recogniser else {}
        self.source = Source(self.name, self.version, {"subtitles": subtitles, "recogniser": "none", **named})
        self._clear()

    @staticmethod
    def available() -> str:
        try:
            speech.recogniser("auto")
        except MissingPartError as error:
            return str(error)
        return ""

    def _clear(self) -> None:
        self._tracks: tuple[SubtitleTrack, ...] = ()
        self._held: list[tuple[int, Cue]] = []  # track number and cue that has not ended yet
        self._listens = False
        self._origin: float | None = None  # seconds, of sample 0
        self._first = 0  # number of the first sample kept
        self._sound = np.zeros(0, np.float32)
        self._pending: list[tuple[float, float, bool]] = []  # start, end, whether the speech goes on after it
        self._floor = -np.inf  # seconds: the end of the last utterance
        self._asked: deque[_Asked] = deque()

    def begin(self, material: Material) -> None:
        self._clear()
        self._tracks = material.subtitles if self._subtitles == "first" else ()
        whole = [track for track in self._tracks if not _PARTIAL.search(track.title)]
        self._listens = self._recogniser is not None and not whole
        stream = material.video.first("audio")
        spoken = (stream.language if stream else "") or material.video.language
        if self._listens and self._recogniser is not None and not _reads(self._recogniser.languages, spoken):
            _log.warning(
                "not transcribed: its sound is marked as '%s' and %s does not know that language; "
                "`cinescope models get faster-whisper-small` brings a recogniser for 99 languages",
                spoken,
                self._recogniser.name,
            )
            self._listens = False

    def feed(self, window: Window) -> list[Segment]:
        self._take(window)
        found = self._cues(window.span.end)
        if self._listens:
            self._keep(window)
            self._pending += [
                (s.span.start, s.span.end, bool(s.data.get("goes_on"))) for s in window.tracks.get("voice", ())
            ]
            self._settle(self._end() - PAD, window.span.end + BEHIND)
            found += self._hear(window.span.end)
            self._drop()
        return found

    def finish(self) -> list[Segment]:
        self._settle(np.inf, np.inf)
        return self._cues(np.inf) + self._hear(np.inf)

    def _take(self, window: Window) -> None:
        """Keep the cues that start here until they have ended."""
        seen: set[tuple[str, str, float]] = set()
        for number, cues in sorted(window.cues.items()):
            if number >= len(self._tracks):
                continue
            for cue in cues:
                # The same cue embedded and in a file beside is one observation, not two.
                mark = (self._tracks[number].language, cue.text, round(cue.span.start, 1))
                if cue.text.strip() and mark not in seen:
                    seen.add(mark)
                    self._held.append((number, cue))
        self._held.sort(key=lambda held: held[1].span)

    def _cues(self, until: float) -> list[Segment]:
        """The cues that have ended by `until`, in the order in which they start."""
        found = []
        while self._held and self._held[0][1].span.end <= until:
            number, cue = self._held.pop(0)
            found.append(self._cue(cue, self._tracks[number]))
        return found

    def _cue(self, cue: Cue, track: SubtitleTrack) -> Segment:
        data = {"origin": track.origin, "word_times": "estimated"} | ({"title": track.title} if track.title else {})
        words = spread(cue.text, cue.span)
        return Segment(cue.span, "speech", self.source, cue.text, words, track.language, cue.speaker, data=data)

    def _keep(self, window: Window) -> None:
        if window.sound is not None:
            if self._origin is None:
                self._origin = window.sound.start
            samples = np.nan_to_num(window.sound.data[0], nan=0.0, posinf=1.0, neginf=-1.0)
        elif self._origin is None:
            return
        else:
            samples = np.zeros(round(window.span.duration * SAMPLE_RATE), np.float32)
        self._sound = np.concatenate([self._sound, samples])

    def _end(self) -> float:
        return (self._origin or 0.0) + (self._first + len(self._sound)) / SAMPLE_RATE

    def _settle(self, until: float, due: float) -> None:
        """Ask for the words of what ends by `until`; they are waited for when `due` is reached."""
        while self._pending and self._pending[0][1] <= until:
            self._utterance(*self._pending.pop(0), due)

    def _utterance(self, start: float, end: float, goes_on: bool, due: float) -> None:
        if self._origin is None:  # voice without sound: there is nothing to recognise
            return
        pad = max(0.0, min(PAD, (LONGEST - (end - start)) / 2))
        first = round((max(start - pad, self._floor, self._origin) - self._origin) * SAMPLE_RATE)
        last = round((end + (0.0 if goes_on else pad) - self._origin) * SAMPLE_RATE)
        self._floor = end
        if first < self._first:
            raise ValueError(f"voice told of {start:.2f} to {end:.2f} s when that sound had passed")
        samples = self._sound[first - self._first : last - self._first].copy()
        self._ask(due, Span(start, end), samples, self._origin + first / SAMPLE_RATE)

    def _ask(self, due: float, voice: Span, samples: np.ndarray, at: float) -> None:
        assert self._recogniser is not None
        self._asked.append(_Asked(due, voice, samples, at, ask(self._recogniser, samples, at)))

    def _hear(self, now: float) -> list[Segment]:
        found = []
        while self._asked and self._asked[0].due <= now:
            asked = self._asked.popleft()
            heard = asked.answer.result()
            if heard.text:
                found.append(self._speech(heard, asked.voice))
        return found

    def _speech(self, heard: Heard, voice: Span) -> Segment:
        assert self._recogniser is not None
        span = Span(heard.words[0].span.start, max(w.span.end for w in heard.words)) if heard.words else voice
        return Segment(
            span, "speech", self.source, heard.text, heard.words, heard.language,
            score=heard.score, data={"origin": self._recogniser.name},
        )  # fmt: skip

    def _drop(self) -> None:
        """Forget the sound that no voice segment can ask for any more."""
        if self._origin is None:
            return
        needed = max(self._end() - HOLD, self._floor)
        if self._pending:
            needed = min(needed, max(self._pending[0][0] - PAD, self._floor))
        passed = int((needed - self._origin) * SAMPLE_RATE) - self._first if needed > self._origin else 0
        if passed > 0:
            passed = min(passed, len(self._sound))
            self._sound = self._sound[passed:].copy()
            self._first += passed

    def state(self) -> dict[str, Any]:
        return {
            "held": [[n, cue.span.start, cue.span.end, cue.text, cue.speaker] for n, cue in self._held],
            "origin": self._origin,
            "first": self._first,
            "sound": self._sound.copy(),
            "pending": [list(p) for p in self._pending],
            "floor": None if self._floor == -np.inf else self._floor,
            # The questions, not the answers: the same sound gives the same words again.
            "asked": [[a.due, a.voice.start, a.voice.end, a.samples, a.at] for a in self._asked],
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._held = [(n, Cue(Span(start, end), text, who)) for n, start, end, text, who in state["held"]]
        self._origin, self._first = state["origin"], state["first"]
        self._sound = np.array(state["sound"], np.float32)
        self._pending = [(p[0], p[1], bool(p[2])) for p in state["pending"]]
        self._floor = -np.inf if state["floor"] is None else state["floor"]
        for due, start, end, samples, at in state.get("asked", ()):
            self._ask(due, Span(start, end), np.array(samples, np.float32), at)


def spread(text: str, span: Span) -> tuple[Word, ...]:
    """The words of a text that stands for `span`, each with its share of the time by its share of the characters.

    Words are what stands between blanks, and single characters of Chinese and Japanese. What holds no letter or digit
    is no word, but takes its time.
    """
    pieces = _WORDS.findall(text)
    total = sum(map(len, pieces))
    words: list[Word] = []
    before = 0
    for piece in pieces:
        after = before + len(piece)
        if any(c.isalnum() for c in piece):
            start, end = (span.start + span.duration * n / total for n in (before, after))
            words.append(Word(piece, Span(start, min(max(start, end), span.end) if after < total else span.end)))
        before = after
    return tuple(words)


def _reads(languages: tuple[str, ...], spoken: str) -> bool:
    """Whether a recogniser of these languages knows the one that the sound is marked as; unmarked counts as known."""
    return not languages or not spoken or spoken.split("-")[0].lower() in languages
