"""A tiny picture model, so that the analyser that needs one is held to the rules as well."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def picture_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("onnx", reason="the extra meaning-build is not installed")
    from tests.features.tiny_pictures import tiny

    from cinescope.features.backbones.picture_build import build_picture_model

    place = tmp_path_factory.mktemp("models")
    build_picture_model(tiny(tmp_path_factory.mktemp("checkpoint") / "clip", "clip"), place / "tiny-clip", "tiny-clip")
    return place


@pytest.fixture(autouse=True)
def with_a_picture_model(own_home: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the analyser of pictures' meaning only: the others are tested without models."""
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if name == "picture_meaning":
        monkeypatch.setenv("CINESCOPE_MODELS", str(request.getfixturevalue("picture_models")))


@pytest.fixture(scope="session")
def trained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that sees two rates and sizes, hears and reads: all that the analyser of trained models can be fed."""
    from tests.analysers.trained_models import everything

    return everything(tmp_path_factory.mktemp("trained"))


@pytest.fixture(autouse=True)
def with_a_trained_model(own_home: None, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    name = getattr(request.node, "callspec", None) and request.node.callspec.params.get("name")
    if name == "trained":
        monkeypatch.setenv("CINESCOPE_TEST_TRAINED", str(request.getfixturevalue("trained_model")))
