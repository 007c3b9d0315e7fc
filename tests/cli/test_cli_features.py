"""`cinescope features` as a person types it, and its cache."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from cinescope.api import features as api
from cinescope.cli.features import settings_of
from cinescope.features import EXTRACTORS
from cinescope.features.clips import load_clip
from cinescope.media import VideoWriter
from cinescope.types import Waveform

RATE = 16_000
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "my film.mp4"
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3))
    with VideoWriter(path, (80, 60), 10, (RATE, 1)) as out:
        for k in range(30):
            out.picture(np.roll(noise, 2 * k, axis=1).astype(np.uint8), k / 10, 0.1)
        t = np.arange(RATE * 3) / RATE
        out.sound(Waveform((0.3 * np.sin(2 * np.pi * 440 * t))[None].astype(np.float32), RATE, 0.0))
    return path


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cinescope_cli: Cli) -> Cli:
    monkeypatch.chdir(tmp_path)
    return cinescope_cli


def test_npz(cli: Cli, film: Path, tmp_path: Path) -> None:
    status, out, err = cli("features", film, "--with", "hog,mfcc")
    assert status == 0, err
    assert "hog: 6 rows" in out
    with np.load(tmp_path / "my film_features.npz") as file:
        assert sorted(file) == ["about", "hog.times", "hog.values", "mfcc.times", "mfcc.values"]
        about = json.loads(str(file["about"]))
        for name in ("hog", "mfcc"):
            extractor = EXTRACTORS.create(name)
            alone = extractor(load_clip(film, extractor.needs))
            assert np.array_equal(file[f"{name}.values"], alone.values)
            assert file[f"{name}.times"] == pytest.approx(alone.times)
            assert about["sources"][name]["settings"] == extractor.source.settings
    assert about["video"] == str(film)


def test_parquet_part_rate_and_settings(cli: Cli, film: Path, tmp_path: Path) -> None:
    status, said, err = cli(
        "features", film, "-w", "hog", "--with", "pitch", "--start", 1, "--end", 2, "--rate", 5,
        "--set", "hog.cell=16", "--set", "hog.size=[64,64]", "-o", "f.parquet", "--json",
    )  # fmt: skip
    assert status == 0, err
    told = json.loads(said)
    assert told["features"]["hog"]["rows"] == 5
    assert told["features"]["hog"]["settings"]["cell"] == 16
    assert told["features"]["hog"]["settings"]["rate"] == 5
    table = pq.read_table(tmp_path / "f.parquet")
    assert table.column_names == ["name", "start", "end", "values"]
    hog = table.filter(np.array(table["name"]) == "hog")
    assert hog["start"].to_pylist() == pytest.approx([1.0, 1.2, 1.4, 1.6, 1.8])
    assert {len(v) for v in hog["values"].to_pylist()} == {told["features"]["hog"]["dim"]}
    pitch = table.filter(np.array(table["name"]) == "pitch")
    assert len(pitch) == 100
    assert np.median([v[0] for v in pitch["values"].to_pylist()]) == pytest.approx(440, rel=0.01)
    assert json.loads(table.schema.metadata[b"cinescope"])["sources"]["pitch"]["dim"] == 3


def test_the_cache_answers_for_the_same_content_and_settings(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = api.features(film, ["mfcc", "hog"])
    assert first.cached == ()
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(film.read_bytes())
    again = api.features(moved, ["mfcc", "hog"])
    assert again.cached == ("mfcc", "hog")
    for name in ("mfcc", "hog"):
        assert np.array_equal(first.features[name].values, again.features[name].values)
        assert np.array_equal(first.features[name].times, again.features[name].times)
        assert first.features[name].source == again.features[name].source
    assert api.features(film, ["mfcc"], {"mfcc": {"coefficients": 13}}).cached == ()
    assert api.features(film, ["mfcc"], end=2.0).cached == ()
    assert api.features(film, ["mfcc"], cache=False).cached == ()
    moved.write_bytes(film.read_bytes() + b"\0" * 8)
    assert api.features(moved, ["mfcc"]).cached == ()
    from cinescope.features.signal.mfcc import Mfcc

    monkeypatch.setattr(Mfcc, "version", "another")
    assert api.features(film, ["mfcc"]).cached == ()


@pytest.mark.parametrize("harm", ["cut", "garbage", "flip", "empty", "other", "key"])
def test_a_damaged_cache_is_computed_again_and_said(film: Path, harm: str) -> None:
    good = api.features(film, ["pitch"]).features["pitch"]
    (kept,) = api.cache_folder().rglob("pitch-*.npz")
    data = kept.read_bytes()
    if harm == "cut":
        kept.write_bytes(data[: len(data) // 2])
    elif harm == "garbage":
        kept.write_bytes(b"nothing like it")
    elif harm == "flip":
        middle = len(data) // 3
        kept.write_bytes(data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :])
    elif harm == "empty":
        kept.write_bytes(b"")
    elif harm == "other":
        np.savez(kept, values=np.zeros((1, 3)), times=np.zeros((1, 2)), about=np.array("{}"))
    else:
        with np.load(kept) as file:
            arrays = dict(file)
        about = json.loads(str(arrays["about"])) | {"key": "pitch@0:0"}
        np.savez(kept, **(arrays | {"about": np.array(json.dumps(about))}))
    again = api.features(film, ["pitch"])
    assert again.cached == ()
    assert "damaged" in " ".join(again.warnings)
    assert np.array_equal(again.features["pitch"].values, good.values)
    assert api.features(film, ["pitch"]).cached == ("pitch",)


def test_a_cache_that_cannot_be_written_loses_no_result(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = api.cache_folder()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("a file where the folder should be")
    made = api.features(film, ["pitch"])
    assert len(made.features["pitch"])
    assert "could not be kept" in " ".join(made.warnings)


def test_list(cli: Cli) -> None:
    status, out, _ = cli("features", "--list")
    assert status == 0
    assert all(name in out for name in ("hog", "mfcc", "log_mel", "pitch"))
    status, out, _ = cli("features", "--list", "--json")
    assert {"name": "mfcc", "modality": "sound"}.items() <= next(
        f for f in json.loads(out) if f["name"] == "mfcc"
    ).items()


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["--with", "mfc"], 3, "did you mean mfcc"),
        ([], 2, "no feature is named"),
        (["--with", "hog", "--set", "hog.cel=4"], 2, "did you mean cell"),
        (["--with", "hog", "--set", "hgo.cell=4"], 2, "did you mean hog"),
        (["--with", "hog", "--set", "cell"], 2, "no setting"),
        (["--with", "hog", "--set", "hog.cell=0"], 2, "cell"),
        (["--with", "mfcc", "--start", "9"], 2, "nothing"),
        (["--with", "mfcc", "--start", "9", "--end", "10"], 2, "nothing between"),
        (["--with", "mfcc", "--start", "2", "--end", "1"], 2, "nothing lies"),
        (["--with", "mfcc", "-o", "x.csv"], 2, "no format"),
        (["--with", "mfcc", "-o", "none/x.npz"], 2, "no folder"),
        (["--with", "hog", "--rate", "0"], 2, "pictures a second"),
        (["--with", "sift_bow"], 3, "sift_bow"),
    ],
)
def test_bad_input(cli: Cli, film: Path, tmp_path: Path, args: list[str], status: int, words: str) -> None:
    got, _, err = cli("features", film, *args)
    assert got == status, err
    assert words in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_what_must_learn_first_says_so_before_a_file_is_read(cli: Cli) -> None:
    status, _, err = cli("features", "none.mp4", "--with", "sift_bow")
    assert status == 3
    assert "sift_bow" in err


def test_files_are_not_written_over(cli: Cli, film: Path, tmp_path: Path) -> None:
    assert cli("features", film, "--with", "pitch", "-o", "x.npz")[0] == 0
    status, _, err = cli("features", film, "--with", "pitch", "-o", "x.npz")
    assert status == 2
    assert "there already" in err
    assert cli("features", film, "--with", "pitch", "-o", "x.npz", "--force")[0] == 0
    (tmp_path / "no.mp4").write_text("not a film")
    assert cli("features", "no.mp4", "--with", "pitch")[0] == 1
    assert cli("features", "none.mp4", "--with", "pitch")[0] == 1


def test_settings_are_json_or_text() -> None:
    assert settings_of(["a.b=1", "a.c=null", "a.d=db", "x.y.z=[1,2]", "a.e=true"]) == {
        "a": {"b": 1, "c": None, "d": "db", "e": True},
        "x.y": {"z": (1, 2)},
    }


def test_the_real_command_runs_without_torch(film: Path, tmp_path: Path) -> None:
    """As a person runs it, in a process where torch, scipy and librosa cannot be imported."""
    blocked = (
        "import sys\n"
        "for n in ('torch', 'scipy', 'librosa', 'sklearn', 'skimage'): sys.modules[n] = None\n"
        "from cinescope.cli.app import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    names = "hog,mfcc,stft,log_mel,chroma,pitch,spectral,loudness"
    line = [sys.executable, "-c", blocked, "features", str(film), "--with", names, "-o", "all.npz"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "all.npz") as file:
        assert {n.split(".")[0] for n in file if n != "about"} == set(names.split(","))


def test_help_names_no_heavy_part(tmp_path: Path) -> None:
    code = "import sys; from cinescope.cli.app import run; run(['features', '--help']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "--set" in done.stdout
    assert done.stdout.rstrip().endswith("False")


def test_kept_features_are_those_of_the_words_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Subtitles lie beside the file: when they change, what was made of them is not taken from the cache."""
    from cinescope.types import Needs, Span

    class Words:
        name, version, modality, dim = "w", "1", "text", 1
        needs: Any = Needs(subtitles=True)
        source: Any = type("S", (), {"key": "w@1"})()

    (tmp_path / "a.mp4").write_bytes(b"")
    texts = iter(["one", "two", "two"])
    from cinescope import media
    from cinescope.types import Cue, SubtitleTrack

    monkeypatch.setattr(media, "read_subtitles", lambda *_: [SubtitleTrack((Cue(Span(0, 1), next(texts)),))])
    places = [api._place(tmp_path / "a.mp4", "c", Words(), Span(0, 1)) for _ in range(3)]  # type: ignore[arg-type]
    assert places[0] != places[1] == places[2]
