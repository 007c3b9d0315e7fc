"""Sound features: librosa's values, times, and what is short, silent or not there."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.features.signal import loudness
from cinescope.features.signal.chroma import Chroma, chroma
from cinescope.features.signal.hearing import hop_times, mono
from cinescope.features.signal.loudness import HOP, LoudnessRows, hop_powers
from cinescope.features.signal.mel import LogMel, hz_to_mel, mel_bands, mel_energies, mel_to_hz
from cinescope.features.signal.mfcc import Mfcc, cepstrum, delta
from cinescope.features.signal.pitch import Pitch, yin
from cinescope.features.signal.spectral import Spectral, contrast, rms, shape, zero_crossing_rate
from cinescope.features.signal.stft import Stft, power_to_db, stft_magnitude
from cinescope.types import BadQueryError, Clip, FeatureExtractor, Span, Waveform

RATE = 16_000
ALL: list[Any] = [Stft(), LogMel(), Mfcc(), Chroma(), Pitch(), Spectral(), LoudnessRows()]


def sound(seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    """A gliding voice-like tone with noise, silent for a while; an odd number of samples."""
    t = np.arange(round(seconds * rate) + 37) / rate
    f = np.cumsum(160 + 50 * np.sin(2 * np.pi * 0.7 * t)) / rate
    y = sum(np.sin(2 * np.pi * k * f) / k for k in range(1, 10)) * 0.1 * (1.1 + np.sin(2 * np.pi * 1.3 * t))
    y = y + 0.01 * np.random.default_rng(0).standard_normal(len(t))
    y[len(y) // 2 : len(y) // 2 + rate // 4] = 0
    return y.astype(np.float32)


def clip_of(samples: np.ndarray, rate: int, start: float = 0.0) -> Clip:
    data = np.atleast_2d(samples).astype(np.float32)
    return Clip(Span(start, start + data.shape[1] / rate), waveform=Waveform(data, rate, start))


def assert_near(ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> None:
    """pytest.approx, quick for large arrays."""
    assert ours.shape == theirs.shape
    assert float(np.abs(ours - theirs).max(initial=0)) <= tolerance


def heard_at(extractor: Any) -> int:
    return int(extractor.needs.sound.sample_rate)


@pytest.mark.parametrize(("size", "hop"), [(512, 160), (400, 160), (2048, 512), (256, 300)])
def test_stft_is_librosas(size: int, hop: int) -> None:
    y = sound()
    wanted = np.abs(librosa.stft(y, n_fft=size, hop_length=hop)).T
    assert_near(stft_magnitude(y, size, hop), wanted, 1e-5 * wanted.max())


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_mel_is_librosas(scale: Any) -> None:
    y, htk = sound(), scale == "htk"
    hertz = np.array([0.0, 60, 999, 1000, 1001, 7000])
    assert hz_to_mel(hertz, scale) == pytest.approx(librosa.hz_to_mel(hertz, htk=htk))
    assert mel_to_hz(hz_to_mel(hertz, scale), scale) == pytest.approx(hertz, abs=1e-9)
    bands = mel_bands(RATE, 512, 40, 50.0, 7000.0, scale)
    theirs = librosa.filters.mel(sr=RATE, n_fft=512, n_mels=40, fmin=50, fmax=7000, htk=htk)
    assert_near(bands.T, theirs, 1e-7)
    wanted = librosa.feature.melspectrogram(
        y=y, sr=RATE, n_fft=512, hop_length=160, n_mels=40, fmin=50, fmax=7000, htk=htk
    ).T
    energies = mel_energies(y, bands, 160)
    assert_near(energies, wanted, 1e-4 * wanted.max())
    for top_db in (None, 80.0, 30.0):
        decibels = librosa.power_to_db(wanted, top_db=top_db)
        assert_near(power_to_db(energies, top_db=top_db), decibels, 1e-3)
    assert_near(power_to_db(energies, 4.0), librosa.power_to_db(wanted, ref=4.0, top_db=None), 1e-3)


@pytest.mark.parametrize("lifter", [0.0, 22.0])
def test_mfcc_and_deltas_are_librosas(lifter: float) -> None:
    y = sound()
    energies = mel_energies(y, mel_bands(RATE, 512, 64), 160)
    ours = cepstrum(power_to_db(energies, top_db=80), 20, lifter)
    theirs = librosa.feature.mfcc(
        y=y, sr=RATE, n_fft=512, hop_length=160, n_mels=64, n_mfcc=20, lifter=lifter
    ).T  # fmt: skip
    assert_near(ours, theirs, 1e-3)
    for order in (1, 2):
        for width in (5, 9):
            assert_near(delta(ours, order, width), librosa.feature.delta(ours, order=order, width=width, axis=0), 1e-3)


def test_deltas_of_few_rows() -> None:
    short = np.random.default_rng(1).random((6, 2)).astype(np.float32)
    assert delta(short) == pytest.approx(scipy.signal.savgol_filter(short, 5, 1, deriv=1, axis=0), abs=1e-6)
    assert not delta(short[:2]).any()
    assert delta(short[:0]).shape == (0, 2)
    line = np.arange(20, dtype=np.float32)[:, None]
    assert delta(line) == pytest.approx(np.ones((20, 1)), abs=1e-5)
    assert delta(line**2, 2) == pytest.approx(np.full((20, 1), 2.0), abs=1e-3)


@pytest.mark.parametrize("tuning", [0.0, 0.3])
def test_chroma_is_librosas(tuning: float) -> None:
    y = sound()
    theirs = librosa.feature.chroma_stft(y=y, sr=RATE, n_fft=2048, hop_length=512, tuning=tuning).T
    assert_near(chroma(y, RATE, tuning=tuning), theirs, 1e-4)


def test_chroma_of_a_note_is_its_pitch_class() -> None:
    t = np.arange(RATE) / RATE
    for note, place in ((440.0, 9), (261.63, 0), (523.25, 0), (329.63, 4)):
        row = Chroma()(clip_of(0.3 * np.sin(2 * np.pi * note * t), RATE)).values[10]
        assert int(row.argmax()) == place


def test_pitch_is_librosas() -> None:
    y = sound(4.0)
    ours, _ = yin(y, RATE, 65, 1000, 1024, 160)
    theirs = librosa.yin(y, fmin=65, fmax=1000, sr=RATE, frame_length=1024, hop_length=160)
    assert ours.shape == theirs.shape
    assert (np.abs(ours - theirs) <= 1e-3 * theirs).mean() > 0.995


def test_pitch_is_the_first_period_not_the_deepest() -> None:
    """At 437 Hz five periods are nearer to a whole number of samples than one is."""
    t = np.arange(RATE // 2) / RATE
    hertz, off = yin((0.3 * scipy.signal.sawtooth(2 * np.pi * 437.0 * t)).astype(np.float32), RATE)
    assert hertz[10:-10] == pytest.approx(np.full(len(hertz) - 20, 437.0), rel=0.01)
    assert (off[10:-10] < 0.1).all()


def test_pitch_knows_what_is_voiced() -> None:
    t = np.arange(RATE) / RATE
    saw = scipy.signal.sawtooth(2 * np.pi * 123.0 * t) * 0.2
    noise = np.random.default_rng(2).standard_normal(RATE) * 0.1
    values = Pitch()(clip_of(np.concatenate([saw, noise, np.zeros(RATE)]), RATE)).values
    assert values[10:90, 0] == pytest.approx(np.full(80, 123.0), rel=5e-3)
    assert (values[10:90, 1] == 1).all()
    assert values[110:190, 1].mean() < 0.05
    assert not values[210:].any()
    assert (values[values[:, 1] == 0, 0] == 0).all()


def test_spectral_shape_is_librosas() -> None:
    y = sound()
    magnitude = stft_magnitude(y, 1024, 160)
    wide = np.abs(librosa.stft(y, n_fft=1024, hop_length=160))
    theirs = np.concatenate(
        [
            librosa.feature.spectral_centroid(S=wide, sr=RATE),
            librosa.feature.spectral_bandwidth(S=wide, sr=RATE),
            librosa.feature.spectral_rolloff(S=wide, sr=RATE),
            librosa.feature.spectral_flatness(S=wide),
        ]
    ).T
    ours = shape(magnitude, RATE)
    assert ours[:, 3] == pytest.approx(theirs[:, 3], abs=1e-4)
    assert (np.abs(ours - theirs)[:, :2] <= 1e-3 * np.ptp(theirs[:, :2], axis=0)).all()
    # A roll-off lies on a bin; where two bins share the 85%, rounding says which.
    assert (np.abs(ours - theirs)[:, 2] <= 1e-3).mean() > 0.995
    assert_near(contrast(magnitude, RATE, top_db=80.0), librosa.feature.spectral_contrast(S=wide, sr=RATE).T, 0.02)
    for size, hop in ((1024, 160), (400, 512)):
        assert zero_crossing_rate(y, size, hop) == pytest.approx(
            librosa.feature.zero_crossing_rate(y, frame_length=size, hop_length=hop)[0], abs=1e-6
        )
        negative = np.concatenate([np.full(30, -0.2, np.float32), y])
        assert zero_crossing_rate(negative, size, hop) == pytest.approx(
            librosa.feature.zero_crossing_rate(negative, frame_length=size, hop_length=hop)[0], abs=1e-6
        )
        assert rms(y, size, hop) == pytest.approx(
            librosa.feature.rms(y=y, frame_length=size, hop_length=hop)[0], abs=1e-6
        )


def test_loudness_of_a_reference_tone() -> None:
    """EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS is -23 LUFS."""
    t = np.arange(48_000 * 4 + 100) / 48_000
    tone = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * t)
    made = LoudnessRows()(clip_of(np.stack([tone, tone]), 48_000))
    assert made.values.shape == (41, 2)
    assert made.values[5:40, 0] == pytest.approx(np.full(35, -23.0), abs=0.1)
    assert made.values[31:40, 1] == pytest.approx(np.full(9, -23.0), abs=0.1)
    late = LoudnessRows()(clip_of(np.stack([np.concatenate([np.zeros(48_000), tone])] * 2), 48_000)).values[:, 0]
    assert late[13:16] == pytest.approx(np.full(3, -23.0), abs=0.1)  # the fourth hop of the tone fills 400 ms
    assert late[12] == pytest.approx(-23.0 + 10 * np.log10(3 / 4), abs=0.1)
    quiet = LoudnessRows()(clip_of(np.zeros(48_000), 48_000)).values
    assert (quiet == -120).all()


def test_loudness_is_filtered_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = (0.1 * np.random.default_rng(3).standard_normal((2, 48_000)) + 0.3).astype(np.float32)
    whole = hop_powers(noise)
    monkeypatch.setattr(loudness, "_STRETCH", HOP)
    assert hop_powers(noise) == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("extractor", ALL, ids=lambda e: e.name)
def test_rows_join_without_gap_and_end_with_the_sound(extractor: Any) -> None:
    assert isinstance(extractor, FeatureExtractor)
    rate = heard_at(extractor)
    made = extractor(clip_of(sound(1.0, rate), rate, 12.5))
    count = -(-(rate + 37) // extractor.hop)
    assert made.values.shape == (count, extractor.dim)
    assert made.times[0, 0] == 12.5
    assert made.times[1:, 0] == pytest.approx(made.times[:-1, 1])
    assert made.times[-1, 1] == pytest.approx(12.5 + (rate + 37) / rate)
    assert made.source.analyser == extractor.name
    again = extractor(clip_of(sound(1.0, rate), rate, 12.5))
    assert np.array_equal(made.values, again.values)


@pytest.mark.parametrize("extractor", ALL, ids=lambda e: e.name)
@pytest.mark.parametrize("samples", [0, 1, 2, 159, 161])
def test_short_sounds_and_silence(extractor: Any, samples: int) -> None:
    made = extractor(clip_of(np.zeros(samples), heard_at(extractor)))
    assert len(made) == -(-samples // extractor.hop)
    assert len(extractor(Clip(Span(0, 1)))) == 0
    assert extractor(Clip(Span(0, 1))).values.shape == (0, extractor.dim)


@pytest.mark.parametrize("extractor", ALL, ids=lambda e: e.name)
def test_stretches_with_their_reach_give_the_rows_of_the_whole(extractor: Any) -> None:
    """What the command does with long files: a margin of `reach` seconds around a stretch on the grid of hops."""
    rate, hop = heard_at(extractor), extractor.hop
    y = sound(12.0, rate)
    whole = extractor(clip_of(y, rate)).values
    margin = -(-int(extractor.reach * rate) // hop) * hop
    low, high = 5 * rate // hop * hop, 8 * rate // hop * hop
    part = extractor(clip_of(y[max(0, low - margin) : high + margin], rate)).values
    offset = min(low, margin) // hop
    inside = part[offset : offset + (high - low) // hop]
    assert inside == pytest.approx(whole[low // hop : high // hop], rel=1e-3, abs=2e-2)


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (lambda: Stft(size=511), "size"),
        (lambda: Stft(hop=0), "hop"),
        (lambda: Stft(sample_rate=10), "sample_rate"),
        (lambda: LogMel(scale="bark"), "scale"),  # type: ignore[arg-type]
        (lambda: LogMel(lowest=9000), "lowest"),
        (lambda: LogMel(highest=9000), "highest"),
        (lambda: LogMel(bands=200), "fewer bands"),
        (lambda: LogMel(log="ln"), "log"),  # type: ignore[arg-type]
        (lambda: Mfcc(coefficients=65), "coefficients"),
        (lambda: Mfcc(deltas=3), "deltas"),
        (lambda: Chroma(classes=1), "classes"),
        (lambda: Pitch(lowest=10), "lowest"),
        (lambda: Pitch(highest=50), "highest"),
        (lambda: Pitch(threshold=0), "threshold"),
        (lambda: Spectral(size=64), "size"),
    ],
)
def test_settings_that_mean_nothing(make: Any, setting: str) -> None:
    with pytest.raises(BadQueryError, match=setting):
        make()


def test_sound_of_another_rate_is_refused_not_stretched() -> None:
    with pytest.raises(BadQueryError, match="8000"):
        LogMel()(clip_of(np.zeros(100), 8000))
    with pytest.raises(BadQueryError, match="44100"):
        LoudnessRows()(clip_of(np.zeros(100), 44100))


def test_channels_are_mixed_and_odd_values_do_not_spread() -> None:
    y = sound(0.5)
    both = mono(clip_of(np.stack([y, np.zeros_like(y)]), RATE), RATE)
    assert both == pytest.approx(y / 2)
    broken = y.copy()
    broken[100] = np.nan
    assert np.isfinite(Mfcc()(clip_of(broken, RATE)).values).all()


@settings(max_examples=40, deadline=None)
@given(samples=st.integers(1, 5000), hop=st.integers(1, 700), start=st.floats(-5, 1e5))
def test_times_cover_the_sound(samples: int, hop: int, start: float) -> None:
    clip = clip_of(np.zeros(samples), RATE, start)
    count = -(-samples // hop)
    times = hop_times(clip, count, hop, RATE)
    assert times.shape == (count, 2)
    assert times[0, 0] == start
    assert times[-1, 1] == clip.waveform.end  # type: ignore[union-attr]
    assert (times[:, 1] >= times[:, 0]).all()


def test_the_hop_of_loudness_is_100_ms() -> None:
    assert HOP == 4800
