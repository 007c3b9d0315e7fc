"""Music made of sines, and speech from a synthesiser where one is installed. Knows nothing about pictures."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE = 48_000  # hertz
_PAUSE = 0.45  # seconds between two sentences
# Without a synthesiser a sentence stands as long as a calm reader needs: 2.5 words (or 4 Chinese characters) a second.
_WORDS_PER_SECOND, _CHARACTERS_PER_SECOND = 2.5, 4.0


@dataclass(frozen=True, slots=True)
class Voice:
    """How a text is spoken: the program, and its options before the text."""

    program: str
    options: tuple[str, ...]


NARRATOR = Voice("espeak-ng", ("-v", "en-gb", "-s", "150", "-p", "38"))
CHINESE = Voice("espeak-ng", ("-v", "cmn", "-s", "150"))
# Of flite's voices the one that pocketsphinx understands best: 7 words of 100 wrong in eight test sentences (kal16 13,
# awb 19, slt 21).
SPEAKER = Voice("flite", ("-voice", "rms"))


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    start: float  # seconds
    end: float


def installed(voice: Voice) -> bool:
    return shutil.which(voice.program) is not None


def narrate(texts: list[str], voice: Voice, start: float = 0.0) -> tuple[list[Sentence], np.ndarray | None]:
    """Sentences one after the other from `start` on: their times, and the sound (float32, mono, RATE, from time 0).

    Without the synthesiser there are times to read by, and no sound (None).
    """
    sentences: list[Sentence] = []
    pieces: list[tuple[float, np.ndarray]] = []
    at = start
    for text in texts:
        sound = _speak(text, voice) if installed(voice) else None
        length = len(sound) / RATE if sound is not None else _reading_time(text)
        sentences.append(Sentence(text, at, at + length))
        if sound is not None:
            pieces.append((at, sound))
        at += length + _PAUSE
    if not pieces:
        return sentences, None
    whole = np.zeros(round(at * RATE) + RATE, np.float32)
    for begin, sound in pieces:
        first = round(begin * RATE)
        whole[first : first + len(sound)] += sound
    return sentences, whole


def _reading_time(text: str) -> float:
    chinese = sum("\u4e00" <= c <= "\u9fff" for c in text)
    return 0.6 + len(text.split()) / _WORDS_PER_SECOND if not chinese else 0.6 + chinese / _CHARACTERS_PER_SECOND


def _speak(text: str, voice: Voice) -> np.ndarray:
    """One sentence, float32 mono at RATE, without the silence around it."""
    from cinescope import media

    with tempfile.TemporaryDirectory(prefix="cinescope-demo-") as folder:
        out = Path(folder) / "speech.wav"
        if voice.program == "flite":
            command = [voice.program, *voice.options, "-t", text, "-o", str(out)]
        else:
            command = [voice.program, *voice.options, "-w", str(out), text]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        extent = media.probe(out).duration or 0.0
        wave = media.read_sound(out, 0.0, extent, sample_rate=RATE, channels=1).data[0]
    loud = np.flatnonzero(np.abs(wave) > 0.01)
    if len(loud):
        wave = wave[max(0, loud[0] - RATE // 50) : loud[-1] + RATE // 20]
    peak = float(np.abs(wave).max(initial=1e-6))
    return (wave * (0.7 / peak)).astype(np.float32)


def music(seconds: float, chords: list[list[int]], beat: float, seed: int, bright: float = 0.5) -> np.ndarray:
    """Slow chords with a plucked arpeggio over them: (2, S) float32 at RATE, peak about 0.5.

    `chords`: semitones from A3 (220 Hz) for each, which lasts four beats of `beat` seconds; they repeat.
    """
    rng = np.random.default_rng(seed)
    total = round(seconds * RATE)
    out = np.zeros((2, total + 4 * RATE), np.float64)
    steps = int(seconds / beat) + 1
    for step in range(steps):
        chord = chords[(step // 4) % len(chords)]
        at = round(step * beat * RATE)
        if step % 4 == 0:
            for n, tone in enumerate(chord):
                _add(out, at, _pad(_hertz(tone - 12), 4 * beat, bright), 0.10, pan=0.3 + 0.4 * n / len(chord))
        tone = chord[(step * 2 + int(rng.integers(0, 2))) % len(chord)] + (12 if step % 3 else 24)
        _add(out, at, _pluck(_hertz(tone), bright), 0.16, pan=float(rng.uniform(0.25, 0.75)))
    out = out[:, :total]
    fade = min(total // 4, round(1.5 * RATE))
    if fade:
        ramp = np.linspace(0, 1, fade) ** 1.5
        out[:, :fade] *= ramp
        out[:, -fade:] *= ramp[::-1]
    peak = np.abs(out).max(initial=1e-9)
    return (out * (0.5 / peak)).astype(np.float32)


def _hertz(semitones: int) -> float:
    return float(220.0 * 2 ** (semitones / 12))


def _add(out: np.ndarray, at: int, sound: np.ndarray, level: float, pan: float) -> None:
    end = min(out.shape[1], at + len(sound))
    piece = sound[: end - at] * level
    out[0, at:end] += piece * np.sqrt(1 - pan)
    out[1, at:end] += piece * np.sqrt(pan)


def _pad(hertz: float, seconds: float, bright: float) -> np.ndarray:
    t = np.arange(round(seconds * 1.15 * RATE)) / RATE
    slow = np.sin(np.pi * np.clip(t / t[-1], 0, 1)) ** 0.7
    partials = [(1, 1.0), (2, 0.5 * bright), (3, 0.25 * bright), (5, 0.08 * bright)]
    tone = sum(a * np.sin(2 * np.pi * hertz * n * (t + 0.0006 * np.sin(2 * np.pi * 0.7 * t))) for n, a in partials)
    return np.asarray(tone * slow)


def _pluck(hertz: float, bright: float) -> np.ndarray:
    t = np.arange(round(1.6 * RATE)) / RATE
    partials = [(1, 1.0, 3.0), (2, 0.6 * bright, 4.5), (3, 0.4 * bright, 6.0), (4, 0.2 * bright, 8.0)]
    tone = sum(a * np.sin(2 * np.pi * hertz * n * t) * np.exp(-decay * t) for n, a, decay in partials)
    attack = np.clip(t / 0.006, 0, 1)
    return np.asarray(tone * attack)


def mix(background: np.ndarray | None, speech: np.ndarray | None, seconds: float) -> np.ndarray:
    """Speech over music, which steps back while someone speaks: (2, S) float32 at RATE."""
    total = round(seconds * RATE)
    out = np.zeros((2, total), np.float32)
    ducked = np.ones(total, np.float32)
    if speech is not None:
        spoken = np.zeros(total, np.float32)
        spoken[: min(total, len(speech))] = speech[:total]
        block = RATE // 20
        envelope = np.abs(spoken[: total // block * block]).reshape(-1, block).max(axis=1)
        busy = np.convolve(envelope, np.ones(9) / 9, "same")
        level = 1 - 0.82 * np.clip(busy / 0.12, 0, 1)
        ducked[: len(level) * block] = np.interp(
            np.arange(len(level) * block), (np.arange(len(level)) + 0.5) * block, level
        )
        out += spoken
    if background is not None:
        used = min(total, background.shape[1])
        out[:, :used] += background[:, :used] * ducked[:used]
    return np.clip(out, -0.98, 0.98)
