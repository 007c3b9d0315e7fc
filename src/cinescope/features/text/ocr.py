"""Reads text in one picture by RapidOCR's bundled models. Knows nothing of time: the same picture gives the same text.

Detection and recognition are separate calls, because the second is wanted for one line at a time: a crop that is
recognised alone is padded in the same way whoever stands beside it, so that its text depends on its pixels only.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.types.errors import MissingPartError

# A box less high than this in the picture that is read holds no letters that anyone could tell apart.
SMALLEST_LINE = 6  # pixels
# A box that fills the picture is a texture: no line of text is higher than this share of it.
HIGHEST_LINE = 0.6
# Detectors round to whole pixels of a smaller picture; this much of the height is added so that no stroke is cut.
MARGIN = 0.06
# Boxes are of one row when they share this much of their height, and of one line when the gap between them is at most
# this share of it (a blank is about 0.3 of the font size, a box about 1.3 of it).
SAME_ROW, BLANK = 0.7, 0.4
# Short words come out slightly turned; beyond this slope they are not of a level row.
JOIN_SLOPE = 0.08
# Above this slope the crop is turned upright, below it is cut out as it stands (no resampling).
LEVEL_SLOPE = 0.03
# From this ratio of height to width a box holds vertical text, which the recogniser reads turned (PP-OCR's own rule).
VERTICAL = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Where the detector sees a line of text."""

    quad: np.ndarray  # (4, 2) float32: corners clockwise from the top left, shares of width and height
    score: float  # 0 to 1

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 in shares of the picture: the upright box around the corners."""
        return bounding_box(self.quad)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the recogniser sees in one crop."""

    text: str
    score: float  # 0 to 1, mean over the characters


@dataclass(frozen=True, slots=True, eq=False)
class TextLine:
    """A line of text in one picture."""

    region: Region
    text: str
    score: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        return self.region.box


def bounding_box(quad: np.ndarray) -> tuple[float, float, float, float]:
    low = np.clip(quad.min(axis=0), 0, 1)
    high = np.clip(quad.max(axis=0), 0, 1)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def models() -> dict[str, Path]:
    """The bundled model files by use, "det" and "rec"; empty where RapidOCR is not installed. Imports nothing."""
    spec = find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        return {}
    folder = Path(spec.submodule_search_locations[0]) / "models"
    found = {use: sorted(folder.glob(f"*_{use}_*.onnx")) for use in ("det", "rec")}
    return {use: paths[0] for use, paths in found.items() if paths}


def missing() -> str:
    """ "" when text can be read here, else what is missing and what to do."""
    found = models()
    if find_spec("rapidocr") is None:
        return "RapidOCR is not installed: pip install rapidocr"
    if find_spec("onnxruntime") is None:
        return "ONNX Runtime is not installed: pip install onnxruntime"
    if set(found) != {"det", "rec"}:
        return "this RapidOCR carries no models: pip install --force-reinstall rapidocr"
    return ""


def identity() -> dict[str, str]:
    """Names and version of what reads, for the record beside its output."""
    try:
        package = version("rapidocr")
    except PackageNotFoundError:
        package = ""
    return {use: path.stem for use, path in sorted(models().items())} | {"rapidocr": package}


_loaded = threading.local()


def shared_reader(threads: int = 1) -> Reader:
    """The Reader of this thread, loaded once: the engine keeps settings between calls, so threads do not share it."""
    readers: dict[int, Reader] = _loaded.__dict__.setdefault("readers", {})
    if threads not in readers:
        readers[threads] = Reader(threads)
    return readers[threads]


class Reader:
    """Detector and recogniser, loaded on construction (about 2 s, most of it imports).

    Raises MissingPartError where they cannot run. `threads` are ONNX Runtime's: on two cores a second thread costs
    twice the processor time of one for hardly less waiting, so one is the default.
    """

    def __init__(self, threads: int = 1) -> None:
        if reason := missing():
            raise MissingPartError("text on pictures cannot be read", reason)
        from rapidocr import RapidOCR

        found = models()
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Det.model_path": str(found["det"]),
                "Rec.model_path": str(found["rec"]),
                # Pictures come at the size they are to be read at; only the rounding to 32 pixels is left to it.
                "Det.limit_type": "max",
                "Det.limit_side_len": 4096,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def detect(self, picture: np.ndarray, size: int) -> list[Region]:
        """Lines in a (H, W, 3) RGB picture, looked at with its longest side scaled down to `size` pixels."""
        import cv2

        height, width = picture.shape[:2]
        if min(height, width) < SMALLEST_LINE:
            return []
        scale = min(1.0, size / max(height, width))
        target = (max(32, round(width * scale)), max(32, round(height * scale)))
        small = picture if target == (width, height) else cv2.resize(picture, target, interpolation=cv2.INTER_AREA)
        found = self._engine(np.ascontiguousarray(small[:, :, ::-1]), use_det=True, use_cls=False, use_rec=False)
        boxes = getattr(found, "boxes", None)
        if boxes is None:
            return []
        whole = np.array([target], dtype=np.float32)
        regions = [
            Region(np.asarray(quad, dtype=np.float32) / whole, float(score))
            for quad, score in zip(boxes, found.scores, strict=True)
        ]
        return joined([r for r in regions if _is_line(r.box, height)], width / height)

    def recognise(self, picture: np.ndarray, region: Region) -> Reading:
        """The text of one region of a (H, W, 3) RGB picture; an empty text where there is none."""
        crop = cut_out(picture, region)
        if crop is None:
            return Reading("", 0.0)
        result = self._engine(np.ascontiguousarray(crop[:, :, ::-1]), use_det=False, use_cls=False, use_rec=True)
        if not result.txts:
            return Reading("", 0.0)
        return Reading(" ".join(result.txts[0].split()), float(result.scores[0]))

    def read(self, picture: np.ndarray, size: int = 960) -> list[TextLine]:
        """Every line of a (H, W, 3) RGB picture that has any text, from top to bottom."""
        lines = []
        for region in self.detect(picture, size):
            reading = self.recognise(picture, region)
            if reading.text:
                lines.append(TextLine(region, reading.text, reading.score))
        return lines


def joined(regions: list[Region], aspect: float) -> list[Region]:
    """Level regions that follow each other in one row, a blank apart at most, as one: detectors cut between words.

    `aspect` is the picture's width over its height, since boxes are in shares of either.
    """
    rows: list[Region] = []
    for region in sorted(regions, key=lambda r: r.box[0]):
        x0, y0, x1, y1 = region.box
        for number, left in enumerate(rows):
            a0, b0, a1, b1 = left.box
            high, low = max(b1 - b0, y1 - y0), min(b1 - b0, y1 - y0)
            beside = min(b1, y1) - max(b0, y0) >= SAME_ROW * high and high <= low / SAME_ROW
            gap = (x0 - a1) * aspect
            if beside and -high < gap <= BLANK * low and _level(left, aspect) and _level(region, aspect):
                x0, y0, x1, y1 = min(a0, x0), min(b0, y0), max(a1, x1), max(b1, y1)
                quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], dtype=np.float32)
                rows[number] = Region(quad, min(left.score, region.score))
                break
        else:
            rows.append(region)
    return sorted(rows, key=lambda r: (r.box[1], r.box[0]))


def _level(region: Region, aspect: float) -> bool:
    across = (region.quad[1] - region.quad[0]) * np.array([aspect, 1.0], dtype=np.float32)
    return abs(float(across[1])) <= JOIN_SLOPE * max(abs(float(across[0])), 1e-6)


def _is_line(box: tuple[float, float, float, float], height: int) -> bool:
    high, wide = box[3] - box[1], box[2] - box[0]
    return high * height >= SMALLEST_LINE and wide > 0 and (high <= HIGHEST_LINE or high > 4 * wide)


def cut_out(picture: np.ndarray, region: Region) -> np.ndarray | None:
    """The region of a (H, W, 3) picture as an upright (h, w, 3) crop, None where nothing of it is inside."""
    import cv2

    height, width = picture.shape[:2]
    quad = (region.quad * np.array([[width, height]], dtype=np.float32)).astype(np.float32)
    across, down = quad[1] - quad[0], quad[3] - quad[0]
    long, high = float(np.hypot(*across)), float(np.hypot(*down))
    if long < 2 or high < 2:
        return None
    pad = MARGIN * min(long, high)
    if abs(float(across[1])) <= LEVEL_SLOPE * long:
        x0, y0 = np.maximum(np.floor(quad.min(axis=0) - pad), 0).astype(int)
        x1, y1 = np.ceil(quad.max(axis=0) + pad).astype(int)
        crop = picture[y0:y1, x0:x1]
    else:
        along, below = across / long * pad, down / high * pad
        corners = quad + np.stack([-along - below, along - below, along + below, below - along])
        size = (round(long + 2 * pad), round(high + 2 * pad))
        goal = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], dtype=np.float32)
        turn = cv2.getPerspectiveTransform(corners.astype(np.float32), goal)
        crop = cv2.warpPerspective(picture, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if min(crop.shape[:2]) < 2:
        return None
    return np.rot90(crop) if crop.shape[0] >= VERTICAL * crop.shape[1] else crop
