"""The analyser of trained models: it says what `predict` says, from windows, and keeps apart what is apart."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
from trained_models import EVERYTHING, PICTURES, clips, film, train

from cinescope.analysers import create
from cinescope.library.analysis import Assignment, Job, analyse
from cinescope.types import (
    BadQueryError,
    CinescopeError,
    Frames,
    Material,
    MissingPartError,
    Segment,
    Span,
    Video,
    Window,
)

CALL = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def data_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips(tmp_path_factory.mktemp("coloured"))


@pytest.fixture(scope="session")
def colours(data_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that tells red from blue by its pictures."""
    return train(tmp_path_factory.mktemp("runs") / "colours", data_clips, PICTURES)


@pytest.fixture(scope="session")
def senses(data_clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that looks at three rates and sizes, hears at two rates, and reads."""
    return train(tmp_path_factory.mktemp("runs") / "senses", data_clips, EVERYTHING, epochs=2)


@pytest.fixture(scope="session")
def red_then_blue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4.3 s of each: no whole number of the 2 s that the models were trained on."""
    return film(tmp_path_factory.mktemp("films") / "new.mp4", ["red", "blue"], 4.3)


def labels_of(path: Path, **settings: Any) -> list[Segment]:
    """What the ingest's own pass makes of a file, with the analysers whose words are read."""
    from cinescope import media

    chosen: dict[str, dict[str, Any]] = {"trained": settings}
    if create("trained", **settings).needs.tracks:
        chosen |= {"voice": {}, "transcript": {}}
    jobs = tuple(Job(n, s, create(n, **s).source.key) for n, s in chosen.items())
    work = Assignment(str(path), media.probe(path), tuple(media.read_subtitles(path)), jobs)
    made: list[Segment] = []
    for stretch in analyse(work):
        assert not stretch.failed, stretch.failed
        made += [s for part in stretch.parts for s in part.segments if s.source.analyser == "trained"]
    return made


def assert_as_predicted(model: Path, path: Path, made: list[Segment]) -> None:
    from cinescope.api.trained import predict

    told = predict(model, [path])
    assert len(told) > 2
    assert [(s.span.start, s.text) for s in made] == [(p.span.start, p.label) for p in told]
    assert np.allclose([s.span.end for s in made], [p.span.end for p in told])
    # Rows are answered one by one here and together there: the same to the rounding of a matrix product.
    assert np.allclose([s.score for s in made], [p.score for p in told], atol=1e-5)


def test_says_what_predict_says(colours: Path, red_then_blue: Path) -> None:
    made = labels_of(red_then_blue, model=str(colours))
    assert_as_predicted(colours, red_then_blue, made)
    assert [s.text for s in made] == ["red", "red", "blue", "blue"]
    for segment in made:
        assert segment.kind == "label"
        assert segment.data["model"] == "colours"
        assert segment.data["probabilities"][segment.text] == pytest.approx(segment.score, abs=1e-5)
        assert sum(segment.data["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_says_what_predict_says_from_all_that_it_can_be_fed(senses: Path, red_then_blue: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(red_then_blue, tmp_path / "new.mp4"))
    (tmp_path / "new.srt").write_text("1\n00:00:01,000 --> 00:00:05,500\nthe rose is red\n", encoding="utf-8")
    needs = create("trained", model=str(senses)).needs
    assert needs.frames not in needs.more_frames
    assert len(needs.more_frames) == 2
    assert {n.sample_rate for n in (needs.sound, *needs.more_sound) if n} == {8000, 16000}
    made = labels_of(path, model=str(senses))
    assert_as_predicted(senses, path, made)
    assert "absent" not in made[0].data
    assert made[-1].data["absent"] == ["words"]


def test_reads_what_was_heard_where_there_are_no_subtitles(senses: Path) -> None:
    from cinescope.types import Source, Word

    analyser = create("trained", model=str(senses))
    assert analyser.needs.tracks == ("transcript",)
    words = (Word("the", Span(0.2, 0.4)), Word("sea", Span(0.4, 2.4)))
    speech = Segment(Span(0.2, 2.4), "speech", Source("transcript", "1"), "the sea", words)
    analyser.begin(Material(Video("", 6.0, ())))
    fed = [Window(Span(0, 2)), Window(Span(2, 4), tracks={"transcript": (speech,)}), Window(Span(4, 6))]
    made = [s for w in fed for s in analyser.feed(w)] + analyser.finish()
    # Told 2 s late, the words are lost for the first stretch: the look-back is there so that they never are.
    assert [s.span.start for s in made] == [2.0]
    assert made[0].data["absent"] == [r for r in EVERYTHING if r != "words"]


def test_a_stream_without_an_end_is_told_as_it_goes(colours: Path) -> None:
    """Fixed stretches, and the rest at the end."""
    analyser = create("trained", model=str(colours))
    analyser.begin(Material(Video("", None, ())))
    need = analyser.needs.frames
    assert need is not None
    assert need.rate == 5
    ends = []
    for start in (0, 1, 2, 3, 4):
        times = start + np.arange(5) / 5
        data = np.full((5, 12, 16, 3), (190, 30, 40), np.uint8)
        window = Window(Span(start, start + 1), Frames(data, times), (0.2,) * 5)
        ends += [(start + 1, s.span.end) for s in analyser.feed(window)]
    assert ends == [(2, 2.0), (4, 4.0)]
    assert [(s.span, s.text) for s in analyser.finish()] == [(Span(4.0, 5.0), "red")]


def test_holds_one_stretch(colours: Path) -> None:
    analyser = create("trained", model=str(colours))
    analyser.begin(Material(Video("", 600.0, ())))
    most = 0
    for start in range(0, 200, 2):
        times = start + np.arange(10) / 5
        data = np.zeros((10, 12, 16, 3), np.uint8)
        analyser.feed(Window(Span(start, start + 2), Frames(data, times), (0.2,) * 10))
        (runs,) = analyser.state()["held"]["pictures"]
        most = max(most, sum(len(times) for times, _, _ in runs))
    assert most <= 11  # a stretch at 5 a second, and the picture that stands into it


def test_several_models_speak_in_order_of_time(colours: Path, senses: Path, red_then_blue: Path) -> None:
    both = f"{colours}, {senses}"
    made = labels_of(red_then_blue, model=both)
    alone = labels_of(red_then_blue, model=str(colours))
    names = {s.data["model"] for s in made}
    assert len(names) == 2
    assert all(name.startswith("colours ") for name in names)  # one recipe: told apart by their weights
    assert [s.span.start for s in made] == sorted(s.span.start for s in made)
    first = [s for s in made if s.data["model"] == made[0].data["model"]]
    assert [(s.span, s.text, s.score) for s in first] == [(s.span, s.text, s.score) for s in alone]


def test_models_of_other_lengths_wait_for_each_other(colours: Path, red_then_blue: Path, tmp_path: Path) -> None:
    """And what waits is part of the state."""
    longer = tmp_path / "longer"
    shutil.copytree(colours, longer)
    about = json.loads((longer / "checkpoint.json").read_text(encoding="utf-8"))
    (longer / "checkpoint.json").write_text(json.dumps({**about, "window": 5.0, "name": "slow"}), encoding="utf-8")
    settings = {"model": f"{colours},{longer}"}
    whole = labels_of(red_then_blue, **settings)
    assert [s.data["model"] for s in whole].count("slow") == 2
    assert [s.span.start for s in whole] == sorted(s.span.start for s in whole)
    fed = windows_of(red_then_blue, create("trained", **settings))
    made: list[Segment] = []
    analyser = create("trained", **settings)
    analyser.begin(fed[0])
    for window in fed[1]:
        made += analyser.feed(window)
        state = json.loads(json.dumps(analyser.state(), default=lambda array: array.tolist()))
        analyser = create("trained", **settings)
        analyser.begin(fed[0])
        analyser.restore(state)
    assert made + analyser.finish() == whole


def windows_of(path: Path, analyser: Any) -> tuple[Material, list[Window]]:
    from cinescope import media
    from cinescope.library.feeding import Reel

    video = media.probe(path)
    need = analyser.needs.frames
    reel = Reel(str(path), video, frame_needs=(need,))
    made = [Window(s.span, *s.frames.get(need, (None, ()))) for s in reel.slices(reel.start)]
    return Material(video), made


def test_the_window_can_be_set(colours: Path, red_then_blue: Path) -> None:
    made = labels_of(red_then_blue, model=str(colours), window=1)
    assert len(made) == 9
    assert [s.text for s in made[:4] + made[-4:]] == ["red"] * 4 + ["blue"] * 4


def test_another_training_is_another_source(colours: Path, data_clips: Path, tmp_path: Path) -> None:
    other = train(tmp_path / "other", data_clips, PICTURES, epochs=1, seed=1)
    source, another = (create("trained", model=str(m)).source for m in (colours, other))
    assert source.settings["model"] == another.settings["model"] == "colours"
    assert source.key != another.key
    moved = shutil.copytree(colours, tmp_path / "moved")
    assert create("trained", model=str(moved)).source.key == source.key
    assert create("trained", model=str(colours), window=3).source.key != source.key


def test_a_run_stands_for_its_best_checkpoint(colours: Path) -> None:
    run = next(p for p in colours.parents if (p / "recipe.yaml").exists())
    assert create("trained", model=str(run)).source.key == create("trained", model=str(colours)).source.key


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({}, MissingPartError, "no model is named"),
        ({"model": "nowhere"}, MissingPartError, "there is no folder 'nowhere'"),
        ({"model": 3}, MissingPartError, "no model is named"),
        ({"model": "x", "window": -1}, BadQueryError, "window is -1"),
    ],
)
def test_says_what_is_wrong(settings: dict[str, Any], error: type[CinescopeError], said: str) -> None:
    with pytest.raises(error, match=said) as raised:
        create("trained", **settings)
    assert raised.value.do


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"window": None}, "clips of no length"),
        ({"context": True}, "neighbouring utterances"),
        ({"task": {"name": "retrieval", "target": "", "settings": {}}}, "retrieval, which says nothing"),
    ],
)
def test_models_that_cannot_speak_of_a_video_say_so(
    colours: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    model = tmp_path / "model"
    shutil.copytree(colours, model)
    about = json.loads((model / "checkpoint.json").read_text(encoding="utf-8"))
    (model / "checkpoint.json").write_text(json.dumps({**about, **changes}), encoding="utf-8")
    with pytest.raises(CinescopeError, match=said) as raised:
        create("trained", model=str(model))
    assert raised.value.do


def test_from_clips_to_search_without_a_line_of_code(
    data_clips: Path, red_then_blue: Path, tmp_path: Path, cinescope_cli: CALL
) -> None:
    mine = tmp_path / "clips"
    shutil.copytree(data_clips, mine, ignore=shutil.ignore_patterns("*.txt"))
    run = tmp_path / "mine"
    status, _, err = cinescope_cli("fit", mine, "--out", run, "--folds", "2", "--minutes", "0.1", "--quiet")
    assert status == 0, err
    status, out, err = cinescope_cli("predict", run, red_then_blue, "--json")
    assert status == 0, err
    told_by_predict = json.loads(out)["predictions"]
    library = tmp_path / "lib"
    setting = f"trained.model={run}"
    status, out, err = cinescope_cli(
        "index", red_then_blue, "--only", "trained", "--set", setting, "--library", library
    )
    assert (status, "4 labels" in out) == (0, True), out + err
    status, out, err = cinescope_cli("search", "blue", "--library", library, "--json")
    assert status == 0, err
    (moment,) = json.loads(out)["moments"]
    blue = [p for p in told_by_predict if p["label"] == "blue"]
    assert moment["start"] == pytest.approx(blue[0]["span"]["start"])
    assert moment["end"] == pytest.approx(blue[-1]["span"]["end"])
    assert {e["kind"] for e in moment["evidence"]} == {"label"}
    status, out, err = cinescope_cli("search", "red in:label", "--library", library, "--json")
    assert json.loads(out)["moments"][0]["start"] == 0
    status, out, err = cinescope_cli("search", "green", "--library", library, "--json")
    assert not json.loads(out)["moments"]
    status, out, err = cinescope_cli("show", "new", "--library", library)
    assert status == 0, err
    strip = next(line for line in out.splitlines() if line.startswith("labels"))
    assert set(strip.split()[1]) == {"r", "b"}
    assert "labels: b blue, r red" in out
    assert f"red {told_by_predict[0]['score']:.0%}" in out
    # Asked again, nothing is done again; and without the setting the labels stay.
    for more in (["--only", "trained", "--set", setting], ["--only", "shots"]):
        status, out, err = cinescope_cli("index", red_then_blue, *more, "--library", library)
        assert status == 0, err
    status, out, err = cinescope_cli("search", "blue", "--library", library, "--json")
    assert len(json.loads(out)["moments"]) == 1


def test_is_listed_and_costs_no_torch_until_it_is_made() -> None:
    code = (
        "import sys; from cinescope.api.parts import list_analysers; "
        "found = next(p for p in list_analysers() if p.name == 'trained'); "
        "assert not found.by_default and found.settings == {'model': '', 'window': 0.0}, found; "
        "from cinescope.library.plan import choose_analysers; "
        "assert 'trained' not in choose_analysers([], [], {}).sources; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
