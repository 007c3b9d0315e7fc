"""Is this the sound of this clip? Knows logits, not pictures or sounds."""

from __future__ import annotations

from cinescope.objectives.matching import Matching


class Correspondence(Matching):
    """Audio-visual correspondence (Arandjelovic and Zisserman 2017, section 2): a sound from the clip, or from
    another one; two classes, logistic loss. The formula is that of `matching`; the negatives differ: the task takes
    the sound of another row."""

    def __init__(self, output: str = "match", target: str = "match", term: str = "correspondence") -> None:
        super().__init__(output, target, term)
