"""From a recipe to rows: which splits are meant, and what happens to prepared rows that were kept and got damaged."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cinescope.api.building import Preparation, folds_of
from cinescope.api.recipe import Recipe, parse
from cinescope.api.trained import _part
from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.splits import Fold


def stills(folder: Path, *splits: str) -> Dataset:
    made = []
    for number in range(4 * len(splits)):
        path = folder / f"{number}.png"
        Image.new("RGB", (8, 8), (10 * number, 0, 90)).save(path)
        made.append(Example(path.name, splits[number // 4], path, targets={"label": "ab"[number % 2]}))
    return Dataset("stills", tuple(made), {"label": Target("class", ("a", "b"))})


def recipe(**split: object) -> Recipe:
    return parse(
        {
            "name": "x",
            "data": {"reader": "csv_file"},
            "split": {"val": 0, **split},
            "inputs": {"picture": {"pictures": {"size": [8, 8]}, "encoder": {"name": "cnn"}}},
            "task": {"name": "classification", "target": "label"},
        }
    )


@pytest.mark.parametrize("there", ["val", "dev", "validation"])
@pytest.mark.parametrize("wanted", ["val", "dev", "validation"])
def test_the_part_that_is_tested_on_has_several_names(there: str, wanted: str, tmp_path: Path) -> None:
    (fold,) = folds_of(recipe(test=wanted), stills(tmp_path, "train", there))
    assert [e.split for e in fold.test] == [there] * 4
    (fold,) = folds_of(recipe(val=wanted), stills(tmp_path, "train", there))
    assert [e.split for e in fold.val] == [there] * 4


@pytest.mark.parametrize(
    ("told", "asked", "splits"),
    [({"test": "validation"}, "test", ("dev",)), ({}, "val", ("train", "dev"))],
    ids=["what the recipe tested on, come alone", "what it did not look at"],
)
def test_a_part_is_measured_again_by_its_other_names(
    told: dict[str, str], asked: str, splits: tuple[str, ...], tmp_path: Path
) -> None:
    trained: Any = SimpleNamespace(about={"fold": "published"})
    found = _part(stills(tmp_path, *splits), recipe(**told), trained, asked)
    assert [e.split for e in found] == ["dev"] * 4


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[: len(data) // 2], lambda data: b"x" + data[1:],
                                   lambda data: data.replace(bytes(40), b"\1" * 40, 1)],
                         ids=["empty", "cut off", "no zip", "other bytes"])  # fmt: skip
def test_prepared_rows_that_are_damaged_are_said_and_made_again(
    spoil: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset, cache = stills(tmp_path, "train"), tmp_path / "cache"
    whole = Fold("all", dataset.examples, (), ())

    def values() -> np.ndarray:
        return Preparation(recipe(), dataset, cache).ready(whole).train.inputs["picture"].values

    with caplog.at_level(logging.WARNING):
        first = values()
        (kept,) = cache.glob("*.npz")
        data = kept.read_bytes()
        assert np.array_equal(values(), first)
        assert not caplog.messages
        kept.write_bytes(spoil(data))  # type: ignore[operator]
        assert np.array_equal(values(), first)
    assert len(caplog.messages) == 1
    assert "are damaged" in caplog.messages[0]
    assert str(kept) in caplog.messages[0]
    assert kept.stat().st_size == len(data)  # and kept again
