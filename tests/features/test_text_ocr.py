from __future__ import annotations

import logging

import cv2
import numpy as np
import pytest

from cinescope.features.text import ocr
from cinescope.features.text.ocr import Region

if ocr.missing():
    pytest.skip(f"text cannot be read here: {ocr.missing()}", allow_module_level=True)


def region(x0: float, y0: float, x1: float, y1: float) -> Region:
    return Region(np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32), 0.9)


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    picture = np.full((360, 640, 3), 235, np.uint8)
    cv2.putText(picture, "Quarterly report", (60, 100), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 2, cv2.LINE_AA)
    cv2.putText(picture, "Second line 2024", (60, 260), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (160, 20, 20), 2, cv2.LINE_AA)
    return picture


def test_reads_lines_from_top_to_bottom(page: np.ndarray) -> None:
    found = ocr.shared_reader().read(page, 640)
    assert [line.text for line in found] == ["Quarterly report", "Second line 2024"]
    assert all(line.score > 0.9 for line in found)
    x0, y0, x1, y1 = found[0].box
    assert 0.05 < x0 < 0.12
    assert 0.15 < y0 < 0.24
    assert 0.5 < x1 < 0.7
    assert 0.26 < y1 < 0.36


def test_the_same_picture_gives_the_same_text_whatever_was_read_before(page: np.ndarray) -> None:
    reader = ocr.shared_reader()
    first = [(line.text, line.score, line.box) for line in reader.read(page, 640)]
    reader.read(np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8), 640)
    assert [(line.text, line.score, line.box) for line in reader.read(page, 640)] == first


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (6, 6), (31, 9), (40, 40), (8, 2000)])
def test_pictures_of_any_size_are_looked_at(shape: tuple[int, int]) -> None:
    assert ocr.shared_reader().read(np.full((*shape, 3), 128, np.uint8)) == []


def test_a_region_outside_the_picture_reads_as_nothing() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    assert ocr.shared_reader().recognise(picture, region(1.0, 1.0, 1.0, 1.0)) == ocr.Reading("", 0.0)


def test_turned_lines_are_read(page: np.ndarray) -> None:
    turn = cv2.getRotationMatrix2D((320, 180), 8, 1)
    turned = cv2.warpAffine(page, turn, (640, 360), borderValue=(235, 235, 235))
    assert [line.text for line in ocr.shared_reader().read(turned, 640)] == ["Quarterly report", "Second line 2024"]


def test_words_of_one_row_are_joined_and_columns_are_not() -> None:
    words = [region(0.1, 0.5, 0.3, 0.6), region(0.31, 0.505, 0.5, 0.6)]
    (line,) = ocr.joined(words[::-1], 16 / 9)
    assert line.box == pytest.approx((0.1, 0.5, 0.5, 0.6))
    assert len(ocr.joined([region(0.1, 0.5, 0.3, 0.6), region(0.4, 0.5, 0.6, 0.6)], 16 / 9)) == 2
    assert len(ocr.joined([region(0.1, 0.5, 0.3, 0.6), region(0.31, 0.45, 0.5, 0.7)], 16 / 9)) == 2
    assert len(ocr.joined([region(0.1, 0.5, 0.3, 0.6), region(0.1, 0.62, 0.3, 0.72)], 16 / 9)) == 2


def test_says_what_reads_and_keeps_quiet(capfd: pytest.CaptureFixture[str], page: np.ndarray) -> None:
    assert set(ocr.identity()) == {"det", "rec", "rapidocr"}
    reader = ocr.Reader()
    reader.detect(np.zeros((64, 64, 3), np.uint8), 64)
    reader.detect(page, 640)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().level == logging.WARNING
