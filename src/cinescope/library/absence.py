"""Whether what was asked for is in these videos at all. Knows vectors and numbers: no model, no store.

How near the nearest passage is tells little by itself, so three things are asked of each of the nearest ones:

    similarity   of the passage to the question, cosine, -1 to 1
    missing      how much nearer the question comes without the word of it that is most out of place, 0 or more: a
                 passage about a kite is nearer to "kite" than to "kite caught in a tree", for it has no tree
    crowd        similarity of the passage to the nearest other one: among many of a kind ("add oil to the pan") each
                 is near to all that is asked about their subject

A passage's strength is `similarity - MISSING * missing - CROWD * crowd`; the best passage's counts. The best of what
is absent rises with the size of the library, as the greatest of many draws does; so the chance that it is there is a
logistic function of the strength and of log10 N, N the number of passages looked through. It is fitted for each text
encoder by itself on questions that people might ask (benchmarks/absent_fit.py; benchmarks/absent.py says how well it
does). For an encoder that it was not fitted for there is no verdict.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MISSING, CROWD = 2.0, 0.3  # flat: from 1 to 3 and 0.2 to 0.4 the area under the curve moves by less than 0.005
PASSAGES = 64  # nearest ones looked at: 32 do a little worse, 256 no better
WORDS = 12  # of a question that are left out in turn; each costs a vector (3 ms)
SURE = 0.15  # chance below which nothing is added to a verdict of absence: on held questions 9 of 10 such are right
_LONE = 0.0  # crowd of a passage that is alone


@dataclass(frozen=True, slots=True)
class Calibration:
    strength: float
    log_size: float
    constant: float
    threshold: float  # chance below which it is said to be absent: both errors equally frequent on the fitted questions
    floor: float  # similarity below which a passage is no answer to anything

    def chance(self, strength: float, size: int) -> float:
        """That the answer is there, 0 to 1."""
        score = self.strength * strength + self.log_size * math.log10(max(size, 1)) + self.constant
        return 1.0 / (1.0 + math.exp(-score))


# Name of the text encoder -> fit. Printed by `python -m benchmarks.absent --fit`.
CALIBRATIONS: dict[str, Calibration] = {
    # MiniLM gives unrelated sentences 0.05 +- 0.1: 0.25 is two deviations above.
    "minilm": Calibration(19.905, -0.717, -3.608, threshold=0.415, floor=0.25),
}


def strengths(question: Any, without: Any, passages: Any, texts: Sequence[str]) -> Any:
    """(N,) float: of each of the nearest passages.

    `question` (D,), `without` (W, D): the question without each of its words in turn, W may be 0; `passages` (N, D).
    All are of length 1. Passages of equal text are the same one: a slide that stands for an hour is not a crowd.
    """
    import numpy as np

    near = passages @ question
    # Stop at 0: a word that brings the question nearer is there, and how much it brings is no further evidence.
    missing = np.maximum(passages @ without.T - near[:, None], 0.0).max(axis=1, initial=0.0)
    names = {text.casefold(): n for n, text in enumerate(texts)}
    same = np.array([names[text.casefold()] for text in texts])
    like = np.where(same[:, None] == same[None, :], -np.inf, passages @ passages.T)
    crowd = like.max(axis=1, initial=-np.inf)
    return near - MISSING * missing - CROWD * np.where(np.isfinite(crowd), crowd, _LONE)


@dataclass(frozen=True, slots=True)
class Verdict:
    absent: bool
    chance: float  # that it is there, 0 to 1

    @property
    def sure(self) -> bool:
        """Whether it may be said without a "probably"."""
        return self.chance < SURE


def verdict(encoder: str, strength: float, share: float, size: int) -> Verdict | None:
    """None where nothing can be said: no passages, or an encoder without a calibration.

    `strength` of the best passage; `share` of the question's words (stop words left out) that one row has, 0 to 1.
    What has all the words in one place is there, whatever the vectors say.
    """
    fit = CALIBRATIONS.get(encoder)
    if fit is None or size < 1:
        return None
    chance = fit.chance(strength, size)
    return Verdict(share < 1.0 and chance < fit.threshold, chance)


def floor(encoder: str) -> float:
    """The least similarity worth showing; -1 (everything) for an encoder without a calibration."""
    fit = CALIBRATIONS.get(encoder)
    return fit.floor if fit is not None else -1.0
