"""One picture of many: a contact sheet with times. Knows nothing about decoding or which pictures are worth it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.api.extract import (
    Choice,
    Extract,
    Look,
    Taken,
    Tell,
    chosen,
    prepare,
    record,
    said,
    seen,
    shown,
    write_json,
)  # fmt: skip
from cinescope.types import BadQueryError, MediaError, Video, format_time

CELL = 320  # pixels, the longest side of a picture on the sheet where --size does not say otherwise
PICTURES = 24  # on a sheet for which nothing was chosen
MOST_CELLS = 600  # at 320 pixels a JPEG of some 100 megapixels, about what viewers still open

_BACK, _INK, _FAINT, _EDGE = (20, 22, 26), (236, 238, 241), (142, 148, 158), (46, 50, 58)
_MARGIN, _GAP, _LABEL = 28, 14, 26  # pixels


@dataclass(frozen=True, slots=True)
class Cell:
    array: np.ndarray  # (H, W, 1 or 3) uint8
    label: str
    note: str = ""  # fainter, at the right


def contact_sheet(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    choice: Choice | None = None,
    look: Look | None = None,
    quality: int = 90,
    stream: int | None = None,
    force: bool = False,
    tell: Tell = lambda done, total: None,
) -> Extract:
    """Write one picture of many to `out` (a .jpg or .png), and beside it a .json with each one's time and place.

    Without a choice, some 24 pictures at even distances. Raises MediaError and BadQueryError in one sentence.
    """
    from cinescope import media

    target = Path(os.fspath(out))
    if target.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise BadQueryError(f"a contact sheet is a .jpg or .png, not '{target.suffix}'", "give such a name")
    look = look or Look()
    with media.VideoReader(path, stream) as reader:
        video = media.probe(path)
        sidecar = prepare(target.parent, target.with_suffix(".json"), path, force)
        choice = choice or Choice(at=_even(path, video))
        fitted = look if look.size is not None else replace(look, size=CELL)
        cells: list[Cell] = []
        taken: list[Taken] = []
        for picture, about in chosen(reader, path, video, choice, tell):
            if len(cells) == MOST_CELLS:
                raise BadQueryError(f"these are more than {MOST_CELLS} pictures, too many for a sheet", "take fewer")
            cells.append(_cell(seen(picture, fitted), about))
            taken.append(about)
        if not cells:
            raise MediaError(f"'{shown(path)}' has no picture there", "ask for other times")
        array, boxes = draw(cells, shown(Path(os.fspath(path)).name), _line(video, reader.stream))
        media.save_picture(array, target, quality)
        made = Extract(sidecar, warnings=[*video.warnings, *reader.warnings])
        made.pictures = [replace(t, file=target.name, box=b) for t, b in zip(taken, boxes, strict=True)]
        settings = {"choice": said(choice), "look": said(fitted), "sheet": target.name}
        made.record = record(path, reader.stream.index, settings, made, True)
        write_json(sidecar, made.record)
        return made


def draw(cells: Sequence[Cell], title: str, line: str) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """A sheet of cells in rows, and where each picture stands on it: x, y, width, height in pixels."""
    from PIL import Image, ImageDraw

    wide = max(cell.array.shape[1] for cell in cells)
    tall = max(cell.array.shape[0] for cell in cells)
    scale = min(2.0, max(0.85, wide / CELL))  # letters keep their proportion to the pictures
    margin, gap, label = (round(v * scale) for v in (_MARGIN, _GAP, _LABEL))
    columns = _columns(len(cells), (wide + gap) / (tall + label + gap))
    rows = math.ceil(len(cells) / columns)
    big, small = _font(24 * scale), _font(15 * scale)
    head = round(76 * scale)
    width = 2 * margin + columns * wide + (columns - 1) * gap
    height = head + margin + rows * (tall + label) + (rows - 1) * gap + margin // 2
    sheet = Image.new("RGB", (width, height), _BACK)
    pen = ImageDraw.Draw(sheet)
    room = width - 2 * margin
    pen.text((margin, round(22 * scale)), _fit(pen, title, big, room), font=big, fill=_INK)
    pen.text((margin, round(56 * scale)), _fit(pen, line, small, room), font=small, fill=_FAINT)
    boxes = []
    for number, cell in enumerate(cells):
        high, across = cell.array.shape[:2]
        x = margin + number % columns * (wide + gap) + (wide - across) // 2
        top = head + margin // 2 + number // columns * (tall + label + gap)
        y = top + (tall - high) // 2
        colour = cell.array if cell.array.shape[2] == 3 else np.repeat(cell.array, 3, axis=2)
        sheet.paste(Image.fromarray(np.ascontiguousarray(colour)), (x, y))
        pen.rectangle((x - 1, y - 1, x + across, y + high), outline=_EDGE)
        left = margin + number % columns * (wide + gap)
        under = top + tall + round(5 * scale)
        pen.text((left, under), cell.label, font=small, fill=_INK)
        if cell.note:
            pen.text((left + wide - pen.textlength(cell.note, font=small), under), cell.note, font=small, fill=_FAINT)
        boxes.append((x, y, across, high))
    return np.asarray(sheet), boxes


def _columns(count: int, aspect: float) -> int:
    """So many that the sheet comes nearest to 3:2 with the least room left empty in the last row."""

    def badness(columns: int) -> float:
        rows = math.ceil(count / columns)
        return abs(math.log(columns * aspect / rows / 1.5)) + 1.5 * (rows * columns - count) / (rows * columns)

    return min(range(1, min(count, 40) + 1), key=badness)


def _cell(array: np.ndarray, about: Taken) -> Cell:
    time = format_time(about.time, 2)
    if about.shot is not None:
        start, end = (format_time(about.shot[name], 1) for name in ("start", "end"))
        return Cell(array, f"{about.shot['number']}   {start} – {end}", f"at {time}")
    return Cell(array, time, "" if about.index is None else f"#{about.index}")


def _even(path: str | os.PathLike[str], video: Video) -> tuple[float, ...]:
    """The middles of equal parts of the stretch in which there are pictures."""
    from cinescope import media

    stream = video.first("video")
    start = (stream.start if stream is not None else None) or 0.0
    if stream is not None and stream.duration:
        end = start + stream.duration
    else:
        end = video.duration if video.duration is not None else media.measure_duration(path)
    count = PICTURES if end > start else 1
    if stream is not None and stream.frame_count:
        count = min(count, stream.frame_count)
    return tuple(start + (end - start) * (k + 0.5) / count for k in range(count))


def _line(video: Video, stream: Any) -> str:
    parts = [format_time(video.duration, 0) if video.duration is not None else "", f"{stream.width} x {stream.height}"]
    parts += [f"{stream.frame_rate:.3f}".rstrip("0").rstrip(".") + " fps" if stream.frame_rate else "", stream.codec]
    return "   ·   ".join(part for part in (*parts, video.recorded[:10], video.title) if part)


def _font(size: float) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)  # Aileron, which Pillow carries


def _fit(pen: Any, text: str, font: Any, room: float) -> str:
    """At most as long as there is room for; long names lose their middle."""
    if pen.textlength(text, font=font) <= room:
        return text
    keep = len(text)
    while keep > 2 and pen.textlength(f"{text[: keep // 2]}…{text[-(keep // 2) :]}", font=font) > room:
        keep -= 1
    return f"{text[: keep // 2]}…{text[-(keep // 2) :]}"
