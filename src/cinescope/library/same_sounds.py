"""Where the same sound runs: a query's landmarks against a library's. Knows codes and lines; reads no tables.

A landmark of 23 bits is met by chance now and then; several that stand at the same distances in time are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cinescope.library.alignment import lines
from cinescope.library.prints import Sounds
from cinescope.types import Span

LEAST = 8  # landmarks on one line; chance gives 2
SHARE = 0.04  # of the query's landmarks in the stretch; a copy in noise (10 dB) keeps 0.1
PIECE = 60.0  # seconds of a query that are aligned at once
TOLERANCE = 0.04  # seconds
GAP = 6.0  # seconds without a common landmark that do not end a stretch
_CODES = 1 << 23


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of the query and of one video that sound the same."""

    video: str
    here: Span
    there: Span
    matched: int  # landmarks
    share: float  # of the query's landmarks in the stretch, 0 to 1


def runs(
    query: Sounds, library: Sounds, skip: Callable[[str, np.ndarray, np.ndarray], np.ndarray] | None = None
) -> list[Run]:
    """Every stretch of the library that sounds like a stretch of the query, the longest first."""
    found: list[Run] = []
    if not len(query) or not len(library):
        return found
    piece = np.floor(query.times / PIECE)
    for number in np.unique(piece):
        inside = np.nonzero(piece == number)[0]
        here, there = pairs(query.codes[inside], library.codes)
        owner = library.video[there]
        order = np.argsort(owner, kind="stable")
        here, there, owner = here[order], there[order], owner[order]
        which, begin, votes = np.unique(owner, return_index=True, return_counts=True)
        for video, first, count in zip(which, begin, votes, strict=True):
            if count < LEAST:
                continue
            here_times = query.times[inside][here[first : first + count]].astype(np.float64)
            there_times = library.times[there[first : first + count]].astype(np.float64)
            name = library.videos[video]
            if skip is not None:
                kept = ~skip(name, here_times, there_times)
                here_times, there_times = here_times[kept], there_times[kept]
            for line in lines(here_times, there_times, TOLERANCE, min(LEAST, 5), speeds=(1.0,)):
                found += _along(here_times[line.pairs], line.offset, query, name)
    return found


def pairs(here: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(A,) and (B,) codes -> two (P,): number here, number there, of codes that are the same or beside each other."""
    from cinescope.features.signal.sound_print import near_codes

    around = near_codes(here)
    flat, owner = around.ravel(), np.repeat(np.arange(len(here)), around.shape[1])
    wanted = np.zeros(_CODES, bool)
    wanted[flat] = True
    hits = np.nonzero(wanted[there])[0]
    order = np.argsort(flat, kind="stable")
    flat, owner = flat[order], owner[order]
    first, last = np.searchsorted(flat, there[hits]), np.searchsorted(flat, there[hits], side="right")
    count = last - first
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    numbers = owner[np.repeat(first, count) + within]
    both = np.unique(np.stack([numbers, np.repeat(hits, count)], axis=1), axis=0)
    return both[:, 0], both[:, 1]


def _along(times: np.ndarray, offset: float, query: Sounds, video: str) -> list[Run]:
    """The stretches of a line in which landmarks are dense enough."""
    made = []
    times = np.unique(times)
    for part in np.split(times, np.nonzero(np.diff(times) > GAP)[0] + 1):
        of_query = int(((query.times >= part[0] - 1e-3) & (query.times <= part[-1] + 1e-3)).sum())
        share = len(part) / max(1, of_query)
        if len(part) >= LEAST and share >= SHARE:
            here = Span(float(part[0]), float(part[-1]))
            made.append(Run(video, here, here.shift(offset), len(part), share))
    return made
