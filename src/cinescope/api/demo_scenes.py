"""Drawn scenes that move: a function of time each. Knows colours and shapes; nothing about files or sound.

A scene is made once (what stands still is drawn then) and called with the seconds since it began; it returns a fresh
(HEIGHT, WIDTH, 3) uint8 RGB picture. All randomness comes from fixed seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

WIDTH, HEIGHT = 640, 360
Colour = tuple[int, int, int]
Scene = Callable[[float], np.ndarray]
_SHIFT = 4  # fractional bits of OpenCV's coordinates: shapes move by sixteenths of a pixel


def _cv() -> Any:
    import cv2

    return cv2


# --- the brushes


def gradient(stops: Sequence[tuple[float, Colour]], height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Top to bottom through (place 0 to 1, colour), with a little noise so that no bands are seen."""
    rows = np.linspace(0, 1, height)
    places = [s[0] for s in stops]
    plane = np.stack([np.interp(rows, places, [s[1][c] for s in stops]) for c in range(3)], axis=1)
    noise = np.random.default_rng(1).uniform(-0.7, 0.7, (height, width, 1))
    return np.clip(plane[:, None, :] + noise, 0, 255).astype(np.uint8)


def polygon(picture: np.ndarray, points: Sequence[tuple[float, float]], colour: Colour) -> None:
    where = np.round(np.array(points, np.float64) * (1 << _SHIFT)).astype(np.int32)
    _cv().fillPoly(picture, [where], colour, _cv().LINE_AA, _SHIFT)


def disc(picture: np.ndarray, x: float, y: float, radius: float, colour: Colour) -> None:
    one = 1 << _SHIFT
    centre = (round(x * one), round(y * one))
    _cv().circle(picture, centre, max(1, round(radius * one)), colour, -1, _cv().LINE_AA, _SHIFT)


def oval(picture: np.ndarray, x: float, y: float, size: tuple[float, float], colour: Colour, turn: float = 0.0) -> None:
    one = 1 << _SHIFT
    centre, axes = (round(x * one), round(y * one)), (round(size[0] * one), round(size[1] * one))
    _cv().ellipse(picture, centre, axes, turn, 0, 360, colour, -1, _cv().LINE_AA, _SHIFT)


def line(
    picture: np.ndarray, a: tuple[float, float], b: tuple[float, float], colour: Colour, thickness: int = 1
) -> None:
    one = 1 << _SHIFT
    ends = [(round(x * one), round(y * one)) for x, y in (a, b)]
    _cv().line(picture, ends[0], ends[1], colour, thickness, _cv().LINE_AA, _SHIFT)


def box(
    picture: np.ndarray, x: float, y: float, width: float, height: float, colour: Colour, round_: float = 0
) -> None:
    """A rectangle, its corners rounded by `round_` pixels."""
    if round_:
        for cx in (x + round_, x + width - round_):
            for cy in (y + round_, y + height - round_):
                disc(picture, cx, cy, round_, colour)
        polygon(picture, _corners(x + round_, y, width - 2 * round_, height), colour)
        polygon(picture, _corners(x, y + round_, width, height - 2 * round_), colour)
    else:
        polygon(picture, _corners(x, y, width, height), colour)


def _corners(x: float, y: float, width: float, height: float) -> list[tuple[float, float]]:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def lay(picture: np.ndarray, over: np.ndarray, opacity: float) -> None:
    """Blend `over` (same shape) into the picture, in place."""
    _cv().addWeighted(over, opacity, picture, 1 - opacity, 0, dst=picture)


@cache
def glow(radius: int, colour: Colour) -> np.ndarray:
    """A soft light as (2r, 2r, 3) float32 to be added."""
    y, x = np.mgrid[-radius:radius, -radius:radius] + 0.5
    fall = np.clip(1 - np.hypot(x, y) / radius, 0, 1) ** 2.2
    return (fall[:, :, None] * np.array(colour, np.float32)).astype(np.float32)


def shine(picture: np.ndarray, x: float, y: float, radius: int, colour: Colour, strength: float = 1.0) -> None:
    """Add a soft light around a point."""
    light = glow(radius, colour)
    x0, y0 = round(x) - radius, round(y) - radius
    a, b = max(0, y0), min(picture.shape[0], y0 + 2 * radius)
    c, d = max(0, x0), min(picture.shape[1], x0 + 2 * radius)
    if a < b and c < d:
        part = picture[a:b, c:d]
        lit = part + light[a - y0 : b - y0, c - x0 : d - x0] * strength
        picture[a:b, c:d] = np.minimum(lit, 255).astype(np.uint8)


# --- words


@cache
def words(text: str, size: int, colour: Colour, font: str = "") -> np.ndarray:
    """Text as (h, w, 4) uint8 RGBA. Pillow's own font, so that it looks the same everywhere; `font` names a file."""
    from PIL import Image, ImageDraw, ImageFont

    face = ImageFont.truetype(font, size) if font else ImageFont.load_default(size)
    left, top, right, bottom = face.getbbox(text)
    image = Image.new("RGBA", (math.ceil(right - left) + 8, math.ceil(bottom - top) + 8), (*colour, 0))
    ImageDraw.Draw(image).text((4 - left, 4 - top), text, font=face, fill=(*colour, 255))
    return np.asarray(image)


def write(
    picture: np.ndarray,
    text: str,
    x: float,
    y: float,
    size: int,
    colour: Colour = (255, 255, 255),
    opacity: float = 1.0,
    anchor: str = "left",
    font: str = "",
) -> None:
    """Text with its upper edge at y; `anchor` says what x is: left, middle or right."""
    if opacity <= 0:
        return
    stamp = words(text, size, colour, font)
    height, width = stamp.shape[:2]
    x0 = round(x - {"left": 4, "middle": width / 2, "right": width - 4}[anchor])
    y0 = round(y - 4)
    a, b, c, d = max(0, y0), min(picture.shape[0], y0 + height), max(0, x0), min(picture.shape[1], x0 + width)
    if a >= b or c >= d:
        return
    part = stamp[a - y0 : b - y0, c - x0 : d - x0]
    alpha = part[:, :, 3:].astype(np.float32) * (opacity / 255)
    under = picture[a:b, c:d]
    picture[a:b, c:d] = (under + (part[:, :, :3] - under.astype(np.float32)) * alpha).astype(np.uint8)


def eased(t: float, start: float, length: float = 0.6) -> float:
    """0 before `start`, 1 after `start + length`, smooth between."""
    x = min(1.0, max(0.0, (t - start) / length))
    return x * x * (3 - 2 * x)


# --- things


def water(picture: np.ndarray, top: int, t: float, colours: tuple[Colour, Colour], sparkle: Colour, sun: float) -> None:
    """Sea from row `top` down, with glints that are closer together under the light at column `sun`."""
    deep = _sea(picture.shape[0] - top, colours)
    picture[top:] = deep
    rng = np.random.default_rng(7)
    for n in range(150):
        depth = rng.random() ** 1.6
        y = top + 3 + depth * (picture.shape[0] - top - 6)
        spread = 26 + 240 * depth
        x = sun + rng.normal() * spread if n % 3 else rng.random() * WIDTH
        phase = rng.random() * 6.28
        bright = 0.5 + 0.5 * math.sin(2.2 * t + phase)
        if bright < 0.25:
            continue
        length = (4 + 26 * depth) * bright
        x += 5 * math.sin(0.7 * t + phase)
        mixed = tuple(
            int(deep[min(len(deep) - 1, int(y) - top), 0, c] * (1 - bright) + sparkle[c] * bright) for c in range(3)
        )
        line(picture, (x - length, y), (x + length, y), mixed, 1 + int(depth > 0.6))  # type: ignore[arg-type]


@cache
def _sea(height: int, colours: tuple[Colour, Colour]) -> np.ndarray:
    return gradient([(0, colours[0]), (1, colours[1])], height)


def ridge(seed: int, base: float, swing: float, step: int = 4, width: int = 2 * WIDTH) -> list[tuple[float, float]]:
    """The upper edge of hills that repeat after `width` pixels."""
    rng = np.random.default_rng(seed)
    xs = np.arange(0, width + step, step)
    ys = np.full(len(xs), float(base))
    for wave in range(1, 9):
        ys += swing / wave * np.sin(2 * np.pi * wave * xs / width + rng.uniform(0, 6.28)) * rng.uniform(0.4, 1)
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Hills to be scrolled over; as wide as they are before they repeat, and a screen more."""

    colours: np.ndarray  # (HEIGHT, period + WIDTH, 3) uint8
    mask: np.ndarray  # (HEIGHT, period + WIDTH, 1) uint16, 0 to 255
    period: int
    top: int  # the first row in which there is anything
    full: int  # from this row on there is nothing else


def band(points: list[tuple[float, float]], colour: Colour, lower: Colour) -> Layer:
    """Everything below the edge `points`, shaded from `colour` to `lower`."""
    period = int(points[-1][0])
    mask = np.zeros((HEIGHT, period), np.uint8)
    polygon(mask, [*points, (period, HEIGHT), (0, HEIGHT)], (255, 255, 255))
    top = int(np.argmax(mask.any(axis=1)))
    full = int(np.argmax(mask.all(axis=1) & (mask.min(axis=1) == 255)))
    colours = gradient([(top / HEIGHT, colour), (1, lower)], HEIGHT, period)
    return Layer(
        np.concatenate([colours, colours[:, :WIDTH]], axis=1),
        np.concatenate([mask, mask[:, :WIDTH]], axis=1)[:, :, None].astype(np.uint16),
        period,
        top,
        full,
    )


def scroll(picture: np.ndarray, layer: Layer, offset: float) -> None:
    """Lay hills over the picture, moved left by `offset` pixels."""
    first = int(offset) % layer.period
    edge, here = slice(layer.top, layer.full), slice(first, first + WIDTH)
    weight = layer.mask[edge, here]
    picture[edge] = ((picture[edge] * (255 - weight) + layer.colours[edge, here] * weight) // 255).astype(np.uint8)
    picture[layer.full :] = layer.colours[layer.full :, here]


def cloud(picture: np.ndarray, x: float, y: float, size: float, colour: Colour) -> None:
    for dx, dy, r in ((-1.1, 0.15, 0.55), (-0.45, -0.25, 0.75), (0.4, -0.1, 0.65), (1.05, 0.2, 0.45)):
        disc(picture, x + dx * size, y + dy * size, r * size, colour)
    box(picture, x - 1.2 * size, y + 0.15 * size, 2.4 * size, 0.5 * size, colour, round_=0.24 * size)


def gull(picture: np.ndarray, x: float, y: float, size: float, t: float, colour: Colour) -> None:
    lift = math.sin(5 * t) * 0.5
    for side in (-1, 1):
        line(picture, (x, y), (x + side * size * 0.5, y - size * (0.3 + 0.2 * lift)), colour, 2)
        line(
            picture,
            (x + side * size * 0.5, y - size * (0.3 + 0.2 * lift)),
            (x + side * size, y - size * 0.1 * lift),
            colour,
            2,
        )
