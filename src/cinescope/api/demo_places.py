"""The places of the demo's films: coast, road, harbour, weather map, lecture. Each function makes a scene."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from cinescope.api.demo_scenes import (
    HEIGHT,
    WIDTH,
    Colour,
    Scene,
    band,
    box,
    cloud,
    disc,
    eased,
    gradient,
    gull,
    lay,
    line,
    oval,
    polygon,
    ridge,
    scroll,
    shine,
    water,
    write,
)

INK: Colour = (28, 34, 52)
CREAM: Colour = (250, 244, 232)


def _tower(picture: np.ndarray, x: float, foot: float, scale: float, dark: float) -> tuple[float, float]:
    """A red and white lighthouse; where its lamp is. `dark` 0 (day) to 1 (silhouette)."""

    def shade(colour: Colour) -> Colour:
        return tuple(round(c * (1 - dark) + n * dark) for c, n in zip(colour, (20, 24, 44), strict=True))  # type: ignore[return-value]

    height = 150 * scale
    for n in range(5):
        low, high = foot - height * n / 5, foot - height * (n + 1) / 5
        wide, narrow = scale * (21 - 1.8 * n), scale * (21 - 1.8 * (n + 1))
        colour = shade((214, 62, 54) if n % 2 == 0 else (246, 240, 230))
        polygon(picture, [(x - wide, low), (x + wide, low), (x + narrow, high), (x - narrow, high)], colour)
        shadow = shade((150, 40, 42) if n % 2 == 0 else (198, 192, 190))
        polygon(
            picture, [(x + wide * 0.45, low), (x + wide, low), (x + narrow, high), (x + narrow * 0.45, high)], shadow
        )
    top = foot - height
    box(picture, x - 17 * scale, top - 4 * scale, 34 * scale, 5 * scale, shade((60, 62, 80)))
    box(picture, x - 9 * scale, top - 22 * scale, 18 * scale, 19 * scale, (255, 238, 170))
    for dx in (-9, -3, 3, 9):
        line(picture, (x + dx * scale, top - 22 * scale), (x + dx * scale, top - 4 * scale), shade((60, 62, 80)), 1)
    polygon(
        picture,
        [(x - 13 * scale, top - 21 * scale), (x, top - 37 * scale), (x + 13 * scale, top - 21 * scale)],
        shade((150, 40, 42)),
    )
    return x, top - 13 * scale


def _beam(picture: np.ndarray, lamp: tuple[float, float], turn: float, strength: float) -> None:
    """The light sweeps round: seen from the side it is long, towards us it is short and bright."""
    x, y = lamp
    side = math.sin(turn)
    for direction in (1, -1):
        reach = 620 * side * direction
        if abs(reach) < 30:
            continue
        over = picture.copy()
        spread = 26 + 40 * abs(side)
        polygon(over, [(x, y - 3), (x, y + 3), (x + reach, y + spread), (x + reach, y - spread * 0.7)], (255, 240, 180))
        lay(picture, over, 0.28 * strength * abs(side))
    shine(picture, x, y, 90, (255, 225, 150), 0.5 + 0.5 * abs(math.cos(turn)))


def lighthouse(night: bool, caption: str = "", caption_at: float = 0.8) -> Scene:
    """The lighthouse on its rock, at dusk or at night with the beam going round."""
    if night:
        sky = gradient([(0, (10, 14, 38)), (0.55, (28, 38, 82)), (0.72, (58, 66, 110))])
        stars = np.random.default_rng(5).random((140, 3))
    else:
        sky = gradient([(0, (64, 58, 120)), (0.35, (206, 104, 122)), (0.56, (250, 168, 104)), (0.7, (255, 214, 150))])
        stars = np.zeros((0, 3))
    horizon, sun = 232, 210.0
    rock = [(372, 360), (392, 300), (424, 268), (452, 250), (520, 244), (560, 256), (604, 286), (640, 300), (640, 360)]

    def scene(t: float) -> np.ndarray:
        picture = sky.copy()
        for x, y, phase in stars:
            bright = int(150 + 100 * math.sin(2 * t + 40 * phase))
            disc(picture, x * WIDTH, y * 210, 0.7 + phase * 0.7, (bright, bright, min(255, bright + 20)))
        if night:
            disc(picture, 130, 74, 26, (240, 236, 214))
            disc(picture, 119, 68, 23, (22, 28, 64))
            water(picture, horizon, t, ((34, 44, 88), (10, 14, 34)), (170, 180, 214), 130)
        else:
            low = 196 + 1.2 * t
            shine(picture, sun, low, 150, (255, 190, 110), 0.8)
            disc(picture, sun, low, 30, (255, 236, 186))
            water(picture, horizon, t, ((222, 136, 110), (60, 62, 104)), (255, 224, 170), sun)
            for n in range(3):
                gull(picture, 90 + 60 * n + 16 * t, 90 + 22 * n + 5 * math.sin(t + n), 13 - 2 * n, t + n, (70, 50, 80))
        if night:
            lamp = (490.0, 88.0)
            _beam(picture, lamp, 1.1 * t + 0.6, 1.0)
        polygon(picture, rock, (26, 26, 46) if night else (74, 54, 78))
        polygon(
            picture,
            [(452, 250), (520, 244), (560, 256), (540, 262), (470, 264)],
            (44, 44, 70) if night else (116, 82, 96),
        )
        lamp = _tower(picture, 490, 250, 1.0, 0.75 if night else 0.1)
        shine(picture, *lamp, 46 if night else 30, (255, 226, 150), 0.9)
        if caption:
            _caption(picture, caption, t, caption_at)
        return picture

    return scene


def _caption(picture: np.ndarray, text: str, t: float, at: float) -> None:
    """A line at the lower left on a dark plate."""
    seen = eased(t, at, 0.5)
    if seen <= 0:
        return
    over = picture.copy()
    box(over, 28, 302, 26 + 13.2 * len(text), 38, (16, 20, 38), round_=8)
    lay(picture, over, 0.72 * seen)
    write(picture, text, 42, 311, 24, (255, 255, 255), seen)


PALETTES: dict[str, dict[str, tuple[Colour, Colour]]] = {
    "morning": {
        "sky": ((126, 190, 232), (255, 240, 214)),
        "far": ((150, 176, 206), (196, 210, 220)),
        "near": ((98, 152, 110), (140, 178, 112)),
        "field": ((124, 172, 84), (92, 140, 66)),
    },
    "evening": {
        "sky": ((70, 72, 140), (255, 176, 120)),
        "far": ((112, 88, 142), (206, 132, 130)),
        "near": ((82, 70, 110), (128, 84, 106)),
        "field": ((92, 82, 92), (60, 56, 76)),
    },
}


def drive(palette: str, sign: Sequence[str], sign_at: float = 2.5) -> Scene:
    """A red car on a country road; a road sign passes, stands while it is read, and passes on."""
    colours = PALETTES[palette]
    sky = gradient([(0, colours["sky"][0]), (0.62, colours["sky"][1]), (1, colours["sky"][1])])
    far = band(ridge(3, 190, 34), *colours["far"])
    near = band(ridge(8, 226, 22), *colours["near"])
    field = band(ridge(11, 252, 5), *colours["field"])
    trees = np.random.default_rng(21).random((16, 2))
    dim = 0.62 if palette == "evening" else 1.0

    def tint(colour: Colour) -> Colour:
        return tuple(round(c * dim) for c in colour)  # type: ignore[return-value]

    def scene(t: float) -> np.ndarray:
        # The car slows down for the sign: the road moves less while it is there.
        way = 190 * t - 150 * (eased(t, sign_at, 1.2) * max(0.0, t - sign_at - 0.6) if t < sign_at + 3.2 else 2.6)
        picture = sky.copy()
        if palette == "morning":
            shine(picture, 520, 96, 120, (255, 226, 160), 0.5)
            disc(picture, 520, 96, 24, (255, 246, 214))
        else:
            shine(picture, 150, 190, 160, (255, 170, 110), 0.6)
            disc(picture, 150, 190, 30, (255, 214, 160))
        for n in range(4):
            x = (90 + 190 * n - 7 * t * (1 + 0.2 * n)) % (WIDTH + 160) - 80
            cloud(picture, x, 52 + 26 * (n % 3), 20 + 4 * n, tint((255, 252, 246)))
        scroll(picture, far, 0.08 * way + 30)
        scroll(picture, near, 0.25 * way)
        scroll(picture, field, 0.6 * way)
        for place, size in trees:
            x = (place * 1600 - 0.6 * way) % 1600 - 200
            _tree(picture, x, 262 + 6 * size, 22 + 16 * size, tint)
        box(picture, 0, 276, WIDTH, 84, tint((86, 88, 98)))
        box(picture, 0, 276, WIDTH, 3, tint((228, 222, 206)))
        for n in range(9):
            x = (n * 90 - way) % (9 * 90) - 90
            box(picture, x, 318, 44, 5, tint((246, 238, 214)))
        shown = eased(t, sign_at - 0.6, 0.9) - eased(t, sign_at + 3.2, 0.7)
        if sign and shown > 0:
            x = 470 + 300 * (1 - eased(t, sign_at - 0.6, 0.9)) - 760 * eased(t, sign_at + 3.2, 0.7)
            _sign(picture, x, sign)
        _car(picture, 200 + 6 * math.sin(0.9 * t), 322 + 1.3 * math.sin(9 * t), way, tint)
        return picture

    return scene


def _tree(picture: np.ndarray, x: float, foot: float, size: float, tint: object) -> None:
    shade = tint  # a function Colour -> Colour
    box(picture, x - size * 0.08, foot - size * 0.6, size * 0.16, size * 0.6, shade((98, 72, 54)))  # type: ignore[operator]
    disc(picture, x, foot - size, size * 0.52, shade((70, 124, 78)))  # type: ignore[operator]
    disc(picture, x - size * 0.18, foot - size * 1.12, size * 0.3, shade((98, 152, 92)))  # type: ignore[operator]


def _sign(picture: np.ndarray, x: float, lines: Sequence[str]) -> None:
    height = 22 + 34 * len(lines)
    box(picture, x - 4, 120, 8, 160, (108, 112, 122))
    box(picture, x - 116, 92, 232, height, (250, 250, 250), round_=10)
    box(picture, x - 112, 96, 224, height - 8, (24, 92, 168), round_=8)
    for n, text in enumerate(lines):
        write(picture, text, x, 106 + 34 * n, 26, (255, 255, 255), anchor="middle")


def _car(picture: np.ndarray, x: float, y: float, way: float, tint: object) -> None:
    shade = tint  # a function Colour -> Colour
    red, dark, glass = shade((218, 44, 46)), shade((168, 28, 36)), shade((190, 226, 240))  # type: ignore[operator]
    oval(picture, x, y + 22, (98, 7), shade((64, 64, 74)))  # type: ignore[operator]
    polygon(picture, [(x - 46, y - 22), (x - 28, y - 54), (x + 30, y - 54), (x + 58, y - 22)], dark)
    polygon(picture, [(x - 38, y - 22), (x - 23, y - 48), (x - 2, y - 48), (x - 2, y - 22)], glass)
    polygon(picture, [(x + 4, y - 22), (x + 4, y - 48), (x + 27, y - 48), (x + 48, y - 22)], glass)
    box(picture, x - 88, y - 24, 176, 34, red, round_=12)
    box(picture, x - 88, y + 1, 176, 8, dark, round_=4)
    disc(picture, x + 82, y - 10, 6, (255, 240, 190))
    box(picture, x - 89, y - 16, 6, 10, (255, 120, 90))
    line(picture, (x, y - 20), (x, y + 2), dark, 2)
    for wheel in (-50, 52):
        disc(picture, x + wheel, y + 10, 19, (34, 34, 42))
        disc(picture, x + wheel, y + 10, 10, (206, 208, 214))
        for spoke in range(3):
            turn = way / 19 + spoke * math.pi / 3
            dx, dy = 10 * math.cos(turn), 10 * math.sin(turn)
            line(picture, (x + wheel - dx, y + 10 - dy), (x + wheel + dx, y + 10 + dy), (120, 122, 132), 2)


def harbour(title: str = "", font: str = "") -> Scene:
    """Boats in the morning sun."""
    sky = gradient([(0, (116, 176, 214)), (0.4, (246, 206, 178)), (0.62, (255, 232, 196))])
    town = np.random.default_rng(4).random((22, 3))

    def scene(t: float) -> np.ndarray:
        picture = sky.copy()
        shine(picture, 420, 150, 140, (255, 214, 140), 0.8)
        disc(picture, 420, 150 - 1.0 * t, 27, (255, 244, 206))
        for n in range(3):
            cloud(picture, (80 + 240 * n + 5 * t) % (WIDTH + 120) - 60, 48 + 20 * n, 20, (255, 246, 236))
        for n, (tall, warm, lit) in enumerate(town):
            x, height = n * 30 - 6, 26 + 46 * tall
            wall = (int(150 + 60 * warm), int(110 + 40 * warm), int(112 + 30 * (1 - warm)))
            box(picture, x, 204 - height, 28, height + 4, wall)
            polygon(picture, [(x - 2, 205 - height), (x + 14, 192 - height), (x + 30, 205 - height)], (126, 70, 66))
            for row in range(int(height // 18)):
                glass = (255, 226, 150) if (lit + row) % 0.6 < 0.3 else (104, 96, 118)
                box(picture, x + 6, 212 - height + 18 * row, 6, 8, glass)
                box(picture, x + 17, 212 - height + 18 * row, 6, 8, glass)
        water(picture, 206, t, ((196, 176, 176), (44, 92, 124)), (255, 236, 190), 420)
        for n, (x, y, size, sail) in enumerate(
            ((120, 252, 0.8, (250, 244, 230)), (520, 262, 1.0, (232, 96, 74)), (300, 300, 1.4, (250, 244, 230)))
        ):
            _boat(
                picture,
                x + 9 * t * (0.4 + 0.3 * n),
                y + 3 * math.sin(1.3 * t + n),
                size,
                3 * math.sin(1.1 * t + 2 * n),
                sail,
            )
        for n in range(2):
            gull(picture, 560 - 22 * t - 40 * n, 110 + 26 * n + 6 * math.sin(t), 12, t + n, (90, 84, 100))
        if title:
            write(picture, title, WIDTH / 2, 42, 46, (40, 48, 76), eased(t, 0.6), "middle", font)
        return picture

    return scene


def _boat(picture: np.ndarray, x: float, y: float, size: float, lean: float, sail: Colour) -> None:
    def at(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x + dx * size, y + dy * size) for dx, dy in points]

    mast = (x + lean * size, y - 96 * size)
    polygon(picture, at((-46, -8), (52, -8), (34, 12), (-34, 12)), (92, 58, 52))
    polygon(picture, at((-46, -11), (52, -11), (52, -6), (-46, -6)), (244, 236, 220))
    line(picture, (x, y - 10 * size), mast, (70, 52, 50), max(1, round(2 * size)))
    shaded = tuple(round(c * 0.88) for c in sail)
    polygon(picture, [*at((4, -16)), (mast[0] + 3, mast[1] + 4), *at((44, -18))], sail)
    polygon(picture, [*at((-4, -16)), (mast[0] - 2, mast[1] + 12), *at((-32, -16))], shaded)  # type: ignore[arg-type]


def card(title: str, subtitle: str = "", colours: tuple[Colour, Colour] = ((34, 42, 84), (120, 70, 120))) -> Scene:
    """A title on drifting discs."""
    ground = gradient([(0, colours[0]), (1, colours[1])])
    spots = np.random.default_rng(len(title)).random((9, 4))

    def scene(t: float) -> np.ndarray:
        picture = ground.copy()
        over = picture.copy()
        for x, y, size, speed in spots:
            drift = (x * WIDTH + (8 + 26 * speed) * t) % (WIDTH + 200) - 100
            disc(over, drift, y * HEIGHT, 30 + 70 * size, (255, 220, 190))
        lay(picture, over, 0.10)
        size = 54 if len(title) <= 18 else 42
        write(picture, title, WIDTH / 2, 138, size, CREAM, eased(t, 0.2), "middle")
        wide = 150 * eased(t, 0.5)
        box(picture, WIDTH / 2 - wide, 206, 2 * wide, 3, (255, 196, 140))
        if subtitle:
            write(picture, subtitle, WIDTH / 2, 224, 26, (255, 226, 200), eased(t, 0.8), "middle")
        return picture

    return scene


# place on the map (x, y) -> what is drawn there
Weather = tuple[float, float, str, str]  # x, y, "sun", "cloud" or "rain", temperature


def weather_map(head: str, spots: Sequence[Weather], warning: str = "", night: bool = False) -> Scene:
    """A map with suns that turn and rain that falls."""
    ground = gradient([(0, (22, 26, 58)), (1, (10, 12, 32))] if night else [(0, (62, 134, 190)), (1, (36, 92, 150))])
    fields, hills = ((44, 70, 84), (54, 84, 94)) if night else ((112, 168, 116), (132, 186, 124))
    land = [
        (0, 120),
        (70, 104),
        (150, 126),
        (214, 96),
        (300, 118),
        (352, 176),
        (330, 232),
        (392, 268),
        (420, 360),
        (0, 360),
    ]
    polygon(ground, [(x + 6, y + 7) for x, y in land], (8, 10, 26) if night else (28, 74, 122))
    polygon(ground, land, fields)
    polygon(ground, [(x * 0.72, 360 - (360 - y) * 0.7) for x, y in land], hills)
    box(ground, 0, 0, WIDTH, 64, (238, 242, 248))
    box(ground, 0, 64, WIDTH, 5, (236, 140, 60))

    def scene(t: float) -> np.ndarray:
        picture = ground.copy()
        write(picture, head, 26, 17, 32, INK, eased(t, 0.1, 0.4))
        for n, (x, y, kind, degrees) in enumerate(spots):
            seen = eased(t, 0.4 + 0.35 * n, 0.5)
            if seen <= 0:
                continue
            lift = y + 14 * (1 - seen)
            if kind == "sun":
                for ray in range(8):
                    turn = 0.6 * t + ray * math.pi / 4
                    a, b = (math.cos(turn), math.sin(turn)), 30 * seen
                    line(picture, (x + 21 * a[0], lift + 21 * a[1]), (x + b * a[0], lift + b * a[1]), (255, 206, 84), 3)
                disc(picture, x, lift, 17 * seen, (255, 206, 84))
            else:
                cloud(picture, x, lift, 17 * seen, (236, 240, 246) if kind == "cloud" else (176, 188, 206))
                for drop in range(5 if kind == "rain" else 0):
                    fall = (1.7 * t + drop * 0.37) % 1
                    at = x - 18 + 9 * drop
                    line(picture, (at, lift + 16 + 26 * fall), (at - 3, lift + 23 + 26 * fall), (150, 206, 250), 2)
            write(picture, degrees, x + 40, lift - 14, 28, (255, 255, 255), seen)
        if warning:
            grown = eased(t, 1.6, 0.4)
            if grown > 0.1:
                box(picture, 372, 290, 250 * grown, 46, (206, 52, 48), round_=8)
            write(picture, warning, 497, 300, 27, (255, 255, 255), eased(t, 1.9, 0.3), "middle")
        return picture

    return scene


def slide(title: str, points: Sequence[str], figure: str, dark: bool = False) -> Scene:
    """A lecture slide: points come one after the other, a figure moves, the speaker is in the corner."""
    light: tuple[Colour, Colour] = ((252, 250, 246), (236, 236, 240))
    deep: tuple[Colour, Colour] = ((30, 42, 78), (48, 60, 104))
    ground = gradient(list(enumerate(deep if dark else light)))
    head, text_colour = ((255, 226, 176), (232, 236, 246)) if dark else ((36, 60, 110), (44, 50, 66))
    box(ground, 0, 0, 14, HEIGHT, (236, 140, 60) if dark else (44, 96, 168))
    box(ground, 40, 84, 360, 3, (236, 140, 60))

    def scene(t: float) -> np.ndarray:
        picture = ground.copy()
        write(picture, title, 40, 34, 38, head)
        for n, text in enumerate(points):
            seen = eased(t, 0.6 + 1.5 * n, 0.5)
            if seen > 0:
                disc(picture, 50, 126 + 46 * n, 5 * seen, (236, 140, 60))
                write(picture, text, 68, 112 + 46 * n, 25, text_colour, seen)
        if figure == "tide":
            _tide(picture, 500, 150, t)
        elif figure == "curve":
            _curve(picture, 400, 110, t)
        _speaker(picture, 566, 296, t)
        return picture

    return scene


def _tide(picture: np.ndarray, x: float, y: float, t: float) -> None:
    """The moon goes round the earth and pulls the water after it."""
    turn = 0.8 * t
    oval(picture, x, y, (66, 47), (120, 180, 226), math.degrees(turn))
    disc(picture, x, y, 41, (70, 130, 190))
    disc(picture, x - 10, y - 8, 16, (104, 164, 104))
    disc(picture, x + 16, y + 12, 11, (104, 164, 104))
    mx, my = x + 104 * math.cos(turn), y + 78 * math.sin(turn)
    disc(picture, mx, my, 15, (190, 190, 198))
    disc(picture, mx - 4, my - 3, 4, (160, 160, 170))


def _curve(picture: np.ndarray, x: float, y: float, t: float) -> None:
    """High and low water over a day, drawn as it goes."""
    line(picture, (x, y), (x, y + 130), (120, 126, 140), 2)
    line(picture, (x, y + 130), (x + 210, y + 130), (120, 126, 140), 2)
    until = min(1.0, t / 6)
    points = [(x + 210 * i / 60, y + 66 - 46 * math.sin(4 * math.pi * i / 60)) for i in range(61)]
    shown = points[: max(2, round(61 * until))]
    for a, b in pairwise(shown):
        line(picture, a, b, (96, 160, 226), 3)
    disc(picture, *shown[-1], 6, (236, 140, 60))


def _speaker(picture: np.ndarray, x: float, y: float, t: float) -> None:
    disc(picture, x, y, 54, (44, 96, 168))
    disc(picture, x, y, 50, (214, 226, 242))
    nod = 1.5 * math.sin(2.1 * t)
    oval(picture, x, y + 46, (34, 24), (92, 70, 130))
    box(picture, x - 7, y + 14, 14, 16, (226, 178, 148))
    oval(picture, x, y - 2 + nod, (22, 27), (238, 192, 162))
    oval(picture, x, y - 20 + nod, (24, 15), (84, 56, 48))
    for side in (-8, 8):
        disc(picture, x + side, y - 4 + nod, 2.4, (50, 40, 44))
    mouth = 2 + 4 * abs(math.sin(7 * t))
    oval(picture, x, y + 11 + nod, (7, mouth), (164, 70, 74))
