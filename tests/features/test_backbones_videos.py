from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st
from tests.features.tiny_backbones import Tiny, pictures, tiny

from cinescope.features import EXTRACTORS
from cinescope.features.backbones.videos import frame_windows
from cinescope.types import BadQueryError, Clip, MissingPartError, Span

__all__ = ["tiny"]


def make(tiny: Tiny, **settings: Any) -> Any:
    return EXTRACTORS.create("videomae", model=str(tiny("videomae")), **settings)


def steps(tiny: Tiny, frames: np.ndarray) -> np.ndarray:
    """transformers' own: (T, H, W, 3) -> (patches, D)."""
    model = hf.VideoMAEModel.from_pretrained(tiny("videomae")).eval()
    inputs = hf.VideoMAEImageProcessorPil.from_pretrained(tiny("videomae"))(list(frames), return_tensors="pt")
    with torch.no_grad():
        out: np.ndarray = model(**inputs).last_hidden_state[0].numpy()
    return out


def test_each_window_is_what_transformers_gives(tiny: Tiny) -> None:
    clip = pictures(40, rate=8.0, start=3.0)
    made = make(tiny)(clip)
    wanted = [steps(tiny, clip.frames.data[k : k + 16]).mean(0) for k in (0, 16)]
    np.testing.assert_allclose(made.values, wanted, atol=1e-5)
    np.testing.assert_allclose(made.times, [[3, 5], [5, 7]])
    assert np.abs(made.values[0] - made.values[1]).max() > 1e-3


def test_windows_may_overlap_and_a_batch_changes_nothing(tiny: Tiny) -> None:
    clip = pictures(40, rate=8.0)
    one, many = (make(tiny, hop=4, batch=b)(clip) for b in (1, 5))
    assert len(one) == 7
    np.testing.assert_allclose(one.values, many.values, atol=1e-5)
    np.testing.assert_allclose(one.times[1], [3.5, 5.5])


def test_a_row_for_each_tubelet(tiny: Tiny) -> None:
    clip = pictures(16, rate=8.0)
    made = make(tiny, pool="steps")(clip)
    np.testing.assert_allclose(made.values, steps(tiny, clip.frames.data).reshape(8, -1, 16).mean(1), atol=1e-5)
    np.testing.assert_allclose(made.times, [[3 + k / 4, 3 + (k + 1) / 4] for k in range(8)])


def test_a_clip_shorter_than_a_window_gives_no_row_unless_it_is_said(tiny: Tiny) -> None:
    clip = pictures(11, rate=8.0)
    assert make(tiny)(clip).values.shape == (0, 16)
    made = make(tiny, short="repeat")(clip)
    filled = np.concatenate([clip.frames.data, np.repeat(clip.frames.data[-1:], 5, axis=0)])
    np.testing.assert_allclose(made.values, steps(tiny, filled).mean(0, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(made.times, [[3, 3 + 11 / 8]])
    assert len(make(tiny, short="repeat")(Clip(Span(0, 1)))) == 0
    # The rest after whole windows.
    assert len(make(tiny)(pictures(20))) == 1
    assert len(make(tiny, short="repeat")(pictures(20))) == 2


def test_steps_of_a_window_that_is_filled_end_with_the_clip(tiny: Tiny) -> None:
    made = make(tiny, short="repeat", pool="steps")(pictures(11, rate=8.0))
    assert len(made) == 8
    np.testing.assert_allclose(made.times[-1], [3 + 10 / 8, 3 + 11 / 8])
    assert (np.diff(made.times[:, 0]) >= 0).all()


@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 25), st.booleans())
def test_windows_of_frames(frames: int, window: int, hop: int, repeat: bool) -> None:
    made = frame_windows(frames, window, hop, repeat)
    assert all(len(w) == window and w == sorted(w) and w[0] >= 0 and w[-1] < frames for w in made)
    assert [w[0] for w in made] == [k * hop for k in range(len(made))]
    whole = [w for w in made if w[-1] - w[0] == window - 1]
    assert len(made) - len(whole) <= (1 if repeat else 0)
    if hop <= window and repeat and frames:
        assert sorted({i for w in made for i in w}) == list(range(frames))


def test_settings_and_names(tiny: Tiny) -> None:
    extractor = make(tiny, hop=8)
    assert extractor.source.settings["hop"] == 8
    assert extractor.needs.frames.rate == 7.5
    for wrong in ({"hop": 0}, {"short": "pad"}, {"pool": "max"}, {"rate": -1}):
        with pytest.raises(BadQueryError, match=next(iter(wrong))):
            make(tiny, **wrong)
    with pytest.raises(MissingPartError, match="none is named"):
        EXTRACTORS.create("videomae")
    with pytest.raises(MissingPartError, match="use the feature 'vit'"):
        EXTRACTORS.create("videomae", model=str(tiny("vit")))
