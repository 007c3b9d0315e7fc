"""The doctor: every sense is told, and what is missing comes with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from cinescope.api import health, health_senses


def told() -> dict[str, health.Finding]:
    return {f.what: f for f in health.examine(None)}


def test_a_bare_machine_is_told_what_to_fetch() -> None:
    found = told()
    for what, command in (
        ("search by meaning", "cinescope models get minilm"),
        ("pictures by words", "cinescope models get clip"),
        ("speech recognition", "cinescope models get faster-whisper-small"),
    ):
        assert found[what].state == "could be better"
        assert command in found[what].advice
    assert {"opentimelineio", "watchdog", "faces", "shots", "watching folders"} <= set(found)
    assert not [f.what for f in found.values() if f.what.startswith("analyser ")]


def test_a_model_that_is_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from cinescope.features.backbones.text_encoder import EncoderMeta

    meta = EncoderMeta("minilm", "1", 384, ("en",), 256)
    monkeypatch.setattr("cinescope.features.models.encoders", lambda: {"minilm": Path("x")})
    monkeypatch.setattr("cinescope.features.backbones.text_encoder.read_meta", lambda folder: meta)
    assert health_senses._meaning() == health.Finding("search by meaning", "ok", "minilm (en)")


def test_a_damaged_model_is_said_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    from cinescope.types import MissingPartError

    def broken() -> dict[str, Path]:
        raise MissingPartError("the model is damaged", "fetch it again")

    monkeypatch.setattr("cinescope.features.models.picture_models", broken)
    finding = health_senses._pictures()
    assert (finding.state, finding.now, finding.advice) == ("could be better", "the model is damaged", "fetch it again")


def test_accurate_shots_need_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cinescope.features.backbones.transnet.missing", lambda: "accurate shots need torch")
    finding = health_senses._shots()
    assert finding.state == "ok"
    assert "cinescope[accurate-shots]" in finding.advice


def test_a_system_at_its_limit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.start", full)
    finding = health_senses._changes()
    assert finding.state == "could be better"
    assert "inotify watch limit reached" in finding.now
    assert "every minute" in finding.advice
