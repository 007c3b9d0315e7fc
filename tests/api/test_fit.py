"""What fit makes of a folder: which recipe and why, and what it says of folders that no model can be made of."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.api.class_clips import shared_clips

from cinescope.api.check_data import read_data
from cinescope.api.fit import _warnings, _within, fit
from cinescope.api.fit_choice import Chosen, Found, choose, folds_for, look
from cinescope.api.recipe import Recipe, parse
from cinescope.api.trained import predict
from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.splits import Fold
from cinescope.training.watching import Progress
from cinescope.types import BadQueryError, CinescopeError


@pytest.fixture(scope="module")
def clips_of_classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_clips(tmp_path_factory)


def dataset(rows: int, labels: tuple[str, ...] = ("a", "b"), groups: int = 0, **more: object) -> Dataset:
    examples = tuple(
        Example(
            str(i), texts={"speech": f"words {i}"}, targets={"label": labels[i % len(labels)]},
            group=f"g{i % groups}" if groups else "",
        )
        for i in range(rows)
    )  # fmt: skip
    return Dataset("rows", examples, {"label": Target("class", labels)})


def found_of(rows: int, **more: object) -> Found:
    made = dataset(rows)
    told = {"pictures": 0, "stills": 0, "sounds": 0, "texts": {}, "seconds": 4.0, **more}
    return Found(made, "label", rows, **told)  # type: ignore[arg-type]


def chosen(found: Found) -> dict[str, object]:
    made = choose(found, "x", "folders", Path("clips"), {}, None, None, 0)
    parse(made.recipe)  # it is a recipe
    return made.recipe


def test_few_clips_get_summaries_and_many_get_networks() -> None:
    few = chosen(found_of(60, pictures=60, sounds=60))
    assert set(few["inputs"]) == {"picture", "motion", "sound"}  # type: ignore[call-overload]
    assert few["inputs"]["picture"]["summary"] == "stats"  # type: ignore[index]
    assert few["split"]["count"] == 5  # type: ignore[index]
    many = chosen(found_of(3000, pictures=3000, sounds=3000))
    assert many["inputs"]["picture"]["encoder"]["name"] == "chain"  # type: ignore[index]
    assert many["inputs"]["sound"]["encoder"]["name"] == "audio_cnn"  # type: ignore[index]
    assert many["split"]["count"] == 3  # type: ignore[index]
    assert many["controls"] is False


def test_stills_have_no_motion_and_words_are_read() -> None:
    few = chosen(found_of(60, pictures=60, stills=60, texts={"speech": 60}))
    assert set(few["inputs"]) == {"picture", "words"}  # type: ignore[call-overload]
    assert few["inputs"]["picture"]["summary"] == "mean"  # type: ignore[index]
    many = chosen(found_of(3000, pictures=3000, stills=3000))
    assert many["inputs"]["picture"]["encoder"]["name"] == "resnet9"  # type: ignore[index]


def test_a_pretrained_model_on_this_machine_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from cinescope.features import models as shelf

    monkeypatch.setattr(shelf, "backbones", lambda: {"my-clip": "feature clip", "my-bert": "feature bert"})
    monkeypatch.setattr(shelf, "encoders", lambda: {"minilm": Path("minilm")})
    made = chosen(found_of(60, pictures=60, texts={"title": 60}))
    assert made["inputs"]["picture"]["features"] == ["clip"]  # type: ignore[index]
    assert made["inputs"]["picture"]["settings"]["clip"]["model"] == "my-clip"  # type: ignore[index]
    assert made["inputs"]["words"]["features"] == ["sentence"]  # type: ignore[index]
    assert made["inputs"]["words"]["text"] == "title"  # type: ignore[index]


def test_a_score_is_a_regression() -> None:
    rows = tuple(Example(str(i), texts={"speech": "x"}, targets={"rating": float(i)}) for i in range(30))
    found = Found(Dataset("rows", rows, {"rating": Target("score")}), "rating", 30, 0, 0, 0, {"speech": 30}, 1.0)
    made = chosen(found)
    assert made["task"] == {"name": "regression", "target": "rating"}
    assert "balanced" not in made["train"]  # type: ignore[operator]


def test_an_input_that_most_rows_lack_is_not_used() -> None:
    assert set(chosen(found_of(60, pictures=60, sounds=20))["inputs"]) == {"picture", "motion"}  # type: ignore[call-overload]


def test_folds_are_as_many_as_the_smallest_class_allows() -> None:
    why: list[str] = []
    assert folds_for(Found(dataset(40, groups=6), "label", 40, 0, 0, 0, {}, 1.0), None, why) == 3
    assert "nor anything else of its group" in why[0]
    folds_for(Found(dataset(40, groups=5), "label", 40, 0, 0, 0, {}, 1.0), None, why)
    assert "there are 5)" in why[1]  # each speaker says both classes
    with pytest.raises(BadQueryError, match="9 folds need 9 groups of every class, and the smallest has 3"):
        folds_for(Found(dataset(40, groups=6), "label", 40, 0, 0, 0, {}, 1.0), 9, why)
    with pytest.raises(BadQueryError, match="all clips of 'a' are of one group"):
        folds_for(Found(dataset(40, groups=2), "label", 40, 0, 0, 0, {}, 1.0), None, why)


@pytest.mark.parametrize(
    ("labels", "rows", "said"),
    [(("a",), 5, "all 5 rows are 'a'"), (("a", "b", "c"), 5, "the class 'c' has a single clip")],
)
def test_nothing_to_learn_is_said(labels: tuple[str, ...], rows: int, said: str) -> None:
    with pytest.raises(BadQueryError, match=said):
        look(dataset(rows, labels))


def test_a_folder_without_media_or_labels_is_said(tmp_path: Path, clips_of_classes: Path) -> None:
    with pytest.raises(BadQueryError, match="there is no "):
        fit(tmp_path / "none", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadQueryError, match="holds no videos, sounds or pictures"):
        fit(tmp_path / "empty", tmp_path / "out")
    (tmp_path / "flat").mkdir()
    shutil.copy(clips_of_classes / "red" / "red0.mp4", tmp_path / "flat" / "a.mp4")
    with pytest.raises(BadQueryError, match="holds 1 files of media and nothing that says what they are"):
        fit(tmp_path / "flat", tmp_path / "out")
    for name in ("a", "b"):
        (tmp_path / "rotten" / name).mkdir(parents=True)
        for number in range(2):
            (tmp_path / "rotten" / name / f"{number}.mp4").write_bytes(b"no film")
    with pytest.raises(BadQueryError, match="none of the 4 files can be read"):
        fit(tmp_path / "rotten", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_broken_files_are_listed_and_left_out(tmp_path: Path, clips_of_classes: Path) -> None:
    shutil.copytree(clips_of_classes, tmp_path / "clips")
    (tmp_path / "clips" / "red" / "zero.mp4").write_bytes(b"")
    found = look(read_data(tmp_path / "clips"))
    assert [m.key for m in found.broken] == ["red/zero.mp4"]
    assert found.rows == 15
    assert (found.pictures, found.stills, found.sounds) == (15, 0, 15)
    recipe = choose(found, "x", "folders", tmp_path / "clips", {}, None, None, 0).recipe
    assert recipe["data"]["leave_out"] == ["red/zero.mp4"]


def test_a_class_of_one_film_is_said_before_and_in_the_report(tmp_path: Path) -> None:
    """By the names of its files; more of how it is known is in tests/datasets/test_checking.py."""
    from PIL import Image

    from cinescope.api.train import Telling

    for label, film, colour in (("boat", "lake", 200), ("cat", "sofa", 40)):
        (tmp_path / "stills" / label).mkdir(parents=True)
        for number in range(4):
            picture = Image.new("RGB", (32, 32), (colour, 10 * number, 90))
            picture.save(tmp_path / "stills" / label / f"{film}_{number}.png")
    said: list[str] = []
    made = fit(tmp_path / "stills", tmp_path / "out", minutes=0.01, telling=Telling(saying=said.append))
    (warning,) = made.warnings
    assert warning.startswith("the rows of 2 of 2 classes are of one source each, such as all 4 of 'boat' of 'lake'")
    assert "accuracy says little: add rows of other sources" in warning
    assert said[0] == f"note: {warning}"  # before anything is trained
    page = Path(made.report).read_text(encoding="utf-8")
    assert "of one source each" in page
    assert any("to keep within the minutes given" in sentence for sentence in made.why)
    assert "to keep within the minutes given" in Path(made.recipe).read_text(encoding="utf-8").replace("\n ", "")


def test_what_the_files_say_of_their_recording_is_looked_at(tmp_path: Path) -> None:
    from tests.conftest import write_clip

    for label, title in (("boat", "Holiday"), ("cat", "")):
        (tmp_path / label).mkdir()
        for name in "ab":
            write_clip(tmp_path / label / f"{name}{label}.mp4", [("", (90, 90, 90))], 0.4, title)
    (warning,) = _warnings(look(read_data(tmp_path)))
    assert "all 2 rows of 'boat' are of one source, 'Holiday' (by what the files say of themselves)" in warning


@pytest.mark.parametrize(
    ("seconds", "roles", "epochs", "folds", "controls"),
    [
        (100.0, 1, 20, 5, True),  # 20 epochs of 0.4 s, over 4 folds' rows and all of them: 40 s
        (35.0, 1, 20, 4, True),
        (18.5, 1, 15, 3, True),
        (3.0, 1, 3, 2, True),
        (0.0, 1, 1, 2, True),
        (100.0, 2, 20, 5, False),  # 168 s with controls
        (200.0, 2, 20, 5, True),
    ],
)
def test_a_budget_cuts_controls_then_folds_then_epochs(
    monkeypatch: pytest.MonkeyPatch, seconds: float, roles: int, epochs: int, folds: int, controls: bool
) -> None:
    """The first step takes 5 s, as where something is compiled: it must not count as one of 4 in each epoch."""

    def train_one(ready: object, *told: object) -> None:
        watch = told[5]
        assert callable(watch)
        for step, at in enumerate((5.0, 5.1, 5.2, 5.3)):
            watch(Progress(1, 1, step + 1, 4, 1.0, 0.1, at, 0.0, {}))

    monkeypatch.setattr("cinescope.api.train.train_one", train_one)
    one = {"features": ["mfcc"], "encoder": {"name": "linear"}}
    recipe = parse(
        {
            "name": "x",
            "data": {"reader": "folders"},
            "split": {"by": "folds", "count": 5, "val": 0},
            "inputs": {f"role{n}": one for n in range(roles)},
            "task": {"name": "classification", "target": "label"},
            "train": {"epochs": 20},
        }
    )
    preparation: Any = SimpleNamespace(ready=lambda fold, seed: Timed(recipe))
    made = _within(recipe, preparation, Fold("all", (Example("a"),), (), ()), seconds, Chosen({}), lambda s: None)
    assert (made.train.epochs, made.split.count, made.controls) == (epochs, folds, controls)


@dataclass
class Timed:
    recipe: Recipe


def test_a_table_of_texts_becomes_a_model_that_answers(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    words = {"joy": ["lovely", "great", "sunny"], "anger": ["awful", "rotten", "broken"]}
    lines = ["text,emotion"]
    for _ in range(8):
        lines += [f"this is {random.choice(words[e])} and {random.choice(words[e])},{e}" for e in words]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    said: list[str] = []
    from cinescope.api.train import Telling

    made = fit(tmp_path / "rows.csv", tmp_path / "out", folds=2, telling=Telling(saying=said.append))
    assert made.reader == "csv_file"
    assert made.metrics["accuracy"] > 0.9
    assert any("TF-IDF" in sentence for sentence in said)
    assert made.left_out == ()
    from cinescope.tasks.trained import load

    model = load(tmp_path / "out")
    answer = model.answer([Example("new", texts={"speech": "a lovely sunny day"})])[0]
    assert model.labels[answer["label"]] == "joy"
    (asked,) = predict(tmp_path / "out", [], "a lovely sunny day")
    assert (asked.label, asked.span, asked.row) == ("joy", None, "")
    (tmp_path / "new.csv").write_text('text\n"this is lovely and sunny"\n""\n"this is rotten and awful"\n')
    told = predict(tmp_path / "out", [tmp_path / "new.csv"])
    assert [(one.row, one.label) for one in told] == [("new:2", "joy"), ("new:3", ""), ("new:4", "anger")]
    assert (told[1].score, told[1].absent) == (None, ("words",))
    with pytest.raises(CinescopeError, match="nothing to look at"):
        predict(tmp_path / "out", [])
    with pytest.raises(CinescopeError, match="holds a model already"):
        fit(tmp_path / "rows.csv", tmp_path / "out")
