"""Nouns check themselves where they are born, and importing them is cheap."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from cinescope.types import Frames, Moment, Segment, Source, Span, Stream, Video, Waveform


def test_frames_say_what_they_got() -> None:
    with pytest.raises(ValueError, match=r"got float64 \(1, 2, 3\)"):
        Frames(np.zeros((1, 2, 3)), np.zeros(1))
    with pytest.raises(ValueError, match="one time per picture: 2 pictures"):
        Frames(np.zeros((2, 4, 4, 3), np.uint8), np.zeros(1))
    assert len(Frames(np.zeros((2, 4, 4, 1), np.uint8), np.arange(2.0), "grey")) == 2


def test_waveform() -> None:
    sound = Waveform(np.zeros((1, 8000), np.float32), 16_000, 2.0)
    assert (sound.duration, sound.end) == (0.5, 2.5)
    with pytest.raises(ValueError, match="float32"):
        Waveform(np.zeros((1, 8)), 16_000, 0.0)
    with pytest.raises(ValueError, match="positive sample rate"):
        Waveform(np.zeros((1, 8), np.float32), 0, 0.0)


def test_source_key_changes_with_version_and_settings() -> None:
    keys = {Source("a", "1", {"x": 1}).key, Source("a", "2", {"x": 1}).key, Source("a", "1", {"x": 2}).key}
    assert len(keys) == 3
    assert Source("a", "1", {"x": 1, "y": 2}).key == Source("a", "1", {"y": 2, "x": 1}).key


def test_boxes_are_shares() -> None:
    with pytest.raises(ValueError, match="shares of the picture"):
        Segment(Span(0, 1), "screen", Source("a", "1"), box=(0, 0, 640, 480))


def test_the_stream_a_player_chooses() -> None:
    cover = Stream(0, "video", "mjpeg", still=True, default=True)
    film = Stream(1, "video", "h264", still=False)
    assert Video("", 1.0, (cover, film)).first("video") is film
    assert Video("", 1.0, (cover,)).first("video") is cover
    assert Video("", 1.0, ()).first("audio") is None


def test_addresses() -> None:
    assert Moment("3fa9c21bdeadbeef", Span(62.5, 70), 1.0).address == "3fa9c21b@62.5-70"


def test_the_nouns_cost_numpy_and_no_more() -> None:
    code = "import sys, cinescope.types; print([m for m in ('torch','av','cv2','lance','pyarrow') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
