"""The sound of a world: a tone, a glide or a vowel in each beat, clicks at events. Knows what is heard, not why."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from cinescope.datasets.worlds.spec import WorldSpec
from cinescope.datasets.worlds.truth import SOUND, SOUND_NOISE, Truth, random

PITCHES = (220.0, 277.2, 349.2, 440.0)  # hertz: four semitones apart
MELODIES = ("rising", "falling", "arch", "valley")
VOWELS = ("ah", "ee", "oo", "eh")
# The first three formants of men, in hertz: Peterson and Barney 1952, table II.
FORMANTS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
_WIDTHS = (90.0, 110.0, 170.0)  # of the formants, hertz
_LOUD = (1.0, 0.5, 0.25)
_PART = 0.8  # of a beat that is sounded
_KNOTS = 17
_LEVEL = 0.2  # root mean square of what is sounded


def waveform(spec: WorldSpec, truth: Truth) -> np.ndarray:
    """(S,) float32 in [-1, 1]."""
    chance = random(truth.seed, truth.index, SOUND)
    size = round(spec.seconds * spec.sample_rate)
    sound = np.zeros(size)
    for beat, sign in enumerate(truth.signs["sound"]):
        first, last = (round(b * size / spec.beats) for b in (beat, beat + 1))
        made = _sign(spec, chance, sign, round(_PART * (last - first)))
        sound[first : first + len(made)] += made
    if "sound" in spec.event_modalities:
        for event in truth.events:
            at, count = round(event.start * spec.sample_rate), round(event.duration * spec.sample_rate)
            ring = _click(count, spec.sample_rate)
            sound[at : at + count] += ring[: size - at]
    if spec.sound_noise:
        sound += random(truth.seed, truth.index, SOUND_NOISE).normal(0, spec.sound_noise, size)
    return sound.clip(-1, 1).astype(np.float32)


def _sign(spec: WorldSpec, chance: np.random.Generator, sign: int, size: int) -> np.ndarray:
    at = np.arange(size) / spec.sample_rate
    along = np.linspace(0, 1, size)
    detune, timbre, base = chance.uniform(0.985, 1.015), chance.uniform(0.2, 0.9), chance.uniform(0, 1)
    match spec.sound_by:
        case "pitch":
            pitch = np.full(size, PITCHES[sign] * detune)
            sound = _tone(pitch, timbre, spec.sample_rate)
        case "melody":
            bend = (along, 1 - along, 1 - abs(2 * along - 1), abs(2 * along - 1))[sign]
            pitch = 200 * 2**base * 2 ** (7 / 12 * bend)
            sound = _tone(pitch, timbre, spec.sample_rate)
        case _:
            pitch = 100 * 2**base * (1 + 0.06 * np.sin(2 * np.pi * 5 * at)) * (1.08 - 0.16 * along)
            sound = _vowel(pitch, [f * detune for f in FORMANTS[sign]], spec.sample_rate)
    edge = max(1, round(0.02 * spec.sample_rate))
    envelope = np.minimum(1, np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1)) / edge)
    sound = sound * envelope * (1 - 0.5 * along)
    return np.asarray(sound * _LEVEL / max(float(np.sqrt(np.mean(sound**2))), 1e-9))


def _tone(pitch: np.ndarray, timbre: float, sample_rate: int) -> np.ndarray:
    """Harmonics of a pitch (S,) in hertz, each `timbre` times as strong as the one below it."""
    count = max(1, min(5, int(sample_rate / 2 / pitch.max())))
    return _harmonics(pitch, np.repeat(timbre ** np.arange(count)[:, None], 2, 1), sample_rate)


def _vowel(pitch: np.ndarray, formants: list[float], sample_rate: int) -> np.ndarray:
    """Harmonics of the voice through three resonances (source and filter, Fant 1960)."""
    count = int(sample_rate / 2 / pitch.max())
    # A formant is wider than the pitch moves in a sixteenth of a syllable: its gain is told so often, not each sample.
    hertz = np.arange(1, count + 1)[:, None] * pitch[np.linspace(0, len(pitch) - 1, _KNOTS).astype(int)]
    resonances = zip(formants, _WIDTHS, _LOUD, strict=True)
    gains = [loud / (1 + ((hertz - f) / (width / 2)) ** 2) for f, width, loud in resonances]
    return _harmonics(pitch, np.sum(gains, axis=0), sample_rate)


def _harmonics(pitch: np.ndarray, gains: np.ndarray, sample_rate: int) -> np.ndarray:
    """pitch (S,) hertz, gains (K, N) at N even times -> the sum of K harmonics (S,)."""
    turn = np.exp(2j * np.pi * np.cumsum(pitch) / sample_rate).astype(np.complex64)
    loud = gains.astype(np.float32) @ _between(gains.shape[1], len(pitch))
    sound = np.zeros_like(turn)
    for gain in loud[::-1]:  # Horner's scheme: the k-th power of a turn turns k times as fast
        sound += gain
        sound *= turn
    return np.asarray(sound.imag, np.float64)


@lru_cache(maxsize=16)
def _between(knots: int, size: int) -> np.ndarray:
    """(knots, size) float32: the weight of each knot at each sample, linear from knot to knot."""
    at = np.linspace(0, knots - 1, size)
    return np.maximum(0, 1 - np.abs(at - np.arange(knots)[:, None])).astype(np.float32)


def _click(size: int, sample_rate: int) -> np.ndarray:
    """A struck bell: it begins at once and rings off."""
    at = np.arange(size) / sample_rate
    ring = np.cos(2 * np.pi * 3000 * at) + 0.6 * np.cos(2 * np.pi * 3710 * at)
    return np.asarray(0.5 * ring * np.exp(-at / 0.04))
