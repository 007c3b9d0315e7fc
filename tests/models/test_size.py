"""How large a model is, told without making it."""

from __future__ import annotations

import pytest

from cinescope.models.size import check_size, parameters_of
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec
from cinescope.types import BadQueryError


def spec(dim: int) -> ModelSpec:
    encoders = {"video": EncoderSpec("cnn", 3, dim), "sound": EncoderSpec("transformer", 13, dim)}
    return ModelSpec(encoders, PartSpec("mult"), dim, {"label": PartSpec("classes", {"classes": 5})})


def test_it_is_the_size_of_the_model_that_is_built() -> None:
    made = spec(32).build()
    assert parameters_of(spec(32)) == sum(p.numel() for p in made.parameters())


def test_one_that_does_not_fit_is_told_without_memory() -> None:
    check_size(spec(32))
    with pytest.raises(BadQueryError, match=r"to train it takes 0 GB of the 0 GB"):
        check_size(spec(32), memory=1_000_000)
    with pytest.raises(BadQueryError, match="parameters"):
        check_size(spec(400_000))
