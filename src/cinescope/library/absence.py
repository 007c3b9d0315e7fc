"""Whether what was asked for is in these videos at all. Knows numbers only: similarities, shares, how many passages.

The best similarity of something that is absent rises with the size of the library, as the greatest of many draws does;
so no fixed threshold is right. The chance that it is there is a logistic function of

    similarity   of the nearest passage to the question, cosine, -1 to 1
    share        of the question's words (stop words left out) that the passage with the most of them has, 0 to 1
    log10 N      N the number of passages looked through

fitted for each text encoder by itself on questions made by program (benchmarks/absent.py says how, and how well it
does). For an encoder that it was not fitted for there is no verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Calibration:
    similarity: float
    share: float
    log_size: float
    constant: float
    threshold: float  # chance below which it is said to be absent: both errors equally frequent on the fitted questions
    floor: float  # similarity below which a passage is no answer to anything

    def chance(self, similarity: float, share: float, size: int) -> float:
        """That the answer is there, 0 to 1."""
        score = self.similarity * similarity + self.share * share + self.log_size * math.log10(max(size, 1))
        return 1.0 / (1.0 + math.exp(-(score + self.constant)))


# Name of the text encoder -> fit. Printed by `python -m benchmarks.absent --fit`.
CALIBRATIONS: dict[str, Calibration] = {
    # MiniLM gives unrelated sentences 0.05 +- 0.1: 0.25 is two deviations above.
    "minilm": Calibration(5.432, 3.051, -0.425, -2.876, threshold=0.440, floor=0.25),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    absent: bool
    chance: float  # that it is there, 0 to 1


def verdict(encoder: str, similarity: float, share: float, size: int) -> Verdict | None:
    """None where nothing can be said: no passages, or an encoder without a calibration.

    What has all the words in one place is there, whatever the vectors say.
    """
    fit = CALIBRATIONS.get(encoder)
    if fit is None or size < 1:
        return None
    chance = fit.chance(similarity, share, size)
    return Verdict(share < 1.0 and chance < fit.threshold, chance)


def floor(encoder: str) -> float:
    """The least similarity worth showing; -1 (everything) for an encoder without a calibration."""
    fit = CALIBRATIONS.get(encoder)
    return fit.floor if fit is not None else -1.0
