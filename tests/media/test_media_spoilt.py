"""Damaged files whose damage is known: which pictures and which sound are said not to be as they were recorded."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from rendered import melody, write_sound, write_video

from cinescope import media
from cinescope.library.feeding import Reel
from cinescope.media.sound import SoundReader
from cinescope.media.spoilt import Reaches
from cinescope.types import FrameNeed, SoundNeed, Span

Render = Callable[..., Path]
GROUP = 25  # pictures from key picture to key picture: a second
FORMS = {
    "h264": (
        "spoilt.mp4",
        {"codec": "libx264", "options": {"g": "25", "bf": "2", "sc_threshold": "0", "threads": "1"}},
    ),
    "mpeg4": ("spoilt4.mp4", {"codec": "mpeg4", "options": {"g": "25", "bf": "2", "sc_threshold": "1000000000"}}),
    "mpeg2": ("spoilt.mkv", {"codec": "mpeg2video", "options": {"g": "25", "bf": "2", "sc_threshold": "1000000000"}}),
}


def whole(rendered: Render, form: str) -> Path:
    name, options = FORMS[form]
    return rendered(name, write_video, count=150, size=(320, 192), **options)


def packets(path: Path) -> list[tuple[float, bytes, bool]]:
    """(time, bytes, key) in order of decoding."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [(float(p.pts * p.time_base), bytes(p), p.is_keyframe) for p in container.demux(stream) if p.size]


def broken(path: Path, to: Path, *times: float, kind: str = "guessed") -> Path:
    """The packets of these pictures as rubbish: from their middle on, or the whole."""
    data = path.read_bytes()
    rng = np.random.default_rng(5)
    for time, packet, _ in packets(path):
        if any(abs(time - t) < 0.005 for t in times):
            at = data.index(packet)
            first = len(packet) // 3 if kind == "guessed" else 0
            garbage = rng.integers(0, 256, len(packet) - first, dtype=np.uint8).tobytes()
            data = data[: at + first] + (bytes(len(garbage)) if kind == "lost" else garbage) + data[at + len(packet) :]
    to.write_bytes(data)
    return to


def anchors(path: Path) -> list[float]:
    """Times of pictures that are decoded in the order in which they are shown: no B pictures."""
    found, latest = [], -1.0
    for time, _, _ in packets(path):
        if time > latest:
            found, latest = [*found, time], time
    return found


def next_key(path: Path, time: float) -> float:
    return min(t for t, _, key in packets(path) if key and t > time)


def spoilt(path: Path, start: float | None = None) -> list[tuple[float, float]]:
    """(since, until) of every picture that is not as recorded."""
    with media.VideoReader(path) as reader:
        pictures = list(reader.pictures(start))
    return [(p.spoilt, p.time + p.duration) for p in pictures if p.spoilt is not None]


@pytest.mark.parametrize("form", FORMS)
def test_an_intact_file_is_intact(rendered: Render, form: str) -> None:
    assert spoilt(whole(rendered, form)) == []


@pytest.mark.parametrize("form", FORMS)
def test_damage_goes_on_to_the_next_key_picture(rendered: Render, tmp_path: Path, form: str) -> None:
    path = whole(rendered, form)
    hurt = next(t for t in anchors(path) if t > 2.3)
    before = max(t for t in anchors(path) if t < hurt)
    found = spoilt(broken(path, tmp_path / path.name, hurt))
    # The B pictures before it are made from it as well.
    assert before < found[0][0] <= hurt + 1e-6
    assert found[-1][1] == pytest.approx(next_key(path, hurt))
    assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(found))


def test_h264_says_on_which_pictures_nobody_builds(rendered: Render) -> None:
    path = rendered("spoilt_no_pyramid.mp4", write_video, count=60, options={"g": "25", "bf": "2", "b-pyramid": "none"})
    between = {round(t, 3) for t, _, _ in packets(path)} - {round(t, 3) for t in anchors(path)}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        reaches = Reaches("h264")
        reaches.open(stream.codec_context.extradata)
        seen = {round(float(p.pts * p.time_base), 3): reaches.see(p) for p in container.demux(stream) if p.size}
    assert between
    assert {t for t, reach in seen.items() if reach == "alone"} == between


@pytest.mark.parametrize("form", ["mpeg4", "mpeg2"])
def test_a_picture_that_nobody_builds_on_is_hurt_alone(rendered: Render, tmp_path: Path, form: str) -> None:
    path = whole(rendered, form)
    sizes = {round(t, 3): len(data) for t, data, _ in packets(path)}
    steps = [t for t in sizes if t not in {round(a, 3) for a in anchors(path)} and 2.2 < t < 2.8]
    times = max(steps, key=lambda t: sizes[t])
    found = spoilt(broken(path, tmp_path / path.name, times))
    assert found
    assert found[0][0] >= times - 0.081
    assert found[-1][1] <= times + 0.121


def test_a_lost_picture_spoils_how_long_the_one_before_stands(rendered: Render, tmp_path: Path) -> None:
    path = whole(rendered, "h264")
    last = max(t for t in anchors(path) if t < 3.0)
    hurt = broken(path, tmp_path / path.name, last, kind="lost")
    with media.VideoReader(hurt) as reader:
        pictures = list(reader.pictures())
    assert all(abs(p.time - last) > 0.01 for p in pictures)
    found = [p for p in pictures if p.spoilt is not None]
    assert found
    assert any(p.time < last <= p.spoilt + 0.081 for p in found if p.spoilt is not None)
    assert found[-1].time + found[-1].duration == pytest.approx(3.0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["guessed", "lost"])
def test_wherever_reading_begins_the_same_is_spoilt(rendered: Render, tmp_path: Path, form: str, kind: str) -> None:
    path = whole(rendered, form)
    times = [next(t for t in anchors(path) if t > at) for at in (1.4, 1.98, 4.2)]
    hurt = broken(path, tmp_path / path.name, *times, kind=kind)
    everything = spoilt(hurt)
    for start in (1.0, 1.5, 2.0, 2.48, 2.52, 4.1, 4.5, 5.0):
        assert spoilt(hurt, start) == [s for s in everything if s[1] > start + 0.039 and s[0] >= start - 1e-9]


def damage(path: Path, start: float | None = None) -> list[tuple[float, float]]:
    """What the feeding says, windows joined."""
    need = FrameNeed(None, (16, 16), "grey")
    reel = Reel(str(path), media.probe(path), frame_needs=(need,), sound_needs=(SoundNeed(8_000),))
    found: list[Span] = []
    for piece in reel.slices(reel.start if start is None else start):
        for span in (*piece.damage, *piece.sound_damage):
            assert piece.span.start <= span.start < span.end <= piece.span.end
            found = [*found[:-1], found[-1].union(span)] if found and found[-1].end >= span.start else [*found, span]
    return [(round(s.start, 3), round(s.end, 3)) for s in found]


@pytest.mark.parametrize("form", FORMS)
def test_windows_say_what_of_them_is_damaged(rendered: Render, tmp_path: Path, form: str) -> None:
    path = whole(rendered, form)
    time = next(t for t in anchors(path) if t > 3.3)
    hurt = broken(path, tmp_path / path.name, time)
    ((first, last),) = damage(hurt)
    assert 3.2 < first < 3.5
    assert last == pytest.approx(next_key(path, time))
    assert damage(hurt, 4.0) == []
    twice = broken(path, tmp_path / f"2{path.name}", *[next(t for t in anchors(path) if t > at) for at in (1.7, 2.02)])
    assert damage(twice, 2.0) == [(max(2.0, a), b) for a, b in damage(twice) if b > 2.0]


def test_what_is_lost_at_the_end_is_damaged_to_the_end(rendered: Render, tmp_path: Path) -> None:
    path = whole(rendered, "h264")
    hurt = broken(path, tmp_path / path.name, *[t for t, _, _ in packets(path) if t > 5.5], kind="lost")
    (*_, (first, last)) = damage(hurt)
    assert first < 5.6
    assert last == pytest.approx(6.0, abs=0.05)


def test_sound_that_cannot_be_decoded(rendered: Render, tmp_path: Path) -> None:
    path = rendered("spoilt.m4a", write_sound, melody(30.0), codec="aac")
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(3)
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle : middle + 4_000] = rng.integers(0, 256, 4_000, dtype=np.uint8).tobytes()
    hurt = tmp_path / "hurt.m4a"
    hurt.write_bytes(data)
    assert damage(path) == []
    found = damage(hurt)
    assert found
    assert 13.0 < found[0][0] < found[-1][1] < 17.0
    with SoundReader(hurt) as reader:
        reader.read(0.0, 20.0)
        first = reader.spoilt(Span(0, 20))
        reader.read(0.0, 20.0, 16_000, 1)
        assert reader.spoilt(Span(0, 20)) == first
