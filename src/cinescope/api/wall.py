"""One picture of a whole video, to pin on a wall: pictures, colours, loudness, words and all else by time.

Composes wall_rows, wall_words and wall_text; takes what the library knows, and pictures from the file where it is here.
"""

from __future__ import annotations

import base64
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cinescope.api import wall_rows, wall_words
from cinescope.api.wall_rows import BACK, EDGE, FAINT, FAULT, INK, LABEL, NOTE, Canvas
from cinescope.api.wall_text import Letters
from cinescope.library import glance
from cinescope.types import BadQueryError, MediaError, Segment, Span, Timeline, format_time

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.library.catalog import VideoSummary

WIDTH = 1600  # pixels
NARROWEST, WIDEST = 800, 8000
_PICTURE = 112.0  # pixels, about the height of a picture at scale 1
_FACES = 14  # at most
_FEW = 12  # stored key frames below which the file itself is asked for pictures
_TALLEST = 2600.0  # pixels at scale 1: a full head, five rows of pictures and every row below them need about 2,000
_LONG = 1200.0  # seconds from which a video gets more rows of pictures


@dataclass(frozen=True, slots=True)
class Wall:
    path: Path
    width: int  # pixels
    height: int
    remarks: tuple[str, ...]  # what could not be drawn, one sentence each


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture with the time at which it is shown, in seconds."""

    time: float
    array: np.ndarray  # (H, W, 3) uint8


def wall(lib: Library, ref: str, out: str | os.PathLike[str], width: int = WIDTH) -> Wall:
    """Draw one video of a library into a .png or .jpg that is `width` pixels wide and as high as it needs.

    Raises LibraryError for a video that is not there, BadQueryError for a width or a name that cannot be, MediaError
    where the picture cannot be written. What is missing (a file that is away, letters without a font) is a remark.
    """
    from cinescope import media
    from cinescope.media.writing import check_target

    target = Path(os.fspath(out))
    if target.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise BadQueryError(f"a picture is a .png or .jpg, not '{target.suffix or target.name}'", "give such a name")
    if not NARROWEST <= width <= WIDEST:
        raise BadQueryError(f"a picture cannot be {width} pixels wide", f"give {NARROWEST} to {WIDEST}")
    check_target(target)
    summary = lib.video(ref)
    timeline = lib.timeline(summary.id)
    pictures, faces, remarks = _look(lib, summary, timeline, width)
    array, missing = draw(summary, timeline, pictures, faces, width)
    if missing:
        letters = "".join(sorted(missing)[:12]) + ("…" if len(missing) > 12 else "")
        remarks.append(f"no font here has the letters {letters}: install one that does (such as Noto Sans CJK)")
    media.save_picture(array, target, 92)
    return Wall(target, array.shape[1], array.shape[0], tuple(remarks))


# --- pictures


def _look(
    lib: Library, summary: VideoSummary, timeline: Timeline, width: int
) -> tuple[list[Shown], list[Shown], list[str]]:
    """Pictures for the film strip, sharpest faces, and what was in the way."""
    from cinescope import media

    stream = timeline.video.first("video")
    if stream is None:
        return [], [], []
    stored = _stored(lib, summary.id)
    aspect = (stream.width or 16) / (stream.height or 9)
    count = _columns(width, aspect) * _rows(summary.duration or 0.0)
    times = _even(stored, count)
    found_faces = _best_faces(glance.segments_of(timeline, "face"))
    path = Path(summary.path) if summary.state == "here" else None
    faces = [Shown(s.span.start, _picture(_face(s))) for s in found_faces]
    remarks: list[str] = []
    try:
        if path is not None and len(stored) < min(_FEW, count):
            with media.VideoReader(path) as reader:
                return _decoded(reader, stream, timeline, count), faces, remarks
    except MediaError as error:
        remarks.append(f"only stored key frames are shown: {error.what}")
    if path is None:
        remarks.append("the file is away, so only stored key frames are shown")
    pictures = [Shown(t, _picture(jpeg)) for t in times if (jpeg := _jpeg(lib, summary.id, t)) is not None]
    return pictures, faces, remarks


def _stored(lib: Library, video_id: str) -> list[float]:
    from cinescope.library import catalog

    return catalog.thumbnail_times(lib.store, video_id)


def _jpeg(lib: Library, video_id: str, time: float) -> bytes | None:
    from cinescope.library import catalog

    return catalog.thumbnail(lib.store, video_id, time)


def _picture(jpeg: bytes) -> np.ndarray:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def _even(times: Sequence[float], count: int) -> list[float]:
    """So many of the times, evenly by their number, the first and the last among them."""
    if len(times) <= count:
        return list(times)
    return [times[round(k * (len(times) - 1) / max(1, count - 1))] for k in range(count)]


def _decoded(reader: Any, stream: Any, timeline: Timeline, count: int) -> list[Shown]:
    """At the middles of equal parts of the stretch in which there are pictures, at most eight a second."""
    start = stream.start or 0.0
    length = stream.duration or max(0.0, glance.whole(timeline).end - start)
    count = max(1, min(count, math.ceil(length * 8), stream.frame_count or count))
    times = [start + length * (k + 0.5) / count for k in range(count)]
    frames = reader.at(times, size=320)
    return [Shown(time, array) for time, array in zip(times, frames.data, strict=True)]


def _best_faces(segments: Sequence[Segment]) -> list[Segment]:
    """The largest, surest and longest of those with a picture, by time."""
    shown = [s for s in segments if s.data.get("picture")]

    def worth(segment: Segment) -> float:
        x0, y0, x1, y1 = segment.box or (0, 0, 0, 0)
        return (segment.score or 1.0) * math.sqrt((x1 - x0) * (y1 - y0)) * math.sqrt(1 + segment.span.duration)

    return sorted(sorted(shown, key=worth, reverse=True)[:_FACES], key=lambda s: s.span.start)


def _face(segment: Segment) -> bytes:
    """The JPEG of a face where it is sharpest."""
    return base64.b64decode(segment.data["picture"])


# --- drawing


def _columns(width: int, aspect: float) -> int:
    scale = width / WIDTH
    return max(3, min(20, round((width - 2 * 40 * scale) / (_PICTURE * scale * aspect))))


def _rows(duration: float) -> int:
    return 2 if duration < 30 else 3 if duration < _LONG else 5


def draw(
    summary: VideoSummary, timeline: Timeline, pictures: Sequence[Shown], faces: Sequence[Shown], width: int
) -> tuple[np.ndarray, set[str]]:
    """(H, width, 3) uint8, and the letters that no font here can draw."""
    from PIL import Image, ImageDraw

    # First on a sheet that is surely high enough, then cut: how much room words need is known when they are placed.
    s = width / WIDTH
    sheet = Image.new("RGB", (width, round(_TALLEST * s)), BACK)
    pen = ImageDraw.Draw(sheet)
    letters = Letters(pen)
    margin = 40 * s
    # What reaches beyond the end (a subtitle may) is cut there.
    within = Span(0.0, timeline.video.duration or glance.whole(timeline).end)
    y = _head(letters, summary, timeline, margin, width, s)
    if pictures:
        y = _film(sheet, pen, letters, pictures, margin, y, width, s)
    c = Canvas(sheet, pen, letters, within, margin + LABEL * s, width - margin, s)
    if within.duration > 0:
        y = _timeline(c, timeline, faces, y)
    y = _foot(letters, timeline, margin, y, width, s)
    return np.asarray(sheet.crop((0, 0, width, min(sheet.height, math.ceil(y))))), letters.missing


def _head(letters: Letters, summary: VideoSummary, timeline: Timeline, margin: float, width: int, s: float) -> float:
    title = " ".join(summary.title.split()) or os.path.splitext(summary.name)[0]
    room = width - 2 * margin
    y = 34 * s
    for line in letters.wrap(title, 38 * s, room, 2):
        letters.write(margin, y, line, 38 * s, INK)
        y += 48 * s
    letters.write(margin, y + 2 * s, letters.fit(_facts(summary, timeline), 16 * s, room), 16 * s, FAINT)
    y += 30 * s
    labels = [f"#{t}" for t in summary.tags] + [f"[{c}]" for c in summary.collections]
    about = [" ".join(n.text.split()) for n in timeline.notes if n.kind == "note" and n.span is None]
    for line in [*(["   ".join(labels)] if labels else []), *about[:3]]:
        letters.write(margin, y, letters.fit(line, 16 * s, room), 16 * s, NOTE)
        y += 26 * s
    return y + 14 * s


def _facts(summary: VideoSummary, timeline: Timeline) -> str:
    video = timeline.video
    parts = [format_time(summary.duration) if summary.duration is not None else "length unknown"]
    stream, sound = video.first("video"), video.first("audio")
    if stream is not None and stream.width:
        parts.append(f"{stream.width} x {stream.height}")
        if stream.frame_rate and not stream.still:
            parts.append(f"{stream.frame_rate:.3f}".rstrip("0").rstrip(".") + " fps")
        parts.append(stream.codec)
    if sound is None:
        parts.append("no sound")
    elif stream is None:
        parts.append(f"{sound.codec}, {sound.sample_rate} Hz")
    parts += [glance.programme(timeline), summary.recorded[:10]]
    if summary.title and summary.title != summary.name:
        parts.append(summary.name)
    return "   ·   ".join(p for p in parts if p)


def _film(
    sheet: Any, pen: Any, letters: Letters, pictures: Sequence[Shown], margin: float, y: float, width: int, s: float
) -> float:
    """Rows of pictures in the order of time, each with its time."""
    from PIL import Image

    high, wide = pictures[0].array.shape[:2]
    columns = min(_columns(width, wide / high), max(3, len(pictures)))
    # Two rows of few pictures look better than one and a half.
    rows = math.ceil(len(pictures) / columns)
    columns = math.ceil(len(pictures) / rows) if rows > 1 else columns
    gap = 8 * s
    across = (width - 2 * margin - (columns - 1) * gap) / columns
    tall = min(across * high / wide, 300 * s)
    across = tall * wide / high
    for number, shown in enumerate(pictures):
        x = margin + number % columns * (across + gap)
        top = y + number // columns * (tall + 26 * s)
        size = (max(1, round(across)), max(1, round(tall)))
        image = Image.fromarray(np.ascontiguousarray(shown.array)).resize(size, Image.Resampling.LANCZOS)
        sheet.paste(image, (round(x), round(top)))
        pen.rectangle((round(x) - 1, round(top) - 1, round(x) + size[0], round(top) + size[1]), outline=EDGE)
        decimals = 1 if pictures[-1].time < 30 else 0
        letters.write(x, top + tall + 3 * s, format_time(shown.time, decimals), 12 * s, FAINT)
    return y + rows * (tall + 26 * s) + 18 * s


def _timeline(c: Canvas, timeline: Timeline, faces: Sequence[Shown], y: float) -> float:
    s = c.scale
    rows = wall_rows.rows(timeline, s, c.right - c.left, c.within)
    words = wall_words.lanes(c, timeline)
    gap = 13 * s
    start = y + 28 * s
    bottom = start + sum(r.height + gap for r in rows) + sum(wall_words.height(w, s) + gap for w in words)
    bottom += 84 * s if faces else 0
    wall_rows.ruler(c, y, bottom - gap / 2)
    y = start
    for row in rows:
        row.draw(c, y)
        y += row.height + gap
    if faces:
        y = _people(c, faces, y)
    for lane in words:
        wall_words.draw(c, y, lane)
        y += wall_words.height(lane, s) + gap
    return y


def _people(c: Canvas, faces: Sequence[Shown], y: float) -> float:
    """Faces under the time at which each comes, pushed to the right where two come at once."""
    from PIL import Image

    s = c.scale
    side, gap = round(70 * s), 6 * s
    c.label(y + 2 * s, "who")
    room = c.right - c.left
    fitting = list(faces)[: max(1, int((room + gap) // (side + gap)))]
    at = [c.x(f.time) for f in fitting]
    for k in range(1, len(at)):
        at[k] = max(at[k], at[k - 1] + side + gap)
    for k in reversed(range(len(at))):
        at[k] = min(at[k], c.right - side - (len(at) - 1 - k) * (side + gap))
    for x, face in zip(at, fitting, strict=True):
        image = Image.fromarray(face.array)
        edge = min(image.size)
        left, top = (image.width - edge) // 2, (image.height - edge) // 2
        square = image.crop((left, top, left + edge, top + edge)).resize((side, side), Image.Resampling.LANCZOS)
        c.sheet.paste(square, (round(x), round(y)))
        c.pen.rectangle((round(x), round(y), round(x) + side - 1, round(y) + side - 1), outline=EDGE)
    return y + side + 14 * s


def _foot(letters: Letters, timeline: Timeline, margin: float, y: float, width: int, s: float) -> float:
    """What the rows cannot say: colours by name, faults with their times."""
    y += 6 * s
    room = width - 2 * margin
    within = glance.whole(timeline)
    named = glance.colour_names(glance.segments_of(timeline, "picture"), within)
    lines = []
    if named:
        lines.append(("colours: " + ", ".join(f"{name} {share:.0%}" for name, share in named), FAINT))
    faults = glance.faults(glance.segments_of(timeline, "quality"))
    if faults:
        more = f" and {len(faults) - 8} more" if len(faults) > 8 else ""
        lines.append(("faults: " + ", ".join(faults[:8]) + more, FAULT))
    if not glance.segments_of(timeline, "speech") and not glance.segments_of(timeline, "screen"):
        lines.append(("no words were found", FAINT))
    x = margin
    sounds = wall_rows.sound_colours(timeline)
    for name, colour in sounds:
        letters.pen.rectangle((x, y + 3 * s, x + 11 * s, y + 14 * s), fill=colour)
        x += 18 * s + letters.write(x + 18 * s, y, name, 14 * s, FAINT) + 22 * s
    y += 24 * s if sounds else 0
    for text, colour in lines:
        for line in letters.wrap(text, 14 * s, room, 2):
            letters.write(margin, y, line, 14 * s, colour)
            y += 22 * s
    return y + 26 * s
