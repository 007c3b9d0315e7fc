"""Clips of files: only what is asked for, at the right times."""

from __future__ import annotations

import itertools
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cinescope.features import clips
from cinescope.features.clips import ClipReader, load_clip, load_clips
from cinescope.media import VideoWriter
from cinescope.types import BadQueryError, FrameNeed, MediaError, Needs, SoundNeed, Span, Waveform

RATE = 16_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 pictures, 10 a second from 0.5 s on, each of its own grey; a tone whose loudness rises; subtitles beside."""
    folder = tmp_path_factory.mktemp("clips")
    with VideoWriter(folder / "film.mp4", (64, 48), 10, (RATE, 1), options={"crf": "1"}) as out:
        for k in range(40):
            out.picture(np.full((48, 64, 3), 6 * k, np.uint8), 0.5 + k / 10, 0.1)
        t = np.arange(round(4.5 * RATE)) / RATE
        out.sound(Waveform((0.1 * t * np.sin(2 * np.pi * 440 * t))[None].astype(np.float32), RATE, 0.0))
    (folder / "film.en.srt").write_text(
        "1\n00:00:00,600 --> 00:00:01,500\nthe red car\n\n2\n00:00:02,000 --> 00:00:03,000\nstands\n", encoding="utf-8"
    )
    return folder / "film.mp4"


def greys(clip_frames: np.ndarray) -> list[int]:
    return [round(float(f.mean()) / 6) for f in clip_frames]


def test_every_picture_with_its_time(film: Path) -> None:
    clip = load_clip(film, Needs(FrameNeed()))
    assert clip.frames is not None
    assert clip.frames.times == pytest.approx([0.5 + k / 10 for k in range(40)])
    assert clip.frame_durations == pytest.approx([0.1] * 40)
    assert greys(clip.frames.data) == list(range(40))
    assert clip.waveform is None
    assert clip.words == ()
    assert clip.video is not None
    assert clip.name == "film.mp4"


def test_a_rate_means_the_grid_of_the_video_and_its_first_picture(film: Path) -> None:
    whole = load_clip(film, Needs(FrameNeed(rate=2, size=32))).frames
    assert whole is not None
    assert whole.times == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0])
    assert greys(whole.data) == [0, 5, 10, 15, 20, 25, 30, 35]
    assert whole.data.shape[1:] == (24, 32, 3)
    thirds = load_clip(film, Needs(FrameNeed(rate=3))).frames
    assert thirds is not None
    assert thirds.times[:3] == pytest.approx([0.5, 2 / 3, 1.0])
    part = load_clip(film, Needs(FrameNeed(rate=2)), Span(1.2, 2.6)).frames
    assert part is not None
    assert part.times == pytest.approx([1.5, 2.0, 2.5])


def test_a_clip_between_two_pictures_holds_the_one_that_stands_there(film: Path) -> None:
    for need in (FrameNeed(), FrameNeed(rate=1)):
        clip = load_clip(film, Needs(need), Span(1.23, 1.27))
        assert clip.frames is not None
        assert clip.frames.times == pytest.approx([1.23])
        assert greys(clip.frames.data) == [7]


def test_one_pass_serves_several_needs(film: Path) -> None:
    needs = {
        "a": Needs(FrameNeed(rate=5)),
        "b": Needs(FrameNeed(pixels="grey"), SoundNeed(8000)),
        "c": Needs(sound=SoundNeed(RATE), subtitles=True),
    }
    made = load_clips(film, needs, Span(1.0, 3.0))
    for name, need in needs.items():
        alone = load_clip(film, need, Span(1.0, 3.0))
        if alone.frames is not None:
            together = made[name].frames
            assert together is not None
            assert (together.data == alone.frames.data).all()
            assert (together.times == alone.frames.times).all()
    assert made["b"].waveform is not None
    assert made["b"].waveform.data.shape == (1, 16_000)
    assert made["c"].frames is None
    assert [w.text for w in made["c"].words] == ["the", "red", "car", "stands"]
    assert made["c"].words[0].span == Span(0.6, 1.5)
    assert [w.text for w in load_clip(film, Needs(subtitles=True), Span(1.6, 4.0)).words] == ["stands"]


def test_stretches_are_the_whole(film: Path) -> None:
    """Asking for stretches with margins, as long videos are read, gives the same samples as asking for all."""
    need = Needs(FrameNeed(rate=7), SoundNeed(RATE))
    whole = load_clip(film, need)
    assert whole.frames is not None
    assert whole.waveform is not None
    times, data, sound = [], [], []
    with ClipReader(film, [need]) as reader:
        edges = [reader.span.start, 1.3, 2.7, reader.span.end]
        for low, high in itertools.pairwise(edges):
            clip = reader.clip(need, Span(max(edges[0], low - 0.4), min(edges[-1], high + 0.4)))
            assert clip.frames is not None
            assert clip.frames.times[-1] < min(edges[-1], high + 0.4)
            inside = (clip.frames.times >= low) & (clip.frames.times < high)
            times += clip.frames.times[inside].tolist()
            data += list(clip.frames.data[inside])
            sound.append(reader.clip(need, Span(low, high)).waveform)
            reader.forget(high - 0.4)
    assert times == pytest.approx(whole.frames.times.tolist())
    assert (np.stack(data) == whole.frames.data).all()
    joined = np.concatenate([w.data for w in sound if w is not None], axis=1)
    assert np.array_equal(joined[:, : whole.waveform.data.shape[1]], whole.waveform.data)


def test_a_part_of_what_was_read_already(film: Path) -> None:
    need = Needs(FrameNeed())
    with ClipReader(film, [need]) as reader:
        assert len(reader.clip(need, Span(0.5, 3.0)).frames or ()) == 25
        again = reader.clip(need, Span(0.5, 1.0)).frames
        assert again is not None
        assert greys(again.data) == [0, 1, 2, 3, 4]


def test_sound_may_be_asked_for_again(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "BLOCK", 0.5)
    monkeypatch.setattr(clips, "_HELD_BLOCKS", 3)
    need = Needs(sound=SoundNeed(RATE))
    whole = load_clip(film, need, Span(0, 4)).waveform
    assert whole is not None
    with ClipReader(film, [need]) as reader:
        for low, high in ((0.0, 1.0), (2.0, 3.4), (3.0, 3.2), (0.0, 0.7), (1.1, 2.3), (0.2, 3.9)):
            part = reader.clip(need, Span(low, high)).waveform
            assert part is not None
            assert np.array_equal(part.data, whole.data[:, round(low * RATE) : round(high * RATE)])


def test_sound_files_and_picture_files(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "s.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(np.full(4000, 8192, "<i2").tobytes())
    clip = load_clip(tmp_path / "s.wav", Needs(FrameNeed(), SoundNeed(8000)))
    assert clip.frames is None
    assert clip.waveform is not None
    assert clip.waveform.data == pytest.approx(np.full((1, 4000), 0.25))
    Image.fromarray(np.full((30, 50, 3), 99, np.uint8)).save(tmp_path / "p.png")
    for need in (FrameNeed(), FrameNeed(rate=5)):
        clip = load_clip(tmp_path / "p.png", Needs(need, SoundNeed()), Span(2, 6))
        assert clip.waveform is None
        assert clip.frames is not None
        assert clip.frames.times.tolist() == [2.0]
        assert clip.frame_durations == (4.0,)
        assert (clip.frames.data == 99).all()


def test_a_sound_of_no_samples(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "z.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
    clip = load_clip(tmp_path / "z.wav", Needs(sound=SoundNeed(8000)))
    assert clip.waveform is not None
    assert clip.waveform.data.shape == (1, 0)


def test_bad_input(film: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError):
        load_clip(tmp_path / "none.mp4", Needs(FrameNeed()))
    with pytest.raises(BadQueryError, match="nothing between 90"):
        load_clip(film, Needs(FrameNeed()), Span(90, 91))
