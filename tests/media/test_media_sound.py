"""Sound: to the sample, where it is, and the same bit for bit whoever asks in what pieces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendered import clicks, melody, write_sound, write_video

from cinescope import media
from cinescope.media import sound as sound_module
from cinescope.media.mixing import mixed
from cinescope.media.sound import SoundReader
from cinescope.types import MediaError

Render = Callable[..., Path]
SECONDS = 23.7  # more than one piece of 20 s

# Name -> (codec, lossless, seconds a decoder's delay may shift it where the container does not tell).
FORMATS = {
    "a.wav": ("pcm_s16le", True, 0.0),
    "a.flac": ("flac", True, 0.0),
    "pcm.mkv": ("pcm_s16le", True, 0.0),
    "a.m4a": ("aac", False, 0.0),
    "aac.mkv": ("aac", False, 0.001),
    "a.ogg": ("libopus", False, 0.0),
    "opus.mkv": ("libopus", False, 0.001),
    "a.mp3": ("libmp3lame", False, 0.025),
    "ac3.mkv": ("ac3", False, 0.007),
    "a.ts": ("aac", False, 0.025),
    "a.aac": ("aac", False, 0.025),
    "mp3.avi": ("libmp3lame", False, 0.05),
}


def clip(rendered: Render, name: str) -> Path:
    return rendered("melody_" + name, write_sound, melody(SECONDS, channels=2), codec=FORMATS[name][0])


@pytest.mark.parametrize("name", FORMATS)
def test_pieces_joined_are_the_whole(rendered: Render, name: str) -> None:
    path = clip(rendered, name)
    whole = media.read_sound(path, 0, 24)
    assert whole.data.shape == (1, 24 * 16_000)
    assert whole.data.dtype == np.float32
    with SoundReader(path) as reader:
        reader.read(22, 23)
        pieces = [reader.read(k, k + 1).data for k in range(24)]
        assert reader.warnings == []
    assert np.array_equal(np.concatenate(pieces, axis=1), whole.data)
    assert np.array_equal(media.read_sound(path, 19.5, 20.5).data, whole.data[:, 312_000:328_000])
    assert np.array_equal(media.read_sound(path, 0, 24).data, whole.data)


@pytest.mark.parametrize("name", FORMATS)
def test_sound_stands_where_it_was_put(rendered: Render, name: str) -> None:
    codec, lossless, delay = FORMATS[name]
    at = [0.5, 3.0, 19.99, 21.25]
    path = rendered("clicks_" + name, write_sound, clicks(SECONDS, at), codec=codec)
    for rate in (48_000, 16_000):
        heard = np.abs(media.read_sound(path, 0, SECONDS, rate).data[0])
        for time in at:
            near = heard[round((time - 0.1) * rate) : round((time + 0.1) * rate)]
            onset = np.argmax(near > 0.25) / rate - 0.1  # a 1 kHz burst of 0.8 passes 0.25 after 0.05 ms
            assert -0.0008 <= onset <= delay + 0.0008
            assert near.max() > 0.6
        quiet = heard[round(8 * rate) : round(18 * rate)]
        assert quiet.max() < (1e-4 if lossless else 1e-2)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "pcm.mkv"])
@pytest.mark.parametrize("channels", [None, 2, 1])
def test_lossless_is_lossless(rendered: Render, name: str, channels: int | None) -> None:
    truth = melody(SECONDS, channels=2)
    read = media.read_sound(clip(rendered, name), 0, SECONDS, 48_000, channels).data
    wanted = truth.mean(axis=0, keepdims=True) if channels == 1 else truth
    assert np.abs(read - wanted[:, : read.shape[1]]).max() < 1.5 / 32_768


@pytest.mark.parametrize(("rate", "wanted"), [(44_100, 16_000), (8_000, 16_000), (11_025, 44_100), (48_000, 7_919)])
def test_any_rate_to_any_rate_keeps_time_and_pitch(rendered: Render, rate: int, wanted: int) -> None:
    time = np.arange(rate * 21) / rate
    truth = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[None]
    path = rendered(f"tone_{rate}.wav", write_sound, truth, rate=rate)
    read = media.read_sound(path, 0.5, 20.7, wanted).data[0]
    assert len(read) == round(20.2 * wanted)
    ideal = 0.5 * np.sin(2 * np.pi * 440 * (round(0.5 * wanted) + np.arange(len(read))) / wanted)
    assert np.abs(read - ideal).max() < 2e-3


_whole: dict[tuple[str, int], np.ndarray] = {}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.floats(-3, 30),
    length=st.floats(0, 5),
    rate=st.sampled_from([16_000, 22_050]),
    name=st.sampled_from(["a.m4a", "opus.mkv", "a.flac"]),
)
def test_any_stretch_has_its_length_and_its_place(
    rendered: Render, start: float, length: float, rate: int, name: str
) -> None:
    path = clip(rendered, name)
    part = media.read_sound(path, start, start + length, rate)
    assert part.data.shape == (1, round((start + length - start) * rate))
    assert part.start == start
    if (name, rate) not in _whole:
        _whole[name, rate] = media.read_sound(path, -4, 36, rate).data
    whole = _whole[name, rate]
    first = round(start * rate) + 4 * rate
    assert np.array_equal(part.data, whole[:, first : first + part.data.shape[1]])


def test_late_sound_begins_with_silence_and_early_end_is_silent(rendered: Render) -> None:
    path = rendered(
        "late_sound.mp4", write_video, count=100, sound=clicks(1.5, [0.0, 1.0]), sound_delay=1.2, options={"g": "25"}
    )
    read = media.read_sound(path, 0, 4).data[0]
    assert np.abs(read[: round(1.17 * 16_000)]).max() == 0  # one AAC frame earlier its ringing begins
    assert np.argmax(np.abs(read) > 0.25) / 16_000 == pytest.approx(1.2, abs=0.002)
    assert np.abs(read[round(2.75 * 16_000) :]).max() == 0
    extent = media.sound_extent(path)
    assert extent is not None
    assert extent.start == pytest.approx(1.2, abs=0.025)
    assert extent.end == pytest.approx(2.7, abs=0.03)


def test_a_gap_is_silence(rendered: Render) -> None:
    path = rendered("gap.mkv", write_sound, clicks(4, [0.5, 2.5]), gap=(2.0, 1.5), codec="pcm_s16le")
    read = np.abs(media.read_sound(path, 0, 6, 48_000).data[0])
    onsets = [round(float(k) / 48_000, 2) for k in np.flatnonzero(read > 0.25)[[0, -1]]]
    assert onsets == [0.5, 4.0]
    assert read[round(2.1 * 48_000) : round(3.4 * 48_000)].max() == 0


def test_no_sound_is_an_error_where_it_is_asked_for(rendered: Render) -> None:
    path = rendered("plain.mp4", write_video, count=75, options={"g": "20", "bf": "3", "preset": "veryfast"})
    with pytest.raises(MediaError, match="has no sound"):
        media.read_sound(path, 0, 1)
    assert media.sound_extent(path) is None


def test_stretches_and_rates_that_mean_nothing(rendered: Render) -> None:
    path = clip(rendered, "a.wav")
    for arguments in ((1, 0), (float("nan"), 1), (0, float("inf")), (0, 1, 0), (0, 1, 10_000_000)):
        with pytest.raises(ValueError, match=r"needs start|sample rate"):
            media.read_sound(path, *arguments)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cannot make 4 channels of 2"):
        media.read_sound(path, 0, 1, channels=4)
    assert media.read_sound(path, 1, 1).data.shape == (1, 0)


def test_memory_stays_with_one_piece(rendered: Render) -> None:
    with SoundReader(clip(rendered, "a.wav")) as reader:
        for k in range(24):
            reader.read(k, k + 1)
            reader.read(k, k + 1, 8_000, 2)
        assert {number for number, *_ in reader._pieces} == {1}
        assert sound_module.CHUNK == 20


def test_mixing_follows_the_standard() -> None:
    names = ["FL", "FR", "FC", "LFE", "SL", "SR"]
    data = np.eye(6, dtype=np.float32)
    stereo = mixed(data, names, 2)
    assert stereo[:, 3].tolist() == [0, 0]  # no low-frequency channel
    assert stereo[0].tolist() == pytest.approx([1 / 2.4142, 0, 0.7071 / 2.4142, 0, 0.7071 / 2.4142, 0], abs=1e-4)
    assert mixed(np.ones((6, 3), np.float32), names, 1).tolist() == [pytest.approx([1, 1, 1])]
    assert mixed(data[:3], ["A", "B", "C"], 1)[0, :3].tolist() == pytest.approx([1 / 3] * 3)
    assert mixed(data[:1], ["FC"], 2).shape == (2, 6)


def test_six_channels_are_read_as_recorded(rendered: Render) -> None:
    truth = np.stack([0.1 * (k + 1) * np.ones(48_000, np.float32) for k in range(6)])
    path = rendered("six.flac", write_sound, truth, codec="flac", layout="5.1")
    read = media.read_sound(path, 0.2, 0.4, 48_000, None)
    assert read.data[:, 100].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], abs=1e-3)


def test_failing_sound_ends_in_silence_and_says_so(shared_clip: Callable[[str], Path]) -> None:
    path = shared_clip("moviepy__video_with_failing_audio.mp4")
    with SoundReader(path) as reader:
        first = reader.read(0, 12)
        again = reader.read(0, 12)
    assert first.data.shape == (1, 192_000)
    assert np.array_equal(first.data, again.data)
    assert np.array_equal(media.read_sound(path, 3, 5).data, first.data[:, 48_000:80_000])


def test_the_stream_a_player_plays_or_the_one_asked_for(shared_clip: Callable[[str], Path]) -> None:
    path = shared_clip("torchcodec__nasa_13013.mp4")
    default, first, second = (media.read_sound(path, 2, 4, 8_000, 2, stream=s).data for s in (None, 1, 4))
    assert np.array_equal(default, first)
    assert not np.array_equal(first, second)
    with pytest.raises(MediaError, match="no sound in stream 0"):
        media.read_sound(path, 0, 1, stream=0)
