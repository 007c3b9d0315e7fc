from __future__ import annotations

import fnmatch
import os
from pathlib import Path
from typing import Any

import pytest

from cinescope.features import models
from cinescope.types import CinescopeError, MissingPartError

NAME = "faster-whisper-tiny"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder, and no Hugging Face cache."""
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "models"


def hub(files: dict[str, bytes], then: BaseException | None = None) -> Any:
    """A stand-in for huggingface_hub.snapshot_download that has these files."""

    def download(repository: str, local_dir: str, allow_patterns: list[str]) -> str:
        for name, data in files.items():
            if any(fnmatch.fnmatch(name, pattern) for pattern in allow_patterns):
                Path(local_dir).mkdir(parents=True, exist_ok=True)
                (Path(local_dir) / name).write_bytes(data)
        if then is not None:
            raise then
        return local_dir

    return download


GOOD = {"config.json": b"{}", "model.bin": b"\x06\0\0\0", "tokenizer.json": b"{}", "evil.py": b"import os"}


def test_what_is_known_says_what_a_person_wants_to_know() -> None:
    for model in models.MODELS:
        assert model.purpose
        assert model.licence
        assert model.size > 1_000_000
        assert not {p for p in model.files if p.endswith((".pt", ".pth", ".pkl", ".py", "*"))} - {"vocabulary.*"}
    with pytest.raises(MissingPartError, match="faster-whisper-small"):
        models.known("gpt-9")


def test_the_folder_is_where_the_person_says(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert models.models_folder() == folder
    monkeypatch.delenv("CINESCOPE_MODELS")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert models.models_folder() == Path("/somewhere/cinescope/models")


def test_nothing_is_here_at_first() -> None:
    assert models.present() == {}
    assert models.find(NAME) is None
    assert models.find("../etc") is None
    assert models.find("") is None


def test_a_fetched_model_is_found_and_not_fetched_again(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(GOOD))
    told: list[tuple[int, int]] = []
    place = models.get(NAME, lambda done, total: told.append((done, total)))
    assert place == folder / NAME == models.find(NAME)
    assert sorted(p.name for p in place.iterdir()) == ["config.json", "model.bin", "tokenizer.json"]
    assert told[-1] == (models.known(NAME).size,) * 2
    assert models.present("faster-whisper-") == {NAME: place}
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    assert models.get(NAME) == place


def test_a_hub_out_of_reach_is_one_sentence_with_what_works_without(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", "http://127.0.0.1:9")
    with pytest.raises(MissingPartError) as caught:
        models.get(NAME)
    assert "\n" not in str(caught.value)
    assert "could not be fetched from the Hugging Face hub" in caught.value.what
    assert "pocketsphinx" in caught.value.do
    assert list(folder.iterdir()) == []


def test_a_fetch_that_is_broken_off_leaves_nothing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(GOOD, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        models.get(NAME)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_said_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(GOOD, OSError(28, "No space left on device")))
    with pytest.raises(CinescopeError, match=r"No space left.*free 78 MB"):
        models.get(NAME)


def test_a_folder_that_cannot_be_made_is_said_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(CinescopeError, match="CINESCOPE_MODELS"):
        models.get(NAME)


@pytest.mark.parametrize("start", [b"\x80\x04\x95", b"PK\x03\x04"])
def test_a_pickle_is_not_taken(monkeypatch: pytest.MonkeyPatch, folder: Path, start: bytes) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(GOOD | {"model.bin": start + b"..."}))
    with pytest.raises(MissingPartError, match="pickle"):
        models.get(NAME)
    assert list(folder.iterdir()) == []


def test_a_repository_without_the_needed_files_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub({"config.json": b"{}"}))
    with pytest.raises(MissingPartError, match=r"lacks model\.bin and tokenizer\.json"):
        models.get(NAME)


def test_a_damaged_folder_is_fetched_anew(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / NAME).mkdir(parents=True)
    (folder / NAME / "config.json").write_text("old")
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub(GOOD))
    assert (models.get(NAME) / "config.json").read_text() == "{}"


def test_models_of_the_hugging_face_cache_are_found(tmp_path: Path) -> None:
    revision = "0123456789abcdef0123456789abcdef01234567"
    store = tmp_path / "hub" / "models--Systran--faster-whisper-tiny"
    (store / "refs").mkdir(parents=True)
    (store / "refs" / "main").write_text(revision)
    snapshot = store / "snapshots" / revision
    snapshot.mkdir(parents=True)
    for name in ("config.json", "model.bin"):
        (snapshot / name).write_bytes(b"{}")
    assert models.find(NAME) is None  # not complete
    (snapshot / "tokenizer.json").write_bytes(b"{}")
    assert models.find(NAME) == snapshot


def test_the_most_able_comes_last_and_models_by_hand_first(folder: Path) -> None:
    for name in ("faster-whisper-small", "faster-whisper-tiny", "faster-whisper-mine", "other", ".fetching-x"):
        (folder / name).mkdir(parents=True)
    assert list(models.present("faster-whisper-")) == [
        "faster-whisper-mine",
        "faster-whisper-tiny",
        "faster-whisper-small",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_without_permission_is_said_as_such(folder: Path) -> None:
    folder.mkdir(mode=0)
    with pytest.raises(MissingPartError, match="permissions"):
        models.present()
