"""train, evaluate, predict, recipes, check, export --onnx, compare and fit as people type them, on rendered clips."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.api.class_clips import shared_clips, write_recipe

from cinescope.cli.app import run

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def class_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_clips(tmp_path_factory)


@pytest.fixture(scope="session")
def trained(class_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the recipe, without controls. To be read only."""
    place = tmp_path_factory.mktemp("trained")
    recipe = write_recipe(place / "colours.yaml", split="{by: every, count: 3, val: 0}")
    told = ["train", recipe, "--data", class_folder, "-o", place / "run", "--no-controls", "--no-cache", "--quiet"]
    assert run([str(a) for a in told]) == 0
    return place / "run"


@pytest.fixture(scope="session")
def fitted(class_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("fitted") / "model"
    assert run(["fit", str(class_folder), "-o", str(place), "--folds", "2", "--minutes", "0.05", "--quiet"]) == 0
    return place


def test_train_tells_what_each_input_earns_and_writes_the_report(
    class_folder: Path, tmp_path: Path, cinescope_cli: Cli
) -> None:
    recipe = write_recipe(tmp_path / "colours.yaml", split="{by: every, count: 3, val: 0}")
    place = tmp_path / "run"
    status, out, err = cinescope_cli("train", recipe, "--data", class_folder, "-o", place)
    assert status == 0, err
    assert "only picture" in out
    assert "sound adds" in out
    assert "picture earns" in out
    assert "Traceback" not in err
    page = (place / "report.html").read_text()
    assert "shuffled sound" in page
    assert {p.name for p in place.iterdir()} >= {"main", "only-picture", "recipe.yaml", "summary.json", "report.html"}
    lines = [json.loads(line) for line in (place / "main" / "examples.jsonl").read_text().splitlines()]
    measured = [json.loads(line)["key"] for line in (place / "main" / "predictions.jsonl").read_text().splitlines()]
    assert [line["key"] for line in lines] == measured
    assert Path(lines[0]["media"]).is_file()


def test_train_prints_json_that_a_program_can_read(class_folder: Path, tmp_path: Path, cinescope_cli: Cli) -> None:
    task = "{name: classification, target: label, settings: {watch: weighted_f1}}"
    recipe = write_recipe(tmp_path / "colours.yaml", split="{by: every, count: 3, val: 0}", task=task)
    told = ("train", recipe, "--data", class_folder, "-o", tmp_path / "run", "--no-controls", "--json", "--seeds", 2)
    status, out, err = cinescope_cli(*told, "--epochs", 2)
    assert (status, err) == (0, "")
    summary = json.loads(out)
    assert [r["seed"] for r in summary["results"]] == [0, 1]
    assert summary["labels"] == ["blue", "green", "red"]
    assert summary["results"][0]["epochs"] == 2
    assert summary["watched"] == "weighted_f1"
    page = Path(summary["report"]).read_text()
    assert page.index("<span>weighted_f1") < page.index("accuracy")  # the one figure that counts


def test_a_run_is_not_overwritten_and_goes_on_with_resume(
    class_folder: Path, tmp_path: Path, cinescope_cli: Cli
) -> None:
    recipe = write_recipe(tmp_path / "colours.yaml", split="{by: every, count: 3, val: 0}")
    told = ("train", recipe, "--data", class_folder, "-o", tmp_path / "run", "--no-controls", "--epochs", 2)
    assert cinescope_cli(*told)[0] == 0
    status, _, err = cinescope_cli(*told)
    assert status == 1
    assert "holds a run already" in err
    kept = (tmp_path / "run" / "main" / "best" / "model.safetensors").stat().st_mtime_ns
    assert cinescope_cli(*told, "--resume")[0] == 0
    assert (tmp_path / "run" / "main" / "best" / "model.safetensors").stat().st_mtime_ns == kept
    other = write_recipe(tmp_path / "colours.yaml", split="{by: every, count: 3, val: 0}", name="other")
    status, _, err = cinescope_cli(*told[:1], other, *told[2:], "--resume")
    assert status == 1
    assert "another recipe" in err


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"fusion": "{nam: concat}"}, 2, "did you mean 'name'"),
        ({"fusion": "{name: concatt}"}, 3, "did you mean concat"),
        ({"fusion": "{name: concat, dim: wide}"}, 2, "fusion.dim"),
        ({"task": "{name: classification, target: lable}"}, 2, "label"),
        ({"task": "{name: classificatio, target: label}"}, 3, "did you mean classification"),
        ({"train": "{epochs: 0}"}, 2, "epochs"),
        ({"train": "{lr: fast}"}, 2, "train.lr"),
        ({"data": "{reader: folder}"}, 3, "did you mean folders"),
        ({"split": "{by: folds, count: 1}"}, 2, "split.count"),
        ({"split": "{by: folds, count: 99, val: 0}"}, 2, "ask for 15 or fewer"),
        ({"split": "{by: groups, hold_out: [nobody]}"}, 2, "no group 'nobody'"),
        ({"data": "{reader: folders, leave_out: [red/none.mp4]}"}, 2, "red/none.mp4"),
    ],
)
def test_a_bad_recipe_is_told_in_a_sentence(
    changes: dict[str, str], status: int, said: str, class_folder: Path, tmp_path: Path, cinescope_cli: Cli
) -> None:
    recipe = write_recipe(tmp_path / "bad.yaml", **changes)
    got, out, err = cinescope_cli("train", recipe, "--data", class_folder, "-o", tmp_path / "run", "--quiet")
    assert said in err
    assert got == status
    assert out == ""
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 2


def test_recipes_lists_and_prints(cinescope_cli: Cli) -> None:
    status, out, _ = cinescope_cli("recipes")
    assert status == 0
    assert "spoken_digits" in out
    status, out, _ = cinescope_cli("recipes", "spoken_digits")
    assert out.startswith("# cinescope train spoken_digits")
    listed = json.loads(cinescope_cli("recipes", "--json")[1])
    assert listed["spoken_digits"]["reads"] == "fsdd"
    status, _, err = cinescope_cli("recipes", "spoken_digit")
    assert status == 3
    assert "did you mean spoken_digits?" in err


def test_evaluate_measures_what_training_held_out(trained: Path, class_folder: Path, cinescope_cli: Cli) -> None:
    summary = json.loads((trained / "summary.json").read_text())
    answers = trained.parent / "answers.jsonl"
    status, out, err = cinescope_cli("evaluate", trained, "--data", class_folder, "--out", answers, "--json")
    assert status == 0, err
    made = json.loads(out)
    assert made["metrics"]["accuracy"] == pytest.approx(summary["results"][0]["metrics"]["accuracy"])
    assert made["rows"] == summary["results"][0]["rows"] == len(answers.read_text().splitlines())
    assert cinescope_cli("evaluate", trained, "--data", class_folder, "--split", "train")[0] == 0
    status, _, err = cinescope_cli("evaluate", trained, "--data", class_folder, "--split", "summer")
    assert status == 2
    assert "summer" in err


def test_predict_tells_of_new_files(trained: Path, class_folder: Path, cinescope_cli: Cli) -> None:
    films = sorted((class_folder / "red").glob("*.mp4"))[:2]
    status, out, err = cinescope_cli("predict", trained, *films)
    assert status == 0, err
    assert out.count("0:00.00 to") == 2
    made = json.loads(cinescope_cli("predict", trained, films[0], "--json")[1])["predictions"]
    assert made[0]["label"] in ("red", "green", "blue")
    assert 1 / 3 <= made[0]["score"] <= 1
    status, _, err = cinescope_cli("predict", trained, class_folder / "none.mp4")
    assert status != 0
    assert "none.mp4" in err
    status, _, err = cinescope_cli("predict", class_folder, films[0])
    assert status == 3
    assert "no checkpoint" in err


def test_export_writes_a_graph_that_is_held_to_pytorch(trained: Path, tmp_path: Path, cinescope_cli: Cli) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    target = tmp_path / "model.onnx"
    status, out, err = cinescope_cli("export", trained, "--onnx", "-o", target, "--json")
    assert status == 0, err
    assert json.loads(out)["difference"] < 1e-4
    assert target.stat().st_size > 1000
    assert json.loads((tmp_path / "model.json").read_text())["labels"] == ["blue", "green", "red"]


def test_check_holds_a_part_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cinescope_cli: Cli) -> None:
    status, out, _ = cinescope_cli("check", "mean", "--json")
    assert status == 0
    assert all(f["result"] != "failed" for f in json.loads(out)["findings"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_deaf.py").write_text(
        "from cinescope.nn.pooling.simple import Mean\n\n\nclass Deaf(Mean):\n"
        "    def forward(self, sequences):\n        return sequences.values.mean(1)\n"
    )
    status, out, _ = cinescope_cli("check", "my_deaf:Deaf")
    assert status == 1
    assert "failed" in out
    status, _, err = cinescope_cli("check", "concatt")
    assert status == 3
    assert "concat" in err


def test_compare_holds_recipes_against_each_other(class_folder: Path, tmp_path: Path, cinescope_cli: Cli) -> None:
    split = "{by: every, count: 3, val: 0}"
    good = write_recipe(tmp_path / "good.yaml", split=split, train="{epochs: 6, batch: 8, lr: 0.02}")
    weak = write_recipe(tmp_path / "weak.yaml", split=split, train="{epochs: 1, batch: 8, lr: 0.000001}")
    broken = write_recipe(tmp_path / "broken.yaml", split=split, fusion="{name: concat, settings: {poool: mean}}")
    place = tmp_path / "bench"
    told = ("compare", good, weak, broken, "--data", class_folder, "--seeds", 2, "-o", place)
    status, out, err = cinescope_cli(*told)
    assert status == 1
    assert "'broken' failed" in err
    assert "did you mean" not in out
    assert "weak" in out
    for name in ("compare.json", "compare.md", "compare.svg", "compare.html", "good/report.html", "weak/report.html"):
        assert (place / name).exists(), name
    made = json.loads((place / "compare.json").read_text())
    assert [e["name"] for e in made["entries"]] == ["good", "weak", "broken"]
    assert made["entries"][1]["by_seeds"]["value"] < 0
    assert all(e["row_seconds"] > 0 and e["bytes"] > 1000 for e in made["entries"][:2])
    status, out, err = cinescope_cli(*told[:1], good, weak, *told[4:], "--resume", "--json", "--quiet")
    assert status == 0, err
    assert json.loads(out)["entries"][0]["value"] == pytest.approx(made["entries"][0]["value"])


def test_fit_makes_a_model_of_a_folder(fitted: Path, class_folder: Path, cinescope_cli: Cli) -> None:
    assert {p.name for p in fitted.iterdir()} >= {"best", "folds", "recipe.yaml", "report.html", "summary.json"}
    status, out, err = cinescope_cli("predict", fitted, class_folder / "green" / "green1.mp4", "--json")
    assert status == 0, err
    assert json.loads(out)["predictions"][0]["label"] in ("red", "green", "blue")
    status, _, err = cinescope_cli("evaluate", fitted)
    assert status == 2
    assert "trained on all rows" in err
    status, _, err = cinescope_cli("fit", class_folder, "-o", fitted)
    assert status == 1
    assert "holds a model already" in err


def test_the_recipe_that_fit_writes_can_be_trained(fitted: Path, tmp_path: Path, cinescope_cli: Cli) -> None:
    told = ("train", fitted / "recipe.yaml", "-o", tmp_path / "again", "--no-controls", "--epochs", 1, "--json")
    status, out, err = cinescope_cli(*told)
    assert status == 0, err
    assert len(json.loads(out)["results"]) == 2
