"""CTC forced alignment: given what was said, when each of its labels was. Knows no alphabet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from cinescope.nn.sequences import Sequences
from cinescope.types import BadQueryError

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class LabelSpan:
    label: int
    first: int  # its first step
    last: int  # its last step, inclusive
    score: float  # mean log-probability of the label over its steps


@dataclass(frozen=True, slots=True)
class ForcedAlignment:
    score: float  # log-probability of the best path
    path: Array  # (T,) int64: the label of each step, blanks among them
    labels: tuple[LabelSpan, ...]


@dataclass(frozen=True, slots=True)
class TimedLabel:
    label: int
    start: float  # seconds
    end: float  # seconds
    score: float


def forced_alignment(log_probs: ArrayLike, labels: Sequence[int], blank: int = 0) -> ForcedAlignment:
    """log_probs (T, C), the labels in order -> the most probable path of T steps that collapses to them.

    Viterbi in log space over the labels with blanks between and around (Graves et al. 2006, sections 3.1 and 4.1): a
    path stays, goes on by one, or skips a blank between two different labels. Log-probabilities of minus infinity are
    ways that do not exist. BadQueryError where no path fits: too few steps, or labels that are never possible.
    """
    scores = np.asarray(log_probs, dtype=np.float64)
    if scores.ndim != 2 or np.isnan(scores).any():
        raise ValueError(f"forced alignment takes log-probabilities (T, C) without NaN, got {scores.shape}")
    steps, classes = scores.shape
    wrong = [x for x in labels if not 0 <= x < classes or x == blank]
    if wrong or not 0 <= blank < classes:
        raise ValueError(f"labels are from 0 to {classes - 1} and not the blank {blank}, got {wrong or blank}")
    needed = len(labels) + sum(a == b for a, b in pairwise(labels))
    if steps < max(needed, 1):
        raise BadQueryError(
            f"{len(labels)} labels need at least {max(needed, 1)} steps, and there are {steps}",
            "give a longer stretch, or fewer labels",
        )
    states = np.full(2 * len(labels) + 1, blank, dtype=np.int64)
    states[1::2] = labels
    score, taken = _viterbi(scores, states, blank)
    if not np.isfinite(score):
        raise BadQueryError("these labels are impossible on these steps", "check that they belong together")
    path = states[taken]
    return ForcedAlignment(score, path, _spans(scores, states, taken))


def _viterbi(scores: Array, states: Array, blank: int) -> tuple[float, Array]:
    """The best score and the state (T,) at each step."""
    steps, count = len(scores), len(states)
    skips = np.zeros(count, dtype=bool)
    skips[2:] = (states[2:] != blank) & (states[2:] != states[:-2])
    emitted = scores[:, states]  # (T, S)
    best = np.full(count, -np.inf)
    best[:2] = emitted[0, :2]
    back = np.zeros((steps, count), dtype=np.int8)  # how many states before
    for t in range(1, steps):
        one = np.concatenate([[-np.inf], best[:-1]])
        two = np.where(skips, np.concatenate([[-np.inf, -np.inf], best[:-2]])[:count], -np.inf)
        ways = np.stack([best, one, two])
        back[t] = ways.argmax(0)
        best = ways.max(0) + emitted[t]
    state = count - 1 if count == 1 or best[-1] >= best[-2] else count - 2
    score = float(best[state])
    taken = np.empty(steps, dtype=np.int64)
    for t in range(steps - 1, -1, -1):
        taken[t] = state
        state -= int(back[t, state])
    return score, taken


def _spans(scores: Array, states: Array, taken: Array) -> tuple[LabelSpan, ...]:
    spans = []
    for state in range(1, len(states), 2):
        at = np.flatnonzero(taken == state)
        label = int(states[state])
        spans.append(LabelSpan(label, int(at[0]), int(at[-1]), float(scores[at, label].mean())))
    return tuple(spans)


def align_labels(log_probs: Sequences, labels: Sequence[Sequence[int]], blank: int = 0) -> list[tuple[TimedLabel, ...]]:
    """log_probs (B, T, C) of a recogniser and the labels of each row -> each label with its seconds.

    A label goes from the start of its first step to the end of its last; the blanks between belong to none. A row
    without labels gives none. BadQueryError as `forced_alignment`, naming the row.
    """
    if len(labels) != len(log_probs.values):
        raise ValueError(f"{len(log_probs.values)} rows of log-probabilities need as many of labels, got {len(labels)}")
    rows: list[tuple[TimedLabel, ...]] = []
    for i, wanted in enumerate(labels):
        mask = log_probs.mask[i]
        if not len(wanted):
            rows.append(())
            continue
        scores = log_probs.values[i][mask].detach().to(torch.float64).cpu().numpy()
        clock = log_probs.times[i][mask].cpu().numpy()
        try:
            found = forced_alignment(scores, wanted, blank)
        except BadQueryError as error:
            raise BadQueryError(f"row {i}: {error}", error.do) from error
        rows.append(
            tuple(TimedLabel(s.label, float(clock[s.first, 0]), float(clock[s.last, 1]), s.score) for s in found.labels)
        )
    return rows
