"""Where the same pictures run: a query's prints against a library's. Knows codes, lines and points; reads no tables.

Codes propose, points confirm. Codes of few bits' difference vote for lines in time; along each line every picture is
compared anew, and the points of some of them must agree on how the one picture lies in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cinescope.library.alignment import Line, fitted, lines
from cinescope.library.near_codes import Codes, near, ways
from cinescope.library.prints import Pictures, Pointed
from cinescope.types import Span

NEAR = 14  # bits of 64 from which pictures are no candidates for each other
ALONG = 16  # bits: once a line is known, more may differ
SURE = 8.0  # mean bits along a line from which no points are needed
AGREED = 0.3  # of the pairs of pictures whose points are compared that must agree: of quick ones many are blurred
CERTAIN = 3.0  # mean bits from which points that do not agree say nothing: on lettering that changes they do not
CERTAIN_FITTED = 6.0  # the same once the part that is compared was found: an uneven cut moves it by a little still
# Bits, and share of them, by which pictures at one moment must differ less than pictures at moments further apart.
MOVES, MOVES_SHARE = 2.0, 0.75
_ELSEWHERE = 0.9  # seconds from which a moment is another one
PIECE = 60.0  # seconds of a query that are aligned at once, so that several stretches of a long one are found
SAMPLES = 48  # pictures of a piece that are looked up in a large library; the others are compared along the lines
_ALL = 1 << 25  # pairs of pictures up to which all of a piece are looked up
TOLERANCE = 0.4  # seconds
SHARE = 0.4  # of the pictures of a stretch that must match: quick ones between two samples do not
GAP = 3.0  # seconds without a match that do not end a stretch
_FITTED = 8  # pictures of a stretch by which it is found which part of them is a middle of the others
_FEWEST_FITTED = 4  # pictures that are more than the four edges of that part can be made to agree on
_CHECKED = 6  # pairs of a stretch whose points are compared
_MOST_PAIRS = 200_000  # of a piece and a video
PointsOf = Callable[[str, Sequence[int]], list[Pointed]]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of the query and of one video that show the same."""

    video: str
    here: Span
    there: Span
    speed: float
    matched: int  # pictures
    bits: float  # that differ, mean
    still: bool  # nothing tells the stretch from a moment earlier or later of itself
    agreed: int  # of those checked, how many pairs' points agree
    checked: int
    scale: float  # of the query's picture in the other: below 1 it is a part of it
    mirrored: bool


def runs(
    query: Pictures,
    query_points: list[Pointed],
    library: Pictures,
    points_of: PointsOf,
    skip: Callable[[str, np.ndarray, np.ndarray], np.ndarray] | None = None,
    index: Codes | None = None,
    total: int | None = None,
    views: np.ndarray | None = None,
) -> list[Run]:
    """Every stretch of the library that shows what a stretch of the query shows, the longest first.

    `points_of(video, rows)` reads the points of a video's rows. `skip(video, here, there)` says which pairs of
    moments are not looked for (a video is always like itself). `index`: of the library's codes, where many queries
    are put to it, of `total` pictures together. `views`: (N, VIEW, VIEW) small pictures of the query, where there are
    any: then copies are found that were cut off unevenly.
    """
    found: list[Run] = []
    if not len(query) or not len(library):
        return found
    index = Codes(library.codes) if index is None else index
    begins = np.searchsorted(library.video, np.arange(len(library.videos) + 1))
    of_video: dict[int, Pictures] = {}
    for piece in pieces(query, max(SAMPLES, _ALL // len(library))):
        here, there, way = near(query.codes[piece], index, NEAR, total)
        owner = library.video[there]
        for video in np.unique(owner):
            mine = np.nonzero(owner == video)[0]
            if video not in of_video:
                of_video[video] = library.of(np.arange(begins[video], begins[video + 1]))
            name = library.videos[video]
            here_times, there_times = query.times[piece][here[mine]], library.times[there[mine]]
            if skip is not None:
                kept = ~skip(name, here_times, there_times)
                mine, here_times, there_times = mine[kept], here_times[kept], there_times[kept]
            if len(mine) > _MOST_PAIRS:
                every = len(mine) // _MOST_PAIRS + 1
                mine, here_times, there_times = mine[::every], here_times[::every], there_times[::every]
            least = min(3, len(piece))
            for line in lines(here_times, there_times, TOLERANCE, least):
                found += _along(line, way[mine[line.pairs]], query, query_points, of_video[video], points_of, views)
    return _joined(found)


def pieces(query: Pictures, most: int) -> Iterator[np.ndarray]:
    """Numbers of the prints of each stretch of PIECE seconds that are looked up, spread evenly, at most so many."""
    piece = np.floor(query.times / PIECE)
    for number in np.unique(piece):
        inside = np.nonzero(piece == number)[0]
        if len(inside) > most:
            inside = inside[np.linspace(0, len(inside) - 1, most).round().astype(int)]
        yield inside


def _along(
    line: Line, way: np.ndarray, query: Pictures, query_points: list[Pointed], video: Pictures, points_of: PointsOf,
    views: np.ndarray | None,
) -> list[Run]:  # fmt: skip
    """The stretches of a line on which the pictures really are the same."""
    from cinescope.features.signal.picture_print import mirrored

    flip, a, b = ways(query.codes.shape[1])[int(np.bincount(way.astype(np.int64)).argmax())]
    facing = _facing(line, query.times, video.times)
    query = query.of(facing)
    codes = mirrored(query.codes[:, a]) if flip else query.codes[:, a]
    bits, index = _beside(line, codes, query.times, video, b)
    scale: float | None = None
    if b and views is not None:
        codes, b, scale = _fitted(views[facing], codes, bits, index, video, flip, b)
        bits, index = _beside(line, codes, query.times, video, b)
    alike = bits <= ALONG
    line = fitted(line, query.times[alike], video.times[index[alike]], 2 * TOLERANCE)
    bits, index = _beside(line, codes, query.times, video, b)
    made = []
    for run in _stretches(query.times, bits <= ALONG):
        judged = _judged(run, bits, index, codes, b, line, flip, query, query_points, video, points_of, scale)
        if judged is not None:
            made.append(judged)
    return made


def _fitted(
    views: np.ndarray, codes: np.ndarray, bits: np.ndarray, index: np.ndarray, video: Pictures, flip: bool, part: int
) -> tuple[np.ndarray, int, float | None]:
    """(codes of that part of the query's pictures which is the smallest middle of the others, number of that middle,
    scale of the query's picture in the other); the codes as they are, and None, where no part comes nearer than they.
    """
    from cinescope.features.signal.picture_print import PARTS, VIEW, codes_within, differing, fitted_window, mirrored

    alike = np.nonzero(bits <= ALONG)[0]
    if not len(alike):
        return codes, part, None
    chosen = alike[np.linspace(0, len(alike) - 1, min(len(alike), _FITTED)).round().astype(int)]
    smallest = video.codes.shape[1] - 1
    wanted = video.codes[index[chosen], smallest]
    window = fitted_window(views[chosen], mirrored(wanted) if flip else wanted)
    made = codes_within(views, window)
    made = mirrored(made) if flip else made
    if float(differing(made[chosen], wanted).mean()) >= float(bits[chosen].mean()):
        return codes, part, None
    share = float(np.mean([VIEW - window[0] - window[1], VIEW - window[2] - window[3]])) / VIEW
    return made, smallest, PARTS[smallest] / share


def _facing(line: Line, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Numbers of the pictures here that stand nearest to one there: where there are more of them here, the others
    would be compared with what is a little earlier or later."""
    at = (there - line.offset) / line.speed
    after = np.clip(np.searchsorted(here, at), 1, max(1, len(here) - 1))
    before = after - 1
    after = np.minimum(after, len(here) - 1)
    nearest = np.where(np.abs(here[before] - at) <= np.abs(here[after] - at), before, after)
    return np.unique(nearest[np.abs(here[nearest] - at) <= TOLERANCE])


def _beside(
    line: Line, codes: np.ndarray, times: np.ndarray, video: Pictures, part: int
) -> tuple[np.ndarray, np.ndarray]:
    """(Q,) codes at (Q,) times -> the fewest bits by which each differs from a picture near the line, 64 where there is
    none, and the number of that picture; of equals the nearest in time."""
    from cinescope.features.signal.picture_print import differing

    at = np.asarray(line.there(times))
    after = np.searchsorted(video.times, at)
    around = np.clip(after[:, None] + np.arange(-3, 3), 0, len(video) - 1)
    apart = np.abs(video.times[around] - at[:, None])
    bits = differing(codes[:, None], video.codes[around, part]).astype(np.float64)
    # A fraction of a bit a second decides between equals: pictures that do not change do not bend the line.
    cost = np.where(apart <= 2 * TOLERANCE, bits + apart / 4, 64.0)
    best = cost.argmin(axis=1)
    rows = np.arange(len(at))
    return np.where(cost[rows, best] < 64, bits[rows, best], 64).astype(np.int64), around[rows, best]


def _stretches(times: np.ndarray, matched: np.ndarray) -> Iterator[np.ndarray]:
    """Numbers of the pictures of each stretch: matched ones, no further apart than GAP, SHARE of all in it or more."""
    hits = np.nonzero(matched)[0]
    if not len(hits):
        return
    for part in np.split(hits, np.nonzero(np.diff(times[hits]) > GAP)[0] + 1):
        if len(part) >= SHARE * (part[-1] - part[0] + 1):
            yield part


def _judged(
    run: np.ndarray, bits: np.ndarray, index: np.ndarray, codes: np.ndarray, part: int, line: Line, flip: bool,
    query: Pictures, query_points: list[Pointed], video: Pictures, points_of: PointsOf, fitted_scale: float | None,
) -> Run | None:  # fmt: skip
    """The stretch, where codes or points are enough to say that it is the same."""
    still = _still(run, bits, index, codes, part, query, video)
    mean = float(bits[run].mean())
    name = video.videos[int(video.video[0])]
    agreed, checked, scales = _compared(run, index, line, flip, query, query_points, video, name, points_of)
    limit = CERTAIN if checked >= 3 else SURE
    if fitted_scale is not None:
        # A part can be found that makes two pictures alike which are not; four values fit no four pictures by chance.
        limit = CERTAIN_FITTED if len(run) >= _FEWEST_FITTED else CERTAIN
    by_codes = not still and mean <= limit
    # Of a film of a second there is no other moment by which to tell whether it moves in step.
    brief = float(query.times[run[-1]] - query.times[run[0]]) <= _ELSEWHERE
    by_codes = by_codes or (brief and len(run) >= 2 and len(run) >= SHARE * len(query) and mean <= CERTAIN)
    if not by_codes and agreed < max(1.0, AGREED * checked):
        return None
    here = Span(float(query.times[run[0]]), float(query.times[run[-1]]))
    there = Span(float(video.times[index[run]].min()), float(video.times[index[run]].max()))
    scale = float(np.median(scales)) if scales else fitted_scale or 1.0
    return Run(name, here, there, line.speed, len(run), mean, still, agreed, checked, scale, flip)


def _still(
    run: np.ndarray, bits: np.ndarray, index: np.ndarray, codes: np.ndarray, part: int, query: Pictures, video: Pictures
) -> bool:
    """Whether pictures of one moment are no more alike than pictures of different moments of the stretch.

    A copy moves in step with the original. Two takes before one camera look alike at any moment, and no more at this
    one than at that.
    """
    from cinescope.features.signal.picture_print import differing

    chosen = run[np.linspace(0, len(run) - 1, min(len(run), 40)).round().astype(int)]
    here, there = query.times[chosen], video.times[index[chosen]]
    apart = differing(codes[chosen][:, None], video.codes[index[chosen], part][None])
    elsewhere = apart[np.abs((there - there[0])[None] - (here - here[0])[:, None]) > _ELSEWHERE]
    if not len(elsewhere):
        return True
    usual, now = float(elsewhere.mean()), float(bits[chosen].mean())
    return usual - now < MOVES or now > MOVES_SHARE * usual


def _compared(
    run: np.ndarray, index: np.ndarray, line: Line, flip: bool, query: Pictures, query_points: list[Pointed],
    video: Pictures, name: str, points_of: PointsOf,
) -> tuple[int, int, list[float]]:  # fmt: skip
    """(pairs whose points agree, pairs checked, scale of each agreeing pair)."""
    from cinescope.features.signal import picture_points

    first, last = float(query.times[run[0]]), float(query.times[run[-1]])
    mine = [p for p in query_points if first - 2.5 <= p.time <= last + 0.6 and _enough(p)]
    if not mine:
        return 0, 0, []
    begin, end = float(line.there(first)), float(line.there(last))
    theirs = points_of(name, sorted(set(video.block[index[run]].tolist())))
    theirs = [p for p in theirs if begin - 1.0 <= p.time <= end + 0.6 and _enough(p)]
    agreed, checked, scales = 0, 0, []
    for i in np.unique(np.linspace(0, len(theirs) - 1, _CHECKED).round().astype(int)) if theirs else ():
        # Points are kept when a picture has changed: they stand until the next ones.
        other = theirs[i]
        at = (other.time - line.offset) / line.speed
        beside = sorted((p for p in mine if at - 2.5 <= p.time <= at + 1.0), key=lambda p: abs(p.time - at))
        if not beside:
            continue
        checked += 1
        found = [picture_points.agree(p.points, other.points, (p.aspect, other.aspect)) for p in beside[:2]]
        fitting = [f for f in found if f is not None and f.mirrored == flip]
        if fitting:
            agreed += 1
            scales.append(max(fitting, key=lambda f: f.points).scale)
    return agreed, checked, scales


def _enough(of: Pointed) -> bool:
    from cinescope.features.signal.picture_points import FEWEST

    return len(of.points) >= 2 * FEWEST


def _joined(found: list[Run]) -> list[Run]:
    """Of stretches of a video that overlap the better stays: those that move in step before still ones, then the
    longest."""
    kept: list[Run] = []
    for run in sorted(found, key=lambda r: (r.still, -r.matched, r.bits)):
        if not any(_covers(other, run) for other in kept):
            kept.append(run)
    return kept


def _covers(a: Run, b: Run) -> bool:
    """Whether `b` tells nothing besides `a`: most of it lies in `a` here, and there too or with pictures less alike.

    What is really shown twice is as much the same the second time, and moves in step; a shot that hardly moves is
    like every other second of itself.
    """
    if a.video != b.video or _share(a.here, b.here) <= 0.5:
        return False
    return _share(a.there, b.there) > 0.5 or b.still or b.bits > a.bits + 3


def _share(long: Span, short: Span) -> float:
    both = min(long.end, short.end) - max(long.start, short.start)
    return (both + 0.5) / (short.duration + 0.5)
