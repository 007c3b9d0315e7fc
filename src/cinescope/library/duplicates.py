"""What is in a library more than once: whole copies, parts of longer videos, stretches that come again.

Made from the stored prints alone; no file is opened, nothing is changed. Knows matches and groups, no codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cinescope.library import prints, same
from cinescope.library.codec import json_video
from cinescope.library.prints import PICTURE, SOUND
from cinescope.library.same import Match
from cinescope.library.store import Store, one_of
from cinescope.types import BadQueryError, LibraryError, Span

COPY = 0.8  # share of both videos that a match covers for them to be copies, of the shorter one for it to be a part
SHORTEST = 2.0  # seconds of a stretch that is told, unless another length is asked for
_APART = 10.0  # seconds between two places in one video that count as a repeat
_JOINED = 15.0  # seconds between matches on one line that are one: a title or a black stretch lies between
_STILL_BITS = 1.5  # mean bits from which a picture that never changes may be the same recording encoded again
_PLACE = 0.5  # share of both by which two stretches of a video are one place

Kind = Literal["copies", "part", "stretch", "repeat"]


@dataclass(frozen=True, slots=True)
class Place:
    """A video, or a stretch of one, with what tells which is the better copy."""

    video_id: str
    span: Span
    duration: float  # seconds of the whole video
    width: int = 0  # pixels as shown, 0 without pictures
    height: int = 0
    size: int = 0  # bytes of its file

    @property
    def bitrate(self) -> float:
        """Bits a second of the whole file, 0 where it is not known."""
        return 8 * self.size / self.duration if self.duration else 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The evidence: a match between two places, `match.here` in the first video."""

    video_id: str
    match: Match


@dataclass(frozen=True, slots=True)
class Group:
    """Places with the same material: the one with most pixels first, then with most bits a second.

    "copies": whole videos; "part": a video that is a part of another; "stretch": shared by videos that differ
    otherwise; "repeat": comes again within one video.
    """

    kind: Kind
    seconds: float  # of the longest place
    places: tuple[Place, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Duplicates:
    groups: tuple[Group, ...]  # copies first, then by length
    videos: int  # that were compared
    not_looked_at: tuple[str, ...] = ()


def duplicates(store: Store, min_seconds: float = SHORTEST, videos: Sequence[str] | None = None) -> Duplicates:
    """All repeated material of at least `min_seconds`; with `videos`, only what these share with one another.

    LibraryError where no video was indexed with prints.
    """
    if not 0 < min_seconds < float("inf"):
        raise BadQueryError(f"repeats of {min_seconds:g} seconds cannot be looked for", "give more than 0 seconds")
    store.refresh()
    known = {r["id"] for r in store.rows("videos", ["id"])} & (set(videos) if videos is not None else _every(store))
    seen, heard = prints.printed(store, PICTURE) & known, prints.printed(store, SOUND) & known
    if known and not seen | heard:
        raise LibraryError(
            "these videos were indexed before their pictures and sounds could be compared",
            "index them again: cinescope index FOLDER",
        )
    missing = len(known - (seen & heard))
    unread = (f"{missing} of {len(known)} videos, indexed without prints; index them again",) if missing else ()
    places = _places(store, known)
    pairs = [p for p in _pairs(store, places) if _counts(p, places)]
    pairs = [p for p in _lines_joined(pairs) if p.match.here.duration >= min_seconds]
    return Duplicates(tuple(_grouped(pairs, places)), len(known), unread)


def _every(store: Store) -> set[str]:
    return {r["id"] for r in store.rows("videos", ["id"])}


def _pairs(store: Store, places: dict[str, Place]) -> Iterator[Pair]:
    """The matches of every video with those after it, and with itself further on."""
    videos = sorted(places)
    pictures, sounds = prints.read_pictures(store, videos), prints.read_sounds(store, videos)
    kept: dict[tuple[str, int], list[prints.Pointed]] = {}

    def points_of(video: str, rows: Sequence[int]) -> list[prints.Pointed]:
        for row in rows:
            if (video, row) not in kept:
                if len(kept) > 4096:
                    kept.clear()
                kept[video, row] = prints.read_points(store, video, [row])
        return [p for row in rows for p in kept[video, row]]

    shelf = same.Shelf(pictures, sounds, points_of, total=len(pictures))
    for video in videos:
        of = pictures.only(video)
        points = points_of(video, sorted(set(of.block.tolist())))

        def skip(other: str, here: np.ndarray, there: np.ndarray, video: str = video) -> np.ndarray:
            return there < here + _APART if other == video else np.full(len(here), other < video)

        for match in same.found(of, points, sounds.only(video), shelf, skip):
            yield Pair(video, match.within(places[video].duration or None, places[match.video_id].duration or None))


def _counts(pair: Pair, places: dict[str, Place]) -> bool:
    """Whether a match is a repeat: a picture that never changes looks the same in every take of it."""
    match = pair.match
    if not match.still or match.sound_seconds > 0:
        return True
    a, b = places[pair.video_id], places[match.video_id]
    whole = min(_covered(match.here, a), _covered(match.there, b)) >= COPY
    return pair.video_id != match.video_id and whole and match.bits <= _STILL_BITS


def _covered(span: Span, place: Place) -> float:
    return min(1.0, span.duration / place.duration) if place.duration > 0 else 1.0


def _lines_joined(pairs: list[Pair]) -> list[Pair]:
    """Matches of two videos on one line, with little between them, as one."""
    made: list[Pair] = []
    for pair in sorted(pairs, key=lambda p: (p.video_id, p.match.video_id, p.match.here.start)):
        before = made[-1] if made else None
        if before is not None and before.video_id == pair.video_id and _one_line(before.match, pair.match):
            a, b = before.match, pair.match
            longer = a if a.here.duration >= b.here.duration else b
            both = replace(
                longer,
                here=a.here.union(b.here),
                there=a.there.union(b.there),
                picture_seconds=a.picture_seconds + b.picture_seconds,
                sound_seconds=a.sound_seconds + b.sound_seconds,
                still=a.still and b.still,
                other_sound=a.other_sound and b.other_sound,
            )
            made[-1] = Pair(before.video_id, both)
        else:
            made.append(pair)
    return made


def _one_line(a: Match, b: Match) -> bool:
    if a.video_id != b.video_id or a.mirrored != b.mirrored or a.here.gap(b.here) > _JOINED:
        return False
    return abs(a.there.start + a.speed * (b.here.start - a.here.start) - b.there.start) <= 1.5


def _places(store: Store, known: set[str]) -> dict[str, Place]:
    """Every video as a whole."""
    sizes: dict[str, int] = {}
    for row in store.rows("locations", ["video_id", "size"], one_of("video_id", sorted(known))):
        sizes[row["video_id"]] = row["size"]
    found = {}
    for row in store.rows("videos", ["id", "duration", "probe"], one_of("id", sorted(known))):
        stream = json_video(row["probe"]).first("video")
        length = row["duration"] or 0.0
        width, height = (stream.width or 0, stream.height or 0) if stream is not None else (0, 0)
        found[row["id"]] = Place(row["id"], Span(0.0, length), length, width, height, sizes.get(row["id"], 0))
    return found


def _grouped(pairs: list[Pair], wholes: dict[str, Place]) -> list[Group]:
    """Copies as groups of videos, everything else as groups of stretches, each stretch in one group."""
    kinds = [(_kind(p, wholes), p) for p in pairs]
    copies = _clusters([[wholes[p.video_id], wholes[p.match.video_id]] for kind, p in kinds if kind == "copies"])
    found = [Group("copies", max(q.duration for q in c), _ranked(c), _between(pairs, c, whole=True)) for c in copies]
    # What copies share with a third video is told of the best of them alone.
    second = {q.video_id for c in copies for q in _ranked(c)[1:]}
    left = [(k, p) for k, p in kinds if k != "copies" and not {p.video_id, p.match.video_id} & second]
    stretches = [
        [replace(wholes[p.video_id], span=p.match.here), replace(wholes[p.match.video_id], span=p.match.there)]
        for _, p in left
    ]
    for cluster in _clusters(stretches):
        inside = _between([p for _, p in left], cluster, whole=False)
        of_videos = {q.video_id for q in cluster}
        kind: Kind = "repeat" if len(of_videos) == 1 else "stretch"
        if len(cluster) == 2 and any(k == "part" and p in inside for k, p in left):
            kind = "part"
        found.append(Group(kind, max(q.span.duration for q in cluster), _ranked(cluster), inside))
    order = {"copies": 0, "part": 1, "stretch": 2, "repeat": 3}
    return sorted(found, key=lambda g: (order[g.kind], -g.seconds, g.places[0].video_id))


def _kind(pair: Pair, wholes: dict[str, Place]) -> Kind:
    if pair.video_id == pair.match.video_id:
        return "repeat"
    a = _covered(pair.match.here, wholes[pair.video_id])
    b = _covered(pair.match.there, wholes[pair.match.video_id])
    return "copies" if min(a, b) >= COPY else "part" if max(a, b) >= COPY else "stretch"


def _clusters(links: list[list[Place]]) -> list[list[Place]]:
    """Places that are linked, directly or through others; stretches of a video that mostly overlap are one place."""
    places: list[Place] = []
    owner: list[int] = []

    def number(of: Place) -> int:
        for i, other in enumerate(places):
            if other.video_id == of.video_id and _alike(other.span, of.span):
                places[i] = replace(other, span=other.span.union(of.span))
                return i
        places.append(of)
        owner.append(len(places) - 1)
        return len(places) - 1

    def root(i: int) -> int:
        while owner[i] != i:
            i = owner[i]
        return i

    for link in links:
        first, *others = [root(number(of)) for of in link]
        for other in others:
            owner[root(other)] = root(first)
    groups: dict[int, list[Place]] = {}
    for i, place in enumerate(places):
        groups.setdefault(root(i), []).append(place)
    return [g for g in groups.values() if len(g) > 1]


def _alike(a: Span, b: Span) -> bool:
    both = min(a.end, b.end) - max(a.start, b.start)
    return both >= _PLACE * max(a.duration, b.duration)


def _ranked(of: Sequence[Place]) -> tuple[Place, ...]:
    """The one with most pixels first, then most bits a second, then the longest."""
    return tuple(sorted(of, key=lambda p: (-p.width * p.height, -p.bitrate, -p.duration, p.video_id, p.span.start)))


def _between(pairs: list[Pair], places: list[Place], whole: bool) -> tuple[Pair, ...]:
    """The matches between the places of a group, the longest first."""

    def inside(video: str, span: Span) -> bool:
        return any(q.video_id == video and (whole or q.span.overlaps(span)) for q in places)

    of_group = [p for p in pairs if inside(p.video_id, p.match.here) and inside(p.match.video_id, p.match.there)]
    return tuple(sorted(of_group, key=lambda p: -p.match.here.duration))
