"""Clips out of windows are those of the file, bit for bit, whatever the needs and wherever they are cut."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cinescope.analysers.held_clips import HeldClips
from cinescope.features.clips import load_clip
from cinescope.types import Clip, FrameNeed, Material, Needs, SoundNeed, Span, Window

LENGTH = 7.3
NEEDS = (
    Needs(frames=FrameNeed(5.0, (16, 12), "grey"), sound=SoundNeed(8000, 1)),
    Needs(frames=FrameNeed(3.0, 40), sound=SoundNeed(22_050, None)),
    Needs(frames=FrameNeed(None, (8, 8), "yuv"), subtitles=True),
    Needs(frames=FrameNeed(1.0, (20, 20))),
)


@pytest.fixture(scope="session")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that all differ, at uneven times from 0.13 s on; noise; two cues."""
    from cinescope.media.encode import VideoWriter
    from cinescope.types import Waveform

    path = tmp_path_factory.mktemp("moving") / "moving.mp4"
    rng = np.random.default_rng(3)
    times = 0.13 + np.cumsum(rng.uniform(0.03, 0.4, 400))
    with VideoWriter(path, (64, 48), 25, sound=(16_000, 1)) as out:
        for time in times[times < LENGTH - 0.1]:
            out.picture(rng.integers(0, 255, (6, 8, 3), np.uint8).repeat(8, 0).repeat(8, 1), float(time))
        sound = rng.uniform(-0.3, 0.3, (1, round(LENGTH * 16_000))).astype(np.float32)
        out.sound(Waveform(sound, 16_000, 0.0))
    path.with_suffix(".srt").write_text(
        "1\n00:00:00,500 --> 00:00:02,500\none two\n\n2\n00:00:02,200 --> 00:00:06,000\nthree\n", encoding="utf-8"
    )
    return path


@lru_cache
def fed(path: Path) -> tuple[Material, tuple[Window, ...]]:
    from cinescope import media
    from cinescope.library.feeding import Reel

    video, subtitles = media.probe(path), tuple(media.read_subtitles(path))
    needs = HeldClips(NEEDS, "transcript").needs
    assert needs.frames is not None
    assert needs.sound is not None
    reel = Reel(str(path), video, subtitles, (needs.frames, *needs.more_frames), (needs.sound, *needs.more_sound))
    windows = tuple(
        Window(
            s.span,
            *s.frames.get(needs.frames, (None, ())),
            sound=s.sound.get(needs.sound),
            cues=s.cues,
            more_frames={n: s.frames[n] for n in needs.more_frames if n in s.frames},
            more_sound={n: s.sound[n] for n in needs.more_sound},
        )
        for s in reel.slices(reel.start)
    )
    return Material(video, subtitles), windows


def assert_same(mine: Clip, files: Clip) -> None:
    assert mine.span == files.span
    assert (mine.frames is None) == (files.frames is None)
    if mine.frames is not None and files.frames is not None:
        assert mine.frames.pixels == files.frames.pixels
        assert np.allclose(mine.frames.times, files.frames.times, atol=1e-9)
        assert np.array_equal(mine.frames.data, files.frames.data)
        assert np.allclose(mine.frame_durations, files.frame_durations, atol=2e-6)
    assert (mine.waveform is None) == (files.waveform is None)
    if mine.waveform is not None and files.waveform is not None:
        assert np.array_equal(mine.waveform.data, files.waveform.data)
        assert mine.waveform.start == files.waveform.start
    assert mine.words == files.words
    assert mine.video == files.video


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0.0, LENGTH), min_size=1, max_size=4), st.booleans())
def test_clips_are_those_of_the_file(moving: Path, cuts: list[float], restored: bool) -> None:
    edges = sorted({0.0, *(round(c, 3) for c in cuts), LENGTH})
    spans = [Span(a, b) for a, b in pairwise(edges) if b - a > 1.1]
    material, windows = fed(moving)
    held = HeldClips(NEEDS, "transcript")
    held.begin(material)
    for window in windows:
        held.keep(window)
        while spans and spans[0].end <= window.span.end:
            span = spans.pop(0)
            held.forget(span.start)
            for need in NEEDS:
                assert_same(held.clip(need, span, moving.name), load_clip(moving, need, span))
        if restored:
            state = held.state()
            held = HeldClips(NEEDS, "transcript")
            held.begin(material)
            held.restore(state)
    assert not spans


def test_what_is_not_there_is_absent() -> None:
    held = HeldClips(NEEDS)
    held.keep(Window(Span(0, 2)))
    clip = held.clip(NEEDS[0], Span(0, 1))
    assert clip.frames is None
    assert clip.waveform is None
    assert clip.words == ()


def test_a_stretch_between_two_pictures_has_the_one_before(moving: Path) -> None:
    material, windows = fed(moving)
    held = HeldClips(NEEDS)
    held.begin(material)
    for window in windows[:2]:
        held.keep(window)
    held.forget(2.2)
    clip = held.clip(NEEDS[3], Span(2.2, 2.9))
    assert clip.frames is not None
    assert clip.frames.times.tolist() == [2.2]
    at_two = load_clip(moving, NEEDS[3], Span(2.0, 2.9)).frames
    assert at_two is not None
    assert np.array_equal(clip.frames.data, at_two.data[:1])
