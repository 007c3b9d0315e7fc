"""Writing videos and sound, cutting, muxing: times as given, whole files or none."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cinescope.media import VideoReader, cut, mux, probe, read_sound, read_subtitles
from cinescope.media.cutting import clip_chapters, clip_track
from cinescope.media.encode import VideoWriter, one_at_a_time
from cinescope.media.encoders import Encoder, choose
from cinescope.media.soundfile import SoundWriter
from cinescope.media.writing import whole_file
from cinescope.types import (
    BadQueryError,
    Chapter,
    Cue,
    MediaError,
    MissingPartError,
    Span,
    SubtitleTrack,
    Waveform,
)

VARIABLE = [1001 / 3000, 0.5 + 1001 / 30000, 0.6, 0.7, 1.4, 1.4 + 1 / 24, 1.5, 2.0]  # seconds


def shade(k: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), 20 + 25 * k, np.uint8)


def tone(seconds: float, rate: int = 48_000, channels: int = 1) -> np.ndarray:
    t = np.arange(round(seconds * rate)) / rate
    # A chirp: shifted by anything, it no longer matches itself.
    return np.repeat((0.5 * np.sin(2 * np.pi * (200 * t + 250 * t * t)))[None], channels, 0).astype(np.float32)


def lag(one: np.ndarray, two: np.ndarray, most: int) -> int:
    middle = one[most:-most]
    return max(range(-most, most + 1), key=lambda k: float(middle @ two[most + k : len(two) - most + k]))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds at 25 pictures a second with sound, subtitles and chapters; a key picture each half second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    track = SubtitleTrack((Cue(Span(0.2, 0.8), "one"), Cue(Span(0.6, 1.5), "two")), "en")
    chapters = [Chapter(Span(0, 1), "first"), Chapter(Span(1, 2), "second")]
    with VideoWriter(path, (64, 48), 25, (48_000, 2), [track], "Film", chapters=chapters, options={"g": "12"}) as out:
        for k in range(50):
            out.picture(np.full((48, 64, 3), 5 * k, np.uint8), k / 25)
        out.sound(Waveform(tone(2, channels=2), 48_000, 0.0))
    return path


@pytest.mark.parametrize(("suffix", "error"), [(".mp4", 1e-9), (".mov", 1e-9), (".mkv", 5.1e-4), (".webm", 5.1e-4)])
def test_times_are_kept(tmp_path: Path, suffix: str, error: float) -> None:
    path = tmp_path / f"v{suffix}"
    with VideoWriter(path, (64, 48)) as out:
        for k, t in enumerate(VARIABLE):
            out.picture(shade(k), t, duration=0.75)
    with VideoReader(path) as reader:
        pictures = [(p.time, p.array().mean()) for p in reader.pictures()]
    assert [t for t, _ in pictures] == pytest.approx(VARIABLE, abs=error)
    assert [m for _, m in pictures] == pytest.approx([20 + 25 * k for k in range(8)], abs=3)
    video = probe(path)
    # The last picture stands as long as it was told to. WebM's encoder cannot say so.
    assert suffix == ".webm" or video.duration == pytest.approx(2.75, abs=0.002)


def test_gif(tmp_path: Path) -> None:
    path = tmp_path / "v.gif"
    with VideoWriter(path, (64, 48)) as out:
        for k, t in enumerate([0, 0.1, 0.3, 0.35]):
            out.picture(shade(k), t)
    with VideoReader(path) as reader:
        assert [p.time for p in reader.pictures()] == pytest.approx([0, 0.1, 0.3, 0.35])
    with pytest.raises(BadQueryError, match="GIF"):
        VideoWriter(path, (64, 48), sound=(16_000, 1))


@pytest.mark.parametrize("rate", [23.976, 24, 25, 29.97, 59.94, 60])
def test_usual_rates_are_exact_in_mp4(tmp_path: Path, rate: float) -> None:
    exact = {23.976: 1001 / 24000, 29.97: 1001 / 30000, 59.94: 1001 / 60000}.get(rate, 1 / rate)
    path = tmp_path / "v.mp4"
    with VideoWriter(path, (32, 32), rate) as out:
        for k in range(20):
            out.picture(np.zeros((32, 32, 1), np.uint8), k * exact)
    with VideoReader(path) as reader:
        assert [p.time for p in reader.pictures()] == pytest.approx([k * exact for k in range(20)], abs=1e-12)


def test_colours_rotation_odd_sizes_and_tags(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [200, 150, 40]]], np.uint8)
    picture = np.repeat(np.repeat(colours, 33, 0), 45, 1)[:65, :89]
    for suffix in (".mp4", ".webm"):
        path = tmp_path / f"v{suffix}"
        with VideoWriter(path, (89, 65), rotation=90, title="T", metadata={"artist": "A"}) as out:
            out.picture(picture, 0.0)
            out.picture(picture, 0.04)
        video = probe(path)
        stream = video.first("video")
        assert stream is not None
        assert stream.rotation == 90
        assert (stream.width, stream.height) == ((66, 90) if suffix == ".mp4" else (65, 89))
        assert video.title == "T"
        assert {k.lower(): v for k, v in video.info["tags"].items()}["artist"] == "A"
        with VideoReader(path) as reader:
            shown = next(reader.pictures()).array()[:89, -65:] if suffix == ".mp4" else next(reader.pictures()).array()
        turned = np.rot90(picture, -1)
        assert np.abs(shown.astype(int) - turned)[::7, ::7].mean() < 6


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_sound_is_heard_when_it_should_be(tmp_path: Path, suffix: str, rate: int) -> None:
    path = tmp_path / f"v{suffix}"
    wave = tone(1.5, rate)
    with VideoWriter(path, (32, 32), sound=(rate, 1)) as out:
        out.picture(np.zeros((32, 32, 3), np.uint8), 0)
        for at in range(0, wave.shape[1], 5_000):  # in pieces, the first of them late
            out.sound(Waveform(wave[:, at : at + 5_000], rate, 0.25 + at / rate))
    heard = read_sound(path, 0, 1.75, rate).data[0]
    assert np.abs(heard[: round(0.2 * rate)]).max() < 0.02
    # WebM's milliseconds cut Opus's run-up of 6.5 ms at 7.
    assert abs(lag(wave[0], heard[round(0.25 * rate) :], 300)) <= (rate * 0.0005 if suffix == ".webm" else 0)


def test_bad_input_to_the_writer_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    out = VideoWriter(path, (64, 48))
    out.picture(shade(0), 1.0)
    with pytest.raises(MediaError, match="not later"):
        out.picture(shade(1), 1.0)
    out = VideoWriter(path, None, sound=(16_000, 1))
    out.sound(Waveform(tone(0.5, 16_000), 16_000, 0.0))
    with pytest.raises(MediaError, match="overlaps"), out:
        out.sound(Waveform(tone(0.5, 16_000), 16_000, 0.2))
    with pytest.raises(ValueError, match="uint8"), VideoWriter(path, (64, 48)) as out:
        out.picture(shade(0, 32), 0)
    with pytest.raises(MediaError, match="nothing"), VideoWriter(path, (64, 48)):
        pass
    out = VideoWriter(path, (64, 48))
    out.picture(shade(0), 0)
    with pytest.raises(KeyboardInterrupt), out:
        raise KeyboardInterrupt
    with pytest.raises(BadQueryError, match=r"\.avi"):
        VideoWriter(tmp_path / "v.avi", (64, 48))
    with pytest.raises(MediaError, match="no folder"):
        VideoWriter(tmp_path / "none" / "v.mp4", (64, 48))
    with pytest.raises(MediaError, match="regular"), whole_file("/dev/null"):
        pass
    with pytest.raises(MissingPartError, match="no_such"):
        choose((Encoder("no_such"),), "H.264")
    assert os.listdir(tmp_path) == []


def limited(limit: int, folder: Path, suffix: str) -> str:
    """Writes a file in a process that may not write more than `limit` bytes to one, as on a disk that fills up."""
    code = f"""
import numpy as np
from cinescope.media import VideoWriter
from cinescope.types import MediaError
rng = np.random.default_rng(0)
try:
    with VideoWriter({str(folder / ("v" + suffix))!r}, (64, 48)) as out:
        for k in range(30):
            out.picture(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8), k / 30)
except MediaError as error:
    print(error)
"""

    def less() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    run = subprocess.run([sys.executable, "-c", code], preexec_fn=less, capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_disk_that_fills_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    assert limited(10_000_000, tmp_path, suffix) == ""
    (made,) = tmp_path.iterdir()
    size = made.stat().st_size
    made.unlink()
    for limit in (size // 2, size - 1):  # in the middle, and in the very last write
        said = limited(limit, tmp_path, suffix)
        assert f"cannot write '{made}'" in said
        assert list(tmp_path.iterdir()) == []


def test_whole_file_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(MediaError, match="disk is full"), whole_file(path) as part:
        fail(part)
    assert path.read_text() == "old"
    with whole_file(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]
    (tmp_path / "d").mkdir()
    with pytest.raises(MediaError, match="folder"), whole_file(tmp_path / "d"):
        pass


cue_lists = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20), st.sampled_from("abcd")), max_size=8)


@settings(deadline=None)
@given(cue_lists)
def test_one_at_a_time_shows_the_same(rows: list[tuple[int, int, str]]) -> None:
    cues = [Cue(Span(a, a + d), text) for a, d, text in rows]
    made = one_at_a_time(cues)
    assert all(a.span.end <= b.span.start for a, b in itertools.pairwise(made))
    for t in range(75):
        standing = sorted(c.text for c in cues if c.span.contains(t))
        shown = sorted(line for c in made if c.span.contains(t) for line in c.text.split("\n"))
        assert standing == shown


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize(("start", "end"), [(0.5, 1.2), (0.53, 1.27), (0.0, 2.0), (1.9, 99.0)])
def test_a_cut_shows_what_the_film_shows(film: Path, tmp_path: Path, suffix: str, start: float, end: float) -> None:
    out = tmp_path / f"c{suffix}"
    told: list[float] = []
    span = cut(film, Span(start, end), out, progress=told.append)
    assert span.start == start
    assert span.end == pytest.approx(min(end, 2.0), abs=0.01)
    assert told == sorted(told)
    times = np.arange(0.002, min(end, 2.0) - start - 0.002, 0.02)
    with VideoReader(film) as whole, VideoReader(out) as part:
        expected, got = whole.at(times + start, 8, "grey"), part.at(times, 8, "grey")
    assert np.abs(expected.data.astype(int) - got.data).max() <= 3  # five grey levels are one picture
    rate = 48_000
    length = min(end, 2.0) - start
    if length > 0.3:
        a, b = read_sound(film, start, start + length, rate).data[0], read_sound(out, 0, length, rate).data[0]
        assert abs(lag(a, b, 200)) <= (24 if suffix == ".webm" else 1)
    (track,) = read_subtitles(out) or (SubtitleTrack(()),)
    spoken = [line for cue in track.cues for line in cue.text.split("\n")]
    assert ("one" in spoken) == (start < 0.8)
    assert [c.title for c in probe(out).chapters] == [
        t for t, s in (("first", 0), ("second", 1)) if s < end and start < s + 1
    ]


def test_a_copied_cut_says_where_it_begins(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.mp4"
    span = cut(film, Span(0.7, 1.2), out, copy=True)
    assert span.start == pytest.approx(0.48)  # the key picture before
    assert 1.2 <= span.end <= 1.35
    with VideoReader(film) as whole, VideoReader(out) as part:
        pictures = [(p.time, p.array()) for p in part.pictures()]
        expected = whole.at([t + span.start + 0.001 for t, _ in pictures])
    assert pictures[0][0] == 0
    assert all((a == b).all() for (_, a), b in zip(pictures, expected.data, strict=True))
    a, b = read_sound(film, span.start, 1.2, 48_000).data[0], read_sound(out, 0, 1.2 - span.start, 48_000).data[0]
    assert lag(a[4800:], b[4800:], 200) == 0


def test_cuts_that_cannot_be(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "c.mp4"
    for copy in (False, True):
        with pytest.raises(MediaError, match="nothing"):
            cut(film, Span(50, 60), out, copy=copy)
        with pytest.raises(BadQueryError, match="overwrite"):
            cut(film, Span(0, 1), film, copy=copy)
        with pytest.raises(BadQueryError, match="empty"):
            cut(film, Span(1, 1), out, copy=copy)
    with pytest.raises(BadQueryError, match="h264"):
        cut(film, Span(0, 1), tmp_path / "c.webm", copy=True)

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut(film, Span(0, 1), out, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_mux_changes_what_it_is_told_to(film: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"m{suffix}"
    wave = tone(2.0, 16_000)
    german = SubtitleTrack((Cue(Span(0.5, 1), "eins"),), "de")
    mux(film, out, sound=[Waveform(wave, 16_000, 0.0)], subtitles=[german], title="New", chapters=[])
    video = probe(out)
    assert video.title == "New"
    assert video.chapters == ()
    assert [(t.language, [c.text for c in t.cues]) for t in read_subtitles(out)] == [("de", ["eins"])]
    assert lag(wave[0], read_sound(out, 0, 2, 16_000).data[0], 300) == 0
    with VideoReader(film) as one, VideoReader(out) as two:
        pairs = list(zip(one.pictures(), two.pictures(), strict=True))
    assert all(a.time == pytest.approx(b.time, abs=6e-4) for a, b in pairs)

    kept = tmp_path / f"k{suffix}"
    mux(film, kept)
    assert [c.title for c in probe(kept).chapters] == ["first", "second"]
    assert [c.text for c in read_subtitles(kept)[0].cues] == ["one", "one\ntwo", "two"]
    a, b = read_sound(film, 0, 2, 48_000).data[0], read_sound(kept, 0, 2, 48_000).data[0]
    assert lag(a[4800:-4800], b[4800:-4800], 100) in range(-48, 49)
    bare = tmp_path / f"b{suffix}"
    mux(film, bare, sound=[], subtitles=[])
    assert {s.kind for s in probe(bare).streams} - {"data"} == {"video"}


def test_clipped_tracks_and_chapters() -> None:
    track = SubtitleTrack((Cue(Span(0, 2), "a"), Cue(Span(2, 3), "b"), Cue(Span(4, 5), "c")), "en", "x")
    assert clip_track(track, Span(1, 4)).cues == (Cue(Span(0, 1), "a"), Cue(Span(1, 2), "b"))
    assert clip_chapters([Chapter(Span(0, 2), "x"), Chapter(Span(5, 6), "y")], Span(1, 4)) == [Chapter(Span(0, 1), "x")]


def test_real_clips_are_cut(shared_clip: Callable[[str], Path], tmp_path: Path) -> None:
    clip, out = shared_clip("pyscenedetect__delayed_start.mp4"), tmp_path / "c.mp4"
    assert cut(clip, Span(0, 1.8), out) == Span(0, 1.8)
    with VideoReader(out) as reader:
        assert next(reader.pictures()).time == pytest.approx(1.075)  # a late start stays late
    assert cut(clip, Span(1.2, 1.8), tmp_path / "k.mp4", copy=True).start == pytest.approx(1.195)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 20_000), st.integers(1, 3), st.sampled_from([".wav", ".flac"]), st.integers(0, 99))
def test_sixteen_bits_come_back_as_they_were(
    tmp_path: Path, samples: int, channels: int, suffix: str, seed: int
) -> None:
    values = np.random.default_rng(seed).integers(-32768, 32768, (channels, samples)).astype(np.float32) / 32768
    path = tmp_path / f"s{suffix}"
    with SoundWriter(path, 8_000, channels) as out:
        for at in range(0, samples, 3_000):
            out.write(Waveform(values[:, at : at + 3_000], 8_000, at / 8_000))
    assert out.samples == samples
    got = read_sound(path, 0, samples / 8_000, 8_000, channels)
    assert (got.data == values).all()
