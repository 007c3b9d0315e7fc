"""What a recipe can name, told without building it."""

from __future__ import annotations

import pytest

from cinescope.api.model_parts import find_part, kinds, list_parts
from cinescope.types import MissingPartError


@pytest.mark.parametrize("kind", kinds())
def test_every_part_says_in_a_sentence_what_it_is(kind: str) -> None:
    assert kinds()[kind][1], "where a recipe names it"
    for part in list_parts(kind):
        assert not part.missing
        assert len(part.summary) > 10, part.name


def test_settings_are_told_with_their_defaults_and_without_what_the_recipe_says_elsewhere() -> None:
    (mult,) = find_part("mult")
    assert (mult.kind, mult.settings["layers"]) == ("fusion", 1)
    assert not {"dims", "dim", "in_dim"} & set(mult.settings)


def test_a_name_may_be_of_several_kinds() -> None:
    assert {part.kind for part in find_part("attention")} == {"fusion", "pooling"}


def test_a_near_name_is_told() -> None:
    with pytest.raises(MissingPartError, match="did you mean fusion"):
        find_part("fusoin")
    with pytest.raises(MissingPartError, match="see `cinescope parts`"):
        find_part("zzzz")
