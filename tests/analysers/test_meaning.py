"""Passages of speech and screen become vectors of their model's space, the same ones after a stop."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cinescope.analysers.meaning import Meaning
from cinescope.features import models
from cinescope.features.backbones import text_encoder
from cinescope.types import CinescopeError, Material, Segment, Source, Span, Video, Window

SOURCE = Source("test", "1")
MATERIAL = Material(Video("v", 600.0, ()))


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MiniLM: the person's own where it is there, else built from its package."""
    if "minilm" in models.encoders():
        return models.models_folder()
    pytest.importorskip("onnx", reason="MiniLM is not on this machine and cannot be built")
    if text_encoder.packaged_minilm() is None:
        pytest.skip("MiniLM is not on this machine, nor the package that carries it")
    folder = tmp_path_factory.mktemp("models")
    text_encoder.build_minilm(folder / "minilm")
    return folder


@pytest.fixture(autouse=True)
def use(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINESCOPE_MODELS", str(models_folder))


def said(start: float, end: float, text: str, language: str = "en") -> Segment:
    return Segment(Span(start, end), "speech", SOURCE, text=text, language=language)


def written(start: float, end: float, text: str, language: str = "en") -> Segment:
    return Segment(Span(start, end), "screen", SOURCE, text=text, language=language)


def run(analyser: Meaning, speech: list[Segment], screen: list[Segment] | None = None) -> list[Segment]:
    """Everything in windows of 10 s, as the ingest feeds it."""
    analyser.begin(MATERIAL)
    made = []
    for start in range(0, 200, 10):
        span = Span(start, start + 10)
        tracks = {
            name: tuple(s for s in segments if span.start < s.span.end <= span.end)
            for name, segments in (("transcript", speech), ("screen_text", screen or []))
        }
        made += analyser.feed(Window(span, tracks=tracks))
    return made + analyser.finish()


def plain(segments: list[Segment]) -> list[tuple[float, float, str, str]]:
    return [(s.span.start, s.span.end, s.text, s.data["of"]) for s in segments]


TALK = [
    said(0, 3, "We begin with the budget."),
    said(3.5, 6, "It is small."),
    said(6.5, 9, "We need more funds."),
    said(9.2, 12, "Now the weather."),
    said(30, 33, "Bonjour à tous", "fr"),
    said(33, 36, "Goodbye"),
    said(100, 128, "and so on " * 10),
    said(128, 131, "for ever"),
]


def test_speech_is_grouped_by_sentences_pauses_languages_and_length() -> None:
    made = run(Meaning(), TALK, [written(2, 9, "Budget 2024"), written(3, 8, "42"), written(4, 7, "预算", "zh")])
    assert sorted(plain(made)) == [
        (0.0, 9.0, "We begin with the budget. It is small. We need more funds.", "speech"),
        (2.0, 9.0, "Budget 2024", "screen"),
        (9.2, 12.0, "Now the weather.", "speech"),
        (33.0, 36.0, "Goodbye", "speech"),
        (100.0, 128.0, ("and so on " * 10).strip(), "speech"),
        (128.0, 131.0, "for ever", "speech"),
    ]
    for segment in made:
        vector = segment.data["vector"]
        assert (vector.dtype, vector.shape) == (np.float32, (384,))
        assert abs(np.linalg.norm(vector) - 1) < 1e-5
        assert segment.data["space"].startswith("minilm@")
    assert made[0].source.settings["model"] == "minilm"


def test_it_goes_on_where_it_left_off() -> None:
    whole = run(Meaning(), TALK)
    analyser = Meaning()
    analyser.begin(MATERIAL)
    made = []
    for segment in TALK:
        made += analyser.feed(Window(segment.span, tracks={"transcript": (segment,)}))
        state = json.loads(json.dumps(analyser.state()))
        analyser = Meaning()
        analyser.begin(MATERIAL)
        analyser.restore(state)
    made += analyser.finish()
    assert plain(made) == plain(whole)
    assert all(np.array_equal(a.data["vector"], b.data["vector"]) for a, b in zip(made, whole, strict=True))


def test_what_means_alike_lies_near() -> None:
    made = run(Meaning(), [said(0, 5, "We ran out of cash."), said(50, 55, "A dog barks at the postman.")])
    asked = text_encoder.TextEncoder(models.encoders()["minilm"]).encode(["no more money"])[0]
    assert asked @ made[0].data["vector"] > asked @ made[1].data["vector"] + 0.2


def test_without_a_model_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path))
    assert "cinescope models get minilm" in Meaning.available()
    with pytest.raises(CinescopeError, match="cinescope models get minilm"):
        _ = Meaning().source
    with pytest.raises(CinescopeError, match="cinescope models get other"):
        _ = Meaning(model="other").source
