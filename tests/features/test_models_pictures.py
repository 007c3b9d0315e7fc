"""Picture models among the models: made from what the hub or a folder has, refused where that is something else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.features.tiny_pictures import as_onnx, tiny

from cinescope.features import models
from cinescope.features.backbones import onnx_graph
from cinescope.features.backbones.picture_encoder import PICTURE_FILES, PictureEncoder
from cinescope.types import MissingPartError

pytest.importorskip("onnx", reason="the extra meaning-build is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::Warning:torch.*", "ignore::Warning:transformers.*", "ignore:You are")

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "models"


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("checkpoint") / "clip", "clip")


def hub(source: Path, asked: list[str] | None = None) -> Any:
    """A stand-in for huggingface_hub.snapshot_download that has one checkpoint."""

    def download(repository: str, local_dir: str, allow_patterns: list[str]) -> str:
        for name in allow_patterns:
            if asked is not None:
                asked.append(name)
            if (source / name).is_file():
                (Path(local_dir) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / name, Path(local_dir) / name)
        return local_dir

    return download


def test_a_checkpoint_of_the_hub_becomes_a_picture_model(
    monkeypatch: pytest.MonkeyPatch, folder: Path, clip: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(clip))
    place = models.get("someone/tiny-clip")
    assert place == folder / "someone--tiny-clip"
    assert {p.name.removesuffix("_data") for p in place.iterdir()} == set(PICTURE_FILES)
    assert [p.name for p in folder.iterdir()] == [place.name]
    assert models.picture_models() == {"someone--tiny-clip": place}
    assert models.encoders() == {}
    assert PictureEncoder(place).texts(["a red car"]).shape == (1, 24)
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    assert models.get("someone/tiny-clip") == place


def test_ready_graphs_are_preferred_and_need_no_extra(
    monkeypatch: pytest.MonkeyPatch, folder: Path, clip: Path, tmp_path: Path
) -> None:
    ready = as_onnx(clip, tmp_path / "ready")
    shutil.copy(clip / "model.safetensors", ready)
    asked: list[str] = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(ready, asked))
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    assert models.get("clip") == folder / "clip"
    assert "model.safetensors" not in asked
    assert list(models.picture_models()) == ["clip"]


def test_weights_are_not_fetched_where_nothing_could_be_made_of_them(
    monkeypatch: pytest.MonkeyPatch, folder: Path, clip: Path
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(clip, asked))
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingPartError, match=r"pip install 'cinescope\[meaning-build\]'"):
        models.get("someone/tiny-clip")
    assert "model.safetensors" not in asked
    assert list(folder.iterdir()) == []


def test_a_folder_of_this_machine_is_taken_without_the_hub(
    monkeypatch: pytest.MonkeyPatch, folder: Path, clip: Path, cinescope_cli: Cli
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    status, out, err = cinescope_cli("models", "get", clip)
    assert (status, err) == (0, ""), err
    assert out == f"clip is in {folder / 'clip'}\n"
    assert clip.is_dir()
    assert list(models.picture_models()) == ["clip"]
    status, out, _ = cinescope_cli("models", "--json")
    entry = next(m for m in json.loads(out)["models"] if m["name"] == "clip")
    assert entry["place"] == str(folder / "clip")


def test_the_list_says_what_a_model_is_for(clip: Path, tmp_path: Path, cinescope_cli: Cli) -> None:
    mine = Path(shutil.copytree(clip, tmp_path / "mine"))
    models.get(str(mine))
    _, out, _ = cinescope_cli("models")
    row = next(line for line in out.splitlines() if " mine " in line)
    assert row.startswith("here")
    assert "pictures by words" in row
    assert any(line.startswith("-") and " clip " in line for line in out.splitlines())


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"model_type": "gpt2"}', "of the kind 'gpt2', neither a text encoder nor a picture model"),
        ('{"model_type": "clip_text_model"}', "one half of a picture model"),
        ('{"model_type": "siglip2"}', "pictures of any size"),
        ("{}", "of the kind 'unknown'"),
        ("nothing", r"no config\.json that can be read"),
    ],
)
def test_another_kind_is_refused_before_its_weights_are_fetched(
    monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path, config: str, said: str
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text(config)
    (tmp_path / "other" / "model.safetensors").write_bytes(b"large")
    asked: list[str] = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(tmp_path / "other", asked))
    with pytest.raises(MissingPartError, match=said) as caught:
        models.get("someone/other")
    assert "\n" not in str(caught.value)
    assert asked == ["config.json"]
    assert list(folder.iterdir()) == []


def test_a_pickle_is_never_asked_for_and_its_checkpoint_refused(
    monkeypatch: pytest.MonkeyPatch, folder: Path, clip: Path, tmp_path: Path
) -> None:
    old = Path(shutil.copytree(clip, tmp_path / "old"))
    (old / "model.safetensors").rename(old / "pytorch_model.bin")
    asked: list[str] = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(old, asked))
    with pytest.raises(MissingPartError, match=r"has no model\.safetensors: .*cinescope models get clip"):
        models.get("someone/old")
    assert not [name for name in asked if name.endswith((".bin", ".pt", ".msgpack"))]
    with pytest.raises(MissingPartError, match="only as a pickle"):
        models.get(str(old))
    (old / "model.safetensors").write_bytes(b"\x80\x04\x95....")
    with pytest.raises(MissingPartError, match="is a pickle, which could run code"):
        models.get("someone/old")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["clip", "someone/tiny-clip"])
def test_a_hub_out_of_reach_is_one_sentence_with_what_works_without(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, cinescope_cli: Cli
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", "http://127.0.0.1:9")
    status, _, err = cinescope_cli("models", "get", name, "--quiet")
    assert status == 3
    assert len(err.strip().splitlines()) <= 2, err
    assert "could not be fetched from the Hugging Face hub" in err
    assert f"cinescope models get {name}" in err
    assert "what is seen is not searched" in err
    assert list(folder.iterdir()) == []


def test_what_is_made_is_what_the_checkpoint_computes(folder: Path, clip: Path) -> None:
    """Of a folder: the vectors are those of the graphs made from it directly."""
    place = models.get(str(clip))
    weights = onnx_graph.read_weights(clip / "model.safetensors")
    assert weights["visual_projection.weight"].shape == (24, 40)
    picture = np.zeros((20, 30, 3), np.uint8)
    assert np.isclose(np.linalg.norm(PictureEncoder(place).pictures([picture])), 1)
