"""Which evidence is enough for a stretch to be called the same."""

from __future__ import annotations

import pytest

from cinescope.library.same import joined
from cinescope.library.same_pictures import Run
from cinescope.types import Span


def run(bits: float, agreed: int, still: bool = True) -> Run:
    return Run("a", Span(0.0, 9.0), Span(5.0, 14.0), 1.0, 19, bits, still, agreed, 1, 1.0, False)


@pytest.mark.parametrize(
    ("bits", "agreed", "told"),
    [(0.1, 1, True), (0.1, 0, False), (1.2, 1, False)],
    ids=["one slide", "codes alone", "another take"],
)
def test_a_still_picture_with_other_sound_is_the_same_only_to_the_bit(bits: float, agreed: int, told: bool) -> None:
    matches = joined([run(bits, agreed)], [], lambda _: True)
    assert [m.other_sound for m in matches] == ([True] if told else [])


def test_a_still_picture_without_sound_and_one_that_moves_need_no_more() -> None:
    assert joined([run(1.2, 1)], [], lambda _: False)
    assert joined([run(1.2, 1, still=False)], [], lambda _: True)
