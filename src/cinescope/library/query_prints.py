"""What a question by example is made of: the prints of a file, or of a stretch of a video that is in the library.

A file is looked at by the same analysers as in indexing, in memory; nothing of it is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cinescope.library import prints, schema
from cinescope.library.prints import Pictures, Pointed, Sounds
from cinescope.library.store import Store, quoted
from cinescope.types import Analyser, BadQueryError, Frames, Material, Segment, Span, Video, Waveform, Window

# An example is looked at more often than a library: so that for every stored picture there is one at nearly its time.
_RATE, _POINTS_EVERY = 6.0, 0.16
_LONG = 120.0  # seconds from which an example is looked at as often as a library, as a long one has enough to go by
SHORTEST = 1.0  # seconds of sound below which there is too little to compare; of film a single picture is enough


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """What is asked about. Times are its own seconds."""

    name: str
    kind: str  # "picture", "clip" or "sound"
    span: Span  # that is asked about
    pictures: Pictures
    points: list[Pointed]
    sounds: Sounds
    looks: list[tuple[Span, np.ndarray]] = field(default_factory=list)  # vectors of length 1
    timbres: list[tuple[Span, np.ndarray]] = field(default_factory=list)
    views: np.ndarray | None = None  # (N, VIEW, VIEW) small pictures, where `pictures` were made from a short file
    video_id: str = ""  # where it is a video of the library


def of_file(path: str | os.PathLike[str]) -> Example:
    """MediaError for what is no picture, film or sound; BadQueryError where nothing in it can be compared."""
    from cinescope import media

    video = media.probe(path)
    name = os.path.basename(os.fspath(path))
    has_sound = video.first("audio") is not None
    if not video.has_motion and not has_sound and video.first("video") is not None:
        return _picture(path, name)
    found: list[Segment] = []
    end = 0.0
    views: dict[int, np.ndarray] = {}
    for analyser, windows in _passes(os.fspath(path), video):
        analyser.begin(Material(video))
        for window in windows:
            if window.frames is not None and (video.duration or 0.0) < _LONG:
                views |= _views(window.frames)
            found += analyser.feed(window)
            end = max(end, window.span.end)
        found += analyser.finish()
    length = video.duration if video.duration is not None else end
    kind = "clip" if video.has_motion else "sound"
    example = _example(name, kind, Span(0.0, length), found, views)
    if length < SHORTEST and not len(example.pictures):
        raise BadQueryError(f"'{name}' is {length:.2f} s long, too short to be found by", "give 2 s or more")
    if not len(example.pictures) and not len(example.sounds):
        what = "sound that could be compared (it is silent or an even tone)"
        if kind == "clip":
            what = "picture or sound that could be compared (it is plain and silent)"
        raise BadQueryError(f"'{name}' has no {what}", "give an example in which something happens")
    return example


def _picture(path: str | os.PathLike[str], name: str) -> Example:
    """A single picture, as large as the analyser is given them."""
    import cv2

    from cinescope import media
    from cinescope.analysers import create
    from cinescope.features.signal import picture_print

    picture = media.read_picture(path)
    analyser = create("picture_print")
    need = analyser.needs.frames
    longest = need.size if need is not None and isinstance(need.size, int) else max(picture.shape)
    scale = longest / max(picture.shape[:2])
    if scale < 1:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    analyser.begin(Material(Video("", None, ())))
    span = Span(0.0, 0.0)
    found = analyser.feed(Window(Span(0.0, 1.0), Frames(picture[None], np.zeros(1))))
    example = _example(name, "picture", span, found + analyser.finish(), {0: picture_print.view(picture)})
    if not len(example.pictures):
        raise BadQueryError(
            f"'{name}' is too plain to be found by (one colour, or nearly)",
            "give a picture in which something is to be seen",
        )
    return example


def _passes(path: str, video: Video) -> Iterator[tuple[Analyser, Iterator[Window]]]:
    """The analysers and their windows; each reads the file by itself, which for a short example costs little."""
    from cinescope.analysers import create
    from cinescope.library.feeding import Reel

    for name in ("picture_print", "sound_print"):
        dense = name == "picture_print" and (video.duration or 0.0) < _LONG
        analyser = create(name, **({"rate": _RATE, "points_every": _POINTS_EVERY} if dense else {}))
        frames, sound = analyser.needs.frames, analyser.needs.sound
        if video.first("video" if frames is not None else "audio") is None:
            continue
        reel = Reel(path, video, (), (frames,) if frames else (), (sound,) if sound else ())

        def windows(reel: Reel = reel) -> Iterator[Window]:
            for piece in reel.slices(reel.start):
                seen = next(iter(piece.frames.values()), None)
                heard: Waveform | None = next(iter(piece.sound.values()), None)
                yield Window(piece.span, seen[0] if seen else None, seen[1] if seen else (), heard)

        yield analyser, windows()


def _views(frames: Frames) -> dict[int, np.ndarray]:
    """Small pictures by the milliseconds at which they stand."""
    from cinescope.features.signal.picture_print import view

    return {_milliseconds(t): view(p) for p, t in zip(frames.data, frames.times.tolist(), strict=True)}


def _milliseconds(time: float) -> int:
    return round(time * 1000)


def _seen(views: dict[int, np.ndarray], times: np.ndarray) -> np.ndarray | None:
    """The small pictures of these prints, None where one has none. Prints keep times in 32 bits: a rounding apart."""
    numbers = [_milliseconds(t) for t in times.tolist()]
    found = [next((views[n + by] for by in (0, -1, 1) if n + by in views), None) for n in numbers]
    kept = [v for v in found if v is not None]
    return np.stack(kept) if kept and len(kept) == len(found) else None


def _example(name: str, kind: str, span: Span, found: list[Segment], views: dict[int, np.ndarray]) -> Example:
    pictures = [s for s in found if s.data.get("of") == prints.PICTURE and "print" in s.data]
    sounds = [s for s in found if s.data.get("of") == prints.SOUND and "print" in s.data]
    rows = [
        {"start": s.span.start, "print": s.data["print"], "points": s.data["points"], "aspect": s.data["aspect"]}
        for s in pictures
    ]
    seen = prints.pictures_of([("", i, prints.block_start(r["start"]), r["print"]) for i, r in enumerate(rows)])
    return Example(
        name,
        kind,
        span,
        seen,
        [p for r in rows for p in prints.pointed(r)],
        prints.sounds_of([("", prints.block_start(s.span.start), s.data["print"]) for s in sounds]),
        [(s.span, np.array(s.data["vector"], np.float32)) for s in found if s.kind == "look"],
        [(s.span, np.array(s.data["vector"], np.float32)) for s in found if s.kind == "timbre"],
        _seen(views, seen.times),
    )


def of_stored(store: Store, video_id: str, name: str, span: Span) -> Example:
    """A stretch of a video of the library, from its stored prints. BadQueryError where it has none there."""
    from cinescope.analysers import picture_print, sound_print

    pictures = prints.read_pictures(store, [video_id])
    pictures = pictures.of((pictures.times >= span.start - 0.25) & (pictures.times < span.end))
    points = prints.read_points(store, video_id, pictures.block)
    sounds = prints.read_sounds(store, [video_id])
    sounds = sounds.of((sounds.times >= span.start) & (sounds.times < span.end))
    if not len(pictures) and not len(sounds):
        if video_id not in prints.printed(store, prints.PICTURE) | prints.printed(store, prints.SOUND):
            raise BadQueryError(f"{name} was indexed without prints", "index it again: cinescope index")
        raise BadQueryError(
            f"in {name} nothing can be compared there (it is plain and silent)", "name another stretch of it"
        )
    return Example(
        name, "clip", span, pictures, points, sounds,
        _vectors(store, picture_print.SPACE, video_id, span), _vectors(store, sound_print.SPACE, video_id, span),
        video_id=video_id,
    )  # fmt: skip


def _vectors(store: Store, space: str, video_id: str, span: Span) -> list[tuple[Span, np.ndarray]]:
    if space not in store.spaces():
        return []
    where = f"video_id = {quoted(video_id)} AND start < {span.end!r} AND `end` >= {span.start!r}"
    rows = store.rows(schema.vector_table(space), ["start", "end", "vector"], where)
    rows.sort(key=lambda r: r["start"])
    return [(Span(r["start"], r["end"]), np.array(r["vector"], np.float32)) for r in rows]
