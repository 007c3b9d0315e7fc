"""The picture of a world: an object that moves, one a beat, before a soft ground. Knows what is shown, not why."""

from __future__ import annotations

import colorsys
import math

import numpy as np

from cinescope.datasets.worlds.spec import VALUES, WorldSpec
from cinescope.datasets.worlds.truth import PICTURE, PICTURE_NOISE, Truth, random

SHAPES = ("circle", "square", "triangle", "cross")
COLOURS = ("red", "yellow", "green", "blue")
MOTIONS = ("right", "down", "left", "up")
_HUES = (0.0, 0.15, 0.36, 0.61)
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))
_TRAVEL = 0.5  # of the shorter side, in a beat


def frames(spec: WorldSpec, truth: Truth) -> np.ndarray:
    """(T, H, W, 3) uint8."""
    chance = random(truth.seed, truth.index, PICTURE)
    width, height = spec.size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    ground = _ground(spec, chance, x, y)
    scene = np.repeat(ground[None], spec.frames, 0)
    for beat, sign in enumerate(truth.signs["picture"]):
        first, last = (round(b * spec.frames / spec.beats) for b in (beat, beat + 1))
        _object(spec, chance, sign, scene[first:last], x, y)
    if "picture" in spec.event_modalities:
        edge = max(2, round(0.07 * min(spec.size)))
        for event in truth.events:
            for frame in scene[round(event.start * spec.rate) : round(event.end * spec.rate)]:
                frame[:edge], frame[-edge:], frame[:, :edge], frame[:, -edge:] = 255, 255, 255, 255
    if spec.picture_noise:
        noise = random(truth.seed, truth.index, PICTURE_NOISE)
        scene = scene + noise.normal(0, spec.picture_noise, scene.shape)
    return scene.round().clip(0, 255).astype(np.uint8)


def _ground(spec: WorldSpec, chance: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A soft slope between two dark greys with a tint, and grey objects that stand still."""
    width, height = spec.size
    angle, hue, low = chance.uniform(0, 2 * math.pi), chance.random(), chance.uniform(40, 70)
    slope = (x / width - 0.5) * math.cos(angle) + (y / height - 0.5) * math.sin(angle) + 0.5
    tint = np.array(colorsys.hsv_to_rgb(hue, 0.12, 1.0))
    ground = (low + 45 * slope)[..., None] * tint
    for _ in range(spec.distractors):
        radius = chance.uniform(0.05, 0.1) * min(spec.size)
        at = chance.uniform(0.1, 0.9, 2) * spec.size
        cover = _cover(SHAPES[int(chance.integers(VALUES))], x - at[0], y - at[1], radius)[..., None]
        ground = ground * (1 - cover) + cover * chance.uniform(105, 135)
    return np.asarray(ground)


def _object(
    spec: WorldSpec, chance: np.random.Generator, sign: int, scene: np.ndarray, x: np.ndarray, y: np.ndarray
) -> None:
    """Paints one object on its way through the pictures (N, H, W, 3) of a beat."""
    drawn = dict(zip(("shape", "colour", "motion"), chance.integers(0, VALUES, 3).tolist(), strict=True))
    drawn[spec.picture_by] = sign
    short = min(spec.size)
    radius = spec.object_size * short * chance.uniform(0.9, 1.1)
    hue = (_HUES[drawn["colour"]] + chance.uniform(-0.025, 0.025)) % 1
    colour = 255 * np.array(colorsys.hsv_to_rgb(hue, chance.uniform(0.7, 0.9), chance.uniform(0.85, 1.0)))
    middle = (0.5 + chance.uniform(-0.12, 0.12, 2)) * spec.size
    step = np.array(_STEPS[drawn["motion"]])
    for i, frame in enumerate(scene):
        way = ((i + 0.5) / len(scene) - 0.5) * _TRAVEL * short
        at = middle + way * step
        # A darker rim, so that what stands before what can be seen.
        rim = _cover(SHAPES[drawn["shape"]], x - at[0], y - at[1], radius * 1.12)[..., None] * spec.contrast
        body = _cover(SHAPES[drawn["shape"]], x - at[0], y - at[1], radius)[..., None] * spec.contrast
        frame[:] = frame * (1 - 0.6 * rim)
        frame[:] = frame * (1 - body) + body * colour


def _cover(shape: str, x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """0 to 1: how much of each pixel the shape covers, from its signed distance; all shapes have about one area."""
    match shape:
        case "circle":
            distance = np.hypot(x, y) - radius
        case "square":
            distance = np.maximum(np.abs(x), np.abs(y)) - 0.89 * radius
        case "triangle":
            # Equilateral, its middle a little above the centre of its box.
            slanted = np.abs(x) * math.sqrt(3) / 2 + (y - 0.1 * radius) * -0.5
            distance = np.maximum(slanted, y - 0.1 * radius) - 0.78 * radius
        case _:
            bar, arm = 0.42 * radius, 1.15 * radius
            upright = np.maximum(np.abs(x) - bar, np.abs(y) - arm)
            level = np.maximum(np.abs(x) - arm, np.abs(y) - bar)
            distance = np.minimum(upright, level)
    return np.asarray((0.5 - distance).clip(0, 1))
