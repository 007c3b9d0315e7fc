"""Every recipe that comes along builds; those that render their clips run from end to end, on a few rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from cinescope.api import recipe as recipes  # noqa: E402
from cinescope.api import train as api  # noqa: E402
from cinescope.api import trained  # noqa: E402
from cinescope.api.building import input_spec, make_task  # noqa: E402
from cinescope.api.recipe import Recipe  # noqa: E402
from cinescope.datasets import DATASETS  # noqa: E402
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec  # noqa: E402
from cinescope.training.settings import TrainSettings  # noqa: E402
from cinescope.types import BadQueryError, MissingPartError  # noqa: E402

SHIPPED = sorted(recipes.shipped())
RENDERED = [name for name in SHIPPED if recipes.load(name).data.reader == "worlds"]
FEW = {"counts": {"train": 12, "val": 3, "test": 4}, "size": [16, 16]}


@pytest.mark.parametrize("name", SHIPPED)
def test_it_begins_with_its_command_and_says_what_it_is(name: str) -> None:
    first = recipes.shipped()[name].read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"# cinescope train {name}")
    assert recipes.load(name).about


@pytest.mark.parametrize("name", SHIPPED)
def test_its_parts_are_there_and_take_its_settings(name: str) -> None:
    told = recipes.load(name)
    DATASETS.load(told.data.reader)
    TrainSettings(**told.train.model_dump())
    encoders = {}
    for role, one in told.inputs.items():
        input_spec(one)
        encoders[role] = EncoderSpec(one.encoder.name, 40, one.encoder.dim or 64, dict(one.encoder.settings))
    heads = {n: PartSpec(h["name"], h["settings"]) for n, h in make_task(told).heads(("one", "two")).items()}
    fusion = PartSpec(told.fusion.name, dict(told.fusion.settings))
    model = ModelSpec(encoders, fusion, told.fusion.dim or 64, heads).build(0)
    assert sum(p.numel() for p in model.parameters()) > 0


def test_there_is_one_for_each_named_model() -> None:
    assert {"frame_cnn", "cnn_lstm_text", "cnn_rnn_attention", "three_transformers"} <= set(RENDERED)


def test_a_set_is_all_its_recipes_on_the_same_clips(tmp_path: Path) -> None:
    motion = recipes.find_all("motion")
    assert {"hog", "cnn_lstm", "timesformer"} <= set(motion)
    told = [recipes.load(place) for place in motion.values()]
    assert len({one.data.model_dump_json() for one in told}) == 1
    assert recipes.find_all("motion/hog") == {"hog": motion["hog"]}
    assert list(recipes.find_all(motion["hog"].parent)) == sorted(motion)
    with pytest.raises(BadQueryError, match="has no recipes"):
        recipes.find_all(tmp_path)
    with pytest.raises(MissingPartError, match="did you mean motion/hog"):
        recipes.find_all("motion/hogg")


def test_emotions_are_chosen_and_told_by_weighted_f1() -> None:
    """Nearly half of MELD is neutral: accuracy would choose the epoch that says so most often."""
    task = make_task(recipes.load("meld_emotion"))
    assert task.best == "weighted_f1"


def few(told: Recipe, **settings: Any) -> Recipe:
    data = told.data.model_copy(update={"settings": {**told.data.settings, **settings}})
    train = told.train.model_copy(update={"epochs": 1, "batch": 6, "threads": 1})
    return told.model_copy(update={"data": data, "train": train})


@pytest.mark.parametrize("name", RENDERED)
def test_it_trains_and_is_measured_again(name: str, tmp_path: Path) -> None:
    told = few(recipes.load(name), **FEW)
    summary = api.run(told, tmp_path / "run", controls=False)
    (result,) = summary.of(api.MAIN)
    assert (result.measured_on, result.rows, result.epochs) == ("test", 4, 1)
    again = trained.evaluate(tmp_path / "run")
    assert again.metrics == pytest.approx(result.metrics)


@pytest.fixture
def mosi(tmp_path: Path) -> Path:
    """Four videos of three utterances to train on; two of another, with no sound features, to test on."""
    chance = torch.Generator().manual_seed(0)
    for part, videos in (("train", 4), ("test", 2)):
        folder = tmp_path / part
        folder.mkdir()
        ids = [(v, u) for v in range(videos) for u in range(3)]
        lines = [f"{part}{v}_{u},WORDS,3,{(v + u) % 2}" for v, u in ids]
        (folder / f"mosi_transcripts_{part}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for role, width in (("text", 100), ("audio", 73), ("video", 100)):
            if (part, role) == ("test", "audio"):
                continue
            rows = [[*torch.randn(width, generator=chance).tolist(), (v + u) % 2] for v, u in ids]
            text = "\n".join(",".join(str(x) for x in row) for row in rows)
            (folder / f"{role}_{part}0.csv").write_text(text + "\n", encoding="utf-8")
    return tmp_path


def test_the_contextual_recipe_is_fitted_on_all_and_measured_on_a_test_part_that_comes_later(mosi: Path) -> None:
    told = few(recipes.load("mosi_contextual"))
    summary = api.run(told, mosi / "run", data=mosi / "train")
    (result,) = summary.results
    assert (result.measured_on, result.rows) == ("train", 4), "rows are videos, and nothing is held out"
    assert trained.evaluate(mosi / "run", mosi / "train", "train").metrics == pytest.approx(result.metrics)

    later = trained.evaluate(mosi / "run", mosi / "test", "test", out=mosi / "answers.jsonl")
    assert later.rows == 2
    assert 0 <= later.metrics["accuracy"] <= 1
    lines = (mosi / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert '"key": "test0"' in lines[0]


def test_figures_on_rows_that_were_trained_on_are_said_to_mean_nothing(
    mosi: Path, cinescope_cli: Callable[..., tuple[int, str, str]]
) -> None:
    api.run(few(recipes.load("mosi_contextual")), mosi / "run", data=mosi / "train")
    run = ("evaluate", mosi / "run", "--quiet", "--data")
    status, out, err = cinescope_cli(*run, mosi / "train", "--split", "train")
    assert status == 0
    assert "mean nothing" in err
    assert "4 rows of 'train'" in out
    status, out, err = cinescope_cli(*run, mosi / "test")
    assert status == 0
    assert not err
    status, out, err = cinescope_cli(*run, mosi / "train")
    assert status == 2
    assert "nothing of 'mosi' was kept as 'test' in training" in err
