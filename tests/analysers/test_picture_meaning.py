"""Views become vectors of their model's space: one for each view, the same ones after a stop."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.features.tiny_pictures import tiny

from cinescope.analysers.picture_meaning import PictureMeaning
from cinescope.features import models
from cinescope.features.backbones.picture_encoder import PictureEncoder
from cinescope.types import CinescopeError, Frames, Material, Segment, Span, Video, Window

pytest.importorskip("onnx", reason="the extra meaning-build is not installed")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with one tiny CLIP."""
    place = tmp_path_factory.mktemp("models")
    checkpoint = tiny(tmp_path_factory.mktemp("checkpoint") / "tiny-clip", "clip")
    from cinescope.features.backbones.picture_build import build_picture_model

    build_picture_model(checkpoint, place / "tiny-clip", "tiny-clip")
    return place


@pytest.fixture(autouse=True)
def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINESCOPE_MODELS", str(folder))


def scene(number: int) -> np.ndarray:
    """(36, 64, 3): coloured blocks of its own."""
    coarse = np.random.default_rng(number).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return coarse.repeat(12, 0).repeat(16, 1)


def run(pictures: list[np.ndarray], analyser: PictureMeaning | None = None, size: int = 2) -> list[Segment]:
    """A picture a second, in windows of `size` seconds."""
    analyser = analyser or PictureMeaning()
    analyser.begin(Material(Video("v", len(pictures) - 0.5, ())))
    made = []
    for start in range(0, len(pictures), size):
        data = np.stack(pictures[start : start + size])
        frames = Frames(data, np.arange(start, start + len(data), dtype=np.float64))
        made += analyser.feed(Window(Span(start, start + size), frames, (1.0,) * len(data)))
    return made + analyser.finish()


def spans(segments: list[Segment]) -> list[tuple[float, float]]:
    return [(s.span.start, s.span.end) for s in segments]


def test_each_view_gets_the_vector_of_its_picture() -> None:
    made = run([scene(1)] * 5 + [scene(2)] * 4 + [scene(1)] * 3)
    assert spans(made) == [(0, 5), (5, 9), (9, 11.5)]
    encoder = PictureEncoder(models.picture_models()["tiny-clip"])
    np.testing.assert_array_equal(made[1].data["vector"], encoder.pictures([scene(2)])[0])
    assert not np.allclose(made[0].data["vector"], made[1].data["vector"], atol=0.01)
    for segment in made:
        vector = segment.data["vector"]
        assert len(vector) == 24
        assert abs(np.linalg.norm(vector) - 1) < 1e-5
        assert segment.data["space"] == encoder.meta.space
        assert (segment.kind, segment.data["of"], segment.text) == ("picture", "picture", "")
    assert made[0].source.settings["model"] == "tiny-clip"


def test_noise_is_the_same_view_and_a_slow_change_becomes_another_in_its_time() -> None:
    rng = np.random.default_rng(0)
    grainy = [np.clip(scene(1) + rng.integers(-8, 9, (36, 64, 3)), 0, 255).astype(np.uint8) for _ in range(20)]
    assert spans(run(grainy)) == [(0, 19.5)]
    fading = [np.clip(scene(1).astype(int) - 5 * t, 0, 255).astype(np.uint8) for t in range(12)]
    assert spans(run(fading)) == [(0, 3), (3, 6), (6, 9), (9, 11.5)]
    assert spans(run(fading, PictureMeaning(every=6))) == [(0, 6), (6, 11.5)]


def test_black_pictures_are_left_out() -> None:
    black = np.zeros((36, 64, 3), np.uint8)
    assert spans(run([black] * 2 + [scene(1)] * 3 + [black] * 2 + [scene(1)])) == [(2, 5), (7, 7.5)]
    assert run([black] * 4) == []


def test_windows_of_any_length_and_a_stop_anywhere_give_the_same() -> None:
    pictures = [scene(n // 3) for n in range(11)]
    whole = run(pictures)
    for size in (1, 3, 11):
        again = run(pictures, size=size)
        assert again == whole
    told = Material(Video("v", 10.5, ()))
    analyser = PictureMeaning()
    analyser.begin(told)
    made = []
    for start, picture in enumerate(pictures):
        made += analyser.feed(Window(Span(start, start + 1), Frames(picture[None], np.array([float(start)])), (1.0,)))
        state = analyser.state()
        analyser = PictureMeaning()
        analyser.begin(told)
        analyser.restore(state)
    made += analyser.finish()
    assert spans(made) == spans(whole)
    assert made == whole


def test_any_size_and_shape_of_picture_will_do() -> None:
    for shape in ((1, 1), (2, 300), (640, 3), (360, 640)):
        picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
        assert len(run([picture] * 2)) in (0, 1)


def test_a_model_is_chosen_by_the_name_it_was_fetched_by(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder / "tiny-clip", tmp_path / "someone--clip")
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path))
    assert PictureMeaning(model="someone/clip").source == PictureMeaning(model="someone--clip").source
    with pytest.raises(CinescopeError, match="run: cinescope models get someone/other"):
        _ = PictureMeaning(model="someone/other").source


def test_without_a_model_it_says_what_to_do_when_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cinescope.library.plan import choose_analysers

    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path))
    assert "cinescope models get clip" in PictureMeaning.available()
    chosen = choose_analysers((), (), {})
    assert "picture_meaning" not in chosen.sources
    assert "picture_meaning" not in {p.path for p in chosen.missing}
    with pytest.raises(CinescopeError, match="cinescope models get clip"):
        choose_analysers(("picture_meaning",), (), {})
    asked = choose_analysers((), (), {"picture_meaning": {"every": 2.0}})
    assert "picture_meaning" in {p.path for p in asked.missing}
    with pytest.raises(ValueError, match="more than 0 seconds"):
        PictureMeaning(every=0)


def test_with_a_model_it_runs_unasked() -> None:
    from cinescope.library.plan import choose_analysers

    assert "picture_meaning" in choose_analysers((), (), {}).sources
