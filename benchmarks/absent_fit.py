"""Questions made by program, and the constants of `library/absence.py` fitted to them. Never sees the 120 questions.

A question is a few words of a passage, a rare one among them; in every second one each word is replaced by the word of
another stem that is nearest to it by the text encoder (a stand-in for how people say it otherwise), or left out. It is
asked twice: of the corpus as it is (present), and of the corpus without the passage's video and without every passage
that has the rare word or its replacement (absent). Passages of videos that the 120 questions are about take no part.

What such a question tells about a share of words is not to be trusted where the words were replaced: taking away the
replacements takes away chance matches too. There both askings are given the share of the absent one.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.absent import LARGE, SMALL, area, embedded, encoder, turned
from benchmarks.absent_corpus import content_words, corpus, data_folder, order, questions

QUESTIONS = 600
SEED = 7
SIZES = (SMALL, 20_000, LARGE)
RAREST, COMMONEST = 2, 60  # passages that have the rare word
LIKE = 0.66  # cosine from which a word may stand for another
PENALTY = 0.01  # of the squared coefficients: they are a dozen against thousands of questions


@dataclass(frozen=True, slots=True)
class Asked:
    text: str
    row: int
    replaced: bool
    gone: frozenset[int]


def fit() -> None:
    """Print the constants, and how well they do on questions that they were not fitted to."""
    passages = order(corpus(data_folder()))
    vectors = embedded(passages, "absent-corpus")
    asked = made()
    rows = signs(asked, [content_words(p.text) for p in passages], vectors)
    x = np.array([[r["similarity"], r["share"], r["log_size"], 1.0] for r in rows])
    y = np.array([r["present"] for r in rows], np.float64)
    half = np.array([r["question"] // 2 % 2 for r in rows])  # every second question is a replaced one
    chances = np.zeros(len(y))
    for part in (0, 1):
        chances[half == part] = _chance(x[half == part], logistic(x[half != part], y[half != part]))
    weights = logistic(x, y)
    grid = np.linspace(0.05, 0.95, 181)
    uneven = [abs((chances[y == 1] >= t).mean() - (chances[y == 0] < t).mean()) for t in grid]
    threshold = float(grid[int(np.argmin(uneven))])
    named = dict(zip(("similarity", "share", "log_size", "constant"), weights.round(3), strict=True))
    print({k: float(v) for k, v in named.items()}, f"threshold {threshold:.3f}")
    held = area(chances[y == 1], chances[y == 0])
    print(f"held out: area {held:.3f}, right {(chances[y == 1] >= threshold).mean():.3f}")
    for size in SIZES:
        of = np.array([r["size"] == size for r in rows])
        present, absent = chances[of & (y == 1)], chances[of & (y == 0)]
        print(f"{size:>7}: area {area(present, absent):.3f}, present right {(present >= threshold).mean():.3f}, "
              f"absent right {(absent < threshold).mean():.3f}")  # fmt: skip


def made() -> list[Asked]:
    """The questions, always the same."""
    from cinescope.library.matching import STOP_WORDS
    from cinescope.library.normal import tokens
    from cinescope.library.stemming import stem

    passages = order(corpus(data_folder()))
    tested = {entry["target"].rpartition(":")[0] for entry in questions()["present"]}
    forms = [[t.form for t in tokens(p.text)] for p in passages]
    having: dict[str, set[int]] = defaultdict(set)
    videos: dict[str, set[int]] = defaultdict(set)
    for n, passage in enumerate(passages):
        videos[passage.video].add(n)
        for form in forms[n]:
            having[stem(form)].add(n)
    counts = Counter(f for of in forms for f in of if f not in STOP_WORDS and len(f) > 2)
    words = [w for w in counts if len(having[stem(w)]) >= 3]
    meant = encoder().encode(words)
    at = {w: i for i, w in enumerate(words)}

    def other(word: str) -> str | None:
        if word not in at:
            return None
        near = meant @ meant[at[word]]
        best = (words[i] for i in np.argsort(-near)[:12] if near[i] > LIKE)
        return next((w for w in best if stem(w) != stem(word) and w[:4] != word[:4]), None)

    rng = random.Random(SEED)
    result: list[Asked] = []
    for n in rng.sample(range(len(passages)), len(passages)):
        content = list(dict.fromkeys(f for f in forms[n] if f not in STOP_WORDS and len(f) > 2))
        rare = [f for f in content if RAREST <= len(having[stem(f)]) <= COMMONEST]
        if passages[n].video in tested or not rare or not 3 <= len(content) <= 14:
            continue
        key = min(rare, key=lambda f: len(having[stem(f)]))
        rest = sorted((f for f in content if f != key), key=lambda f: len(having[stem(f)]))
        kept = [f for f in content if f == key or f in rest[: rng.randint(1, 3)]]
        replaced = len(result) % 2 == 1
        said = [other(f) for f in kept] if replaced else list(kept)
        text = [w for w in said if w]
        if said[kept.index(key)] is None or len(text) < 2:
            continue
        gone = videos[passages[n].video] | having[stem(key)] | having[stem(str(said[kept.index(key)]))]
        result.append(Asked(" ".join(text), n, replaced, frozenset(gone)))
        if len(result) == QUESTIONS:
            break
    return result


def signs(asked: list[Asked], words: list[frozenset[str]], vectors: np.ndarray) -> list[dict[str, Any]]:
    """Each question at each size, present and absent: what `absence.Calibration` is given."""
    rng = np.random.default_rng(SEED)
    having: dict[str, list[int]] = defaultdict(list)
    for n, of in enumerate(words):
        for word in of:
            having[word].append(n)
    copied = [turned(vectors, rng) for _ in range(LARGE // len(vectors))]
    rows: list[dict[str, Any]] = []
    for number, (question, vector) in enumerate(zip(asked, encoder().encode([q.text for q in asked]), strict=True)):
        likeness = vectors @ vector
        copies = np.maximum.reduce([c @ vector for c in copied])
        count = np.zeros(len(words))
        wanted = content_words(question.text)
        for word in wanted:
            count[having[word]] += 1
        for size in SIZES:
            there = np.ones(len(words), bool)
            if size < len(words):
                there[rng.choice(len(words), len(words) - size, replace=False)] = False
            there[question.row] = True
            without = there.copy()
            without[list(question.gone)] = False
            best = np.maximum(likeness, copies) if size > len(words) else likeness
            for present, mask in ((1, there), (0, without)):
                share_of = without if question.replaced else mask
                rows.append(
                    {
                        "similarity": best[mask].max(),
                        "share": count[share_of].max() / len(wanted),
                        "log_size": np.log10(size),
                        "present": present,
                        "size": size,
                        "question": number,
                    }
                )
    return rows


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
