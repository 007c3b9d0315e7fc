"""Faces over time: portraits shown, moved and cut. The wide measurement is benchmarks/senses.py."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
from senses_feeding import feed_pictures

from cinescope.analysers.faces import RATE, Faces
from cinescope.features.faces.detector import overlap
from cinescope.types import BadQueryError, Frames, Material, Span, Video, Window

SIZE = (640, 360)


def head(data: Path, name: str, box: tuple[float, float, float, float], height: int) -> np.ndarray:
    """A head with a little around it, as RGB, whose face is so many pixels high."""
    picture = cv2.imread(str(data / "faces" / name))[..., ::-1]
    rows, columns = picture.shape[:2]
    x0, y0, x1, y1 = box[0] * columns, box[1] * rows, box[2] * columns, box[3] * rows
    wide, tall = (x1 - x0) * 0.4, (y1 - y0) * 0.4
    cut = picture[max(0, int(y0 - tall)) : int(y1 + tall), max(0, int(x0 - wide)) : int(x1 + wide)]
    scale = height / (y1 - y0)
    return cv2.resize(np.ascontiguousarray(cut), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def shown(*pasted: tuple[np.ndarray, int, int]) -> np.ndarray:
    """(360, 640, 3): heads at (x, y) before a grey slope."""
    picture = np.repeat(np.linspace(60, 160, SIZE[0]).astype(np.uint8)[None, :, None], SIZE[1], axis=0)
    picture = np.repeat(picture, 3, axis=2)
    for cut, x, y in pasted:
        picture[y : y + cut.shape[0], x : x + cut.shape[1]] = cut
    return picture


@pytest.fixture(scope="module")
def heads(data_folder: Path) -> list[np.ndarray]:
    return [
        head(data_folder, "obama_small.jpg", (0.33, 0.17, 0.69, 0.76), 90),
        head(data_folder, "lin-manuel-miranda.png", (0.36, 0.2, 0.78, 0.8), 60),
    ]


@pytest.fixture(scope="module")
def data_folder(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue("data")
    return found


def test_a_face_that_moves_is_one_segment_with_its_boxes(heads: list[np.ndarray]) -> None:
    pictures = np.stack([shown((heads[0], 100 + 12 * n, 80)) for n in range(12)])
    (face,) = feed_pictures(Faces(), pictures, RATE)
    assert (face.kind, face.span, face.who) == ("face", Span(0.0, 6.0), "")
    assert face.score is not None
    assert face.score > 0.9
    times = [b[0] for b in face.data["boxes"]]
    assert (times[0], times[-1]) == (0.0, 5.5)
    middles = [(b[1] + b[3]) / 2 for b in face.data["boxes"]]
    assert middles[-1] - middles[0] == pytest.approx(11 * 12 / 640, abs=0.02)
    assert face.data["seen"] == 12
    assert face.data["frontal"] == 1.0
    assert face.data["size"] == pytest.approx(90 / 360, abs=0.07)


def test_faces_at_once_are_segments_at_once(heads: list[np.ndarray]) -> None:
    alone, both = shown((heads[0], 60, 80)), shown((heads[0], 60, 80), (heads[1], 400, 120))
    made = feed_pictures(Faces(), np.stack([alone] * 6 + [both] * 8), RATE)
    count = [sum(s.span.contains(t) for s in made) for t in (1.0, 2.4, 3.2, 6.0)]
    assert count == [1, 1, 2, 2]
    assert [s.span for s in made] == [Span(0.0, 7.0), Span(3.0, 7.0)]


def test_a_cut_ends_a_face_at_its_time_and_the_next_begins_there(heads: list[np.ndarray]) -> None:
    pictures = np.stack([shown((heads[0], 100, 80))] * 5 + [shown((heads[0], 110, 85))] * 5)
    made = feed_pictures(Faces(), pictures, RATE, shots=(2.3,))
    assert [s.span for s in made] == [Span(0.0, 2.3), Span(2.3, 5.0)]


def test_a_face_that_goes_ends_there(heads: list[np.ndarray]) -> None:
    pictures = np.stack([shown((heads[0], 100, 80))] * 4 + [shown()] * 8)
    assert [s.span for s in feed_pictures(Faces(), pictures, RATE)] == [Span(0.0, 2.0)]


def test_a_face_that_comes_between_two_searches_is_dated_back(heads: list[np.ndarray]) -> None:
    pictures = [shown()] * 5 + [shown((heads[0], 100 + 2 * n, 80)) for n in range(7)]
    moving = np.stack(pictures)
    for n, picture in enumerate(moving):  # what stands is not searched
        picture[300:, 40 * n : 40 * n + 60] = 255
    assert [s.span for s in feed_pictures(Faces(), moving, RATE)] == [Span(2.5, 6.0)]


def test_a_face_that_went_before_another_is_told_after_it_when_it_came_later(heads: list[np.ndarray]) -> None:
    alone, both = shown((heads[0], 60, 80)), shown((heads[0], 60, 80), (heads[1], 400, 120))
    made = feed_pictures(Faces(), np.stack([alone] * 4 + [both] * 4 + [alone] * 8), RATE)
    assert [s.span for s in made] == [Span(0.0, 8.0), Span(2.0, 4.0)]


def test_the_sharpest_picture_is_kept_as_jpeg(heads: list[np.ndarray]) -> None:
    pictures = []
    for n in range(8):
        cut = heads[0] if n == 5 else cv2.GaussianBlur(heads[0], (0, 0), 2.5)
        pictures.append(shown((cut, 100 + 8 * n, 80)))
    (face,) = feed_pictures(Faces(), np.stack(pictures), RATE)
    assert face.data["sharpest"] == 2.5
    at = next(tuple(b[1:]) for b in face.data["boxes"] if b[0] == 2.5)
    assert face.box is not None
    assert overlap(face.box, at) > 0.95  # type: ignore[arg-type]
    kept = cv2.imdecode(np.frombuffer(base64.b64decode(face.data["picture"]), np.uint8), cv2.IMREAD_COLOR)
    assert max(kept.shape[:2]) == 96
    assert len(face.data["picture"]) < 12_000


def test_a_slide_with_a_face_that_stands_is_one_segment(heads: list[np.ndarray]) -> None:
    (face,) = feed_pictures(Faces(), np.stack([shown((heads[1], 300, 100))] * 40), RATE)
    assert face.span == Span(0.0, 20.0)


def test_patterns_without_faces_make_none() -> None:
    rng = np.random.default_rng(4)
    coarse = rng.integers(0, 256, (8, 9, 16, 3)).astype(np.uint8)
    pictures = np.stack([cv2.resize(c, SIZE, interpolation=cv2.INTER_CUBIC) for c in coarse])
    assert feed_pictures(Faces(), pictures, RATE) == []


def test_it_goes_on_from_its_state_at_any_window(heads: list[np.ndarray]) -> None:
    pictures = [shown((heads[0], 60 + 5 * n, 80), (heads[1], 400 - 3 * n, 60 + 6 * n)) for n in range(9)]
    pictures += [shown((heads[1], 300, 100 + n)) for n in range(5)]
    stacked, times = np.stack(pictures), np.arange(14) / RATE
    material = Material(Video("test", 7.0, ()))

    def told(restart: bool) -> list[object]:
        analyser = Faces()
        analyser.begin(material)
        made: list[object] = []
        for start in range(14):
            frames = Frames(stacked[start : start + 1], times[start : start + 1], "rgb")
            made += analyser.feed(Window(Span(start / 2, start / 2 + 0.5), frames, (0.5,)))
            if restart:
                state = analyser.state()
                analyser = Faces()
                analyser.begin(material)
                analyser.restore(state)
        return made + analyser.finish()

    whole = told(False)
    assert len(whole) >= 2
    assert told(True) == whole


@pytest.mark.parametrize("shape", [(1, 1), (2, 640), (360, 1)])
def test_tiny_pictures_and_changes_of_size_are_no_error(shape: tuple[int, int], heads: list[np.ndarray]) -> None:
    analyser = Faces()
    analyser.begin(Material(Video("test", 4.0, ())))
    made = []
    for n, picture in enumerate([shown((heads[0], 100, 80)), np.zeros((*shape, 3), np.uint8)] * 2):
        made += analyser.feed(Window(Span(n, n + 1), Frames(picture[None], np.array([float(n)]), "rgb"), (1.0,)))
    made += analyser.finish()
    assert all(s.kind == "face" for s in made)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadQueryError, match="no face detector"):
        Faces(detector="nobody")
    with pytest.raises(ValueError, match="likely from 0 to 1"):
        Faces(likely=2)
    assert Faces().source.key != Faces(likely=0.9).source.key
