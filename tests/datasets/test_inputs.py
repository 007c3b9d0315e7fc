"""What a preparation asks of an example, and what rows that lack a role look like."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import write_clip

from cinescope.datasets.example import Example, takes_needs
from cinescope.datasets.inputs import InputSpec, PictureSpec, Preparer, clip_of
from cinescope.datasets.rows import Ragged
from cinescope.types import Clip, FrameNeed, Frames, Needs, SoundNeed, Span

SEEN = Needs(frames=FrameNeed(2.0, (8, 6)))
HEARD = Needs(sound=SoundNeed(8000, 1))


def held(pictures: int = 4) -> Clip:
    data = np.zeros((pictures, 6, 8, 3), np.uint8)
    return Clip(Span(0, 2), Frames(data, np.arange(pictures) / 2))


class Asked:
    """A clip that tells what it was asked for."""

    def __init__(self) -> None:
        self.needs: list[Needs | None] = []

    def __call__(self, needs: Needs | None = None) -> Clip:
        self.needs.append(needs)
        return held()


def test_a_clip_that_can_is_told_what_is_needed() -> None:
    asked = Asked()
    clip_of(Example("a", clip=asked), SEEN)
    clip_of(Example("a", clip=lambda needs: asked(needs)), HEARD)
    assert asked.needs == [SEEN, HEARD]


def test_one_that_has_what_it_has_is_not() -> None:
    assert clip_of(Example("a", clip=held), SEEN).span == Span(0, 2)
    rendered = partial(held, pictures=3)  # an argument that is something else
    assert not takes_needs(rendered)
    frames = clip_of(Example("a", clip=rendered), SEEN).frames
    assert frames is not None
    assert len(frames) == 3


def test_media_in_a_shard_are_decoded_for_what_is_needed(tmp_path: Path) -> None:
    import tarfile

    from cinescope.datasets.webdataset import read

    write_clip(tmp_path / "a.mp4", [("", (200, 30, 30))], 1.0)
    (tmp_path / "a.cls").write_text("3")
    with tarfile.open(tmp_path / "train-000000.tar", "w") as shard:
        for name in ("a.mp4", "a.cls"):
            shard.add(tmp_path / name, name)
    (example,) = read(tmp_path).examples
    clip = clip_of(example, SEEN)
    assert clip.frames is not None
    assert clip.frames.data.shape == (2, 6, 8, 3)
    assert clip.waveform is None
    heard = clip_of(example, HEARD)
    assert heard.frames is None
    assert heard.waveform is not None
    assert heard.waveform.sample_rate == 8000


def test_needs_are_those_that_clips_are_asked_for() -> None:
    asked = Asked()
    preparer = Preparer(
        {
            "picture": InputSpec(pictures=PictureSpec((8, 6), 2.0)),
            "again": InputSpec(pictures=PictureSpec((8, 6), 2.0, grey=True)),
            "colour": InputSpec(features=("colour_moments", "hog")),
            "sound": InputSpec(features=("log_mel",)),
        }
    )
    preparer.one(Example("a", clip=asked))
    assert len(preparer.needs()) == 4
    assert set(preparer.needs()) == set(asked.needs)


@pytest.mark.parametrize(("texts", "said"), [({}, "red roses grow"), ({"speech": "blue"}, ""), ({"title": "x"}, "")])
def test_subtitles_are_read_where_the_dataset_says_nothing(tmp_path: Path, texts: dict[str, str], said: str) -> None:
    path = write_clip(tmp_path / "a.mp4", [("", (200, 30, 30))], 2.0)
    path.with_suffix(".srt").write_text("1\n00:00:00,200 --> 00:00:01,800\nred roses grow\n", encoding="utf-8")
    clip = clip_of(Example("a", media=path, span=Span(0, 2), texts=texts), Needs(subtitles=True))
    assert " ".join(w.text for w in clip.words) == said


@pytest.mark.parametrize(("shape", "kind"), [((0, 7), np.float32), ((0,), np.int64), ((0, 3, 6, 8), np.uint8)])
def test_rows_that_all_lack_a_role_keep_its_shape(shape: tuple[int, ...], kind: Any) -> None:
    """A model that is asked of one file without sound must still be handed sound's width."""
    made = Ragged.of([(np.zeros(shape, kind), np.zeros((0, 2)))] * 2)
    assert made.values.shape == shape
    assert made.values.dtype == kind
    assert made.lengths.tolist() == [0, 0]
