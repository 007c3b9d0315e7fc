"""A recipe's parts are checked by name before its data are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.api.class_clips import RECIPE

from cinescope.api import recipe as recipes
from cinescope.api import train as api
from cinescope.api.building import window_of
from cinescope.api.recipe import parse
from cinescope.api.recipe_parts import check_parts
from cinescope.datasets import DATASETS
from cinescope.types import BadQueryError, CinescopeError


def given(**changes: Any) -> dict[str, Any]:
    return {**yaml.safe_load(RECIPE), **changes}


@pytest.mark.parametrize("name", sorted(recipes.shipped()))
def test_those_that_come_along_pass(name: str) -> None:
    check_parts(recipes.load(name))


CHAIN = {"parts": [{"name": "cnn"}, {"name": "lstn"}]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fusion": {"name": "conact"}}, "there is no fusion 'conact'"),
        ({"fusion": {"name": "gated", "settings": {"tide": True}}}, "'gated' has no setting 'tide'"),
        ({"task": {"name": "clasification", "target": "label"}}, "there is no task"),
        ({"augment": [{"name": "noize"}]}, "there is no corruption 'noize'"),
        ({"augment": [{"name": "noise", "mots": 1}]}, "'noise' has no setting 'mots'"),
        ({"inputs": {"video": {"features": ["hogg"], "encoder": {"name": "linear"}}}}, "there is no feature 'hogg'"),
        ({"inputs": {"v": {"features": ["hog"], "encoder": {"name": "chain", "settings": CHAIN}}}}, "encoder 'lstn'"),
        ({"train": {"batch": 0}}, "batch: 0 is too small"),
        ({"train": {"lr": 1e6}}, "lr: 1000000.0 is no learning rate"),
    ],
)
def test_a_wrong_one_is_told_before_the_data_are_asked_for(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(CinescopeError, match=said):
        api.run(parse(given(**change)), tmp_path / "run", data=tmp_path / "there is no such folder")
    assert not (tmp_path / "run").exists()


def test_a_model_that_no_machine_can_hold_is_told(tmp_path: Path) -> None:
    data = {"reader": "worlds", "settings": {"modalities": ["picture"], "carriers": ["picture"], "label": "one",
            "size": [16, 16], "seeds": {"train": 1, "test": 2}, "counts": {"train": 8, "test": 4}}}  # fmt: skip
    inputs = {"video": {"features": ["colour_moments"], "encoder": {"name": "linear", "dim": 10_000_000}}}
    told = parse(
        given(
            data=data, inputs=inputs, split={"by": "published", "val": 0}, fusion={"name": "concat", "dim": 10_000_000}
        )
    )
    with pytest.raises(BadQueryError, match=r"the model has [\d,]+ parameters, and to train it takes [\d,]+ GB"):
        api.run(told, tmp_path / "run")


def test_the_window_of_rendered_clips_is_their_length() -> None:
    dials = {"label": "one", "carriers": ["picture"], "modalities": ["picture"], "seconds": 1.5, "beats": 2}
    dataset = DATASETS.create("worlds", None, **dials, seeds={"train": 1}, counts={"train": 6})
    assert window_of(dataset.examples) == 1.5
