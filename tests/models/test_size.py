"""How large a model is, told without making it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cinescope.models.size import check_size, parameters_of
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec
from cinescope.nn.pooling.simple import Mean
from cinescope.types import BadQueryError


def spec(dim: int) -> ModelSpec:
    encoders = {"video": EncoderSpec("cnn", 3, dim), "sound": EncoderSpec("transformer", 13, dim)}
    return ModelSpec(encoders, PartSpec("mult"), dim, {"label": PartSpec("classes", {"classes": 5})})


def test_it_is_the_size_of_the_model_that_is_built() -> None:
    made = spec(32).build()
    assert parameters_of(spec(32)) == sum(p.numel() for p in made.parameters())


class Reading(Mean):
    """A stranger's pooling that reads a number as it is made."""

    def __init__(self, dim: int) -> None:
        super().__init__(dim)
        self.share = float(torch.ones(1).item())


def test_a_part_that_reads_numbers_as_it_is_made_is_not_in_the_way() -> None:
    pooled = PartSpec("concat", {"pool": "tests.models.test_size:Reading"})
    with pytest.raises(RuntimeError, match="meta"):
        parameters_of(replace(spec(32), fusion=pooled))
    check_size(replace(spec(32), fusion=pooled), memory=1)
    assert replace(spec(32), fusion=pooled).build()


def test_one_that_does_not_fit_is_told_without_memory() -> None:
    check_size(spec(32))
    with pytest.raises(BadQueryError, match=r"to train it takes 0 GB of the 0 GB"):
        check_size(spec(32), memory=1_000_000)
    with pytest.raises(BadQueryError, match="parameters"):
        check_size(spec(400_000))
