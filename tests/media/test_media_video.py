"""Pictures: order, times, seeking, grids. The truth is rendered: each picture carries its number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendered import clicks, number_of, numbered, write_video

from cinescope import media
from cinescope.media.video import Picture
from cinescope.types import MediaError

Render = Callable[..., Path]
COUNT = 75
X264 = {"g": "20", "bf": "3", "preset": "veryfast"}
OPEN_GOP = {"bf": "3", "x264-params": "open-gop=1:keyint=20:min-keyint=20:scenecut=0"}
X265 = {"x265-params": "keyint=20:bframes=3:log-level=none:open-gop=1", "preset": "ultrafast"}
LATE = [Fraction(k, 25) + Fraction(1075, 1000) for k in range(COUNT)]
UNEVEN = [Fraction(k, 25) + Fraction(k * k % 7, 300) for k in range(COUNT)]

# Name -> (how it is rendered, time of the first picture). What a format makes of the first time is its own affair:
# FLV and fragmented MP4 have no edit list, so that the delay of the B-frames stays; AVI has decoding times only.
CASES: dict[str, tuple[dict[str, Any], float]] = {
    "plain.mp4": ({"options": X264}, 0.0),
    "open.mp4": ({"options": OPEN_GOP}, 0.0),
    "refresh.mp4": ({"options": {"x264-params": "intra-refresh=1:keyint=20"}}, 0.0),
    "fragments.mp4": ({"options": X264, "container_options": {"movflags": "frag_keyframe+empty_moov"}}, 0.08),
    "uneven.mp4": ({"options": X264, "times": UNEVEN}, 0.0),
    "late.mp4": ({"options": X264, "times": LATE}, 1.075),
    "late.mkv": ({"options": X264, "times": LATE}, 1.075),
    "plain.mkv": ({"options": X264}, 0.0),
    "live.mkv": ({"options": X264, "container_options": {"live": "1"}}, 0.0),  # no index, no duration
    "open.ts": ({"options": OPEN_GOP}, 0.08),
    "plain.flv": ({"options": X264}, 0.08),
    "reordered.avi": ({"options": X264}, 0.04),
    "mpeg4.avi": ({"codec": "mpeg4", "options": {"g": "20", "bf": "2"}}, 0.04),
    "program.mpg": ({"codec": "mpeg2video", "options": {"g": "15", "bf": "2", "b": "2M"}}, 0.54),
    "hevc.mp4": ({"codec": "libx265", "options": X265}, 0.0),
    "vp9.webm": ({"codec": "libvpx-vp9", "options": {"g": "20", "b": "300k", "cpu-used": "8"}}, 0.0),
    "av1.mp4": ({"codec": "libsvtav1", "options": {"g": "20", "preset": "12"}}, 0.0),
    "intra.avi": ({"codec": "mjpeg", "pix_fmt": "yuvj420p"}, 0.0),
    "moving.gif": ({"codec": "gif", "pix_fmt": "rgb8"}, 0.0),
    "raw.h264": ({"options": X264, "form": "h264"}, 0.0),
    "lossless.mkv": ({"codec": "ffv1", "options": {"g": "10"}}, 0.0),
}


def case(rendered: Render, name: str) -> Path:
    return rendered(name, write_video, count=COUNT, **CASES[name][0])


def told(picture: Picture) -> tuple[float, float, bool, str]:
    array = picture.array(None, "grey")
    return picture.time, picture.duration, picture.key, hashlib.md5(array.tobytes()).hexdigest()


_full: dict[str, list[tuple[float, float, bool, str]]] = {}


def full(path: Path) -> list[tuple[float, float, bool, str]]:
    if path.name not in _full:
        with media.VideoReader(path) as reader:
            _full[path.name] = [told(p) for p in reader.pictures()]
    return _full[path.name]


@pytest.mark.parametrize("name", CASES)
def test_every_picture_comes_once_in_order_at_its_time(rendered: Render, name: str) -> None:
    options, first = CASES[name]
    wanted = options.get("times") or [Fraction(k, 25) for k in range(COUNT)]
    with media.VideoReader(case(rendered, name)) as reader:
        pictures = list(reader.pictures())
        assert [number_of(p.array(None, "grey")) for p in pictures] == list(range(COUNT))
        assert [p.time for p in pictures] == pytest.approx([float(t - wanted[0]) + first for t in wanted], abs=6e-4)
        assert [p.duration for p in pictures[:-1]] == pytest.approx(
            np.diff([p.time for p in pictures]).tolist(), abs=1e-9
        )
        assert pictures[-1].duration == pytest.approx(0.04, abs=0.004)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.floats(-0.5, 4.5), length=st.floats(0, 1.5), on_picture=st.booleans())
def test_a_stretch_is_the_full_decode_cut_to_it(
    rendered: Render, name: str, start: float, length: float, on_picture: bool
) -> None:
    path = case(rendered, name)
    every = full(path)
    if on_picture:
        start = min((t for t, *_ in every), key=lambda t: abs(t - start))
    end = start + length
    with media.VideoReader(path) as reader:
        assert [told(p) for p in reader.pictures(start, end)] == [p for p in every if start <= p[0] < end]


@pytest.mark.parametrize("name", CASES)
def test_key_pictures_alone_are_those_of_the_full_decode(rendered: Render, name: str) -> None:
    path = case(rendered, name)
    with media.VideoReader(path) as reader:
        keys = [(told(p)[0], told(p)[3]) for p in reader.pictures(key_only=True)]
        later = [told(p)[0] for p in reader.pictures(1.5, key_only=True)]
    assert keys == [(p[0], p[3]) for p in full(path) if p[2]]
    assert later == [p[0] for p in full(path) if p[2] and p[0] >= 1.5]


def test_seeks_are_used_where_they_can_be_trusted(rendered: Render) -> None:
    """The stretch near the end of a file with an index must not cost the decoding of all before it."""
    path = case(rendered, "plain.mp4")
    with media.VideoReader(path) as reader:
        assert next(reader._shown(2.9)).time == pytest.approx(2.4)  # the key picture before, of one every 0.8 s
        assert reader._source.seekable


def test_a_run_does_not_hold_more_than_it_needs(rendered: Render) -> None:
    with media.VideoReader(case(rendered, "plain.mp4")) as reader:
        run = reader.pictures()
        first = next(run)
        run.close()
        assert first.array().shape == (96, 160, 3)  # stays readable after its run has ended


def test_two_runs_of_one_reader_do_not_disturb_each_other(rendered: Render) -> None:
    path = case(rendered, "plain.mkv")
    with media.VideoReader(path) as reader:
        one, two = reader.pictures(), reader.pictures(1.0)
        pairs = [(told(a), told(b)) for a, b in zip(one, two, strict=False)]
    every = full(path)
    assert [a for a, _ in pairs] == every[: len(pairs)]
    assert [b for _, b in pairs] == every[25 : 25 + len(pairs)]


def test_at_gives_what_is_shown_then(rendered: Render) -> None:
    path = case(rendered, "uneven.mp4")
    times = [p[0] for p in full(path)]
    asked = [2.5, 0.0, times[10], times[10] - 1e-3, 99.0, -1.0, 2.5]
    with media.VideoReader(path) as reader:
        frames = reader.at(asked, 80, "grey")
    shown = [max([t for t in times if t <= a], default=times[0]) for a in asked]
    assert frames.times.tolist() == shown
    assert [number_of(f) for f in frames.data] == [times.index(t) for t in shown]
    assert frames.data.shape == (7, 48, 80, 1)


def test_at_far_apart_seeks_and_agrees(rendered: Render) -> None:
    path = rendered("long.mp4", write_video, count=900, options={"g": "50", "preset": "ultrafast"})
    with media.VideoReader(path) as reader:
        asked = [35.0, 1.0, 20.02, 12.34]
        frames = reader.at(asked, None, "grey")
        assert [number_of(f) for f in frames.data] == [int(a * 25 + 1e-6) for a in asked]
        assert len(reader.at([], 64)) == 0


def test_by_index_counts_in_presentation_order(rendered: Render) -> None:
    with media.VideoReader(case(rendered, "open.mp4")) as reader:
        frames = reader.by_index([30, 0, 74, 30], (80, 48), "grey")
        assert [number_of(f) for f in frames.data] == [30, 0, 74, 30]
        assert frames.times.tolist() == pytest.approx([1.2, 0.0, 2.96, 1.2])
        with pytest.raises(MediaError, match="has 75 pictures"):
            reader.by_index([75])
        with pytest.raises(ValueError, match="begin at 0"):
            reader.by_index([-1])


@pytest.mark.parametrize(("name", "rate"), [("uneven.mp4", 10.0), ("late.mp4", 30.0), ("plain.mkv", 25.0)])
@pytest.mark.parametrize(("start", "end"), [(None, None), (1.3, 2.2), (2.4, None)])
def test_a_grid_shows_the_last_picture_not_later(
    rendered: Render, name: str, rate: float, start: float | None, end: float | None
) -> None:
    path = case(rendered, name)
    every = full(path)
    last = every[-1][0] + every[-1][1]
    wanted = []
    for k in range(round(last * rate) + 2):
        time = k / rate
        if (start is None or time >= start) and (end is None or time < end) and time < last - 1e-9:
            before = [i for i, p in enumerate(every) if p[0] <= time + 1e-6]
            if before:
                wanted.append((time, before[-1]))
    with media.VideoReader(path) as reader:
        got = [(time, number_of(p.array(None, "grey"))) for time, p in reader.sampled(rate, start, end)]
    assert got == wanted


def test_a_grid_of_2997_meets_every_picture_once(rendered: Render) -> None:
    rate = Fraction(30_000, 1001)
    times = [k / rate for k in range(60)]
    path = rendered("ntsc.mp4", write_video, count=60, times=times, time_base=1 / rate, rate=30)
    with media.VideoReader(path) as reader:
        assert [number_of(p.array(None, "grey")) for _, p in reader.sampled(29.97002997)] == list(range(60))


def test_streams_are_chosen_by_index(tmp_path: Path) -> None:
    import av

    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("mpeg4", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for k in range(10):
            for i, stream in enumerate(streams):
                frame = av.VideoFrame.from_ndarray(numbered(k + 100 * i), "rgb24")
                frame.pts = k
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    for index, first in ((None, 0), (0, 0), (1, 100)):
        with media.VideoReader(path, index) as reader:
            assert number_of(next(reader.pictures()).array(None, "grey")) == first
    with pytest.raises(MediaError, match="no pictures in stream 7"):
        media.VideoReader(path, 7)


def test_sound_without_video_says_so(rendered: Render) -> None:
    from rendered import write_sound

    path = rendered("click.wav", write_sound, clicks(0.5, [0.1]))
    with pytest.raises(MediaError, match="has no pictures"):
        media.VideoReader(path)


@pytest.mark.parametrize("count", [1, 2])
def test_very_short(rendered: Render, count: int) -> None:
    path = rendered(f"{count}.mp4", write_video, count=count)
    with media.VideoReader(path) as reader:
        assert [number_of(p.array(None, "grey")) for p in reader.pictures()] == list(range(count))
        assert list(reader.pictures(5.0)) == []
        assert reader.by_index([count - 1]).times.tolist() == [(count - 1) / 25]


@pytest.mark.parametrize(("name", "codec", "pix_fmt"), [("p.png", "png", "rgb24"), ("p.jpg", "mjpeg", "yuvj420p")])
def test_pictures_are_videos_of_one_frame(rendered: Render, name: str, codec: str, pix_fmt: str) -> None:
    path = rendered(
        name, write_video, count=1, codec=codec, pix_fmt=pix_fmt, form="image2", container_options={"update": "1"}
    )
    video = media.probe(path)
    assert video.first("video").still  # type: ignore[union-attr]
    assert not video.has_motion
    with media.VideoReader(path) as reader:
        assert [p.time for p in reader.pictures()] == [0.0]


@pytest.mark.parametrize(("name", "codec", "pix_fmt"), [("p.tif", "tiff", "rgb24"), ("p.webp", "libwebp", "yuv420p")])
def test_other_pictures_can_be_read(rendered: Render, name: str, codec: str, pix_fmt: str) -> None:
    form = "webp" if codec == "libwebp" else "image2"
    path = rendered(name, write_video, count=1, codec=codec, pix_fmt=pix_fmt, form=form)
    with media.VideoReader(path) as reader:
        assert [number_of(p.array(None, "grey")) for p in reader.pictures()] == [0]
    assert media.probe(path).first("video").still  # type: ignore[union-attr]


def test_edit_lists_hide_what_they_cut(rendered: Render, tmp_path: Path) -> None:
    """Cut at 1.32 s without encoding: the packets from the key picture at 0.8 s are there, but not shown."""
    import av

    path = tmp_path / "cut.mp4"
    with av.open(str(case(rendered, "plain.mp4"))) as source, av.open(str(path), "w") as out:
        stream = source.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None and packet.pts * stream.time_base >= Fraction(8, 10):
                packet.pts -= int(Fraction(132, 100) / stream.time_base)
                packet.dts -= int(Fraction(132, 100) / stream.time_base)
                packet.stream = copy
                out.mux(packet)
    with media.VideoReader(path) as reader:
        pictures = list(reader.pictures())
        assert [number_of(p.array(None, "grey")) for p in pictures] == list(range(33, COUNT))
        assert [p.time for p in pictures] == pytest.approx([k / 25 for k in range(COUNT - 33)])
        assert [number_of(p.array(None, "grey")) for p in reader.pictures(0.5, 0.7)] == list(range(46, 51))


def test_delayed_start_is_kept(shared_clip: Callable[[str], Path]) -> None:
    with media.VideoReader(shared_clip("pyscenedetect__delayed_start.mp4")) as reader:
        pictures = list(reader.pictures())
    assert pictures[0].time == 1.075
    assert len(pictures) == 24


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("torchcodec__nasa_13013.mp4", 325),  # stream 0; the file also holds stream 3 with 390
        ("torchcodec__av1_video.mkv", 125),
        ("torchcodec__h265_video.mp4", 10),
        ("mmaction2__test.avi", 164),
        ("moviepy__no_duration.webm", 74),
        ("moviepy__transparent.webm", 150),
    ],
)
def test_real_clips_have_as_many_pictures_as_ffprobe_counts(
    shared_clip: Callable[[str], Path], name: str, count: int
) -> None:
    with media.VideoReader(shared_clip(name)) as reader:
        times = [p.time for p in reader.pictures()]
        middle = times[count // 2]
        assert [p.time for p in reader.pictures(middle)] == times[count // 2 :]
    assert len(times) == count
    assert np.all(np.diff(times) > 0)
