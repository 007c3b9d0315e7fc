"""States and nouns survive the trip through bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.library.codec import json_segment, json_video, pack, segment_json, unpack, video_json
from cinescope.library.normal import pairs
from cinescope.types import Chapter, Segment, Source, Span, Stream, Video, Word

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), values, max_size=4))
def test_states_come_back(state: dict) -> None:
    assert unpack(pack(state)) == state


def test_arrays_come_back_and_objects_do_not_pass() -> None:
    state = {"a": np.arange(6, dtype=np.int16).reshape(2, 3), "b": [{"c": np.zeros(0, np.float32)}], "n": np.float64(2)}
    back = unpack(pack(state))
    assert back["a"].dtype == np.int16
    assert (back["a"] == state["a"]).all()
    assert back["b"][0]["c"].shape == (0,)
    assert back["n"] == 2.0
    with pytest.raises(TypeError, match="got object"):
        pack({"x": object()})


def test_nouns_come_back() -> None:
    video = Video(
        "a", 3.5, (Stream(0, "video", "h264", width=3),), chapters=(Chapter(Span(0, 1), "x"),), info={"k": [1]}
    )
    assert json_video(video_json(video)) == video
    segment = Segment(
        Span(0, 1), "speech", Source("a", "1", {"s": 1}), "text", (Word("w", Span(0, 1), 0.5),), box=(0, 0, 1, 1),
        data={"jpeg": b"\x00\xff", "n": [1]},
    )  # fmt: skip
    assert json_segment(segment_json(segment)) == segment


def test_pairs_of_cjk_characters() -> None:
    assert pairs("我们去 Paris 看塔") == "我 我们 们 们去 去 | 看 看塔 塔"
    assert pairs("no such") == ""
