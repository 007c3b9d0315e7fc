"""The table of docs/internals.md is a contract: what the senses make has the texts and fields that stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from senses_feeding import feed_pictures, feed_sound

from cinescope.analysers.camera import RATE, Camera
from cinescope.analysers.loudness import Loudness
from cinescope.analysers.picture_stats import PictureStats
from cinescope.analysers.quality import Quality
from cinescope.analysers.sound_kinds import SoundKinds
from cinescope.types import Material, Segment, Span, Video, Window

PAGE = Path(__file__).parents[2] / "docs" / "internals.md"


def documented() -> dict[str, tuple[set[str], set[str], set[str]]]:
    """kind -> texts ("" where there is none), fields that are always there, fields that may be."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"`\w+`", cells[0]):
            fields = re.findall(r"`(\w+)`(\??)", cells[3])
            always, perhaps = ({name for name, mark in fields if mark == m} for m in ("", "?"))
            found[cells[0].strip("`")] = (set(re.findall(r"`([^`]+)`", cells[2])) or {""}, always, perhaps)
    return found


def views(step: int) -> np.ndarray:
    """Three seconds of a texture that moves by so many pixels from picture to picture: (T, 90, 160, 1)."""
    rng = np.random.default_rng(1)
    wide = np.kron(rng.uniform(30, 225, (18, 120)), np.ones((5, 5)))
    return np.stack([wide[:, 100 + k * step : 260 + k * step] for k in range(15)])[..., None].astype(np.uint8)


def camera() -> list[Segment]:
    return feed_pictures(Camera(), views(4), RATE) + feed_pictures(Camera(), views(0), RATE)


def quality() -> list[Segment]:
    analyser = Quality()
    analyser.begin(Material(Video("test", 4.0, ())))
    hurt, unheard = (Span(0.5, 1.0),), (Span(1.0, 1.2),)
    made = analyser.feed(Window(Span(0, 2), damage=hurt, sound_damage=unheard)) + analyser.finish()
    still = np.repeat(np.random.default_rng(0).integers(0, 255, (1, 36, 64, 3), dtype=np.uint8), 75, axis=0)
    return made + feed_pictures(
        Quality(), np.concatenate([np.full_like(still, 128) * [0, 1, 1], still]).astype(np.uint8), 25
    )


def pictures() -> list[Segment]:
    made = np.random.default_rng(0).integers(0, 255, (12, 180, 320, 3), dtype=np.uint8)
    return feed_pictures(PictureStats(), made, 4.0)


def tone(rate: int) -> np.ndarray:
    seconds = np.arange(rate * 6) / rate
    return (0.2 * np.sin(2 * np.pi * 440 * seconds) * (seconds > 2)).astype(np.float32)[None]


def sounds() -> list[Segment]:
    speaking = {"voice": [Segment(Span(3.0, 6.0), "voice", Quality().source)]}
    return feed_sound(SoundKinds(), tone(16_000)) + feed_sound(SoundKinds(), tone(16_000), tracks=speaking)


def loudness() -> list[Segment]:
    return feed_sound(Loudness(), tone(48_000))


@pytest.mark.parametrize(
    ("make", "kinds"),
    [
        (camera, {"camera"}),
        (quality, {"quality"}),
        (pictures, {"picture"}),
        (sounds, {"sound"}),
        (loudness, {"loudness", "loudness_programme", "silence"}),
    ],
)
def test_what_comes_out_is_what_is_documented(make: Callable[[], list[Segment]], kinds: set[str]) -> None:
    table, made = documented(), make()
    assert {s.kind for s in made} == kinds
    for segment in made:
        texts, always, perhaps = table[segment.kind]
        assert segment.text in texts
        assert always <= segment.data.keys() <= always | perhaps
    for kind in kinds:
        there = set().union(*(s.data.keys() for s in made if s.kind == kind))
        assert there >= table[kind][1]
        assert not table[kind][2] or there & table[kind][2], f"nothing of {table[kind][2]} was made here"


def test_every_kind_of_the_senses_is_documented() -> None:
    assert set(documented()) == {
        "picture", "camera", "sound", "loudness", "loudness_programme", "silence", "quality",
    }  # fmt: skip
