"""Face detectors and following, on drawn boxes and shared portraits. The wide measurement is benchmarks/senses.py."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cinescope.features.faces import CATALOGUE, create
from cinescope.features.faces.detector import Found, clipped, distinct, overlap
from cinescope.features.faces.following import KEPT, FaceTrack, same_face
from cinescope.types import BadQueryError


def portrait(data: Path, name: str, longest: int = 640) -> np.ndarray:
    """A portrait as RGB, at most so large."""
    picture = cv2.imread(str(data / "faces" / name))
    scale = min(1.0, longest / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[..., ::-1])


def shares(box: tuple[float, ...], picture: np.ndarray) -> tuple[float, float, float, float]:
    height, width = picture.shape[:2]
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (1, 1, 2, 2)) == 0
    assert clipped((-5, 3, 20, 30), 10, 12) == (0, 3, 10, 12)


def test_of_two_that_mean_one_face_the_surer_stays() -> None:
    weak, strong, other = Found((0, 0, 10, 10), 0.4), Found((1, 1, 11, 11), 0.9), Found((30, 0, 40, 10), 0.2)
    inner = Found((4, 4, 8, 8), 0.8)  # a mouth and nose taken for a face
    assert distinct([weak, other, inner, strong]) == [strong, other]


@pytest.mark.parametrize("name", sorted(CATALOGUE))
@pytest.mark.parametrize("shape", [(1, 1), (1, 640), (19, 19), (360, 3), (90, 160)])
def test_pictures_of_any_size_and_flat_ones_hold_no_face(name: str, shape: tuple[int, int]) -> None:
    detector = create(name)
    picture = np.full((*shape, 3), 90, np.uint8)
    assert detector.find(picture) == []
    assert detector.look(picture, (0.0, 0.0, float(shape[1]), float(shape[0]))) is None
    assert detector.look(picture, (0.0, 0.0, 0.0, 0.0)) is None


def test_an_unknown_detector_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadQueryError, match="there is no face detector 'eyes'"):
        create("eyes")


def test_two_people_are_two_faces_in_their_places(data: Path) -> None:
    picture = portrait(data, "two_people.jpg")
    found = [f for f in create("haar").find(picture) if f.score > 0.5]
    boxes = sorted(shares(f.box, picture) for f in found)
    assert len(boxes) == 2
    for box, true in zip(boxes, [(0.22, 0.035, 0.355, 0.32), (0.70, 0.075, 0.845, 0.37)], strict=True):
        assert overlap(box, true) > 0.5


def test_a_tilted_face_is_found_and_one_upside_down_is_not(data: Path) -> None:
    picture = portrait(data, "obama_small.jpg", 320)
    height, width = picture.shape[:2]
    turned = cv2.warpAffine(picture, cv2.getRotationMatrix2D((width / 2, height / 2), 20, 0.8), (width, height))
    detector = create("haar")
    assert [f.score > 0.9 for f in detector.find(turned)][:1] == [True]
    assert all(f.score < 0.5 for f in detector.find(np.ascontiguousarray(picture[::-1])))


def test_a_face_is_found_again_near_where_it_was_and_not_elsewhere(data: Path) -> None:
    picture = portrait(data, "obama-480p.jpg")
    detector = create("haar")
    (face,) = (f for f in detector.find(picture) if f.score > 0.5)
    side = face.box[2] - face.box[0]
    near = tuple(v + 0.25 * side for v in face.box)
    again = detector.look(picture, near)  # type: ignore[arg-type]
    assert again is not None
    assert again.frontal
    assert overlap(again.box, face.box) > 0.7
    assert detector.look(picture, (0.0, 0.0, side, side)) is None


def test_the_same_picture_gives_the_same_faces(data: Path) -> None:
    picture = portrait(data, "two_people.jpg")
    first = create("haar").find(picture)
    assert all(create("haar").find(picture) == first for _ in range(3))


def seen(track: FaceTrack, count: int, score: float = 0.9) -> FaceTrack:
    for n in range(count):
        x = n / (4 * count)
        track.see(n / 2, n / 2 + 0.5, Found((x, 0.2, x + 0.1, 0.4), score))
    return track


def test_boxes_of_a_long_track_are_thinned_with_both_ends_kept() -> None:
    track = seen(FaceTrack(0.0, 0.0, (0, 0, 0, 0)), 1000)
    known = track.known()
    assert len(known) <= KEPT + 1
    assert (known[0][0], known[-1][0]) == (0.0, 499.5)
    assert known == sorted(known)
    steps = np.diff([k[0] for k in known[:-1]])
    assert set(steps.tolist()) == {steps[0]}
    assert (track.seen, track.end) == (1000, 500.0)


def test_one_picture_alone_is_believed_less_than_two() -> None:
    one, two = (seen(FaceTrack(0.0, 0.0, (0, 0, 0, 0)), n) for n in (1, 2))
    assert two.score == pytest.approx(0.9, abs=1e-6)
    assert one.score < 0.6


def test_a_track_goes_on_from_its_state() -> None:
    whole, half = (FaceTrack(0.0, 0.0, (0, 0, 0, 0)) for _ in range(2))
    seen(whole, 300)
    seen(half, 300)
    half = FaceTrack.from_state(half.state())
    for track in (whole, half):
        track.see(150.0, 150.5, Found((0.1, 0.1, 0.2, 0.3), 0.2, frontal=False))
    assert whole.state() | {"picture": None} == half.state() | {"picture": None}


def test_a_face_moves_but_does_not_jump_or_change_its_size() -> None:
    box = (0.4, 0.4, 0.5, 0.6)
    assert same_face(box, (0.47, 0.42, 0.57, 0.62))
    assert not same_face(box, (0.6, 0.4, 0.7, 0.6))
    assert not same_face(box, (0.47, 0.45, 0.50, 0.50))
