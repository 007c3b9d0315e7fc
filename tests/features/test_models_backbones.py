"""Pretrained backbones among the models: fetched as they are, refused where no feature could read them."""

from __future__ import annotations

import fnmatch
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.features.tiny_backbones import Tiny, pictures, tiny

from cinescope.features import CATALOGUE, EXTRACTORS, models
from cinescope.features.backbones.shelf import BACKBONES, FAMILIES, fetchable, kinds_of
from cinescope.types import MissingPartError

__all__ = ["tiny"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "models"


def hub(repository: str, source: Path, without: str = "", more: dict[str, bytes] | None = None) -> Any:
    """A stand-in for huggingface_hub.snapshot_download that has one checkpoint, beside files that nobody wants."""

    def download(asked: str, local_dir: str, allow_patterns: list[str]) -> str:
        assert asked == repository
        files = {p.name: p.read_bytes() for p in source.iterdir() if p.name != without}
        for name, data in (files | {"pytorch_model.bin": b"\x80\x02.", "evil.py": b"1/0"} | (more or {})).items():
            if any(fnmatch.fnmatch(name, pattern) for pattern in allow_patterns):
                Path(local_dir).mkdir(parents=True, exist_ok=True)
                (Path(local_dir) / name).write_bytes(data)
        return local_dir

    return download


def test_one_by_its_name_is_fetched_and_read(monkeypatch: pytest.MonkeyPatch, tiny: Tiny, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub("openai/clip-vit-base-patch32", tiny("clip")))
    place = models.get("backbone-clip")
    assert place == folder / "backbone-clip"
    assert not {p.name for p in place.iterdir()} & {"pytorch_model.bin", "evil.py"}
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    assert models.get("backbone-clip") == place
    made = EXTRACTORS.create("clip", model="backbone-clip")(pictures(2)).values
    np.testing.assert_array_equal(made, EXTRACTORS.create("clip", model=str(tiny("clip")))(pictures(2)).values)
    assert models.backbones() == {"backbone-clip": "feature clip"}


def test_any_of_the_hub_is_fetched_by_its_repository(monkeypatch: pytest.MonkeyPatch, tiny: Tiny, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub("someone/tiny", tiny("dinov2")))
    place = models.get("backbone:someone/tiny")
    assert place == folder / "backbone--someone--tiny"
    assert len(EXTRACTORS.create("vit", model="someone/tiny")(pictures(2))) == 2
    # A model made for search, of the same repository, is another folder.
    assert models.known("someone/tiny").name == "someone--tiny"


@pytest.mark.parametrize(
    ("without", "more", "said"),
    [
        ("model.safetensors", {}, r"has its weights as|has no weights"),
        ("config.json", {}, r"lacks config\.json"),
        ("", {"model.safetensors": b"\x80\x02...."}, r"is a pickle, which could run code"),
        ("", {"model.safetensors": b"{}"}, "is cut off or no safetensors file"),
        ("", {"config.json": b'{"model_type": "llama"}'}, "is a model of the kind 'llama', which no feature reads"),
    ],
)
def test_what_no_feature_reads_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tiny: Tiny, folder: Path, without: str, more: dict[str, bytes], said: str
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub("someone/tiny", tiny("dinov2"), without, more))
    with pytest.raises(MissingPartError, match=said) as caught:
        models.get("backbone:someone/tiny")
    assert list(folder.iterdir()) == []
    assert "\n" not in str(caught.value)


def test_a_known_one_without_safe_weights_says_so(monkeypatch: pytest.MonkeyPatch, tiny: Tiny, folder: Path) -> None:
    source = hub("microsoft/resnet-50", tiny("resnet"), without="model.safetensors")
    monkeypatch.setattr("huggingface_hub.snapshot_download", source)
    with pytest.raises(MissingPartError, match=r"lacks model\.safetensors.*never a pickle"):
        models.get("backbone-resnet")


def test_the_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", "http://127.0.0.1:9")
    with pytest.raises(MissingPartError, match="run `cinescope models get backbone:someone/tiny` again"):
        models.get("backbone:someone/tiny")
    assert list(folder.iterdir()) == []


def test_a_model_that_is_no_encoder_is_shown_the_way(monkeypatch: pytest.MonkeyPatch, tiny: Tiny, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub("someone/tiny", tiny("videomae")))
    with pytest.raises(MissingPartError, match="for features: `cinescope models get backbone:someone/tiny`"):
        models.get("someone/tiny")


def test_a_known_one_in_the_hugging_face_cache_is_found(tiny: Tiny, tmp_path: Path) -> None:
    store = tmp_path / "hub" / "models--google--vit-base-patch16-224"
    shutil.copytree(tiny("vit"), store / "snapshots" / "abc")
    (store / "refs").mkdir()
    (store / "refs" / "main").write_text("abc")
    assert len(EXTRACTORS.create("vit", model="backbone-vit")(pictures(1))) == 1


def test_the_list_shows_each_family_and_how_to_get_it(
    tiny: Tiny, folder: Path, cinescope_cli: Callable[..., tuple[int, str, str]]
) -> None:
    shutil.copytree(tiny("whisper"), folder / "backbone--someone--tiny")
    status, out, _ = cinescope_cli("models", "--json")
    assert status == 0
    listed = {m["name"]: m for m in json.loads(out)["models"]}
    assert listed["backbone--someone--tiny"]["purpose"] == "feature whisper"
    for entry in BACKBONES:
        assert listed[entry.name]["place"] is None
        assert listed[entry.name]["licence"]
        assert listed[entry.name]["bytes"] > 1_000_000
        assert entry.feature in listed[entry.name]["purpose"]


def test_every_family_has_a_feature_and_a_model_to_fetch() -> None:
    import transformers

    for kind, family in FAMILIES.items():
        assert family.feature in CATALOGUE
        assert fetchable(family.feature)
        assert kind in kinds_of(family.feature)
        for name in family.classes.values():
            assert ":" in name or hasattr(transformers, name)
    assert all(entry.feature in CATALOGUE for entry in BACKBONES)
    assert len({entry.name for entry in BACKBONES}) == len(BACKBONES)
