"""The same material, by picture and sound together. Knows what a match is and which evidence is enough for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from cinescope.library import same_pictures, same_sounds
from cinescope.library.near_codes import Codes
from cinescope.library.prints import Pictures, Pointed, Sounds
from cinescope.types import Span

_STANDS = 0.5  # seconds that a picture stands after its print
_AS_FAST = 0.015  # by which a speed may differ from 1 and be called as recorded
_SAME_LINE = 1.5  # seconds by which the two lines of picture and sound may differ and still be one
Skip = Callable[[str, np.ndarray, np.ndarray], np.ndarray]
_TO_THE_BIT = 0.5  # mean bits up to which a still picture is the same though the sound is another's: a card, a slide
_WHOLE = (0.93, 1.08)  # scale of one picture in another from and to which nothing counts as cut off


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch that is the same here (in what was asked about) and there (in a video of the library)."""

    video_id: str
    here: Span
    there: Span
    speed: float = 1.0  # times there over times here: 1.05 where the other runs slower
    mirrored: bool = False
    cropped: str = ""  # "here" where this is a part of the other's picture, "there" where that is a part of this
    picture_seconds: float = 0.0  # of `here` that were found by picture
    sound_seconds: float = 0.0
    still: bool = False  # the picture does not change in it
    other_sound: bool = False  # both have sound there, and it is not the same
    bits: float = 0.0  # of 64 by which the pictures' codes differ, mean

    def within(self, here: float | None, there: float | None) -> Match:
        """Cut to the lengths of both, in seconds (None where it is not known): a print stands half a second."""

        def cut(span: Span, end: float | None) -> Span:
            return span if end is None or end <= span.start else Span(span.start, min(span.end, end))

        return replace(self, here=cut(self.here, here), there=cut(self.there, there))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The senses that carry it."""
        found = (("picture", self.picture_seconds), ("sound", self.sound_seconds))
        return tuple(kind for kind, seconds in found if seconds > 0)

    @property
    def offset(self) -> float:
        """Seconds: where the beginning of `here` would lie there, less where it lies here."""
        return self.there.start - self.here.start

    def how(self) -> str:
        """What was changed, as people say it: "mirrored, cropped, 5% faster"; "" for nothing."""
        said = ["mirrored"] if self.mirrored else []
        said += ["cropped"] if self.cropped == "here" else ["with more around it"] if self.cropped else []
        if abs(self.speed - 1) >= _AS_FAST:
            said.append(f"{abs(self.speed - 1):.0%} {'faster' if self.speed > 1 else 'slower'}")
        if self.other_sound:
            said.append("with other sound")
        elif self.kinds == ("sound",):
            said.append("sound only")
        return ", ".join(said)


@dataclass(slots=True, eq=False)
class Shelf:
    """What is compared with: pictures and sounds of a library, and a way to read the points of a video's rows."""

    pictures: Pictures
    sounds: Sounds
    points_of: same_pictures.PointsOf
    total: int | None = None  # pictures that will be looked up in all, where many queries are put
    codes: Codes = field(init=False)

    def __post_init__(self) -> None:
        self.codes = Codes(self.pictures.codes)


def found(
    pictures: Pictures, points: list[Pointed], sounds: Sounds, shelf: Shelf, skip: Skip, heard: Sounds | None = None,
    views: np.ndarray | None = None,
) -> list[Match]:  # fmt: skip
    """Every stretch of the shelf that is the same as one here, the longest first.

    `skip(video, here, there)` says which pairs of moments are not looked for. `heard`: the sound that is here, where
    `sounds`, which is compared, is not all of it. `views`: small pictures of those here (see `same_pictures.runs`).
    """
    own = sounds if heard is None else heard
    seen = same_pictures.runs(pictures, points, shelf.pictures, shelf.points_of, skip, shelf.codes, shelf.total, views)
    return joined(seen, same_sounds.runs(sounds, shelf.sounds, skip), lambda run: _heard(run, own, shelf.sounds))


def _heard(run: same_pictures.Run, here: Sounds, there: Sounds) -> bool:
    """Whether there is sound on both sides of a stretch of pictures."""
    if run.video not in there.videos:
        return False
    number = there.videos.index(run.video)
    first, last = np.searchsorted(there.video, (number, number + 1))
    of_video = there.times[first:last]
    return all(
        int(((times >= span.start) & (times <= span.end)).sum()) >= 2 * same_sounds.LEAST
        for times, span in ((here.times, run.here), (of_video, run.there))
    )


def joined(
    pictures: list[same_pictures.Run], sounds: list[same_sounds.Run], heard: Callable[[same_pictures.Run], bool]
) -> list[Match]:
    """Picture and sound of one stretch as one match, the longest first.

    A picture that does not change is no proof by itself: two takes of the same person at the same desk look the
    same. `heard(run)` says whether there is sound on both sides; then a still stretch counts only where that agrees,
    or where codes and points say that it is one picture, as no two takes are.
    """
    left = list(sounds)
    made: list[Match] = []
    for run in pictures:
        fitting = [s for s in left if _one(run, s)]
        other = not fitting and heard(run)
        if run.still and other and not (run.agreed and run.bits <= _TO_THE_BIT):
            continue
        here, there = _with_end(run.here), _with_end(run.there)
        seconds = here.duration
        for sound in fitting:
            left.remove(sound)
            here, there = here.union(sound.here), there.union(sound.there)
        made.append(
            Match(
                run.video,
                here,
                there,
                round(run.speed, 3),
                run.mirrored,
                "here" if run.scale < _WHOLE[0] else "there" if run.scale > _WHOLE[1] else "",
                seconds,
                sum(s.here.duration for s in fitting),
                run.still,
                # Landmarks do not survive another speed, so there they say nothing.
                other and abs(run.speed - 1) < _AS_FAST,
                run.bits,
            )
        )
    made += [Match(s.video, s.here, s.there, sound_seconds=s.here.duration) for s in left]
    return sorted(made, key=lambda m: -m.here.duration)


def _with_end(span: Span) -> Span:
    return Span(span.start, span.end + _STANDS)


def _one(picture: same_pictures.Run, sound: same_sounds.Run) -> bool:
    """Whether both are of one stretch: they overlap here, and lie at the same place there."""
    both = picture.here.intersection(sound.here)
    if picture.video != sound.video or both is None:
        return False
    by_picture = picture.there.start + picture.speed * (both.middle - picture.here.start)
    by_sound = sound.there.start + both.middle - sound.here.start
    return abs(by_picture - by_sound) <= _SAME_LINE
