"""Camera movements of a view over a drawn texture. The wide measurement is benchmarks/senses.py."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from senses_feeding import feed_pictures

from cinescope.analysers.camera import RATE, Camera
from cinescope.types import Material, Span, Video, Window

SIZE = (160, 90)


def texture(seed: int, width: int = 640, height: int = 360) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 1, (height, width))
    made = sum(cv2.GaussianBlur(noise, (0, 0), s) * s for s in (2, 5, 12))
    return np.clip(128 + made / made.std() * 45, 0, 255).astype(np.uint8)


def filmed(steps: np.ndarray, seed: int = 0) -> np.ndarray:
    """(T, 3): centre x, y in picture widths from the middle of the texture, and the scale -> (T, 90, 160, 1)."""
    world, rng, made = texture(seed), np.random.default_rng(seed + 1), []
    for x, y, scale in steps:
        matrix = np.array([[scale, 0, 320 + x * 160 - scale * 80], [0, scale, 180 + y * 160 - scale * 45]])
        seen = cv2.warpAffine(world, matrix, SIZE, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        made.append(np.clip(seen + rng.normal(0, 1.5, seen.shape), 0, 255).astype(np.uint8))
    return np.stack(made)[..., None]


def moving(seconds: float, x: float = 0.0, y: float = 0.0, zoom: float = 0.0) -> np.ndarray:
    """Even movement in widths (or growth) a second, from the middle."""
    t = np.arange(round(seconds * RATE)) / RATE
    return np.stack([x * t, y * t, np.exp(-zoom * t)], axis=1)


def told(pictures: np.ndarray) -> list[tuple[float, float, str]]:
    return [(s.span.start, s.span.end, s.text) for s in feed_pictures(Camera(), pictures, RATE)]


@pytest.mark.parametrize(
    ("move", "kind"),
    [
        ({}, "still"), ({"x": 0.1}, "pan right"), ({"x": -0.3}, "pan left"), ({"y": 0.08}, "tilt down"),
        ({"y": -0.15}, "tilt up"), ({"zoom": 0.15}, "zoom in"), ({"zoom": -0.1}, "zoom out"),
    ],
)  # fmt: skip
def test_one_movement_is_one_segment(move: dict[str, float], kind: str) -> None:
    made = feed_pictures(Camera(), filmed(moving(3.0, **move)), RATE)
    assert [(s.span.start, s.span.end, s.text) for s in made] == [(0.0, 3.0, kind)]
    if move:
        assert made[0].data["speed"] == pytest.approx(abs(next(iter(move.values()))), rel=0.15)
    assert made[0].score is not None
    assert made[0].score > 0.9


def test_what_comes_besides_is_told() -> None:
    made = feed_pictures(Camera(), filmed(moving(3.0, x=0.15, y=0.1)), RATE)
    assert (made[0].text, made[0].data["also"]) == ("pan right", ["tilt down"])


def test_a_shaking_camera() -> None:
    steps = moving(4.0)
    steps[:, :2] += np.random.default_rng(3).normal(0, 0.03, (len(steps), 2))
    assert [k for _, _, k in told(filmed(steps))] == ["shake"]


def test_changes_are_told_within_two_steps() -> None:
    there = moving(4.0, x=0.2)
    stay = np.tile(there[-1], (20, 1))
    made = told(filmed(np.concatenate([there, stay])))
    assert [k for _, _, k in made] == ["pan right", "still"]
    assert made[0][1] == pytest.approx(4.0, abs=2 / RATE)


def test_a_cut_ends_the_segment_and_is_no_movement() -> None:
    pictures = np.concatenate([filmed(moving(3.0), 0), filmed(moving(3.0, y=0.2), 5)])
    assert told(pictures) == [(0.0, 3.0, "still"), (3.0, 6.0, "tilt down")]


def test_a_cut_parts_two_movements_of_one_kind() -> None:
    pictures = np.concatenate([filmed(moving(3.0, x=0.2), 0), filmed(moving(3.0, x=0.2), 5)])
    assert told(pictures) == [(0.0, 3.0, "pan right"), (3.0, 6.0, "pan right")]


def test_an_object_that_crosses_is_no_camera_movement() -> None:
    pictures = filmed(moving(4.0))
    thing = texture(9)[:60, :50]
    for number, picture in enumerate(pictures):
        picture[15:75, number * 5 : number * 5 + 50, 0] = thing
    made = feed_pictures(Camera(), pictures, RATE)
    assert [s.text for s in made] == ["still"]
    assert made[0].data["motion"] > 0.2
    assert feed_pictures(Camera(), filmed(moving(4.0)), RATE)[0].data["motion"] < 0.02


@pytest.mark.parametrize("level", [0, 128, 255])
def test_where_nothing_is_to_be_seen_nothing_is_told(level: int) -> None:
    assert told(np.full((20, 90, 160, 1), level, np.uint8)) == []


def test_short_pictures_and_none() -> None:
    assert told(filmed(moving(0.2))) == []
    assert told(np.full((10, 1, 1, 1), 9, np.uint8)) == []
    analyser = Camera()
    analyser.begin(Material(Video("test", 2.0, ())))
    assert analyser.feed(Window(Span(0.0, 2.0))) == []
    assert analyser.finish() == []


def test_a_gap_in_the_pictures_is_a_break() -> None:
    analyser = Camera()
    pictures = filmed(np.concatenate([moving(2.0, x=0.2), moving(2.0, x=0.2)]))
    feed = [pictures[:10], pictures[10:]]
    analyser.begin(Material(Video("test", None, ())))
    made = []
    from cinescope.types import Frames

    for start, some in zip((0.0, 4.0), feed, strict=True):
        times = start + np.arange(len(some)) / RATE
        made += analyser.feed(Window(Span(start, start + 2), frames=Frames(some, times, "grey")))
    made += analyser.finish()
    assert [s.text for s in made] == ["pan right", "pan right"]
    assert made[1].span.start == 4.0
