"""What files say of themselves: written into rendered containers, and asked of real ones."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered import clicks, melody, numbered, write_sound, write_video

from cinescope import media
from cinescope.media.probe import iso_date
from cinescope.types import MediaError, Span

Render = Callable[..., Path]
X264 = {"g": "20", "bf": "3", "preset": "veryfast"}


def test_title_date_and_streams(rendered: Render) -> None:
    path = rendered(
        "told.mp4",
        write_video,
        count=50,
        options=X264,
        sound=melody(2.0),
        metadata={"title": "A talk ", "creation_time": "2010-12-15T20:42:24.000000Z"},
    )
    video = media.probe(path)
    assert video.id == ""
    assert video.title == "A talk"
    assert video.recorded == "2010-12-15T20:42:24Z"
    assert video.duration == pytest.approx(2.0, abs=0.05)
    assert [s.kind for s in video.streams] == ["video", "audio"]
    picture, sound = video.streams
    assert (picture.codec, picture.width, picture.height, picture.frame_rate) == ("h264", 160, 96, 25.0)
    assert (picture.pixel_format, picture.bit_depth, picture.has_alpha) == ("yuv420p", 8, False)
    assert (picture.interlaced, picture.still, picture.rotation, picture.frame_count) == (False, False, 0, 50)
    assert (sound.codec, sound.sample_rate, sound.channels) == ("aac", 48_000, 1)
    assert video.has_motion
    assert video.warnings == ()
    assert video.info["tags"]["title"] == "A talk "


def test_chapters_and_languages(tmp_path: Path) -> None:
    path = tmp_path / "book.mkv"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8_000, layout="mono")
        stream.metadata["language"] = "chi"
        other = out.add_stream("pcm_s16le", rate=8_000, layout="mono")
        other.metadata["language"] = "und"
        out.set_chapters(
            [
                {"id": 1, "start": 0, "end": 1500, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}},
                {"id": 2, "start": 1500, "end": 3000, "time_base": Fraction(1, 1000), "metadata": {}},
            ]
        )
        for s in (stream, other):
            frame = av.AudioFrame.from_ndarray((melody(3.0, 8_000) * 32_767).astype("<i2"), "s16", "mono")
            frame.sample_rate, frame.pts = 8_000, 0
            out.mux(s.encode(frame))
            out.mux(s.encode(None))
    video = media.probe(path)
    assert [(c.span, c.title) for c in video.chapters] == [(Span(0.0, 1.5), "One"), (Span(1.5, 3.0), "")]
    assert [s.language for s in video.streams] == ["zh", ""]
    assert video.language == "zh"


def test_the_sidecar_fills_what_the_container_does_not_say(rendered: Render, tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    shutil.copy(rendered("silent.mp4", write_video, count=10), path)
    sidecar = {
        "title": "From the web", "upload_date": "20150323", "language": "en-US", "uploader": "Somebody",
        "webpage_url": "https://example.org/x", "description": "d", "formats": [1, 2, 3],
        "chapters": [{"start_time": 0, "end_time": 0.2, "title": "Intro"}, {"start_time": "x"}],
    }  # fmt: skip
    (tmp_path / "talk.info.json").write_text(json.dumps(sidecar), encoding="utf-8")
    video = media.probe(path)
    assert (video.title, video.recorded, video.language) == ("From the web", "2015-03-23", "en-US")
    assert [c.title for c in video.chapters] == ["Intro"]
    assert video.info["sidecar"]["uploader"] == "Somebody"
    assert "formats" not in video.info["sidecar"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"\xff\xfe\x00", b'{"title": 7, "chapters": {"a": 1}, "language": [1]}', b"[" * 99_999],
)
def test_a_damaged_sidecar_is_a_warning(rendered: Render, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "talk.mp4"
    shutil.copy(rendered("silent.mp4", write_video, count=10), path)
    (tmp_path / "talk.info.json").write_bytes(content)
    video = media.probe(path)
    assert video.chapters == ()
    assert len(video.warnings) == (0 if content.startswith(b'{"') else 1)


def test_cover_art_is_a_still_stream_and_never_the_first(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("libmp3lame", rate=44_100, layout="mono")
        cover = out.add_stream("png", rate=1)
        cover.width, cover.height, cover.pix_fmt = 160, 96, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(numbered(5), "rgb24")
        frame.pts = 0
        out.mux(cover.encode(frame))
        out.mux(cover.encode(None))
        for k in range(20):
            piece = av.AudioFrame.from_ndarray(melody(0.1, 44_100), "fltp", "mono")
            piece.sample_rate, piece.pts = 44_100, k * 4_410
            out.mux(sound.encode(piece))
        out.mux(sound.encode(None))
    video = media.probe(path)
    (still,) = [s for s in video.streams if s.kind == "video"]
    assert still.still
    assert not video.has_motion
    assert video.duration == pytest.approx(2.0, abs=0.1)
    with media.VideoReader(path, still.index) as reader:
        assert [p.array().shape for p in reader.pictures()] == [(96, 160, 3)]
    assert media.read_sound(path, 0, 1).data.std() > 0.1


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.ts", "late.flv"])
def test_duration_reaches_from_zero_to_the_end(rendered: Render, name: str) -> None:
    times = [Fraction(k, 25) + Fraction(1075, 1000) for k in range(75)]
    path = rendered("from_" + name, write_video, count=75, options=X264, times=times)
    video = media.probe(path)
    with media.VideoReader(path) as reader:
        *_, last = reader.pictures()
    assert video.start == pytest.approx(last.time + last.duration - 3.0, abs=0.1)
    # FLV counts from the first decoding time, which it does not tell: off by the delay of the B-frames.
    assert video.duration == pytest.approx(last.time + last.duration, abs=0.1 if name.endswith("flv") else 0.01)
    assert media.measure_duration(path) == pytest.approx(last.time + last.duration, abs=0.05)


def test_no_stated_duration_is_none_and_can_be_measured(shared_clip: Callable[[str], Path], rendered: Render) -> None:
    path = shared_clip("moviepy__no_duration.webm")
    video = media.probe(path)
    assert video.duration is None
    assert "the file does not say how long it is" in video.warnings
    assert media.measure_duration(path) == pytest.approx(4.9, abs=0.2)


def test_a_raw_stream_is_measured_by_its_pictures(rendered: Render) -> None:
    path = rendered("measured.h264", write_video, count=75, form="h264", options=X264)
    assert media.probe(path).duration is None
    assert media.measure_duration(path) == pytest.approx(3.0)


@pytest.mark.parametrize("name", ["s.wav", "s.flac", "s.mp3", "s.ogg"])
def test_sound_files(rendered: Render, name: str) -> None:
    codec = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "ogg": "libopus"}[name.split(".")[1]]
    video = media.probe(rendered("probe_" + name, write_sound, clicks(3.0, [1.0]), codec=codec))
    assert video.first("video") is None
    assert video.duration == pytest.approx(3.0, abs=0.1)


def test_a_cut_off_file_says_how_much_is_there(rendered: Render, tmp_path: Path) -> None:
    path = rendered("fast.mp4", write_video, count=100, options=X264, container_options={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    data = path.read_bytes()
    cut.write_bytes(data[: len(data) * 6 // 10])
    (warning,) = media.probe(cut).warnings
    assert warning.startswith("the file is cut off: of video only the first")
    with media.VideoReader(cut) as reader:
        times = [p.time for p in reader.pictures()]
    assert 20 < len(times) < 100


def test_interlaced_video_says_so(rendered: Render) -> None:
    path = rendered("fields.mkv", write_video, count=30, options={**X264, "x264-params": "tff=1"})
    assert media.probe(path).streams[0].interlaced is True
    with media.VideoReader(path) as reader:
        pictures = list(reader.pictures())
    assert all(p.interlaced for p in pictures)
    assert [p.time for p in pictures] == pytest.approx([k / 25 for k in range(30)])


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("20150323", "2015-03-23"), ("2014:05:06 10:11:12", "2014-05-06T10:11:12"), ("2014", "2014"),
        ("2010-12-15T20:42:24.000000Z", "2010-12-15T20:42:24Z"),
        ("2019-07-04T12:00:00+0200", "2019-07-04T12:00:00+02:00"),
        ("2019-07", "2019-07"), ("1904-01-01T00:00:00.000000Z", ""), ("1970-01-01", ""), ("", ""), ("soon", ""),
        ("2014-13-01", ""), ("0000-00-00", ""), ("99999999", ""),
    ],
)  # fmt: skip
def test_dates(text: str, date: str) -> None:
    assert iso_date(text) == date


@given(st.text(max_size=30))
def test_no_text_breaks_the_dates(text: str) -> None:
    assert isinstance(iso_date(text), str)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auto-editor__SAR-2by3.mp4", {"width": 427, "height": 360}),
        ("torchcodec__bt709_full_range.mp4", {"colour_range": "full", "colour_space": "bt709"}),
        ("torchcodec__h264_10bits.mp4", {"bit_depth": 10}),
        ("torchcodec__av1_video.mkv", {"codec": "av1"}),
        ("torchcodec__h265_video.mp4", {"codec": "hevc"}),
        ("moviepy__transparent.webm", {"has_alpha": True}),
        ("pyscenedetect__delayed_start.mp4", {"start": 1.075}),
        ("torchcodec__nasa_13013.mp4", {"index": 0, "language": "en"}),
    ],
)
def test_real_clips(shared_clip: Callable[[str], Path], name: str, expected: dict[str, object]) -> None:
    stream = media.probe(shared_clip(name)).first("video")
    assert {k: getattr(stream, k) for k in expected} == expected


def test_attachments_are_listed(shared_clip: Callable[[str], Path]) -> None:
    video = media.probe(shared_clip("auto-editor__testsrc_with_attachment.mkv"))
    (attached,) = video.info["attachments"]
    assert attached["size"] > 0
    assert [s.kind for s in video.streams].count("attachment") == 1


def test_subtitles_alone_are_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nhi\n\n")
    with pytest.raises(MediaError, match="neither pictures nor sound"):
        media.probe(path)


@pytest.mark.parametrize("ending", ["mov", "mp4", "mkv"])
def test_the_timecode_of_the_first_picture(tmp_path: Path, ending: str) -> None:
    for written in ("10:00:00:12", ""):
        path = tmp_path / f"a.{ending}"
        with media.VideoWriter(path, (64, 36), 25, metadata={"timecode": written} if written else None) as out:
            for frame in range(5):
                out.picture(np.zeros((36, 64, 3), np.uint8), frame / 25)
        assert media.probe(path).info.get("timecode", "") == written
