"""Pictures found by words: from a clip through a tiny model to a moment, and what is said where that cannot be.

The model has random weights, so what is near is not what a person would say; which picture is nearest is known all the
same, by asking the model itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import write_srt
from tests.features.tiny_pictures import tiny

import cinescope
from cinescope.features.backbones.picture_build import build_picture_model
from cinescope.features.backbones.picture_encoder import PictureEncoder, read_meta
from cinescope.library import fusion, hybrid, schema, seen
from cinescope.library.hybrid import Near
from cinescope.library.scope import Scope
from cinescope.library.search import search
from cinescope.types import Evidence, Moment, SearchResult, Span

pytest.importorskip("onnx", reason="the extra meaning-build is not installed")

Cli = Callable[..., tuple[int, str, str]]
ONLY = ["shots", "transcript", "picture_meaning"]


def scene(number: int) -> np.ndarray:
    """(180, 320, 3): coloured blocks of its own."""
    coarse = np.random.default_rng(number).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return coarse.repeat(60, 0).repeat(80, 1)


def write_scenes(path: Path, numbers: list[int], seconds_each: float = 4.0, rate: int = 10) -> Path:
    from cinescope.media.encode import VideoWriter

    with VideoWriter(path, (320, 180), rate) as out:
        for frame in range(round(len(numbers) * seconds_each * rate)):
            out.picture(scene(numbers[int(frame / rate // seconds_each)]), frame / rate)
    return path


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model folders of two tiny models, "one" (CLIP) and "two" (SigLIP)."""
    place = tmp_path_factory.mktemp("tiny-models")
    for name, kind in (("one", "clip"), ("two", "siglip")):
        build_picture_model(tiny(place / "checkpoints" / name, kind), place / name, name)
    shutil.rmtree(place / "checkpoints")
    return place


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder / "first.mp4", [1, 2, 3])
    write_srt(folder / "first.en.srt", [(0.5, 3.0, "Welcome to the garden."), (8.5, 11.0, "A dog on the beach.")])
    write_scenes(folder / "second.mp4", [4, 5])
    return folder


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("CINESCOPE_MODELS", str(folder))
    monkeypatch.setattr(seen, "_encoders", {})
    return folder


@pytest.fixture(scope="session")
def seen_library(checkpoints: Path, videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the videos with the pictures of the model "one". Shared: copied before it is used."""
    place = tmp_path_factory.mktemp("seen") / "lib"
    with pytest.MonkeyPatch.context() as patch:
        only = tmp_path_factory.mktemp("one")
        shutil.copytree(checkpoints / "one", only / "one")
        patch.setenv("CINESCOPE_MODELS", str(only))
        report = cinescope.open(place).index(videos, only=ONLY)
    assert not report.problems, report.problems
    assert report.segments["picture"] == 5
    return place


@pytest.fixture
def library(seen_library: Path, checkpoints: Path, models: Path, tmp_path: Path) -> cinescope.Library:
    shutil.copytree(checkpoints / "one", models / "one")
    return cinescope.open(shutil.copytree(seen_library, tmp_path / "lib"))


def nearest_scene(model: Path, question: str, among: list[int]) -> int:
    """Which scene the model itself takes for the nearest."""
    encoder = PictureEncoder(model)
    likeness = encoder.pictures([scene(n) for n in among]) @ encoder.texts([question])[0]
    return among[int(likeness.argmax())]


def place_of(number: int) -> tuple[str, float]:
    return ("first.mp4", 4.0 * (number - 1)) if number < 4 else ("second.mp4", 4.0 * (number - 4))


@pytest.mark.parametrize("question", ["car", "the sea", "quack"])
def test_the_nearest_picture_is_a_moment_with_its_time(library: cinescope.Library, models: Path, question: str) -> None:
    result = library.search(question)
    assert "picture" in result.looked_at
    best = next(e for m in result.moments for e in m.evidence if e.kind == "picture")
    moment = next(m for m in result.moments if best in m.evidence)
    name, start = place_of(nearest_scene(models / "one", question, [1, 2, 3, 4, 5]))
    assert (library.video(moment.video_id).name, best.span.start) == (name, start)
    assert best.span.end == pytest.approx(start + 4, abs=0.2)
    assert best.source.startswith("picture_meaning@1:")
    assert -1 <= best.score <= 1
    assert best.text == ""
    assert "picture" in moment.by_modality


def test_neighbouring_pictures_are_one_scene(library: cinescope.Library) -> None:
    """Views of four seconds that touch: of each three in a row at most the first and the last are answers."""
    (found,) = seen.look(library.store, "sea", Scope(), (), 10)
    assert not found.why
    assert found.size == 5
    by_video: dict[str, list[Span]] = {}
    for evidence, video_id in found.hits:
        by_video.setdefault(video_id, []).append(evidence.span)
    for spans in by_video.values():
        assert all(a.gap(b) >= 2.0 for i, a in enumerate(spans) for b in spans[:i])
    scores = [e.score for e, _ in found.hits]
    assert scores == sorted(scores, reverse=True)


def test_words_and_pictures_are_joined_by_their_ranks(library: cinescope.Library) -> None:
    result = library.search("dog beach")
    assert result.moments[0].evidence[0].kind == "speech"
    assert result.note == ""
    assert {e.kind for m in result.moments for e in m.evidence} >= {"speech", "picture"}
    scores = [m.score for m in result.moments]
    assert scores == sorted(scores, reverse=True)
    for moment in result.moments:
        assert sum(moment.by_modality.values()) == pytest.approx(moment.score)


def test_filters_hold_for_pictures(library: cinescope.Library) -> None:
    in_second = library.search("sea", videos=["second"])
    assert {library.video(m.video_id).name for m in in_second.moments} == {"second.mp4"}
    late = library.search("sea", after="0:07")
    assert late.moments
    assert all(m.span.start >= 7 for m in late.moments)
    for words in ("sea in:speech", "sea -in:picture", '"sea"'):
        result = library.search(words)
        assert "picture" not in result.looked_at
        assert result.moments == ()
    assert library.search("sea", meaning="no").moments == ()


def test_pictures_alone_are_searched_when_asked(library: cinescope.Library) -> None:
    result = library.search("dog in:picture")
    assert result.looked_at == ("picture",)
    assert {e.kind for m in result.moments for e in m.evidence} == {"picture"}
    both = library.search("dog in:picture in:speech")
    assert set(both.looked_at) == {"speech", "picture"} | ({"meaning"} & set(both.looked_at))
    quoted = library.search('"dog" in:picture')
    assert {e.kind for m in quoted.moments for e in m.evidence} == {"picture"}


def test_what_is_not_wanted_is_not_said_while_a_picture_stands(library: cinescope.Library) -> None:
    def starts(words: str) -> set[tuple[str, float]]:
        moments = library.search(words).moments
        return {(m.video_id, e.span.start) for m in moments for e in m.evidence if e.kind == "picture"}

    garden = library.video("first").id
    every, without = starts("sea"), starts("sea -garden")
    assert (garden, 0.0) not in without
    assert without >= every - {(garden, 0.0)}


def test_without_a_model_it_is_said_what_to_do(
    seen_library: Path, indexed: Path, models: Path, checkpoints: Path
) -> None:
    (none,) = [w for w in cinescope.open(indexed).search("garden").not_looked_at if w.startswith("picture:")]
    assert none == "picture: no picture model here (cinescope models get clip, then index again)"
    (gone,) = [w for w in cinescope.open(seen_library).search("garden").not_looked_at if w.startswith("picture:")]
    assert gone == "picture: the model of these vectors is not on this machine (cinescope models get one)"
    shutil.copytree(checkpoints / "two", models / "two")
    (fresh,) = [w for w in cinescope.open(indexed).search("garden").not_looked_at if w.startswith("picture:")]
    assert fresh == "picture: no pictures were indexed by meaning (index again)"
    (other,) = [w for w in cinescope.open(seen_library).search("garden").not_looked_at if w.startswith("picture:")]
    assert other == gone


def test_a_question_that_the_model_cannot_read(library: cinescope.Library) -> None:
    (why,) = [w for w in library.search("大海").not_looked_at if w.startswith("picture:")]
    assert why == "picture: the model one reads en only"


def test_of_two_models_the_newest_that_is_here_is_used_and_it_is_said(
    library: cinescope.Library, models: Path, checkpoints: Path
) -> None:
    """One video of two is indexed anew with another model: only its pictures are compared with a question."""
    shutil.copytree(checkpoints / "two", models / "two")
    with_two = {"picture_meaning": {"model": "two"}}
    report = library.index(library.video("second").path, only=ONLY, settings=with_two)
    assert report.ok
    spaces = {s.rpartition("@")[0] for s in library.store.spaces()}
    assert spaces == {"picture:one", "picture:two"}
    result = library.search("sea")
    assert {library.video(m.video_id).name for m in result.moments} == {"second.mp4"}
    assert "picture: 1 of 2 videos were not looked at with two (index again)" in result.not_looked_at
    shutil.rmtree(models / "two")
    seen._encoders.clear()
    result = library.search("sea")
    assert {library.video(m.video_id).name for m in result.moments} == {"first.mp4"}
    assert "picture: 1 of 2 videos were not looked at with one (index again)" in result.not_looked_at
    shutil.copytree(checkpoints / "two", models / "two")
    seen._encoders.clear()
    assert library.index(only=ONLY, settings=with_two).ok
    result = library.search("sea")
    assert not [w for w in result.not_looked_at if w.startswith("picture:")]
    assert library.store.count(schema.vector_table(read_meta(checkpoints / "one").space)) == 0


def test_vectors_of_texts_and_of_pictures_are_never_compared(
    library: cinescope.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library has pictures only: the text encoder's question finds nothing to look at, and says so."""
    (meaning,) = [w for w in library.search("sea").not_looked_at if w.startswith("meaning:")]
    assert meaning == "meaning: nothing was indexed by meaning (cinescope models get minilm, then index again)"


def test_removal_takes_the_vectors_away(library: cinescope.Library, checkpoints: Path) -> None:
    table = schema.vector_table(read_meta(checkpoints / "one").space)
    row = library.store.rows(table, ["video_id", "vector"])[0]
    needle = np.asarray(row["vector"], np.float32).tobytes()
    folder = Path(library.place)
    assert any(needle in f.read_bytes() for f in folder.rglob("*") if f.is_file())
    library.remove(row["video_id"])
    assert row["video_id"] not in {r["video_id"] for r in library.store.rows(table, ["video_id"])}
    assert not any(needle in f.read_bytes() for f in folder.rglob("*") if f.is_file())
    assert library.search("sea").moments


def test_an_empty_library_with_a_model(tmp_path: Path, models: Path, checkpoints: Path) -> None:
    from cinescope.library.store import Store

    shutil.copytree(checkpoints / "one", models / "one")
    empty = Store.create(str(tmp_path / "empty"))
    result = search(empty, "sea")
    assert result.moments == ()
    assert not result.absent
    assert result.note == "there is no text in this library yet: index some videos first"


def passage(score: float) -> Near:
    evidence = Evidence("meaning", Span(0, 5), "we ran out of cash", "m", score=score)
    return Near("", ((evidence, "aa"),), 1000, "minilm", strength=score)


def picture(video: str = "bb") -> Near:
    """By a model that is called like one whose verdicts are known."""
    return Near("", ((Evidence("picture", Span(0, 4), "", "p", score=0.9), video),), 9, "minilm", kind="picture")


@pytest.mark.parametrize(("similarity", "absent"), [(-0.9, True), (0.9, False)])
def test_a_picture_neither_proves_nor_disproves_anything(similarity: float, absent: bool) -> None:
    nothing = SearchResult((), "money", note="nothing here matches money")
    alone = fusion.fused(nothing, [passage(similarity)], 0.0, 10)
    beside = fusion.fused(nothing, [passage(similarity), picture()], 0.0, 10)
    assert alone.absent == beside.absent == absent
    if absent:
        assert beside.note == "nothing like that is said or written in these videos; the nearest pictures are shown"
    else:
        assert beside.note == "no moment has all the words; these come near in meaning or look most like it"
    only = fusion.fused(nothing, [Near("no model"), picture()], 0.0, 10)
    assert not only.absent
    assert only.looked_at == ("picture",)
    assert only.note == "no moment has all the words; these look most like it"


def test_what_can_look_nowhere_changes_nothing() -> None:
    words = SearchResult((Moment("aa", Span(0, 1), 0.7, {"speech": 0.7}),), "money", note="said")
    assert fusion.fused(words, [Near("no model"), Near("none", kind="picture")], 1.0, 10) == words


def test_evidence_of_all_kinds_shares_the_score() -> None:
    spoken = Evidence("speech", Span(0, 5), "cash", "t")
    words = SearchResult((Moment("aa", Span(0, 5), 0.9, {"speech": 0.6, "title": 0.3}, (spoken,)),), "cash")
    (moment,) = fusion.fused(words, [passage(0.9), picture("aa")], 1.0, 10).moments
    assert [e.kind for e in moment.evidence] == ["speech", "meaning", "picture"]
    assert moment.score == 1.0
    third = pytest.approx(1 / 3)
    assert moment.by_modality == {
        "speech": pytest.approx(2 / 9), "title": pytest.approx(1 / 9), "meaning": third, "picture": third,
    }  # fmt: skip


def test_the_command_line_shows_pictures_and_is_quiet_without_them(
    library: cinescope.Library, indexed: Path, cinescope_cli: Cli
) -> None:
    status, out, err = cinescope_cli("search", "quack", "--library", library.place)
    assert status == 0
    assert "picture 0:0" in out
    assert "look most like it" in err
    assert "picture" not in err
    _, out, err = cinescope_cli("search", "garden", "--library", indexed)
    assert "not looked at: picture" not in out + err
    status, out, err = cinescope_cli("search", "xylophone", "--library", indexed)
    assert status == 1
    assert "not looked at: picture: no pictures were indexed by meaning (index again)" in err
    status, out, err = cinescope_cli("search", "dog", "--picture", "--library", library.place)
    assert status == 0
    assert "speech" not in out


def test_hybrid_ignores_the_spaces_of_pictures(library: cinescope.Library) -> None:
    assert hybrid.near(library.store, "sea", Scope(), (), 5).why.startswith("nothing was indexed by meaning")
