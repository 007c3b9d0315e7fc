"""`library`, `analysers`, `models`, `doctor`: keeping house."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]


def test_a_library_says_what_it_is(cinescope_cli: Cli, indexed: Path) -> None:
    status, out, _ = cinescope_cli("library", "info", "--library", indexed)
    assert status == 0
    assert "3 videos, 12 seconds" in out
    facts = json.loads(cinescope_cli("library", "info", "--json", "--library", indexed)[1])
    assert facts["videos"] == 3
    assert facts["bytes"] > 1000
    assert facts["unfinished"] == 0


def test_backup_and_restore_give_the_same_answers(cinescope_cli: Cli, library: Path, tmp_path: Path) -> None:
    cinescope_cli("tag", "garden", "summer", "--library", library)
    assert cinescope_cli("library", "backup", tmp_path / "b.tar", "--library", library)[0] == 0
    status, out, _ = cinescope_cli("library", "restore", tmp_path / "b.tar", "--library", tmp_path / "again")
    assert status == 0
    assert "restored 3 videos" in out
    assert cinescope_cli("search", "red car", "--tag", "summer", "--library", tmp_path / "again")[0] == 0
    assert cinescope_cli("library", "restore", tmp_path / "b.tar", "--library", tmp_path / "again")[0] == 1
    (tmp_path / "c.tar").write_text("no archive")
    assert cinescope_cli("library", "restore", tmp_path / "c.tar", "--library", tmp_path / "other")[0] == 1


def test_verify_finds_damage(cinescope_cli: Cli, library: Path) -> None:
    assert cinescope_cli("library", "verify", "--library", library)[:2] == (0, "all is well\n")
    for file in (library / "segments.lance" / "data").rglob("*.lance"):
        file.write_bytes(b"\0" * file.stat().st_size)
    status, out, err = cinescope_cli("library", "verify", "--library", library)
    assert status == 1
    assert "segments" in out + err
    assert "Traceback" not in err


def test_compact_and_upgrade_change_no_answers(cinescope_cli: Cli, library: Path) -> None:
    before = cinescope_cli("search", "garden", "--library", library)[1]
    assert cinescope_cli("library", "compact", "--library", library)[0] == 0
    assert cinescope_cli("library", "upgrade", "--library", library)[1] == "nothing to do\n"
    assert cinescope_cli("search", "garden", "--library", library)[1] == before


def test_a_newer_library_is_refused(cinescope_cli: Cli, library: Path) -> None:
    from cinescope.library.store import Store

    Store(str(library)).upsert("meta", ["key"], [{"key": "schema_version", "value": "999"}])
    for command in (["list"], ["search", "x"], ["index", "x"], ["library", "upgrade"]):
        status, _, err = cinescope_cli(*command, "--library", library)
        assert status == 1
        assert "newer" in err
        assert "update cinescope" in err


def test_analysers_say_what_they_need(cinescope_cli: Cli) -> None:
    from cinescope.analysers import CATALOGUE

    status, out, _ = cinescope_cli("analysers")
    assert all(name in out for name in CATALOGUE)
    assert "cost:" in out
    found = {a["name"]: a for a in json.loads(cinescope_cli("analysers", "--json")[1])}
    assert set(CATALOGUE) <= set(found)
    assert all(found[n]["summary"] for n in CATALOGUE)
    assert status == (1 if any(a["missing"] for a in found.values()) else 0)


def test_a_foreign_analyser_that_does_not_load_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from cinescope import analysers
    from cinescope.api.parts import list_analysers

    monkeypatch.setitem(analysers.CATALOGUE, "foreign", "no.such.module:Thing")
    found = {a.name: a for a in list_analysers()}
    assert "cannot be loaded" in found["foreign"].missing
    assert found["shots"].summary


def test_models_list_fetches_nothing(cinescope_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path / "models"))
    (tmp_path / "models" / "faster-whisper-mine").mkdir(parents=True)
    status, out, _ = cinescope_cli("models")
    assert status == 0
    assert "faster-whisper-small" in out
    listed = {m["name"]: m for m in json.loads(cinescope_cli("models", "--json")[1])["models"]}
    assert listed["faster-whisper-mine"]["place"]
    assert listed["faster-whisper-small"]["place"] is None
    assert cinescope_cli("models", "get", "no-such-model")[0] == 3


def test_the_doctor_knows_what_is_needed(cinescope_cli: Cli, indexed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status, out, _ = cinescope_cli("doctor", "--library", indexed)
    assert status == 0
    assert "3 videos at" in out
    import cinescope.api.health as health

    real = health.find_spec
    monkeypatch.setattr(health, "find_spec", lambda name: None if name == "cv2" else real(name))
    status, out, _ = cinescope_cli("doctor", "--library", indexed)
    assert status == 1
    assert "pip install opencv-python-headless" in out
