"""How right the faces are: in drawn scenes, in the shared clips, in portraits, and in pictures that hold none.

The truth of the clips, `face_clips.json`, was written by looking at them: `middle` is where the middle of the face
stays from `from` until `until`; `plain` faces show both eyes and are lit, the others (from the side, half hidden, in
the dark, far away) may be told or not, and are counted apart. Every clip that is not named there has no human face.
A told box is right where it shares 0.35 of its union with the true one (the cascades leave the forehead out), in the
clips where its middle is in its place. A face counts as followed when one track has it right in 60% of its pictures; a
track is right when 60% of its pictures are.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks import senses_faces
from benchmarks.bars import Bars
from cinescope.analysers.faces import SIZE, Faces
from cinescope.features.faces.detector import Box, overlap
from cinescope.types import Frames, Material, Segment, Source, Span, Video, Window

SHARED = 0.35
MOST = 0.6
LEAST = 0.9
SEEDS = range(1, 81, 2)
RATE = senses_faces.RATE


class Count:
    """Found of what is true, right of what is told; by picture and by track."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()

    def add(self, what: str, true: int, found: int, told: int, right: int) -> None:
        self.of.update({f"{what}.true": true, f"{what}.found": found, f"{what}.told": told, f"{what}.right": right})

    def claim(self, bars: Bars, name: str) -> None:
        for what in ("picture", "track"):
            true, told = self.of[f"{what}.true"], self.of[f"{what}.told"]
            recall = self.of[f"{what}.found"] / true if true else float("nan")
            precision = self.of[f"{what}.right"] / told if told else 0.0
            bars.at_least(f"senses.faces.{name}.{what}.recall", recall, LEAST)
            bars.at_least(f"senses.faces.{name}.{what}.precision", precision, LEAST)
        print(f"faces, {name}: {dict(self.of)}")


def measure(bars: Bars, quick: bool, shared: Path, seeds: range = SEEDS, **settings: Any) -> None:
    """`settings` are the analyser's."""
    drawn(bars, shared, seeds[:6] if quick else seeds, settings)
    clips(bars, shared, settings)
    stills(bars, shared, 200 if quick else 1000, settings)


def drawn(bars: Bars, shared: Path, seeds: range, settings: dict[str, Any]) -> None:
    count = Count()
    for seed in seeds:
        pictures, faces = senses_faces.scene(seed, shared)
        size = (SIZE, SIZE * senses_faces.SIZE[1] // senses_faces.SIZE[0])
        small = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures])
        told = fed(Faces(**settings), small, senses_faces.cuts(seed))
        score_drawn(count, told, faces, len(pictures))
    count.claim(bars, "drawn")


def score_drawn(count: Count, told: list[Segment], faces: list[senses_faces.Face], pictures: int) -> None:
    right = [[False] * pictures for _ in told]
    held = [[0] * len(told) for _ in faces]
    for number in range(pictures):
        time = number / RATE
        there = [(i, f.boxes[f.times.index(time)]) for i, f in enumerate(faces) if time in f.times]
        said = [(j, box_at(s, time)) for j, s in enumerate(told) if s.span.contains(time)]
        matched = [(i, j) for i, true in there for j, box in said if overlap(box, true) >= SHARED]
        for i, j in matched:
            right[j][number] = True
            held[i][j] += 1
        count.add("picture", len(there), len({i for i, _ in matched}), len(said), len({j for _, j in matched}))
    followed = sum(max(h, default=0) >= MOST * len(f.times) for h, f in zip(held, faces, strict=True))
    good = sum(sum(r) >= MOST * shown(s, pictures) for r, s in zip(right, told, strict=True))
    count.add("track", len(faces), followed, len(told), good)


def shown(segment: Segment, pictures: int) -> int:
    return sum(segment.span.contains(n / RATE) for n in range(pictures))


def box_at(segment: Segment, time: float) -> Box:
    """Where the face is at a time, between the boxes that are told."""
    boxes = np.array(segment.data["boxes"])
    x0, y0, x1, y1 = (float(np.interp(time, boxes[:, 0], boxes[:, k])) for k in range(1, 5))
    return x0, y0, x1, y1


def clips(bars: Bars, shared: Path, settings: dict[str, Any]) -> None:
    truth = json.loads((Path(__file__).parent / "face_clips.json").read_text(encoding="utf-8"))
    count, hard = Count(), [0, 0]
    files = sorted([*(shared / "media").iterdir(), *(shared / "talking_faces").iterdir()])
    for path in files:
        name = f"{path.parent.name}/{path.name}"
        faces = [f for f in truth if f["file"] == name]
        told, end = read(path, settings)
        kept = [[0] * len(told) for _ in faces]
        right = [0] * len(told)
        times = np.arange(0.25, end, 1 / RATE)
        for time in times:
            said = [(j, box_at(s, time)) for j, s in enumerate(told) if s.span.contains(time)]
            there = [(i, f) for i, f in enumerate(faces) if f["from"] <= time < f["until"]]
            matched = [(i, j) for i, f in there for j, box in said if inside(f["middle"], box)]
            for i, j in matched:
                kept[i][j] += 1
            good = {j for _, j in matched}
            for j in good:
                right[j] += 1
            found = {i for i, _ in matched}
            plain = [i for i, f in there if f["plain"]]
            count.add("picture", len(plain), len(found & set(plain)), len(said), len(good))
            hard[0] += sum(not f["plain"] for _, f in there)
            hard[1] += sum(i in found for i, f in there if not f["plain"])
        lasts = [sum(f["from"] <= t < f["until"] for t in times) for f in faces]
        plain = [i for i, f in enumerate(faces) if f["plain"]]
        followed = sum(max(kept[i], default=0) >= MOST * lasts[i] for i in plain)
        good_tracks = sum(r >= MOST * sum(s.span.contains(t) for t in times) for r, s in zip(right, told, strict=True))
        count.add("track", len(plain), followed, len(told), good_tracks)
        if told or faces:
            print(f"faces: {name}: {[(round(s.span.start, 1), round(s.span.end, 1), s.score) for s in told]}")
    count.claim(bars, "clips")
    print(f"faces: of {hard[0]} pictures of faces from the side, hidden, dark or far away, {hard[1]} are found")


def inside(place: list[float], box: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return place[0] <= x <= place[2] and place[1] <= y <= place[3]


def stills(bars: Bars, shared: Path, photographs: int, settings: dict[str, Any]) -> None:
    """Portraits, as a video of one picture; photographs of animals and things and scanned pages, which hold no face."""
    found, true = 0, 0
    for path in sorted((shared / "faces").iterdir()):
        faces = 2 if path.name == "two_people.jpg" else 1
        told = len(one_picture(np.ascontiguousarray(cv2.imread(str(path))[..., ::-1]), settings))
        print(f"faces: {path.name}: {told} of {faces}")
        true, found = true + faces, found + min(faces, told)
    bars.at_least("senses.faces.portraits.recall", found / true, LEAST)
    small = senses_faces.photographs(str(shared / "images_cifar10_train10k.tar"))[1::2][:photographs]
    false = sum(len(one_picture(cv2.resize(p, (256, 256), interpolation=cv2.INTER_CUBIC), settings)) for p in small)
    pages = [np.ascontiguousarray(cv2.imread(str(p))[..., ::-1]) for p in senses_faces.pages(shared)]
    on_pages = sum(len(one_picture(p, settings)) for p in pages)
    print(f"faces: {false} told in {len(small)} photographs of animals and things, {on_pages} on {len(pages)} pages")
    bars.at_most("senses.faces.photographs.false_share", (false + on_pages) / (len(small) + len(pages)), 0.02)


def one_picture(picture: np.ndarray, settings: dict[str, Any]) -> list[Segment]:
    scale = min(1.0, SIZE / max(picture.shape[:2]))
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return fed(Faces(**settings), cv2.resize(picture, size, interpolation=cv2.INTER_AREA)[None], [])


def fed(analyser: Faces, pictures: np.ndarray, cuts: list[float]) -> list[Segment]:
    """(T, H, W, 3) at `RATE` a second in one window, with the shots told as the ingest would."""
    length = len(pictures) / RATE
    analyser.begin(Material(Video("", length, ())))
    edges = [0.0, *(c for c in cuts if c > 0), length]
    shots = [Segment(Span(a, b), "shot", Source("shots", "known")) for a, b in itertools.pairwise(edges) if b > a]
    frames = Frames(pictures, np.arange(len(pictures)) / RATE, "rgb")
    window = Window(Span(0, length), frames, (1 / RATE,) * len(pictures), tracks={"shots": tuple(shots)})
    return analyser.feed(window) + analyser.finish()


def read(path: Path, settings: dict[str, Any]) -> tuple[list[Segment], float]:
    """The faces of a file as the ingest makes them, with its shots; and how long it is."""
    from cinescope.analysers import create
    from cinescope.library.analysis import Assignment, Job, analyse
    from cinescope.media import probe

    chosen = {"shots": {}, "faces": settings}
    jobs = tuple(Job(name, given, create(name, **given).source.key) for name, given in chosen.items())
    video, told, end = probe(path), [], 0.0
    for stretch in analyse(Assignment(str(path), video, (), jobs)):
        if stretch.failed:
            raise RuntimeError(f"{path.name}: {stretch.failed}")
        end = max(end, stretch.seconds)
        told += [s for part in stretch.parts for s in part.segments if s.kind == "face"]
    return told, video.duration or end
