"""Recipes held against each other: the same rows or an error, pairs by row and seed, tables without NaN."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from tests.api.class_clips import RECIPE, shared_clips

from cinescope.api.compare import compare
from cinescope.api.compare_page import apart, markdown, page, plot
from cinescope.api.comparison import Comparison, Entry
from cinescope.api.recipe import Recipe, parse
from cinescope.metrics.compare import Interval
from cinescope.types import BadQueryError, CinescopeError


def recipe(**changes: object) -> Recipe:
    import yaml

    return parse({**yaml.safe_load(RECIPE), **changes})


@pytest.fixture(scope="module")
def clips_of_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_clips(tmp_path_factory)


def test_other_rows_are_told_before_anything_is_trained(clips_of_classes: Path, tmp_path: Path) -> None:
    pairs = {"a": recipe(), "b": recipe(split={"by": "folds", "count": 4, "val": 0.25})}
    with pytest.raises(BadQueryError, match="'b' and 'a' are not measured on the same rows: the rows are dealt out"):
        compare(pairs, tmp_path / "x", data=clips_of_classes)
    less = {"a": recipe(), "b": recipe(data={"reader": "folders", "leave_out": ["red/red0.mp4"]})}
    with pytest.raises(BadQueryError, match="1 rows are in one and not in the other"):
        compare(less, tmp_path / "x", data=clips_of_classes)
    assert not (tmp_path / "x").exists()


def test_data_that_nobody_can_read_end_it(tmp_path: Path) -> None:
    with pytest.raises(CinescopeError, match="no recipe could read its data"):
        compare({"a": recipe()}, tmp_path / "x", data=tmp_path / "none")


def found(**changes: object) -> Comparison:
    entries = (
        Entry("best|one", 0.9, 0.85, 0.95, "300 rows", {"accuracy": 0.9}, 12.0, 0.02, 1000, 5000),
        Entry(
            "second", 0.8, 0.7, 0.9, "300 rows", {"accuracy": 0.8}, 120.0, 1.5, 2_000_000, 9_000_000,
            by_rows=Interval(-0.1, -0.15, -0.05),
        ),
        Entry("lost", failed="it <broke>"),
    )  # fmt: skip
    return Comparison("accuracy", True, 300, 1, (0,), entries)


def test_the_table_is_plain(tmp_path: Path) -> None:
    made = found()
    text = markdown(made)
    assert text.splitlines()[0].startswith("| recipe | accuracy | 95% |")
    assert "| best/one | 90.0% | 85.0 to 95.0 |  | 12 s | 20 ms | 1,000 | 5 kB |" in text
    assert "| second | 80.0% | 70.0 to 90.0 | -10.0 points (-15.0 to -5.0) | 2 min |" in text
    assert "it &lt;broke&gt;" in page(made, tmp_path)
    assert apart(made, made.entries[0]) == ""
    assert plot(made).count('class="dot"') == 2


def test_json_has_no_nan() -> None:
    text = json.dumps(found().to_json(), allow_nan=False)
    assert math.isnan(found().entries[2].value)
    assert json.loads(text)["entries"][2]["value"] is None


def test_many_recipes_are_a_line_each() -> None:
    few = found()
    more = tuple(
        Entry(f"r{i}<", 0.5 + i / 100, 0.4 + i / 100, 1.02, "3 seeds", {"accuracy": 0.5}, 10.0**i, 0.02, 1000, 5000)
        for i in range(6)
    )
    svg = plot(Comparison("accuracy", True, 300, 1, (0, 1, 2), (*more, *few.failed)))
    assert svg.count('class="dot"') == svg.count('class="bar"') == 6
    assert "r5&lt;" in svg
    assert "nan" not in svg
    ends = [float(part.split('"')[0]) for line in svg.split('class="whisker"')[1:] for part in line.split('x2="')[1:2]]
    assert max(ends) < 500, "no interval of a share goes past 1"
