"""The constants of `library/absence.py`, fitted to questions over other videos. Never sees the 120 reported questions.

absent_dev_questions.json holds 120 questions with an answer and 120 without, over 20,000 sentences of videos that are
not in the reported corpus (`dev_corpus`). One half of them may be fitted to; how that fit does on the other half chose
between the ways that are printed here, each one more than the one before. The constants come from both halves.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.absent import LARGE, SEED, SMALL, area, embedded, encoder, turned
from benchmarks.absent_corpus import QUOTAS, Passage, data_folder, order, others

SIZES = (SMALL, 20_000, LARGE)
PENALTY = 0.01  # of the squared coefficients: they are three against 720 askings
WAYS = {"similarity": (0.0, 0.0), "and missing": (2.0, 0.0), "and crowd": (2.0, 0.3)}


def dev_questions() -> dict[str, Any]:
    """`present`: query, target, shares, fit; `absent`: query, fit."""
    file = Path(__file__).parent / "absent_dev_questions.json"
    raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return raw


def dev_corpus(folder: Path) -> list[Passage]:
    """20,000 sentences of videos that are not in `corpus`, as many of each data set as its quota says."""
    taken: Counter[str] = Counter()
    chosen: list[Passage] = []
    for passage in order(others(folder)):
        name = passage.id.partition(":")[0]
        if taken[name] < QUOTAS[name]:
            taken[name] += 1
            chosen.append(passage)
    return chosen


def fit() -> None:
    """Print how each way does on the half that was not fitted to, then the constants."""
    from cinescope.library import absence

    asked = dev_questions()
    entries = asked["present"] + asked["absent"]
    y = np.tile([1.0] * len(asked["present"]) + [0.0] * len(asked["absent"]), len(SIZES))
    chosen_from = np.tile([bool(e["fit"]) for e in entries], len(SIZES))
    alike = np.tile([bool(e.get("shares")) for e in entries], len(SIZES))
    size = np.repeat(SIZES, len(entries))
    near = nearest()
    for name, (missing, crowd) in WAYS.items():
        absence.MISSING, absence.CROWD = missing, crowd
        strength = np.array([absence.strengths(*given).max() for given in near])
        x = np.stack([strength, np.log10(size), np.ones(len(y))], 1)
        chances = _chance(x, logistic(x[chosen_from], y[chosen_from]))
        threshold = even(chances[chosen_from], y[chosen_from])
        for n in SIZES:
            of = ~chosen_from & (size == n)
            there, gone = of & (y == 1), of & (y == 0)
            print(
                f"{name:>11} {n:>7,}: area {area(chances[there], chances[gone]):.3f} (no shared word "
                f"{area(chances[there & ~alike], chances[gone]):.3f}), right at {threshold:.3f}: present "
                f"{(chances[there] >= threshold).mean():.3f} ({(chances[there & ~alike] >= threshold).mean():.3f}), "
                f"absent {(chances[gone] < threshold).mean():.3f}"
            )
    weights = logistic(x, y)
    print(dict(zip(("strength", "log_size", "constant"), (float(w) for w in weights.round(3)), strict=True)))
    print(f"threshold {even(_chance(x, weights), y):.3f}")


def nearest() -> list[tuple[Any, Any, Any, list[str]]]:
    """What `absence.strengths` is given, for each size and question: those with an answer first."""
    from cinescope.library.absence import PASSAGES
    from cinescope.library.hybrid import without_each_word

    passages = dev_corpus(data_folder())
    texts = [p.text for p in passages]
    vectors = embedded(passages, "absent-dev")
    rng = np.random.default_rng(SEED)
    copies = [vectors, *(turned(vectors, rng) for _ in range(LARGE // len(vectors) - 1))]
    asked = dev_questions()
    targets = {p["target"] for p in asked["present"]}
    few = [n for n, p in enumerate(passages) if p.id in targets]
    few += [n for n, p in enumerate(passages) if p.id not in targets][: SMALL - len(few)]
    looked = [(few, [vectors]), (range(len(passages)), [vectors]), (range(len(passages)), copies)]
    model = encoder()
    questions = [e["query"] for e in asked["present"] + asked["absent"]]
    whole = model.encode(questions)
    without = [model.encode(without_each_word(q)).reshape(-1, whole.shape[1]) for q in questions]
    result = []
    for rows, sets in looked:
        there = np.asarray(rows)
        near = np.stack([whole @ of[there].T for of in sets], 1)  # (questions, sets, rows)
        for number, likeness in enumerate(near):
            best = np.argsort(-likeness.ravel(), kind="stable")[:PASSAGES]
            which, row = np.unravel_index(best, likeness.shape)
            found = np.stack([sets[s][there[r]] for s, r in zip(which, row, strict=True)])
            result.append((whole[number], without[number], found, [texts[there[r]] for r in row]))
    return result


def even(chances: np.ndarray, y: np.ndarray) -> float:
    """The threshold at which as many are wrongly said to be absent as wrongly present."""
    grid = np.linspace(0.05, 0.95, 181)
    uneven = [abs((chances[y == 1] >= t).mean() - (chances[y == 0] < t).mean()) for t in grid]
    return float(grid[int(np.argmin(uneven))])


def logistic(x: np.ndarray, y: np.ndarray, steps: int = 30) -> np.ndarray:
    """Coefficients of a logistic regression, by Newton's method."""
    weights = np.zeros(x.shape[1])
    for _ in range(steps):
        chance = _chance(x, weights)
        slope = x.T @ (y - chance) - PENALTY * weights
        curve = (x * (chance * (1 - chance))[:, None]).T @ x + PENALTY * np.eye(x.shape[1])
        weights += np.linalg.solve(curve, slope)
    return weights


def _chance(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-(x @ weights))))
