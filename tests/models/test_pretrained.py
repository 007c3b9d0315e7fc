"""A pretrained text encoder as a part: the checkpoint's numbers, tuned, and saved without its files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.features.tiny_backbones import Tiny, said, tiny

from cinescope.features import EXTRACTORS
from cinescope.models.conformance import check_encoder
from cinescope.models.pretrained import PretrainedText
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec
from cinescope.nn import Sequences
from cinescope.training.loop import _optimiser
from cinescope.training.settings import TrainSettings
from cinescope.types import BadQueryError, MissingPartError

__all__ = ["tiny"]
NAME = "cinescope.models.pretrained:PretrainedText"


def tokens(words: int) -> Sequences:
    generator = torch.Generator().manual_seed(words)
    return Sequences.of(torch.randint(5, 15, (2, words), generator=generator))


def spec(model: Path) -> ModelSpec:
    return ModelSpec(
        {"speech": EncoderSpec(NAME, 15, 8, {"model": str(model)})},
        PartSpec("concat"),
        8,
        {"classes": PartSpec("classes", {"name": "classes", "classes": 2})},
    )


def test_the_hidden_states_are_those_of_transformers(tiny: Tiny) -> None:
    from transformers import AutoModel

    folder = tiny("bert")
    whole = AutoModel.from_pretrained(folder)
    encoder = PretrainedText(15, whole.config.hidden_size, model=str(folder)).eval()
    given = tokens(6)
    with torch.no_grad():
        expected = whole.eval()(input_ids=given.values).last_hidden_state
        torch.testing.assert_close(encoder(given).values, expected, rtol=0, atol=1e-6)


def test_it_holds_to_the_suite_of_encoders(tiny: Tiny) -> None:
    told = PretrainedText.saved({"model": str(tiny("bert"))})["config"]
    found = check_encoder(PretrainedText, {"config": {**told, "vocab_size": 40}, "dropout": 0.0})
    assert [f for f in found if f.result == "failed"] == []


def test_saved_it_is_built_again_without_its_checkpoint(tiny: Tiny) -> None:
    told = spec(tiny("bert"))
    model, again = told.build(1), ModelSpec.from_json(told.saved().to_json()).build(2)
    assert told.saved().encoders["speech"].settings["model"] is None
    again.load_state_dict(model.state_dict())
    given = tokens(4)
    with torch.no_grad():
        first = model.eval().encoders["speech"](given).values
        torch.testing.assert_close(again.eval().encoders["speech"](given).values, first, rtol=0, atol=0)


def test_it_learns_at_its_own_rate_and_frozen_layers_do_not(tiny: Tiny) -> None:
    model = spec(tiny("bert")).build(0)
    groups = _optimiser(model, TrainSettings()).param_groups
    own = {id(p) for p in model.encoders["speech"].parameters()}
    assert {g["scale"] for g in groups for p in g["params"] if id(p) in own} == {0.03}
    assert {g["scale"] for g in groups for p in g["params"] if id(p) not in own} == {1.0}
    frozen = PretrainedText(15, 8, model=str(tiny("bert")), frozen=-1)
    assert not any(p.requires_grad for p in frozen.model.parameters())


def test_its_tokenizer_is_found_by_its_name(tiny: Tiny) -> None:
    folder = tiny("bert")
    extractor = EXTRACTORS.create("tokens", file=str(folder), special=True)
    made = extractor(said("the red car"))
    assert len(made) >= 5
    assert extractor.vocabulary_size > 5


def test_what_is_wrong_is_said(tiny: Tiny) -> None:
    with pytest.raises(BadQueryError, match="needs a model or a config"):
        PretrainedText(15, 8)
    with pytest.raises(BadQueryError, match="the tokens have 100000 kinds"):
        PretrainedText(100_000, 8, model=str(tiny("bert")))
    with pytest.raises(MissingPartError):
        PretrainedText(15, 8, model="nobody/nothing")
    with pytest.raises(BadQueryError, match="layers, not 99 to freeze"):
        PretrainedText(15, 8, model=str(tiny("bert")), frozen=99)
