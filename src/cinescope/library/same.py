"""The same material, by picture and sound together. Knows what a match is and which evidence is enough for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cinescope.library import same_pictures, same_sounds
from cinescope.types import Span

_STANDS = 0.5  # seconds that a picture stands after its print
_SAME_LINE = 1.5  # seconds by which the two lines of picture and sound may differ and still be one
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
        if abs(self.speed - 1) >= 0.015:
            said.append(f"{abs(self.speed - 1):.0%} {'faster' if self.speed > 1 else 'slower'}")
        if self.kinds == ("picture",) and not self.still:
            said.append("picture only")
        elif self.kinds == ("sound",):
            said.append("sound only")
        return ", ".join(said)


def joined(
    pictures: list[same_pictures.Run],
    sounds: list[same_sounds.Run],
    heard: Callable[[same_pictures.Run], bool],
    least: float = 0.0,
) -> list[Match]:
    """Picture and sound of one stretch as one match, the longest first.

    A picture that does not change is no proof by itself: two takes of the same person at the same desk look the
    same. `heard(run)` says whether there is sound on both sides; then a still stretch counts only where that agrees.
    `least`: seconds of a match.
    """
    left = list(sounds)
    found: list[Match] = []
    for run in pictures:
        fitting = [s for s in left if _one(run, s)]
        if run.moving < 2 and not fitting and heard(run):
            continue
        here, there = _with_end(run.here), _with_end(run.there)
        seconds = here.duration
        for sound in fitting:
            left.remove(sound)
            here, there = here.union(sound.here), there.union(sound.there)
        found.append(
            Match(
                run.video,
                here,
                there,
                round(run.speed, 3),
                run.mirrored,
                "here" if run.scale < _WHOLE[0] else "there" if run.scale > _WHOLE[1] else "",
                seconds,
                sum(s.here.duration for s in fitting),
                run.moving < 2,
            )
        )
    found += [Match(s.video, s.here, s.there, sound_seconds=s.here.duration) for s in left]
    return sorted((m for m in found if m.here.duration >= least), key=lambda m: -m.here.duration)


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
