"""Pictures of one video as files, with their times beside them. Knows nothing of libraries and terminals."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.types import BadQueryError, MediaError, Segment, Video, Window, format_time

FORMATS = ("jpg", "png")
EDGES = ("sobel", "canny")
MOST = 1_000_000  # pictures in one run; more is a slip of the keyboard (--every 0.0001)

Tell = Callable[[float, float | None], object]  # seconds of the video done, of how many; what it raises stops the run


@dataclass(frozen=True, slots=True)
class Choice:
    """Which pictures: exactly one of the first five. `start` and `end` (seconds) narrow all but `at` and `index`."""

    every: float | None = None  # seconds: the pictures shown at its multiples, and the first one
    at: tuple[float, ...] = ()
    index: tuple[int, ...] = ()  # from 0, in presentation order
    key_frames: bool = False
    shots: bool = False  # the key picture of each shot
    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        made = [self.every is not None, bool(self.at), bool(self.index), self.key_frames, self.shots]
        if sum(made) != 1:
            raise BadQueryError(
                "say in one way which pictures you want", "--every 2, --at 1:05, --index 120, --key-frames or --shots"
            )
        if self.every is not None and not 0 < self.every < float("inf"):
            raise BadQueryError(f"'every {self.every:g} seconds' means nothing", "give a number above 0")
        if any(i < 0 for i in self.index):
            raise BadQueryError(f"there is no picture number {min(self.index)}", "count from 0")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise BadQueryError(
                f"nothing lies between {self.start:g} and {self.end:g} s", "give an end after the start"
            )


@dataclass(frozen=True, slots=True)
class Look:
    """What is done to each picture, in this order: crop, size, equalise, blur, grey, edges."""

    crop: tuple[int, int, int, int] | None = None  # width, height, x, y in pixels of the picture as shown
    size: int | tuple[int, int] | None = None  # the longest side at most, or exactly (width, height)
    equalise: bool = False
    blur: float | None = None  # sigma of a Gaussian, in pixels
    grey: bool = False
    edges: str | None = None  # "sobel" or "canny"

    def __post_init__(self) -> None:
        if self.edges is not None and self.edges not in EDGES:
            raise BadQueryError(f"there is no edge filter '{self.edges}'", f"use {' or '.join(EDGES)}")
        if self.blur is not None and not 0 < self.blur < float("inf"):
            raise BadQueryError(f"a blur of {self.blur:g} pixels means nothing", "give a number above 0")


@dataclass(frozen=True, slots=True)
class Taken:
    """One picture as it stands in frames.json."""

    file: str
    time: float  # seconds, the picture's own presentation time
    duration: float  # seconds it is shown
    key: bool
    index: int | None = None  # where it is known: with `every` from the beginning, `index`
    asked: float | None = None  # the time that was asked for
    shot: dict[str, Any] | None = None  # number, start, end, cut
    box: tuple[int, int, int, int] | None = None  # x, y, width, height on the contact sheet


@dataclass(slots=True)
class Extract:
    """What was written. `sidecar` is the JSON file; `warnings` is what was odd about the video."""

    sidecar: Path
    pictures: list[Taken] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)  # what the sidecar holds


def frames(
    path: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    choice: Choice,
    look: Look | None = None,
    format: str = "jpg",
    quality: int = 90,
    stream: int | None = None,
    force: bool = False,
    tell: Tell = lambda done, total: None,
) -> Extract:
    """Write pictures of `path` into `folder`, and frames.json with each one's time, duration and key flag.

    A picture asked for twice is written once and listed twice. Files are whole whatever stops the run, and
    frames.json lists what is there. Raises MediaError and BadQueryError in one sentence.
    """
    look = look or Look()
    if format not in FORMATS:
        raise BadQueryError(f"there is no picture format '{format}' here", f"use {' or '.join(FORMATS)}")
    if not 1 <= quality <= 100:
        raise BadQueryError(f"quality {quality} is not between 1 and 100")
    from cinescope import media

    with media.VideoReader(path, stream) as reader:
        video = media.probe(path)
        place = Path(os.fspath(folder))
        fresh = not place.exists()
        sidecar = prepare(place, place / "frames.json", path, force)
        settings: dict[str, Any] = {"choice": said(choice), "look": said(look), "format": format}
        settings |= {"quality": quality} if format == "jpg" else {}
        made = Extract(sidecar, warnings=list(video.warnings))
        names: dict[float, str] = {}
        used: set[str] = set()
        complete = False
        try:
            for picture, taken in chosen(reader, path, video, choice, tell):
                if taken.time not in names:
                    name = _name(taken.time, used, format)
                    used.add(name)
                    media.save_picture(seen(picture, look), place / name, quality)
                    names[taken.time] = name
                made.pictures.append(replace(taken, file=names[taken.time]))
            if not made.pictures:
                raise MediaError(f"'{shown(path)}' has no picture there", "ask for other times")
            complete = True
        finally:
            made.warnings += reader.warnings
            if made.pictures:
                made.record = record(path, reader.stream.index, settings, made, complete)
                write_json(sidecar, made.record)
            elif fresh:
                with suppress(OSError):
                    place.rmdir()  # nothing came of it
        return made


def prepare(folder: Path, sidecar: Path, path: str | os.PathLike[str], force: bool) -> Path:
    """Make the folder; refuse one that holds another video's pictures."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise BadQueryError(f"'{shown(folder)}' is a file, not a folder", "choose another name") from None
    except OSError as error:
        raise MediaError(f"cannot make folder '{shown(folder)}' ({error.strerror})", "choose another place") from error
    if sidecar.exists() and not force:
        try:
            other = json.loads(sidecar.read_text(encoding="utf-8"))["source"]["file"]
        except (OSError, ValueError, KeyError, TypeError):
            other = "something else"
        if other != _absolute(path):
            raise BadQueryError(
                f"'{shown(folder)}' already holds what was taken from {other}", "choose another folder, or add --force"
            )
    return sidecar


def chosen(
    reader: Any, path: str | os.PathLike[str], video: Video, choice: Choice, tell: Tell
) -> Iterator[tuple[Any, Taken]]:
    """The pictures of a choice with what is known of each; `file` is still empty."""
    found = _pick(reader, path, video, choice, tell)
    for count, (picture, taken) in enumerate(found):
        if count >= MOST:
            raise BadQueryError(
                f"these are more than {MOST:,} pictures", "take fewer, or a part with --start and --end"
            )
        if not choice.shots:
            tell(picture.time, choice.end if choice.end is not None else video.duration)
        yield picture, taken


def _pick(
    reader: Any, path: str | os.PathLike[str], video: Video, choice: Choice, tell: Tell
) -> Iterator[tuple[Any, Taken]]:
    if choice.every is not None:
        yield from _every(reader, choice.every, choice.start, choice.end)
    elif choice.at:
        yield from _at(reader, path, choice.at)
    elif choice.index:
        yield from _by_index(reader, path, choice.index)
    elif choice.key_frames:
        yield from ((p, _taken(p)) for p in reader.pictures(choice.start, choice.end, key_only=True))
    else:
        shots = find_shots(path, video, choice.start, choice.end, tell)
        keys = sorted(float(shot.data["key"]) for shot in shots)
        told = {float(s.data["key"]): (number, s) for number, s in enumerate(shots, 1)}
        for time, picture in reader.shown_at(keys):
            number, shot = told[time]
            about = {"number": number, "start": shot.span.start, "end": shot.span.end, "cut": shot.data.get("cut", "")}
            yield picture, replace(_taken(picture), shot=about)


def _every(reader: Any, step: float, start: float | None, end: float | None) -> Iterator[tuple[Any, Taken]]:
    """The picture shown at each multiple of `step`; and the video's first one, which may stand between two of them."""
    tick = 0.5 / 90_000  # seconds: as in media.video, half a tick of MPEG's clock still is the same time
    low = -math.inf if start is None else math.ceil((start - tick) / step)
    if start is None:
        pictures = reader.pictures()
    else:
        _, standing = next(reader.shown_at([low * step]))
        pictures = reader.pictures(standing.time)
    shown, number = None, 0
    for place, picture in enumerate(pictures):
        if place == 0:
            number = max(low, math.ceil((picture.time - tick) / step))
            begins = start is None or picture.time > low * step + tick
            if begins and number * step > picture.time + tick and (end is None or picture.time < end):
                yield picture, _taken(picture, 0 if start is None else None)
        while shown is not None and number * step + tick < picture.time:
            if end is not None and number * step >= end:
                return
            yield shown, _taken(shown, place - 1 if start is None else None, number * step)
            number += 1
        shown, last = picture, place
    while shown is not None and number * step + tick < shown.time + shown.duration:
        if end is not None and number * step >= end:
            return
        yield shown, _taken(shown, last if start is None else None, number * step)
        number += 1


def _at(reader: Any, path: str | os.PathLike[str], times: tuple[float, ...]) -> Iterator[tuple[Any, Taken]]:
    for asked, picture in reader.shown_at(times):
        if asked >= picture.time + picture.duration + 1e-3:
            end = format_time(picture.time + picture.duration, 3)
            raise BadQueryError(f"'{shown(path)}' has no picture at {format_time(asked, 3)}, it ends at {end}")
        yield picture, _taken(picture, asked=asked)


def _by_index(reader: Any, path: str | os.PathLike[str], wanted: tuple[int, ...]) -> Iterator[tuple[Any, Taken]]:
    left, count = set(wanted), 0
    for count, picture in enumerate(reader.pictures(), 1):
        if count - 1 in left:
            left.discard(count - 1)
            yield picture, _taken(picture, index=count - 1)
        if not left:
            return
    raise BadQueryError(f"'{shown(path)}' has {count} pictures, there is no number {min(left)}", "count from 0")


def find_shots(
    path: str | os.PathLike[str], video: Video, start: float | None, end: float | None, tell: Tell
) -> list[Segment]:
    """The shots of a video whose key picture lies in [start, end), by the analyser that the index runs too."""
    from cinescope import analysers
    from cinescope.library.feeding import Reel
    from cinescope.types import Material

    analyser = analysers.create("shots")
    need = analyser.needs.frames
    assert need is not None
    analyser.begin(Material(video))
    reel = Reel(os.fspath(path), video, frame_needs=(need,))
    found: list[Segment] = []
    for piece in reel.slices(reel.start):
        shown, durations = piece.frames.get(need, (None, ()))
        found += analyser.feed(Window(piece.span, shown, durations))
        tell(piece.span.end, video.duration)
    found += analyser.finish()
    low, high = start if start is not None else -float("inf"), end if end is not None else float("inf")
    return [s for s in found if s.kind == "shot" and low <= float(s.data["key"]) < high]


def seen(picture: Any, look: Look) -> np.ndarray:
    """(H, W, 1 or 3) uint8: the picture as `look` wants it."""
    from cinescope.features.signal import filters

    if look.crop is None:
        plain = look.grey and not look.equalise
        array = picture.array(look.size, "grey" if plain else "rgb")
    else:
        width, height = picture.size
        if look.crop[0] + look.crop[2] > width or look.crop[1] + look.crop[3] > height:
            raise BadQueryError(
                f"a crop of {look.crop[0]} x {look.crop[1]} at {look.crop[2]}, {look.crop[3]} leaves the picture, "
                f"which has {width} x {height} pixels",
                "make it smaller",
            )
        array = _sized(filters.crop(picture.array(None, "rgb"), *look.crop), look.size)
    if look.equalise:
        array = filters.equalise(array)
    if look.blur is not None:
        array = filters.blur(array, look.blur)
    if look.grey or look.edges:
        array = filters.grey(array)
    if look.edges:
        array = filters.sobel(array) if look.edges == "sobel" else filters.canny(array)
    return array


def _sized(array: np.ndarray, size: int | tuple[int, int] | None) -> np.ndarray:
    import cv2

    from cinescope.media.planes import target_size

    height, width = array.shape[:2]
    wanted = target_size((width, height), size)
    if wanted == (width, height):
        return array
    smaller = wanted[0] * wanted[1] < width * height
    return cv2.resize(array, wanted, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def record(
    path: str | os.PathLike[str], stream: int, settings: dict[str, Any], made: Extract, complete: bool
) -> dict[str, Any]:
    """What frames.json holds. Times are the container's presentation times in seconds."""
    return {
        "source": {"file": _absolute(path), "stream": stream},
        "settings": settings,
        "complete": complete,
        "warnings": made.warnings,
        "frames": [
            {k: v for k, v in asdict(p).items() if v is not None or k == "index"} for p in made.pictures
        ],
    }  # fmt: skip


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Whole or not at all. Bytes of names that are no UTF-8 become JSON escapes."""
    from cinescope.media.writing import whole_file

    with whole_file(path) as part:
        part.write_text(json.dumps(value, indent=1) + "\n", encoding="ascii")


def _taken(picture: Any, index: int | None = None, asked: float | None = None) -> Taken:
    # To the nanosecond: what lies behind comes from dividing ticks, not from the file.
    return Taken("", round(picture.time, 9), round(picture.duration, 9), picture.key, index,
                 None if asked is None else round(asked, 9))  # fmt: skip


def _name(time: float, taken: set[str], format: str) -> str:
    """`00-01-02.500.jpg`: sorts by time. Two pictures in one millisecond get a further number."""
    total = round(abs(time) * 1000)
    hours, rest = divmod(total, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    stem = f"{'-' if time < 0 else ''}{hours:02d}-{minutes:02d}-{rest // 1000:02d}.{rest % 1000:03d}"
    name, more = f"{stem}.{format}", 2
    while name in taken:
        name, more = f"{stem}-{more}.{format}", more + 1
    return name


def said(value: Any) -> dict[str, Any]:
    """The settings that are not what they are by themselves."""
    return {k: v for k, v in asdict(value).items() if v not in (None, False, ())}


def _absolute(path: str | os.PathLike[str]) -> str:
    return os.path.abspath(os.fspath(path))


def shown(path: str | os.PathLike[str]) -> str:
    from cinescope.media.opening import shown_name

    return shown_name(path)
